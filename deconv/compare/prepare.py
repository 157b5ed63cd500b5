"""What is done to a picture before a network and to what comes back after it, as a TOML declares it.

A network was trained on pictures in some form: an order of colours, a range, a size, planes beside the colours. Here a
picture is brought into that form and the result back out of it, so that networks of any origin are called alike.
"""

import math
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from deconv._core.check import integer, real
from deconv._core.grey import grey
from deconv._core.resample import enlarge, reduce
from deconv.compare.protocol import Problem
from deconv.compare.tiles import WINDOWS, Tiling

__all__ = ["Prepare"]


@dataclass(frozen=True)
class Prepare:
    """From a picture to a network's input, and back from its output. Build it with `Prepare.of`.

    Attributes
    ----------
    layout : {"NCHW", "NHWC"}
        Order of the axes of what the network takes and returns.
    channels : {"grey", "rgb", "bgr"}
        Colours that the network takes. A grey network restores the colours of a picture one by one; a grey picture is
        given to a network of colours as three equal ones, and their mean comes back.
    gain : float
        With `offset`, the values that the network takes: ``gain * value + offset`` for values from 0 to 1.
    offset : tuple of float
        One for each colour, in the network's order.
    residual : bool
        Whether the network returns what is to be added to its input.
    size : (int, int) or None
        Rows and columns to which a picture of any size is brought; the result is brought back.
    shrink : float
        How many times smaller the network takes the picture; the result is enlarged again.
    extra : tuple of str
        Planes after the colours, made of the grey picture: "mask", 1 where it is not brighter than its mean, and
        "median:5", its median over 5 x 5 pixels, in the network's range.
    level : {"", "input", "channel"}
        How the network is told the level of blur: not at all, as a second input of shape (1, 1), or as a last plane.
    tiling : Tiling
        How the picture is cut up, and how many times larger the result is.
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
    def of(cls, table):
        """From a table of TOML.

        Parameters
        ----------
        table : dict
            `layout`, `channels`, `residual`, `size`, `shrink`, `extra` and `level` as the attributes are;
            `tile`, `border`, `overlap`, `window`, `pad` and `multiple_of` as those of `Tiling`, and `output_scale` for
            its scale; and the values that the network takes, either as `range`, what 0 and 1 become, or by `white` (1
            or 255), `mean` (one number, or one for each colour) and `scale`: ``(white * value - mean) * scale``. One
            number stands for rows and columns alike.

        Raises
        ------
        Problem
            If a key or a value is not one that is known.
        """
        try:
            return cls(**_fields(table))
        except (TypeError, ValueError) as error:
            raise Problem(str(error)) from None

    def apply(self, network, image, context):
        """A picture as the network restores it.

        Parameters
        ----------
        network : callable
            ``network(batch)``, or ``network(batch, level)`` where `level` is "input"; float32 arrays, in and out.
        image : ndarray, shape (M, N) or (M, N, 3)
            From 0 to 1.
        context : Context
            For the level.

        Returns
        -------
        ndarray, shape (s M, s N) or (s M, s N, 3)
            From 0 to 1.

        Raises
        ------
        Problem
            If the level is wanted and not known, or the network returns a wrong shape.
        """
        if self.level and context.level is None:
            raise Problem("the network needs the level of blur, and nobody knows it for this picture")
        image = np.asarray(image, np.float32)
        if image.ndim == 2:
            return self._restored(network, image[None], context.level).mean(axis=0)
        planes = np.moveaxis(image, -1, 0)
        groups = planes[:, None] if self.channels == "grey" else planes[None]
        return np.moveaxis(np.concatenate([self._restored(network, g, context.level) for g in groups]), 0, -1)

    def _restored(self, network, planes, level):
        """One call's planes (C, M, N) restored; (3, ...) of a network of colours, whatever they were."""
        wanted = tuple(self.tiling.scale * n for n in planes.shape[1:])
        small = resized(planes, self.size or tuple(max(1, round(n / self.shrink)) for n in planes.shape[1:]))
        shade = small[0] if len(small) == 1 else grey(small, channel_axis=0)
        colours = small if self.channels == "grey" else np.broadcast_to(small, (3, *shade.shape))
        offset = np.asarray(self.offset, np.float32).reshape(-1, 1, 1)
        order = -1 if self.channels == "bgr" else 1
        stack = [self.gain * colours[::order] + offset]
        stack += [self._extra(name, shade)[None] for name in self.extra]
        if self.level == "channel":
            stack.append(np.full((1, *shade.shape), level))
        call = partial(self._call, network, len(colours), level)
        result = self.tiling.run(call, np.concatenate(stack).astype(np.float32))
        return np.clip(resized(((result - offset) / self.gain)[::order], wanted), 0, 1)

    def _extra(self, name, shade):
        if name == "mask":
            return shade <= shade.mean()
        from scipy.ndimage import median_filter

        median = median_filter(shade, size=int(name.removeprefix("median:")), mode="nearest")
        return self.gain * median + float(np.mean(self.offset))

    def _call(self, network, count, level, planes):
        """The first `count` planes (K, h, w) that the network makes of planes (C, h, w)."""
        batch = planes[None] if self.layout == "NCHW" else np.moveaxis(planes, 0, -1)[None]
        told = (np.full((1, 1), level, np.float32),) if self.level == "input" else ()
        answer = np.asarray(network(np.ascontiguousarray(batch), *told), np.float32)
        if answer.ndim != 4 or answer.shape[0] != 1:
            raise Problem(f"the network returned shape {answer.shape}, a batch of one picture is wanted")
        answer = answer[0] if self.layout == "NCHW" else np.moveaxis(answer[0], -1, 0)
        if answer.shape[0] < count:
            raise Problem(f"the network returned {answer.shape[0]} channels, {count} are wanted ({self.layout})")
        # (What was given beside the colours may come back, and is of no use: TSRN returns its mask.)
        answer = answer[:count]
        return answer + _middle(planes[:count], answer.shape[1:]) if self.residual else answer


