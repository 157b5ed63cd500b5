r"""What lies past the frame of a blurred picture: the period that Fourier methods need, filled with likely light.

A blurred picture is smooth on the scale of its PSF, so pixels past an edge follow from those before it. The scene is
taken for a Gaussian process whose power falls as the square of the frequency, as in photographs; blurred, its
covariance is known, and each missing pixel is its mean given samples near it on both sides of the gap (kriging, [1]_):
one small matrix an axis, one product with the picture's margins, no transform of the picture.

References
----------
.. [1] N. Cressie, "The origins of kriging", Mathematical Geology 22, 239-252 (1990), :doi:`10.1007/BF00889887`
"""

import functools
import math

import numpy as np

from deconv._core.array import array_namespace, device, like, to_numpy
from deconv._core.fft import fast_shape

__all__ = ["extend", "period"]

# A PSF is this many samples wide: what it passes is told from fewer than all pixels.
_SAMPLES = 6
# How far the samples reach, in widths of the PSF: away from the edge, and along it to either side.
_DEEP, _ALONG = 1.25, 1.5
# Samples along the edge, for each of the other axes of a picture and of a volume.
_ROW = {1: 13, 2: 3}
# Variance of the noise and power of the lowest frequencies, against the blurred scene's variance and the scene's power.
_NOISE, _LOW = 3e-3, 1e-4


