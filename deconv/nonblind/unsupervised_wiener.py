"""Wiener with the noise and the roughness of the scene drawn from their posterior, not given."""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from deconv._core.array import HOST, torch_door
from deconv._core.check import generator, integer
from deconv.nonblind.fourier import Diagonal
from deconv.nonblind.regularisation import find

__all__ = ["UnsupervisedWiener", "unsupervised_wiener"]


@dataclass(frozen=True)
class UnsupervisedWiener:
    """What `unsupervised_wiener` finds.

    Attributes
    ----------
    image : array
        The scene in the frame, its mean under the posterior: shape and brightness scale of the picture.
    spread : float
        Standard deviation of a pixel of the scene under the posterior, in the picture's units: how far `image` may be
        off where the model holds. Away from the edges it is the same everywhere; within a PSF's width of them the
        truth is less certain.
    noise : float
        Standard deviation of the noise, in the picture's units (its root mean square over the chain).
    balance : float
        Ratio of the precisions of scene and noise: the balance with which `deconv.wiener` gives the same image.
    noise_precision, scene_precision : ndarray, shape (num_iter,)
        The two chains, float64 NumPy arrays whatever the picture's library: one over the variance of the noise, and
        of the scene after the regularisation operator.
    burn_in : int
        Entries at the start of the chains that nothing above counts.
    """

    image: Any
    spread: float
    noise: float
    balance: float
    noise_precision: np.ndarray = field(repr=False, metadata=HOST)
    scene_precision: np.ndarray = field(repr=False, metadata=HOST)
    burn_in: int


@torch_door
def unsupervised_wiener(image, psf, *, reg="laplacian", num_iter=200, burn_in=50, rng=0, channel_axis=None):
    r"""Deblur a picture with a known PSF by a Wiener filter whose balance is drawn from its posterior.

    The data are :math:`y = Hx + n` with white Gaussian noise of precision :math:`\gamma_n`, the scene's prior is
    Gaussian with precision :math:`\gamma_x |D|^2` at each frequency, and both precisions have the prior
    :math:`1/\gamma`. A Gibbs sampler [1]_ draws in turn the scene given the precisions and each precision given the
    scene. Given the precisions every frequency is an independent Gaussian, and all that the precisions need of the
    scene are two numbers, so these are drawn (see Notes) and not the scene.

    Parameters
    ----------
    image : array, shape (M,), (M, N) or (L, M, N), with one more axis if `channel_axis` is given
        Blurred picture. Integers of 8 or 16 bits are scaled by their range.
    psf : array
        Point-spread function, or a complex transfer function, as `deconv.wiener` takes it.
    reg : {"laplacian", "identity"}, array or callable
        What the prior takes for small, as in `deconv.wiener`; a callable gives the shape of the scene's inverse power
        spectrum. Real scenes are not white: with "identity" the balance found is far too small.
    num_iter : int, default 200
        Length of the chain.
    burn_in : int, default 50
        Entries at its start that do not count, fewer than `num_iter`.
    rng : int, numpy.random.Generator or None, default 0
        Seed or generator of the chain; None for another chain each time.
    channel_axis : int, tuple of int or None
        Axis of colours, or axes of colours and of a batch, which share the noise and the balance.

    Returns
    -------
    UnsupervisedWiener
        Frozen dataclass: the posterior mean ``image``, the standard deviation ``spread`` of its pixels, ``noise``,
        ``balance``, and the chains. ``image`` is float64 if the picture is, else float32.

    Raises
    ------
    TypeError
        If an argument is of the wrong kind, or the arrays are from different libraries.
    ValueError
        If an array has the wrong shape, a value is out of range, or `image` holds NaN or nothing but one brightness.

    Notes
    -----
    Given the precisions, :math:`|y - Hx|^2` and :math:`|Dx|^2` are sums of as many squares of Gaussians as the picture
    has pixels. They are drawn from the Gaussian with their exact means, variances and covariance: for N pixels
    that count, that neglects a skewness of some :math:`\sqrt{8/N}`, 0.003 at a megapixel. The sums run
    over bins of :math:`|H|^2 / |D|^2`, eight to a factor of e, on the host: one pass over the picture, then some
    hundred numbers an iteration, and the same chain in every library. It starts where the likelihood is largest.
    The image is the Wiener filter at the mean of the precisions; averaged over the chain it would differ by the
    square of their relative scatter.

    The border is that of `deconv.wiener`; the chain looks at the picture faded out towards its edges.

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
    >>> found = deconv.unsupervised_wiener(blurred, psf)
    >>> round(found.noise, 2)
    0.01
    """
    num_iter = integer(num_iter, "num_iter", low=1, high=10**6)
    burn_in = integer(burn_in, "burn_in", low=0, high=num_iter - 1)
    rng = generator(rng)
    problem = Diagonal(image, psf, reg, channel_axis)
    spectrum = problem.spectrum()
    if not np.sum(spectrum.energy) > 0:
        raise ValueError("image has one brightness everywhere, which says nothing about its noise")
    start = find("likelihood", spectrum, problem.typical)
    noise, scene = _chain(spectrum, start, num_iter, rng)
    kept = slice(burn_in, None)
    balance = float(np.mean(scene[kept]) / np.mean(noise[kept]))
    left = balance / (spectrum.ratio + balance)
    variance = float(np.sum(spectrum.inverse * left) / np.mean(scene[kept]))
    return UnsupervisedWiener(
        image=problem.solve(balance),
        spread=math.sqrt(variance),
        noise=float(np.sqrt(np.mean(1 / noise[kept]))),
        balance=balance,
        noise_precision=noise,
        scene_precision=scene,
        burn_in=burn_in,
    )


def _chain(spectrum, balance, num_iter, rng):
    """Gibbs sampling of the two precisions, from a first `balance` on."""
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
        # A sum of squares is positive: the Gaussian must not reach below on a picture of a few pixels.
        noise = rng.gamma(total / 2, 2 / max(misfit, 1e-3 * mean[0]))
        scene = rng.gamma(total / 2, 2 / max(rough, 1e-3 * mean[1]))
        chains[:, i] = noise, scene
    return chains


def _norms(spectrum, noise, scene):
    """Means, variances and covariance of ``|y - Hx|^2`` and ``|Dx|^2``, x drawn given the two precisions."""
    left = 1 / (1 + spectrum.ratio * (noise / scene))
    fit = 1 - left
    # Of each frequency: the square of the mean, and the variance about it.
    misfit, misfit_var = left**2 * spectrum.energy, fit / noise
    rough, rough_var = fit**2 / spectrum.ratio * spectrum.energy, left / scene
    number = spectrum.number
    means = [float(np.sum(m + number * v)) for m, v in ((misfit, misfit_var), (rough, rough_var))]
    variances = [float(np.sum(2 * number * v**2 + 4 * m * v)) for m, v in ((misfit, misfit_var), (rough, rough_var))]
    # An x that is too large on the side of its mean leaves less of y; x far from its mean makes both large.
    against = 4 * left * fit / spectrum.ratio * spectrum.energy * misfit_var
    return means, variances, float(np.sum(2 * number * misfit_var * rough_var - against))
