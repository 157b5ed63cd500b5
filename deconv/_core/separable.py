"""Factor a PSF into one line along each axis, if it is such a product."""

import functools
from typing import Any

import numpy as np

from deconv._core.array import Array, array_namespace, as_array, like, to_numpy

__all__ = ["separate"]


def separate(psf: Array) -> tuple[Any, ...] | None:
    """One factor for each axis of `psf`, or None if it is no such product; see `deconv.psf.separate`.

    A PSF of rank one is determined by the lines through its largest weight; one round of alternating least squares
    then spreads the rounding error over all weights.
    """
    psf = as_array(psf, "psf")
    if psf.ndim == 0:
        raise ValueError("psf must have at least one axis, got a single number")
    xp = array_namespace(psf)
    psf = xp.astype(psf, xp.float64 if psf.dtype == xp.float64 else xp.float32)
    weights = to_numpy(psf).astype(np.float64)
    if not np.all(np.isfinite(weights)):
        raise ValueError("psf must be finite, got NaN or infinity")
    peak = np.unravel_index(np.argmax(np.abs(weights)), weights.shape)
    if weights[peak] == 0:
        raise ValueError("psf must not be zero everywhere")
    scale = weights[peak]
    weights /= scale
    lines = [np.moveaxis(weights, axis, 0)[(slice(None), *np.delete(peak, axis))] for axis in range(weights.ndim)]
    for axis in range(weights.ndim):
        rest = weights
        for other in reversed(range(weights.ndim)):
            if other != axis:
                rest = np.tensordot(rest, lines[other] / (lines[other] @ lines[other]), axes=(other, 0))
        lines[axis] = rest
    for axis in range(1, weights.ndim):
        scale *= lines[axis][peak[axis]]
        lines[axis] = lines[axis] / lines[axis][peak[axis]]
    factors = [like(line, psf) for line in (lines[0] * scale, *lines[1:])]
    product = functools.reduce(np.multiply.outer, [to_numpy(f).astype(np.float64) for f in factors])
    residual = np.abs(to_numpy(psf) - product).sum()
    return tuple(factors) if residual <= 4 * float(xp.finfo(psf.dtype).eps) * np.abs(product).sum() else None
