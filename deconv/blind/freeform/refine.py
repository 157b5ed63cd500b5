"""Refinement of a PSF at one scale: the edge penalty rises once more, then falls step by step to what noise allows.

A scene with few edges cannot imitate the errors of the PSF, so that the PSF has to change. Lower penalties then restore
the detail.
"""

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from deconv.blind.freeform.light import Light
from deconv.blind.freeform.psf_step import centred, cut_or_padded, extent, pruned
from deconv.blind.freeform.scale import Scale
from deconv.blind.settings.freeform import Refinement

__all__ = ["Report", "ScoredPsf", "best_of", "long_pass", "refine", "refine_below_noise", "silent", "trimmed"]

# Called with the fraction done, 0 to 1.
Report = Callable[[float], None]


def silent(_: float) -> None:
    """Discard the progress."""


@dataclass(frozen=True)
class ScoredPsf:
    """A refined PSF at full resolution, and its score.

    Attributes
    ----------
    light : Light
        The encoding in which it was refined.
    scale : Scale
        Images on which it was scored.
    psf : ndarray, shape (m, m)
        The PSF, sum 1.
    cost : float
        Cost of the PSF over that of no blur, which compares images, encodings and windows; smaller is better.
    flat : float
        Fraction of the scene that is flat.
    gain : float
        Relative decrease of the cost from that of no blur, here or at a coarser scale, whichever is larger.
    energy_gain : float
        Relative decrease of the scene's energy from that of no blur.
    """

    light: Light
    scale: Scale
    psf: np.ndarray
    cost: float
    flat: float
    gain: float
    energy_gain: float

    @functools.cached_property
    def evidence(self) -> float:
        """Log evidence relative to no blur, in nats (`Power.evidence`)."""
        return self.light.power.evidence(self.psf)

    @classmethod
    def scored(cls, light: Light, scale: Scale, psf: np.ndarray, least_gain: float = -math.inf) -> "ScoredPsf":
        """Score a PSF; `least_gain` is its gain at another scale, which counts if it is larger."""
        score = scale.scorer.score(psf)
        gain = scale.scorer.gain(score)
        return cls(light, scale, psf, 1 - gain, score.flat, max(least_gain, gain), scale.scorer.energy_gain(score))


def best_of(candidates: Sequence[ScoredPsf], *, settings: Refinement) -> ScoredPsf:
    """The PSF of the lowest cost of those with enough evidence.

    The cost alone prefers small wrong PSFs in noisy images, the evidence alone those retrieved from the power, whose
    phases may be wrong.
    """
    least = settings.evidence_share * max(each.evidence for each in candidates)
    return min(candidates, key=lambda each: (each.evidence < least, each.cost))


def refine(
    scale: Scale,
    psf: np.ndarray,
    penalties: Sequence[float],
    least: float,
    report: Report = silent,
    *,
    cut: tuple[float, float] | None = None,
    rounds: int | None = None,
) -> np.ndarray:
    """Refine a PSF by rounds of scene and PSF step at one scale, with falling edge penalty.

    Parameters
    ----------
    scale : Scale
        The images, and the settings.
    psf : ndarray, shape (m, m)
        Initial PSF.
    penalties : sequence of float
        Edge penalties, falling. Those below `least` are replaced by a single one of `least`.
    least : float
        Smallest edge penalty that the errors of the images allow.
    report : callable
        ``report(fraction)``.
    cut : (float, float), optional
        Least weight and least piece of the PSF, as `pruned` takes them; by default those of the settings.
    rounds : int, optional
        Rounds at each penalty; by default those of the settings.

    Returns
    -------
    ndarray, shape (m, m)
        The refined PSF, sum 1.
    """
    settings = scale.settings.refinement
    cut = (settings.least_weight, settings.least_piece) if cut is None else cut
    rounds = settings.rounds if rounds is None else rounds
    schedule = [p for p in penalties if p > least] + [max(least, penalties[-1])]
    for i, penalty in enumerate(schedule):
        for _ in range(rounds):
            psf = pruned(scale.round(psf, penalty, settings.ridge, predict_outside=True), *cut)
        psf = centred(psf)
        report((i + 1) / len(schedule))
    return psf


def long_pass(scale: Scale, psf: np.ndarray, least: float) -> np.ndarray:
    """Longer rounds, for a refined PSF that is in doubt, and its refinement once more."""
    settings = scale.settings.refinement
    penalties = tuple(np.geomspace(max(settings.long_pass_penalty, least), least, settings.long_pass_steps))
    cut = (settings.long_pass_least_weight, settings.least_piece)
    psf = refine(scale, psf, penalties, least, cut=cut, rounds=settings.long_pass_rounds)
    return refine(scale, psf, settings.penalties, least)


def refine_below_noise(scale: Scale, psf: np.ndarray, least: float) -> np.ndarray:
    """The last rounds, with edge penalties below what the noise allows."""
    penalties = tuple(part * least for part in scale.settings.refinement.last)
    return refine(scale, psf, penalties, penalties[-1])


def trimmed(psf: np.ndarray, *, settings: Refinement) -> np.ndarray:
    """The PSF without small weights and pieces, on the smallest support that holds it."""
    psf = pruned(psf, settings.least_weight, settings.least_piece)
    return cut_or_padded(psf, extent(psf))
