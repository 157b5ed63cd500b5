"""The search from PSFs retrieved from the power spectrum, at full resolution.

If the path of the camera is longer than letters are large, coarse scales show nothing but grey bars, and a
coarse-to-fine search cannot begin. So PSFs are retrieved from the power spectrum of the images
(`deconv.blind.freeform.phase`) and refined directly at full resolution.
"""

import functools
import math
from collections.abc import Sequence
from operator import attrgetter
from typing import NamedTuple

import numpy as np

from deconv.blind.freeform.phase import Power
from deconv.blind.freeform.psf_step import centred, cut_or_padded, extent, heaviest_square, pruned
from deconv.blind.freeform.refine import Report, ScoredPsf, refine
from deconv.blind.freeform.scale import Observation, Scale
from deconv.blind.freeform.supports import odd_side, supports
from deconv.blind.settings.freeform import FreeForm, Starts

__all__ = ["PowerStarts"]


class _Schedule(NamedTuple):
    """Edge penalties that fall geometrically: the first one, their number, and the rounds at each."""

    first: float
    steps: int
    rounds: int

    @classmethod
    def first_pass(cls, settings: Starts) -> "_Schedule":
        """For a retrieved PSF and its rotated copy."""
        return cls(settings.first_pass_penalty, settings.first_pass_steps, settings.first_pass_rounds)

    @classmethod
    def second_pass(cls, settings: Starts) -> "_Schedule":
        """For the better result of the first pass."""
        return cls(settings.second_pass_penalty, settings.second_pass_steps, settings.second_pass_rounds)

    @classmethod
    def long_pass(cls, settings: Starts) -> "_Schedule":
        """For a refined PSF that is in doubt."""
        return cls(settings.long_pass_penalty, settings.long_pass_steps, settings.long_pass_rounds)


