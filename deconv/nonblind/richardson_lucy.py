"""Richardson-Lucy: the most likely non-negative scene behind a picture that counts photons, its PSF known."""

import math

from deconv._core.array import (
    array_namespace,
    as_image,
    as_psf,
    as_weights,
    device,
    per_pixel,
    split_channels,
    torch_door,
)
from deconv._core.check import integer, real
from deconv._core.convolve import workspace
from deconv._core.fft import Transfer, fast_shape
from deconv._core.kernels import rl_extrapolate, rl_penalised, rl_roughness, rl_update
from deconv.nonblind.poisson import Photons, measured_gain, measured_noise

__all__ = ["richardson_lucy"]

# A pixel outside the frame is estimated where the frame holds more than this share of its light.
_SEEN = 1e-3
# Scalar products over the scene are taken over so many of its pixels at most: they steer, they are no result.
_SAMPLE = 2**16
# Steps between pixels below this part of the contrast count as none in total variation.
_SMOOTH = 1e-2
# Most iterations when the noise says when to stop.
_MOST = 100
# Laplacian scale of a scene's gradients for the default weight of a regularisation, as part of the picture's contrast
# (as in `deconv.variational`).
_EDGE = 0.75


@torch_door
def richardson_lucy(
    image,
    psf,
    num_iter=None,
    *,
    accelerate=True,
    background=0.0,
    readout=0.0,
    gain=None,
    mask=None,
    reg=None,
    weight=None,
    damping=0.0,
    stop=None,
    channel_axis=None,
    callback=None,
):
    r"""Deblur a picture with a known PSF by Richardson-Lucy iterations.

    Maximises the Poisson likelihood of ``image = psf * scene + background`` over scenes that are not
    negative. From a flat start, each iteration is

    .. math:: x \leftarrow \frac{x}{A^T w}\, A^T\!\left(w\,\frac{d}{A x + b}\right)

    with the picture `d`, the blur `A`, weights `w` and the background `b`. The scene reaches past the
    frame by the size of the PSF and `w` is zero out there ([3]_), so that light entering and leaving
    over the edge is accounted for: no ringing frame, and a flat picture stays flat. More iterations are
    sharper and noisier; unless `reg` is given their number is the only regularisation.

    Parameters
    ----------
    image : array, shape (M,), (M, N) or (L, M, N), with one more axis for each in `channel_axis`
        Blurred picture. NaN marks pixels that were not measured; the scene there is inferred from their
        neighbours. Negative pixels count as zero. Integers of 8 or 16 bits are scaled by their range.
    psf : array
        Point-spread function, one axis for each spatial axis of `image` and no longer than it, its
        centre at index ``n // 2`` of each axis. It is normalised to sum 1.
    num_iter : int, optional
        Number of iterations; at most so many with `stop`. By default as many as the noise allows,
        ``stop="discrepancy"``, and no more than 100; with `reg`, 100.
    accelerate : bool
        Extrapolate between iterations ([4]_): from about ten on, `num_iter` of them bring about the
        likelihood, and the noise, of ``num_iter**2 / 5`` plain ones.
    background : float or array, shape of `image` or of its spatial axes
        Level, in the units of `image` (integers counting as 0 to 1), that is in the picture but not in the scene, such
        as a sky. Do not subtract it from the picture beforehand: add it back instead.
    readout : float
        Standard deviation of the Gaussian noise that the camera's readout adds, in the same units. Its variance,
        ``readout**2 / gain``, is added to the picture and to what is expected of it, which makes the sum nearly
        Poisson ([5]_).
    gain : float, optional
        Brightness of one photon in the same units (1 for floats that are counts). Needed for `readout`, `damping`,
        the discrepancy and the default `weight`; by default as `deconv.noise.gain` measures it, in each channel.
    mask : array, shape of `image` or of its spatial axes, optional
        Weight of each pixel, not negative; zero (or False) leaves a pixel out.
    reg : {None, "tv", "tikhonov"}
        Penalty on the scene: total variation ([6]_), which keeps edges, or the squared gradient
        (Tikhonov-Miller, [7]_), divided by twice the standard deviation of the picture.
    weight : float, optional
        Strength of `reg`, without unit. By default `gain` over three quarters of the picture's standard deviation.
    damping : float
        Differences between picture and model below so many standard deviations of the photon noise
        are not followed ([8]_): 0 for none, 2 or 3 against grain in flat parts.
    stop : {None, "discrepancy"} or float
        When to stop before `num_iter`: as soon as the squared difference of picture and model, over its variance, is
        what noise makes of it ([9]_): photon and readout noise if `gain` or `readout` is given, else the noise that
        the picture is found to have at each brightness; or when the scene changes by less than this part of it in one
        iteration. Each channel stops by itself.
    channel_axis : int, tuple of int or None
        Axis of colours, or axes of colours and of a batch. They are restored independently, with one transfer function.
    callback : callable, optional
        Called as ``callback(iteration, estimate)`` after each iteration, counted from 1, and last with the result:
        the iteration that meets the discrepancy ends there, before its update. The estimate is a copy, shaped as the
        result; for PyTorch tensors it is a NumPy (or CuPy) array.

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
    .. [5] D. L. Snyder, A. M. Hammoud and R. L. White, "Image recovery from data acquired with a charge-coupled-device
       camera", J. Opt. Soc. Am. A 10, 1014 (1993). :doi:`10.1364/JOSAA.10.001014`
    .. [6] N. Dey et al., "Richardson-Lucy algorithm with total variation regularization for 3D confocal microscope
       deconvolution", Microsc. Res. Tech. 69, 260 (2006). :doi:`10.1002/jemt.20294`
    .. [7] G. M. P. van Kempen, L. J. van Vliet, P. J. Verveer and H. T. M. van der Voort, "A quantitative comparison of
       image restoration methods for confocal microscopy", J. Microsc. 185, 354 (1997).
       :doi:`10.1046/j.1365-2818.1997.d01-629.x`
    .. [8] R. L. White, "Image restoration using the damped Richardson-Lucy method", Proc. SPIE 2198, 1342 (1994).
       :doi:`10.1117/12.176819`
    .. [9] M. Bertero, P. Boccacci, G. Talenti, R. Zanella and L. Zanni, "A discrepancy principle for Poisson data",
       Inverse Problems 26, 105004 (2010). :doi:`10.1088/0266-5611/26/10/105004`

    Examples
    --------
    >>> import numpy as np
    >>> from deconv import richardson_lucy
    >>> star = np.zeros((32, 32))
    >>> star[12:15, 19:22] = 100 / 9  # 100 photons over 3 x 3 pixels
    >>> sharp = richardson_lucy(star, np.ones((3, 3)), num_iter=50)
    >>> bool(sharp[13, 20] > 99)
    True
    """
    image = as_image(image, ndim=(1, 2, 3), channel_axis=channel_axis, nan="mask", batch=True)
    if num_iter is None:
        num_iter = _MOST
        stop = "discrepancy" if stop is None and reg is None else stop
    num_iter = integer(num_iter, "num_iter", low=1, high=10**6)
    if not isinstance(accelerate, bool):
        raise TypeError(f"accelerate must be True or False, got {type(accelerate).__name__}")
    readout = real(readout, "readout", low=0.0)
    gain = None if gain is None else real(gain, "gain", above=0.0)
    damping = real(damping, "damping", low=0.0)
    reg, weight = _regularisation(reg, weight)
    stop = _stopping(stop)
    if callback is not None and not callable(callback):
        raise TypeError(f"callback must be callable or None, got {type(callback).__name__}")

    xp = array_namespace(image)
    unit = _unit(image)
    channels, join = split_channels(image if unit == 1.0 else image / unit, channel_axis)
    psf = as_psf(psf, channels, ndim=channels.ndim - 1)
    whole = mask is None and not bool(xp.any(xp.isnan(image)))
    weights = None if whole else as_weights(mask, image, channel_axis)
    background = _background(background, image, channel_axis) / unit
    gains = left = None
    if gain is not None:
        gains = xp.full((channels.shape[0],), gain / unit, dtype=image.dtype, device=device(image))
    elif readout > 0 or damping > 0 or stop == "discrepancy" or (reg is not None and weight is None):
        gains = measured_gain(channels, weights, readout / unit)
        if stop == "discrepancy" and readout == 0:
            left = measured_noise(channels, weights, gains)
    photons = Photons(channels, weights, background, readout / unit, gains, damping, left)
    if gain is not None and not bool(xp.any(photons.peak >= gains)):
        brightest = float(xp.max(photons.peak)) * unit
        raise ValueError(
            f"gain is {gain:g}, but no pixel of image is brighter than {brightest:g}: give the brightness of one "
            "photon in the units of image, in which integers count as parts of their range"
        )
    scene = _Scene(photons, psf, reg, weight, passes=2 * num_iter)

    def finish(estimate):
        return join(estimate if unit == 1.0 else estimate * unit)

    return finish(_iterate(scene, num_iter, accelerate, stop, callback, finish))


