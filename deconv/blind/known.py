"""Restoration with a known PSF, which may be wrong all the same: turned, of another size, or of another picture."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from math import hypot
from typing import Any, Literal

import numpy as np

from deconv import noise, tone
from deconv._core.array import HOST, Array, Result, accepts_torch, array_namespace, as_image, as_psf, to_numpy
from deconv.blind.arguments import check_callback, check_gamma, check_settings, one_of
from deconv.blind.errors import storage_error
from deconv.blind.jpeg import measure
from deconv.blind.natural import restore
from deconv.blind.progress import Callback, Progress
from deconv.blind.review import Review, first_accepted, review
from deconv.blind.settings import Settings
from deconv.blind.text.ink import coverage, estimate_foreground

__all__ = ["KnownPsfRestoration", "deblur_known_psf", "restore_known_psf"]

# Fractions of the time at which each stage begins and ends.
_STAGES = {"judge": (0.0, 0.3), "restore": (0.3, 1.0)}
_TURNED = "turned by 180 degrees the PSF explains the picture better: try it that way"


@dataclass(frozen=True)
class KnownPsfRestoration:
    """A restored image, or the image itself if no restoration was likely to be better.

    Attributes
    ----------
    image : array
        The restored image, encoded as the input was: float64 for float64 input, else float32.
    prior : {"text", "natural"}
        The prior with which it was restored; "natural" if it was not.
    accepted : bool
        Whether it was restored; else `image` is a copy of the input.
    reason : str
        Why it was not; empty if it was.
    """

    image: Any
    prior: Literal["text", "natural"] = field(metadata=HOST)
    accepted: bool = field(metadata=HOST)
    reason: str = field(metadata=HOST)


@accepts_torch
def deblur_known_psf(
    image: Array,
    psf: Array,
    *,
    prior: Literal["auto", "text", "natural"] = "auto",
    gamma: float | None = None,
    channel_axis: int | None = None,
    callback: Callback | None = None,
    settings: Settings | None = None,
) -> KnownPsfRestoration:
    """Restore an image with a known PSF, unless the result would be worse than the image.

    Parameters
    ----------
    image : array, shape (M, N[, C])
        The blurred image: floats, 1 being the level at which they are clipped, or 8 or 16-bit integers.
    psf : array, shape (m, n)
        The PSF, centred at index ``n // 2``; it is normalised to sum 1.
    prior : {"auto", "text", "natural"}
        What the scene shows; ``"auto"`` takes a scene for text if it is dark, of one tone.
    gamma : float, optional
        Exponent of the encoding, ``light = value ** gamma``; by default 2.2, that of photographs.
    channel_axis : int, optional
        Axis of the colours.
    callback : callable, optional
        Called as ``callback(fraction, stage)``, the stage being "judge" or "restore".
    settings : deconv.blind.Settings, optional
        Thresholds and weights of every stage.

    Returns
    -------
    KnownPsfRestoration

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong type, shape or value.

    Notes
    -----
    Total variation of all colours together, the scene beyond the frame unknown; its weight follows the noise, the error
    of JPEG compression, and the residual that an error of the PSF leaves (`deconv.blind.natural`). A last look
    (`deconv.blind.review`) at the restored mean of the colours refuses one that, blurred again, does not explain the
    image, or that rings; a milder one is tried then. A PSF that explains the image better when it is turned by 180
    degrees is refused too.

    Examples
    --------
    >>> import deconv
    >>> from deconv.blind.known import deblur_known_psf
    >>> page = deconv.degrade.text_picture(["known", "PSF"], shape=(120, 200))
    >>> blurred = deconv.degrade.blur(page, deconv.psf.disk(4))
    >>> deblur_known_psf(blurred, deconv.psf.disk(4), gamma=1).accepted
    True
    >>> deblur_known_psf(page, deconv.psf.disk(8), gamma=1).reason
    'the restored picture, blurred again, does not explain the picture'
    """
    settings = check_settings(settings)
    one_of(prior, "prior", ("auto", "text", "natural"))
    gamma = check_gamma(gamma) or settings.general.photograph_gamma
    check_callback(callback)
    image = as_image(image, channel_axis=channel_axis)
    xp = array_namespace(image)
    encoded = image[None, ...] if channel_axis is None else xp.moveaxis(image, channel_axis, 0)
    encoded = xp.clip(encoded, 0.0, None)
    light = tone.decode(encoded, gamma)
    grey = xp.mean(light, axis=0)
    psf = as_psf(psf, grey)
    stored = storage_error(measure(encoded, settings=settings.jpeg), encoded, gamma)
    report = Progress(callback, _STAGES)
    look = _first_look(grey, psf, stored, settings, report)
    if look.reason:
        report("restore", 1.0)
        return KnownPsfRestoration(xp.asarray(image, copy=True), "natural", False, look.reason)
    text = _is_page(look.sharp, settings) if prior == "auto" else prior == "text"
    kind: Literal["text", "natural"] = "text" if text else "natural"
    planes, _ = restore(
        [xp.asarray(light[c, ...], copy=True) for c in range(light.shape[0])],
        psf,
        prior=kind,
        report=partial(report, "restore"),
        stored=stored,
        caution=look.caution,
        settings=settings.natural,
    )
    report("restore", 1.0)
    sharp = tone.encode(xp.stack(planes), gamma)
    sharp = sharp[0, ...] if channel_axis is None else xp.moveaxis(sharp, 0, channel_axis)
    return KnownPsfRestoration(sharp, kind, True, "")


@dataclass(frozen=True)
class _FirstLook:
    """The restored grey image, the caution with which it passed the last look, and why it did not, if so."""

    sharp: Any
    caution: float
    reason: str


def _first_look(grey: Array, psf: Array, stored: float, settings: Settings, report: Progress) -> _FirstLook:
    """Restore the mean of the colours with the weaker prior, that of text, which shows best what a PSF explains."""
    xp = array_namespace(grey)
    error = hypot(noise.estimate(grey), stored)
    turned = _turned(psf)
    psf = _turned(turned)
    uneven = float(xp.sum(xp.abs(psf - turned))) > settings.known.uneven
    looks = 2 if uneven else 1

    def restored(kernel: Array, caution: float, part: Callable[[float], None]) -> tuple[float, Result]:
        options: dict[str, Any] = {"stored": stored, "caution": caution, "settings": settings.natural}
        return caution, restore([grey], kernel, prior="text", report=part, **options)[0][0]

    def reviewed(kernel: Array, attempt: tuple[float, Result]) -> Review:
        return review(grey, attempt[1], kernel, error, settings=settings.review)

    best, verdict = first_accepted(
        partial(restored, psf), partial(reviewed, psf), report.part("judge", 0, looks), settings.review
    )
    caution = 1.0 if best is None else best[0]
    if uneven:
        other = reviewed(turned, restored(turned, caution, report.part("judge", 1, looks)))
        if other.accepted and (best is None or verdict.odds - other.odds > settings.known.turned):
            return _FirstLook(None, caution, _TURNED)
    return _FirstLook(None, caution, verdict.reason) if best is None else _FirstLook(best[1], caution, "")


def _is_page(sharp: Array, settings: Settings) -> bool:
    """Whether a restored scene is dark text: few of its pixels lie between the background and a darker tone.

    Bright text is not told from lamps and signs in a photograph.
    """
    known = settings.known
    if estimate_foreground(sharp, settings.text.ink) == "bright":
        return False
    ink = to_numpy(coverage(sharp, "dark", settings.text.ink))
    inked = ink[ink > known.inked]
    if not inked.size:
        return False
    ink = ink / np.quantile(inked, known.level)
    return bool(np.mean(ink > known.ink) > (1 - known.text) * np.mean(ink > known.paper))


def _turned(psf: Array) -> Result:
    """The PSF turned by 180 degrees about its centre, its sides odd."""
    xp = array_namespace(psf)
    # The centre stays at n // 2 if an even side n gets one more zero at its end.
    rows, columns = psf.shape
    if rows % 2 == 0:
        psf = xp.concat([psf, xp.zeros_like(psf[:1, :])], axis=0)
    if columns % 2 == 0:
        psf = xp.concat([psf, xp.zeros_like(psf[:, :1])], axis=1)
    return xp.asarray(xp.flip(psf), copy=True)


def restore_known_psf(light: Array, psf: Array, *, prior: str, channel_axis: int | None = None) -> Result:
    """Restore linear light with a given PSF, as `deblur` does once it has estimated a free-form PSF.

    Parameters
    ----------
    light : array, shape (M, N[, C])
        Linear light, 1 being the level at which it is clipped.
    psf : array, shape (m, n)
        The PSF, centred at index ``n // 2``; sum 1.
    prior : {"text", "natural"}
        What the scene shows.
    channel_axis : int, optional
        Axis of the colours.

    Returns
    -------
    array, shape of `light`
        The restored light, not negative.
    """
    xp = array_namespace(light)
    if channel_axis is None:
        (plane,), _ = restore([light], psf, prior=prior, report=lambda part: None)
        return plane
    colours = xp.moveaxis(light, channel_axis, 0)
    planes = [xp.asarray(colours[c, ...], copy=True) for c in range(colours.shape[0])]
    planes, _ = restore(planes, psf, prior=prior, report=lambda part: None)
    return xp.stack(planes, axis=channel_axis)
