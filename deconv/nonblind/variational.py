"""Restoration with a known PSF by minimising data term plus prior: the one splitting solver."""

import math
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from deconv import noise
from deconv._core.array import HOST, array_namespace, as_image, as_psf, as_weights, device, split_channels, torch_door
from deconv._core.check import integer, real
from deconv._core.fft import Transfer, fast_shape, irfftn, rfftn
from deconv._core.kernels import split_bounds, split_data, split_gradient, split_poisson, split_sum
from deconv.priors import TotalVariation

__all__ = ["Run", "Solution", "Splitting", "variational"]

# The default weight of a prior of degree p is _STRENGTH^(1 - p) / _EDGE * noise^2 / contrast^p, the contrast being the
# standard deviation of the blurred picture. Where p is 1 it gives the likeliest scene for gradients of Laplacian scale
# _EDGE; both figures are about the best in the mean over three pictures, two blurs and three noise levels.
_EDGE, _STRENGTH = 0.75, 3.0
# Gradients up to this part of the contrast are zero after one shrinking step: it sets the penalty of the splits, that
# is the speed of convergence and not the answer. So does the penalty of the split of the data, in units of its
# curvature: at 1 the unknown outside takes ten times as many iterations. And so does over-relaxation.
_STEP, _DATA, _RELAX = 0.8, 0.07, 1.8
# A prior that is not convex begins from the convex one's answer; then its step falls from the first of these to the
# second, again as parts of the contrast, over so many stages. Parts of num_iter: the beginning at most, and a stage.
_FALL, _STAGES = (1.0, 0.1), 8
_BEGIN_PART, _STAGE_PART = 1 / 4, 1 / 25
# Iterations between two measurements of the residuals, which take about an iteration's time.
_EVERY = 10


@dataclass(frozen=True)
class Solution:
    """What `deconv.variational` returns.

    With `channel_axis` given, `weight`, `num_iter` and `converged` are arrays of shape (C,), and `primal` and `dual`
    have the shape (K, C), NaN from where a channel had stopped; C counts colours and batch.

    Attributes
    ----------
    image : array
        The restored picture: shape and units of the blurred one; float64 for a float64 picture, float32 else.
    weight : float
        Weight of the prior that was used, in units of the picture to the power of 2 - p for a prior of degree p.
    num_iter : int
        Iterations done.
    converged : bool
        Whether both residuals fell below `tol`.
    primal : ndarray, shape (K,)
        Largest relative difference between a split and what it stands for, after every tenth iteration and the last.
    dual : ndarray, shape (K,)
        Sum of the forces of data and prior on the picture relative to the larger of them, at the same iterations.
    """

    image: object
    weight: float = field(metadata=HOST)
    num_iter: int = field(metadata=HOST)
    converged: bool = field(metadata=HOST)
    primal: np.ndarray = field(metadata=HOST)
    dual: np.ndarray = field(metadata=HOST)


