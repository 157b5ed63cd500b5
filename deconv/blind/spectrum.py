r"""The likelihood of a PSF from the spectrum of one picture, no restoration needed.

A scene's power is a smooth function of frequency, a PSF's is not: a disc's has rings of zeros whose spacing is its
radius. For a scene of power A blurred by a PSF of transfer function H, and noise of power N, the periodogram P of the
picture is about exponentially distributed around

.. math:: S(f) = A(f) \, |H(f)|^2 + N(f) ,

and minus its log likelihood (Whittle) is the sum of :math:`\log S + P / S`. The logarithm of A is a smoothing spline of
log f, which is straight for a power law, with slower ones times the cosine and sine of two and the cosine of four times
the direction (strokes stand upright and lie flat); that of N is a polynomial of f^2. They are fitted by Fisher's
scoring for every PSF, and integrated out by Laplace's approximation. The criterion has no trivial solution: no blur at
all is one candidate among the others, and the evidence of different families compares. What tells a Gaussian, which has
no zeros, from no blur is the steepness: sharp edges have a power of about f^-3.

References
----------
P. Whittle, "Estimation and information in stationary time series", Arkiv foer Matematik 2, 423-434 (1953),
:doi:`10.1007/BF02590998`; splines and their priors: G. Wahba, "Automatic smoothing of the log periodogram", J. Am.
Stat. Assoc. 75, 122-132 (1980), :doi:`10.1080/01621459.1980.10477441`.
"""

import copy
import math
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import BSpline

from deconv._core.array import array_namespace, like, to_numpy
from deconv._core.fft import rfftn

__all__ = ["MARGIN", "Fit", "Periodogram", "taper"]

# A picture that ends before its border fades out over this part of its longer side.
MARGIN = 0.03

# Frequencies below so many periods a frame hold the light over the frame and the layout of the page; so do those
# within so many of an axis: the lines of a page stand at an even distance.
_LOWEST, _AXES = 2.5, 1.5
# Highest frequency in cycles a pixel: the corners beyond are noise.
_HIGHEST = 0.5
# Ratio of the spline's knots, and the standard deviation of its second differences (of log power).
_KNOTS, _BENT = 1.3, 0.4
# Slope of the scene's log power over log f, and its standard deviation: of edges, whatever the picture shows.
_FALL, _FALLEN = -3.0, 1.0
# Knots of the splines over direction, as a part of those; standard deviations of their first differences and values.
_TURNING, _STEP, _TURNED = 1 / 3, 0.5, 0.5
# Terms of the noise's polynomial beside the constant, and their standard deviation at the highest frequency.
_COLOURS, _COLOURED = 2, 1.0
# A picture whose border varies by less than this part of what the whole does ends there: it needs no window.
_ENDS = 0.4
# Errors of the radius were so many times what the evidence's curvature says, on simulated photographs.
_HONEST = 1.5
# Width of a ring of bins as a part of the reciprocal of the radius, and at most as a part of its own frequency.
_PER_RING, _NARROWER = 1 / 16, 0.12
# Bins along a movement, for each of its zeros; across it, from so low a frequency on, by a ratio.
_PER_ZERO, _NEAR, _ACROSS = 6, 4e-3, 1.35
# Iterations at most, and the change of the criterion (in nats) that ends them, unless told otherwise.
_ITERATIONS, _DONE = 40, 0.02


@dataclass(frozen=True)
class Fit:
    """The likeliest scene and noise for a PSF.

    Attributes
    ----------
    evidence : float
        Minus the log of the likelihood, scene and noise integrated out.
    start : ndarray
        Where a fit of a similar PSF may begin.
    candidate : Disk, Gaussian, Motion or None
        The PSF, its numbers fitted too if that was asked.
    dispersion : float
        Mean square of what the fit leaves, over that of a true model; 1 or more. Evidence counts so many times less.
    """

    evidence: float
    start: np.ndarray
    candidate: object
    dispersion: float


