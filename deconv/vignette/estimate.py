"""Estimate the light over the frame from the paper of one image, with text rejected as outliers."""

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from deconv._core.array import Array, Result, accepts_torch, array_namespace, as_array, as_image, device, like
from deconv._core.check import integer
from deconv.vignette.least_squares import BIWEIGHT_CUT, LeastSquares, into_tiles, sample
from deconv.vignette.model import Vignette, term_names

__all__ = ["correct", "fit"]

# Samples along the longer side that the fit works on, each the mean of a block of pixels.
_SAMPLES = 400
# Typical difference between a real field and its polynomial, as a fraction of the paper's level.
_MODEL_ERROR = 0.002
# Pixels near text are excluded as well if at least this fraction of the image remains ...
_MIN_REMAINING = 0.2
# ... and if those of them taken for paper are darker than the fit by at least this fraction of the residuals' scale:
# it is 0.05 to 0.6 for blurred text and below 0.01 for sharp text.
_MIN_SKIRT = 0.04
# Initial scale of the rejection, as a fraction of the paper's level.
_INITIAL_SCALE = 0.03


@accepts_torch
def fit(
    image: Array,
    *,
    where: Literal["border"] | Array | None = None,
    degree: int = 4,
    foreground: Literal["dark", "bright"] | None = "dark",
) -> Vignette:
    """Fit the light over the frame to the paper of an image.

    Parameters
    ----------
    image : array, shape (M, N)
        The image. NaN pixels are ignored.
    where : None, "border" or array of bool, shape (M, N)
        Which pixels are paper. ``"border"``: the outer 40 % of the area; an array: where it is True. The fit to these
        pixels is repeated without the worst tenth. None: all pixels, with the `foreground` rejected.
    degree : int, default 4
        Degree of the polynomial in x and y, 0 to 6.
    foreground : {"dark", "bright", None}
        What to reject if `where` is None: text darker or brighter than its paper, or only the worst tenth of all
        pixels.

    Returns
    -------
    Vignette
        The light, its coefficients and how well it fits.

    Raises
    ------
    TypeError
        If `image` is not an array of real numbers, or `degree` not an integer.
    ValueError
        If a shape or a value is out of range, or too few pixels remain to fit.

    Notes
    -----
    Least squares on block means, always in float64: in float32 the normal equations lose a digit. The rejection
    starts once from an upper quantile of each tile of the image, and once from the border. Both fits are refined by
    iterative reweighting with Tukey's biweight [1]_; its scale comes from the residuals on the side of the fit where
    there is paper but no text. The fit that agrees with more of the image is kept. Pixels near blurred text are then
    excluded too, because of its skirts. If not even that leaves residuals as small as those of paper, smaller blocks
    are tried.

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
    block = max(1, min(math.ceil(max(image.shape) / _SAMPLES), min(image.shape) // 16))
    problem = sample(image, mask, degree, block, block)
    if isinstance(where, str):
        problem.weight = xp.where(problem.border, problem.weight, 0.0)
    if problem.size < 2 * problem.basis.shape[-1]:
        terms = problem.basis.shape[-1]
        raise ValueError(f"image leaves {problem.size} places to fit {terms} terms; lower degree or widen where")
    if where is None and foreground is not None:
        sign = 1.0 if foreground == "dark" else -1.0
        coefficients, weight, scale = _fit_rejecting_text(problem, sign)
        if block > 1 and scale > 5 * _MODEL_ERROR * problem.level:
            # Nothing is as even as paper: the letters are so small that every block contains some. Look between them.
            cell = max(1, block // 3)
            fine = sample(image, mask, degree, block, cell)
            refit = _fit_rejecting_text(fine, sign)
            # White noise alone would grow with the smaller cell.
            if refit[2] * cell < scale * block / 1.5:
                problem, (coefficients, weight, _) = fine, refit
    else:
        coefficients, weight = _fit_trimmed(problem)
    residual = problem.residual(coefficients)
    total = float(xp.sum(weight))
    return Vignette(
        coefficients=tuple(coefficients.tolist()),
        terms=term_names(degree),
        degree=degree,
        shape=tuple(image.shape),
        rms=math.sqrt(float(xp.sum(weight * residual**2)) / total),
        used=total / math.prod(problem.samples.shape),
    )


@accepts_torch
def correct(
    image: Array,
    *,
    mode: Literal["divide", "subtract"] = "divide",
    where: Literal["border"] | Array | None = None,
    degree: int = 4,
    foreground: Literal["dark", "bright"] | None = "dark",
    channel_axis: int | None = None,
) -> Result:
    """Even out the light over an image.

    Parameters
    ----------
    image : array, shape (M, N) or, with `channel_axis`, (M, N, C)
        The image, linear in light (see `tone.decode`). NaN pixels are ignored by the fit and stay NaN.
    mode : {"divide", "subtract"}
        Divide by the light over the frame, which is the physical model, or subtract it. The mean level of the paper
        is kept.
    where : None, "border" or array of bool, shape (M, N)
        Which pixels are paper, as in `fit`.
    degree : int, default 4
        Degree of the polynomial, as in `fit`.
    foreground : {"dark", "bright", None}
        What to reject, as in `fit`.
    channel_axis : int, optional
        Colour axis; each channel is fitted separately.

    Returns
    -------
    array
        The same shape; float64 stays float64, everything else becomes float32.

    Raises
    ------
    TypeError
        If `image` is not an array of real numbers, or `degree` not an integer.
    ValueError
        If `mode` is unknown, a shape or a value is out of range, or too few pixels remain to fit.

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
            # An extrapolated polynomial may reach zero; light does not.
            out.append(plane * (level / xp.maximum(light, like(np.asarray(0.01 * float(xp.max(light))), light))))
    return out[0] if channel_axis is None else xp.stack(out, axis=channel_axis)


