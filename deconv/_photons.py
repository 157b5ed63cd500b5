"""A picture that counts photons, against what a scene makes one expect: the Poisson half of Richardson-Lucy."""

import math

from deconv import noise
from deconv._array import array_namespace, contiguous, device
from deconv.kernels import rl_ratio

__all__ = ["Photons", "measured_gain"]

# The exponent of White's damping.
_STEEPNESS = 10


def measured_gain(channels, readout=0.0):
    """Brightness of a photon in each channel, shape (C,), as `deconv.noise.gain` measures it."""
    xp = array_namespace(channels)
    gains = []
    for c in range(channels.shape[0]):
        image = channels[c, ...]
        # A picture without noise still has rounding.
        peak = float(xp.max(xp.where(xp.isnan(image), 0.0, image)))
        least = float(xp.finfo(image.dtype).eps) * peak if peak > 0 else 1.0
        # A volume is looked at plane by plane.
        planes = {"channel_axis": 0} if image.ndim == 3 else {}
        gains.append(max(noise.gain(image, readout=readout, **planes), least))
    return xp.asarray(gains, dtype=channels.dtype, device=device(channels))


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

    Attributes
    ----------
    counted : array, shape (C, ...)
        The picture times its weights, nowhere negative.
    floor : array, shape (C,)
        Below this an expectation is rounding and nothing is divided by it.
    """

    def __init__(self, image, weights, background, readout, gain, damping):
        xp = array_namespace(image)
        self.xp, self.weights, self.gain, self.damping = xp, weights, gain, damping
        self.shape = image.shape
        self.offset = readout**2 / self._each(gain) if readout > 0 else 0.0
        image = image + self.offset if readout > 0 else image
        if weights is not None:
            image = xp.where(weights > 0, image, 0.0) * weights
        if bool(xp.any(image < 0)):
            image = xp.clip(image, min=0.0)
        self.counted = contiguous(image)
        peak = xp.max(xp.reshape(self.counted, (image.shape[0], -1)), axis=1)
        self.peak = xp.where(peak > 0, peak, xp.ones_like(peak))
        self.floor = self.peak * float(xp.finfo(image.dtype).eps)
        # One value a channel goes into the kernel; a background that varies over the frame is added beforehand.
        self.background = xp.zeros_like(self._each(peak)) + background + self.offset
        flat = math.prod(self.background.shape[1:]) == 1
        self._constant = xp.reshape(self.background, (-1,)) if flat else xp.zeros_like(peak)
        self._varying = None if flat else self.background

    def _each(self, values):
        """One value a channel, to be broadcast over its pixels."""
        return self.xp.reshape(values, (-1, *(1 for _ in self.shape[1:])))

    def mean_scene(self):
        """The level of a flat scene as bright as the picture less its background, shape (C, 1, ...)."""
        xp, axes = self.xp, tuple(range(1, len(self.shape)))
        if self.weights is None:
            excess = self.counted
            if bool(xp.any(self.background > 0)):
                excess = xp.clip(excess - self.background, min=0.0)
            return xp.mean(excess, axis=axes, keepdims=True)
        light = xp.sum(xp.clip(self.counted - self.background * self.weights, min=0.0), axis=axes, keepdims=True)
        # A channel may have no measured pixel at all.
        return light / xp.clip(xp.sum(self.weights, axis=axes, keepdims=True), min=1e-30)

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
        """What is expected in the frame, times the weights, nowhere 0."""
        expected = blurred[self._frame] + self.background
        if self.weights is not None:
            expected = expected * self.weights
        return self.xp.maximum(expected, self._each(self.floor))

    def _deviance(self, expected):
        """Twice the log-likelihood that each pixel is short of its best, in photons; times its weight."""
        xp = self.xp
        measured = xp.maximum(self.counted, self._each(self.floor))
        return 2 * (measured * xp.log(measured / expected) - measured + expected) / self._each(self.gain)

    def discrepancy(self, blurred):
        """Squared differences of picture and model, as part of what photon noise makes of them, shape (C,).

        Each pixel counts by its variance, that of one photon more: where next to none is expected, the deviance of a
        pixel would be far less than one, and the test would be passed too soon.
        """
        xp, axes = self.xp, tuple(range(1, len(self.shape)))
        gain = self._each(self.gain)
        expected = self._expected(blurred)
        if self.weights is None:
            measured, weights = self.counted, 1.0
        else:
            weights = self.weights
            safe = xp.where(weights > 0, weights, 1.0)
            measured, expected = self.counted / safe, expected / safe
        scale = weights / (expected + gain)
        found = xp.sum(scale * (measured - expected) ** 2, axis=axes)
        return found / xp.sum(scale * gain * expected, axis=axes)

    def _damped(self, expected):
        xp = self.xp
        weights = 1.0 if self.weights is None else xp.where(self.weights > 0, self.weights, 1.0)
        share = xp.clip(self._deviance(expected) / weights / self.damping**2, min=0.0, max=1.0)
        n = _STEEPNESS
        flattened = share ** (n - 1) * (n - (n - 1) * share)
        followed = 1 + flattened * (self.counted - expected) / expected
        return followed if self.weights is None else followed * self.weights
