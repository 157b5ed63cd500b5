r"""Noise level and photon gain, estimated from a single image."""

import itertools
import math
from typing import Any

from deconv._core.array import Array, Result, accepts_torch, array_namespace, as_image, split_channels
from deconv._core.check import real

__all__ = ["estimate", "gain"]

# Pixels used at most: with so many, the statistical error of the estimate is 0.2 %.
_MAX_PIXELS = 2**19
# Iterations that separate photon noise from readout noise.
_GAIN_ITERATIONS = 20
# Brightness bins of `variance_by_level`, and the fewest pixels in one.
_MAX_BINS, _MIN_BIN_PIXELS = 12, 100
# The residual is truncated at this many standard deviations, and the fraction of its variance that a Gaussian
# retains when truncated there.
_CUT = 2.0
_RETAINED = 1 - 2 * _CUT * math.exp(-(_CUT**2) / 2) / math.sqrt(2 * math.pi) / math.erf(_CUT / math.sqrt(2))


@accepts_torch
def estimate(image: Array, *, channel_axis: int | None = None) -> float:
    r"""Standard deviation of the white noise in an image.

    Parameters
    ----------
    image : array, shape (M,) or (M, N), with one more axis if `channel_axis` is given
        The image, at least 3 pixels along each axis. NaN pixels are ignored.
    channel_axis : int, optional
        Colour axis; the result is the root mean square over the channels.

    Returns
    -------
    float
        In the units of the image (integers count as 0 to 1), never NaN. For an integer image, at least the standard
        deviation of its rounding.

    Raises
    ------
    TypeError
        If `image` is not an array of real numbers.
    ValueError
        If `image` is smaller than 3 pixels along an axis, holds infinity, or holds nothing but NaN.

    Notes
    -----
    The difference of two Laplacians [1]_,

    .. math:: h = \begin{pmatrix} 1 & -2 & 1 \\ -2 & 4 & -2 \\ 1 & -2 & 1 \end{pmatrix} * v, \qquad
              \sigma_h = 6 \sigma,

    removes everything except noise and sharp edges. Many edges bias the mean absolute value of :math:`h`. Here, the
    variance is taken over the values within :math:`2 \sigma_h`, corrected for that truncation, and iterated from the
    median of :math:`|h|` as in [2]_; unlike a median, it does not lock onto one of the levels of an 8-bit image.
    One-dimensional images use the second difference :math:`(1, -2, 1) / \sqrt 6`.
    Noise that the camera has smoothed or sharpened is not white: smoothed noise is underestimated.

    References
    ----------
    .. [1] J. Immerkaer, "Fast noise variance estimation", Computer Vision and Image Understanding 64, 300-302
       (1996), :doi:`10.1006/cviu.1996.0060`
    .. [2] D. L. Donoho, I. M. Johnstone, "Ideal spatial adaptation by wavelet shrinkage", Biometrika 81, 425-455
       (1994), :doi:`10.1093/biomet/81.3.425`

    Examples
    --------
    >>> import deconv
    >>> text = deconv.degrade.text_picture("Deconv", size=60)
    >>> noisy = deconv.degrade.add_noise(text, 0.02, rng=0)
    >>> round(deconv.noise.estimate(noisy), 3)
    0.02
    """
    rounding = _rounding(image)
    # Channels without a valid pixel do not count.
    residuals = [residual for residual, *_ in map(_residual, _planes(image, channel_axis)) if residual.shape[0]]
    variance = [_robust_std(residual) ** 2 for residual in residuals]
    return max(math.sqrt(sum(variance) / max(len(variance), 1)), rounding)


@accepts_torch
def gain(image: Array, *, readout: float = 0.0, channel_axis: int | None = None) -> float:
    r"""Brightness that one photon adds to the image, estimated from the photon noise.

    Parameters
    ----------
    image : array, shape (M,) or (M, N), with one more axis if `channel_axis` is given
        The image, linear in light, black at 0; at least 3 pixels along each axis. NaN pixels are ignored.
    readout : float
        Standard deviation of the noise that does not come from photons, in the units of the image.
    channel_axis : int, optional
        Colour axis; the result is the mean over the channels.

    Returns
    -------
    float
        Variance of the noise divided by the brightness, in the units of the image (integers count as 0 to 1). Not
        negative; 0 if the image has no more noise than `readout`.

    Raises
    ------
    TypeError
        If `image` is not an array of real numbers, or `readout` not a number.
    ValueError
        If `image` is smaller than 3 pixels along an axis, holds infinity, or holds nothing but NaN; or if `readout`
        is negative.

    Notes
    -----
    The residual of `estimate` at each pixel is divided by the square root of the brightness that causes its noise,
    :math:`\sum_i h_i^2 v_i`. The quotient has the same variance all over the image, the gain :math:`g`, which is
    estimated as in `estimate`. Readout noise of variance :math:`r^2` acts like an additional brightness of
    :math:`r^2 / g` [1]_.

    References
    ----------
    .. [1] D. L. Snyder, A. M. Hammoud, R. L. White, "Image recovery from data acquired with a charge-coupled-device
       camera", J. Opt. Soc. Am. A 10, 1014-1023 (1993), :doi:`10.1364/JOSAA.10.001014`

    Examples
    --------
    >>> import numpy as np, deconv
    >>> photons = np.random.default_rng(0).poisson(50.0 + 40 * deconv.degrade.text_picture("Deconv", size=60))
    >>> round(deconv.noise.gain(photons / 90.0) * 90, 1)
    1.0
    """
    readout = real(readout, "readout", low=0.0)
    gains = [plane_gain(plane, readout) for plane in _planes(image, channel_axis)]
    known = [g for g in gains if g is not None]
    return sum(known) / max(len(known), 1)


