"""Array library, device and float type of a call: the only file that names an array library.

Public functions pass arrays through here once (`as_image`, `as_psf`, `accepts_torch`); the rest is array-API code.
"""

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import fields, is_dataclass, replace
from numbers import Integral
from typing import Any, Literal, ParamSpec, Protocol, TypeAlias, TypeVar, cast

import array_api_compat
import numpy as np
from array_api_compat import device

__all__ = [
    "HOST",
    "Array",
    "Result",
    "array_namespace",
    "as_image",
    "as_psf",
    "as_weights",
    "channel_axes",
    "contiguous",
    "device",
    "library",
    "like",
    "mean_plane",
    "per_pixel",
    "split_channels",
    "to_numpy",
    "accepts_torch",
    "unit_sum",
]


class Array(Protocol):
    """An array of any supported library: NumPy, CuPy, PyTorch, or another that follows the array API standard."""

    @property
    def shape(self) -> Any: ...
    @property
    def ndim(self) -> Any: ...
    @property
    def dtype(self) -> Any: ...
    def __getitem__(self, key: Any, /) -> Any: ...


# A returned array: of the same library and device as the arrays passed in, which no annotation can express.
Result: TypeAlias = Any

_P = ParamSpec("_P")
_R = TypeVar("_R")

# Metadata of a dataclass field that stays a NumPy array, or a number, whatever the library of the images.
HOST = {"host": True}


def library(x: Any) -> str:
    """Name of the array library of `x`: ``"numpy"``, ``"cupy"``, ``"torch"`` or ``"array_api_strict"``."""
    if type(x) is np.ndarray:
        # A fast path: on a small grid, the general query takes as long as the transform or kernel that follows.
        return "numpy"
    return str(array_namespace(x).__name__).removeprefix("array_api_compat.").split(".")[0]


def array_namespace(*arrays: Any) -> Any:
    """Array-API namespace shared by `arrays`; None is ignored.

    Raises
    ------
    TypeError
        If the arrays belong to different libraries.
    """
    given = [a for a in arrays if a is not None]
    try:
        return array_api_compat.array_namespace(*given)
    except TypeError:
        kinds = ", ".join(sorted({type(a).__module__.split(".")[0] for a in given}))
        raise TypeError(f"all arrays of one call must come from one library, got a mix of: {kinds}") from None


def like(host: Any, reference: Any) -> Result:
    """The NumPy array `host` converted to the library, device and dtype of `reference`."""
    xp = array_namespace(reference)
    if library(reference) == "numpy":
        return np.asarray(host, dtype=reference.dtype)
    return xp.asarray(host, dtype=reference.dtype, device=device(reference))


def mean_plane(planes: Sequence[Any]) -> Result:
    """The mean of some planes of one shape, without a stack of them in memory."""
    total = sum(planes[1:], planes[0] + 0.0)
    total /= len(planes)
    return total


def contiguous(x: Any) -> Result:
    """`x` itself if it is C-contiguous, as kernels need it, else a copy that is."""
    flags = getattr(x, "flags", None)
    if flags is not None and flags.c_contiguous:
        return x
    out = array_namespace(x).empty(x.shape, dtype=x.dtype, device=device(x))
    out[...] = x
    return out


def to_numpy(x: Any) -> Any:
    """`x` as a NumPy array on the host; no copy if it is one."""
    if isinstance(x, np.ndarray):
        return x
    if array_api_compat.is_cupy_array(x):
        return x.get()
    xp = array_namespace(x)
    if library(x) == "array_api_strict":
        x = xp.asarray(x, device=xp.Device("CPU_DEVICE"))
    return np.asarray(x)


def as_array(value: Any, name: str) -> Result:
    """`value` as an array of a known library; raises with one clear sentence if that fails."""
    if isinstance(value, (str, bytes)) or value is None:
        raise TypeError(f"{name} must be an array of numbers, got {type(value).__name__}")
    if not array_api_compat.is_array_api_obj(value):
        try:
            value = np.asarray(value)
        except (ValueError, TypeError):
            raise TypeError(f"{name} must be an array of numbers, got {type(value).__name__}") from None
    if isinstance(value, np.ma.MaskedArray):
        raise TypeError(
            f"{name} is a masked array, whose mask would be lost: fill it, with NaN where nothing was measured"
        )
    if isinstance(value, np.ndarray):
        if value.dtype.kind not in "biuf":
            raise TypeError(f"{name} must hold real numbers, got dtype {value.dtype}")
        # FITS and some TIFF files are big-endian, which comparisons with float64 and kernels treat as another type.
        value = value.astype(value.dtype.newbyteorder("="), copy=False)
    xp = array_namespace(value)
    if not xp.isdtype(value.dtype, ("bool", "integral", "real floating")):
        raise TypeError(f"{name} must hold real numbers, got dtype {value.dtype}")
    if math.prod(value.shape) == 0:
        raise ValueError(f"{name} must not be empty, got shape {tuple(value.shape)}")
    return value


