r"""Search for straight motion in the spectrum of one image: first its angle, then its length.

Motion of length L multiplies the scene's power by :math:`\mathrm{sinc}^2(L f_\parallel)`, with zeros on lines
perpendicular to the motion. Trying every angle with every length would be slow. So the angle is searched first, in
coarse bins of frequency, by the *envelope* :math:`1 / (1 + 2 (\pi L f_\parallel)^2)`, the local mean of that factor.
The length is then searched by the zeros, in bins that are narrow along the motion and wide across it. The envelope is
also the alternative that motion has to beat, because long straight edges and camera shake have such an envelope too.
"""

import math
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from deconv._core.array import Array
from deconv._core.resample import at_scale
from deconv.blind.parametric.families import Motion
from deconv.blind.settings.parametric import Parametric
from deconv.blind.spectrum import Blur, Degradation, Fit, Periodogram

__all__ = ["MotionEstimate", "search_motion"]


class MotionEstimate(NamedTuple):
    """The likeliest straight motion.

    Attributes
    ----------
    candidate : Motion or None
        The motion; None if none is certain.
    log_odds : float
        Log odds for its zeros, against the likelier of its envelope without zeros and no blur.
    score : float
        Log evidence per frequency that it gains over no blur.
    lengths, criterion : ndarray
        Lengths tried, and minus the log evidence per frequency of each relative to that of no blur.
    """

    candidate: Motion | None
    log_odds: float
    score: float
    lengths: np.ndarray
    criterion: np.ndarray


@dataclass(frozen=True)
class _Envelope:
    """The effect of motion on the power apart from its zeros, averaged over the directions of a bin."""

    length: float
    angle: float
    bin_width: float

    def power(self, f: np.ndarray, direction: np.ndarray, _smear: float) -> np.ndarray:
        total = np.zeros_like(f)
        for offset in (-self.bin_width / 3, 0.0, self.bin_width / 3):
            along = f * np.cos(np.deg2rad(direction + self.angle + offset))
            total = total + 1 / (1 + 2 * (np.pi * self.length * along) ** 2)
        return total / 3


def search_motion(
    image: Array, largest: float, *, degradation: Degradation | None = None, settings: Parametric
) -> MotionEstimate:
    """The likeliest straight motion in an image.

    Parameters
    ----------
    image : array, shape (M, N)
        Linear light, or ink, evenly lit.
    largest : float
        Largest length tried, in pixels.
    degradation : Degradation, optional
        What was done to the image after the blur, such as JPEG compression.
    settings : Parametric
        Settings of the spectrum and of the search.

    Returns
    -------
    MotionEstimate
        Lengths are in pixels of the image.
    """
    search, motion = settings.search, settings.motion
    factor = max(1.0, min(max(image.shape) / search.coarsest_side, min(image.shape) / search.narrowest_side))
    best: MotionEstimate | None = None
    scale = math.inf
    while scale > 1.0 and (best is None or _too_coarse(best, scale, motion.finer_below) or best.log_odds <= 0):
        small, scale = at_scale(image, factor)
        spectrum = Periodogram(small, settings=settings.spectrum, degradation=degradation, scale=scale)
        longest = min(largest / scale, motion.longest_across * min(small.shape))
        for angle, length in _angles(spectrum, longest, settings):
            trial = _along(spectrum, angle, length, longest, settings)
            if trial is not None and (best is None or trial.log_odds > best.log_odds):
                best = _scaled(trial, scale)
        largest = 1.5 * motion.finer_below * scale
        factor = max(1.0, factor / search.finer_by)
    return MotionEstimate(None, 0.0, 0.0, np.empty(0), np.empty(0)) if best is None else best


def _too_coarse(estimate: MotionEstimate, scale: float, least: float) -> bool:
    return estimate.candidate is not None and 2 * estimate.candidate.radius < least * scale


