r"""Where free-form blind deconvolution may begin: PSFs that the picture's power shows, their phases found by chance.

Blurred power is the scene's times :math:`|K|^2`, and a scene's power is a smooth function of frequency where that of a
long, thin PSF is not. At every frequency the periodogram P of the picture is about exponentially distributed around

.. math:: S = A \, |K|^2 + N ,

with A what is smooth in P, found by regression on its logarithm [1]_, and N the noise. What is left is to retrieve the
phases: of all weights :math:`k \ge 0` on a support those are sought that make P likely, by descent on their square
roots from random ones. Thousands of frequencies speak for each weight. Where coarse scales show text as grey bars, and
so nothing of a PSF wider than its letters, this needs no scale but the picture's own.

Two things the power cannot tell: where the PSF lies, which does not matter, and which of it and its turned copy it is.
A is taken for the scene's although it has the PSF's slope too: the weights come out sharper than they are, and closer
to the path on which they lie. With the true slope the descent ends in spread weights far more often.

References
----------
.. [1] G. Wahba, "Automatic smoothing of the log periodogram", J. Am. Stat. Assoc. 75, 122-132 (1980),
       :doi:`10.1080/01621459.1980.10477441`
.. [2] A. Goldstein, R. Fattal, "Blur-kernel estimation from spectral irregularities", ECCV, 622-635 (2012),
       :doi:`10.1007/978-3-642-33715-4_45` (the power, whitened; phases by another way)
"""

import numpy as np
from scipy import optimize

from deconv.blind.settings.spectrum import FullSpectrum
from deconv.blind.spectrum import FullPeriodogram

__all__ = ["Power"]

# Iterations of the descent; the price, in nats, of the square root of a weight (all of them have a sum of about 1).
_ITERATIONS, _PRICE = 100, 100.0
# What the sum of weights may be, the scene's power not being known but for a factor.
_MASSES = np.geomspace(0.1, 10.0, 15)
# A price is linear from this part of the largest square root on.
_SMALL = 1e-3
_SPECTRUM = FullSpectrum()


class Power:
    """The power of pictures that share a PSF.

    Parameters
    ----------
    pictures : list of arrays, each of shape (M, N)
        In linear light.
    spectrum : FullSpectrum
        Settings of the likelihood.
    """

    def __init__(self, pictures, *, spectrum=_SPECTRUM):
        self._planes = [FullPeriodogram(picture, settings=spectrum) for picture in pictures]
        self._nothing = self._least(np.ones((1, 1)))

    def gain(self, psf):
        """How much likelier a PSF, of sum 1, makes the pictures than no blur, in nats a frequency."""
        return (self._nothing - self._least(psf)) / sum(plane.count for plane in self._planes)

    def _least(self, psf):
        """Minus the log of the likelihood of a PSF of whichever mass is the likeliest."""
        return min(sum(plane.negative_log_likelihood(mass * psf)[0] for plane in self._planes) for mass in _MASSES)

    def likely(self, side, rng):
        """Weights whose power explains that of the pictures, from random ones on.

        Parameters
        ----------
        side : int
            Of the support.
        rng : numpy.random.Generator
            Where they begin.

        Returns
        -------
        ndarray, shape (side, side)
            Sum 1. Anywhere on the support, and as likely to be turned by half a turn as not.
        float
            How much likelier it makes the pictures than no blur, in nats a frequency.
        """
        start = np.sqrt(rng.random(side * side) ** 2 / (side * side / 3))
        small = _SMALL * float(start.max())

        def value(roots):
            psf = np.reshape(roots * roots, (side, side))
            each = [plane.negative_log_likelihood(psf) for plane in self._planes]
            size = np.sqrt(roots * roots + small * small)
            slope = sum(s for _, s in each).ravel() * 2 * roots + _PRICE * roots / size
            return sum(v for v, _ in each) + _PRICE * float(size.sum()), slope

        options = {"maxiter": _ITERATIONS, "maxcor": 15}
        roots = optimize.minimize(value, start, jac=True, method="L-BFGS-B", options=options).x
        psf = np.reshape(roots * roots, (side, side))
        gain = self._nothing - sum(plane.negative_log_likelihood(psf)[0] for plane in self._planes)
        return psf / psf.sum(), gain / sum(plane.count for plane in self._planes)
