r"""Point-spread functions: make, centre, normalise, compare, take apart, to and from transfer functions.

Every maker gives the light that falls on each pixel, that is the ideal shape integrated over the
pixel's area, so a PSF changes smoothly with its parameters and a shape smaller than a pixel is the
delta. The arrays are odd, square, just large enough, non-negative and sum to 1. Lengths are in pixels,
angles in degrees, counter-clockwise as the picture is seen.

>>> import deconv
>>> deconv.psf.disk(1.0).round(3)
array([[0.025, 0.145, 0.025],
       [0.145, 0.318, 0.145],
       [0.025, 0.145, 0.025]])

The centre of every PSF in `deconv` is index ``n // 2`` of each axis, of even length too: ``[0, 0, 1, 0]`` is the
delta, which moves nothing.

>>> deconv.psf.to_otf([0, 0, 1, 0], (4,)).real
array([1., 1., 1., 1.], dtype=float32)
"""

import math
from numbers import Integral

import numpy as np
import scipy.linalg
import scipy.special

from deconv._core import separable
from deconv._core.array import _as_array, array_namespace, device, torch_door, unit_sum
from deconv._core.check import generator, integer, real
from deconv._core.fft import embed, fast_shape, irfftn, rfftn
from deconv.psf.shake import exposed, trajectory

__all__ = [
    "centre",
    "disk",
    "from_otf",
    "gaussian",
    "motion",
    "normalise",
    "polygon",
    "random_motion",
    "separate",
    "similarity",
    "to_otf",
]

# How far from Hermitian a transfer function of single or double precision may be, as part of its largest value:
# room for the rounding of whoever made it, not for a PSF that is not real.
_HERMITIAN = (1e-4, 1e-8)


def disk(radius, *, softness=0.0, like=None):
    r"""Uniform disc: the blur of a lens out of focus.

    Parameters
    ----------
    radius : float
        Radius in pixels, 0 or more. Below half a pixel the disc is the delta.
    softness : float, default 0
        Standard deviation, in pixels, of the Gaussian that rounds the edge.
    like : array, optional
        Array whose library, device and floating type the result takes (float64 NumPy by default).

    Returns
    -------
    array, shape (n, n)
        The PSF, n odd, sum 1.

    Raises
    ------
    TypeError
        If a length is no number.
    ValueError
        If a length is negative or not finite.

    Notes
    -----
    The area that a quarter disc shares with the rectangle from the origin to :math:`(x, y)` is
    :math:`xy` inside the disc and :math:`y\,t + G(x) - G(t)` beyond, where :math:`t=\sqrt{r^2-y^2}` and
    :math:`G(x) = \tfrac12 (x\sqrt{r^2-x^2} + r^2 \arcsin(x/r))`; its differences are exact pixel areas.

    Examples
    --------
    >>> import deconv
    >>> deconv.psf.disk(7.3).shape
    (15, 15)
    """
    radius = real(radius, "radius", low=0)
    softness = real(softness, "softness", low=0)
    half = _half(radius)
    if half == 0:
        return _finish(np.ones((1, 1)), softness, like)
    edge = np.minimum(np.concatenate(([0.0], np.arange(half + 1) + 0.5)), radius)
    reach = np.sqrt((radius - edge) * (radius + edge))  # never the root of a rounding error below zero
    area = (edge * reach + radius**2 * np.arcsin(edge / radius)) / 2
    area_at_reach = np.pi * radius**2 / 4 - area + edge * reach
    x, y, t = edge[None, :], edge[:, None], reach[:, None]
    # area_at_reach is G(t): the quarter disc less what lies beyond, by symmetry of the two axes.
    corner = np.where(x <= t, x * y, y * t + area[None, :] - area_at_reach[:, None])
    quarter = np.diff(np.diff(corner, axis=0), axis=1)
    quarter[0, :] *= 2
    quarter[:, 0] *= 2
    return _finish(_unfold(quarter), softness, like)


