"""The likelihood of PSFs of few parameters: power averaged over bins, scene and noise integrated out."""

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar, overload

import numpy as np
from scipy.interpolate import BSpline
from scipy.special import gammaln

from deconv._core.array import Array, array_namespace, to_numpy
from deconv._core.fft import rfftn
from deconv.blind.settings.spectrum import Spectrum
from deconv.blind.spectrum.whittle import SeparableWindow, count_frequencies, whittle

__all__ = ["Blur", "Degradation", "Fit", "Periodogram", "VariableBlur"]


class Blur(Protocol):
    """What the likelihood needs of a PSF: its power spectrum."""

    def power(self, f: np.ndarray, direction: np.ndarray, smear: float, /) -> np.ndarray:
        """|transfer function|^2 at frequencies and directions (degrees), smeared by a standard deviation."""
        ...


class Degradation(Protocol):
    """What was done to the power after the blur, such as JPEG compression."""

    def spectrum(self, fy: np.ndarray, fx: np.ndarray, scale: float, /) -> tuple[np.ndarray, np.ndarray]:
        """Factor on the power of the scene, and power of the error, on a grid reduced by `scale`."""
        ...


class VariableBlur(Blur, Protocol):
    """A PSF whose parameters can be fitted, with a Gaussian prior on them."""

    prior_mean: ClassVar[tuple[float, ...]]
    prior_deviation: ClassVar[tuple[float, ...]]

    def vector(self) -> np.ndarray:
        """Its parameters as unbounded real numbers."""
        ...

    def at(self, vector: np.ndarray, uncertainty: float = math.nan, /) -> Self:
        """The PSF of another vector."""
        ...


BlurT = TypeVar("BlurT", bound=Blur)
FittedT = TypeVar("FittedT", bound=Blur | None, covariant=True)


@dataclass(frozen=True)
class Fit(Generic[FittedT]):
    """The likeliest scene and noise for a PSF.

    Attributes
    ----------
    cost : float
        Minus the log evidence in nats: scene and noise are integrated out.
    coefficients : ndarray
        Coefficients of the log power of scene and noise; the fit of a similar PSF may start from them.
    candidate : Disk, Gaussian, Motion or None
        The PSF; its fitted version if `vary` was set.
    dispersion : float
        Mean square of the residual relative to that of a true model, 1 or more. Divide evidence by it.
    roughness : float
        Likeliest relative variance by which the power of a bin departs from the smooth model.
    """

    cost: float
    coefficients: np.ndarray
    candidate: FittedT
    dispersion: float
    roughness: float = 0.0


