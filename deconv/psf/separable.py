"""PSFs that are the product of one line along each axis."""

from deconv._core import separable
from deconv._core.array import Array, Result, accepts_torch

__all__ = ["separate"]


@accepts_torch
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
    return separable.separate(psf)
