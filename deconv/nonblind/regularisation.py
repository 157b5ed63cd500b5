"""Rules that choose the strength of a quadratic penalty from the spectrum of the data, on the host."""

import numpy as np

__all__ = ["RULES", "find"]

# Balances tried, about the inverse of the typical penalty, and halvings of the interval between two of them.
_DECADES, _PER_DECADE, _HALVINGS = (-9.0, 4.0), 8, 50


def find(rule, spectrum, typical, sigma=None):
    """The balance that a rule picks.

    Parameters
    ----------
    rule : {"likelihood", "gcv", "sure", "discrepancy"}
        The likelihood of the data, generalised cross-validation, Stein's unbiased estimate of the risk, or a residual
        like the noise.
    spectrum : Spectrum
        Of `deconv.nonblind.fourier`.
    typical : float
        Mean of the penalty: the balances tried lie about its inverse.
    sigma : float, optional
        Standard deviation of the noise, for the last two.
    """
    low, high = _DECADES
    exponents = np.arange(low, high + 1e-9, 1 / _PER_DECADE) - np.log10(typical)
    costs, rises = np.array([_RULES[rule](spectrum, 10.0**exponent, sigma) for exponent in exponents]).T
    if rule == "discrepancy":
        above = np.nonzero(rises > 0)[0]
        best = int(above[0]) if above.size else exponents.size - 1
        start, stop = exponents[max(best - 1, 0)], exponents[best]
    else:
        best = int(np.argmin(costs))
        start, stop = exponents[max(best - 1, 0)], exponents[min(best + 1, exponents.size - 1)]
    # By the sign of the derivative: the cost itself is flat at its minimum, and says where only to half its digits.
    for _ in range(_HALVINGS):
        middle = 0.5 * (start + stop)
        rise = _RULES[rule](spectrum, 10.0**middle, sigma)[1]
        start, stop = (start, middle) if rise > 0 else (middle, stop)
    return float(10.0 ** (0.5 * (start + stop)))


# Each rule gives its cost at a balance and a number of the sign of the cost's derivative. A frequency keeps the part
# `left` of itself in the residual, whose derivative by the logarithm of the balance is left (1 - left).


def _likelihood(spectrum, balance, sigma):
    # A frequency's variance is that of the noise over `left`; the noise's at its best is the mean of left * energy.
    left = balance / (spectrum.ratio + balance)
    number, energy = spectrum.number / np.sum(spectrum.number), spectrum.energy * left
    fit = 1 - left
    noise = max(float(np.sum(energy)), np.finfo(float).tiny)
    return np.log(noise) - np.sum(number * np.log(left)), np.sum(energy * fit) / noise - np.sum(number * fit)


def _gcv(spectrum, balance, sigma):
    left = balance / (spectrum.ratio + balance)
    residual, freedom = spectrum.energy * left**2, spectrum.number * left
    total = max(float(np.sum(residual)), np.finfo(float).tiny)
    cost = total / np.sum(freedom) ** 2
    return cost, np.sum(residual * (1 - left)) / total - np.sum(freedom * (1 - left)) / np.sum(freedom)


def _sure(spectrum, balance, sigma):
    left = balance / (spectrum.ratio + balance)
    residual, freedom = spectrum.energy * left**2, sigma**2 * spectrum.number * left
    return np.sum(residual - 2 * freedom), np.sum((residual - freedom) * (1 - left))


def _discrepancy(spectrum, balance, sigma):
    # Morozov's residual has the variance of all pixels, which smooths a sharp picture too much; of those that the fit
    # leaves free, too little where the PSF is wide. Half-way does well on both. The sign is that of what must be zero.
    left = balance / (spectrum.ratio + balance)
    excess = np.sum(spectrum.energy * left**2 - sigma**2 * spectrum.number * (1 + left) / 2)
    return abs(excess), excess


_RULES = {"likelihood": _likelihood, "gcv": _gcv, "sure": _sure, "discrepancy": _discrepancy}
RULES = tuple(_RULES)