def _unit(image):
    """1 for most pictures; where the squares of so small or large ones would leave float32, their size."""
    xp = array_namespace(image)
    # A sum tells of NaN without a copy of the picture.
    whole = image if math.isfinite(float(xp.sum(image))) else xp.where(xp.isnan(image), 0.0, image)
    brightest = max(float(xp.max(whole)), -float(xp.min(whole)))
    if brightest == 0 or 1e-8 < brightest < 1e8:
        return 1.0
    # A power of two changes no digit.
    return 2.0 ** math.floor(math.log2(brightest))


def _regularisation(reg, weight):
    if not (reg is None or isinstance(reg, str)):
        raise TypeError(f'reg must be "tv", "tikhonov" or None, got {type(reg).__name__}')
    if reg not in (None, "tv", "tikhonov"):
        raise ValueError(f'reg must be "tv", "tikhonov" or None, got {reg!r}')
    if weight is None:
        return reg, None
    if reg is None:
        raise ValueError("weight is the strength of reg, which is not given")
    return reg, real(weight, "weight", above=0.0)


def _stopping(stop):
    if stop is None or (isinstance(stop, str) and stop == "discrepancy"):
        return stop
    if isinstance(stop, str):
        raise ValueError(f'stop must be "discrepancy", a number or None, got {stop!r}')
    return real(stop, "stop", above=0.0)


