"""Pictures, texts and PSFs in files: found now, decoded when they are asked for."""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deconv import psf
from deconv._core import files as _files
from deconv.compare.datasets.pictures import Pictures
from deconv.compare.protocol import Item, Problem

__all__ = ["Files", "InFiles", "beside", "folder_of", "pictures_in", "read_picture", "read_text"]

_PICTURES = {".png", ".tif", ".tiff", ".jpg", ".jpeg", ".bmp", ".webp", ".gif"}


@dataclass(frozen=True)
class Files:
    """Where a picture and what belongs to it lie.

    Attributes
    ----------
    image, sharp, psf : Path
        Pictures; None for what there is not.
    text : Path or tuple of str
        A file, or the lines themselves.
    level, noise : float
        As of `Item`.
    """

    image: Path
    sharp: Path | None = None
    psf: Path | None = None
    text: Path | tuple | None = None
    level: float | None = None
    noise: float | None = None


class InFiles(Pictures):
    """Pictures of which each is a `Files`."""

    def _item(self, name, known):
        return Item(
            name,
            read_picture(known.image),
            None if known.sharp is None else read_picture(known.sharp),
            read_text(known.text) if isinstance(known.text, Path) else known.text,
            None if known.psf is None else _read_psf(known.psf),
            known.level,
            known.noise,
            self.gamma,
        )

    def _parts(self):
        for known in self._known.values():
            yield repr((known.level, known.noise, known.text if isinstance(known.text, tuple) else None)).encode()
            for path in (known.image, known.sharp, known.psf, known.text):
                yield path.read_bytes() if isinstance(path, Path) else b""


def folder_of(path, published):
    """The folder of that path.

    Raises
    ------
    Problem
        If there is none; `published` says where its pictures come from and how they are laid out.
    """
    folder = Path(path).expanduser()
    if not folder.is_dir():
        raise Problem(f"there is no folder {folder}; {published}")
    return folder


def pictures_in(folder, *, deep=False):
    """Files that are pictures by their names, in the order of these; of all folders below as well if `deep`."""
    found = []
    for at, below, files in os.walk(folder, followlinks=True):
        if not deep:
            below.clear()
        paths = (Path(at, file) for file in files)
        found += [p for p in paths if p.suffix.lower() in _PICTURES and not p.name.startswith(".")]
    return sorted(found)


def beside(path, *others):
    """The text file of a picture, of its name and beside it or one of `others`; None if there is none."""
    texts = (picture.with_suffix(".txt") for picture in (path, *others) if picture is not None)
    return next((text for text in texts if text.is_file()), None)


def read_picture(path):
    """A picture as `Item` has it; Problem if it cannot be read."""
    try:
        pixels = _files.read(path).pixels
    except _files.FileProblem as error:
        raise Problem(str(error)) from None
    if not np.isfinite(pixels).all():
        raise Problem(f"{path} holds values that are not finite")
    return np.clip(pixels.astype(np.float32), 0, 1)


def read_text(path):
    """Lines of a text file but for empty ones, without blanks at their ends; None if that leaves nothing."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError):
        raise Problem(f"{path} cannot be read as a text in UTF-8") from None
    return tuple(line.rstrip() for line in lines if line.strip()) or None


def _read_psf(path):
    weights = read_picture(path)
    if weights.ndim == 3 or not weights.any():
        raise Problem(f"{path} is no PSF: a grey picture is wanted, and not all black")
    return psf.normalise(weights)
