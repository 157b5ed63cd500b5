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
from typing import Any

from deconv import noise
from deconv._core.array import Array, Result, array_namespace, like
from deconv._core.kernels import shrink_tv
from deconv.blind.errors import with_residual
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
    distinct = sorted(set(kinds))
    xp = array_namespace(planes[0])
    psf = like(psf, planes[0])
    image: Any
    tv: TotalVariation | _ColourTotalVariation
    if len(distinct) == 1:
        image, tv = planes[0], TotalVariation()
    else:
        image, tv = xp.stack([planes[i] for i in distinct]), _ColourTotalVariation()
    image, rms = _solve(image, psf, tv, prior, report, stored, caution, settings=settings)
    sharp = [image] if len(distinct) == 1 else [image[i, ...] for i in range(len(distinct))]
    return [xp.asarray(sharp[distinct.index(kind)], copy=True) for kind in kinds], rms


def _solve(
    image: Array,
    psf: Array,
    tv: "TotalVariation | _ColourTotalVariation",
    prior: str,
    report: Callable[[float], None],
    stored: float,
    caution: float,
    *,
    settings: Natural,
) -> tuple[Result, float]:
    """The restored plane, or stack of colours, and the RMS residual."""
    xp = array_namespace(image)
    planes = image.ndim == 3
    top = 1.0 if float(xp.max(image)) <= 1.0 else math.inf
    solver = _SensorClipping(image, tuple(psf.shape), settings.clipped if top == 1.0 else math.inf)
    run, sigma = Run(solver, psf, 0.0, top), noise.estimate(image, channel_axis=0 if planes else None)

    def iterate(weight: float, iterations: int, start: float, end: float) -> None:
        run.take(tv, weight, settings.step)
        for i in range(iterations):
            run.iterate()
            report(start + (end - start) * (i + 1) / iterations)

    first = settings.first_weight * solver.scale
    iterate(first, settings.first_iterations, 0.0, 0.3)
    if solver.missing_light(run) > settings.lamps * solver.scale + sigma / 2:
        solver.lower_bounds, run.high = True, math.inf
        iterate(first, settings.first_iterations, 0.3, 0.4)
    error = with_residual(sigma, settings.counted(prior, stored), solver.rms(run.blurred), settings.residual)
    weight = caution * settings.weight(prior, error / solver.scale) * solver.scale
    iterate(weight * settings.colours if planes else weight, settings.iterations, 0.4, 1.0)
    return solver.cut(run.x, 0.0, top), solver.rms(run.blurred)


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

    Attributes
    ----------
    lower_bounds : bool
        Whether such pixels count as lower bounds; if not, they are data like all others.
    """

    def __init__(self, image: Array, reach: tuple[int, ...], level: float) -> None:
        super().__init__(image, reach)
        self.lower_bounds = False
        self._clipped = self.xp.astype(self.image >= level, self.image.dtype) * self.weight
        self._split_data, self.split_data = self.split_data, self._split
        if image.ndim == 3:
            self._take_means_by_colour()

    def _take_means_by_colour(self) -> None:
        """Give each colour its own mean, and measure the contrast about these means."""
        xp = self.xp
        total, bright = (xp.sum(x, axis=(-2, -1), keepdims=True) for x in (self.weight, self.weight * self.image))
        self.mean = xp.where(total > 0, bright / xp.clip(total, min=1.0), self.mean)
        spread = math.sqrt(float(xp.sum(self.weight * (self.image - self.mean) ** 2)) / float(xp.sum(total)))
        # If every colour is flat, there is no contrast.
        self.scale = max(spread, 1e-3 * self.scale)

    def _split(
        self, blurred: Result, image: Result, pull: Result, relax: float, s: Result, z: Result, out: Result
    ) -> None:
        if self.lower_bounds:
            ahead = s + relax * (blurred - z)
            image = image + self._clipped * self.xp.clip(ahead - image, min=0.0)
        self._split_data(blurred, image, pull, relax, s, z, out)

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
