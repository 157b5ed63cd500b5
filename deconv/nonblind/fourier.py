"""Deconvolution with a known PSF and a quadratic penalty, which is diagonal in Fourier space."""

import math
from collections.abc import Callable
from typing import Any, Literal, TypeAlias

import numpy as np

from deconv._core.array import (
    Array,
    Result,
    array_namespace,
    as_array,
    as_image,
    as_psf,
    contiguous,
    device,
    like,
    split_channels,
    to_numpy,
)
from deconv._core.fft import Transfer, Workspace, rfftn
from deconv._core.kernels import spectral_bins, spectral_gain
from deconv.nonblind.boundary import extrapolate, period
from deconv.nonblind.regularisation import BinnedSpectrum
from deconv.psf import from_otf

__all__ = ["FourierProblem", "Regularisation", "transfer_function"]

# The operator D of the penalty: a name, taps, or the noise-to-signal power as a function of the radial frequency.
Regularisation: TypeAlias = Literal["laplacian", "identity"] | Array | Callable[[Any], Any]

# PSFs up to this length are transformed by matrices, longer ones by the FFT. Measured on 1024 x 1024 and 2360 x 1460.
_LONGEST = 80
# Bins of log(|H|^2 / |D|^2): their range about the mean penalty, their number for a factor of e, and the number of
# parts in which frequencies are summed (enough for a GPU, few enough for memory).
_SPAN, _PER_E, _PARTS = 40.0, 8.0, 256


class FourierProblem:
    """An image, the transfer function and the penalty on a periodic grid, to be solved at any balance.

    Parameters
    ----------
    image, psf, reg, channel_axis
        Arguments of the public function.

    Attributes
    ----------
    channels : array, shape (C, ...)
        The image.
    grid : tuple of int
        The period.
    otf : complex array
        H, in the layout of `rfftn` on the grid.
    penalty : array
        ``|D|^2``, of that shape.
    """

    def __init__(
        self, image: Array, psf: Array, reg: Regularisation, channel_axis: int | tuple[int, ...] | None
    ) -> None:
        image = as_image(image, ndim=(1, 2, 3), channel_axis=channel_axis, batch=True)
        self.channels, self.join = split_channels(image, channel_axis)
        xp = array_namespace(image)
        psf = _as_psf(psf, self.channels)
        self.grid = period(self.channels.shape[1:], psf.shape)
        self.otf = transfer_function(psf, self.grid)
        self.penalty = _penalty(reg, self.channels, self.grid)
        self._mean = xp.mean(self.channels, axis=tuple(range(1, self.channels.ndim)), keepdims=True)
        self._psf = psf

    @property
    def mean_penalty(self) -> float:
        """Mean of the penalty."""
        return float(array_namespace(self.penalty).mean(self.penalty))

    def solve(self, balance: float) -> Result:
        """The scene in the frame at this balance, in the layout of the argument `image`. May be called once."""
        gain = real_pairs(self.otf)
        spectral_gain(gain, self.penalty, balance)
        filled = extrapolate(self.channels, self._mean, self._psf, self.grid)
        sharp = Workspace(_Filter(complex_from_pairs(gain), self.grid), filled.shape[0], filled).blur(filled)
        return self.join(sharp[(slice(None), *(slice(0, n) for n in self.channels.shape[1:]))] + self._mean)

    def spectrum(self) -> BinnedSpectrum:
        """The statistics of all channels together, normalised to one frequency for each pixel of the frame.

        The image is faded out towards its edges, which makes it periodic and leaves the noise white. The extrapolation
        of `solve` would not do: it is free of noise, and would count as data that the model does not explain.
        """
        xp = array_namespace(self.otf)
        count = self.channels.shape[0]
        pixels, cells = math.prod(self.channels.shape[1:]), math.prod(self.grid)
        contrast = self.channels - self._mean
        scale = float(xp.max(xp.abs(contrast))) or 1.0
        window: Any = 1.0 / scale
        power = 1.0
        for axis, n in enumerate(self.channels.shape[1:], start=1):
            line = np.sin(np.pi * (np.arange(n) + 0.5) / n)
            power *= float(np.sum(line**2))
            window = window * xp.reshape(like(line, contrast), (n, *(1 for _ in self.grid[axis:])))
        bins = int(2 * _SPAN * _PER_E) + 1
        low = -_SPAN - math.log(self.mean_penalty)
        sums = xp.zeros((_PARTS, 3, bins), dtype=self.penalty.dtype, device=device(self.penalty))
        padded = xp.zeros(self.grid, dtype=self.penalty.dtype, device=device(self.penalty))
        otf, total = real_pairs(self.otf), np.zeros((3, bins))
        for i in range(count):
            padded[tuple(slice(0, n) for n in self.channels.shape[1:])] = window * contrast[i, ...]
            plane = real_pairs(rfftn(padded))
            size, width = math.prod(self.otf.shape), self.otf.shape[-1]
            spectral_bins(plane, otf, self.penalty, width, size, bins, low, _PER_E, sums)
            total += to_numpy(xp.sum(sums, axis=0, dtype=xp.float64))
        used = total[0] > 0
        return BinnedSpectrum(
            ratio=np.exp(low + np.arange(bins)[used] / _PER_E),
            number=total[0, used] * (pixels / cells),
            energy=total[1, used] * (scale**2 / power * pixels / cells),
            inverse=total[2, used] / (count * cells),
        )


