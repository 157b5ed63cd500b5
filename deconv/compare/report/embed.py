"""Pictures made small enough that a page can hold them all."""

import base64
import contextlib
import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

from deconv._core import files

__all__ = ["Embedded", "chosen", "pictures", "small"]

# Widest side in pixels and WebP quality, from the best to the smallest that is still worth a look.
_SIZES = ((1200, 85), (900, 80), (720, 72), (540, 66), (400, 58), (280, 50))
# Letters that a picture in which text can still be read takes, more or less.
_LEAST = 20_000


@dataclass(frozen=True)
class Embedded:
    """A picture as a page holds it.

    Attributes
    ----------
    source : str
        Data URI.
    width, height : int
        Of what is embedded.
    """

    source: str
    width: int
    height: int


def chosen(names, versions, letters):
    """Those of the pictures for which there is room, spread evenly over all.

    Parameters
    ----------
    names : list of str
    versions : int
        Pictures that each name stands for, as of so many methods.
    letters : int
        Of data URIs, at most.

    Returns
    -------
    list of str
    """
    most = max(1, letters // (_LEAST * max(versions, 1)))
    if len(names) <= most:
        return list(names)
    return [names[i] for i in np.linspace(0, len(names) - 1, most).round().astype(int)]


def pictures(paths, letters):
    """Versions of a picture, all by the same measure so that they can be compared.

    Parameters
    ----------
    paths : dict of str to Path
        Files.
    letters : int
        That all together may take.

    Returns
    -------
    dict of str to Embedded
        By the names of `paths`, less those that cannot be read; empty if they cannot be made so small.
    """
    images = _read(paths, _SIZES[0][0])
    for side, quality in _SIZES:
        made = {name: _embedded(image, side, "webp", quality=quality) for name, image in images.items()}
        if sum(len(e.source) for e in made.values()) <= letters:
            return made
    return {}


def small(paths, side):
    """Small pictures without loss, as of PSFs.

    Parameters
    ----------
    paths : dict of str to Path
    side : int
        Pixels of the wider side, at most.

    Returns
    -------
    dict of str to Embedded
        By the names of `paths`, less those that cannot be read.
    """
    return {name: _embedded(image, side, "png", optimize=True) for name, image in _read(paths, side).items()}


def _read(paths, side):
    """Pictures of 8 bits, no wider or higher than `side`."""
    images = {}
    for name, path in paths.items():
        with contextlib.suppress(files.FileProblem):
            pixels = np.clip(files.read(path).pixels, 0, 1)
            images[name] = _within(Image.fromarray(np.round(pixels * 255).astype(np.uint8)), side)
    return images


def _within(image, side):
    shrink = side / max(image.size)
    if shrink >= 1:
        return image
    return image.resize([max(1, round(n * shrink)) for n in image.size], Image.Resampling.LANCZOS)


def _embedded(image, side, kind, **options):
    small = _within(image, side)
    buffer = io.BytesIO()
    small.save(buffer, kind, **options)
    return Embedded(f"data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode()}", *small.size)
