"""The report's table of calibrated parameters: the choice, the candidates, and the calibration images."""

from html import escape
from typing import Any

from deconv.compare.calibration import SCORES, choices, describe_pictures
from deconv.compare.report.section import Section

__all__ = ["calibration_html"]


def calibration_html(section: Section, env: dict[str, Any]) -> str:
    """The chosen parameters, from env.json; empty if there is no env.json."""
    if not env:
        return ""
    record = env.get("calibration")
    if not record:
        return '<p class="hint">Default parameters (no calibration).</p>\n'
    score = SCORES[record["by"]]
    heads = ("method", "chosen", "score", "score as declared", "chosen from")
    head = "".join(f'<th scope="col"{_class(title)}>{title}</th>' for title in heads)
    body = ""
    for choice in choices(record):
        cells = zip(heads[1:], choice[1:], strict=True)
        body += f'<tr><th scope="row">{escape(choice.method)}</th>'
        body += "".join(f"<td{_class(title)}>{escape(text)}</td>" for title, text in cells) + "</tr>\n"
    names = "; ".join(f"{name}: {', '.join(d['names'])}" for name, d in record["datasets"].items())
    label = f"Parameters of methods on {escape(section.dataset)}"
    return (
        f'<p class="hint">Parameters of {_these(len(record["methods"]))} were chosen on '
        f"{escape(describe_pictures(record))}, none of which is compared, by {score}, a failure counting 0; the others "
        "have default parameters.</p>\n"
        f'<div class="scroll" role="region" tabindex="0" aria-label="{label}">'
        f'<table><caption class="hidden">{label}</caption><thead><tr>{head}</tr></thead>'
        f"<tbody>\n{body}</tbody></table></div>\n"
        f'<details><summary>Calibration pictures</summary><p class="hint">{escape(names)}</p></details>\n'
    )


def _these(count: int) -> str:
    return "this method" if count == 1 else f"these {count} methods"


def _class(title: str) -> str:
    return ' class="number"' if title.startswith("score") else ""
