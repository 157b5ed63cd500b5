"""Read lines of text with Tesseract, scaled to the letter size and contrast that it reads best."""

import contextlib
import os
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps
from scipy import ndimage

from deconv._core.array import Array, accepts_torch
from deconv._core.extras import extra
from deconv._core.grey import grey as as_grey

__all__ = ["TesseractMissing", "read_lines", "recognise", "to_bytes"]

# Tesseract's network works on lines scaled to about this x-height, in pixels; sharp text reads equally well from 10
# to 32.
_X_HEIGHT = 24.0
# One block of text; ink and paper separated by a local threshold (Sauvola), because of shadows over the page.
_READ_CONFIG = "--psm 6 -c thresholding_method=2"


class TesseractMissing(RuntimeError):
    """Tesseract, or its data for the requested language, is not installed."""


@accepts_torch
def read_lines(image: Array, *, channel_axis: int | None = None, lang: str = "eng") -> list[str]:
    """Read the lines of printed text in an image.

    The image is scaled so that lowercase letters (the x-height) are about 24 pixels high, which suits Tesseract, and
    stretched to full contrast. Both dark text on bright paper and bright text on a dark background are read.

    Parameters
    ----------
    image : array, shape (M, N) or, with `channel_axis`, (M, N, C)
        The image as it looks on a screen: floats (clipped to [0, 1]), or 8 or 16-bit integers.
    channel_axis : int, optional
        Colour axis of length 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGB, alpha). Alpha is ignored.
    lang : str
        Tesseract's name for the language (``"eng"``, ``"deu"``, ``"eng+fra"``, ...).

    Returns
    -------
    lines : list of str
        The lines from top to bottom, stripped; empty lines are omitted.

    Raises
    ------
    TesseractMissing
        If Tesseract, or its data for `lang`, is not installed.

    Notes
    -----
    Page segmentation mode 6 (one block of text) keeps the order of the lines. Tesseract runs in one thread unless the
    environment variable ``OMP_THREAD_LIMIT`` is set: more threads only cost time.

    References
    ----------
    .. [1] R. Smith, "An overview of the Tesseract OCR engine", ICDAR 2007, :doi:`10.1109/ICDAR.2007.4376991`

    Examples
    --------
    >>> from deconv.ocr import read_lines
    >>> read_lines(my_image)  # doctest: +SKIP
    ['the first line', 'and the second']
    """
    grey = as_grey(image, channel_axis)
    low, high = float(grey.min()), float(grey.max())
    if low == high:
        return []
    grey = (grey - low) / (high - low)
    height, bright_ink = _find_letters(grey)
    page = Image.fromarray(to_bytes(1 - grey if bright_ink else grey))
    if height is not None:
        page = _resize_within_limits(page, _X_HEIGHT / height)
    # Padded: letters that touch the border are read worse, and a local threshold fails on a page of a few pixels.
    paper = int(np.median(np.asarray(page)))
    page = ImageOps.expand(page, round(_X_HEIGHT), fill=paper)
    return recognise(page, _READ_CONFIG, lang)


def to_bytes(grey: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Grey values in [0, 1] as 8-bit integers."""
    return np.round(grey * 255).astype(np.uint8)


def _find_letters(grey: NDArray[np.floating], longest: int = 1200) -> tuple[float | None, bool]:
    """The x-height in pixels, None if no letters are found, and whether the text is brighter than its background.

    Letters are connected components darker (or brighter) than their surroundings. The area-weighted median of their
    heights is that of a capital in mixed text, 4/3 of the x-height; weighting by area keeps specks from counting.
    """
    with extra("ocr", "reading text"):
        from skimage.filters import threshold_otsu
    otsu: Callable[[NDArray[np.floating]], float] = threshold_otsu
    shrink = -(-max(grey.shape) // longest)
    small = _block_mean(grey, shrink)
    # Relative to the local mean, so that a shadow over the page is not taken for ink.
    small = small - ndimage.uniform_filter(small, max(small.shape) // 4 + 1)
    if small.min() == small.max():
        return None, False
    ink = small < otsu(small)
    bright_ink = bool(ink.mean() > 0.5)
    if bright_ink:
        ink = ~ink
    labels, _ = ndimage.label(ink, np.ones((3, 3)))
    areas = np.bincount(labels.ravel())[1:]
    heights, letter_areas = [], []
    for (rows, columns), area in zip(ndimage.find_objects(labels), areas, strict=True):
        height = rows.stop - rows.start
        whole = rows.start > 0 and columns.start > 0 and rows.stop < ink.shape[0] and columns.stop < ink.shape[1]
        if whole and 4 <= height <= 0.8 * ink.shape[0]:
            heights.append(height)
            letter_areas.append(area)
    if not heights:
        return None, bright_ink
    order = np.argsort(heights)
    cumulative = np.cumsum(np.asarray(letter_areas)[order])
    median = heights[order[np.searchsorted(cumulative, cumulative[-1] / 2)]]
    return 0.75 * median * shrink, bright_ink


def _block_mean(grey: NDArray[np.floating], size: int) -> NDArray[np.floating]:
    """Mean over blocks of `size` x `size` pixels; incomplete blocks at the end are dropped."""
    if size == 1:
        return grey
    rows, columns = (n // size for n in grey.shape)
    if rows == 0 or columns == 0:
        return grey
    mean: NDArray[np.floating] = (
        grey[: rows * size, : columns * size].reshape(rows, size, columns, size).mean(axis=(1, 3))
    )
    return mean


def _resize_within_limits(
    page: Image.Image, scale: float, max_pixels: float = 40e6, longest: int = 30000
) -> Image.Image:
    """`page` scaled by `scale`, or less to stay within Tesseract's limit (32767 pixels per side) and the memory."""
    scale = min(scale, (max_pixels / (page.width * page.height)) ** 0.5, longest / max(page.size))
    size = (max(1, round(page.width * scale)), max(1, round(page.height * scale)))
    return page.resize(size, Image.Resampling.BICUBIC)


def recognise(page: Image.Image, config: str, lang: str) -> list[str]:
    """Run Tesseract on a page and return its lines: the only call of the program.

    Callers look it up in this module when they call it, so a test or study can replace it here for all of them.
    """
    with extra("ocr", "reading text"):
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
def _one_thread() -> Iterator[None]:
    """Limit child processes to one OpenMP thread, unless the user has set a limit."""
    if "OMP_THREAD_LIMIT" in os.environ:
        yield
        return
    os.environ["OMP_THREAD_LIMIT"] = "1"
    try:
        yield
    finally:
        os.environ.pop("OMP_THREAD_LIMIT", None)
