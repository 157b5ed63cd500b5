"""From light to ink: the paper's light divided out, and where the text stands."""

import math

import numpy as np
from scipy import ndimage

from deconv import vignette
from deconv._array import array_namespace, to_numpy
from deconv._resample import at_scale

__all__ = ["ink_of", "text_window"]


def ink_of(light):
    """Coverage by ink, 1 - light / paper, the paper a smooth field fitted to all that is not ink."""
    paper = vignette.fit(light).field(like=light)
    xp = array_namespace(light)
    # Where a fit runs to zero or below, in a corner say, there is no paper to divide by.
    return 1.0 - light / xp.clip(paper, 1e-3 * float(xp.max(xp.abs(paper))), None)


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
