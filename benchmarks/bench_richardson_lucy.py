"""Richardson-Lucy: CPU time against the FFTs that it cannot do without and against scikit-image, and its memory.

For asv; or by itself, for the tables of docs/results.md (one thread, contenders in turn, medians of ratios)::

    python benchmarks/bench_richardson_lucy.py            # ducc0 and scipy.fft
    python benchmarks/bench_richardson_lucy.py --threads  # what a second thread brings, on a quiet machine

The floor is four real FFTs of the padded size by ducc0, into memory that is there already.
"""

import os
import subprocess
import sys
import time
import tracemalloc

import numpy as np
import scipy.signal
from skimage import restoration

import deconv
from deconv._core.fft import fast_shape

SIZES = [(1024, 1024), (1460, 2360)]
WIDTHS = [15, 31, 65]
DTYPES = ["float32", "float64"]
_ITERATIONS = 10
# Iterations that scikit-image and we need for one likelihood: counted at the smallest picture, to be quick.
_PLAIN, _COUNTED = 100, (512, 512)


def problem(shape, width, dtype):
    """A blurred picture of squares with Poisson noise (1000 photons), and its PSF, a disc of that width."""
    rng = np.random.default_rng(0)
    psf = deconv.psf.disk(width / 2 - 0.5)
    rows, cols = (n // 16 + 6 for n in shape)
    scene = rng.random((rows, cols)).repeat(16, 0).repeat(16, 1)[: shape[0] + width - 1, : shape[1] + width - 1]
    blurred = scipy.signal.fftconvolve(scene, psf, "valid").clip(0)
    return (rng.poisson(blurred * 1000) / 1000).astype(dtype), psf.astype(dtype)


def floor(shape, width, dtype):
    """The four FFTs of an iteration, as a function to be timed."""
    import ducc0

    grid = fast_shape(n + width - 1 for n in shape)
    x = np.random.default_rng(0).random(grid).astype(dtype)
    spectrum = ducc0.fft.r2c(x, nthreads=1)
    back = {"lastsize": grid[-1], "forward": False, "inorm": 2, "allow_overwriting_input": True}

    def transforms():
        for _ in range(2):
            ducc0.fft.r2c(x, out=spectrum, nthreads=1)
            ducc0.fft.c2r(spectrum, out=x, nthreads=1, **back)

    return transforms


def in_turn(calls, rounds=5, clock=time.process_time):
    """Seconds of each call, shape (rounds, calls), run in turn after one call of each that does not count."""
    seconds = np.empty((rounds, len(calls)))
    for call in calls:
        call()
    for times in seconds:
        for i, call in enumerate(calls):
            start = clock()
            call()
            times[i] = clock() - start
    return seconds


def contenders(shape, width, dtype, num_iter=_ITERATIONS):
    """Scikit-image, we plain, we accelerated."""
    image, psf = problem(shape, width, dtype)
    return [
        lambda: restoration.richardson_lucy(image, psf, num_iter, clip=False),
        lambda: deconv.richardson_lucy(image, psf, num_iter, accelerate=False),
        lambda: deconv.richardson_lucy(image, psf, num_iter),
    ]


def iterations_to_likelihood(plain=_PLAIN, shape=_COUNTED, width=31):
    """Accelerated iterations until the likelihood of `plain` plain ones."""
    image, psf = problem(shape, width, "float64")
    reach = psf.shape[0] // 2
    seen = image[reach:-reach, reach:-reach]

    def divergence(estimate):
        expected = scipy.signal.fftconvolve(estimate, psf, "valid").clip(1e-9)
        return np.sum(expected - seen + seen * np.log(np.maximum(seen, 1e-12) / expected))

    aim = divergence(deconv.richardson_lucy(image, psf, plain, accelerate=False))
    met = []
    deconv.richardson_lucy(image, psf, plain // 2, callback=lambda i, x: met.append(divergence(x) <= aim))
    return met.index(True) + 1


def peak_of(call):
    """Bytes that a call has at most at once, beyond what was there before."""
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


class RichardsonLucy:
    """Ten iterations."""

    params = ([(512, 512), (1024, 1024)], [15, 31], DTYPES, [False, True])
    param_names = ("shape", "psf", "dtype", "accelerate")

    def setup(self, shape, width, dtype, accelerate):
        self.image, self.psf = problem(shape, width, dtype)
        deconv.richardson_lucy(self.image, self.psf, 1)  # compiles the kernels

    def time_ten_iterations(self, shape, width, dtype, accelerate):
        deconv.richardson_lucy(self.image, self.psf, _ITERATIONS, accelerate=accelerate)

    def peakmem_setup_alone(self, shape, width, dtype, accelerate):
        """What the process takes before it restores anything, to be taken off the next."""

    def peakmem_ten_iterations(self, shape, width, dtype, accelerate):
        deconv.richardson_lucy(self.image, self.psf, _ITERATIONS, accelerate=accelerate)


class AgainstSkimage:
    """Run with OMP_NUM_THREADS=1: scikit-image takes one thread, and so does the floor."""

    params = (SIZES, WIDTHS, DTYPES)
    param_names = ("shape", "psf", "dtype")
    timeout = 600

    def track_ratio_to_skimage(self, shape, width, dtype):
        seconds = in_turn(contenders(shape, width, dtype)[:2], rounds=3)
        return float(np.median(seconds[:, 0] / seconds[:, 1]))

    def track_ratio_to_fft_floor(self, shape, width, dtype):
        image, psf = problem(shape, width, dtype)
        long, short = (
            lambda n=n: deconv.richardson_lucy(image, psf, n, accelerate=False) for n in (_ITERATIONS + 1, 1)
        )
        seconds = in_turn([floor(shape, width, dtype), long, short], rounds=3)
        return float(np.median((seconds[:, 1] - seconds[:, 2]) / _ITERATIONS / seconds[:, 0]))

    track_ratio_to_skimage.unit = "x"
    track_ratio_to_fft_floor.unit = "x"


def _table():
    library = os.environ.get("DECONV_FFT") or "ducc0"
    count = iterations_to_likelihood()
    print(f"\nFFT by {library}; the likelihood of {_PLAIN} plain iterations is reached by {count} accelerated ones\n")
    print(
        "| picture | PSF | float | floor, ms | iteration / floor | skimage / ours | likelihood | memory | skimage's |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
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
                once = (seconds[:, 2] - seconds[:, 3]) / (_ITERATIONS - 1) / seconds[:, 0]
                same = seconds[:, 1] / seconds[:, 2]
                sooner = seconds[:, 1] * _PLAIN / _ITERATIONS / seconds[:, 4]
                memory, skimages = (peak_of(call) / image.nbytes for call in (quick, theirs))
                figures = [f"{np.median(v):.2f}" for v in (once, same, sooner)]
                print(
                    f"| {shape[1]} x {shape[0]} | {width} | {dtype[5:]} | {1e3 * np.median(seconds[:, 0]):.0f} | "
                    + " | ".join(figures)
                    + f" | {memory:.1f} | {skimages:.1f} |",
                    flush=True,
                )


def _threads():
    """Seconds by the clock of one thread over those of two, each in a process of its own, in turn."""
    code = (
        "import time, numpy, deconv, sys; sys.path.insert(0, {folder!r}); import bench_richardson_lucy as b\n"
        "image, psf = b.problem({shape}, 31, {dtype!r}); deconv.richardson_lucy(image, psf, 2)\n"
        "print(numpy.median(b.in_turn([lambda: deconv.richardson_lucy(image, psf, 10)], 5, time.perf_counter)))"
    )
    for shape in SIZES:
        for dtype in DTYPES:
            ratios = []
            for _ in range(3):
                seconds = []
                for threads in "12":
                    env = dict(os.environ, OMP_NUM_THREADS=threads, NUMBA_NUM_THREADS="1")
                    text = code.format(folder=os.path.dirname(os.path.abspath(__file__)), shape=shape, dtype=dtype)
                    done = subprocess.run([sys.executable, "-c", text], env=env, check=True, stdout=subprocess.PIPE)
                    seconds.append(float(done.stdout))
                ratios.append(seconds[0] / seconds[1])
            print(f"{shape[1]} x {shape[0]} {dtype}: two threads are {np.median(ratios):.2f} times as fast", flush=True)


def _main():
    if "--threads" in sys.argv:
        _threads()
    elif "DECONV_FFT" in os.environ and os.environ.get("OMP_NUM_THREADS") == "1":
        _table()
    else:
        # The FFT library and the threads are chosen once a process.
        pins = dict.fromkeys(("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        for library in ("", "scipy"):
            subprocess.run([sys.executable, __file__], env={**os.environ, **pins, "DECONV_FFT": library}, check=True)


if __name__ == "__main__":
    _main()
