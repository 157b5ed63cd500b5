"""Total variation with a parametric PSF, on a grid as coarse as the blur allows."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from deconv import noise
from deconv._core.array import Array, Result, array_namespace, device, like
from deconv._core.resample import at_scale, enlarge
from deconv.blind.errors import with_residual
from deconv.blind.natural import restore
from deconv.blind.parametric.families import Candidate
from deconv.blind.parts import parts
from deconv.blind.settings import Settings
from deconv.blind.settings.general import Deconvolution
from deconv.nonblind.splitting import Splitting
from deconv.priors import TotalVariation

__all__ = ["deconvolve", "on_grid", "prior_weight", "restore_planes", "to_shape"]


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
    small, scale = on_grid(image, candidate, settings)
    stored = stored / scale
    psf = like(candidate.make(1 / scale), small)
    reach = tuple(psf.shape) if settings.unknown_border else (1,) * psf.ndim
    pieces = parts(small.shape, psf.shape, settings.parts)
    looks = settings.first_iterations if settings.weight_from_noise and stored > 0 else 0
    xp = array_namespace(small)
    sharp = xp.empty(small.shape, dtype=small.dtype, device=device(small))
    done = 0

    def count(*_: Any) -> None:
        nonlocal done
        done += 1
        report(done / (len(pieces) * (looks + settings.num_iter)))

    def solve(error: float, iterations: int) -> float:
        """Restore all parts; the RMS residual."""
        squares = 0.0
        for piece in pieces:
            solver = Splitting(small[piece.window], reach)
            restored = solver.solve(
                psf,
                TotalVariation(),
                caution * prior_weight(error, settings),
                high=high,
                num_iter=iterations,
                callback=count,
            )
            sharp[piece.place] = restored[piece.inner]
            squares += float(xp.sum(solver.residual[solver.window][piece.inner] ** 2))
        return math.sqrt(squares / math.prod(small.shape))

    white = noise.estimate(small) if settings.weight_from_noise else 0.0
    error = math.hypot(white, stored) if settings.weight_from_noise else 0.0
    if looks:
        # JPEG removes just those differences of neighbouring pixels in which noise shows, and keeps the lower
        # frequencies of the noise, which the blur lets through.
        error = with_residual(white, stored, solve(error, looks), settings.residual)
    solve(error, settings.num_iter)
    return to_shape(sharp, image.shape)


def on_grid(plane: Array, candidate: Candidate, settings: Deconvolution) -> tuple[Result, float]:
    """A plane on a grid as coarse as the blur allows, and the scale of that grid."""
    return at_scale(plane, _reduction(plane.shape, candidate, settings))


def restore_planes(
    planes: Sequence[tuple[Array, float]],
    shape: tuple[int, ...],
    candidate: Candidate,
    settings: Settings,
    report: Callable[[float], None],
    stored: float = 0.0,
    caution: float = 1.0,
) -> list[Result]:
    """Restore the colours of a natural image together, by `deconv.blind.natural`, on the grid of `deconvolve`.

    Parameters
    ----------
    planes : sequence of pairs
        The colours in linear light, each as `on_grid` returns it.
    shape : (int, int)
        Shape of the image.
    candidate, report, stored, caution
        As for `deconvolve`.
    settings : Settings
        Settings of all stages.

    Returns
    -------
    list of array, shape (M, N)
        The restored colours.
    """
    small, scale = [plane for plane, _ in planes], planes[0][1]
    sharp, _ = restore(
        small,
        like(candidate.make(1 / scale), small[0]),
        # The weight of natural images makes up for what a camera does to a picture that it stores, and for errors of a
        # free-form PSF. Without either the scene's own law is the steeper one.
        prior="natural" if stored > 0 else "text",
        report=report,
        stored=stored / scale,
        caution=caution,
        settings=replace(settings.natural, residual=settings.natural.parametric_residual),
    )
    return [to_shape(plane, shape) for plane in sharp]


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
