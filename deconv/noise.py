r"""How strong a picture's noise is, from the picture alone."""

import math

from deconv._array import array_namespace, as_image, torch_door

__all__ = ["estimate"]

# Pixels that are looked at, at most: their number alone gives the estimate to 0.2 %.
_ENOUGH = 2**19
# The residual is cut at this many standard deviations, and what a Gaussian so cut keeps of its variance.
_CUT = 2.0
_KEPT = 1 - 2 * _CUT * math.exp(-(_CUT**2) / 2) / math.sqrt(2 * math.pi) / math.erf(_CUT / math.sqrt(2))


@torch_door
def estimate(image, *, channel_axis=None):
    r"""Standard deviation of the white noise in a picture.

    Parameters
    ----------
    image : array, shape (M, N[, C])
        The picture, at least 3 x 3 pixels. NaN pixels are left out.
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
        If `image` is smaller than 3 x 3 pixels, infinite, or nothing but NaN.

    Notes
    -----
    The difference of two Laplacians [1]_,

    .. math:: h = \begin{pmatrix} 1 & -2 & 1 \\ -2 & 4 & -2 \\ 1 & -2 & 1 \end{pmatrix} * v, \qquad
              \sigma_h = 6 \sigma,

    removes all but noise and sharp edges. Where the edges are many, their mean absolute value misleads; here the
    variance is that of the values within :math:`2 \sigma_h`, corrected for the cut and iterated from the
    median of :math:`|h|` as in [2]_. Unlike a median it is not caught between two levels of an 8-bit picture.
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
    image = as_image(image, channel_axis=channel_axis, nan="mask")
    xp = array_namespace(image)
    planes = [image] if channel_axis is None else xp.unstack(image, axis=channel_axis)
    variance = sum(_deviation(plane) ** 2 for plane in planes) / len(planes)
    return max(math.sqrt(variance), rounding)


def _deviation(image):
    """Standard deviation of the noise of one plane."""
    xp = array_namespace(image)
    height, width = image.shape
    if height < 3 or width < 3:
        raise ValueError(f"image must be at least 3 x 3 pixels, got shape {tuple(image.shape)}")
    step = max(1, math.isqrt(height * width // _ENOUGH))
    # A second difference along rows, then one along columns  at every `step`-th pixel only.
    line = [image[:, j : width - 2 + j : step] for j in range(3)]
    line = line[0] - 2 * line[1] + line[2]
    line = [line[i : height - 2 + i : step, :] for i in range(3)]
    size = xp.reshape(xp.abs(line[0] - 2 * line[1] + line[2]), (-1,))
    size = size[xp.isfinite(size)]
    if size.shape[0] == 0:
        return 0.0
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
    return scale * peak / 6


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
