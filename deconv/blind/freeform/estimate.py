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
from operator import attrgetter

import numpy as np

from deconv._core.array import Array
from deconv.blind.freeform.multistart import MultiStartSearch, Trial
from deconv.blind.freeform.refine import Report, ScoredPsf, refine, refine_below_noise, silent, trimmed
from deconv.blind.freeform.scale import Observation, Scale, normalised
from deconv.blind.freeform.starts import PowerStarts
from deconv.blind.settings.freeform import FreeForm

__all__ = ["FreeFormEstimate", "estimate"]

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
    """

    psf: np.ndarray
    gain: float
    energy_gain: float
    flat: float
    trials: tuple[Trial, ...]


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
    observations, least_penalty = normalised(images, jpeg_errors, settings=settings.edge_penalty)
    if start is not None:
        return _from_given(observations, start, least_penalty, report, settings=settings)
    stage = settings.starts
    starts = PowerStarts(observations, sizes, least_penalty, settings=settings)
    starts.search(stage.first_supports, 1, lambda part: report(0.3 * part))
    trials: list[Trial] = []
    candidates: list[ScoredPsf] = []
    if starts.best is None or not starts.solved or starts.best.gain < stage.skip_multi_start_from_gain:
        multistart = MultiStartSearch(observations, sizes, least_penalty, settings=settings)
        trials, candidate = multistart.run(lambda part: report(0.3 + 0.3 * part))
        candidates.append(candidate)
        if not starts.solved and candidate.gain < stage.solved_from_gain:
            starts.search(stage.more_supports, stage.more_repeats, lambda part: report(0.6 + 0.3 * part))
    if starts.best is not None:
        candidates.append(starts.best)
    best = min(candidates, key=attrgetter("cost"))
    if starts.best is not None:
        psf = starts.best.psf
        trial = Trial(psf.shape[0], stage.first_pass_penalty, starts.best.cost, psf)
        trials.insert(0 if best is starts.best else len(trials), trial)
    psf = refine_below_noise(best.scale, best.psf, least_penalty)
    report(1.0)
    psf = trimmed(psf, settings=settings.refinement)
    return FreeFormEstimate(psf, best.gain, best.energy_gain, best.flat, tuple(trials))


def _from_given(
    observations: Sequence[Observation], start: np.ndarray, least_penalty: float, report: Report, *, settings: FreeForm
) -> FreeFormEstimate:
    """Refine a PSF that is nearly right, with low edge penalties only, which correct it without changing its form."""
    side, penalties = start.shape[0], settings.refinement.given_penalties
    scale = Scale(observations, 0, side, settings=settings)
    candidate = ScoredPsf.scored(scale, refine(scale, start / start.sum(), penalties, least_penalty, report))
    psf = refine_below_noise(scale, candidate.psf, least_penalty)
    trial = Trial(side, penalties[0], candidate.cost, psf)
    psf = trimmed(psf, settings=settings.refinement)
    return FreeFormEstimate(psf, candidate.gain, candidate.energy_gain, candidate.flat, (trial,))
