"""What a camera does to a scene: blur, noise and light fall-off."""

from typing import Any

import numpy as np

from deconv._core.array import Array, Result, accepts_torch, array_namespace, as_image, as_psf, device, like
from deconv._core.check import generator, real
from deconv._core.fft import Transfer, fast_shape
from deconv.psf.shapes import gaussian, motion

__all__ = ["add_noise", "add_vignette", "blur", "random_blur"]


@accepts_torch
def blur(image: Array, psf: Array, *, channel_axis: int | None = None) -> Result:
    """`image` convolved with `psf`, with mirrored boundaries.

    To simulate a scene that continues beyond the frame, blur a larger scene and crop half the PSF from each side.

    Parameters
    ----------
    image : array, shape (M, N[, C])
        The scene, linear in light, not tone-encoded.
    psf : array, shape (m, n)
        Point-spread function, its centre at index ``n // 2`` of each axis; it is normalised to sum 1.
    channel_axis : int, optional
        Colour axis.

    Returns
    -------
    array
        The same shape; float64 stays float64, everything else becomes float32.

    Raises
    ------
    TypeError
        If an argument is not an array of real numbers, or they come from different libraries.
    ValueError
        If a shape does not fit, a value is not finite, or `psf` is zero, negative somewhere, or larger than the image.

    Examples
    --------
    >>> import numpy as np, deconv
    >>> star = np.zeros((7, 7))
    >>> star[3, 3] = 1
    >>> bool(np.allclose(deconv.degrade.blur(star, deconv.psf.disk(3)), deconv.psf.disk(3)))
    True
    """
    image = as_image(image, channel_axis=channel_axis)
    xp = array_namespace(image)
    if channel_axis is not None:
        image = xp.moveaxis(image, channel_axis, 0)
    out = _convolve_mirrored(image, as_psf(psf, image, ndim=2))
    return out if channel_axis is None else xp.moveaxis(out, 0, channel_axis)


