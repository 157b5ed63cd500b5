"""Families of PSF that a few numbers describe: what the search varies, and how each is built."""

import math
from dataclasses import dataclass, field
from typing import ClassVar, TypeAlias

import numpy as np
from scipy.special import j1

from deconv import psf

__all__ = ["FAMILIES", "Candidate", "Disk", "Gaussian", "Motion", "Told"]

# Standard deviation of the pixel's own aperture, 1 / sqrt(12).
_PIXEL = 1 / math.sqrt(12)
# A zero is seen through a window that smears it: shifts in standard deviations, and their weights.
_SMEAR = ((-math.sqrt(3), 1 / 6), (0.0, 2 / 3), (math.sqrt(3), 1 / 6))
# Zeros are filled up to less than this part of the rings: strokes, words and lines make shallower dips than a PSF.
_MOST = 0.6


def _open(fill):
    """A number without bounds for a fill between 0 and _MOST, about its logarithm where it is small."""
    return math.log(fill / (_MOST - fill))


def _filled(number):
    # Kept from the bounds themselves, which have no number.
    return _MOST * min(max(1 / (1 + math.exp(-min(max(number, -30.0), 30.0))), 1e-6), 1 - 1e-6)


# What is expected of the fill; simulated photographs had 0.001 to 0.01, real ones 0.01 to 0.55.
_OFTEN = _open(0.03)


@dataclass(frozen=True)
class Disk:
    """Defocus: a disc of some radius, its edge rounded by a Gaussian of `softness` radii.

    Its zeros are filled up to the part `fill` of the power around them: by blur that is not the same all over the
    frame or not quite round, by a tone curve that is not quite undone.
    """

    radius: float
    softness: float = 0.09
    fill: float = 0.1
    uncertainty: float = field(default=math.nan, compare=False)

    # Radii tried per octave: as many as rings of zeros want.
    per_octave: ClassVar[int] = 14
    # Standard deviation of the radius, as a part of it, beyond which none was found: rings leave no doubt.
    unsure: ClassVar[float] = 0.05
    # A smaller radius, in pixels of the picture, is no more than what a sharp picture's own sampling does.
    sharp: ClassVar[float] = 1.0
    # A radius below so many pixels must gain so much per frequency: strokes of one width have zeros of their own, like
    # those of discs of one or two pixels. A sharp page gains up to 0.007 from them, pages so blurred 0.015 and more
    # unless noise hides it.
    slight: ClassVar[tuple] = (3.0, 0.01)
    # What is known beforehand of the vector: cameras' edges have 0.05 to 0.13 radii.
    typical: ClassVar[tuple] = (0.0, math.log(0.09), _OFTEN)
    spread: ClassVar[tuple] = (math.inf, 0.35, 1.0)

    def vector(self):
        """What a fit varies, as real numbers without bounds, the logarithm of the radius first."""
        return np.array([math.log(self.radius), math.log(self.softness), _open(self.fill)])

    def at(self, vector, uncertainty=math.nan):
        """The PSF of another vector."""
        return Disk(math.exp(vector[0]), math.exp(vector[1]), _filled(vector[2]), uncertainty)

    def power(self, f, _direction, smear):
        """|transfer function|^2 at frequencies `f`, smeared by a standard deviation of `smear`."""
        a = 2 * np.pi * self.radius * f
        rings = 0.0
        for shift, weight in _SMEAR:
            b = 2 * np.pi * self.radius * np.maximum(f + shift * smear, 1e-6)
            rings = rings + weight * (2 * j1(b) / b) ** 2
        # The mean of the rings' power over a period, and none of it before the first of them.
        around = a**2 / (1 + a**2) / (1 + np.pi / 4 * a**3)
        return (rings + self.fill * around) * _gaussian_power(f, math.hypot(self.softness * self.radius, _PIXEL))

    def steepest(self):
        """Largest slope, a pixel, of any scene of contrast 1 so blurred: the disc less itself moved by a pixel."""
        return 2 / (math.pi * self.radius)

    def make(self, scale=1.0):
        """The PSF with all lengths times `scale`, as a NumPy array."""
        return psf.disk(self.radius * scale, softness=self.softness * self.radius * scale)

    def parameters(self, scale=1.0):
        """What a user reads: lengths in pixels times `scale`."""
        return {"radius": float(self.radius * scale), "softness": float(self.softness * self.radius * scale)}


