r"""How close a restored picture is to the true one, wherever it was put.

The PSF of a blind restoration is known up to a shift, and so is its picture. Both functions of quality first bring the
restored picture onto the true one, by the protocol of the field [1]_: grey values in [0, 1], a border left out that is
never restored well, the best shift in whole pixels, and around it the best in quarters of a pixel.
`deconv.psf.similarity` is the like for two PSFs.

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

import numpy as np
import scipy.signal

from deconv._core.array import torch_door
from deconv._core.check import integer
from deconv._core.extras import extra
from deconv._core.grey import grey

__all__ = ["align", "error_ratio", "psnr", "ssim"]

# Parts of a pixel, by which a picture is moved by bilinear interpolation.
_QUARTERS = np.arange(-3, 4) / 4
# Side of the window of `skimage.metrics.structural_similarity`.
_WINDOW = 7


@torch_door
def align(restored, sharp, *, border=15, reach=12, channel_axis=None):
    r"""Cut the border off the true picture and find its place in the restored one.

    Parameters
    ----------
    restored, sharp : array, shape (M, N) or, with `channel_axis`, (M, N, C)
        Two pictures of one shape: floats (what lies outside of [0, 1] is clipped), or 8 or 16-bit integers.
    border : int
        Pixels left out on each side of `sharp`.
    reach : int
        Farthest shift along either axis, in whole pixels, less than `border`; 0: the pictures are taken as they lie.
    channel_axis : int, optional
        Axis of the colours, of which the grey value 0.299 R + 0.587 G + 0.114 B is taken.

    Returns
    -------
    restored, sharp : ndarray, shape (M - 2 border, N - 2 border)
        Grey values, float64, on the host.

    Raises
    ------
    TypeError
        If a picture is no array of real numbers, or `border` or `reach` no integer.
    ValueError
        If the shapes differ or are too small for the border, or `reach` is out of range.

    Notes
    -----
    The shift :math:`s` of least :math:`\sum_x (u(x + s) - v(x))^2`, by FFT over all of `reach` and with the exact sum
    over the quarters around it; `u` between its pixels is bilinear.

    Examples
    --------
    >>> import numpy as np, deconv
    >>> sharp = np.random.default_rng(0).random((64, 64))
    >>> u, v = deconv.metrics.align(np.roll(sharp, 5, axis=1), sharp)
    >>> u.shape, bool(np.allclose(u, v))
    ((34, 34), True)
    """
    return _aligned(restored, sharp, border, reach, channel_axis)


def _aligned(restored, sharp, border, reach, channel_axis, name="restored"):
    u, v = (grey(x, channel_axis, of).astype(np.float64) for x, of in ((restored, name), (sharp, "sharp")))
    border = integer(border, "border", low=0, high=10**6)
    reach = integer(reach, "reach", low=0, high=max(border - 1, 0))
    if u.shape != v.shape:
        raise ValueError(f"{name} and sharp must have one shape, got {u.shape} and {v.shape}")
    if min(u.shape) <= 2 * border:
        raise ValueError(f"a border of {border} pixels leaves nothing of a picture of shape {u.shape}")
    inner = tuple(slice(border, n - border) for n in v.shape)
    v = v[inner]
    return (_found(u, v, border, reach) if reach else u[inner]), v


def _found(u, v, border, reach):
    """The part of `u` most like `v`, whose place without a shift is `border` from each edge."""
    around = u[tuple(slice(border - reach, border + n + reach) for n in v.shape)]
    # The sum of v ** 2 is the same for all.
    distance = _sums(around**2, np.ones_like(v)) - 2 * _sums(around, v)
    row, column = (int(i) - reach + border for i in np.unravel_index(np.argmin(distance), distance.shape))
    places = [(row + dy, column + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
    residuals = np.empty((len(places), *v.shape))
    for residual, place in zip(residuals, places, strict=True):
        np.subtract(_at(u, *place, v.shape), v, out=residual)
    residuals = residuals.reshape(len(places), -1)
    # Weights that sum to 1 leave the residual weights @ residuals: its energy needs nothing but their products.
    products = residuals @ residuals.T
    weights = np.array([np.outer(_tent(dy), _tent(dx)).ravel() for dy in _QUARTERS for dx in _QUARTERS])
    best = weights[np.argmin(np.einsum("ni,ij,nj->n", weights, products, weights))]
    return v + (best @ residuals).reshape(v.shape)


def _sums(large, small):
    return scipy.signal.correlate(large, small, mode="valid", method="fft")


def _at(u, row, column, shape):
    return u[row : row + shape[0], column : column + shape[1]]


def _tent(shift):
    """Weights of the pixels at -1, 0, 1 for the bilinear value at `shift`."""
    return np.clip(1 - np.abs(np.array([-1, 0, 1]) - shift), 0, None)


@torch_door
def psnr(restored, sharp, *, border=15, reach=12, channel_axis=None):
    r"""Peak signal-to-noise ratio after registration: :math:`-10 \log_{10}` of the mean squared difference.

    Parameters
    ----------
    restored, sharp : array, shape (M, N) or, with `channel_axis`, (M, N, C)
        Two pictures of one shape: floats (what lies outside of [0, 1] is clipped), or 8 or 16-bit integers.
    border, reach : int
        What is left out on each side, and the farthest shift, in pixels: see `align`. 0 and 0 compare the whole
        pictures as they lie.
    channel_axis : int, optional
        Axis of the colours, of which the grey value is compared.

    Returns
    -------
    float
        Decibels; infinite for equal pictures.

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
    u, v = _aligned(restored, sharp, border, reach, channel_axis)
    error = float(np.mean((u - v) ** 2))
    return -10 * math.log10(error) if error else math.inf


