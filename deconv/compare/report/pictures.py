"""The pictures of the report: before and after, what each method made, and what is read in it."""

from html import escape

from deconv.compare.report import embed
from deconv.compare.report.marked import marked
from deconv.compare.table import slug

__all__ = ["pictures"]

_PSF_SIDE = 96
# CSS pixels to which small pictures are enlarged where two are compared.
_NARROWEST = 640
# Pictures that are unfolded when the page opens.
_OPEN = 3


def pictures(part, letters):
    """All pictures for which there is room in so many letters."""
    methods = [s.method for s in part.summaries]
    shown = embed.chosen(part.items, len(methods), letters)
    articles = []
    for place, item in enumerate(shown):
        rows = {row.method: row for row in part.rows if row.item == item}
        article = _picture(
            part,
            f"{part.key}-{place}",
            item,
            [rows[method] for method in methods if method in rows],
            letters // (len(shown) - place),
            place < _OPEN,
        )
        letters -= len(article)
        articles.append(article)
    left_out = len(part.items) - len(shown)
    note = (
        f'<p class="hint note">{left_out} of {len(part.items)} pictures are left out, evenly over the set, '
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
    legend = _LEGEND if part.leading == "accuracy" else ""
    smaller = '<p class="hint">Pictures are made smaller for this page; those that were scored are in restored/.</p>\n'
    return f"<h3>Pictures</h3>\n{legend}{smaller}{note}{tools}{''.join(articles)}"


_LEGEND = (
    '<p class="hint">Text as it was read: <ruby>0<rp>(</rp><rt>O</rt><rp>)</rp></ruby> read wrongly, the true '
    "letter above; <del>x</del> read, but not there; <ins>x</ins> there, but not read.</p>\n"
)


def _picture(part, key, item, rows, letters, unfolded):
    """All methods on one picture."""
    # (Where there is no result a file may still be there, of an earlier run.)
    folders = {row.method: part.folder / slug(row.method) for row in rows if not row.problem}
    made = embed.pictures({method: folder / f"{item}.png" for method, folder in folders.items()}, letters)
    psfs = embed.small({method: folder / f"{item}.psf.png" for method, folder in folders.items()}, _PSF_SIDE)
    truth = (part.truth.get(item) or {}).get("text")
    level = next((row.level for row in rows if row.level is not None), None)
    ids = {row.method: f"{key}-{place}" for place, row in enumerate(rows)}
    cards = "".join(_card(row, ids[row.method], made.get(row.method), psfs.get(row.method), truth) for row in rows)
    said = (
        "" if truth is None else '<p class="truth"><span>True text</span> ' + "<br>".join(map(escape, truth)) + "</p>"
    )
    return (
        f'<details class="picture"{" open" if unfolded else ""}><summary><h4>{escape(item)}</h4>'
        f"{'' if level is None else f' <span>level {level:g}</span>'}</summary>\n"
        f'{_viewer(part, key, item, rows, ids, made)}{said}<div class="cards">{cards}</div></details>\n'
    )


def _viewer(part, key, item, rows, ids, made):
    """Two methods over each other, with a slider between; scripts put the pictures in, from the cards."""
    there = [row for row in rows if row.method in made]
    if len(there) < 2:
        return ""
    own = [row for row in there if row.kind != "reference"] or there[1:]
    after = max(own, key=lambda row: getattr(row, part.leading) or 0).method
    baseline = part.summaries[0].baseline
    before = baseline if baseline in made and baseline != after else next(r.method for r in there if r.method != after)
    wide = max(there, key=lambda row: made[row.method].width)
    size = made[wide.method]

    def select(side, title, chosen):
        options = "".join(
            f'<option value="{ids[name]}"{" selected" if name == chosen else ""}>{escape(name)}</option>'
            for name in (row.method for row in there)
        )
        return f'<label>{title}<select data-side="{side}">{options}</select></label>'

    return (
        f'<div class="viewer" style="--wide:{max(size.width, _NARROWEST)}px">'
        f'<div class="tools">{select("before", "Left", before)}{select("after", "Right", after)}</div>'
        f'<div class="pair" style="aspect-ratio:{size.width}/{size.height}"></div>'
        f'<label class="hidden" for="{key}-at">Place of the border between left and right, {escape(item)}</label>'
        f'<input type="range" id="{key}-at" min="0" max="100" value="50"></div>\n'
    )


def _card(row, key, embedded, psf, truth):
    """A method on a picture: what it made, how that scored, what is read in it."""
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
        inside += f'<span class="read" dir="auto">{marked(row.read, truth)}</span>'
    return f'<figure class="card">{picture}<figcaption>{inside}</figcaption></figure>\n'
