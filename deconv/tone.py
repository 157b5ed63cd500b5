r"""The camera's response curve: light from the values of a picture file, and back.

Blur adds up light, and a picture file holds tone-encoded values, close to :math:`v = l^{1/\gamma}`:
decode before deconvolving, encode after.
"""

from deconv._array import array_namespace, as_image, torch_door
from deconv._check import real

__all__ = ["decode", "encode"]


@torch_door
def decode(image, gamma=2.2):
    r"""Light from encoded values: :math:`l = v^\gamma`.

    Parameters
    ----------
    image : array
        Encoded values, 1 the white point, of one to four axes. Negative values (noise about black) keep their
        sign, NaN stays NaN.
    gamma : float, default 2.2
        Exponent of the response curve, above 0; 1 for values that are light already.

    Returns
    -------
    array
        The same shape; float64 stays float64, everything else becomes float32 (8 and 16-bit integers
        with their largest value at 1).

    Raises
    ------
    TypeError
        If `image` is no array of real numbers, or `gamma` no number.
    ValueError
        If `image` is empty or infinite, or `gamma` not above 0.

    Examples
    --------
    >>> import numpy as np, deconv
    >>> deconv.tone.decode(np.array([0.0, 0.5, 1.0])).round(3)
    array([0.   , 0.218, 1.   ])
    """
    image = as_image(image, ndim=(1, 2, 3, 4), nan="mask")
    return _power(image, real(gamma, "gamma", above=0))


@torch_door
def encode(light, gamma=2.2):
    r"""Encoded values from light: :math:`v = l^{1/\gamma}`, the inverse of `decode`.

    Parameters
    ----------
    light : array
        Light, 1 the white point, of one to four axes. Negative values keep their sign, NaN stays NaN.
    gamma : float, default 2.2
        Exponent of the response curve, above 0.

    Returns
    -------
    array
        The same shape; float64 stays float64, everything else becomes float32.

    Raises
    ------
    TypeError
        If `light` is no array of real numbers, or `gamma` no number.
    ValueError
        If `light` is empty or infinite, or `gamma` not above 0.

    Examples
    --------
    >>> import numpy as np, deconv
    >>> deconv.tone.encode(np.array([0.0, 0.218, 1.0])).round(3)
    array([0. , 0.5, 1. ])
    """
    light = as_image(light, "light", ndim=(1, 2, 3, 4), nan="mask")
    return _power(light, 1 / real(gamma, "gamma", above=0))


def _power(image, exponent):
    xp = array_namespace(image)
    return xp.sign(image) * xp.abs(image) ** exponent
