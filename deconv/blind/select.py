r"""Choose the kind of blur of an image: none, a disc, a Gaussian, straight motion, or a free-form PSF.

All kinds that a few numbers describe are scored in one currency: the log odds over no blur for the same image, in nats,
under the model of `deconv.blind.spectrum`, each on the grid that shows it best. Without blur the encoding makes no
difference to the model, so the odds of one encoding may also be compared with those of another. Prior odds are few:
a kind needs some evidence to be believed (`deconv.blind.settings.parametric`), and a Gaussian, which has no zeros,
must explain an image better than a disc with soft edges.

A disc has its zeros in every direction. Those of enlarged pixels lie along the axes, and those of a shake along its
path, so the odds of a disc that is not clear are looked at by direction (`deconv.blind.parametric.directions`).

Some facts refute a blur whatever its odds: an image of noise has no scene, a gradient has no edge that a PSF of the
sizes searched could have softened, and no blur leaves edges one pixel wide in every direction. Grids, rings, checkers
and the contour lines of a rounded gradient have zeros in their spectra too.

An image that is not sharp, and that none of these kinds explains, goes to the free-form estimate.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Literal

import numpy as np
from scipy import ndimage, optimize

from deconv import noise
from deconv._core.array import Array, to_numpy
from deconv.blind.freeform.phase import Power
from deconv.blind.parametric.directions import least_odds_by_direction
from deconv.blind.parametric.families import Candidate, Disk, Gaussian, Motion
from deconv.blind.parametric.search import Estimate, compare_families, log_odds, search
from deconv.blind.settings import Settings
from deconv.blind.settings.freeform import PhaseRetrieval
from deconv.blind.settings.parametric import Parametric
from deconv.blind.settings.select import Gradient, Selection, Sharpness
from deconv.blind.spectrum import Degradation
from deconv.tone import decode

__all__ = ["Choice", "choose", "hard_steps", "sharpness"]

_DEFAULT = Settings()
_NOTHING = Estimate(None, 0.0, np.empty(0), np.empty(0))

# Steps are measured between a pixel and these neighbours: four directions.
_NEIGHBOURS = ((0, 1), (1, 0), (1, 1), (1, -1))

Family = Literal["none", "disk", "gaussian", "motion", "free"]
_FAMILY: dict[type[Candidate], Family] = {Disk: "disk", Gaussian: "gaussian", Motion: "motion"}


@dataclass(frozen=True)
class Choice:
    """The kind of blur chosen for an image, and the evidence for it.

    Attributes
    ----------
    family : {"none", "disk", "gaussian", "motion", "free"}
        Kind of blur.
    estimate : Estimate
        The PSF of that kind and the evidence for it. Without one, its candidate is None, and its guess is the likeliest
        PSF of all families.
    gamma : float
        Exponent of the encoding with which the PSF was estimated.
    sharpness : float
        Height of the steepest steps relative to the contrast around them, in the direction where it is lowest.
    reason : str
        Why there is nothing to restore; empty if there is.
    """

    family: Family
    estimate: Estimate
    gamma: float
    sharpness: float
    reason: str = ""


def choose(
    image: Array,
    gamma: float | None,
    report: Callable[[float], object],
    *,
    degradation: Degradation | None = None,
    settings: Settings = _DEFAULT,
) -> Choice:
    """Choose the kind of blur of an image from its spectrum and its edges.

    Parameters
    ----------
    image : array, shape (M, N)
        Grey, encoded values.
    gamma : float or None
        Exponent of the encoding. None tries that of photographs first, then linear data if these may explain more.
    report : callable
        ``report(fraction)``.
    degradation : Degradation, optional
        What was done to the image after the blur, such as JPEG compression.
    settings : Settings
        Settings of all stages.

    Returns
    -------
    Choice
        The kind, its PSF and the encoding.
    """
    selection = settings.selection
    steps = hard_steps(image, settings=selection.sharpness)
    edges = max(sharpness(image, settings=selection.sharpness), min(steps))
    first = settings.general.photograph_gamma if gamma is None else gamma
    if _is_noise(image, selection.noise_share):
        return Choice("none", _NOTHING, first, edges, "noise explains all of its variation")
    if _is_gradient(image, selection.gradient, selection.sharpness.pixels):
        return Choice("none", _NOTHING, first, edges, "it is a smooth gradient, without edges")
    choice = _choose_at(image, first, edges, lambda part: report(0.6 * part), degradation, settings)
    if gamma is not None or choice.family == "none":
        return choice
    candidate = choice.estimate.candidate
    if candidate is not None:
        linear = log_odds(decode(image, 1.0), candidate, degradation=degradation, settings=settings.parametric)
        encoded = log_odds(decode(image, first), candidate, degradation=degradation, settings=settings.parametric)
        if linear <= encoded:
            return choice
    other = _choose_at(image, 1.0, edges, lambda part: report(0.6 + 0.4 * part), degradation, settings)
    # What is stored as JPEG is a photograph, unless the evidence outweighs that.
    if degradation is not None and other.estimate.log_odds < selection.least_log_odds_linear_stored:
        return choice
    return max((choice, other), key=lambda each: each.estimate.log_odds)


def _is_noise(image: Array, share: float) -> bool:
    """Whether noise alone explains the variation of the image; patterns of one or two pixels look like noise too."""
    values = to_numpy(image)
    return bool(noise.estimate(values) >= share * values.std(dtype=np.float64))


def _is_gradient(image: Array, settings: Gradient, pixels: float) -> bool:
    """Whether the image is smooth up to the rounding of its values."""
    values = _middle(to_numpy(image), pixels).astype(np.float64)
    width = max(1.0, settings.width * min(values.shape))
    inner = (slice(round(3 * width), -round(3 * width)),) * 2
    rest = (values - ndimage.gaussian_filter(values, width))[inner]
    return bool(np.sqrt(np.mean(rest**2)) <= settings.rounding * np.ptp(values))


def _choose_at(
    image: Array,
    gamma: float,
    edges: float,
    report: Callable[[float], object],
    degradation: Degradation | None,
    settings: Settings,
) -> Choice:
    """The choice if the encoding has the exponent `gamma`; `edges` is the sharpness of the image."""
    selection, parametric = settings.selection, settings.parametric
    light, width = decode(image, gamma), image.shape[1]

    def find(family: type[Candidate], start: float, end: float) -> Estimate:
        return search(
            light,
            [family],
            width,
            lambda part: report(start + (end - start) * part),
            blurred=edges < selection.blurred_below,
            degradation=degradation,
            settings=parametric,
        )

    if edges >= selection.sharp_from:
        shaken = edges < selection.crisp_from and _shows_path(
            light, degradation, selection, settings.freeform.phase_retrieval
        )
        if not shaken:
            return Choice("none", _NOTHING, gamma, edges, "its edges are as steep as those of a sharp image")
        return Choice("free", _NOTHING, gamma, edges)
    found = find(Disk, 0.0, 0.4)
    disk = _confirmed_disk(light, found, degradation, selection, parametric)
    too_steep = max(hard_steps(light, settings=selection.sharpness)) > selection.hard_step
    if too_steep:
        disk = _refuted(disk)
    if min(disk.log_odds, found.log_odds) > selection.clear_disk:
        return Choice("disk", disk, gamma, edges)
    if isinstance(disk.candidate, Disk):
        odds = least_odds_by_direction(
            light, disk.candidate, scale=disk.scale, degradation=degradation, settings=parametric
        )
        if odds.half < selection.least_disk_half or odds.quarter < selection.least_disk_quarter:
            disk = _refuted(disk)
    soft, motion = find(Gaussian, 0.4, 0.5), find(Motion, 0.5, 1.0)
    stored = degradation is not None
    if isinstance(motion.candidate, Motion):
        line = _confirmed_line(light, motion.candidate, degradation, selection, settings.freeform.phase_retrieval)
        motion = replace(motion, candidate=line, log_odds=motion.log_odds if line else 0.0)
    least = selection.least_log_odds_gaussian_stored if stored else selection.least_log_odds_gaussian
    if soft.candidate is not None and (
        soft.log_odds < least
        or soft.candidate.steepest() >= selection.gaussian_slope * edges
        # Found beside a disc, which it must not replace by evidence from another grid.
        or disk.candidate is not None
        or too_steep
    ):
        soft = _refuted(soft)
    best = max((disk, soft, motion), key=attrgetter("log_odds"))
    factor = selection.path_factor_gaussian if best is soft else selection.path_factor
    freer = (
        not stored
        and best is not motion
        and _path_evidence(light, None, selection, settings.freeform.phase_retrieval) > factor * max(best.log_odds, 0.0)
    )
    if best.candidate is not None and not freer:
        return Choice(_FAMILY[type(best.candidate)], best, gamma, edges)
    guess = max((found, soft, motion), key=attrgetter("guess_log_odds"))
    return Choice("free", _refuted(guess), gamma, edges)


def _refuted(estimate: Estimate) -> Estimate:
    """The estimate without its candidate, which stays the guess."""
    return replace(estimate, candidate=None, score=0.0, log_odds=0.0)


def _confirmed_disk(
    light: Array, disk: Estimate, degradation: Degradation | None, selection: Selection, parametric: Parametric
) -> Estimate:
    """The disc if it is likelier than a Gaussian on the grid where it was found; else without a candidate.

    A doubtful disc, so small that only its first zeros show, is accepted if it is likely enough for scenes of edges.
    """
    guess = disk.guess
    if not isinstance(guess, Disk) or disk.guess_log_odds <= 0:
        return _refuted(disk)
    if guess.radius < selection.large_disk and guess.fill > selection.small_disk_fill:
        return _refuted(disk)
    own, other = compare_families(
        light, guess, Gaussian, scale=disk.scale, degradation=degradation, settings=parametric
    )
    if disk.candidate is None:
        if own < selection.small_disk_log_odds or guess.radius < selection.small_disk_radius:
            return _refuted(disk)
        disk = replace(disk, candidate=guess, score=disk.guess_log_odds, log_odds=own)
    wide = guess.radius > selection.wide_disk * light.shape[1]
    most = other if wide else selection.disk_factor * max(other, 0.0) + selection.disk_margin
    return disk if max(own, disk.log_odds) > most else _refuted(disk)


def _shows_path(light: Array, degradation: Degradation | None, settings: Selection, retrieval: PhaseRetrieval) -> bool:
    """Whether the power shows the path of a shake that paused long enough to leave sharp edges."""
    power = _power_of_path(light, degradation, settings, retrieval)
    if power is None:
        return False
    return bool(power.likely(settings.path_support, np.random.default_rng(0))[1] > settings.path_gain)


def _path_evidence(
    light: Array, degradation: Degradation | None, settings: Selection, retrieval: PhaseRetrieval
) -> float:
    """Evidence in nats for the likeliest free-form PSF on the support of a path, by the power at every frequency."""
    power = _power_of_path(light, degradation, settings, retrieval)
    if power is None:
        return 0.0
    return power.evidence(power.retrieved(settings.path_support, np.random.default_rng(0)))


def _power_of_path(
    light: Array, degradation: Degradation | None, settings: Selection, retrieval: PhaseRetrieval
) -> Power | None:
    """The power of the middle of an image; None if it is too small for the support of a path."""
    middle = _middle(to_numpy(light), settings.sharpness.pixels)
    if min(middle.shape) < 3 * settings.path_support:
        return None
    return Power([middle], [degradation], settings=retrieval)


def _confirmed_line(
    light: Array,
    candidate: Motion,
    degradation: Degradation | None,
    selection: Selection,
    retrieval: PhaseRetrieval,
) -> Motion | None:
    """The motion, or a likelier one of similar length and angle; None if the power contradicts straight motion.

    The longest straight stretch of a shake has zeros, but the rest of the path fills them. A line of slightly wrong
    length or angle looks just as bad, so its neighbours are tried before it is rejected.
    """
    settings = selection.line
    middle = _middle(to_numpy(light), selection.sharpness.pixels)
    widest = min(middle.shape) - 2
    # A narrow strip may be shorter than the motion, and then cannot contradict it.
    if max(2 * candidate.radius, 3 * settings.shortest) > widest:
        return candidate
    longest = min(max(settings.longest * 2 * candidate.radius, 3 * settings.shortest), widest)
    power = Power([middle], [degradation], settings=retrieval)

    def gain(length: float, angle: float) -> float:
        psf = replace(candidate, radius=length / 2, angle=angle).make()
        return float(power.gain(psf / psf.sum()))

    first = 2 * candidate.radius, candidate.angle
    if gain(*first) >= settings.least_gain:
        return candidate
    lengths = np.geomspace(settings.shortest, longest, settings.lengths)
    grid = [(n, first[1] + offset) for n in lengths for offset in settings.angle_offsets]
    starts = [first, *sorted(grid, key=lambda line: gain(*line))[-settings.starts :]]
    lines = (_likeliest_line(gain, line, settings.shortest, longest) for line in starts)
    length, angle = max(lines, key=lambda line: gain(*line))
    if gain(length, angle) < settings.least_gain_corrected:
        # Of a strongly compressed image the power at single frequencies may show nothing, not even a path.
        if degradation is None:
            return None
        path = _path_evidence(light, degradation, selection, retrieval)
        return candidate if path < selection.least_evidence_stored else None
    return replace(candidate, radius=length / 2, angle=angle)


def _likeliest_line(
    gain: Callable[[float, float], float], start: tuple[float, float], shortest: float, longest: float
) -> tuple[float, float]:
    """The length and angle of the nearest maximum of the gain."""
    length, angle = float(np.clip(start[0], shortest, longest)), start[1]
    aside = length * (1.05 if length < longest / 1.1 else 0.95)
    options = {"initial_simplex": [(length, angle), (aside, angle), (length, angle + 2.0)], "xatol": 0.02, "maxfev": 40}
    bounds = ((shortest, longest), (None, None))
    result = optimize.minimize(
        lambda x: -gain(*x), (length, angle), method="Nelder-Mead", bounds=bounds, options=options
    )
    length, angle = result.x
    return length, angle


def sharpness(image: Array, *, settings: Sharpness) -> float:
    """Height of the steepest steps relative to the contrast around them, in the direction where it is lowest."""
    x = _middle(to_numpy(image), settings.pixels).astype(np.float64)
    # A strip no wider than the window keeps a third of its width between the margins.
    window, sigma = min(settings.window, min(x.shape) // 3), noise.estimate(x)
    high, low = (f(x, window) for f in (ndimage.maximum_filter, ndimage.minimum_filter))
    inner = (slice(window, -window, 3),) * 2
    contrast = (high - low)[inner].ravel() - settings.noise_contrast * sigma
    largest = float(np.quantile(contrast, 0.98))
    # A blur much wider than a window leaves only noise in it, which looks sharp.
    whole = float(np.ptp(np.quantile(x, (0.001, 0.999))))
    if largest <= max(settings.local_contrast * whole, settings.clear_contrast * sigma):
        return 0.0
    counted = contrast >= settings.least_contrast * largest
    ratios = []
    for shift in _NEIGHBOURS:
        steps = np.abs(x - np.roll(x, shift, axis=(0, 1)))
        steepest = ndimage.maximum_filter(steps, window)[inner].ravel() - settings.noise_step * sigma
        ratios.append(float(np.quantile(steepest[counted] / contrast[counted], settings.quantile)))
    return min(ratios)


def hard_steps(image: Array, *, settings: Sharpness) -> list[float]:
    """Height that a few per cent of the steps between neighbours exceed, as a part of the range, by direction.

    White noise reaches one half, a drawing in two tones 1. Unlike `sharpness`, this needs no estimate of the noise,
    which takes fine patterns for noise.
    """
    x, tail = _middle(to_numpy(image), settings.pixels).astype(np.float64), settings.step_tail
    whole = max(float(np.ptp(np.quantile(x, (tail, 1 - tail)))), 1e-12)
    moved = (np.roll(x, shift, axis=(0, 1)) for shift in _NEIGHBOURS)
    return [float(np.quantile(np.abs(x - each)[1:-1, 1:-1], settings.step_quantile)) / whole for each in moved]


def _middle(image: np.ndarray, pixels: float) -> np.ndarray:
    """The image, or its central part if it has more than `pixels` pixels."""
    part = min(1.0, (pixels / image.size) ** 0.5)
    return image[tuple(slice(round((1 - part) / 2 * n), round((1 + part) / 2 * n)) for n in image.shape)]
