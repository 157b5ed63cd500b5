"""From light to ink: the paper's light over a blurred page, and where its text stands."""

import math

import numpy as np
from scipy import ndimage

from deconv import vignette
from deconv._array import array_namespace, to_numpy
from deconv._resample import at_scale

__all__ = ["ink_of", "text_window"]

# Longer side in pixels of the grid on which paper is told from ink.
_GRID = 240
# Ink that counts as seen on that grid, as part of full coverage, and what is kept away from it, in its pixels.
_SEEN = 0.012
_AWAY = 4
# Rounds of fitting the paper outside the ink and finding the ink.
_ROUNDS = 3


def ink_of(light):
    """Coverage by ink, 1 - light / paper.

    The paper is a smooth field. Far out of focus, a block of text is itself a smooth field: so the paper is fitted to
    the border first and then to all that shows no ink; where the text reaches the border, to what is left by rejecting
    the dark. Of the two, the better leaves less of what cannot be, paper brighter than paper.
    """
    small = to_numpy(at_scale(light, max(light.shape) / _GRID)[0])
    fits = [_outside_the_ink(small), vignette.fit(small, degree=3)]
    paper = min((fit for fit in fits if fit is not None), key=lambda fit: _too_bright(small, fit))
    field = paper.field(tuple(light.shape), like=light)
    xp = array_namespace(light)
    floor = 1e-3 * float(xp.max(xp.abs(field)))
    return 1.0 - light / xp.clip(field, floor, None)


def _outside_the_ink(light):
    """Fit to the border, then to all pixels away from ink; None if ink is everywhere."""
    paper = vignette.fit(light, where="border", degree=4)
    for _ in range(_ROUNDS):
        inked = ndimage.gaussian_filter(_ink(light, paper), 1.5) > _SEEN
        bare = ~ndimage.binary_dilation(inked, iterations=_AWAY)
        if bare.mean() < 0.1:
            return None
        paper = vignette.fit(light, where=bare, degree=4)
    return paper


def _ink(light, paper):
    field = paper.field(light.shape)
    return 1.0 - light / np.maximum(field, 1e-3 * np.abs(field).max())


def _too_bright(light, paper):
    """Rms of negative ink, the frame's very edge left out."""
    rows, columns = (max(1, n // 20) for n in light.shape)
    smooth = ndimage.gaussian_filter(_ink(light, paper), 1.5)[rows:-rows, columns:-columns]
    return float(np.sqrt(np.mean(np.minimum(smooth, 0.0) ** 2)))


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
        margin = max(3.0 * step, 0.025 * w)
        start, stop = math.floor(first * step - margin), math.ceil((last + 1) * step + margin)
        window.append(slice(max(0, start), min(n_fine, stop)))
    return tuple(window)