def _mask(image: Result, where: str | Array | None) -> Result:
    """Which pixels of `image` may be used: those that are not NaN and, if `where` is an array, where it is True."""
    xp = array_namespace(image)
    measured = ~xp.isnan(image)
    if where is None or isinstance(where, str):
        if isinstance(where, str) and where != "border":
            raise ValueError(f"where must be None, 'border' or an array of bool, got {where!r}")
        return measured
    chosen = as_array(where, "where")
    array_namespace(image, chosen)
    if tuple(chosen.shape) != tuple(image.shape):
        raise ValueError(f"where has shape {tuple(chosen.shape)}, but image has shape {tuple(image.shape)}")
    if not xp.isdtype(chosen.dtype, "bool"):
        raise TypeError(f"where must hold booleans, got dtype {chosen.dtype}")
    return measured & chosen


def _fit_trimmed(problem: LeastSquares) -> tuple[NDArray[np.float64], Result]:
    """Coefficients and weights of a fit that is repeated without the worst tenth of the samples."""
    xp = problem.xp
    error = xp.abs(problem.residual(problem.solve(problem.weight)))
    ordered = xp.sort(xp.reshape(xp.where(problem.weight > 0, error, math.inf), (-1,)))
    weight = xp.where(error <= ordered[int(0.9 * (problem.size - 1))], problem.weight, 0.0)
    return problem.solve(weight), weight


def _fit_rejecting_text(problem: LeastSquares, sign: float) -> tuple[NDArray[np.float64], Result, float]:
    """Coefficients, weights and residual scale of the fit to the paper alone.

    `sign` is 1 for text darker than its paper, -1 for brighter text.
    """
    xp = problem.xp
    # A quarter of the samples decides between the two starts; all samples are used for the final fit.
    coarse = problem.thinned(2)
    from_tiles, from_border = _initial_fits(problem, sign)
    candidates = [
        _reweight(coarse, from_tiles, sign, least_scale=_INITIAL_SCALE),
        _reweight(coarse, from_border, sign, least_scale=_MODEL_ERROR),
    ]
    scale = min(scale for _, scale in candidates)
    votes = [float(xp.sum(coarse.biweight(coarse.residual(c), scale))) for c, _ in candidates]
    coefficients, _ = candidates[votes.index(max(votes))]
    coefficients, scale = _reweight(problem, coefficients, sign, least_scale=_MODEL_ERROR)
    weight = problem.biweight(problem.residual(coefficients), scale)
    reduced = _without_skirts(problem, sign * problem.residual(coefficients), weight, scale)
    if reduced is not None:
        coefficients, scale = _reweight(reduced, coefficients, sign, least_scale=_MODEL_ERROR)
        weight = reduced.biweight(reduced.residual(coefficients), scale)
    return coefficients, weight, scale