def _background(background, image, channel_axis):
    """A number as it is, an array channels first."""
    if not isinstance(background, list | tuple) and getattr(background, "shape", ()) == ():
        return real(background, "background", low=0.0)
    if "int" in str(getattr(background, "dtype", "")):
        raise TypeError(
            "background must hold floats, in the units of image, in which integers count as parts of their range; "
            f"got {background.dtype}"
        )
    return per_pixel(background, "background", image, channel_axis)


class _Scene:
    """The scene on a grid that reaches past the frame, channels first, and its next estimate.

    The frame sits at the origin: what wraps round from either side lands beyond it.
    """

    def __init__(self, photons, psf, reg, weight, passes):
        xp = array_namespace(psf)
        self.xp, self.photons = xp, photons
        count, *frame = photons.shape
        self.frame = tuple(slice(0, n) for n in frame)
        grid = fast_shape(n + k - 1 for n, k in zip(frame, psf.shape, strict=True))
        self.grid = grid
        # What the frame sees of each pixel, A^T w. With no weights it is 1 but near the border, and so kept without
        # the stretch between the borders: that of a frame just long enough to have one pixel there.
        short = [n if photons.weights is not None else min(n, 2 * k - 1) for n, k in zip(frame, psf.shape, strict=True)]
        skips = [n - s for n, s in zip(frame, short, strict=True)]
        folded = (count, *(g - s for g, s in zip(grid, skips, strict=True)))
        place = (slice(None), *(slice(0, s) for s in short))
        transfer = Transfer(psf, folded[1:])
        weights = xp.zeros(folded, dtype=psf.dtype, device=device(psf))
        weights[place] = 1.0 if photons.weights is None else photons.weights
        sensitivity = transfer.adjoint(weights)
        # How much of it the measured pixels see, whatever their weights.
        seen = sensitivity if photons.weights is None else transfer.adjoint(xp.astype(weights > 0, psf.dtype))
        self.sensitivity = xp.where(seen > _SEEN, sensitivity, 0.0)
        self.fold = ([k - 1 for k in psf.shape], skips)
        # Flat, and 0 already where it stays 0: nothing there may count for the length of a step. With a penalty a
        # pixel that the frame does not see follows its neighbours.
        alive = self.sensitivity > 0 if reg is None else self.sensitivity >= 0
        self.start = self.unfolded(xp.where(alive, photons.mean_scene(), 0.0))
        self.workspace = workspace(psf, grid, count, passes)
        self.penalty = None if reg is None else _Penalty(self, reg, weight)

    def unfolded(self, values):
        """`values`, folded as the sensitivity is, at each pixel of the grid."""
        xp = self.xp
        for axis, (edge, skip) in enumerate(zip(*self.fold, strict=True), start=1):
            if skip:
                places = [max(min(i, edge), i - skip) for i in range(values.shape[axis] + skip)]
                values = xp.take(values, xp.asarray(places, dtype=xp.int64, device=device(values)), axis=axis)
        return values

    def expect(self, x):
        """The picture that `x` makes, in the memory of the workspace."""
        return self.workspace.blur(x)

    def update(self, x, blurred):
        """The next estimate in the place of `x`, of which `blurred` is expected."""
        self.photons.ratio(blurred, self.grid)
        correction = self.workspace.correlate(blurred)
        if self.penalty is not None:
            self.penalty.update(x, correction)
            return
        edges, skips = self.fold
        ones = [1] * (3 - len(self.grid))
        none = [0] * len(ones)
        rl_update(
            x,
            correction,
            self.sensitivity,
            0.0,
            *ones,
            *self.grid,
            correction.shape[-1],
            *none,
            *edges,
            *none,
            *skips,
        )

    def sample(self, x):
        """A copy of some of its pixels, the same ones each time, in units of the picture's brightest."""
        xp, count = self.xp, x.shape[0]
        # A stride that does not keep to some columns.
        stride = math.prod(self.grid) // _SAMPLE + 1
        while math.gcd(stride, self.grid[-1]) > 1:
            stride += 1
        return xp.reshape(x, (count, -1))[:, ::stride] / xp.reshape(self.photons.peak, (count, 1))

    def cut(self, x):
        """A copy of the estimate inside the frame."""
        return self.xp.asarray(x[(slice(None), *self.frame)], copy=True)


