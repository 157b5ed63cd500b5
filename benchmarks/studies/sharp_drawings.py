"""Sharp pictures made by code: drawings, patterns, print, text and noise, each fixed by its arguments and a generator.

All return values from 0 to 1, grey unless said. Those drawn with Pillow are drawn four times as large and averaged, so
that edges are as a camera or a renderer leaves them; checkers, codes and grids on whole pixels have hard edges.
"""

from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage

import deconv

_FINER = 4
_INK, _PAPER = 30, 235
WORDS = [
    "a",
    "picture",
    "that",
    "is",
    "sharp",
    "comes",
    "back",
    "as",
    "it",
    "was",
    "given,",
    "bit",
    "for",
    "bit,",
    "whatever",
    "it",
    "shows:",
    "a",
    "page",
    "of",
    "small",
    "print,",
    "a",
    "map,",
    "the",
    "staves",
    "of",
    "a",
    "song,",
    "or",
    "the",
    "lines",
    "of",
    "a",
    "hand;",
    "only",
    "what",
    "is",
    "blurred",
    "may",
    "change",
]


def drawn(shape: tuple[int, int], paint: Callable[[ImageDraw.ImageDraw, int], None]) -> np.ndarray:
    """What `paint` draws on paper, given the canvas and how many of its pixels make one of the picture."""
    height, width = shape
    canvas = Image.new("L", (_FINER * width, _FINER * height), _PAPER)
    paint(ImageDraw.Draw(canvas), _FINER)
    fine = np.asarray(canvas, np.float32) / 255
    return fine.reshape(height, _FINER, width, _FINER).mean((1, 3))


def two_tones(dark: np.ndarray) -> np.ndarray:
    """Ink where the mask, or the coverage from 0 to 1, is 1."""
    return (_PAPER - (_PAPER - _INK) * np.asarray(dark, np.float32)) / 255


def smooth_noise(shape: tuple[int, int], sigma: float, rng: np.random.Generator) -> np.ndarray:
    """A random surface of unit variance with hills as wide as sigma."""
    surface = ndimage.gaussian_filter(rng.normal(size=shape), sigma, mode="wrap")
    return np.asarray((surface - surface.mean()) / surface.std())


def crossings(surface: np.ndarray, width: float) -> np.ndarray:
    """Lines of a width in pixels where a surface passes a whole number, as coverage of each pixel."""
    steepness = np.maximum(np.hypot(*np.gradient(surface)), 1e-6)
    distance = np.abs(surface - np.round(surface)) / steepness
    return np.clip(width / 2 - distance + 0.5, 0, 1)


def grid(pitch: int, rng: np.random.Generator, angle: float = 0.0) -> np.ndarray:
    """Lines one pixel wide, both ways, at a pitch; turned by an angle in degrees."""
    shape = (300, 380)
    if not angle:
        y, x = np.indices(shape)
        return two_tones((y % pitch == 0) | (x % pitch == 0))
    down, right = np.indices(shape) / pitch
    cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    return two_tones(np.maximum(crossings(right * cos + down * sin, 1.2), crossings(down * cos - right * sin, 1.2)))


