"""One convolution by each way: tap by tap, axis by axis, by transforms. `studies/convolution.py` has the crossover."""

import numpy as np

from deconv._core import fft as _fft
from deconv._core.convolve import Direct, Fourier, Separable

# Tap by tap is hopeless from here on.
LONGEST_DIRECT = 15


def grid(shape, length):
    """What Richardson-Lucy pads a picture to."""
    return _fft.fast_shape(n + length - 1 for n in shape)


def problem(shape, length, dtype):
    """A random picture on its grid, and the factors of a random PSF of rank one."""
    rng = np.random.default_rng(0)
    return rng.random(grid(shape, length)).astype(dtype), [rng.random(length).astype(dtype) for _ in shape]


def ways(x, factors):
    """The convolution of `x` by each way, as calls without arguments."""
    psf, out = np.multiply.outer(*factors), np.empty_like(x)
    direct, separable, fourier = Direct(psf, x.shape), Separable(factors, x.shape), Fourier(psf, x.shape)
    workspace, channels = _fft.Workspace(fourier, 1, x), x[None]
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
