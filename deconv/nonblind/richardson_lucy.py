"""Richardson-Lucy: the most likely non-negative scene for an image of photon counts with a known PSF."""

import math
from collections.abc import Callable
from typing import Any, Literal

from deconv._core.array import (
    Array,
    Result,
    accepts_torch,
    array_namespace,
    as_image,
    as_psf,
    as_weights,
    device,
    per_pixel,
    split_channels,
)
from deconv._core.check import integer, real
from deconv._core.convolve import workspace
from deconv._core.fft import Transfer, fast_shape
from deconv._core.kernels import rl_extrapolate, rl_penalised, rl_roughness, rl_update
from deconv.nonblind.poisson import PoissonData, measured_gain, noise_residual

__all__ = ["richardson_lucy"]

# A pixel outside the frame is estimated if more than this fraction of its light falls into the frame.
_MIN_VISIBLE = 1e-3
# Scalar products over the scene use at most this many pixels: they set the acceleration and do not enter the result.
_SAMPLE = 2**16
# Smoothing of total variation at zero: differences between pixels below this fraction of the contrast hardly count.
_TV_SMOOTHING = 1e-2
# Default maximum of iterations, with or without the discrepancy principle.
_MAX_ITER = 100
# Laplacian scale of a scene's gradients for the default weight of a regularisation, as a fraction of the image's
# contrast, as in `deconv.variational`.
_GRADIENT_SCALE = 0.75