class _Penalty:
    r"""A penalty :math:`\tfrac{p}{2} \sum \omega_{ij} (x_i - x_j)^2` on neighbours, and the update that it makes.

    With De Pierro's bound, :math:`(x_i - x_j)^2 \le \tfrac12 (2 x_i - m_{ij})^2 + \tfrac12 (2 x_j - m_{ij})^2` where
    :math:`m_{ij}` is the sum at the last estimate, each pixel is the root of a quadratic equation, and no iteration
    is a step back, however strong the penalty. Total variation has the weights of its last estimate.
    """

    def __init__(self, scene, reg, weight):
        xp, photons = scene.xp, scene.photons
        # A channel without contrast has no steps to weigh.
        contrast = xp.maximum(photons.contrast(), 1e-6 * photons.peak)
        strength = photons.gain / (_EDGE * contrast) if weight is None else weight + xp.zeros_like(contrast)
        self.directions = int(reg == "tv")
        self.strength = strength if reg == "tv" else strength / contrast
        self.smooth = _SMOOTH * contrast
        self.grid = (1,) * (3 - len(scene.grid)) + scene.grid
        self.seen = scene.unfolded(scene.sensitivity)
        self.divergence, self.stiffness = xp.empty_like(scene.start), xp.empty_like(scene.start)

    def update(self, x, correction):
        """The next estimate in the place of `x`."""
        rl_roughness(x, self.smooth, self.directions, *self.grid, self.divergence, self.stiffness)
        rl_penalised(
            x,
            correction,
            self.seen,
            self.divergence,
            self.stiffness,
            self.strength,
            self.grid[-1],
            correction.shape[-1],
            x.shape[0],
        )


def _iterate(scene, num_iter, accelerate, stop, callback, finish):
    """The estimate after `num_iter` iterations, or when each channel has met `stop`, cut to the frame."""
    x = scene.start
    count = x.shape[0]
    momentum = _Momentum(scene, x) if accelerate else None
    # Channels that are done before the others: their estimates.
    done = {}

    def finished(x):
        estimate = scene.cut(x)
        for channel, kept in done.items():
            estimate[channel, ...] = kept
        return estimate

    def retire(x, met):
        new = [c for c in range(count) if bool(met[c]) and c not in done]
        if new:
            estimate = scene.cut(x)
            done.update({c: estimate[c, ...] for c in new})
        return len(done) == count

    for iteration in range(1, num_iter + 1):
        previous = scene.xp.asarray(x, copy=True) if isinstance(stop, float) else None
        if accelerate:
            x = momentum.ahead(x)
        expected = scene.expect(x)
        complete = stop == "discrepancy" and retire(x, scene.photons.discrepancy(expected) <= 1)
        if not complete:
            scene.update(x, expected)
            if accelerate:
                momentum.learn(x)
            if previous is not None:
                complete = retire(x, _squared(x - previous) <= stop**2 * _squared(x))
        if callback is not None:
            callback(iteration, finish(finished(x)))
        if complete:
            break
    # What the iterations worked in is let go before the result takes its place.
    scene.workspace = momentum = expected = None
    return finished(x)


def _squared(values):
    xp = array_namespace(values)
    flat = xp.reshape(values, (values.shape[0], -1))
    return xp.vecdot(flat, flat)


class _Momentum:
    """The point that an iteration starts from: ahead along the last change, by as much as the last two steps agree.

    Biggs and Andrews; the steps, of which only scalar products are needed, by a sample of their pixels.
    """

    def __init__(self, scene, x):
        xp = scene.xp
        self.scene = scene
        self.last = xp.asarray(x, copy=True)
        self.reach = xp.zeros_like(scene.photons.peak)
        self.step = None

    def ahead(self, x):
        """That point, in memory of its own; `x` is kept as the last estimate."""
        rl_extrapolate(x, self.last, self.reach, x.shape[0])
        x, self.last = self.last, x
        self.before = self.scene.sample(x)
        return x

    def learn(self, x):
        """`x` is the estimate that the iteration made of the point ahead."""
        xp = self.scene.xp
        step = self.scene.sample(x) - self.before
        if self.step is not None:
            tiny = float(xp.finfo(x.dtype).eps) ** 2
            self.reach = xp.clip(xp.vecdot(step, self.step) / (_squared(self.step) + tiny), 0.0, 1.0)
        self.step = step
