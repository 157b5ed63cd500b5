"""The deconvolution of scikit-image 0.26, with its signatures, semantics and random stream, on any array.

Code written for ``skimage.restoration`` changes one import. New code is better served by `deconv.richardson_lucy`,
`deconv.wiener` and `deconv.unsupervised_wiener`, which do not assume that the image is black or periodic outside.

These functions differ from scikit-image in two ways. A transfer function is recognised by its complex dtype, as
scikit-image documents it, and used completely; scikit-image goes by its shape and drops the imaginary part (its issue
7363). And wrong input, NaN included, is refused with one sentence.
"""

import math
from typing import Any

import numpy as np
from array_api_compat import is_array_api_obj

from deconv._core.array import (
    Array,
    Result,
    accepts_torch,
    array_namespace,
    as_array,
    as_image,
    contiguous,
    device,
    like,
    trim_psf,
)
from deconv._core.check import generator, integer, real
from deconv._core.fft import Transfer, Workspace, embed, fast_shape
from deconv._core.kernels.chains import chain_mean, chain_sample
from deconv.compat.transforms import as_complex, complex_type, inverse, squared_modulus, transform

__all__ = ["richardson_lucy", "unsupervised_wiener", "wiener"]

# Added to the prediction before the division, whatever the scale of the image.
_EPSILON = 1e-12
_CHAIN: dict[str, Any] = {"threshold": 1e-4, "burnin": 15, "min_num_iter": 30, "max_num_iter": 200, "callback": None}