def gaussian(sigma, *, like=None):
    """Gaussian of standard deviation `sigma`, cut at 4 sigma.

    Parameters
    ----------
    sigma : float
        Standard deviation in pixels, 0 (the delta) or more.
    like : array, optional
        Array whose library, device and floating type the result takes (float64 NumPy by default).

    Returns
    -------
    array, shape (n, n)
        The PSF, n odd, sum 1.

    Raises
    ------
    TypeError
        If `sigma` is no number.
    ValueError
        If `sigma` is negative or not finite.

    Examples
    --------
    >>> import deconv
    >>> deconv.psf.gaussian(1.5).shape
    (13, 13)
    """
    sigma = real(sigma, "sigma", low=0)
    half = _half(4 * sigma)
    if half == 0:
        return _finish(np.ones((1, 1)), 0.0, like)
    line = np.diff(scipy.special.ndtr((np.arange(-half, half + 2) - 0.5) / sigma))
    return _finish(np.outer(line, line), 0.0, like)


def motion(length, angle=0.0, *, like=None):
    """Straight uniform motion: a line of `length` pixels.

    Parameters
    ----------
    length : float
        Length of the path in pixels, 0 or more. Up to one pixel the line is the delta.
    angle : float, default 0
        Direction in degrees, counter-clockwise from the row axis (0: along a row, 90: along a column).
    like : array, optional
        Array whose library, device and floating type the result takes (float64 NumPy by default).

    Returns
    -------
    array, shape (n, n)
        The PSF: the part of the path that lies within each pixel; n odd, sum 1.

    Raises
    ------
    TypeError
        If an argument is no number.
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
    half = _half(max(abs(dx), abs(dy)) / 2)
    psf = np.zeros((2 * half + 1, 2 * half + 1))
    # Cut the path (parameter -1/2 .. 1/2) wherever it crosses a pixel's edge; each piece lies in one pixel.
    edges = np.arange(-half, half) + 0.5
    cuts = [edges / d for d in (dx, dy) if abs(d) > 1e-12]
    t = np.unique(np.concatenate([[-0.5, 0.5], *cuts]).clip(-0.5, 0.5))
    middle = (t[1:] + t[:-1]) / 2
    rows = np.rint(middle * dy).astype(int) + half
    columns = np.rint(middle * dx).astype(int) + half
    np.add.at(psf, (rows, columns), np.diff(t))
    return _finish(psf, 0.0, like)


def polygon(radius, blades=8, *, rotation=0.0, softness=0.0, like=None):
    """Regular polygon: the out-of-focus blur of an aperture of straight blades.

    Parameters
    ----------
    radius : float
        Distance from the centre to a corner in pixels, 0 or more.
    blades : int, default 8
        Number of sides, 3 to 100.
    rotation : float, default 0
        Turns the polygon counter-clockwise, in degrees; at 0 a corner lies on the row axis.
    softness : float, default 0
        Standard deviation, in pixels, of the Gaussian that rounds the edge.
    like : array, optional
        Array whose library, device and floating type the result takes (float64 NumPy by default).

    Returns
    -------
    array, shape (n, n)
        The PSF, n odd, sum 1.

    Raises
    ------
    TypeError
        If an argument is no number, or `blades` no integer.
    ValueError
        If a length is negative, an argument not finite, or `blades` out of range.

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
    half = _half(radius)
    if half == 0:
        return _finish(np.ones((1, 1)), softness, like)
    turn = rotation + 2 * np.pi * np.arange(blades) / blades
    x, y = radius * np.cos(turn), -radius * np.sin(turn)
    edge = np.arange(-half, half + 2) - 0.5
    # Area of the polygon left of and above each corner of the pixel grid; its differences are pixel areas.
    corner = sum(
        _area_beside(edge, p, q)
        for p, q in zip(zip(x, y, strict=True), zip(np.roll(x, -1), np.roll(y, -1), strict=True), strict=True)
    )
    return _finish(np.diff(np.diff(corner, axis=0), axis=1), softness, like)


