"""The rows of a comparison from their file, and its summaries as tables for a terminal and for LaTeX."""

import csv
import dataclasses
import io
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from deconv._core.extras import extra
from deconv.compare.protocol import Problem, Row
from deconv.compare.summary import Summary

__all__ = ["Column", "as_latex", "as_text", "columns", "printable", "read_rows", "slug"]

_FIELDS = {field.name for field in dataclasses.fields(Row)}


def slug(name):
    """A name made fit for a folder: lower-case letters, digits, dots and dashes.

    Parameters
    ----------
    name : str

    Returns
    -------
    str
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9.]+", "-", plain).strip("-.") or "unnamed"


def read_rows(path):
    """The rows that a comparison wrote.

    A line that is broken off at the end, as of a run that was killed, is left out.

    Parameters
    ----------
    path : path
        Of rows.csv; if there is none there are no rows.

    Returns
    -------
    list of Row
        Of each picture by each method under each key the last: what was run again counts.

    Raises
    ------
    Problem
        If it has other columns, or values that are no numbers where numbers belong.

    Examples
    --------
    >>> from deconv.compare import as_text, read_rows, summarise
    >>> print(as_text(summarise(read_rows("comparison/rows.csv"))))  # doctest: +SKIP
    """
    path = Path(path)
    if not path.is_file():
        return []
    data = path.read_bytes()
    text = data[: data.rfind(b"\n") + 1].decode("utf-8-sig", "replace")
    lines = csv.DictReader(io.StringIO(text, newline=""))
    if lines.fieldnames is None:
        return []
    if set(lines.fieldnames) != _FIELDS:
        differ = ", ".join(sorted(_FIELDS ^ set(lines.fieldnames)))
        raise Problem(f"{path} is not a table of this version of the comparison, columns that differ: {differ}")
    rows = {}
    for cells in lines:
        try:
            row = Row.of(cells)
        except (KeyError, TypeError, ValueError):
            raise Problem(f"{path}, line {lines.line_num}, is not a row of a comparison") from None
        # (At the end, as it is the last now: what is made again moves behind what was made meanwhile.)
        rows.pop(at := (row.key, row.dataset, row.item, row.method), None)
        rows[at] = row
    return list(rows.values())


@dataclass(frozen=True)
class Column:
    """A column of the tables.

    Attributes
    ----------
    title : str
    help : str
        What it means, in one sentence.
    text : callable
        Cell of a Summary as it is shown; "" if there is none.
    value : callable
        What the column is sorted by, a number or a text; None if there is none.
    best : {"high", "low", ""}
        Which numbers are good; "" for text.
    brief : bool
        Whether a narrow table has it.
    """

    title: str
    help: str
    text: Callable[[Summary], str]
    value: Callable[[Summary], object]
    best: str = "high"
    brief: bool = False


def columns(summaries):
    """Columns for the summaries of one data set: those in which at least one has something.

    Parameters
    ----------
    summaries : list of Summary

    Returns
    -------
    list of Column
    """
    baseline, leading = summaries[0].baseline, _LEADING[summaries[0].leading]
    found = [
        _words("method", "method", "Its name.", brief=True),
        _words("kind", "kind", "Classical, learned, or a reference."),
        _words("told", "knows", "What it was told beside the picture.", brief=True),
        Column(
            "ok",
            "Pictures with a result, of all it was given.",
            lambda s: f"{s.ok}/{s.of}",
            lambda s: s.ok / s.of,
            brief=True,
        ),
        leading,
        Column(
            "95 % interval",
            f"Of the mean {leading.title}, by bootstrap over pictures.",
            lambda s: _interval(s, s.score),
            lambda s: s.score and s.score.low,
            brief=True,
        ),
        Column(
            f"over {baseline}",
            f"Mean difference of {leading.title} to {baseline} on the same pictures, and its 95 % interval.",
            lambda s: _signed(s) + (f" {_interval(s, s.gain, '+')}" if s.gain and s.gain.low is not None else ""),
            lambda s: s.gain and s.gain.mean,
            brief=True,
        ),
        _number("folded", "folded", "Accuracy with case and letters that look alike (O0o, Il1) taken for the same.", 3),
        _number("lines", "exact", "Share of lines read without any error.", 3),
        _number(
            "HDC", "hdc", "Score of the Helsinki Deblur Challenge on the middle of three lines, 0 to 100.", 1, True
        ),
        _number("HDC 70", "readable", "Share of pictures whose HDC score is at least 70.", 2),
        *([_PSNR] if leading is not _PSNR else []),
        _number("fitted", "fitted", "PSNR after the best gain and offset as well, as real pairs need.", 2),
        _number("SSIM", "ssim", "Structural similarity, over the pictures with a result.", 3),
        _cost("s", "seconds", "Seconds by the clock for one picture, the median.", _three_digits, brief=True),
        _cost("setup s", "setup", "Seconds to load it.", _three_digits),
        _cost("MB", "memory", "Most memory of its process, in MB.", "{:.0f}".format),
        _cost("GPU MB", "gpu", "Most memory of the GPU in MB, where it tells.", "{:.0f}".format),
        _cost("parameters", "parameters", "Numbers that were trained, where it tells.", "{:,}".format),
    ]
    return [column for column in found if any(column.value(s) is not None for s in summaries)]


def as_text(summaries):
    """Table for a terminal.

    Parameters
    ----------
    summaries : list of Summary
        As of `summarise`.

    Returns
    -------
    str
        A table for each data set, of the columns that matter most.

    Examples
    --------
    >>> from deconv.compare import Row, as_text, summarise
    >>> rows = [Row("pages", "page0", "blurred", "reference", "nothing", "", accuracy=0.25)]
    >>> print(as_text(summarise(rows)))
    pages
    <BLANKLINE>
    method    told       ok    accuracy
    --------  -------  ----  ----------
    blurred   nothing   1/1       0.250
    """
    return "\n\n".join(
        f"{printable(dataset)}\n\n{_tabulated(group, [c for c in columns(group) if c.brief], 'simple')}"
        for dataset, group in _by_dataset(summaries)
    )


# So that nine columns fit between the margins of an article.
_SMALL = "\\scriptsize\\setlength{\\tabcolsep}{3pt}"


def as_latex(summaries, caption):
    r"""Table for LaTeX, with the package booktabs.

    Parameters
    ----------
    summaries : list of Summary
        As of `summarise`.
    caption : str
        Plain text, "" for none; the name of the data set is added where there are several.

    Returns
    -------
    str
        A table for each data set, of the columns that fit on a page; rows.csv has all.

    Examples
    --------
    >>> from deconv.compare import Row, as_latex, summarise
    >>> rows = [Row("pages", "page0", "blurred", "reference", "nothing", "", accuracy=0.25)]
    >>> print(as_latex(summarise(rows), "50 % of nothing").splitlines()[2])
    \caption{50 \% of nothing}
    """
    with extra("compare", "the table of a comparison"):
        import tabulate
    groups = _by_dataset(summaries)
    tables = []
    for dataset, group in groups:
        own = ": ".join(part for part in (caption, dataset if len(groups) > 1 else "") if part)
        brief = [c for c in columns(group) if c.brief]
        # (A hyphen is no minus, and the dollars around one would be escaped.)
        body = _tabulated(group, brief, "latex_booktabs", minus=_MINUS, none="--").replace(_MINUS, "$-$")
        escaped = "".join(tabulate.LATEX_ESCAPE_RULES.get(letter, letter) for letter in printable(own))
        caption_line = [f"\\caption{{{escaped}}}"] if own else []
        lines = ["\\begin{table}", "\\centering", *caption_line, _SMALL, body, "\\end{table}"]
        tables.append("\n".join(lines))
    return "\n\n".join(tables)


def _by_dataset(summaries):
    return [(dataset, list(group)) for dataset, group in groupby(summaries, key=lambda s: s.dataset)]


def _tabulated(summaries, shown, style, minus="-", none="-"):
    cells = [
        [c.text(s).replace("-", minus) or none if c.best else printable(c.text(s)) for c in shown] for s in summaries
    ]
    with extra("compare", "the table of a comparison"):
        import tabulate
    return tabulate.tabulate(
        cells,
        [printable(column.title) for column in shown],
        tablefmt=style,
        disable_numparse=True,
        colalign=["right" if column.best else "left" for column in shown],
    )


_MINUS = "\N{MINUS SIGN}"


def printable(text):
    """On one line, and without what a terminal would obey."""
    return "".join(letter if letter.isprintable() else "?" for letter in " ".join(text.split()))


def _words(title, name, help, *, brief=False):
    return Column(title, help, lambda s: getattr(s, name), lambda s: getattr(s, name) or None, "", brief)


def _number(title, name, help, places, brief=False):
    def text(s):
        value = getattr(s, name)
        return "" if value is None else f"{value:.{places}f}"

    return Column(title, help, text, lambda s: getattr(s, name), brief=brief)


def _cost(title, name, help, shown, *, brief=False):
    """What a method takes; a reference, which only copies, takes nothing worth telling."""

    def value(s):
        return None if s.kind == "reference" else getattr(s, name)

    return Column(title, help, lambda s: "" if value(s) is None else shown(value(s)), value, "low", brief)


def _three_digits(value):
    return f"{value:.3g}" if value < 1000 else f"{value:.0f}"


def _psnr(s):
    """With the number of pictures it is the mean of, where that is not all."""
    return "" if s.psnr is None else f"{s.psnr:.2f}" + (f" ({s.compared})" if s.compared < s.of else "")


_PSNR = Column(
    "PSNR",
    "In dB, grey, after the best shift; a mean over the pictures with a result, in brackets how many if not all.",
    _psnr,
    lambda s: s.psnr,
    brief=True,
)
_LEADING = {
    "accuracy": _number("accuracy", "accuracy", "Share of characters read rightly, a failure counting as 0.", 3, True),
    "psnr": _PSNR,
}
# Decimal places of the leading score.
_PLACES = {"accuracy": 3, "psnr": 2}


def _signed(s):
    return "" if s.gain is None else f"{s.gain.mean:+.{_PLACES[s.leading]}f}"


def _interval(s, estimate, sign=""):
    if estimate is None or estimate.low is None:
        return ""
    places = _PLACES[s.leading]
    return f"[{estimate.low:{sign}.{places}f}, {estimate.high:{sign}.{places}f}]"