def _float(xp: Any, x: Any) -> Result:
    return x if x.dtype == xp.float64 else xp.astype(x, xp.float32, copy=False)


def as_image(
    image: Any,
    name: str = "image",
    *,
    ndim: tuple[int, ...] = (2,),
    channel_axis: int | tuple[int, ...] | None = None,
    nan: Literal["refuse", "mask"] = "refuse",
    batch: bool = False,
) -> Result:
    """`image` as a float array: the check and the dtype rule of every public function.

    float64 stays; float32, float16 and bool become float32; 8 and 16-bit integers become float32
    with the type's largest value at 1, as in scikit-image.

    Parameters
    ----------
    image : array
        Argument of the public function.
    name : str
        Its name there, for the error message.
    ndim : tuple of int
        Numbers of spatial axes allowed (without `channel_axis`).
    channel_axis : int or None
        Axis of colours, which is not spatial.
    nan : {"refuse", "mask"}
        Whether some pixels may be NaN, meaning "not measured".
    batch : bool
        Whether `channel_axis` may be a tuple of several axes that are not spatial.

    Raises
    ------
    TypeError
        If it is not an array of real numbers, or is an integer array of more than 16 bits.
    ValueError
        If it is empty, has the wrong number of axes, holds infinity, NaN where not allowed, or only NaN.
    """
    image = as_array(image, name)
    xp = array_namespace(image)
    apart = channel_axes(image, channel_axis, name, batch=batch)
    spatial = image.ndim - len(apart)
    if spatial not in ndim:
        wanted = " or ".join(str(n) for n in ndim)
        hint = "; name its colour axis with channel_axis" if channel_axis is None and spatial - 1 in ndim else ""
        besides = "" if channel_axis is None else " besides channel_axis"
        raise ValueError(f"{name} must have {wanted} axes{besides}, got shape {tuple(image.shape)}{hint}")
    if xp.isdtype(image.dtype, "integral"):
        info = xp.iinfo(image.dtype)
        if info.bits > 16:
            raise TypeError(
                f"{name} has dtype {image.dtype}, whose range says nothing about brightness; "
                "give uint8, uint16 or a float"
            )
        image = xp.astype(image, xp.float32)
        image /= float(info.max)
        return image
    image = _float(xp, image)
    if not bool(xp.all(xp.isfinite(image))):
        if bool(xp.any(xp.isinf(image))):
            raise ValueError(f"{name} must be finite, got infinity")
        missing = int(xp.sum(xp.astype(xp.isnan(image), xp.int64)))
        if missing == math.prod(image.shape):
            raise ValueError(f"{name} holds nothing but NaN")
        if nan == "refuse":
            raise ValueError(f"{name} has {missing} NaN pixels, which this function cannot leave out; fill them first")
    return image


def channel_axes(
    image: Any, channel_axis: int | tuple[int, ...] | None, name: str = "image", *, batch: bool = False
) -> tuple[int, ...]:
    """The axes of `image` that are not spatial, ascending; raises if `channel_axis` is not valid."""
    if channel_axis is None:
        return ()
    axes: tuple[Any, ...] = channel_axis if batch and isinstance(channel_axis, tuple) else (channel_axis,)
    wanted = "an integer, a tuple of integers or None" if batch else "an integer or None"
    if not axes or any(isinstance(a, bool) or not isinstance(a, Integral) for a in axes):
        raise TypeError(f"channel_axis must be {wanted}, got {channel_axis!r}")
    if any(not -image.ndim <= a < image.ndim for a in axes):
        raise ValueError(f"channel_axis is {channel_axis}, but {name} has shape {tuple(image.shape)}")
    axes = tuple(sorted(int(a) % image.ndim for a in axes))
    if len(set(axes)) < len(axes):
        raise ValueError(f"channel_axis names an axis twice: {channel_axis}")
    return axes


