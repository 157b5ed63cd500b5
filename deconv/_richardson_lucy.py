"""Richardson-Lucy: the most likely non-negative scene behind a picture that counts photons, its PSF known."""

from deconv._array import array_namespace, as_image, as_psf, as_weights, device, split_channels, torch_door
from deconv._check import integer, real
from deconv._fft import Transfer, fast_shape
from deconv.kernels.ratios import rl_ratio, rl_update

__all__ = ["richardson_lucy"]

# A pixel outside the frame is estimated where the frame holds more than this share of its light.
_SEEN = 1e-3


@torch_door
def richardson_lucy(
    image, psf, num_iter=50, *, accelerate=False, background=0.0, mask=None, channel_axis=None, callback=None
):
    r"""Deblur a picture with a known PSF by Richardson-Lucy iterations.

    Maximises the Poisson likelihood of ``image = psf * scene + background`` over scenes that are not
    negative. From a flat start, each iteration is

    .. math:: x \leftarrow \frac{x}{A^T w}\, A^T\!\left(w\,\frac{d}{A x + b}\right)

    with the picture `d`, the blur `A`, weights `w` and the background `b`. The scene reaches past the
    frame by the size of the PSF and `w` is zero out there ([3]_), so that light entering and leaving
    over the edge is accounted for: no ringing frame, and a flat picture stays flat. More iterations are
    sharper and noisier; the number of iterations is the only regularisation.

    Parameters
    ----------
    image : array, shape (M,), (M, N) or (L, M, N), with one more axis if `channel_axis` is given
        Blurred picture. NaN marks pixels that were not measured; the scene there is inferred from their
        neighbours. Negative pixels count as zero. Integers of 8 or 16 bits are scaled by their range.
    psf : array
        Point-spread function, one axis for each spatial axis of `image` and no longer than it, its
        centre at index ``n // 2`` of each axis. It is normalised to sum 1.
    num_iter : int
        Number of iterations.
    accelerate : bool
        Extrapolate between iterations ([4]_): from about ten on, `num_iter` of them bring about the
        likelihood, and the noise, of ``num_iter**2 / 5`` plain ones.
    background : float
        Constant level, in the units of `image`, that is in the picture but not in the scene, such as a
        sky. Do not subtract it from the picture beforehand: add it back instead.
    mask : array, shape of `image` or of its spatial axes, optional
        Weight of each pixel, not negative; zero (or False) leaves a pixel out.
    channel_axis : int, tuple of int or None
        Axis of colours, or axes of colours and of a batch. They are restored independently, with one transfer function.
    callback : callable, optional
        Called as ``callback(iteration, estimate)`` after each iteration, counted from 1. The estimate is
        a copy, shaped as the result; for PyTorch tensors it is a NumPy (or CuPy) array.

    Returns
    -------
    array
        The scene inside the frame: shape and brightness scale of `image`, not negative, not clipped
        above. float64 if `image` is, else float32. Zero where no measured pixel holds light from.

    Raises
    ------
    TypeError
        If an argument is of the wrong kind, or the arrays are from different libraries.
    ValueError
        If an array has the wrong shape or a value is out of range.

    References
    ----------
    .. [1] W. H. Richardson, "Bayesian-based iterative method of image restoration", J. Opt. Soc. Am. 62,
       55 (1972). :doi:`10.1364/JOSA.62.000055`
    .. [2] L. B. Lucy, "An iterative technique for the rectification of observed distributions",
       Astron. J. 79, 745 (1974). :doi:`10.1086/111605`
    .. [3] M. Bertero and P. Boccacci, "A simple method for the reduction of boundary effects in the
       Richardson-Lucy approach to image deconvolution", Astron. Astrophys. 437, 369 (2005).
       :doi:`10.1051/0004-6361:20052717`
    .. [4] D. S. C. Biggs and M. Andrews, "Acceleration of iterative image restoration algorithms",
       Appl. Opt. 36, 1766 (1997). :doi:`10.1364/AO.36.001766`

    Examples
    --------
    >>> import numpy as np
    >>> from deconv import richardson_lucy
    >>> star = np.zeros((32, 32))
    >>> star[12:15, 19:22] = 100 / 9  # 100 photons over 3 x 3 pixels
    >>> sharp = richardson_lucy(star, np.ones((3, 3)), num_iter=200)
    >>> bool(sharp[13, 20] > 99)
    True
    """
    image = as_image(image, ndim=(1, 2, 3), channel_axis=channel_axis, nan="mask", batch=True)
    num_iter = integer(num_iter, "num_iter", low=1, high=10**6)
    background = real(background, "background", low=0.0)
    if not isinstance(accelerate, bool):
        raise TypeError(f"accelerate must be True or False, got {type(accelerate).__name__}")
    if callback is not None and not callable(callback):
        raise TypeError(f"callback must be callable or None, got {type(callback).__name__}")
    channels, join = split_channels(image, channel_axis)
    psf = as_psf(psf, channels, ndim=channels.ndim - 1)
    weight = as_weights(mask, image, channel_axis)

    problem = _Problem(channels, psf, weight, background)

    def finish(x):
        return join(problem.scene(x))

    iterates = _accelerated(problem) if accelerate else _plain(problem)
    x = problem.start
    for iteration in range(1, num_iter + 1):
        x = next(iterates)
        if callback is not None:
            callback(iteration, finish(x))
    return finish(x)