@torch_door
def ssim(restored, sharp, *, border=15, reach=12, channel_axis=None):
    """Structural similarity [1]_ after registration, as scikit-image computes it by default.

    Parameters
    ----------
    restored, sharp : array, shape (M, N) or, with `channel_axis`, (M, N, C)
        Two pictures of one shape: floats (what lies outside of [0, 1] is clipped), or 8 or 16-bit integers.
    border, reach : int
        What is left out on each side, and the farthest shift, in pixels: see `align`. 7 x 7 pixels must be left.
    channel_axis : int, optional
        Axis of the colours, of which the grey value is compared.

    Returns
    -------
    float
        1 for equal pictures.

    Raises
    ------
    TypeError, ValueError
        As `align`, and if fewer pixels are left.
    ModuleNotFoundError
        Without scikit-image, which the extra ``metrics`` brings.

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
    u, v = _aligned(restored, sharp, border, reach, channel_axis)
    if min(v.shape) < _WINDOW:
        raise ValueError(f"{_WINDOW} x {_WINDOW} pixels must be left within the border, got {v.shape}")
    with extra("metrics", "the structural similarity"):
        from skimage.metrics import structural_similarity
    return float(structural_similarity(u, v, data_range=1.0))


@torch_door
def error_ratio(restored, reference, sharp, *, border=15, reach=12, channel_axis=None):
    """How much more of the picture is lost than with the true PSF known [1]_.

    Parameters
    ----------
    restored, reference, sharp : array, shape (M, N) or, with `channel_axis`, (M, N, C)
        The picture restored blind, that restored by the same method with the true PSF, and the true picture.
    border, reach : int
        What is left out on each side, and the farthest shift, in pixels: see `align`.
    channel_axis : int, optional
        Axis of the colours, of which the grey value is compared.

    Returns
    -------
    float
        The summed squared error of `restored` over that of `reference`, each registered: 1 where the PSF found is as
        good as the true one; the field calls up to 2 or 3 a success.

    Raises
    ------
    TypeError, ValueError
        As `align`.
    ZeroDivisionError
        If `reference` is without error.

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
    for name, picture in (("restored", restored), ("reference", reference)):
        u, v = _aligned(picture, sharp, border, reach, channel_axis, name)
        errors.append(float(np.sum((u - v) ** 2)))
    return errors[0] / errors[1]
