r"""A straight movement, found in two steps from the spectrum of one picture.

A movement of length L at an angle multiplies the scene's power by :math:`\mathrm{sinc}^2(L f_\parallel)`, whose zeros
lie in lines across it. To try every angle with every length is dear, so the angle is found first, in coarse bins of
frequency, by the movement's *envelope* :math:`1 / (1 + 2 (\pi L f_\parallel)^2)`, which is what the zeros average to.
Then, in bins that are narrow along that direction and wide across it, the length is found by the zeros. The envelope is
also what a movement has to beat: long straight edges, and shakes, have it too.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from deconv._core.resample import at_scale
from deconv.blind.parametric.families import Motion
from deconv.blind.spectrum import MARGIN, Periodogram

__all__ = ["find_motion"]

# Longer side in pixels of the coarsest scale, and pixels that the shorter one keeps there.
_COARSEST, _NARROWEST = 200, 16
# Directions in half a turn, and ratio of the rings' radii, while the angle is looked for.
_SECTORS, _RINGS = 24, 1.15
# Lengths tried of the envelope; so many of the likeliest angles are looked at with their zeros,
# and the likeliest also so many degrees aside.
_LENGTHS, _ANGLES, _ASIDE = 5, 3, 6.0
# Shortest length tried, in pixels of the scale; lengths tried an octave, from and to these parts of the envelope's.
_SHORTEST, _PER_OCTAVE, _RANGE = 2.5, 14, (0.3, 2.5)
# A length of fewer pixels than this is looked at again, at a scale so many times finer.
_TOO_COARSE, _FINER = 4.0, 3.0
# Log of the odds of an envelope worth a look at its zeros; movements have 88 and more. Nats to which scans are exact.
_LEAST, _ROUGHLY = 10.0, 0.3
# Zeros filled further than this are none.
_FILLED = 0.34


@dataclass(frozen=True)
class _Envelope:
    """What a movement does to the power, its zeros apart."""

    length: float
    angle: float

    def power(self, f, direction, _smear):
        """Mean over the few degrees that a bin spans."""
        total = 0.0
        for off in (-60 / _SECTORS, 0.0, 60 / _SECTORS):
            along = f * np.cos(np.deg2rad(direction + self.angle + off))
            total = total + 1 / (1 + 2 * (np.pi * self.length * along) ** 2)
        return total / 3


def find_motion(image, largest):
    """The likeliest movement in a picture.

    Parameters
    ----------
    image : array, shape (M, N)
        Linear light, or ink, evenly lit.
    largest : float
        Longest movement, in pixels.

    Returns
    -------
    candidate : Motion or None
        The movement in pixels of the picture; None if it is not sure.
    gain : float
        Log of the odds for its zeros: against the same without zeros, and against no blur.
    score : float
        Log likelihood per frequency that it gains over no blur.
    lengths, criterion : ndarray
        Lengths tried and minus the log likelihood per frequency against that of no blur.
    """
    factor = max(1.0, min(max(image.shape) / _COARSEST, min(image.shape) / _NARROWEST))
    best, scale = None, math.inf
    while scale > 1.0 and (best is None or 2 * best[0].radius < _TOO_COARSE * scale or best[1] <= 0):
        small, scale = at_scale(image, factor)
        spectrum = Periodogram(small, MARGIN * max(small.shape))
        longest = min(largest / scale, 0.8 * min(small.shape))
        for start in _angles(spectrum, longest):
            found = _along(spectrum, *start, longest)
            if found is not None and (best is None or found[1] > best[1]):
                candidate, gain, score, lengths, criterion = found
                candidate = replace(candidate, radius=candidate.radius * scale)
                best = candidate, gain, score, lengths * scale, criterion
        largest = 1.5 * _TOO_COARSE * scale
        factor = max(1.0, factor / _FINER)
    return (None, 0.0, 0.0, np.empty(0), np.empty(0)) if best is None else best


def _angles(spectrum, longest):
    """Angles and lengths of the likeliest envelopes."""
    coarse = spectrum.coarse(_SECTORS, _RINGS)
    nothing = coarse.fit()
    angles = np.arange(_SECTORS) * (180.0 / _SECTORS)
    found = []
    for angle in angles:
        best, start = None, nothing.start
        for length in np.geomspace(_SHORTEST, longest, _LENGTHS):
            fit = coarse.fit(_Envelope(float(length), float(angle)), start, done=_ROUGHLY)
            start = fit.start
            if best is None or fit.evidence < best.evidence:
                best = fit
        found.append(best)
    values = [fit.evidence for fit in found]
    minima = [i for i in range(_SECTORS) if values[i] <= min(values[i - 1], values[(i + 1) % _SECTORS])]
    likeliest = [found[i].candidate for i in sorted(minima, key=values.__getitem__)[:_ANGLES]]
    if nothing.evidence - min(values) < _LEAST:
        return []
    # The scene's own directions draw an envelope aside, by more than the zeros forgive.
    beside = [replace(likeliest[0], angle=likeliest[0].angle + off) for off in (-_ASIDE, _ASIDE)]
    return [(c.angle, c.length) for c in likeliest + beside]


def _along(spectrum, angle, length, longest):
    """The likeliest movement near an angle: what `find_motion` returns, at this scale; None if none is sure."""
    low, high = max(_SHORTEST, _RANGE[0] * length), min(_RANGE[1] * length, longest)
    bins = spectrum.along(angle, high)
    nothing = bins.fit()
    plain, start = nothing, nothing.start
    for envelope in np.geomspace(_SHORTEST, longest, _LENGTHS):
        fit = bins.fit(_Envelope(float(envelope), angle), start, done=_ROUGHLY)
        start = fit.start
        plain = min(plain, fit, key=lambda f: f.evidence)
    lengths = np.geomspace(low, high, max(2, math.ceil(_PER_OCTAVE * math.log2(high / low))))
    tried, start = [], nothing.start
    for each in lengths:
        tried.append(bins.fit(Motion(float(each) / 2, angle), start, done=_ROUGHLY))
        start = tried[-1].start
    best = min(tried, key=lambda f: f.evidence)
    fit = bins.fit(best.candidate, best.start, vary=True)
    candidate, total = fit.candidate, float(bins.count.sum())
    if candidate.uncertainty > candidate.unsure or candidate.fill > _FILLED:
        return None
    criterion = np.array([f.evidence - nothing.evidence for f in tried]) / total
    gain = (plain.evidence - fit.evidence) / fit.dispersion
    return candidate, gain, (nothing.evidence - fit.evidence) / fit.dispersion / total, lengths, criterion
