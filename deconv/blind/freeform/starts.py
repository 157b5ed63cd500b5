"""The search from PSFs retrieved from the power spectrum, at full resolution.

If the path of the camera is longer than letters are large, coarse scales show nothing but grey bars, and a
coarse-to-fine search cannot begin. So PSFs are retrieved from the power spectrum of the images
(`deconv.blind.freeform.phase`) and refined directly at full resolution, the likeliest first.

The power hardly depends on the encoding: a PSF found in a wrong encoding is often nearly right, only its score is not.
So each result is scored in every encoding, and continued in the one in which it gains most.
"""

from collections.abc import Sequence
from operator import attrgetter
from typing import NamedTuple

import numpy as np

from deconv.blind.freeform.light import Light
from deconv.blind.freeform.psf_step import centred, cut_or_padded, extent, heaviest_square, pruned
from deconv.blind.freeform.refine import Report, ScoredPsf, best_of, long_pass, refine
from deconv.blind.freeform.scale import Scale
from deconv.blind.freeform.supports import odd_side, supports
from deconv.blind.settings.freeform import FreeForm, Starts
from deconv.psf import similarity

__all__ = ["PowerStarts", "alike"]


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


class _Retrieved(NamedTuple):
    """A PSF retrieved from the power, on the support on which to continue: in which light, and its evidence."""

    light: Light
    psf: np.ndarray
    evidence: float


