"""Normalise, centre and compare PSFs."""

import math

from deconv._core.array import Array, Result, accepts_torch, array_namespace, as_array, device, unit_sum
from deconv._core.fft import fast_shape, irfftn, rfftn

__all__ = ["centre", "normalise", "similarity"]


def normalise(psf: Array) -> Result:
    """`psf` as floats that sum to 1.

    Parameters
    ----------
    psf : array
        Non-negative weights, with any number of axes. Integers are weights, not brightness values.

    Returns
    -------
    array
        The same shape; float64 stays float64, everything else becomes float32.

    Raises
    ------
    TypeError
        If `psf` is not an array of real numbers.
    ValueError
        If `psf` is empty, not finite, zero everywhere, or has a negative weight.

    Examples
    --------
    >>> import numpy as np, deconv
    >>> deconv.psf.normalise(np.array([[0, 1], [2, 1]]))
    array([[0.  , 0.25],
           [0.5 , 0.25]], dtype=float32)
    """
    return _normalise(psf)


@accepts_torch
def _normalise(psf: Array, name: str = "psf") -> Result:
    psf = as_array(psf, name)
    xp = array_namespace(psf)
    if psf.ndim == 0:
        raise ValueError(f"{name} must have at least one axis, got a single number")
    return unit_sum(xp.astype(psf, xp.float64 if psf.dtype == xp.float64 else xp.float32), name)


@accepts_torch
def centre(psf: Array) -> Result:
    """`psf` with its centre of mass moved to index ``n // 2`` of each axis, to the nearest pixel, and sum 1.

    Empty margins are trimmed and zeros are added on the lighter side. Nothing is interpolated or cut off, so every
    axis of the result is odd and its length follows from the content.

    Parameters
    ----------
    psf : array
        Non-negative weights, with any number of axes.

    Returns
    -------
    array
        The centred PSF; float64 stays float64, everything else becomes float32.

    Raises
    ------
    TypeError
        If `psf` is not an array of real numbers.
    ValueError
        If `psf` is empty, not finite, zero everywhere, or has a negative weight.

    Examples
    --------
    >>> import numpy as np, deconv
    >>> off = np.zeros((5, 5))
    >>> off[0, 3] = off[1, 3] = off[2, 3] = 1
    >>> deconv.psf.centre(off).round(3)
    array([[0.333],
           [0.333],
           [0.333]])
    """
    psf = _normalise(psf)
    xp = array_namespace(psf)
    for axis in range(psf.ndim):
        psf = xp.moveaxis(psf, axis, 0)
        line = xp.sum(xp.reshape(psf, (psf.shape[0], -1)), axis=1)
        index = xp.arange(psf.shape[0], dtype=psf.dtype, device=device(psf))
        middle = math.floor(float(xp.sum(index * line)) + 0.5)
        nonzero = xp.nonzero(line > 0)[0]
        first, last = int(nonzero[0]), int(nonzero[-1])
        half = max(middle - first, last - middle, 0)
        centred = xp.zeros((2 * half + 1, *psf.shape[1:]), dtype=psf.dtype, device=device(psf))
        start = half - (middle - first)
        centred[start : start + last - first + 1, ...] = psf[first : last + 1, ...]
        psf = xp.moveaxis(centred, 0, axis)
    return psf


@accepts_torch
def similarity(psf_a: Array, psf_b: Array) -> float:
    r"""Similarity of two PSFs up to a shift: 1 if they are equal, 0 if they have nothing in common.

    The maximum of the normalised cross-correlation over all whole-pixel shifts,
    :math:`\max_s \langle a, b(\cdot - s) \rangle / (\lVert a \rVert \lVert b \rVert)`; sizes may differ.

    Parameters
    ----------
    psf_a, psf_b : array
        Two PSFs with the same number of axes, from the same array library.

    Returns
    -------
    float
        Between 0 and 1.

    Raises
    ------
    TypeError
        If one is not an array of real numbers, or they come from different libraries.
    ValueError
        If one is empty, not finite, zero everywhere or has a negative weight, or their numbers of axes differ.

    References
    ----------
    .. [1] Z. Hu, M.-H. Yang, "Good regions to deblur", ECCV 2012, LNCS 7576, 59-72,
       :doi:`10.1007/978-3-642-33715-4_5`

    Examples
    --------
    >>> import numpy as np, deconv
    >>> disc = deconv.psf.disk(5)
    >>> round(deconv.psf.similarity(disc, np.roll(np.pad(disc, 4), 2)), 6)
    1.0
    >>> round(deconv.psf.similarity(disc, deconv.psf.disk(6)), 3)
    0.893
    """
    a, b = _normalise(psf_a, "psf_a"), _normalise(psf_b, "psf_b")
    xp = array_namespace(a, b)
    if a.ndim != b.ndim:
        raise ValueError(
            f"psf_a and psf_b must have the same number of axes, got shapes {tuple(a.shape)} and {tuple(b.shape)}"
        )
    dtype = xp.result_type(a, b)
    a, b = xp.astype(a, dtype), xp.astype(b, dtype)
    shape = fast_shape(tuple(m + n for m, n in zip(a.shape, b.shape, strict=True)))
    spectra = []
    for p in (a, b):
        # Scaled to unit energy first: the squared weights of a wide PSF are small in float32.
        p = p / float(xp.max(p))
        p = p / math.sqrt(float(xp.sum(p * p)))
        grid = xp.zeros(shape, dtype=dtype, device=device(p))
        grid[tuple(slice(0, n) for n in p.shape)] = p
        spectra.append(rfftn(grid))
    correlation = irfftn(spectra[0] * xp.conj(spectra[1]), shape)
    return min(max(float(xp.max(correlation)), 0.0), 1.0)
