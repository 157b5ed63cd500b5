"""What was read, its errors marked, as HTML."""

from html import escape

from deconv._core.extras import extra

__all__ = ["marked"]


def marked(read, truth):
    """The text read, with the edits marked that would make it true: the same ones as the accuracy counts.

    Parameters
    ----------
    read : sequence of str
        Lines.
    truth : sequence of str or None
        True lines; None where they are not known, and nothing is marked.

    Returns
    -------
    str
        ``del`` is what was read and is not there, ``ins`` what is there and was not read, and ``ruby`` one for the
        other, the true letters above. Lines end where the true lines do.
    """
    if not "".join(read).split():
        return '<em class="none">nothing</em>'
    if truth is None:
        return "<br>".join(escape(line) for line in read)
    with extra("compare", "the report of a comparison"):
        from rapidfuzz.distance import Levenshtein
    was, (true, ends) = _one_line(read)[0], _one_line(truth)
    return "".join(_edit(tag, was[i:j], _lines(true, ends, k, m)) for tag, i, j, k, m in Levenshtein.opcodes(was, true))


def _one_line(lines):
    """All lines as one, as for scoring, and the places of the blanks in it that stand for the end of a line."""
    lines = [" ".join(line.split()) for line in lines]
    lines = [line for line in lines if line]
    ends, at = set(), -1
    for line in lines:
        at += len(line) + 1
        ends.add(at)
    return " ".join(lines), ends


def _lines(text, ends, start, stop):
    """A part of a text, cut where lines end."""
    parts, begin = [], start
    for end in sorted(e for e in ends if start <= e < stop):
        parts.append(text[begin : end + 1])
        begin = end + 1
    return [*parts, text[begin:stop]]


def _edit(tag, was, true):
    if tag == "equal":
        return "<br>".join(escape(part) for part in true)
    there = "".join(true)
    after = "<br>" if len(true) > 1 else ""
    if tag == "delete":
        return f'<del title="read, but not there">{_seen(was)}</del>'
    if tag == "insert":
        return f'<ins title="not read">{_seen(there)}</ins>{after}'
    return f'<ruby title="read wrongly">{_seen(was)}<rp>(</rp><rt>{_seen(there)}</rt><rp>)</rp></ruby>{after}'


def _seen(text):
    """With blanks that can be seen."""
    return escape(text.replace(" ", "␣"))
