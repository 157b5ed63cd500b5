"""Fourier transforms of real images on half or on all of the frequencies, as `deconv.compat.skimage` needs them."""

from typing import Any

from deconv._core.array import Result, array_namespace
from deconv._core.fft import irfftn, rfftn

__all__ = ["as_complex", "complex_type", "inverse", "squared_modulus", "transform"]


def transform(x: Any, is_real: bool) -> Result:
    """Fourier transform of a real image: at half of the frequencies or, by its symmetry, at all."""
    half = rfftn(x)
    if is_real:
        return half
    xp, n = array_namespace(x), x.shape[-1]
    mirrored = _negated(half[..., 1 : (n + 1) // 2], tuple(range(x.ndim - 1)))
    return xp.concat([half, xp.conj(xp.flip(mirrored, axis=-1))], axis=-1)


def inverse(spectrum: Any, shape: tuple[int, ...], is_real: bool) -> Result:
    """Inverse of `transform`; a complex image for a spectrum at all frequencies, which need not be symmetric."""
    if is_real:
        return irfftn(spectrum, shape)
    # The symmetric part is the transform of the real part, the antisymmetric part that of the imaginary part.
    xp = array_namespace(spectrum)
    mirrored = xp.conj(_negated(spectrum, tuple(range(spectrum.ndim))))
    half: Any = (..., slice(0, shape[-1] // 2 + 1))
    re = irfftn((0.5 * (spectrum + mirrored))[half], shape)
    im = irfftn((-0.5j * (spectrum - mirrored))[half], shape)
    return as_complex(re, im)


def _negated(spectrum: Any, axes: tuple[int, ...]) -> Result:
    """`spectrum` at the negated frequencies along `axes`."""
    xp = array_namespace(spectrum)
    return xp.roll(xp.flip(spectrum, axis=axes), (1,) * len(axes), axis=axes) if axes else spectrum


def complex_type(x: Any) -> Any:
    """The complex dtype of the precision of `x`."""
    xp = array_namespace(x)
    return xp.complex128 if x.dtype == xp.float64 else xp.complex64


def as_complex(re: Any, im: Any) -> Result:
    """A complex array from its real and imaginary part."""
    xp, dtype = array_namespace(re), complex_type(re)
    return xp.astype(re, dtype) + 1j * xp.astype(im, dtype)


def squared_modulus(z: Any) -> Result:
    """|z|^2 from real and imaginary part, which is faster than from the modulus."""
    xp = array_namespace(z)
    re, im = xp.real(z), xp.imag(z)
    return re * re + im * im
