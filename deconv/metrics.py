r"""Image quality after registration: PSNR, SSIM and the error ratio of a restored image.

Blind deconvolution determines the PSF, and so the image, only up to a shift. All functions here first register the
restored image to the true one, by the protocol of the field [1]_: grey values in [0, 1], a border excluded because it
is never restored well, the best shift in whole pixels, then the best in quarters of a pixel around it.
`deconv.psf.similarity` does the same for two PSFs.

References
----------
.. [1] A. Levin, Y. Weiss, F. Durand, W. T. Freeman, "Understanding and evaluating blind deconvolution algorithms",
   CVPR 2009, 1964-1971, :doi:`10.1109/CVPR.2009.5206815`

>>> import numpy as np, deconv
>>> sharp = deconv.degrade.text_picture(["how", "close"], shape=(120, 160))
>>> moved = np.roll(sharp, (3, -2), axis=(0, 1)) + 0.01
>>> round(deconv.metrics.psnr(moved.clip(0, 1), sharp)) > 35 > deconv.metrics.psnr(moved, sharp, reach=0)
True
"""

import math
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import scipy.signal
from numpy.typing import NDArray

from deconv._core.array import Array, Result, accepts_torch
from deconv._core.check import integer
from deconv._core.extras import extra
from deconv._core.grey import grey

__all__ = ["align", "error_ratio", "psnr", "ssim"]

_Image: TypeAlias = NDArray[np.float64]

# Subpixel shifts, in pixels, tried around the best whole-pixel shift.
_SUBPIXEL_SHIFTS = np.arange(-3, 4) / 4
# Side in pixels of the window of `skimage.metrics.structural_similarity`.
_SSIM_WINDOW = 7


@accepts_torch
def align(
    restored: Array, sharp: Array, *, border: int = 15, reach: int = 12, channel_axis: int | None = None
) -> tuple[Result, Result]:
    r"""Crop the border of the true image, and register the restored image to what remains.

    Parameters
    ----------
    restored, sharp : array, shape (M, N) or, with `channel_axis`, (M, N, C)
        Two images of the same shape: floats (clipped to [0, 1]), or 8 or 16-bit integers.
    border : int
        Pixels excluded on each side of `sharp`.
    reach : int
        Largest shift along either axis, in whole pixels, less than `border`; 0 for no registration.
    channel_axis : int, optional
        Colour axis; the images are converted to grey, 0.299 R + 0.587 G + 0.114 B.

    Returns
    -------
    restored, sharp : ndarray, shape (M - 2 border, N - 2 border)
        Grey values, float64, on the host.

    Raises
    ------
    TypeError
        If an image is not an array of real numbers, or `border` or `reach` not an integer.
    ValueError
        If the shapes differ, the images are too small for the border, or `reach` is out of range.

    Notes
    -----
    The shift :math:`s` minimises :math:`\sum_x (u(x + s) - v(x))^2`: first over whole pixels up to `reach`, by FFT,
    then over quarter pixels around that minimum, with `u` interpolated bilinearly.

    Examples
    --------
    >>> import numpy as np, deconv
    >>> sharp = np.random.default_rng(0).random((64, 64))
    >>> u, v = deconv.metrics.align(np.roll(sharp, 5, axis=1), sharp)
    >>> u.shape, bool(np.allclose(u, v))
    ((34, 34), True)
    """
    return _align(restored, sharp, border, reach, channel_axis)


def _align(
    restored: Array, sharp: Array, border: int, reach: int, channel_axis: int | None, name: str = "restored"
) -> tuple[_Image, _Image]:
    """`align`, with `name` for the first image in error messages."""
    u, v = (grey(x, channel_axis, n).astype(np.float64) for x, n in ((restored, name), (sharp, "sharp")))
    border = integer(border, "border", low=0, high=10**6)
    reach = integer(reach, "reach", low=0, high=max(border - 1, 0))
    if u.shape != v.shape:
        raise ValueError(f"{name} and sharp must have the same shape, got {u.shape} and {v.shape}")
    if min(u.shape) <= 2 * border:
        raise ValueError(f"a border of {border} pixels leaves nothing of an image of shape {u.shape}")
    inner = tuple(slice(border, n - border) for n in v.shape)
    v = v[inner]
    return (_register(u, v, border, reach) if reach else u[inner]), v


