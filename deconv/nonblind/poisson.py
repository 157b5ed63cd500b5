"""The Poisson data term of Richardson-Lucy: an image of photon counts against its expectation."""

import math
from typing import Any

from deconv import noise
from deconv._core.array import Result, array_namespace, contiguous, device
from deconv._core.kernels import rl_ratio

__all__ = ["PoissonData", "measured_gain", "noise_residual"]

# The exponent of White's damping.
_DAMPING_EXPONENT = 10


def measured_gain(channels: Any, weights: Any, readout: float) -> Result:
    """Brightness of a photon in each channel, shape (C,), measured as in `deconv.noise.gain`."""
    xp = array_namespace(channels)
    if any(n < 3 for n in channels.shape[1:][-2:]):
        shape = tuple(channels.shape[1:])
        raise ValueError(f"image of shape {shape} is too small to measure its noise: give gain, or num_iter alone")
    gains = []
    for c in range(channels.shape[0]):
        image = channels[c, ...]
        if weights is not None:
            image = xp.where(weights[c, ...] > 0, image, math.nan)
        measured = ~xp.isnan(image)
        image_or_0 = xp.where(measured, image, 0.0)
        mean = float(xp.sum(image_or_0)) / max(float(xp.sum(xp.astype(measured, image.dtype))), 1.0)
        # An image without noise still has rounding. With readout noise only, the offset readout^2 / gain must not
        # exceed the counts of the image.
        least = float(xp.finfo(image.dtype).eps) * float(xp.max(image_or_0))
        if readout > 0 and mean > 0:
            least = max(least, readout**2 / mean)
        gains.append(max(noise.plane_gain(image, readout) or 0.0, least) or 1.0)
    return xp.asarray(gains, dtype=channels.dtype, device=device(channels))


def noise_residual(channels: Any, weights: Any, gain: Any) -> Result:
    """Residual that the measured noise leaves to a perfect model, as `PoissonData.discrepancy` counts it, shape (C,).

    Real noise may exceed photon noise, above all in the dark parts of a photograph. A model that had to come as close
    to the data as photon noise allows would fit that excess.
    """
    xp = array_namespace(channels)
    residuals = []
    for c in range(channels.shape[0]):
        image = channels[c, ...]
        if weights is not None:
            image = xp.where(weights[c, ...] > 0, image, math.nan)
        photon, total, count = float(gain[c]), 0.0, 0
        for level, variance in noise.variance_by_level(image):
            level = xp.clip(level, min=0.0)
            # Few counts are not Gaussian: there a robust variance is too small, and the photon variance is right.
            total += float(xp.sum(xp.clip(photon * level, min=variance) / (level + photon)))
            count += level.shape[0]
        residuals.append(total / max(count, 1))
    return xp.asarray(residuals, dtype=channels.dtype, device=device(channels))


