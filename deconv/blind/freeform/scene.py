r"""The scene step of free-form blind deconvolution: the scene of few edges that explains an image by a given PSF.

For the blurred image y, the PSF k and the edge penalty :math:`\lambda` it seeks

.. math:: \min_x \; \|k * x - y\|^2 + \lambda \, \#\{i : (\nabla x)_i \ne 0\}

by half-quadratic splitting [1]_: a gradient field, zero where that costs less than :math:`\lambda`, is tied to the
scene's gradient by a weight that grows from iteration to iteration. At first only the strongest edges survive, in the
end the two agree. How slowly the weight grows matters: with a factor of 4 instead of 2 the estimated PSFs lost 5 dB,
with 1.5 they gained 1.5 dB.

References
----------
.. [1] L. Xu, C. Lu, Y. Xu, J. Jia, "Image smoothing via L0 gradient minimization", ACM Trans. Graph. 30, 174 (2011),
       :doi:`10.1145/2070781.2024208`
"""

import math
from typing import Any

import numpy as np

from deconv._core.array import Array, Result, array_namespace, device, like, to_numpy
from deconv._core.fft import Transfer, fast_shape, irfftn, rfftn
from deconv._core.kernels import edge_blend, edge_divergence
from deconv.blind.settings.freeform import SceneStep
from deconv.nonblind.fourier import complex_from_pairs, real_pairs

__all__ = ["SceneSolver"]

# |OTF|^2 below this is zero.
_TINY = 1e-9


class SceneSolver:
    """One image on a periodic grid, and its scene for any number of PSFs.

    Parameters
    ----------
    image : array, shape (M, N)
        The blurred image.
    reach : int
        Side of the largest PSF, by which the grid is larger than the image.
    settings : SceneStep
        Weights of the splitting.

    Attributes
    ----------
    blurred : array
        The image on the grid. Outside of the frame nothing is known: at first it is filled by a ramp from border to
        border, after each `predict_outside` by what scene and PSF predict.
    scene : array
        The latest solution, on the grid.
    """

    def __init__(self, image: Array, reach: int, *, settings: SceneStep) -> None:
        xp = array_namespace(image)
        self.image: Any = image
        self._settings = settings
        # An even number of rows is faster for kernels and transforms.
        self.shape = fast_shape(n + reach for n in image.shape)
        self.window = tuple(slice(0, n) for n in image.shape)
        self.blurred = _with_ramps(image, self.shape)
        self.scene = self.blurred
        waves = []
        for axis, n in enumerate(self.shape):
            k = xp.arange(n // 2 + 1 if axis == 1 else n, dtype=image.dtype, device=device(image))
            waves.append(4.0 * xp.sin(math.pi / n * k) ** 2)
        self._laplacian = waves[0][:, None] + waves[1][None, :]
        self._across, self._field = xp.empty_like(self.blurred), xp.empty_like(self.blurred)
        self._spectrum = rfftn(self.blurred)

    def solve(self, psf: Array, penalty: float) -> Result:
        """The scene for a PSF and an edge penalty, from the image itself; (M, N) of it are the frame."""
        self.transfer = Transfer(like(psf, self.image), self.shape)
        xp = array_namespace(self.image)
        otf = self.transfer.otf
        data = real_pairs(self.transfer.conj * self._spectrum)
        power = xp.real(otf) ** 2 + xp.imag(otf) ** 2 + _TINY
        scene, weight = self.blurred, self._settings.first_weight * penalty
        while weight < self._settings.last_weight:
            edge_divergence(scene, penalty / weight, self._across, self._field, self.shape[1])
            spectrum = real_pairs(rfftn(self._field))
            edge_blend(spectrum, data, power, self._laplacian, weight)
            scene = irfftn(complex_from_pairs(spectrum), self.shape)
            weight *= self._settings.growth
        self.scene = scene
        return scene

    def predicted(self) -> Result:
        """The scene, blurred, on the grid."""
        return self.transfer.forward(self.scene)

    def predict_outside(self) -> None:
        """Fill the outside of the frame by what scene and PSF predict there."""
        blurred = self.predicted()
        blurred[self.window] = self.image
        self.blurred, self._spectrum = blurred, rfftn(blurred)

    def correlations(self, reach: int) -> tuple[np.ndarray, np.ndarray]:
        """Correlations of the scene's gradients with themselves and with the image's, on the host.

        The first up to shifts of 2 `reach`, the second up to `reach`; shift 0 in the middle.
        """
        xp = array_namespace(self.image)
        spectrum = rfftn(self.scene)
        auto = (xp.real(spectrum) ** 2 + xp.imag(spectrum) ** 2) * self._laplacian
        cross = xp.conj(spectrum) * self._spectrum * self._laplacian
        return self._around_zero(xp.astype(auto, cross.dtype), 2 * reach), self._around_zero(cross, reach)

    def _around_zero(self, spectrum: Array, reach: int) -> np.ndarray:
        xp = array_namespace(spectrum)
        whole = xp.roll(irfftn(spectrum, self.shape), (reach, reach), axis=(0, 1))
        window: np.ndarray = to_numpy(whole[: 2 * reach + 1, : 2 * reach + 1])
        return window.astype(np.float64)

    def energy(self, penalty: float, whole_edge: float, margin: int) -> float:
        """Squared residual plus edges times their penalty, per pixel, without `margin` pixels along the border.

        A step of `whole_edge` or more counts as one edge, a smaller one in proportion.
        """
        xp = array_namespace(self.image)
        inner = tuple(slice(min(margin, n // 4), n - min(margin, n // 4)) for n in self.image.shape)
        rest = (self.predicted() - self.blurred)[inner]
        scene = self.scene[inner]
        across, down = scene[:-1, 1:] - scene[:-1, :-1], scene[1:, :-1] - scene[:-1, :-1]
        edges = xp.clip(xp.sqrt(across**2 + down**2) / whole_edge, max=1.0)
        return float(xp.mean(rest**2)) + penalty * float(xp.mean(edges))


def _with_ramps(image: Array, shape: tuple[int, ...]) -> Result:
    """`image` on a periodic grid, the gaps filled by smooth ramps from one border to the opposite one."""
    xp = array_namespace(image)
    out = xp.empty(shape, dtype=image.dtype, device=device(image))
    (h, w), (grid_h, grid_w) = image.shape, shape
    out[:h, :w] = image
    t = _smooth_step(image, grid_w - w)[None, :]
    out[:h, w:] = image[:, -1:] * (1.0 - t) + image[:, :1] * t
    t = _smooth_step(image, grid_h - h)[:, None]
    out[h:, :] = out[h - 1 : h, :] * (1.0 - t) + out[:1, :] * t
    return out


def _smooth_step(reference: Array, n: int) -> Result:
    """From 0 to 1 with n samples in between, level at both ends."""
    xp = array_namespace(reference)
    t = xp.arange(1, n + 1, dtype=reference.dtype, device=device(reference)) / (n + 1)
    return t * t * (3.0 - 2.0 * t)
