"""The transforms behind every transfer function, by library, size and float type.

For asv; or by itself, for the table of docs/results.md (one thread, libraries in turn, medians of ratios)::

    python benchmarks/bench_fft.py
"""

import importlib.util
import os
import subprocess
import sys
import time

import numpy as np

import deconv
from deconv._core import fft

SHAPES = [
    (128, 128),
    (288, 288),
    (576, 576),
    (1080, 1080),
    (1460, 2360),  # 73 and 59 are factors: what padding to a fast size is for
    (1500, 2400),
    (3000, 3000),
    (96, 96, 96),
    (40, 288, 288),
]


def choose(library):
    """Make `deconv._core.fft` use this library; it chooses once a process, so the caches are cleared."""
    os.environ["DECONV_FFT"] = library
    for choice in (fft._ducc, fft._ducc_in_place):
        choice.cache_clear()


class Blur:
    """`Transfer.forward` and its adjoint: two real transforms and one product each."""

    params = (["scipy", "ducc0", "cupy"], [256, 1024], ["float32", "float64"])
    param_names = ("library", "side", "dtype")

    def setup(self, library, side, dtype):
        if importlib.util.find_spec(library) is None:
            raise NotImplementedError(f"{library} is not installed")
        choose("" if library == "cupy" else library)
        rng = np.random.default_rng(0)
        x, y = (rng.standard_normal((side, side)).astype(dtype) for _ in range(2))
        psf = deconv.psf.disk(side / 64).astype(dtype)
        self.wait = int
        if library == "cupy":
            import cupy

            if not cupy.cuda.is_available():
                raise NotImplementedError("no GPU")
            x, y, psf = (cupy.asarray(a) for a in (x, y, psf))
            self.wait = cupy.cuda.get_current_stream().synchronize
        self.x, self.y = x, y
        self.transfer = fft.Transfer(psf, (side, side))
        self.time_forward(library, side, dtype)  # makes the plans

    def time_forward(self, library, side, dtype):
        self.transfer.forward(self.x)
        self.wait()

    def track_adjoint_error(self, library, side, dtype):
        """|<Ax, y> - <x, A^T y>| as part of |Ax| |y|."""
        ax, aty = self.transfer.forward(self.x), self.transfer.adjoint(self.y)
        left, right = float((ax * self.y).sum()), float((self.x * aty).sum())
        return abs(left - right) / float(((ax**2).sum() * (self.y**2).sum()) ** 0.5)

    track_adjoint_error.unit = "of the product of norms"


def _convolution(library, shape, dtype, in_place=True):
    """Blur and correlate a picture by that library; None if it is not installed."""
    if importlib.util.find_spec(library) is None:
        return None
    choose(library)
    x = np.random.default_rng(0).random((1, *shape)).astype(dtype)
    transfer = fft.Transfer(np.ones((3,) * len(shape), dtype=dtype), shape)
    if in_place:
        work = fft.Workspace(transfer, 1, x)
        return lambda: work.correlate(work.blur(x))
    return lambda: transfer.adjoint(transfer.forward(x))


def _main():
    if os.environ.get("OMP_NUM_THREADS") != "1":
        pins = dict.fromkeys(("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        subprocess.run([sys.executable, __file__], env={**os.environ, **pins}, check=True)
        return
    columns = {
        "scipy": ("scipy",),
        "ducc0": ("ducc0",),
        "ducc0, not in place": ("ducc0", False),
    }
    print("Blur and correlate once (four real FFTs, two products), CPU time relative to scipy.fft's\n")
    print("| grid | float | scipy, ms | " + " | ".join(list(columns)[1:]) + " |")
    print("|---|---|---|" + "---|" * (len(columns) - 1))
    for shape in SHAPES:
        for dtype in ("float32", "float64"):
            seconds = np.full((len(columns), 5), np.nan)
            loops = max(1, 10**6 // int(np.prod(shape)))
            for lap in range(seconds.shape[1]):
                for row, (library, *rest) in zip(seconds, columns.values(), strict=True):
                    if (call := _convolution(library, shape, dtype, *rest)) is None:
                        continue
                    call()
                    start = time.process_time()
                    for _ in range(loops):
                        call()
                    row[lap] = (time.process_time() - start) / loops
            ratios = np.median(seconds[1:] / seconds[0], axis=1)
            cells = ["-" if np.isnan(r) else f"{r:.2f}" for r in ratios]
            size = " x ".join(str(n) for n in shape)
            print(
                f"| {size} | {dtype[5:]} | {1e3 * np.median(seconds[0]):.2f} | " + " | ".join(cells) + " |", flush=True
            )


if __name__ == "__main__":
    _main()
