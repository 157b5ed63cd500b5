r"""The light over the frame: a smooth field fitted to the paper of one picture, and divided out.

The field is a polynomial of low degree in x and y and the distance d from the centre. It is fitted to
pixels known to be paper (the border, or a mask), or to all of them with the text rejected as it goes.

>>> import numpy as np, deconv
>>> paper = deconv.degrade.add_vignette(np.full((60, 80), 0.9), 0.4)
>>> light = deconv.vignette.fit(paper)
>>> bool(np.allclose(light.field(), paper))
True
"""

import functools
import math
from dataclasses import dataclass

import numpy as np

from deconv._core.array import _as_array, array_namespace, as_image, device, like, to_numpy, torch_door
from deconv._core.check import integer

__all__ = ["Vignette", "correct", "fit"]

# Samples along the longer side that the fit works on, each the mean of a block of pixels.
_GRID = 400
# The border of `where="border"`: outside this part of the half-widths, 40 % of the area.
_BORDER = math.sqrt(0.6)
# Tiles along each axis of which the first guess takes an upper quantile.
_TILES = 16
# Cut of the biweight in standard deviations: narrower than usual, for the grey skirts of text.
_CUT = 3.0
# What is left between a real field and its polynomial, as part of the paper's level.
_TRUE = 0.002
# All that lies near text is left out as well if this part of the picture remains, and if what was taken for
# paper there is darker than the fit by this part of the scale: 0.05 to 0.6 for blurred text, below 0.01 for sharp.
_APART = 0.2
_SKIRT = 0.04
# Weight of the misfit that holds back the terms of higher degree. On photographs of blurred text the light found in
# the middle moves by 1.5 % over a range of weights from 1 to 1e5; with none it is off by 20 %.
_HOLD = 100.0
# The scale of the rejection to begin with, as part of the paper's level.
_COARSE = 0.03


@dataclass(frozen=True)
class Vignette:
    """The light over the frame, as `fit` found it.

    Attributes
    ----------
    coefficients : tuple of float
        One for each of `terms`.
    terms : tuple of str
        What they multiply: x and y run from -1 to 1 over the frame, d from 0 at the centre to 1 in the corners.
    degree : int
        Degree of the polynomial in x and y.
    shape : (int, int)
        Shape of the picture it was fitted to.
    rms : float
        Root mean square of the residual over the samples used (block means, so the noise is averaged down).
    used : float
        Part of the picture's samples that the fit used, 0 to 1.
    """

    coefficients: tuple
    terms: tuple
    degree: int
    shape: tuple
    rms: float
    used: float

    def field(self, shape=None, *, like=None):
        """The light at every pixel.

        Parameters
        ----------
        shape : (int, int), optional
            Pixels along both axes over the same frame; the shape of the fitted picture by default.
        like : array, optional
            Array whose library, device and floating type the result takes (float64 NumPy by default).

        Returns
        -------
        array, shape `shape`
            The field, in the units of the fitted picture.

        Raises
        ------
        TypeError
            If `shape` is no pair of integers.
        ValueError
            If `shape` is not positive.
        """
        shape = self.shape if shape is None else shape
        if not isinstance(shape, (tuple, list)) or len(shape) != 2:
            raise TypeError(f"shape must be two integers, got {shape!r}")
        shape = tuple(integer(n, "shape", low=1, high=2**31) for n in shape)
        reference = np.empty(0) if like is None else like
        xp = array_namespace(reference)
        kind = {"dtype": xp.float64 if reference.dtype == xp.float64 else xp.float32, "device": device(reference)}
        y, x = _axis(shape[0]), _axis(shape[1])
        square = np.zeros((self.degree + 1, self.degree + 1))
        powers, radial = _powers(self.degree), _radial(self.degree)
        for (i, j), c in zip(powers, self.coefficients[: len(powers)], strict=True):
            square[j, i] = c
        # A sum of products of rows and columns, so the full frame costs one small matrix product.
        rows = np.stack([y**j for j in range(self.degree + 1)], axis=1) @ square
        columns = np.stack([x**i for i in range(self.degree + 1)])
        out = xp.asarray(rows, **kind) @ xp.asarray(columns, **kind)
        a, b = _aspect(self.shape)
        d2 = xp.asarray((b * y)[:, None] ** 2, **kind) + xp.asarray((a * x)[None, :] ** 2, **kind)
        for power, c in zip(radial, self.coefficients[len(powers) :], strict=True):
            out = out + c * d2 ** (power / 2)
        return out


