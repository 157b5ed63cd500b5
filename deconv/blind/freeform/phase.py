r"""Starting points for free-form blind deconvolution: PSFs retrieved from the power spectrum of the image.

Blur multiplies the power of the scene by :math:`|K|^2`. The power of a scene is a smooth function of frequency; that of
a long, thin PSF is not. At every frequency the periodogram P of the image is approximately exponentially distributed
with mean

.. math:: S = A \, |K|^2 + N ,

with A the smooth part of P, found by regression on its logarithm [1]_, and N the noise, which after JPEG compression
has the shape of its error. The phases are retrieved by
looking for weights :math:`k \ge 0` on a support that make P likely, by descent on their square roots from random
values. Thousands of frequencies determine each weight. All this happens at full resolution: coarse scales show text as
grey bars, and nothing of a PSF wider than its letters.

The power does not determine the position of the PSF, which does not matter, nor does it distinguish the PSF from its
copy rotated by 180 degrees. A stands for the power of the scene although it includes the slope of the PSF. As a result
the weights are sharper than the true ones and closer to the path of the camera. With the true slope the descent ends in
spread-out weights far more often.

References
----------
.. [1] G. Wahba, "Automatic smoothing of the log periodogram", J. Am. Stat. Assoc. 75, 122-132 (1980),
       :doi:`10.1080/01621459.1980.10477441`
.. [2] A. Goldstein, R. Fattal, "Blur-kernel estimation from spectral irregularities", ECCV, 622-635 (2012),
       :doi:`10.1007/978-3-642-33715-4_45`; whitens the power, and retrieves the phases in another way
.. [3] G. Schwarz, "Estimating the dimension of a model", Ann. Stat. 6, 461-464 (1978), :doi:`10.1214/aos/1176344136`
"""

import functools
import math
from collections.abc import Sequence

import numpy as np
from scipy import optimize

from deconv._core.array import Array
from deconv.blind.settings.freeform import PhaseRetrieval
from deconv.blind.spectrum import Degradation, FullPeriodogram

__all__ = ["Power"]

_DEFAULTS = PhaseRetrieval()


class Power:
    """The power spectra of images that share a PSF.

    Parameters
    ----------
    images : sequence of arrays, each of shape (M, N)
        Linear light.
    degradations : sequence of Degradation or None, optional
        What was done to each image after the blur.
    settings : PhaseRetrieval
        Settings of the likelihood and of the descent.
    """

    def __init__(
        self,
        images: Sequence[Array],
        degradations: Sequence[Degradation | None] | None = None,
        *,
        settings: PhaseRetrieval = _DEFAULTS,
    ) -> None:
        self._settings = settings
        self._masses = np.geomspace(settings.least_mass, settings.most_mass, settings.masses)
        self._periodograms = [
            FullPeriodogram(image, degradation, settings=settings.spectrum)
            for image, degradation in zip(images, degradations or [None] * len(images), strict=True)
        ]

    @functools.cached_property
    def _no_blur(self) -> float:
        return self._lowest_cost(np.ones((1, 1)))

    def gain(self, psf: np.ndarray) -> float:
        """Log likelihood of a PSF of sum 1 relative to no blur, in nats per frequency."""
        return (self._no_blur - self._lowest_cost(psf)) / sum(each.count for each in self._periodograms)

    def evidence(self, psf: np.ndarray) -> float:
        r"""Log evidence of a PSF relative to no blur, in nats.

        The log likelihood of the irregularities of its power (`FullPeriodogram.coherence`) minus half k log n for its k
        weights, the small ones left out, and n independent frequencies [3]_. It does not see phases: a PSF with the
        right power and wrong phases has the same.
        """
        weights = int(np.count_nonzero(psf > self._settings.counted_weight * psf.max()))
        count = sum(each.count for each in self._periodograms)
        return sum(each.coherence(psf) for each in self._periodograms) - 0.5 * weights * math.log(count)

    def _lowest_cost(self, psf: np.ndarray) -> float:
        """Smallest negative log likelihood over multiples of a PSF: the scene's power is known up to a factor."""
        return min(
            sum(each.negative_log_likelihood(mass * psf)[0] for each in self._periodograms) for mass in self._masses
        )

    def likely(self, side: int, rng: np.random.Generator) -> tuple[np.ndarray, float]:
        """A PSF whose power explains that of the images, as `retrieved`, and its likelihood.

        Parameters
        ----------
        side : int
            Side of the support.
        rng : numpy.random.Generator
            Generator of the initial weights.

        Returns
        -------
        ndarray, shape (side, side)
            The PSF, sum 1.
        float
            Log likelihood relative to no blur, in nats per frequency.
        """
        psf = self._descent(side, rng)
        gain = self._no_blur - sum(each.negative_log_likelihood(psf)[0] for each in self._periodograms)
        return psf / psf.sum(), gain / sum(each.count for each in self._periodograms)

    def retrieved(self, side: int, rng: np.random.Generator) -> np.ndarray:
        """A PSF whose power explains that of the images, found by descent from random weights.

        Parameters
        ----------
        side : int
            Side of the support.
        rng : numpy.random.Generator
            Generator of the initial weights.

        Returns
        -------
        ndarray, shape (side, side)
            The PSF, sum 1, at any position on the support; it may be rotated by 180 degrees.
        """
        psf = self._descent(side, rng)
        unit: np.ndarray = psf / psf.sum()
        return unit

    def _descent(self, side: int, rng: np.random.Generator) -> np.ndarray:
        """The likeliest weights, not normalised."""
        settings = self._settings
        start = np.sqrt(rng.random(side * side) ** 2 / (side * side / 3))
        small = settings.linear_below * float(start.max())

        def objective(roots: np.ndarray) -> tuple[float, np.ndarray]:
            psf = np.reshape(roots * roots, (side, side))
            values = [each.negative_log_likelihood(psf) for each in self._periodograms]
            size = np.sqrt(roots * roots + small * small)
            slope = (
                sum((s for _, s in values), np.zeros((side, side))).ravel() * 2 * roots
                + settings.root_penalty * roots / size
            )
            return sum(v for v, _ in values) + settings.root_penalty * float(size.sum()), slope

        options = {"maxiter": settings.iterations, "maxcor": settings.memory}
        roots = optimize.minimize(objective, start, jac=True, method="L-BFGS-B", options=options).x
        return np.reshape(roots * roots, (side, side))
