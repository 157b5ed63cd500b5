r"""Extrapolation of a blurred image beyond its frame, to the period that Fourier methods need.

A blurred image is smooth on the scale of its PSF, so pixels past an edge follow from those before it. The scene is
modelled as a Gaussian process whose power falls as the square of the frequency, as in photographs. The covariance of
the blurred scene is then known, and each missing pixel is its conditional mean given samples near it on both sides of
the gap (kriging, [1]_). That takes one small matrix and one product with the image's margins for each axis, and no
transform of the image.

References
----------
.. [1] N. Cressie, "The origins of kriging", Mathematical Geology 22, 239-252 (1990), :doi:`10.1007/BF00889887`
"""

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from deconv._core.array import Array, Result, array_namespace, device, like, to_numpy
from deconv._core.fft import fast_shape

__all__ = ["extrapolate", "period"]

# Samples across the width of the PSF: the blur passes little detail, so fewer than all pixels suffice.
_SAMPLES = 6
# Reach of the samples in widths of the PSF: away from the edge, and along it to either side.
_DEPTH, _LATERAL = 1.25, 1.5
# Samples along the edge for each of the other axes of an image (1) and of a volume (2).
_LATERAL_SAMPLES = {1: 13, 2: 3}
# Variance of the noise relative to that of the blurred scene; squared frequency below which the scene's power is flat.
_NOISE, _LOW = 3e-3, 1e-4


