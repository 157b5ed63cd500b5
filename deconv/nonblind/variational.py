"""Restoration with a known PSF by minimising a data term plus a prior."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from deconv import noise
from deconv._core.array import (
    HOST,
    Array,
    accepts_torch,
    array_namespace,
    as_image,
    as_psf,
    as_weights,
    split_channels,
)
from deconv._core.check import integer, real
from deconv.nonblind.splitting import Likelihood, Splitting
from deconv.priors import Prior, TotalVariation

__all__ = ["Solution", "variational"]


@dataclass(frozen=True)
class Solution:
    """Result of `deconv.variational`.

    With `channel_axis` given, `weight`, `num_iter` and `converged` are arrays of shape (C,), and `primal` and `dual`
    have shape (K, C), with NaN after a channel has stopped; C counts colours and batch.

    Attributes
    ----------
    image : array
        The restored image: shape and units of the blurred one; float64 for a float64 image, else float32.
    weight : float
        Weight of the prior that was used, in units of the image to the power of 2 - p for a prior of degree p.
    num_iter : int
        Iterations done.
    converged : bool
        Whether both residuals fell below `tol`.
    primal : ndarray, shape (K,)
        Largest relative difference between a split variable and the quantity that it stands for, after every tenth
        iteration and the last.
    dual : ndarray, shape (K,)
        Sum of the forces of data and prior on the image, relative to the larger of the two, at the same iterations.
    """

    image: Any
    weight: float = field(metadata=HOST)
    num_iter: int = field(metadata=HOST)
    converged: bool = field(metadata=HOST)
    primal: np.ndarray = field(metadata=HOST)
    dual: np.ndarray = field(metadata=HOST)


@accepts_torch
def variational(
    image: Array,
    psf: Array,
    *,
    prior: Prior | None = None,
    weight: float | None = None,
    bounds: tuple[float | None, float | None] = (0.0, None),
    mask: Array | None = None,
    likelihood: Likelihood = "gaussian",
    num_iter: int = 200,
    tol: float = 0.03,
    channel_axis: int | tuple[int, ...] | None = None,
    callback: Callable[[int, Any], object] | None = None,
) -> Solution:
    r"""Restore an image with a known PSF and a prior such as total variation; nothing is assumed beyond the frame.

    Minimises, over images :math:`x` that reach beyond the frame by the size of the PSF,

    .. math:: \sum_i m_i\, \ell\bigl((k * x)_i, y_i\bigr) + \lambda\,\phi(x)
              \quad\text{subject to}\quad a \le x \le b ,

    where :math:`m` is 1 where :math:`y` was measured and 0 outside the frame, at NaN pixels and where `mask` is 0. The
    data term is :math:`\ell(z, y) = \tfrac12 (z - y)^2` for Gaussian noise and
    :math:`\ell(z, y) = \bar y\,(z - y \log z)` for Poisson noise, with the mean :math:`\bar y` of the image: both
    have the same unit and, at mean brightness, the same curvature, so a weight means the same in both.

    Parameters
    ----------
    image : array, shape (M,), (M, N) or (L, M, N), with one more axis if `channel_axis` is given
        The blurred image in linear light. NaN marks pixels that were not measured.
    psf : array
        Point-spread function, one axis for each spatial axis of `image`, centred at index ``n // 2`` of each axis; it
        is normalised to sum 1.
    prior : object, optional
        From `deconv.priors`, or your own (see there); total variation if not given.
    weight : float, optional
        Weight of the prior, in units of the image to the power of 2 - p for a prior of degree p (1 for total
        variation). By default 4 / 3^p s^2 / c^p, with s the estimated noise (Poisson noise at mean brightness) and c
        the standard deviation of the blurred image.
    bounds : (float or None, float or None)
        Smallest and largest value allowed; None for no bound.
    mask : array, shape of `image` or of its spatial axes, optional
        Weight of each pixel's data, 0 or more. The largest counts as 1.
    likelihood : {"gaussian", "poisson"}
        Type of noise. Poisson noise may have any gain: the unit of brightness need not be a photon. Negative pixels
        then count as 0.
    num_iter : int
        Maximum number of iterations.
    tol : float
        The solver stops when both relative residuals are below it. At the default the result is typically within
        0.02 dB of the minimiser's PSNR; 0 runs all iterations.
    channel_axis : int, tuple of int or None
        Axis of colours, or axes of colours and of a batch, which are restored one by one.
    callback : callable, optional
        Called as ``callback(iteration, estimate)`` after each iteration, for each colour.

    Returns
    -------
    Solution
        The restored image ``.image``, the weight used and the record of convergence.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong kind, shape or value.

    Notes
    -----
    Alternating direction method of multipliers with the splits :math:`k * x`, :math:`\nabla x` and :math:`x`. The
    masked data term needs no inner loop [1]_, nor does the Poisson likelihood, whose step is the root of a quadratic
    [2]_. An iteration takes four real FFTs. The residuals are those of [3]_, section 3.3: split variables against the
    quantities that they stand for, and :math:`B^{\mathsf T} \lambda`, the balance of forces.

    References
    ----------
    .. [1] M. S. C. Almeida, M. A. T. Figueiredo, "Deconvolving images with unknown boundaries using the alternating
       direction method of multipliers", IEEE Trans. Image Process. 22, 3074-3086 (2013),
       :doi:`10.1109/TIP.2013.2258354`
    .. [2] M. A. T. Figueiredo, J. M. Bioucas-Dias, "Restoration of Poissonian images using alternating direction
       optimization", IEEE Trans. Image Process. 19, 3133-3145 (2010), :doi:`10.1109/TIP.2010.2053941`
    .. [3] S. Boyd, N. Parikh, E. Chu, B. Peleato, J. Eckstein, "Distributed optimization and statistical learning via
       the alternating direction method of multipliers", Found. Trends Mach. Learn. 3, 1-122 (2011),
       :doi:`10.1561/2200000016`

    Examples
    --------
    >>> import numpy as np, deconv
    >>> sharp = deconv.degrade.text_picture("psf")
    >>> psf = deconv.psf.disk(3)
    >>> blurred = deconv.degrade.add_noise(deconv.degrade.blur(sharp, psf), 0.002, rng=0)
    >>> solution = deconv.variational(blurred, psf)
    >>> bool(np.abs(solution.image - sharp).mean() < np.abs(blurred - sharp).mean() / 3)
    True
    """
    image = as_image(image, ndim=(1, 2, 3), channel_axis=channel_axis, nan="mask", batch=True)
    xp = array_namespace(image)
    weights = as_weights(mask, image, channel_axis)
    num_iter = integer(num_iter, "num_iter", low=1, high=10**9)
    tol = real(tol, "tol", low=0.0)
    low, high = _bounds(bounds)
    if weight is not None:
        weight = real(weight, "weight", above=0.0)
    if likelihood not in ("gaussian", "poisson"):
        kind = ValueError if isinstance(likelihood, str) else TypeError
        raise kind(f'likelihood must be "gaussian" or "poisson", got {likelihood!r}')
    if callback is not None and not callable(callback):
        raise TypeError(f"callback must be callable, got {type(callback).__name__}")
    prior = TotalVariation() if prior is None else prior
    if not all(callable(getattr(prior, name, None)) for name in ("energy", "shrink")):
        raise TypeError(f"prior must have the methods energy and shrink, got {type(prior).__name__}")
    image = xp.where(xp.isnan(image), 0.0, image)
    planes, join = split_channels(image, channel_axis)
    psf = as_psf(psf, planes, ndim=planes.ndim - 1)
    restored, records = [], []
    for c in range(planes.shape[0]):
        plane, measured = planes[c, ...], weights[c, ...]
        solver = Splitting(plane, tuple(psf.shape), weight=measured, likelihood=likelihood)
        report = None if callback is None else partial(_report, callback, solver, low, high)
        used = solver.default_weight(prior, _noise(plane, measured, likelihood)) if weight is None else weight
        restored.append(solver.solve(psf, prior, used, low=low, high=high, num_iter=num_iter, tol=tol, callback=report))
        records.append((used, solver.num_iter, solver.converged, solver.primal, solver.dual))
    return Solution(join(xp.stack(restored)), *_stacked(records, channel_axis is not None))


def _stacked(records: list[tuple[Any, ...]], several: bool) -> tuple[Any, ...]:
    """Weight, iterations, convergence and residuals of all channels, as `Solution` holds them."""
    weight, num_iter, converged, primal, dual = zip(*records, strict=True)
    if not several:
        return weight[0], num_iter[0], converged[0], np.asarray(primal[0]), np.asarray(dual[0])
    longest = max(len(p) for p in primal)
    table = [np.array([[*p, *[math.nan] * (longest - len(p))] for p in residual]).T for residual in (primal, dual)]
    return np.array(weight), np.array(num_iter), np.array(converged), *table


def _report(
    callback: Callable[[int, Any], object], solver: Splitting, low: float, high: float, iteration: int, x: Array
) -> None:
    callback(iteration, solver.cut(x, low, high))


def _bounds(bounds: Any) -> tuple[float, float]:
    try:
        low, high = bounds
    except (TypeError, ValueError):
        raise TypeError(f"bounds must be two numbers or None, (low, high), got {bounds!r}") from None
    low = -math.inf if low is None else real(low, "low of bounds")
    high = math.inf if high is None else real(high, "high of bounds")
    if not low < high:
        raise ValueError(f"bounds must be (low, high) with low < high, got {bounds!r}")
    return low, high


def _noise(image: Any, measured: Any, likelihood: Likelihood) -> float:
    """Standard deviation of the noise in the measured pixels; for Poisson noise, at mean brightness."""
    xp = array_namespace(image)
    data = xp.where(measured > 0, image, math.nan)
    if likelihood == "gaussian":
        # A volume is measured plane by plane.
        return float(noise.estimate(data, channel_axis=0 if image.ndim == 3 else None))
    mean = float(xp.sum(measured * xp.clip(image, min=0.0))) / float(xp.sum(measured))
    return math.sqrt((noise.plane_gain(data, 0.0) or 0.0) * mean)
