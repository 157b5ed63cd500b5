"""Families of parametric PSFs: their parameters, their power spectrum, and the PSF itself."""

import math
from dataclasses import dataclass, field
from typing import ClassVar, Self, TypeAlias

import numpy as np
from scipy.special import j1

from deconv import psf

__all__ = ["FAMILIES", "Candidate", "Disk", "Gaussian", "KnownRadiusDisk", "Motion"]

# Standard deviation of the pixel's own aperture, 1 / sqrt(12).
_PIXEL = 1 / math.sqrt(12)
# The window smears a zero by a Gaussian. Three-point Gauss-Hermite rule: shifts in standard deviations, and weights.
_SMEAR = ((-math.sqrt(3), 1 / 6), (0.0, 2 / 3), (math.sqrt(3), 1 / 6))
# Upper bound of the fill: dips that are shallower come from strokes, words and lines rather than from the PSF.
_LARGEST_FILL = 0.6


def _logit(fill: float) -> float:
    """An unbounded number for a fill between 0 and _LARGEST_FILL; nearly its logarithm where it is small."""
    return math.log(fill / (_LARGEST_FILL - fill))


def _fill(logit: float) -> float:
    # Away from the bounds themselves, which have no logit.
    return _LARGEST_FILL * min(max(1 / (1 + math.exp(-min(max(logit, -30.0), 30.0))), 1e-6), 1 - 1e-6)


# Prior mean of the fill. Simulated photographs had 0.001 to 0.01, real ones 0.01 to 0.55.
_TYPICAL_FILL = _logit(0.03)


@dataclass(frozen=True)
class Disk:
    """Defocus: a disc whose edge is softened by a Gaussian of `softness` radii.

    In real photographs the zeros of its spectrum are filled, up to the fraction `fill` of the power around them: the
    blur varies over the frame or is not quite round, or the tone curve is not quite undone. Smearing the zeros more
    widely instead loses 299 nats on 16 real photographs (docs/tried.md, "The radius").
    """

    radius: float
    softness: float = 0.09
    fill: float = 0.1
    uncertainty: float = field(default=math.nan, compare=False)

    family: ClassVar[str] = "disk"
    # Prior of the vector. The edges of cameras' discs have 0.05 to 0.13 radii; of the radius nothing is known.
    prior_mean: ClassVar[tuple[float, ...]] = (0.0, math.log(0.09), _TYPICAL_FILL)
    prior_deviation: ClassVar[tuple[float, ...]] = (math.inf, 0.35, 1.0)

    def vector(self) -> np.ndarray:
        """Log radius, log softness and logit of the fill: the unbounded numbers that a fit varies."""
        return np.array([math.log(self.radius), math.log(self.softness), _logit(self.fill)])

    def at(self, vector: np.ndarray, uncertainty: float = math.nan) -> Self:
        """The PSF of another vector."""
        return type(self)(math.exp(vector[0]), math.exp(vector[1]), _fill(vector[2]), uncertainty)

    def power(self, f: np.ndarray, _direction: np.ndarray, smear: float) -> np.ndarray:
        """|transfer function|^2 at frequencies `f`, smeared by a standard deviation of `smear`."""
        a = 2 * np.pi * self.radius * f
        rings = np.zeros_like(f)
        for shift, weight in _SMEAR:
            b = 2 * np.pi * self.radius * np.maximum(f + shift * smear, 1e-6)
            rings = rings + weight * (2 * j1(b) / b) ** 2
        # Mean power of the rings over a period, from the first of them on.
        around = a**2 / (1 + a**2) / (1 + np.pi / 4 * a**3)
        edge = _gaussian_power(f, math.hypot(self.softness * self.radius, _PIXEL))
        power: np.ndarray = (rings + self.fill * around) * edge
        return power

    def steepest(self) -> float:
        """Largest slope per pixel that this blur leaves of a scene of contrast 1: that of a disc shifted by a pixel."""
        return 2 / (math.pi * self.radius)

    def make(self, scale: float = 1.0) -> np.ndarray:
        """The PSF with all lengths times `scale`, as a NumPy array."""
        kernel: np.ndarray = psf.disk(self.radius * scale, softness=self.softness * self.radius * scale)
        return kernel

    def parameters(self, scale: float = 1.0) -> dict[str, float]:
        """The user's numbers: lengths in pixels times `scale`."""
        return {"radius": float(self.radius * scale), "softness": float(self.softness * self.radius * scale)}


