r"""The score of a PSF: how well few edges explain the images, and how sparse the restored gradients are.

.. math::

   \Bigl( \bigl\langle (k * x - y)^2 \bigr\rangle
   + \lambda \bigl\langle \min(\lVert \nabla x \rVert / e,\, 1) \bigr\rangle \Bigr) \cdot
   \frac{\langle \lVert \nabla u \rVert \rangle}{\langle \lVert \nabla u \rVert^2 \rangle^{1/2}}

The first factor is the energy of the scene x of few edges (`deconv.blind.freeform.scene`). The second is the normalised
sparsity [1]_ of the image u that total variation restores by the same PSF. Each alone fails where the other does not.

References
----------
.. [1] D. Krishnan, T. Tay, R. Fergus, "Blind deconvolution using a normalized sparsity measure", CVPR (2011),
       :doi:`10.1109/CVPR.2011.5995521`
"""

import functools
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from deconv._core.array import Array, array_namespace, like
from deconv.blind.freeform.scene import SceneSolver
from deconv.blind.settings.freeform import FreeForm
from deconv.nonblind.splitting import Splitting
from deconv.priors import TotalVariation

__all__ = ["PsfScore", "Scorer"]

_NO_BLUR = np.ones((1, 1))


class PsfScore(NamedTuple):
    """The score of one PSF.

    Attributes
    ----------
    cost : float
        Energy times normalised sparsity; smaller is better.
    energy : float
        Squared residuals and penalised edges of the scene, per pixel, summed over the images.
    flat : float
        Fraction of the restored images that is flat.
    """

    cost: float
    energy: float
    flat: float


class Scorer:
    """Score PSFs on the images at one scale.

    Parameters
    ----------
    images : sequence of (array, float)
        Each image, of shape (M, N), and the standard deviation of its errors.
    reach : int
        Side of the largest PSF.
    settings : FreeForm
        Settings of all stages; `score` and `scene_step` are used.
    """

    def __init__(self, images: Sequence[tuple[Array, float]], reach: int, *, settings: FreeForm) -> None:
        self._settings = settings.score
        self._solvers = []
        for image, error in images:
            solver = Splitting(image, (reach, reach))
            least = max(error / solver.scale, self._settings.least_error)
            weight = self._settings.strength * least**self._settings.exponent * solver.scale
            penalty = max(self._settings.edge_penalty, self._settings.noise * error**2)
            self._solvers.append((SceneSolver(image, reach, settings=settings.scene_step), penalty, solver, weight))

    @functools.cached_property
    def no_blur(self) -> PsfScore:
        """The score of no blur."""
        return self.score(_NO_BLUR)

    def gain(self, score: PsfScore) -> float:
        """Relative decrease of the cost from that of no blur."""
        return 1.0 - score.cost / self.no_blur.cost

    def energy_gain(self, score: PsfScore) -> float:
        """Relative decrease of the energy from that of no blur."""
        return 1.0 - score.energy / self.no_blur.energy

    def score(self, psf: np.ndarray) -> PsfScore:
        """The score of a PSF."""
        settings = self._settings
        energy = total = squares = count = flat = 0.0
        for scene_solver, penalty, solver, weight in self._solvers:
            scene_solver.solve(psf, penalty)
            energy += scene_solver.energy(penalty, settings.whole_edge, settings.margin)
            kernel = like(psf, scene_solver.image)
            restored = solver.solve(kernel, TotalVariation(), weight, num_iter=settings.iterations)
            xp = array_namespace(restored)
            margins = [min(settings.margin, n // 4) for n in restored.shape]
            restored = restored[tuple(slice(m, n - m) for m, n in zip(margins, restored.shape, strict=True))]
            steps = (restored[:-1, 1:] - restored[:-1, :-1]) ** 2 + (restored[1:, :-1] - restored[:-1, :-1]) ** 2
            total += float(xp.sum(xp.sqrt(steps)))
            squares += float(xp.sum(steps))
            count += math.prod(steps.shape)
            flat += float(xp.sum(xp.astype(steps < settings.flat_step**2, steps.dtype)))
        return PsfScore(energy * total / math.sqrt(max(squares * count, 1e-30)), energy, flat / count)
