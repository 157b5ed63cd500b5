"""How good a result is, from the file that was written: what can be read in it, and how near it is to the true picture.

All methods are scored from files, so that none gains by values that no file holds.
"""

from pathlib import Path

import numpy as np

from deconv import metrics, ocr
from deconv._core import files as _files
from deconv._core.extras import extra
from deconv._core.grey import grey

__all__ = ["exact_lines", "fitted", "folded", "score"]

# Letters that a reader without context confuses, after case is taken off: O0o, Il1|.
_ALIKE = str.maketrans("01i|", "olll")
# In dB.
_EQUAL = 100.0


def score(path, item, border, *, read=True):
    """Scores of a written picture, by the names of the fields of `deconv.compare.protocol.Row`.

    Parameters
    ----------
    path : Path
        Of the picture.
    item : Item
        What it should be.
    border : int
        Pixels along each side that PSNR and SSIM leave out.
    read : bool
        Whether its text is read at all.
    """
    picture = _files.read(Path(path))
    pixels, axis = picture.pixels, picture.channel_axis
    scores: dict = {}
    if item.text is not None and read:
        lines = ocr.read_lines(pixels, channel_axis=axis)
        scores |= {
            "read": tuple(lines),
            "accuracy": ocr.character_accuracy(lines, item.text),
            "folded": ocr.character_accuracy(folded(lines), folded(item.text)),
            "exact": exact_lines(lines, item.text),
        }
        if len(item.text) == 3:
            scores["hdc"] = float(ocr.hdc_score(pixels, list(item.text), channel_axis=axis))
    if item.sharp is not None:
        image, sharp = (grey(x, None if x.ndim == 2 else -1) for x in (pixels, item.sharp))
        image, sharp = metrics.align(image, sharp, border=border, reach=min(12, max(border - 1, 0)))
        registered = {"border": 0, "reach": 0}
        # (100 dB are as good as equal, and unlike infinity have a mean.)
        scores |= {
            "psnr": min(metrics.psnr(image, sharp, **registered), _EQUAL),
            "fitted": min(metrics.psnr(fitted(image, sharp), sharp, **registered), _EQUAL),
            "ssim": metrics.ssim(image, sharp, **registered),
        }
    return scores


def folded(lines):
    """Lines with case and letters that look alike taken for the same."""
    return [line.casefold().translate(_ALIKE) for line in lines]


def exact_lines(read, truth):
    """Share of the true lines that were read without an error, in their order; a run of blanks is one."""
    with extra("compare", "scoring text"):
        from rapidfuzz.distance import LCSseq
    read, truth = ([" ".join(line.split()) for line in lines] for lines in (read, truth))
    return LCSseq.similarity(read, truth) / len(truth)


def fitted(image, sharp):
    """The picture by the gain and the offset that bring it nearest to the true one."""
    gain = float(np.cov(image.ravel(), sharp.ravel(), bias=True)[0, 1]) / max(float(np.var(image)), 1e-12)
    return np.clip(gain * (image - image.mean()) + sharp.mean(), 0, 1)
