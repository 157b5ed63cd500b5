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

import math
from collections.abc import Sequence

import numpy as np
from scipy import optimize

from deconv._core.array import Array, to_numpy
from deconv._core.fft import fast_shape, irfftn, rfftn
from deconv.blind.settings.freeform import PhaseRetrieval
from deconv.blind.spectrum import taper

__all__ = ["Power"]

# Part of each side over which the picture fades in, and out.
_FADE = 0.15
# Frequencies below so many periods a frame hold its layout, those within so many of an axis its borders; above this,
# in cycles a pixel, are the corners; from there on it is mostly noise.
_LOWEST, _AXES, _HIGHEST, _NOISY = 2.5, 1.5, 0.49, 0.45
# Ratio of the knots over which the log power is linear, and the lowest, in cycles a pixel.
_KNOTS, _FIRST = 1.73, 1 / 150
# Mean of minus the log of an exponentially distributed number of mean 1; its median.
_EULER, _MEDIAN = 0.5772, math.log(2)
# The power of the noise is at least this part of the mean: pictures drawn by a computer have none.
_LEAST = 1e-6
_DEFAULTS = PhaseRetrieval()


class Power:
    """The power spectra of images that share a PSF.

    Parameters
    ----------
    images : sequence of arrays, each of shape (M, N)
        In linear light.
    settings : PhaseRetrieval
        Of the descent.
    """

    def __init__(self, images: Sequence[Array], *, settings: PhaseRetrieval = _DEFAULTS) -> None:
        self._settings = settings
        self._masses = np.geomspace(settings.least_mass, settings.most_mass, settings.masses)
        self._planes = [_Plane(to_numpy(image).astype(np.float64)) for image in images]
        self._no_blur = self._least_unlikely(np.ones((1, 1)))

    def gain(self, psf: np.ndarray) -> float:
        """Log likelihood of a PSF of sum 1 over that of no blur, in nats a frequency."""
        return (self._no_blur - self._least_unlikely(psf)) / sum(plane.count for plane in self._planes)

    def _least_unlikely(self, psf: np.ndarray) -> float:
        """Minus the log likelihood of a PSF, of the likeliest mass: the scene's power is known but for a factor."""
        return min(sum(plane.unlikely(mass * psf)[0] for plane in self._planes) for mass in self._masses)

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
            each = [plane.unlikely(psf) for plane in self._planes]
            size = np.sqrt(roots * roots + small * small)
            slope = (
                sum((s for _, s in each), np.zeros((side, side))).ravel() * 2 * roots
                + settings.root_penalty * roots / size
            )
            return sum(v for v, _ in each) + settings.root_penalty * float(size.sum()), slope

        options = {"maxiter": settings.iterations, "maxcor": settings.memory}
        roots = optimize.minimize(objective, start, jac=True, method="L-BFGS-B", options=options).x
        psf = np.reshape(roots * roots, (side, side))
        gain = self._no_blur - sum(plane.unlikely(psf)[0] for plane in self._planes)
        return psf / psf.sum(), gain / sum(plane.count for plane in self._planes)


class _Plane:
    """The periodogram of a picture, and what is smooth in it."""

    def __init__(self, picture):
        window = np.outer(*(taper(n, _FADE * n) for n in picture.shape))
        held = (picture - (picture * window).sum() / window.sum()) * window
        self.shape = fast_shape(picture.shape)
        grid = np.zeros(self.shape)
        grid[tuple(slice(0, n) for n in picture.shape)] = held
        power = np.abs(rfftn(grid)) ** 2 / (window**2).sum()
        fy, fx = np.fft.fftfreq(self.shape[0])[:, None], np.fft.rfftfreq(self.shape[1])[None, :]
        f = np.hypot(fy, fx)
        h, w = picture.shape
        kept = (f > _LOWEST / min(h, w)) & (f < _HIGHEST) & (np.abs(fx) > _AXES / w) & (np.abs(fy) > _AXES / h)
        noise = max(float(np.median(power[f > _NOISY])) / _MEDIAN, _LEAST * float(power[kept].mean()))
        smooth = np.zeros(f.shape)
        smooth[kept] = _smooth(f[kept], np.arctan2(fy, fx)[kept], power[kept])
        # The window and the grid correlate neighbours: there are fewer independent ones.
        independent = (window**2).sum() ** 2 / (window**4).sum() / math.prod(self.shape)
        self._counted = np.float32(kept * independent)
        self.count = float(kept.sum() * independent)
        self._power, self._noise = np.float32(power), np.float32(noise)
        self._scene = np.float32(np.maximum(smooth - noise, 0.0))

    def unlikely(self, psf):
        """Minus the log of the likelihood of a PSF, and its derivative by the weights."""
        side = psf.shape[0]
        grid = np.zeros(self.shape, np.float32)
        grid[:side, :side] = psf
        otf = rfftn(grid)
        expected = self._scene * (otf.real**2 + otf.imag**2) + self._noise
        part = self._power / expected
        value = float(np.sum(self._counted * (np.log(expected) + part), dtype=np.float64))
        slope = irfftn(self._counted * (1 - part) / expected * self._scene * otf, self.shape)
        return value, slope[:side, :side].astype(np.float64) * math.prod(self.shape)


def _smooth(f, direction, power):
    """What is smooth in the power: its log by a line over the log of f between knots, and slower over the direction."""
    x = np.log(f)
    knots = np.arange(math.log(_FIRST), x.max() + math.log(_KNOTS) / 2, math.log(_KNOTS))
    radial = np.maximum(0, 1 - np.abs(np.clip(x, knots[0], knots[-1])[:, None] - knots) / math.log(_KNOTS))
    slow = np.stack([np.ones_like(x), x, x * x], 1)
    turns = [slow * np.cos(n * direction)[:, None] for n in (2, 4)]
    columns = np.concatenate([radial, *turns], 1)
    seen = np.log(np.maximum(power, 1e-12 * power.max())) + _EULER
    return np.exp(columns @ np.linalg.lstsq(columns.T @ columns, columns.T @ seen, rcond=1e-9)[0])
