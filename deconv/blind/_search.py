"""Coarse to fine search for the PSF of a family: by the spectrum over the whole range, then by restoring."""

import math
from dataclasses import dataclass, replace

import numpy as np

from deconv import noise
from deconv._array import array_namespace, like
from deconv._resample import at_scale
from deconv._variational import Splitting
from deconv.blind._families import Disk, Gaussian
from deconv.blind._spectrum import Periodogram
from deconv.priors import TotalVariation

__all__ = ["Found", "find", "refine"]

# Longer side in pixels of the coarsest scale: blur up to 9 % of it is some twenty pixels, enough to see rings of zeros.
_COARSEST = 256
# Largest radius, as part of the width of the picture.
_LARGEST = 0.09
# Smallest radius tried at any scale, in its pixels, and radii tried per octave.
_SMALLEST = 0.4
_PER_OCTAVE = 14
# A radius of fewer pixels than this is looked at again, at a scale so many times finer.
_TOO_COARSE = 3.0
_FINER = 3.0
# Blur of a smaller radius, in pixels of the picture, is no more than what a sharp picture's own sampling does.
_SHARP = 1.0
# Strokes of one width have zeros of their own: a sharp page of text gains up to 0.066 from a disc of one or two pixels,
# a page so blurred 0.07 and more unless noise hides it. Larger radii only have to beat chance.
_SLIGHT = (3.0, 0.07)
_CHANCE = 20.0
# A restoration explains the picture if its residual is below this part of the picture's standard deviation (true radii
# of the photographs tried leave 0.02-0.06, of a badly lit page 0.18, twice the true radius 0.25 and more).
_UNEXPLAINED = 0.2
# Radius in pixels of the scale at which it is refined by restoring.
_REFINE_RADIUS = 7.0
# Total variation of weight s^2 / g is the likeliest scene for noise s and gradients of Laplacian scale g. The noise is
# never less than the model's own error (photographs leave residuals of 0.003-0.008 of full contrast); both figures were
# chosen on the provided frames and on simulated ones, where the scores are flat within a factor of two of the weight.
MODEL_ERROR = 0.006
EDGE = 0.6


@dataclass(frozen=True)
class Found:
    """The outcome of a search, lengths in pixels of the picture.

    Attributes
    ----------
    candidate : Disk, Gaussian, Motion or None
        The PSF; None if the picture is sharp.
    score : float
        Log likelihood per frequency that it gains over no blur.
    radius, criterion : ndarray
        The evidence: radii tried, and minus the log likelihood per frequency against that of no blur (0).
    """

    candidate: object
    score: float
    radius: np.ndarray
    criterion: np.ndarray


def find(image, families, width, report):
    """The likeliest PSF of some families.

    Parameters
    ----------
    image : array, shape (M, N)
        Linear light, or ink, evenly lit.
    families : list of classes
        Of `deconv.blind._families`.
    width : int
        Width of the whole picture, which bounds the radius.
    report : callable
        ``report(fraction)``.

    Returns
    -------
    Found
    """
    largest = max(_LARGEST * width, 2 * _SMALLEST)
    factor = max(1.0, max(image.shape) / _COARSEST)
    radii, criteria = [], []
    while True:
        small, scale = at_scale(image, factor)
        spectrum = Periodogram(small, max(f.sectors for f in families))
        nothing = spectrum.criterion()
        top = min(largest / scale, 0.4 * min(small.shape))
        steps = np.geomspace(_SMALLEST, top, max(2, math.ceil(_PER_OCTAVE * math.log2(top / _SMALLEST))))
        tried = []
        for step in steps:
            candidates = [c for f in families for c in _coarse(f, float(step))]
            values = [spectrum.criterion(c) - nothing for c in candidates]
            tried.append((min(values), candidates[int(np.argmin(values))]))
        radii.extend(float(step) * scale for step in steps)
        criteria.extend(value for value, _ in tried)
        report(0.7)
        best = _plausible(small, tried)
        reach = _SMALLEST if best is None else best.radius
        if scale == 1.0 or reach >= _TOO_COARSE:
            break
        # Blur this small shows better on a finer grid; nothing much larger needs to be tried there.
        largest = 2 * max(reach, _SMALLEST) * scale
        factor = max(1.0, factor / _FINER)
    if best is not None:
        best, gain = _fine(spectrum, nothing, best, steps[1] / steps[0], report)
    order = np.argsort(radii)
    curve = np.asarray(radii)[order], np.asarray(criteria)[order]
    if best is None or best.radius * scale < _SHARP or -gain < _needed(best, scale, spectrum):
        return Found(None, 0.0, *curve)
    return Found(replace(best, radius=best.radius * scale), -gain, *curve)


