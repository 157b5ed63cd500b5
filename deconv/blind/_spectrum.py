r"""The likelihood of a PSF from the spectrum of one picture, no restoration needed.

A scene's power is a smooth function of frequency, a PSF's is not: a disc's has rings of zeros whose spacing is its
radius. For a scene of power A blurred by a PSF of transfer function H, and noise of power N, the periodogram P of the
picture is about exponentially distributed around

.. math:: S(f) = A(f) \, |H(f)|^2 + N(f) ,

and minus its log likelihood (Whittle) is the sum of :math:`\log S + P / S`. The logarithm of A is a smoothing spline of
log f, which is straight for a power law, with slower ones times the cosine and sine of two and the cosine of four times
the direction (strokes stand upright and lie flat); that of N is a polynomial of f^2. They are fitted by Fisher's
scoring for every PSF, and integrated out by Laplace's approximation. The criterion has no trivial solution: no blur at
all is one candidate among the others, and the evidence of different families compares.

References
----------
P. Whittle, "Estimation and information in stationary time series", Arkiv foer Matematik 2, 423-434 (1953),
:doi:`10.1007/BF02590998`; splines and their priors: G. Wahba, "Automatic smoothing of the log periodogram", J. Am.
Stat. Assoc. 75, 122-132 (1980), :doi:`10.1080/01621459.1980.10477441`.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import BSpline

from deconv._array import array_namespace, like, to_numpy
from deconv._fft import rfftn

__all__ = ["Fit", "Periodogram"]

# Frequencies below so many periods a frame hold the light over the frame and the layout of the page; so do those
# within so many of an axis: the lines of a page stand at an even distance.
_LOWEST, _AXES = 2.5, 1.5
# Highest frequency in cycles a pixel: the corners beyond are noise.
_HIGHEST = 0.5
# Ratio of the spline's knots, and the standard deviation of its second differences (of log power).
_KNOTS, _BENT = 1.3, 0.4
# Knots of the splines over direction, as a part of those; standard deviations of their first differences and values.
_TURNING, _STEP, _TURNED = 1 / 3, 0.5, 0.5
# Terms of the noise's polynomial beside the constant, and their standard deviation at the highest frequency.
_COLOURS, _COLOURED = 2, 1.0
# A picture whose border varies by less than this part of what the whole does ends there: it needs no window.
_ENDS = 0.4
# Errors of the radius were so many times what the evidence's curvature says, on simulated photographs.
_HONEST = 1.5
# Iterations at most, and the change of the criterion (in nats) that ends them.
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

    Attributes
    ----------
    f, direction : ndarray
        Cycles a pixel and degrees of each bin.
    power, count : ndarray
        Mean power and number of independent frequencies of each bin.
    smear : float
        Standard deviation of what one frequency is spread over, in cycles a pixel.
    """

    def __init__(self, image, margin, sectors=8):
        xp = array_namespace(image)
        h, w = (int(n) for n in image.shape)
        level, ends = _border(to_numpy(image), margin)
        taper = [_taper(n, margin if ends else n / 2) for n in (h, w)]
        window = np.outer(*taper)
        held = like(window, image)
        if not ends:
            level = float(xp.sum(image * held)) / float(window.sum())
        spectrum = rfftn((image - level) * held)
        power = to_numpy(xp.real(spectrum) ** 2 + xp.imag(spectrum) ** 2).astype(float) / (window**2).sum()
        fy, fx = np.fft.fftfreq(h)[:, None], np.fft.rfftfreq(w)[None, :]
        f, turn = np.hypot(fy, fx), np.arctan2(fy, fx)
        length = min(h, w)
        self.smear = (0.3 if ends else 0.7) / length
        kept = (f > _LOWEST / length) & (f < _HIGHEST) & (np.abs(fx) > _AXES / w) & (np.abs(fy) > _AXES / h)
        ring = np.floor(f / (0.5 / length)).astype(int)
        sector = np.rint(turn / np.pi * sectors).astype(int) % sectors
        index = (ring * sectors + sector)[kept]
        count = np.bincount(index)
        filled = np.flatnonzero(count)
        count = count[filled]

        def mean(values):
            return np.bincount(index, np.broadcast_to(values, f.shape)[kept])[filled] / count

        # A window correlates neighbours, so that there are fewer independent ones.
        self.count = count * math.prod(float((t**2).sum() ** 2 / (len(t) * (t**4).sum())) for t in taper)
        self.f, self.power = mean(f), mean(power)
        self.direction = filled % sectors * (180.0 / sectors)
        # A picture rendered without noise has bins of no power at all, whose likelihood has no bound.
        self.power = np.maximum(self.power, 1e-12 * self.power.max())
        turns = mean(np.cos(2 * turn)), mean(np.sin(2 * turn)), mean(np.cos(4 * turn))
        self._scene, scene = _splines(np.log(self.f), turns)
        u = (self.f / self.f.max()) ** 2
        self._noise = np.stack([u**i for i in range(1 + _COLOURS)], 1)
        self._stiff = np.zeros((scene.shape[0] + 1 + _COLOURS,) * 2)
        self._stiff[: len(scene), : len(scene)] = scene
        at = np.arange(len(scene), len(self._stiff))
        self._stiff[at, at] = [1e-6] + [1 / _COLOURED**2] * _COLOURS
        self._volume = 0.5 * np.linalg.slogdet(self._stiff)[1]

    def fit(self, candidate=None, start=None, vary=False):
        """Scene and noise for a PSF, one of `deconv.blind._families`, or no blur (None); `vary` its numbers too."""
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
            if before - value < _DONE:
                break
        dispersion = float((n * (p / s - 1) ** 2).sum()) / max(len(n) - len(x), 1)
        evidence = value + 0.5 * np.linalg.slogdet(curvature[:m, :m])[1] - volume
        if vary:
            # (What noise alone does not determine has no curvature.)
            variance = max(dispersion, 1.0) * float(np.linalg.inv(curvature + 1e-9 * np.eye(len(x)))[m, m])
            candidate = candidate.at(x[m:], _HONEST * math.sqrt(abs(variance)))
        return Fit(float(evidence), x[:m], candidate, max(dispersion, 1.0))

    def _power(self, candidate):
        if candidate is None:
            return np.ones_like(self.f)
        # No less than what rounding leaves: its logarithm is asked for.
        return np.maximum(candidate.power(self.f, self.direction, self.smear), 1e-40)

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


def _taper(n, margin):
    """A window of n pixels: raised cosines over `margin` pixels at both ends."""
    edge = np.minimum(np.arange(n) + 0.5, n - 0.5 - np.arange(n)) / min(margin, n / 2)
    return 0.5 - 0.5 * np.cos(np.pi * np.minimum(edge, 1.0))


def _splines(x, turns):
    """Columns of the logarithm of a scene's power, and the precision of their weights."""
    pieces = max(3, round((x.max() - x.min()) / math.log(_KNOTS)))
    radial = _basis(x, pieces, 3)
    bends = np.diff(np.eye(radial.shape[1]), 2, axis=0)
    columns, stiff = [radial], [bends.T @ bends / _BENT**2 + 1e-6 * np.eye(radial.shape[1])]
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
