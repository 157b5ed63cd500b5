"""Coarse-to-fine search for the likeliest PSF of one or more families, from the spectrum of the image."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from deconv._core.array import Array, array_namespace, to_numpy
from deconv._core.resample import at_scale
from deconv.blind.parametric.families import Candidate, Disk, KnownRadiusDisk, Motion
from deconv.blind.parametric.motion import search_motion
from deconv.blind.settings.parametric import Parametric, Search
from deconv.blind.spectrum import Fit, Periodogram

__all__ = ["Estimate", "at_radius", "compare_families", "refine", "search"]

_DEFAULT = Parametric()

CandidateT = TypeVar("CandidateT", bound=Candidate)


@dataclass(frozen=True)
class Estimate:
    """The outcome of a search; lengths are in pixels of the image.

    Attributes
    ----------
    candidate : Disk, Gaussian, Motion or None
        The likeliest PSF; None if no blur is likelier.
    score : float
        Log evidence per frequency that it gains over no blur; 0 without a candidate.
    radii, criterion : ndarray
        Radii tried, and minus the log evidence per frequency of each relative to that of no blur.
    log_odds : float
        Log odds for the PSF against no blur, all frequencies together.
    """

    candidate: Candidate | None
    score: float
    radii: np.ndarray
    criterion: np.ndarray
    log_odds: float = 0.0


def search(
    image: Array,
    families: Sequence[type[Candidate]],
    width: int,
    report: Callable[[float], object],
    blurred: bool = False,
    *,
    settings: Parametric = _DEFAULT,
) -> Estimate:
    """The likeliest PSF of some families.

    Parameters
    ----------
    image : array, shape (M, N)
        Linear light or coverage by ink, evenly lit.
    families : sequence of classes
        Of `deconv.blind.parametric.families`.
    width : int
        Width of the whole image, which bounds the radius.
    report : callable
        ``report(fraction)``.
    blurred : bool
        Whether the image is known to be blurred, in which case less evidence is needed.
    settings : Parametric
        Settings of the spectrum and of the search.

    Returns
    -------
    Estimate
        The likeliest PSF and the evidence for it.
    """
    limits = settings.search
    largest = max(limits.largest_radius * width, 2 * limits.first_radius)
    if Motion in families:
        motion, others = _search_motion(image, largest, settings), [f for f in families if f is not Motion]
        report(1.0 if not others else 0.5)
        rest = [search(image, others, width, report, blurred, settings=settings)] if others else []
        return max([motion, *rest], key=lambda estimate: estimate.log_odds)
    # The shorter side of a long strip keeps some pixels.
    factor = max(1.0, min(max(image.shape) / limits.coarsest_side, min(image.shape) / limits.narrowest_side))
    radii: list[float] = []
    criterion: list[float] = []
    best: Fit[Candidate] | None = None
    last_scale = 1.0
    while True:
        small, scale = at_scale(image, factor)
        top = min(largest / scale, limits.largest_radius_across * min(small.shape))
        spectrum = Periodogram(small, settings=settings.spectrum, largest=top, edges=families != [Disk])
        total = float(spectrum.count.sum())
        octaves = math.log2(top / limits.first_radius)
        per_octave = max(limits.limits(family.family).sizes_per_octave for family in families)
        steps = np.geomspace(limits.first_radius, top, max(2, math.ceil(per_octave * octaves)))
        no_blur = spectrum.fit().cost
        scan = _scan(spectrum, families, steps)
        radii.extend(steps * scale)
        criterion.extend((fit.cost - no_blur) / total for fit in scan)
        report(0.7)
        starts = _minima(scan, limits.fitted_minima)
        if best is not None:
            starts.append(spectrum.fit(_scaled(best.candidate, last_scale / scale)))
        fits = [(spectrum.fit(f.candidate, f.coefficients, vary=True), f.candidate) for f in starts]
        best = _cheapest(fit for fit, start in fits if _possible(small, fit.candidate, start, limits))
        log_odds = -math.inf if best is None else (no_blur - best.cost) / best.dispersion
        if scale == 1.0 or (
            best is not None and log_odds > limits.least_log_odds and best.candidate.radius >= limits.finer_below
        ):
            break
        # So small a blur shows better on a finer grid, on which radii much larger need not be searched again.
        largest, last_scale = 1.5 * limits.finer_below * scale, scale
        factor = max(1.0, factor / limits.finer_by)
    report(1.0)
    order = np.argsort(radii)
    curve = np.asarray(radii)[order], np.asarray(criterion)[order]
    if best is None:
        return Estimate(None, 0.0, *curve)
    candidate = _scaled(best.candidate, scale)
    if log_odds < _required_log_odds(candidate, total, blurred, limits):
        return Estimate(None, 0.0, *curve)
    return Estimate(candidate, log_odds / total, *curve, log_odds)


def at_radius(
    image: Array, radius: float, report: Callable[[float], object], *, settings: Parametric = _DEFAULT
) -> Estimate:
    """A disc of a given radius, in the form that `search` returns: only its softness and its fill are fitted.

    Parameters
    ----------
    image : array, shape (M, N)
        As of `search`.
    radius : float
        In pixels of the image.
    report : callable
        ``report(fraction)``.
    settings : Parametric
        As of `search`.

    Returns
    -------
    Estimate
        The score is below 0 if no blur is likelier than this radius.
    """
    disk = KnownRadiusDisk(radius)
    spectrum, scale = _periodogram_for(image, disk, settings)
    no_blur, fit = spectrum.fit(), spectrum.fit(_scaled(disk, 1 / scale), vary=True)
    lost, total = fit.cost - no_blur.cost, float(spectrum.count.sum())
    report(1.0)
    candidate, log_odds = replace(fit.candidate, radius=radius), -lost / fit.dispersion
    return Estimate(candidate, log_odds / total, np.asarray([radius]), np.asarray([lost / total]), log_odds)


def compare_families(
    image: Array, candidate: Candidate, family: type[Candidate], *, settings: Parametric
) -> tuple[float, float]:
    """Log odds over no blur of a PSF, and of the likeliest PSF of another family and similar size, on the same grid."""
    limits = settings.search
    small, scale = at_scale(image, candidate.radius / limits.refinement_radius)
    spectrum = Periodogram(small, settings=settings.spectrum)
    no_blur, own = spectrum.fit(), spectrum.fit(_scaled(candidate, 1 / scale), vary=True)
    radii = candidate.radius / scale * np.geomspace(limits.similar_from, limits.similar_to, limits.similar_radii)
    best = min(_scan(spectrum, [family], radii), key=_cost)
    other = spectrum.fit(best.candidate, best.coefficients, vary=True)
    return (no_blur.cost - own.cost) / own.dispersion, (no_blur.cost - other.cost) / other.dispersion


def refine(image: Array, candidate: CandidateT, *, settings: Parametric = _DEFAULT) -> CandidateT:
    """The PSF, its parameters fitted again on the grid that shows its zeros best."""
    spectrum, scale = _periodogram_for(image, candidate, settings)
    if isinstance(candidate, Motion):
        spectrum = spectrum.along(candidate.angle, 2 * candidate.radius / scale)
    start = _scaled(candidate, 1 / scale)
    fit = spectrum.fit(start, vary=True)
    # Multiplied by a ratio, which is exactly 1 for a known radius, so that rounding cannot change that radius.
    return replace(fit.candidate, radius=candidate.radius * (fit.candidate.radius / start.radius))


def _periodogram_for(image: Array, candidate: Candidate, settings: Parametric) -> tuple[Periodogram, float]:
    """The spectrum on the grid that shows the zeros of a PSF best, and the reduction to that grid."""
    # The text window may be small compared with a known radius.
    limits = settings.search
    factor = min(candidate.radius / limits.refinement_radius, min(image.shape) / limits.narrowest_side)
    small, scale = at_scale(image, factor)
    return Periodogram(small, settings=settings.spectrum, edges=not isinstance(candidate, Disk)), scale


def _scaled(candidate: CandidateT, scale: float) -> CandidateT:
    return replace(candidate, radius=candidate.radius * scale)


def _search_motion(image: Array, largest: float, settings: Parametric) -> Estimate:
    candidate, log_odds, score, lengths, criterion = search_motion(image, 2 * largest, settings=settings)
    limits = settings.search.motion_limits
    doubtful = candidate is not None and candidate.radius < limits.doubtful_below and score < limits.doubtful_score
    if candidate is None or log_odds < settings.search.least_log_odds_motion or doubtful:
        return Estimate(None, 0.0, lengths / 2, criterion)
    return Estimate(candidate, score, lengths / 2, criterion, log_odds)


def _required_log_odds(candidate: Candidate, total: float, blurred: bool, settings: Search) -> float:
    """Log odds over no blur that a PSF needs to be accepted."""
    limits = settings.limits(candidate.family)
    if candidate.radius < limits.sharp_below:
        return math.inf
    if candidate.radius >= limits.doubtful_below:
        return settings.least_log_odds
    doubtful = limits.doubtful_score * total
    return max(settings.least_log_odds, min(doubtful, settings.least_log_odds_blurred if blurred else math.inf))


def _possible(image: Array, candidate: Candidate, start: Candidate, settings: Search) -> bool:
    """Whether a fit is certain, has stayed near its start, and allows slopes as steep as those of the image.

    Without this check, rings of zeros in the scene itself, or rings too narrow to be resolved, can fit a disc that is
    far too large.
    """
    largest_uncertainty = settings.limits(candidate.family).largest_uncertainty
    drift = abs(math.log(candidate.radius / start.radius))
    if candidate.uncertainty > largest_uncertainty or drift > settings.largest_drift:
        return False
    small, scale = at_scale(image, candidate.radius / settings.slope_radius)
    xp, steepest = array_namespace(image), settings.largest_slope * _scaled(candidate, 1 / scale).steepest()
    # The range of light may exceed 1.
    steepest *= max(1.0, float(xp.max(image)) - float(xp.min(image)))
    slopes = [xp.abs(small[1:, :] - small[:-1, :]), xp.abs(small[:, 1:] - small[:, :-1])]
    return all(float(np.quantile(to_numpy(s), settings.slope_quantile)) < steepest for s in slopes)


def _scan(spectrum: Periodogram, families: Sequence[type[Candidate]], radii: np.ndarray) -> list[Fit[Candidate]]:
    """The best fit of all families at each radius; each fit starts from the one at the radius before."""
    best: list[Fit[Candidate] | None] = [None] * len(radii)
    for family in families:
        start = None
        for i, radius in enumerate(radii):
            fit = spectrum.fit(family(float(radius)), start)
            start = fit.coefficients
            other = best[i]
            if other is None or fit.cost < other.cost:
                best[i] = fit
    return [fit for fit in best if fit is not None]


def _minima(scan: Sequence[Fit[Candidate]], most: int) -> list[Fit[Candidate]]:
    """The fits at the `most` lowest minima of the cost over the radius."""
    values = [math.inf, *(fit.cost for fit in scan), math.inf]
    minima = [i for i in range(1, len(values) - 1) if values[i] <= min(values[i - 1], values[i + 1])]
    return [scan[i - 1] for i in sorted(minima, key=values.__getitem__)[:most]]


def _cheapest(fits: Iterable[Fit[Candidate]]) -> Fit[Candidate] | None:
    return min(fits, key=_cost, default=None)


def _cost(fit: Fit[Candidate]) -> float:
    return fit.cost
