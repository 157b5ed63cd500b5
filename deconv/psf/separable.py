"""PSFs that are the product of one line along each axis."""

import functools

import numpy as np

from deconv._core.array import Array, Result, _as_array, array_namespace, like, to_numpy, torch_door

__all__ = ["separate"]


@torch_door
def separate(psf: Array) -> tuple[Result, ...] | None:
    r"""Factor a separable PSF into one line along each axis: a Gaussian, a box, straight motion along an axis.

    Blurring along one axis after the other then costs ``m + n`` products per pixel instead of ``m * n``.

    Parameters
    ----------
    psf : array
        Point-spread function with any number of axes. Weights may be negative.

    Returns
    -------
    tuple of 1-D arrays or None
        One factor per axis, of its length: ``psf[i, j] == factors[0][i] * factors[1][j]`` up to rounding. All but
        the first have a largest value of 1. None if the PSF is not separable. float64 stays float64, everything
        else becomes float32.

    Raises
    ------
    TypeError
        If `psf` is not an array of real numbers.
    ValueError
        If `psf` is empty, not finite, or zero everywhere.

    Notes
    -----
    A PSF of rank one is determined by the lines through its largest weight; one round of alternating least squares
    then spreads the rounding error over all weights. The residual :math:`\sum |h - a \otimes b| / \sum |h|` bounds the
    change of a blurred image as a fraction of its largest value, and must not exceed four times the machine epsilon.

    Examples
    --------
    >>> import numpy as np, deconv
    >>> rows, columns = deconv.psf.separate(np.array([[1.0, 2, 1], [2, 4, 2]]))
    >>> rows, columns
    (array([2., 4.]), array([0.5, 1. , 0.5]))
    >>> deconv.psf.separate(deconv.psf.disk(3)) is None
    True
    """
    psf = _as_array(psf, "psf")
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
