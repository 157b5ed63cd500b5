"""Read the rows of a comparison, and format its summaries as tables for a terminal and for LaTeX."""

import csv
import dataclasses
import io
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from deconv._core.extras import extra
from deconv.compare.protocol import Problem, Row
from deconv.compare.summary import Estimate, Summary

__all__ = ["Column", "as_latex", "as_text", "columns", "printable", "read_rows", "slug"]

_FIELDS = {field.name for field in dataclasses.fields(Row)}


def slug(name: str) -> str:
    """Convert a name to a folder name: lower-case letters, digits, dots and dashes.

    Parameters
    ----------
    name : str

    Returns
    -------
    str
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9.]+", "-", plain).strip("-.") or "unnamed"


def read_rows(path: str | Path) -> list[Row]:
    """Read the rows that a comparison wrote.

    An incomplete last line, left by a run that was killed, is ignored.

    Parameters
    ----------
    path : path
        File rows.csv; if it is missing, there are no rows.

    Returns
    -------
    list of Row
        The last row of each image, method and key.

    Raises
    ------
    Problem
        If it has other columns, or text in columns of numbers.

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
    rows: dict[tuple[str, ...], Row] = {}
    for cells in lines:
        try:
            row = Row.of(cells)
        except (KeyError, TypeError, ValueError):
            raise Problem(f"{path}, line {lines.line_num}, is not a row of a comparison") from None
        # A repeated row moves to the end, behind rows written in the meantime.
        rows.pop(place := (row.key, row.dataset, row.item, row.method), None)
        rows[place] = row
    return list(rows.values())


@dataclass(frozen=True)
class Column:
    """A column of the tables.

    Attributes
    ----------
    title : str
    help : str
        Its meaning, in one sentence.
    text : callable
        Formats the cell of a Summary; "" if it is empty.
    value : callable
        Sort key of a Summary, a number or a text; None if the cell is empty.
    best : {"high", "low", ""}
        Whether high or low numbers are good; "" for text.
    brief : bool
        Whether narrow tables include it.
    """

    title: str
    help: str
    text: Callable[[Summary], str]
    value: Callable[[Summary], object]
    best: str = "high"
    brief: bool = False


def columns(summaries: Sequence[Summary]) -> list[Column]:
    """Columns for the summaries of one data set, without those that would be empty.

    Parameters
    ----------
    summaries : list of Summary

    Returns
    -------
    list of Column
    """
    baseline, leading = summaries[0].baseline, _LEADING[summaries[0].leading]
    candidates = [
        _words("method", "method", "Name of the method.", brief=True),
        _words("kind", "kind", "Classical, learned, or a reference."),
        _words("given", "knows", "What the method was given besides the picture.", brief=True),
        Column(
            "ok",
            "Pictures with a result, of all pictures.",
            lambda s: f"{s.ok}/{s.of}",
            lambda s: s.ok / s.of,
            brief=True,
        ),
        leading,
        Column(
            "95 % interval",
            f"Confidence interval of the mean {leading.title}, by bootstrap over pictures.",
            lambda s: _interval(s, s.score),
            lambda s: s.score and s.score.low,
            brief=True,
        ),
        Column(
            f"over {baseline}",
            f"Mean gain in {leading.title} over {baseline} on the same pictures, and its 95 % interval.",
            lambda s: _signed(s) + (f" {_interval(s, s.gain, '+')}" if s.gain and s.gain.low is not None else ""),
            lambda s: s.gain and s.gain.mean,
            brief=True,
        ),
        _number("folded", "folded", "Accuracy that ignores case and confusable letters (O0o, Il1).", 3),
        _number("lines", "exact", "Fraction of lines read without error.", 3),
        _number(
            "HDC", "hdc", "Score of the Helsinki Deblur Challenge on the middle of three lines, 0 to 100.", 1, True
        ),
        _number("HDC 70", "readable", "Fraction of pictures whose HDC score is at least 70.", 2),
        *([_PSNR] if leading is not _PSNR else []),
        _number(
            "fitted", "fitted", "PSNR after the best gain and offset as well, which pairs of real photographs need.", 2
        ),
        _number("SSIM", "ssim", "Structural similarity, over the pictures with a result.", 3),
        _cost("s", "seconds", "Median wall-clock seconds for one picture.", _three_digits, brief=True),
        _cost("setup s", "setup", "Seconds to load the method.", _three_digits),
        _cost("MB", "memory", "Peak memory of its process, in MB.", "{:.0f}".format),
        _cost("GPU MB", "gpu", "Peak memory of the GPU in MB, if the method reports it.", "{:.0f}".format),
        _cost("parameters", "parameters", "Number of trained parameters, if the method reports it.", "{:,}".format),
    ]
    return [column for column in candidates if any(column.value(s) is not None for s in summaries)]


