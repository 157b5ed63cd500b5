"""The report's table of scores, and its plots."""

import statistics
from html import escape

from deconv.compare.report.plot import against_level, against_seconds, chip
from deconv.compare.report.section import Section
from deconv.compare.summary import Estimate, Summary
from deconv.compare.table import Column, columns

__all__ = ["plots_html", "scores_html"]

# Shown for a missing number.
_NONE = "\N{EN DASH}"
_HINT = {
    "accuracy": "Failures count as nothing read, and are never left out.",
    "psnr": "Means are over the pictures with a result; if some have none, the number of those that do is in brackets.",
}


def scores_html(section: Section) -> str:
    """The sortable table of scores."""
    shown = columns(section.summaries)
    heads = "".join(
        f'<th scope="col" class="{"number" if column.best else "words"}" data-best="{column.best}">'
        f'<button type="button">{escape(column.title)}</button></th>'
        for column in shown
    )
    body = "\n".join(_score_row(section, s, shown) for s in section.summaries)
    meaning = "".join(f"<div><dt>{escape(c.title)}</dt><dd>{escape(c.help)}</dd></div>" for c in shown)
    return (
        f'<h3>Scores</h3>\n<p class="hint">{_HINT[section.leading]} Click a column head to sort.</p>\n'
        f'<div class="scroll" role="region" tabindex="0" aria-label="Scores on {escape(section.dataset)}">'
        f'<table class="scores"><caption class="hidden">Scores on {escape(section.dataset)}</caption>'
        f"<thead><tr>{heads}</tr></thead><tbody>\n{body}\n</tbody></table></div>\n"
        '<p class="hidden" role="status"></p>\n'
        f"<details><summary>What the columns mean</summary><dl>{meaning}</dl></details>\n"
    )


def _score_row(section: Section, s: Summary, shown: list[Column]) -> str:
    cells = []
    for column in shown:
        value = column.value(s)
        text = escape(_minus(column.text(s)) or _NONE if column.best else column.text(s))
        if column.title == "method":
            name = f'<span class="who">{chip(section.series(s, []))}<span>{text}</span></span>'
            cells.append(f'<th scope="row" data-value="{text}">{name}</th>')
            continue
        if column.title == "accuracy" and s.score:
            text = _bar(s.score) + text
        kind = "number" if column.best else "words"
        cells.append(f'<td class="{kind}" data-value="{escape(str("" if value is None else value))}">{text}</td>')
    return f'<tr class="{"reference" if s.kind == "reference" else "own"}">{"".join(cells)}</tr>'


def _bar(estimate: Estimate) -> str:
    low, high = (estimate.mean if end is None else end for end in (estimate.low, estimate.high))
    parts = f"--mean:{100 * estimate.mean:.1f}%;--low:{100 * low:.1f}%;--high:{100 * high:.1f}%"
    return f'<span class="bar" style="{parts}" aria-hidden="true"></span>'


def _minus(text: str) -> str:
    return text.replace("-", "\N{MINUS SIGN}")


def plots_html(section: Section) -> str:
    """Plots of the score against the level, if there are several levels, and against the seconds."""
    score, top = ("character accuracy", 1.0) if section.leading == "accuracy" else ("PSNR (dB)", None)
    figures = []
    # The true images have 100 dB to themselves, off any useful scale.
    drawn = [s for s in section.summaries if s.score and (section.leading != "psnr" or s.score.mean < 99)]
    by_level = {s.method: _by_level(section, s.method) for s in drawn}
    levels = sorted({level for points in by_level.values() for level in points})
    if len(levels) > 1:
        lines = [section.series(s, sorted(by_level[s.method].items())) for s in drawn if by_level[s.method]]
        title = f"{score} of each method against the level of blur; the numbers are in the table below"
        drawing = against_level(lines, score, top, title)
        figures.append(_figure(section, "Score by level of blur", drawing, _levels_table(section, levels, by_level)))
    dots = [
        section.series(s, [(s.seconds, s.score.mean)], s.score.low, s.score.high)
        for s in drawn
        if s.score and s.seconds is not None and s.kind != "reference"
    ]
    if dots:
        across = [section.series(s, [(0.0, s.score.mean)]) for s in drawn if s.score and s.kind == "reference"]
        title = f"{score} of each method against its seconds for a picture; both numbers are in the table of scores"
        note = '<p class="hint">Bars are 95 % intervals over pictures.</p>'
        drawing = against_seconds(dots, across, score, top, title)
        figures.append(_figure(section, "Score by time", drawing, note))
    return f'<h3>Plots</h3>\n<div class="plots">{"".join(figures)}</div>\n' if figures else ""


def _figure(section: Section, name: str, drawing: str, below: str) -> str:
    return (
        f"<figure><figcaption>{name}</figcaption>"
        f'<div class="scroll" role="region" tabindex="0" aria-label="{name}, plot for {escape(section.dataset)}">'
        f"{drawing}</div>{below}</figure>\n"
    )


def _by_level(section: Section, method: str) -> dict[float, float]:
    """Mean of the leading score at each level."""
    by_level: dict[float, list[float]] = {}
    for row in section.rows:
        value = getattr(row, section.leading)
        if row.method == method and row.level is not None and value is not None:
            by_level.setdefault(row.level, []).append(value)
    return {level: statistics.fmean(values) for level, values in by_level.items()}


def _levels_table(section: Section, levels: list[float], by_level: dict[str, dict[float, float]]) -> str:
    heads = "".join(f'<th scope="col" class="number">{level:g}</th>' for level in levels)
    places = 2 if section.leading == "accuracy" else 1
    body = ""
    for method, points in by_level.items():
        cells = (f"{points[level]:.{places}f}" if level in points else _NONE for level in levels)
        body += f'<tr><th scope="row">{escape(method)}</th>'
        body += "".join(f'<td class="number">{cell}</td>' for cell in cells) + "</tr>"
    label = f"Scores by level on {escape(section.dataset)}"
    return (
        f'<details><summary>The numbers</summary><div class="scroll" role="region" tabindex="0" aria-label="{label}">'
        f'<table><caption class="hidden">{label}</caption><thead><tr><th scope="col">level</th>{heads}</tr></thead>'
        f"<tbody>{body}</tbody></table></div></details>"
    )
