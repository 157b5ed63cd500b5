"""From light to coverage by ink: dark or bright text, the light of its background, and the window that holds it."""

import math
from collections.abc import Sequence
from typing import Literal, TypeAlias

import numpy as np
from scipy import ndimage

from deconv import vignette
from deconv._core.array import Array, Result, array_namespace, mean_plane, to_numpy
from deconv._core.resample import at_scale
from deconv.blind.settings.text import Ink

__all__ = ["Foreground", "coverage", "estimate_foreground", "fit_background", "planes_as_ink", "text_window"]

# Text darker or brighter than its background.
Foreground: TypeAlias = Literal["dark", "bright"]
_CORNERS = 4


def estimate_foreground(light: Array, settings: Ink) -> Foreground:
    """Whether the text is dark or bright, from the skewness of the detail: strokes cover the smaller part of a page."""
    coarse = to_numpy(at_scale(light, max(light.shape) / settings.foreground_side)[0]).astype(np.float64)
    detail = coarse - ndimage.gaussian_filter(coarse, settings.foreground_trend)
    detail -= detail.mean()
    spread = math.sqrt(float(np.mean(detail**2)))
    return "bright" if float(np.mean(detail**3)) > settings.bright_skewness * spread**3 else "dark"


def fit_background(light: Array, foreground: Foreground, settings: Ink, least: float = 0.0) -> tuple[Result, Result]:
    """Light of the background, a smooth field, and the change of light at full coverage by text.

    Parameters
    ----------
    light : array, shape (M, N)
        Linear light.
    foreground : {"dark", "bright"}
        Whether text is darker or brighter than its background.
    settings : Ink
        Floors and quantiles.
    least : float
        Least change of light by full coverage.

    Returns
    -------
    background, change : array, shape (M, N)
        Linear light; the change is negative for dark text.
    """
    xp = array_namespace(light)
    if settings.fit_background:
        background = vignette.fit(light, foreground=foreground).field(like=light)
    else:
        background = xp.full_like(light, float(np.median(to_numpy(light))))
    if foreground == "dark":
        # Ink absorbs all light. The fit may reach zero or less, as in a dark corner, and must stay a safe divisor.
        floor = max(settings.background_floor * float(xp.max(xp.abs(background))), least, 1e-6)
        change = xp.clip(background, floor, None)
        change *= -1.0
        return background, change
    # The brightness of the text without blur is unknown: its brightest pixels count as partly covered.
    brightest = float(np.quantile(to_numpy(light - background), settings.brightest_quantile))
    return background, xp.full_like(light, max(brightest, least, 1e-6) / settings.brightest_coverage)


def coverage(light: Array, foreground: Foreground, settings: Ink, least: float = 0.0) -> Result:
    """Coverage by text: 1 - light / paper if dark, else the light above the background over that of full coverage."""
    background, change = fit_background(light, foreground, settings, least)
    ink = light - background
    ink /= change
    return ink


def planes_as_ink(
    light: Sequence[Array], foreground: Foreground, settings: Ink
) -> tuple[list[Result], Result, tuple[slice, slice]]:
    """Coverage by text of each colour, their mean in the text window, and that window.

    Parameters
    ----------
    light : sequence of arrays, each of shape (M, N)
        Linear light of each colour.
    foreground : {"dark", "bright"}
        Whether text is darker or brighter than its background.
    settings : Ink
        Floors and quantiles.

    Returns
    -------
    inks : list of arrays, each of shape (M, N)
        Coverage in each colour.
    grey : array, shape (m, n)
        Mean of the colours in the text window.
    window : tuple of two slices
        Rows and columns that hold the text.
    """
    xp = array_namespace(*light)
    # The noise of a colour with hardly any light, such as the blue of yellow paper, must not count as ink. The light of
    # a colour is that of the paper for dark text, and that added to the background for bright text.
    base = [float(np.median(to_numpy(plane))) if foreground == "bright" else 0.0 for plane in light]
    brightest = max(float(xp.max(plane)) - level for plane, level in zip(light, base, strict=True))
    inks = [coverage(plane, foreground, settings, settings.weakest_colour * brightest) for plane in light]
    grey = mean_plane(inks)
    window = text_window(grey, settings)
    return inks, xp.asarray(grey[window], copy=True), window


def text_window(ink: Array, settings: Ink) -> tuple[slice, slice]:
    """Rows and columns that hold the ink, with a margin; the whole image if there is no ink."""
    h, w = ink.shape
    coarse = to_numpy(at_scale(ink, max(h, w) / settings.window_side)[0])
    spread = 1.4826 * float(np.median(np.abs(coarse - np.median(coarse))))
    pieces, n = ndimage.label(coarse > max(settings.window_coverage, settings.window_noise * spread))
    sizes = np.bincount(pieces.ravel(), minlength=n + 1)
    edge = np.unique(np.concatenate([pieces[0], pieces[-1], pieces[:, 0], pieces[:, -1]]))
    # Small pieces at the edge of the frame are dark corners that the polynomial did not fit, not text: at most four,
    # or specks of noise. More than that are lines that the frame cuts.
    least = settings.window_speck * sizes[1:].sum()
    specks = [p for p in edge if p and sizes[p] < least]
    if len(specks) > _CORNERS and sizes[specks].sum() >= least:
        specks = []
    marked = (pieces > 0) & ~np.isin(pieces, specks)
    if not marked.any():
        return slice(0, h), slice(0, w)
    rows, columns = np.nonzero(marked)
    window = (
        _extent(rows, h, coarse.shape[0], settings.margin_width * w, settings),
        _extent(columns, w, coarse.shape[1], settings.margin_width * w, settings),
    )
    # On a dense page the spread is that of the text itself, and only its darkest part is marked.
    detail = (coarse - np.median(coarse)) ** 2
    detail[np.isin(pieces, specks)] = 0.0
    inside = tuple(
        slice(round(part.start * n / side), round(part.stop * n / side))
        for part, n, side in zip(window, coarse.shape, (h, w), strict=True)
    )
    if detail[inside].sum() < settings.window_power * detail.sum():
        return slice(0, h), slice(0, w)
    return window


def _extent(marked: np.ndarray, side: int, coarse_side: int, margin: float, settings: Ink) -> slice:
    """Range along one axis that holds the marked coarse pixels, with a margin, no less than the least window."""
    first, last = np.percentile(marked, [1, 99])
    step = side / coarse_side
    # Even a single marked pixel needs a window wide enough to show its blur.
    margin = max(settings.margin_coarse * step, margin, settings.window_least / 2 - (last - first) * step / 2)
    start, stop = math.floor(first * step - margin), math.ceil((last + 1) * step + margin)
    return slice(max(0, start), min(side, stop))
