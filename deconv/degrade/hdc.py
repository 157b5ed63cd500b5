r"""The camera run forwards: blur, noise, light fall-off, and photographs like those of the Helsinki challenge.

The model is :math:`v = T(L \cdot (k * x)) + n`: a scene :math:`x` blurred by the PSF :math:`k` under the
light :math:`L`, through the tone curve :math:`T`, with noise :math:`n`. `hdc_photo` is that model with
every part as measured on the photographs of the Helsinki Deblur Challenge 2021 [1]_.

References
----------
.. [1] M. Juvonen, S. Siltanen, F. Silva de Moura, "Helsinki deblur challenge 2021: description of photographic
   data", Inverse Problems and Imaging, :doi:`10.3934/ipi.2022073`
"""

import functools
import importlib.util
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import convolve1d

from deconv import psf as _psf
from deconv._core.array import array_namespace, as_image, as_psf, device, like, torch_door
from deconv._core.check import generator, integer, real
from deconv._core.fft import Transfer, fast_shape
from deconv.tone import encode

__all__ = ["HdcPhoto", "add_noise", "add_vignette", "blur", "hdc_photo", "random_blur", "text_picture"]

ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz "  # no I, O, l, o: they look like 1 and 0

# Of the photographs: height and width in pixels, and the e-paper's size and pixel pitch in the sharp camera.
_SHAPE = (1460, 2360)
HDC_WIDTH = _SHAPE[1]
_PAPER = (178, 287)
_PITCH = 8.205
_ROTATION = 0.0025

# Step by step: radius of the blur disc (px), magnification of the sharp camera over the blurred one, shift
# between the two (px, along x and y), contrast of ink on paper in linear light (its fall at the end is the
# camera's highlight shoulder), and the light over the frame, the coefficients of 1, u, v, u^2, uv, v^2, d^4 and
# d^6 in linear light (u, v from the centre in half-widths, d their distance). Own measurements on published frames.
_STEPS = (
    (2.1, 1.000, (2, 2), 0.97, (0.811, -0.018, 0.099, -0.126, 0.034, -0.152, 0.041, -0.021)),
    (4.2, 1.000, (2, 3), 0.97, (0.807, -0.018, 0.098, -0.132, 0.034, -0.158, 0.048, -0.024)),
    (11.1, 1.006, (2, 5), 0.97, (0.809, -0.018, 0.099, -0.145, 0.034, -0.172, 0.070, -0.036)),
    (18.6, 1.012, (2, 7), 0.97, (0.812, -0.018, 0.099, -0.152, 0.035, -0.180, 0.081, -0.042)),
    (26.0, 1.019, (2, 9), 0.97, (0.818, -0.018, 0.100, -0.162, 0.037, -0.191, 0.097, -0.051)),
    (35.0, 1.026, (2, 11), 0.97, (0.822, -0.018, 0.100, -0.165, 0.038, -0.196, 0.102, -0.056)),
    (43.0, 1.034, (3, 14), 0.97, (0.826, -0.018, 0.101, -0.167, 0.039, -0.200, 0.106, -0.060)),
    (51.0, 1.040, (3, 17), 0.97, (0.830, -0.018, 0.102, -0.172, 0.041, -0.206, 0.114, -0.066)),
    (61.0, 1.049, (4, 20), 0.97, (0.881, -0.018, 0.095, -0.196, 0.042, -0.236, 0.176, -0.103)),
    (68.5, 1.056, (5, 22), 0.97, (0.886, -0.018, 0.095, -0.214, 0.042, -0.256, 0.210, -0.123)),
    (75.5, 1.064, (13, 26), 1.00, (0.887, -0.044, 0.099, -0.238, 0.044, -0.283, 0.246, -0.141)),
    (83.0, 1.072, (14, 28), 0.995, (0.888, -0.045, 0.099, -0.238, 0.044, -0.285, 0.246, -0.144)),
    (89.7, 1.084, (16, 30), 0.99, (0.890, -0.045, 0.099, -0.229, 0.044, -0.280, 0.233, -0.140)),
    (95.8, 1.089, (16, 33), 0.985, (0.890, -0.045, 0.099, -0.216, 0.045, -0.271, 0.213, -0.132)),
    (102.0, 1.093, (20, 37), 0.98, (0.890, -0.046, 0.098, -0.204, 0.045, -0.262, 0.192, -0.123)),
    (117.0, 1.102, (20, 41), 0.84, (0.922, -0.036, 0.080, -0.147, 0.042, -0.206, 0.128, -0.092)),
    (137.0, 1.134, (21, 51), 0.80, (0.919, -0.036, 0.078, -0.100, 0.042, -0.164, 0.046, -0.051)),
    (158.0, 1.153, (25, 57), 0.80, (0.915, -0.037, 0.077, -0.050, 0.042, -0.119, -0.042, -0.007)),
    (188.0, 1.160, (39, 60), 0.74, (0.923, -0.032, 0.064, 0.014, 0.036, -0.049, -0.137, 0.047)),
    (207.0, 1.170, (15, 64), 0.70, (0.922, -0.032, 0.063, 0.027, 0.035, -0.033, -0.166, 0.065)),
)
HDC_STEPS = len(_STEPS)