def split_channels(image: Any, channel_axis: int | tuple[int, ...] | None) -> tuple[Result, Callable[[Any], Result]]:
    """`image` with its channels along one leading axis, and the inverse of that rearrangement.

    Parameters
    ----------
    image : array
        As `as_image` returns it.
    channel_axis : int, tuple of int or None
        Axes that are not spatial: colours, a batch. None adds a leading axis.

    Returns
    -------
    channels : array, shape (C, ...)
        A view where the library can make one.
    join : callable
        From an array of that shape to one of the layout of `image`.
    """
    xp = array_namespace(image)
    axes = channel_axes(image, channel_axis, batch=True)
    order = (*axes, *(a for a in range(image.ndim) if a not in axes))
    moved = xp.permute_dims(image, order)
    apart, spatial = moved.shape[: len(axes)], moved.shape[len(axes) :]
    back = tuple(order.index(a) for a in range(image.ndim))

    def join(channels: Any) -> Result:
        return xp.permute_dims(xp.reshape(channels, (*apart, *channels.shape[1:])), back)

    return xp.reshape(moved, (-1, *spatial)), join


def as_psf(psf: Any, image: Any, name: str = "psf", *, ndim: int | None = None, signed: bool = False) -> Result:
    """`psf` as a float array of the image's dtype, its sum 1, without margins of zeros.

    Integers are weights, not brightness, and are not scaled by their range. A PSF as large as the image but mostly
    zero is cropped about its centre, because the padding, and so the cost, grows with its size.

    Parameters
    ----------
    psf, image : array
        The PSF that the public function was given; the image as `as_image` returns it.
    name : str
        Name of the PSF there, for the error message.
    ndim : int, optional
        Number of axes, the last ones of the image; all by default.
    signed : bool
        Whether negative weights are allowed, as linear methods do.

    Raises
    ------
    TypeError
        If it is not an array of real numbers, or is from another library than `image`.
    ValueError
        If it is empty, has the wrong number of axes, is larger than the image, is not finite, has
        negative entries (unless `signed`) or sums to zero.
    """
    psf = as_array(psf, name)
    xp = array_namespace(image, psf)
    ndim = image.ndim if ndim is None else ndim
    if psf.ndim != ndim:
        raise ValueError(f"{name} must have {ndim} axes as the image has, got shape {tuple(psf.shape)}")
    spatial = tuple(image.shape)[-ndim:]
    if any(p > n for p, n in zip(psf.shape, spatial, strict=True)):
        raise ValueError(f"{name} of shape {tuple(psf.shape)} is larger than the image of shape {spatial}")
    return trim_psf(xp.astype(unit_sum(_float(xp, psf), name, signed=signed), image.dtype))


