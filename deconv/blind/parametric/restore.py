"""Total variation with a parametric PSF, on a grid as coarse as the blur allows."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from deconv import noise
from deconv._core.array import Array, Result, array_namespace, like
from deconv._core.resample import at_scale, enlarge
from deconv.blind.errors import with_residual
from deconv.blind.natural import restore
from deconv.blind.parametric.families import Candidate
from deconv.blind.settings import Settings
from deconv.blind.settings.general import Deconvolution
from deconv.nonblind.splitting import Splitting
from deconv.priors import TotalVariation

__all__ = ["deconvolve", "prior_weight", "restore_planes", "to_shape"]


def deconvolve(
    image: Array,
    candidate: Candidate,
    settings: Deconvolution,
    report: Callable[[float], None],
    high: float = math.inf,
    stored: float = 0.0,
    caution: float = 1.0,
) -> Result:
    """Restore the scene by total variation, the data masked to the frame.

    Parameters
    ----------
    image : array, shape (M, N)
        Linear light, or coverage by ink.
    candidate : Disk, Gaussian or Motion
        The PSF.
    settings : Deconvolution
        Weight, grid and iterations.
    report : callable
        ``report(fraction)``.
    high : float
        Upper bound of the scene; the lower one is 0.
    stored : float
        Error that storing the image left, in the units of `image` (`deconv.blind.errors`).
    caution : float
        Factor of the weight of the prior; above 1 the restoration is milder.

    Returns
    -------
    array, shape (M, N)
        The restored scene.
    """
    small, scale = at_scale(image, _reduction(image.shape, candidate, settings))
    stored = stored / scale
    psf = like(candidate.make(1 / scale), small)
    solver = Splitting(small, tuple(psf.shape) if settings.unknown_border else (1,) * psf.ndim)
    looks = settings.first_iterations if settings.weight_from_noise and stored > 0 else 0

    def solve(error: float, iterations: int, before: int = 0) -> Result:
        return solver.solve(
            psf,
            TotalVariation(),
            caution * prior_weight(error, settings),
            high=high,
            num_iter=iterations,
            callback=lambda i, _: report((before + i + 1) / (looks + settings.num_iter)),
        )

    white = noise.estimate(small) if settings.weight_from_noise else 0.0
    error = math.hypot(white, stored) if settings.weight_from_noise else 0.0
    if looks:
        # JPEG removes just those differences of neighbouring pixels in which noise shows, and keeps the lower
        # frequencies of the noise, which the blur lets through.
        solve(error, looks)
        error = with_residual(white, stored, _rms(solver.residual[solver.window]), settings.residual)
    return to_shape(solve(error, settings.num_iter, looks), image.shape)


def restore_planes(
    planes: Sequence[Array],
    candidate: Candidate,
    settings: Settings,
    report: Callable[[float], None],
    stored: float = 0.0,
    caution: float = 1.0,
) -> list[Result]:
    """Restore the colours of a natural image together, by `deconv.blind.natural`, on the grid of `deconvolve`.

    Parameters
    ----------
    planes : sequence of arrays, each of shape (M, N)
        The colours in linear light.
    candidate, report, stored, caution
        As for `deconvolve`.
    settings : Settings
        Settings of all stages.

    Returns
    -------
    list of array, shape (M, N)
        The restored colours.
    """
    shape = planes[0].shape
    factor = _reduction(shape, candidate, settings.general.deconvolution)
    reduced = [at_scale(plane, factor) for plane in planes]
    scale = reduced[0][1]
    sharp, _ = restore(
        [small for small, _ in reduced],
        like(candidate.make(1 / scale), planes[0]),
        # The weight of natural images makes up for what a camera does to a picture that it stores, and for errors of a
        # free-form PSF. Without either the scene's own law is the steeper one.
        prior="natural" if stored > 0 else "text",
        report=report,
        stored=stored / scale,
        caution=caution,
        settings=replace(settings.natural, residual=settings.natural.parametric_residual),
    )
    return [to_shape(plane, shape) for plane in sharp]


def _rms(x: Any) -> float:
    return math.sqrt(float(array_namespace(x).mean(x**2)))


def _reduction(shape: tuple[int, ...], candidate: Candidate, settings: Deconvolution) -> float:
    """The factor of the grid for a PSF; 1 where a coarser grid would not save enough time for its own blur."""
    factor = candidate.radius / settings.working_radius
    return factor if factor >= settings.least_reduction or math.prod(shape) > settings.large else 1.0


def prior_weight(sigma: float, settings: Deconvolution) -> float:
    """Weight of total variation for noise of that standard deviation."""
    return (sigma**2 + settings.model_error**2) / settings.gradient_scale


def to_shape(sharp: Array, shape: tuple[int, ...]) -> Result:
    """The image enlarged to a shape, or unchanged if it has that shape."""
    return sharp if tuple(sharp.shape) == tuple(shape) else enlarge(sharp, shape)
