"""Rules that choose the strength of a quadratic penalty from the spectrum of the data, on the host."""

import numpy as np

__all__ = ["RULES", "find"]

RULES = ("likelihood", "gcv", "sure", "discrepancy")

# Balances tried, about the middle of the range of ratios that matters, and steps of the search between two of them.
_DECADES, _PER_DECADE, _STEPS = (-9.0, 4.0), 8, 40


def find(rule, spectrum, typical, sigma=None):
    """The balance that a rule picks.

    Parameters
    ----------
    rule : {"likelihood", "gcv", "sure", "discrepancy"}
        The likelihood of the data, generalised cross-validation, Stein's unbiased estimate of the risk, or a residual
        like the noise.
    spectrum : Spectrum
        Of `deconv._diagonal`.
    typical : float
        Mean of the penalty: the balances tried lie about its inverse.
    sigma : float, optional
        Standard deviation of the noise, for the last two.
    """
    low, high = _DECADES
    exponents = np.arange(low, high + 1e-9, 1 / _PER_DECADE) - np.log10(typical)

    def cost(exponent):
        """What the rule makes smallest, or zero, at a balance of ``10**exponent``."""
        balance = 10.0 ** np.asarray(exponent)[..., None]
        if rule == "likelihood":
            # Of frequencies with the variance v (1 + ratio / balance), the noise's v at its best.
            variance = np.sum(spectrum.energy / (1 + spectrum.ratio / balance), axis=-1) / np.sum(spectrum.count)
            return np.sum(spectrum.count * np.log1p(spectrum.ratio / balance), axis=-1) / np.sum(
                spectrum.count
            ) + np.log(np.maximum(variance, np.finfo(float).tiny))
        left = balance / (spectrum.ratio + balance)
        residual = np.sum(spectrum.energy * left**2, axis=-1)
        freedom = np.sum(spectrum.count * left, axis=-1)
        total = np.sum(spectrum.count)
        if rule == "gcv":
            return residual / freedom**2
        if rule == "sure":
            return residual + 2 * sigma**2 * (total - freedom)
        # Morozov's residual has the variance of all pixels, which smooths a sharp picture too much; of those that the
        # fit leaves free, too little where the PSF is wide. Half-way does well on both.
        return residual - sigma**2 * 0.5 * (total + freedom)

    costs = cost(exponents)
    if rule == "discrepancy":
        above = np.nonzero(costs > 0)[0]
        if above.size == 0 or above[0] == 0:
            return float(10.0 ** exponents[-1 if above.size == 0 else 0])
        start, stop = exponents[above[0] - 1], exponents[above[0]]
        for _ in range(_STEPS):
            middle = 0.5 * (start + stop)
            start, stop = (start, middle) if cost(middle) > 0 else (middle, stop)
        return float(10.0 ** (0.5 * (start + stop)))
    best = int(np.argmin(costs))
    start, stop = exponents[max(best - 1, 0)], exponents[min(best + 1, exponents.size - 1)]
    golden = 0.5 * (np.sqrt(5) - 1)
    for _ in range(_STEPS):
        first, second = stop - golden * (stop - start), start + golden * (stop - start)
        start, stop = (start, second) if cost(first) < cost(second) else (first, stop)
    return float(10.0 ** (0.5 * (start + stop)))
