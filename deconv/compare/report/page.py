"""The report: one page that holds all of a comparison, to be opened from disk and sent."""

import json
from html import escape
from pathlib import Path
from string import Template

from deconv._core import files as _files
from deconv.compare.protocol import Problem
from deconv.compare.report.calibration import calibration
from deconv.compare.report.part import Part
from deconv.compare.report.pictures import pictures
from deconv.compare.report.scores import plots, scores
from deconv.compare.summary import complete, summarise
from deconv.compare.table import read_rows, slug

__all__ = ["write_report"]

# Letters of all embedded pictures together: what remains to 15 MB is for the text.
_LETTERS = 12_000_000
# Failures that are listed.
_FAILURES = 200


def write_report(out, *, rows=None, title=None, baseline="blurred"):
    """Write ``report.html`` into the folder of a comparison.

    Parameters
    ----------
    out : path
        Folder with rows.csv and, as far as they are there, env.json, truth.json and restored/.
    rows : list of Row, optional
        Those that it tells of; by default all of rows.csv.
    title : str, optional
        Of the page.
    baseline : str
        Method with which the others are compared.

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
    truth, told = _json(out / "truth.json"), _json(out / "env.json")
    summaries = summarise(rows, baseline)
    learners = list(dict.fromkeys(s.method for s in summaries if s.kind != "reference"))
    numbers = {s.method: learners.index(s.method) if s.method in learners else None for s in summaries}
    parts = []
    for place, dataset in enumerate(dict.fromkeys(row.dataset for row in rows), 1):
        parts.append(
            Part(
                f"set{place}",
                dataset,
                [row for row in rows if row.dataset == dataset],
                [s for s in summaries if s.dataset == dataset],
                numbers,
                truth.get(dataset, {}),
                out / "restored" / slug(dataset),
            )
        )
    title = title or f"Comparison on {', '.join(part.dataset for part in parts)}"
    template = Template(Path(__file__).with_name("template.html").read_text(encoding="utf-8"))
    page = template.substitute(
        title=escape(title),
        facts=_facts(rows, learners, parts),
        contents=_contents(parts) if len(parts) > 1 else "",
        sections="\n".join(_section(part, _LETTERS * len(part.rows) // len(rows), told) for part in parts),
        # (What was chosen has its own table, and each candidate a line would bury the rest.)
        environment=_environment({name: value for name, value in told.items() if name != "calibration"}),
    )
    _files.replace(out / "report.html", page.encode("utf-8", "replace"))


def _json(path):
    """Contents of a file, none if there is no file."""
    if not path.is_file():
        return {}
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        raise Problem(f"{path} is not JSON") from None
    if not isinstance(told, dict):
        raise Problem(f"{path} is not a JSON object")
    return told


def _facts(rows, learners, parts):
    failed = sum(bool(row.problem) for row in rows)
    facts = [
        (len(learners), "method"),
        (sum(len(part.items) for part in parts), "picture"),
        (len(parts), "data set"),
        (failed, "failure"),
    ]
    return "".join(f"<li><b>{n}</b> {name}{'' if n == 1 else 's'}</li>" for n, name in facts)


def _contents(parts):
    links = "".join(f'<li><a href="#{part.key}">{escape(part.dataset)}</a></li>' for part in parts)
    return f'<nav aria-label="Data sets"><ul>{links}</ul></nav>'


def _section(part, letters, told):
    inside = [_lead(part), scores(part), calibration(part, told), plots(part), _failures(part), pictures(part, letters)]
    return (
        f'<section id="{part.key}" aria-labelledby="{part.key}-name">\n'
        f'<h2 id="{part.key}-name">{escape(part.dataset)}</h2>\n{"".join(inside)}</section>'
    )


def _lead(part):
    """What a reader in a hurry wants to know."""
    by_name = {s.method: s for s in part.summaries if s.score}
    best = next((s for s in by_name.values() if s.kind != "reference" and s.ok), None)
    if best is None:
        return '<p class="lead">No method gave a result that could be scored.</p>'
    reads = part.leading == "accuracy"

    def shown(value):
        return f"{100 * value:.0f} %" if reads else f"{value:.1f} dB"

    said = f"<strong>{escape(best.method)}</strong> "
    said += f"reads {shown(best.score.mean)} of the characters" if reads else f"comes to {shown(best.score.mean)}"
    if best.score.low is not None:
        said += f" (95 % interval {shown(best.score.low)} to {shown(best.score.high)})"
    if best.knows not in ("", "nothing"):
        said += f", being told the {escape(best.knows.replace(', ', ' and '))}"
    others = [(best.baseline, "")] if best.baseline in by_name and best.baseline != best.method else []
    if "sharp" in by_name and reads:
        others.append(("sharp", ", the most that can be hoped for"))
    beside = "".join(f"; {escape(name)} {shown(by_name[name].score.mean)}{more}" for name, more in others)
    return f'<p class="lead">Best: {said}{beside}.</p>\n'


def _failures(part):
    failed = [row for row in part.rows if row.problem]
    if not failed:
        return ""
    body = "".join(
        f'<tr><th scope="row">{escape(row.method)}</th><td>{escape(row.item)}</td>'
        f"<td>{escape(row.problem[:500])}</td></tr>"
        for row in failed[:_FAILURES]
    )
    more = len(failed) - _FAILURES
    return (
        f'<h3>Failures</h3>\n<div class="scroll" role="region" tabindex="0" '
        f'aria-label="Failures on {escape(part.dataset)}"><table><caption class="hidden">Failures</caption><thead><tr>'
        '<th scope="col">method</th><th scope="col">picture</th><th scope="col">reason</th></tr></thead>'
        f"<tbody>{body}</tbody></table></div>\n"
        + (f'<p class="hint">And {more} more, which are in rows.csv.</p>\n' if more > 0 else "")
    )


def _environment(told):
    if not told:
        return "<p>env.json is not there.</p>"
    lines = "".join(f'<tr><th scope="row">{escape(k)}</th><td>{escape(v)}</td></tr>' for k, v in _flat(told))
    return f'<table><caption class="hidden">Environment</caption><tbody>{lines}</tbody></table>'


def _flat(told, name=""):
    """Names, with dots, and values of nested JSON."""
    if isinstance(told, dict | list) and told:
        pairs = told.items() if isinstance(told, dict) else enumerate(told, 1)
        for key, value in pairs:
            yield from _flat(value, f"{name}.{key}" if name else str(key))
    else:
        yield name, told if isinstance(told, str) else json.dumps(told, ensure_ascii=False)
