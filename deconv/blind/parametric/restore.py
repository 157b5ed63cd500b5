"""Total variation with a parametric PSF, on a grid as coarse as the blur allows."""

import math
from collections.abc import Callable

from deconv import noise
from deconv._core.array import Array, Result, like
from deconv._core.resample import at_scale, enlarge
from deconv.blind.parametric.families import Candidate
from deconv.blind.settings.general import Deconvolution
from deconv.nonblind.splitting import Splitting
from deconv.priors import TotalVariation

__all__ = ["deconvolve", "prior_weight", "to_shape"]


def deconvolve(
    image: Array,
    candidate: Candidate,
    settings: Deconvolution,
    report: Callable[[float], None],
    high: float = math.inf,
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

    Returns
    -------
    array, shape (M, N)
        The restored scene.
    """
    factor = candidate.radius / settings.working_radius
    worthwhile = factor >= settings.least_reduction or math.prod(image.shape) > settings.large
    small, scale = at_scale(image, factor if worthwhile else 1.0)
    psf = like(candidate.make(1 / scale), small)
    solver = Splitting(small, tuple(psf.shape) if settings.unknown_border else (1,) * psf.ndim)
    sharp = solver.solve(
        psf,
        TotalVariation(),
        prior_weight(noise.estimate(small) if settings.weight_from_noise else 0.0, settings),
        high=high,
        num_iter=settings.num_iter,
        callback=lambda i, _: report((i + 1) / settings.num_iter),
    )
    return to_shape(sharp, image.shape)


def prior_weight(sigma: float, settings: Deconvolution) -> float:
    """Weight of total variation for noise of that standard deviation."""
    return (sigma**2 + settings.model_error**2) / settings.gradient_scale


def to_shape(sharp: Array, shape: tuple[int, ...]) -> Result:
    """The image enlarged to a shape, or unchanged if it has that shape."""
    return sharp if tuple(sharp.shape) == tuple(shape) else enlarge(sharp, shape)