class PoissonData:
    """The image, its weights and its noise, channels first.

    Parameters
    ----------
    image : array, shape (C, ...)
        NaN only where `weights` are 0.
    weights : array, shape (C, ...), optional
        Weight of each pixel; 1 if not given.
    background : float or array, shape (1 or C, ...)
        Level that is in the image but not in the scene.
    readout : float
        Standard deviation of the readout noise.
    gain : array, shape (C,), optional
        Brightness of a photon, which readout, damping and discrepancy need.
    damping : float
        Differences below this many standard deviations are not fitted.
    residual : array, shape (C,), optional
        Residual of a perfect model, see `noise_residual`; by default that of photon noise.

    Attributes
    ----------
    measured : array, shape (C, ...)
        The image, nowhere negative, 0 where it was not measured.
    weighted : array, shape (C, ...)
        The same times its weights.
    peak : array, shape (C,)
        Its largest value, or 1.
    floor : array, shape (C,)
        An expectation below this is rounding, and nothing is divided by it.
    """

    def __init__(
        self,
        image: Any,
        weights: Any,
        background: Any,
        readout: float,
        gain: Any,
        damping: float,
        residual: Any = None,
    ) -> None:
        xp = array_namespace(image)
        self.xp, self.weights, self.gain, self.damping, self.residual = xp, weights, gain, damping, residual
        self.shape = image.shape
        offset = readout**2 / self._per_channel(gain) if readout > 0 else 0.0
        image = image + offset if readout > 0 else image
        if weights is not None:
            image = xp.where(weights > 0, image, 0.0)
        if bool(xp.any(image < 0)):
            image = xp.clip(image, min=0.0)
        self.measured = contiguous(image)
        self.weighted = self.measured if weights is None else self.measured * weights
        peak = xp.max(xp.reshape(self.measured, (image.shape[0], -1)), axis=1)
        self.peak = xp.where(peak > 0, peak, xp.ones_like(peak))
        self.floor: Any = self.peak * float(xp.finfo(image.dtype).eps)
        # The kernel takes one value for each channel; a background that varies over the frame is added beforehand.
        self.background: Any = xp.zeros_like(self._per_channel(peak)) + background + offset
        flat = math.prod(self.background.shape[1:]) == 1
        self._constant = xp.reshape(self.background, (-1,)) if flat else xp.zeros_like(peak)
        self._varying: Any = None if flat else self.background

    def _per_channel(self, values: Any) -> Result:
        """One value for each channel, shaped for broadcasting over its pixels."""
        return self.xp.reshape(values, (-1, *(1 for _ in self.shape[1:])))

    def _mean(self, values: Any) -> Result:
        """Mean of `values` over the measured pixels of each channel, shape (C, 1, ...)."""
        xp, axes = self.xp, tuple(range(1, len(self.shape)))
        if self.weights is None:
            return xp.mean(values, axis=axes, keepdims=True)
        # A channel may have no measured pixel.
        total = xp.clip(xp.sum(self.weights, axis=axes, keepdims=True), min=1e-30)
        return xp.sum(values * self.weights, axis=axes, keepdims=True) / total

    def mean_scene(self) -> Result:
        """The level of a flat scene as bright as the image minus its background, shape (C, 1, ...)."""
        if not bool(self.xp.any(self.background > 0)):
            return self._mean(self.measured)
        return self._mean(self.xp.clip(self.measured - self.background, min=0.0))

    def contrast(self) -> Result:
        """Standard deviation of the measured pixels, shape (C,)."""
        xp = self.xp
        contrast = xp.sqrt(self._mean((self.measured - self._mean(self.measured)) ** 2))
        return xp.reshape(contrast, (-1,))

    def ratio(self, blurred: Any, grid: tuple[int, ...]) -> None:
        """Replace `blurred`, of shape (C, ..., pitch) on `grid`, by the ratio of measured to expected."""
        if self.damping > 0:
            expected = self._expected(blurred)
            damped = self._damped(expected)
            blurred[...] = 0.0
            blurred[self._frame] = damped
            return
        if self._varying is not None:
            blurred[self._frame] += self._varying
        ones = (1,) * (4 - len(self.shape))
        sizes = (*ones, *self.shape[1:], *ones, *grid[:-1], blurred.shape[-1])
        rl_ratio(self.weighted, blurred, self._constant, self.floor, *sizes)

    @property
    def _frame(self) -> tuple[slice, ...]:
        return (slice(None), *(slice(0, n) for n in self.shape[1:]))

    def _expected(self, blurred: Any) -> Result:
        """The expected image in the frame, positive everywhere."""
        return self.xp.maximum(blurred[self._frame] + self.background, self._per_channel(self.floor))

    def discrepancy(self, blurred: Any) -> Result:
        """Squared difference of image and model, relative to the noise, shape (C,).

        Each pixel is weighted by its inverse variance with one photon added. The deviance would not do: where hardly
        any photon is expected it is far below one per pixel, and the test would pass too soon.
        """
        xp, gain = self.xp, self._per_channel(self.gain)
        expected = self._expected(blurred)
        misfit = self._mean((self.measured - expected) ** 2 / (expected + gain))
        if self.residual is None:
            allowed = self._mean(gain * expected / (expected + gain))
        else:
            allowed = self._per_channel(self.residual)
        # A channel without a measured pixel has no noise and no misfit.
        return xp.reshape(xp.where(allowed > 0, misfit / xp.where(allowed > 0, allowed, 1.0), 0.0), (-1,))

    def _damped(self, expected: Any) -> Result:
        xp = self.xp
        measured = xp.maximum(self.measured, self._per_channel(self.floor))
        # Twice the deficit of a pixel's log-likelihood from its maximum, in photons.
        deviance = 2 * (measured * xp.log(measured / expected) - measured + expected) / self._per_channel(self.gain)
        fraction = xp.clip(deviance / self.damping**2, min=0.0, max=1.0)
        n = _DAMPING_EXPONENT
        flattened = fraction ** (n - 1) * (n - (n - 1) * fraction)
        ratio = 1 + flattened * (self.measured - expected) / expected
        return ratio if self.weights is None else ratio * self.weights
