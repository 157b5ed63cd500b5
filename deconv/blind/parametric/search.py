"""Coarse-to-fine search for the likeliest PSF of one or more families, from the spectrum of the image."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import TypeVar

import numpy as np

from deconv._core.array import Array, array_namespace, to_numpy
from deconv._core.resample import at_scale
from deconv.blind.parametric.families import Candidate, Disk, KnownRadiusDisk, Motion
from deconv.blind.parametric.motion import search_motion
from deconv.blind.settings.parametric import Parametric, Search
from deconv.blind.spectrum import Degradation, Fit, Periodogram

__all__ = ["Estimate", "at_radius", "compare_families", "log_odds", "refine", "search"]

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
    guess : Disk, Gaussian, Motion or None
        The likeliest PSF, accepted or not; None if no fit was possible.
    guess_log_odds : float
        Log odds for `guess` against no blur.
    scale : float
        Reduction of the image to the grid on which the candidate, or else the guess, was found.
    """

    candidate: Candidate | None
    score: float
    radii: np.ndarray
    criterion: np.ndarray
    log_odds: float = 0.0
    guess: Candidate | None = None
    guess_log_odds: float = -math.inf
    scale: float = 1.0


def search(
    image: Array,
    families: Sequence[type[Candidate]],
    width: int,
    report: Callable[[float], object],
    *,
    blurred: bool = False,
    degradation: Degradation | None = None,
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
    degradation : Degradation, optional
        What was done to the image after the blur, such as JPEG compression.
    settings : Parametric
        Settings of the spectrum and of the search.

    Returns
    -------
    Estimate
        The likeliest PSF and the evidence for it.
    """
    largest = max(settings.search.largest_radius * width, 2 * settings.search.first_radius)
    if Motion not in families:
        return _coarse_to_fine(image, families, largest, report, blurred, degradation, settings)
    motion = _search_motion(image, largest, degradation, settings)
    others = [family for family in families if family is not Motion]
    if not others:
        report(1.0)
        return motion
    report(0.5)
    other = _coarse_to_fine(image, others, largest, report, blurred, degradation, settings)
    return max(motion, other, key=lambda estimate: estimate.log_odds)


@dataclass(frozen=True)
class _GridSearch:
    """The search on one grid; radii are in pixels of the image, the best PSF is in pixels of the grid.

    `scale` is the reduction from the image to the grid, `count` the number of frequencies; `best` is None if no fit is
    possible, and its `log_odds` against no blur are then -inf.
    """

    scale: float
    count: float
    radii: np.ndarray
    criterion: np.ndarray
    best: Fit[Candidate] | None
    log_odds: float

    def needs_finer_grid(self, settings: Search) -> bool:
        """Whether there is a finer grid, and the blur is too small or too unlikely on this one."""
        if self.scale == 1.0:
            return False
        if self.best is None or self.log_odds <= settings.least_log_odds:
            return True
        return self.best.candidate.radius < settings.finer_below


def _coarse_to_fine(
    image: Array,
    families: Sequence[type[Candidate]],
    largest: float,
    report: Callable[[float], object],
    blurred: bool,
    degradation: Degradation | None,
    settings: Parametric,
) -> Estimate:
    """The likeliest PSF of radius up to `largest`: on a coarse grid first, on finer ones while the blur is small."""
    limits = settings.search
    # The shorter side of a long strip keeps some pixels.
    factor = max(1.0, min(max(image.shape) / limits.coarsest_side, min(image.shape) / limits.narrowest_side))
    grids = [_search_grid(image, factor, families, largest, report, None, degradation, settings)]
    while (coarser := grids[-1]).needs_finer_grid(limits):
        # So small a blur shows better on a finer grid, on which radii much larger need not be searched again.
        largest, factor = 1.5 * limits.finer_below * coarser.scale, max(1.0, factor / limits.finer_by)
        grids.append(_search_grid(image, factor, families, largest, report, coarser, degradation, settings))
    report(1.0)
    return _estimate(grids, blurred=blurred, settings=limits)


def _search_grid(
    image: Array,
    factor: float,
    families: Sequence[type[Candidate]],
    largest: float,
    report: Callable[[float], object],
    coarser: _GridSearch | None,
    degradation: Degradation | None,
    settings: Parametric,
) -> _GridSearch:
    """Scan the radii up to `largest` on the image reduced by `factor`, and fit PSFs from the lowest minima.

    The best PSF of a coarser grid is a further start.
    """
    limits = settings.search
    small, scale = at_scale(image, factor)
    top = min(largest / scale, limits.largest_radius_across * min(small.shape))
    spectrum = Periodogram(
        small,
        settings=settings.spectrum,
        largest=top,
        edges=families != [Disk],
        degradation=degradation,
        scale=scale,
    )
    count = float(spectrum.count.sum())
    radii = _scanned_radii(families, top, limits)
    no_blur = spectrum.fit().cost
    scan = _scan(spectrum, families, radii)
    report(0.7)
    starts = _minima(scan, limits.fitted_minima)
    if coarser is not None and coarser.best is not None:
        starts.append(spectrum.fit(_scaled(coarser.best.candidate, coarser.scale / scale)))
    best = _best_fit(small, spectrum, starts, limits)
    log_odds = -math.inf if best is None else (no_blur - best.cost) / best.dispersion
    criterion = np.asarray([(fit.cost - no_blur) / count for fit in scan])
    return _GridSearch(scale, count, radii * scale, criterion, best, log_odds)


def _scanned_radii(families: Sequence[type[Candidate]], largest: float, settings: Search) -> np.ndarray:
    """Radii in geometric steps as fine as the most demanding family needs."""
    octaves = math.log2(largest / settings.first_radius)
    per_octave = max(settings.limits(family.family).sizes_per_octave for family in families)
    return np.geomspace(settings.first_radius, largest, max(2, math.ceil(per_octave * octaves)))


def _best_fit(
    image: Array, spectrum: Periodogram, starts: Sequence[Fit[Candidate]], settings: Search
) -> Fit[Candidate] | None:
    """The likeliest of the PSFs fitted from some starts; None if none is possible."""
    fits = [(spectrum.fit(start.candidate, start, vary=True), start.candidate) for start in starts]
    possible = (fit for fit, start in fits if _possible(image, fit.candidate, start, settings))
    return min(possible, key=attrgetter("cost"), default=None)


def _estimate(grids: Sequence[_GridSearch], *, blurred: bool, settings: Search) -> Estimate:
    """The likeliest PSF of all grids and whether it is likely enough; the curve over the radii of all grids.

    A finer grid adds frequencies, so a PSF that is right gains evidence there. If it loses some, the model does not
    hold at these frequencies, and the coarser grid counts.
    """
    radii = np.concatenate([grid.radii for grid in grids])
    order = np.argsort(radii)
    curve = radii[order], np.concatenate([grid.criterion for grid in grids])[order]
    fitted = [(_scaled(grid.best.candidate, grid.scale), grid) for grid in grids if grid.best is not None]
    if not fitted:
        return Estimate(None, 0.0, *curve)
    guess, grid = max(fitted, key=lambda each: each[1].log_odds)
    accepted = [
        (candidate, grid)
        for candidate, grid in fitted
        if grid.log_odds >= _required_log_odds(candidate, grid.count, blurred, settings)
    ]
    none = Estimate(None, 0.0, *curve, guess=guess, guess_log_odds=grid.log_odds, scale=grid.scale)
    if not accepted:
        return none
    candidate, grid = max(accepted, key=lambda each: each[1].log_odds)
    score = grid.log_odds / grid.count
    return replace(none, candidate=candidate, score=score, log_odds=grid.log_odds, scale=grid.scale)


def at_radius(
    image: Array,
    radius: float,
    report: Callable[[float], object],
    *,
    degradation: Degradation | None = None,
    settings: Parametric = _DEFAULT,
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
    degradation : Degradation, optional
        As of `search`.
    settings : Parametric
        As of `search`.

    Returns
    -------
    Estimate
        The score is below 0 if no blur is likelier than this radius.
    """
    disk = KnownRadiusDisk(radius)
    spectrum, scale = _periodogram_for(image, disk, degradation, settings)
    no_blur, fit = spectrum.fit(), spectrum.fit(_scaled(disk, 1 / scale), vary=True)
    lost, total = fit.cost - no_blur.cost, float(spectrum.count.sum())
    report(1.0)
    candidate, log_odds = replace(fit.candidate, radius=radius), -lost / fit.dispersion
    curve = np.asarray([radius]), np.asarray([lost / total])
    return Estimate(candidate, log_odds / total, *curve, log_odds, candidate, log_odds)


def compare_families(
    image: Array,
    candidate: Candidate,
    family: type[Candidate],
    *,
    scale: float,
    degradation: Degradation | None = None,
    settings: Parametric,
) -> tuple[float, float]:
    """Log odds over no blur of a PSF, and of the likeliest PSF of another family and similar size, on one grid."""
    limits = settings.search
    small, scale = at_scale(image, scale)
    spectrum = Periodogram(small, settings=settings.spectrum, degradation=degradation, scale=scale)
    no_blur, own = spectrum.fit(), spectrum.fit(_scaled(candidate, 1 / scale), vary=True)
    radii = candidate.radius / scale * np.geomspace(limits.similar_from, limits.similar_to, limits.similar_radii)
    best = min(_scan(spectrum, [family], radii), key=attrgetter("cost"))
    other = spectrum.fit(best.candidate, best, vary=True)
    return (no_blur.cost - own.cost) / own.dispersion, (no_blur.cost - other.cost) / other.dispersion


def log_odds(
    image: Array, candidate: Candidate, *, degradation: Degradation | None = None, settings: Parametric
) -> float:
    """Log odds over no blur of a PSF similar to a given one, on the grid that shows it best."""
    spectrum, scale = _periodogram_for(image, candidate, degradation, settings)
    if isinstance(candidate, Motion):
        spectrum = spectrum.along(candidate.angle, 2 * candidate.radius / scale)
    fit = spectrum.fit(_scaled(candidate, 1 / scale), vary=True)
    return (spectrum.fit().cost - fit.cost) / fit.dispersion


def refine(
    image: Array,
    candidate: CandidateT,
    *,
    degradation: Degradation | None = None,
    settings: Parametric = _DEFAULT,
) -> CandidateT:
    """The PSF, its parameters fitted again on the grid that shows its zeros best; unchanged if that fit strays."""
    spectrum, scale = _periodogram_for(image, candidate, degradation, settings)
    if isinstance(candidate, Motion):
        spectrum = spectrum.along(candidate.angle, 2 * candidate.radius / scale)
    start = _scaled(candidate, 1 / scale)
    fit = spectrum.fit(start, vary=True)
    limits = settings.search
    drift = abs(math.log(fit.candidate.radius / start.radius))
    filled = getattr(fit.candidate, "fill", 0.0) > max(limits.refined_fill, getattr(candidate, "fill", 0.0))
    if drift > limits.refinement_drift or filled:
        return candidate
    # Multiplied by a ratio, which is exactly 1 for a known radius, so that rounding cannot change that radius.
    return replace(fit.candidate, radius=candidate.radius * (fit.candidate.radius / start.radius))


def _periodogram_for(
    image: Array, candidate: Candidate, degradation: Degradation | None, settings: Parametric
) -> tuple[Periodogram, float]:
    """The spectrum on the grid that shows the zeros of a PSF best, and the reduction to that grid."""
    # The text window may be small compared with a known radius.
    limits = settings.search
    factor = min(candidate.radius / limits.refinement_radius, min(image.shape) / limits.narrowest_side)
    small, scale = at_scale(image, factor)
    edges = not isinstance(candidate, Disk)
    return Periodogram(small, settings=settings.spectrum, edges=edges, degradation=degradation, scale=scale), scale


def _scaled(candidate: CandidateT, scale: float) -> CandidateT:
    return replace(candidate, radius=candidate.radius * scale)


def _search_motion(image: Array, largest: float, degradation: Degradation | None, settings: Parametric) -> Estimate:
    candidate, log_odds, score, lengths, criterion = search_motion(
        image, 2 * largest, degradation=degradation, settings=settings
    )
    limits = settings.search.motion_limits
    doubtful = candidate is not None and candidate.radius < limits.doubtful_below and score < limits.doubtful_score
    if candidate is None or log_odds < settings.search.least_log_odds_motion or doubtful:
        return Estimate(None, 0.0, lengths / 2, criterion, guess=candidate, guess_log_odds=log_odds)
    return Estimate(candidate, score, lengths / 2, criterion, log_odds, candidate, log_odds)


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
        fit: Fit[Candidate] | None = None
        for i, radius in enumerate(radii):
            fit = spectrum.fit(family(float(radius)), fit)
            other = best[i]
            if other is None or fit.cost < other.cost:
                best[i] = fit
    return [fit for fit in best if fit is not None]


def _minima(scan: Sequence[Fit[Candidate]], most: int) -> list[Fit[Candidate]]:
    """The fits at the `most` lowest minima of the cost over the radius."""
    values = [math.inf, *(fit.cost for fit in scan), math.inf]
    minima = [i for i in range(1, len(values) - 1) if values[i] <= min(values[i - 1], values[i + 1])]
    return [scan[i - 1] for i in sorted(minima, key=values.__getitem__)[:most]]