class Periodogram:
    """Power of an image, averaged over bins of frequency and of direction.

    Parameters
    ----------
    image : array, shape (M, N)
        Linear light, or coverage by ink.
    settings : Spectrum
        Window, bins, and the prior of scene and noise.
    sectors : int
        Number of bins of direction over half a turn.
    largest : float
        Largest radius searched, in pixels, which sets the width of the rings.
    edges : bool
        Whether the scene's power is expected to fall like that of edges. A Gaussian has no zeros, so only that
        assumption separates it from no blur. PSFs with zeros do not need it, and much blurred text does not satisfy it.
    degradation : Degradation, optional
        What was done to the image after the blur.
    scale : float
        Reduction of the image whose degradation it is to this one.

    Attributes
    ----------
    f, direction : ndarray
        Frequency in cycles per pixel and direction in degrees of each bin.
    power, count : ndarray
        Mean power and number of independent frequencies of each bin.
    smear : float
        Standard deviation, in cycles per pixel, over which the window spreads one frequency.
    """

    def __init__(
        self,
        image: Array,
        *,
        settings: Spectrum,
        sectors: int = 8,
        largest: float = math.inf,
        edges: bool = True,
        degradation: Degradation | None = None,
        scale: float = 1.0,
    ) -> None:
        xp = array_namespace(image)
        self._settings, self._with_edges = settings, edges
        self._roughnesses = [0.0, *np.geomspace(*settings.roughness, settings.roughness_values).tolist()]
        h, w = shape = tuple(int(n) for n in image.shape)
        margin = settings.margin * max(shape)
        level, ends = _border(to_numpy(image), margin, settings.border_variation)
        window = SeparableWindow(shape, [margin if ends else n / 2 for n in shape])
        spectrum = rfftn(window.fade(image, level if ends else None))
        power = to_numpy(xp.real(spectrum) ** 2 + xp.imag(spectrum) ** 2).astype(float)
        del spectrum
        power /= window.energy
        f, direction, counted = count_frequencies(shape, shape, settings)
        length = min(h, w)
        self.smear = (0.3 if ends else 0.7) / length
        self._independent = window.independent(shape)
        self._plane = f[counted], direction[counted], power[counted]
        # Of a large image each of these takes as much as the image.
        del f, direction, power
        self._degraded: tuple[np.ndarray, np.ndarray] | None = None
        if degradation is not None:
            at, towards, _ = self._plane
            self._degraded = degradation.spectrum(at * np.sin(towards), at * np.cos(towards), scale)
        # Rings are as narrow as the resolution at first, and widen with frequency up to what the largest radius needs.
        rings, narrow, wide = [0.0], 0.5 / length, max(0.5 / length, settings.ring_width / largest)
        while rings[-1] < settings.highest:
            rings.append(rings[-1] + min(max(narrow, settings.ring_width_relative * rings[-1]), wide))
        self._rings, self._sectors = rings, sectors
        self._average(self._ring_and_sector())

    def coarse(self, sectors: int, ratio: float) -> Self:
        """The same power in coarse bins: `sectors` directions, and rings whose radii have a fixed `ratio`."""
        f = self._plane[0]
        return self._rebinned(
            np.floor(np.log(f / f.min()) / math.log(ratio)).astype(int) * sectors + self._sector(sectors)
        )

    def along(self, angle: float, length: float) -> Self:
        """The same power in bins that resolve the zeros of straight motion of that angle and length."""
        settings = self._settings
        f, direction, _ = self._plane
        turned = direction + math.radians(angle)
        cosine, sine = np.cos(turned), np.sin(turned)
        fine = np.floor(np.abs(f * cosine) * length * settings.bins_per_zero).astype(int)
        steps = np.log(np.maximum(np.abs(f * sine) / settings.across_from, 1.0)) / math.log(settings.across_ratio)
        across = np.floor(steps).astype(int)
        return self._rebinned((fine * 2 + (cosine * sine > 0)) * (across.max() + 1) + across)

    def towards(self, centre: float, width: float, period: float = 180.0) -> Self:
        """The power of the frequencies within `width` degrees around a direction, which recurs with a period."""
        off = (np.degrees(self._plane[1]) - centre + period / 2) % period - period / 2
        kept = np.abs(off) <= width / 2
        other = copy.copy(self)
        other._plane = tuple(each[kept] for each in self._plane)
        if self._degraded is not None:
            other._degraded = tuple(each[kept] for each in self._degraded)
        other._average(other._ring_and_sector())
        return other

    def _ring_and_sector(self) -> np.ndarray:
        index: np.ndarray = np.searchsorted(self._rings, self._plane[0], side="right")
        index *= self._sectors
        index += self._sector(self._sectors)
        return index

    def _sector(self, sectors: int) -> np.ndarray:
        turns = self._plane[1] / np.pi
        turns *= sectors
        sector: np.ndarray = np.rint(turns, out=turns).astype(int)
        sector %= sectors
        return sector

    def _rebinned(self, index: np.ndarray) -> Self:
        other = copy.copy(self)
        other._average(index)
        return other

    def _average(self, index: np.ndarray) -> None:
        """Average the power over frequencies of equal index, and set up the model of scene and noise for these bins."""
        settings = self._settings
        f, direction, power = self._plane
        count = np.bincount(index)
        filled = np.flatnonzero(count)
        count = count[filled]

        def mean(values: np.ndarray) -> np.ndarray:
            return np.bincount(index, values)[filled] / count

        self.count = count * self._independent
        self.f, self.power = mean(f), mean(power)
        # In an image rendered without noise some bins have no power, and their likelihood would be unbounded.
        self.power = np.maximum(self.power, 1e-12 * self.power.max())
        turns = mean(np.cos(2 * direction)), mean(np.sin(2 * direction)), mean(np.cos(4 * direction))
        self.direction = np.degrees(np.arctan2(turns[1], turns[0])) / 2
        self._edge_power = self.f**settings.edge_slope if self._with_edges else np.ones_like(self.f)
        self._noise_shape = np.ones_like(self.f)
        if self._degraded is not None:
            # Kept above zero, because its logarithm is taken.
            self._edge_power = self._edge_power * np.maximum(mean(self._degraded[0]), 1e-6)
            self._noise_shape = mean(self._degraded[1])
            # Only the shape counts: the level of the noise is fitted.
            self._noise_shape /= math.exp(float(np.log(self._noise_shape).mean()))
        self._scene, scene = _splines(np.log(self.f), turns, self._with_edges, settings)
        u = (self.f / self.f.max()) ** 2
        self._noise = np.stack([u**i for i in range(1 + settings.noise_terms)], 1)
        self._precision = np.zeros((scene.shape[0] + 1 + settings.noise_terms,) * 2)
        self._precision[: len(scene), : len(scene)] = scene
        at = np.arange(len(scene), len(self._precision))
        self._precision[at, at] = [1e-6] + [1 / settings.noise_colour**2] * settings.noise_terms
        self._prior_volume = 0.5 * np.linalg.slogdet(self._precision)[1]

    @overload
    def fit(self) -> Fit[None]: ...

    @overload
    def fit(
        self, candidate: BlurT, start: Fit[Any] | None = None, vary: bool = False, tolerance: float | None = None
    ) -> Fit[BlurT]: ...

    def fit(
        self,
        candidate: Blur | None = None,
        start: Fit[Any] | None = None,
        vary: bool = False,
        tolerance: float | None = None,
    ) -> Fit[Any]:
        """The likeliest scene and noise for a PSF, by Fisher's scoring.

        Parameters
        ----------
        candidate : Blur, optional
            A PSF of `deconv.blind.parametric.families`, or None for no blur.
        start : Fit, optional
            The fit of a similar PSF.
        vary : bool
            Whether to fit the parameters of the PSF too.
        tolerance : float, optional
            Change of the criterion, in nats, below which the scoring stops; by default that of the settings.

        Returns
        -------
        Fit
            Cost, coefficients and PSF.
        """
        settings = self._settings
        tolerance = settings.scoring_tolerance if tolerance is None else tolerance
        p, k = self.power, self._scene.shape[1]
        power = self._power(candidate)
        m = len(self._precision)
        x = self._guess(power) if start is None else start.coefficients
        precision, center = self._precision, np.zeros(m)
        # `vary` needs a VariableBlur, which has a vector, a prior and an uncertainty.
        blur: Any = candidate
        if vary:
            deviation = np.asarray(blur.prior_deviation)
            x = np.concatenate([x, blur.vector()])
            precision = np.zeros((m + len(deviation),) * 2)
            precision[:m, :m] = self._precision
            precision[range(m, len(precision)), range(m, len(precision))] = 1 / deviation**2
            center = np.concatenate([center, blur.prior_mean])

        def model(x: np.ndarray) -> tuple[float, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
            power_x = self._power(blur.at(x[m:])) if vary else power
            scene = np.exp(np.clip(self._scene @ x[:k], -100, 100)) * power_x
            noise = self._noise_shape * np.exp(np.clip(self._noise @ x[k:m], -100, 100))
            s, off = scene + noise, x - center
            value, slope = whittle(p, s, n)
            return float(value + 0.5 * off @ precision @ off), scene, noise, s, slope

        roughness = 0.0 if start is None else start.roughness
        for alternation in range(settings.max_roughness_steps):
            n = self._effective(roughness)
            value, scene, noise, s, slope = model(x)
            damping = 1e-3
            for _ in range(settings.max_scoring_steps):
                parts = [self._scene * (scene / s)[:, None], self._noise * (noise / s)[:, None]]
                if vary:
                    parts.append(self._slopes(blur, x[m:]) * (scene / s)[:, None])
                columns = np.concatenate(parts, 1)
                weighted = columns * n[:, None]
                gradient = weighted.T @ slope + precision @ (x - center)
                curvature = columns.T @ weighted + precision
                before = value
                for _ in range(12):
                    damped = curvature + np.diag(damping * np.diag(curvature) + 1e-9)
                    trial = x - np.clip(np.linalg.solve(damped, gradient), -3.0, 3.0)
                    outcome = model(trial)
                    if outcome[0] < value:
                        x, (value, scene, noise, s, slope) = trial, outcome
                        damping *= 0.2
                        break
                    damping = max(10 * damping, 1e-4)
                if before - value < tolerance:
                    break
            likeliest = self._likeliest_roughness(s)
            if likeliest == roughness or alternation == settings.max_roughness_steps - 1:
                break
            roughness = likeliest
        dispersion = float((n * slope**2).sum()) / max(len(n) - len(x), 1)
        cost = value + self._normalisation(n) + 0.5 * np.linalg.slogdet(curvature[:m, :m])[1] - self._prior_volume
        if vary:
            # In an image of noise the power does not determine the parameters, and their curvature is zero.
            variance = max(dispersion, 1.0) * float(np.linalg.inv(curvature + 1e-9 * np.eye(len(x)))[m, m])
            blur = blur.at(x[m:], settings.uncertainty_factor * math.sqrt(abs(variance)))
        return Fit(float(cost), x[:m], blur, max(dispersion, 1.0), roughness)

    def _effective(self, roughness: float) -> np.ndarray:
        """Number of frequencies in each bin that would scatter as much without the roughness."""
        n: np.ndarray = self.count / (1 + roughness * self.count)
        return n

    def _normalisation(self, n: np.ndarray) -> float:
        """The terms of minus the log likelihood that `whittle` leaves out: the mean of n exponentials is a gamma."""
        return float(np.sum(gammaln(n) - n * np.log(n) - (n - 1) * np.log(self.power)))

    def _likeliest_roughness(self, expected: np.ndarray) -> float:
        """The roughness that makes the power likeliest, of a few."""

        def cost(roughness: float) -> float:
            n = self._effective(roughness)
            return whittle(self.power, expected, n)[0] + self._normalisation(n)

        return min(self._roughnesses, key=cost)

    def _power(self, candidate: Blur | None) -> np.ndarray:
        """Power of edges blurred by the PSF; the splines model the ratio to it."""
        if candidate is None:
            return self._edge_power
        # Kept above zero, because its logarithm is taken.
        power: np.ndarray = self._edge_power * np.maximum(candidate.power(self.f, self.direction, self.smear), 1e-40)
        return power

    def _slopes(self, candidate: VariableBlur, vector: np.ndarray, h: float = 3e-3) -> np.ndarray:
        """Derivatives of the logarithm of a PSF's power."""
        columns = []
        for i in range(len(vector)):
            step = np.zeros(len(vector))
            step[i] = h
            ends = [np.log(self._power(candidate.at(vector + s))) for s in (step, -step)]
            columns.append((ends[0] - ends[1]) / (2 * h))
        return np.stack(columns, 1)

    def _guess(self, power: np.ndarray) -> np.ndarray:
        """Initial coefficients of a fit: noise from the highest frequencies, the scene from the maxima of the rings."""
        n, p, k = self.count, self.power, self._scene.shape[1]
        top = self.f >= np.quantile(self.f, 0.9)
        level = float(np.median(p[top] / self._noise_shape[top]))
        noise = level * self._noise_shape
        order = np.argsort(-self.f)
        tops = np.empty_like(p)
        tops[order] = np.maximum.accumulate(power[order])
        log_scene = np.log(np.maximum(p - noise, 0.2 * p)) - np.log(np.maximum(0.4 * tops, 1e-12))
        weight = (n * np.where(p > 3 * noise, 1.0, 0.02))[:, None] * self._scene
        scene = np.linalg.solve(weight.T @ self._scene + self._precision[:k, :k], weight.T @ log_scene)
        return np.concatenate([scene, [math.log(level)], np.zeros(self._settings.noise_terms)])


def _border(image: np.ndarray, margin: float, variation: float) -> tuple[float, bool]:
    """Median of the outermost pixels, and whether the scene ends within the frame, so that they are even."""
    m = max(1, min(round(margin / 2), min(image.shape) // 8))
    band = np.concatenate([x.ravel() for x in (image[:m], image[-m:], image[m:-m, :m], image[m:-m, -m:])])
    level = float(np.median(band))
    return level, float(np.sqrt(np.mean((band - level) ** 2))) < variation * float(image.std())


def _splines(
    x: np.ndarray, turns: Sequence[np.ndarray], edges: bool, settings: Spectrum
) -> tuple[np.ndarray, np.ndarray]:
    """Basis of the log power of a scene relative to that of edges, and the prior precision of its coefficients."""
    pieces = max(3, round((x.max() - x.min()) / math.log(settings.knot_ratio)))
    radial = _basis(x, pieces, 3)
    rises, bends = (np.diff(np.eye(radial.shape[1]), order, axis=0) for order in (1, 2))
    rise = settings.edge_slope_deviation * (x.max() - x.min()) / pieces
    columns = [radial]
    precision = [
        bends.T @ bends / settings.bending**2 + edges * rises.T @ rises / rise**2 + 1e-6 * np.eye(radial.shape[1])
    ]
    slow = _basis(x, max(2, round(settings.direction_knots * pieces)), 2)
    steps = np.diff(np.eye(slow.shape[1]), 1, axis=0)
    for turn in turns:
        columns.append(slow * turn[:, None])
        precision.append(
            steps.T @ steps / settings.direction_step**2 + np.eye(slow.shape[1]) / settings.direction_deviation**2
        )
    return np.concatenate(columns, 1), _block_diagonal(precision)


def _basis(x: np.ndarray, pieces: int, degree: int) -> np.ndarray:
    """B-splines over equal pieces of the range of x."""
    step = (x.max() - x.min()) * (1 + 1e-9) / pieces
    knots = x.min() - 1e-10 + step * np.arange(-degree, pieces + degree + 1)
    columns: np.ndarray = BSpline.design_matrix(x, knots, degree).toarray()
    return columns


def _block_diagonal(blocks: Sequence[np.ndarray]) -> np.ndarray:
    n = sum(len(b) for b in blocks)
    whole, at = np.zeros((n, n)), 0
    for block in blocks:
        whole[at : at + len(block), at : at + len(block)] = block
        at += len(block)
    return whole