class Periodogram:
    """Power of a picture, averaged over bins of frequency and of direction.

    Parameters
    ----------
    image : array, shape (M, N)
        The picture, in linear light, or ink.
    margin : float
        Pixels over which a picture that ends before its border fades out.
    sectors : int
        Bins of direction over half a turn.
    largest : float
        Largest radius in pixels that is looked for: a smaller one needs no finer rings.
    falls : bool
        Whether the scene's power is known to fall as edges' does. What has zeros needs no telling, and of text, much
        blurred, it is not so.

    Attributes
    ----------
    f, direction : ndarray
        Cycles a pixel and degrees of each bin.
    power, count : ndarray
        Mean power and number of independent frequencies of each bin.
    smear : float
        Standard deviation of what one frequency is spread over, in cycles a pixel.
    """

    def __init__(self, image, margin, sectors=8, largest=math.inf, falls=True):
        xp = array_namespace(image)
        self._falls = falls
        h, w = (int(n) for n in image.shape)
        level, ends = _border(to_numpy(image), margin)
        tapers = [taper(n, margin if ends else n / 2) for n in (h, w)]
        window = np.outer(*tapers)
        held = like(window, image)
        if not ends:
            level = float(xp.sum(image * held)) / float(window.sum())
        spectrum = rfftn((image - level) * held)
        power = to_numpy(xp.real(spectrum) ** 2 + xp.imag(spectrum) ** 2).astype(float) / (window**2).sum()
        fy, fx = np.fft.fftfreq(h)[:, None], np.fft.rfftfreq(w)[None, :]
        f = np.hypot(fy, fx)
        length = min(h, w)
        self.smear = (0.3 if ends else 0.7) / length
        kept = (f > _LOWEST / length) & (f < _HIGHEST) & (np.abs(fx) > _AXES / w) & (np.abs(fy) > _AXES / h)
        # A window correlates neighbours, so that there are fewer independent ones.
        self._independent = math.prod(float((t**2).sum() ** 2 / (len(t) * (t**4).sum())) for t in tapers)
        self._plane = f[kept], np.arctan2(fy, fx)[kept], power[kept]
        # Rings as narrow as frequencies are resolved, wider with frequency up to what the radii need.
        edges, narrow, wide = [0.0], 0.5 / length, max(0.5 / length, _PER_RING / largest)
        while edges[-1] < _HIGHEST:
            edges.append(edges[-1] + min(max(narrow, _NARROWER * edges[-1]), wide))
        ring = np.searchsorted(edges, f[kept], side="right")
        self._gather(ring * sectors + self._sector(sectors))

    def coarse(self, sectors, ratio):
        """The same power in bins of so many directions and of rings whose radii have a ratio: for what is smooth."""
        f = self._plane[0]
        return self._other(
            np.floor(np.log(f / f.min()) / math.log(ratio)).astype(int) * sectors + self._sector(sectors)
        )

    def along(self, angle, length):
        """The same power in bins that are narrow along one direction: a line of `length` has its zeros across it."""
        f, turn, _ = self._plane
        turned = turn + math.radians(angle)
        cosine, sine = np.cos(turned), np.sin(turned)
        fine = np.floor(np.abs(f * cosine) * length * _PER_ZERO).astype(int)
        across = np.floor(np.log(np.maximum(np.abs(f * sine) / _NEAR, 1.0)) / math.log(_ACROSS)).astype(int)
        return self._other((fine * 2 + (cosine * sine > 0)) * (across.max() + 1) + across)

    def _sector(self, sectors):
        return np.rint(self._plane[1] / np.pi * sectors).astype(int) % sectors

    def _other(self, index):
        other = copy.copy(self)
        other._gather(index)
        return other

    def _gather(self, index):
        """Means over the frequencies of the same index, and the model of scene and noise there."""
        f, turn, power = self._plane
        count = np.bincount(index)
        filled = np.flatnonzero(count)
        count = count[filled]

        def mean(values):
            return np.bincount(index, values)[filled] / count

        self.count = count * self._independent
        self.f, self.power = mean(f), mean(power)
        # A picture rendered without noise has bins of no power at all, whose likelihood has no bound.
        self.power = np.maximum(self.power, 1e-12 * self.power.max())
        turns = mean(np.cos(2 * turn)), mean(np.sin(2 * turn)), mean(np.cos(4 * turn))
        self.direction = np.degrees(np.arctan2(turns[1], turns[0])) / 2
        self._edges = self.f**_FALL if self._falls else np.ones_like(self.f)
        self._scene, scene = _splines(np.log(self.f), turns, self._falls)
        u = (self.f / self.f.max()) ** 2
        self._noise = np.stack([u**i for i in range(1 + _COLOURS)], 1)
        self._stiff = np.zeros((scene.shape[0] + 1 + _COLOURS,) * 2)
        self._stiff[: len(scene), : len(scene)] = scene
        at = np.arange(len(scene), len(self._stiff))
        self._stiff[at, at] = [1e-6] + [1 / _COLOURED**2] * _COLOURS
        self._volume = 0.5 * np.linalg.slogdet(self._stiff)[1]

    def fit(self, candidate=None, start=None, vary=False, done=_DONE):
        """Scene and noise for a PSF of `deconv.blind.parametric.families`, or no blur (None); `vary` its numbers too.

        A change of the criterion by less than `done` nats ends it.
        """
        n, p, k = self.count, self.power, self._scene.shape[1]
        power = self._power(candidate)
        m = len(self._stiff)
        x = self._guess(power) if start is None else start
        stiff, typical, volume = self._stiff, np.zeros(m), self._volume
        if vary:
            spread = np.asarray(candidate.spread)
            x = np.concatenate([x, candidate.vector()])
            stiff = np.zeros((m + len(spread),) * 2)
            stiff[:m, :m] = self._stiff
            stiff[range(m, len(stiff)), range(m, len(stiff))] = 1 / spread**2
            typical = np.concatenate([typical, candidate.typical])

        def model(x):
            power_x = self._power(candidate.at(x[m:])) if vary else power
            scene = np.exp(np.clip(self._scene @ x[:k], -100, 100)) * power_x
            noise = np.exp(np.clip(self._noise @ x[k:m], -100, 100))
            s, off = scene + noise, x - typical
            return float((n * (np.log(s) + p / s)).sum() + 0.5 * off @ stiff @ off), scene, noise, s

        value, scene, noise, s = model(x)
        damping = 1e-3
        for _ in range(_ITERATIONS):
            slopes = [self._scene * (scene / s)[:, None], self._noise * (noise / s)[:, None]]
            if vary:
                slopes.append(self._slopes(candidate, x[m:]) * (scene / s)[:, None])
            slopes = np.concatenate(slopes, 1)
            weighted = slopes * n[:, None]
            gradient = weighted.T @ (1 - p / s) + stiff @ (x - typical)
            curvature = slopes.T @ weighted + stiff
            before = value
            for _ in range(12):
                damped = curvature + np.diag(damping * np.diag(curvature) + 1e-9)
                tried = x - np.clip(np.linalg.solve(damped, gradient), -3.0, 3.0)
                got = model(tried)
                if got[0] < value:
                    x, (value, scene, noise, s) = tried, got
                    damping *= 0.2
                    break
                damping = max(10 * damping, 1e-4)
            if before - value < done:
                break
        dispersion = float((n * (p / s - 1) ** 2).sum()) / max(len(n) - len(x), 1)
        evidence = value + 0.5 * np.linalg.slogdet(curvature[:m, :m])[1] - volume
        if vary:
            # (What noise alone does not determine has no curvature.)
            variance = max(dispersion, 1.0) * float(np.linalg.inv(curvature + 1e-9 * np.eye(len(x)))[m, m])
            candidate = candidate.at(x[m:], _HONEST * math.sqrt(abs(variance)))
        return Fit(float(evidence), x[:m], candidate, max(dispersion, 1.0))

    def _power(self, candidate):
        """Power of edges through a PSF: what the scene is, but for a factor near a power of f."""
        if candidate is None:
            return self._edges
        # No less than what rounding leaves: its logarithm is asked for.
        return self._edges * np.maximum(candidate.power(self.f, self.direction, self.smear), 1e-40)

    def _slopes(self, candidate, vector, h=3e-3):
        """Derivatives of the logarithm of a PSF's power."""
        columns = []
        for i in range(len(vector)):
            step = np.zeros(len(vector))
            step[i] = h
            ends = [np.log(self._power(candidate.at(vector + s))) for s in (step, -step)]
            columns.append((ends[0] - ends[1]) / (2 * h))
        return np.stack(columns, 1)

    def _guess(self, power):
        """A start for a fit: noise as at the highest frequencies, the scene under the rings' tops."""
        n, p, k = self.count, self.power, self._scene.shape[1]
        noise = float(np.median(p[self.f >= np.quantile(self.f, 0.9)]))
        order = np.argsort(-self.f)
        tops = np.empty_like(p)
        tops[order] = np.maximum.accumulate(power[order])
        seen = np.log(np.maximum(p - noise, 0.2 * p)) - np.log(np.maximum(0.4 * tops, 1e-12))
        weight = (n * np.where(p > 3 * noise, 1.0, 0.02))[:, None] * self._scene
        scene = np.linalg.solve(weight.T @ self._scene + self._stiff[:k, :k], weight.T @ seen)
        return np.concatenate([scene, [math.log(noise)], np.zeros(_COLOURS)])