def _register(u: _Image, v: _Image, border: int, reach: int) -> _Image:
    """The crop of `u`, bilinearly shifted, that matches `v` best; without a shift it starts at `border`."""
    around = u[tuple(slice(border - reach, border + n + reach) for n in v.shape)]
    # Squared distance at each shift, without the sum of v ** 2, which is the same for all.
    distance = _correlate(around**2, np.ones_like(v)) - 2 * _correlate(around, v)
    row, column = (int(i) - reach + border for i in np.unravel_index(np.argmin(distance), distance.shape))
    origins = [(row + dy, column + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
    residuals = np.empty((len(origins), *v.shape))
    for residual, (top, left) in zip(residuals, origins, strict=True):
        np.subtract(u[top : top + v.shape[0], left : left + v.shape[1]], v, out=residual)
    residuals = residuals.reshape(len(origins), -1)
    # Interpolation weights sum to 1, so the residual of a shift is weights @ residuals, and its energy follows from
    # the Gram matrix.
    gram = residuals @ residuals.T
    weights = np.array([np.outer(_tent(dy), _tent(dx)).ravel() for dy in _SUBPIXEL_SHIFTS for dx in _SUBPIXEL_SHIFTS])
    best = weights[np.argmin(np.einsum("ni,ij,nj->n", weights, gram, weights))]
    registered: _Image = v + (best @ residuals).reshape(v.shape)
    return registered


def _correlate(large: _Image, small: _Image) -> _Image:
    result: _Image = scipy.signal.correlate(large, small, mode="valid", method="fft")
    return result


def _tent(shift: float) -> NDArray[np.float64]:
    """Bilinear weights of the pixels at -1, 0 and 1 for the value at `shift`."""
    weights: NDArray[np.float64] = np.clip(1 - np.abs(np.array([-1, 0, 1]) - shift), 0, None)
    return weights


@accepts_torch
def psnr(restored: Array, sharp: Array, *, border: int = 15, reach: int = 12, channel_axis: int | None = None) -> float:
    r"""Peak signal-to-noise ratio after registration: :math:`-10 \log_{10}` of the mean squared error.

    Parameters
    ----------
    restored, sharp : array, shape (M, N) or, with `channel_axis`, (M, N, C)
        Two images of the same shape: floats (clipped to [0, 1]), or 8 or 16-bit integers.
    border, reach : int
        Border excluded on each side, and largest shift, in pixels: see `align`. With 0 and 0 the whole images are
        compared without registration.
    channel_axis : int, optional
        Colour axis; the grey values are compared.

    Returns
    -------
    float
        Decibels; infinite for equal images.

    Raises
    ------
    TypeError, ValueError
        As `align`.

    Examples
    --------
    >>> import numpy as np, deconv
    >>> sharp = np.zeros((64, 64))
    >>> round(deconv.metrics.psnr(sharp + 0.1, sharp), 3)
    20.0
    """
    u, v = _align(restored, sharp, border, reach, channel_axis)
    error = float(np.mean((u - v) ** 2))
    return -10 * math.log10(error) if error else math.inf


@accepts_torch
def ssim(restored: Array, sharp: Array, *, border: int = 15, reach: int = 12, channel_axis: int | None = None) -> float:
    """Structural similarity [1]_ after registration, with the defaults of scikit-image.

    Parameters
    ----------
    restored, sharp : array, shape (M, N) or, with `channel_axis`, (M, N, C)
        Two images of the same shape: floats (clipped to [0, 1]), or 8 or 16-bit integers.
    border, reach : int
        Border excluded on each side, and largest shift, in pixels: see `align`. At least 7 x 7 pixels must remain.
    channel_axis : int, optional
        Colour axis; the grey values are compared.

    Returns
    -------
    float
        1 for equal images.

    Raises
    ------
    TypeError, ValueError
        As `align`, and if fewer pixels remain.
    ModuleNotFoundError
        If scikit-image is not installed; the extra ``metrics`` brings it.

    References
    ----------
    .. [1] Z. Wang, A. C. Bovik, H. R. Sheikh, E. P. Simoncelli, "Image quality assessment: from error visibility to
       structural similarity", IEEE Trans. Image Process. 13, 600-612 (2004), :doi:`10.1109/TIP.2003.819861`

    Examples
    --------
    >>> import numpy as np, deconv
    >>> sharp = np.random.default_rng(0).random((64, 64))
    >>> round(deconv.metrics.ssim(np.roll(sharp, 3, axis=0), sharp), 6)
    1.0
    """
    u, v = _align(restored, sharp, border, reach, channel_axis)
    if min(v.shape) < _SSIM_WINDOW:
        raise ValueError(f"{_SSIM_WINDOW} x {_SSIM_WINDOW} pixels must remain within the border, got {v.shape}")
    with extra("metrics", "the structural similarity"):
        from skimage.metrics import structural_similarity
    similarity: Callable[..., float] = structural_similarity
    return float(similarity(u, v, data_range=1.0))


@accepts_torch
def error_ratio(
    restored: Array,
    reference: Array,
    sharp: Array,
    *,
    border: int = 15,
    reach: int = 12,
    channel_axis: int | None = None,
) -> float:
    """Error of a blind restoration relative to the restoration with the true PSF [1]_.

    Parameters
    ----------
    restored, reference, sharp : array, shape (M, N) or, with `channel_axis`, (M, N, C)
        The image restored blindly, the image restored by the same method with the true PSF, and the true image.
    border, reach : int
        Border excluded on each side, and largest shift, in pixels: see `align`.
    channel_axis : int, optional
        Colour axis; the grey values are compared.

    Returns
    -------
    float
        The sum of squared errors of `restored` divided by that of `reference`, each registered: 1 if the estimated
        PSF is as good as the true one. The field counts ratios up to 2 or 3 as a success.

    Raises
    ------
    TypeError, ValueError
        As `align`.
    ZeroDivisionError
        If `reference` has no error.

    References
    ----------
    .. [1] A. Levin, Y. Weiss, F. Durand, W. T. Freeman, "Understanding and evaluating blind deconvolution algorithms",
       CVPR 2009, 1964-1971, :doi:`10.1109/CVPR.2009.5206815`

    Examples
    --------
    >>> import numpy as np, deconv
    >>> sharp = np.zeros((64, 64))
    >>> round(deconv.metrics.error_ratio(sharp + 0.2, sharp + 0.1, sharp), 6)
    4.0
    """
    errors = []
    for name, image in (("restored", restored), ("reference", reference)):
        u, v = _align(image, sharp, border, reach, channel_axis, name)
        errors.append(float(np.sum((u - v) ** 2)))
    return errors[0] / errors[1]
