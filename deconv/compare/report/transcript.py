"""The recognised text as HTML, with its errors marked."""

from collections.abc import Sequence
from html import escape

from deconv._core.extras import extra

__all__ = ["mark_errors"]


def mark_errors(read: Sequence[str], truth: Sequence[str] | None) -> str:
    """Mark the edits that would correct the recognised text, the same ones that the accuracy counts.

    Parameters
    ----------
    read : sequence of str
        Recognised lines.
    truth : sequence of str or None
        True lines; None if unknown, and nothing is marked.

    Returns
    -------
    str
        ``del`` marks insertions, ``ins`` omissions, and ``ruby`` substitutions, with the true letters above. Lines end
        where the true lines do.
    """
    if not "".join(read).split():
        return '<em class="none">nothing</em>'
    if truth is None:
        return "<br>".join(escape(line) for line in read)
    with extra("compare", "the report of a comparison"):
        from rapidfuzz.distance import Levenshtein
    text, (true, ends) = _join(read)[0], _join(truth)
    return "".join(
        _edit(e.tag, text[e.src_start : e.src_end], _split(true, ends, e.dest_start, e.dest_end))
        for e in Levenshtein.opcodes(text, true)
    )


def _join(lines: Sequence[str]) -> tuple[str, set[int]]:
    """All lines joined by blanks, as for scoring, and the positions of the blanks that stand for the end of a line."""
    lines = [" ".join(line.split()) for line in lines]
    lines = [line for line in lines if line]
    ends, position = set(), -1
    for line in lines:
        position += len(line) + 1
        ends.add(position)
    return " ".join(lines), ends


def _split(text: str, ends: set[int], start: int, stop: int) -> list[str]:
    """A part of a text, split where lines end."""
    parts, begin = [], start
    for end in sorted(e for e in ends if start <= e < stop):
        parts.append(text[begin : end + 1])
        begin = end + 1
    return [*parts, text[begin:stop]]


def _edit(tag: str, read: str, true: list[str]) -> str:
    if tag == "equal":
        return "<br>".join(escape(part) for part in true)
    correct = "".join(true)
    after = "<br>" if len(true) > 1 else ""
    if tag == "delete":
        return f'<del title="read, but not there">{_visible(read)}</del>'
    if tag == "insert":
        return f'<ins title="not read">{_visible(correct)}</ins>{after}'
    return f'<ruby title="read wrongly">{_visible(read)}<rp>(</rp><rt>{_visible(correct)}</rt><rp>)</rp></ruby>{after}'


def _visible(text: str) -> str:
    """HTML with visible blanks."""
    return escape(text.replace(" ", "␣"))