@torch_door
def variational(
    image,
    psf,
    *,
    prior=None,
    weight=None,
    bounds=(0.0, None),
    mask=None,
    likelihood="gaussian",
    num_iter=200,
    tol=0.03,
    channel_axis=None,
    callback=None,
):
    r"""Restore a picture with a known PSF by a prior such as total variation, the outside of the picture unknown.

    Minimises, over pictures :math:`x` that reach beyond the frame by the size of the PSF,

    .. math:: \sum_i m_i\, \ell\bigl((k * x)_i, y_i\bigr) + \lambda\,\phi(x)
              \quad\text{subject to}\quad a \le x \le b ,

    where :math:`m` is 1 where :math:`y` was measured and 0 outside the frame, at NaN pixels and where `mask` is 0. The
    data term is :math:`\ell(z, y) = \tfrac12 (z - y)^2` for Gaussian noise and
    :math:`\ell(z, y) = \bar y\,(z - y \log z)` for Poisson noise, with the mean :math:`\bar y` of the picture: both
    have the unit and, at mean brightness, the curvature of the former, so that a weight means the same in both.

    Parameters
    ----------
    image : array, shape (M,), (M, N) or (L, M, N), with one more axis if `channel_axis` is given
        The blurred picture in linear light. NaN pixels are left out.
    psf : array
        Point-spread function, one axis for each spatial axis of `image`, centred at index ``n // 2`` of each axis; it
        is normalised to sum 1.
    prior : object, optional
        Of `deconv.priors`, or your own (see there); total variation if not given.
    weight : float, optional
        Weight of the prior, in units of the picture to the power of 2 - p for a prior of degree p (1 for total
        variation). By default 4 / 3^p s^2 / c^p, with s the estimated noise (Poisson noise at mean brightness) and c
        the standard deviation of the blurred picture.
    bounds : (float or None, float or None)
        Smallest and largest value allowed; None for no bound.
    mask : array, shape of `image` or of its spatial axes, optional
        Weight of each pixel's data, 0 or more. The largest counts as 1.
    likelihood : {"gaussian", "poisson"}
        The noise. Poisson noise of any gain: the unit of brightness need not be a photon. Negative pixels count as 0.
    num_iter : int
        Iterations at most.
    tol : float
        The solver stops when both relative residuals are below it. At the default the picture is, in a typical case,
        within 0.02 dB of the minimiser's PSNR; 0 does all the iterations.
    channel_axis : int, tuple of int or None
        Axis of colours, or axes of colours and of a batch, which are restored one by one.
    callback : callable, optional
        Called as ``callback(iteration, estimate)`` after each iteration, per colour.

    Returns
    -------
    Solution
        The restored picture ``.image``, and how it came about.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong kind, shape or value.

    Notes
    -----
    Alternating directions method of multipliers with the splits :math:`k * x`, :math:`\nabla x` and :math:`x`; the
    masked data term costs no inner loop [1]_, nor does the Poisson likelihood, whose step is the root of a quadratic
    [2]_. Four real FFTs an iteration. The residuals are those of [3]_, section 3.3: splits against what they stand for,
    and :math:`B^{\mathsf T} \lambda`, the balance of forces.

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
    out, told = [], []
    for c in range(planes.shape[0]):
        plane, measured = planes[c, ...], weights[c, ...]
        solver = Splitting(plane, tuple(psf.shape), weight=measured, likelihood=likelihood)
        tell = None if callback is None else partial(_tell, callback, solver, low, high)
        level = solver.default_weight(prior, _noise(plane, measured, likelihood)) if weight is None else weight
        out.append(solver.solve(psf, prior, level, low=low, high=high, num_iter=num_iter, tol=tol, callback=tell))
        told.append((level, solver.num_iter, solver.converged, solver.primal, solver.dual))
    return Solution(join(xp.stack(out)), *_told(told, channel_axis is not None))


def _told(told, several):
    """Weight, iterations, convergence and residuals of all channels, as `Solution` has them."""
    level, num_iter, converged, primal, dual = zip(*told, strict=True)
    if not several:
        return level[0], num_iter[0], converged[0], np.asarray(primal[0]), np.asarray(dual[0])
    longest = max(len(p) for p in primal)
    table = [np.array([[*p, *[math.nan] * (longest - len(p))] for p in residual]).T for residual in (primal, dual)]
    return np.array(level), np.array(num_iter), np.array(converged), *table


def _tell(callback, solver, low, high, iteration, x):
    callback(iteration, solver.cut(x, low, high))


def _bounds(bounds):
    try:
        low, high = bounds
    except (TypeError, ValueError):
        raise TypeError(f"bounds must be two numbers or None, (low, high), got {bounds!r}") from None
    low = -math.inf if low is None else real(low, "low of bounds")
    high = math.inf if high is None else real(high, "high of bounds")
    if not low < high:
        raise ValueError(f"bounds must be (low, high) with low < high, got {bounds!r}")
    return low, high


def _noise(image, measured, likelihood):
    """Standard deviation of the noise in what was measured: for Poisson noise, of a pixel of mean brightness."""
    xp = array_namespace(image)
    seen = xp.where(measured > 0, image, math.nan)
    if likelihood == "gaussian":
        # Plane by plane of a volume.
        return noise.estimate(seen, channel_axis=0 if image.ndim == 3 else None)
    mean = float(xp.sum(measured * xp.clip(image, min=0.0))) / float(xp.sum(measured))
    return math.sqrt((noise.plane_gain(seen, 0.0) or 0.0) * mean)


class Splitting:
    """One picture on its padded grid, to be solved for any number of PSFs.

    Parameters
    ----------
    image : array of 1 to 3 axes
        The picture; finite.
    reach : tuple of int
        Largest shape of a PSF: the grid reaches beyond the picture by so much in all.
    weight : array, shape of `image`, optional
        Weight of each pixel's data; 1 if not given.
    likelihood : {"gaussian", "poisson"}
        The data term.

    Attributes
    ----------
    num_iter, converged, primal, dual
        Of the last solution, as in `Solution`; the residuals as lists.
    """

    def __init__(self, image, reach, weight=None, likelihood="gaussian"):
        xp = array_namespace(image)
        self.xp = xp
        self.shape = fast_shape(n + 2 * (m // 2) + 1 for n, m in zip(image.shape, reach, strict=True))
        # The picture stands in the middle, so that the unknown outside has the same width on all sides.
        at = tuple((s - n) // 2 for s, n in zip(self.shape, image.shape, strict=True))
        self.window = tuple(slice(a, a + n) for a, n in zip(at, image.shape, strict=True))
        self.image = self.zeros(image)
        self.image[self.window] = image
        self.weight = self.zeros(image)
        self.weight[self.window] = 1.0 if weight is None else weight
        total = float(xp.sum(self.weight))
        self.mean = float(xp.sum(self.weight * self.image)) / total
        contrast = math.sqrt(float(xp.sum(self.weight * (self.image - self.mean) ** 2)) / total)
        # A picture without contrast, but for rounding, has nothing to weigh, and no gradient to shrink.
        self.scale = contrast if contrast > 1e-6 * abs(self.mean) else abs(self.mean) or 1.0
        if likelihood == "poisson":
            self.image = xp.clip(self.image, min=0.0)
            self.split_data, self.pull = split_poisson, self.weight * (max(self.mean, 0.0) / _DATA)
        else:
            self.split_data, self.pull = split_data, self.weight / (self.weight + _DATA)
        # |transfer function of the forward differences|^2 on the half spectrum.
        self.laplacian = sum(4.0 * xp.sin(math.pi * self._frequencies(a)) ** 2 for a in range(image.ndim))

    def zeros(self, like, *components):
        """Zeros on the grid; with `components`, a field of so many."""
        return self.xp.zeros((*components, *self.shape), dtype=like.dtype, device=device(like))

    def _frequencies(self, axis):
        """Cycles a pixel along one axis of the half spectrum, shaped to be broadcast."""
        xp, n = self.xp, self.shape[axis]
        last = axis == len(self.shape) - 1
        k = xp.arange(n // 2 + 1 if last else n, dtype=self.image.dtype, device=device(self.image))
        # The sign does not matter here: only sin^2 of it is taken.
        return xp.reshape(k / n, tuple(-1 if a == axis else 1 for a in range(len(self.shape))))

    def default_weight(self, prior, sigma):
        """Weight of a prior for noise of standard deviation `sigma`; without noise there still is rounding."""
        p = _degree(prior)
        return max(_STRENGTH ** (1 - p) / _EDGE * sigma**2 / self.scale**p, 1e-6 * self.scale ** (2 - p))

    def solve(self, psf, prior, level, *, low=0.0, high=math.inf, num_iter=200, tol=0.0, callback=None):
        """Restore with that PSF: the minimiser, cut to the picture.

        Parameters
        ----------
        psf : array
            Normalised, no larger than `reach`.
        prior : object
            As `deconv.priors` describes.
        level : float
            Weight of the prior.
        low, high : float
            The box.
        num_iter : int
            Iterations at most.
        tol : float
            Stop when both residuals are below it.
        callback : callable, optional
            ``callback(iteration, x)`` with the estimate on the whole grid, not to be changed.

        Returns
        -------
        array, shape of the picture
        """
        self.num_iter, self.converged, self.primal, self.dual = 0, False, [], []
        run = Run(self, psf, low, high)
        iterate = partial(self._iterate, run, num_iter, callback)
        begin = getattr(prior, "start", None)
        if begin is not None:
            # The weight that the same noise gives it.
            run.take(begin, level * (_STRENGTH * self.scale) ** (_degree(prior) - _degree(begin)), _STEP)
            iterate(math.ceil(_BEGIN_PART * num_iter), tol)
            fitted = getattr(prior, "fitted", None)
            prior = prior if fitted is None else fitted(self.cut(run.x, low, high))
        if _degree(prior) < 1:
            first, last = _FALL
            for i in range(_STAGES):
                run.take(prior, level, first * (last / first) ** (i / (_STAGES - 1)))
                iterate(math.ceil(_STAGE_PART * num_iter), 0.0)
        else:
            run.take(prior, level, _STEP)
        iterate(num_iter, tol)
        self.residual = (run.blurred - self.image) * self.weight
        return self.cut(run.x, low, high)

    def _iterate(self, run, num_iter, callback, most, tol):
        """So many iterations, no more than `num_iter` in all, or until the residuals are small."""
        self.converged = False
        for _ in range(min(most, num_iter - self.num_iter)):
            measure = (self.num_iter + 1) % _EVERY == 0 or self.num_iter + 1 == num_iter
            residuals = run.iterate(measure)
            if callback is not None:
                callback(self.num_iter, run.x)
            self.num_iter += 1
            if measure:
                self.primal.append(residuals[0])
                self.dual.append(residuals[1])
                self.converged = max(residuals) < tol
                if self.converged:
                    return

    def rms_residual(self):
        """Root mean square of the last solution's residual over the measured pixels."""
        xp = self.xp
        return math.sqrt(float(xp.sum(self.residual**2)) / float(xp.sum(self.weight)))

    def cut(self, x, low, high):
        """The picture's part of an estimate, in the box; a copy, so that nothing reaches into the solver."""
        xp = self.xp
        return xp.clip(xp.asarray(x[self.window], copy=True), low, high)


