"""Between a PSF and its optical transfer function on a periodic grid."""

import math
from numbers import Integral
from typing import Any

import numpy as np

from deconv._core.array import Array, Result, accepts_torch, array_namespace, as_array
from deconv._core.fft import embed, irfftn, rfftn

__all__ = ["from_otf", "to_otf"]

# Largest departure from Hermitian symmetry, in single and in double precision, as a fraction of the largest value:
# enough for rounding errors, too little for a PSF that is not real.
_HERMITIAN_TOLERANCE = (1e-4, 1e-8)


@accepts_torch
def to_otf(psf: Array, shape: int | tuple[int, ...] | list[int]) -> Result:
    """Optical transfer function of a PSF: its Fourier transform on a periodic grid.

    Multiplying the Fourier transform of an image of that shape by it blurs the image with periodic boundaries. The
    inverse is `from_otf`.

    Parameters
    ----------
    psf : array
        Point-spread function with any number of axes, its centre at index ``n // 2`` of each. It is not normalised:
        the value at zero frequency is its sum. Weights may be negative.
    shape : tuple of int
        The grid, one length for each axis of `psf` and none shorter than that axis; an integer if there is one axis.

    Returns
    -------
    complex array of that shape
        In the layout of ``fftn``: zero frequency first, phase origin at index 0. The half ``[..., : n // 2 + 1]``
        of its last axis, of length n, is the layout of ``rfftn``. complex128 if `psf` is float64, else complex64.

    Raises
    ------
    TypeError
        If `psf` is not an array of real numbers, or `shape` not a tuple of integers.
    ValueError
        If `psf` is empty or not finite, or `shape` does not fit it.

    Examples
    --------
    >>> import deconv
    >>> otf = deconv.psf.to_otf(deconv.psf.gaussian(1.5), (64, 64))
    >>> abs(otf[0, :3]).round(3)
    array([1.   , 0.989, 0.956])
    """
    psf = as_array(psf, "psf")
    xp = array_namespace(psf)
    shape = _as_shape(shape, psf.ndim, "psf")
    if any(n > m for n, m in zip(psf.shape, shape, strict=True)):
        raise ValueError(f"shape {shape} is too small for the psf of shape {tuple(psf.shape)}")
    psf = xp.astype(psf, xp.float64 if psf.dtype == xp.float64 else xp.float32)
    if not bool(xp.all(xp.isfinite(psf))):
        raise ValueError("psf must be finite, got NaN or infinity")
    half = rfftn(embed(psf, shape))
    rest = xp.conj(_opposite(half[..., 1 : (shape[-1] + 1) // 2], shift_last=False))
    return xp.concat([half, rest], axis=-1)


@accepts_torch
def from_otf(otf: Array, shape: int | tuple[int, ...] | list[int]) -> Result:
    """PSF of an optical transfer function.

    Parameters
    ----------
    otf : complex array
        Transfer function in the layout of ``fftn``, whose shape is `shape`, or of ``rfftn``, whose last axis has
        length ``shape[-1] // 2 + 1``; zero frequency first, phase origin at index 0. The two layouts coincide if the
        last axis has length 1 or 2. A real array is the transfer function of a symmetric PSF.
    shape : tuple of int
        Shape of the PSF, which is the grid of the transfer function; an integer if there is one axis.

    Returns
    -------
    array of that shape
        The PSF, its centre at index ``n // 2`` of each axis; not normalised: its sum is the value at zero
        frequency. Values that are zero up to rounding (four machine epsilons of the largest) are set to zero.
        float64 if `otf` is complex128 or float64, else float32.

    Raises
    ------
    TypeError
        If `otf` is not an array of numbers, or `shape` not a tuple of integers.
    ValueError
        If the shape of `otf` fits neither layout, or `otf` is not finite, zero everywhere, or not the transform of a
        real PSF: values at opposite frequencies must be complex conjugates.

    Examples
    --------
    >>> import deconv
    >>> disc = deconv.psf.disk(1.0)
    >>> deconv.psf.from_otf(deconv.psf.to_otf(disc, (4, 5)), (4, 5)).round(3)
    array([[0.   , 0.   , 0.   , 0.   , 0.   ],
           [0.   , 0.025, 0.145, 0.025, 0.   ],
           [0.   , 0.145, 0.318, 0.145, 0.   ],
           [0.   , 0.025, 0.145, 0.025, 0.   ]])
    """
    otf = _as_otf(otf)
    xp = array_namespace(otf)
    shape = _as_shape(shape, otf.ndim, "otf")
    last = shape[-1] // 2 + 1
    if tuple(otf.shape) not in (shape, (*shape[:-1], last)):
        raise ValueError(
            f"otf must have shape {shape} (fftn) or {(*shape[:-1], last)} (rfftn) for a PSF of shape {shape}, "
            f"got {tuple(otf.shape)}"
        )
    peak = float(xp.max(xp.abs(otf)))
    if not math.isfinite(peak):
        raise ValueError("otf must be finite, got NaN or infinity")
    if peak == 0:
        raise ValueError("otf must not be zero everywhere")
    # In the rfftn layout only the planes of frequency 0 and n / 2 along the last axis contain their own opposites.
    full = tuple(otf.shape) == shape
    planes = [otf] if full else [otf[..., i : i + 1] for i in ((0, last - 1) if shape[-1] % 2 == 0 else (0,))]
    error = max(float(xp.max(xp.abs(part - xp.conj(_opposite(part))))) for part in planes)
    if error > _HERMITIAN_TOLERANCE[otf.dtype == xp.complex128] * peak:
        raise ValueError(
            "otf is not the transform of a real PSF: values at opposite frequencies differ from complex conjugates "
            f"by up to {error / peak:.2g} of the largest"
        )
    # A copy, because the inverse transform may work in place.
    psf = irfftn(xp.asarray(otf[..., :last], copy=True), shape)
    # Rounding errors left where the PSF is zero would spread it, partly negative, over the whole image.
    size = xp.abs(psf)
    psf = xp.where(size > 4 * float(xp.finfo(psf.dtype).eps) * float(xp.max(size)), psf, xp.zeros_like(psf))
    return xp.roll(psf, tuple(n // 2 for n in shape), axis=tuple(range(psf.ndim)))


def _as_otf(otf: Any) -> Result:
    """`otf` as a complex array of a supported library; raise TypeError if it is not an array of numbers."""
    if isinstance(otf, (list, tuple)):
        try:
            otf = np.asarray(otf)
        except ValueError:
            raise TypeError(f"otf must be an array of numbers, got {type(otf).__name__}") from None
    if isinstance(otf, np.ndarray) and otf.dtype.kind == "c":
        otf = otf.astype(np.complex64 if otf.dtype.itemsize <= 8 else np.complex128, copy=False)
    try:
        xp = array_namespace(otf)
        if xp.isdtype(otf.dtype, "complex floating"):
            return otf
    except TypeError:
        # Not an array, or of a dtype that the namespace does not know: `as_array` raises the right error.
        pass
    otf = as_array(otf, "otf")
    xp = array_namespace(otf)
    double = otf.dtype == xp.float64
    return xp.astype(xp.astype(otf, xp.float64 if double else xp.float32), xp.complex128 if double else xp.complex64)


def _as_shape(shape: Any, ndim: int, name: str) -> tuple[int, ...]:
    """`shape` as a tuple of `ndim` lengths."""
    lengths = tuple(shape) if isinstance(shape, (tuple, list)) else (shape,)
    if any(isinstance(n, bool) or not isinstance(n, Integral) for n in lengths):
        raise TypeError(f"shape must be a tuple of integers, got {shape!r}")
    if any(n < 1 for n in lengths):
        raise ValueError(f"shape must hold positive lengths, got {shape!r}")
    if ndim == 0 or len(lengths) != ndim:
        raise ValueError(f"shape must have one length for each axis of {name}, got {shape!r} for {ndim} axes")
    return tuple(int(n) for n in lengths)


def _opposite(spectrum: Result, shift_last: bool = True) -> Result:
    """`spectrum` with the value at each frequency replaced by that at its negative.

    Without `shift_last`, the last axis of `spectrum` starts at frequency 1 and that of the result ends at -1.
    """
    xp = array_namespace(spectrum)
    axes = tuple(range(spectrum.ndim if shift_last else spectrum.ndim - 1))
    return xp.roll(xp.flip(spectrum), tuple(1 for _ in axes), axis=axes)
