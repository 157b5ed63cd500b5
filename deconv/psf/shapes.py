"""Parametric PSFs: disc, Gaussian, straight motion and regular polygon, integrated over the area of each pixel."""

import math
from typing import Any

import numpy as np
import scipy.linalg
import scipy.special
from numpy.typing import NDArray

from deconv._core.array import Array, Result, array_namespace, as_array, device
from deconv._core.check import integer, real

__all__ = ["disk", "gaussian", "motion", "polygon"]


def disk(radius: float, *, softness: float = 0.0, like: Array | None = None) -> Result:
    r"""Uniform disc: the PSF of a defocused lens with a round aperture.

    Parameters
    ----------
    radius : float
        Radius in pixels, 0 or more. Below half a pixel the disc is the delta.
    softness : float, default 0
        Standard deviation, in pixels, of the Gaussian that softens the edge.
    like : array, optional
        The result takes the library, device and floating type of this array. Default: NumPy, float64.

    Returns
    -------
    array, shape (n, n)
        The PSF, n odd, sum 1.

    Raises
    ------
    TypeError
        If a length is not a number.
    ValueError
        If a length is negative or not finite.

    Notes
    -----
    The quarter disc and the rectangle from the origin to :math:`(x, y)` overlap in an area of :math:`xy` if
    :math:`(x, y)` lies inside the disc, and of :math:`y\,t + G(x) - G(t)` otherwise, where
    :math:`t=\sqrt{r^2-y^2}` and :math:`G(x) = \tfrac12 (x\sqrt{r^2-x^2} + r^2 \arcsin(x/r))`. Second
    differences of that area are exact pixel areas.

    Examples
    --------
    >>> import deconv
    >>> deconv.psf.disk(7.3).shape
    (15, 15)
    """
    radius = real(radius, "radius", low=0)
    softness = real(softness, "softness", low=0)
    half = _half_width(radius)
    if half == 0:
        return _finish(np.ones((1, 1)), softness, like)
    edge = np.minimum(np.concatenate(([0.0], np.arange(half + 1) + 0.5)), radius)
    # Factored, so that rounding cannot make the radicand negative.
    half_chord = np.sqrt((radius - edge) * (radius + edge))
    area = (edge * half_chord + radius**2 * np.arcsin(edge / radius)) / 2
    # G(t): by symmetry of the axes, the quarter disc minus the area beyond t.
    area_to_chord = np.pi * radius**2 / 4 - area + edge * half_chord
    x, y, t = edge[None, :], edge[:, None], half_chord[:, None]
    overlap = np.where(x <= t, x * y, y * t + area[None, :] - area_to_chord[:, None])
    quarter = np.diff(np.diff(overlap, axis=0), axis=1)
    quarter[0, :] *= 2
    quarter[:, 0] *= 2
    return _finish(_from_quarter(quarter), softness, like)


def gaussian(sigma: float, *, like: Array | None = None) -> Result:
    """Gaussian of standard deviation `sigma`, truncated at 4 sigma.

    Parameters
    ----------
    sigma : float
        Standard deviation in pixels, 0 (the delta) or more.
    like : array, optional
        The result takes the library, device and floating type of this array. Default: NumPy, float64.

    Returns
    -------
    array, shape (n, n)
        The PSF, n odd, sum 1.

    Raises
    ------
    TypeError
        If `sigma` is not a number.
    ValueError
        If `sigma` is negative or not finite.

    Examples
    --------
    >>> import deconv
    >>> deconv.psf.gaussian(1.5).shape
    (13, 13)
    """
    sigma = real(sigma, "sigma", low=0)
    half = _half_width(4 * sigma)
    if half == 0:
        return _finish(np.ones((1, 1)), 0.0, like)
    line = np.diff(scipy.special.ndtr((np.arange(-half, half + 2) - 0.5) / sigma))
    return _finish(np.outer(line, line), 0.0, like)


def motion(length: float, angle: float = 0.0, *, like: Array | None = None) -> Result:
    """Straight uniform motion: a line of `length` pixels.

    Parameters
    ----------
    length : float
        Length of the path in pixels, 0 or more. Up to one pixel the line is the delta.
    angle : float, default 0
        Direction in degrees, counter-clockwise from the row axis (0: along a row, 90: along a column).
    like : array, optional
        The result takes the library, device and floating type of this array. Default: NumPy, float64.

    Returns
    -------
    array, shape (n, n)
        The PSF: the fraction of the path that lies in each pixel; n odd, sum 1.

    Raises
    ------
    TypeError
        If an argument is not a number.
    ValueError
        If `length` is negative or an argument is not finite.

    Examples
    --------
    >>> import deconv
    >>> deconv.psf.motion(3).round(3)
    array([[0.   , 0.   , 0.   ],
           [0.333, 0.333, 0.333],
           [0.   , 0.   , 0.   ]])
    """
    length = real(length, "length", low=0)
    angle = math.radians(real(angle, "angle"))
    dx, dy = length * math.cos(angle), -length * math.sin(angle)
    half = _half_width(max(abs(dx), abs(dy)) / 2)
    psf = np.zeros((2 * half + 1, 2 * half + 1))
    # The path, parametrised over [-1/2, 1/2], is cut wherever it crosses a pixel edge: each piece lies in one pixel.
    edges = np.arange(-half, half) + 0.5
    cuts = [edges / d for d in (dx, dy) if abs(d) > 1e-12]
    t = np.unique(np.concatenate([[-0.5, 0.5], *cuts]).clip(-0.5, 0.5))
    middle = (t[1:] + t[:-1]) / 2
    rows = np.rint(middle * dy).astype(int) + half
    columns = np.rint(middle * dx).astype(int) + half
    np.add.at(psf, (rows, columns), np.diff(t))
    return _finish(psf, 0.0, like)


