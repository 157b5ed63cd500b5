r"""What JPEG compression did to an image: its error, which is not white, and the detail that it removed.

JPEG rounds each coefficient of the cosine transform of 8 x 8 pixels to a multiple of a quantisation step q that depends
on the frequency [1]_. In the decoded image the coefficients still are such multiples, up to the rounding to 8 bits, so
that the steps can be measured. The error of a coefficient that was kept is uniform, up to q / 2. The fraction of
coefficients that became 0 gives the width of their Laplacian distribution, and so the error of these.

Rounding is not linear, but its output is the sum of a linear part and a part uncorrelated with the input [2]_. With the
mean squares R of the decoded coefficients and E of the error, which is nearly uncorrelated with the decoded
coefficients, the linear part has the factor and the rest has the mean square

.. math:: \alpha = \frac{R}{R + E}, \qquad D = \frac{R E}{R + E} .

So the power of the image is multiplied by :math:`\alpha^2`, which falls to 0 where all coefficients became 0, and D is
added. In the spectrum both are spread as the cosines of their block are.

References
----------
.. [1] G. K. Wallace, "The JPEG still picture compression standard", IEEE Trans. Consum. Electron. 38, xviii-xxxiv
       (1992), :doi:`10.1109/30.125072`
.. [2] J. J. Bussgang, "Crosscorrelation functions of amplitude-distorted Gaussian signals", MIT Research Laboratory of
       Electronics, Technical Report 216 (1952)
"""

import functools
import math
from dataclasses import dataclass
from operator import itemgetter

import numpy as np
from scipy.fft import dctn, idct

from deconv._core.array import Array, to_numpy
from deconv.blind.settings.jpeg import Jpeg

__all__ = ["Compression", "measure"]

_BLOCK, _LEVELS = 8, 255
# Weights of red, green and blue in the luma, which JPEG quantises more finely than the chroma.
_LUMA = np.array([0.299, 0.587, 0.114])
# Quantisation steps of the luma in the annex K of the standard. Encoders multiply them by one factor.
_ANNEX_K = np.array(
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ],
    float,
)
# Mean square of the rounding to 8 bits, in squared levels.
_ROUNDING = 1 / 12
# Frequencies at which the power of the cosines is tabulated, from 0 to 1/2 cycle per pixel.
_TABLE = 513
_DEFAULTS = Jpeg()


