r"""The error of JPEG compression, which is not white, so that differences of neighbouring pixels do not reveal it.

JPEG rounds each coefficient of the cosine transform of 8 x 8 pixels to a multiple of a quantisation step q that depends
on the frequency [1]_. In the decoded image the coefficients still are such multiples, up to the rounding to 8 bits, so
that the steps can be measured. The error of a coefficient that was kept is uniform, up to q / 2. The fraction of
coefficients that became 0 gives the width of their Laplacian distribution, and so the error of these.

References
----------
.. [1] G. K. Wallace, "The JPEG still picture compression standard", IEEE Trans. Consum. Electron. 38, xviii-xxxiv
       (1992), :doi:`10.1109/30.125072`
"""

import math

import numpy as np
from scipy.fft import dctn

from deconv._core.array import Array, to_numpy
from deconv.blind.settings.jpeg import Jpeg

__all__ = ["quantisation_error"]

_BLOCK, _LEVELS = 8, 255
# Weights of red, green and blue in the luma, which JPEG quantises more finely than the chroma.
_LUMA = np.array([0.299, 0.587, 0.114])
_DEFAULTS = Jpeg()


def quantisation_error(page: Array, *, settings: Jpeg = _DEFAULTS) -> float:
    """Standard deviation of the error of JPEG compression.

    Parameters
    ----------
    page : array, shape (C, M, N)
        Encoded values from 0 to 1, whose corner is the corner of a block; for three colours the luma is used.
    settings : Jpeg
        When coefficients count as multiples of a step.

    Returns
    -------
    float
        In the units of the values; 0 if the image was never stored as JPEG, or was resized or processed afterwards.
    """
    planes = to_numpy(page).astype(np.float64)
    plane = np.tensordot(_LUMA, planes, 1) if len(planes) == len(_LUMA) else planes.mean(0)
    h, w = (n // _BLOCK for n in plane.shape)
    blocks = plane[: h * _BLOCK, : w * _BLOCK].reshape(h, _BLOCK, w, _BLOCK).swapaxes(1, 2)
    blocks = blocks.reshape(-1, _BLOCK, _BLOCK)[:: max(1, math.ceil(h * w / settings.blocks))]
    coefficients = dctn(_LEVELS * blocks, axes=(1, 2), norm="ortho").reshape(len(blocks), _BLOCK * _BLOCK)
    # The mean of a block, which comes first, has no zeros to tell multiples from.
    steps = [(x, step) for x in coefficients.T[1:] if (step := _step(x, settings=settings))]
    if len(steps) < settings.frequencies:
        return 0.0
    return math.sqrt(sum(_variance(x, step) for x, step in steps)) / (_BLOCK * _LEVELS)


def _step(coefficients: np.ndarray, *, settings: Jpeg) -> int:
    """The quantisation step of the coefficients of one frequency; 0 if they show none."""
    size = np.sort(np.abs(coefficients))[::-1]
    # The largest first: multiples of a step are multiples of its divisors too.
    for step in range(settings.largest_step, settings.least_step - 1, -1):
        kept = size[: np.searchsorted(-size, -step / 2)]
        if len(kept) >= settings.coefficients and np.cos(2 * np.pi / step * kept).mean() > settings.mean_cosine:
            return step
    return 0


def _variance(coefficients: np.ndarray, step: int) -> float:
    """Mean square of the error of multiples of a step."""
    zeros = float(np.mean(np.abs(coefficients) < step / 2))
    even = step * step / 12
    if zeros == 0:
        return even
    # P(|x| < t) = 1 - exp(-t / b) of a Laplacian of scale b, and its mean square there.
    t = step / 2
    outside = 1 - zeros
    b = -t / math.log(outside)
    within = 2 * b * b - outside / zeros * (t * t + 2 * b * t)
    return zeros * min(within, even) + outside * even
