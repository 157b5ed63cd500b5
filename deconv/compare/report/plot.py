"""Plots of a comparison as SVG for the page, written directly because matplotlib is optional.

Colours are classes (``c0`` to ``c7``, ``ref``) that the page defines for light and dark. Methods also differ in the
shape of their marks and, beyond eight, in their dashes, so that nothing depends on colour alone.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from typing import TypeAlias

__all__ = ["Series", "against_level", "against_seconds", "chip"]

_Scale: TypeAlias = Callable[[float], float]
# Left, top, right and bottom.
_Box: TypeAlias = tuple[float, float, float, float]

_WIDTH, _HEIGHT = 720, 380
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 168, 16, 48
_COLOURS = 8
# Width of a letter and height of a line of the labels, in units of the drawing.
_LETTER, _LINE = 7.4, 15


@dataclass(frozen=True)
class Series:
    """A method in a plot.

    Attributes
    ----------
    name : str
    number : int or None
        Number of its colour and its mark; None for a reference.
    points : list of (float, float)
    low, high : float or None
        Confidence interval of the only point.
    """

    name: str
    number: int | None
    points: list[tuple[float, float]]
    low: float | None = None
    high: float | None = None

    @property
    def css_classes(self) -> str:
        """CSS classes of its colour and its dashes."""
        if self.number is None:
            return "ref"
        return f"c{self.number % _COLOURS} d{self.number // _COLOURS % 3}"


def against_level(series: Sequence[Series], score: str, top: float | None, title: str) -> str:
    """Plot a line for each method: its score at each level of blur.

    Parameters
    ----------
    series : list of Series
        Points are (level, score).
    score : str
        Name of the score.
    top : float or None
        Largest possible score, if there is one; the axis then runs from 0 to it.
    title : str
        Description for screen readers.

    Returns
    -------
    str
    """
    levels = sorted({x for s in series for x, _ in s.points})
    span = levels[-1] - levels[0]
    right = _WIDTH - _RIGHT
    ticks = levels if len(levels) <= 12 else _round_steps(levels[0], levels[-1])
    # Margins inside the axes keep marks off their ends.
    along = _scale(levels[0] - 0.03 * span, levels[-1] + 0.03 * span, _LEFT, right)
    up, parts = _axes(series, score, top, [(along(t), f"{t:g}") for t in ticks], "level of blur")
    ends = _apart([up(s.points[-1][1]) for s in series])
    for s, end in zip(series, ends, strict=True):
        places = [(along(x), up(y)) for x, y in s.points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        x, y = places[-1]
        parts.append(f'<g class="{s.css_classes}"><polyline points="{path}"/>')
        parts += [
            f"<g>{_mark(s, *place)}<title>{escape(f'{s.name}: {value:.3g} at level {level:g}')}</title></g>"
            for place, (level, value) in zip(places, s.points, strict=True)
        ]
        parts.append(f'<path class="lead" d="M{x + 6:.1f},{y:.1f}L{right + 8},{end:.1f}"/>{_mark(s, right + 16, end)}')
        parts.append(_text(right + 26, end + 4, s.name, _RIGHT - 30) + "</g>")
    return _drawing(parts, title)


def against_seconds(
    series: Sequence[Series], references: Sequence[Series], score: str, top: float | None, title: str
) -> str:
    """Plot a dot for each method: its score over its seconds for an image, on a logarithmic axis.

    Parameters
    ----------
    series : list of Series
        Each has one point, (seconds, score).
    references : list of Series
        Methods without a meaningful time, each a horizontal line.
    score, top, title
        As in `against_level`.

    Returns
    -------
    str
    """
    right = _WIDTH - _RIGHT
    logs = [math.log10(max(s.points[0][0], 1e-6)) for s in series]
    low, high = math.floor(min(logs) - 0.05), math.ceil(max(logs) + 0.05)
    along = _scale(low, high, _LEFT, right)
    ticks = [(along(power), _seconds(power)) for power in range(low, high + 1, 1 + (high - low) // 8)]
    up, parts = _axes([*series, *references], score, top, ticks, "seconds for a picture")
    ends = _apart([up(s.points[0][1]) for s in references])
    for s, end in zip(references, ends, strict=True):
        y = up(s.points[0][1])
        parts.append(f'<g class="ref"><path class="across" d="M{_LEFT},{y:.1f}H{right}L{right + 8},{end:.1f}"/>')
        parts.append(_text(right + 12, end + 4, s.name, _RIGHT - 16) + "</g>")
    dots = [(along(x), up(s.points[0][1])) for s, x in zip(series, logs, strict=True)]
    taken = [(x - 7, y - 7, x + 7, y + 7) for x, y in dots]
    taken += [(right + 8, end - _LINE / 2, _WIDTH, end + _LINE / 2) for end in ends]
    taken += [
        (x - 2, up(s.high), x + 2, up(s.low))
        for s, (x, _) in zip(series, dots, strict=True)
        if s.low is not None and s.high is not None
    ]
    for s, (x, y) in zip(series, dots, strict=True):
        label_text = f"{s.name}: {s.points[0][1]:.3g} in {s.points[0][0]:.3g} s"
        bar = (
            ""
            if s.low is None or s.high is None
            else f'<path class="bar" d="M{x:.1f},{up(s.low):.1f}V{up(s.high):.1f}"/>'
        )
        label = _place_label(x, y, s.name, taken)
        parts.append(f'<g class="{s.css_classes}">{bar}{_mark(s, x, y)}<title>{escape(label_text)}</title>{label}</g>')
    return _drawing(parts, title)


def chip(series: Series) -> str:
    """Draw the mark of a method alone, to show beside its name.

    Parameters
    ----------
    series : Series

    Returns
    -------
    str
    """
    return (
        f'<svg class="chip {series.css_classes}" viewBox="-7 -7 14 14" aria-hidden="true">{_mark(series, 0, 0)}</svg>'
    )


def _axes(
    series: Sequence[Series], score: str, top: float | None, ticks: Sequence[tuple[float, str]], below: str
) -> tuple[_Scale, list[str]]:
    """The scale from a score to its height, and the drawing of grid, numbers and names."""
    values = [y for s in series for _, y in s.points]
    values += [end for s in series for end in (s.low, s.high) if end is not None]
    least, most = (0.0, top) if top is not None else (min(values), max(values))
    steps = _round_steps(least, most)
    up = _scale(steps[0], steps[-1], _HEIGHT - _BOTTOM, _TOP)
    right, floor = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM
    parts = [f'<path class="grid" d="M{_LEFT},{up(y):.1f}H{right}"/>' for y in steps]
    parts += [f'<text class="y" x="{_LEFT - 8}" y="{up(y) + 4:.1f}">{y:g}</text>' for y in steps]
    parts += [f'<path class="tick" d="M{x:.1f},{floor}v5"/>' for x, _ in ticks]
    parts += [f'<text class="x" x="{x:.1f}" y="{floor + 19}">{escape(name)}</text>' for x, name in ticks]
    parts.append(f'<text class="x name" x="{(_LEFT + right) / 2}" y="{_HEIGHT - 8}">{below}</text>')
    middle = (_TOP + floor) / 2
    parts.append(f'<text class="x name" transform="translate(14 {middle}) rotate(-90)">{escape(score)}</text>')
    return up, parts


def _drawing(parts: Sequence[str], title: str) -> str:
    inside = "\n".join(parts)
    return f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(title)}">\n{inside}\n</svg>'


def _scale(least: float, most: float, start: float, end: float) -> _Scale:
    span = (most - least) or 1
    return lambda value: start + (value - least) / span * (end - start)


def _round_steps(least: float, most: float) -> list[float]:
    """About five round numbers that enclose an interval."""
    rough = max(most - least, 1e-9) / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= rough * 0.999)
    first, last = math.floor(least / step + 1e-9), math.ceil(most / step - 1e-9)
    return [round(step * i, 10) for i in range(first, max(last, first + 1) + 1)]


def _seconds(power: int) -> str:
    return f"{10.0**power:g}" if -4 <= power <= 5 else f"1e{power}"


def _apart(heights: Sequence[float]) -> list[float]:
    """Heights moved so that labels do not overlap."""
    order = sorted(range(len(heights)), key=heights.__getitem__)
    moved = list(heights)
    for above, below in pairwise(order):
        moved[below] = max(moved[below], moved[above] + _LINE)
    limit: float = _HEIGHT - _BOTTOM
    for i in reversed(order):
        moved[i] = min(moved[i], limit)
        limit = moved[i] - _LINE
    return moved


def _place_label(x: float, y: float, name: str, taken: list[_Box]) -> str:
    """The name at the first free place around a dot."""
    shown = _short(name, 200)
    wide = len(shown) * _LETTER
    places = [(x + 11, y), (x - 11 - wide, y)]
    places += [(x + side, y + down) for down in (-16, 16, -30, 30, -44, 44) for side in (6, -wide / 2, -6 - wide)]
    boxes = [(left, middle - _LINE / 2, left + wide, middle + _LINE / 2) for left, middle in places]
    inside = [b for b in boxes if b[0] > _LEFT and b[2] < _WIDTH and b[1] > 0 and b[3] < _HEIGHT - _BOTTOM + 4]
    free = [b for b in inside if not any(_overlap(b, other) for other in taken)]
    box = (free or inside or boxes)[0]
    taken.append(box)
    return _text(box[0], box[1] + _LINE / 2 + 4, name, 200)


def _overlap(one: _Box, other: _Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _short(name: str, width: float) -> str:
    most = int(width / _LETTER)
    return name if len(name) <= most else name[: most - 1] + "…"


def _text(x: float, y: float, name: str, width: float) -> str:
    return f'<text class="label" x="{x:.1f}" y="{y:.1f}">{escape(_short(name, width))}</text>'


# Paths around (0, 0); marks repeat after five, in another colour.
_SHAPES = (
    "M-4.5,0a4.5,4.5 0 1,0 9,0a4.5,4.5 0 1,0 -9,0Z",
    "M-4,-4H4V4H-4Z",
    "M0,-5.2L5,4H-5Z",
    "M0,-5.6L5.6,0L0,5.6L-5.6,0Z",
    "M0,5.2L5,-4H-5Z",
)


def _mark(series: Series, x: float, y: float) -> str:
    shape = _SHAPES[0 if series.number is None else series.number % len(_SHAPES)]
    return f'<path class="mark" d="{shape}" transform="translate({x:.1f} {y:.1f})"/>'
