"""The multi-start search: coarse to fine from several sizes of the support and several edge penalties.

Coarse scales are cheap, so many trials run there, and all are scored. The best continue at the next scale and are
scored again; the others follow only if that leaves doubt. The best of all is refined at full resolution.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from operator import attrgetter

import numpy as np

from deconv.blind.freeform.light import Light
from deconv.blind.freeform.psf_step import centred, extent, pruned, resampled
from deconv.blind.freeform.refine import Report, ScoredPsf, refine
from deconv.blind.freeform.scale import Scale
from deconv.blind.freeform.supports import odd_side, side_at, supports
from deconv.blind.settings.freeform import FreeForm

__all__ = ["MultiStartSearch", "Trial"]


@dataclass(frozen=True)
class Trial:
    """One trial of the search.

    Attributes
    ----------
    size : int
        Side of the support, in pixels of the image.
    penalty : float
        First edge penalty.
    cost : float
        Cost of the PSF at the last scale where it was scored; smaller is better.
    psf : ndarray
        Result of the trial, at that scale.
    """

    size: int
    penalty: float
    cost: float
    psf: np.ndarray = field(repr=False)


class MultiStartSearch:
    """The coarse-to-fine search from several starts.

    Parameters
    ----------
    light : Light
        The images in one encoding.
    sizes : (int, int) or None
        Smallest and largest side of the support.
    settings : FreeForm
        Settings of all stages.
    """

    def __init__(self, light: Light, sizes: tuple[int, int] | None, *, settings: FreeForm) -> None:
        self._light, self._sizes, self._least_penalty = light, sizes, light.least_penalty
        self._all, self._settings, self._scales = settings, settings.multi_start, settings.scales
        self._supports = supports(light.observations, sizes, settings=settings.multi_start)
        usual = max(size for size, _ in settings.multi_start.trials) if sizes is None else sizes[1]
        self._observations = light.in_window(usual)

    def run(self, report: Report) -> tuple[list[Trial], ScoredPsf]:
        """Run the search; return all trials, the best first, and the refined PSF of the best."""
        trials = self._coarse_trials(lambda part: report(0.6 * part))
        level = self._scales.second_scored
        second = self._scale(level, max(trial.size for trial in trials))
        trials = self._carried_on(trials, second, lambda part: report(0.6 + 0.2 * part))
        best = trials[0]
        gain = 1.0 - best.cost / second.scorer.no_blur.cost
        side = odd_side(best.size)
        own = self._light.scale(side)
        psf = resampled(best.psf, side, self._scales.ratio**level)
        psf = self._refined(own, psf, lambda part: report(0.8 + 0.2 * part))
        # Scored again at full resolution: the coarser scale can hardly separate a correct PSF of 9 pixels from no blur.
        # For large PSFs the coarser scale is the more telling one, so the larger of the two gains counts.
        candidate = ScoredPsf.scored(self._light, own, psf, gain)
        if candidate.cost > 1 - self._settings.confident_from_gain:
            candidate = min(
                candidate, ScoredPsf.scored(self._light, own, self._refined(own, psf), gain), key=attrgetter("cost")
            )
        return trials, candidate

    def _scale(self, level: int, reach: int) -> Scale:
        return Scale(self._observations, level, reach, settings=self._all)

    def _refined(self, scale: Scale, psf: np.ndarray, report: Report | None = None) -> np.ndarray:
        report = report or (lambda _: None)
        return refine(scale, psf, self._all.refinement.penalties, self._least_penalty, report)

    def _coarse_trials(self, report: Report) -> list[Trial]:
        """Run all trials at the coarse scales; return them, the best first."""
        settings, level, given = self._settings, self._scales.first_scored, self._sizes is not None
        scorer = self._scale(level, self._side(self._supports[-1], level)).scorer
        trials = []

        def attempt(size: int, penalty: float) -> None:
            psf = pruned(self._coarse(size, penalty), settings.least_weight, settings.least_piece)
            trials.append(Trial(size, penalty, scorer.score(psf).cost, psf))

        pairs = [(size, penalty) for size, penalty in settings.trials if size in self._supports]
        if given:
            penalties = sorted({penalty for _, penalty in settings.trials})
            pairs = [(size, penalty) for size in self._supports for penalty in penalties]
        for i, (size, penalty) in enumerate(pairs):
            attempt(size, penalty)
            report((i + 1) / len(pairs))
        for size in () if given else settings.larger_supports:
            widest = extent(min(trials, key=attrgetter("cost")).psf) * self._scales.ratio**level
            if size > self._supports[-1] or widest < settings.larger_from_fill * max(trial.size for trial in trials):
                break
            attempt(size, settings.larger_penalty)
        return sorted(trials, key=attrgetter("cost"))

    def _carried_on(self, trials: list[Trial], scale: Scale, report: Report) -> list[Trial]:
        """Continue the best trials at the second scale, and the others too if that leaves doubt; the best first."""
        settings = self._settings

        def carry_on(trial: Trial) -> Trial:
            penalty = self._penalty_after_coarse(trial.penalty)
            psf = self._climb(trial.psf, trial.size, penalty, [self._scales.second_scored])
            return refine_again(replace(trial, psf=psf))

        def refine_again(trial: Trial) -> Trial:
            psf = refine(scale, trial.psf, settings.second_scale_penalties, self._least_penalty)
            return replace(trial, psf=psf, cost=scale.scorer.score(psf).cost)

        def confident() -> bool:
            return min(trial.cost for trial in done) < (1 - settings.confident_from_gain) * scale.scorer.no_blur.cost

        done = [carry_on(trial) for trial in trials[: settings.trials_kept]]
        rest = trials[settings.trials_kept :]
        report(0.7)
        if not confident():
            done, rest = done + [carry_on(trial) for trial in rest], []
        for _ in range(settings.max_repeats):
            if confident():
                break
            done = sorted(done, key=attrgetter("cost"))
            done += [refine_again(trial) for trial in done[: settings.trials_kept]]
        report(1.0)
        return [*sorted(done, key=attrgetter("cost")), *rest]

    def _coarse(self, size: int, penalty: float) -> np.ndarray:
        """The PSF at the first scored scale, starting from two neighbouring pixels at the coarsest scale."""
        scales = self._scales
        top = max(math.floor(math.log(size / scales.coarsest_side, scales.ratio)), scales.first_scored)
        side = self._side(size, top)
        psf = np.zeros((side, side))
        psf[side // 2, side // 2 - 1 : side // 2 + 1] = 0.5
        return self._climb(psf, size, penalty, range(top, scales.first_scored - 1, -1), resample_first=False)

    def _climb(
        self, psf: np.ndarray, size: int, penalty: float, levels: Iterable[int], *, resample_first: bool = True
    ) -> np.ndarray:
        """Rounds of scene and PSF step at each of the scales `levels`, the edge penalty falling with every round.

        `psf` is at the scale before the first of these, or at the first one itself unless `resample_first`.
        """
        settings = self._settings
        resample = resample_first
        for level in levels:
            side = self._side(size, level)
            if resample:
                psf = resampled(psf, side, self._scales.ratio)
            resample, scale = True, self._scale(level, side)
            for _ in range(settings.rounds):
                psf = scale.round(psf, max(penalty, self._least_penalty), settings.ridge)
                psf = pruned(psf, settings.least_weight, settings.least_piece)
                penalty = self._decayed(penalty, 1)
            psf = centred(psf)
        return psf

    def _penalty_after_coarse(self, penalty: float) -> float:
        """The edge penalty after the coarse scales, which count as four whatever the size of the support."""
        return self._decayed(penalty, 4 * self._settings.rounds)

    def _decayed(self, penalty: float, rounds: int) -> float:
        return max(penalty / self._settings.decay**rounds, self._all.edge_penalty.least)

    def _side(self, size: int, level: int) -> int:
        return side_at(size, level, settings=self._scales)