def period(shape, width):
    """Lengths, good for the FFT, of a period that holds a frame and what a PSF of `width` carries over its edges."""
    gaps = (max(k - 1, min(2 * (k - 1), n // 2)) for n, k in zip(shape, width, strict=True))
    return fast_shape(n + gap for n, gap in zip(shape, gaps, strict=True))


def extend(image, mean, psf, grid):
    """`image` (C, ...) less its `mean`, continued periodically to `grid`; a new array (C, *grid)."""
    xp = array_namespace(image)
    out = xp.empty((image.shape[0], *grid), dtype=image.dtype, device=device(image))
    frame = [slice(0, n) for n in image.shape[1:]]
    out[(slice(None), *frame)] = image - mean
    # Rounded: the small systems amplify the last digits, in which one and the same PSF may come in several ways.
    psf = np.asarray(to_numpy(psf), dtype=np.float64)
    psf = np.round(psf / np.max(np.abs(psf)), 10)
    # The last axis first: what is gathered along it is then short rows, and the long ones are read as they lie.
    for axis in reversed(range(len(grid))):
        size = frame[axis].stop
        if grid[axis] > size:
            filled = _beyond(out[(slice(None), *frame)], axis, psf, grid)
            frame[axis] = slice(size, grid[axis])
            out[(slice(None), *frame)] = filled
            frame[axis] = slice(0, grid[axis])
    return out


def _beyond(known, axis, psf, grid):
    """What lies past `known` along one axis, up to the period."""
    xp = array_namespace(known)
    size = known.shape[axis + 1]
    gap = grid[axis] - size
    deep, along, predictor, between = _plan(psf.tobytes(), psf.shape, axis, size, gap)
    # Slices, not `take`, which copies the whole of an array with gaps.
    before = (slice(None),) * (axis + 1)
    last, step = int(deep[-1]), _step(psf.shape[axis])
    ends = slice(size - 1 - last, size, step), slice(0, last + 1, step)
    samples = xp.moveaxis(xp.concat([known[(*before, end, ...)] for end in ends], axis=axis + 1), axis + 1, 1)
    beside = samples.shape[2:]
    others = [a for a in range(len(grid)) if a != axis]
    for i, (a, offsets) in enumerate(zip(others, along, strict=True)):
        samples = _neighbours(samples, 2 + 2 * i, 2 + i, offsets, periodic=beside[i] == grid[a])
    samples = xp.reshape(samples, (known.shape[0], -1, math.prod(beside)))
    filled = xp.matmul(like(predictor, known), samples)
    if between is not None:
        filled = xp.matmul(like(between, known), filled)
    return xp.moveaxis(xp.reshape(filled, (known.shape[0], gap, *beside)), 1, axis + 1)


@functools.lru_cache(maxsize=32)
def _plan(taps, width, axis, size, gap):
    """Where the samples lie (along the axis from each end, along each other one) and the two matrices.

    Kept from call to call, as the FFT's plans are: at 1024 x 1024 pixels they cost a quarter of all the rest.
    """
    psf = np.reshape(np.frombuffer(taps), width)
    step = _step(width[axis])
    deep = step * np.arange(min(math.ceil(max(_DEEP * width[axis], 4) / step), (size - 1) // step + 1))
    along = []
    for a, n in enumerate(width):
        if a != axis:
            reach = max(math.ceil(_ALONG * n), 4)
            stride = math.ceil(2 * reach / (_ROW[len(width) - 1] - 1))
            along.append(stride * np.arange(-(reach // stride), reach // stride + 1))
    nodes, between = _nodes(gap, step)
    # Places along the axis are counted from the first missing pixel.
    normal = np.concatenate((-1 - deep[::-1], gap + deep))
    return deep, along, _predictor(psf, axis, normal, nodes, along), between


def _step(width):
    return max(1, width // _SAMPLES)


def _neighbours(x, axis, new, offsets, periodic):
    """`x` and its neighbours at `offsets` along `axis`, stacked along a `new` axis; mirrored where it has an edge."""
    xp = array_namespace(x)
    n, reach = x.shape[axis], int(offsets[-1])

    def margin(places):
        places = places % n if periodic else np.minimum(places % (2 * n), 2 * n - 1 - places % (2 * n))
        return xp.take(x, xp.asarray(places, dtype=xp.int64, device=device(x)), axis=axis)

    wide = xp.concat((margin(np.arange(-reach, 0)), x, margin(np.arange(n, n + reach))), axis=axis)
    before = (slice(None),) * axis
    return xp.stack([wide[(*before, slice(reach + o, reach + o + n), ...)] for o in map(int, offsets)], axis=new)


def _nodes(gap, step):
    """Places where the gap is predicted, and the matrix that interpolates between them; None if they are all."""
    if step == 1:
        return np.arange(gap), None
    intervals = math.ceil((gap + 1) / step)
    apart = (gap + 1) / intervals
    # From the last known pixel to the next known one, and a node beyond each: the cubic convolution of Keys.
    nodes = -1 + apart * np.arange(-1, intervals + 2)
    d = np.abs(np.arange(gap)[:, None] - nodes) / apart
    weight = np.where(d < 1, (1.5 * d - 2.5) * d * d + 1, ((-0.5 * d + 2.5) * d - 4) * d + 2)
    return nodes, np.where(d < 2, weight, 0.0)


def _predictor(psf, axis, normal, nodes, along):
    """Matrix (nodes, samples): the mean of the blurred scene at the nodes given the samples."""
    reach = [int(np.ptp(offsets)) for offsets in along]
    reach.insert(axis, int(np.ptp(normal)))
    power, frequencies = _power(psf, reach)
    power, across = np.moveaxis(power, axis, 0), frequencies.pop(axis)
    here, there = _wave(nodes, across), _wave(normal, across)
    within = missing = power
    pairs = []
    for i, (frequency, offsets) in enumerate(zip(frequencies, along, strict=True), start=1):
        lags, pair = np.unique(offsets[:, None] - offsets, return_inverse=True)
        pairs.append(np.reshape(pair, (offsets.size, offsets.size)))
        within = np.moveaxis(np.tensordot(_wave(lags, frequency), within, (1, i)), 0, i)
        missing = np.moveaxis(np.tensordot(_wave(-offsets, frequency), missing, (1, i)), 0, i)
    within = np.tensordot(there[:, None] * there.conj(), within, 1).real
    missing = np.tensordot(here[:, None] * there.conj(), missing, 1).real
    for i, pair in enumerate(pairs):
        within = np.take(within, pair, axis=2 + 2 * i)
    # From one axis after the other, two places each, to one place after the other.
    within = np.transpose(within, (*range(0, within.ndim, 2), *range(1, within.ndim, 2)))
    samples = math.prod(missing.shape[1:])
    within = np.reshape(within, (samples, samples))
    within[np.diag_indices(samples)] += _NOISE
    # LU, not Cholesky: for matrices this small OpenBLAS keeps it on one thread.
    return np.linalg.solve(within, np.reshape(missing, (-1, samples)).T).T


def _power(psf, reach):
    """Power of the blurred scene at a lattice of frequencies, and the frequencies (cycles per pixel) of each axis."""
    power, slopes, frequencies = psf, 0.0, []
    for axis, (n, lag) in enumerate(zip(psf.shape, reach, strict=True)):
        # As many as keep the copies of the covariance apart, up to the highest that the samples show.
        length = 2 * lag + n
        highest = length // (2 * _step(n))
        frequencies.append(np.arange(-highest, highest + 1) / length)
        power = np.moveaxis(np.tensordot(_wave(np.arange(n), frequencies[-1]), power, (0, axis)), 0, axis)
        shape = [-1 if a == axis else 1 for a in range(psf.ndim)]
        slopes = slopes + np.reshape((2 * np.pi * frequencies[-1]) ** 2, shape)
    power = np.abs(power) ** 2 / (slopes + _LOW)
    return power / power.sum(), frequencies


def _wave(places, frequency):
    """Matrix (places, frequencies) of the Fourier transform."""
    return np.exp(2j * np.pi * np.outer(places, frequency))
