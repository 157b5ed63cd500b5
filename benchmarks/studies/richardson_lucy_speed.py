"""CPU time of Richardson-Lucy against its FFTs and against scikit-image, and its memory.

::

    python -m benchmarks.studies.richardson_lucy_speed            # ducc0 and scipy.fft
    python -m benchmarks.studies.richardson_lucy_speed --threads  # the gain of a second thread, on a quiet machine

One thread, contenders in turn, medians of ratios. The floor is four real FFTs of the padded size by ducc0, into
allocated memory.
"""

import os
import subprocess
import sys
import tracemalloc
from collections.abc import Callable

import numpy as np
import scipy.signal

import deconv
from benchmarks.bench_richardson_lucy import DTYPES, ITERATIONS, SIZES, WIDTHS, contenders, floor, in_turn, problem
from benchmarks.studies import study

# Iterations that scikit-image and deconv need for the same likelihood, counted on a small picture to save time.
_PLAIN, _COUNTED = 100, (512, 512)
_PINS = dict.fromkeys(("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def iterations_to_likelihood(plain: int = _PLAIN, shape: tuple[int, int] = _COUNTED, width: int = 31) -> int:
    """Number of accelerated iterations that reach the likelihood of `plain` plain ones."""
    image, psf = problem(shape, width, "float64")
    reach = psf.shape[0] // 2
    inside = image[reach:-reach, reach:-reach]

    def divergence(estimate: np.ndarray) -> float:
        expected = scipy.signal.fftconvolve(estimate, psf, "valid").clip(1e-9)
        return float(np.sum(expected - inside + inside * np.log(np.maximum(inside, 1e-12) / expected)))

    aim = divergence(deconv.richardson_lucy(image, psf, plain, accelerate=False))
    reached: list[bool] = []
    deconv.richardson_lucy(image, psf, plain // 2, callback=lambda i, x: reached.append(divergence(x) <= aim))
    return reached.index(True) + 1


def peak_of(call: Callable[[], object]) -> int:
    """Peak of the bytes that a call allocates, beyond those allocated before."""
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def table() -> None:
    """Print the table of the FFT library that this process uses."""
    library = os.environ.get("DECONV_FFT") or "ducc0"
    count = iterations_to_likelihood()
    print(f"\nFFT by {library}; the likelihood of {_PLAIN} plain iterations is reached by {count} accelerated ones\n")
    names = ("picture", "PSF", "float", "floor, ms", "iteration / floor", "skimage / ours", "likelihood", "memory")
    print("| " + " | ".join((*names, "skimage's")) + " |\n|" + "---|" * (len(names) + 1))
    for shape in SIZES:
        for width in WIDTHS:
            for dtype in DTYPES:
                image, psf = problem(shape, width, dtype)
                theirs, plain, quick = contenders(shape, width, dtype)
                calls = [
                    floor(shape, width, dtype),
                    theirs,
                    plain,
                    lambda image=image, psf=psf: deconv.richardson_lucy(image, psf, 1, accelerate=False),
                    lambda image=image, psf=psf: deconv.richardson_lucy(image, psf, count),
                ]
                seconds = in_turn(calls)
                once = (seconds[:, 2] - seconds[:, 3]) / (ITERATIONS - 1) / seconds[:, 0]
                same = seconds[:, 1] / seconds[:, 2]
                sooner = seconds[:, 1] * _PLAIN / ITERATIONS / seconds[:, 4]
                memory, skimages = (peak_of(call) / image.nbytes for call in (quick, theirs))
                figures = [f"{np.median(v):.2f}" for v in (once, same, sooner)]
                print(
                    f"| {shape[1]} x {shape[0]} | {width} | {dtype[5:]} | {1e3 * np.median(seconds[:, 0]):.0f} | "
                    + " | ".join(figures)
                    + f" | {memory:.1f} | {skimages:.1f} |",
                    flush=True,
                )


def threads() -> None:
    """Seconds by the clock on one thread over those on two, measured in turn in separate processes."""
    code = (
        "import time, numpy, deconv; from benchmarks import bench_richardson_lucy as b\n"
        "image, psf = b.problem({shape}, 31, {dtype!r}); deconv.richardson_lucy(image, psf, 2)\n"
        "print(numpy.median(b.in_turn([lambda: deconv.richardson_lucy(image, psf, 10)], 5, time.perf_counter)))"
    )
    for shape in SIZES:
        for dtype in DTYPES:
            ratios = []
            for _ in range(3):
                seconds = []
                for number in "12":
                    env = dict(os.environ, OMP_NUM_THREADS=number, NUMBA_NUM_THREADS="1")
                    command = [sys.executable, "-c", code.format(shape=shape, dtype=dtype)]
                    done = subprocess.run(command, env=env, cwd=study.ROOT, check=True, stdout=subprocess.PIPE)
                    seconds.append(float(done.stdout))
                ratios.append(seconds[0] / seconds[1])
            print(f"{shape[1]} x {shape[0]} {dtype}: two threads are {np.median(ratios):.2f} times as fast", flush=True)


def main() -> None:
    """Print the tables, or the gain of a second thread."""
    if "--threads" in sys.argv:
        threads()
    elif "DECONV_FFT" in os.environ and os.environ.get("OMP_NUM_THREADS") == "1":
        table()
    else:
        # The FFT library and the threads are chosen once a process.
        command = [sys.executable, "-m", "benchmarks.studies.richardson_lucy_speed"]
        for library in ("", "scipy"):
            env = {**os.environ, **_PINS, "DECONV_FFT": library}
            subprocess.run(command, env=env, cwd=study.ROOT, check=True)


if __name__ == "__main__":
    main()
