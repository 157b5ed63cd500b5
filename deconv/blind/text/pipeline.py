"""The text pipeline for a parametric PSF: light, ink, search, tone curve, restoration and verdict."""

import math
from functools import partial
from typing import Any

from deconv._core.array import Array, Result, array_namespace, mean_plane
from deconv.blind.errors import gain_of_ink, storage_error
from deconv.blind.jpeg import Compression
from deconv.blind.parametric.families import Gaussian
from deconv.blind.parametric.pipeline import PsfSearch, decoded, refined, result_fields, searched
from deconv.blind.parametric.search import Estimate
from deconv.blind.progress import Progress
from deconv.blind.settings import Settings
from deconv.blind.settings.text import Ink
from deconv.blind.text.ink import estimate_foreground, planes_as_ink
from deconv.blind.text.restore import restore_text
from deconv.blind.text.tone_curve import estimate_tone_curve
from deconv.blind.text.verdict import assess

__all__ = ["restore_as_text"]

_NO_BLUR = "no blur was found in the part that would be its text"


def restore_as_text(
    planes: Array,
    search: PsfSearch,
    gamma: float | None,
    settings: Settings,
    report: Progress,
    estimate: Estimate | None = None,
    compression: Compression | None = None,
) -> tuple[list[Result] | None, dict[str, Any]]:
    """Restore planes as text, and describe the PSF and the readability.

    Parameters
    ----------
    planes : array, shape (C, M, N)
        Encoded values, not negative.
    search : callable
        ``search(ink, report=...)`` returns the PSF estimate.
    gamma : float or None
        Exponent of the encoding; None to estimate the response curve.
    settings : Settings
        Settings of all stages.
    report : Progress
        Receives the progress.
    estimate : Estimate, optional
        The PSF estimate from the light of the whole image, used if the ink does not show a likelier one.
    compression : Compression, optional
        What JPEG did to the image after the blur.

    Returns
    -------
    list of arrays, each of shape (M, N), or None
        Text of one tone on a background of the other, 0 to 1; None if the image is sharp or not text.
    dict
        Fields of `Restoration`; the reason alone if nothing was restored.
    """
    xp = array_namespace(planes)
    curve = assumed = (settings.general.photograph_gamma if gamma is None else gamma, 0.0)
    light = decoded(planes, curve)
    foreground = estimate_foreground(mean_plane(light), settings.text.ink)
    inks, grey, window = planes_as_ink(light, foreground, settings.text.ink)
    report("light", 1.0)
    from_light = estimate
    estimate = _likelier(searched(search, grey, settings, partial(report, "search")), from_light)
    candidate = estimate.candidate
    if candidate is None:
        return None, {"reason": _NO_BLUR}
    if gamma is None:
        curve = estimate_tone_curve(xp.mean(planes, axis=0), candidate, foreground, settings, partial(report, "tone"))
        if curve != assumed:
            # What a large picture needs no longer is given up first.
            del light, inks, grey
            light = decoded(planes, curve)
            inks, grey, window = planes_as_ink(light, foreground, settings.text.ink)
        if curve[0] != assumed[0]:
            # With the wrong exponent the search may have found a wrong PSF.
            estimate = _likelier(searched(search, grey, settings, lambda _: None), from_light)
            candidate = estimate.candidate
            if candidate is None:
                return None, {"reason": _NO_BLUR}
    candidate = refined(grey, candidate, settings, compression)
    stored = storage_error(compression, planes, *curve)
    count, mean = len(inks), mean_plane(inks)
    if _is_grey(inks, mean, settings.text.ink):
        # Restored once: it costs less, and the noise of the colours is averaged.
        inks, light = [mean], [mean_plane(light)]
    gains = [gain_of_ink(*each) for each in zip(light, inks, strict=True)]
    del light, grey, mean
    # The colour with most ink first: what is no text there is no text, and the others need not be restored.
    order = sorted(range(len(inks)), key=lambda c: -float(xp.mean(inks[c] ** 2)))
    by_colour: dict[int, Result] = {}
    for done, c in enumerate(order):
        whole = xp.zeros_like(inks[c])
        whole[window] = restore_text(
            inks[c][window], candidate, settings, report.part("restore", done, len(inks)), stored=stored * gains[c]
        )
        by_colour[c] = whole
        if done == 0 or done == len(inks) - 1:
            shown = sorted(by_colour)
            verdict = assess(
                [inks[i] for i in shown],
                [by_colour[i] for i in shown],
                candidate,
                foreground,
                settings,
                [stored * gains[i] for i in shown],
            )
            if not verdict.text:
                return None, {"reason": verdict.reason}
    coverages = [by_colour[c] for c in range(len(inks))]
    fields = result_fields(estimate, candidate, planes, curve, settings, compression)
    # The model of readability was calibrated on discs: it promises too much after a Gaussian, which removes detail.
    readability = math.nan if isinstance(candidate, Gaussian) else verdict.readability
    fields |= {"prior": "text", "readability": readability, "reason": verdict.reason}
    if foreground == "dark":
        for coverage in coverages:
            coverage *= -1.0
            coverage += 1.0
    return [coverages[min(c, len(coverages) - 1)] for c in range(count)], fields


def _is_grey(inks: list[Result], mean: Result, settings: Ink) -> bool:
    """Whether the colours show the same ink, up to noise and to the blur of colours in a camera."""
    xp = array_namespace(*inks)
    power = float(xp.mean(mean**2))
    return all(float(xp.mean((ink - mean) ** 2)) <= settings.grey_power * power for ink in inks)


def _likelier(from_ink: Estimate, from_light: Estimate | None) -> Estimate:
    """The likelier of the PSFs from the ink and from the light, which both show the same blur."""
    if from_light is None or (from_ink.candidate is not None and from_ink.log_odds >= from_light.log_odds):
        return from_ink
    return from_light
