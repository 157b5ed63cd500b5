"""How good a result is: how much text can be read in it, and how close it is to the true image.

All methods are scored from the files they wrote, so that none gains from values that no file holds.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from deconv import metrics, ocr
from deconv._core import files
from deconv._core.extras import extra
from deconv._core.grey import grey
from deconv.compare.protocol import Item

__all__ = ["exact_lines", "fold", "match_tones", "score"]

# Characters that a reader without context confuses, after folding the case: O0o, Il1|.
_CONFUSABLE = str.maketrans("01i|", "olll")
# Cap of PSNR in dB: as good as equal, and unlike infinity it has a mean.
_MAX_PSNR = 100.0


def score(path: str | Path, item: Item, border: int, *, read: bool = True) -> dict[str, Any]:
    """Score a result.

    Parameters
    ----------
    path : path
        File of the restored image.
    item : Item
        The ground truth.
    border : int
        Pixels along each side that PSNR and SSIM leave out.
    read : bool
        Whether to read its text.

    Returns
    -------
    dict
        Scores by the names of the fields of `deconv.compare.protocol.Row`.
    """
    picture = files.read(Path(path))
    pixels, axis = picture.pixels, picture.channel_axis
    scores: dict[str, Any] = {}
    if item.text is not None and read:
        lines = ocr.read_lines(pixels, channel_axis=axis)
        scores |= {
            "read": tuple(lines),
            "accuracy": ocr.character_accuracy(lines, item.text),
            "folded": ocr.character_accuracy(fold(lines), fold(item.text)),
            "exact": exact_lines(lines, item.text),
        }
        if len(item.text) == 3:
            scores["hdc"] = float(ocr.hdc_score(pixels, list(item.text), channel_axis=axis))
    if item.sharp is not None:
        image, sharp = (grey(x, None if x.ndim == 2 else -1) for x in (pixels, item.sharp))
        image, sharp = metrics.align(image, sharp, border=border, reach=min(12, max(border - 1, 0)))
        registered = {"border": 0, "reach": 0}
        scores |= {
            "psnr": min(metrics.psnr(image, sharp, **registered), _MAX_PSNR),
            "fitted": min(metrics.psnr(match_tones(image, sharp), sharp, **registered), _MAX_PSNR),
            "ssim": metrics.ssim(image, sharp, **registered),
        }
    return scores


def fold(lines: Sequence[str]) -> list[str]:
    """Lines in which case and confusable characters are the same."""
    return [line.casefold().translate(_CONFUSABLE) for line in lines]


def exact_lines(read: Sequence[str], truth: Sequence[str]) -> float:
    """Fraction of the true lines that were read without error, in order; runs of blanks count as one blank."""
    with extra("compare", "scoring text"):
        from rapidfuzz.distance import LCSseq
    read, truth = ([" ".join(line.split()) for line in lines] for lines in (read, truth))
    return float(LCSseq.similarity(read, truth)) / len(truth)


def match_tones(image: np.ndarray, sharp: np.ndarray) -> np.ndarray:
    """The image with the gain and the offset that bring it closest to the true one, clipped to 0 and 1."""
    gain = float(np.cov(image.ravel(), sharp.ravel(), bias=True)[0, 1]) / max(float(np.var(image)), 1e-12)
    matched: np.ndarray = np.clip(gain * (image - image.mean()) + sharp.mean(), 0, 1)
    return matched
