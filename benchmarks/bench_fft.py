"""The transforms behind every transfer function, by library, size and float type."""

import importlib.util
import os

import numpy as np

import deconv
from deconv._core import fft as _fft


def choose(library):
    """Make that library the one that `deconv._core.fft` uses: it looks once a process, before its first transform."""
    os.environ["DECONV_FFT"] = library


class Blur:
    """`Transfer.forward` and its adjoint: two real transforms and one product each."""

    params = (["scipy", "ducc0", "cupy"], [256, 1024], ["float32", "float64"])
    param_names = ("fft", "side", "dtype")

    def setup(self, fft, side, dtype):
        if importlib.util.find_spec(fft) is None:
            raise NotImplementedError(f"{fft} is not installed")
        choose("" if fft == "cupy" else fft)
        rng = np.random.default_rng(0)
        x, y = (rng.standard_normal((side, side)).astype(dtype) for _ in range(2))
        psf = deconv.psf.disk(side / 64).astype(dtype)
        self.wait = int
        if fft == "cupy":
            import cupy

            if not cupy.cuda.is_available():
                raise NotImplementedError("no GPU")
            x, y, psf = (cupy.asarray(a) for a in (x, y, psf))
            self.wait = cupy.cuda.get_current_stream().synchronize
        self.x, self.y = x, y
        self.transfer = _fft.Transfer(psf, (side, side))
        self.time_forward(fft, side, dtype)  # makes the plans

    def time_forward(self, fft, side, dtype):
        self.transfer.forward(self.x)
        self.wait()

    def track_adjoint_error(self, fft, side, dtype):
        """|<Ax, y> - <x, A^T y>| as part of |Ax| |y|."""
        ax, aty = self.transfer.forward(self.x), self.transfer.adjoint(self.y)
        left, right = float((ax * self.y).sum()), float((self.x * aty).sum())
        return abs(left - right) / float(((ax**2).sum() * (self.y**2).sum()) ** 0.5)

    track_adjoint_error.unit = "of the product of norms"
