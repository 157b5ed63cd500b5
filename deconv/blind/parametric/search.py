"""Coarse to fine search for the PSF of a family, by the evidence of the picture's spectrum."""

import math
from dataclasses import dataclass, replace

import numpy as np

from deconv._core.array import array_namespace, to_numpy
from deconv._core.resample import at_scale
from deconv.blind.parametric.families import Candidate, Disk, Motion, Told
from deconv.blind.parametric.motion import find_motion
from deconv.blind.spectrum import MARGIN, Periodogram

__all__ = ["Found", "at_radius", "beside", "find", "refine"]

# Longer side in pixels of the coarsest scale: blur up to 11 % of it is some twenty pixels, enough to see its rings.
_COARSEST = 200
# Pixels that the shorter side keeps there.
_NARROWEST = 16
# Largest radius, as part of the width of the picture.
_LARGEST = 0.115
# Smallest radius tried at any scale, in its pixels.
_SMALLEST = 0.4
# So many of the likeliest minima have their numbers fitted.
_MINIMA = 3
# A radius of fewer pixels than this is looked at again, at a scale so many times finer.
_TOO_COARSE = 3.0
_FINER = 3.0
# Log of the odds against no blur from which a PSF is believed: true ones of the photographs tried have 20 and more.
_CHANCE = 10.0
# The same of a small radius, in a picture that is known to be blurred: there are no strokes with zeros of their own.
_BLURRED = 60.0
# Ink covers no more than all, with room for its level, for noise, and for a tone curve that is another. Slopes are
# looked at where a radius has so many pixels.
_MOST, _STEEP_RADIUS = 1.6, 3.0
# Change of the logarithm of a radius beyond which a fit has left its minimum.
_STRAYED = 0.5
# Log of the odds for the zeros of a movement from which it is believed.
_MOVED = 45.0
# Radii of one family, as parts of another's, that are similar.
_SIMILAR = (0.4, 4.0)
# Radius in pixels of the scale at which it is refined: four rings of zeros.
_REFINE_RADIUS = 8.0


@dataclass(frozen=True)
class Found:
    """The outcome of a search, lengths in pixels of the picture.

    Attributes
    ----------
    candidate : Disk, Gaussian, Motion or None
        The PSF; None if the picture is sharp.
    score : float
        Log likelihood per frequency that it gains over no blur; 0 for None.
    radius, criterion : ndarray
        The evidence: radii tried, and minus the log likelihood per frequency against that of no blur (0).
    gain : float
        Log of the odds for the PSF against no blur, all frequencies together.
    """

    candidate: Candidate | None
    score: float
    radius: np.ndarray
    criterion: np.ndarray
    gain: float = 0.0


def find(image, families, width, report, blurred=False):
    """The likeliest PSF of some families.

    Parameters
    ----------
    image : array, shape (M, N)
        Linear light, or ink, evenly lit.
    families : list of classes
        Of `deconv.blind.parametric.families`.
    width : int
        Width of the whole picture, which bounds the radius.
    report : callable
        ``report(fraction)``.
    blurred : bool
        Whether it is known not to be sharp.

    Returns
    -------
    Found
    """
    largest = max(_LARGEST * width, 2 * _SMALLEST)
    if Motion in families:
        moved, others = _find_moved(image, largest), [f for f in families if f is not Motion]
        report(1.0 if not others else 0.5)
        return max([moved, *([find(image, others, width, report, blurred)] if others else [])], key=lambda f: f.gain)
    # (A long strip is not made a line of few pixels.)
    factor = max(1.0, min(max(image.shape) / _COARSEST, min(image.shape) / _NARROWEST))
    radii, criteria, best, was = [], [], None, 1.0
    while True:
        small, scale = at_scale(image, factor)
        top = min(largest / scale, 0.4 * min(small.shape))
        spectrum = Periodogram(small, MARGIN * max(small.shape), largest=top, falls=families != [Disk])
        total = float(spectrum.count.sum())
        octaves = math.log2(top / _SMALLEST)
        steps = np.geomspace(_SMALLEST, top, max(2, math.ceil(max(f.per_octave for f in families) * octaves)))
        nothing = spectrum.fit().evidence
        tried = _scan(spectrum, families, steps)
        radii.extend(steps * scale)
        criteria.extend((fit.evidence - nothing) / total for fit in tried)
        report(0.7)
        starts = (
            _minima(tried) if best is None else [*_minima(tried), spectrum.fit(_scaled(best.candidate, was / scale))]
        )
        fits = [(spectrum.fit(f.candidate, f.start, vary=True), f.candidate) for f in starts]
        fits = [fit for fit, start in fits if _possible(small, fit.candidate, start)]
        best = min(fits, key=_evidence, default=None)
        gain = -math.inf if best is None else (nothing - best.evidence) / best.dispersion
        if scale == 1.0 or (gain > _CHANCE and best.candidate.radius >= _TOO_COARSE):
            break
        # Blur this small shows better on a finer grid; of what is much larger only the likeliest need be tried there.
        largest, was = 1.5 * _TOO_COARSE * scale, scale
        factor = max(1.0, factor / _FINER)
    report(1.0)
    order = np.argsort(radii)
    curve = np.asarray(radii)[order], np.asarray(criteria)[order]
    if gain < _needed(best, scale, total, blurred):
        return Found(None, 0.0, *curve)
    return Found(_scaled(best.candidate, scale), gain / total, *curve, gain)


