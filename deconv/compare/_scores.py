"""How good a result is, from the file that was written: what can be read in it, and how near it is to the true picture.

All methods are scored from files, so that none gains by values that no file holds.
"""

import math
from pathlib import Path

import numpy as np
from rapidfuzz.distance import LCSseq

from deconv import _files, metrics, ocr

__all__ = ["exact_lines", "fitted", "folded", "score"]

# Letters that a reader without context confuses, after case is taken off: O0o, Il1|.
_ALIKE = str.maketrans("01i|", "olll")


def score(path, item, border, *, read=True):
    """Scores of a written picture, by the names of the fields of `deconv.compare._protocol.Row`.

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
        sharp = _grey(item.sharp)
        here = metrics.align(_grey(pixels), sharp, border=border, reach=min(12, max(border - 1, 0)))
        scores |= {"psnr": _decibels(*here), "fitted": _decibels(fitted(*here), here[1]), "ssim": _ssim(*here)}
    return scores


def folded(lines):
    """Lines with case and letters that look alike taken for the same."""
    return [line.casefold().translate(_ALIKE) for line in lines]


def exact_lines(read, truth):
    """Share of the true lines that were read without an error, in their order; a run of blanks is one."""
    read, truth = ([" ".join(line.split()) for line in lines] for lines in (read, truth))
    return LCSseq.similarity(read, truth) / len(truth)


def fitted(image, sharp):
    """The picture by the gain and the offset that bring it nearest to the true one."""
    gain = float(np.cov(image.ravel(), sharp.ravel(), bias=True)[0, 1]) / max(float(np.var(image)), 1e-12)
    return np.clip(gain * (image - image.mean()) + sharp.mean(), 0, 1)


def _grey(pixels):
    return pixels if pixels.ndim == 2 else pixels @ np.asarray([0.299, 0.587, 0.114], pixels.dtype)


def _decibels(image, sharp):
    # (100 dB are as good as equal, and unlike infinity have a mean.)
    error = float(np.mean((image - sharp) ** 2))
    return -10 * math.log10(max(error, 1e-10))


def _ssim(image, sharp):
    return metrics.ssim(image, sharp, border=0, reach=0)