class Run:
    """The iterations for one PSF: the estimate, and s and z of its three splits (see `deconv._core.kernels.splitting`).

    Attributes
    ----------
    x, blurred : array
        The estimate on the whole grid, and blurred.
    """

    def __init__(self, solver, psf, low, high):
        self.solver = solver
        self.low, self.high = low, high
        self.transfer = Transfer(psf, solver.shape)
        self.prior = None
        # From the picture itself, its mean outside and where nothing was measured.
        self.x = solver.weight * solver.image + (1.0 - solver.weight) * solver.mean
        self.blurred = self.transfer.forward(self.x)
        self.data, self.rest = solver.zeros(self.x), solver.zeros(self.x)
        axes, columns = len(solver.shape), solver.shape[-1]
        # The kernels see a picture as rows of so many planes, and a field as components of that.
        self.layout = solver.shape[-2] if axes > 1 else 1, axes
        self.rows = partial(solver.xp.reshape, shape=(-1, columns))
        self.fields = partial(solver.xp.reshape, shape=(axes, -1, columns))

    def take(self, prior, level, part):
        """Go on with that prior and weight; a shrinking step makes zero what is below that part of the contrast."""
        solver, xp = self.solver, self.solver.xp
        self.threshold = part * solver.scale
        self.step = _step(_degree(prior), self.threshold)
        before, self.penalty = getattr(self, "penalty", None), level / self.step / _DATA
        if prior is not self.prior:
            self.prior = prior
            self.data_s, self.data_z = (xp.asarray(self.blurred, copy=True) for _ in range(2))
            self.box_s, self.box_z = (xp.asarray(self.x, copy=True) for _ in range(2))
            self.field_s = self._gradient_less(solver.zeros(self.x, len(solver.shape)))
            self.field_z = xp.asarray(self.field_s, copy=True)
        else:
            # The scaled duals s - z are the forces over the penalty: the forces stay.
            for s, z in ((self.field_s, self.field_z), (self.box_s, self.box_z)):
                s -= z
                s *= before / self.penalty
                s += z
        otf = self.transfer.otf
        inverse = 1.0 / (xp.real(otf) ** 2 + xp.imag(otf) ** 2 + self.penalty * (solver.laplacian + 1.0))
        # The real one as complex too: NumPy multiplies the two kinds at half the speed.
        self.from_data, self.from_rest = self.transfer.conj * inverse, xp.astype(self.penalty * inverse, otf.dtype)

    def _gradient_less(self, field):
        """The gradient of the estimate, less a field."""
        out = self.solver.zeros(self.x, len(self.solver.shape))
        split_gradient(self.rows(self.x), 1.0, *self.layout, self.fields(out), self.fields(field))
        return out

    def iterate(self, measure=False):
        """One iteration; the primal and the dual residual if to be measured, else None."""
        solver, rows, fields = self.solver, self.rows, self.fields
        solver.split_data(self.blurred, solver.image, solver.pull, _RELAX, self.data_s, self.data_z, self.data)
        split_gradient(rows(self.x), _RELAX, *self.layout, fields(self.field_s), fields(self.field_z))
        self.prior.shrink(self.field_s, self.step, self.field_z)
        split_bounds(self.x, _RELAX, self.low, self.high, self.box_s, self.box_z)
        if hasattr(self.prior, "shrink_image"):
            self.prior.shrink_image(self.box_s, self.step, self.low, self.high, self.box_z)
        residuals = self._residuals() if measure else None
        self._sum(self.box_s, self.box_z, self.field_s, self.field_z)
        spectrum = rfftn(self.rest)
        spectrum *= self.from_rest
        fitted = rfftn(self.data)
        fitted *= self.from_data
        spectrum += fitted
        fitted[...] = spectrum
        fitted *= self.transfer.otf
        self.blurred = irfftn(fitted, solver.shape)
        self.x = irfftn(spectrum, solver.shape)
        return residuals

    def _sum(self, s, z, field_s, field_z):
        """2 z - s plus the adjoint gradient of 2 z - s of the field, into `rest`."""
        rows, fields = self.rows, self.fields
        split_sum(rows(s), rows(z), fields(field_s), fields(field_z), *self.layout, rows(self.rest))

    def _residuals(self):
        """How far the splits are from what they stand for, and the forces of data and prior from balance."""
        scale = self.solver.scale * math.sqrt(math.prod(self.solver.shape))
        gap = self._gradient_less(self.field_z)
        primal = max(
            _norm(self.blurred - self.data_z) / scale,
            _norm(self.x - self.box_z) / scale,
            _norm(gap) / max(_norm(self.field_z), 1e-3 * scale),
        )
        force = self.transfer.adjoint(self.data_s - self.data_z)
        dual = self.box_s - self.box_z
        gap[...] = self.field_s
        gap -= self.field_z
        self._sum(dual, dual, gap, gap)
        self.rest *= self.penalty
        # Without noise each of the forces vanishes: they count as at least a tenth of the prior's where all is edges.
        least = 0.1 * self.penalty * self.threshold * math.sqrt(math.prod(self.solver.shape))
        return primal, _norm(force + self.rest) / max(_norm(force), _norm(self.rest), least)


def _norm(x):
    xp = array_namespace(x)
    flat = xp.reshape(x, (-1,))
    return math.sqrt(float(xp.vecdot(flat, flat)))


def _degree(prior):
    return float(getattr(prior, "degree", 1.0))


def _step(degree, threshold):
    """The step for which the proximal map of |w|^degree has that threshold."""
    if degree >= 1:
        return threshold
    rest = 2 * (1 - degree)
    return (threshold * rest / (2 - degree)) ** (2 - degree) / rest
