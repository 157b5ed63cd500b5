"""A picture given to a network piece by piece, and put together again from what it makes of them."""

import itertools
from dataclasses import dataclass

import numpy as np

from deconv.compare.protocol import Problem

__all__ = ["WINDOWS", "Tiling"]


def _linear(t):
    return t


def _hann(t):
    return 0.5 - 0.5 * np.cos(np.pi * t)


# How a piece's weight rises from its edge (0) to the end of the overlap (1).
WINDOWS = {"none": np.ones_like, "linear": _linear, "hann": _hann}


@dataclass(frozen=True)
class Tiling:
    """How a picture is cut up, and how its pieces are joined.

    Attributes
    ----------
    tile : (int, int) or None
        Rows and columns that a piece restores; None for the whole picture at once.
    border : int
        Pixels that a piece is given beyond what it restores, on each side. A network without padding returns what is
        inside of them; of one with padding they are cut off.
    overlap : (int, int)
        Pixels that a piece restores of what its neighbour restores too.
    window : {"none", "linear", "hann"}
        How pieces are blended where they overlap: by their plain mean, or by weights that fall towards a piece's edge.
    pad : {"edge", "reflect"}
        What is shown outside of the picture.
    multiple_of : int
        Sides of what the network is given are multiples of it; what is lacking is padded at the bottom and the right.
    scale : int
        Pixels that the network returns for one, along a side.
    """

    tile: tuple[int, int] | None = None
    border: int = 0
    overlap: tuple[int, int] = (0, 0)
    window: str = "none"
    pad: str = "edge"
    multiple_of: int = 1
    scale: int = 1

    def run(self, network, planes):
        """What the network makes of a picture.

        Parameters
        ----------
        network : callable
            From planes (C, h, w) to planes (K, s h, s w), or without the border.
        planes : ndarray, shape (C, M, N)
            The picture.

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
        total, weights = None, np.zeros([self.scale * n for n in wide], np.float32)
        for corner in corners:
            piece = tuple(slice(at, at + side + 2 * self.border) for at, side in zip(corner, sides, strict=True))
            restored = self._inside(network(padded[(slice(None), *piece)]), sides)
            if total is None:
                total = np.zeros((restored.shape[0], *weights.shape), np.float32)
            here = tuple(slice(self.scale * at, self.scale * (at + n)) for at, n in zip(corner, sides, strict=True))
            total[(slice(None), *here)] += weight * restored
            weights[here] += weight
        return (total / weights)[:, : self.scale * shape[0], : self.scale * shape[1]]

    def _rounded(self, n):
        """Least side that holds `n` pixels and, with the border, is a multiple."""
        whole = n + 2 * self.border
        return n + -whole % self.multiple_of

    def _window(self, side, overlap):
        """Weights along a side of a piece that was restored."""
        side, overlap = self.scale * side, self.scale * overlap
        from_edge = np.minimum(np.arange(1, side + 1), np.arange(side, 0, -1))
        return WINDOWS[self.window](np.minimum(from_edge / (overlap + 1), 1.0)).astype(np.float32)

    def _inside(self, planes, sides):
        """Planes that a network returned, without the border if they have it."""
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


def _starts(length, side, overlap):
    """Where pieces begin: they overlap by so much, the last, which ends with the picture, by more."""
    return [*range(0, length - side, side - overlap), length - side]
