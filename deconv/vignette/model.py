"""The light over the frame as a polynomial, and its value at every pixel."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deconv._core.array import Array, Result, array_namespace, device
from deconv._core.check import integer

__all__ = ["Vignette", "diagonal_units", "exponents", "radial_exponents", "term_names"]


@dataclass(frozen=True)
class Vignette:
    """The light over the frame, as estimated by `fit`.

    Attributes
    ----------
    coefficients : tuple of float
        One for each of `terms`.
    terms : tuple of str
        Names of the terms: x and y run from -1 to 1 over the frame, d from 0 in the centre to 1 in the corners.
    degree : int
        Degree of the polynomial in x and y.
    shape : (int, int)
        Shape of the fitted image.
    rms : float
        Root mean square of the residual over the samples used. Samples are block means, so noise is averaged down.
    used : float
        Fraction of the samples used by the fit, 0 to 1.
    """

    coefficients: tuple[float, ...]
    terms: tuple[str, ...]
    degree: int
    shape: tuple[int, int]
    rms: float
    used: float

    def field(self, shape: tuple[int, int] | None = None, *, like: Array | None = None) -> Result:
        """The light at every pixel.

        Parameters
        ----------
        shape : (int, int), optional
            Number of pixels along each axis of the same frame. Default: the shape of the fitted image.
        like : array, optional
            The result takes the library, device and floating type of this array. Default: NumPy, float64.

        Returns
        -------
        array, shape `shape`
            The light, in the units of the fitted image.

        Raises
        ------
        TypeError
            If `shape` is not a pair of integers.
        ValueError
            If `shape` is not positive.

        Examples
        --------
        >>> import numpy as np, deconv
        >>> light = deconv.vignette.fit(np.full((60, 80), 0.9))
        >>> light.field((30, 40)).shape
        (30, 40)
        """
        shape = self.shape if shape is None else shape
        if not isinstance(shape, (tuple, list)) or len(shape) != 2:
            raise TypeError(f"shape must be two integers, got {shape!r}")
        height, width = (integer(n, "shape", low=1, high=2**31) for n in shape)
        reference = np.empty(0) if like is None else like
        xp = array_namespace(reference)
        kind = {"dtype": xp.float64 if reference.dtype == xp.float64 else xp.float32, "device": device(reference)}
        y, x = _pixel_centres(height), _pixel_centres(width)
        matrix = np.zeros((self.degree + 1, self.degree + 1))
        polynomial, radial = exponents(self.degree), radial_exponents(self.degree)
        for (i, j), c in zip(polynomial, self.coefficients[: len(polynomial)], strict=True):
            matrix[j, i] = c
        # A sum of products of a function of y and one of x: the full frame costs one small matrix product.
        rows = np.stack([y**j for j in range(self.degree + 1)], axis=1) @ matrix
        columns = np.stack([x**i for i in range(self.degree + 1)])
        out = xp.asarray(rows, **kind) @ xp.asarray(columns, **kind)
        a, b = diagonal_units(self.shape)
        d2 = xp.asarray((b * y)[:, None] ** 2, **kind) + xp.asarray((a * x)[None, :] ** 2, **kind)
        for power, c in zip(radial, self.coefficients[len(polynomial) :], strict=True):
            term = d2 ** (power / 2)
            term *= c
            out += term
        return out


def exponents(degree: int) -> list[tuple[int, int]]:
    """Exponents of x and of y in each term of the polynomial."""
    return [(total - j, j) for total in range(degree + 1) for j in range(total + 1)]


def radial_exponents(degree: int) -> tuple[int, ...]:
    """Exponents of d in the radial terms: the sixth lets the light of a real lens drop steeply in the corners."""
    return (1, 6) if degree >= 4 else (1,)


def term_names(degree: int) -> tuple[str, ...]:
    """Names of all terms, such as ``"x^2 y"``, in the order of the coefficients."""

    def factor(name: str, power: int) -> str:
        return f"{name}^{power}" if power > 1 else name * power

    polynomial = (" ".join(filter(None, (factor("x", i), factor("y", j)))) or "1" for i, j in exponents(degree))
    return (*polynomial, *(factor("d", k) for k in radial_exponents(degree)))


def diagonal_units(shape: tuple[int, ...]) -> tuple[float, float]:
    """Half the width and half the height of a frame in units of half its diagonal: d^2 = (a x)^2 + (b y)^2."""
    diagonal = math.hypot(*shape)
    return shape[1] / diagonal, shape[0] / diagonal


def _pixel_centres(n: int) -> NDArray[np.float64]:
    """Positions of the centres of n pixels between -1 and 1."""
    centres: NDArray[np.float64] = (2 * np.arange(n) + 1) / n - 1
    return centres
