"""A picture that counts photons, against what a scene makes one expect: the Poisson half of Richardson-Lucy."""

import math

from deconv import noise
from deconv._core.array import array_namespace, contiguous, device
from deconv._core.kernels import rl_ratio

__all__ = ["Photons", "measured_gain"]

# The exponent of White's damping.
_STEEPNESS = 10


def measured_gain(channels, weights, readout):
    """Brightness of a photon in each channel, shape (C,), from its measured pixels, as by `deconv.noise.gain`."""
    xp = array_namespace(channels)
    if any(n < 3 for n in channels.shape[1:][-2:]):
        shape = tuple(channels.shape[1:])
        raise ValueError(f"image of shape {shape} is too small to measure its noise: give gain, or num_iter alone")
    gains = []
    for c in range(channels.shape[0]):
        image = channels[c, ...]
        if weights is not None:
            image = xp.where(weights[c, ...] > 0, image, math.nan)
        seen = ~xp.isnan(image)
        image_or_0 = xp.where(seen, image, 0.0)
        mean = float(xp.sum(image_or_0)) / max(float(xp.sum(xp.astype(seen, image.dtype))), 1.0)
        # A picture without noise still has rounding, and readout noise alone is made up for by no more counts than
        # the picture has.
        least = float(xp.finfo(image.dtype).eps) * float(xp.max(image_or_0))
        if readout > 0 and mean > 0:
            least = max(least, readout**2 / mean)
        gains.append(max(noise.plane_gain(image, readout) or 0.0, least) or 1.0)
    return xp.asarray(gains, dtype=channels.dtype, device=device(channels))


def measured_noise(channels, weights, gain):
    """What a perfect model leaves of each channel, as `Photons.discrepancy` counts it, shape (C,).

    Of the noise that is there: where it is more than photons make, in the dark parts of a photograph above all, a
    model that had to come as close as photons allow would have to follow the noise.
    """
    xp = array_namespace(channels)
    left = []
    for c in range(channels.shape[0]):
        image = channels[c, ...]
        if weights is not None:
            image = xp.where(weights[c, ...] > 0, image, math.nan)
        photon, total, count = float(gain[c]), 0.0, 0
        for level, variance in noise.variance_by_level(image):
            level = xp.clip(level, min=0.0)
            # Few counts are no Gaussian: there a robust variance is too small, and the photons' the right one.
            total += float(xp.sum(xp.clip(photon * level, min=variance) / (level + photon)))
            count += level.shape[0]
        left.append(total / max(count, 1))
    return xp.asarray(left, dtype=channels.dtype, device=device(channels))