class _Filter(Transfer):
    """A filter given by its transfer function."""

    def __init__(self, otf: Array, shape: tuple[int, ...]) -> None:
        self.shape = shape
        self.otf = otf


def transfer_function(psf: Array, grid: tuple[int, ...]) -> Result:
    """``rfftn`` of `psf` on a periodic grid, its centre at the origin."""
    if max(psf.shape) > _LONGEST:
        return Transfer(psf, grid).otf
    # Most entries of the grid are zero: sums over the others, as matrix products, are faster than the FFT.
    xp = array_namespace(psf)
    dtype = xp.complex128 if psf.dtype == xp.float64 else xp.complex64
    otf = xp.astype(psf, dtype)
    for axis in reversed(range(1 if psf.ndim > 1 else 0, psf.ndim)):
        lines = grid[axis] // 2 + 1 if axis == psf.ndim - 1 else grid[axis]
        waves = xp.asarray(_waves(lines, psf.shape[axis], grid[axis]), dtype=dtype, device=device(psf))
        otf = xp.moveaxis(xp.tensordot(waves, otf, axes=((1,), (axis,))), 0, axis)
    if psf.ndim == 1:
        return otf
    # The first axis, which is most of the work, in real numbers: positions on both sides of the centre share a cosine
    # and a sine.
    centre = psf.shape[0] // 2
    if psf.shape[0] % 2 == 0:
        otf = xp.concat((otf, xp.zeros_like(otf[:1, ...])), axis=0)
    before, after = xp.flip(otf[:centre, ...], axis=0), otf[centre + 1 :, ...]
    otf = xp.concat((otf[centre : centre + 1, ...], after + before, -1j * (after - before)), axis=0)
    waves = _waves(grid[0], 2 * centre + 1, grid[0])[:, centre:]
    waves = like(np.concatenate((waves.real, -waves.imag[:, 1:]), axis=1), psf)
    shape = (grid[0], *otf.shape[1:-1], 2 * otf.shape[-1])
    return complex_from_pairs(
        xp.reshape(xp.matmul(waves, xp.reshape(real_pairs(contiguous(otf)), (waves.shape[1], -1))), shape)
    )


