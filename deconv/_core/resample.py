"""Change of scale, one axis after the other: area means to reduce, cubic interpolation to enlarge, in every library."""

from typing import Any

import numpy as np
from scipy import sparse

from deconv._core.array import Array, Result, array_namespace, library, like

__all__ = ["at_scale", "enlarge", "reduce"]


def reduce(image: Array, shape: tuple[int, int]) -> Result:
    """Area means of an image (M, N) on a coarser grid of `shape`."""
    return _separable(image, _areas(image.shape[0], shape[0]), _areas(image.shape[1], shape[1]))


def enlarge(image: Array, shape: tuple[int, ...]) -> Result:
    """Cubic interpolation of an image (M, N) onto a finer grid of `shape`; edge pixels are repeated outside."""
    return _separable(image, _cubic(image.shape[0], shape[0]), _cubic(image.shape[1], shape[1]))


def at_scale(image: Array, factor: float) -> tuple[Result, float]:
    """`image` reduced by about `factor`, and the exact factor along the longer side."""
    if factor <= 1:
        return image, 1.0
    rows, columns = (max(1, round(n / factor)) for n in image.shape)
    longer = int(np.argmax(image.shape))
    return reduce(image, (rows, columns)), image.shape[longer] / (rows, columns)[longer]


def _separable(image: Any, rows: Any, columns: Any) -> Result:
    """The image with both axes resampled; first the one that leaves fewer pixels for the other."""
    if library(image) != "numpy":
        xp = array_namespace(image)
        rows, columns = (like(matrix.toarray(), image) for matrix in (rows, columns.T))
        return xp.matmul(xp.matmul(rows, image), columns)
    # Sparse: nearly all weights of a large picture are zero, and as dense matrices they take 200 MB.
    rows, columns = rows.astype(image.dtype), columns.astype(image.dtype)
    if rows.shape[0] <= rows.shape[1]:
        return np.ascontiguousarray((columns @ np.ascontiguousarray((rows @ image).T)).T)
    return rows @ np.ascontiguousarray((columns @ np.ascontiguousarray(image.T)).T)


def _areas(n: int, m: int) -> Any:
    """Sparse matrix (m, n): means over m equal intervals of n pixels."""
    edges = np.linspace(0, n, m + 1)
    # Every piece between two neighbouring edges, of pixels or of intervals, belongs to one of each.
    cuts = np.union1d(edges, np.arange(n + 1))
    middles, lengths = (cuts[1:] + cuts[:-1]) / 2, np.diff(cuts)
    interval = np.clip(np.searchsorted(edges, middles) - 1, 0, m - 1)
    return sparse.csr_array((lengths * (m / n), (interval, np.minimum(middles.astype(int), n - 1))), shape=(m, n))


def _cubic(n: int, m: int) -> Any:
    """Sparse matrix (m, n): the cubic convolution of Keys (a = -1/2) at the centres of m equal intervals."""
    centres = (np.arange(m) + 0.5) * (n / m) - 0.5
    taps = np.floor(centres).astype(int)[:, None] + np.arange(-1, 3)
    d = np.abs(centres[:, None] - taps)
    weights = np.where(d < 1, (1.5 * d - 2.5) * d * d + 1, ((-0.5 * d + 2.5) * d - 4) * d + 2)
    rows = np.broadcast_to(np.arange(m)[:, None], taps.shape)
    # Weights of one pixel, repeated at the edge, add up.
    return sparse.csr_array((weights.ravel(), (rows.ravel(), np.clip(taps, 0, n - 1).ravel())), shape=(m, n))