def random_motion(size, *, rng=None, like=None):
    r"""Camera shake: a random, smooth path of a camera held in the hand.

    Parameters
    ----------
    size : int
        Side of the support in pixels, odd, 1 (the delta) to 1001. The path reaches its border on one side at least.
    rng : int or numpy.random.Generator, optional
        Seed or generator. One seed gives the same path at every size, only larger.
    like : array, optional
        Array whose library, device and floating type the result takes (float64 NumPy by default).

    Returns
    -------
    array, shape (size, size)
        The PSF: the part of the exposure that the path spends within each pixel, its centre of mass in the middle;
        sum 1.

    Raises
    ------
    TypeError
        If `size` is no integer, or `rng` no generator.
    ValueError
        If `size` is even or out of range.

    Notes
    -----
    As in [1]_ the velocity is random and has inertia; here it is a steady drift and a Gaussian process with the
    correlation :math:`e^{-|t|/\tau}`, where :math:`\tau`, drawn anew for each path, is 0.1 (many turns) to 0.6 (few) of
    the exposure. Where the camera turns it is slow, and the path is bright. The path is cut at every pixel's edge: no
    weight is rounded to a pixel.

    References
    ----------
    .. [1] G. Boracchi, A. Foi, "Modeling the performance of image restoration from motion blur", IEEE Trans. Image
       Process. 21, 3502-3517 (2012), :doi:`10.1109/TIP.2012.2192126`

    Examples
    --------
    >>> import deconv
    >>> deconv.psf.random_motion(31, rng=0).shape
    (31, 31)
    """
    size = integer(size, "size", low=1, high=1001)
    if size % 2 == 0:
        raise ValueError(f"size must be odd, got {size}")
    rng = generator(rng)
    return _handed(exposed(trajectory(size, rng), size), like)


def normalise(psf):
    """`psf` as floats that sum to 1.

    Parameters
    ----------
    psf : array
        Weights, of any number of axes, none negative. Integers are weights, not brightness.

    Returns
    -------
    array
        The same shape; float64 stays float64, everything else becomes float32.

    Raises
    ------
    TypeError
        If it is no array of real numbers.
    ValueError
        If it is empty, not finite, negative somewhere, or zero everywhere.

    Examples
    --------
    >>> import numpy as np, deconv
    >>> deconv.psf.normalise(np.array([[0, 1], [2, 1]]))
    array([[0.  , 0.25],
           [0.5 , 0.25]], dtype=float32)
    """
    return _normalise(psf)


@torch_door
def _normalise(psf, name="psf"):
    psf = _as_array(psf, name)
    xp = array_namespace(psf)
    if psf.ndim == 0:
        raise ValueError(f"{name} must have at least one axis, got a single number")
    return unit_sum(xp.astype(psf, xp.float64 if psf.dtype == xp.float64 else xp.float32), name)


@torch_door
def centre(psf):
    """`psf` with its centre of mass at index ``n // 2`` of each axis, to the nearest pixel, and sum 1.

    The empty margin is trimmed and zeros are added on the lighter side: nothing is interpolated and
    nothing is cut off, so every axis of the result is odd and its length follows from the content.

    Parameters
    ----------
    psf : array
        Weights, of any number of axes, none negative.

    Returns
    -------
    array
        The centred PSF, of the dtype that `normalise` gives.

    Raises
    ------
    TypeError
        If it is no array of real numbers.
    ValueError
        If it is empty, not finite, negative somewhere, or zero everywhere.

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
        filled = xp.nonzero(line > 0)[0]
        first, last = int(filled[0]), int(filled[-1])
        half = max(middle - first, last - middle, 0)
        line = xp.zeros((2 * half + 1, *psf.shape[1:]), dtype=psf.dtype, device=device(psf))
        start = half - (middle - first)
        line[start : start + last - first + 1, ...] = psf[first : last + 1, ...]
        psf = xp.moveaxis(line, 0, axis)
    return psf


@torch_door
def separate(psf):
    r"""The lines along each axis whose product a PSF is, if it is one: Gaussians, boxes, straight motion along an axis.

    Blurring along one axis after the other then costs ``m + n`` products a pixel instead of ``m * n``.

    Parameters
    ----------
    psf : array
        Point-spread function of any number of axes. Weights may be negative.

    Returns
    -------
    tuple of 1-D arrays or None
        One factor for each axis, of its length: ``psf[i, j] == factors[0][i] * factors[1][j]``, to rounding. All but
        the first have a largest value of 1. None if there are no such factors. float64 stays float64, everything
        else becomes float32.

    Raises
    ------
    TypeError
        If it is no array of real numbers.
    ValueError
        If it is empty, not finite, or zero everywhere.

    Notes
    -----
    A PSF of rank one is known from the lines through its largest weight; a round of least squares for one factor
    after the other then spreads the rounding over all weights. What is left over,
    :math:`\sum |h - a \otimes b| / \sum |h|`, bounds the change of a blurred picture as part of its largest value,
    and must not exceed four times the machine epsilon.

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


