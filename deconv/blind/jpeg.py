r"""What a picture lost when it was stored as JPEG: an error that is not white, and so no noise that differences show.

JPEG keeps of each block of 8 x 8 pixels multiples of a step q for each frequency of the cosine transform [1]_. In the
picture read again the coefficients still are such multiples, but for rounding to 8 bits, so that the steps can be read
off it. A coefficient that was kept is off by up to q / 2, evenly; of those that became 0 as many as there are say how
wide a Laplacian they came from, and so what they had.

References
----------
.. [1] G. K. Wallace, "The JPEG still picture compression standard", IEEE Trans. Consum. Electron. 38, xviii-xxxiv
       (1992), :doi:`10.1109/30.125072`
"""

import math

import numpy as np
from scipy.fft import dctn

from deconv._core.array import to_numpy

__all__ = ["lost"]

_BLOCK, _LEVELS = 8, 255
# Steps that are looked for, the largest first: multiples of a step are multiples of its parts too.
_STEPS = range(80, 2, -1)
# Blocks looked at, at most; coefficients that a step must explain, and their mean cosine: 1 if all are multiples.
_BLOCKS, _SEEN, _ALIKE = 4096, 20, 0.8
# Frequencies that must have a step: in small drawn pictures a few may by chance.
_FREQUENCIES = 8
# Of red, green and blue in the luma, which is what has the finer steps.
_LUMA = np.array([0.299, 0.587, 0.114])


def lost(page):
    """Standard deviation of the error that JPEG left.

    Parameters
    ----------
    page : array, shape (C, M, N)
        Values from 0 to 1, the blocks beginning in its corner; of three colours the luma counts.

    Returns
    -------
    float
        In the units of the values; 0 if it was not stored as JPEG, or changed since.
    """
    planes = to_numpy(page).astype(np.float64)
    plane = np.tensordot(_LUMA, planes, 1) if len(planes) == len(_LUMA) else planes.mean(0)
    h, w = (n // _BLOCK for n in plane.shape)
    blocks = plane[: h * _BLOCK, : w * _BLOCK].reshape(h, _BLOCK, w, _BLOCK).swapaxes(1, 2)
    blocks = blocks.reshape(-1, _BLOCK, _BLOCK)[:: max(1, math.ceil(h * w / _BLOCKS))]
    coefficients = dctn(_LEVELS * blocks, axes=(1, 2), norm="ortho").reshape(len(blocks), _BLOCK * _BLOCK)
    # (The mean of a block has no zeros to tell multiples from.)
    steps = [(x, step) for x in coefficients.T[1:] if (step := _step(x))]
    if len(steps) < _FREQUENCIES:
        return 0.0
    return math.sqrt(sum(_variance(x, step) for x, step in steps)) / (_BLOCK * _LEVELS)


def _step(coefficients):
    """The step of which these are multiples, 0 if there is none to be seen."""
    size = np.sort(np.abs(coefficients))[::-1]
    for step in _STEPS:
        kept = size[: np.searchsorted(-size, -step / 2)]
        if len(kept) >= _SEEN and np.cos(2 * np.pi / step * kept).mean() > _ALIKE:
            return step
    return 0


def _variance(coefficients, step):
    """Mean square of what multiples of a step are off."""
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