@dataclass(frozen=True)
class _Font:
    """A font of the challenge: its stand-ins (file, size, extra advance), line pitch, middle baseline below centre."""

    files: tuple
    pitch: int
    baseline: int


# Free stand-ins for the challenge's Verdana and Times at 30 e-paper pixels, of the same widths and heights to
# some percent. Aileron comes with Pillow.
_FONTS = {
    "verdana": _Font((("DejaVuSans.ttf", 30, 0), ("Aileron", 31, 0)), 36, 16),
    "times": _Font((("LiberationSerif-Regular.ttf", 32, 1), ("DejaVuSerif.ttf", 28, 0)), 34, 10),
}


@dataclass(frozen=True)
class HdcPhoto:
    """A simulated photograph and its truth.

    Attributes
    ----------
    image : numpy.ndarray, shape (1460, 2360) or a whole part of it, float32
        The photograph, tone-encoded, 0 to 1, in steps of 1/65535.
    lines : tuple of str
        The three lines of text.
    step : int
        Step of the blur ladder, 0 to 19.
    radius : float
        Radius of the blur disc in pixels.
    softness : float
        Standard deviation of the Gaussian that rounds its edge, in pixels.
    psf : numpy.ndarray, shape (n, n), float32
        The whole PSF: half a disc, half an octagon, and that rounding.
    sharp : numpy.ndarray, of the same shape, float32
        The text without blur, noise or uneven light, where the photograph has it: 1 paper, 0 ink.
    font : str
        Family of the font that was there to draw with, such as ``"DejaVu Sans"``.
    """

    image: np.ndarray
    lines: tuple
    step: int
    radius: float
    softness: float
    psf: np.ndarray
    sharp: np.ndarray
    font: str


