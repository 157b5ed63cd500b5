"""Change of scale by separable matrices: area means down, cubic interpolation up, on every library."""

import numpy as np

from deconv._core.array import array_namespace, like

__all__ = ["at_scale", "enlarge", "reduce"]


def reduce(image, shape):
    """Area means of a picture (M, N) on a coarser grid of `shape`; each new pixel weighs what it covers."""
    return _separable(image, _areas(image.shape[0], shape[0]), _areas(image.shape[1], shape[1]))


def enlarge(image, shape):
    """Cubic interpolation of a picture (M, N) onto a finer grid of `shape`, the edge repeated outside."""
    return _separable(image, _cubic(image.shape[0], shape[0]), _cubic(image.shape[1], shape[1]))


def at_scale(image, factor):
    """`image` reduced by about `factor`, and the factor it came out as (along the longer side)."""
    if factor <= 1:
        return image, 1.0
    shape = tuple(max(1, round(n / factor)) for n in image.shape)
    longer = int(np.argmax(image.shape))
    return reduce(image, shape), image.shape[longer] / shape[longer]


def _separable(image, rows, columns):
    xp = array_namespace(image)
    return xp.matmul(xp.matmul(like(rows, image), image), like(columns.T, image))


def _areas(n, m):
    """Matrix (m, n): means over m equal intervals of n pixels."""
    edges = np.linspace(0, n, m + 1)
    # Running integral of each pixel, differenced at the edges.
    covered = np.clip(edges[:, None] - np.arange(n), 0, 1)
    return np.diff(covered, axis=0) * (m / n)


def _cubic(n, m):
    """Matrix (m, n): the cubic convolution of Keys (a = -1/2) at the centres of m equal intervals."""
    at = (np.arange(m) + 0.5) * (n / m) - 0.5
    matrix = np.zeros((m, n))
    first = np.floor(at).astype(int)
    for tap in range(-1, 3):
        d = np.abs(at - (first + tap))
        weight = np.where(d < 1, (1.5 * d - 2.5) * d * d + 1, ((-0.5 * d + 2.5) * d - 4) * d + 2)
        np.add.at(matrix, (np.arange(m), np.clip(first + tap, 0, n - 1)), weight)
    return matrix
