"""A large image restored in overlapping parts: the work arrays of a restoration are twenty times as large as its image.

What lies far beyond a part hardly changes the scene within it, so a part is restored with a margin that is dropped
afterwards. Whatever holds for the whole image, such as its noise and its contrast, the caller measures once.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from deconv.blind.settings.parts import Parts

__all__ = ["Part", "parts"]

Window = tuple[slice, slice]


@dataclass(frozen=True)
class Part:
    """One part of an image.

    Attributes
    ----------
    window : tuple of slice
        The rows and columns from which it is restored, margins included.
    place : tuple of slice
        Those that it replaces in the result.
    inner : tuple of slice
        The latter within the former.
    """

    window: Window
    place: Window
    inner: Window


def parts(shape: Sequence[int], reach: Sequence[int], settings: Parts, planes: int = 1) -> list[Part]:
    """The parts of an image: one, or as many as keep the work arrays small; together they cover it.

    Parameters
    ----------
    shape : (int, int)
        Shape of the image.
    reach : (int, int)
        Shape of the PSF.
    settings : Parts
        When an image is large, and how large its parts and their margins are.
    planes : int
        Planes that are restored together.
    """
    side = math.inf if planes * math.prod(shape) <= settings.whole else math.sqrt(settings.part / planes)
    sides = []
    for n, m in zip(shape, reach, strict=True):
        margin = math.ceil(settings.margin * m)
        count = max(1, round(n / (max(side, 2 * margin / settings.most_margin) - 2 * margin)))
        edges = [n * i // count for i in range(count + 1)]
        sides.append(
            [(slice(max(0, a - margin), min(n, b + margin)), slice(a, b)) for a, b in itertools.pairwise(edges)]
        )
    found = []
    for pair in itertools.product(*sides):
        window, place = ((pair[0][i], pair[1][i]) for i in (0, 1))
        rows, columns = (slice(p.start - w.start, p.stop - w.start) for p, w in zip(place, window, strict=True))
        found.append(Part(window, place, (rows, columns)))
    return found
