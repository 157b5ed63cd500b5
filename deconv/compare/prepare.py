"""Conversion of an image to a network's input, and of its output back to an image, as declared in a TOML file.

A network expects the form of its training images: an order of colours, a range, a size, planes besides the colours.
Converting to that form and back lets networks of any origin be called alike.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from deconv._core.check import integer, real
from deconv._core.grey import grey
from deconv._core.resample import enlarge, reduce
from deconv.compare.protocol import Context, Problem
from deconv.compare.tiles import WINDOWS, Tiling

__all__ = ["Prepare"]

# Called with a batch, and with the level if the network takes one as an input.
Network: TypeAlias = Callable[..., np.ndarray]


@dataclass(frozen=True)
class Prepare:
    """Conversion from an image to a network's input and back. Build it with `Prepare.from_table`.

    Attributes
    ----------
    layout : {"NCHW", "NHWC"}
        Order of the axes of the network's input and output.
    channels : {"grey", "rgb", "bgr"}
        Colours of the network. A grey network restores the colours of an image one by one; a colour network gets a
        grey image as three equal colours, and the result is the mean of its three.
    gain : float
        With `offset`, the values of the network's input: ``gain * value + offset`` for values from 0 to 1.
    offset : tuple of float
        One for each colour, in the network's order.
    residual : bool
        Whether the network's output is to be added to its input.
    size : (int, int) or None
        Rows and columns to which every image is resized; the result is resized back.
    shrink : float
        Factor by which the image is reduced before the network; the result is enlarged again.
    extra : tuple of str
        Planes after the colours, computed from the grey image: "mask", 1 where it is not brighter than its mean, and
        "median:5", its median over 5 x 5 pixels, in the network's range.
    level : {"", "input", "channel"}
        How the network gets the level of blur: not at all, as a second input of shape (1, 1), or as a last plane.
    tiling : Tiling
        How the image is cut into tiles, and how many times larger the result is.
    """

    layout: str = "NCHW"
    channels: str = "rgb"
    gain: float = 1.0
    offset: tuple[float, ...] = (0.0,)
    residual: bool = False
    size: tuple[int, int] | None = None
    shrink: float = 1.0
    extra: tuple[str, ...] = ()
    level: str = ""
    tiling: Tiling = field(default_factory=Tiling)

    @classmethod
    def from_table(cls, table: Mapping[str, Any]) -> "Prepare":
        """Build it from a TOML table.

        Parameters
        ----------
        table : dict
            `layout`, `channels`, `residual`, `size`, `shrink`, `extra` and `level` as the attributes;
            `tile`, `border`, `overlap`, `window`, `pad` and `multiple_of` as those of `Tiling`, and `output_scale` for
            its scale; and the values of the network's input, either as `range`, the values of black and white, or by
            `white` (1 or 255), `mean` (one number, or one for each colour) and `scale`:
            ``(white * value - mean) * scale``. A single number sets both rows and columns.

        Raises
        ------
        Problem
            If a key or a value is unknown.
        """
        try:
            return cls(**_fields(table))
        except (TypeError, ValueError) as error:
            raise Problem(str(error)) from None

    def apply(self, network: Network, image: np.ndarray, context: Context) -> np.ndarray:
        """Restore an image.

        Parameters
        ----------
        network : callable
            ``network(batch)``, or ``network(batch, level)`` if `level` is "input"; float32 arrays, in and out.
        image : ndarray, shape (M, N) or (M, N, 3)
            From 0 to 1.
        context : Context
            Gives the level.

        Returns
        -------
        ndarray, shape (s M, s N) or (s M, s N, 3)
            From 0 to 1.

        Raises
        ------
        Problem
            If the network needs the level and it is unknown, or the network returns a wrong shape.
        """
        if self.level and context.level is None:
            raise Problem("the network needs the level of blur, which is unknown for this picture")
        image = np.asarray(image, np.float32)
        if image.ndim == 2:
            grey_picture: np.ndarray = self._restore(network, image[None], context.level).mean(axis=0)
            return grey_picture
        planes = np.moveaxis(image, -1, 0)
        groups = planes[:, None] if self.channels == "grey" else planes[None]
        return np.moveaxis(np.concatenate([self._restore(network, g, context.level) for g in groups]), 0, -1)

    def _restore(self, network: Network, planes: np.ndarray, level: float | None) -> np.ndarray:
        """Restore planes (C, M, N) by one call; a colour network always returns three."""
        shape = tuple(self.tiling.scale * n for n in planes.shape[1:])
        small = resized(planes, self.size or tuple(max(1, round(n / self.shrink)) for n in planes.shape[1:]))
        luma = small[0] if len(small) == 1 else grey(small, channel_axis=0)
        colours = small if self.channels == "grey" else np.broadcast_to(small, (3, *luma.shape))
        offset = np.asarray(self.offset, np.float32).reshape(-1, 1, 1)
        order = -1 if self.channels == "bgr" else 1
        stack = [self.gain * colours[::order] + offset]
        stack += [self._extra(name, luma)[None] for name in self.extra]
        if self.level == "channel":
            stack.append(np.full((1, *luma.shape), level))
        call = partial(self._call, network, len(colours), level)
        result = self.tiling.run(call, np.concatenate(stack).astype(np.float32))
        restored: np.ndarray = np.clip(resized(((result - offset) / self.gain)[::order], shape), 0, 1)
        return restored

    def _extra(self, name: str, luma: np.ndarray) -> np.ndarray:
        if name == "mask":
            mask: np.ndarray = luma <= luma.mean()
            return mask
        from scipy.ndimage import median_filter

        median: np.ndarray = median_filter(luma, size=int(name.removeprefix("median:")), mode="nearest")
        return self.gain * median + float(np.mean(self.offset))

    def _call(self, network: Network, count: int, level: float | None, planes: np.ndarray) -> np.ndarray:
        """The first `count` planes (K, h, w) of the network's output for planes (C, h, w)."""
        batch = planes[None] if self.layout == "NCHW" else np.moveaxis(planes, 0, -1)[None]
        levels = (np.full((1, 1), level, np.float32),) if self.level == "input" else ()
        answer = np.asarray(network(np.ascontiguousarray(batch), *levels), np.float32)
        if answer.ndim != 4 or answer.shape[0] != 1:
            raise Problem(f"the network returned shape {answer.shape}, a batch of one picture is wanted")
        answer = answer[0] if self.layout == "NCHW" else np.moveaxis(answer[0], -1, 0)
        if answer.shape[0] < count:
            raise Problem(f"the network returned {answer.shape[0]} channels, {count} are wanted ({self.layout})")
        # Networks may return extra planes too, which are of no use: TSRN returns its mask.
        answer = answer[:count]
        return answer + _crop_centre(planes[:count], answer.shape[1:]) if self.residual else answer


