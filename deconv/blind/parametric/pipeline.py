"""The natural-image pipeline for a parametric PSF: decode, search, restore, encode; and the fields of its result."""

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, Protocol

import numpy as np

from deconv import noise, tone
from deconv._core.array import Array, Result, like, mean_plane
from deconv.blind.errors import storage_error
from deconv.blind.jpeg import Compression
from deconv.blind.parametric.families import FAMILIES, Candidate, Disk
from deconv.blind.parametric.restore import on_grid, restore_planes
from deconv.blind.parametric.search import Estimate, refine
from deconv.blind.progress import Progress
from deconv.blind.result import Guess
from deconv.blind.review import Review, first_accepted, review
from deconv.blind.settings import Settings

__all__ = [
    "PsfSearch",
    "decoded",
    "family_of",
    "guess_fields",
    "refined",
    "restore_as_natural",
    "result_fields",
    "searched",
    "sharp_fields",
]


class PsfSearch(Protocol):
    """``search(image, report=...)`` returns the PSF estimate for linear light or ink."""

    def __call__(self, image: Result, *, report: Callable[[float], None]) -> Estimate:
        """Return the estimate, calling ``report(fraction)`` on the way."""
        ...


def restore_as_natural(
    planes: Array,
    search: PsfSearch,
    gamma: float | None,
    settings: Settings,
    report: Progress,
    estimate: Estimate | None = None,
    compression: Compression | None = None,
) -> tuple[list[Result] | None, dict[str, Any]]:
    """Restore planes with a natural-image prior, and describe the PSF.

    Parameters
    ----------
    planes : array, shape (C, M, N)
        Encoded values, not negative.
    search : callable
        ``search(image, report=...)`` returns the PSF estimate.
    gamma : float or None
        Exponent of the encoding; None for that of photographs.
    settings : Settings
        Settings of all stages.
    report : Progress
        Receives the progress.
    estimate : Estimate, optional
        A PSF estimate that replaces the search.
    compression : Compression, optional
        What JPEG did to the image after the blur.

    Returns
    -------
    list of arrays, each of shape (M, N), or None
        Encoded as `planes`; None if the image is sharp.
    dict
        Fields of `Restoration`.
    """
    curve = (settings.general.photograph_gamma if gamma is None else gamma, 0.0)
    light = decoded(planes, curve)
    grey = mean_plane(light)
    report("light", 1.0)
    estimate = estimate or searched(search, grey, settings, partial(report, "search"))
    if estimate.candidate is None:
        return None, sharp_fields(estimate, planes, curve[0])
    candidate = refined(grey, estimate.candidate, settings, compression)
    shape = grey.shape
    # A large picture in three colours takes 200 MB: it is given up where a coarser grid suffices.
    colours = [on_grid(light.pop(0), candidate, settings.general.deconvolution) for _ in range(len(light))]
    stored = storage_error(compression, planes, *curve)
    psf, error = like(candidate.make(), grey), math.hypot(noise.estimate(grey), stored)

    def attempt(caution: float, part: Callable[[float], None]) -> list[Result]:
        return restore_planes(colours, shape, candidate, settings, part, stored=stored, caution=caution)

    def look(restored: Any) -> Review:
        return review(grey, mean_plane(restored), psf, error, settings=settings.review)

    accepted: list[Result] | None
    accepted, verdict = first_accepted(attempt, look, partial(report, "restore"), settings.review)
    if accepted is None:
        return None, sharp_fields(estimate, planes, curve[0]) | {"reason": verdict.reason}
    encoded = [tone.encode(accepted.pop(0), *curve) for _ in range(len(accepted))]
    return encoded, result_fields(estimate, candidate, planes, curve, settings, compression)


def decoded(planes: Array, curve: tuple[float, float]) -> list[Result]:
    """The light of each of the planes (C, M, N), so that one can be given up without the others."""
    return [tone.decode(planes[c, ...], *curve) for c in range(planes.shape[0])]


def searched(search: PsfSearch, image: Array, settings: Settings, report: Callable[[float], None]) -> Estimate:
    """The PSF estimate of a search, with the softness of the settings if they fix one."""
    estimate = search(image, report=report)
    return replace(estimate, candidate=_with_softness(estimate.candidate, settings))


def refined(
    image: Array, candidate: Candidate, settings: Settings, compression: Compression | None = None
) -> Candidate:
    """The PSF fitted once more, unless the settings disable that."""
    refinement = settings.general.refinement
    if refinement.enabled:
        candidate = refine(image, candidate, degradation=compression, settings=settings.parametric)
    candidate = _with_softness(candidate, settings)
    if refinement.radius_factor == 1:
        return candidate
    return replace(candidate, radius=refinement.radius_factor * candidate.radius)


def _with_softness(candidate: Any, settings: Settings) -> Any:
    """A disc with the softness of the settings if they fix one; other candidates unchanged."""
    softness = settings.general.refinement.softness
    if softness is None or not isinstance(candidate, Disk):
        return candidate
    return replace(candidate, softness=softness)


def sharp_fields(estimate: Estimate, planes: Array, gamma: float) -> dict[str, Any]:
    """Fields of the result for a sharp image."""
    fields = {"psf": like(np.ones((1, 1)), planes), "family": "none", "gamma": gamma, "search": _search(estimate)}
    return fields | guess_fields(estimate)


def guess_fields(estimate: Estimate) -> dict[str, Any]:
    """Fields of the result for the likeliest PSF, believed or not."""
    guess = estimate.guess
    if guess is None or not math.isfinite(estimate.guess_log_odds):
        return {}
    return {"guess": Guess(family_of(guess), guess.parameters(), estimate.guess_log_odds)}


def family_of(candidate: Candidate) -> Any:
    """Name of the family of a candidate."""
    return next(name for name, family in FAMILIES.items() if isinstance(candidate, family))


def result_fields(
    estimate: Estimate,
    candidate: Candidate,
    planes: Array,
    curve: tuple[float, float],
    settings: Settings,
    compression: Compression | None = None,
) -> dict[str, Any]:
    """Fields of the result that describe the PSF and the response curve."""
    gamma, shoulder = curve
    # A camera's own processing shifts the zeros by more than their statistical error.
    beyond = 0.0 if compression is None else settings.parametric.search.limits(family_of(candidate)).stored_error
    return {
        "psf": like(candidate.make(), planes),
        "family": family_of(candidate),
        "parameters": candidate.parameters(),
        "uncertainty": math.hypot(candidate.uncertainty, beyond),
        "gamma": gamma,
        "shoulder": shoulder,
        "score": estimate.score,
        "search": _search(estimate),
        "guess": Guess(family_of(candidate), candidate.parameters(), estimate.log_odds),
    }


def _search(estimate: Estimate) -> dict[str, np.ndarray]:
    return {"radius": estimate.radii, "criterion": estimate.criterion}
