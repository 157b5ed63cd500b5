r"""Is it text, and can it be read? Answered from the blurred picture and what was restored, without the truth.

A page of text is two tones: with the paper divided out, its blurred ink is

.. math:: y = a\,b + q\,b^2 + \text{noise}, \qquad b = k * c, \quad c \in \{0, 1\},

the ink's level a, the PSF k, and q for a tone curve that is not quite known; without ink, y is 0. The restored coverage
is brought to two tones, its edges are moved until the blurred scene fits (Landweber's iteration on a level set), and
what stays unexplained beyond the noise is compared with the picture: the *misfit*. Text leaves a few per cent, be it
restored well or badly; a photograph, which is brighter than its "paper" in places and grey in others, a third and more.
Where that leaves doubt, the rest is compared with what a scene of any tones leaves: of text hardly less, of pictures a
tenth.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from deconv import noise
from deconv._core.array import array_namespace, device, like, to_numpy
from deconv._core.fft import Transfer, fast_shape
from deconv._core.resample import at_scale
from deconv.blind.text.restore import prior_weight
from deconv.nonblind.splitting import Splitting
from deconv.priors import TotalVariation

__all__ = ["READABLE", "Verdict", "judge"]

# Pixels that are looked at; radius of the PSF on the grid that is (strokes are a pixel wide and more) and, where the
# picture is too large for that, at least.
_PIXELS, _RADIUS, _LEAST_RADIUS = 1.5e5, 14.0, 6.0
# Steps in which the edges move, and the width of an edge as part of the way from one tone to the other.
_STEPS, _EDGE = 12, 0.3
# The ink's level is no less than this: else nothing at all would explain a picture that is no text.
_FAINTEST = 0.05
# Most of a picture that is ink.
_INK = 0.5
# Iterations for the scene of any tones, and the difference that tones never quite follow, be it for want of noise.
_ITERATIONS, _ROUNDING = 35, 0.002
# Part of the characters read by the logarithms of blur and clarity: fitted by studies/calibrate_readability.py.
_LOGISTIC = (2.01, -3.4, 1.14)
# Pages whose PSF was right left misfits up to this: beyond it, readability is less and less to be relied on.
_TRUSTED = 0.08
# Readability from which a result counts as read.
READABLE = 0.5


@dataclass(frozen=True)
class _Limits:
    """The most that text leaves: misfit, rest over that of any tones, ink undecided between two, ink in one piece.

    From a blur of so many strokes, `merged`, letters may run into one piece.
    """

    misfit: float
    ratio: float
    grey: float
    piece: float
    merged: float


# Bright things on dark ground are common in photographs (stars, mortar, coins), bright text on even ground is rare and
# fits well: it has to show more. (Ratios over 100 pictures: 1 to 5 for dark text, 12 to 33 for a checkerboard; 1.3 to
# 2.7 for bright text, 4.7 and more for pictures, but for rings of a clock, which are one piece; crops of coins have 2.8
# and more.)
_LIMITS = {"dark": _Limits(0.2, 8.0, 0.4, 0.75, 3.0), "bright": _Limits(0.1, 2.8, 0.16, 0.5, math.inf)}


@dataclass(frozen=True)
class Verdict:
    """What `judge` says.

    Attributes
    ----------
    text : bool
        Whether ink of one tone on even paper explains the picture.
    readability : float
        Expected part of the characters that can be read, 0 to 1; 0 if it is no text.
    reason : str
        Why, in words.
    misfit : float
        Part of the picture (root mean square) that two tones leave unexplained beyond the noise, 0 to 1.
    blur : float
        Radius of the blur in widths of a stroke.
    clarity : float
        Level of the ink over the root mean square of all that is unexplained, noise and all.
    """

    text: bool
    readability: float
    reason: str
    misfit: float
    blur: float
    clarity: float


def judge(inks, coverages, candidate, foreground="dark"):
    """Whether a picture is text, and how much of it can be read.

    Parameters
    ----------
    inks : sequence of arrays, each of shape (M, N)
        The blurred picture as coverage by ink, paper 0, each colour by itself; the whole frame.
    coverages : sequence of arrays, each of shape (M, N)
        The same restored, paper 0 and ink 1.
    candidate : Disk, Gaussian or Motion
        The PSF.
    foreground : {"dark", "bright"}
        What the text is on its ground.

    Returns
    -------
    Verdict
    """
    fits = [_Fit(ink, coverage, candidate, _PIXELS / len(inks)) for ink, coverage in zip(inks, coverages, strict=True)]
    signal = sum(max(f.power - f.noise, 0.0) for f in fits)
    excess = sum(max(f.unexplained - f.noise, 0.0) for f in fits)
    misfit = min(math.sqrt(excess / signal), 1.0) if signal > 0 else 1.0
    # Colours of text may leave a channel without any ink: the one with most of it speaks for the strokes.
    best = max(fits, key=lambda f: f.power)
    blur, clarity = best.blur, best.level / math.sqrt(max(best.unexplained, 1e-12))
    if (reason := _objection(fits, best, signal, misfit, _LIMITS[foreground])) is not None:
        return Verdict(False, 0.0, reason, misfit, blur, clarity)
    most = _LIMITS["dark"].misfit
    trust = min((most - misfit) / (most - _TRUSTED), 1.0)
    readability = trust * float(_logistic(_LOGISTIC, math.log(blur), math.log(clarity)))
    reason = f"the blur's radius is {blur:.1f} strokes, the ink {clarity:.0f} times what is unexplained"
    return Verdict(True, readability, reason, misfit, blur, clarity)


def _objection(fits, best, signal, misfit, limits):
    """Why it is no text, or None if it may be."""
    if signal <= sum(f.noise for f in fits):
        return "nothing stands out from an even ground and its noise"
    if misfit > limits.misfit:
        return f"text of one tone on even ground would leave {misfit:.0%} of the picture unexplained"
    if best.share > _INK:
        return "more than half of it would be text"
    if best.grey > limits.grey:
        return "its tones run into each other"
    if best.piece > limits.piece and best.blur < limits.merged:
        return "nearly all of it hangs together"
    if (ratio := math.sqrt((best.unexplained + _ROUNDING**2) / (best.left_by_any() + _ROUNDING**2))) > limits.ratio:
        return f"text of one tone on even ground would leave {ratio:.1f} times what grey tones leave unexplained"
    return None


class _Fit:
    """The two-tone scene near a restored one that explains a picture best.

    Attributes
    ----------
    power, noise, unexplained : float
        Mean squares of the picture, of its noise, and of what the scene leaves.
    level, share, grey, piece : float
        Ink's level; its share of the picture; mean of c (1 - c), which is 0 for two tones, over that of a grey picture;
        share of the largest connected piece in the ink.
    blur : float
        Radius of the PSF over the width of a stroke.
    """

    def __init__(self, ink, coverage, candidate, pixels):
        picture, scene, scale = _grid(ink, coverage, candidate.radius, pixels)
        xp = array_namespace(picture)
        psf = like(candidate.make(1 / scale), picture)
        reach = tuple(n // 2 for n in psf.shape)
        shape = fast_shape(tuple(n + 2 * r for n, r in zip(picture.shape, reach, strict=True)))
        transfer = Transfer(psf, shape)
        window = tuple(slice(0, n) for n in picture.shape)
        grid = xp.zeros(shape, dtype=picture.dtype, device=device(picture))

        def through(operator, x):
            grid[window] = x
            return operator(grid)[window]

        # Nobody knows what lies outside of the frame: near it, nothing is compared.
        inner = tuple(slice(m, n - m) for n, m in zip(picture.shape, map(min, reach, _quarter(picture)), strict=True))
        self._picture, self._psf, self._inner = picture, psf, inner
        position = scene - 0.5
        self.unexplained = math.inf
        for _ in range(_STEPS):
            tones = xp.clip(position / _EDGE + 0.5, 0.0, 1.0)
            b = through(transfer.forward, tones)
            a, q = _response(b[inner], picture[inner])
            left = picture - a * b - q * b * b
            unexplained = float(xp.mean(left[inner] ** 2))
            if unexplained < self.unexplained:
                # The level that the picture shows where there is most ink, not one beyond what it holds.
                self.level = max(a + q * float(xp.max(b[inner])), _FAINTEST)
                self.unexplained, best = unexplained, tones
            slope = max(a + 2 * q * float(xp.mean(b)), 4 * _FAINTEST)
            position = xp.clip(position + through(transfer.adjoint, left) / slope, -1.0, 1.0)
        self.power = float(xp.mean(picture[inner] ** 2))
        self.noise = noise.estimate(picture) ** 2
        self.share = float(xp.mean(best))
        self.grey = float(xp.mean(best * (1 - best))) / max(self.share * (1 - self.share), 1e-12)
        pieces, _ = ndimage.label(to_numpy(best) > 0.5, np.ones((3, 3)))
        sizes = np.bincount(pieces.ravel())[1:]
        self.piece = float(sizes.max() / sizes.sum()) if sizes.size else 1.0
        edges = xp.sqrt((best[1:, :-1] - best[:-1, :-1]) ** 2 + (best[:-1, 1:] - best[:-1, :-1]) ** 2)
        stroke = 2 * float(xp.sum(best)) / max(float(xp.sum(edges)), 1e-12)
        # Strokes that were not resolved come out wide and pale: what counts is how wide they would be at full level.
        self.blur = candidate.radius / scale / max(stroke * min(self.level, 1.0), 1e-12)

    def left_by_any(self):
        """Mean square of what a scene of any tones leaves: the one of least total variation."""
        xp = array_namespace(self._picture)
        solver = Splitting(self._picture, self._psf.shape)
        weight = prior_weight(math.sqrt(self.noise))
        solver.solve(self._psf, TotalVariation(), weight, low=-math.inf, num_iter=_ITERATIONS)
        return float(xp.mean(solver.residual[solver.window][self._inner] ** 2))


def _grid(ink, coverage, radius, pixels):
    """Both pictures on a grid on which the PSF is small enough, their middle if that is too large, and the scale."""
    size = math.prod(ink.shape)
    factor = max(1.0, radius / _RADIUS)
    if size > pixels * factor**2:
        factor = max(factor, min(math.sqrt(size / pixels), radius / _LEAST_RADIUS))
    # Whole blocks first, which is quick; then what is left of the factor, unless it is not worth the blur.
    block = int(factor)
    picture, scene = (_blocks(image, block) for image in (ink, coverage))
    rest = factor / block if factor / block >= 1.2 else 1.0
    (picture, scale), (scene, _) = at_scale(picture, rest), at_scale(scene, rest)
    part = min(math.sqrt(pixels / math.prod(picture.shape)), 1.0)
    sides = [max(min(n, 32), round(part * n)) for n in picture.shape]
    middle = tuple(slice((n - m) // 2, (n + m) // 2) for n, m in zip(picture.shape, sides, strict=True))
    return picture[middle], scene[middle], scale * block


def _blocks(image, n):
    """Means over blocks of n x n pixels; what does not fill a block is left out."""
    if n == 1:
        return image
    xp = array_namespace(image)
    rows, columns = (side // n for side in image.shape)
    blocks = xp.reshape(image[: rows * n, : columns * n], (rows, n, columns, n))
    return xp.mean(xp.mean(blocks, axis=3), axis=1)


def _quarter(picture):
    return (n // 4 for n in picture.shape)


def _response(b, picture):
    """Least squares a and q of a b + q b^2; a faint straight line where no ink is seen."""
    xp = array_namespace(b)
    square = b * b
    gram = [[float(xp.mean(s * t)) for t in (b, square)] for s in (b, square)]
    right = [float(xp.mean(s * picture)) for s in (b, square)]
    a, q = (float(v) for v in np.linalg.lstsq(np.asarray(gram), np.asarray(right), rcond=1e-6)[0])
    return (a, q) if a >= _FAINTEST else (_FAINTEST, 0.0)


def _logistic(constants, blur, clarity):
    """Part of the characters read, from the logarithms of both."""
    bias, by_blur, by_clarity = constants
    return 1 / (1 + np.exp(-(bias + by_blur * blur + by_clarity * clarity)))
