"""Which kind of blur a picture has: none, a disc, a Gaussian, a straight movement, or none of these.

Each question is put to the measure that answers it. A disc and a movement have zeros, which the spectrum shows or not.
A Gaussian has none; it shows by a steepness that no scene has (`deconv.blind.spectrum`). A sharp picture has edges one
pixel wide in every direction, which no blur leaves. A picture that is blurred by none of these goes to the free-form
estimate.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy import ndimage, optimize

from deconv import noise
from deconv._core.array import Array, to_numpy
from deconv._core.resample import at_scale
from deconv.blind.freeform.phase import Power
from deconv.blind.parametric.families import Disk, Gaussian, Motion
from deconv.blind.parametric.search import Estimate, compare_families, search
from deconv.blind.settings import Settings
from deconv.blind.settings.freeform import PhaseRetrieval
from deconv.blind.settings.parametric import Parametric
from deconv.blind.settings.select import LineCheck, Selection, Sharpness, Unevenness
from deconv.blind.settings.spectrum import Spectrum
from deconv.blind.spectrum import Periodogram
from deconv.tone import decode

__all__ = ["Choice", "choose", "sharpness", "unevenness"]

_DEFAULT = Settings()

# Neighbours between which steps are measured: four directions.
_NEIGHBOURS = ((0, 1), (1, 0), (1, 1), (1, -1))

Family = Literal["none", "disk", "gaussian", "motion", "free"]


@dataclass(frozen=True)
class Choice:
    """The kind of blur of a picture.

    Attributes
    ----------
    family : {"none", "disk", "gaussian", "motion", "free"}
        Kind of blur.
    estimate : Estimate
        The PSF of that kind and the evidence for it; without a candidate for "none" and "free".
    gamma : float
        Exponent of the encoding through which it was estimated.
    sharpness : float
        Height of the steepest steps over the contrast around them, in the direction in which it is least.
    """

    family: Family
    estimate: Estimate
    gamma: float
    sharpness: float


def choose(
    image: Array,
    gamma: float | None,
    report: Callable[[float], object],
    *,
    settings: Settings = _DEFAULT,
) -> Choice:
    """The kind of blur that the spectrum and the edges of a picture show.

    Parameters
    ----------
    image : array, shape (M, N)
        The picture, grey, as it is encoded.
    gamma : float or None
        Exponent of its encoding; None for that of photographs or, where no blur is found through that, for none.
    report : callable
        ``report(fraction)``.
    settings : Settings
        Of every stage.

    Returns
    -------
    Choice
    """
    selection = settings.selection
    edges = sharpness(image, settings=selection.sharpness)
    curves = (settings.general.photograph_gamma, 1.0) if gamma is None else (gamma,)
    choices: list[Choice] = []
    for i, curve in enumerate(curves):

        def report_part(part: float, done: int = i) -> None:
            report((done + part) / len(curves))

        choices.append(_choose_at(image, curve, edges, report_part, settings))
        # Through a wrong curve zeros are filled: a disc may pass for a Gaussian, and anything for none of these.
        last = choices[-1]
        clear = last.family == "motion" and last.estimate.log_odds > selection.clear_motion
        if edges >= selection.sharp_from or last.family == "disk" or clear:
            return last
    kinds = ("disk", "motion", "gaussian", "free", "none")
    return min(choices, key=lambda choice: (kinds.index(choice.family), -choice.estimate.log_odds))


def _choose_at(
    image: Array, gamma: float, edges: float, report: Callable[[float], object], settings: Settings
) -> Choice:
    """The choice if the picture is encoded with that exponent and its edges have that sharpness."""
    selection, parametric = settings.selection, settings.parametric
    light, width = decode(image, gamma), image.shape[1]
    disk = search(
        light,
        [Disk],
        width,
        lambda part: report(0.4 * part),
        edges < selection.blurred_below,
        settings=parametric,
    )
    if _is_disk(light, disk, edges, width, selection, parametric):
        return Choice("disk", disk, gamma, edges)
    no_blur = replace(disk, candidate=None, score=0.0, log_odds=0.0)
    if edges >= selection.sharp_from:
        shaken = edges < selection.crisp_from and _shows_path(light, selection, settings.freeform.phase_retrieval)
        return Choice("free" if shaken else "none", no_blur, gamma, edges)
    soft = search(light, [Gaussian], width, lambda part: report(0.4 + 0.2 * part), settings=parametric)
    moved = search(light, [Motion], width, lambda part: report(0.6 + 0.4 * part), settings=parametric)
    if isinstance(moved.candidate, Motion) and moved.log_odds > selection.motion_factor * soft.log_odds:
        line = _confirmed_line(
            light, moved.candidate, selection.line, selection.sharpness.pixels, settings.freeform.phase_retrieval
        )
        if line is not None:
            return Choice("motion", replace(moved, candidate=line), gamma, edges)
    if soft.candidate is not None and soft.candidate.steepest() < selection.gaussian_slope * edges:
        return Choice("gaussian", soft, gamma, edges)
    # The power of what is merely soft is the same in directions not far from each other, that of a shake is not.
    uneven = unevenness(light, settings=selection.unevenness, spectrum=parametric.spectrum)
    return Choice("free" if uneven >= selection.shaken_from else "none", no_blur, gamma, edges)


def _is_disk(
    light: Array, disk: Estimate, edges: float, width: int, selection: Selection, parametric: Parametric
) -> bool:
    """Whether the likeliest disc is one, and not the picture's own edges or a Gaussian."""
    candidate = disk.candidate
    if not isinstance(candidate, Disk):
        return False
    # Nothing sharp has the rings of a large disc; noise that varies over the picture may look sharp beside one.
    small = edges < selection.sharp_from and candidate.fill < selection.small_disk_fill
    if not (candidate.radius > selection.large_disk or small):
        return False
    own, other = compare_families(light, candidate, Gaussian, settings=parametric)
    wide = candidate.radius > selection.wide_disk * width
    return own > (other if wide else selection.disk_factor * other + selection.disk_margin)