@dataclass(frozen=True)
class Compression:
    """What JPEG did to each of the 8 x 8 frequencies of a block, vertical ones along the rows.

    Attributes
    ----------
    kept : ndarray, shape (8, 8)
        Factor of the linear part: 1 if nothing was lost, 0 if every coefficient became 0.
    error : ndarray, shape (8, 8)
        Mean square of the uncorrelated part, rounding to 8 bits included, in squared units of the values.
    rms : float
        Standard deviation of the whole error, what was lost included, in units of the values.
    """

    kept: np.ndarray
    error: np.ndarray
    rms: float

    def spectrum(self, fy: np.ndarray, fx: np.ndarray, scale: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
        """Factor on the power of the scene, and power of the error, at some frequencies.

        Parameters
        ----------
        fy, fx : ndarray, shape (n,)
            Cycles per pixel, vertical and horizontal.
        scale : float
            Reduction of the image to the grid whose pixels these are.

        Returns
        -------
        factor, power : ndarray, shape (n,)
            The squared linear factor, and the power of the error per pixel of the image.
        """
        table = _power_of_cosines()
        vertical, horizontal = (
            table[:, np.rint(np.abs(f) / scale * 2 * (_TABLE - 1)).astype(int)] / _BLOCK for f in (fy, fx)
        )

        def spread(weights: np.ndarray) -> np.ndarray:
            total: np.ndarray = np.sum(vertical * (weights @ horizontal), axis=0)
            return total

        return spread(self.kept) ** 2, spread(self.error)


@functools.cache
def _power_of_cosines() -> np.ndarray:
    """Power of each of the eight orthonormal cosines of a block at tabulated frequencies, shape (8, _TABLE)."""
    cosines = idct(np.eye(_BLOCK), axis=0, norm="ortho")
    f = np.linspace(0, 0.5, _TABLE)
    power: np.ndarray = np.abs(cosines.T @ np.exp(-2j * np.pi * np.outer(np.arange(_BLOCK), f))) ** 2
    return power


def measure(page: Array, *, settings: Jpeg = _DEFAULTS) -> Compression | None:
    """Measure what JPEG compression did to an image.

    Parameters
    ----------
    page : array, shape (C, M, N)
        Encoded values from 0 to 1; for three colours the luma is used. The image may be cropped from a stored one.
    settings : Jpeg
        When coefficients count as multiples of a step.

    Returns
    -------
    Compression or None
        None if the image was never stored as JPEG, or was resized or processed afterwards.
    """
    planes = to_numpy(page)
    weights = _LUMA if len(planes) == len(_LUMA) else np.full(len(planes), 1 / len(planes))
    # Plane by plane: a product of arrays copies a picture whose colours lie side by side.
    plane = sum(float(weight) * colour for weight, colour in zip(weights, planes, strict=True))
    if min(plane.shape) < 2 * _BLOCK:
        return None
    corners = [(0, 0), tuple(_first_boundary(plane, axis) for axis in (0, 1))]
    found: list[tuple[int, np.ndarray, np.ndarray]] = []
    for top, left in dict.fromkeys(corners):
        coefficients = _coefficients(plane[top:, left:], settings)
        # The mean of a block, which comes first, has no zeros to tell multiples from.
        steps = np.array([0, *(_step(x, settings=settings) for x in coefficients.T[1:])])
        found.append((int(np.count_nonzero(steps)), coefficients, steps))
    # Where one axis is right and the other is not, some frequencies have steps too.
    most, coefficients, steps = max(found, key=itemgetter(0))
    return _compression(coefficients, steps) if most >= settings.frequencies else None


def _first_boundary(plane: np.ndarray, axis: int) -> int:
    """Index of the first line that begins a block: steps across the boundaries of blocks are larger than within."""
    steps = np.diff(plane, axis=axis)
    steps = np.abs(steps, out=steps).mean(1 - axis)
    # An excess over both neighbours: an edge of the scene is wider than one line.
    excess = steps[1:-1] - (steps[:-2] + steps[2:]) / 2
    by_phase = [float(np.median(excess[i::_BLOCK])) for i in range(_BLOCK)]
    return (int(np.argmax(by_phase)) + 2) % _BLOCK


def _coefficients(plane: np.ndarray, settings: Jpeg) -> np.ndarray:
    """Coefficients of the blocks in levels, shape (blocks, 64)."""
    h, w = (n // _BLOCK for n in plane.shape)
    blocks = plane[: h * _BLOCK, : w * _BLOCK].reshape(h, _BLOCK, w, _BLOCK).swapaxes(1, 2)
    at = np.arange(0, h * w, max(1, math.ceil(h * w / settings.blocks)))
    blocks = blocks[at // w, at % w]
    coefficients: np.ndarray = dctn(_LEVELS * blocks.astype(np.float64), axes=(1, 2), norm="ortho").reshape(
        len(blocks), -1
    )
    return coefficients


def _step(coefficients: np.ndarray, *, settings: Jpeg) -> int:
    """The quantisation step of the coefficients of one frequency; 0 if they show none."""
    size = np.sort(np.abs(coefficients))[::-1]
    # The largest first: multiples of a step are multiples of its divisors too.
    for step in range(settings.largest_step, settings.least_step - 1, -1):
        kept = size[: np.searchsorted(-size, -step / 2)]
        if len(kept) < settings.coefficients:
            continue
        cosine = float(np.cos(2 * np.pi / step * kept).mean())
        # Rounding to 8 bits blurs fine steps, and only many coefficients together show them: without a step each adds
        # 1/2 to the variance of the sum.
        clear = cosine * math.sqrt(2 * len(kept)) > settings.significance
        if cosine > settings.mean_cosine or (step <= settings.fine_step and cosine > settings.fine_cosine and clear):
            return step
    return 0


def _compression(coefficients: np.ndarray, measured: np.ndarray) -> Compression:
    """The linear part and the error for the measured steps; those that show none are multiples of the standard's."""
    standard, known = _ANNEX_K.ravel(), measured > 0
    steps = np.where(known, measured, np.maximum(1.0, np.median(measured[known] / standard[known]) * standard))
    lost = np.array([_variance(x, q) for x, q in zip(coefficients.T, steps, strict=True)])
    # The mean of a block is never rounded to 0 as a whole.
    lost[0] = steps[0] ** 2 / 12
    decoded = np.maximum(coefficients.var(0) - _ROUNDING, 1e-6)
    shape = (_BLOCK, _BLOCK)
    return Compression(
        kept=(decoded / (decoded + lost)).reshape(shape),
        error=((decoded * lost / (decoded + lost) + _ROUNDING) / _LEVELS**2).reshape(shape),
        rms=math.sqrt(lost[known].sum()) / (_BLOCK * _LEVELS),
    )


def _variance(coefficients: np.ndarray, step: float) -> float:
    """Mean square of the error of multiples of a step."""
    zeros = float(np.mean(np.abs(coefficients) < step / 2))
    even = step * step / 12
    if zeros == 0:
        return even
    # P(|x| < t) = 1 - exp(-t / b) of a Laplacian of scale b, and its mean square there.
    t = step / 2
    outside = max(1 - zeros, 0.5 / len(coefficients))
    b = -t / math.log(outside)
    within = 2 * b * b - outside / (1 - outside) * (t * t + 2 * b * t)
    return (1 - outside) * min(within, even) + outside * even
