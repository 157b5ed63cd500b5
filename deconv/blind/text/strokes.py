r"""Text as strokes of a round pen: the prior for blur so wide that the width of a stroke is not resolved.

.. math:: x = \sum_\theta d_\theta * z_\theta , \qquad z_\theta \ge 0 , \quad 0 \le x \le 1 ,

with :math:`d_\theta` a short straight stroke in direction :math:`\theta`. Minimised is

.. math:: \tfrac12 \lVert m \, (h * x - y) \rVert^2 + \lambda \sum_\theta \lVert z_\theta \rVert_1

for the PSF h, the image y and the mask m of its frame. This is non-negative convolutional sparse coding [1]_ with
strokes that are drawn rather than learned. It is solved by the alternating direction method of multipliers. All strokes
share one PSF, so the linear step has rank one at each frequency and a closed form.

References
----------
.. [1] B. Wohlberg, "Efficient algorithms for convolutional sparse representations", IEEE Trans. Image Process. 25,
   301-315 (2016), :doi:`10.1109/TIP.2015.2495260`
"""

import math
from collections.abc import Callable

import numpy as np

from deconv._core.array import Array, Result, array_namespace, device, like
from deconv._core.fft import Transfer, fast_shape, irfftn, rfftn
from deconv.blind.settings.text import Strokes

__all__ = ["draw_strokes", "restore_strokes"]


def restore_strokes(
    image: Array, psf: np.ndarray, width: float, weight: float, settings: Strokes, report: Callable[[float], None]
) -> Result:
    """Restore coverage by ink as strokes of a pen.

    Parameters
    ----------
    image : array, shape (M, N)
        The blurred coverage.
    psf : ndarray, shape (m, m)
        The PSF, sum 1.
    width : float
        Width of the pen in pixels.
    weight : float
        Weight of the strokes' L1 norm.
    settings : Strokes
        Weights, penalties and iterations.
    report : callable
        ``report(fraction)``.

    Returns
    -------
    array, shape (M, N)
        Coverage, 0 to 1.
    """
    xp = array_namespace(image)
    strokes = draw_strokes(width, settings)
    reach = psf.shape[0] + strokes.shape[1]
    shape = fast_shape(tuple(n + reach for n in image.shape))
    window = tuple(slice((s - n) // 2, (s - n) // 2 + n) for s, n in zip(shape, image.shape, strict=True))

    def zeros(*maps: int) -> Result:
        return xp.zeros((*maps, *shape), dtype=image.dtype, device=device(image))

    observed, pull = zeros(), zeros()
    observed[window] = image
    pull[window] = settings.data_weight / (1.0 + settings.data_weight)
    h = Transfer(like(psf, image), shape).otf
    d = xp.stack([Transfer(like(stroke, image), shape).otf for stroke in strokes])
    drawn = xp.sum(xp.real(d) ** 2 + xp.imag(d) ** 2, axis=0)
    bounds, strokes_penalty, relax = settings.bound_penalty, settings.stroke_penalty, settings.relaxation
    shared = xp.real(h) ** 2 + xp.imag(h) ** 2 + bounds
    gain = 1.0 / (strokes_penalty + shared * drawn)
    # For each split: its variable, and that variable minus the scaled dual.
    data, data_less = zeros(), zeros()
    box, box_less = zeros(), zeros()
    z, z_less = zeros(len(strokes)), zeros(len(strokes))
    threshold = weight * settings.data_weight / strokes_penalty
    for i in range(settings.num_iter):
        parts = rfftn(z_less, 2)
        scene = xp.sum(d * parts, axis=0)
        step = gain * (xp.conj(h) * rfftn(data_less) + bounds * rfftn(box_less) - shared * scene)
        parts = parts + xp.conj(d) * step
        scene = scene + drawn * step
        q = _relaxed(irfftn(h * scene, shape), data, data_less, relax)
        data = q + pull * (observed - q)
        data_less = 2 * data - q
        q = _relaxed(irfftn(scene, shape), box, box_less, relax)
        box = xp.clip(q, 0.0, 1.0)
        box_less = 2 * box - q
        q = _relaxed(irfftn(parts, shape), z, z_less, relax)
        z = xp.clip(q - threshold, 0.0, None)
        z_less = 2 * z - q
        report((i + 1) / settings.num_iter)
    x = irfftn(xp.sum(d * rfftn(z, 2), axis=0), shape)
    return xp.clip(xp.asarray(x[window], copy=True), 0.0, 1.0)


def _relaxed(estimate: Result, split: Result, split_less: Result, relaxation: float) -> Result:
    """The over-relaxed estimate minus the scaled dual, from which a split is updated."""
    return relaxation * estimate + (2 - relaxation) * split - split_less


def draw_strokes(width: float, settings: Strokes) -> Result:
    """One stroke with round ends for each direction; each holds as much ink as a square of the pen's width."""
    length, samples = settings.length, settings.samples
    reach = math.ceil(0.5 * length * width) + 1
    side = 2 * reach + 1
    at = (np.arange(side * samples) + 0.5) / samples - 0.5 - reach
    y, x = at[:, None], at[None, :]
    drawn = []
    for k in range(settings.directions):
        c, s = math.cos(math.pi * k / settings.directions), math.sin(math.pi * k / settings.directions)
        beyond = np.maximum(np.abs(c * x + s * y) - 0.5 * (length - 1) * width, 0.0)
        inside = beyond**2 + (c * y - s * x) ** 2 <= (0.5 * width) ** 2
        drawn.append(inside.reshape(side, samples, side, samples).mean(axis=(1, 3)))
    strokes = np.stack(drawn)
    return strokes * (width**2 / strokes.sum(axis=(1, 2), keepdims=True))