def hdc_photo(step, lines=None, *, font="verdana", shrink=1, rng=None):
    """A photograph like those of the Helsinki Deblur Challenge 2021: text on e-paper, ever more out of focus.

    Parameters
    ----------
    step : int
        Step of the ladder: 0 is nearly sharp (a disc of 2 px radius), 19 has a disc of 207 px.
    lines : sequence of 3 str, optional
        The text. By default 3 lines of 10 characters, drawn from 48 letters and the space as in the challenge.
    font : {"verdana", "times"}
        The challenge's two fonts, drawn with the nearest free one on this machine.
    shrink : int, default 1
        Each pixel of the picture is the mean of so many by so many of the frame, 1 to 7. It is drawn so, 11 ms at 7.
    rng : int or numpy.random.Generator, optional
        Seed of the text and the noise.

    Returns
    -------
    HdcPhoto
        Picture and truth.

    Raises
    ------
    TypeError
        If `step` or `shrink` is no integer or `lines` are not strings.
    ValueError
        If `step` is not in 0..19, `shrink` not in 1..7, there are not three lines, one does not fit, or `font` is
        another.
    FileNotFoundError
        If the machine has no font to draw with.

    Notes
    -----
    As measured on the published frames: light over the frame, magnification, shift and contrast of each step;
    a PSF half disc, half octagon (eight blades), its edge rounded by 0.09 of the radius; tone curve
    ``light ** (1 / 2.2)``; noise of standard deviation ``0.175 (1 - v)`` at the encoded value v, correlated
    0.1 and -0.23 at one and two pixels by the camera's sharpening.

    Examples
    --------
    >>> import deconv
    >>> photo = deconv.degrade.hdc_photo(6, ["Deconv", "reads", "this"], rng=0)
    >>> photo.image.shape, photo.radius
    ((1460, 2360), 43.0)
    """
    step = integer(step, "step", low=0, high=len(_STEPS) - 1)
    # (A pixel of more than 7 would see more than one border between the e-paper's.)
    shrink = integer(shrink, "shrink", low=1, high=7)
    style = _style(font)
    rng = generator(rng)
    if lines is None:
        lines = ["".join(rng.choice(list(ALPHABET), 10)) for _ in range(3)]
    lines = _as_lines(lines)
    if len(lines) != 3:
        raise ValueError(f"lines must be three strings, got {len(lines)}")
    _, zoom, shift, contrast, light = _STEPS[step]
    glyphs, extra = _open_font(font)
    ink = _set_lines(lines, glyphs, extra, _PAPER, style.pitch, _PAPER[0] // 2 + style.baseline)

    # Where pixels lie on the frame, in its pixels from its middle.
    y, x = (_middles(n, shrink) for n in _SHAPE)
    y, x = y[:, None], x[None, :]
    u, v = x / (_SHAPE[1] / 2), y / (_SHAPE[1] / 2)
    d2 = u**2 + v**2
    # A little pincushion distortion shows from step 8 on.
    swell = zoom * (1 + 0.01 * d2) if step >= 8 else zoom
    x, y = swell * (x + _ROTATION * y) + shift[0], swell * (y - _ROTATION * x) + shift[1]
    ink = _resample(ink, x, y, _PITCH, zoom * shrink)
    sharp = 1 - ink

    psf, radius, softness = hdc_psf(step, shrink)
    ink = np.clip(blur(ink, psf), 0, 1)
    c = light
    field = c[0] + c[1] * u + c[2] * v + c[3] * u**2 + c[4] * u * v + c[5] * v**2 + (c[6] + c[7] * d2) * d2**2
    value = encode(field * np.maximum(1 - contrast * ink, 0.01))

    noise = rng.standard_normal(value.shape, dtype=np.float32)
    sharpening = np.array([-0.12, 0.06, 1, 0.06, -0.12], dtype=np.float32)
    sharpening /= math.sqrt(float(np.sum(sharpening**2)))
    if shrink == 1:
        for axis in (0, 1):
            noise = convolve1d(noise, sharpening, axis=axis, mode="wrap")
    else:
        # (That means are hardly correlated is so from some pixels on; neighbours of two are by -0.17.)
        noise *= float(np.sum(np.convolve(sharpening, np.full(shrink, 1 / shrink)) ** 2))
    value += noise * np.clip(0.175 * (1 - value) + 0.001, 0.001, 0.035)
    image = np.rint(np.clip(value, 0, 1) * 65535) / np.float32(65535)
    return HdcPhoto(image, lines, step, radius, softness, psf, sharp, glyphs.getname()[0])


@torch_door
def blur(image, psf, *, channel_axis=None):
    """`image` convolved with `psf`, the picture continued by its mirror image at the border.

    For what a camera records of a scene that goes on beyond the frame, blur a larger scene and crop it by
    half the PSF on each side.

    Parameters
    ----------
    image : array, shape (M, N[, C])
        The scene: light, not tone-encoded values.
    psf : array, shape (m, n)
        Point-spread function, its centre at index ``n // 2`` of each axis; divided by its sum.
    channel_axis : int, optional
        Axis of colours.

    Returns
    -------
    array
        The same shape; float64 stays float64, everything else becomes float32.

    Raises
    ------
    TypeError
        If an argument is no array of real numbers, or they come from different libraries.
    ValueError
        If a shape does not fit or a value is not finite, or `psf` is negative, zero, or larger than the image.

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
    out = _blurred(image, as_psf(psf, image, ndim=2))
    return out if channel_axis is None else xp.moveaxis(out, 0, channel_axis)


@torch_door
def random_blur(image, *, rng=None, channel_axis=None):
    r"""`image` blurred by a random straight movement and a little out of focus: a plate on a car that drives by.

    Parameters
    ----------
    image : array, shape (M, N[, C])
        The scene: light, not tone-encoded values.
    rng : int or numpy.random.Generator, optional
        Seed of the movement, the same for every library.
    channel_axis : int, optional
        Axis of colours.

    Returns
    -------
    blurred : array
        The same shape, the scene continued by its mirror image at the border; float64 stays float64, everything else
        becomes float32.
    psf : array, shape (n, n)
        What it was blurred by, sum 1; of the library and floating type of `blurred`.

    Raises
    ------
    TypeError
        If `image` is no array of real numbers, or `rng` no generator.
    ValueError
        If `image` is empty or not finite.

    Notes
    -----
    After the training data of [1]_, whose movement is 0.3 to 1.0 times an eighth of the width long, at any angle. The
    Gaussian that follows has there a window of w pixels, 0.3 to 1.0 times 9.5 % of the width, and so a standard
    deviation of :math:`0.15\,w + 0.35` pixels; here it is not cut off at the window. All are evenly distributed.

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
    image = as_image(image, channel_axis=channel_axis)
    rng = generator(rng)
    xp = array_namespace(image)
    if channel_axis is not None:
        image = xp.moveaxis(image, channel_axis, 0)
    width = image.shape[-1]
    psf = _psf.motion(rng.uniform(0.3, 1) * width / 8, rng.uniform(0, 180))
    line = _psf.gaussian(0.15 * rng.uniform(0.3, 1) * 0.095 * width + 0.35).sum(axis=0)
    psf = np.pad(psf, len(line) // 2)
    for axis in (0, 1):
        psf = convolve1d(psf, line, axis=axis, mode="constant")
    psf = like(psf / psf.sum(), image)
    out = _blurred(image, psf)
    return (out if channel_axis is None else xp.moveaxis(out, 0, channel_axis)), psf


@torch_door
def add_noise(image, sigma, *, rng=None):
    """`image` with white Gaussian noise.

    Parameters
    ----------
    image : array, shape (M, N[, C])
        Any picture.
    sigma : float
        Standard deviation of the noise, in the picture's own units (integers count as 0 to 1).
    rng : int or numpy.random.Generator, optional
        Seed. The noise is drawn on the host, the same for every library.

    Returns
    -------
    array
        The same shape, not clipped; float64 stays float64, everything else becomes float32.

    Raises
    ------
    TypeError
        If `image` is no array of real numbers, or `sigma` no number.
    ValueError
        If `image` is empty or not finite, or `sigma` negative or not finite.

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


@torch_door
def add_vignette(image, strength=0.3, *, centre=(0.0, 0.0), channel_axis=None):
    r"""`image` under light that falls off from a centre, :math:`1 - s\, d^2`.

    Parameters
    ----------
    image : array, shape (M, N[, C])
        The picture in light, not tone-encoded values.
    strength : float, default 0.3
        The part s of the light that is missing at ``d = 1``, the distance from the middle to a corner; 0 to 1.
    centre : (float, float), default (0, 0)
        Where the light is brightest, along rows and columns, from -1 (first pixel) to 1 (last pixel).
    channel_axis : int, optional
        Axis of colours.

    Returns
    -------
    array
        The same shape; float64 stays float64, everything else becomes float32.

    Raises
    ------
    TypeError
        If `image` is no array of real numbers, or another argument no number.
    ValueError
        If `image` is empty or not finite, or a number out of range.

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
    centre = [real(c, "centre", low=-1, high=1) for c in centre]
    shape = list(image.shape)
    if channel_axis is not None:
        del shape[channel_axis]
    y, x = (np.linspace(-1, 1, n) - c if n > 1 else np.zeros(1) for n, c in zip(shape, centre, strict=True))
    diagonal = shape[0] ** 2 + shape[1] ** 2
    d2 = ((y[:, None] * shape[0]) ** 2 + (x[None, :] * shape[1]) ** 2) / diagonal
    field = np.maximum(1 - strength * d2, 0)
    if channel_axis is not None:
        field = np.expand_dims(field, channel_axis)
    return image * like(field, image)


def text_picture(lines, *, font="verdana", size=None, shape=None):
    """Sharp two-tone picture of text: 1 paper, 0 ink.

    Parameters
    ----------
    lines : str or sequence of str
        The text; a string is cut at its line breaks. Lines are centred.
    font : {"verdana", "times"}
        Sans serif or serif, drawn with the nearest free font on this machine.
    size : int, optional
        Size of the letters in pixels (of the em square; capitals are 0.7 of it). 30 by default.
    shape : (int, int), optional
        Height and width of the picture; by default it fits the text with a margin of one `size`.

    Returns
    -------
    numpy.ndarray, shape (M, N), float32
        The picture.

    Raises
    ------
    TypeError
        If `lines` are not strings.
    ValueError
        If there is no text, it does not fit into `shape`, or `font` is another.
    FileNotFoundError
        If the machine has no font to draw with.

    Examples
    --------
    >>> import deconv
    >>> deconv.degrade.text_picture("Deconv", size=40, shape=(80, 240)).shape
    (80, 240)
    """
    style = _style(font)
    lines = _as_lines(lines)
    size = 30 if size is None else integer(size, "size", low=4, high=2000)
    glyphs, extra = _open_font(font, size)
    pitch = round(style.pitch * size / 30)
    if shape is None:
        width = max(_width(line, glyphs, extra) for line in lines)
        shape = (pitch * len(lines) + 2 * size, width + 2 * size)
    elif not isinstance(shape, (tuple, list)) or len(shape) != 2:
        raise TypeError(f"shape must be two integers, got {shape!r}")
    else:
        shape = tuple(integer(n, "shape", low=1, high=2**15) for n in shape)
    # The capitals of the block stand in the middle of the picture.
    below = 0.37 * size + (len(lines) // 2 - (len(lines) - 1) / 2) * pitch
    middle = round(shape[0] / 2 + below)
    return 1 - _set_lines(lines, glyphs, extra, shape, pitch, middle)


def _blurred(image, psf):
    """The last two axes of `image`, continued by its mirror image, convolved with `psf`, which may be larger."""
    xp = array_namespace(image)
    height, width = image.shape[-2:]
    # With its centre at n // 2, a PSF of n pixels takes from (n - 1) // 2 pixels before each pixel to n // 2 after it.
    before = tuple((n - 1) // 2 for n in psf.shape)
    padded = image
    for axis, (n, b, m) in enumerate(zip((height, width), before, psf.shape, strict=True), start=image.ndim - 2):
        padded = xp.take(padded, _mirrored(xp, n, b, m // 2, device(image)), axis=axis)
    shape = fast_shape(padded.shape[-2:])
    grid = xp.zeros((*padded.shape[:-2], *shape), dtype=image.dtype, device=device(image))
    grid[..., : padded.shape[-2], : padded.shape[-1]] = padded
    out = Transfer(psf, shape).forward(grid)
    return out[..., before[0] : before[0] + height, before[1] : before[1] + width]


def _middles(n, shrink):
    """Middles of blocks of `shrink` of an axis of n pixels, from the middle of the axis."""
    return np.arange(n // shrink, dtype=np.float32) * shrink + (shrink - n) / 2


def hdc_psf(step, shrink=1):
    """The PSF of a step of the Helsinki Deblur Challenge, its radius and its softness; for any shrinking."""
    radius = _STEPS[step][0]
    softness = max(0.09 * radius, 1.0) / shrink
    radius /= shrink
    return _aperture(radius, softness), radius, softness


def _aperture(radius, softness):
    """Half a disc, half an octagon of the same area: eight blades that are a little round."""
    octagon = _psf.polygon(radius * math.sqrt(math.pi / (4 * math.sin(math.pi / 4))), softness=softness)
    disc = _psf.disk(radius, softness=softness)
    return ((np.pad(disc, (octagon.shape[0] - disc.shape[0]) // 2) + octagon) / 2).astype(np.float32)


def _mirrored(xp, n, before, after, where):
    """Indices of an axis of n pixels continued on both sides by its mirror image, edge pixel included."""
    index = xp.arange(-before, n + after, device=where) % (2 * n)
    return xp.where(index < n, index, 2 * n - 1 - index)


def _as_lines(lines):
    """`lines` as a tuple of strings, or one clear sentence."""
    if isinstance(lines, str):
        lines = lines.splitlines()
    if not isinstance(lines, (list, tuple)) or not all(isinstance(line, str) for line in lines):
        raise TypeError(f"lines must be strings, got {lines!r}")
    if not any(line.strip() for line in lines):
        raise ValueError("lines hold no text to draw")
    return tuple(lines)


def _style(font):
    if not isinstance(font, str) or font not in _FONTS:
        raise ValueError(f"font must be 'verdana' or 'times', got {font!r}")
    return _FONTS[font]


@functools.cache
def _open_font(name, size=30):
    """The nearest free font on this machine, scaled from its design `size` of 30, and its extra advance."""
    spec = importlib.util.find_spec("matplotlib")
    bundled = Path(spec.submodule_search_locations[0], "mpl-data", "fonts", "ttf") if spec else None
    for file, designed, extra in _FONTS[name].files:
        pixels = round(designed * size / 30)
        if file == "Aileron":
            font = ImageFont.load_default(pixels)
            if isinstance(font, ImageFont.FreeTypeFont):
                return font, extra
            continue
        for path in (file, bundled and bundled / file):
            try:
                return ImageFont.truetype(path, pixels, layout_engine=ImageFont.Layout.BASIC), round(extra * size / 30)
            except (OSError, AttributeError):
                continue
    raise FileNotFoundError(
        f"no font to draw {name!r} text with: pip install matplotlib, "
        "or apt-get install fonts-dejavu-core fonts-liberation"
    )


def _width(line, font, extra):
    return sum(round(font.getlength(letter)) + extra for letter in line)


def _set_lines(lines, font, extra, shape, pitch, middle):
    """Ink coverage (0 or 1) of `lines` on paper of `shape`, each centred, the middle baseline on row `middle`."""
    height, width = shape
    page = Image.new("1", (width, height), 0)
    draw = ImageDraw.Draw(page)
    for number, line in enumerate(lines):
        x = (width - _width(line, font, extra)) // 2
        y = middle + (number - len(lines) // 2) * pitch
        if x < 0 or y > height or y < font.getbbox("H", anchor="ls")[3]:
            raise ValueError(f"line {line!r} does not fit on a picture of {height} x {width} pixels")
        # Letter by letter: kerning, and so the picture, would depend on how Pillow was built.
        for letter in line:
            draw.text((x, y), letter, fill=1, font=font, anchor="ls")
            x += round(font.getlength(letter)) + extra
    return np.asarray(page, dtype=np.float32)


def _resample(ink, x, y, pitch, zoom):
    """Covered part of each pixel, `zoom` wide, that sees `ink` (cells of `pitch`) at (x, y) from its centre."""
    ink = np.pad(ink, 1)
    out = np.zeros(np.broadcast_shapes(x.shape, y.shape), np.float32)
    parts = []
    for position, n in ((y, ink.shape[0]), (x, ink.shape[1])):
        cell = position / pitch + np.float32(n / 2 - 0.5)
        first = np.floor(cell)
        # A pixel is much smaller than a cell: it sees one cell, or the border between two.
        second = np.clip((cell - first - 0.5) * (pitch / zoom) + 0.5, 0, 1)
        first = first.astype(np.int32)
        parts.append(((np.clip(first, 0, n - 1), 1 - second), (np.clip(first + 1, 0, n - 1), second)))
    for row, row_weight in parts[0]:
        for column, column_weight in parts[1]:
            out += ink[row, column] * (row_weight * column_weight)
    return out
