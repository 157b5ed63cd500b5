"""Images in one encoding: linear light, whole and in the window of the search.

The search tries many PSFs and discards most of them, so it runs on a window of limited size; only its result is refined
on the whole images. A PSF needs a window several times as wide as itself: more of a narrower one would be border.
"""

import functools
import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from deconv import noise
from deconv._core.array import Array, Result, array_namespace, contiguous, to_numpy
from deconv.blind.freeform.phase import Power
from deconv.blind.freeform.scale import Observation, Scale, normalised
from deconv.blind.settings.freeform import FreeForm, Window
from deconv.blind.spectrum import Degradation

__all__ = ["Light", "window_with_most_edges"]


class Light:
    """Images that share a PSF, as linear light by one exponent.

    Parameters
    ----------
    images : sequence of arrays, each of shape (M, N)
        Linear light in any unit.
    jpeg_errors : sequence of float, optional
        Standard deviation of the error of JPEG compression in each image.
    degradations : sequence of Degradation or None, optional
        The spectrum of that error.
    settings : FreeForm
        Settings of all stages.

    Attributes
    ----------
    observations : list of Observation
        The images, scaled to contrast 1.
    least_penalty : float
        Smallest edge penalty that their errors allow.
    """

    def __init__(
        self,
        images: Sequence[Array],
        jpeg_errors: Sequence[float] | None = None,
        degradations: Sequence[Degradation | None] | None = None,
        *,
        settings: FreeForm,
    ) -> None:
        self._settings, self._degradations = settings, degradations
        self.observations, self.least_penalty = normalised(images, jpeg_errors, settings=settings.edge_penalty)
        self._scales: dict[int, Scale] = {}

    @functools.cached_property
    def is_jpeg(self) -> bool:
        """Whether JPEG's error, which is not white, is larger than the noise."""
        return any(o.jpeg_error > noise.estimate(o.image) for o in self.observations)

    @functools.cached_property
    def power(self) -> Power:
        """The power spectra of the images."""
        images = [o.image for o in self.observations]
        return Power(images, self._degradations, settings=self._settings.phase_retrieval)

    def in_window(self, side: int) -> list[Observation]:
        """The images within the window of the search for PSFs of side `side`."""
        window = self._settings.window
        pixels = min(max(window.search_pixels, (window.sides * side) ** 2), window.pixels) / len(self.observations)
        return [
            replace(o, image=contiguous(o.image[window_with_most_edges(o.image, pixels, settings=window)]))
            for o in self.observations
        ]

    def scale(self, side: int) -> Scale:
        """The search window at full resolution, for PSFs of side `side`."""
        if side not in self._scales:
            self._scales[side] = Scale(self.in_window(side), 0, side, settings=self._settings)
        return self._scales[side]

    def whole(self, side: int) -> Scale:
        """The whole images at full resolution, for PSFs of side `side`."""
        return Scale(self.observations, 0, side, settings=self._settings)


def window_with_most_edges(image: Array, pixels: float, *, settings: Window) -> tuple[slice, slice]:
    """Rows and columns of the part of an image with the most edges.

    Parameters
    ----------
    image : array, shape (M, N)
        One plane.
    pixels : float
        Size of the window, which has about the shape of the image. A smaller image is used as a whole.
    settings : Window
        How narrow a window may be, and the grid on which it lies.

    Returns
    -------
    (slice, slice)
    """
    part = math.sqrt(pixels / math.prod(image.shape))
    if part >= 1:
        return slice(0, image.shape[0]), slice(0, image.shape[1])
    # A long strip keeps its width.
    narrow = min(min(image.shape), max(round(part * min(image.shape)), settings.narrowest))
    sides = [narrow if n == min(image.shape) else min(n, round(pixels / narrow)) for n in image.shape]
    edges = _edges(image)
    # Sums over windows come from running sums; a window starts at about every sixteenth of a side.
    sums = np.pad(np.cumsum(np.cumsum(edges, axis=0, dtype=np.float64), axis=1), ((1, 0), (1, 0)))
    rows, columns = (
        np.linspace(0, n - side, 1 + math.ceil(16 * (n / side - 1))).astype(int) // settings.grid * settings.grid
        for n, side in zip(image.shape, sides, strict=True)
    )
    top, left = np.meshgrid(rows, columns, indexing="ij")
    in_window = (
        sums[top + sides[0], left + sides[1]]
        - sums[top, left + sides[1]]
        - sums[top + sides[0], left]
        + sums[top, left]
    )
    best = np.unravel_index(int(np.argmax(in_window)), in_window.shape)
    y, x = int(top[best]), int(left[best])
    return slice(y, y + sides[0]), slice(x, x + sides[1])


def _edges(image: Array) -> Result:
    """Size of the differences to the next pixels, on the host."""
    xp = array_namespace(image)
    edges = to_numpy(xp.abs(image[1:, :-1] - image[:-1, :-1]) + xp.abs(image[:-1, 1:] - image[:-1, :-1]))
    return np.pad(edges, ((0, 1), (0, 1)))