@dataclass(frozen=True)
class KnownRadiusDisk(Disk):
    """A disc whose radius is given: a fit varies its softness and fill alone."""

    prior_mean: ClassVar[tuple[float, ...]] = Disk.prior_mean[1:]
    prior_deviation: ClassVar[tuple[float, ...]] = Disk.prior_deviation[1:]

    def vector(self) -> np.ndarray:
        """Log softness and logit of the fill."""
        return super().vector()[1:]

    def at(self, vector: np.ndarray, _uncertainty: float = math.nan) -> Self:
        """The PSF of another vector, without the uncertainty, because no radius is fitted."""
        return type(self)(self.radius, math.exp(vector[0]), _fill(vector[1]))


@dataclass(frozen=True)
class Gaussian:
    """A Gaussian of standard deviation `radius` / 2: a disc of the same radius blurs about as much."""

    radius: float
    uncertainty: float = field(default=math.nan, compare=False)

    family: ClassVar[str] = "gaussian"
    prior_mean: ClassVar[tuple[float, ...]] = (0.0,)
    prior_deviation: ClassVar[tuple[float, ...]] = (math.inf,)

    def vector(self) -> np.ndarray:
        """Log radius."""
        return np.log([self.radius])

    def at(self, vector: np.ndarray, uncertainty: float = math.nan) -> Self:
        """The PSF of another vector."""
        return type(self)(math.exp(vector[0]), uncertainty)

    def power(self, f: np.ndarray, _direction: np.ndarray, _smear: float) -> np.ndarray:
        """|transfer function|^2 at frequencies `f`."""
        return _gaussian_power(f, math.hypot(self.radius / 2, _PIXEL))

    def steepest(self) -> float:
        """Largest slope per pixel that this blur leaves of a scene of contrast 1."""
        return math.sqrt(2 / math.pi) / self.radius

    def make(self, scale: float = 1.0) -> np.ndarray:
        """The PSF with all lengths times `scale`, as a NumPy array."""
        kernel: np.ndarray = psf.gaussian(self.radius * scale / 2)
        return kernel

    def parameters(self, scale: float = 1.0) -> dict[str, float]:
        """The user's numbers: lengths in pixels times `scale`."""
        return {"sigma": float(self.radius * scale / 2)}


@dataclass(frozen=True)
class Motion:
    """Straight uniform motion: a line of length 2 `radius` at `angle` degrees; `fill` as of a disc."""

    radius: float
    angle: float = 0.0
    fill: float = 0.1
    uncertainty: float = field(default=math.nan, compare=False)

    family: ClassVar[str] = "motion"
    prior_mean: ClassVar[tuple[float, ...]] = (0.0, 0.0, _TYPICAL_FILL)
    prior_deviation: ClassVar[tuple[float, ...]] = (math.inf, math.inf, 1.0)

    def vector(self) -> np.ndarray:
        """Log radius, angle in radians, logit of the fill."""
        return np.array([math.log(self.radius), math.radians(self.angle), _logit(self.fill)])

    def at(self, vector: np.ndarray, uncertainty: float = math.nan) -> Self:
        """The PSF of another vector."""
        return type(self)(math.exp(vector[0]), math.degrees(vector[1]), _fill(vector[2]), uncertainty)

    def power(self, f: np.ndarray, direction: np.ndarray, smear: float) -> np.ndarray:
        """|transfer function|^2 at frequencies `f` in `direction` (degrees from the x axis, y down)."""
        # `angle` is counter-clockwise to the eye, but rows count downwards.
        along = f * np.cos(np.deg2rad(direction + self.angle))
        rings = np.zeros_like(f)
        for shift, weight in _SMEAR:
            rings = rings + weight * np.sinc(2 * self.radius * (along + shift * smear)) ** 2
        a2 = (2 * np.pi * self.radius * along) ** 2
        power: np.ndarray = (rings + self.fill * a2 / (1 + a2) / (1 + 2 * a2)) * _gaussian_power(f, _PIXEL)
        return power

    def steepest(self) -> float:
        """Largest slope per pixel that this blur leaves: unbounded, because edges along the motion stay sharp."""
        return math.inf

    def make(self, scale: float = 1.0) -> np.ndarray:
        """The PSF with all lengths times `scale`, as a NumPy array."""
        kernel: np.ndarray = psf.motion(2 * self.radius * scale, self.angle)
        return kernel

    def parameters(self, scale: float = 1.0) -> dict[str, float]:
        """The user's numbers: lengths in pixels times `scale`, the angle in degrees."""
        return {"length": float(2 * self.radius * scale), "angle": float(self.angle % 180)}


Candidate: TypeAlias = Disk | Gaussian | Motion

FAMILIES: dict[str, type[Candidate]] = {"disk": Disk, "gaussian": Gaussian, "motion": Motion}


def _gaussian_power(f: np.ndarray, sigma: float) -> np.ndarray:
    return np.exp(-((2 * np.pi * sigma * f) ** 2))