def _scaled(estimate: MotionEstimate, scale: float) -> MotionEstimate:
    assert estimate.candidate is not None
    candidate = replace(estimate.candidate, radius=estimate.candidate.radius * scale)
    return estimate._replace(candidate=candidate, lengths=estimate.lengths * scale)


def _angles(spectrum: Periodogram, longest: float, settings: Parametric) -> list[tuple[float, float]]:
    """Angles and lengths of the likeliest envelopes."""
    motion = settings.motion
    count = motion.directions
    coarse = spectrum.coarse(count, motion.ring_ratio)
    no_blur = coarse.fit()
    envelopes: list[Fit[_Envelope]] = []
    for angle in np.arange(count) * (180.0 / count):
        fits: list[Fit[_Envelope]] = []
        for length in np.geomspace(motion.shortest, longest, motion.envelope_lengths):
            start: Fit[Any] = fits[-1] if fits else no_blur
            fits.append(coarse.fit(_envelope(length, angle, settings), start, tolerance=motion.scan_tolerance))
        envelopes.append(min(fits, key=lambda fit: fit.cost))
    costs = [fit.cost for fit in envelopes]
    minima = [i for i in range(count) if costs[i] <= min(costs[i - 1], costs[(i + 1) % count])]
    likeliest = [envelopes[i].candidate for i in sorted(minima, key=costs.__getitem__)[: motion.angles]]
    if no_blur.cost - min(costs) < motion.least_log_odds_envelope:
        return []
    # Edges of the scene pull the angle of the envelope aside, by more than the zeros tolerate.
    offsets = (-motion.angle_offset, motion.angle_offset)
    beside = [replace(likeliest[0], angle=likeliest[0].angle + offset) for offset in offsets]
    return [(envelope.angle, envelope.length) for envelope in likeliest + beside]


def _envelope(length: float, angle: float, settings: Parametric) -> _Envelope:
    return _Envelope(float(length), float(angle), 180 / settings.motion.directions)


def _along(
    spectrum: Periodogram, angle: float, length: float, longest: float, settings: Parametric
) -> MotionEstimate | None:
    """The likeliest motion near an angle, in pixels of the spectrum's scale; None if none is certain."""
    motion, limits = settings.motion, settings.search.motion_limits
    low = max(motion.shortest, motion.length_from * length)
    high = min(motion.length_to * length, longest)
    bins = spectrum.along(angle, high)
    no_blur = bins.fit()
    plain: Fit[Blur | None] = no_blur
    start: Fit[Any] = no_blur
    for each in np.geomspace(motion.shortest, longest, motion.envelope_lengths):
        start = envelope = bins.fit(_envelope(each, angle, settings), start, tolerance=motion.scan_tolerance)
        plain = min(plain, envelope, key=lambda fit: fit.cost)
    lengths = np.geomspace(low, high, max(2, math.ceil(limits.sizes_per_octave * math.log2(high / low))))
    scan: list[Fit[Motion]] = []
    for each in lengths:
        start = scan[-1] if scan else no_blur
        scan.append(bins.fit(Motion(float(each) / 2, angle), start, tolerance=motion.scan_tolerance))
    best = min(scan, key=lambda fit: fit.cost)
    fit = bins.fit(best.candidate, best, vary=True)
    candidate, total = fit.candidate, float(bins.count.sum())
    # The lines of a page have zeros in one direction too, at spacings that no motion in the frame has.
    if abs(math.log(candidate.radius / best.candidate.radius)) > settings.search.largest_drift:
        return None
    if candidate.uncertainty > limits.largest_uncertainty or candidate.fill > motion.largest_fill:
        return None
    criterion = np.array([f.cost - no_blur.cost for f in scan]) / total
    log_odds = (plain.cost - fit.cost) / fit.dispersion
    return MotionEstimate(candidate, log_odds, (no_blur.cost - fit.cost) / fit.dispersion / total, lengths, criterion)