class PowerStarts:
    """The search from PSFs retrieved from the power spectrum.

    Parameters
    ----------
    observations : sequence of Observation
        The images, scaled to contrast 1.
    sizes : (int, int) or None
        Smallest and largest side of the support.
    least_penalty : float
        Smallest edge penalty that the errors of the images allow.
    settings : FreeForm
        Settings of all stages.

    Attributes
    ----------
    best : ScoredPsf or None
        The best refined PSF; None while none is clearly better than no blur.
    solved : bool
        Whether no other start is needed.
    """

    def __init__(
        self,
        observations: Sequence[Observation],
        sizes: tuple[int, int] | None,
        least_penalty: float,
        *,
        settings: FreeForm,
    ) -> None:
        self._observations, self._sizes, self._least_penalty = observations, sizes, least_penalty
        self._all, self._settings = settings, settings.starts
        self._largest = supports(observations, sizes, settings=settings.multi_start)[-1]
        self._scales: dict[int, Scale] = {}
        self._starts, self._lowest_cost = 0, math.inf
        self.best: ScoredPsf | None = None
        self.solved = False

    @functools.cached_property
    def _power(self) -> Power:
        return Power([o.image for o in self._observations], settings=self._all.phase_retrieval)

    def search(self, sides: Sequence[int], times: int, report: Report) -> None:
        """Start `times` times on a support of each side, or until the problem is solved."""
        if self._sizes is None:
            sides = [side for side in sides if side <= self._largest] or [self._largest]
        else:
            sides = [self._largest] * len(sides)
        for i, side in enumerate(times * list(sides)):
            self._start(odd_side(side))
            report((i + 1) / (times * len(sides)))
            if self.solved:
                return

    def _start(self, side: int) -> None:
        """One start: retrieve a PSF, continue from it and its rotated copy, refine the better one if promising."""
        self._starts += 1
        wider = odd_side(self._settings.support_factor * side)
        retrieved = self._retrieved(side, wider)
        if retrieved is None:
            return
        scale = self._scale(wider)
        no_blur = scale.scorer.no_blur.cost
        cost, psf, faint = self._both_continued(scale, retrieved, no_blur)
        if cost < min(self._lowest_cost, (1 - self._settings.refine_from_gain) * no_blur):
            self._accept(self._refined(psf, faint), cost, wider)

    def _retrieved(self, side: int, wider: int) -> np.ndarray | None:
        """A PSF of side `side` from the power, pruned and padded to `wider`; None if the power shows no PSF."""
        settings = self._settings
        psf, evidence = self._power.likely(side, np.random.default_rng(self._starts))
        if evidence < settings.least_evidence:
            return None
        return cut_or_padded(centred(pruned(psf, settings.least_weight, settings.least_piece)), wider)

    def _scale(self, side: int) -> Scale:
        """The images at full resolution, for PSFs of side `side`."""
        if side not in self._scales:
            self._scales[side] = Scale(self._observations, 0, side, settings=self._all)
        return self._scales[side]

    def _both_continued(self, scale: Scale, psf: np.ndarray, no_blur: float) -> tuple[float, np.ndarray, bool]:
        """Continue from a PSF and its rotated copy, which have the same power spectrum.

        The better one goes through a second pass, and both grow if even the best is faint. Returns cost and PSF of
        the best result, and whether branches of it may be missing.
        """
        first_pass, second_pass = _Schedule.first_pass(self._settings), _Schedule.second_pass(self._settings)
        both = sorted((self._continued(scale, each, first_pass) for each in (psf, psf[::-1, ::-1])), key=_first)
        results = [both[0], self._continued(scale, both[0][1], second_pass)]
        faint = min(cost for cost, _ in results) > (1 - self._settings.solved_from_gain) * no_blur
        if faint:
            results += [self._continued(scale, self._grown(scale, each), second_pass) for _, each in both]
        cost, psf = min(results, key=_first)
        return cost, psf, faint

    def _accept(self, candidate: ScoredPsf, cost: float, side: int) -> None:
        """Keep a refined PSF if it is the best, and end the search if it solves the problem.

        `cost` and `side` are those of the PSF and its support before the refinement.
        """
        self.best = candidate if self.best is None else min(candidate, self.best, key=attrgetter("cost"))
        # A PSF that its support cuts off may cost less than a complete one, so it must not end the search.
        if self._sizes is not None or extent(candidate.psf) <= self._settings.cut_off_from_fill * side:
            self._lowest_cost, self.solved = cost, candidate.gain > self._settings.solved_from_gain

    def _continued(self, scale: Scale, psf: np.ndarray, schedule: _Schedule) -> tuple[float, np.ndarray]:
        """The cost and the PSF at the end of a schedule of falling penalties."""
        psf = self._continuation(scale, psf, schedule)
        return scale.scorer.score(psf).cost, psf

    def _continuation(self, scale: Scale, psf: np.ndarray, schedule: _Schedule) -> np.ndarray:
        least, cut = self._least_penalty, (self._settings.least_weight, self._settings.least_piece)
        penalties = tuple(np.geomspace(max(schedule.first, least), least, schedule.steps))
        return refine(scale, psf, penalties, least, cut=cut, rounds=schedule.rounds)

    def _grown(self, scale: Scale, psf: np.ndarray) -> np.ndarray:
        """Let faint branches grow from the ends of a PSF: high edge penalties, and faint weights are kept."""
        cut = (self._settings.growth_least_weight, self._settings.growth_least_piece)
        for penalty, rounds in self._settings.growth_schedule:
            psf = refine(scale, psf, (penalty,), self._least_penalty, cut=cut, rounds=rounds)
        return psf

    def _refined(self, psf: np.ndarray, faint: bool) -> ScoredPsf:
        """The PSF refined on the allowed support; `faint` if branches of it may be missing."""
        side = psf.shape[0] if self._sizes is None else min(psf.shape[0], odd_side(self._sizes[1]))
        scale, psf = Scale(self._observations, 0, side, settings=self._all), heaviest_square(psf, side)
        # In noisy images the last penalties may add clutter, so the PSF before them competes.
        candidates = [
            ScoredPsf.scored(scale, psf),
            ScoredPsf.scored(scale, refine(scale, psf, self._all.refinement.penalties, self._least_penalty)),
        ]
        best = min(candidates, key=attrgetter("cost"))
        while (better := self._improved(scale, best, faint)) is not None:
            best = better
        return best

    def _improved(self, scale: Scale, candidate: ScoredPsf, faint: bool) -> ScoredPsf | None:
        """A doubtful candidate after longer rounds, after growth too if `faint`; None if it does not improve."""
        if candidate.gain >= self._settings.long_pass_below_gain:
            return None
        for grow in (False, True) if faint else (False,):
            psf = self._grown(scale, candidate.psf) if grow else candidate.psf
            psf = self._continuation(scale, psf, _Schedule.long_pass(self._settings))
            psf = refine(scale, psf, self._all.refinement.penalties, self._least_penalty)
            further = ScoredPsf.scored(scale, psf)
            if further.gain >= candidate.gain + self._settings.long_pass_improvement:
                return further
        return None


def _first(result: tuple[float, np.ndarray]) -> float:
    return result[0]
