"""The report: a comparison as one self-contained HTML file."""

import json
from collections.abc import Iterable, Iterator
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from deconv._core import files
from deconv.compare.protocol import Problem, Row
from deconv.compare.report.calibration import calibration_html
from deconv.compare.report.pictures import pictures_html
from deconv.compare.report.scores import plots_html, scores_html
from deconv.compare.report.section import Section
from deconv.compare.summary import complete, summarise
from deconv.compare.table import read_rows, slug

__all__ = ["write_report"]

# Characters of all embedded images together: the rest of 15 MB is for the text.
_PICTURE_CHARACTERS = 12_000_000
# Number of failures listed.
_MAX_FAILURES = 200


def write_report(
    out: str | Path, *, rows: Iterable[Row] | None = None, title: str | None = None, baseline: str = "blurred"
) -> None:
    """Write ``report.html`` into the folder of a comparison.

    Parameters
    ----------
    out : path
        Folder with rows.csv and, if they exist, env.json, truth.json and restored/.
    rows : list of Row, optional
        Rows to report; by default all of rows.csv.
    title : str, optional
        Title of the page.
    baseline : str
        Method that the others are compared to.

    Raises
    ------
    Problem
        If the folder has no rows, or its files are not those of a comparison.
    FileProblem
        If it cannot be written.

    Examples
    --------
    >>> from deconv.compare import write_report
    >>> write_report("comparison", title="Wiener and friends on our photographs")  # doctest: +SKIP
    """
    out = Path(out)
    rows = complete(read_rows(out / "rows.csv") if rows is None else rows)
    if not rows:
        raise Problem(f"{out} has no rows.csv with rows in it")
    truth, env = _json(out / "truth.json"), _json(out / "env.json")
    summaries = summarise(rows, baseline)
    learners = list(dict.fromkeys(s.method for s in summaries if s.kind != "reference"))
    numbers = {s.method: learners.index(s.method) if s.method in learners else None for s in summaries}
    sections = []
    for place, dataset in enumerate(dict.fromkeys(row.dataset for row in rows), 1):
        sections.append(
            Section(
                f"set{place}",
                dataset,
                [row for row in rows if row.dataset == dataset],
                [s for s in summaries if s.dataset == dataset],
                numbers,
                truth.get(dataset, {}),
                out / "restored" / slug(dataset),
            )
        )
    title = title or f"Comparison on {', '.join(section.dataset for section in sections)}"
    template = Template(Path(__file__).with_name("template.html").read_text(encoding="utf-8"))
    page = template.substitute(
        title=escape(title),
        facts=_facts(rows, learners, sections),
        contents=_contents(sections) if len(sections) > 1 else "",
        sections="\n".join(
            _section_html(section, _PICTURE_CHARACTERS * len(section.rows) // len(rows), env) for section in sections
        ),
        # The calibration has its own table, and a line for each candidate would bury the rest.
        environment=_environment({name: value for name, value in env.items() if name != "calibration"}),
    )
    files.replace(out / "report.html", page.encode("utf-8", "replace"))


def _json(path: Path) -> dict[str, Any]:
    """The JSON object in a file; empty if there is no file."""
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        raise Problem(f"{path} is not JSON") from None
    if not isinstance(content, dict):
        raise Problem(f"{path} is not a JSON object")
    return content


def _facts(rows: list[Row], methods: list[str], sections: list[Section]) -> str:
    failed = sum(bool(row.problem) for row in rows)
    facts = [
        (len(methods), "method"),
        (sum(len(section.items) for section in sections), "picture"),
        (len(sections), "data set"),
        (failed, "failure"),
    ]
    return "".join(f"<li><b>{n}</b> {name}{'' if n == 1 else 's'}</li>" for n, name in facts)


def _contents(sections: list[Section]) -> str:
    links = "".join(f'<li><a href="#{s.key}">{escape(s.dataset)}</a></li>' for s in sections)
    return f'<nav aria-label="Data sets"><ul>{links}</ul></nav>'


def _section_html(section: Section, characters: int, env: dict[str, Any]) -> str:
    inside = [
        _lead(section),
        scores_html(section),
        calibration_html(section, env),
        plots_html(section),
        _failures(section),
        pictures_html(section, characters),
    ]
    return (
        f'<section id="{section.key}" aria-labelledby="{section.key}-name">\n'
        f'<h2 id="{section.key}-name">{escape(section.dataset)}</h2>\n{"".join(inside)}</section>'
    )


def _lead(section: Section) -> str:
    """The result in one sentence."""
    by_name = {s.method: s for s in section.summaries if s.score}
    best = next((s for s in by_name.values() if s.kind != "reference" and s.ok), None)
    if best is None or best.score is None:
        return '<p class="lead">No method gave a result that could be scored.</p>'
    reads = section.leading == "accuracy"

    def shown(value: float) -> str:
        return f"{100 * value:.0f} %" if reads else f"{value:.1f} dB"

    sentence = f"<strong>{escape(best.method)}</strong> "
    sentence += f"reads {shown(best.score.mean)} of the characters" if reads else f"comes to {shown(best.score.mean)}"
    if best.score.low is not None and best.score.high is not None:
        sentence += f" (95 % interval {shown(best.score.low)} to {shown(best.score.high)})"
    if best.knows not in ("", "nothing"):
        sentence += f", given the true {escape(best.knows.replace('psf', 'PSF').replace(', ', ' and '))}"
    others = [(best.baseline, "")] if best.baseline in by_name and best.baseline != best.method else []
    if "sharp" in by_name and reads:
        others.append(("sharp", ", the upper bound"))
    rest = "".join(f"; {escape(n)} {shown(s.score.mean)}{more}" for n, more in others if (s := by_name[n]).score)
    return f'<p class="lead">Best: {sentence}{rest}.</p>\n'


def _failures(section: Section) -> str:
    failed = [row for row in section.rows if row.problem]
    if not failed:
        return ""
    body = "".join(
        f'<tr><th scope="row">{escape(row.method)}</th><td>{escape(row.item)}</td>'
        f"<td>{escape(row.problem[:500])}</td></tr>"
        for row in failed[:_MAX_FAILURES]
    )
    more = len(failed) - _MAX_FAILURES
    return (
        f'<h3>Failures</h3>\n<div class="scroll" role="region" tabindex="0" '
        f'aria-label="Failures on {escape(section.dataset)}"><table><caption class="hidden">Failures</caption>'
        '<thead><tr><th scope="col">method</th><th scope="col">picture</th><th scope="col">reason</th></tr></thead>'
        f"<tbody>{body}</tbody></table></div>\n"
        + (f'<p class="hint">{more} more failures are in rows.csv.</p>\n' if more > 0 else "")
    )


def _environment(env: dict[str, Any]) -> str:
    if not env:
        return "<p>env.json is missing.</p>"
    lines = "".join(f'<tr><th scope="row">{escape(k)}</th><td>{escape(v)}</td></tr>' for k, v in _flat(env))
    return f'<table><caption class="hidden">Environment</caption><tbody>{lines}</tbody></table>'


def _flat(content: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Dotted names and values of nested JSON."""
    if isinstance(content, dict | list) and content:
        pairs = content.items() if isinstance(content, dict) else enumerate(content, 1)
        for key, value in pairs:
            yield from _flat(value, f"{name}.{key}" if name else str(key))
    else:
        yield name, content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
