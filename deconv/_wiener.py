"""Wiener: the linear least-squares restoration with a known PSF, the picture going on past its frame."""

import math

from deconv import noise
from deconv._array import array_namespace, as_image, as_psf, device, split_channels, torch_door
from deconv._check import real
from deconv._fft import Transfer, fast_shape, irfftn, rfftn

__all__ = ["wiener"]

# Passes that fill the outside of the frame: more of them matter only with little noise and a wide PSF.
_PASSES = 8
# Powers of ten between which the noise-to-signal ratio is sought, and halvings of that interval.
_LOWEST, _HIGHEST, _HALVINGS = -6.0, 3.0, 24


@torch_door
def wiener(image, psf, balance=None, *, reg="laplacian", channel_axis=None):
    r"""Deblur a picture with a known PSF by a Wiener filter.

    The scene is the minimiser of ``|image - psf * scene|^2 + balance |D scene|^2``, which the Fourier
    transform gives in one step ([1]_),

    .. math:: \hat x = \frac{\bar H\, \hat y}{|H|^2 + \lambda |D|^2},

    where the picture is periodic. A photograph is not: light enters and leaves over its edges. So the
    frame sits in a larger period, whose outside is filled with what the restored scene, blurred again,
    would show there: eight passes, the regularisation falling from 1 to `balance`, before the last
    step. That is worth several dB on a picture cut from a larger scene.

    Parameters
    ----------
    image : array, shape (M,), (M, N) or (L, M, N), with one more axis if `channel_axis` is given
        Blurred picture. Integers of 8 or 16 bits are scaled by their range.
    psf : array
        Point-spread function, one axis for each spatial axis of `image` and no longer than it, its
        centre at index ``n // 2`` of each axis. It is normalised to sum 1.
    balance : float, optional
        Ratio of noise to signal, that is, strength of the regularisation, positive; it means what it does in
        scikit-image. By default the one at which the residual has the variance of the noise
        (the discrepancy principle, [2]_), as measured by `deconv.noise.estimate`; it must be given for
        a picture of one axis.
    reg : {"laplacian", "identity"}
        What to keep small: the curvature of the scene, or its deviation from the mean.
    channel_axis : int, tuple of int or None
        Axis of colours, or axes of colours and of a batch, restored with one filter.

    Returns
    -------
    array
        The scene inside the frame: shape and brightness scale of `image`, not clipped. float64 if `image`
        is, else float32.

    Raises
    ------
    TypeError
        If an argument is of the wrong kind, or the arrays are from different libraries.
    ValueError
        If an array has the wrong shape, a value is out of range, or `image` holds NaN.

    References
    ----------
    .. [1] B. R. Hunt, "The application of constrained least squares estimation to image restoration by
       digital computer", IEEE Trans. Comput. C-22, 805 (1973). :doi:`10.1109/TC.1973.5009169`
    .. [2] V. A. Morozov, "Methods for solving incorrectly posed problems", Springer (1984).
       :doi:`10.1007/978-1-4612-5280-1`

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.signal import convolve
    >>> import deconv
    >>> psf = deconv.psf.disk(3.0)
    >>> scene = np.kron(np.indices((8, 8)).sum(0) % 2, np.ones((12, 12)))
    >>> truth = scene[3:-3, 3:-3]
    >>> blurred = convolve(scene, psf, mode="valid")
    >>> sharp = deconv.wiener(blurred, psf, balance=1e-4)
    >>> bool(np.std(sharp - truth) < 0.5 * np.std(blurred - truth))
    True
    """
    image = as_image(image, ndim=(1, 2, 3), channel_axis=channel_axis, batch=True)
    if balance is not None:
        balance = real(balance, "balance", above=0.0)
    if not isinstance(reg, str):
        raise TypeError(f'reg must be "laplacian" or "identity", got {type(reg).__name__}')
    if reg not in ("laplacian", "identity"):
        raise ValueError(f'reg must be "laplacian" or "identity", got {reg!r}')
    xp = array_namespace(image)
    channels, join = split_channels(image, channel_axis)
    psf = as_psf(psf, channels, ndim=channels.ndim - 1)

    frame = (slice(None), *(slice(0, n) for n in channels.shape[1:]))
    grid = fast_shape(n + 2 * (k - 1) for n, k in zip(channels.shape[1:], psf.shape, strict=True))
    transfer = Transfer(psf, grid)
    power = xp.abs(transfer.otf) ** 2
    curvature = _laplacian(channels, grid) ** 2
    penalty = curvature if reg == "laplacian" else xp.ones_like(curvature)

    mean = xp.mean(channels, axis=tuple(range(1, channels.ndim)), keepdims=True)
    contrast = channels - mean
    if balance is None:
        balance = _discrepancy(contrast, power, penalty, grid, _noise(channels))
    filled = _taper(contrast, grid)
    for i in range(_PASSES):
        level = max(balance, balance ** (i / _PASSES))
        spectrum = rfftn(filled, len(grid))
        spectrum *= power / (power + level * curvature)
        filled = irfftn(spectrum, grid)
        filled[frame] = contrast
    sharp = _filter(filled, transfer, balance * penalty)[frame] + mean
    return join(sharp)