@torch_door
def fit(image, *, where=None, degree=4, foreground="dark"):
    """Fit the light over the frame to the paper of a picture.

    Parameters
    ----------
    image : array, shape (M, N)
        The picture. NaN pixels are left out.
    where : None, "border" or array of bool, shape (M, N)
        Which pixels are paper. ``"border"``: the outer 40 % of the area; an array: where it is True. These
        pixels are fitted, and fitted again without the worst tenth. None: found by rejecting the `foreground`.
    degree : int, default 4
        Degree of the polynomial in x and y, 0 to 6.
    foreground : {"dark", "bright", None}
        What is to be rejected when `where` is None: text darker or brighter than its paper, or nothing but the
        worst tenth.

    Returns
    -------
    Vignette
        The field, its coefficients and how well it fits.

    Raises
    ------
    TypeError
        If `image` is no array of real numbers, or `degree` no integer.
    ValueError
        If a shape or a value is out of range, or too few pixels are left to fit.

    Notes
    -----
    Least squares on block means, always in float64: in float32 the normal equations lose a digit. The rejection
    starts from an upper quantile of each tile of the picture and, a second time, from the border; both are refined
    by reweighting with Tukey's biweight [1]_, whose scale comes from the residuals on the paper's side of the fit,
    where no text is, and the one that more of the picture agrees with is kept. What lies near blurred text is then
    left out too, for its skirts; and where even that finds nothing as flat as paper, smaller blocks are tried.

    References
    ----------
    .. [1] A. E. Beaton, J. W. Tukey, "The fitting of power series, meaning polynomials, illustrated on
       band-spectroscopic data", Technometrics 16, 147-185 (1974), :doi:`10.1080/00401706.1974.10489171`

    Examples
    --------
    >>> import numpy as np, deconv
    >>> text = deconv.degrade.text_picture("Deconv", shape=(80, 240))
    >>> photo = deconv.degrade.add_vignette(0.2 + 0.7 * text, 0.4)
    >>> error = deconv.vignette.fit(photo).field() / deconv.degrade.add_vignette(np.full((80, 240), 0.9), 0.4) - 1
    >>> bool(np.abs(error).max() < 1e-3)
    True
    """
    image = as_image(image, nan="mask")
    degree = integer(degree, "degree", low=0, high=6)
    if foreground not in ("dark", "bright", None):
        raise ValueError(f"foreground must be 'dark', 'bright' or None, got {foreground!r}")
    xp = array_namespace(image)
    mask = _mask(image, where)
    block = max(1, min(math.ceil(max(image.shape) / _GRID), min(image.shape) // 16))
    problem = _problem(image, mask, degree, block, block)
    if isinstance(where, str):
        problem.weight = xp.where(problem.border, problem.weight, 0.0)
    if problem.size < 2 * problem.basis.shape[-1]:
        terms = problem.basis.shape[-1]
        raise ValueError(f"image leaves {problem.size} places to fit {terms} terms; lower degree or widen where")
    if where is None and foreground is not None:
        sign = 1.0 if foreground == "dark" else -1.0
        coefficients, keep, scale = _reject(problem, sign)
        if block > 1 and scale > 5 * _TRUE * problem.level:
            # Nothing as flat as paper: letters so small that every block holds some. Then look between them.
            cell = max(1, block // 3)
            fine = _problem(image, mask, degree, block, cell)
            again = _reject(fine, sign)
            # White noise alone would grow with the smaller cell.
            if again[2] * cell < scale * block / 1.5:
                problem, (coefficients, keep, _) = fine, again
    else:
        coefficients, keep = _trim(problem)
    residual = problem.residual(coefficients)
    total = float(xp.sum(keep))
    return Vignette(
        coefficients=tuple(coefficients.tolist()),
        terms=_terms(degree),
        degree=degree,
        shape=tuple(image.shape),
        rms=math.sqrt(float(xp.sum(keep * residual**2)) / total),
        used=total / math.prod(problem.samples.shape),
    )


@torch_door
def correct(image, *, mode="divide", where=None, degree=4, foreground="dark", channel_axis=None):
    """The picture under even light.

    Parameters
    ----------
    image : array, shape (M, N[, C])
        The picture, in light (see `tone.decode`). NaN pixels are left out of the fit and stay NaN.
    mode : {"divide", "subtract"}
        Divide by the light over the frame, as physics has it, or subtract it. The paper keeps its mean level.
    where : None, "border" or array of bool, shape (M, N)
        Which pixels are paper, as for `fit`.
    degree : int, default 4
        Degree of the polynomial, as for `fit`.
    foreground : {"dark", "bright", None}
        What is to be rejected, as for `fit`.
    channel_axis : int, optional
        Axis of colours; each is fitted by itself.

    Returns
    -------
    array
        The same shape; float64 stays float64, everything else becomes float32.

    Raises
    ------
    TypeError
        If `image` is no array of real numbers, or `degree` no integer.
    ValueError
        If `mode` is another, a shape or value is out of range, or too few pixels are left to fit.

    Examples
    --------
    >>> import numpy as np, deconv
    >>> paper = deconv.degrade.add_vignette(np.full((60, 80), 0.9), 0.4)
    >>> bool(np.ptp(deconv.vignette.correct(paper)) < 1e-6)
    True
    """
    if mode not in ("divide", "subtract"):
        raise ValueError(f"mode must be 'divide' or 'subtract', got {mode!r}")
    image = as_image(image, channel_axis=channel_axis, nan="mask")
    xp = array_namespace(image)
    planes = [image] if channel_axis is None else list(xp.unstack(image, axis=channel_axis))
    out = []
    for plane in planes:
        light = fit(plane, where=where, degree=degree, foreground=foreground).field(like=plane)
        level = float(xp.mean(light))
        if mode == "subtract":
            out.append(plane - light + level)
        else:
            # An extrapolated field may reach zero; light does not.
            out.append(plane * (level / xp.maximum(light, like(np.asarray(0.01 * float(xp.max(light))), light))))
    return out[0] if channel_axis is None else xp.stack(out, axis=channel_axis)


class _Problem:
    """Weighted least squares of samples on a basis, in float64."""

    def __init__(self, samples, weight, basis, border, freedom):
        self.xp = array_namespace(samples)
        self.samples, self.weight, self.basis, self.border, self.freedom = samples, weight, basis, border, freedom

    @property
    def size(self):
        """Number of samples with any weight."""
        return int(self.xp.sum(self.xp.astype(self.weight > 0, self.xp.int64)))

    @functools.cached_property
    def level(self):
        """Median brightness."""
        return self.median(abs(self.samples), self.weight > 0)

    def solve(self, weight):
        """Coefficients (on the host) of the fit with these weights.

        The terms beyond degree 2 are held back as far as the plain fit misses the samples over whole tiles: a real
        field is no polynomial, and where there is nothing to fit, under blurred text, those terms would run away.
        """
        xp, n = self.xp, self.basis.shape[-1]
        columns = xp.reshape(self.basis, (-1, n))
        weighted = (columns * xp.reshape(weight, (-1, 1))).T
        gram = to_numpy(weighted @ columns)
        right = to_numpy(weighted @ xp.reshape(self.samples, (-1, 1)))[:, 0]
        plain = _solve(gram, right)
        hold = _HOLD * self.misfit(weight, self.residual(plain)) * float(xp.sum(weight))
        return _solve(gram + np.diag(hold / np.asarray(self.freedom) ** 2), right)

    def misfit(self, weight, residual):
        """Square of the mean residual of a tile, as part of the level, over the number of tiles."""
        xp = self.xp
        tiles, t, s = _tiled(weight)
        share = xp.sum(tiles, axis=-1)
        known = share > 0.1 * t * s
        mean = xp.sum(_tiled(weight * residual)[0], axis=-1) / xp.where(known, share, 1.0)
        count = float(xp.sum(xp.astype(known, residual.dtype)))
        if count == 0 or self.level == 0:
            return 0.0
        return float(xp.sum(xp.where(known, mean**2, 0.0))) / (count * self.level) ** 2

    def residual(self, coefficients):
        """Samples less the fit."""
        return self.samples - self.basis @ like(coefficients, self.samples)

    def biweight(self, residual, scale):
        """Tukey's weights of the samples: 1 on the fit, 0 beyond the cut."""
        return self.weight * self.xp.clip(1 - (residual / (_CUT * scale)) ** 2, min=0.0) ** 2

    def thinned(self, step):
        """The problem of every `step`-th sample along both axes, if that leaves enough of them."""
        fewer = _Problem(
            *(a[::step, ::step, ...] for a in (self.samples, self.weight, self.basis, self.border)), self.freedom
        )
        return fewer if fewer.size >= 10 * self.basis.shape[-1] else self

    def median(self, values, chosen):
        """Median of `values` where `chosen`."""
        xp = self.xp
        count = int(xp.sum(xp.astype(chosen, xp.int64)))
        ordered = xp.sort(xp.reshape(xp.where(chosen, values, math.inf), (-1,)))
        return float(ordered[count // 2]) if count else 0.0


def _trim(problem):
    """The fit, and the fit again without the worst tenth."""
    xp = problem.xp
    miss = xp.abs(problem.residual(problem.solve(problem.weight)))
    ordered = xp.sort(xp.reshape(xp.where(problem.weight > 0, miss, math.inf), (-1,)))
    keep = xp.where(miss <= ordered[int(0.9 * (problem.size - 1))], problem.weight, 0.0)
    return problem.solve(keep), keep


def _reject(problem, sign):
    """The fit to the paper alone: `sign` is 1 where text is darker than paper, -1 where it is brighter."""
    xp = problem.xp
    # A quarter of the samples decides between the two starts, all of them finish.
    few = problem.thinned(2)
    tiles, frame = _starts(problem, sign)
    found = [_refine(few, tiles, sign, coarse=_COARSE), _refine(few, frame, sign, coarse=_TRUE)]
    scale = min(scale for _, scale in found)
    votes = [float(xp.sum(few.biweight(few.residual(c), scale))) for c, _ in found]
    coefficients, _ = found[votes.index(max(votes))]
    coefficients, scale = _refine(problem, coefficients, sign, coarse=_TRUE)
    keep = problem.biweight(problem.residual(coefficients), scale)
    if (apart := _apart(problem, sign * problem.residual(coefficients), keep, scale)) is not None:
        problem = apart
        coefficients, scale = _refine(problem, coefficients, sign, coarse=_TRUE)
        keep = problem.biweight(problem.residual(coefficients), scale)
    return coefficients, keep, scale


def _apart(problem, residual, keep, scale):
    """The problem without all that lies near text, or None if the text has no skirts.

    The skirts of blurred text are too faint to be rejected one by one, but between them darker than paper.
    """
    xp = problem.xp
    limit = _CUT * scale
    near = _box(xp.where(problem.weight > 0, xp.clip(residual, min=-limit, max=limit), 0.0), 3) < -scale
    near = _box(xp.astype(near, residual.dtype), 3) > 0
    skirts = xp.where(near, keep, 0.0)
    darkness = -float(xp.sum(skirts * residual))
    weight = xp.where(near, 0.0, problem.weight)
    enough = float(xp.sum(weight)) > _APART * float(xp.sum(problem.weight))
    if not enough or darkness <= _SKIRT * scale * float(xp.sum(skirts)):
        return None
    return _Problem(problem.samples, weight, problem.basis, problem.border, problem.freedom)


def _box(values, reach):
    """Mean over the square of `reach` samples to each side; zero goes on outside."""
    xp = array_namespace(values)
    for axis in (0, 1):
        n = values.shape[axis]
        shape = list(values.shape)
        shape[axis] = reach
        edge = xp.zeros(tuple(shape), dtype=values.dtype, device=device(values))
        wide = xp.concat([edge, values, edge], axis=axis)
        values = sum(wide[k : k + n, :] if axis == 0 else wide[:, k : k + n] for k in range(2 * reach + 1))
        values = values / (2 * reach + 1)
    return values


def _starts(problem, sign):
    """Two first guesses: an upper quantile of each tile (text everywhere), the border (text in the middle)."""
    xp = problem.xp
    values = xp.where(problem.weight > 0, sign * problem.samples, -math.inf)
    tiles, t, s = _tiled(values)
    rows, columns, count = tiles.shape
    paper = xp.sort(tiles, axis=-1)[:, :, (3 * count) // 4]
    known = xp.isfinite(paper)
    basis = problem.basis[t // 2 :: t, s // 2 :: s, :][:rows, :columns, :]
    coarse = _Problem(xp.where(known, sign * paper, 0.0), xp.astype(known, paper.dtype), basis, known, problem.freedom)
    return coarse.solve(coarse.weight), problem.solve(xp.where(problem.border, problem.weight, 0.0))


def _refine(problem, coefficients, sign, coarse):
    """Reweight until the scale of the residuals on the paper's side settles; the fit and that scale.

    The scale comes down from the part `coarse` of the paper's level, lest a rough first guess lose a corner
    for good.
    """
    level, scale = problem.level, math.inf
    for _ in range(20):
        residual = sign * problem.residual(coefficients)
        before, scale = scale, 1.4826 * problem.median(residual, (residual > 0) & (problem.weight > 0))
        # No finer than the model is true, or it would reject the corners as text one after the other.
        scale = max(scale, coarse * level, 1e-30)
        coefficients = problem.solve(problem.biweight(residual, scale))
        if coarse == _TRUE and abs(scale - before) < 3e-3 * scale:
            break
        coarse = max(coarse / 2, _TRUE)
    return coefficients, scale


def _tiled(values):
    """`values` by tiles, shape (rows, columns, values in a tile), and a tile's height and width."""
    xp = array_namespace(values)
    height, width = values.shape
    t, s = max(1, height // _TILES), max(1, width // _TILES)
    rows, columns = height // t, width // s
    tiles = xp.reshape(values[: rows * t, : columns * s], (rows, t, columns, s))
    return xp.reshape(xp.permute_dims(tiles, (0, 2, 1, 3)), (rows, columns, t * s)), t, s


def _solve(gram, right):
    """Solution of the normal equations, their unknowns scaled alike."""
    scale = np.sqrt(np.diag(gram)) + 1e-300
    return np.linalg.lstsq(gram / np.outer(scale, scale), right / scale, rcond=1e-13)[0] / scale


def _mask(image, where):
    """Where `image` may be used: True everywhere (None), or an array."""
    xp = array_namespace(image)
    measured = ~xp.isnan(image)
    if where is None or isinstance(where, str):
        if isinstance(where, str) and where != "border":
            raise ValueError(f"where must be None, 'border' or an array of bool, got {where!r}")
        return measured
    where = _as_array(where, "where")
    array_namespace(image, where)
    if tuple(where.shape) != tuple(image.shape):
        raise ValueError(f"where has shape {tuple(where.shape)}, but image has shape {tuple(image.shape)}")
    if not xp.isdtype(where.dtype, "bool"):
        raise TypeError(f"where must hold booleans, got dtype {where.dtype}")
    return measured & where


def _problem(image, mask, degree, block, cell):
    """The samples of `image` and the terms at their places, all float64.

    A sample is the mean of the measured pixels of a cell, one such cell in each block of pixels.
    """
    xp = array_namespace(image)
    height, width = image.shape
    rows, columns = height // block, width // block

    def total(a):
        a = sum(a[k : rows * block : block, :] for k in range(cell))
        a = xp.astype(a, xp.float64)
        return sum(a[:, k : columns * block : block] for k in range(cell))

    weight = total(xp.astype(mask, image.dtype))
    samples = total(xp.where(mask, image, 0.0)) / xp.where(weight > 0, weight, 1.0)
    kind = {"dtype": xp.float64, "device": device(image)}
    y = ((xp.arange(rows, **kind) * (2 * block) + cell) / height - 1)[:, None]
    x = ((xp.arange(columns, **kind) * (2 * block) + cell) / width - 1)[None, :]
    a, b = _aspect(image.shape)
    d = xp.sqrt((a * x) ** 2 + (b * y) ** 2)
    basis = xp.stack([*(x**i * y**j for i, j in _powers(degree)), *(d**k for k in _radial(degree))], axis=-1)
    border = (xp.abs(x) > _BORDER) | (xp.abs(y) > _BORDER)
    freedom = [math.inf if i + j <= 2 else 0.1 for i, j in _powers(degree)] + [0.02, 0.2][: len(_radial(degree))]
    return _Problem(samples, weight / cell**2, basis, border, freedom)


def _powers(degree):
    """Exponents (of x, of y) of the polynomial's terms."""
    return [(total - j, j) for total in range(degree + 1) for j in range(total + 1)]


def _radial(degree):
    """Powers of d among the terms: the sixth lets the light of a real lens fall in the very corners."""
    return (1, 6) if degree >= 4 else (1,)


def _terms(degree):
    def factor(name, power):
        return f"{name}^{power}" if power > 1 else name * power

    polynomial = (" ".join(filter(None, (factor("x", i), factor("y", j)))) or "1" for i, j in _powers(degree))
    return (*polynomial, *(factor("d", k) for k in _radial(degree)))


def _axis(n):
    """Positions of n pixels' centres from -1 to 1."""
    return (2 * np.arange(n) + 1) / n - 1


def _aspect(shape):
    """What x and y count for in the distance from the centre, 1 in the corners."""
    diagonal = math.hypot(*shape)
    return shape[1] / diagonal, shape[0] / diagonal
