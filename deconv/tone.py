r"""The camera's response curve: light from the values of a picture file, and back.

Blur adds up light, and a picture file holds tone-encoded values. A camera follows a power of the light where it is dark
and bends over in its highlights, lest they be clipped:

.. math:: l = 1 - (1 - v^g)^p , \qquad g = \gamma^{1 - s}, \quad p = 3^{-s} ,

for the exponent :math:`\gamma` and the shoulder :math:`s`: a plain power :math:`l = v^\gamma` for 0,
:math:`v = 1 - (1 - l)^3` for 1. Decode before deconvolving, encode after; `deconv.blind.deblur` estimates the shoulder.
"""

from deconv._core.array import array_namespace, as_image, torch_door
from deconv._core.check import real

__all__ = ["decode", "encode"]

# Strongest shoulder: v = 1 - (1 - l)^9, with which paper at 0.96 of white is at a third of full light.
_STRONGEST = 2.0


@torch_door
def decode(image, gamma=2.2, shoulder=0.0):
    r"""Light from encoded values: :math:`l = 1 - (1 - v^g)^p`, without a shoulder :math:`l = v^\gamma`.

    Parameters
    ----------
    image : array
        Encoded values, 1 the white point, of one to four axes. Negative values (noise about black) keep their
        sign, NaN stays NaN.
    gamma : float, default 2.2
        Exponent of the response curve, above 0; 1 for values that are light already.
    shoulder : float, default 0
        How far the camera holds back its highlights, 0 to 2 (see `deconv.tone`). With a shoulder, light ends at the
        white point: what is above counts as 1.

    Returns
    -------
    array
        The same shape; float64 stays float64, everything else becomes float32 (8 and 16-bit integers
        with their largest value at 1).

    Raises
    ------
    TypeError
        If `image` is no array of real numbers, or `gamma` or `shoulder` no number.
    ValueError
        If `image` is empty or infinite, `gamma` not above 0, or `shoulder` out of range.

    Examples
    --------
    >>> import numpy as np, deconv
    >>> deconv.tone.decode(np.array([0.0, 0.5, 1.0])).round(3)
    array([0.   , 0.218, 1.   ])
    """
    image = as_image(image, ndim=(1, 2, 3, 4), nan="mask")
    exponent, highlights = _powers(gamma, shoulder)
    xp = array_namespace(image)
    size = xp.abs(image) ** exponent
    if highlights != 1.0:
        size = 1.0 - xp.clip(1.0 - size, 0.0, None) ** highlights
    return xp.sign(image) * size


@torch_door
def encode(light, gamma=2.2, shoulder=0.0):
    r"""Encoded values from light, the inverse of `decode`: without a shoulder :math:`v = l^{1/\gamma}`.

    Parameters
    ----------
    light : array
        Light, 1 the white point, of one to four axes. Negative values keep their sign, NaN stays NaN.
    gamma : float, default 2.2
        Exponent of the response curve, above 0.
    shoulder : float, default 0
        How far the camera holds back its highlights, as for `decode`.

    Returns
    -------
    array
        The same shape; float64 stays float64, everything else becomes float32.

    Raises
    ------
    TypeError
        If `light` is no array of real numbers, or `gamma` or `shoulder` no number.
    ValueError
        If `light` is empty or infinite, `gamma` not above 0, or `shoulder` out of range.

    Examples
    --------
    >>> import numpy as np, deconv
    >>> deconv.tone.encode(np.array([0.0, 0.218, 1.0])).round(3)
    array([0. , 0.5, 1. ])
    """
    light = as_image(light, "light", ndim=(1, 2, 3, 4), nan="mask")
    exponent, highlights = _powers(gamma, shoulder)
    xp = array_namespace(light)
    size = xp.abs(light)
    if highlights != 1.0:
        size = 1.0 - xp.clip(1.0 - size, 0.0, None) ** (1 / highlights)
    return xp.sign(light) * size ** (1 / exponent)


def _powers(gamma, shoulder):
    """The powers g of the values and p of the highlights."""
    gamma = real(gamma, "gamma", above=0)
    shoulder = real(shoulder, "shoulder", low=0, high=_STRONGEST)
    return gamma ** (1 - shoulder), 3.0**-shoulder
