"""What the report says of parameters: which were chosen, from what, and on which pictures."""

from html import escape

from deconv.compare.calibration import SCORES, choices, pictures

__all__ = ["calibration"]


def calibration(part, told):
    """The parameters chosen, as env.json has them; that there were none to choose; nothing where it is not there."""
    if not told:
        return ""
    chosen = told.get("calibration")
    if not chosen:
        return '<p class="hint">No parameters were chosen: every method ran as it is declared.</p>\n'
    score = SCORES[chosen["by"]]
    heads = ("method", "chosen", "score", "score as declared", "chosen from")
    head = "".join(f'<th scope="col"{_kind(title)}>{title}</th>' for title in heads)
    body = ""
    for choice in choices(chosen):
        cells = zip(heads[1:], choice[1:], strict=True)
        body += f'<tr><th scope="row">{escape(choice.method)}</th>'
        body += "".join(f"<td{_kind(title)}>{escape(text)}</td>" for title, text in cells) + "</tr>\n"
    names = "; ".join(f"{name}: {', '.join(d['names'])}" for name, d in chosen["datasets"].items())
    label = f"Parameters of methods on {escape(part.dataset)}"
    return (
        f'<p class="hint">Parameters of {_these(len(chosen["methods"]))} were chosen on {escape(pictures(chosen))}, '
        f"none of which is compared, by {score}, a failure counting 0; the others ran as they are declared.</p>\n"
        f'<div class="scroll" role="region" tabindex="0" aria-label="{label}">'
        f'<table><caption class="hidden">{label}</caption><thead><tr>{head}</tr></thead>'
        f"<tbody>\n{body}</tbody></table></div>\n"
        f'<details><summary>The pictures on which was chosen</summary><p class="hint">{escape(names)}</p></details>\n'
    )


def _these(count):
    return "this method" if count == 1 else f"these {count} methods"


def _kind(title):
    return ' class="number"' if title.startswith("score") else ""