def rings(radius: int, rng: np.random.Generator) -> np.ndarray:
    """Thin rings of one radius, here and there."""

    def paint(canvas: ImageDraw.ImageDraw, finer: int) -> None:
        for _ in range(9000 // radius**2 + 8):
            x, y, r = finer * rng.uniform(0, 400), finer * rng.uniform(0, 320), finer * radius
            canvas.ellipse((x - r, y - r, x + r, y + r), outline=_INK, width=finer * 2)

    return drawn((320, 400), paint)


def circles(rng: np.random.Generator) -> np.ndarray:
    """Circles of all sizes, drawn and filled."""

    def paint(canvas: ImageDraw.ImageDraw, finer: int) -> None:
        for i in range(60):
            x, y, r = finer * rng.uniform(0, 360), finer * rng.uniform(0, 300), finer * rng.uniform(3, 40)
            fill = int(rng.integers(60, 220)) if i % 3 == 0 else None
            canvas.ellipse((x - r, y - r, x + r, y + r), fill=fill, outline=_INK, width=finer * 2)

    return drawn((300, 360), paint)


def target(rng: np.random.Generator) -> np.ndarray:
    """Concentric circles at one pitch."""
    y, x = np.indices((300, 300)) - 150.3
    return two_tones(crossings(np.hypot(x, y) / 9, 2.0))


def spiral(rng: np.random.Generator) -> np.ndarray:
    """A spiral of eleven turns."""
    y, x = np.indices((320, 320)) - 160.4
    return two_tones(crossings(np.hypot(x, y) / 14 + np.arctan2(y, x) / (2 * np.pi), 3.0))


def fingerprint(rng: np.random.Generator, period: float = 8.0) -> np.ndarray:
    """Ridges that turn around two points, their borders frayed."""
    y, x = np.indices((360, 280))
    core = np.hypot(x - 140 + 12 * smooth_noise(x.shape, 30, rng), 1.15 * (y - 170)) / period
    delta = 0.5 * np.arctan2(y - 280, x - 90) / np.pi
    ridges = np.cos(2 * np.pi * (core + delta)) + 0.35 * smooth_noise(x.shape, 1.2, rng)
    return two_tones(np.clip(0.5 + 2 * ridges, 0, 1))


def checkers(side: int, rng: np.random.Generator) -> np.ndarray:
    """Squares of whole pixels."""
    y, x = np.indices((240, 300)) // side
    return two_tones((x + y) % 2)


def cartoon(rng: np.random.Generator) -> np.ndarray:
    """Flat colours with outlines; in colour."""
    planes = []
    seed = int(rng.integers(2**31))
    for plane in range(3):
        shapes, colour = np.random.default_rng(seed), np.random.default_rng([seed, plane])

        def paint(
            canvas: ImageDraw.ImageDraw,
            finer: int,
            shapes: np.random.Generator = shapes,
            colour: np.random.Generator = colour,
        ) -> None:
            for _ in range(25):
                middle, count = shapes.uniform((0, 0), (420, 320)), int(shapes.integers(3, 8))
                turn = np.sort(shapes.uniform(0, 2 * np.pi, count))
                reach = shapes.uniform(15, 70)
                corners = finer * (middle + reach * np.stack([np.cos(turn), np.sin(turn)], axis=1))
                points = [(float(a), float(b)) for a, b in corners]
                canvas.polygon(points, fill=int(colour.integers(40, 250)), outline=20, width=finer * 2)

        planes.append(drawn((320, 420), paint))
    return np.stack(planes, axis=-1)


def line_drawing(rng: np.random.Generator) -> np.ndarray:
    """Pen strokes: smooth curves of several widths."""

    def paint(canvas: ImageDraw.ImageDraw, finer: int) -> None:
        for i in range(40):
            knots = np.cumsum(rng.normal(0, 22, (12, 2)), axis=0) + rng.uniform(60, 300, 2)
            t = np.linspace(0, 11, 240)
            x, y = (ndimage.map_coordinates(knots[:, axis], [t], order=3) for axis in (0, 1))
            points = [(finer * float(a), finer * float(b)) for a, b in zip(x, y, strict=True)]
            canvas.line(points, fill=_INK, width=finer * (1 + i % 3), joint="curve")

    return drawn((340, 380), paint)


def technical(rng: np.random.Generator) -> np.ndarray:
    """A part in section: outlines, hatching, arcs and measures."""

    def paint(canvas: ImageDraw.ImageDraw, finer: int) -> None:
        def scaled(*values: float) -> list[float]:
            return [finer * value for value in values]

        for left, top, right, bottom in ((40, 60, 180, 250), (230, 60, 380, 160), (230, 190, 380, 250)):
            for offset in range(-200, 200, 7):
                start = left + max(0, offset), top + max(0, -offset)
                length = min(right - start[0], bottom - start[1])
                if length > 0:
                    canvas.line(scaled(*start, start[0] + length, start[1] + length), fill=90, width=finer)
            canvas.rectangle(scaled(left, top, right, bottom), outline=_INK, width=2 * finer)
        for r in (18, 34):
            canvas.ellipse(scaled(110 - r, 155 - r, 110 + r, 155 + r), fill=_PAPER, outline=_INK, width=2 * finer)
        canvas.arc(scaled(230, 20, 380, 110), 180, 360, fill=_INK, width=finer)
        for y in (30, 275):
            canvas.line(scaled(40, y, 380, y), fill=_INK, width=finer)

    return drawn((300, 420), paint)


def staves(rng: np.random.Generator, space: int = 8) -> np.ndarray:
    """Five staves with notes."""

    def paint(canvas: ImageDraw.ImageDraw, finer: int) -> None:
        for staff in range(5):
            top = 25 + staff * 9 * space
            for line in range(5):
                level = finer * (top + line * space)
                canvas.line((finer * 15, level, finer * 505, level), fill=_INK, width=finer)
            x = 40.0
            while x < 490:
                y = top + space * float(rng.integers(0, 9)) / 2
                a, b = 0.65 * space, 0.48 * space
                head = [finer * v for v in (x - a, y - b, x + a, y + b)]
                canvas.ellipse(head, fill=_INK if rng.random() < 0.7 else _PAPER, outline=_INK, width=finer)
                end = (x + a, y - 3.3 * space) if y > top + 2 * space else (x - a, y + 3.3 * space)
                canvas.line([finer * v for v in (end[0], y, *end)], fill=_INK, width=finer)
                x += rng.uniform(2, 5) * space

    return drawn((400, 520), paint)


def contours(rng: np.random.Generator, width: float = 1.2) -> np.ndarray:
    """Contour lines of hills."""
    return two_tones(crossings(3.5 * smooth_noise((400, 520), 42, rng), width))


def town(rng: np.random.Generator) -> np.ndarray:
    """A map of streets with blocks and names."""

    def paint(canvas: ImageDraw.ImageDraw, finer: int) -> None:
        canvas.rectangle((0, 0, 9999, 9999), fill=215)
        for _ in range(16):
            a, b = rng.uniform((-40, -40), (520, 420)), rng.uniform((-40, -40), (520, 420))
            points, wide = [(finer * float(x), finer * float(y)) for x, y in (a, b)], int(rng.integers(4, 11))
            canvas.line(points, fill=120, width=finer * (wide + 2))
            canvas.line(points, fill=250, width=finer * wide)
        for _ in range(22):
            x, y = rng.uniform((10, 10), (400, 350))
            canvas.text((finer * x, finer * y), str(rng.choice(WORDS)), fill=_INK, font_size=finer * 13)

    return drawn((380, 480), paint)


def halftone(pitch: float, picture: np.ndarray) -> np.ndarray:
    """A screen of dots at 45 degrees, as large as the picture is dark."""
    fine = np.kron(picture, np.ones((_FINER, _FINER), np.float32))
    y, x = np.indices(fine.shape) / (_FINER * pitch)
    screen = 0.5 + 0.25 * (np.cos(np.pi * (x + y)) + np.cos(np.pi * (x - y)))
    dark = (screen > fine).astype(np.float32)
    height, width = picture.shape
    return two_tones(dark.reshape(height, _FINER, width, _FINER).mean((1, 3)))


def barcode(module: int, rng: np.random.Generator) -> np.ndarray:
    """Bars of one to four modules."""
    widths = rng.integers(1, 5, 90)
    bars = np.repeat(np.arange(len(widths)) % 2 == 0, widths * module)[: 420 - 40]
    code = np.zeros((220, 420), bool)
    code[30:-30, 20 : 20 + len(bars)] = bars
    return two_tones(code)


def matrix_code(module: int, rng: np.random.Generator) -> np.ndarray:
    """Square modules, and a square in three of the corners, as in a QR code."""
    cells = rng.random((33, 33)) < 0.5
    finder = np.pad(np.pad(np.ones((3, 3), bool), 1), 1, constant_values=True)
    for rows, columns in ((slice(0, 7), slice(0, 7)), (slice(0, 7), slice(-7, None)), (slice(-7, None), slice(0, 7))):
        cells[rows, columns] = finder
    return two_tones(np.pad(np.kron(cells, np.ones((module, module), bool)), 4 * module))


def page(
    size: int, rng: np.random.Generator, shape: tuple[int, int] = (360, 480), font: str = "verdana", dark: bool = False
) -> np.ndarray:
    """A page of text: font size (em) in pixels; drawn at twice the resolution."""
    lines: list[str] = []
    for _ in range(int(2 * shape[0] / (2.6 * size))):
        line = " ".join(rng.choice(WORDS, 40))[: int(2 * shape[1] / (1.25 * size))].rstrip()
        lines.append(line)
    fitting = _fitting(lines, font, 2 * size, (2 * shape[0], 2 * shape[1]))
    coverage = fitting.reshape(shape[0], 2, shape[1], 2).mean((1, 3))
    return two_tones(coverage if dark else 1 - coverage)


def _fitting(lines: Sequence[str], font: str, size: int, shape: tuple[int, int]) -> np.ndarray:
    """The text, its lines shortened until they fit."""
    while True:
        try:
            return np.asarray(deconv.degrade.text_picture(lines, font=font, size=size, shape=shape))  # type: ignore[arg-type]
        except ValueError:
            lines = [line[:-1].rstrip() or "a" for line in lines]


def white_noise(rng: np.random.Generator, sigma: float) -> np.ndarray:
    """Grey with white noise."""
    return np.clip(0.5 + sigma * rng.normal(size=(256, 320)), 0, 1)


def coloured_noise(rng: np.random.Generator, exponent: float) -> np.ndarray:
    """Noise whose amplitude falls as a power of the frequency."""
    fy, fx = np.meshgrid(np.fft.fftfreq(300), np.fft.fftfreq(400), indexing="ij")
    frequency = np.hypot(fy, fx)
    frequency[0, 0] = np.inf
    spectrum = np.fft.fft2(rng.normal(size=frequency.shape)) * frequency**-exponent
    field = np.real(np.fft.ifft2(spectrum))
    return np.clip(0.5 + 0.16 * field / field.std(), 0, 1)


def ramp(rng: np.random.Generator) -> np.ndarray:
    """A linear gradient."""
    return np.tile(np.linspace(0.1, 0.9, 400), (260, 1))


def glow(rng: np.random.Generator) -> np.ndarray:
    """A radial gradient."""
    y, x = np.indices((280, 280)) - 140
    return np.exp(-(x * x + y * y) / (2 * 80.0**2))


def nearly_constant(rng: np.random.Generator) -> np.ndarray:
    """One grey, of which rounding leaves a few values; a picture of a single value is refused."""
    return 0.5 + 0.003 * rng.normal(size=(200, 260))
