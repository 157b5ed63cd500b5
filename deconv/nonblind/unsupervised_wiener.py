"""Wiener filter whose noise and regularisation weight are sampled from their posterior."""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from deconv._core.array import HOST, Array, accepts_torch
from deconv._core.check import generator, integer
from deconv.nonblind.fourier import FourierProblem, Regularisation
from deconv.nonblind.regularisation import BinnedSpectrum, choose_balance

__all__ = ["UnsupervisedWiener", "unsupervised_wiener"]


@dataclass(frozen=True)
class UnsupervisedWiener:
    """Result of `deconv.unsupervised_wiener`.

    Attributes
    ----------
    image : array
        Posterior mean of the scene in the frame: shape and brightness scale of the blurred image.
    spread : float
        Posterior standard deviation of a pixel of the scene, in the units of the image: the error to expect of `image`
        where the model holds. It is uniform away from the edges; within the width of the PSF from them the scene is
        less certain.
    noise : float
        Standard deviation of the noise, in the units of the image (root mean square over the chain).
    balance : float
        Ratio of the precisions of scene and noise: the balance with which `deconv.wiener` returns the same image.
    noise_precision, scene_precision : ndarray, shape (num_iter,)
        The two chains, float64 NumPy arrays whatever the library of the image: the inverse variance of the noise, and
        of the scene after the regularisation operator.
    burn_in : int
        Entries at the start of the chains that the values above leave out.
    """

    image: Any
    spread: float
    noise: float
    balance: float
    noise_precision: Any = field(repr=False, metadata=HOST)
    scene_precision: Any = field(repr=False, metadata=HOST)
    burn_in: int


@accepts_torch
def unsupervised_wiener(
    image: Array,
    psf: Array,
    *,
    reg: Regularisation = "laplacian",
    num_iter: int = 200,
    burn_in: int = 50,
    rng: int | np.random.Generator | None = 0,
    channel_axis: int | tuple[int, ...] | None = None,
) -> UnsupervisedWiener:
    r"""Deblur an image with a known PSF by a Wiener filter whose balance is sampled from its posterior.

    The data are :math:`y = Hx + n` with white Gaussian noise of precision :math:`\gamma_n`, the scene's prior is
    Gaussian with precision :math:`\gamma_x |D|^2` at each frequency, and both precisions have the prior
    :math:`1/\gamma`. A Gibbs sampler [1]_ alternately draws the scene given the precisions and each precision given the
    scene. Given the precisions every frequency is an independent Gaussian, and the precisions depend on only two sums
    over the scene, so these are drawn (see Notes) instead of the scene.

    Parameters
    ----------
    image : array, shape (M,), (M, N) or (L, M, N), with one more axis if `channel_axis` is given
        Blurred image. Integers of 8 or 16 bits are scaled by their range.
    psf : array
        Point-spread function, or a complex transfer function, as `deconv.wiener` takes it.
    reg : {"laplacian", "identity"}, array or callable
        Operator D that the prior penalises, as in `deconv.wiener`; a callable returns the shape of the scene's inverse
        power spectrum. Real scenes are not white: with "identity" the estimated balance is far too small.
    num_iter : int, default 200
        Length of the chain.
    burn_in : int, default 50
        Entries at its start to leave out, fewer than `num_iter`.
    rng : int, numpy.random.Generator or None, default 0
        Seed or generator of the chain; None for a different chain each time.
    channel_axis : int, tuple of int or None
        Axis of colours, or axes of colours and of a batch, which share the noise and the balance.

    Returns
    -------
    UnsupervisedWiener
        Frozen dataclass: the posterior mean ``image``, the standard deviation ``spread`` of its pixels, ``noise``,
        ``balance``, and the chains. ``image`` is float64 if the blurred image is, else float32.

    Raises
    ------
    TypeError
        If an argument is of the wrong kind, or the arrays are from different libraries.
    ValueError
        If an array has the wrong shape, a value is out of range, or `image` holds NaN or is constant.

    Notes
    -----
    Given the precisions, :math:`|y - Hx|^2` and :math:`|Dx|^2` are sums of squared Gaussians, one for each pixel. They
    are drawn from the Gaussian with their exact means, variances and covariance; for N effective pixels that neglects a
    skewness of about :math:`\sqrt{8/N}`, 0.003 at a megapixel. The sums run over bins of :math:`|H|^2 / |D|^2`, eight
    to a factor of e, on the host: one pass over the image, then some hundred numbers an iteration, and the same chain
    in every library. The chain starts at the maximum of the likelihood. The image is the Wiener filter at the mean of
    the precisions; averaged over the chain it would differ by the square of their relative scatter.

    The border is treated as in `deconv.wiener`; the chain uses the image faded out towards its edges.

    References
    ----------
    .. [1] F. Orieux, J.-F. Giovannelli, T. Rodet, "Bayesian estimation of regularization and point spread function
       parameters for Wiener-Hunt deconvolution", J. Opt. Soc. Am. A 27, 1593 (2010).
       :doi:`10.1364/JOSAA.27.001593`

    Examples
    --------
    >>> import numpy as np
    >>> import deconv
    >>> psf = deconv.psf.gaussian(1.5)
    >>> page = deconv.degrade.text_picture("Deconv", size=60)
    >>> blurred = deconv.degrade.add_noise(deconv.degrade.blur(page, psf), 0.01, rng=0)
    >>> result = deconv.unsupervised_wiener(blurred, psf)
    >>> round(result.noise, 2)
    0.01
    """
    num_iter = integer(num_iter, "num_iter", low=1, high=10**6)
    burn_in = integer(burn_in, "burn_in", low=0, high=num_iter - 1)
    random = generator(rng)
    problem = FourierProblem(image, psf, reg, channel_axis)
    spectrum = problem.spectrum()
    if not np.sum(spectrum.energy) > 0:
        raise ValueError("image has one brightness everywhere, which says nothing about its noise")
    start = choose_balance("likelihood", spectrum, problem.mean_penalty)
    noise, scene = _chain(spectrum, start, num_iter, random)
    kept = slice(burn_in, None)
    balance = float(np.mean(scene[kept]) / np.mean(noise[kept]))
    unfitted = balance / (spectrum.ratio + balance)
    variance = float(np.sum(spectrum.inverse * unfitted) / np.mean(scene[kept]))
    return UnsupervisedWiener(
        image=problem.solve(balance),
        spread=math.sqrt(variance),
        noise=float(np.sqrt(np.mean(1 / noise[kept]))),
        balance=balance,
        noise_precision=noise,
        scene_precision=scene,
        burn_in=burn_in,
    )