@accepts_torch
def random_blur(
    image: Array, *, rng: int | np.random.Generator | None = None, channel_axis: int | None = None
) -> tuple[Result, Result]:
    r"""`image` with random straight motion blur and slight defocus, like the licence plate of a passing car.

    Parameters
    ----------
    image : array, shape (M, N[, C])
        The scene, linear in light, not tone-encoded.
    rng : int or numpy.random.Generator, optional
        Seed or generator; the blur does not depend on the array library.
    channel_axis : int, optional
        Colour axis.

    Returns
    -------
    blurred : array
        The same shape, with mirrored boundaries; float64 stays float64, everything else becomes float32.
    psf : array, shape (n, n)
        The point-spread function, sum 1, with the library and floating type of `blurred`.

    Raises
    ------
    TypeError
        If `image` is not an array of real numbers, or `rng` neither a seed nor a generator.
    ValueError
        If `image` is empty or not finite.

    Notes
    -----
    Modelled on the training data of [1]_. The motion has any angle and a length of 0.3 to 1.0 times an eighth of the
    image width. The Gaussian has a standard deviation of :math:`0.15\,w + 0.35` pixels, where w, 0.3 to 1.0 times
    9.5 % of the image width, is the window to which [1]_ truncates it; here it is not truncated. All parameters are
    uniformly distributed.

    References
    ----------
    .. [1] D. Brink, X. Kearney, `<https://github.com/djb15/deblurring>`_ (2018), ``random_blur.py`` of commit 0d4c75c

    Examples
    --------
    >>> import deconv
    >>> plate = deconv.degrade.text_picture("AB12 CDE", size=40, shape=(80, 240))
    >>> blurred, psf = deconv.degrade.random_blur(plate, rng=0)
    >>> blurred.shape == plate.shape, psf.shape
    (True, (29, 29))
    """
    # Imported here: 0.2 s that no other blur needs.
    from scipy.ndimage import convolve1d

    image = as_image(image, channel_axis=channel_axis)
    random = generator(rng)
    xp = array_namespace(image)
    if channel_axis is not None:
        image = xp.moveaxis(image, channel_axis, 0)
    width = image.shape[-1]
    psf = motion(random.uniform(0.3, 1) * width / 8, random.uniform(0, 180))
    line = gaussian(0.15 * random.uniform(0.3, 1) * 0.095 * width + 0.35).sum(axis=0)
    psf = np.pad(psf, len(line) // 2)
    for axis in (0, 1):
        psf = convolve1d(psf, line, axis=axis, mode="constant")
    psf = like(psf / psf.sum(), image)
    out = _convolve_mirrored(image, psf)
    return (out if channel_axis is None else xp.moveaxis(out, 0, channel_axis)), psf


@accepts_torch
def add_noise(image: Array, sigma: float, *, rng: int | np.random.Generator | None = None) -> Result:
    """`image` with additive white Gaussian noise.

    Parameters
    ----------
    image : array, shape (M, N[, C])
        Any image.
    sigma : float
        Standard deviation of the noise, in the units of the image (integers count as 0 to 1).
    rng : int or numpy.random.Generator, optional
        Seed or generator. The noise is drawn on the host, so it does not depend on the array library.

    Returns
    -------
    array
        The same shape, not clipped; float64 stays float64, everything else becomes float32.

    Raises
    ------
    TypeError
        If `image` is not an array of real numbers, or `sigma` not a number.
    ValueError
        If `image` is empty or not finite, or `sigma` is negative or not finite.

    Examples
    --------
    >>> import numpy as np, deconv
    >>> noisy = deconv.degrade.add_noise(np.full((64, 64), 0.5), 0.01, rng=0)
    >>> round(float(noisy.std()), 3)
    0.01
    """
    image = as_image(image, ndim=(2, 3))
    sigma = real(sigma, "sigma", low=0)
    noise = generator(rng).standard_normal(tuple(image.shape))
    return image + sigma * like(noise, image)


@accepts_torch
def add_vignette(
    image: Array,
    strength: float = 0.3,
    *,
    centre: tuple[float, float] = (0.0, 0.0),
    channel_axis: int | None = None,
) -> Result:
    r"""`image` with vignetting: light that falls off from a centre as :math:`1 - s\, d^2`.

    Parameters
    ----------
    image : array, shape (M, N[, C])
        The image, linear in light, not tone-encoded.
    strength : float, default 0.3
        The fraction s of the light lost at ``d = 1``, the distance from the image centre to a corner; 0 to 1.
    centre : (float, float), default (0, 0)
        Row and column of the brightest point, from -1 (first pixel) to 1 (last pixel).
    channel_axis : int, optional
        Colour axis.

    Returns
    -------
    array
        The same shape; float64 stays float64, everything else becomes float32.

    Raises
    ------
    TypeError
        If `image` is not an array of real numbers, or another argument not a number.
    ValueError
        If `image` is empty or not finite, or a number is out of range.

    Examples
    --------
    >>> import numpy as np, deconv
    >>> deconv.degrade.add_vignette(np.ones((3, 3)), 0.4)
    array([[0.6, 0.8, 0.6],
           [0.8, 1. , 0.8],
           [0.6, 0.8, 0.6]])
    """
    image = as_image(image, channel_axis=channel_axis)
    strength = real(strength, "strength", low=0, high=1)
    if not isinstance(centre, (tuple, list)) or len(centre) != 2:
        raise TypeError(f"centre must be two numbers, got {centre!r}")
    middle = [real(c, "centre", low=-1, high=1) for c in centre]
    shape = list(image.shape)
    if channel_axis is not None:
        del shape[channel_axis]
    y, x = (np.linspace(-1, 1, n) - c if n > 1 else np.zeros(1) for n, c in zip(shape, middle, strict=True))
    diagonal = shape[0] ** 2 + shape[1] ** 2
    d2 = ((y[:, None] * shape[0]) ** 2 + (x[None, :] * shape[1]) ** 2) / diagonal
    field = np.maximum(1 - strength * d2, 0)
    if channel_axis is not None:
        field = np.expand_dims(field, channel_axis)
    return image * like(field, image)


def _convolve_mirrored(image: Result, psf: Result) -> Result:
    """Convolution over the last two axes of `image` with mirrored boundaries; `psf` may be larger than the image."""
    xp = array_namespace(image)
    height, width = image.shape[-2:]
    # A PSF of n pixels with its centre at n // 2 reaches (n - 1) // 2 pixels before each pixel and n // 2 after it.
    before = tuple((n - 1) // 2 for n in psf.shape)
    padded = image
    for axis, (n, b, m) in enumerate(zip((height, width), before, psf.shape, strict=True), start=image.ndim - 2):
        padded = xp.take(padded, _mirrored_indices(xp, n, b, m // 2, device(image)), axis=axis)
    shape = fast_shape(padded.shape[-2:])
    grid = xp.zeros((*padded.shape[:-2], *shape), dtype=image.dtype, device=device(image))
    grid[..., : padded.shape[-2], : padded.shape[-1]] = padded
    # Of a large image every copy counts.
    del padded
    out = Transfer(psf, shape).forward(grid)
    return out[..., before[0] : before[0] + height, before[1] : before[1] + width]


def _mirrored_indices(xp: Any, n: int, before: int, after: int, device: Any) -> Result:
    """Indices that extend an axis of n pixels by its mirror image on both sides, edge pixel included."""
    index = xp.arange(-before, n + after, device=device) % (2 * n)
    return xp.where(index < n, index, 2 * n - 1 - index)