@accepts_torch
def richardson_lucy(
    image: Array, psf: Array, num_iter: int = 50, clip: bool = True, filter_epsilon: float | None = None
) -> Result:
    r"""Richardson-Lucy deconvolution as scikit-image has it.

    From 0.5 everywhere, each iteration is

    .. math:: x \leftarrow x \cdot \left(\tilde h * \frac{y}{h * x + 10^{-12}}\right)

    with the image y, the PSF h and the flipped PSF :math:`\tilde h`. Convolutions assume black outside the image, which
    darkens or brightens its border; the PSF is not normalised. `deconv.richardson_lucy` has neither flaw.

    Parameters
    ----------
    image : array, any number of axes
        Blurred image. Integers are not scaled.
    psf : array, as many axes
        Point-spread function, its centre at index ``(n - 1) // 2`` of each axis; it may be larger than `image`.
    num_iter : int
        Number of iterations.
    clip : bool
        Whether values above 1 become 1, and values below -1 become -1.
    filter_epsilon : float, optional
        Where the prediction ``h * x`` is below this, the quotient counts as 0.

    Returns
    -------
    array
        The restored image, of the shape of `image`. float32 if `image` is float32 or float16, else float64.

    Raises
    ------
    TypeError
        If an argument is of the wrong kind, or the arrays are from different libraries.
    ValueError
        If an array has the wrong shape, a value is out of range, or `image` or `psf` holds NaN or infinity.

    References
    ----------
    .. [1] W. H. Richardson, "Bayesian-based iterative method of image restoration", J. Opt. Soc. Am. 62,
       55 (1972). :doi:`10.1364/JOSA.62.000055`

    Examples
    --------
    >>> import numpy as np
    >>> from deconv.compat import skimage as restoration
    >>> blurred = np.zeros((32, 32))
    >>> blurred[12:15, 19:22] = 1 / 9
    >>> sharp = restoration.richardson_lucy(blurred, np.ones((3, 3)) / 9, num_iter=30)
    >>> bool(sharp[13, 20] > 0.8)
    True
    """
    y = _numbers(image, "image")
    h = _numbers(psf, "psf", y)
    num_iter = integer(num_iter, "num_iter", low=0, high=10**6)
    cutoff = None if filter_epsilon is None else real(filter_epsilon, "filter_epsilon")
    xp = array_namespace(y)
    if not bool(xp.any(h != 0)):
        raise ValueError("psf must not be zero everywhere")

    # scikit-image takes index (n - 1) // 2 as the centre of the PSF and of the flipped PSF. A leading row of zeros
    # moves it to n // 2, the convention of Transfer. Its second convolution is then the adjoint of the first except
    # for a shift by one pixel, which the quotient is given in advance.
    shift = tuple((n + 1) % 2 for n in h.shape)
    h = trim_psf(_within_reach(_odd(h), y.shape))
    grid = fast_shape(max(n + k // 2 + s, k) for n, k, s in zip(y.shape, h.shape, shift, strict=True))
    frame = (0, *(slice(0, n) for n in y.shape))
    shifted = (0, *(slice(s, s + n) for s, n in zip(shift, y.shape, strict=True)))

    scene = xp.zeros((1, *grid), dtype=y.dtype, device=device(y))
    scene[frame] = 0.5
    work = Workspace(Transfer(h, grid), 1, scene)
    for _ in range(num_iter):
        memory = work.blur(scene)
        predicted = memory[frame] + _EPSILON
        quotient = y / predicted
        if cutoff:
            quotient = xp.where(predicted < cutoff, xp.zeros_like(quotient), quotient)
        memory[...] = 0.0
        memory[shifted] = quotient
        scene[frame] *= work.correlate(memory)[frame]
    sharp = scene[frame]
    return _clipped(sharp) if clip else contiguous(sharp)


@accepts_torch
def wiener(
    image: Array, psf: Array, balance: float, reg: Array | None = None, is_real: bool = True, clip: bool = True
) -> Result:
    r"""Wiener-Hunt deconvolution as scikit-image has it.

    The Fourier transform of the result is

    .. math:: \hat x = \frac{\bar H\, \hat y}{|H|^2 + \lambda |D|^2}

    on the grid of the image, which is assumed to be periodic; `deconv.wiener` makes no such assumption.

    Parameters
    ----------
    image : array, any number of axes
        Blurred image. Integers are not scaled.
    psf : array
        Point-spread function, not larger than `image` and not normalised, its centre at index ``n // 2`` of each axis;
        or, if complex, its transfer function, zero frequency first: of the shape of ``rfftn(image)`` if `is_real`, else
        of the shape of `image`.
    balance : float
        Strength of the regularisation, not negative.
    reg : array, optional
        Regularisation operator D, as an impulse response or a transfer function, like `psf`; the Laplacian by default.
    is_real : bool
        Whether transfer functions hold half of the frequencies. If not, the result is complex.
    clip : bool
        Whether values above 1 become 1, and values below -1 become -1.

    Returns
    -------
    array
        The restored image, of the shape of `image`. float32 if `image` is float32 or float16, else float64;
        complex of that precision if not `is_real`.

    Raises
    ------
    TypeError
        If an argument is of the wrong kind, or the arrays are from different libraries.
    ValueError
        If an array has the wrong shape, a value is out of range, an array holds NaN or infinity, or the filter is
        infinite because `psf` and ``balance * reg`` vanish at the same frequency.

    Notes
    -----
    A complex `psf` is used completely, and so is the transfer function of `reg`: scikit-image drops their imaginary
    parts (its issue 7363), which matters unless the PSF is symmetric and centred.

    References
    ----------
    .. [1] B. R. Hunt, "The application of constrained least squares estimation to image restoration by
       digital computer", IEEE Trans. Comput. C-22, 805 (1973). :doi:`10.1109/TC.1973.5009169`

    Examples
    --------
    >>> import numpy as np
    >>> from deconv.compat import skimage as restoration
    >>> scene = np.kron(np.indices((8, 8)).sum(0) % 2, np.ones((8, 8)))
    >>> psf = np.ones((1, 5)) / 5
    >>> blurred = sum(np.roll(scene, i, 1) for i in range(-2, 3)) / 5
    >>> sharp = restoration.wiener(blurred, psf, balance=1e-6)
    >>> bool(np.std(sharp - scene) < 0.01 * np.std(blurred - scene))
    True
    """
    y = _numbers(image, "image")
    balance = real(balance, "balance", low=0.0)
    transfer = _transfer(psf, "psf", y, is_real)
    power = squared_modulus(transfer)
    power += balance * _penalty(reg, y, is_real)
    _invertible(power)
    spectrum = transform(y, is_real)
    spectrum *= array_namespace(y).conj(transfer)
    spectrum *= 1.0 / power  # a complex division takes five times as long
    sharp = inverse(spectrum, y.shape, is_real)
    return _clipped(sharp) if clip else sharp


@accepts_torch
def unsupervised_wiener(
    image: Array,
    psf: Array,
    reg: Array | None = None,
    user_params: dict[str, Any] | None = None,
    is_real: bool = True,
    clip: bool = True,
    *,
    rng: int | np.random.Generator | None = None,
) -> tuple[Result, dict[str, list[float]]]:
    r"""Wiener-Hunt deconvolution that estimates its strength by Gibbs sampling, as scikit-image has it.

    Samples of the spectrum of the scene and of the precisions of noise and prior are drawn in turn ([1]_); the result
    is the mean of the scenes after the `burnin`. NumPy draws the random numbers, whatever the library of `image`, in
    the order of scikit-image: one seed gives the same result there and here. The image is assumed to be periodic.

    Parameters
    ----------
    image : array, shape (M, N)
        Blurred image. Integers are not scaled.
    psf : array
        Point-spread function, not larger than `image` and not normalised, its centre at index ``n // 2`` of each axis;
        or, if complex, its transfer function, zero frequency first: of the shape of ``rfftn(image)`` if `is_real`, else
        of the shape of `image`.
    reg : array, optional
        Regularisation operator, as an impulse response or a transfer function, like `psf`; the Laplacian by default.
    user_params : dict, optional
        Any of: ``threshold``, the relative change of the mean at which to stop (1e-4); ``burnin``, the number of
        samples to leave out (15); ``min_num_iter`` (30); ``max_num_iter`` (200); ``callback``, which is called with
        each sample, a complex spectrum on the scale of an orthonormal transform, for PyTorch tensors a NumPy (or CuPy)
        array.
    is_real : bool
        Whether transfer functions hold half of the frequencies. If not, the result is complex.
    clip : bool
        Whether values above 1 become 1, and values below -1 become -1.
    rng : int or numpy.random.Generator, optional
        Seed or generator; by default a new one, so that two calls differ.

    Returns
    -------
    sharp : array, shape (M, N)
        The restored image. float32 if `image` is float32 or float16, else float64; complex of that precision if not
        `is_real`.
    chains : dict
        The lists of precisions ``noise`` and ``prior``, each starting with 1.

    Raises
    ------
    TypeError
        If an argument is of the wrong kind, or the arrays are from different libraries.
    ValueError
        If an array has the wrong shape, a value is out of range, `user_params` has an unknown key, an array holds NaN
        or infinity, or `psf` and `reg` vanish at the same frequency.

    Notes
    -----
    A complex `psf` is used completely, and so is the transfer function of `reg`: scikit-image drops their imaginary
    parts (its issue 7363), which matters unless the PSF is symmetric and centred.

    References
    ----------
    .. [1] F. Orieux, J.-F. Giovannelli and T. Rodet, "Bayesian estimation of regularization and point spread function
       parameters for Wiener-Hunt deconvolution", J. Opt. Soc. Am. A 27, 1593 (2010). :doi:`10.1364/JOSAA.27.001593`

    Examples
    --------
    >>> import numpy as np
    >>> from deconv.compat import skimage as restoration
    >>> rng = np.random.default_rng(0)
    >>> scene = np.kron(np.indices((8, 8)).sum(0) % 2, np.ones((8, 8)))
    >>> psf = np.ones((1, 5)) / 5
    >>> blurred = sum(np.roll(scene, i, 1) for i in range(-2, 3)) / 5 + 0.01 * rng.standard_normal((64, 64))
    >>> sharp, chains = restoration.unsupervised_wiener(blurred, psf, rng=0)
    >>> bool(np.std(sharp - scene) < 0.5 * np.std(blurred - scene))
    True
    """
    y = _numbers(image, "image", ndim=(2,))
    params = _chain_parameters(user_params)
    random = generator(rng)
    xp = array_namespace(y)
    transfer = _transfer(psf, "psf", y, is_real)
    power, penalty = squared_modulus(transfer), _penalty(reg, y, is_real)
    _invertible(power + penalty)
    pixels = math.prod(y.shape)
    # All in the orthonormal transform of the image, frequency by frequency.
    data = transform(y, is_real) / math.sqrt(pixels)
    energy = squared_modulus(data)
    data *= xp.conj(transfer)
    data_re, data_im = contiguous(xp.real(data)), contiguous(xp.imag(data))
    sum_re, sum_im = xp.zeros_like(energy), xp.zeros_like(energy)
    misfit, roughness = xp.empty_like(energy), xp.empty_like(energy)

    noise, prior = [1.0], [1.0]
    for iteration in range(params["max_num_iter"]):
        # Drawn in double precision and rounded, so that the stream does not depend on the dtype.
        re, im = (like(random.standard_normal(energy.shape), y) for _ in range(2))
        chain_sample(data_re, data_im, energy, power, penalty, noise[-1], prior[-1], re, im, misfit, roughness)
        if params["callback"] is not None:
            params["callback"](as_complex(re, im))
        noise.append(random.gamma(pixels / 2, 2 / _norm(misfit)))
        prior.append(random.gamma((pixels - 1) / 2, 2 / _norm(roughness)))

        samples = iteration - params["burnin"]
        if samples < 1:
            continue
        before = 1 / (samples - 1) if samples > 1 else 0.0
        change, size = misfit, roughness  # reuse their memory, which is free until the next sample
        chain_mean(re, im, 1 / samples, before, sum_re, sum_im, change, size)
        if samples > 1 and iteration > params["min_num_iter"]:
            moved = float(xp.sum(change)) / float(xp.sum(size)) / samples
            if moved < params["threshold"]:
                break
    mean = as_complex(sum_re, sum_im)
    mean *= math.sqrt(pixels) / samples
    sharp = inverse(mean, y.shape, is_real)
    return (_clipped(sharp) if clip else sharp), {"noise": noise, "prior": prior}


def _numbers(value: Any, name: str, image: Any = None, *, ndim: tuple[int, ...] | None = None) -> Result:
    """`value` as a float array, unscaled: of the dtype of `image` or, without it, by the rule of scikit-image."""
    value = as_array(value, name)
    xp = array_namespace(image, value)
    if image is not None:
        value = xp.astype(value, image.dtype)
        if value.ndim != image.ndim:
            raise ValueError(f"{name} must have as many axes as image, {image.ndim}, got shape {tuple(value.shape)}")
    elif not xp.isdtype(value.dtype, "real floating") or xp.finfo(value.dtype).bits > 64:
        value = xp.astype(value, xp.float64)
    if value.ndim == 0:
        raise ValueError(f"{name} must have one axis or more, got a single number")
    return as_image(value, name, ndim=ndim or (value.ndim,))


def _odd(psf: Any) -> Result:
    """`psf` with its centre at index ``n // 2`` of each axis: a leading row of zeros where `n` is even."""
    xp = array_namespace(psf)
    out = xp.zeros(tuple(n + 1 - n % 2 for n in psf.shape), dtype=psf.dtype, device=device(psf))
    out[tuple(slice(1 - n % 2, None) for n in psf.shape)] = psf
    return out


def _within_reach(psf: Any, shape: tuple[int, ...]) -> Result:
    """`psf` cropped to the largest distance between two pixels of an image."""
    reach = tuple(min(k // 2, n) for k, n in zip(psf.shape, shape, strict=True))
    return psf[tuple(slice(k // 2 - r, k // 2 + r + 1) for k, r in zip(psf.shape, reach, strict=True))]


def _transfer(value: Any, name: str, image: Any, is_real: bool) -> Result:
    """Transfer function of an impulse response; a complex array already is one."""
    xp = array_namespace(image)
    if not (is_array_api_obj(value) and array_namespace(value).isdtype(value.dtype, "complex floating")):
        impulse = _numbers(value, name, image)
        if any(k > n for k, n in zip(impulse.shape, image.shape, strict=True)):
            shape = tuple(image.shape)
            raise ValueError(f"{name} of shape {tuple(impulse.shape)} is larger than the image of shape {shape}")
        return transform(embed(impulse, image.shape), is_real)
    array_namespace(image, value)  # raises if the libraries differ
    wanted = (*image.shape[:-1], image.shape[-1] // 2 + 1) if is_real else tuple(image.shape)
    if tuple(value.shape) != wanted:
        raise ValueError(
            f"{name} is complex, a transfer function: with is_real={bool(is_real)} it must have shape {wanted}, "
            f"got {tuple(value.shape)}"
        )
    if not bool(xp.all(xp.isfinite(value))):
        raise ValueError(f"{name} must be finite, got NaN or infinity")
    return xp.astype(value, complex_type(image))


def _penalty(reg: Any, image: Any, is_real: bool) -> Result:
    """|D|^2 at each frequency."""
    if reg is not None:
        return squared_modulus(_transfer(reg, "reg", image, is_real))
    total: Any = 0.0
    for axis, n in enumerate(image.shape):
        half = is_real and axis == image.ndim - 1
        waves = 2 - 2 * np.cos(2 * np.pi / n * np.arange(n // 2 + 1 if half else n))
        total = total + like(waves.reshape([-1 if i == axis else 1 for i in range(image.ndim)]), image)
    return total * total


def _invertible(power: Any) -> None:
    if not bool(array_namespace(power).min(power) > 0):
        raise ValueError("psf and reg both vanish at some frequency, where nothing determines the picture")


def _norm(squares: Any) -> float:
    """Sum over all frequencies as in scikit-image, which recognises a half spectrum by its shape.

    It therefore mistakes a square half spectrum for a whole one and a whole one that is not square for a half, and
    counts the column of the highest frequency twice. The chain depends on it.
    """
    xp = array_namespace(squares)
    total = float(xp.sum(squares))
    return total if squares.shape[0] == squares.shape[1] else 2 * total - float(xp.sum(squares[:, 0]))


def _clipped(x: Any) -> Result:
    """Real values clipped to -1 and 1; a complex value whose real part lies beyond them becomes that bound."""
    xp = array_namespace(x)
    if not xp.isdtype(x.dtype, "complex floating"):
        return xp.clip(x, min=-1.0, max=1.0)
    re = xp.real(x)
    x = xp.where(re > 1, xp.ones_like(x), x)
    return xp.where(re < -1, -xp.ones_like(x), x)


def _chain_parameters(user_params: Any) -> dict[str, Any]:
    given = {} if user_params is None else user_params
    if not isinstance(given, dict):
        raise TypeError(f"user_params must be a dict or None, got {type(given).__name__}")
    if unknown := [key for key in given if key not in _CHAIN]:
        raise ValueError(f"user_params may have the keys {', '.join(_CHAIN)}, got {unknown[0]!r}")
    params = {**_CHAIN, **given}
    params["threshold"] = real(params["threshold"], "threshold in user_params")
    for key in ("burnin", "min_num_iter", "max_num_iter"):
        params[key] = integer(params[key], f"{key} in user_params", low=0, high=10**6)
    if params["max_num_iter"] < params["burnin"] + 2:
        raise ValueError(
            f"max_num_iter in user_params must exceed burnin, {params['burnin']}, by 2 or more, "
            f"got {params['max_num_iter']}"
        )
    if params["callback"] is not None and not callable(params["callback"]):
        raise TypeError(f"callback in user_params must be callable or None, got {type(params['callback']).__name__}")
    return params