def _without_skirts(problem: LeastSquares, residual: Result, weight: Result, scale: float) -> LeastSquares | None:
    """The problem without the surroundings of text, or None if the text has no skirts.

    The skirts of blurred text are too faint to be rejected sample by sample, but on average darker than paper.
    """
    xp = problem.xp
    limit = BIWEIGHT_CUT * scale
    near_text = _box_mean(xp.where(problem.weight > 0, xp.clip(residual, min=-limit, max=limit), 0.0), 3) < -scale
    near_text = _box_mean(xp.astype(near_text, residual.dtype), 3) > 0
    skirts = xp.where(near_text, weight, 0.0)
    darkness = -float(xp.sum(skirts * residual))
    remaining = xp.where(near_text, 0.0, problem.weight)
    enough = float(xp.sum(remaining)) > _MIN_REMAINING * float(xp.sum(problem.weight))
    if not enough or darkness <= _MIN_SKIRT * scale * float(xp.sum(skirts)):
        return None
    return LeastSquares(problem.samples, remaining, problem.basis, problem.border, problem.prior_std)


def _box_mean(values: Result, radius: int) -> Result:
    """Mean over a square of `radius` samples to each side, with zeros outside the array."""
    xp = array_namespace(values)
    for axis in (0, 1):
        n = values.shape[axis]
        shape = list(values.shape)
        shape[axis] = radius
        edge = xp.zeros(tuple(shape), dtype=values.dtype, device=device(values))
        padded = xp.concat([edge, values, edge], axis=axis)
        values = sum(padded[k : k + n, :] if axis == 0 else padded[:, k : k + n] for k in range(2 * radius + 1))
        values = values / (2 * radius + 1)
    return values


def _initial_fits(problem: LeastSquares, sign: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Two first fits: to an upper quantile of each tile, for text everywhere, and to the border, for text inside."""
    xp = problem.xp
    values = xp.where(problem.weight > 0, sign * problem.samples, -math.inf)
    tiles, t, s = into_tiles(values)
    rows, columns, count = tiles.shape
    paper = xp.sort(tiles, axis=-1)[:, :, (3 * count) // 4]
    known = xp.isfinite(paper)
    basis = problem.basis[t // 2 :: t, s // 2 :: s, :][:rows, :columns, :]
    samples, weight = xp.where(known, sign * paper, 0.0), xp.astype(known, paper.dtype)
    by_tile = LeastSquares(samples, weight, basis, known, problem.prior_std)
    return by_tile.solve(by_tile.weight), problem.solve(xp.where(problem.border, problem.weight, 0.0))


def _reweight(
    problem: LeastSquares, coefficients: NDArray[np.float64], sign: float, least_scale: float
) -> tuple[NDArray[np.float64], float]:
    """Reweight until the scale of the residuals on the paper's side settles; return the fit and that scale.

    The scale starts no lower than `least_scale`, a fraction of the paper's level, and this bound is halved in each
    iteration; otherwise a rough first fit could reject a corner for good.
    """
    level, scale = problem.level, math.inf
    for _ in range(20):
        residual = sign * problem.residual(coefficients)
        before, scale = scale, 1.4826 * problem.median(residual, (residual > 0) & (problem.weight > 0))
        # Never below the error of the model, or the corners would be rejected as text one after the other.
        scale = max(scale, least_scale * level, 1e-30)
        coefficients = problem.solve(problem.biweight(residual, scale))
        if least_scale == _MODEL_ERROR and abs(scale - before) < 3e-3 * scale:
            break
        least_scale = max(least_scale / 2, _MODEL_ERROR)
    return coefficients, scale