def _border(image, margin):
    """Median of the outermost pixels, and whether the picture ends before them."""
    m = max(1, min(round(margin / 2), min(image.shape) // 8))
    band = np.concatenate([x.ravel() for x in (image[:m], image[-m:], image[m:-m, :m], image[m:-m, -m:])])
    level = float(np.median(band))
    return level, float(np.sqrt(np.mean((band - level) ** 2))) < _ENDS * float(image.std())


def taper(n, margin):
    """A window of n pixels: raised cosines over `margin` pixels at both ends."""
    edge = np.minimum(np.arange(n) + 0.5, n - 0.5 - np.arange(n)) / min(margin, n / 2)
    return 0.5 - 0.5 * np.cos(np.pi * np.minimum(edge, 1.0))


def _splines(x, turns, falls):
    """Columns of the logarithm of a scene's power over that of edges, and the precision of their weights."""
    pieces = max(3, round((x.max() - x.min()) / math.log(_KNOTS)))
    radial = _basis(x, pieces, 3)
    rises, bends = (np.diff(np.eye(radial.shape[1]), order, axis=0) for order in (1, 2))
    rise = _FALLEN * (x.max() - x.min()) / pieces
    columns = [radial]
    stiff = [bends.T @ bends / _BENT**2 + falls * rises.T @ rises / rise**2 + 1e-6 * np.eye(radial.shape[1])]
    slow = _basis(x, max(2, round(_TURNING * pieces)), 2)
    steps = np.diff(np.eye(slow.shape[1]), 1, axis=0)
    for turn in turns:
        columns.append(slow * turn[:, None])
        stiff.append(steps.T @ steps / _STEP**2 + np.eye(slow.shape[1]) / _TURNED**2)
    return np.concatenate(columns, 1), _diagonal(stiff)


def _basis(x, pieces, degree):
    """B-splines over so many equal pieces of the range of x."""
    step = (x.max() - x.min()) * (1 + 1e-9) / pieces
    knots = x.min() - 1e-10 + step * np.arange(-degree, pieces + degree + 1)
    return BSpline.design_matrix(x, knots, degree).toarray()


def _diagonal(blocks):
    n = sum(len(b) for b in blocks)
    whole, at = np.zeros((n, n)), 0
    for block in blocks:
        whole[at : at + len(block), at : at + len(block)] = block
        at += len(block)
    return whole
