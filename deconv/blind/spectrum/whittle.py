"""Shared by both likelihoods: the window, the frequencies that count, and Whittle's criterion."""

import math
from collections.abc import Sequence

import numpy as np

from deconv._core.array import Array, Result, like
from deconv.blind.settings.spectrum import Frequencies

__all__ = ["SeparableWindow", "count_frequencies", "taper", "whittle"]


def taper(n: int, margin: float) -> np.ndarray:
    """A window of n pixels that fades by raised cosines over `margin` pixels at both ends."""
    edge = np.minimum(np.arange(n) + 0.5, n - 0.5 - np.arange(n)) / min(margin, n / 2)
    window: np.ndarray = 0.5 - 0.5 * np.cos(np.pi * np.minimum(edge, 1.0))
    return window


class SeparableWindow:
    """A window for images: the product of one `taper` along each axis.

    Parameters
    ----------
    shape : (int, int)
        Shape of the image.
    margins : sequence of two floats
        Pixels over which the window fades out at both ends of each axis.

    Attributes
    ----------
    energy : float
        Sum of the squared weights: the squared modulus of a windowed image's transform, divided by it, is the
        periodogram.
    """

    def __init__(self, shape: Sequence[int], margins: Sequence[float]) -> None:
        self._tapers = [taper(int(n), margin) for n, margin in zip(shape, margins, strict=True)]
        self.energy = math.prod(float((t**2).sum()) for t in self._tapers)

    def fade(self, image: Array, level: float | None = None) -> Result:
        """The image minus a level (by default its windowed mean), times the window."""
        # One axis after the other, in place: the weights of a large image would be larger than the image.
        rows, columns = (like(t, image) for t in self._tapers)
        if level is None:
            level = float(rows @ (image @ columns)) / math.prod(float(t.sum()) for t in self._tapers)
        faded: Result = image
        faded = faded - level
        faded *= rows[:, None]
        faded *= columns[None, :]
        return faded

    def independent(self, grid: Sequence[int]) -> float:
        """Fraction of the frequencies on a grid that are independent: a window correlates neighbouring frequencies."""
        return math.prod(float((t**2).sum() ** 2 / (n * (t**4).sum())) for t, n in zip(self._tapers, grid, strict=True))


def count_frequencies(
    grid: Sequence[int], frame: Sequence[int], settings: Frequencies
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Frequencies and directions in the half plane of a real transform, and which of them count.

    Parameters
    ----------
    grid : (int, int)
        Shape of the transformed array.
    frame : (int, int)
        Shape of the image in it.
    settings : Frequencies
        Which frequencies count.

    Returns
    -------
    f, direction : ndarray
        Cycles per pixel, and radians from the x axis.
    counted : ndarray of bool
        True where the frequency is neither too low nor too high nor too near to an axis.
    """
    fy, fx = np.fft.fftfreq(grid[0])[:, None], np.fft.rfftfreq(grid[1])[None, :]
    f = np.hypot(fy, fx)
    h, w = frame
    counted = (f > settings.lowest / min(h, w)) & (f < settings.highest)
    counted &= (np.abs(fx) > settings.off_axes / w) & (np.abs(fy) > settings.off_axes / h)
    return f, np.arctan2(fy, fx), counted


def whittle(power: np.ndarray, expected: np.ndarray, count: np.ndarray) -> tuple[float, np.ndarray]:
    """Minus the log likelihood of power whose mean is `expected`, in nats, and its derivative.

    Returns
    -------
    value : float
        The sum of n (log S + P / S) over `count` n, `expected` S and `power` P.
    slope : ndarray
        1 - P / S: the derivative by log S for each independent frequency.
    """
    ratio = power / expected
    value = float(np.sum(count * (np.log(expected) + ratio), dtype=np.float64))
    return value, 1 - ratio
