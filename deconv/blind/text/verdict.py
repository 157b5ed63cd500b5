r"""Decide from a blurred image and its restoration whether it shows text, and how much of that can be read.

A page of text is two tones: with the paper divided out, its blurred ink is

.. math:: y = a\,b + q\,b^2 + \text{noise}, \qquad b = k * c, \quad c \in \{0, 1\},

with the level a of the ink, the PSF k, and q for an error of the tone curve; y is 0 on paper. The restored coverage is
brought to two tones, its edges are moved until the blurred scene fits (Landweber's iteration on a level set), and the
residual beyond the noise is divided by the image: the *misfit*. It is a few per cent for text, whether restored well or
badly, and a third or more for a photograph, which is brighter than its "paper" in places and grey in others. Where the
misfit leaves doubt, the residual is compared with that of a scene of any tones, which is hardly smaller for text, but
ten times smaller for other images.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy import ndimage

from deconv import noise
from deconv._core.array import Array, Result, array_namespace, device, like, to_numpy
from deconv._core.fft import Transfer, fast_shape
from deconv._core.resample import at_scale
from deconv.blind.parametric.families import Candidate, Motion
from deconv.blind.parametric.restore import prior_weight
from deconv.blind.settings import Settings
from deconv.blind.settings.text import Limits, VerdictSettings
from deconv.blind.text.ink import Foreground
from deconv.nonblind.splitting import Splitting
from deconv.priors import TotalVariation

__all__ = ["TwoToneFit", "Verdict", "assess", "expected_readability", "fit_two_tones", "objection"]


@dataclass(frozen=True)
class Verdict:
    """Whether an image shows text, how much of it can be read, and the measurements behind that.

    Attributes
    ----------
    text : bool
        Whether ink of one tone on even paper explains the image.
    readability : float
        Expected fraction of the characters that can be read, 0 to 1; 0 if the image is not text.
    reason : str
        Why the image is text or not, in words.
    misfit : float
        RMS residual of a two-tone scene beyond the noise, relative to the RMS of the image, 0 to 1.
    blur : float
        Radius of the blur in widths of a stroke.
    clarity : float
        Level of the ink relative to the RMS residual, noise included.
    """

    text: bool
    readability: float
    reason: str
    misfit: float
    blur: float
    clarity: float


def assess(
    inks: Sequence[Array],
    coverages: Sequence[Array],
    candidate: Candidate,
    foreground: Foreground,
    settings: Settings,
    stored: Sequence[float] | None = None,
) -> Verdict:
    """Decide whether an image shows text, and estimate how much of it can be read.

    Parameters
    ----------
    inks : sequence of arrays, each of shape (M, N)
        The whole blurred image as coverage by ink, paper 0; one array for each colour.
    coverages : sequence of arrays, each of shape (M, N)
        The restored coverage, paper 0 and ink 1; one array for each colour.
    candidate : Disk, Gaussian or Motion
        The PSF.
    foreground : {"dark", "bright"}
        Whether text is darker or brighter than its background.
    settings : Settings
        Settings of all stages.
    stored : sequence of float, optional
        Error that storing the image left in each of the inks.

    Returns
    -------
    Verdict
        The decision, the expected readability, and the reason.
    """
    verdict = settings.text.verdict
    pixels = verdict.pixels / len(inks)
    fits = [
        fit_two_tones(ink, coverage, candidate, pixels, settings, error)
        for ink, coverage, error in zip(inks, coverages, stored or [0.0] * len(inks), strict=True)
    ]
    signal = sum(max(f.power - f.noise, 0.0) for f in fits)
    excess = sum(max(f.unexplained - f.noise, 0.0) for f in fits)
    misfit = min(math.sqrt(excess / signal), 1.0) if signal > 0 else 1.0
    # Coloured text may leave a channel without any ink: the one with most of it shows the strokes.
    best = max(fits, key=lambda f: f.power)
    blur, clarity = best.blur, best.level / math.sqrt(max(best.unexplained, 1e-12))
    limits = verdict.dark if foreground == "dark" else verdict.bright
    if signal <= sum(f.noise for f in fits):
        reason: str | None = "nothing stands out from the background and its noise"
    else:
        reason = objection(best, misfit, limits, verdict)
    if reason is not None:
        return Verdict(False, 0.0, reason, misfit, blur, clarity)
    reason = (
        f"the blur radius is {blur:.1f} stroke widths, the ink's level {clarity:.0f} times the unexplained residual"
    )
    return Verdict(True, expected_readability(blur, clarity, misfit, verdict), reason, misfit, blur, clarity)


def objection(fit: "TwoToneFit", misfit: float, limits: Limits, settings: VerdictSettings) -> str | None:
    """The reason why the image is not text; None if it may be text."""
    if misfit > limits.misfit:
        return f"text of one tone on an even background would leave {misfit:.0%} of the image unexplained"
    if fit.share > settings.largest_share:
        return "more than half of the image would be ink"
    if fit.grey > limits.grey:
        return "ink and paper do not form two separate tones"
    if fit.piece > limits.largest_piece and fit.blur < limits.merged_blur:
        return "nearly all of its ink is one connected piece"
    # Both scenes leave the error of JPEG, of which grey tones imitate a part.
    error = settings.rounding**2 + fit.stored
    if (ratio := math.sqrt((fit.unexplained + error) / (fit.grey_residual() + error))) > limits.grey_ratio:
        return f"text of one tone on an even background would leave {ratio:.1f} times the residual of grey tones"
    return None


def expected_readability(blur: float, clarity: float, misfit: float, settings: VerdictSettings) -> float:
    """Expected fraction of the characters that can be read, 0 to 1.

    Parameters
    ----------
    blur : float
        Radius of the blur in widths of a stroke.
    clarity : float
        Level of the ink relative to the RMS residual.
    misfit : float
        RMS residual of the two-tone scene, relative to the RMS of the image.
    settings : deconv.blind.settings.text.VerdictSettings
        Coefficients of the logistic, and the misfit up to which it is trusted.

    Returns
    -------
    float
        0 for an unreadable image, 1 if every character is expected to be read.
    """
    model, most = settings.readability, settings.dark.misfit
    trust = min((most - misfit) / (most - model.trusted_misfit), 1.0)
    return trust * float(logistic((model.bias, model.blur, model.clarity), math.log(blur), math.log(clarity)))


def logistic(constants: Sequence[float], log_blur: Result, log_clarity: Result) -> Result:
    """Logistic model of the fraction of characters that are read; `constants` are the bias and the two coefficients."""
    bias, by_blur, by_clarity = constants
    return 1 / (1 + np.exp(-(bias + by_blur * log_blur + by_clarity * log_clarity)))


@dataclass(frozen=True, eq=False)
class TwoToneFit:
    """A two-tone scene fitted to a blurred image, as measurements.

    Attributes
    ----------
    power, noise, unexplained, stored : float
        Mean squares of the image, of its noise, of the residual, and of the error that storing the image left.
    level, share, grey, piece : float
        Level of the ink; fraction of the image that is ink; mean of c (1 - c) relative to an even grey image, 0 for two
        pure tones; area of the largest connected piece of ink as a fraction of all ink.
    blur : float
        Radius of a disc after which text is as hard to read as after the PSF, in widths of a stroke.
    image, psf : array
        The blurred image and the PSF on the grid of the fit.
    inner : tuple of slice
        The part of the image that is compared.
    settings : Settings
        Settings of all stages.
    """

    power: float
    noise: float
    unexplained: float
    level: float
    share: float
    grey: float
    piece: float
    blur: float
    image: Result = field(repr=False)
    psf: Result = field(repr=False)
    inner: tuple[slice, ...] = field(repr=False)
    settings: Settings = field(repr=False)
    stored: float = 0.0

    def grey_residual(self) -> float:
        """Mean square residual of a scene of any tones, restored by total variation."""
        xp = array_namespace(self.image)
        solver = Splitting(self.image, self.psf.shape)
        weight = prior_weight(math.sqrt(self.noise + self.stored), self.settings.general.deconvolution)
        num_iter = self.settings.text.verdict.grey_num_iter
        solver.solve(self.psf, TotalVariation(), weight, low=-math.inf, num_iter=num_iter)
        return float(xp.mean(solver.residual[solver.window][self.inner] ** 2))


def fit_two_tones(
    ink: Array, coverage: Array, candidate: Candidate, pixels: float, settings: Settings, stored: float = 0.0
) -> TwoToneFit:
    """Fit a two-tone scene to the blurred image, starting from the restored one.

    Parameters
    ----------
    ink, coverage : array, shape (M, N)
        The blurred image as coverage by ink, and the restored coverage.
    candidate : Disk, Gaussian or Motion
        The PSF.
    pixels : float
        Pixels that are examined.
    settings : Settings
        Settings of all stages.
    stored : float
        Error that storing the image left in `ink`.

    Returns
    -------
    TwoToneFit
        The measurements of the fit.
    """
    image, scene, scale = working_grid(ink, coverage, candidate.radius, pixels, settings.text.verdict)
    xp = array_namespace(image)
    psf = like(candidate.make(1 / scale), image)
    # The scene beyond the frame is unknown, so pixels within reach of the border are not compared.
    reach = tuple(n // 2 for n in psf.shape)
    inner = tuple(slice(m, n - m) for n, m in zip(image.shape, map(min, reach, _quarter(image)), strict=True))
    tones, level, unexplained = _move_edges(image, scene, psf, inner, settings.text.verdict)
    share = float(xp.mean(tones))
    # Unresolved strokes are restored too wide and too pale; their width is converted to that at full level.
    stroke = _stroke_width(tones) * min(level, 1.0)
    spread = settings.text.verdict.motion_radius if isinstance(candidate, Motion) else 1.0
    return TwoToneFit(
        power=float(xp.mean(image[inner] ** 2)),
        noise=noise.estimate(image) ** 2,
        unexplained=unexplained,
        level=level,
        share=share,
        grey=float(xp.mean(tones * (1 - tones))) / max(share * (1 - share), 1e-12),
        piece=_largest_piece(tones),
        blur=candidate.radius * spread / scale / max(stroke, 1e-12),
        image=image,
        psf=psf,
        inner=inner,
        settings=settings,
        stored=(stored / scale) ** 2,
    )


def _move_edges(
    image: Result, scene: Result, psf: Result, inner: tuple[slice, ...], settings: VerdictSettings
) -> tuple[Result, float, float]:
    """Move the edges of a two-tone scene until, blurred, it fits the image best.

    Returns the scene of the best step, the level of its ink, and the mean square of the residual within `inner`.
    """
    xp = array_namespace(image)
    shape = fast_shape(tuple(n + 2 * (m // 2) for n, m in zip(image.shape, psf.shape, strict=True)))
    transfer = Transfer(psf, shape)
    window = tuple(slice(0, n) for n in image.shape)
    grid = xp.zeros(shape, dtype=image.dtype, device=device(image))

    def through(operator: Callable[[Result], Result], x: Result) -> Result:
        grid[window] = x
        return operator(grid)[window]

    position = scene - 0.5
    best, level, least = scene, settings.faintest, math.inf
    for _ in range(settings.steps):
        tones = xp.clip(position / settings.edge_width + 0.5, 0.0, 1.0)
        b = through(transfer.forward, tones)
        a, q = _level_and_curvature(b[inner], image[inner], settings.faintest)
        residual = image - a * b - q * b * b
        unexplained = float(xp.mean(residual[inner] ** 2))
        if unexplained < least:
            # The level at the largest blurred coverage of the image; beyond that, q would extrapolate.
            level = max(a + q * float(xp.max(b[inner])), settings.faintest)
            best, least = tones, unexplained
        slope = max(a + 2 * q * float(xp.mean(b)), 4 * settings.faintest)
        position = xp.clip(position + through(transfer.adjoint, residual) / slope, -1.0, 1.0)
    return best, level, least


def _largest_piece(tones: Result) -> float:
    """Area of the largest connected piece of ink as a fraction of all ink; 1 without ink."""
    pieces, _ = ndimage.label(to_numpy(tones) > 0.5, np.ones((3, 3)))
    sizes = np.bincount(pieces.ravel())[1:]
    return float(sizes.max() / sizes.sum()) if sizes.size else 1.0


def _stroke_width(tones: Result) -> float:
    """Mean width of the strokes in pixels: twice their area over the length of their edges."""
    xp = array_namespace(tones)
    edges = xp.sqrt((tones[1:, :-1] - tones[:-1, :-1]) ** 2 + (tones[:-1, 1:] - tones[:-1, :-1]) ** 2)
    return 2 * float(xp.sum(tones)) / max(float(xp.sum(edges)), 1e-12)


def working_grid(
    ink: Array, coverage: Array, radius: float, pixels: float, settings: VerdictSettings
) -> tuple[Result, Result, float]:
    """Both images on a grid that suits the PSF, cropped to their centre if too large, and the scale of that grid."""
    size = math.prod(ink.shape)
    factor = max(1.0, radius / settings.working_radius)
    if size > pixels * factor**2:
        factor = max(factor, min(math.sqrt(size / pixels), radius / settings.least_radius))
    # Reduce by whole blocks first, which is fast, then by the rest of the factor if that is worth its extra blur.
    block = int(factor)
    image, scene = (_blocks(plane, block) for plane in (ink, coverage))
    rest = factor / block if factor / block >= settings.least_reduction else 1.0
    (image, scale), (scene, _) = at_scale(image, rest), at_scale(scene, rest)
    part = min(math.sqrt(pixels / math.prod(image.shape)), 1.0)
    sides = [max(min(n, 32), round(part * n)) for n in image.shape]
    middle = tuple(slice((n - m) // 2, (n + m) // 2) for n, m in zip(image.shape, sides, strict=True))
    return image[middle], scene[middle], scale * block


def _blocks(image: Array, n: int) -> Result:
    """Means over blocks of n x n pixels; incomplete blocks are dropped."""
    if n == 1:
        return image
    xp = array_namespace(image)
    rows, columns = (side // n for side in image.shape)
    blocks = xp.reshape(image[: rows * n, : columns * n], (rows, n, columns, n))
    return xp.mean(xp.mean(blocks, axis=3), axis=1)


def _quarter(image: Array) -> Iterator[int]:
    """A quarter of each side of an image, so that half of each side is always compared."""
    return (n // 4 for n in image.shape)


def _level_and_curvature(b: Result, image: Result, faintest: float) -> tuple[float, float]:
    """Least-squares a and q of a b + q b^2; the faintest level and no curvature if the fit finds no ink."""
    xp = array_namespace(b)
    square = b * b
    gram = [[float(xp.mean(s * t)) for t in (b, square)] for s in (b, square)]
    right = [float(xp.mean(s * image)) for s in (b, square)]
    a, q = (float(v) for v in np.linalg.lstsq(np.asarray(gram), np.asarray(right), rcond=1e-6)[0])
    return (a, q) if a >= faintest else (faintest, 0.0)
