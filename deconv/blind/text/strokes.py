r"""Text as strokes of a pen: where blur leaves no stroke's width to be seen, the scene is sought among what pens draw.

.. math:: x = \sum_\theta d_\theta * z_\theta , \qquad z_\theta \ge 0 , \quad 0 \le x \le 1 ,

with :math:`d_\theta` a short straight stroke in direction :math:`\theta`. Minimised is

.. math:: \tfrac12 \lVert m \, (h * x - y) \rVert^2 + \lambda \sum_\theta \lVert z_\theta \rVert_1

for the PSF h and the mask m of what the picture y holds: non-negative convolutional sparse coding [1]_, with strokes
that nobody learned. Solved by the alternating direction method of multipliers; as all strokes are seen through one PSF,
its linear step is of rank one at each frequency and needs no system to be solved.

References
----------
.. [1] B. Wohlberg, "Efficient algorithms for convolutional sparse representations", IEEE Trans. Image Process. 25,
   301-315 (2016), :doi:`10.1109/TIP.2015.2495260`
"""

import math

import numpy as np

from deconv._core.array import array_namespace, device, like
from deconv._core.fft import Transfer, fast_shape, irfftn, rfftn

__all__ = ["restore_strokes"]

# Directions of strokes, and their length in widths of the pen.
_DIRECTIONS, _LENGTH = 8, 4.0
# Price of a stroke (the lambda), for ink of level 1: ten times less hardly matters, three times more is too much.
_PRICE = 3e-5
# Penalties of the bounds' and the strokes' splits, against 1 of the data's, and the data's weight against that; and
# over-relaxation.
_BOUNDS, _STROKES, _DATA, _RELAX = 0.01, 0.01, 10.0, 1.7
# Samples a pixel along each axis in drawing a stroke.
_SAMPLES = 4


def restore_strokes(image, psf, width, num_iter, report):
    """Coverage by strokes, 0 to 1.

    Parameters
    ----------
    image : array, shape (M, N)
        The blurred coverage.
    psf : ndarray, shape (m, m)
        Normalised.
    width : float
        Of the pen, in pixels.
    num_iter : int
        Iterations.
    report : callable
        ``report(fraction)``.

    Returns
    -------
    array, shape (M, N)
    """
    xp = array_namespace(image)
    strokes = _strokes(width)
    reach = psf.shape[0] + strokes.shape[1]
    shape = fast_shape(tuple(n + reach for n in image.shape))
    window = tuple(slice((s - n) // 2, (s - n) // 2 + n) for s, n in zip(shape, image.shape, strict=True))

    def zeros(*maps):
        return xp.zeros((*maps, *shape), dtype=image.dtype, device=device(image))

    seen, pull = zeros(), zeros()
    seen[window] = image
    pull[window] = _DATA / (1.0 + _DATA)
    h = Transfer(like(psf, image), shape).otf
    d = xp.stack([Transfer(like(stroke, image), shape).otf for stroke in strokes])
    drawn = xp.sum(xp.real(d) ** 2 + xp.imag(d) ** 2, axis=0)
    shared = xp.real(h) ** 2 + xp.imag(h) ** 2 + _BOUNDS
    gain = 1.0 / (_STROKES + shared * drawn)
    # Each split's own variable, and it less its scaled dual.
    data, data_less = zeros(), zeros()
    box, box_less = zeros(), zeros()
    z, z_less = zeros(len(strokes)), zeros(len(strokes))
    threshold = _PRICE * _DATA / _STROKES
    for i in range(num_iter):
        parts = rfftn(z_less, 2)
        scene = xp.sum(d * parts, axis=0)
        step = gain * (xp.conj(h) * rfftn(data_less) + _BOUNDS * rfftn(box_less) - shared * scene)
        parts = parts + xp.conj(d) * step
        scene = scene + drawn * step
        q = _relaxed(irfftn(h * scene, shape), data, data_less)
        data = q + pull * (seen - q)
        data_less = 2 * data - q
        q = _relaxed(irfftn(scene, shape), box, box_less)
        box = xp.clip(q, 0.0, 1.0)
        box_less = 2 * box - q
        q = _relaxed(irfftn(parts, shape), z, z_less)
        z = xp.clip(q - threshold, 0.0, None)
        z_less = 2 * z - q
        report((i + 1) / num_iter)
    x = irfftn(xp.sum(d * rfftn(z, 2), axis=0), shape)
    return xp.clip(xp.asarray(x[window], copy=True), 0.0, 1.0)


def _relaxed(now, split, split_less):
    """What a split is made from: the over-relaxed estimate and the scaled dual."""
    return _RELAX * now + (2 - _RELAX) * split - split_less


def _strokes(width):
    """Strokes with round ends, one a direction; each holds as much ink as a square of the pen's width."""
    reach = math.ceil(0.5 * _LENGTH * width) + 1
    side = 2 * reach + 1
    at = (np.arange(side * _SAMPLES) + 0.5) / _SAMPLES - 0.5 - reach
    y, x = at[:, None], at[None, :]
    out = []
    for k in range(_DIRECTIONS):
        c, s = math.cos(math.pi * k / _DIRECTIONS), math.sin(math.pi * k / _DIRECTIONS)
        beyond = np.maximum(np.abs(c * x + s * y) - 0.5 * (_LENGTH - 1) * width, 0.0)
        inside = beyond**2 + (c * y - s * x) ** 2 <= (0.5 * width) ** 2
        out.append(inside.reshape(side, _SAMPLES, side, _SAMPLES).mean(axis=(1, 3)))
    out = np.stack(out)
    return out * (width**2 / out.sum(axis=(1, 2), keepdims=True))
