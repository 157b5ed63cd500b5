"""The text set of Pan et al., CVPR 2014."""

import json
import re

from PIL import Image

from deconv.compare.datasets.files import Files, InFiles, folder_of, pictures_in
from deconv.compare.datasets.pictures import ROUNDING, titled
from deconv.compare.protocol import Problem

__all__ = ["pan"]

_PUBLISHED = (
    "the text set is published on the project page of Pan et al., CVPR 2014, "
    "https://jspan.github.io/projects/text-deblurring/index.html, to be laid out, in folders or flat, as "
    "im01_ker01_blur.png, im01.png (sharp) and ker01_truth.png"
)


def pan(path, *, name=None, border=15, gamma=1.0, limit=None):
    """Pictures called imNN_kerMM below a folder, with the sharp imNN and the PSF kerMM where there are such.

    They were blurred by arithmetic as they are, without decoding, and rounded to 8 bits, which is all their noise.

    A transcript is an imNN.txt; one that a ``boxes.json`` beside it puts into a part of the picture is left out, for a
    method's result is read as a whole.
    """
    folder = folder_of(path, _PUBLISHED)
    found = pictures_in(folder, deep=True)
    blurred = _by_number(found, r"im(\d+)_ker(\d+)(?:_blur(?:red)?)?")
    if not blurred:
        raise Problem(f"no pictures called imNN_kerMM lie below {folder}; {_PUBLISHED}")
    sharp, kernels = _by_number(found, r"im(\d+)"), _by_number(found, r"ker(\d+)(?:_truth)?")
    texts = _by_number(sorted(folder.rglob("im*.txt")), r"im(\d+)")
    known = []
    for (scene, kernel), at in sorted(blurred.items()):
        text = texts.get((scene,))
        text = text if text and _whole(text, at) else None
        files = Files(at, sharp.get((scene,)), kernels.get((kernel,)), text, noise=ROUNDING)
        known.append((f"im{scene:02}_ker{kernel:02}", files))
    return InFiles(titled(name, path), known, border=border, gamma=gamma, limit=limit)


def _by_number(paths, pattern):
    """Paths by the numbers in their stems, of those whose stem is as wanted."""
    matches = ((re.fullmatch(pattern, path.stem), path) for path in paths)
    return {tuple(map(int, match.groups())): path for match, path in matches if match}


def _whole(text, picture):
    """Whether a transcript is of the whole picture."""
    boxes = text.with_name("boxes.json")
    box = json.loads(boxes.read_text(encoding="utf-8")).get(text.stem) if boxes.is_file() else None
    if box is None:
        return True
    with Image.open(picture) as image:
        return box["box"] == [0, 0, *image.size]
