r"""How strong a picture's noise is, from the picture alone."""

import itertools
import math

from deconv._core.array import array_namespace, as_image, split_channels, torch_door
from deconv._core.check import real

__all__ = ["estimate", "gain"]

# Pixels that are looked at, at most: their number alone gives the estimate to 0.2 %.
_ENOUGH = 2**19
# Rounds in which readout noise and photon noise are told apart.
_ROUNDS = 20
# Parts of like brightness, and pixels that one needs at least.
_PARTS, _PART = 12, 100
# The residual is cut at this many standard deviations, and what a Gaussian so cut keeps of its variance.
_CUT = 2.0
_KEPT = 1 - 2 * _CUT * math.exp(-(_CUT**2) / 2) / math.sqrt(2 * math.pi) / math.erf(_CUT / math.sqrt(2))


@torch_door
def estimate(image, *, channel_axis=None):
    r"""Standard deviation of the white noise in a picture.

    Parameters
    ----------
    image : array, shape (M,) or (M, N), with one more axis if `channel_axis` is given
        The picture, at least 3 pixels along each axis. NaN pixels are left out.
    channel_axis : int, optional
        Axis of colours; the result is the root mean square over them.

    Returns
    -------
    float
        In the units of the picture (integers count as 0 to 1), never NaN. Of an integer picture, at least the
        standard deviation of its rounding.

    Raises
    ------
    TypeError
        If `image` is no array of real numbers.
    ValueError
        If `image` is smaller than 3 pixels along an axis, infinite, or nothing but NaN.

    Notes
    -----
    The difference of two Laplacians [1]_,

    .. math:: h = \begin{pmatrix} 1 & -2 & 1 \\ -2 & 4 & -2 \\ 1 & -2 & 1 \end{pmatrix} * v, \qquad
              \sigma_h = 6 \sigma,

    removes all but noise and sharp edges. Where the edges are many, their mean absolute value misleads; here the
    variance is that of the values within :math:`2 \sigma_h`, corrected for the cut and iterated from the
    median of :math:`|h|` as in [2]_. Unlike a median it is not caught between two levels of an 8-bit picture.
    A picture of one axis has one second difference, :math:`(1, -2, 1) / \sqrt 6`.
    Noise that the camera has smoothed or sharpened is not white: smoothed noise counts for less than it is.

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
    # A channel that holds nothing says nothing.
    known = [size for size, *_ in map(_residual, _planes(image, channel_axis)) if size.shape[0]]
    variance = [_spread(size) ** 2 for size in known]
    return max(math.sqrt(sum(variance) / max(len(variance), 1)), rounding)


@torch_door
def gain(image, *, readout=0.0, channel_axis=None):
    r"""Brightness that one photon adds to a picture, from its photon noise.

    Parameters
    ----------
    image : array, shape (M,) or (M, N), with one more axis if `channel_axis` is given
        The picture, linear in light, its black at 0; at least 3 pixels along each axis. NaN pixels are left out.
    readout : float
        Standard deviation of noise that does not come from photons, in the units of the picture.
    channel_axis : int, optional
        Axis of colours; the result is the mean over them.

    Returns
    -------
    float
        In the units of the picture (integers count as 0 to 1): the variance of its noise over its brightness. Not
        negative; 0 for a picture without noise, or with no more than `readout`.

    Raises
    ------
    TypeError
        If `image` is no array of real numbers, or `readout` no number.
    ValueError
        If `image` is smaller than 3 pixels along an axis, infinite, or nothing but NaN; or if
        `readout` is negative.

    Notes
    -----
    The residual of `estimate` at each pixel is divided by the root of the brightness that its noise comes from,
    :math:`\sum_i h_i^2 v_i`; what is left has one variance all over the picture, the gain, and that is taken as there.
    Readout noise of variance :math:`r^2` is as that of a brightness :math:`r^2 / g` more [1]_.

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