@torch_door
def similarity(psf_a, psf_b):
    r"""How alike two PSFs are, wherever each is placed: 1 for equal up to a shift, 0 for nothing shared.

    The largest normalised cross-correlation over all whole-pixel shifts,
    :math:`\max_s \langle a, b(\cdot - s) \rangle / (\lVert a \rVert \lVert b \rVert)`; sizes may differ.

    Parameters
    ----------
    psf_a, psf_b : array
        Two PSFs with the same number of axes, of one library.

    Returns
    -------
    float
        Between 0 and 1.

    Raises
    ------
    TypeError
        If one is no array of real numbers, or they come from different libraries.
    ValueError
        If one is empty, not finite, negative or zero everywhere, or their numbers of axes differ.

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
            f"psf_a and psf_b must have as many axes, got shapes {tuple(psf_a.shape)} and {tuple(psf_b.shape)}"
        )
    dtype = xp.result_type(a, b)
    a, b = xp.astype(a, dtype), xp.astype(b, dtype)
    shape = fast_shape(tuple(m + n for m, n in zip(a.shape, b.shape, strict=True)))
    spectra = []
    for p in (a, b):
        # Unit energy first: the squares of a wide PSF's weights are small in float32.
        p = p / float(xp.max(p))
        p = p / math.sqrt(float(xp.sum(p * p)))
        grid = xp.zeros(shape, dtype=dtype, device=device(p))
        grid[tuple(slice(0, n) for n in p.shape)] = p
        spectra.append(rfftn(grid))
    correlation = irfftn(spectra[0] * xp.conj(spectra[1]), shape)
    return min(max(float(xp.max(correlation)), 0.0), 1.0)


@torch_door
def to_otf(psf, shape):
    """The optical transfer function of a PSF: its Fourier transform on a periodic grid.

    A picture of that shape, blurred with edges that wrap round, is the inverse transform of its own
    transform times this. The inverse is `from_otf`.

    Parameters
    ----------
    psf : array
        Point-spread function of any number of axes, its centre at index ``n // 2`` of each. It is taken as
        it is: the value at zero frequency is its sum. Weights may be negative.
    shape : tuple of int
        The grid, one length for each axis of `psf` and none shorter than it; an integer for one axis.

    Returns
    -------
    complex array of that shape
        In the layout of ``fftn``: zero frequency first, phase origin at index 0. The half ``[..., : n // 2 + 1]``
        of its last axis, of length n, is the layout of ``rfftn``. complex128 if `psf` is float64, else complex64.

    Raises
    ------
    TypeError
        If `psf` is no array of real numbers or `shape` is of the wrong kind.
    ValueError
        If `psf` is empty or not finite, or `shape` does not fit it.

    Examples
    --------
    >>> import deconv
    >>> otf = deconv.psf.to_otf(deconv.psf.gaussian(1.5), (64, 64))
    >>> abs(otf[0, :3]).round(3)
    array([1.   , 0.989, 0.956])
    """
    psf = _as_array(psf, "psf")
    xp = array_namespace(psf)
    shape = _as_shape(shape, psf.ndim, "psf")
    if any(n > m for n, m in zip(psf.shape, shape, strict=True)):
        raise ValueError(f"shape {shape} is too small for the psf of shape {tuple(psf.shape)}")
    psf = xp.astype(psf, xp.float64 if psf.dtype == xp.float64 else xp.float32)
    if not bool(xp.all(xp.isfinite(psf))):
        raise ValueError("psf must be finite, got NaN or infinity")
    half = rfftn(embed(psf, shape))
    rest = xp.conj(_opposite(half[..., 1 : (shape[-1] + 1) // 2], shift_last=False))
    return xp.concat([half, rest], axis=-1)


@torch_door
def from_otf(otf, shape):
    """The PSF of an optical transfer function.

    Parameters
    ----------
    otf : complex array
        Transfer function in the layout of ``fftn``, whose shape is `shape`, or of ``rfftn``, whose last axis has
        length ``shape[-1] // 2 + 1``; zero frequency first, phase origin at index 0. (Where the last axis has
        length 1 or 2 the two are one and the same.) A real array is the transfer function of a symmetric PSF.
    shape : tuple of int
        Shape of the PSF, which is the grid of the transfer function; an integer for one axis.

    Returns
    -------
    array of that shape
        The PSF, its centre at index ``n // 2`` of each axis; not normalised: its sum is the value at zero
        frequency. Values within rounding of zero (four times the machine epsilon of the largest) are zero.
        float64 if `otf` is complex128 or float64, else float32.

    Raises
    ------
    TypeError
        If `otf` is no array of numbers or `shape` is of the wrong kind.
    ValueError
        If the shape of `otf` is neither layout, or it is not finite, zero everywhere, or not the transform of a
        real PSF: opposite frequencies must hold complex conjugates.

    Examples
    --------
    >>> import deconv
    >>> disc = deconv.psf.disk(1.0)
    >>> deconv.psf.from_otf(deconv.psf.to_otf(disc, (4, 5)), (4, 5)).round(3)
    array([[0.   , 0.   , 0.   , 0.   , 0.   ],
           [0.   , 0.025, 0.145, 0.025, 0.   ],
           [0.   , 0.145, 0.318, 0.145, 0.   ],
           [0.   , 0.025, 0.145, 0.025, 0.   ]])
    """
    otf = _as_otf(otf)
    xp = array_namespace(otf)
    shape = _as_shape(shape, otf.ndim, "otf")
    last = shape[-1] // 2 + 1
    if tuple(otf.shape) not in (shape, (*shape[:-1], last)):
        raise ValueError(
            f"otf must have shape {shape} (fftn) or {(*shape[:-1], last)} (rfftn) for a PSF of shape {shape}, "
            f"got {tuple(otf.shape)}"
        )
    peak = float(xp.max(xp.abs(otf)))
    if not math.isfinite(peak):
        raise ValueError("otf must be finite, got NaN or infinity")
    if peak == 0:
        raise ValueError("otf must not be zero everywhere")
    # In the half layout only the planes of frequency 0 and n / 2 along the last axis hold their own opposites.
    whole = tuple(otf.shape) == shape
    own = [otf] if whole else [otf[..., i : i + 1] for i in ((0, last - 1) if shape[-1] % 2 == 0 else (0,))]
    error = max(float(xp.max(xp.abs(part - xp.conj(_opposite(part))))) for part in own)
    if error > _HERMITIAN[otf.dtype == xp.complex128] * peak:
        raise ValueError(
            "otf is not the transform of a real PSF: values at opposite frequencies differ from complex conjugates "
            f"by up to {error / peak:.2g} of the largest"
        )
    # A copy: the inverse transform may work in place.
    psf = irfftn(xp.asarray(otf[..., :last], copy=True), shape)
    # What the transforms leave where the PSF is zero would be light, some of it negative, all over the picture.
    size = xp.abs(psf)
    psf = xp.where(size > 4 * float(xp.finfo(psf.dtype).eps) * float(xp.max(size)), psf, xp.zeros_like(psf))
    return xp.roll(psf, tuple(n // 2 for n in shape), axis=tuple(range(psf.ndim)))


def _as_otf(otf):
    """`otf` as a complex array of a known library, or one clear sentence."""
    if isinstance(otf, (list, tuple)):
        try:
            otf = np.asarray(otf)
        except ValueError:
            raise TypeError(f"otf must be an array of numbers, got {type(otf).__name__}") from None
    if isinstance(otf, np.ndarray) and otf.dtype.kind == "c":
        otf = otf.astype(np.complex64 if otf.dtype.itemsize <= 8 else np.complex128, copy=False)
    try:
        xp = array_namespace(otf)
        if xp.isdtype(otf.dtype, "complex floating"):
            return otf
    except TypeError:
        pass  # no array at all, or of a kind that the namespace does not know: the sentence is below
    otf = _as_array(otf, "otf")
    xp = array_namespace(otf)
    double = otf.dtype == xp.float64
    return xp.astype(xp.astype(otf, xp.float64 if double else xp.float32), xp.complex128 if double else xp.complex64)


def _as_shape(shape, ndim, name):
    """`shape` as a tuple of `ndim` lengths."""
    lengths = tuple(shape) if isinstance(shape, (tuple, list)) else (shape,)
    if any(isinstance(n, bool) or not isinstance(n, Integral) for n in lengths):
        raise TypeError(f"shape must be a tuple of integers, got {shape!r}")
    if any(n < 1 for n in lengths):
        raise ValueError(f"shape must hold positive lengths, got {shape!r}")
    if ndim == 0 or len(lengths) != ndim:
        raise ValueError(f"shape must have one length for each axis of {name}, got {shape!r} for {ndim} axes")
    return tuple(int(n) for n in lengths)


def _opposite(spectrum, shift_last=True):
    """`spectrum` with every frequency in the place of its negative.

    Without `shift_last` the last axis begins at frequency 1, and so does the result, counted from the other end.
    """
    xp = array_namespace(spectrum)
    axes = tuple(range(spectrum.ndim if shift_last else spectrum.ndim - 1))
    return xp.roll(xp.flip(spectrum), tuple(1 for _ in axes), axis=axes)


def _half(reach):
    """Pixels on each side of the centre that a shape reaching that far from it touches."""
    return max(math.ceil(reach - 0.5), 0)


def _unfold(quarter):
    """The four quarters from one, which share the first row and column."""
    right = np.concatenate((quarter[:0:-1], quarter))
    return np.concatenate((right[:, :0:-1], right), axis=1)


def _finish(psf, softness, reference):
    """Round the edge, normalise, and hand over."""
    psf = psf / psf[psf.shape[0] // 2, psf.shape[1] // 2]
    psf[psf < 1e-12] = 0  # rounding of the area differences
    if softness > 0:
        # The discrete Gaussian: exact variance however small, so softness acts smoothly from 0 on.
        half = math.ceil(4 * softness) + 1
        line = scipy.special.ive(np.arange(half + 1), softness**2)
        column = np.concatenate((line[::-1], line[1:], np.zeros(psf.shape[0] - 1)))
        spread = scipy.linalg.toeplitz(column, np.zeros(psf.shape[0]))
        spread[0, 0] = column[0]
        psf = spread @ psf @ spread.T
    return _handed(psf / psf.sum(), reference)


def _handed(psf, reference):
    """Over to the caller's library."""
    if reference is None:
        return psf
    reference = _as_array(reference, "like")
    xp = array_namespace(reference)
    dtype = xp.float64 if reference.dtype == xp.float64 else xp.float32
    return xp.asarray(psf, dtype=dtype, device=device(reference))


def _area_beside(edge, p, q):
    """Signed area beside the side from `p` to `q`, cut at every ``x = edge[j]`` and ``y = edge[i]``."""
    (px, py), (qx, qy) = p, q
    dx, dy = qx - px, qy - py
    if abs(dy) < 1e-12:
        return np.zeros((edge.size, edge.size))
    # Below row i lies the part of the side with parameter in [start, stop] of [0, 1].
    t = np.clip((edge - py) / dy, 0, 1)
    start, stop = (np.zeros_like(t), t) if dy > 0 else (t, np.ones_like(t))
    a = np.maximum(edge[None, :] - (px + start * dx)[:, None], 0)
    b = np.maximum(edge[None, :] - (px + stop * dx)[:, None], 0)
    span = (stop - start)[:, None]
    # Mean of max(x - side, 0) along the part; on a vertical side it is constant.
    void = (a - b) * (a + b) / (2 * dx) if abs(dx) > 1e-9 else span * (a + b) / 2
    return dy * (edge[None, :] * span - void)
