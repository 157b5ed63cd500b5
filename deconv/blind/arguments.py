"""Checks of the arguments of `deblur` and `deblur_pages`: one clear sentence for each mistake."""

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np

from deconv._core.array import Array, Result, array_namespace, as_image, as_psf, to_numpy
from deconv._core.check import integer, real
from deconv.blind.settings import Settings
from deconv.blind.settings.general import General

__all__ = [
    "FreeFormArguments",
    "as_planes",
    "check_callback",
    "check_gamma",
    "check_images",
    "check_radius",
    "check_range",
    "check_settings",
    "free_form",
    "one_of",
]


def one_of(value: object, name: str, known: Sequence[str]) -> None:
    """Raise unless `value` is one of the known strings."""
    if not isinstance(value, str):
        raise TypeError(f"{name} must be one of {', '.join(map(repr, known))}, got {type(value).__name__}")
    if value not in known:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, known))}, got {value!r}")


def check_gamma(gamma: object) -> float | None:
    """`gamma` as a float, or None."""
    return None if gamma is None else real(gamma, "gamma", above=0.0)


def check_callback(callback: object) -> None:
    """Raise unless `callback` is None or callable."""
    if callback is not None and not callable(callback):
        raise TypeError(f"callback must be callable, got {type(callback).__name__}")


def check_settings(settings: object) -> Settings:
    """`settings`, or the default ones if that is None."""
    if settings is None:
        return Settings()
    if not isinstance(settings, Settings):
        raise TypeError(f"settings must be a deconv.blind.Settings, got {type(settings).__name__}")
    return settings


def check_images(images: object) -> None:
    """Raise unless `images` is a sequence of one image or more; a single array is a mistake."""
    if hasattr(images, "shape") or isinstance(images, str) or not hasattr(images, "__len__") or len(images) == 0:
        raise TypeError(f"images must be a sequence of one image or more, got {type(images).__name__}")


def check_radius(radius: object, psf: object, planes: Result) -> float:
    """The known radius as a float; raise unless the PSF is a disc that fits into the image."""
    if not (isinstance(psf, str) and psf in ("disk", "auto")):
        got = repr(psf) if isinstance(psf, str) else "an array"
        raise ValueError(f"radius is for a disk: it does not go with psf={got}")
    known: float = real(radius, "radius", above=0.0)
    most = min(planes.shape[1:]) / 2
    if known > most:
        raise ValueError(f"radius must be at most {most:g}, half the image's shorter side, got {known:g}")
    return known


def as_planes(image: Array, channel_axis: int | None, settings: General, name: str = "image") -> tuple[Result, Result]:
    """The image as floats, and its planes, shape (C, M, N); raise if it is too small, flat or black."""
    image = as_image(image, name, channel_axis=channel_axis)
    xp = array_namespace(image)
    planes = image[None, ...] if channel_axis is None else xp.moveaxis(image, channel_axis, 0)
    least = settings.smallest_side
    if min(planes.shape[1:]) < least:
        raise ValueError(f"{name} must be at least {least} pixels on each side, got shape {tuple(planes.shape[1:])}")
    if float(xp.max(image)) == float(xp.min(image)):
        raise ValueError(f"{name} is flat: every pixel is the same, so it shows no blur to estimate")
    if not float(xp.max(image)) > 0:
        raise ValueError(f"{name} must hold light, got nothing above zero")
    return image, planes


def check_range(planes: Result, gamma: float | None, settings: General, name: str = "image") -> None:
    """Raise if encoded values are far from the range 0 to 1; linear light may have any unit."""
    xp, tolerance = array_namespace(planes), settings.range_tolerance
    least, most = float(xp.min(planes)), float(xp.max(planes))
    if gamma == 1 or (least >= -tolerance and most <= 1 + tolerance):
        return
    white, bits = (255, 8) if most <= 255 * (1 + tolerance) else (65535, 16)
    raise ValueError(
        f"{name} must hold values from 0 to 1, got {least:g} to {most:g}: divide by {white} or pass {bits}-bit "
        "integers (linear light, with gamma=1, may have any unit)"
    )


@dataclass(frozen=True)
class FreeFormArguments:
    """The checked arguments of a free-form estimate.

    Attributes
    ----------
    start : ndarray or None
        The PSF to start from, square, its sides odd.
    sizes : (int, int) or None
        Smallest and largest side of the support.
    region : tuple of slices or None
        Rows and columns in which the PSF is estimated.
    """

    start: np.ndarray | None
    sizes: tuple[int, int] | None
    region: tuple[slice, slice] | None


def free_form(psf: Any, psf_size: object, region: object, planes: Result, settings: General) -> FreeFormArguments:
    """Check the arguments of a free-form estimate against the image."""
    part = None if region is None else _region(region, planes, settings)
    shape = planes.shape[1:] if part is None else planes[(0, *part)].shape
    # With a larger PSF every pixel of the image would depend on the scene outside the frame.
    most = min(shape) // 2
    sizes = None if psf_size is None else _sizes(psf_size, most)
    if isinstance(psf, str):
        return FreeFormArguments(None, sizes, part)
    start = to_numpy(as_psf(psf, planes[0, ...]))
    side = max(n + 1 - n % 2 for n in start.shape)
    if side > most:
        raise ValueError(f"psf must have sides of at most {most}, half the image's, got shape {psf.shape}")
    square = np.zeros((side, side))
    square[tuple(slice(side // 2 - n // 2, side // 2 - n // 2 + n) for n in start.shape)] = start
    return FreeFormArguments(square, sizes, part)


def _sizes(psf_size: object, most: int) -> tuple[int, int]:
    """Smallest and largest side of the support."""
    wanted = "psf_size must be a whole number of pixels or two, (least, largest)"
    if isinstance(psf_size, tuple | list):
        if len(psf_size) != 2:
            raise ValueError(f"{wanted}, got {psf_size!r}")
        least, largest = (integer(n, "psf_size", low=3, high=most) for n in psf_size)
        if least > largest:
            raise ValueError(f"{wanted}, got {psf_size!r}")
        return least, largest
    size = integer(psf_size, "psf_size", low=3, high=most)
    return size, size


def _region(region: Any, planes: Result, settings: General) -> tuple[slice, slice]:
    """`region` as rows and columns; raise unless that part is large enough and not flat."""
    if not (isinstance(region, tuple | list) and len(region) == 2 and all(isinstance(part, slice) for part in region)):
        raise TypeError(f"region must be two slices, of rows and of columns, got {region!r}")
    if not all(n is None or isinstance(n, Integral) for s in region for n in (s.start, s.stop, s.step)):
        raise TypeError(f"region must be two slices of whole numbers, got {region!r}")
    rows, columns = region
    least = settings.smallest_side
    if any(s.step not in (None, 1) for s in region) or min(planes[0, rows, columns].shape) < least:
        raise ValueError(f"region must be {least} pixels or more on each side, without steps, got {region!r}")
    xp, part = array_namespace(planes), planes[:, rows, columns]
    # A flat part that has been blurred differs from flat by rounding.
    if float(xp.max(part) - xp.min(part)) < settings.region_contrast * float(xp.max(planes)):
        raise ValueError(f"region is flat: it shows no blur to estimate, got {region!r}")
    return rows, columns