def plane_gain(image, readout):
    """`gain` of one line, plane or volume, seen plane by plane; None if nothing in it was measured and is bright."""
    xp = array_namespace(image)
    residual, brightness, _ = _residual(image)
    lit = brightness > 0
    residual, brightness = residual[lit], brightness[lit]
    if residual.shape[0] == 0:
        return None
    best = 0.0
    for _ in range(_ROUNDS if readout > 0 else 1):
        light = brightness + (readout**2 / best if best > 0 else 0.0)
        best = _spread(residual / xp.sqrt(light)) ** 2
        if best <= 1e-6 * readout:
            break
    return best


def _planes(image, channel_axis):
    image = as_image(image, ndim=(1, 2), channel_axis=channel_axis, nan="mask")
    channels, _ = split_channels(image, channel_axis)
    return [channels[c, ...] for c in range(channels.shape[0])]


def _residual(image):
    """What differences leave of the noise, of unit gain; the brightness that it comes from; the mean around; all flat.

    Of a volume, that of its planes. The mean is over the same pixels, all alike, which sets it apart from the residual.
    """
    xp = array_namespace(image)
    axes = min(image.ndim, 2)
    if any(n < 3 for n in image.shape[-axes:]):
        wanted = " x ".join(["3"] * axes)
        raise ValueError(f"image must be at least {wanted} pixels, got shape {tuple(image.shape)}")
    step = max(1, round((math.prod(image.shape) / _ENOUGH) ** (1 / axes)))
    width = image.shape[-1]
    # A second difference along rows, then one along columns, at every `step`-th pixel only.
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
    size = xp.reshape(xp.abs(residual), (-1,)) / 6 ** (axes / 2)
    known = xp.isfinite(size)
    return size[known], xp.reshape(brightness, (-1,))[known], xp.reshape(level, (-1,))[known]


def variance_by_level(image):
    """Variance of the noise in parts of like brightness: a list of (its mean brightness levels, as an array; variance).

    Noise that is photons', the camera's or neither: within a part it is nearly one.
    """
    xp = array_namespace(image)
    residual, _, level = _residual(image)
    count = residual.shape[0]
    order = xp.argsort(level)
    residual, level = xp.take(residual, order), xp.take(level, order)
    parts = max(1, min(_PARTS, count // _PART))
    bounds = [count * i // parts for i in range(parts + 1)] if count else []
    slices = [slice(a, b) for a, b in itertools.pairwise(bounds)]
    return [(level[part], _spread(residual[part]) ** 2) for part in slices]


def _spread(size):
    """Standard deviation of the Gaussian whose absolute values these are but for a few that are too large."""
    if size.shape[0] == 0:
        return 0.0
    xp = array_namespace(size)
    # Scaled to its largest value: squares of very small or large floats leave the range of float32.
    peak = float(xp.max(size))
    if peak == 0:
        return 0.0
    size = size / peak
    scale = _start(xp, size)
    square = size**2
    for _ in range(50):
        inside = xp.astype(size <= _CUT * scale, size.dtype)
        count = float(xp.sum(inside))
        before, scale = scale, math.sqrt(float(xp.sum(square * inside)) / count / _KEPT)
        if abs(scale - before) <= 1e-4 * before:
            break
    return scale * peak


def _start(xp, size):
    """A first guess of the standard deviation: the median as of a Gaussian; the next quartile where that is zero."""
    ordered = xp.sort(size)
    n = ordered.shape[0]
    for part, gaussian in ((0.5, 0.6745), (0.75, 1.1503)):
        if (value := float(ordered[int(part * (n - 1))])) > 0:
            return value / gaussian
    return float(xp.mean(size))


def _rounding(image):
    """Standard deviation of the rounding of an integer picture, 0 for floats."""
    try:
        xp = array_namespace(image)
    except TypeError:
        return 0.0  # a list, or something that as_image refuses
    if not xp.isdtype(image.dtype, "integral"):
        return 0.0
    return 1 / (xp.iinfo(image.dtype).max * math.sqrt(12))