def _needed(candidate, scale, spectrum):
    """Log likelihood per frequency that a candidate must gain to be believed."""
    radius, gain = _SLIGHT
    return gain if candidate.radius * scale < radius else _CHANCE / float(spectrum.count.sum())


def _plausible(image, tried):
    """The likeliest candidate that a restoration agrees with; None where no blur at all is likelier.

    Rings of zeros closer than the spectrum resolves are no zeros any more: a radius far too large then fits the
    decay of a spectrum as well as the true one. But no scene blurred that much looks like the picture.
    """
    xp = array_namespace(image)
    values = [math.inf, *(value for value, _ in tried), math.inf]
    minima = [i for i in range(1, len(values) - 1) if values[i] <= min(values[i - 1], values[i + 1])]
    unexplained = 2 * noise.estimate(image) + _UNEXPLAINED * float(xp.std(image))
    for i in sorted(minima, key=values.__getitem__):
        value, candidate = tried[i - 1]
        if value >= 0.0:
            return None
        small, scale = at_scale(image, candidate.radius / _REFINE_RADIUS)
        if _residuals(small, [candidate], scale)[0] < unexplained:
            return candidate
    return None


def _residuals(image, candidates, scale, report=None):
    """Rms residual of a quick restoration of `image`, reduced by `scale`, with each of the candidates."""
    psfs = [like(c.make(1 / scale), image) for c in candidates]
    solver = Splitting(image, tuple(max(p.shape[axis] for p in psfs) for axis in (0, 1)))
    level = (noise.estimate(image) ** 2 + MODEL_ERROR**2) / EDGE
    out = []
    for i, psf in enumerate(psfs):
        solver.solve(psf, TotalVariation(), level, high=math.inf, num_iter=50)
        out.append(solver.rms_residual())
        if report is not None:
            report((i + 1) / len(psfs))
    return out


def _coarse(family, radius):
    """Candidates of one radius at the resolution of the first pass."""
    if family is Disk:
        return [Disk(radius, s) for s in family.softnesses[::2]]
    return [family(radius)] if len(family.angles) == 1 else [family(radius, 0.0, a) for a in family.angles]


def _fine(spectrum, nothing, best, ratio, report):
    """The likeliest of the candidates around `best`, closer together."""
    family = type(best)
    turns = (0.0,) if len(family.angles) == 1 else np.linspace(-1, 1, 7) * (family.angles[1] - family.angles[0])
    tried = [
        family(float(best.radius * ratio**p), s, *(() if len(turns) == 1 else (float(best.angle + t),)))
        for p in np.linspace(-1, 1, 13)
        for s in family.softnesses
        for t in turns
    ]
    values = [spectrum.criterion(c) - nothing for c in tried]
    report(1.0)
    return tried[int(np.argmin(values))], min(values)


def refine(image, candidate, report):
    """The radius within 6 % at which a restoration explains the picture best, by masked total variation.

    The residual of a restoration has a dip at the true radius, but falls again towards zero radius, which explains
    everything: hence only after the spectrum, and near what it says. The two estimates are independent, and the dip's
    is one per cent low (it leans on that fall): their mean is kept.
    """
    if isinstance(candidate, Gaussian):
        # No zeros, no dip: the narrower Gaussian always explains more.
        return candidate
    small, scale = at_scale(image, candidate.radius / _REFINE_RADIUS)
    factors = np.linspace(0.94, 1.06, 9)
    trials = [replace(candidate, radius=candidate.radius * f) for f in factors]
    residuals = _residuals(small, trials, scale, report)
    at = int(np.argmin(residuals))
    if at in (0, len(residuals) - 1):
        return candidate
    a, b, c = residuals[at - 1 : at + 2]
    step = factors[1] - factors[0]
    dip = factors[at] + 0.5 * step * (a - c) / (a - 2 * b + c)
    return replace(candidate, radius=candidate.radius * float(1 + dip) / 2)