@accepts_torch
def richardson_lucy(
    image: Array,
    psf: Array,
    num_iter: int | None = None,
    *,
    accelerate: bool = True,
    background: float | Array = 0.0,
    readout: float = 0.0,
    gain: float | None = None,
    mask: Array | None = None,
    reg: Literal["tv", "tikhonov"] | None = None,
    weight: float | None = None,
    damping: float = 0.0,
    stop: Literal["discrepancy"] | float | None = None,
    channel_axis: int | tuple[int, ...] | None = None,
    callback: Callable[[int, Any], object] | None = None,
) -> Result:
    r"""Deblur an image with a known PSF by Richardson-Lucy iterations.

    Maximises the Poisson likelihood of ``image = psf * scene + background`` over non-negative scenes. From a flat
    start, each iteration is

    .. math:: x \leftarrow \frac{x}{A^T w}\, A^T\!\left(w\,\frac{d}{A x + b}\right)

    with the image `d`, the blur `A`, weights `w` and the background `b`. The scene extends beyond the frame by the
    size of the PSF, where `w` is zero ([3]_), so light that enters and leaves over the edge is accounted for: no
    ringing at the border, and a flat image stays flat. More iterations are sharper and noisier; unless `reg` is given,
    their number is the only regularisation.

    Parameters
    ----------
    image : array, shape (M,), (M, N) or (L, M, N), with one more axis for each in `channel_axis`
        Blurred image. NaN marks pixels that were not measured; the scene there is inferred from their neighbours.
        Negative pixels count as zero. Integers of 8 or 16 bits are scaled by their range.
    psf : array
        Point-spread function, one axis for each spatial axis of `image` and no longer than it, its
        centre at index ``n // 2`` of each axis. It is normalised to sum 1.
    num_iter : int, optional
        Number of iterations, or with `stop` their maximum. By default as many as the noise allows
        (``stop="discrepancy"``), but no more than 100; with `reg`, 100.
    accelerate : bool
        Extrapolate between iterations ([4]_): from about ten on, `num_iter` iterations reach about the likelihood, and
        the noise, of ``num_iter**2 / 5`` plain ones.
    background : float or array, shape of `image` or of its spatial axes
        Level that is in the image but not in the scene, such as a sky, in the units of `image` (integers count as 0 to
        1). Do not subtract it from the image beforehand: if that has been done, add it back.
    readout : float
        Standard deviation of the Gaussian noise that the camera's readout adds, in the same units. Its variance,
        ``readout**2 / gain``, is added to the image and to its expectation, which makes the sum nearly Poisson ([5]_).
    gain : float, optional
        Brightness of one photon in the same units (1 for floats that are counts), needed for `readout`, `damping`, the
        discrepancy and the default `weight`. By default it is measured in each channel as by `deconv.noise.gain`.
    mask : array, shape of `image` or of its spatial axes, optional
        Weight of each pixel, not negative; zero (or False) leaves a pixel out.
    reg : {None, "tv", "tikhonov"}
        Penalty on the scene: total variation ([6]_), which keeps edges, or the squared gradient
        (Tikhonov-Miller, [7]_), divided by twice the standard deviation of the image.
    weight : float, optional
        Weight of `reg`, without unit. By default `gain` over three quarters of the image's standard deviation.
    damping : float
        Differences between image and model below this many standard deviations of the photon noise are not fitted
        ([8]_): 0 for no damping, 2 or 3 against grain in flat areas.
    stop : {None, "discrepancy"} or float
        When to stop before `num_iter`. "discrepancy": when the squared difference of image and model falls to what the
        noise explains ([9]_), photon and readout noise if `gain` or `readout` is given, else the noise measured in the
        image at each brightness. A number: when the relative change of the scene in one iteration falls below it. Each
        channel stops on its own.
    channel_axis : int, tuple of int or None
        Axis of colours, or axes of colours and of a batch. They are restored independently, with one transfer function.
    callback : callable, optional
        Called as ``callback(iteration, estimate)`` after each iteration, counted from 1, and last with the result: the
        iteration that meets the discrepancy ends before its update. The estimate is a copy in the shape of the result;
        for PyTorch tensors it is a NumPy (or CuPy) array.

    Returns
    -------
    array
        The scene inside the frame: shape and brightness scale of `image`, not negative, not clipped above. float64 if
        `image` is, else float32. Zero where no measured pixel receives light from.

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
    values = as_image(image, ndim=(1, 2, 3), channel_axis=channel_axis, nan="mask", batch=True)
    if num_iter is None:
        num_iter = _MAX_ITER
        stop = "discrepancy" if stop is None and reg is None else stop
    num_iter = integer(num_iter, "num_iter", low=1, high=10**6)
    if not isinstance(accelerate, bool):
        raise TypeError(f"accelerate must be True or False, got {type(accelerate).__name__}")
    readout = real(readout, "readout", low=0.0)
    gain = None if gain is None else real(gain, "gain", above=0.0)
    damping = real(damping, "damping", low=0.0)
    weight = _weight(reg, weight)
    stop = _stopping(stop)
    if callback is not None and not callable(callback):
        raise TypeError(f"callback must be callable or None, got {type(callback).__name__}")

    xp = array_namespace(values)
    unit = _unit(values)
    channels, join = split_channels(values if unit == 1.0 else values / unit, channel_axis)
    kernel = as_psf(psf, channels, ndim=channels.ndim - 1)
    whole = mask is None and not bool(xp.any(xp.isnan(values)))
    weights = None if whole else as_weights(mask, values, channel_axis)
    level = _background(background, values, channel_axis) / unit
    gains = residual = None
    if gain is not None:
        gains = xp.full((channels.shape[0],), gain / unit, dtype=values.dtype, device=device(values))
    elif readout > 0 or damping > 0 or stop == "discrepancy" or (reg is not None and weight is None):
        gains = measured_gain(channels, weights, readout / unit)
        if stop == "discrepancy" and readout == 0:
            residual = noise_residual(channels, weights, gains)
    data = PoissonData(channels, weights, level, readout / unit, gains, damping, residual)
    if gain is not None and not bool(xp.any(data.peak >= gains)):
        brightest = float(xp.max(data.peak)) * unit
        raise ValueError(
            f"gain is {gain:g}, but no pixel of image is brighter than {brightest:g}: give the brightness of one "
            "photon in the units of image, in which integers count as parts of their range"
        )
    scene = _Scene(data, kernel, reg, weight, passes=2 * num_iter)

    def to_result(estimate: Any) -> Result:
        return join(estimate if unit == 1.0 else estimate * unit)

    return to_result(_iterate(scene, num_iter, accelerate, stop, callback, to_result))


def _unit(image: Any) -> float:
    """1 for most images; where their squares would leave the range of float32, their magnitude."""
    xp = array_namespace(image)
    # The sum reveals NaN without a copy of the image.
    whole = image if math.isfinite(float(xp.sum(image))) else xp.where(xp.isnan(image), 0.0, image)
    brightest = max(float(xp.max(whole)), -float(xp.min(whole)))
    if brightest == 0 or 1e-8 < brightest < 1e8:
        return 1.0
    # A power of two changes no digit.
    return 2.0 ** math.floor(math.log2(brightest))


def _weight(reg: Any, weight: Any) -> float | None:
    if not (reg is None or isinstance(reg, str)):
        raise TypeError(f'reg must be "tv", "tikhonov" or None, got {type(reg).__name__}')
    if reg not in (None, "tv", "tikhonov"):
        raise ValueError(f'reg must be "tv", "tikhonov" or None, got {reg!r}')
    if weight is None:
        return None
    if reg is None:
        raise ValueError("weight is the strength of reg, which is not given")
    return real(weight, "weight", above=0.0)


def _stopping(stop: Any) -> Literal["discrepancy"] | float | None:
    if stop is None:
        return None
    if isinstance(stop, str) and stop == "discrepancy":
        return "discrepancy"
    if isinstance(stop, str):
        raise ValueError(f'stop must be "discrepancy", a number or None, got {stop!r}')
    return real(stop, "stop", above=0.0)


def _background(background: Any, image: Any, channel_axis: int | tuple[int, ...] | None) -> Any:
    """A number unchanged, an array with its channels first."""
    if not isinstance(background, list | tuple) and getattr(background, "shape", ()) == ():
        return real(background, "background", low=0.0)
    if "int" in str(getattr(background, "dtype", "")):
        raise TypeError(
            "background must hold floats, in the units of image, in which integers count as parts of their range; "
            f"got {background.dtype}"
        )
    return per_pixel(background, "background", image, channel_axis)


class _Scene:
    """The scene on a grid that extends beyond the frame, channels first, and its next estimate.

    The frame lies at the origin: light that wraps round from either side lands beyond it.
    """

    def __init__(self, data: PoissonData, psf: Any, reg: str | None, weight: float | None, passes: int) -> None:
        xp = array_namespace(psf)
        self.xp, self.data = xp, data
        count, *frame = data.shape
        self.frame = tuple(slice(0, n) for n in frame)
        grid = fast_shape(n + k - 1 for n, k in zip(frame, psf.shape, strict=True))
        self.grid = grid
        # The sensitivity A^T w of the frame to each pixel of the scene. Without weights it is 1 except near the border,
        # so it is computed for a frame just long enough to have one pixel between the borders, and stored folded.
        short = [n if data.weights is not None else min(n, 2 * k - 1) for n, k in zip(frame, psf.shape, strict=True)]
        skips = [n - s for n, s in zip(frame, short, strict=True)]
        folded = (count, *(g - s for g, s in zip(grid, skips, strict=True)))
        inside = (slice(None), *(slice(0, s) for s in short))
        transfer = Transfer(psf, folded[1:])
        weights = xp.zeros(folded, dtype=psf.dtype, device=device(psf))
        weights[inside] = 1.0 if data.weights is None else data.weights
        sensitivity = transfer.adjoint(weights)
        # The same with all measured pixels at full weight: the fraction of the light that is measured.
        visible = sensitivity if data.weights is None else transfer.adjoint(xp.astype(weights > 0, psf.dtype))
        self.sensitivity = xp.where(visible > _MIN_VISIBLE, sensitivity, 0.0)
        self.fold = ([k - 1 for k in psf.shape], skips)
        # Start flat, and at 0 where the scene stays 0, because pixels there must not count in the length of a step.
        # With a penalty, a pixel outside the field of view follows its neighbours.
        alive = self.sensitivity > 0 if reg is None else self.sensitivity >= 0
        self.start = self.unfolded(xp.where(alive, data.mean_scene(), 0.0))
        self.workspace = workspace(psf, grid, count, passes)
        self.penalty: _Penalty | None = None if reg is None else _Penalty(self, reg, weight)

    def unfolded(self, values: Any) -> Result:
        """`values`, folded like the sensitivity, at each pixel of the grid."""
        xp = self.xp
        for axis, (edge, skip) in enumerate(zip(*self.fold, strict=True), start=1):
            if skip:
                indices = [max(min(i, edge), i - skip) for i in range(values.shape[axis] + skip)]
                values = xp.take(values, xp.asarray(indices, dtype=xp.int64, device=device(values)), axis=axis)
        return values

    def expect(self, x: Any) -> Result:
        """The blurred `x`, in the memory of the workspace."""
        return self.workspace.blur(x)

    def update(self, x: Any, blurred: Any) -> None:
        """Replace `x` by the next estimate, given `blurred`, the blurred `x`."""
        self.data.ratio(blurred, self.grid)
        correction = self.workspace.correlate(blurred)
        if self.penalty is not None:
            self.penalty.update(x, correction)
            return
        edges, skips = self.fold
        ones = [1] * (3 - len(self.grid))
        none = [0] * len(ones)
        sizes = (*ones, *self.grid, correction.shape[-1], *none, *edges, *none, *skips)
        rl_update(x, correction, self.sensitivity, 0.0, *sizes)

    def sample(self, x: Any) -> Result:
        """A copy of some pixels of `x`, the same ones each time, in units of the brightest pixel of the image."""
        xp, count = self.xp, x.shape[0]
        # A stride without a common factor with the row length, so that all columns are sampled.
        stride = math.prod(self.grid) // _SAMPLE + 1
        while math.gcd(stride, self.grid[-1]) > 1:
            stride += 1
        return xp.reshape(x, (count, -1))[:, ::stride] / xp.reshape(self.data.peak, (count, 1))

    def cut(self, x: Any) -> Result:
        """A copy of the estimate inside the frame."""
        return self.xp.asarray(x[(slice(None), *self.frame)], copy=True)


class _Penalty:
    r"""A penalty :math:`\tfrac{p}{2} \sum \omega_{ij} (x_i - x_j)^2` on neighbours, and the penalised update.

    By De Pierro's bound, :math:`(x_i - x_j)^2 \le \tfrac12 (2 x_i - m_{ij})^2 + \tfrac12 (2 x_j - m_{ij})^2` where
    :math:`m_{ij}` is the sum at the last estimate, each pixel is the root of a quadratic equation, and no iteration
    worsens the objective, however strong the penalty. Total variation takes its weights from the last estimate.
    """

    def __init__(self, scene: _Scene, reg: str, weight: float | None) -> None:
        xp, data = scene.xp, scene.data
        # A channel may be flat.
        contrast = xp.maximum(data.contrast(), 1e-6 * data.peak)
        strength = data.gain / (_GRADIENT_SCALE * contrast) if weight is None else weight + xp.zeros_like(contrast)
        self.directions = int(reg == "tv")
        self.strength = strength if reg == "tv" else strength / contrast
        self.smooth = _TV_SMOOTHING * contrast
        self.grid = (1,) * (3 - len(scene.grid)) + scene.grid
        self.sensitivity = scene.unfolded(scene.sensitivity)
        self.divergence, self.stiffness = xp.empty_like(scene.start), xp.empty_like(scene.start)

    def update(self, x: Any, correction: Any) -> None:
        """Replace `x` by the next estimate."""
        rl_roughness(x, self.smooth, self.directions, *self.grid, self.divergence, self.stiffness)
        rl_penalised(
            x,
            correction,
            self.sensitivity,
            self.divergence,
            self.stiffness,
            self.strength,
            self.grid[-1],
            correction.shape[-1],
            x.shape[0],
        )


def _iterate(
    scene: _Scene,
    num_iter: int,
    accelerate: bool,
    stop: str | float | None,
    callback: Callable[[int, Any], object] | None,
    to_result: Callable[[Any], Any],
) -> Result:
    """The estimate after `num_iter` iterations, or when every channel has met `stop`, cut to the frame."""
    x = scene.start
    count = x.shape[0]
    momentum = _Momentum(scene, x) if accelerate else None
    # Estimates of the channels that stopped before the others.
    done: dict[int, Any] = {}

    def current(x: Any) -> Any:
        estimate = scene.cut(x)
        for channel, kept in done.items():
            estimate[channel, ...] = kept
        return estimate

    def retire(x: Any, met: Any) -> bool:
        new = [c for c in range(count) if bool(met[c]) and c not in done]
        if new:
            estimate = scene.cut(x)
            done.update({c: estimate[c, ...] for c in new})
        return len(done) == int(count)

    for iteration in range(1, num_iter + 1):
        previous = scene.xp.asarray(x, copy=True) if isinstance(stop, float) else None
        if momentum is not None:
            x = momentum.ahead(x)
        expected = scene.expect(x)
        complete = stop == "discrepancy" and retire(x, scene.data.discrepancy(expected) <= 1)
        if not complete:
            scene.update(x, expected)
            if momentum is not None:
                momentum.learn(x)
            if previous is not None and isinstance(stop, float):
                complete = retire(x, _squared(x - previous) <= stop**2 * _squared(x))
        if callback is not None:
            callback(iteration, to_result(current(x)))
        if complete:
            break
    # Free the scratch memory of the iterations before the result is allocated.
    del scene.workspace, momentum, expected
    return current(x)


def _squared(values: Any) -> Result:
    """Sum of squares of each channel."""
    xp = array_namespace(values)
    flat = xp.reshape(values, (values.shape[0], -1))
    return xp.vecdot(flat, flat)


class _Momentum:
    """Starting point of an iteration: extrapolated along the last change, by as much as the last two steps agree.

    After Biggs and Andrews. Only scalar products of the steps are needed, and a sample of their pixels serves.
    """

    def __init__(self, scene: _Scene, x: Any) -> None:
        xp = scene.xp
        self.scene = scene
        self.last = xp.asarray(x, copy=True)
        self.reach = xp.zeros_like(scene.data.peak)
        self.step: Any = None
        self.before: Any = None

    def ahead(self, x: Any) -> Result:
        """The extrapolated point, in its own memory; `x` is kept as the last estimate."""
        rl_extrapolate(x, self.last, self.reach, x.shape[0])
        x, self.last = self.last, x
        self.before = self.scene.sample(x)
        return x

    def learn(self, x: Any) -> None:
        """Adapt to `x`, the estimate that the iteration computed from the extrapolated point."""
        xp = self.scene.xp
        step = self.scene.sample(x) - self.before
        if self.step is not None:
            tiny = float(xp.finfo(x.dtype).eps) ** 2
            self.reach = xp.clip(xp.vecdot(step, self.step) / (_squared(self.step) + tiny), 0.0, 1.0)
        self.step = step
