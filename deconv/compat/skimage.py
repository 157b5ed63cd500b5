"""The deconvolution of scikit-image 0.26, with its signatures, its semantics and its random stream, on any array.

Code written for ``skimage.restoration`` changes one import. New code is better served by `deconv.richardson_lucy`,
`deconv.wiener` and `deconv.unsupervised_wiener`: they do not take the outside of the picture for black or periodic.

Where these functions depart from scikit-image: a transfer function is known by its complex dtype, as scikit-image
documents it, and used whole. scikit-image goes by its shape and drops the imaginary part (its issue 7363). And wrong
input, NaN included, is refused with one sentence.
"""

import math

import numpy as np
from array_api_compat import is_array_api_obj

from deconv._core.array import _as_array, _trim, array_namespace, as_image, contiguous, device, like, torch_door
from deconv._core.check import generator, integer, real
from deconv._core.fft import Transfer, Workspace, embed, fast_shape, irfftn, rfftn
from deconv._core.kernels.chains import chain_mean, chain_sample

__all__ = ["richardson_lucy", "unsupervised_wiener", "wiener"]

# Added to the prediction before dividing by it, whatever the scale of the picture.
_EPSILON = 1e-12
_CHAIN = {"threshold": 1e-4, "burnin": 15, "min_num_iter": 30, "max_num_iter": 200, "callback": None}


@torch_door
def richardson_lucy(image, psf, num_iter=50, clip=True, filter_epsilon=None):
    r"""Richardson-Lucy deconvolution as scikit-image has it.

    From 0.5 everywhere, each iteration is

    .. math:: x \leftarrow x \cdot \left(\tilde h * \frac{y}{h * x + 10^{-12}}\right)

    with the picture y, the PSF h and the flipped PSF :math:`\tilde h`. Convolutions take the outside of the picture for
    black, which darkens or brightens its border; the PSF is not normalised. `deconv.richardson_lucy` has neither flaw.

    Parameters
    ----------
    image : array, any number of axes
        Blurred picture. Integers are not scaled.
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
        The restored picture, of the shape of `image`. float32 if `image` is float32 or float16, else float64.

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
    image = _numbers(image, "image")
    psf = _numbers(psf, "psf", image)
    num_iter = integer(num_iter, "num_iter", low=0, high=10**6)
    cutoff = None if filter_epsilon is None else real(filter_epsilon, "filter_epsilon")
    xp = array_namespace(image)
    if not bool(xp.any(psf != 0)):
        raise ValueError("psf must not be zero everywhere")

    # scikit-image takes index (n - 1) // 2 for the centre of the PSF and, again, of the flipped PSF. A row of zeros
    # in front moves it to n // 2, as Transfer has it; that its second convolution then is the adjoint of the first,
    # but for a shift by a pixel, is seen to by shifting what it is given.
    shift = tuple((n + 1) % 2 for n in psf.shape)
    psf = _trim(_within_reach(_odd(psf), image.shape))
    grid = fast_shape(max(n + k // 2 + s, k) for n, k, s in zip(image.shape, psf.shape, shift, strict=True))
    frame = (0, *(slice(0, n) for n in image.shape))
    shifted = (0, *(slice(s, s + n) for s, n in zip(shift, image.shape, strict=True)))

    scene = xp.zeros((1, *grid), dtype=image.dtype, device=device(image))
    scene[frame] = 0.5
    work = Workspace(Transfer(psf, grid), 1, scene)
    for _ in range(num_iter):
        memory = work.blur(scene)
        predicted = memory[frame] + _EPSILON
        quotient = image / predicted
        if cutoff:
            quotient = xp.where(predicted < cutoff, xp.zeros_like(quotient), quotient)
        memory[...] = 0.0
        memory[shifted] = quotient
        scene[frame] *= work.correlate(memory)[frame]
    sharp = scene[frame]
    return _clipped(sharp) if clip else contiguous(sharp)


@torch_door
def wiener(image, psf, balance, reg=None, is_real=True, clip=True):
    r"""Wiener-Hunt deconvolution as scikit-image has it.

    The Fourier transform of the result is

    .. math:: \hat x = \frac{\bar H\, \hat y}{|H|^2 + \lambda |D|^2}

    on the grid of the picture, which is taken to go on periodically; `deconv.wiener` does not take it so.

    Parameters
    ----------
    image : array, any number of axes
        Blurred picture. Integers are not scaled.
    psf : array
        Point-spread function, not larger than `image` and not normalised, its centre at index ``n // 2`` of each axis;
        or, if complex, its transfer function, zero frequency first: of the shape of ``rfftn(image)`` if `is_real`, else
        of the shape of `image`.
    balance : float
        Strength of the regularisation, not negative.
    reg : array, optional
        Regularisation operator D, as an impulse response or a transfer function, like `psf`; the Laplacian by default.
    is_real : bool
        Whether transfer functions stand on half of the frequencies. If not, the result is complex.
    clip : bool
        Whether values above 1 become 1, and values below -1 become -1.

    Returns
    -------
    array
        The restored picture, of the shape of `image`. float32 if `image` is float32 or float16, else float64;
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
    A complex `psf` is used whole, and so is the transfer function of `reg`: scikit-image drops their imaginary parts
    (its issue 7363), which matters unless the PSF is symmetric and centred.

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
    image = _numbers(image, "image")
    balance = real(balance, "balance", low=0.0)
    transfer = _transfer(psf, "psf", image, is_real)
    power = _square(transfer)
    power += balance * _penalty(reg, image, is_real)
    _invertible(power)
    spectrum = _spectrum(image, is_real)
    spectrum *= array_namespace(image).conj(transfer)
    spectrum *= 1.0 / power  # a complex division takes five times as long
    sharp = _picture(spectrum, image.shape, is_real)
    return _clipped(sharp) if clip else sharp


