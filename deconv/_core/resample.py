"""Change of scale by separable matrices: area means to reduce, cubic interpolation to enlarge, in every library."""

from typing import Any

import numpy as np

from deconv._core.array import Array, Result, array_namespace, like

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
    xp = array_namespace(image)
    return xp.matmul(xp.matmul(like(rows, image), image), like(columns.T, image))


def _areas(n: int, m: int) -> Any:
    """Matrix (m, n): means over m equal intervals of n pixels."""
    edges = np.linspace(0, n, m + 1)
    # Cumulative coverage of each pixel, differenced at the edges.
    covered = np.clip(edges[:, None] - np.arange(n), 0, 1)
    return np.diff(covered, axis=0) * (m / n)


def _cubic(n: int, m: int) -> Any:
    """Matrix (m, n): the cubic convolution of Keys (a = -1/2) at the centres of m equal intervals."""
    centres = (np.arange(m) + 0.5) * (n / m) - 0.5
    matrix = np.zeros((m, n))
    first = np.floor(centres).astype(int)
    for tap in range(-1, 3):
        d = np.abs(centres - (first + tap))
        weight = np.where(d < 1, (1.5 * d - 2.5) * d * d + 1, ((-0.5 * d + 2.5) * d - 4) * d + 2)
        np.add.at(matrix, (np.arange(m), np.clip(first + tap, 0, n - 1)), weight)
    return matrix
