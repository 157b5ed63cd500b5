"""Run a network on an image tile by tile, and blend the results."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from deconv.compare.protocol import Problem

__all__ = ["WINDOWS", "Tiling"]

_Shape = tuple[int, ...]


def _linear(t: np.ndarray) -> np.ndarray:
    return t


def _hann(t: np.ndarray) -> np.ndarray:
    return 0.5 - 0.5 * np.cos(np.pi * t)


# How the weight of a tile rises from its edge (0) to the end of the overlap (1).
WINDOWS: dict[str, Callable[[np.ndarray], np.ndarray]] = {"none": np.ones_like, "linear": _linear, "hann": _hann}


@dataclass(frozen=True)
class Tiling:
    """How to cut an image into tiles and blend the restored tiles.

    Attributes
    ----------
    tile : (int, int) or None
        Rows and columns that one tile restores; None for the whole image at once.
    border : int
        Pixels of context around a tile, on each side. A network without padding returns the tile alone; the border is
        cut off the output of one with padding.
    overlap : (int, int)
        Pixels by which neighbouring tiles overlap.
    window : {"none", "linear", "hann"}
        How overlapping tiles are blended: by their plain mean, or by weights that fall towards a tile's edge.
    pad : {"edge", "reflect"}
        How the image is extended beyond its frame.
    multiple_of : int
        The sides of the network's input are multiples of it; the image is padded at the bottom and the right.
    scale : int
        Factor by which the network enlarges each side.
    """

    tile: tuple[int, int] | None = None
    border: int = 0
    overlap: tuple[int, int] = (0, 0)
    window: str = "none"
    pad: Literal["edge", "reflect"] = "edge"
    multiple_of: int = 1
    scale: int = 1

    def run(self, network: Callable[[np.ndarray], np.ndarray], planes: np.ndarray) -> np.ndarray:
        """Restore an image.

        Parameters
        ----------
        network : callable
            From planes (C, h, w) to planes (K, s h, s w), or without the border.
        planes : ndarray, shape (C, M, N)
            The image.

        Returns
        -------
        ndarray, shape (K, s M, s N)

        Raises
        ------
        Problem
            If the network returns another shape.
        """
        shape = planes.shape[1:]
        sides = self.tile or tuple(self._rounded(n) for n in shape)
        wide = tuple(max(n, side) for n, side in zip(shape, sides, strict=True))
        around = [(self.border, self.border + w - n) for n, w in zip(shape, wide, strict=True)]
        padded = np.pad(planes, [(0, 0), *around], mode=self.pad)
        weight = np.multiply.outer(*(self._window(n, lap) for n, lap in zip(sides, self.overlap, strict=True)))
        corners = itertools.product(*(_starts(*w) for w in zip(wide, sides, self.overlap, strict=True)))
        total: np.ndarray | None = None
        weights = np.zeros([self.scale * n for n in wide], np.float32)
        for corner in corners:
            tile = tuple(slice(at, at + side + 2 * self.border) for at, side in zip(corner, sides, strict=True))
            restored = self._without_border(network(padded[(slice(None), *tile)]), sides)
            if total is None:
                total = np.zeros((restored.shape[0], *weights.shape), np.float32)
            here = tuple(slice(self.scale * at, self.scale * (at + n)) for at, n in zip(corner, sides, strict=True))
            total[(slice(None), *here)] += weight * restored
            weights[here] += weight
        assert total is not None  # there is at least one tile
        return (total / weights)[:, : self.scale * shape[0], : self.scale * shape[1]]

    def _rounded(self, n: int) -> int:
        """Smallest side of at least `n` pixels that is a multiple once the border is added."""
        whole = n + 2 * self.border
        return n + -whole % self.multiple_of

    def _window(self, side: int, overlap: int) -> np.ndarray:
        """Blending weights along a side of a restored tile."""
        side, overlap = self.scale * side, self.scale * overlap
        from_edge = np.minimum(np.arange(1, side + 1), np.arange(side, 0, -1))
        return WINDOWS[self.window](np.minimum(from_edge / (overlap + 1), 1.0)).astype(np.float32)

    def _without_border(self, planes: np.ndarray, sides: _Shape) -> np.ndarray:
        """Planes that a network returned, without the border if they have one."""
        valid = tuple(self.scale * n for n in sides)
        whole = tuple(self.scale * (n + 2 * self.border) for n in sides)
        if planes.shape[1:] == valid:
            return planes
        if planes.shape[1:] != whole:
            wanted = " or ".join(f"{h} x {w}" for h, w in dict.fromkeys([whole, valid]))
            got = " x ".join(map(str, planes.shape[1:]))
            raise Problem(f"the network returned {got} pixels where {wanted} are wanted")
        cut = slice(self.scale * self.border, -self.scale * self.border)
        return planes[:, cut, cut]


def _starts(length: int, side: int, overlap: int) -> list[int]:
    """Where tiles begin; the last one ends with the image, and may overlap more than the others."""
    return [*range(0, length - side, side - overlap), length - side]
