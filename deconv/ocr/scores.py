"""Score text recognition: the official score of the Helsinki Deblur Challenge, and character accuracy."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from deconv._core.array import Array, accepts_torch
from deconv._core.extras import extra
from deconv._core.grey import grey as as_grey
from deconv.ocr import tesseract

__all__ = ["character_accuracy", "hdc_score"]

# Width and height of the challenge's frames, and the columns of such a frame that the score takes as blank margin.
_HDC_SIZE = (2360, 1460)
_HDC_MARGIN = 50
_HDC_CONFIG = (
    "--oem 1 --psm 6 -c load_system_dawg=false -c load_freq_dawg=false "
    "-c textord_old_xheight=0 -c textord_min_xheight=100 -c preserve_interword_spaces=0"
)


@accepts_torch
def hdc_score(image: Array, truth: str | Sequence[str], *, channel_axis: int | None = None) -> int:
    """Score a restored frame by the official procedure of the Helsinki Deblur Challenge 2021 [1]_.

    The image is normalised by its left margin, reduced to half its size and read by Tesseract with the challenge's
    settings; the middle one of three lines is compared with the truth.

    Parameters
    ----------
    image : array, shape (M, N) or, with `channel_axis`, (M, N, C)
        Restored frame, dark text on bright paper: floats in [0, 1], or 8 or 16-bit integers. The challenge's frames
        are 2360 x 1460 pixels. Other images are resized to that first, because the procedure takes the white level
        from the left 50 columns *of such a frame*.
    truth : str or sequence of three str
        The middle line, or all three lines.
    channel_axis : int, optional
        Colour axis, as in `read_lines`.

    Returns
    -------
    score : int
        0 to 100: the rounded `rapidfuzz.fuzz.ratio` of the middle lines, sensitive to case and spaces; 0 if the
        number of lines read is not three. A step of the challenge is passed with a mean of 70 or more.

    Raises
    ------
    TesseractMissing
        If Tesseract or its English data are not installed.
    TypeError, ValueError
        If `truth` is neither one line nor three.

    References
    ----------
    .. [1] M. Juvonen, S. Siltanen and F. Silva de Moura, "Helsinki Deblur Challenge 2021: description of photographic
       data", 2021, :doi:`10.48550/arXiv.2105.10233`

    Examples
    --------
    >>> from deconv.ocr import hdc_score
    >>> hdc_score(restored, "wGunVERtck")  # doctest: +SKIP
    100
    """
    middle = _middle_line(truth)
    frame = Image.fromarray(tesseract.to_bytes(as_grey(image, channel_axis)))
    if frame.size != _HDC_SIZE:
        frame = frame.resize(_HDC_SIZE, Image.Resampling.BICUBIC)
    levels = np.asarray(frame, dtype=float)
    # In the challenge's order: the white level is the darkest pixel of the margin *before* the black level is
    # subtracted.
    white = max(levels[:, :_HDC_MARGIN].min(), 1)
    levels = np.clip((levels - levels.min()) * (255 / white), 0, 255).astype(np.uint8)
    half = (_HDC_SIZE[0] // 2, _HDC_SIZE[1] // 2)
    page = Image.fromarray(levels).resize(half, Image.Resampling.BICUBIC)
    lines = tesseract.recognise(page, _HDC_CONFIG, "eng")
    with extra("ocr", "scoring text"):
        from rapidfuzz import fuzz
    return round(fuzz.ratio(middle, lines[1])) if len(lines) == 3 else 0


def character_accuracy(read: str | Sequence[str], truth: str | Sequence[str]) -> float:
    """Character accuracy: one minus the edit distance divided by the length of the truth.

    Parameters
    ----------
    read, truth : str or sequence of str
        Text or lines. Each run of white space, line ends included, counts as one space.

    Returns
    -------
    accuracy : float
        1 for a perfect reading; 0 if correcting it takes at least as many edits as the truth has characters.

    Raises
    ------
    TypeError
        If `read` or `truth` is not text.
    ValueError
        If `truth` contains no characters.

    Examples
    --------
    >>> from deconv.ocr import character_accuracy
    >>> character_accuracy(["hello", "w0rld"], "hello world")
    0.909...
    """
    got, wanted = _one_text(read, "read"), _one_text(truth, "truth")
    if not wanted:
        raise ValueError("truth must contain at least one character, got none")
    with extra("ocr", "scoring text"):
        from rapidfuzz.distance import Levenshtein
    return max(0.0, 1 - Levenshtein.distance(got, wanted) / len(wanted))


def _one_text(text: Any, name: str) -> str:
    """`text` or its lines as one string, with single spaces."""
    lines = [text] if isinstance(text, str) else text
    try:
        return " ".join(" ".join(lines).split())
    except TypeError:
        raise TypeError(f"{name} must be a string or a sequence of strings, got {text!r:.80}") from None


def _middle_line(truth: Any) -> str:
    """The line that is scored, stripped at its right end, as the challenge reads its text files."""
    lines = truth.splitlines() if isinstance(truth, str) else truth
    if not isinstance(lines, list | tuple) or not all(isinstance(line, str) for line in lines):
        raise TypeError(f"truth must be the middle line or the three lines, got {truth!r:.80}")
    if len(lines) not in (1, 3):
        raise ValueError(f"truth must be the middle line or the three lines, got {len(lines)} lines")
    return lines[len(lines) // 2].rstrip()
