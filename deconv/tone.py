r"""The camera's response curve (tone curve): from the values of an image file to light, and back.

Blur adds up light, but an image file holds tone-encoded values. A camera encodes shadows by a power law and compresses
highlights to avoid clipping:

.. math:: l = 1 - (1 - v^g)^p , \qquad g = \gamma^{1 - s}, \quad p = 3^{-s} ,

with the exponent :math:`\gamma` and the shoulder :math:`s`: the plain power law :math:`l = v^\gamma` for :math:`s = 0`,
:math:`v = 1 - (1 - l)^3` for :math:`s = 1`. Decode before deconvolution, encode afterwards; `deconv.blind.deblur`
estimates the shoulder.
"""

from deconv._core.array import Array, Result, accepts_torch, array_namespace, as_image
from deconv._core.check import real

__all__ = ["decode", "encode"]

# Strongest shoulder: v = 1 - (1 - l)^9, which encodes 0.3 of full light as 0.96 of white.
_MAX_SHOULDER = 2.0


@accepts_torch
def decode(image: Array, gamma: float = 2.2, shoulder: float = 0.0) -> Result:
    r"""Convert encoded values to light: :math:`l = 1 - (1 - v^g)^p`, or :math:`l = v^\gamma` without a shoulder.

    Parameters
    ----------
    image : array
        Encoded values, white at 1, with one to four axes. Negative values (noise around black) keep their sign; NaN
        stays NaN.
    gamma : float, default 2.2
        Exponent of the response curve, above 0; 1 if the values are linear in light already.
    shoulder : float, default 0
        Strength of the highlight compression, 0 to 2 (see `deconv.tone`). With a shoulder, values above 1 are clipped
        to the white point.

    Returns
    -------
    array
        The same shape; float64 stays float64, everything else becomes float32. The largest value of an 8 or 16-bit
        integer type counts as 1.

    Raises
    ------
    TypeError
        If `image` is not an array of real numbers, or `gamma` or `shoulder` not a number.
    ValueError
        If `image` is empty or holds infinity, `gamma` is not above 0, or `shoulder` is out of range.

    Examples
    --------
    >>> import numpy as np, deconv
    >>> deconv.tone.decode(np.array([0.0, 0.5, 1.0])).round(3)
    array([0.   , 0.218, 1.   ])
    """
    image = as_image(image, ndim=(1, 2, 3, 4), nan="mask")
    exponent, highlight_exponent = _exponents(gamma, shoulder)
    xp = array_namespace(image)
    magnitude = xp.abs(image)
    magnitude **= exponent
    if highlight_exponent != 1.0:
        magnitude = 1.0 - xp.clip(1.0 - magnitude, 0.0, None) ** highlight_exponent
    magnitude *= xp.sign(image)
    return magnitude


@accepts_torch
def encode(light: Array, gamma: float = 2.2, shoulder: float = 0.0) -> Result:
    r"""Convert light to encoded values, the inverse of `decode`: :math:`v = l^{1/\gamma}` without a shoulder.

    Parameters
    ----------
    light : array
        Light, white at 1, with one to four axes. Negative values keep their sign; NaN stays NaN.
    gamma : float, default 2.2
        Exponent of the response curve, above 0.
    shoulder : float, default 0
        Strength of the highlight compression, as in `decode`.

    Returns
    -------
    array
        The same shape; float64 stays float64, everything else becomes float32.

    Raises
    ------
    TypeError
        If `light` is not an array of real numbers, or `gamma` or `shoulder` not a number.
    ValueError
        If `light` is empty or holds infinity, `gamma` is not above 0, or `shoulder` is out of range.

    Examples
    --------
    >>> import numpy as np, deconv
    >>> deconv.tone.encode(np.array([0.0, 0.218, 1.0])).round(3)
    array([0. , 0.5, 1. ])
    """
    light = as_image(light, "light", ndim=(1, 2, 3, 4), nan="mask")
    exponent, highlight_exponent = _exponents(gamma, shoulder)
    xp = array_namespace(light)
    magnitude = xp.abs(light)
    if highlight_exponent != 1.0:
        magnitude = 1.0 - xp.clip(1.0 - magnitude, 0.0, None) ** (1 / highlight_exponent)
    magnitude **= 1 / exponent
    magnitude *= xp.sign(light)
    return magnitude


def _exponents(gamma: float, shoulder: float) -> tuple[float, float]:
    """The exponents g of the values and p of the highlights."""
    gamma = real(gamma, "gamma", above=0)
    shoulder = real(shoulder, "shoulder", low=0, high=_MAX_SHOULDER)
    return gamma ** (1 - shoulder), 3.0**-shoulder