@dataclass(frozen=True)
class Told(Disk):
    """A disc whose radius is told: a fit varies its softness and fill alone."""

    typical: ClassVar[tuple] = Disk.typical[1:]
    spread: ClassVar[tuple] = Disk.spread[1:]

    def vector(self):
        """What a fit varies, as of a disc, without the radius."""
        return super().vector()[1:]

    def at(self, vector, _uncertainty=math.nan):
        """The PSF of another vector; what a fit is not sure of is no longer the radius."""
        return Told(self.radius, math.exp(vector[0]), _filled(vector[1]))


@dataclass(frozen=True)
class Gaussian:
    """A Gaussian of standard deviation `radius` / 2, so that radii mean about the same size of blur as a disc's."""

    radius: float
    uncertainty: float = field(default=math.nan, compare=False)

    per_octave: ClassVar[int] = 4
    unsure: ClassVar[float] = 0.3
    sharp: ClassVar[float] = 1.6
    slight: ClassVar[tuple] = (0.0, 0.0)
    typical: ClassVar[tuple] = (0.0,)
    spread: ClassVar[tuple] = (math.inf,)

    def vector(self):
        """What a fit varies: the logarithm of the radius."""
        return np.log([self.radius])

    def at(self, vector, uncertainty=math.nan):
        """The PSF of another vector."""
        return Gaussian(math.exp(vector[0]), uncertainty)

    def power(self, f, _direction, _smear):
        """|transfer function|^2 at frequencies `f`."""
        return _gaussian_power(f, math.hypot(self.radius / 2, _PIXEL))

    def steepest(self):
        """Largest slope, a pixel, of any scene of contrast 1 so blurred."""
        return math.sqrt(2 / math.pi) / self.radius

    def make(self, scale=1.0):
        """The PSF with all lengths times `scale`, as a NumPy array."""
        return psf.gaussian(self.radius * scale / 2)

    def parameters(self, scale=1.0):
        """What a user reads: lengths in pixels times `scale`."""
        return {"sigma": float(self.radius * scale / 2)}


@dataclass(frozen=True)
class Motion:
    """A straight and even movement over a length of two `radius`, at `angle` degrees; `fill` as of a disc."""

    radius: float
    angle: float = 0.0
    fill: float = 0.1
    uncertainty: float = field(default=math.nan, compare=False)

    unsure: ClassVar[float] = 0.05
    sharp: ClassVar[float] = 1.0
    slight: ClassVar[tuple] = (3.0, 0.02)
    typical: ClassVar[tuple] = (0.0, 0.0, _OFTEN)
    spread: ClassVar[tuple] = (math.inf, math.inf, 1.0)

    def vector(self):
        """What a fit varies: logarithm of the radius, angle in radians, logarithm of the fill."""
        return np.array([math.log(self.radius), math.radians(self.angle), _open(self.fill)])

    def at(self, vector, uncertainty=math.nan):
        """The PSF of another vector."""
        return Motion(math.exp(vector[0]), math.degrees(vector[1]), _filled(vector[2]), uncertainty)

    def power(self, f, direction, smear):
        """|transfer function|^2 at frequencies `f` in `direction` (degrees from the x axis, y down)."""
        # `angle` is counter-clockwise as seen, the rows of a picture count downwards.
        along = f * np.cos(np.deg2rad(direction + self.angle))
        rings = 0.0
        for shift, weight in _SMEAR:
            rings = rings + weight * np.sinc(2 * self.radius * (along + shift * smear)) ** 2
        a2 = (2 * np.pi * self.radius * along) ** 2
        return (rings + self.fill * a2 / (1 + a2) / (1 + 2 * a2)) * _gaussian_power(f, _PIXEL)

    def steepest(self):
        """Largest slope, a pixel, of any scene of contrast 1 so blurred: across the movement nothing is."""
        return math.inf

    def make(self, scale=1.0):
        """The PSF with all lengths times `scale`, as a NumPy array."""
        return psf.motion(2 * self.radius * scale, self.angle)

    def parameters(self, scale=1.0):
        """What a user reads: lengths in pixels times `scale`, the angle in degrees."""
        return {"length": float(2 * self.radius * scale), "angle": float(self.angle % 180)}


Candidate: TypeAlias = Disk | Gaussian | Motion
FAMILIES = {"disk": Disk, "gaussian": Gaussian, "motion": Motion}


def _gaussian_power(f, sigma):
    return np.exp(-((2 * np.pi * sigma * f) ** 2))
