"""Reading the text in a picture, and scoring what was read.

The reader is Tesseract (Apache-2.0), called through pytesseract; both are looked for only when a picture is read.
"""

import contextlib
import os

import numpy as np
from PIL import Image, ImageOps
from rapidfuzz import fuzz
from rapidfuzz.distance import Levenshtein
from scipy import ndimage
from skimage.filters import threshold_otsu

from deconv._core.array import torch_door
from deconv._core.grey import grey as as_grey

__all__ = ["TesseractMissing", "character_accuracy", "hdc_score", "read_lines"]

# Tesseract's network works on lines scaled to about this x-height; sharp text reads equally well from 10 to 32 px.
_X_HEIGHT = 24.0

# One block of text; the threshold between ink and paper local (Sauvola), for a shadow over the page.
_READ_CONFIG = "--psm 6 -c thresholding_method=2"

# The challenge's frames are this large, and its margin of 50 columns is meant in pixels of such a frame.
_HDC_SIZE = (2360, 1460)
_HDC_MARGIN = 50
_HDC_CONFIG = (
    "--oem 1 --psm 6 -c load_system_dawg=false -c load_freq_dawg=false "
    "-c textord_old_xheight=0 -c textord_min_xheight=100 -c preserve_interword_spaces=0"
)


class TesseractMissing(RuntimeError):
    """Tesseract, or its data for the language asked for, is not installed."""


@torch_door
def read_lines(image, *, channel_axis=None, lang="eng"):
    """Read the lines of printed text in a picture.

    The picture is scaled so that small letters (the x-height) are about 24 pixels high, which suits the
    reader whatever the size of the picture, and stretched to full contrast. Dark text on bright paper and
    bright text on a dark ground are both read.

    Parameters
    ----------
    image : array, shape (M, N) or, with `channel_axis`, (M, N, C)
        Picture as it looks on a screen: floats in [0, 1] (what lies outside is clipped), or 8 or 16-bit integers.
    channel_axis : int, optional
        Axis of the colours: 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGB, alpha) of them. Alpha is not looked at.
    lang : str
        Tesseract's name of the language (``"eng"``, ``"deu"``, ``"eng+fra"``, ...).

    Returns
    -------
    lines : list of str
        The lines from top to bottom, without blanks at their ends; empty lines are left out.

    Raises
    ------
    TesseractMissing
        If Tesseract, or its data for `lang`, is not installed.

    Notes
    -----
    Page segmentation mode 6 (one block of text) keeps the order of the lines. Tesseract runs in one thread
    unless the environment sets ``OMP_THREAD_LIMIT``: more threads only cost time.

    References
    ----------
    .. [1] R. Smith, "An overview of the Tesseract OCR engine", ICDAR 2007, :doi:`10.1109/ICDAR.2007.4376991`

    Examples
    --------
    >>> from deconv.ocr import read_lines
    >>> read_lines(my_picture)  # doctest: +SKIP
    ['the first line', 'and the second']
    """
    grey = as_grey(image, channel_axis)
    low, high = float(grey.min()), float(grey.max())
    if low == high:
        return []
    grey = (grey - low) / (high - low)
    height, bright_ink = _find_letters(grey)
    page = Image.fromarray(_bytes(1 - grey if bright_ink else grey))
    if height is not None:
        page = _resize_within_reason(page, _X_HEIGHT / height)
    # Letters that touch the border are read worse, and a local threshold fails on a page of a few pixels.
    paper = int(np.median(np.asarray(page)))
    page = ImageOps.expand(page, round(_X_HEIGHT), fill=paper)
    return _tesseract(page, _READ_CONFIG, lang)