def _shows_path(light: Array, settings: Selection, retrieval: PhaseRetrieval) -> bool:
    """Whether the power shows a path, as of a shake that rested long enough to leave sharp edges."""
    middle = _middle(to_numpy(light), settings.sharpness.pixels)
    if min(middle.shape) < 3 * settings.path_support:
        return False
    power = Power([middle], settings=retrieval)
    return bool(power.likely(settings.path_support, np.random.default_rng(0))[1] > settings.path_gain)


def _confirmed_line(
    light: Array, candidate: Motion, settings: LineCheck, pixels: float, retrieval: PhaseRetrieval
) -> Motion | None:
    """A movement, or one near it of a likelier length and angle; None if the power speaks against any.

    A shake's longest stretch has zeros of its own, which the rest of the path fills. So does a line of a wrong length
    or angle fill those of the right one, which is why it is not denied before its neighbours have been tried.
    """
    middle = _middle(to_numpy(light), pixels)
    widest = min(middle.shape) - 2
    # A strip may be narrower than the movement along it is long.
    if max(2 * candidate.radius, 3 * settings.shortest) > widest:
        return candidate
    longest = min(max(settings.longest * 2 * candidate.radius, 3 * settings.shortest), widest)
    power = Power([middle], settings=retrieval)

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
        return None
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
    """Height of the steepest steps over the contrast around them, in the direction in which it is least."""
    x = _middle(to_numpy(image).astype(np.float64), settings.pixels)
    window, sigma = settings.window, noise.estimate(x)
    high, low = (f(x, window) for f in (ndimage.maximum_filter, ndimage.minimum_filter))
    inner = (slice(window, -window, 3),) * 2
    contrast = (high - low)[inner].ravel() - settings.noise_contrast * sigma
    largest = float(np.quantile(contrast, 0.98))
    # Blur much wider than a window leaves none of the picture's contrast in it, and noise looks sharp.
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


def unevenness(light: Array, *, settings: Unevenness, spectrum: Spectrum) -> float:
    """Dispersion of the power about a smooth one, in narrow directions; 1 if it is even."""
    small, _ = at_scale(light, max(light.shape) / settings.side)
    return Periodogram(small, settings=spectrum).coarse(settings.directions, settings.ring_ratio).fit().dispersion


def _middle(image: np.ndarray, pixels: float) -> np.ndarray:
    """The middle of a picture of more pixels than that."""
    part = min(1.0, (pixels / image.size) ** 0.5)
    return image[tuple(slice(round((1 - part) / 2 * n), round((1 + part) / 2 * n)) for n in image.shape)]
