"""The table of scores of the report, and its plots."""

import statistics
from html import escape

from deconv.compare.report.plot import against_level, against_seconds, chip
from deconv.compare.table import columns

__all__ = ["plots", "scores"]

# What stands for a number that is not there.
_NONE = "\N{EN DASH}"
_HINT = {
    "accuracy": "Failures count as nothing read, and are never left out.",
    "psnr": "Means are over the pictures with a result; where some have none, their number stands in brackets.",
}


def scores(part):
    """Table of the scores, to be sorted."""
    shown = columns(part.summaries)
    heads = "".join(
        f'<th scope="col" class="{"number" if column.best else "words"}" data-best="{column.best}">'
        f'<button type="button">{escape(column.title)}</button></th>'
        for column in shown
    )
    body = "\n".join(_score_row(part, s, shown) for s in part.summaries)
    meaning = "".join(f"<div><dt>{escape(c.title)}</dt><dd>{escape(c.help)}</dd></div>" for c in shown)
    return (
        f'<h3>Scores</h3>\n<p class="hint">{_HINT[part.leading]} The heads of the columns sort.</p>\n'
        f'<div class="scroll" role="region" tabindex="0" aria-label="Scores on {escape(part.dataset)}">'
        f'<table class="scores"><caption class="hidden">Scores on {escape(part.dataset)}</caption>'
        f"<thead><tr>{heads}</tr></thead><tbody>\n{body}\n</tbody></table></div>\n"
        '<p class="hidden" role="status"></p>\n'
        f"<details><summary>What the columns mean</summary><dl>{meaning}</dl></details>\n"
    )


def _score_row(part, s, shown):
    cells = []
    for column in shown:
        value = column.value(s)
        text = escape(_minus(column.text(s)) or _NONE if column.best else column.text(s))
        if column.title == "method":
            name = f'<span class="who">{chip(part.series(s, []))}<span>{text}</span></span>'
            cells.append(f'<th scope="row" data-value="{text}">{name}</th>')
            continue
        if column.title == "accuracy" and s.score:
            text = _bar(s.score) + text
        kind = "number" if column.best else "words"
        cells.append(f'<td class="{kind}" data-value="{escape(str("" if value is None else value))}">{text}</td>')
    return f'<tr class="{"reference" if s.kind == "reference" else "own"}">{"".join(cells)}</tr>'


def _bar(estimate):
    low, high = (estimate.mean if end is None else end for end in (estimate.low, estimate.high))
    parts = f"--mean:{100 * estimate.mean:.1f}%;--low:{100 * low:.1f}%;--high:{100 * high:.1f}%"
    return f'<span class="bar" style="{parts}" aria-hidden="true"></span>'


def _minus(text):
    return text.replace("-", "\N{MINUS SIGN}")


def plots(part):
    """Score against level, where there are several, and against seconds."""
    score, top = ("character accuracy", 1.0) if part.leading == "accuracy" else ("PSNR (dB)", None)
    figures = []
    # (The true pictures are as far from themselves as 100 dB, off any useful scale.)
    drawn = [s for s in part.summaries if s.score and (part.leading != "psnr" or s.score.mean < 99)]
    by_level = {s.method: _by_level(part, s.method) for s in drawn}
    levels = sorted({level for points in by_level.values() for level in points})
    if len(levels) > 1:
        lines = [part.series(s, sorted(by_level[s.method].items())) for s in drawn if by_level[s.method]]
        title = f"{score} of each method against the level of blur; the numbers follow in a table"
        drawing = against_level(lines, score, top, title)
        figures.append(_figure(part, "How far each method reaches", drawing, _levels_table(part, levels, by_level)))
    dots = [
        part.series(s, [(s.seconds, s.score.mean)], s.score.low, s.score.high)
        for s in drawn
        if s.seconds is not None and s.kind != "reference"
    ]
    if dots:
        across = [part.series(s, [(0.0, s.score.mean)]) for s in drawn if s.kind == "reference"]
        title = f"{score} of each method against its seconds for a picture; both numbers are in the table of scores"
        note = '<p class="hint">Bars are 95 % intervals over pictures.</p>'
        drawing = against_seconds(dots, across, score, top, title)
        figures.append(_figure(part, "What it takes", drawing, note))
    return f'<h3>Plots</h3>\n<div class="plots">{"".join(figures)}</div>\n' if figures else ""


def _figure(part, name, drawing, below):
    return (
        f"<figure><figcaption>{name}</figcaption>"
        f'<div class="scroll" role="region" tabindex="0" aria-label="{name}, plot for {escape(part.dataset)}">{drawing}'
        f"</div>{below}</figure>\n"
    )


def _by_level(part, method):
    """Mean of the leading score at each level."""
    found: dict[float, list] = {}
    for row in part.rows:
        value = getattr(row, part.leading)
        if row.method == method and row.level is not None and value is not None:
            found.setdefault(row.level, []).append(value)
    return {level: statistics.fmean(values) for level, values in found.items()}


def _levels_table(part, levels, by_level):
    heads = "".join(f'<th scope="col" class="number">{level:g}</th>' for level in levels)
    places = 2 if part.leading == "accuracy" else 1
    body = ""
    for method, points in by_level.items():
        cells = (f"{points[level]:.{places}f}" if level in points else _NONE for level in levels)
        body += f'<tr><th scope="row">{escape(method)}</th>'
        body += "".join(f'<td class="number">{cell}</td>' for cell in cells) + "</tr>"
    label = f"Scores by level on {escape(part.dataset)}"
    return (
        f'<details><summary>The numbers</summary><div class="scroll" role="region" tabindex="0" aria-label="{label}">'
        f'<table><caption class="hidden">{label}</caption><thead><tr><th scope="col">level</th>{heads}</tr></thead>'
        f"<tbody>{body}</tbody></table></div></details>"
    )
