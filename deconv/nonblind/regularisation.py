"""Rules that choose the weight of a quadratic penalty from the spectrum of the data, on the host."""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np

__all__ = ["RULES", "BinnedSpectrum", "Rule", "choose_balance"]

Rule: TypeAlias = Literal["likelihood", "gcv", "sure", "discrepancy"]

# Range of balances tried, in decades about the inverse of the mean penalty; then bisections between two of them.
_DECADES, _PER_DECADE, _BISECTIONS = (-9.0, 4.0), 8, 50


class BinnedSpectrum(NamedTuple):
    """Statistics of the data in bins of the ratio of ``|H|^2`` to ``|D|^2``; NumPy arrays, float64.

    Attributes
    ----------
    ratio : ndarray, shape (K,)
        Centres of the bins.
    number : ndarray, shape (K,)
        Number of frequencies; they sum to the number of pixels.
    energy : ndarray, shape (K,)
        Part of the image's sum of squares.
    inverse : ndarray, shape (K,)
        Part of the mean of ``1 / |D|^2`` over the period.
    """

    ratio: Any
    number: Any
    energy: Any
    inverse: Any


def choose_balance(rule: Rule, spectrum: BinnedSpectrum, mean_penalty: float, sigma: float | None = None) -> float:
    """The balance that a rule selects.

    Parameters
    ----------
    rule : {"likelihood", "gcv", "sure", "discrepancy"}
        Marginal likelihood, generalised cross-validation, Stein's unbiased risk estimate, or discrepancy principle.
    spectrum : BinnedSpectrum
        From `deconv.nonblind.fourier`.
    mean_penalty : float
        Mean of the penalty: the balances tried lie about its inverse.
    sigma : float, optional
        Standard deviation of the noise, for the last two rules.
    """
    low, high = _DECADES
    exponents = np.arange(low, high + 1e-9, 1 / _PER_DECADE) - np.log10(mean_penalty)
    costs, slopes = np.array([_RULES[rule](spectrum, 10.0**exponent, sigma) for exponent in exponents]).T
    if rule == "discrepancy":
        above = np.nonzero(slopes > 0)[0]
        best = int(above[0]) if above.size else exponents.size - 1
        start, stop = exponents[max(best - 1, 0)], exponents[best]
    else:
        best = int(np.argmin(costs))
        start, stop = exponents[max(best - 1, 0)], exponents[min(best + 1, exponents.size - 1)]
    # Bisection on the sign of the derivative: the cost is flat at its minimum, and locates it to half its digits only.
    for _ in range(_BISECTIONS):
        middle = 0.5 * (start + stop)
        slope = _RULES[rule](spectrum, 10.0**middle, sigma)[1]
        start, stop = (start, middle) if slope > 0 else (middle, stop)
    return float(10.0 ** (0.5 * (start + stop)))


# Each rule returns its cost at a balance and a number with the sign of the cost's derivative. The fraction `unfitted`
# of a frequency stays in the residual; its derivative by the logarithm of the balance is unfitted (1 - unfitted).


def _likelihood(spectrum: BinnedSpectrum, balance: float, sigma: Any) -> tuple[Any, Any]:
    # The variance of a frequency is that of the noise over `unfitted`; the likeliest noise variance is the mean of
    # unfitted * energy.
    unfitted = balance / (spectrum.ratio + balance)
    number, energy = spectrum.number / np.sum(spectrum.number), spectrum.energy * unfitted
    fit = 1 - unfitted
    noise = max(float(np.sum(energy)), np.finfo(float).tiny)
    return np.log(noise) - np.sum(number * np.log(unfitted)), np.sum(energy * fit) / noise - np.sum(number * fit)


def _gcv(spectrum: BinnedSpectrum, balance: float, sigma: Any) -> tuple[Any, Any]:
    unfitted = balance / (spectrum.ratio + balance)
    residual, freedom = spectrum.energy * unfitted**2, spectrum.number * unfitted
    total = max(float(np.sum(residual)), np.finfo(float).tiny)
    cost = total / np.sum(freedom) ** 2
    return cost, np.sum(residual * (1 - unfitted)) / total - np.sum(freedom * (1 - unfitted)) / np.sum(freedom)


def _sure(spectrum: BinnedSpectrum, balance: float, sigma: Any) -> tuple[Any, Any]:
    unfitted = balance / (spectrum.ratio + balance)
    residual, freedom = spectrum.energy * unfitted**2, sigma**2 * spectrum.number * unfitted
    return np.sum(residual - 2 * freedom), np.sum((residual - freedom) * (1 - unfitted))


def _discrepancy(spectrum: BinnedSpectrum, balance: float, sigma: Any) -> tuple[Any, Any]:
    # Morozov demands a residual with the noise variance of all pixels, which smooths a sharp image too much. Counting
    # only the degrees of freedom left by the fit smooths too little where the PSF is wide. Half-way does well on both.
    # The sign is that of the excess, which must be zero.
    unfitted = balance / (spectrum.ratio + balance)
    excess = np.sum(spectrum.energy * unfitted**2 - sigma**2 * spectrum.number * (1 + unfitted) / 2)
    return abs(excess), excess


_RULES: dict[Rule, Callable[[BinnedSpectrum, float, Any], tuple[Any, Any]]] = {
    "likelihood": _likelihood,
    "gcv": _gcv,
    "sure": _sure,
    "discrepancy": _discrepancy,
}
RULES = tuple(_RULES)
