"""The likelihood of a free-form PSF: every frequency by itself, the scene's power plugged in."""

import math

import numpy as np

from deconv._core.array import Array, to_numpy
from deconv._core.fft import fast_shape, irfftn, rfftn
from deconv.blind.settings.spectrum import FullSpectrum
from deconv.blind.spectrum.binned import Degradation
from deconv.blind.spectrum.whittle import SeparableWindow, count_frequencies, whittle

__all__ = ["FullPeriodogram", "smooth_power"]

# For an exponentially distributed number of mean 1: minus the mean of its logarithm, and its median.
_EULER, _MEDIAN = 0.5772, math.log(2)


class FullPeriodogram:
    """Power of an image at every frequency, the smooth part of it, and the power of the noise.

    Parameters
    ----------
    image : array, shape (M, N)
        Linear light.
    degradation : Degradation, optional
        What was done to the image after the blur: it gives the noise its shape, not its level.
    settings : FullSpectrum
        Window, frequencies and knots.

    Attributes
    ----------
    count : float
        Number of independent frequencies.
    """

    def __init__(self, image: Array, degradation: Degradation | None = None, *, settings: FullSpectrum) -> None:
        values = to_numpy(image).astype(np.float64)
        window = SeparableWindow(values.shape, [settings.fade * n for n in values.shape])
        self._grid = fast_shape(values.shape)
        padded = np.zeros(self._grid)
        padded[tuple(slice(0, n) for n in values.shape)] = window.fade(values)
        # abs() ** 2, unlike the binned power: a sum of squares differs in the last bits, from which descents diverge.
        power = np.abs(rfftn(padded)) ** 2 / window.energy
        f, direction, counted = count_frequencies(self._grid, values.shape, settings)
        high, shape = f > settings.noise_from, np.ones(f.shape)
        if degradation is not None:
            at = (f * np.sin(direction)).ravel(), (f * np.cos(direction)).ravel()
            shape = degradation.spectrum(*at, 1.0)[1].reshape(f.shape)
            shape /= shape[high].mean()
        noise = shape * max(
            float(np.median(power[high] / shape[high])) / _MEDIAN,
            settings.least_noise * float(power[counted].mean()),
        )
        smooth = np.zeros(f.shape)
        smooth[counted] = smooth_power(f[counted], direction[counted], power[counted], settings=settings)
        independent = window.independent(self._grid)
        self._counts = (counted * independent).astype(np.float32)
        self.count = float(counted.sum() * independent)
        self._power, self._noise = power.astype(np.float32), noise.astype(np.float32)
        self._scene = np.maximum(smooth - noise, 0.0).astype(np.float32)
        self._settings, self._counted, self._at = settings, counted, (f[counted], direction[counted])

    def negative_log_likelihood(self, psf: np.ndarray) -> tuple[float, np.ndarray]:
        """Minus the log likelihood of a square PSF, in nats, and its derivative by the weights."""
        side = psf.shape[0]
        padded = np.zeros(self._grid, np.float32)
        padded[:side, :side] = psf
        otf = rfftn(padded)
        expected = self._scene * (otf.real**2 + otf.imag**2) + self._noise
        value, slope = whittle(self._power, expected, self._counts)
        gradient = irfftn(self._counts * slope / expected * self._scene * otf, self._grid)
        return value, gradient[:side, :side].astype(np.float64) * math.prod(self._grid)

    def coherence(self, psf: np.ndarray) -> float:
        r"""How much better the irregularities of a PSF's power explain those of the image than no blur, in nats.

        The plugged-in power A of the scene includes the slope of the PSF, so :math:`|K|^2` is divided by its own smooth
        part, to W of mean 1. The image shows these irregularities only in part, because the PSF is not exact and JPEG
        is not white noise. The expected power is

        .. math:: S = A \, (\varepsilon + (1 - \varepsilon) W) + N ,

        which is that of no blur for :math:`\varepsilon = 1`; :math:`\varepsilon` is the likeliest one.

        Parameters
        ----------
        psf : ndarray, shape (m, n)
            The PSF, at any position.

        Returns
        -------
        float
            Log likelihood relative to no blur, in nats; 0 or more.
        """
        settings = self._settings
        padded = np.zeros(self._grid, np.float32)
        padded[tuple(slice(0, n) for n in psf.shape)] = psf
        gain = (np.abs(rfftn(padded)) ** 2)[self._counted]
        irregular = gain / smooth_power(*self._at, gain, settings=settings)
        irregular /= irregular.mean()
        scene, power, counts = (each[self._counted] for each in (self._scene, self._power, self._counts))
        parts = np.linspace(1.0, 0.0, settings.coherence_steps) ** 2
        noise = self._noise[self._counted]
        values = [whittle(power, scene * (e + (1 - e) * irregular) + noise, counts)[0] for e in parts]
        return values[0] - min(values)


def smooth_power(f: np.ndarray, direction: np.ndarray, power: np.ndarray, *, settings: FullSpectrum) -> np.ndarray:
    """The smooth part of the power: its log is piecewise linear in log f, with coarser terms in the direction."""
    x = np.log(f)
    spacing = math.log(settings.knot_ratio)
    knots = np.arange(math.log(settings.first_knot), x.max() + spacing / 2, spacing)
    radial = np.maximum(0, 1 - np.abs(np.clip(x, knots[0], knots[-1])[:, None] - knots) / spacing)
    slow = np.stack([np.ones_like(x), x, x * x], 1)
    turns = [slow * np.cos(n * direction)[:, None] for n in (2, 4)]
    columns = np.concatenate([radial, *turns], 1)
    log_power = np.log(np.maximum(power, 1e-12 * power.max())) + _EULER
    smooth = columns @ np.linalg.lstsq(columns.T @ columns, columns.T @ log_power, rcond=1e-9)[0]
    result: np.ndarray = np.exp(smooth)
    return result
