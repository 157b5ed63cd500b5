r"""The error of an image in linear light: the noise that differences of pixels reveal, and what storing the image left.

White noise shows in second differences of neighbouring pixels (`deconv.noise.estimate`). JPEG and the denoising in a
camera remove just those differences and leave errors of lower frequencies, which blur lets through, so that a
restoration that believes in the white noise alone amplifies blocks and specks. JPEG's error is measured in its
quantised coefficients (`deconv.blind.jpeg`) and has the slope of the tone curve in light. What is left, denoising and
sharpening in the camera and errors of the PSF, shows in the residual of a nearly unregularised restoration, in so far
as JPEG does not explain it: :math:`\sigma^2 = j^2 + \max(w, \sqrt{\max(r^2 - j^2, 0)} / q)^2`, with the error :math:`j`
of JPEG, white noise :math:`w`, the residual :math:`r` and the part :math:`q` of an error that is left in it.
"""

import math
from typing import Any

from deconv import tone
from deconv._core.array import Array, array_namespace
from deconv.blind.jpeg import Compression

__all__ = ["gain_of_ink", "rms_slope", "storage_error", "with_residual"]

# Two encoded values this far apart give the slope of the tone curve: one step of 8 bits.
_STEP = 1 / 255
# Pixels of an image from which its mean slope is taken.
_PIXELS = 1e6


def storage_error(compression: Compression | None, page: Array, gamma: float, shoulder: float = 0.0) -> float:
    """Standard deviation of the error of JPEG compression in linear light.

    Parameters
    ----------
    compression : Compression or None
        What JPEG did to the values, as `deconv.blind.jpeg.measure` returns it.
    page : array, shape (C, M, N)
        The encoded values, from 0 to 1.
    gamma, shoulder : float
        The response curve, as in `deconv.tone`.

    Returns
    -------
    float
        As a fraction of full light; 0 if the image was never stored as JPEG, or was resized or processed afterwards.
    """
    return 0.0 if compression is None else compression.rms * rms_slope(page, gamma, shoulder)


def rms_slope(page: Array, gamma: float, shoulder: float = 0.0) -> float:
    """RMS slope of the tone curve over an image of encoded values: how it scales a small error of the values."""
    xp = array_namespace(page)
    # A part of the pixels of a large image suffices.
    step = max(1, round(math.sqrt(math.prod(page.shape[-2:]) / _PIXELS)))
    low: Any = page[..., ::step, ::step]
    # The slope at black is infinite for an exponent below 1.
    low = xp.clip(low - _STEP / 2, _STEP / 2, 1.0 - _STEP)
    rise = tone.decode(low + _STEP, gamma, shoulder) - tone.decode(low, gamma, shoulder)
    return math.sqrt(float(xp.mean(rise**2))) / _STEP


def gain_of_ink(light: Array, ink: Array) -> float:
    """How the coverage of ink scales a small error of the light, rms over the image.

    Coverage is light times a smooth factor plus a smooth offset (`deconv.blind.text.ink`), so that the differences of
    neighbouring pixels show the factor.
    """
    xp = array_namespace(light, ink)
    step = max(1, round(math.prod(ink.shape) / _PIXELS))
    rows: list[Any] = [x[::step, :] for x in (ink, light)]
    covered, lit = (xp.mean((x[:, 1:] - x[:, :-1]) ** 2) for x in rows)
    return math.sqrt(float(covered) / max(float(lit), 1e-30))


def with_residual(white: float, stored: float, residual: float, left: float) -> float:
    """Error of the data: storage error, white noise, and what of a residual they do not explain.

    Parameters
    ----------
    white, stored : float
        Standard deviations of the white noise and of the storage error.
    residual : float
        RMS residual of a nearly unregularised restoration.
    left : float
        The part of an error that is left in this residual.
    """
    rest = math.sqrt(max(residual**2 - stored**2, 0.0)) / left
    return math.hypot(stored, max(white, rest))
