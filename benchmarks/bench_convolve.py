"""Where summing up tap by tap, or axis by axis, beats a convolution by transforms.

``python -m benchmarks.bench_convolve`` prints the table from which `deconv._core.convolve` has its limits: CPU time on
one thread, contenders interleaved, medians.
"""

import math
import os
import statistics
import sys
import time

import numpy as np

from deconv._core import fft
from deconv._core.convolve import Direct, Fourier, Separable

SHAPES = [(256, 256), (1024, 1024), (1460, 2360)]
LENGTHS = [3, 5, 7, 9, 11, 15, 21, 31, 45, 65]
# Tap by tap is hopeless from here on.
LONGEST_DIRECT = 15


def grid(shape, length):
    """What Richardson-Lucy pads a picture to."""
    return fft.fast_shape(n + length - 1 for n in shape)


def problem(shape, length, dtype):
    """A random picture on its grid, and the factors of a random PSF of rank one."""
    rng = np.random.default_rng(0)
    return rng.random(grid(shape, length)).astype(dtype), [rng.random(length).astype(dtype) for _ in shape]


def ways(x, factors):
    """The convolution of `x` by each way, as calls without arguments."""
    psf, out = np.multiply.outer(*factors), np.empty_like(x)
    direct, separable, fourier = Direct(psf, x.shape), Separable(factors, x.shape), Fourier(psf, x.shape)
    workspace, channels = fft.Workspace(fourier, 1, x), x[None]
    calls = {
        "direct": lambda: direct.forward(x, out),
        "separable": lambda: separable.forward(x, out),
        "fft": lambda: fourier.forward(x),
        "fft in place": lambda: workspace.blur(channels),
    }
    if len(factors[0]) > LONGEST_DIRECT:
        del calls["direct"]
    return calls


class Forward:
    """One convolution of a picture padded as Richardson-Lucy pads it."""

    params = (["direct", "separable", "fft", "fft in place"], [256, 1024], [5, 9, 15, 31], ["float32", "float64"])
    param_names = ("way", "side", "length", "dtype")

    def setup(self, way, side, length, dtype):
        x, factors = problem((side, side), length, dtype)
        if way not in (calls := ways(x, factors)):
            raise NotImplementedError("hopeless")
        self.call = calls[way]
        self.call()  # compiles

    def time_forward(self, way, side, length, dtype):
        self.call()


class Agreement:
    """How far the ways are apart: largest difference to the transforms in float64, relative to the largest value."""

    params = (["direct", "separable", "fft"], [9, 31], ["float32", "float64"])
    param_names = ("way", "length", "dtype")
    unit = "of the largest value"

    def track_difference(self, way, length, dtype):
        x, factors = problem((256, 256), length, dtype)
        if way not in (calls := ways(x, factors)):
            raise NotImplementedError("hopeless")
        wanted = ways(x.astype(float), [f.astype(float) for f in factors])["fft"]()
        return float(np.abs(calls[way]() - wanted).max() / wanted.max())


def milliseconds(calls, seconds=0.4):
    """Median CPU time of each call, interleaved."""
    times = {name: [] for name in calls}
    for call in calls.values():
        call()
    end = time.process_time() + seconds
    while time.process_time() < end or len(times[next(iter(calls))]) < 5:
        for name, call in calls.items():
            start = time.process_time()
            call()
            times[name].append(time.process_time() - start)
    return {name: 1e3 * statistics.median(t) for name, t in times.items()}


def main(engines):
    """Print the table for each of the FFT libraries `engines`."""
    os.environ["OMP_NUM_THREADS"] = "1"
    for engine in engines:
        os.environ["DECONV_FFT"] = engine
        fft._ducc.cache_clear()
        fft._ducc_in_place.cache_clear()
        for dtype in ("float32", "float64"):
            for shape in SHAPES:
                print(f"\n{engine}, {dtype}, {shape[0]} x {shape[1]}, ms\n")
                print("| PSF | direct | separable | fft | fft in place |\n|---|---|---|---|---|")
                for length in LENGTHS:
                    found = milliseconds(ways(*problem(shape, length, dtype)))
                    cells = [found.get(name, math.nan) for name in ("direct", "separable", "fft", "fft in place")]
                    print(f"| {length} | " + " | ".join("-" if math.isnan(c) else f"{c:.2f}" for c in cells) + " |")


if __name__ == "__main__":
    main(sys.argv[1:] or ["ducc0", "scipy"])
