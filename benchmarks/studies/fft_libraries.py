"""CPU time of the transforms by FFT library, size and float type, as a fraction of scipy.fft's.

::

    python -m benchmarks.studies.fft_libraries

Blurring and correlating once: four real transforms and two products, on one thread. Each library runs in a
separate process; they are timed in turn, and the table has medians of the ratios.
"""

import concurrent.futures
import functools
import importlib.util
import multiprocessing
import os
import time
from collections.abc import Callable

import numpy as np

from benchmarks.bench_fft import choose
from deconv._core import fft as _fft

SHAPES = [
    (128, 128),
    (288, 288),
    (576, 576),
    (1080, 1080),
    (1460, 2360),  # with factors 73 and 59, the case for padding to a fast size
    (1500, 2400),
    (3000, 3000),
    (96, 96, 96),
    (40, 288, 288),
]
# Columns: the library, and whether it transforms in place where it can.
CONTENDERS = {"scipy": ("scipy", True), "ducc0": ("ducc0", True), "ducc0, not in place": ("ducc0", False)}
ROUNDS = 5


@functools.lru_cache(1)
def _convolution(shape: tuple[int, ...], dtype: str, in_place: bool) -> Callable[[], object]:
    """A function that blurs and correlates a picture; it has run once already."""
    x = np.random.default_rng(0).random((1, *shape)).astype(dtype)
    transfer = _fft.Transfer(np.ones((3,) * len(shape), dtype=dtype), shape)
    work = _fft.Workspace(transfer, 1, x)
    call = (lambda: work.correlate(work.blur(x))) if in_place else (lambda: transfer.adjoint(transfer.forward(x)))
    call()
    return call


def seconds(shape: tuple[int, ...], dtype: str, in_place: bool) -> float:
    """CPU time of one convolution by the library of this process."""
    call, loops = _convolution(shape, dtype, in_place), max(1, 10**6 // int(np.prod(shape)))
    start = time.process_time()
    for _ in range(loops):
        call()
    return (time.process_time() - start) / loops


def main() -> None:
    """Print the table."""
    os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    context = multiprocessing.get_context("spawn")
    pools = {
        name: concurrent.futures.ProcessPoolExecutor(1, context, choose, (library,))
        for name, (library, _) in CONTENDERS.items()
        if importlib.util.find_spec(library) is not None
    }
    print("Blur and correlate once (four real FFTs, two products), CPU time as part of scipy.fft's\n")
    print("| grid | float | scipy, ms | " + " | ".join(list(CONTENDERS)[1:]) + " |")
    print("|---|---|---|" + "---|" * (len(CONTENDERS) - 1))
    for shape in SHAPES:
        for dtype in ("float32", "float64"):
            times = {name: np.full(ROUNDS, np.nan) for name in CONTENDERS}
            for lap in range(ROUNDS):
                for name, pool in pools.items():
                    times[name][lap] = pool.submit(seconds, shape, dtype, CONTENDERS[name][1]).result()
            ratios = [np.median(times[name] / times["scipy"]) for name in list(CONTENDERS)[1:]]
            cells = ["-" if np.isnan(r) else f"{r:.2f}" for r in ratios]
            size = " x ".join(str(n) for n in shape)
            row = f"| {size} | {dtype[5:]} | {1e3 * np.median(times['scipy']):.2f} | " + " | ".join(cells) + " |"
            print(row, flush=True)
    for pool in pools.values():
        pool.shutdown()


if __name__ == "__main__":
    main()
