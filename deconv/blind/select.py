"""Choose the kind of blur of an image: none, a disc, a Gaussian, straight motion, or a free-form PSF.

Each kind is tested by the measure that separates it best. The spectrum of a disc or of straight motion has zeros. That
of a Gaussian has none, but falls off more steeply than that of any scene (`deconv.blind.spectrum`). A sharp image has
edges one pixel wide in every direction, which no blur leaves. All other images go to the free-form estimate.
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

# Steps are measured between a pixel and these neighbours: four directions.
_NEIGHBOURS = ((0, 1), (1, 0), (1, 1), (1, -1))

Family = Literal["none", "disk", "gaussian", "motion", "free"]


@dataclass(frozen=True)
class Choice:
    """The kind of blur chosen for an image, and the evidence for it.

    Attributes
    ----------
    family : {"none", "disk", "gaussian", "motion", "free"}
        Kind of blur.
    estimate : Estimate
        The PSF of that kind and the evidence for it; its candidate is None for "none" and "free".
    gamma : float
        Exponent of the encoding with which the PSF was estimated.
    sharpness : float
        Height of the steepest steps relative to the contrast around them, in the direction where it is lowest.
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
    """Choose the kind of blur of an image from its spectrum and its edges.

    Parameters
    ----------
    image : array, shape (M, N)
        Grey, encoded values.
    gamma : float or None
        Exponent of the encoding. None tries that of photographs first, then linear data if the first leaves doubt.
    report : callable
        ``report(fraction)``.
    settings : Settings
        Settings of all stages.

    Returns
    -------
    Choice
        The kind, its PSF and the encoding.
    """
    selection = settings.selection
    edges = sharpness(image, settings=selection.sharpness)
    curves = (settings.general.photograph_gamma, 1.0) if gamma is None else (gamma,)
    choices: list[Choice] = []
    for i, curve in enumerate(curves):

        def report_part(part: float, done: int = i) -> None:
            report((done + part) / len(curves))

        choices.append(_choose_at(image, curve, edges, report_part, settings))
        # Decoding with the wrong exponent fills zeros: a disc may pass for a Gaussian, any blur for a free-form one.
        last = choices[-1]
        clear = last.family == "motion" and last.estimate.log_odds > selection.clear_motion
        if edges >= selection.sharp_from or last.family == "disk" or clear:
            return last
    kinds = ("disk", "motion", "gaussian", "free", "none")
    return min(choices, key=lambda choice: (kinds.index(choice.family), -choice.estimate.log_odds))


def _choose_at(
    image: Array, gamma: float, edges: float, report: Callable[[float], object], settings: Settings
) -> Choice:
    """The choice if the encoding has the exponent `gamma`; `edges` is the sharpness of the image."""
    selection, parametric = settings.selection, settings.parametric
    light, width = decode(image, gamma), image.shape[1]
    disk = search(
        light,
        [Disk],
        width,
        lambda part: report(0.4 * part),
        blurred=edges < selection.blurred_below,
        settings=parametric,
    )
    if _is_disk(light, disk, edges, width, selection, parametric):
        return Choice("disk", disk, gamma, edges)
    no_blur = replace(disk, candidate=None, score=0.0, log_odds=0.0)
    if edges >= selection.sharp_from:
        shaken = edges < selection.crisp_from and _shows_path(light, selection, settings.freeform.phase_retrieval)
        return Choice("free" if shaken else "none", no_blur, gamma, edges)
    soft = search(light, [Gaussian], width, lambda part: report(0.4 + 0.2 * part), settings=parametric)
    motion = search(light, [Motion], width, lambda part: report(0.6 + 0.4 * part), settings=parametric)
    if isinstance(motion.candidate, Motion) and motion.log_odds > selection.motion_factor * soft.log_odds:
        line = _confirmed_line(
            light, motion.candidate, selection.line, selection.sharpness.pixels, settings.freeform.phase_retrieval
        )
        if line is not None:
            return Choice("motion", replace(motion, candidate=line), gamma, edges)
    if soft.candidate is not None and soft.candidate.steepest() < selection.gaussian_slope * edges:
        return Choice("gaussian", soft, gamma, edges)
    # The power of a merely soft image varies slowly with direction, that of a shaken one does not.
    uneven = unevenness(light, settings=selection.unevenness, spectrum=parametric.spectrum)
    return Choice("free" if uneven >= selection.shaken_from else "none", no_blur, gamma, edges)


def _is_disk(
    light: Array, disk: Estimate, edges: float, width: int, selection: Selection, parametric: Parametric
) -> bool:
    """Whether the blur really is the likeliest disc, rather than a Gaussian or the edges of a sharp image."""
    candidate = disk.candidate
    if not isinstance(candidate, Disk):
        return False
    # No sharp image has the rings of a large disc. It overrules the sharpness, which uneven noise can feign.
    small = edges < selection.sharp_from and candidate.fill < selection.small_disk_fill
    if not (candidate.radius > selection.large_disk or small):
        return False
    own, other = compare_families(light, candidate, Gaussian, settings=parametric)
    wide = candidate.radius > selection.wide_disk * width
    return own > (other if wide else selection.disk_factor * other + selection.disk_margin)


def _shows_path(light: Array, settings: Selection, retrieval: PhaseRetrieval) -> bool:
    """Whether the power shows the path of a shake that paused long enough to leave sharp edges."""
    middle = _middle(to_numpy(light), settings.sharpness.pixels)
    if min(middle.shape) < 3 * settings.path_support:
        return False
    power = Power([middle], settings=retrieval)
    return bool(power.likely(settings.path_support, np.random.default_rng(0))[1] > settings.path_gain)


def _confirmed_line(
    light: Array, candidate: Motion, settings: LineCheck, pixels: float, retrieval: PhaseRetrieval
) -> Motion | None:
    """The motion, or a likelier one of similar length and angle; None if the power contradicts straight motion.

    The longest straight stretch of a shake has zeros, but the rest of the path fills them. A line of slightly wrong
    length or angle looks just as bad, so its neighbours are tried before it is rejected.
    """
    middle = _middle(to_numpy(light), pixels)
    widest = min(middle.shape) - 2
    # A narrow strip may be shorter than the motion, and then cannot contradict it.
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
    """Height of the steepest steps relative to the contrast around them, in the direction where it is lowest."""
    x = _middle(to_numpy(image).astype(np.float64), settings.pixels)
    window, sigma = settings.window, noise.estimate(x)
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


def unevenness(light: Array, *, settings: Unevenness, spectrum: Spectrum) -> float:
    """Dispersion of the power about a smooth model, in narrow sectors of direction; 1 if the model holds."""
    small, _ = at_scale(light, max(light.shape) / settings.side)
    return Periodogram(small, settings=spectrum).coarse(settings.directions, settings.ring_ratio).fit().dispersion


def _middle(image: np.ndarray, pixels: float) -> np.ndarray:
    """The image, or its central part if it has more than `pixels` pixels."""
    part = min(1.0, (pixels / image.size) ** 0.5)
    return image[tuple(slice(round((1 - part) / 2 * n), round((1 + part) / 2 * n)) for n in image.shape)]