def at_radius(image, radius, report):
    """A disc of a radius that is told, as `find` would have found it: its edge is fitted, and the evidence is its own.

    Parameters
    ----------
    image : array, shape (M, N)
        As of `find`.
    radius : float
        In pixels of the picture.
    report : callable
        ``report(fraction)``.

    Returns
    -------
    Found
        Its score is below 0 if no blur at all is likelier.
    """
    candidate = Told(radius)
    spectrum, scale = _shown(image, candidate)
    nothing, fit = spectrum.fit(), spectrum.fit(_scaled(candidate, 1 / scale), vary=True)
    lost, total = fit.evidence - nothing.evidence, float(spectrum.count.sum())
    report(1.0)
    candidate, gain = replace(fit.candidate, radius=radius), -lost / fit.dispersion
    return Found(candidate, gain / total, np.asarray([radius]), np.asarray([lost / total]), gain)


def beside(image, candidate, family):
    """Log of the odds against no blur of a PSF, and of the likeliest one of a family of similar size, on one grid."""
    small, scale = at_scale(image, candidate.radius / _REFINE_RADIUS)
    spectrum = Periodogram(small, MARGIN * max(small.shape))
    nothing, own = spectrum.fit(), spectrum.fit(_scaled(candidate, 1 / scale), vary=True)
    radii = candidate.radius / scale * np.geomspace(*_SIMILAR, 16)
    best = min(_scan(spectrum, [family], radii), key=_evidence)
    other = spectrum.fit(best.candidate, best.start, vary=True)
    return tuple((nothing.evidence - fit.evidence) / fit.dispersion for fit in (own, other))


def refine(image, candidate):
    """The numbers of a PSF once more, on the grid that shows it best."""
    spectrum, scale = _shown(image, candidate)
    if isinstance(candidate, Motion):
        spectrum = spectrum.along(candidate.angle, 2 * candidate.radius / scale)
    start = _scaled(candidate, 1 / scale)
    fit = spectrum.fit(start, vary=True)
    # (By this ratio, 1 if it was told, a radius stays what it was to the last digit.)
    return replace(fit.candidate, radius=candidate.radius * (fit.candidate.radius / start.radius))


def _shown(image, candidate):
    """The spectrum on the grid that shows a PSF best, and the pixels of the picture in one of that grid."""
    # (A radius that is told may be large beside the part that holds the text.)
    small, scale = at_scale(image, min(candidate.radius / _REFINE_RADIUS, min(image.shape) / _NARROWEST))
    return Periodogram(small, MARGIN * max(small.shape), falls=not isinstance(candidate, Disk)), scale


def _scaled(candidate, scale):
    return replace(candidate, radius=candidate.radius * scale)


def _find_moved(image, largest):
    candidate, gain, score, lengths, criterion = find_motion(image, 2 * largest)
    slight = candidate is not None and candidate.radius < candidate.slight[0] and score < candidate.slight[1]
    if candidate is None or gain < _MOVED or slight:
        return Found(None, 0.0, lengths / 2, criterion)
    return Found(candidate, score, lengths / 2, criterion, gain)


def _needed(best, scale, total, blurred):
    """Log of the odds against no blur from which a PSF is believed."""
    if best is None or best.candidate.radius * scale < best.candidate.sharp:
        return math.inf
    radius, gain = best.candidate.slight
    if best.candidate.radius * scale >= radius:
        return _CHANCE
    return max(_CHANCE, min(gain * total, _BLURRED if blurred else math.inf))


def _possible(image, candidate, start):
    """Whether a fit is sure and stayed near its start, and anything so blurred has slopes as steep as the picture's.

    Rings of zeros that a scene has itself, or that lie closer than the spectrum resolves, may fit a disc far too large.
    """
    if candidate.uncertainty > candidate.unsure or abs(math.log(candidate.radius / start.radius)) > _STRAYED:
        return False
    small, scale = at_scale(image, candidate.radius / _STEEP_RADIUS)
    xp, steepest = array_namespace(image), _MOST * _scaled(candidate, 1 / scale).steepest()
    # (Light need not end at 1.)
    steepest *= max(1.0, float(xp.max(image)) - float(xp.min(image)))
    slopes = [xp.abs(small[1:, :] - small[:-1, :]), xp.abs(small[:, 1:] - small[:, :-1])]
    return all(float(np.quantile(to_numpy(s), 0.995)) < steepest for s in slopes)


def _scan(spectrum, families, steps):
    """For each radius the likeliest candidate's fit; each begins with the fit of the radius before."""
    best = [None] * len(steps)
    for family in families:
        start = None
        for i, step in enumerate(steps):
            fit = spectrum.fit(family(float(step)), start)
            start = fit.start
            if best[i] is None or fit.evidence < best[i].evidence:
                best[i] = fit
    return best


def _minima(tried):
    """The likeliest few of the minima over the radius."""
    values = [math.inf, *(fit.evidence for fit in tried), math.inf]
    minima = [i for i in range(1, len(values) - 1) if values[i] <= min(values[i - 1], values[i + 1])]
    return [tried[i - 1] for i in sorted(minima, key=values.__getitem__)[:_MINIMA]]


def _evidence(fit):
    return fit.evidence
