r"""The likelihood of a PSF from the spectrum of one picture, no restoration needed.

A scene's power falls smoothly with frequency, a PSF's does not: a disc's has rings of zeros whose spacing is its
radius. For a scene of power :math:`A / (f_0^2 + f^2)^{b/2}` blurred by a PSF of transfer function H and white noise of
power N, the periodogram P of the picture is about exponentially distributed around

.. math:: S(f) = A \, |H(f)|^2 / (f_0^2 + f^2)^{b/2} + N ,

and minus its log likelihood (Whittle) is the sum of :math:`\log S + P / S`. Minimised over A, N and a few shapes
(f_0, b), it is a criterion that has no trivial solution: no blur at all is one candidate among the others, and the
likelihoods of different families compare.

References
----------
P. Whittle, "Estimation and information in stationary time series", Arkiv foer Matematik 2, 423-434 (1953),
:doi:`10.1007/BF02590998`; the multiplicative updates are those of C. Fevotte, N. Bertin, J.-L. Durrieu,
"Nonnegative matrix factorization with the Itakura-Saito divergence", Neural Computation 21, 793-830 (2009),
:doi:`10.1162/neco.2008.04-08-771`.
"""

import numpy as np

from deconv._array import array_namespace, like, to_numpy
from deconv._fft import rfftn

__all__ = ["Periodogram"]

# Shapes of a scene's spectrum: corner frequencies in cycles a pixel, and exponents.
_CORNERS = (0.004, 0.02, 0.04, 0.07, 0.1, 0.15)
_EXPONENTS = (2.0, 3.0)
# Frequencies below so many periods a frame hold the light over the frame and the layout of the page.
_LOWEST = 2.5
# Narrowest rings, in cycles a pixel: the grids of the search hold radii up to some 25 pixels, whose zeros lie ten
# times as far apart.
_FINEST = 0.002
# Updates of A and N; the likelihood is then within 1e-4 of its limit on the photographs tried.
_UPDATES = 25


class Periodogram:
    """Power of a windowed picture, averaged over bins of frequency and of direction.

    Parameters
    ----------
    image : array, shape (M, N)
        The picture, in linear light.
    sectors : int
        Bins of direction over half a turn; 1 for PSFs of circular symmetry.

    Attributes
    ----------
    f, direction : ndarray
        Cycles a pixel and degrees of each bin.
    power, count : ndarray
        Mean power and number of frequencies of each bin.
    """

    def __init__(self, image, sectors=1):
        xp = array_namespace(image)
        h, w = (int(n) for n in image.shape)
        window = np.outer(np.hanning(h + 2)[1:-1], np.hanning(w + 2)[1:-1])
        taper = like(window, image)
        centred = (image - xp.sum(image * taper) / float(window.sum())) * taper
        spectrum = rfftn(centred)
        power = to_numpy(xp.real(spectrum) ** 2 + xp.imag(spectrum) ** 2).astype(float) / (window**2).sum()
        # The half spectrum stands for the whole: all but the first and (even) last column count twice.
        fy, fx = np.fft.fftfreq(h)[:, None], np.fft.rfftfreq(w)[None, :]
        double = np.full((h, fx.size), 2.0)
        double[:, 0] = 1.0
        if w % 2 == 0:
            double[:, -1] = 1.0
        f = np.hypot(fy, fx)
        direction = np.rad2deg(np.arctan2(fy, fx)) % 180.0
        self.length = min(h, w)
        width = max((0.5 if sectors == 1 else 1.0) / self.length, _FINEST)
        ring = np.rint(f / width).astype(int)
        sector = np.rint(direction / (180.0 / sectors)).astype(int) % sectors
        index = (ring * sectors + sector).ravel()
        count = np.bincount(index, double.ravel())
        total = np.bincount(index, (double * power).ravel())
        frequency = np.bincount(index, (double * f).ravel())
        kept = np.flatnonzero(count)
        kept = kept[frequency[kept] / count[kept] > _LOWEST / self.length]
        self.count = count[kept]
        self.power = total[kept] / self.count
        self.f = frequency[kept] / self.count
        self.direction = (kept % sectors) * (180.0 / sectors)
        # A picture rendered without noise has bins of no power at all, whose likelihood has no bound.
        self.power = np.maximum(self.power, 1e-12 * self.power.max())
        self._shapes = np.stack([(self.f**2 + f0**2) ** (-b / 2) for f0 in _CORNERS for b in _EXPONENTS])

    def criterion(self, candidate=None):
        """Minus the mean log likelihood of a PSF, one of `deconv.blind._families`, or of no blur (None)."""
        blur = 1.0 if candidate is None else candidate.power(self.f, self.direction, self.length)
        model = self._shapes * blur
        n, p = self.count, self.power
        low = self.f <= np.quantile(self.f, 0.2)
        scene = (np.median(p[low]) / np.median(model[:, low], axis=1))[:, None]
        noise = np.full((len(model), 1), np.median(p[self.f >= np.quantile(self.f, 0.8)]))
        for _ in range(_UPDATES):
            s = scene * model + noise
            scene = scene * ((n * p / s**2 * model).sum(1) / (n * model / s).sum(1))[:, None]
            s = scene * model + noise
            noise = noise * ((n * p / s**2).sum(1) / (n / s).sum(1))[:, None]
        s = scene * model + noise
        return float(((n * (np.log(s) + p / s)).sum(1) / n.sum()).min())