def trim_psf(psf: Any) -> Result:
    """`psf` without margins of zeros, its centre still at index ``n // 2`` of each axis."""
    xp = array_namespace(psf)
    for axis, n in enumerate(psf.shape):
        psf = xp.moveaxis(psf, axis, 0)
        filled: Any = xp.nonzero(xp.any(xp.reshape(psf, (n, -1)) != 0, axis=1))[0]
        if filled.shape[0] == 0:
            filled = [n // 2]
        before, after = n // 2 - int(filled[0]), int(filled[-1]) - n // 2
        length = 2 * before if before > after else 2 * after + 1
        start = n // 2 - length // 2
        psf = xp.moveaxis(psf[start : start + length, ...], 0, axis)
    return psf


def unit_sum(psf: Any, name: str = "psf", *, signed: bool = False) -> Result:
    """A floating-point `psf` divided by its sum.

    Raises
    ------
    ValueError
        If it is not finite, has negative entries (unless `signed`) or sums to zero.
    """
    xp = array_namespace(psf)
    if not bool(xp.all(xp.isfinite(psf))):
        raise ValueError(f"{name} must be finite, got NaN or infinity")
    if not signed and bool(xp.any(psf < 0)):
        raise ValueError(f"{name} must not be negative, got a minimum of {float(xp.min(psf)):.3g}")
    # Divide by the peak first, so that the sum of very large or very small weights stays in the range of the float.
    peak = float(xp.max(xp.abs(psf)))
    if not peak > 0:
        raise ValueError(f"{name} must have a positive sum, got zeros everywhere")
    psf = psf / peak
    total = float(xp.sum(psf))
    if not total > 0:
        raise ValueError(f"{name} must have a positive sum, got {total * peak:.3g}")
    return psf / total


def as_weights(mask: Any, image: Any, channel_axis: int | tuple[int, ...] | None = None) -> Result:
    """Weight of each pixel's data, channels first, with a maximum of 1 in each; zero where the image is NaN.

    Parameters
    ----------
    mask : array or None
        Weights of the image's shape or of its spatial shape; None for 1 everywhere.
    image : array
        The image, as `as_image` returns it.
    channel_axis : int, tuple of int or None
        Axes that are not spatial.

    Raises
    ------
    TypeError, ValueError
        If it is not an array of finite weights, has another shape or library, or excludes every measured pixel.
    """
    xp = array_namespace(image)
    weight = split_channels(xp.astype(~xp.isnan(image), image.dtype), channel_axis)[0]
    if mask is not None:
        weight = weight * per_pixel(mask, "mask", image, channel_axis)
        most = xp.max(weight, axis=tuple(range(1, weight.ndim)), keepdims=True)
        if not bool(xp.any(most > 0)):
            raise ValueError("mask leaves out every pixel that was measured")
        weight = weight / xp.where(most > 0, most, xp.ones_like(most))
    return weight


def per_pixel(values: Any, name: str, image: Any, channel_axis: int | tuple[int, ...] | None = None) -> Result:
    """`values` of the image's shape or its spatial shape, channels first (one if spatial), in the image's dtype.

    Raises
    ------
    TypeError, ValueError
        If it is not an array of finite, non-negative values, or has another shape or library.
    """
    values = as_array(values, name)
    xp = array_namespace(image, values)
    axes = channel_axes(image, channel_axis, batch=True)
    spatial = tuple(n for a, n in enumerate(image.shape) if a not in axes)
    if tuple(values.shape) not in (spatial, tuple(image.shape)):
        raise ValueError(f"{name} has shape {tuple(values.shape)}, but image has shape {tuple(image.shape)}")
    values = xp.astype(values, image.dtype)
    if not bool(xp.all(xp.isfinite(values) & (values >= 0))):
        raise ValueError(f"{name} must hold finite values that are not negative")
    if values.ndim < image.ndim:
        return xp.expand_dims(values, axis=0)
    return split_channels(values, channel_axis)[0]


def accepts_torch(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Let `function` take and return PyTorch tensors, or lists of them.

    Zero-copy through DLPack, here and nowhere else. CPU tensors are computed on as NumPy arrays, CUDA tensors as CuPy
    arrays. The result (an array, or a dataclass, tuple or list of arrays) comes back as tensors of the same device.
    """

    @functools.wraps(function)
    def wrapper(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        if not any(_holds_torch(a) for a in (*args, *kwargs.values())):
            return function(*args, **kwargs)
        inputs: Any = [_from_torch(a) for a in args]
        options: Any = {k: _from_torch(a) for k, a in kwargs.items()}
        return cast(_R, _to_torch(function(*inputs, **options)))

    return wrapper


def _holds_torch(x: Any) -> bool:
    several = x if isinstance(x, list | tuple) else (x,)
    return any(array_api_compat.is_torch_array(v) for v in several)


def _from_torch(x: Any) -> Any:
    if isinstance(x, list | tuple) and _holds_torch(x):
        return [_from_torch(v) for v in x]
    if not array_api_compat.is_torch_array(x):
        return x
    if x.device.type not in ("cpu", "cuda"):
        raise TypeError(f"tensors must live on the CPU or a CUDA device, got {x.device}")
    x = x.detach()
    if str(x.dtype) == "torch.bfloat16":  # unknown to NumPy and CuPy
        x = x.float()
    if x.device.type == "cpu":
        return x.numpy(force=True)
    try:
        import cupy
    except ImportError:
        raise ImportError("tensors on a CUDA device are computed on by CuPy: pip install deconv[cuda13]") from None
    return cupy.from_dlpack(x)


def _to_torch(x: Any) -> Any:
    import torch

    if isinstance(x, np.ndarray):
        # A tensor can neither be read-only nor have negative strides.
        return torch.from_numpy(np.require(x, requirements=["C", "W"]))
    if array_api_compat.is_cupy_array(x):
        return torch.from_dlpack(x)
    if is_dataclass(x) and not isinstance(x, type):
        names = [f.name for f in fields(x) if f.init and f.metadata != HOST]
        return replace(x, **{name: _to_torch(getattr(x, name)) for name in names})
    if isinstance(x, list):
        return [_to_torch(v) for v in x]
    if isinstance(x, tuple):
        moved = [_to_torch(v) for v in x]
        return type(x)(*moved) if hasattr(x, "_fields") else tuple(moved)
    return x
