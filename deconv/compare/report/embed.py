"""Images reduced and encoded as data URIs, so that one page can hold them all."""

import base64
import contextlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from deconv._core import files

__all__ = ["Embedded", "choose", "embed", "thumbnails"]

# Longest side in pixels and WebP quality, from the best to the smallest that is still useful.
_SIZES = ((1200, 85), (900, 80), (720, 72), (540, 66), (400, 58), (280, 50))
# Characters of a data URI in which text can still be read, roughly.
_MIN_CHARACTERS = 20_000


@dataclass(frozen=True)
class Embedded:
    """An image encoded for a page.

    Attributes
    ----------
    source : str
        Data URI.
    width, height : int
        Size in pixels.
    """

    source: str
    width: int
    height: int


def choose(names: Sequence[str], versions: int, characters: int) -> list[str]:
    """Choose as many images as there is room for, spread evenly over all.

    Parameters
    ----------
    names : list of str
    versions : int
        Number of images for each name, one for each method.
    characters : int
        Limit of all data URIs together.

    Returns
    -------
    list of str
    """
    most = max(1, characters // (_MIN_CHARACTERS * max(versions, 1)))
    if len(names) <= most:
        return list(names)
    return [names[i] for i in np.linspace(0, len(names) - 1, most).round().astype(int)]


def embed(paths: dict[str, Path], characters: int) -> dict[str, Embedded]:
    """Embed the versions of an image, all reduced alike so that they can be compared.

    Parameters
    ----------
    paths : dict of str to Path
        Files.
    characters : int
        Limit of all data URIs together.

    Returns
    -------
    dict of str to Embedded
        By the names of `paths`, without unreadable files; empty if they cannot be made small enough.
    """
    images = _read(paths, _SIZES[0][0])
    for side, quality in _SIZES:
        embedded = {name: _embed(image, side, "webp", quality=quality) for name, image in images.items()}
        if sum(len(e.source) for e in embedded.values()) <= characters:
            return embedded
    return {}


def thumbnails(paths: dict[str, Path], side: int) -> dict[str, Embedded]:
    """Embed small images such as PSFs, without loss.

    Parameters
    ----------
    paths : dict of str to Path
    side : int
        Limit of the longer side, in pixels.

    Returns
    -------
    dict of str to Embedded
        By the names of `paths`, without unreadable files.
    """
    return {name: _embed(image, side, "png", optimize=True) for name, image in _read(paths, side).items()}


def _read(paths: dict[str, Path], side: int) -> dict[str, Image.Image]:
    """8-bit images whose sides are at most `side`."""
    images = {}
    for name, path in paths.items():
        with contextlib.suppress(files.FileProblem):
            pixels = np.clip(files.read(path).pixels, 0, 1)
            images[name] = _reduced(Image.fromarray(np.round(pixels * 255).astype(np.uint8)), side)
    return images


def _reduced(image: Image.Image, side: int) -> Image.Image:
    shrink = side / max(image.size)
    if shrink >= 1:
        return image
    width, height = (max(1, round(n * shrink)) for n in image.size)
    return image.resize((width, height), Image.Resampling.LANCZOS)


def _embed(image: Image.Image, side: int, kind: str, **options: Any) -> Embedded:
    small = _reduced(image, side)
    buffer = io.BytesIO()
    small.save(buffer, kind, **options)
    return Embedded(f"data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode()}", *small.size)
