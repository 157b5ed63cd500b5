"""Images, texts and PSFs in files: located when the data set is opened, decoded when an image is loaded."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deconv import psf
from deconv._core import files
from deconv.compare.datasets.base import Pictures
from deconv.compare.protocol import Item, Problem

__all__ = ["FilePictures", "ItemFiles", "existing_folder", "find_pictures", "find_text", "read_picture", "read_text"]

_SUFFIXES = {".png", ".tif", ".tiff", ".jpg", ".jpeg", ".bmp", ".webp", ".gif"}


@dataclass(frozen=True)
class ItemFiles:
    """The files of an image and its ground truth.

    Attributes
    ----------
    image, sharp, psf : Path
        Images; None if missing.
    text : Path or tuple of str
        A file, or the lines themselves.
    level, noise : float
        As in `Item`.
    """

    image: Path
    sharp: Path | None = None
    psf: Path | None = None
    text: Path | tuple[str, ...] | None = None
    level: float | None = None
    noise: float | None = None


class FilePictures(Pictures):
    """A data set whose sources are `ItemFiles`."""

    def _load(self, name: str, source: ItemFiles) -> Item:
        return Item(
            name,
            read_picture(source.image),
            None if source.sharp is None else read_picture(source.sharp),
            read_text(source.text) if isinstance(source.text, Path) else source.text,
            None if source.psf is None else _read_psf(source.psf),
            source.level,
            source.noise,
            self.gamma,
        )

    def _parts(self) -> Iterator[bytes]:
        for source in self._sources.values():
            yield repr((source.level, source.noise, source.text if isinstance(source.text, tuple) else None)).encode()
            for path in (source.image, source.sharp, source.psf, source.text):
                yield path.read_bytes() if isinstance(path, Path) else b""


def existing_folder(path: str | Path, layout: str) -> Path:
    """The folder of that path.

    Raises
    ------
    Problem
        If there is none; `layout` says where its images come from and how they are laid out.
    """
    folder = Path(path).expanduser()
    if not folder.is_dir():
        raise Problem(f"there is no folder {folder}; {layout}")
    return folder


def find_pictures(folder: Path, *, deep: bool = False) -> list[Path]:
    """Files that are images by their suffix, sorted; also those in subfolders if `deep`."""
    pictures: list[Path] = []
    for root, folders, names in os.walk(folder, followlinks=True):
        if not deep:
            folders.clear()
        paths = (Path(root, name) for name in names)
        pictures += [p for p in paths if p.suffix.lower() in _SUFFIXES and not p.name.startswith(".")]
    return sorted(pictures)


def find_text(path: Path, *others: Path | None) -> Path | None:
    """The text file with the stem of an image, beside it or beside one of `others`; None if there is none."""
    texts = (picture.with_suffix(".txt") for picture in (path, *others) if picture is not None)
    return next((text for text in texts if text.is_file()), None)


def read_picture(path: Path) -> np.ndarray:
    """An image in the form of `Item.image`; Problem if it cannot be read."""
    try:
        pixels = files.read(path).pixels
    except files.FileProblem as error:
        raise Problem(str(error)) from None
    if not np.isfinite(pixels).all():
        raise Problem(f"{path} holds values that are not finite")
    clipped: np.ndarray = np.clip(pixels.astype(np.float32), 0, 1)
    return clipped


def read_text(path: Path) -> tuple[str, ...] | None:
    """The lines of a text file without empty lines and trailing blanks; None if none remain."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError):
        raise Problem(f"{path} cannot be read as a text in UTF-8") from None
    return tuple(line.rstrip() for line in lines if line.strip()) or None


def _read_psf(path: Path) -> np.ndarray:
    weights = read_picture(path)
    if weights.ndim == 3 or not weights.any():
        raise Problem(f"{path} is no PSF: a grey picture is wanted, and not all black")
    normalised: np.ndarray = psf.normalise(weights)
    return normalised
