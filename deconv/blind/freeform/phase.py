r"""Starts of free-form blind deconvolution: PSFs that explain the image's power, by phase retrieval.

Blurred power is the scene's times :math:`|K|^2`, and a scene's power is a smooth function of frequency where that of a
long, thin PSF is not. At every frequency the periodogram P of the image is about exponentially distributed around

.. math:: S = A \, |K|^2 + N ,

with A the smooth part of P, found by regression on its logarithm [1]_, and N the noise. What remains is to retrieve the
phases: the weights :math:`k \ge 0` on a support are sought that make P likely, by descent on their square roots from
random ones. Thousands of frequencies speak for each weight. Coarse scales show text as grey bars, and so nothing of a
PSF wider than its letters; this needs no scale but the image's own.

The power cannot tell two things: the position of the PSF, which does not matter, and the PSF from its copy turned by
half a turn. A is taken for the scene's power although it has the PSF's slope too: the weights come out sharper than
they are, and closer to the path on which they lie. With the true slope the descent ends in spread weights far more
often.

References
----------
.. [1] G. Wahba, "Automatic smoothing of the log periodogram", J. Am. Stat. Assoc. 75, 122-132 (1980),
       :doi:`10.1080/01621459.1980.10477441`
.. [2] A. Goldstein, R. Fattal, "Blur-kernel estimation from spectral irregularities", ECCV, 622-635 (2012),
       :doi:`10.1007/978-3-642-33715-4_45` (the power, whitened; phases by another way)
"""

from collections.abc import Sequence

import numpy as np
from scipy import optimize

from deconv._core.array import Array
from deconv.blind.settings.freeform import PhaseRetrieval
from deconv.blind.spectrum import FullPeriodogram

__all__ = ["Power"]

_DEFAULTS = PhaseRetrieval()


class Power:
    """The power spectra of images that share a PSF.

    Parameters
    ----------
    images : sequence of arrays, each of shape (M, N)
        In linear light.
    settings : PhaseRetrieval
        Settings of the likelihood and of the descent.
    """

    def __init__(self, images: Sequence[Array], *, settings: PhaseRetrieval = _DEFAULTS) -> None:
        self._settings = settings
        self._masses = np.geomspace(settings.least_mass, settings.most_mass, settings.masses)
        self._planes = [FullPeriodogram(image, settings=settings.spectrum) for image in images]
        self._no_blur = self._least_unlikely(np.ones((1, 1)))

    def gain(self, psf: np.ndarray) -> float:
        """Log likelihood of a PSF of sum 1 over that of no blur, in nats a frequency."""
        return (self._no_blur - self._least_unlikely(psf)) / sum(plane.count for plane in self._planes)

    def _least_unlikely(self, psf: np.ndarray) -> float:
        """Minus the log likelihood of a PSF, of the likeliest mass: the scene's power is known but for a factor."""
        return min(sum(plane.negative_log_likelihood(mass * psf)[0] for plane in self._planes) for mass in self._masses)

    def likely(self, side: int, rng: np.random.Generator) -> tuple[np.ndarray, float]:
        """A PSF whose power explains that of the images, by descent from random weights.

        Parameters
        ----------
        side : int
            Of the support.
        rng : numpy.random.Generator
            For the random weights.

        Returns
        -------
        ndarray, shape (side, side)
            Sum 1. Anywhere on the support, and as likely to be turned by half a turn as not.
        float
            Its log likelihood over that of no blur, in nats a frequency.
        """
        settings = self._settings
        start = np.sqrt(rng.random(side * side) ** 2 / (side * side / 3))
        small = settings.linear_below * float(start.max())

        def objective(roots: np.ndarray) -> tuple[float, np.ndarray]:
            psf = np.reshape(roots * roots, (side, side))
            each = [plane.negative_log_likelihood(psf) for plane in self._planes]
            size = np.sqrt(roots * roots + small * small)
            slope = (
                sum((s for _, s in each), np.zeros((side, side))).ravel() * 2 * roots
                + settings.root_penalty * roots / size
            )
            return sum(v for v, _ in each) + settings.root_penalty * float(size.sum()), slope

        options = {"maxiter": settings.iterations, "maxcor": settings.memory}
        roots = optimize.minimize(objective, start, jac=True, method="L-BFGS-B", options=options).x
        psf = np.reshape(roots * roots, (side, side))
        gain = self._no_blur - sum(plane.negative_log_likelihood(psf)[0] for plane in self._planes)
        return psf / psf.sum(), gain / sum(plane.count for plane in self._planes)
