"""Restore an image, its colours together, with a PSF that may have errors.

It is the last step of the free-form pipeline, of natural images with a parametric PSF, and with a known PSF.

Total variation, the scene beyond the frame unknown, light between 0 and 1. Errors of the PSF are not camera noise, but
they leave a residual too: a first, nearly unregularised round measures both together, and what of its residual
compression does not explain (`deconv.blind.errors`) sets the weight of the prior. A pixel that the sensor clipped is
only a lower bound of the light. That matters for lamps at night, whose light exceeds the upper bound by far, but not
for paper.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from deconv import noise
from deconv._core.array import Array, Result, array_namespace, device, like
from deconv._core.kernels import shrink_tv
from deconv.blind.errors import with_residual
from deconv.blind.parts import Part, parts
from deconv.blind.settings.natural import Natural
from deconv.nonblind.splitting import Run, Splitting
from deconv.priors import TotalVariation

__all__ = ["restore"]

_DEFAULTS = Natural()


def restore(
    planes: Sequence[Array],
    psf: Array,
    *,
    prior: str,
    report: Callable[[float], None],
    stored: float = 0.0,
    caution: float = 1.0,
    settings: Natural = _DEFAULTS,
) -> tuple[list[Result], float]:
    """Restore the colours of an image together, with one PSF, one weight, and edges at the same places.

    Parameters
    ----------
    planes : sequence of arrays, each of shape (M, N)
        The colours, 1 being the level at which they are clipped.
    psf : array, shape (m, n)
        The PSF, centred at index ``n // 2``; sum 1.
    prior : {"text", "natural"}
        What the scene shows.
    report : callable
        ``report(fraction)``.
    stored : float
        Error of the light that storing the image left, as `deconv.blind.errors.storage_error` returns it.
    caution : float
        Factor of the weight of the prior; above 1 the restoration is milder.
    settings : Natural
        Weights and iterations.

    Returns
    -------
    list of array, shape (M, N)
        The restored planes: not negative, and at most 1 if the input is, because brighter light cannot be encoded.
    float
        RMS of the residual; pixels that may have been clipped count only for the light that the model lacks.
    """
    # A grey image stored as colour is restored once.
    kinds = [next(j for j in range(i + 1) if _equal(planes[j], planes[i])) for i in range(len(planes))]
    colours = [planes[i] for i in sorted(set(kinds))]
    psf = like(psf, planes[0])
    pieces = parts(planes[0].shape, psf.shape, settings.parts, len(colours))
    whole = _measured(colours)

    def weight(residual: float) -> float:
        error = with_residual(whole.sigma, settings.counted(prior, stored), residual, settings.residual)
        factor = caution * (settings.colours if len(colours) > 1 else 1.0)
        return factor * settings.weight(prior, error / whole.scale) * whole.scale

    sharp, rms = _in_parts(colours, pieces, psf, whole, weight, report, settings)
    order = sorted(set(kinds))
    copied = [order.index(kind) for kind in kinds]
    xp = array_namespace(planes[0])
    return [sharp[c] if copied.index(c) == i else xp.asarray(sharp[c], copy=True) for i, c in enumerate(copied)], rms


@dataclass(frozen=True)
class _Whole:
    """What holds for a whole image: the upper bound of its light, its contrast and the noise."""

    top: float
    scale: float
    sigma: float


def _measured(colours: Sequence[Array]) -> _Whole:
    xp = array_namespace(*colours)
    brightest = max(float(xp.max(colour)) for colour in colours)
    contrast = _rms([float(xp.std(colour)) for colour in colours])
    return _Whole(
        top=1.0 if brightest <= 1.0 else math.inf,
        # If every colour is flat, there is no contrast.
        scale=contrast if contrast > 1e-6 * brightest else max(1e-3 * brightest, 1e-6),
        sigma=_rms([noise.estimate(colour) for colour in colours]),
    )


def _in_parts(
    colours: Sequence[Array],
    pieces: Sequence[Part],
    psf: Array,
    whole: _Whole,
    weight: Callable[[float], float],
    report: Callable[[float], None],
    settings: Natural,
) -> tuple[list[Result], float]:
    """The restored colours, part by part, and the RMS residual; `weight` is that of the prior for a residual."""
    xp = array_namespace(*colours)
    first: list[float] = []
    if len(pieces) > 1:
        # All parts get one weight, so that no seam shows.
        for piece in pieces[:: math.ceil(len(pieces) / settings.parts.measured)]:
            first.append(_first_residual(_stack(colours, piece), psf, whole, settings))
    sharp = [xp.empty(colour.shape, dtype=colour.dtype, device=device(colour)) for colour in colours]
    left = []
    for n, piece in enumerate(pieces):
        share = partial(_share, report, n, len(pieces))
        restored, residual = _restored(_stack(colours, piece), psf, whole, first, weight, share, settings)
        for c, colour in enumerate(sharp):
            colour[piece.place] = (restored[c, ...] if restored.ndim == 3 else restored)[piece.inner]
        left.append(residual)
    return sharp, _rms(left)


def _restored(
    image: Array,
    psf: Array,
    whole: _Whole,
    first: Sequence[float],
    weight: Callable[[float], float],
    report: Callable[[float], None],
    settings: Natural,
) -> tuple[Result, float]:
    """A part restored, and its RMS residual; `first` are those of the first round, if that was measured elsewhere."""
    solver, run = _begun(image, psf, whole, settings)
    # Where the weight is known, the first round only shows whether there are lamps: the second converges without it.
    if not first or solver.clips:
        _first_round(solver, run, whole, report, settings)
    residual = _rms(first or [solver.rms(run.blurred)])
    _iterate(run, weight(residual), settings.iterations, settings.step, report, 0.4, 1.0)
    return solver.cut(run.x, 0.0, whole.top), solver.rms(run.blurred)


def _first_residual(image: Array, psf: Array, whole: _Whole, settings: Natural) -> float:
    """RMS residual of the first round."""
    solver, run = _begun(image, psf, whole, settings)
    _first_round(solver, run, whole, lambda _: None, settings)
    return solver.rms(run.blurred)


def _begun(image: Array, psf: Array, whole: _Whole, settings: Natural) -> tuple["_SensorClipping", Run]:
    level = settings.clipped if whole.top == 1.0 else math.inf
    solver = _SensorClipping(image, tuple(psf.shape), level, whole.scale)
    return solver, Run(solver, psf, 0.0, whole.top)


def _first_round(
    solver: "_SensorClipping", run: Run, whole: _Whole, report: Callable[[float], None], settings: Natural
) -> None:
    """The nearly unregularised round, and whether clipped pixels are lower bounds."""
    weight, count = settings.first_weight * whole.scale, settings.first_iterations
    _iterate(run, weight, count, settings.step, report, 0.0, 0.3)
    if solver.missing_light(run) > settings.lamps * whole.scale + whole.sigma / 2:
        solver.lower_bounds, run.high = True, math.inf
        _iterate(run, weight, count, settings.step, report, 0.3, 0.4)


def _iterate(
    run: Run,
    weight: float,
    iterations: int,
    step: float,
    report: Callable[[float], None],
    start: float,
    end: float,
) -> None:
    prior = run.prior
    if prior is None:
        prior = TotalVariation() if len(run.solver.shape) == 2 else _ColourTotalVariation()
    run.take(prior, weight, step)
    for i in range(iterations):
        run.iterate()
        report(start + (end - start) * (i + 1) / iterations)


def _stack(colours: Sequence[Array], piece: Part) -> Result:
    """One part of the colours: an array (C, M, N), or (M, N) of a single one."""
    if len(colours) == 1:
        return colours[0][piece.window]
    return array_namespace(*colours).stack([colour[piece.window] for colour in colours])


def _share(report: Callable[[float], None], part: int, count: int, done: float) -> None:
    report((part + done) / count)


def _rms(values: Sequence[float]) -> float:
    return math.sqrt(sum(value**2 for value in values) / len(values))


def _equal(a: Array, b: Array) -> bool:
    return bool(array_namespace(a).all(a == b))


class _ColourTotalVariation:
    """Total variation of colours together: one gradient of all of them."""

    def shrink(self, field: Result, step: float, out: Result) -> None:
        shrink_tv(field, step, field.shape[0] * field.shape[1], out)


class _SensorClipping(Splitting):
    """The splitting solver for an image whose pixels at or above a level may be lower bounds of the light.

    Parameters
    ----------
    image : array, shape (M, N) or (C, M, N)
        The blurred image.
    reach : tuple of int
        Shape of the PSF.
    level : float
        Level from which a pixel may be clipped.
    scale : float
        Contrast of the image.

    Attributes
    ----------
    lower_bounds : bool
        Whether such pixels count as lower bounds; if not, they are data like all others.
    clips : bool
        Whether there are any.
    """

    def __init__(self, image: Array, reach: tuple[int, ...], level: float, scale: float) -> None:
        super().__init__(image, reach)
        self.lower_bounds = False
        clipped: Any = image
        self.clips = bool(self.xp.any(clipped >= level))
        self._clipped = self.xp.astype(self.image >= level, self.image.dtype) * self.weight
        # The contrast may be that of a larger image, and each colour has its own mean.
        self.scale = scale
        self.mean = self.xp.mean(image, axis=(-2, -1), keepdims=True)

    def split_data(
        self, blurred: Result, image: Result, pull: Result, relax: float, s: Result, z: Result, out: Result
    ) -> None:
        if self.lower_bounds:
            ahead = s + relax * (blurred - z)
            image = image + self._clipped * self.xp.clip(ahead - image, min=0.0)
        super().split_data(blurred, image, pull, relax, s, z, out)

    def missing_light(self, run: Run) -> float:
        """RMS of the light that the model lacks where the scene is at its upper bound."""
        xp = self.xp
        at_top = run.transfer.forward(xp.astype(run.box_z >= run.high, self.image.dtype)) * self.weight
        at_top = xp.clip(at_top, min=0.0)
        missing = xp.clip(self.image - run.blurred, min=0.0)
        return math.sqrt(float(xp.sum(at_top * missing**2)) / max(float(xp.sum(at_top)), 1e-6))

    def rms(self, blurred: Result) -> float:
        """RMS of the residual; lower bounds count only for the light that the model lacks."""
        xp = self.xp
        rest = blurred - self.image
        if self.lower_bounds:
            rest = xp.where(self._clipped > 0, xp.clip(rest, max=0.0), rest)
        return math.sqrt(float(xp.sum(rest**2 * self.weight)) / float(xp.sum(self.weight)))