def polygon(
    radius: float,
    blades: int = 8,
    *,
    rotation: float = 0.0,
    softness: float = 0.0,
    like: Array | None = None,
) -> Result:
    """Regular polygon: the PSF of a defocused lens whose aperture has straight blades.

    Parameters
    ----------
    radius : float
        Distance from the centre to a corner, in pixels, 0 or more.
    blades : int, default 8
        Number of sides, 3 to 100.
    rotation : float, default 0
        Counter-clockwise rotation in degrees; at 0 a corner lies on the row axis.
    softness : float, default 0
        Standard deviation, in pixels, of the Gaussian that softens the edge.
    like : array, optional
        The result takes the library, device and floating type of this array. Default: NumPy, float64.

    Returns
    -------
    array, shape (n, n)
        The PSF, n odd, sum 1.

    Raises
    ------
    TypeError
        If an argument is not a number, or `blades` not an integer.
    ValueError
        If a length is negative, an argument is not finite, or `blades` is out of range.

    Examples
    --------
    >>> import deconv
    >>> deconv.psf.polygon(10, blades=6, rotation=30).shape
    (21, 21)
    """
    radius = real(radius, "radius", low=0)
    blades = integer(blades, "blades", low=3, high=100)
    rotation = math.radians(real(rotation, "rotation"))
    softness = real(softness, "softness", low=0)
    half = _half_width(radius)
    if half == 0:
        return _finish(np.ones((1, 1)), softness, like)
    turn = rotation + 2 * np.pi * np.arange(blades) / blades
    x, y = radius * np.cos(turn), -radius * np.sin(turn)
    edge = np.arange(-half, half + 2) - 0.5
    # Area of the polygon left of and above each corner of the pixel grid; its second differences are pixel areas.
    corners = [(float(px), float(py)) for px, py in zip(x, y, strict=True)]
    sides = zip(corners, [*corners[1:], corners[0]], strict=True)
    overlap = sum((_area_left_of_side(edge, p, q) for p, q in sides), start=np.zeros((edge.size, edge.size)))
    return _finish(np.diff(np.diff(overlap, axis=0), axis=1), softness, like)


def _half_width(extent: float) -> int:
    """Pixels on each side of the central one that a shape extending `extent` from the centre overlaps."""
    return max(math.ceil(extent - 0.5), 0)


def _from_quarter(quarter: NDArray[np.float64]) -> NDArray[np.float64]:
    """The symmetric array of which `quarter` is the lower right part, axes included."""
    right = np.concatenate((quarter[:0:-1], quarter))
    return np.concatenate((right[:, :0:-1], right), axis=1)


def _finish(psf: NDArray[np.float64], softness: float, reference: Array | None) -> Result:
    """Soften the edge, normalise, and convert to the library of `reference`."""
    psf = psf / psf[psf.shape[0] // 2, psf.shape[1] // 2]
    # Differences of areas leave rounding errors where the PSF is zero.
    psf[psf < 1e-12] = 0
    if softness > 0:
        # The discrete Gaussian has exactly this variance however small it is, so the PSF is smooth in softness at 0.
        half = math.ceil(4 * softness) + 1
        line = scipy.special.ive(np.arange(half + 1), softness**2)
        column = np.concatenate((line[::-1], line[1:], np.zeros(psf.shape[0] - 1)))
        spread = scipy.linalg.toeplitz(column, np.zeros(psf.shape[0]))
        spread[0, 0] = column[0]
        psf = spread @ psf @ spread.T
    return cast_like(psf / psf.sum(), reference)


def cast_like(psf: NDArray[np.float64], reference: Array | None) -> Result:
    """`psf` with the library, device and floating type of `reference`; unchanged if that is None."""
    if reference is None:
        return psf
    reference = as_array(reference, "like")
    xp = array_namespace(reference)
    dtype = xp.float64 if reference.dtype == xp.float64 else xp.float32
    return xp.asarray(psf, dtype=dtype, device=device(reference))


def _area_left_of_side(edge: NDArray[Any], p: tuple[float, float], q: tuple[float, float]) -> NDArray[np.float64]:
    """Signed area left of the side from `p` to `q` and of ``x = edge[j]``, above ``y = edge[i]``, by i and j."""
    (px, py), (qx, qy) = p, q
    dx, dy = qx - px, qy - py
    if abs(dy) < 1e-12:
        return np.zeros((edge.size, edge.size))
    # The part of the side above edge[i] has its parameter in [start, stop], within [0, 1].
    t = np.clip((edge - py) / dy, 0, 1)
    start, stop = (np.zeros_like(t), t) if dy > 0 else (t, np.ones_like(t))
    a = np.maximum(edge[None, :] - (px + start * dx)[:, None], 0)
    b = np.maximum(edge[None, :] - (px + stop * dx)[:, None], 0)
    span = (stop - start)[:, None]
    # Integral of max(x - side, 0) over that part of the side; on a vertical side the gap is constant.
    gap = (a - b) * (a + b) / (2 * dx) if abs(dx) > 1e-9 else span * (a + b) / 2
    area: NDArray[np.float64] = dy * (edge[None, :] * span - gap)
    return area
