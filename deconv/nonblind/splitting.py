"""The splitting solver (ADMM): one image, any number of PSFs and priors.

It minimises data term plus prior, subject to bounds, over an image that reaches beyond the frame. The splits are the
blurred image, the image and its gradient; see `deconv.variational` for the objective and the references.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any, Literal, TypeAlias

from deconv._core.array import Array, Result, array_namespace, device
from deconv._core.fft import Transfer, fast_shape, irfftn, rfftn
from deconv._core.kernels import split_bounds, split_data, split_gradient, split_poisson, split_sum
from deconv.priors import Prior, Shrinkage

__all__ = ["Likelihood", "Run", "Splitting"]

Likelihood: TypeAlias = Literal["gaussian", "poisson"]

# The default weight of a prior of degree p is _STRENGTH^(1 - p) / _GRADIENT_SCALE * noise^2 / contrast^p, where the
# contrast is the standard deviation of the blurred image. For p = 1 that is the maximum a posteriori weight for
# gradients of Laplacian scale _GRADIENT_SCALE. Both values are near the best on average over three images, two blurs
# and three noise levels.
_GRADIENT_SCALE, _STRENGTH = 0.75, 3.0
# Gradients up to this fraction of the contrast become zero in one shrinking step. This sets the penalty of the splits,
# so the speed of convergence and not the answer. The same holds for the penalty of the data split, in units of its
# curvature (at 1 the unknown outside takes ten times as many iterations), and for over-relaxation.
_STEP, _DATA_PENALTY, _RELAXATION = 0.8, 0.07, 1.8
# A prior that is not convex starts from the minimiser of the convex one. Its step then falls from the first to the
# second of these fractions of the contrast, over this many stages.
_STEPS, _STAGES = (1.0, 0.1), 8
# Fractions of num_iter: at most for the convex start, and for each stage.
_START_FRACTION, _STAGE_FRACTION = 1 / 4, 1 / 25
# Iterations between two measurements of the residuals; one takes about as long as an iteration.
_EVERY = 10


class Splitting:
    """One image on its padded grid, to be solved for any number of PSFs.

    Parameters
    ----------
    image : array of 1 to 3 axes, and one more for planes that share the PSF, such as colours
        The blurred image; finite.
    reach : tuple of int
        Largest shape of a PSF: the grid is larger than the image by this much in total. It has an entry for each axis
        of the PSF; leading axes of the image beyond those count its planes.
    weight : array, shape of `image`, optional
        Weight of each pixel's data; 1 if not given.
    likelihood : {"gaussian", "poisson"}
        The data term.

    Attributes
    ----------
    num_iter, converged, primal, dual
        Of the last solution, as in `deconv.Solution`; the residuals as lists.
    residual : array
        Of the last solution, on the whole grid: weighted difference of the blurred estimate and the image.
    shape, grid : tuple of int
        Shape of the padded image, and of one of its planes.
    window : tuple of slice
        Where the image lies in the grid.
    scale : float
        Contrast of the image, the unit of steps and thresholds.
    """

    def __init__(
        self, image: Array, reach: tuple[int, ...], weight: Array | None = None, likelihood: Likelihood = "gaussian"
    ) -> None:
        xp = array_namespace(image)
        self.xp = xp
        planes = image.ndim - len(reach)
        self.grid = fast_shape(n + 2 * (m // 2) + 1 for n, m in zip(image.shape[planes:], reach, strict=True))
        self.shape = (*image.shape[:planes], *self.grid)
        # The image lies in the middle, so that the unknown outside is equally wide on all sides.
        corner = tuple((s - n) // 2 for s, n in zip(self.shape, image.shape, strict=True))
        self.window = tuple(slice(c, c + n) for c, n in zip(corner, image.shape, strict=True))
        self.image: Any = self.zeros(image)
        self.image[self.window] = image
        self.weight: Any = self.zeros(image)
        self.weight[self.window] = 1.0 if weight is None else weight
        total = float(xp.sum(self.weight))
        self.mean: Any = float(xp.sum(self.weight * self.image)) / total
        contrast = math.sqrt(float(xp.sum(self.weight * (self.image - self.mean) ** 2)) / total)
        # An image flat but for rounding has no contrast to compare with, and no gradients to shrink.
        self.scale: float = contrast if contrast > 1e-6 * abs(self.mean) else abs(self.mean) or 1.0
        self._split_data: Callable[..., None]
        self.data_weight: Any
        if likelihood == "poisson":
            self.image = xp.clip(self.image, min=0.0)
            self._split_data, self.data_weight = split_poisson, self.weight * (max(self.mean, 0.0) / _DATA_PENALTY)
        else:
            self._split_data, self.data_weight = split_data, self.weight / (self.weight + _DATA_PENALTY)
        # |transfer function of the forward differences|^2 on the half spectrum.
        self.laplacian: Any = sum(4.0 * xp.sin(math.pi * self._frequencies(a)) ** 2 for a in range(len(reach)))
        self.num_iter, self.converged = 0, False
        self.primal: list[float] = []
        self.dual: list[float] = []
        self.residual: Any = None

    def split_data(
        self, blurred: Result, image: Result, pull: Result, relax: float, s: Result, z: Result, out: Result
    ) -> None:
        """The step of the data term, a kernel of `deconv._core.kernels.splitting`."""
        self._split_data(blurred, image, pull, relax, s, z, out)

    def zeros(self, like: Array, *components: int) -> Result:
        """Zeros on the grid; with `components`, a field of that many components."""
        return self.xp.zeros((*components, *self.shape), dtype=like.dtype, device=device(like))

    def _frequencies(self, axis: int) -> Result:
        """Cycles per pixel along one axis of the half spectrum, shaped for broadcasting."""
        xp, n = self.xp, self.grid[axis]
        last = axis == len(self.grid) - 1
        k = xp.arange(n // 2 + 1 if last else n, dtype=self.image.dtype, device=device(self.image))
        # The sign does not matter here: only its sin^2 is used.
        return xp.reshape(k / n, tuple(-1 if a == axis else 1 for a in range(len(self.grid))))

    def default_weight(self, prior: Shrinkage, sigma: float) -> float:
        """Weight of a prior for noise of standard deviation `sigma`; at least what rounding calls for."""
        p = _degree(prior)
        weight: float = _STRENGTH ** (1 - p) / _GRADIENT_SCALE * sigma**2 / self.scale**p
        return max(weight, float(1e-6 * self.scale ** (2 - p)))

    def solve(
        self,
        psf: Array,
        prior: Prior,
        prior_weight: float,
        *,
        low: float = 0.0,
        high: float = math.inf,
        num_iter: int = 200,
        tol: float = 0.0,
        callback: Callable[[int, Any], object] | None = None,
    ) -> Result:
        """Restore the image with one PSF: the minimiser, cut to the frame.

        Parameters
        ----------
        psf : array
            Normalised, no larger than `reach`.
        prior : object
            As `deconv.priors` describes.
        prior_weight : float
            Weight of the prior.
        low, high : float
            Bounds.
        num_iter : int
            Iterations at most.
        tol : float
            Stop when both residuals are below it.
        callback : callable, optional
            ``callback(iteration, x)`` with the estimate on the whole grid, which it must not change.

        Returns
        -------
        array, shape of the image
        """
        self.num_iter, self.converged, self.primal, self.dual = 0, False, [], []
        run = Run(self, psf, low, high)
        iterate = partial(self._iterate, run, num_iter, callback)
        start = getattr(prior, "start", None)
        if start is not None:
            # With the weight that the same noise gives it.
            start_weight = prior_weight * (_STRENGTH * self.scale) ** (_degree(prior) - _degree(start))
            run.take(start, start_weight, _STEP)
            iterate(math.ceil(_START_FRACTION * num_iter), tol)
            fitted = getattr(prior, "fitted", None)
            prior = prior if fitted is None else fitted(self.cut(run.x, low, high))
        if _degree(prior) < 1:
            first, last = _STEPS
            for i in range(_STAGES):
                run.take(prior, prior_weight, first * (last / first) ** (i / (_STAGES - 1)))
                iterate(math.ceil(_STAGE_FRACTION * num_iter), 0.0)
        else:
            run.take(prior, prior_weight, _STEP)
        iterate(num_iter, tol)
        self.residual = (run.blurred - self.image) * self.weight
        return self.cut(run.x, low, high)

    def _iterate(
        self, run: "Run", num_iter: int, callback: Callable[[int, Any], object] | None, most: int, tol: float
    ) -> None:
        """Iterate `most` times, or until the residuals are below `tol`, but no more than `num_iter` times in all."""
        self.converged = False
        for _ in range(min(most, num_iter - self.num_iter)):
            measure = (self.num_iter + 1) % _EVERY == 0 or self.num_iter + 1 == num_iter
            residuals = run.iterate(measure)
            if callback is not None:
                callback(self.num_iter, run.x)
            self.num_iter += 1
            if residuals is not None:
                self.primal.append(residuals[0])
                self.dual.append(residuals[1])
                self.converged = max(residuals) < tol
                if self.converged:
                    return

    def cut(self, x: Array, low: float, high: float) -> Result:
        """The part of an estimate in the frame, within the bounds; a copy, so that callers cannot alter the solver."""
        xp = self.xp
        return xp.clip(xp.asarray(x[self.window], copy=True), low, high)


class Run:
    """The iterations for one PSF: the estimate, and s and z of its three splits (see `deconv._core.kernels.splitting`).

    Attributes
    ----------
    x, blurred : array
        The estimate on the whole grid, and that estimate blurred.
    """

    def __init__(self, solver: Splitting, psf: Array, low: float, high: float) -> None:
        self.solver = solver
        self.low, self.high = low, high
        self.transfer = Transfer(psf, solver.grid)
        self.prior: Shrinkage | None = None
        self.penalty = self.threshold = self.step = math.nan
        # Start from the image itself, its mean outside the frame and where nothing was measured.
        self.x: Any = solver.weight * solver.image + (1.0 - solver.weight) * solver.mean
        self.blurred: Any = self.transfer.forward(self.x)
        self.data: Any = solver.zeros(self.x)
        self.rest: Any = solver.zeros(self.x)
        axes, columns = len(solver.grid), solver.grid[-1]
        # The kernels take an image as rows, with the number of rows in a plane, and a field as components of that.
        self.layout = solver.grid[-2] if axes > 1 else 1, axes
        self.rows = partial(solver.xp.reshape, shape=(-1, columns))
        self.fields = partial(solver.xp.reshape, shape=(axes, -1, columns))

    def take(self, prior: Shrinkage, prior_weight: float, fraction: float) -> None:
        """Continue with this prior and weight; a step zeroes gradients below `fraction` of the contrast."""
        solver, xp = self.solver, self.solver.xp
        self.threshold = fraction * solver.scale
        self.step = _step(_degree(prior), self.threshold)
        before, self.penalty = self.penalty, prior_weight / self.step / _DATA_PENALTY
        if prior is not self.prior:
            self.prior = prior
            self.data_s, self.data_z = (xp.asarray(self.blurred, copy=True) for _ in range(2))
            self.box_s, self.box_z = (xp.asarray(self.x, copy=True) for _ in range(2))
            self.field_s = self._gradient_less(solver.zeros(self.x, len(solver.grid)))
            self.field_z = xp.asarray(self.field_s, copy=True)
        else:
            # The scaled duals s - z are forces divided by the penalty: keep the forces.
            for s, z in ((self.field_s, self.field_z), (self.box_s, self.box_z)):
                s -= z
                s *= before / self.penalty
                s += z
        otf = self.transfer.otf
        inverse = 1.0 / (xp.real(otf) ** 2 + xp.imag(otf) ** 2 + self.penalty * (solver.laplacian + 1.0))
        # The real factor is stored as complex too: NumPy multiplies mixed types at half the speed.
        self.from_data: Any = self.transfer.conj * inverse
        self.from_rest: Any = xp.astype(self.penalty * inverse, otf.dtype)

    def _gradient_less(self, field: Array) -> Result:
        """The gradient of the estimate minus a field."""
        out = self.solver.zeros(self.x, len(self.solver.grid))
        split_gradient(self.rows(self.x), 1.0, *self.layout, self.fields(out), self.fields(field))
        return out

    def iterate(self, measure: bool = False) -> tuple[float, float] | None:
        """Do one iteration; return the primal and the dual residual if `measure`, else None."""
        solver, rows, fields, prior = self.solver, self.rows, self.fields, self.prior
        assert prior is not None
        solver.split_data(
            self.blurred, solver.image, solver.data_weight, _RELAXATION, self.data_s, self.data_z, self.data
        )
        split_gradient(rows(self.x), _RELAXATION, *self.layout, fields(self.field_s), fields(self.field_z))
        prior.shrink(self.field_s, self.step, self.field_z)
        split_bounds(self.x, _RELAXATION, self.low, self.high, self.box_s, self.box_z)
        if hasattr(prior, "shrink_image"):
            prior.shrink_image(self.box_s, self.step, self.low, self.high, self.box_z)
        residuals = self._residuals() if measure else None
        self._sum(self.box_s, self.box_z, self.field_s, self.field_z)
        axes = len(solver.grid)
        spectrum = rfftn(self.rest, axes)
        spectrum *= self.from_rest
        fitted = rfftn(self.data, axes)
        fitted *= self.from_data
        spectrum += fitted
        fitted[...] = spectrum
        fitted *= self.transfer.otf
        self.blurred = irfftn(fitted, solver.grid)
        self.x = irfftn(spectrum, solver.grid)
        return residuals

    def _sum(self, s: Array, z: Array, field_s: Array, field_z: Array) -> None:
        """2 z - s plus the adjoint gradient of 2 z - s of the field, into `rest`."""
        rows, fields = self.rows, self.fields
        split_sum(rows(s), rows(z), fields(field_s), fields(field_z), *self.layout, rows(self.rest))

    def _residuals(self) -> tuple[float, float]:
        """Primal: how far the splits are from what they stand for. Dual: imbalance of the data's and prior's forces."""
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
        # Without noise both forces vanish. The denominator is at least a tenth of the prior's force on an image that
        # is edges everywhere.
        least = 0.1 * self.penalty * self.threshold * math.sqrt(math.prod(self.solver.shape))
        return primal, _norm(force + self.rest) / max(_norm(force), _norm(self.rest), least)


def _norm(x: Array) -> float:
    xp = array_namespace(x)
    flat = xp.reshape(x, (-1,))
    return math.sqrt(float(xp.vecdot(flat, flat)))


def _degree(prior: object) -> float:
    return float(getattr(prior, "degree", 1.0))


def _step(degree: float, threshold: float) -> float:
    """The step for which the proximal map of |w|^degree has this threshold."""
    if degree >= 1:
        return threshold
    rest = 2 * (1 - degree)
    return float((threshold * rest / (2 - degree)) ** (2 - degree) / rest)
