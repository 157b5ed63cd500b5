"""Families of PSF that a few numbers describe: what the search varies, and how each is built."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import j1

from deconv import psf

__all__ = ["FAMILIES", "Disk", "Gaussian", "Motion"]

# Standard deviation of the pixel's own aperture, 1 / sqrt(12).
_PIXEL = 1 / math.sqrt(12)
# What the window and the bins smear a zero over: weights at shifts of so many parts of the window's length.
_LOBE = ((-1.2, 0.12), (-0.6, 0.235), (0.0, 0.29), (0.6, 0.235), (1.2, 0.12))


@dataclass(frozen=True)
class Disk:
    """Defocus: a disc of some radius, its edge rounded by a Gaussian of `softness` radii."""

    radius: float
    softness: float = 0.05

    sectors: ClassVar[int] = 1
    angles: ClassVar[tuple] = (0.0,)
    softnesses: ClassVar[tuple] = (0.02, 0.05, 0.09, 0.13, 0.18)

    def power(self, f, _direction, length):
        """|transfer function|^2 at frequencies `f`, seen through a window `length` pixels long."""
        smeared = 0.0
        for shift, weight in _LOBE:
            a = 2 * np.pi * self.radius * np.maximum(f + shift / length, 1e-5)
            smeared = smeared + weight * (2 * j1(a) / a) ** 2
        return smeared * _gaussian_power(f, math.hypot(self.softness * self.radius, _PIXEL))

    def make(self, scale=1.0):
        """The PSF with all lengths times `scale`, as a NumPy array."""
        return psf.disk(self.radius * scale, softness=self.softness * self.radius * scale)

    def parameters(self, scale=1.0):
        """What a user reads: lengths in pixels times `scale`."""
        return {"radius": float(self.radius * scale), "softness": float(self.softness * self.radius * scale)}


@dataclass(frozen=True)
class Gaussian:
    """A Gaussian of standard deviation `radius` / 2, so that radii mean about the same size of blur as a disc's."""

    radius: float
    softness: float = 0.0

    sectors: ClassVar[int] = 1
    angles: ClassVar[tuple] = (0.0,)
    softnesses: ClassVar[tuple] = (0.0,)

    def power(self, f, _direction, _length):
        """|transfer function|^2 at frequencies `f`."""
        return _gaussian_power(f, math.hypot(self.radius / 2, _PIXEL))

    def make(self, scale=1.0):
        """The PSF with all lengths times `scale`, as a NumPy array."""
        return psf.gaussian(self.radius * scale / 2)

    def parameters(self, scale=1.0):
        """What a user reads: lengths in pixels times `scale`."""
        return {"sigma": float(self.radius * scale / 2)}


@dataclass(frozen=True)
class Motion:
    """A straight and even movement over a length of two `radius`, at `angle` degrees."""

    radius: float
    softness: float = 0.0
    angle: float = 0.0

    sectors: ClassVar[int] = 48
    angles: ClassVar[tuple] = tuple(np.arange(0.0, 180.0, 7.5))
    softnesses: ClassVar[tuple] = (0.0,)

    def power(self, f, direction, length):
        """|transfer function|^2 at frequencies `f` in `direction` (degrees from the x axis, y down)."""
        # `angle` is counter-clockwise as seen, the rows of a picture count downwards.
        along = f * np.cos(np.deg2rad(direction + self.angle))
        smeared = 0.0
        for shift, weight in _LOBE:
            smeared = smeared + weight * np.sinc(2 * self.radius * (along + shift / length)) ** 2
        return smeared * _gaussian_power(f, _PIXEL)

    def make(self, scale=1.0):
        """The PSF with all lengths times `scale`, as a NumPy array."""
        return psf.motion(2 * self.radius * scale, self.angle)

    def parameters(self, scale=1.0):
        """What a user reads: lengths in pixels times `scale`, the angle in degrees."""
        return {"length": float(2 * self.radius * scale), "angle": float(self.angle % 180)}


FAMILIES = {"disk": Disk, "gaussian": Gaussian, "motion": Motion}


def _gaussian_power(f, sigma):
    return np.exp(-((2 * np.pi * sigma * f) ** 2))
