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
from deconv.blind.freeform.refine import Report, ScoredPsf, best_of, refine
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
                psf, _ = light.power.likely(side, np.random.default_rng(1 + seed))
                psf = centred(pruned(psf, settings.least_weight, settings.least_piece))
                if (evidence := light.power.evidence(psf)) > settings.least_evidence:
                    widened = min(settings.support_factor * side, settings.widening * extent(psf))
                    psf = cut_or_padded(psf, odd_side(max(widened, settings.supports[0])))
                    retrieved.append(_Retrieved(light, psf, evidence))
        return sorted(retrieved, key=attrgetter("evidence"), reverse=True)

    def _start(self, start: _Retrieved) -> None:
        """Continue a PSF and its rotated copy, and refine the better one if promising."""
        settings = self._settings
        end = self._both_continued(start.light, start.psf)
        if end.evidence < settings.founded_share * start.evidence:
            # What the power showed was no PSF: the edges of the scene do not bear it out.
            self._unfounded += 1
        elif any(alike(end, each, settings=settings) for each in self._ends):
            # Two random starts that end alike: a third would too.
            self.solved = True
        self._ends.append(end)
        if end.gain > settings.refine_from_gain and best_of(self._ends, settings=self._all.refinement) is end:
            self.best = self._refined(end)
            self._ends.append(self.best)
            # A PSF that its support cuts off may gain more than a complete one, so it must not end the search.
            fill = extent(self.best.psf) / self.best.psf.shape[0]
            if self._sizes is not None or fill <= settings.cut_off_from_fill:
                self.solved = self.solved or self.best.gain > settings.solved_from_gain

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
        """The PSF refined on a support that is no wider than it needs, nor than allowed."""
        light, settings = candidate.light, self._settings
        needed = max(settings.support_factor * extent(candidate.psf), settings.supports[0])
        side = odd_side(needed if self._sizes is None else self._sizes[1])
        psf = candidate.psf
        psf = cut_or_padded(psf, side) if side > psf.shape[0] else heaviest_square(psf, side)
        scale = light.scale(side)
        refined = refine(scale, psf, self._all.refinement.penalties, light.least_penalty)
        # In noisy images the last penalties may add clutter, so the PSF before them competes.
        return best_of([ScoredPsf.scored(light, scale, k) for k in (psf, refined)], settings=self._all.refinement)


def alike(one: ScoredPsf, other: ScoredPsf, *, settings: Starts) -> bool:
    """Whether two starts end in the same PSF, so that further ones would too."""
    return similarity(one.psf, other.psf) > settings.alike_from_similarity
