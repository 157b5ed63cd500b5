"""Sides of the PSF's support: those that are tried, and their sizes at coarser scales."""

import math
from collections.abc import Sequence

from deconv.blind.freeform.scale import Observation
from deconv.blind.settings.freeform import MultiStart, Scales

__all__ = ["odd_side", "side_at", "supports"]


def odd_side(size: float) -> int:
    """The smallest odd number that is at least `size`, and at least 3."""
    side = math.ceil(size)
    return max(side + 1 - side % 2, 3)


def side_at(size: int, level: int, *, settings: Scales) -> int:
    """Side, at scale `level`, of a support that has `size` pixels at full resolution; odd."""
    return odd_side(size / settings.ratio**level)


def supports(observations: Sequence[Observation], sizes: tuple[int, int] | None, *, settings: MultiStart) -> list[int]:
    """Sides of the supports to try, ascending, within the bounds `sizes` if given."""
    known = sorted({size for size, _ in settings.trials}) + list(settings.larger_supports)
    if sizes is None:
        most = max(settings.largest_support * min(min(o.image.shape) for o in observations), known[0])
        return [size for size in known if size <= most]
    least, most = sizes
    return sorted({size for size in known if least <= size <= most} | {most})