class PowerStarts:
    """The search from PSFs retrieved from the power spectrum.

    Parameters
    ----------
    lights : sequence of Light
        The images in each encoding.
    sizes : (int, int) or None
        Smallest and largest side of the support.
    settings : FreeForm
        Settings of all stages.

    Attributes
    ----------
    best : ScoredPsf or None
        The best refined PSF; None while none is clearly better than no blur.
    solved : bool
        Whether no other start is needed.
    """

    def __init__(self, lights: Sequence[Light], sizes: tuple[int, int] | None, *, settings: FreeForm) -> None:
        self._lights, self._sizes, self._all, self._settings = lights, sizes, settings, settings.starts
        self._largest = supports(lights[0].observations, sizes, settings=settings.multi_start)[-1]
        self._waiting = iter(self._retrieved())
        self._ends: list[ScoredPsf] = []
        self._unfounded = 0
        self.best: ScoredPsf | None = None
        self.solved = False

    @property
    def likeliest(self) -> Light:
        """The encoding in which a PSF has most evidence."""
        return max(self._ends, key=attrgetter("evidence")).light if self._ends else self._lights[0]

    def search(self, times: int, report: Report) -> None:
        """Start from the next likeliest PSFs, `times` times or until one is clearly better than no blur."""
        before = self.best
        for i in range(times):
            start = next(self._waiting, None)
            if start is None or self.solved or self._unfounded >= self._settings.most_unfounded:
                return
            self._start(start)
            report((i + 1) / times)
            if before is None and self.best is not None:
                return

    def _retrieved(self) -> list[_Retrieved]:
        """PSFs retrieved in each light on several supports, the likeliest first."""
        settings = self._settings
        sides = [side for side in settings.supports if side <= self._largest] or [self._largest]
        if self._sizes is not None:
            sides = [self._largest] * len(settings.supports)
        retrieved = []
        for light in self._lights:
            for seed, side in enumerate(map(odd_side, sides)):
                psf = light.power.retrieved(side, np.random.default_rng(1 + seed))
                psf = centred(pruned(psf, settings.least_weight, settings.least_piece))
                if (evidence := light.power.evidence(psf)) > settings.least_evidence:
                    widened = max(settings.widening * extent(psf), settings.least_support)
                    psf = cut_or_padded(psf, odd_side(min(widened, settings.support_factor * side)))
                    retrieved.append(_Retrieved(light, psf, evidence))
        return sorted(retrieved, key=attrgetter("evidence"), reverse=True)

    def _start(self, start: _Retrieved) -> None:
        """Continue a PSF and its rotated copy, and refine the better one if promising."""
        settings = self._settings
        end = self._both_continued(start.light, start.psf)
        if end.evidence < settings.founded_share * start.evidence:
            # What the power showed was no PSF: the edges of the scene do not bear it out.
            self._unfounded += 1
        elif self.best is not None and any(alike(end, each, settings=settings) for each in self._ends):
            # Two random starts that end alike: a third would too.
            self.solved = True
        self._ends.append(end)
        if end.gain > settings.refine_from_gain and best_of(self._ends, settings=self._all.refinement) is end:
            self._keep(self._refined(end))

    def persist(self) -> None:
        """Longer rounds for the end with most evidence, on ever wider supports, until they improve it no further.

        Its evidence tells that an end is near the truth long before its score does.
        """
        best = max(self._ends, key=attrgetter("evidence"), default=None)
        if best is None or self._unfounded >= self._settings.most_unfounded:
            return
        for _ in range(self._settings.most_persisted):
            further = self._longer(best, grow=False)
            if not self._improves(further, best):
                further = self._longer(best, grow=True)
            if not self._improves(further, best):
                break
            best = further
            if best.gain > self._settings.solved_from_gain:
                break
        if best.gain > self._settings.refine_from_gain:
            self._keep(best)

    def _keep(self, result: ScoredPsf) -> None:
        """Take a refined PSF as the best if it is."""
        self._ends.append(result)
        self.best = best_of([result] if self.best is None else [result, self.best], settings=self._all.refinement)
        # A PSF that its support cuts off may gain more than a complete one, so it must not end the search.
        if not self._is_cut_off(self.best):
            self.solved = self.solved or self.best.gain > self._settings.solved_from_gain

    def _longer(self, end: ScoredPsf, grow: bool) -> ScoredPsf:
        """An end after longer rounds, and after growth before these if `grow`."""
        light, psf = end.light, self._on_side(end.psf, self._needed_side(end.psf))
        scale = light.scale(psf.shape[0])
        if grow:
            psf = self._grown(scale, light, psf)
        return ScoredPsf.scored(light, scale, long_pass(scale, psf, light.least_penalty))

    def _improves(self, further: ScoredPsf, before: ScoredPsf) -> bool:
        settings = self._settings
        gained = further.gain > before.gain + self._all.refinement.long_pass_improvement
        return gained or further.evidence > settings.persist_evidence * before.evidence

    def _needed_side(self, psf: np.ndarray) -> int:
        """Side of the support on which a PSF is refined: no wider than it needs, nor than allowed."""
        if self._sizes is not None:
            return odd_side(self._sizes[1])
        needed = max(self._settings.support_factor * extent(psf), self._settings.least_support)
        return odd_side(min(needed, self._settings.support_factor * self._largest))

    @staticmethod
    def _on_side(psf: np.ndarray, side: int) -> np.ndarray:
        return (cut_or_padded if side > psf.shape[0] else heaviest_square)(psf, side)

    def _both_continued(self, light: Light, psf: np.ndarray) -> ScoredPsf:
        """Continue from a PSF and its rotated copy, which have the same power spectrum.

        The better one goes through a second pass, in the light in which it gains most, and grows if even the best is
        faint, as branches of it may be missing then.
        """
        first_pass, second_pass = _Schedule.first_pass(self._settings), _Schedule.second_pass(self._settings)
        both = [self._continued(light, each, first_pass) for each in (psf, psf[::-1, ::-1])]
        best = best_of(both, settings=self._all.refinement)
        others = [
            ScoredPsf.scored(each, each.scale(psf.shape[0]), best.psf) for each in self._lights if each is not light
        ]
        # What hardly gains in any tells nothing of the encoding.
        clear = [each for each in others if each.gain > self._settings.refine_from_gain]
        light = best_of([best, *clear], settings=self._all.refinement).light
        results = [*both, *others, self._continued(light, best.psf, second_pass)]
        if max(each.gain for each in results) < self._settings.solved_from_gain:
            scale = light.scale(psf.shape[0])
            results.append(self._continued(light, self._grown(scale, light, best.psf), second_pass))
        return best_of(results, settings=self._all.refinement)

    def _continued(self, light: Light, psf: np.ndarray, schedule: _Schedule) -> ScoredPsf:
        """The result at the end of a schedule of falling penalties."""
        scale, least = light.scale(psf.shape[0]), light.least_penalty
        cut = (self._settings.least_weight, self._settings.least_piece)
        penalties = tuple(np.geomspace(max(schedule.first, least), least, schedule.steps))
        return ScoredPsf.scored(light, scale, refine(scale, psf, penalties, least, cut=cut, rounds=schedule.rounds))

    def _grown(self, scale: Scale, light: Light, psf: np.ndarray) -> np.ndarray:
        """Let faint branches grow from the ends of a PSF: high edge penalties, and faint weights are kept."""
        cut = (self._settings.growth_least_weight, self._settings.growth_least_piece)
        for penalty, rounds in self._settings.growth_schedule:
            psf = refine(scale, psf, (penalty,), light.least_penalty, cut=cut, rounds=rounds)
        return psf

    def _refined(self, candidate: ScoredPsf) -> ScoredPsf:
        """The PSF refined on a support that does not cut it off."""
        best = self._refined_on(self._needed_side(candidate.psf), candidate)
        for _ in range(self._settings.most_widenings):
            if not self._is_cut_off(best):
                break
            side = self._settings.support_factor * min(best.psf.shape[0], self._largest)
            best = self._refined_on(odd_side(side), best)
        return best

    def _refined_on(self, side: int, candidate: ScoredPsf) -> ScoredPsf:
        """The PSF refined on a support of that side."""
        light, psf = candidate.light, self._on_side(candidate.psf, side)
        scale = light.scale(side)
        refined = refine(scale, psf, self._all.refinement.penalties, light.least_penalty)
        # In noisy images the last penalties may add clutter, so the PSF before them competes.
        return best_of([ScoredPsf.scored(light, scale, k) for k in (psf, refined)], settings=self._all.refinement)

    def _is_cut_off(self, result: ScoredPsf) -> bool:
        """Whether parts of the PSF may lie outside of its support, if that is not given."""
        fill = extent(result.psf) / result.psf.shape[0]
        return self._sizes is None and fill > self._settings.cut_off_from_fill


def alike(one: ScoredPsf, other: ScoredPsf, *, settings: Starts) -> bool:
    """Whether two starts end in the same PSF, so that further ones would too."""
    return similarity(one.psf, other.psf) > settings.alike_from_similarity