def resized(planes, shape):
    """Planes (C, M, N) at another size: means over areas along a side that shrinks, cubic interpolation else."""
    less = tuple(min(n, m) for n, m in zip(planes.shape[1:], shape, strict=True))
    if less != planes.shape[1:]:
        planes = np.stack([reduce(plane, less) for plane in planes])
    return planes if less == tuple(shape) else np.stack([enlarge(plane, shape) for plane in planes])


def _middle(planes, shape):
    """The middle of planes, of some shape."""
    starts = [(n - m) // 2 for n, m in zip(planes.shape[1:], shape, strict=True)]
    return planes[(slice(None), *(slice(at, at + n) for at, n in zip(starts, shape, strict=True)))]


# ---- what a TOML may say


def _fields(table):
    """The fields of `Prepare` for a table; TypeError and ValueError with one sentence."""
    if unknown := sorted(set(table) - set(_CHECKS)):
        raise ValueError(f"prepare has no key {unknown[0]!r}, known are {', '.join(_CHECKS)}")
    said = {name: _CHECKS[name](value, f"prepare.{name}") for name, value in table.items()}
    gain, offset = _coding(said)
    tiling = {name: said.pop(name) for name in tuple(said) if name in Tiling.__dataclass_fields__}
    if "output_scale" in said:
        tiling["scale"] = said.pop("output_scale")
    _check_tiling(tiling, said)
    return said | {"gain": gain, "offset": offset, "tiling": Tiling(**tiling)}


def _coding(said):
    """Gain and offsets, from a range or from mean and scale, which leave the table."""
    count = 1 if said.get("channels") == "grey" else 3
    span = said.pop("range", None)
    means = {name: said.pop(name) for name in ("white", "mean", "scale") if name in said}
    if span is not None and means:
        raise ValueError(f"prepare.range and prepare.{min(means)} say the same thing in two ways, one is wanted")
    if span is not None:
        return span[1] - span[0], (span[0],) * count
    mean, scale = means.get("mean", (0.0,)), means.get("scale", 1.0)
    if len(mean) not in (1, count):
        raise ValueError(f"prepare.mean must have one number for each of {count} channels, got {len(mean)}")
    return means.get("white", 1.0) * scale, tuple(-m * scale for m in mean) * (count // len(mean))


def _check_tiling(tiling, said):
    """Complaints about keys that do not go together."""
    tile, overlap = tiling.get("tile"), tiling.get("overlap")
    if overlap and not tile:
        raise ValueError("prepare.overlap is that of tiles, and there is no prepare.tile")
    if overlap and any(lap >= side for lap, side in zip(overlap, tile, strict=True)):
        raise ValueError(f"prepare.overlap must be less than prepare.tile, got {list(overlap)} and {list(tile)}")
    if tiling.get("window", "none") != "none" and not overlap:
        raise ValueError("prepare.window blends where tiles overlap, and there is no prepare.overlap")
    border, multiple = tiling.get("border", 0), tiling.get("multiple_of", 1)
    if tile and any((side + 2 * border) % multiple for side in tile):
        raise ValueError(f"prepare.tile with the border on both sides must be a multiple of {multiple}, got {tile}")
    if "size" in said and (tile or "shrink" in said):
        raise ValueError("prepare.size is that of the whole picture: it goes with neither tile nor shrink")
    if said.get("residual") and tiling.get("scale", 1) != 1:
        raise ValueError("prepare.residual adds to the input, which prepare.output_scale makes another size")


def _one_of(*known):
    def check(value, name):
        if value not in known:
            raise ValueError(f"{name} must be one of {', '.join(map(repr, known))}, got {value!r}")
        return value

    return check


def _truth(value, name):
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be true or false, got {value!r}")
    return value


def _pair(value, name, low=1):
    """Rows and columns; one number stands for both."""
    both = value if isinstance(value, list) else [value, value]
    if len(both) != 2:
        raise ValueError(f"{name} must be a number of pixels or two, [rows, columns], got {value!r}")
    return tuple(integer(n, name, low=low, high=2**16) for n in both)


def _range(value, name):
    if not isinstance(value, list) or len(value) != 2:
        raise TypeError(f"{name} must be two numbers, what black and white become, got {value!r}")
    black, white = (real(n, name) for n in value)
    if math.isclose(black, white):
        raise ValueError(f"{name} must be two different numbers, got {value!r}")
    return black, white


def _mean(value, name):
    return tuple(real(n, name) for n in (value if isinstance(value, list) else [value]))


def _extra(value, name):
    known = ("mask", "median:3", "median:5", "median:7", "median:9")
    if not isinstance(value, list):
        raise TypeError(f"{name} must be a list, of {', '.join(map(repr, known))}, got {value!r}")
    return tuple(_one_of(*known)(plane, name) for plane in value)


_CHECKS = {
    "layout": _one_of("NCHW", "NHWC"),
    "channels": _one_of("grey", "rgb", "bgr"),
    "range": _range,
    "white": _one_of(1, 255),
    "mean": _mean,
    "scale": partial(real, above=0.0),
    "residual": _truth,
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
