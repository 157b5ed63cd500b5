r"""The PSF step of free-form blind deconvolution: the PSF for a given scene and its blurred image.

For the scene x and the blurred image y the PSF is the :math:`k \ge 0` that minimises

.. math:: \|k * \nabla x - \nabla y\|^2 + \gamma \|k\|^2.

Expanded, this needs the images only as correlations over the support of the PSF: of the scene's gradients with
themselves, and with those of the blurred image. The remaining problem is as small as the PSF. It is solved on the host
in double precision, by accelerated projected gradients. Non-negativity is a constraint of the fit rather than clipping
afterwards, so a support that is much too large does little harm: no positive and negative weights cancel there.
"""

import math

import numpy as np
from scipy import ndimage

from deconv._core.fft import fast_shape, irfftn, rfftn
from deconv.blind.settings.freeform import PsfStep

__all__ = ["centred", "cut_or_padded", "extent", "fit", "heaviest_square", "pruned", "resampled"]


def fit(auto: np.ndarray, cross: np.ndarray, start: np.ndarray, ridge: float, *, settings: PsfStep) -> np.ndarray:
    """Non-negative least-squares PSF.

    Parameters
    ----------
    auto : ndarray, shape (4 r + 1, 4 r + 1)
        Correlation of the scene's gradients with themselves at shifts up to 2 r each way, shift 0 in the middle.
    cross : ndarray, shape (2 r + 1, 2 r + 1)
        Correlation of these with the blurred image's gradients, at shifts up to r.
    start : ndarray, shape (2 r + 1, 2 r + 1)
        Initial PSF.
    ridge : float
        Weight of the sum of squares.
    settings : PsfStep
        Number of iterations.

    Returns
    -------
    ndarray, shape (2 r + 1, 2 r + 1)
        The PSF, not normalised.
    """
    m, reach = cross.shape[0], cross.shape[0] // 2
    # Large enough that convolutions wrap round only outside the support.
    n = fast_shape(auto.shape)[1]
    wrapped = np.zeros((n, n))
    wrapped[: auto.shape[0], : auto.shape[0]] = auto
    gain = rfftn(np.roll(wrapped, (-2 * reach, -2 * reach), (0, 1))).real
    step = 1.0 / (float(np.abs(gain).max()) + ridge)
    wrapped[...] = 0.0
    psf = ahead = start.astype(np.float64)
    momentum = 1.0
    for _ in range(settings.iterations):
        wrapped[:m, :m] = ahead
        through = irfftn(gain * rfftn(wrapped), (n, n))[:m, :m]
        best = np.maximum(ahead - step * (through + ridge * ahead - cross), 0.0)
        change = best - psf
        # Restart the momentum when it leads uphill (O'Donoghue and Candes).
        if np.vdot(ahead - best, change) > 0:
            momentum = 1.0
        following = (1 + math.sqrt(1 + 4 * momentum**2)) / 2
        ahead = best + (momentum - 1) / following * change
        psf, momentum = best, following
    return psf


def pruned(psf: np.ndarray, least_weight: float, least_piece: float) -> np.ndarray:
    """Remove weights below `least_weight` of the largest, and connected pieces below `least_piece` of the sum.

    The result has sum 1. A PSF of zeros, the result for a scene without edges, becomes the delta.
    """
    if not psf.max() > 0:
        psf = np.zeros_like(psf)
        psf[tuple(n // 2 for n in psf.shape)] = 1.0
    psf = np.where(psf < least_weight * psf.max(), 0.0, psf)
    labels, count = ndimage.label(psf > 0, np.ones((3, 3)))
    mass = ndimage.sum_labels(psf, labels, np.arange(count + 1))
    kept = mass >= least_piece * psf.sum()
    # The heaviest piece is always kept.
    kept[np.argmax(mass)] = True
    psf = np.where(kept[labels], psf, 0.0)
    return _normalised(psf)


def centred(psf: np.ndarray) -> np.ndarray:
    """Shift the PSF by whole pixels to bring its centre of mass to the middle; no weight leaves the support."""
    side = psf.shape[0]
    rows, columns = np.nonzero(psf)
    shift = [side // 2 - round(c) for c in ndimage.center_of_mass(psf)]
    # A lopsided PSF is shifted as far as its support allows.
    shift = [
        min(max(s, -int(at.min())), side - 1 - int(at.max())) for s, at in zip(shift, (rows, columns), strict=True)
    ]
    return np.roll(psf, shift, (0, 1))


def extent(psf: np.ndarray) -> int:
    """Side of the smallest square about the middle that holds every weight; odd."""
    at = np.argwhere(psf > 0)
    return 2 * int(np.abs(at - np.asarray(psf.shape) // 2).max()) + 1


def cut_or_padded(psf: np.ndarray, side: int) -> np.ndarray:
    """The PSF cropped or padded about the middle to a given side; sum 1."""
    by = (side - psf.shape[0]) // 2
    psf = np.pad(psf, by) if by >= 0 else psf[-by : psf.shape[0] + by, -by : psf.shape[0] + by]
    return _normalised(psf)


def heaviest_square(psf: np.ndarray, side: int) -> np.ndarray:
    """The square of a given side, odd and no larger than the PSF, that holds most of its mass; sum 1."""
    held = ndimage.uniform_filter(psf, side, mode="constant")
    reach = side // 2
    inner = held[reach : psf.shape[0] - reach, reach : psf.shape[1] - reach]
    top, left = np.unravel_index(int(np.argmax(inner)), inner.shape)
    return _normalised(psf[top : top + side, left : left + side])


def resampled(psf: np.ndarray, side: int, factor: float) -> np.ndarray:
    """The PSF on a grid `factor` times as fine (coarser below 1) and of a given side, by cubic splines."""
    at = (np.arange(side) - side // 2) / factor + psf.shape[0] // 2
    if factor < 1:
        # Approximates the mean over a coarse pixel.
        psf = ndimage.gaussian_filter(psf, 0.5 * math.sqrt(factor**-2 - 1), mode="constant")
    fine = ndimage.map_coordinates(psf, np.meshgrid(at, at, indexing="ij"), order=3, mode="constant")
    return _normalised(np.maximum(fine, 0.0))


def _normalised(psf: np.ndarray) -> np.ndarray:
    """The PSF divided by its sum."""
    unit: np.ndarray = psf / psf.sum()
    return unit
