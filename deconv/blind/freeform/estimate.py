r"""Free-form blind deconvolution: estimate a PSF of any form and unknown size.

Scene and PSF are estimated in turn (`deconv.blind.freeform.scene`, `deconv.blind.freeform.psf_step`), as in [1]_ and
[2]_, first on a grid on which the PSF is a few pixels wide, then on finer ones. The differences to these methods:

- The size of the PSF is not given. Several sizes of the support and several edge penalties are tried at coarse scales,
  where that is cheap; the best trials continue at finer scales and are scored again
  (`deconv.blind.freeform.multistart`).
- The score of a PSF is the energy of the scene (squared residuals plus penalised edges) times the normalised sparsity
  of the restored gradients [3]_. Each factor alone fails in cases where the other does not
  (`deconv.blind.freeform.score`).
- Before that, and again if the result is in doubt, the search starts at full resolution from PSFs retrieved from the
  power spectrum. Coarse scales cannot help if the path of the camera is longer than letters are large, because they
  show text as grey bars (`deconv.blind.freeform.starts`).
- An unknown encoding is part of the search: each result is scored in all of them, which costs less than a search in
  each.
- The search runs on a window of limited size; its result is refined on the whole images.
- At the end the edge penalty rises once more and then falls to the level of the noise. A scene with few edges cannot
  imitate the errors of the PSF, so that the PSF has to change (`deconv.blind.freeform.refine`).
- Beyond the frame, the image is what scene and PSF predict, updated in each round.

References
----------
.. [1] J. Pan, Z. Hu, Z. Su, M.-H. Yang, "Deblurring text images via L0-regularized intensity and gradient prior", CVPR
       (2014), :doi:`10.1109/CVPR.2014.371`
.. [2] J. Anger, G. Facciolo, M. Delbracio, "Blind image deblurring using the l0 gradient prior", Image Processing On
       Line 9, 124-142 (2019), :doi:`10.5201/ipol.2019.243`
.. [3] D. Krishnan, T. Tay, R. Fergus, "Blind deconvolution using a normalized sparsity measure", CVPR (2011),
       :doi:`10.1109/CVPR.2011.5995521`
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from operator import attrgetter

import numpy as np

from deconv._core.array import Array
from deconv.blind.freeform.light import Light
from deconv.blind.freeform.multistart import MultiStartSearch, Trial
from deconv.blind.freeform.refine import (
    Report,
    ScoredPsf,
    best_of,
    long_pass,
    refine,
    refine_below_noise,
    silent,
    trimmed,
)
from deconv.blind.freeform.starts import PowerStarts, alike
from deconv.blind.settings.freeform import Acceptance, FreeForm

__all__ = ["FreeFormEstimate", "estimate", "estimate_in_lights", "is_plausible"]

_DEFAULTS = FreeForm()


@dataclass(frozen=True)
class FreeFormEstimate:
    """The estimated PSF, and how much better it explains the images than no blur.

    Attributes
    ----------
    psf : ndarray, shape (m, m)
        The PSF in pixels of the images, centred at ``m // 2``; sum 1.
    gain : float
        Relative decrease of the cost from that of no blur, at the second scale or at full resolution, whichever is
        larger; 0 or less if the PSF explains the images no better.
    energy_gain : float
        Relative decrease of the scene's energy from that of no blur, at full resolution; negative if the energy rises.
    flat : float
        Fraction of the restored scene that is flat.
    trials : tuple of Trial
        The trials of the search, the best first.
    evidence : float
        Log evidence of the PSF relative to no blur from the power of the images, in nats (`Power.evidence`).
    """

    psf: np.ndarray
    gain: float
    energy_gain: float
    flat: float
    trials: tuple[Trial, ...]
    evidence: float = 0.0


def estimate(
    images: Sequence[Array],
    *,
    jpeg_errors: Sequence[float] | None = None,
    sizes: tuple[int, int] | None = None,
    start: np.ndarray | None = None,
    report: Report = silent,
    settings: FreeForm = _DEFAULTS,
) -> FreeFormEstimate:
    """Estimate the PSF that some images share.

    Parameters
    ----------
    images : sequence of arrays, each of shape (M, N)
        Linear light in any unit.
    jpeg_errors : sequence of float, optional
        Standard deviation of the error of JPEG compression in each image, which is not white noise.
    sizes : (int, int), optional
        Smallest and largest side of the support. By default the size is estimated.
    start : ndarray, shape (m, m), optional
        A PSF to refine, in place of the search.
    report : callable
        ``report(fraction)``.
    settings : FreeForm
        Settings of all stages.

    Returns
    -------
    FreeFormEstimate
        The PSF and the evidence for it.
    """
    light = Light(images, jpeg_errors, settings=settings)
    return estimate_in_lights([light], sizes=sizes, start=start, report=report, settings=settings)[1]


def estimate_in_lights(
    lights: Sequence[Light],
    *,
    sizes: tuple[int, int] | None = None,
    start: np.ndarray | None = None,
    report: Report = silent,
    settings: FreeForm = _DEFAULTS,
) -> tuple[int, FreeFormEstimate]:
    """Estimate the PSF that some images share, whose encoding is one of several.

    Parameters
    ----------
    lights : sequence of Light
        The images in each encoding that they may have, the likeliest first.
    sizes, start, report, settings
        As for `estimate`.

    Returns
    -------
    int
        Which of the lights the PSF explains best.
    FreeFormEstimate
        The PSF in that light, and the evidence for it.
    """
    trials: list[Trial] = []
    if start is None:
        found, trials = _searched(lights, sizes, lambda part: report(0.8 * part), settings=settings)
        candidates = [_on_whole(found, settings=settings)]
        candidates += [
            _in_other(candidates[0], light, settings=settings) for light in lights if light is not found.light
        ]
    else:
        candidates = [_nearly_right(start / start.sum(), light, settings=settings) for light in lights]
    report(0.95)
    best = min(candidates, key=partial(_rank, lights=lights, settings=settings.acceptance))
    psf = best.psf
    if not best.light.is_jpeg:
        psf = refine_below_noise(best.scale, psf, best.light.least_penalty)
    report(1.0)
    psf = trimmed(psf, settings=settings.refinement)
    trials.insert(0, Trial(best.psf.shape[0], settings.refinement.penalties[0], best.cost, best.psf))
    evidence = best.light.power.evidence(psf)
    estimated = FreeFormEstimate(psf, best.gain, best.energy_gain, best.flat, tuple(trials), evidence)
    return lights.index(best.light), estimated


def is_plausible(candidate: ScoredPsf | FreeFormEstimate, *, settings: Acceptance) -> bool:
    """Whether a PSF explains the images better than no blur."""
    if candidate.gain < settings.least_gain:
        return False
    # JPEG's error raises the energy of the scene that is right, too; the power knows it for what it is.
    return candidate.energy_gain >= -settings.most_energy or candidate.evidence >= settings.clear_evidence


def _rank(candidate: ScoredPsf, lights: Sequence[Light], *, settings: Acceptance) -> tuple[bool, float]:
    """What decides between encodings, smallest first: JPEG is a photograph unless another is clearly better."""
    handicap = settings.least_difference if lights[0].is_jpeg and candidate.light is not lights[0] else 0.0
    return not is_plausible(candidate, settings=settings), candidate.cost + handicap


def _searched(
    lights: Sequence[Light], sizes: tuple[int, int] | None, report: Report, *, settings: FreeForm
) -> tuple[ScoredPsf, list[Trial]]:
    """The best PSF of all starts, and the trials of the multi-start."""
    stage = settings.starts
    starts = PowerStarts(lights, sizes, settings=settings)
    starts.search(stage.most, lambda part: report(0.5 * part))
    hopeful = starts.best is not None
    if not hopeful:
        starts.persist()
    report(0.7)
    trials: list[Trial] = []
    candidates: list[ScoredPsf] = []
    if starts.best is None or starts.best.gain < stage.skip_multi_start_from_gain:
        candidates, trials = _multistarted(starts, lights, sizes, settings=settings)
        report(0.9)
        best = best_of(candidates, settings=settings.refinement)
        solved = starts.solved or best.gain >= stage.solved_from_gain
        if starts.best is not None and hopeful and not solved and not alike(starts.best, best, settings=stage):
            starts.persist()
    if starts.best is not None:
        candidates.append(starts.best)
    return best_of(candidates, settings=settings.refinement), sorted(trials, key=attrgetter("cost"))


def _multistarted(
    starts: PowerStarts, lights: Sequence[Light], sizes: tuple[int, int] | None, *, settings: FreeForm
) -> tuple[list[ScoredPsf], list[Trial]]:
    """Results and trials of the multi-start in the likelier light, and in another one unless that is clearly worse."""
    candidates: list[ScoredPsf] = []
    trials: list[Trial] = []
    for light in sorted(lights, key=lambda each: each is not starts.likeliest):
        if candidates:
            here = ScoredPsf.scored(light, light.scale(candidates[0].psf.shape[0]), candidates[0].psf)
            clear = 0.0 if starts.solved else settings.acceptance.clear_difference
            if candidates[0].evidence <= 0 or here.cost > candidates[0].cost + clear:
                continue
        further, candidate = MultiStartSearch(light, sizes, settings=settings).run(lambda _: None)
        trials += further
        candidates.append(candidate)
    return candidates, trials


def _on_whole(found: ScoredPsf, *, settings: FreeForm) -> ScoredPsf:
    """The PSF refined on the whole images; in longer rounds while it is in doubt."""
    light, stage = found.light, settings.refinement
    whole, least = light.whole(found.psf.shape[0]), light.least_penalty
    best = ScoredPsf.scored(light, whole, found.psf, found.gain)
    if best.cost >= 1:
        return best
    # In noisy images the last penalties may add clutter, so the PSF before them competes.
    refined = refine(whole, best.psf, stage.penalties, least)
    best = best_of([best, ScoredPsf.scored(light, whole, refined, found.gain)], settings=stage)
    if 1 - best.cost >= stage.long_pass_below_gain:
        return best
    further = long_pass(whole, best.psf, least)
    return best_of([best, ScoredPsf.scored(light, whole, further, found.gain)], settings=stage)


def _nearly_right(psf: np.ndarray, light: Light, *, settings: FreeForm) -> ScoredPsf:
    """A PSF refined with low edge penalties only, which correct it without changing its form."""
    whole = light.whole(psf.shape[0])
    psf = refine(whole, psf, settings.refinement.given_penalties, light.least_penalty)
    return ScoredPsf.scored(light, whole, psf)


def _in_other(found: ScoredPsf, light: Light, *, settings: FreeForm) -> ScoredPsf:
    """A PSF estimated in one encoding, scored in another one; refined there unless it is clearly worse."""
    same = ScoredPsf.scored(light, light.whole(found.psf.shape[0]), found.psf)
    if found.gain <= 0 or same.cost > found.cost + settings.acceptance.clear_difference:
        return same
    return _nearly_right(found.psf, light, settings=settings)
