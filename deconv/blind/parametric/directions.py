r"""The evidence for a disc by direction.

The zeros of a disc are circles, so that frequencies of every direction show them. What else has zeros has them in some
directions only: interpolation between enlarged pixels leaves them along the axes, a shake across its path. Their mean
over all directions may pass for a disc; but where they are missing, the disc is less likely than no blur.
"""

import math
from dataclasses import dataclass, replace

from deconv._core.array import Array
from deconv._core.resample import at_scale
from deconv.blind.parametric.families import Disk
from deconv.blind.settings.parametric import Parametric
from deconv.blind.spectrum import Degradation, Periodogram

__all__ = ["LeastOdds", "least_odds_by_direction"]


@dataclass(frozen=True)
class LeastOdds:
    """Log odds of a disc over no blur where they are least.

    Attributes
    ----------
    half : float
        Of the directions around the axes and those around the diagonals, in nats.
    quarter : float
        Of four directions, 45 degrees apart.
    """

    half: float
    quarter: float


def least_odds_by_direction(
    image: Array,
    disk: Disk,
    *,
    scale: float,
    degradation: Degradation | None = None,
    settings: Parametric,
) -> LeastOdds:
    """Log odds of a disc over no blur, by direction.

    In each direction the disc may have a slightly different radius: apertures are not round, and a lens is not the same
    along both axes.

    Parameters
    ----------
    image : array, shape (M, N)
        Linear light.
    disk : Disk
        In pixels of the image.
    scale : float
        Reduction of the image to the grid where the disc was found.
    degradation : Degradation, optional
        What was done to the image after the blur.
    settings : Parametric
        Settings of the spectrum and of the search.

    Returns
    -------
    LeastOdds
    """
    small, scale = at_scale(image, scale)
    spectrum = Periodogram(small, settings=settings.spectrum, edges=False, degradation=degradation, scale=scale)
    here = replace(disk, radius=disk.radius / scale)
    halves = (spectrum.towards(centre, 45.0, 90.0) for centre in (0.0, 45.0))
    quarters = (spectrum.towards(centre, 45.0) for centre in (0.0, 45.0, 90.0, 135.0))
    half, quarter = (min(_log_odds(part, here, settings) for part in parts) for parts in (halves, quarters))
    return LeastOdds(half, quarter)


def _log_odds(part: Periodogram, disk: Disk, settings: Parametric) -> float:
    """Log odds of the disc itself or, if that is likelier, of one of nearly the same radius."""
    none, own = part.fit(), part.fit(disk)
    near = part.fit(disk, own, vary=True)
    fits = [own]
    if near.candidate.radius > 0 and abs(math.log(near.candidate.radius / disk.radius)) < settings.search.same_radius:
        fits.append(near)
    return max((none.cost - fit.cost) / fit.dispersion for fit in fits)