def period(shape: Sequence[int], width: Sequence[int]) -> tuple[int, ...]:
    """Shape of a period that transforms fast and holds a frame and the margin that a PSF of `width` needs."""
    gaps = (max(k - 1, min(2 * (k - 1), n // 2)) for n, k in zip(shape, width, strict=True))
    return fast_shape(n + gap for n, gap in zip(shape, gaps, strict=True))


def extrapolate(image: Any, mean: Any, psf: Array, grid: tuple[int, ...]) -> Result:
    """`image` (C, ...) minus its `mean`, extrapolated to a periodic `grid`; a new array (C, *grid)."""
    xp = array_namespace(image)
    out = xp.empty((image.shape[0], *grid), dtype=image.dtype, device=device(image))
    frame = [slice(0, n) for n in image.shape[1:]]
    out[(slice(None), *frame)] = image - mean
    # Rounded, because the small systems amplify the last digits, in which equal PSFs from different sources may differ.
    taps = np.asarray(to_numpy(psf), dtype=np.float64)
    taps = np.round(taps / np.max(np.abs(taps)), 10)
    # The last axis first: samples gathered along it are short rows, and long rows are then read contiguously.
    for axis in reversed(range(len(grid))):
        size = frame[axis].stop
        if grid[axis] > size:
            filled = _filled_gap(out[(slice(None), *frame)], axis, taps, grid)
            frame[axis] = slice(size, grid[axis])
            out[(slice(None), *frame)] = filled
            frame[axis] = slice(0, grid[axis])
    return out


def _filled_gap(known: Any, axis: int, psf: Any, grid: tuple[int, ...]) -> Result:
    """Prediction of the gap between the end of `known` along one axis and the period."""
    xp = array_namespace(known)
    size = known.shape[axis + 1]
    gap = grid[axis] - size
    depths, laterals, predictor, interpolation = _plan(psf.tobytes(), psf.shape, axis, size, gap)
    # Slices, because `take` copies all of an array that is not contiguous.
    before = (slice(None),) * (axis + 1)
    last, step = int(depths[-1]), _step(psf.shape[axis])
    ends = slice(size - 1 - last, size, step), slice(0, last + 1, step)
    samples = xp.moveaxis(xp.concat([known[(*before, end, ...)] for end in ends], axis=axis + 1), axis + 1, 1)
    beside = samples.shape[2:]
    others = [a for a in range(len(grid)) if a != axis]
    for i, (a, offsets) in enumerate(zip(others, laterals, strict=True)):
        samples = _neighbours(samples, 2 + 2 * i, 2 + i, offsets, periodic=beside[i] == grid[a])
    samples = xp.reshape(samples, (known.shape[0], -1, math.prod(beside)))
    filled = xp.matmul(like(predictor, known), samples)
    if interpolation is not None:
        filled = xp.matmul(like(interpolation, known), filled)
    return xp.moveaxis(xp.reshape(filled, (known.shape[0], gap, *beside)), 1, axis + 1)


@functools.lru_cache(maxsize=32)
def _plan(taps: bytes, width: tuple[int, ...], axis: int, size: int, gap: int) -> tuple[Any, list[Any], Any, Any]:
    """Positions of the samples (along the axis from each end, along each other axis) and the two matrices.

    Cached like the plans of an FFT: at 1024 x 1024 pixels they cost a quarter of everything else.
    """
    psf = np.reshape(np.frombuffer(taps), width)
    step = _step(width[axis])
    depths = step * np.arange(min(math.ceil(max(_DEPTH * width[axis], 4) / step), (size - 1) // step + 1))
    laterals = []
    for a, n in enumerate(width):
        if a != axis:
            reach = max(math.ceil(_LATERAL * n), 4)
            stride = math.ceil(2 * reach / (_LATERAL_SAMPLES[len(width) - 1] - 1))
            laterals.append(stride * np.arange(-(reach // stride), reach // stride + 1))
    nodes, interpolation = _nodes(gap, step)
    # Positions along the axis are counted from the first missing pixel.
    normal = np.concatenate((-1 - depths[::-1], gap + depths))
    return depths, laterals, _predictor(psf, axis, normal, nodes, laterals), interpolation


def _step(width: int) -> int:
    return max(1, width // _SAMPLES)


def _neighbours(x: Any, axis: int, new: int, offsets: Any, periodic: bool) -> Result:
    """The neighbours of `x` at `offsets` along `axis`, stacked along a `new` axis; mirrored at edges."""
    xp = array_namespace(x)
    n, reach = x.shape[axis], int(offsets[-1])

    def margin(positions: Any) -> Any:
        mirrored = np.minimum(positions % (2 * n), 2 * n - 1 - positions % (2 * n))
        indices = positions % n if periodic else mirrored
        return xp.take(x, xp.asarray(indices, dtype=xp.int64, device=device(x)), axis=axis)

    wide = xp.concat((margin(np.arange(-reach, 0)), x, margin(np.arange(n, n + reach))), axis=axis)
    before = (slice(None),) * axis
    return xp.stack([wide[(*before, slice(reach + o, reach + o + n), ...)] for o in map(int, offsets)], axis=new)


def _nodes(gap: int, step: int) -> tuple[Any, Any]:
    """Positions where the gap is predicted, and the matrix that interpolates between them; None if they are all."""
    if step == 1:
        return np.arange(gap), None
    intervals = math.ceil((gap + 1) / step)
    spacing = (gap + 1) / intervals
    # Keys' cubic convolution, from the last known pixel to the next known one, with one more node beyond each.
    nodes = -1 + spacing * np.arange(-1, intervals + 2)
    d = np.abs(np.arange(gap)[:, None] - nodes) / spacing
    weight = np.where(d < 1, (1.5 * d - 2.5) * d * d + 1, ((-0.5 * d + 2.5) * d - 4) * d + 2)
    return nodes, np.where(d < 2, weight, 0.0)


def _predictor(psf: Any, axis: int, normal: Any, nodes: Any, laterals: list[Any]) -> Any:
    """Matrix (nodes, samples): the conditional mean of the blurred scene at the nodes given the samples."""
    reach = [int(np.ptp(offsets)) for offsets in laterals]
    reach.insert(axis, int(np.ptp(normal)))
    power, frequencies = _power(psf, reach)
    power, across = np.moveaxis(power, axis, 0), frequencies.pop(axis)
    at_nodes, at_samples = _fourier_matrix(nodes, across), _fourier_matrix(normal, across)
    # Covariance of the samples among themselves, and of the missing nodes with the samples, axis by axis.
    within = missing = power
    pairs = []
    for i, (frequency, offsets) in enumerate(zip(frequencies, laterals, strict=True), start=1):
        lags, pair = np.unique(offsets[:, None] - offsets, return_inverse=True)
        pairs.append(np.reshape(pair, (offsets.size, offsets.size)))
        within = np.moveaxis(np.tensordot(_fourier_matrix(lags, frequency), within, (1, i)), 0, i)
        missing = np.moveaxis(np.tensordot(_fourier_matrix(-offsets, frequency), missing, (1, i)), 0, i)
    within = np.tensordot(at_samples[:, None] * at_samples.conj(), within, 1).real
    missing = np.tensordot(at_nodes[:, None] * at_samples.conj(), missing, 1).real
    for i, pair in enumerate(pairs):
        within = np.take(within, pair, axis=2 + 2 * i)
    # Reorder from pairs of positions, axis by axis, to all axes of the first position and then of the second.
    within = np.transpose(within, (*range(0, within.ndim, 2), *range(1, within.ndim, 2)))
    samples = math.prod(missing.shape[1:])
    within = np.reshape(within, (samples, samples))
    within[np.diag_indices(samples)] += _NOISE
    # LU rather than Cholesky, because OpenBLAS keeps it on one thread for matrices this small.
    return np.linalg.solve(within, np.reshape(missing, (-1, samples)).T).T


def _power(psf: Any, reach: list[int]) -> tuple[Any, list[Any]]:
    """Power of the blurred scene on a lattice of frequencies, and the frequencies (cycles per pixel) of each axis."""
    squares: Any = 0.0
    power, frequencies = psf, []
    for axis, (n, lag) in enumerate(zip(psf.shape, reach, strict=True)):
        # Spaced so that the periodic copies of the covariance do not overlap, up to the samples' Nyquist frequency.
        length = 2 * lag + n
        highest = length // (2 * _step(n))
        frequencies.append(np.arange(-highest, highest + 1) / length)
        power = np.moveaxis(np.tensordot(_fourier_matrix(np.arange(n), frequencies[-1]), power, (0, axis)), 0, axis)
        shape = [-1 if a == axis else 1 for a in range(psf.ndim)]
        squares = squares + np.reshape((2 * np.pi * frequencies[-1]) ** 2, shape)
    power = np.abs(power) ** 2 / (squares + _LOW)
    return power / power.sum(), frequencies


def _fourier_matrix(positions: Any, frequency: Any) -> Any:
    """Matrix (positions, frequencies) of the Fourier transform."""
    return np.exp(2j * np.pi * np.outer(positions, frequency))
