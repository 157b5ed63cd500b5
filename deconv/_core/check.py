"""Checks of plain numbers, with one clear sentence if one is of the wrong type or out of range."""

import math
from numbers import Integral, Real
from typing import Any

import numpy as np

__all__ = ["generator", "integer", "real"]


def real(
    value: Any, name: str, *, low: float | None = None, above: float | None = None, high: float | None = None
) -> float:
    """`value` as a finite float.

    Parameters
    ----------
    value : number
        Argument of the public function.
    name : str
        Its name there, for the error message.
    low, high : float, optional
        Smallest and largest value allowed.
    above : float, optional
        A bound that `value` must exceed.

    Raises
    ------
    TypeError
        If it is not a real number.
    ValueError
        If it is NaN, infinite or out of range.
    """
    # A 0-d array of any library converts to float. A boolean is a number to Python only by accident.
    zero_d = getattr(value, "shape", None) == ()
    if isinstance(value, bool) or not (isinstance(value, Real) or zero_d):
        raise TypeError(f"{name} must be a number, got {type(value).__name__}")
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{name} must be finite, got {number}")
    if low is not None and number < low:
        raise ValueError(f"{name} must be at least {low:g}, got {number:g}")
    if above is not None and number <= above:
        raise ValueError(f"{name} must be greater than {above:g}, got {number:g}")
    if high is not None and number > high:
        raise ValueError(f"{name} must be at most {high:g}, got {number:g}")
    return number


def integer(value: Any, name: str, *, low: int, high: int) -> int:
    """`value` as an int between `low` and `high`, both included.

    Raises
    ------
    TypeError
        If it is not an integer.
    ValueError
        If it is out of range.
    """
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{name} must be an integer, got {type(value).__name__}")
    if not low <= int(value) <= high:
        raise ValueError(f"{name} must lie between {low} and {high}, got {value}")
    return int(value)


def generator(rng: Any) -> np.random.Generator:
    """`rng` as a NumPy random generator: a seed, a generator, or None for a fresh one.

    Raises
    ------
    TypeError, ValueError
        If it is none of these.
    """
    try:
        return np.random.default_rng(rng)
    except (TypeError, ValueError) as error:
        wanted = "a seed of 0 or more, a numpy.random.Generator or None"
        raise type(error)(f"rng must be {wanted}, got {rng!r}") from None
