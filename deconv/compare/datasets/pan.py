"""The text set of Pan et al., CVPR 2014."""

import json
import re
from collections.abc import Iterable
from pathlib import Path

from PIL import Image

from deconv.compare.datasets.base import ROUNDING, dataset_name
from deconv.compare.datasets.files import FilePictures, ItemFiles, existing_folder, find_pictures
from deconv.compare.protocol import Problem

__all__ = ["pan"]

_PUBLISHED = (
    "the text set is published on the project page of Pan et al., CVPR 2014, "
    "https://jspan.github.io/projects/text-deblurring/index.html, to be laid out, in folders or flat, as "
    "im01_ker01_blur.png, im01.png (sharp) and ker01_truth.png"
)


def pan(
    path: str | Path, *, name: str | None = None, border: int = 15, gamma: float = 1.0, limit: int | None = None
) -> FilePictures:
    """Images called imNN_kerMM below a folder, with the sharp imNN and the PSF kerMM if they exist.

    The encoded values were convolved, without decoding, and rounded to 8 bits, which is their only noise.

    The true text is in imNN.txt. It is ignored if a ``boxes.json`` beside it says that it is the text of a part of the
    image, because results are read as a whole.
    """
    folder = existing_folder(path, _PUBLISHED)
    paths = find_pictures(folder, deep=True)
    blurred = _by_number(paths, r"im(\d+)_ker(\d+)(?:_blur(?:red)?)?")
    if not blurred:
        raise Problem(f"no pictures called imNN_kerMM lie below {folder}; {_PUBLISHED}")
    sharp, kernels = _by_number(paths, r"im(\d+)"), _by_number(paths, r"ker(\d+)(?:_truth)?")
    texts = _by_number(sorted(folder.rglob("im*.txt")), r"im(\d+)")
    sources = []
    for (scene, kernel), picture in sorted(blurred.items()):
        text = texts.get((scene,))
        text = text if text and _covers_picture(text, picture) else None
        files = ItemFiles(picture, sharp.get((scene,)), kernels.get((kernel,)), text, noise=ROUNDING)
        sources.append((f"im{scene:02}_ker{kernel:02}", files))
    return FilePictures(dataset_name(name, path), sources, border=border, gamma=gamma, limit=limit)


def _by_number(paths: Iterable[Path], pattern: str) -> dict[tuple[int, ...], Path]:
    """Paths whose stems match the pattern, by the numbers in their stems."""
    matches = ((re.fullmatch(pattern, path.stem), path) for path in paths)
    return {tuple(map(int, match.groups())): path for match, path in matches if match}


def _covers_picture(text: Path, picture: Path) -> bool:
    """Whether a text is that of the whole image."""
    boxes = text.with_name("boxes.json")
    box = json.loads(boxes.read_text(encoding="utf-8")).get(text.stem) if boxes.is_file() else None
    if box is None:
        return True
    with Image.open(picture) as image:
        return bool(box["box"] == [0, 0, *image.size])