@torch_door
def unsupervised_wiener(image, psf, reg=None, user_params=None, is_real=True, clip=True, *, rng=None):
    r"""Wiener-Hunt deconvolution that finds its strength by itself, by Gibbs sampling, as scikit-image has it.

    Samples of the picture's spectrum and of the precisions of noise and prior are drawn in turn ([1]_); the result is
    the mean of the pictures after the `burnin`. Random numbers are drawn by NumPy, whatever the library of `image`, in
    the order of scikit-image: one seed gives one answer, there and here. The picture is taken to go on periodically.

    Parameters
    ----------
    image : array, shape (M, N)
        Blurred picture. Integers are not scaled.
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
        Whether transfer functions stand on half of the frequencies. If not, the result is complex.
    clip : bool
        Whether values above 1 become 1, and values below -1 become -1.
    rng : int or numpy.random.Generator, optional
        Seed or generator; by default a new one, so that two calls differ.

    Returns
    -------
    sharp : array, shape (M, N)
        The restored picture. float32 if `image` is float32 or float16, else float64; complex of that precision if not
        `is_real`.
    chains : dict
        Under ``noise`` and ``prior``, the lists of their precisions, each beginning with 1.

    Raises
    ------
    TypeError
        If an argument is of the wrong kind, or the arrays are from different libraries.
    ValueError
        If an array has the wrong shape, a value is out of range, `user_params` has an unknown key, an array holds NaN
        or infinity, or `psf` and `reg` vanish at the same frequency.

    Notes
    -----
    A complex `psf` is used whole, and so is the transfer function of `reg`: scikit-image drops their imaginary parts
    (its issue 7363), which matters unless the PSF is symmetric and centred.

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
    image = _numbers(image, "image", ndim=(2,))
    params = _chain_parameters(user_params)
    rng = generator(rng)
    xp = array_namespace(image)
    transfer = _transfer(psf, "psf", image, is_real)
    power, penalty = _square(transfer), _penalty(reg, image, is_real)
    _invertible(power + penalty)
    pixels = math.prod(image.shape)
    # Everything in the orthonormal transform of the picture, frequency by frequency.
    data = _spectrum(image, is_real) / math.sqrt(pixels)
    energy = _square(data)
    data *= xp.conj(transfer)
    data_re, data_im = contiguous(xp.real(data)), contiguous(xp.imag(data))
    sum_re, sum_im = xp.zeros_like(energy), xp.zeros_like(energy)
    misfit, roughness = xp.empty_like(energy), xp.empty_like(energy)

    noise, prior = [1.0], [1.0]
    for iteration in range(params["max_num_iter"]):
        # Drawn in double precision and rounded, so that the stream does not depend on the dtype.
        x, y = (like(rng.standard_normal(energy.shape), image) for _ in range(2))
        chain_sample(data_re, data_im, energy, power, penalty, noise[-1], prior[-1], x, y, misfit, roughness)
        if params["callback"] is not None:
            params["callback"](_complex(x, y))
        noise.append(rng.gamma(pixels / 2, 2 / _norm(misfit)))
        prior.append(rng.gamma((pixels - 1) / 2, 2 / _norm(roughness)))

        samples = iteration - params["burnin"]
        if samples < 1:
            continue
        before = 1 / (samples - 1) if samples > 1 else 0.0
        change, size = misfit, roughness  # their memory, free until the next sample
        chain_mean(x, y, 1 / samples, before, sum_re, sum_im, change, size)
        if samples > 1 and iteration > params["min_num_iter"]:
            moved = float(xp.sum(change)) / float(xp.sum(size)) / samples
            if moved < params["threshold"]:
                break
    mean = _complex(sum_re, sum_im)
    mean *= math.sqrt(pixels) / samples
    sharp = _picture(mean, image.shape, is_real)
    return (_clipped(sharp) if clip else sharp), {"noise": noise, "prior": prior}


def _numbers(value, name, image=None, *, ndim=None):
    """`value` as a float array, unscaled: of the dtype of `image` or, if that is not given, by scikit-image's rule."""
    value = _as_array(value, name)
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


def _odd(psf):
    """`psf` with its centre at index ``n // 2`` of each axis: a row of zeros in front where `n` is even."""
    xp = array_namespace(psf)
    out = xp.zeros(tuple(n + 1 - n % 2 for n in psf.shape), dtype=psf.dtype, device=device(psf))
    out[tuple(slice(1 - n % 2, None) for n in psf.shape)] = psf
    return out