def _filter(image, transfer, penalty):
    """The minimiser on a periodic grid; `penalty` is ``balance * |D|^2`` at each frequency of `rfftn`."""
    xp = array_namespace(image)
    spectrum = rfftn(image, len(transfer.shape))
    spectrum *= xp.conj(transfer.otf) / (xp.abs(transfer.otf) ** 2 + penalty)
    return irfftn(spectrum, transfer.shape)


def _laplacian(like, grid):
    """Minus the discrete Laplacian (2 per axis at the centre, -1 at the neighbours) at each frequency of `rfftn`."""
    xp = array_namespace(like)
    total = xp.zeros((*grid[:-1], grid[-1] // 2 + 1), dtype=like.dtype, device=device(like))
    for axis, n in enumerate(grid):
        k = xp.arange(total.shape[axis], dtype=like.dtype, device=device(like))
        shape = tuple(-1 if i == axis else 1 for i in range(len(grid)))
        total = total + xp.reshape(2 - 2 * xp.cos(k * (2 * math.pi / n)), shape)
    return total


def _taper(image, grid):
    """`image` continued to `grid`: along each axis its two mirror images, one fading into the other."""
    xp = array_namespace(image)
    for axis, n in enumerate(grid, start=1):
        size = image.shape[axis]
        gap = n - size
        if gap == 0:
            continue

        def mirrored(first, axis=axis, size=size, gap=gap, image=image):
            places = [min(i % (2 * size), 2 * size - 1 - i % (2 * size)) for i in range(first, first + gap)]
            return xp.take(image, xp.asarray(places, dtype=xp.int64, device=device(image)), axis=axis)

        fade = [0.5 - 0.5 * math.cos(math.pi * (i + 1) / (gap + 1)) for i in range(gap)]
        fade = xp.reshape(xp.asarray(fade, dtype=image.dtype, device=device(image)), (gap, *(1 for _ in grid[axis:])))
        image = xp.concat([image, (1 - fade) * mirrored(size) + fade * mirrored(-gap)], axis=axis)
    return image


def _noise(channels):
    """Standard deviation of the noise; a volume is looked at plane by plane."""
    if channels.ndim == 2:
        raise ValueError("balance must be given for a picture of one axis: its noise cannot be told from its content")
    xp = array_namespace(channels)
    return noise.estimate(xp.reshape(channels, (-1, *channels.shape[-2:])), channel_axis=0)


def _discrepancy(image, power, penalty, grid, sigma):
    """The balance at which the residual of the filter has the variance of the noise.

    The picture, its mean zero, is faded out towards its edges, which makes it periodic without inventing data.
    """
    xp = array_namespace(image)
    window = image * 0 + 1
    for axis, n in enumerate(image.shape[1:], start=1):
        ramp = [math.sin(math.pi * (i + 0.5) / n) for i in range(n)]
        ramp = xp.asarray(ramp, dtype=image.dtype, device=device(image))
        window = window * xp.reshape(ramp, (n, *(1 for _ in image.shape[axis + 1 :])))
    padded = xp.zeros((image.shape[0], *grid), dtype=image.dtype, device=device(image))
    padded[(slice(None), *(slice(0, n) for n in image.shape[1:]))] = window * image
    energy = xp.sum(xp.abs(rfftn(padded, len(grid))) ** 2, axis=0) / math.prod(grid)
    # The half spectrum: all columns but the first and the last (grid[-1] is even) stand for two.
    energy = energy * 2
    energy[..., 0] *= 0.5
    energy[..., -1] *= 0.5
    target = sigma**2 * float(xp.sum(window**2, dtype=xp.float64))

    ratio = power / xp.clip(penalty, min=float(xp.finfo(image.dtype).smallest_normal))
    low, high = _LOWEST, _HIGHEST
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        balance = 10.0**middle
        residual = float(xp.sum(energy * (balance / (ratio + balance)) ** 2, dtype=xp.float64))
        low, high = (middle, high) if residual < target else (low, middle)
    return 10.0 ** (0.5 * (low + high))