def as_text(summaries: Sequence[Summary]) -> str:
    """Format summaries as a table for a terminal.

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
    method    given      ok    accuracy
    --------  -------  ----  ----------
    blurred   nothing   1/1       0.250
    """
    return "\n\n".join(
        f"{printable(dataset)}\n\n{_tabulated(group, [c for c in columns(group) if c.brief], 'simple')}"
        for dataset, group in _by_dataset(summaries)
    )


# Nine columns have to fit between the margins of an article.
_SMALL = "\\scriptsize\\setlength{\\tabcolsep}{3pt}"


def as_latex(summaries: Sequence[Summary], caption: str) -> str:
    r"""Format summaries as a table for LaTeX, with the package booktabs.

    Parameters
    ----------
    summaries : list of Summary
        As of `summarise`.
    caption : str
        Plain text, "" for none; the name of the data set is appended if there are several.

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
    groups = _by_dataset(summaries)
    tables = []
    with extra("compare", "the table of a comparison"):
        import tabulate
    for dataset, group in groups:
        full_caption = ": ".join(part for part in (caption, dataset if len(groups) > 1 else "") if part)
        brief = [c for c in columns(group) if c.brief]
        # LaTeX needs $-$ for a minus, but tabulate would escape the dollars: they are put in afterwards.
        body = _tabulated(group, brief, "latex_booktabs", minus=_MINUS, none="--").replace(_MINUS, "$-$")
        escaped = "".join(tabulate.LATEX_ESCAPE_RULES.get(letter, letter) for letter in printable(full_caption))
        caption_line = [f"\\caption{{{escaped}}}"] if full_caption else []
        lines = ["\\begin{table}", "\\centering", *caption_line, _SMALL, body, "\\end{table}"]
        tables.append("\n".join(lines))
    return "\n\n".join(tables)


def _by_dataset(summaries: Sequence[Summary]) -> list[tuple[str, list[Summary]]]:
    return [(dataset, list(group)) for dataset, group in groupby(summaries, key=lambda s: s.dataset)]


def _tabulated(
    summaries: Sequence[Summary], shown: Sequence[Column], style: str, minus: str = "-", none: str = "-"
) -> str:
    cells = [
        [c.text(s).replace("-", minus) or none if c.best else printable(c.text(s)) for c in shown] for s in summaries
    ]
    with extra("compare", "the table of a comparison"):
        import tabulate
    table: str = tabulate.tabulate(
        cells,
        [printable(column.title) for column in shown],
        tablefmt=style,
        disable_numparse=True,
        colalign=["right" if column.best else "left" for column in shown],
    )
    return table


_MINUS = "\N{MINUS SIGN}"


def printable(text: str) -> str:
    """The text on one line, without terminal control characters."""
    return "".join(letter if letter.isprintable() else "?" for letter in " ".join(text.split()))


def _words(title: str, name: str, help: str, *, brief: bool = False) -> Column:
    return Column(title, help, lambda s: getattr(s, name), lambda s: getattr(s, name) or None, "", brief)


def _number(title: str, name: str, help: str, places: int, brief: bool = False) -> Column:
    def text(s: Summary) -> str:
        value = getattr(s, name)
        return "" if value is None else f"{value:.{places}f}"

    return Column(title, help, text, lambda s: getattr(s, name), brief=brief)


def _cost(title: str, name: str, help: str, format: Callable[[Any], str], *, brief: bool = False) -> Column:
    """Time or memory of a method; empty for references, which only copy."""

    def value(s: Summary) -> Any:
        return None if s.kind == "reference" else getattr(s, name)

    return Column(title, help, lambda s: "" if value(s) is None else format(value(s)), value, "low", brief)


def _three_digits(value: float) -> str:
    return f"{value:.3g}" if value < 1000 else f"{value:.0f}"


def _psnr(s: Summary) -> str:
    """Mean PSNR, with the number of images in brackets if that is not all."""
    return "" if s.psnr is None else f"{s.psnr:.2f}" + (f" ({s.compared})" if s.compared < s.of else "")


_PSNR = Column(
    "PSNR",
    "In dB, grey, after the best shift; mean over the pictures with a result, whose number is in brackets if not all.",
    _psnr,
    lambda s: s.psnr,
    brief=True,
)
_LEADING = {
    "accuracy": _number(
        "accuracy", "accuracy", "Fraction of characters read correctly, a failure counting as 0.", 3, True
    ),
    "psnr": _PSNR,
}
# Decimal places of the leading score.
_PLACES = {"accuracy": 3, "psnr": 2}


def _signed(s: Summary) -> str:
    return "" if s.gain is None else f"{s.gain.mean:+.{_PLACES[s.leading]}f}"


def _interval(s: Summary, estimate: Estimate | None, sign: str = "") -> str:
    if estimate is None or estimate.low is None:
        return ""
    places = _PLACES[s.leading]
    return f"[{estimate.low:{sign}.{places}f}, {estimate.high:{sign}.{places}f}]"