def _within_reach(psf, shape):
    """`psf` without what is farther from its centre than any two pixels of a picture are from each other."""
    reach = tuple(min(k // 2, n) for k, n in zip(psf.shape, shape, strict=True))
    return psf[tuple(slice(k // 2 - r, k // 2 + r + 1) for k, r in zip(psf.shape, reach, strict=True))]


def _spectrum(x, is_real):
    """Fourier transform of a real picture: at half of the frequencies or, by its symmetry, at all."""
    half = rfftn(x)
    if is_real:
        return half
    xp, n = array_namespace(x), x.shape[-1]
    mirrored = _at_minus(half[..., 1 : (n + 1) // 2], tuple(range(x.ndim - 1)))
    return xp.concat([half, xp.conj(xp.flip(mirrored, axis=-1))], axis=-1)


def _picture(spectrum, shape, is_real):
    """Inverse of `_spectrum`; of a spectrum at all frequencies, which need not be symmetric, a complex picture."""
    if is_real:
        return irfftn(spectrum, shape)
    # The symmetric part is the transform of the real part, the antisymmetric one that of the imaginary part.
    xp = array_namespace(spectrum)
    mirrored = xp.conj(_at_minus(spectrum, tuple(range(spectrum.ndim))))
    half = (..., slice(0, shape[-1] // 2 + 1))
    re = irfftn((0.5 * (spectrum + mirrored))[half], shape)
    im = irfftn((-0.5j * (spectrum - mirrored))[half], shape)
    return _complex(re, im)


def _at_minus(spectrum, axes):
    """`spectrum` at minus the frequencies of some axes."""
    xp = array_namespace(spectrum)
    return xp.roll(xp.flip(spectrum, axis=axes), (1,) * len(axes), axis=axes) if axes else spectrum


def _complex_type(x):
    xp = array_namespace(x)
    return xp.complex128 if x.dtype == xp.float64 else xp.complex64


def _complex(re, im):
    xp, dtype = array_namespace(re), _complex_type(re)
    return xp.astype(re, dtype) + 1j * xp.astype(im, dtype)


def _square(z):
    """|z|^2; by its parts, which is quicker than by its modulus."""
    xp = array_namespace(z)
    re, im = xp.real(z), xp.imag(z)
    return re * re + im * im


def _transfer(value, name, image, is_real):
    """Transfer function of an impulse response; a complex array is one already."""
    xp = array_namespace(image)
    if not (is_array_api_obj(value) and array_namespace(value).isdtype(value.dtype, "complex floating")):
        impulse = _numbers(value, name, image)
        if any(k > n for k, n in zip(impulse.shape, image.shape, strict=True)):
            shape = tuple(image.shape)
            raise ValueError(f"{name} of shape {tuple(impulse.shape)} is larger than the image of shape {shape}")
        return _spectrum(embed(impulse, image.shape), is_real)
    array_namespace(image, value)  # refuses a mixture
    wanted = (*image.shape[:-1], image.shape[-1] // 2 + 1) if is_real else tuple(image.shape)
    if tuple(value.shape) != wanted:
        raise ValueError(
            f"{name} is complex, a transfer function: with is_real={bool(is_real)} it must have shape {wanted}, "
            f"got {tuple(value.shape)}"
        )
    if not bool(xp.all(xp.isfinite(value))):
        raise ValueError(f"{name} must be finite, got NaN or infinity")
    return xp.astype(value, _complex_type(image))


def _penalty(reg, image, is_real):
    """|D|^2 at each frequency."""
    if reg is not None:
        return _square(_transfer(reg, "reg", image, is_real))
    total = 0.0
    for axis, n in enumerate(image.shape):
        half = is_real and axis == image.ndim - 1
        waves = 2 - 2 * np.cos(2 * np.pi / n * np.arange(n // 2 + 1 if half else n))
        total = total + like(waves.reshape([-1 if i == axis else 1 for i in range(image.ndim)]), image)
    return total * total


def _invertible(power):
    if not bool(array_namespace(power).min(power) > 0):
        raise ValueError("psf and reg both vanish at some frequency, where nothing determines the picture")


def _norm(squares):
    """Sum over all frequencies, as scikit-image has it: the half spectrum it knows by its shape.

    So a half spectrum that happens to be square and a whole one that is not are taken for the other, and the column of
    the highest frequency counts twice. The chain depends on it.
    """
    xp = array_namespace(squares)
    total = float(xp.sum(squares))
    return total if squares.shape[0] == squares.shape[1] else 2 * total - float(xp.sum(squares[:, 0]))


def _clipped(x):
    """Real values within -1 and 1; a complex value beyond them, as its real part goes, becomes that bound."""
    xp = array_namespace(x)
    if not xp.isdtype(x.dtype, "complex floating"):
        return xp.clip(x, min=-1.0, max=1.0)
    re = xp.real(x)
    x = xp.where(re > 1, xp.ones_like(x), x)
    return xp.where(re < -1, -xp.ones_like(x), x)


def _chain_parameters(user_params):
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