class Photons:
    """The picture, its weights and its noise, channels first.

    Parameters
    ----------
    image : array, shape (C, ...)
        NaN only where `weights` are 0.
    weights : array, shape (C, ...), optional
        Weight of each pixel; 1 if not given.
    background : float or array, shape (1 or C, ...)
        Level that is not of the scene.
    readout : float
        Standard deviation of the readout noise.
    gain : array, shape (C,), optional
        Brightness of a photon, which readout, damping and discrepancy need.
    damping : float
        Deviations below so many standard deviations are not followed.
    left : array, shape (C,), optional
        What a perfect model leaves, see `measured_noise`; by default what photons do.

    Attributes
    ----------
    measured : array, shape (C, ...)
        The picture, nowhere negative, 0 where it was not measured.
    counted : array, shape (C, ...)
        The same times its weights.
    peak : array, shape (C,)
        Its largest value, or 1.
    floor : array, shape (C,)
        Below this an expectation is rounding and nothing is divided by it.
    """

    def __init__(self, image, weights, background, readout, gain, damping, left=None):
        xp = array_namespace(image)
        self.xp, self.weights, self.gain, self.damping, self.left = xp, weights, gain, damping, left
        self.shape = image.shape
        offset = readout**2 / self._each(gain) if readout > 0 else 0.0
        image = image + offset if readout > 0 else image
        if weights is not None:
            image = xp.where(weights > 0, image, 0.0)
        if bool(xp.any(image < 0)):
            image = xp.clip(image, min=0.0)
        self.measured = contiguous(image)
        self.counted = self.measured if weights is None else self.measured * weights
        peak = xp.max(xp.reshape(self.measured, (image.shape[0], -1)), axis=1)
        self.peak = xp.where(peak > 0, peak, xp.ones_like(peak))
        self.floor = self.peak * float(xp.finfo(image.dtype).eps)
        # One value a channel goes into the kernel; a background that varies over the frame is added beforehand.
        self.background = xp.zeros_like(self._each(peak)) + background + offset
        flat = math.prod(self.background.shape[1:]) == 1
        self._constant = xp.reshape(self.background, (-1,)) if flat else xp.zeros_like(peak)
        self._varying = None if flat else self.background

    def _each(self, values):
        """One value a channel, to be broadcast over its pixels."""
        return self.xp.reshape(values, (-1, *(1 for _ in self.shape[1:])))

    def _mean(self, values):
        """Mean of `values` over the measured pixels of each channel, shape (C, 1, ...)."""
        xp, axes = self.xp, tuple(range(1, len(self.shape)))
        if self.weights is None:
            return xp.mean(values, axis=axes, keepdims=True)
        # A channel may have no measured pixel at all.
        total = xp.clip(xp.sum(self.weights, axis=axes, keepdims=True), min=1e-30)
        return xp.sum(values * self.weights, axis=axes, keepdims=True) / total

    def mean_scene(self):
        """The level of a flat scene as bright as the picture less its background, shape (C, 1, ...)."""
        if not bool(self.xp.any(self.background > 0)):
            return self._mean(self.measured)
        return self._mean(self.xp.clip(self.measured - self.background, min=0.0))

    def contrast(self):
        """Standard deviation of the measured pixels, shape (C,)."""
        xp = self.xp
        contrast = xp.sqrt(self._mean((self.measured - self._mean(self.measured)) ** 2))
        return xp.reshape(contrast, (-1,))

    def ratio(self, blurred, grid):
        """Measured over expected, in the place of `blurred`: an array of shape (C, ..., pitch) on that `grid`."""
        if self.damping > 0:
            expected = self._expected(blurred)
            damped = self._damped(expected)
            blurred[...] = 0.0
            blurred[self._frame] = damped
            return
        if self._varying is not None:
            blurred[self._frame] += self._varying
        ones = (1,) * (4 - len(self.shape))
        grid = (*ones, *grid)
        rl_ratio(
            self.counted, blurred, self._constant, self.floor, *ones, *self.shape[1:], *grid[:-1], blurred.shape[-1]
        )

    @property
    def _frame(self):
        return (slice(None), *(slice(0, n) for n in self.shape[1:]))

    def _expected(self, blurred):
        """What is expected in the frame, nowhere 0."""
        return self.xp.maximum(blurred[self._frame] + self.background, self._each(self.floor))

    def discrepancy(self, blurred):
        """Squared differences of picture and model, as part of what noise makes of them, shape (C,).

        Each pixel counts by its variance, that of one photon more: where next to none is expected, the deviance of a
        pixel would be far less than one, and the test would be passed too soon.
        """
        xp, gain = self.xp, self._each(self.gain)
        expected = self._expected(blurred)
        found = self._mean((self.measured - expected) ** 2 / (expected + gain))
        made = self._mean(gain * expected / (expected + gain)) if self.left is None else self._each(self.left)
        # Nothing is expected of a channel without a measured pixel.
        return xp.reshape(xp.where(made > 0, found / xp.where(made > 0, made, 1.0), 0.0), (-1,))

    def _damped(self, expected):
        xp = self.xp
        measured = xp.maximum(self.measured, self._each(self.floor))
        # Twice the log-likelihood that a pixel is short of its best, in photons.
        deviance = 2 * (measured * xp.log(measured / expected) - measured + expected) / self._each(self.gain)
        share = xp.clip(deviance / self.damping**2, min=0.0, max=1.0)
        n = _STEEPNESS
        flattened = share ** (n - 1) * (n - (n - 1) * share)
        followed = 1 + flattened * (self.measured - expected) / expected
        return followed if self.weights is None else followed * self.weights
