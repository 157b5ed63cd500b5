"""The images of the report: a before-and-after slider, each method's result, and the text read in it."""

from html import escape

from deconv.compare.protocol import Row
from deconv.compare.report.embed import Embedded, choose, embed, thumbnails
from deconv.compare.report.section import Section
from deconv.compare.report.transcript import mark_errors
from deconv.compare.table import slug

__all__ = ["pictures_html"]

_PSF_SIDE = 96
# CSS pixels to which small images are enlarged in the slider.
_MIN_WIDTH = 640
# Number of images unfolded when the page opens.
_OPEN = 3


def pictures_html(section: Section, characters: int) -> str:
    """As many images as there is room for."""
    methods = [s.method for s in section.summaries]
    shown = choose(section.items, len(methods), characters)
    articles = []
    for place, item in enumerate(shown):
        rows = {row.method: row for row in section.rows if row.item == item}
        article = _picture(
            section,
            f"{section.key}-{place}",
            item,
            [rows[method] for method in methods if method in rows],
            characters // (len(shown) - place),
            place < _OPEN,
        )
        characters -= len(article)
        articles.append(article)
    left_out = len(section.items) - len(shown)
    note = (
        f'<p class="hint note">{left_out} of {len(section.items)} pictures are left out, evenly over the set, '
        "to keep this page small; all are in restored/, and all count in the scores.</p>\n"
        if left_out
        else ""
    )
    choices = "".join(f"<option>{escape(method)}</option>" for method in methods)
    selects = "".join(
        f'<label>{name} in all pictures<select data-side="{side}"><option value="">as chosen below</option>{choices}'
        "</select></label>"
        for side, name in (("before", "Left"), ("after", "Right"))
    )
    tools = f'<div class="tools all">{selects}<button type="button" class="unfold">Unfold all</button></div>\n'
    legend = _LEGEND if section.leading == "accuracy" else ""
    reduced = '<p class="hint">Pictures are reduced for this page; the scored originals are in restored/.</p>\n'
    return f"<h3>Pictures</h3>\n{legend}{reduced}{note}{tools}{''.join(articles)}"


_LEGEND = (
    '<p class="hint">Recognised text: <ruby>0<rp>(</rp><rt>O</rt><rp>)</rp></ruby> read wrongly, the true '
    "letter above; <del>x</del> read, but not there; <ins>x</ins> there, but not read.</p>\n"
)


def _picture(section: Section, key: str, item: str, rows: list[Row], characters: int, unfolded: bool) -> str:
    """The results of all methods on one image."""
    # A failed row may still have a file, from an earlier run.
    folders = {row.method: section.folder / slug(row.method) for row in rows if not row.problem}
    embedded = embed({method: folder / f"{item}.png" for method, folder in folders.items()}, characters)
    psfs = thumbnails({method: folder / f"{item}.psf.png" for method, folder in folders.items()}, _PSF_SIDE)
    truth = (section.truth.get(item) or {}).get("text")
    level = next((row.level for row in rows if row.level is not None), None)
    ids = {row.method: f"{key}-{place}" for place, row in enumerate(rows)}
    cards = "".join(_card(row, ids[row.method], embedded.get(row.method), psfs.get(row.method), truth) for row in rows)
    text = (
        "" if truth is None else '<p class="truth"><span>True text</span> ' + "<br>".join(map(escape, truth)) + "</p>"
    )
    return (
        f'<details class="picture"{" open" if unfolded else ""}><summary><h4>{escape(item)}</h4>'
        f"{'' if level is None else f' <span>level {level:g}</span>'}</summary>\n"
        f'{_viewer(section, key, item, rows, ids, embedded)}{text}<div class="cards">{cards}</div></details>\n'
    )


def _viewer(
    section: Section, key: str, item: str, rows: list[Row], ids: dict[str, str], embedded: dict[str, Embedded]
) -> str:
    """Two methods with a slider between them; a script copies the images from the cards."""
    shown = [row for row in rows if row.method in embedded]
    if len(shown) < 2:
        return ""
    candidates = [row for row in shown if row.kind != "reference"] or shown[1:]
    after = max(candidates, key=lambda row: getattr(row, section.leading) or 0).method
    baseline = section.summaries[0].baseline
    others = [row.method for row in shown if row.method != after]
    before = baseline if baseline in others else others[0]
    size = max((embedded[row.method] for row in shown), key=lambda e: e.width)

    def select(side: str, title: str, chosen: str) -> str:
        options = "".join(
            f'<option value="{ids[name]}"{" selected" if name == chosen else ""}>{escape(name)}</option>'
            for name in (row.method for row in shown)
        )
        return f'<label>{title}<select data-side="{side}">{options}</select></label>'

    return (
        f'<div class="viewer" style="--wide:{max(size.width, _MIN_WIDTH)}px">'
        f'<div class="tools">{select("before", "Left", before)}{select("after", "Right", after)}</div>'
        f'<div class="pair" style="aspect-ratio:{size.width}/{size.height}"></div>'
        f'<label class="hidden" for="{key}-at">Position of the slider between left and right, {escape(item)}</label>'
        f'<input type="range" id="{key}-at" min="0" max="100" value="50"></div>\n'
    )


def _card(row: Row, key: str, embedded: Embedded | None, psf: Embedded | None, truth: list[str] | None) -> str:
    """The result of a method on an image, its scores, and the text read in it."""
    if embedded is not None:
        alt = f"{row.item} by {row.method}"
        picture = (
            f'<img id="{key}" src="{embedded.source}" width="{embedded.width}" height="{embedded.height}" '
            f'alt="{escape(alt)}" decoding="async">'
        )
    elif row.problem:
        picture = f'<p class="failed"><strong>No result.</strong> {escape(row.problem[:500])}</p>'
    else:
        picture = '<p class="failed">Its picture is not in this page; see restored/.</p>'
    scores = [
        f"{row.accuracy:.2f} read" if row.accuracy is not None else "",
        f"{row.psnr:.1f} dB" if row.psnr is not None else "",
        f"{row.seconds:.3g} s" if row.seconds is not None and row.kind != "reference" else "",
    ]
    inside = f"<strong>{escape(row.method)}</strong> <span>{' · '.join(s for s in scores if s)}</span>"
    if psf is not None:
        alt = f"PSF of {row.item} by {row.method}"
        inside += (
            f'<span class="psf"><img src="{psf.source}" width="{psf.width}" height="{psf.height}" alt="{escape(alt)}">'
            "PSF</span>"
        )
    if row.accuracy is not None and not row.problem:
        inside += f'<span class="read" dir="auto">{mark_errors(row.read, truth)}</span>'
    return f'<figure class="card">{picture}<figcaption>{inside}</figcaption></figure>\n'
