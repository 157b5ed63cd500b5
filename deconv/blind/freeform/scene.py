r"""The image step of free-form blind deconvolution: the scene of few edges that explains a picture by a given PSF.

For the blurred picture y, the PSF k and the price :math:`\lambda` of an edge it seeks

.. math:: \min_x \; \|k * x - y\|^2 + \lambda \, \#\{i : (\nabla x)_i \ne 0\}

by half-quadratic splitting [1]_: a gradient field, zero where that costs less than :math:`\lambda`, is pulled to the
scene's by a weight that grows from what leaves the strongest edges alone to what leaves the field no choice. How slowly
it grows matters: by a factor of 4 instead of 2 the estimated PSFs lost 5 dB, by 1.5 they gained 1.5 dB.

References
----------
.. [1] L. Xu, C. Lu, Y. Xu, J. Jia, "Image smoothing via L0 gradient minimization", ACM Trans. Graph. 30, 174 (2011),
       :doi:`10.1145/2070781.2024208`
"""

import math

import numpy as np

from deconv._core.array import array_namespace, device, like, to_numpy
from deconv._core.fft import Transfer, fast_shape, irfftn, rfftn
from deconv._core.kernels import edge_blend, edge_divergence
from deconv.nonblind.fourier import _complex, _floats

__all__ = ["Latent"]

# The weight begins at so many times the price, grows by this factor, and ends where the field rules.
_FIRST, _GROWTH, _LAST = 2.0, 1.5, 16.0
# |OTF|^2 below this is nothing.
_TINY = 1e-9


class Latent:
    """One picture on a periodic grid, to be explained by any number of PSFs.

    Parameters
    ----------
    picture : array, shape (M, N)
        The blurred picture.
    reach : int
        Side of the largest PSF: the grid goes beyond the picture by so much.

    Attributes
    ----------
    blurred : array
        The picture on the grid. Nobody knows what lies outside of the frame: at first a ramp from border to border,
        then, after each `believe`, what the scene and the PSF say.
    scene : array
        The latest solution, on the grid.
    """

    def __init__(self, picture, reach):
        xp = array_namespace(picture)
        self.picture = picture
        # (Kernels and transforms see even rows, which are the faster ones.)
        self.shape = fast_shape(n + reach for n in picture.shape)
        self.window = tuple(slice(0, n) for n in picture.shape)
        self.blurred = _ramps(picture, self.shape)
        self.scene = self.blurred
        waves = []
        for axis, n in enumerate(self.shape):
            k = xp.arange(n // 2 + 1 if axis == 1 else n, dtype=picture.dtype, device=device(picture))
            waves.append(4.0 * xp.sin(math.pi / n * k) ** 2)
        self._laplacian = waves[0][:, None] + waves[1][None, :]
        self._across, self._field = xp.empty_like(self.blurred), xp.empty_like(self.blurred)
        self._spectrum = rfftn(self.blurred)

    def solve(self, psf, price):
        """The scene for that PSF and price of an edge, from the picture itself; (M, N) of it are the frame."""
        self.transfer = Transfer(like(psf, self.picture), self.shape)
        xp = array_namespace(self.picture)
        otf = self.transfer.otf
        data = _floats(self.transfer.conj * self._spectrum)
        power = xp.real(otf) ** 2 + xp.imag(otf) ** 2 + _TINY
        scene, weight = self.blurred, _FIRST * price
        while weight < _LAST:
            edge_divergence(scene, price / weight, self._across, self._field, self.shape[1])
            spectrum = _floats(rfftn(self._field))
            edge_blend(spectrum, data, power, self._laplacian, weight)
            scene = irfftn(_complex(spectrum), self.shape)
            weight *= _GROWTH
        self.scene = scene
        return scene

    def explained(self):
        """The scene, blurred, on the grid."""
        return self.transfer.forward(self.scene)

    def believe(self):
        """Let the outside of the frame be what the scene and the PSF say."""
        blurred = self.explained()
        blurred[self.window] = self.picture
        self.blurred, self._spectrum = blurred, rfftn(blurred)

    def correlations(self, reach):
        """Of the scene's gradients with themselves up to shifts of 2 `reach`, with the picture's up to `reach`.

        Arrays of the host, no shift in the middle.
        """
        xp = array_namespace(self.picture)
        spectrum = rfftn(self.scene)
        auto = (xp.real(spectrum) ** 2 + xp.imag(spectrum) ** 2) * self._laplacian
        cross = xp.conj(spectrum) * self._spectrum * self._laplacian
        return self._about_zero(xp.astype(auto, cross.dtype), 2 * reach), self._about_zero(cross, reach)

    def _about_zero(self, spectrum, reach):
        xp = array_namespace(spectrum)
        whole = xp.roll(irfftn(spectrum, self.shape), (reach, reach), axis=(0, 1))
        return to_numpy(whole[: 2 * reach + 1, : 2 * reach + 1]).astype(np.float64)

    def cost(self, price, edge, margin):
        """Squares of the residual, and edges by their price, per pixel, away from the border by `margin`.

        A step of a whole `edge` or more counts as one, a smaller one in proportion.
        """
        xp = array_namespace(self.picture)
        inner = tuple(slice(min(margin, n // 4), n - min(margin, n // 4)) for n in self.picture.shape)
        rest = (self.explained() - self.blurred)[inner]
        scene = self.scene[inner]
        across, down = scene[:-1, 1:] - scene[:-1, :-1], scene[1:, :-1] - scene[:-1, :-1]
        edges = xp.clip(xp.sqrt(across**2 + down**2) / edge, max=1.0)
        return float(xp.mean(rest**2)) + price * float(xp.mean(edges))


def _ramps(picture, shape):
    """`picture` on a periodic grid, the gaps filled by smooth ramps from one border to the opposite one."""
    xp = array_namespace(picture)
    out = xp.empty(shape, dtype=picture.dtype, device=device(picture))
    (h, w), (grid_h, grid_w) = picture.shape, shape
    out[:h, :w] = picture
    t = _rise(picture, grid_w - w)[None, :]
    out[:h, w:] = picture[:, -1:] * (1.0 - t) + picture[:, :1] * t
    t = _rise(picture, grid_h - h)[:, None]
    out[h:, :] = out[h - 1 : h, :] * (1.0 - t) + out[:1, :] * t
    return out


def _rise(reference, n):
    """From 0 to 1 in n steps between, level at both ends."""
    xp = array_namespace(reference)
    t = xp.arange(1, n + 1, dtype=reference.dtype, device=device(reference)) / (n + 1)
    return t * t * (3.0 - 2.0 * t)
