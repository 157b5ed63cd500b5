"""From light to ink: what the text adds to its ground or takes from it, and where it stands."""

import math

import numpy as np
from scipy import ndimage

from deconv import vignette
from deconv._core.array import array_namespace, to_numpy
from deconv._core.resample import at_scale

__all__ = ["ground_of", "ink_of", "polarity", "text_window"]

# Light text on dark ground tells nothing of how bright it would be without blur: its brightest pixels (this quantile)
# count as so much coverage, which is right within a factor of two for the blurs of text that can be read afterwards.
_BRIGHTEST, _COVERAGE = 0.995, 0.5
# Pixels of the longer side in which polarity is looked for, and the Gaussian whose blur counts as the ground's trend.
_COARSE, _TREND = 100, 8.0
# Skewness above which text is bright: that of text is -0.3 to -1.6 if dark, 0.4 to 2 if bright, also on dense pages.
_SKEWED = 0.2


def polarity(light):
    """What text there is, "dark" on its ground or "bright": strokes are few, whatever the ground does."""
    coarse = to_numpy(at_scale(light, max(light.shape) / _COARSE)[0]).astype(np.float64)
    detail = coarse - ndimage.gaussian_filter(coarse, _TREND)
    detail -= detail.mean()
    spread = math.sqrt(float(np.mean(detail**2)))
    return "bright" if float(np.mean(detail**3)) > _SKEWED * spread**3 else "dark"


def ground_of(light, foreground="dark", least=0.0):
    """The light of the ground, a smooth field, and what a full coverage by text adds to it, `least` at the least."""
    ground = vignette.fit(light, foreground=foreground).field(like=light)
    xp = array_namespace(light)
    if foreground == "dark":
        # Where a fit runs to zero or below, in a corner say, there is no paper to divide by. Ink takes all light away.
        return ground, -xp.clip(ground, max(1e-3 * float(xp.max(xp.abs(ground))), least, 1e-6), None)
    brightest = float(np.quantile(to_numpy(light - ground), _BRIGHTEST))
    return ground, xp.full_like(light, max(brightest, least, 1e-6) / _COVERAGE)


def ink_of(light, foreground="dark", least=0.0):
    """Coverage by text: 1 - light / paper for dark text, what is brighter than its ground for bright text."""
    ground, full = ground_of(light, foreground, least)
    return (light - ground) / full


def text_window(ink):
    """Rows and columns that hold the ink, with a margin; the whole picture if there is none."""
    h, w = ink.shape
    coarse = to_numpy(at_scale(ink, max(h, w) / 120)[0])
    spread = 1.4826 * float(np.median(np.abs(coarse - np.median(coarse))))
    pieces, n = ndimage.label(coarse > max(0.02, 3 * spread))
    sizes = np.bincount(pieces.ravel(), minlength=n + 1)
    edge = np.unique(np.concatenate([pieces[0], pieces[-1], pieces[:, 0], pieces[:, -1]]))
    # Specks on the frame's edge are dark corners that no polynomial follows, not text.
    specks = [p for p in edge if p and sizes[p] < 0.05 * sizes[1:].sum()]
    marked = (pieces > 0) & ~np.isin(pieces, specks)
    if not marked.any():
        return slice(0, h), slice(0, w)
    window = []
    for at, n_fine, n_coarse in zip(np.nonzero(marked), (h, w), coarse.shape, strict=True):
        first, last = np.percentile(at, [1, 99])
        step = n_fine / n_coarse
        # However little is marked, the window has some pixels to see blur in.
        margin = max(3.0 * step, 0.025 * w, 16 - (last - first) * step / 2)
        start, stop = math.floor(first * step - margin), math.ceil((last + 1) * step + margin)
        window.append(slice(max(0, start), min(n_fine, stop)))
    return tuple(window)