def _waves(lines: int, taps: int, n: int) -> Any:
    """Matrix (lines, taps) of the Fourier transform of length `n`, the centre of the taps at the origin."""
    roots = np.exp(-2j * np.pi / n * np.arange(n))
    return roots[np.outer(np.arange(lines), np.arange(taps) - taps // 2) % n]


def _as_psf(psf: Any, channels: Any) -> Result:
    """The PSF with sum 1, from weights or from a transfer function; negative weights are allowed."""
    ndim = channels.ndim - 1
    if "complex" in str(getattr(psf, "dtype", "")):
        array_namespace(channels, psf)  # raises if the libraries differ
        try:
            psf = from_otf(psf, tuple(channels.shape[1:]))
        except (TypeError, ValueError) as error:
            raise type(error)(f"psf is complex, so taken for a transfer function: {error}") from None
    return as_psf(psf, channels, ndim=ndim, signed=True)


def _penalty(reg: Any, channels: Any, grid: tuple[int, ...]) -> Result:
    """``|D|^2`` at each frequency of `rfftn`."""
    xp = array_namespace(channels)
    shape = (*grid[:-1], grid[-1] // 2 + 1)
    if isinstance(reg, str):
        if reg == "identity":
            return xp.ones(shape, dtype=channels.dtype, device=device(channels))
        if reg == "laplacian":
            return _along(channels, grid, lambda turn: 2 - 2 * np.cos(2 * np.pi * turn)) ** 2
        raise ValueError(f'reg must be "laplacian", "identity", an array or a callable, got {reg!r}')
    if callable(reg):
        power = reg(xp.sqrt(_along(channels, grid, lambda turn: np.minimum(turn, 1 - turn) ** 2)))
        name = "the noise-to-signal power that reg returns"
        power = xp.astype(as_array(power, name), channels.dtype)
        array_namespace(power, channels)
        if tuple(power.shape) != shape:
            raise ValueError(f"{name} must have the shape {shape} of the frequencies, got {tuple(power.shape)}")
        if not bool(xp.all(xp.isfinite(power) & (power >= 0))):
            raise ValueError(f"{name} must be finite and not negative")
        return power
    if not hasattr(reg, "dtype") and not isinstance(reg, (list, tuple)):
        raise TypeError(f'reg must be "laplacian", "identity", an array or a callable, got {type(reg).__name__}')
    taps = as_array(reg, "reg")
    array_namespace(taps, channels)
    spatial = tuple(channels.shape[1:])
    if taps.ndim != len(spatial) or any(k > n for k, n in zip(taps.shape, spatial, strict=True)):
        raise ValueError(f"reg of shape {tuple(taps.shape)} must have the image's {len(spatial)} axes, none longer")
    taps = xp.astype(taps, channels.dtype)
    if not bool(xp.all(xp.isfinite(taps))) or not bool(xp.any(taps != 0)):
        raise ValueError("reg must hold finite numbers that are not all zero")
    return xp.abs(transfer_function(taps, grid)) ** 2


def _along(channels: Any, grid: tuple[int, ...], function: Callable[[Any], Any]) -> Result:
    """Sum over the axes of a function of the frequency (cycles per pixel, 0 to 1) at each frequency of `rfftn`."""
    xp = array_namespace(channels)
    total: Any = 0.0
    for axis, n in enumerate(grid):
        count = n // 2 + 1 if axis == len(grid) - 1 else n
        line = like(function(np.arange(count) / n), channels)
        total = total + xp.reshape(line, tuple(-1 if a == axis else 1 for a in range(len(grid))))
    return total


def real_pairs(z: Any) -> Result:
    """The complex array `z` as interleaved floats: a view where the library can make one, else a copy."""
    xp = array_namespace(z)
    if hasattr(z, "view"):
        return z.view(xp.float64 if z.dtype == xp.complex128 else xp.float32)
    return xp.reshape(xp.stack((xp.real(z), xp.imag(z)), axis=-1), (*z.shape[:-1], 2 * z.shape[-1]))


def complex_from_pairs(x: Any) -> Result:
    """The inverse of `real_pairs`."""
    xp = array_namespace(x)
    if hasattr(x, "view"):
        return x.view(xp.complex128 if x.dtype == xp.float64 else xp.complex64)
    return x[..., 0::2] + 1j * x[..., 1::2]
