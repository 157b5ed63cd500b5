"""Draw text, with the nearest free fonts to those of the Helsinki Deblur Challenge."""

import functools
import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from deconv._core.check import integer

__all__ = ["text_picture"]


@dataclass(frozen=True)
class FontStyle:
    """How the challenge's e-paper shows text in one of its fonts, in e-paper pixels.

    Attributes
    ----------
    files : tuple of (str, int, int)
        Free substitutes for the font, best first: file, size, and extra advance per letter.
    pitch : int
        Distance between baselines.
    baseline : int
        How far the middle baseline lies below the centre of the page.
    """

    files: tuple[tuple[str, int, int], ...]
    pitch: int
    baseline: int


# Free substitutes for the challenge's Verdana and Times at 30 e-paper pixels, which match their widths and heights to
# within a few per cent. Aileron comes with Pillow.
_FONTS = {
    "verdana": FontStyle((("DejaVuSans.ttf", 30, 0), ("Aileron", 31, 0)), 36, 16),
    "times": FontStyle((("LiberationSerif-Regular.ttf", 32, 1), ("DejaVuSerif.ttf", 28, 0)), 34, 10),
}


def text_picture(
    lines: str | Sequence[str],
    *,
    font: Literal["verdana", "times"] = "verdana",
    size: int | None = None,
    shape: tuple[int, int] | None = None,
) -> NDArray[np.float32]:
    """Sharp two-tone image of text: paper 1, ink 0.

    Parameters
    ----------
    lines : str or sequence of str
        The text; a string is split at its line breaks. Lines are centred.
    font : {"verdana", "times"}
        Sans serif or serif, drawn with the closest free font on this machine.
    size : int, optional
        Font size (em) in pixels; capitals are 0.7 of it. 30 by default.
    shape : (int, int), optional
        Height and width of the image; by default it fits the text with a margin of one `size`.

    Returns
    -------
    numpy.ndarray, shape (M, N), float32
        The image.

    Raises
    ------
    TypeError
        If `lines` are not strings.
    ValueError
        If there is no text, it does not fit into `shape`, or `font` is unknown.
    FileNotFoundError
        If no suitable font is installed.

    Examples
    --------
    >>> import deconv
    >>> deconv.degrade.text_picture("Deconv", size=40, shape=(80, 240)).shape
    (80, 240)
    """
    style = font_style(font)
    lines = as_lines(lines)
    size = 30 if size is None else integer(size, "size", low=4, high=2000)
    glyphs, extra = open_font(font, size)
    pitch = round(style.pitch * size / 30)
    if shape is None:
        height = pitch * len(lines) + 2 * size
        width = max(_line_width(line, glyphs, extra) for line in lines) + 2 * size
    elif not isinstance(shape, (tuple, list)) or len(shape) != 2:
        raise TypeError(f"shape must be two integers, got {shape!r}")
    else:
        height, width = (integer(n, "shape", low=1, high=2**15) for n in shape)
    # The capitals of the block are centred vertically.
    below = 0.37 * size + (len(lines) // 2 - (len(lines) - 1) / 2) * pitch
    middle = round(height / 2 + below)
    page: NDArray[np.float32] = 1 - draw_lines(lines, glyphs, extra, (height, width), pitch, middle)
    return page


def as_lines(lines: Any) -> tuple[str, ...]:
    """`lines` as a tuple of strings; raise unless they are strings with some text."""
    if isinstance(lines, str):
        lines = lines.splitlines()
    if not isinstance(lines, (list, tuple)) or not all(isinstance(line, str) for line in lines):
        raise TypeError(f"lines must be strings, got {lines!r}")
    if not any(line.strip() for line in lines):
        raise ValueError("lines hold no text to draw")
    return tuple(lines)


def font_style(font: Any) -> FontStyle:
    """Metrics of a font, by name."""
    if not isinstance(font, str) or font not in _FONTS:
        raise ValueError(f"font must be 'verdana' or 'times', got {font!r}")
    return _FONTS[font]


@functools.cache
def open_font(name: str, size: int = 30) -> tuple[ImageFont.FreeTypeFont, int]:
    """The closest free font on this machine, scaled from its design size of 30, and its extra advance."""
    spec = importlib.util.find_spec("matplotlib")
    folders = spec.submodule_search_locations if spec else None
    bundled = Path(folders[0], "mpl-data", "fonts", "ttf") if folders else None
    for file, designed, extra in _FONTS[name].files:
        pixels = round(designed * size / 30)
        if file == "Aileron":
            font = ImageFont.load_default(pixels)
            if isinstance(font, ImageFont.FreeTypeFont):
                return font, extra
            continue
        for path in (file, bundled / file) if bundled else (file,):
            try:
                return ImageFont.truetype(path, pixels, layout_engine=ImageFont.Layout.BASIC), round(extra * size / 30)
            except OSError:
                continue
    raise FileNotFoundError(
        f"no font for {name!r} text is installed: pip install matplotlib, "
        "or apt-get install fonts-dejavu-core fonts-liberation"
    )


def _line_width(line: str, font: ImageFont.FreeTypeFont, extra: int) -> int:
    """Width of a line in pixels."""
    return sum(round(font.getlength(letter)) + extra for letter in line)


def draw_lines(
    lines: Sequence[str],
    font: ImageFont.FreeTypeFont,
    extra: int,
    shape: tuple[int, int],
    pitch: int,
    middle: int,
) -> NDArray[np.float32]:
    """Ink coverage (0 or 1) of `lines` on a page of `shape`, each centred, the middle baseline on row `middle`."""
    height, width = shape
    page = Image.new("1", (width, height), 0)
    draw = ImageDraw.Draw(page)
    for number, line in enumerate(lines):
        x = (width - _line_width(line, font, extra)) // 2
        y = middle + (number - len(lines) // 2) * pitch
        if x < 0 or y > height or y < font.getbbox("H", anchor="ls")[3]:
            raise ValueError(f"line {line!r} does not fit on a page of {height} x {width} pixels")
        # Letter by letter: with kerning, the image would depend on how Pillow was built.
        for letter in line:
            draw.text((x, y), letter, fill=1, font=font, anchor="ls")
            x += round(font.getlength(letter)) + extra
    return np.asarray(page, dtype=np.float32)
