"""The images at one scale: rounds of scene and PSF step, and scores of PSFs."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deconv import noise
from deconv._core.array import Array, to_numpy
from deconv._core.resample import at_scale
from deconv.blind.freeform.psf_step import fit
from deconv.blind.freeform.scene import SceneSolver
from deconv.blind.freeform.score import Scorer
from deconv.blind.settings.freeform import EdgePenalty, FreeForm

__all__ = ["Observation", "Scale", "normalised"]


@dataclass(frozen=True)
class Observation:
    """A blurred image and its errors.

    Attributes
    ----------
    image : array, shape (M, N)
        Linear light.
    jpeg_error : float
        Standard deviation of the error of JPEG compression, which is not white.
    """

    image: Any
    jpeg_error: float

    def at(self, factor: float) -> "Observation":
        """The image on a grid coarser by a factor, and its error there."""
        small, factor = at_scale(self.image, factor)
        return Observation(small, self.jpeg_error / factor)

    @property
    def error(self) -> float:
        """Standard deviation of the error: noise or JPEG, whichever is larger."""
        sigma: float = noise.estimate(self.image)
        return max(sigma, self.jpeg_error)


def normalised(
    images: Sequence[Array], jpeg_errors: Sequence[float] | None = None, *, settings: EdgePenalty
) -> tuple[list[Observation], float]:
    """The images scaled to contrast 1, and the smallest edge penalty that their errors allow."""
    contrast = max(_contrast(image) for image in images)
    errors = jpeg_errors or [0.0] * len(images)
    # Any, because the protocol Array has no arithmetic.
    values: list[Any] = list(images)
    observations = [Observation(v / contrast, e / contrast) for v, e in zip(values, errors, strict=True)]
    sigma = max(noise.estimate(o.image) for o in observations)
    jpeg = max(o.jpeg_error for o in observations)
    return observations, max(settings.least, settings.noise * sigma**2, settings.jpeg * jpeg**2)


def _contrast(image: Array) -> float:
    """Range of an image without its few darkest and brightest pixels."""
    low, high = np.quantile(to_numpy(image), (0.001, 0.999))
    return max(float(high - low), 1e-6)


class Scale:
    """The images at one scale.

    Parameters
    ----------
    observations : sequence of Observation
        The images at full resolution.
    level : int
        Number of scales above full resolution.
    reach : int
        Side of the largest PSF, in pixels of this scale.
    settings : FreeForm
        Settings of all stages.
    """

    def __init__(self, observations: Sequence[Observation], level: int, reach: int, *, settings: FreeForm) -> None:
        self.settings = settings
        self._observations = [o.at(settings.scales.ratio**level) for o in observations]
        self._reach = reach

    @functools.cached_property
    def _scene_solvers(self) -> list[SceneSolver]:
        return [SceneSolver(o.image, self._reach, settings=self.settings.scene_step) for o in self._observations]

    @functools.cached_property
    def scorer(self) -> Scorer:
        """Scores PSFs on these images; not changed by rounds."""
        return Scorer([(o.image, o.error) for o in self._observations], self._reach, settings=self.settings)

    def round(self, psf: np.ndarray, penalty: float, ridge: float, *, predict_outside: bool = False) -> np.ndarray:
        """One scene step for each image and the PSF step for all of them; the PSF is not normalised."""
        auto: Any = 0.0
        cross: Any = 0.0
        for solver in self._scene_solvers:
            solver.solve(psf, penalty)
            if predict_outside:
                solver.predict_outside()
            a, c = solver.correlations(psf.shape[0] // 2)
            auto, cross = auto + a, cross + c
        return fit(auto, cross, psf, ridge, settings=self.settings.psf_step)
