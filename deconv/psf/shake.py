"""Camera shake: a random path of a hand-held camera, and the time that it spends in each pixel."""

import numpy as np
from numpy.typing import NDArray

from deconv._core.array import Array, Result
from deconv._core.check import generator, integer
from deconv.psf.shapes import cast_like

__all__ = ["random_motion"]

# Harmonics of the motion, and the period after which it repeats, in exposures: two, so that the ends do not meet.
_HARMONICS, _PERIOD = 64, 2.0
# Correlation time of the velocity, in exposures: from many turns to few.
_CORRELATION_TIMES = (0.1, 0.6)
# Points of the path per pixel of the support: so many that no step crosses two pixel edges of one direction.
_POINTS_PER_PIXEL = 64


def random_motion(size: int, *, rng: int | np.random.Generator | None = None, like: Array | None = None) -> Result:
    r"""Camera shake: the random, smooth path of a hand-held camera.

    Parameters
    ----------
    size : int
        Side of the support in pixels, odd, 1 (the delta) to 1001. The path touches its border on at least one side.
    rng : int or numpy.random.Generator, optional
        Seed or generator. A seed gives the same path at every size, scaled.
    like : array, optional
        The result takes the library, device and floating type of this array. Default: NumPy, float64.

    Returns
    -------
    array, shape (size, size)
        The PSF: the fraction of the exposure that the path spends in each pixel, centre of mass in the middle; sum 1.

    Raises
    ------
    TypeError
        If `size` is not an integer, or `rng` neither a seed nor a generator.
    ValueError
        If `size` is even or out of range.

    Notes
    -----
    As in [1]_, the velocity is random and has inertia. Here it is a constant drift plus a Gaussian process with
    correlation :math:`e^{-|t|/\tau}`; :math:`\tau`, drawn anew for each path, lies between 0.1 (many turns) and 0.6
    (few) of the exposure. The camera is slow where it turns, so the path is bright there. The path is cut exactly at
    pixel edges, so no weight is rounded to a pixel.

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
    return cast_like(exposure_per_pixel(trajectory(size, generator(rng)), size), like)


def trajectory(size: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Points (x, y) of a random path at equal time steps; the same path at any size, scaled.

    Its mean is the origin, and along one axis it just reaches the border of a `size` x `size` support.
    """
    n = _POINTS_PER_PIXEL * size
    tau = np.exp(rng.uniform(*np.log(_CORRELATION_TIMES)))
    # The velocity is a stationary Gaussian process with the power spectrum 1 / (1 + (2 pi f tau)^2).
    f = np.arange(1, _HARMONICS + 1) / _PERIOD
    weights = rng.standard_normal((_HARMONICS, 2, 2)) / np.sqrt(1 + (2 * np.pi * f * tau) ** 2)[:, None, None]
    drift = rng.standard_normal(2)
    t = (np.arange(n + 1) / n)[:, None]
    # The position: the velocity integrated term by term.
    phase = 2 * np.pi * f * t
    path = np.sin(phase) @ (weights[:, 0] / f[:, None]) - np.cos(phase) @ (weights[:, 1] / f[:, None])
    path += 2 * np.pi * drift / np.sqrt(2) * t
    # Centred by the midpoints of the steps, where their light lies.
    path -= ((path[1:] + path[:-1]) / 2).mean(0)
    scaled: NDArray[np.float64] = path * (size / 2 / np.abs(path).max())
    return scaled


def exposure_per_pixel(path: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """Fraction of the exposure that a path spends in each of `size` x `size` pixels about the origin."""
    start, step = path[:-1] + size / 2, np.diff(path, axis=0)
    # Steps are cut where they cross a pixel edge in x or in y, so that each piece lies in one pixel.
    edge = np.floor(np.maximum(start, start + step))
    with np.errstate(divide="ignore", invalid="ignore"):
        cuts = np.where(step == 0, 0.0, (edge - start) / step)
    cuts = np.sort(np.clip(cuts, 0.0, 1.0), axis=1)
    ends = np.concatenate([np.zeros((len(cuts), 1)), cuts, np.ones((len(cuts), 1))], axis=1)
    middle = (ends[:, 1:] + ends[:, :-1]) / 2
    column, row = (np.clip(np.floor(start[:, [i]] + middle * step[:, [i]]).astype(int), 0, size - 1) for i in (0, 1))
    light = np.bincount((row * size + column).ravel(), np.diff(ends, axis=1).ravel(), size * size)
    return light.reshape(size, size) / len(step)