def _chain(spectrum: BinnedSpectrum, balance: float, num_iter: int, rng: np.random.Generator) -> Any:
    """Gibbs sampling of the two precisions, starting from `balance`."""
    total = float(np.sum(spectrum.number))
    noise = total / float(np.sum(spectrum.energy / (1 + spectrum.ratio / balance)))
    scene = noise * balance
    chains = np.empty((2, num_iter))
    for i in range(num_iter):
        mean, variance, both = _norms(spectrum, noise, scene)
        first, second = rng.standard_normal(2)
        along = both / math.sqrt(variance[0])
        misfit = mean[0] + math.sqrt(variance[0]) * first
        rough = mean[1] + along * first + math.sqrt(max(variance[1] - along**2, 0.0)) * second
        # A sum of squares is positive; on an image of a few pixels its Gaussian approximation may not be.
        noise = rng.gamma(total / 2, 2 / max(misfit, 1e-3 * mean[0]))
        scene = rng.gamma(total / 2, 2 / max(rough, 1e-3 * mean[1]))
        chains[:, i] = noise, scene
    return chains


def _norms(spectrum: BinnedSpectrum, noise: float, scene: float) -> tuple[list[float], list[float], float]:
    """Means, variances and covariance of ``|y - Hx|^2`` and ``|Dx|^2`` for x drawn given the two precisions."""
    unfitted = 1 / (1 + spectrum.ratio * (noise / scene))
    fit = 1 - unfitted
    # For each frequency: the square of the mean, and the variance about it.
    misfit, misfit_var = unfitted**2 * spectrum.energy, fit / noise
    rough, rough_var = fit**2 / spectrum.ratio * spectrum.energy, unfitted / scene
    number = spectrum.number
    means = [float(np.sum(m + number * v)) for m, v in ((misfit, misfit_var), (rough, rough_var))]
    variances = [float(np.sum(2 * number * v**2 + 4 * m * v)) for m, v in ((misfit, misfit_var), (rough, rough_var))]
    # An x beyond its mean leaves less of y unexplained; an x far from its mean makes both sums large.
    against = 4 * unfitted * fit / spectrum.ratio * spectrum.energy * misfit_var
    return means, variances, float(np.sum(2 * number * misfit_var * rough_var - against))