def plane_gain(image: Array, readout: float) -> float | None:
    """`gain` of one line, plane or volume, a volume plane by plane; None if it has no valid pixel above black."""
    xp = array_namespace(image)
    residual, brightness, _ = _residual(image)
    lit = brightness > 0
    residual, brightness = residual[lit], brightness[lit]
    if residual.shape[0] == 0:
        return None
    gain = 0.0
    for _ in range(_GAIN_ITERATIONS if readout > 0 else 1):
        light = brightness + (readout**2 / gain if gain > 0 else 0.0)
        gain = _robust_std(residual / xp.sqrt(light)) ** 2
        if gain <= 1e-6 * readout:
            break
    return gain


def _planes(image: Array, channel_axis: int | None) -> list[Result]:
    """The channels of `image`, checked, as floats."""
    image = as_image(image, ndim=(1, 2), channel_axis=channel_axis, nan="mask")
    channels, _ = split_channels(image, channel_axis)
    return [channels[c, ...] for c in range(channels.shape[0])]


def _residual(image: Result) -> tuple[Result, Result, Result]:
    """Absolute second differences scaled to the noise, the brightness that causes it, and the local mean; all flat.

    A volume is treated plane by plane. Brightness weighs the pixels by their share in the variance of the difference.
    The mean weighs them equally, which makes it uncorrelated with the difference.
    """
    xp = array_namespace(image)
    axes = min(image.ndim, 2)
    if any(n < 3 for n in image.shape[-axes:]):
        wanted = " x ".join(["3"] * axes)
        raise ValueError(f"image must be at least {wanted} pixels, got shape {tuple(image.shape)}")
    step = max(1, round((math.prod(image.shape) / _MAX_PIXELS) ** (1 / axes)))
    width = image.shape[-1]
    # Second difference along rows, then along columns, at every `step`-th pixel only.
    line = [image[..., j : width - 2 + j : step] for j in range(3)]
    residual, brightness = line[0] - 2 * line[1] + line[2], (line[0] + 4 * line[1] + line[2]) / 6
    level = (line[0] + line[1] + line[2]) / 3
    if axes == 2:
        rows = [slice(i, image.shape[-2] - 2 + i, step) for i in range(3)]
        line = [residual[..., r, :] for r in rows]
        residual = line[0] - 2 * line[1] + line[2]
        line = [brightness[..., r, :] for r in rows]
        brightness = (line[0] + 4 * line[1] + line[2]) / 6
        line = [level[..., r, :] for r in rows]
        level = (line[0] + line[1] + line[2]) / 3
    residual = xp.reshape(xp.abs(residual), (-1,)) / 6 ** (axes / 2)
    valid = xp.isfinite(residual)
    return residual[valid], xp.reshape(brightness, (-1,))[valid], xp.reshape(level, (-1,))[valid]


def variance_by_level(image: Array) -> list[tuple[Result, float]]:
    """Variance of the noise in bins of similar brightness: for each bin, the brightness of its pixels and the variance.

    Whatever its origin, photons, the camera or else, noise has nearly the same variance all over a bin.
    """
    xp = array_namespace(image)
    residual, _, level = _residual(image)
    count = residual.shape[0]
    order = xp.argsort(level)
    residual, level = xp.take(residual, order), xp.take(level, order)
    bins = max(1, min(_MAX_BINS, count // _MIN_BIN_PIXELS))
    bounds = [count * i // bins for i in range(bins + 1)] if count else []
    slices = [slice(a, b) for a, b in itertools.pairwise(bounds)]
    return [(level[s], _robust_std(residual[s]) ** 2) for s in slices]


def _robust_std(magnitude: Result) -> float:
    """Standard deviation of a Gaussian from the absolute values of its samples, a few of them outliers."""
    if magnitude.shape[0] == 0:
        return 0.0
    xp = array_namespace(magnitude)
    # Divided by its peak: squares of very small or large values would leave the range of float32.
    peak = float(xp.max(magnitude))
    if peak == 0:
        return 0.0
    scaled = magnitude / peak
    sigma = _initial_std(xp, scaled)
    square = scaled**2
    for _ in range(50):
        inside = xp.astype(scaled <= _CUT * sigma, scaled.dtype)
        count = float(xp.sum(inside))
        before, sigma = sigma, math.sqrt(float(xp.sum(square * inside)) / count / _RETAINED)
        if abs(sigma - before) <= 1e-4 * before:
            break
    return sigma * peak


def _initial_std(xp: Any, magnitude: Array) -> float:
    """Standard deviation of a Gaussian from the median of its absolute values, or the third quartile if that is 0."""
    ordered = xp.sort(magnitude)
    n = ordered.shape[0]
    for fraction, quantile in ((0.5, 0.6745), (0.75, 1.1503)):
        if (value := float(ordered[int(fraction * (n - 1))])) > 0:
            return value / quantile
    return float(xp.mean(magnitude))


def _rounding(image: Any) -> float:
    """Standard deviation of the rounding of an integer image; 0 for floats."""
    try:
        xp = array_namespace(image)
    except TypeError:
        # A list, or something that `as_image` will refuse.
        return 0.0
    if not xp.isdtype(image.dtype, "integral"):
        return 0.0
    return 1 / (float(xp.iinfo(image.dtype).max) * math.sqrt(12))