class _Problem:
    """One picture on its padded grid, channels first, each channel in units of its brightest pixel.

    The units make the smallest divisor a plain machine epsilon, hence the answer scales with the picture.
    """

    def __init__(self, image, psf, weight, background):
        xp = array_namespace(image)
        spatial = tuple(range(1, image.ndim))
        frame = image.shape[1:]
        # The frame sits at the origin: what wraps round from either side lands in the padding.
        grid = fast_shape(n + k - 1 for n, k in zip(frame, psf.shape, strict=True))
        self.frame = (slice(None), *(slice(0, n) for n in frame))
        data = xp.where(weight > 0, xp.clip(image, min=0.0), xp.zeros_like(image))
        peak = xp.max(data, axis=spatial, keepdims=True)
        self.unit = xp.where(peak > 0, peak, xp.ones_like(peak))
        data = data / self.unit
        self.background = background / self.unit if background > 0 else None
        excess = data if self.background is None else xp.clip(data - self.background, min=0.0)
        self.floor = float(xp.finfo(image.dtype).eps)
        # A channel may have no measured pixel at all.
        pixels = xp.clip(xp.sum(weight, axis=spatial, keepdims=True), min=self.floor)
        mean = xp.sum(weight * excess, axis=spatial, keepdims=True) / pixels
        self.transfer = Transfer(psf, grid)
        self.data = self._on_grid(data, grid)
        self.weight = self._on_grid(weight, grid)
        self.sensitivity = self.transfer.adjoint(self.weight)
        self.start = xp.ones_like(self.data) * mean

    def _on_grid(self, x, grid):
        xp = array_namespace(x)
        padded = xp.zeros((x.shape[0], *grid), dtype=x.dtype, device=device(x))
        padded[self.frame] = x
        return padded

    def step(self, x, out):
        """One iteration from `x` into `out`, which may be `x`."""
        blurred = self.transfer.forward(x)
        if self.background is not None:
            blurred += self.background
        rl_ratio(self.data, self.weight, blurred, self.floor, blurred)
        rl_update(x, self.transfer.adjoint(blurred), self.sensitivity, _SEEN, out)
        return out

    def scene(self, x):
        """The estimate inside the frame, in the units of the picture."""
        # The rounding of the transforms leaves values just below zero.
        return array_namespace(x).clip(x[self.frame], min=0.0) * self.unit


def _plain(problem):
    x = problem.start
    while True:
        yield problem.step(x, out=x)


def _accelerated(problem):
    """Biggs and Andrews: step from a point extrapolated along the last change, by how well the last two steps agree."""
    xp = array_namespace(problem.start)
    channels = problem.start.shape[0]

    def inner(a, b):
        return xp.vecdot(xp.reshape(a, (channels, -1)), xp.reshape(b, (channels, -1)))

    last = x = problem.start
    step = last_step = None
    while True:
        ahead = x
        if last_step is not None:
            reach = inner(step, last_step) / (inner(last_step, last_step) + problem.floor**2)
            reach = xp.reshape(xp.clip(reach, 0.0, 1.0), (channels, *(1 for _ in x.shape[1:])))
            ahead = x + reach * (x - last)
            # A pixel at zero could never leave it again.
            ahead = xp.where(ahead > 0, ahead, x)
        last, x = x, problem.step(ahead, out=xp.empty_like(x))
        last_step, step = step, x - ahead
        yield x
