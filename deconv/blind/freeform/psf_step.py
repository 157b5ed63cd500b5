r"""The PSF step of free-form blind deconvolution: from a scene and the blurred picture to the PSF, of any form.

For the scene x and the picture y it is the PSF of the weights :math:`k \ge 0` that minimise

.. math:: \|k * \nabla x - \nabla y\|^2 + \gamma \|k\|^2.

Written out, the squares need no more of the pictures than correlations over the PSF's reach: the gradients' with
themselves, and with the picture's. The problem left is as small as the PSF and is solved on the host in double
precision, by accelerated projected gradients. Weights are kept from being negative by the fit itself, not cut
afterwards: then a support much too large does little harm, for nothing has to be cancelled in it.
"""

import math

import numpy as np
from scipy import ndimage

from deconv._core.fft import fast_shape, irfftn, rfftn

__all__ = ["centred", "extent", "fit", "fitted_to", "pruned", "resampled", "within"]

# Iterations: three times as many change the PSF by less than one more scene does.
_ITERATIONS = 40


def fit(auto, cross, start, ridge):
    """The PSF of least squares, not negative.

    Parameters
    ----------
    auto : ndarray, shape (4 r + 1, 4 r + 1)
        Correlation of the scene's gradients with themselves at shifts up to 2 r each way, none in the middle.
    cross : ndarray, shape (2 r + 1, 2 r + 1)
        That with the picture's, up to r.
    start : ndarray, shape (2 r + 1, 2 r + 1)
        Where to begin.
    ridge : float
        The weight of the sum of squares.

    Returns
    -------
    ndarray, shape (2 r + 1, 2 r + 1)
        Not normalised.
    """
    m, reach = cross.shape[0], cross.shape[0] // 2
    # Products wrap round where nothing is looked at.
    n = fast_shape(auto.shape)[1]
    wrapped = np.zeros((n, n))
    wrapped[: auto.shape[0], : auto.shape[0]] = auto
    gain = rfftn(np.roll(wrapped, (-2 * reach, -2 * reach), (0, 1))).real
    step = 1.0 / (float(np.abs(gain).max()) + ridge)
    wrapped[...] = 0.0
    psf = ahead = start.astype(np.float64)
    momentum = 1.0
    for _ in range(_ITERATIONS):
        wrapped[:m, :m] = ahead
        through = irfftn(gain * rfftn(wrapped), (n, n))[:m, :m]
        best = np.maximum(ahead - step * (through + ridge * ahead - cross), 0.0)
        change = best - psf
        # Going back uphill, momentum starts anew (O'Donoghue and Candes).
        if np.vdot(ahead - best, change) > 0:
            momentum = 1.0
        following = (1 + math.sqrt(1 + 4 * momentum**2)) / 2
        ahead = best + (momentum - 1) / following * change
        psf, momentum = best, following
    return psf


def pruned(psf, least, piece):
    """Without weights below the part `least` of the largest, and pieces that hold less than the part `piece` of all.

    Sum 1; of nothing at all, which a scene without edges leaves, no blur.
    """
    if not psf.max() > 0:
        psf = np.zeros_like(psf)
        psf[tuple(n // 2 for n in psf.shape)] = 1.0
    psf = np.where(psf < least * psf.max(), 0.0, psf)
    labels, count = ndimage.label(psf > 0, np.ones((3, 3)))
    mass = ndimage.sum_labels(psf, labels, np.arange(count + 1))
    kept = mass >= piece * psf.sum()
    # (However they are scattered, the heaviest stays.)
    kept[np.argmax(mass)] = True
    psf = np.where(kept[labels], psf, 0.0)
    return psf / psf.sum()


def centred(psf):
    """Moved by whole pixels, its centre of mass to its middle; nothing of it is lost."""
    side = psf.shape[0]
    rows, columns = np.nonzero(psf)
    shift = [side // 2 - round(c) for c in ndimage.center_of_mass(psf)]
    # A lopsided one comes as near as its support lets it.
    shift = [
        min(max(s, -int(at.min())), side - 1 - int(at.max())) for s, at in zip(shift, (rows, columns), strict=True)
    ]
    return np.roll(psf, shift, (0, 1))


def extent(psf):
    """Side of the smallest square about its middle that holds all of it; odd."""
    at = np.argwhere(psf > 0)
    return 2 * int(np.abs(at - np.asarray(psf.shape) // 2).max()) + 1


def fitted_to(psf, side):
    """Cut or padded about its middle to that side."""
    by = (side - psf.shape[0]) // 2
    psf = np.pad(psf, by) if by >= 0 else psf[-by : psf.shape[0] + by, -by : psf.shape[0] + by]
    return psf / psf.sum()


def within(psf, side):
    """The square of that side, odd and no larger than the PSF, that holds most of it."""
    held = ndimage.uniform_filter(psf, side, mode="constant")
    reach = side // 2
    inner = held[reach : psf.shape[0] - reach, reach : psf.shape[1] - reach]
    top, left = np.unravel_index(int(np.argmax(inner)), inner.shape)
    psf = psf[top : top + side, left : left + side]
    return psf / psf.sum()


def resampled(psf, side, factor):
    """On a grid `factor` times as fine (coarser below 1), of that side; cubic splines, about the middle."""
    at = (np.arange(side) - side // 2) / factor + psf.shape[0] // 2
    if factor < 1:
        # What a coarse pixel holds, about.
        psf = ndimage.gaussian_filter(psf, 0.5 * math.sqrt(factor**-2 - 1), mode="constant")
    fine = ndimage.map_coordinates(psf, np.meshgrid(at, at, indexing="ij"), order=3, mode="constant")
    fine = np.maximum(fine, 0.0)
    return fine / fine.sum()
