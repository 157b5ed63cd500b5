"""Simulated photographs of the Helsinki Deblur Challenge 2021, with every part of the camera as measured on them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from deconv._core.check import generator, integer
from deconv.degrade.camera import blur
from deconv.degrade.text import as_lines, draw_lines, font_style, open_font
from deconv.psf.shapes import disk, polygon
from deconv.tone import encode

__all__ = ["ALPHABET", "HDC_STEPS", "HDC_WIDTH", "STEPS", "HdcPhoto", "Step", "hdc_photo", "hdc_psf"]

# The letters of the challenge. I, O, l and o are missing: they look like 1 and 0.
ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz "

# Height and width of the photographs in pixels; size of the e-paper in its own pixels; width of an e-paper pixel in
# pixels of the sharp camera, and rotation of the e-paper in radians.
_SHAPE = (1460, 2360)
HDC_WIDTH = _SHAPE[1]
_PAPER = (178, 287)
_PITCH = 8.205
_ROTATION = 0.0025


class Step(NamedTuple):
    """One step of the blur ladder, as measured on published frames.

    Attributes
    ----------
    radius : float
        Radius of the blur disc in pixels.
    zoom : float
        Magnification of the sharp camera relative to the blurred one.
    shift : (int, int)
        Shift between the two cameras in pixels, along x and y.
    contrast : float
        Contrast of ink on paper, linear in light. Its drop in the last steps is the camera's highlight shoulder.
    light : tuple of 8 float
        The light over the frame: coefficients of 1, u, v, u^2, uv, v^2, d^4 and d^6, where u and v are distances from
        the centre in half-widths and d^2 = u^2 + v^2.
    """

    radius: float
    zoom: float
    shift: tuple[int, int]
    contrast: float
    light: tuple[float, ...]


STEPS = (
    Step(2.1, 1.000, (2, 2), 0.97, (0.811, -0.018, 0.099, -0.126, 0.034, -0.152, 0.041, -0.021)),
    Step(4.2, 1.000, (2, 3), 0.97, (0.807, -0.018, 0.098, -0.132, 0.034, -0.158, 0.048, -0.024)),
    Step(11.1, 1.006, (2, 5), 0.97, (0.809, -0.018, 0.099, -0.145, 0.034, -0.172, 0.070, -0.036)),
    Step(18.6, 1.012, (2, 7), 0.97, (0.812, -0.018, 0.099, -0.152, 0.035, -0.180, 0.081, -0.042)),
    Step(26.0, 1.019, (2, 9), 0.97, (0.818, -0.018, 0.100, -0.162, 0.037, -0.191, 0.097, -0.051)),
    Step(35.0, 1.026, (2, 11), 0.97, (0.822, -0.018, 0.100, -0.165, 0.038, -0.196, 0.102, -0.056)),
    Step(43.0, 1.034, (3, 14), 0.97, (0.826, -0.018, 0.101, -0.167, 0.039, -0.200, 0.106, -0.060)),
    Step(51.0, 1.040, (3, 17), 0.97, (0.830, -0.018, 0.102, -0.172, 0.041, -0.206, 0.114, -0.066)),
    Step(61.0, 1.049, (4, 20), 0.97, (0.881, -0.018, 0.095, -0.196, 0.042, -0.236, 0.176, -0.103)),
    Step(68.5, 1.056, (5, 22), 0.97, (0.886, -0.018, 0.095, -0.214, 0.042, -0.256, 0.210, -0.123)),
    Step(75.5, 1.064, (13, 26), 1.00, (0.887, -0.044, 0.099, -0.238, 0.044, -0.283, 0.246, -0.141)),
    Step(83.0, 1.072, (14, 28), 0.995, (0.888, -0.045, 0.099, -0.238, 0.044, -0.285, 0.246, -0.144)),
    Step(89.7, 1.084, (16, 30), 0.99, (0.890, -0.045, 0.099, -0.229, 0.044, -0.280, 0.233, -0.140)),
    Step(95.8, 1.089, (16, 33), 0.985, (0.890, -0.045, 0.099, -0.216, 0.045, -0.271, 0.213, -0.132)),
    Step(102.0, 1.093, (20, 37), 0.98, (0.890, -0.046, 0.098, -0.204, 0.045, -0.262, 0.192, -0.123)),
    Step(117.0, 1.102, (20, 41), 0.84, (0.922, -0.036, 0.080, -0.147, 0.042, -0.206, 0.128, -0.092)),
    Step(137.0, 1.134, (21, 51), 0.80, (0.919, -0.036, 0.078, -0.100, 0.042, -0.164, 0.046, -0.051)),
    Step(158.0, 1.153, (25, 57), 0.80, (0.915, -0.037, 0.077, -0.050, 0.042, -0.119, -0.042, -0.007)),
    Step(188.0, 1.160, (39, 60), 0.74, (0.923, -0.032, 0.064, 0.014, 0.036, -0.049, -0.137, 0.047)),
    Step(207.0, 1.170, (15, 64), 0.70, (0.922, -0.032, 0.063, 0.027, 0.035, -0.033, -0.166, 0.065)),
)
HDC_STEPS = len(STEPS)


@dataclass(frozen=True)
class HdcPhoto:
    """A simulated photograph and its ground truth.

    Attributes
    ----------
    image : numpy.ndarray, shape (1460 // shrink, 2360 // shrink), float32
        The photograph, tone-encoded, 0 to 1, in steps of 1/65535.
    lines : tuple of str
        The three lines of text.
    step : int
        Step of the blur ladder, 0 to 19.
    radius : float
        Radius of the blur disc in pixels.
    softness : float
        Standard deviation of the Gaussian that softens its edge, in pixels.
    psf : numpy.ndarray, shape (n, n), float32
        The full PSF: the mean of a disc and an octagon, both softened.
    sharp : numpy.ndarray, same shape as `image`, float32
        The text without blur, noise or uneven light, registered to the photograph: paper 1, ink 0.
    font : str
        Family of the installed font that was used, such as ``"DejaVu Sans"``.
    """

    image: NDArray[np.float32]
    lines: tuple[str, ...]
    step: int
    radius: float
    softness: float
    psf: NDArray[np.float32]
    sharp: NDArray[np.float32]
    font: str


def hdc_photo(
    step: int,
    lines: Sequence[str] | None = None,
    *,
    font: Literal["verdana", "times"] = "verdana",
    shrink: int = 1,
    rng: int | np.random.Generator | None = None,
) -> HdcPhoto:
    """Simulate a photograph of the Helsinki Deblur Challenge 2021: text on e-paper, out of focus by one of 20 steps.

    Parameters
    ----------
    step : int
        Step of the blur ladder: 0 is nearly sharp (a disc of radius 2 px), 19 has a disc of radius 207 px.
    lines : sequence of 3 str, optional
        The text. By default 3 random lines of 10 characters, from 48 letters and the space as in the challenge.
    font : {"verdana", "times"}
        The challenge's two fonts, drawn with the closest free font on this machine.
    shrink : int, default 1
        Downsampling factor, 1 to 7: each pixel is the mean of `shrink` x `shrink` pixels of the full frame. The
        simulation runs at the reduced size and takes 11 ms at 7.
    rng : int or numpy.random.Generator, optional
        Seed or generator of the text and the noise.

    Returns
    -------
    HdcPhoto
        The photograph and its ground truth.

    Raises
    ------
    TypeError
        If `step` or `shrink` is not an integer, or `lines` are not strings.
    ValueError
        If `step` is not in 0..19, `shrink` is not in 1..7, there are not three lines, one does not fit, or `font` is
        unknown.
    FileNotFoundError
        If no suitable font is installed.

    Notes
    -----
    Measured on the published frames: light over the frame, magnification, shift and contrast of each step; a PSF that
    is the mean of a disc and an octagon (eight blades), with its edge softened by 0.09 of the radius; the tone curve
    ``light ** (1 / 2.2)``; noise with standard deviation ``0.175 (1 - v)`` at the encoded value v, and correlations of
    0.1 and -0.23 at distances of one and two pixels due to the camera's sharpening.

    Examples
    --------
    >>> import deconv
    >>> photo = deconv.degrade.hdc_photo(6, ["Deconv", "reads", "this"], rng=0)
    >>> photo.image.shape, photo.radius
    ((1460, 2360), 43.0)
    """
    # Imported here: 0.2 s that the rest of `deconv.degrade`, which every worker of a comparison imports, does not need.
    from scipy.ndimage import convolve1d

    step = integer(step, "step", low=0, high=HDC_STEPS - 1)
    # A pixel more than 7 wide could overlap three e-paper pixels, for which `_render` has no formula.
    shrink = integer(shrink, "shrink", low=1, high=7)
    style = font_style(font)
    random = generator(rng)
    if lines is None:
        lines = ["".join(random.choice(list(ALPHABET), 10)) for _ in range(3)]
    lines = as_lines(lines)
    if len(lines) != 3:
        raise ValueError(f"lines must be three strings, got {len(lines)}")
    _, zoom, shift, contrast, light = STEPS[step]
    glyphs, extra = open_font(font)
    ink = draw_lines(lines, glyphs, extra, _PAPER, style.pitch, _PAPER[0] // 2 + style.baseline)

    # Positions of the pixels, in pixels of the full frame from its centre.
    y, x = (_block_centres(n, shrink) for n in _SHAPE)
    y, x = y[:, None], x[None, :]
    u, v = x / (_SHAPE[1] / 2), y / (_SHAPE[1] / 2)
    d2 = u**2 + v**2
    # From step 8 on the frames show a little pincushion distortion.
    magnification = zoom * (1 + 0.01 * d2) if step >= 8 else zoom
    x, y = magnification * (x + _ROTATION * y) + shift[0], magnification * (y - _ROTATION * x) + shift[1]
    ink = _render(ink, x, y, _PITCH, zoom * shrink)
    sharp = 1 - ink

    psf, radius, softness = hdc_psf(step, shrink)
    ink = np.clip(blur(ink, psf), 0, 1)
    c = light
    field = c[0] + c[1] * u + c[2] * v + c[3] * u**2 + c[4] * u * v + c[5] * v**2 + (c[6] + c[7] * d2) * d2**2
    value = encode(field * np.maximum(1 - contrast * ink, 0.01))

    noise = random.standard_normal(value.shape, dtype=np.float32)
    sharpening = np.array([-0.12, 0.06, 1, 0.06, -0.12], dtype=np.float32)
    sharpening /= math.sqrt(float(np.sum(sharpening**2)))
    if shrink == 1:
        for axis in (0, 1):
            noise = convolve1d(noise, sharpening, axis=axis, mode="wrap")
    else:
        # Block means are taken as uncorrelated, which is nearly true from a few pixels on; at 2 pixels the correlation
        # of neighbours is -0.17.
        noise *= float(np.sum(np.convolve(sharpening, np.full(shrink, 1 / shrink)) ** 2))
    value += noise * np.clip(0.175 * (1 - value) + 0.001, 0.001, 0.035)
    image = np.rint(np.clip(value, 0, 1) * 65535) / np.float32(65535)
    return HdcPhoto(image, lines, step, radius, softness, psf, sharp, glyphs.getname()[0] or "")


def _block_centres(n: int, shrink: int) -> NDArray[Any]:
    """Centres of the blocks of `shrink` pixels along an axis of n pixels, from the middle of the axis."""
    return np.arange(n // shrink, dtype=np.float32) * shrink + (shrink - n) / 2


def hdc_psf(step: int, shrink: float = 1) -> tuple[NDArray[np.float32], float, float]:
    """The PSF of a step of the Helsinki Deblur Challenge, its radius and its softness, at any downsampling factor."""
    radius = STEPS[step].radius
    softness = max(0.09 * radius, 1.0) / shrink
    radius /= shrink
    return _aperture(radius, softness), radius, softness


def _aperture(radius: float, softness: float) -> NDArray[np.float32]:
    """Mean of a disc and an octagon of the same area: an aperture of eight slightly curved blades."""
    octagon = polygon(radius * math.sqrt(math.pi / (4 * math.sin(math.pi / 4))), softness=softness)
    disc = disk(radius, softness=softness)
    mean = (np.pad(disc, (octagon.shape[0] - disc.shape[0]) // 2) + octagon) / 2
    return np.asarray(mean, dtype=np.float32)


def _render(
    ink: NDArray[np.float32], x: NDArray[Any], y: NDArray[Any], pitch: float, width: float
) -> NDArray[np.float32]:
    """Ink coverage of camera pixels `width` wide at (x, y) from the centre of the page `ink`, of cells `pitch` wide."""
    ink = np.pad(ink, 1)
    out = np.zeros(np.broadcast_shapes(x.shape, y.shape), np.float32)
    axes = []
    for position, n in ((y, ink.shape[0]), (x, ink.shape[1])):
        cell = position / pitch + np.float32(n / 2 - 0.5)
        first = np.floor(cell)
        # A camera pixel is smaller than a cell, so it overlaps one cell or two: its share of the second.
        second = np.clip((cell - first - 0.5) * (pitch / width) + 0.5, 0, 1)
        index = first.astype(np.int32)
        axes.append(((np.clip(index, 0, n - 1), 1 - second), (np.clip(index + 1, 0, n - 1), second)))
    for row, row_weight in axes[0]:
        for column, column_weight in axes[1]:
            out += ink[row, column] * (row_weight * column_weight)
    return out