@torch_door
def hdc_score(image, truth, *, channel_axis=None):
    """Score of a restored frame by the official procedure of the Helsinki Deblur Challenge 2021 [1]_.

    The picture is normalised by its left margin, halved, read by Tesseract with the challenge's settings,
    and the middle one of three lines is compared with the truth.

    Parameters
    ----------
    image : array, shape (M, N) or, with `channel_axis`, (M, N, C)
        Restored frame, dark text on bright paper: floats in [0, 1], or 8 or 16-bit integers. The challenge's
        frames are 2360 x 1460 pixels; a picture of another size is resized to that first, because the
        procedure takes its white level from the left 50 columns *of such a frame*.
    truth : str or sequence of three str
        The middle line, or all three lines.
    channel_axis : int, optional
        Axis of the colours, as in `read_lines`.

    Returns
    -------
    score : int
        0 to 100: the rounded `rapidfuzz.fuzz.ratio` of the middle lines, case and spaces counted; 0 where
        other than three lines are read. A step of the challenge is passed with a mean of 70 or more.

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
    frame = Image.fromarray(_bytes(as_grey(image, channel_axis)))
    if frame.size != _HDC_SIZE:
        frame = frame.resize(_HDC_SIZE, Image.Resampling.BICUBIC)
    levels = np.asarray(frame, dtype=float)
    # The challenge's own order: the white level is the darkest margin pixel *before* the black level is taken off.
    white = max(levels[:, :_HDC_MARGIN].min(), 1)
    levels = np.clip((levels - levels.min()) * (255 / white), 0, 255).astype(np.uint8)
    half = (_HDC_SIZE[0] // 2, _HDC_SIZE[1] // 2)
    page = Image.fromarray(levels).resize(half, Image.Resampling.BICUBIC)
    lines = _tesseract(page, _HDC_CONFIG, "eng")
    return round(fuzz.ratio(middle, lines[1])) if len(lines) == 3 else 0


def character_accuracy(read, truth):
    """Share of the true characters that were read: one minus the edit distance over the length of the truth.

    Parameters
    ----------
    read, truth : str or sequence of str
        Text or lines. Every run of blanks and line ends counts as one space.

    Returns
    -------
    accuracy : float
        1 for a perfect reading; 0 where correcting it takes as many edits as writing it anew, or more.

    Raises
    ------
    TypeError
        If either is not text.
    ValueError
        If `truth` holds no characters.

    Examples
    --------
    >>> from deconv.ocr import character_accuracy
    >>> character_accuracy(["hello", "w0rld"], "hello world")
    0.909...
    """
    read, truth = _one_text(read, "read"), _one_text(truth, "truth")
    if not truth:
        raise ValueError("truth must hold some characters, got none")
    return max(0.0, 1 - Levenshtein.distance(read, truth) / len(truth))


def _one_text(text, name):
    lines = [text] if isinstance(text, str) else text
    try:
        return " ".join(" ".join(lines).split())
    except TypeError:
        raise TypeError(f"{name} must be a string or a sequence of strings, got {text!r:.80}") from None


def _middle_line(truth):
    """The line that counts, without blanks at its right end (as the challenge reads its text files)."""
    lines = truth.splitlines() if isinstance(truth, str) else truth
    if not isinstance(lines, list | tuple) or not all(isinstance(line, str) for line in lines):
        raise TypeError(f"truth must be the middle line or the three lines, got {truth!r:.80}")
    if len(lines) not in (1, 3):
        raise ValueError(f"truth must be the middle line or the three lines, got {len(lines)} lines")
    return lines[len(lines) // 2].rstrip()


def _bytes(grey):
    return np.round(grey * 255).astype(np.uint8)


def _find_letters(grey, longest=1200):
    """Height in pixels of a small letter, None where no letters are seen, and whether ink is brighter than paper.

    Letters are the connected pieces darker (or brighter) than their surroundings. Half of the inked area belongs to
    pieces lower than the median letter, which in mixed text is a capital, 4/3 of the x-height; weighing by area keeps
    specks out of the vote.
    """
    shrink = -(-max(grey.shape) // longest)
    small = _block_mean(grey, shrink)
    # Against the local mean, so that a shadow over the page is not taken for ink.
    small = small - ndimage.uniform_filter(small, max(small.shape) // 4 + 1)
    if small.min() == small.max():
        return None, False
    ink = small < threshold_otsu(small)
    bright_ink = bool(ink.mean() > 0.5)
    if bright_ink:
        ink = ~ink
    labels, _ = ndimage.label(ink, np.ones((3, 3)))
    areas = np.bincount(labels.ravel())[1:]
    heights, kept = [], []
    for (rows, columns), area in zip(ndimage.find_objects(labels), areas, strict=True):
        height = rows.stop - rows.start
        whole = rows.start > 0 and columns.start > 0 and rows.stop < ink.shape[0] and columns.stop < ink.shape[1]
        if whole and 4 <= height <= 0.8 * ink.shape[0]:
            heights.append(height)
            kept.append(area)
    if not heights:
        return None, bright_ink
    order = np.argsort(heights)
    below = np.cumsum(np.asarray(kept)[order])
    median = heights[order[np.searchsorted(below, below[-1] / 2)]]
    return 0.75 * median * shrink, bright_ink


def _block_mean(grey, size):
    """Mean over blocks of `size` x `size` pixels; what does not fill a block is left out."""
    if size == 1:
        return grey
    rows, columns = (n // size for n in grey.shape)
    if rows == 0 or columns == 0:
        return grey
    return grey[: rows * size, : columns * size].reshape(rows, size, columns, size).mean(axis=(1, 3))


def _resize_within_reason(page, scale, most_pixels=40e6, longest=30000):
    """`page` times `scale`, but never beyond what Tesseract takes (32767 pixels a side) or memory likes."""
    scale = min(scale, (most_pixels / (page.width * page.height)) ** 0.5, longest / max(page.size))
    size = (max(1, round(page.width * scale)), max(1, round(page.height * scale)))
    return page.resize(size, Image.Resampling.BICUBIC)


def _tesseract(page, config, lang):
    """Lines that Tesseract reads on a Pillow picture."""
    import pytesseract

    try:
        with _one_thread():
            text = pytesseract.image_to_string(page, config=config, lang=lang)
    except pytesseract.TesseractNotFoundError:
        raise TesseractMissing(
            "reading text needs the program tesseract, which is not installed or not on the PATH: "
            "apt-get install tesseract-ocr (Debian, Ubuntu), brew install tesseract (macOS)"
        ) from None
    except pytesseract.TesseractError as error:
        message = " ".join(str(error.args[-1]).split())
        if "traineddata" not in message and "load any languages" not in message:
            raise RuntimeError(f"tesseract failed: {message}") from None
        package = lang.split("+")[-1].replace("_", "-")
        raise TesseractMissing(
            f"tesseract has no data for the language {lang!r}: apt-get install tesseract-ocr-{package} "
            "(Debian, Ubuntu), brew install tesseract-lang (macOS); if they are installed, set TESSDATA_PREFIX "
            "to their folder"
        ) from None
    lines = (line.strip() for line in text.replace("\f", "").split("\n"))
    return [line for line in lines if line]


@contextlib.contextmanager
def _one_thread():
    """Let a child process started meanwhile use one OpenMP thread, unless the user has set a number."""
    if "OMP_THREAD_LIMIT" in os.environ:
        yield
        return
    os.environ["OMP_THREAD_LIMIT"] = "1"
    try:
        yield
    finally:
        os.environ.pop("OMP_THREAD_LIMIT", None)