def resized(planes: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Planes (C, M, N) at another size: area means along a side that shrinks, cubic interpolation otherwise."""
    less = tuple(min(n, m) for n, m in zip(planes.shape[1:], shape, strict=True))
    if less != planes.shape[1:]:
        planes = np.stack([reduce(plane, less) for plane in planes])
    return planes if less == tuple(shape) else np.stack([enlarge(plane, shape) for plane in planes])


def _crop_centre(planes: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The central part of planes, of the given shape."""
    starts = [(n - m) // 2 for n, m in zip(planes.shape[1:], shape, strict=True)]
    return planes[(slice(None), *(slice(at, at + n) for at, n in zip(starts, shape, strict=True)))]


# ---- validation of the TOML table


def _fields(table: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of `Prepare` for a table; TypeError or ValueError of one sentence if it is wrong."""
    if unknown := sorted(set(table) - set(_CHECKS)):
        raise ValueError(f"prepare has no key {unknown[0]!r}, known are {', '.join(_CHECKS)}")
    values = {name: _CHECKS[name](value, f"prepare.{name}") for name, value in table.items()}
    gain, offset = _pop_coding(values)
    tiling = {name: values.pop(name) for name in tuple(values) if name in Tiling.__dataclass_fields__}
    if "output_scale" in values:
        tiling["scale"] = values.pop("output_scale")
    _check_tiling(tiling, values)
    return values | {"gain": gain, "offset": offset, "tiling": Tiling(**tiling)}


def _pop_coding(values: dict[str, Any]) -> tuple[float, tuple[float, ...]]:
    """Gain and offsets, from a range or from mean and scale, which are removed from the values."""
    count = 1 if values.get("channels") == "grey" else 3
    span = values.pop("range", None)
    means = {name: values.pop(name) for name in ("white", "mean", "scale") if name in values}
    if span is not None and means:
        raise ValueError(f"prepare.range and prepare.{min(means)} say the same thing in two ways, one is wanted")
    if span is not None:
        return span[1] - span[0], (span[0],) * count
    mean, scale = means.get("mean", (0.0,)), means.get("scale", 1.0)
    if len(mean) not in (1, count):
        raise ValueError(f"prepare.mean must have one number for each of {count} channels, got {len(mean)}")
    return means.get("white", 1.0) * scale, tuple(-m * scale for m in mean) * (count // len(mean))


def _check_tiling(tiling: dict[str, Any], values: dict[str, Any]) -> None:
    """Raise ValueError for keys that do not go together."""
    tile, overlap = tiling.get("tile"), tiling.get("overlap")
    if overlap and not tile:
        raise ValueError("prepare.overlap is that of tiles, and there is no prepare.tile")
    if overlap and tile and any(lap >= side for lap, side in zip(overlap, tile, strict=True)):
        raise ValueError(f"prepare.overlap must be less than prepare.tile, got {list(overlap)} and {list(tile)}")
    if tiling.get("window", "none") != "none" and not overlap:
        raise ValueError("prepare.window blends where tiles overlap, and there is no prepare.overlap")
    border, multiple = tiling.get("border", 0), tiling.get("multiple_of", 1)
    if tile and any((side + 2 * border) % multiple for side in tile):
        raise ValueError(f"prepare.tile with the border on both sides must be a multiple of {multiple}, got {tile}")
    if "size" in values and (tile or "shrink" in values):
        raise ValueError("prepare.size is that of the whole picture: it goes with neither tile nor shrink")
    if values.get("residual") and tiling.get("scale", 1) != 1:
        raise ValueError("prepare.residual adds to the input, which prepare.output_scale makes another size")


def _one_of(*known: object) -> Callable[[Any, str], Any]:
    def check(value: Any, name: str) -> Any:
        if value not in known:
            raise ValueError(f"{name} must be one of {', '.join(map(repr, known))}, got {value!r}")
        return value

    return check


def _boolean(value: Any, name: str) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be true or false, got {value!r}")
    return value


def _pair(value: Any, name: str, low: int = 1) -> tuple[int, ...]:
    """Rows and columns; one number sets both."""
    both = value if isinstance(value, list) else [value, value]
    if len(both) != 2:
        raise ValueError(f"{name} must be a number of pixels or two, [rows, columns], got {value!r}")
    return tuple(integer(n, name, low=low, high=2**16) for n in both)


def _range(value: Any, name: str) -> tuple[float, float]:
    if not isinstance(value, list) or len(value) != 2:
        raise TypeError(f"{name} must be two numbers, what black and white become, got {value!r}")
    black, white = (real(n, name) for n in value)
    if math.isclose(black, white):
        raise ValueError(f"{name} must be two different numbers, got {value!r}")
    return black, white


def _mean(value: Any, name: str) -> tuple[float, ...]:
    return tuple(real(n, name) for n in (value if isinstance(value, list) else [value]))


def _extra(value: Any, name: str) -> tuple[str, ...]:
    known = ("mask", "median:3", "median:5", "median:7", "median:9")
    if not isinstance(value, list):
        raise TypeError(f"{name} must be a list, of {', '.join(map(repr, known))}, got {value!r}")
    return tuple(_one_of(*known)(plane, name) for plane in value)


_CHECKS: dict[str, Callable[[Any, str], Any]] = {
    "layout": _one_of("NCHW", "NHWC"),
    "channels": _one_of("grey", "rgb", "bgr"),
    "range": _range,
    "white": _one_of(1, 255),
    "mean": _mean,
    "scale": partial(real, above=0.0),
    "residual": _boolean,
    "multiple_of": partial(integer, low=1, high=2**12),
    "size": _pair,
    "shrink": partial(real, low=1.0),
    "tile": _pair,
    "border": partial(integer, low=0, high=2**12),
    "overlap": partial(_pair, low=0),
    "window": _one_of(*WINDOWS),
    "pad": _one_of("edge", "reflect"),
    "extra": _extra,
    "level": _one_of("input", "channel"),
    "output_scale": partial(integer, low=1, high=16),
}
