"""The report: right HTML whatever it is about, small, true, and a page that works in a browser."""

import csv
import json
import re
from dataclasses import fields
from html.parser import HTMLParser
from itertools import pairwise

import chromium
import numpy as np
import pytest

from deconv._core import files
from deconv.compare.protocol import Problem, Row
from deconv.compare.report.embed import choose
from deconv.compare.report.page import write_report
from deconv.compare.report.plot import Series, against_seconds
from deconv.compare.report.transcript import mark_errors
from deconv.compare.table import slug

NASTY = "<script>alert('x')</script> & \"co\""
LINES = ["Fish & Chips", 'a "quick" <b>']
VOID = {"meta", "link", "img", "input", "br"}
METHODS = {"blurred": 0.25, "sharp": 1.0, "wiener": 0.75, NASTY: 0.5}


def write_run(out, methods=METHODS, items=4, *, text=True, shape=(30, 48), failed=()):
    """A finished run of made-up methods, each on noise of its own."""
    rng = np.random.default_rng(0)
    rows, truth = [], {}
    for i in range(items):
        item = f"page.{i}"
        truth[item] = {"text": LINES if text else None}
        for method, score in methods.items():
            kind = "reference" if method in ("blurred", "sharp") else "classical"
            row = {"kind": kind, "knows": "nothing", "key": "k", "level": float(i // 2)}
            if (method, item) in failed:
                row |= {"problem": f"MemoryError: {NASTY}"}
            else:
                folder = out / "restored" / "pages" / slug(method)
                folder.mkdir(parents=True, exist_ok=True)
                files.write(folder / f"{item}.png", rng.random(shape, np.float32))
                if method == "wiener":
                    files.write(folder / f"{item}.psf.png", rng.random((9, 9), np.float32))
                row |= {"psnr": 20 * score + i, "seconds": 0.1 / score, "read": ("Fish & Chps", 'a "quick" <u>!')}
                row |= {"accuracy": score} if text else {}
            rows.append(Row("pages", item, method, **row))
    with (out / "rows.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [f.name for f in fields(Row)])
        writer.writeheader()
        writer.writerows(row.cells() for row in rows)
    (out / "truth.json").write_text(json.dumps({"pages": truth}))
    (out / "env.json").write_text(json.dumps({"deconv": "1.2.3", "packages": {"numpy": NASTY}, "gpus": []}))
    return out


def report(out, **options):
    write_report(out, **options)
    return (out / "report.html").read_text(encoding="utf-8")


class Walk(HTMLParser):
    """What a page is made of: its elements with their attributes, each inside which, and the text in them."""

    def __init__(self, page):
        super().__init__()
        self.elements, self.open, self.wrong, self.text = [], [], [], []
        self.feed(page)
        self.close()
        self.wrong += [f"{tag} left open" for tag in self.open]

    def handle_starttag(self, tag, attrs):
        names = [name for name, _ in attrs]
        if len(set(names)) < len(names):
            self.wrong.append(f"an attribute of {tag} twice")
        self.elements.append((tag, dict(attrs), list(self.open)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs), list(self.open)))

    def handle_endtag(self, tag):
        if not self.open or self.open[-1] != tag:
            self.wrong.append(f"{tag} closed in {self.open}")
        else:
            self.open.pop()

    def handle_data(self, data):
        if not {"script", "style"} & set(self.open):
            self.text.append(data)

    def all(self, *tags):
        return [(attrs, inside) for tag, attrs, inside in self.elements if tag in tags]


@pytest.mark.parametrize("text", [True, False])
def test_the_page_is_well_formed_and_can_be_used_by_all(tmp_path, text):
    walk = Walk(report(write_run(tmp_path, text=text, failed=[("wiener", "page.1")])))
    assert walk.wrong == []
    assert walk.all("html")[0][0]["lang"] == "en"
    ids = [attrs["id"] for _, attrs, _ in walk.elements if "id" in attrs]
    assert len(set(ids)) == len(ids) > 10
    pictures = walk.all("img")
    assert len(pictures) == 4 * len(METHODS) + 4 - 2
    assert all(attrs["alt"] and int(attrs["width"]) and int(attrs["height"]) for attrs, _ in pictures)
    labels = {attrs.get("for") for attrs, _ in walk.all("label")}
    controls = walk.all("input", "select")
    assert len(controls) == 2 + 4 * 3
    assert all(attrs.get("id") in labels or "label" in inside for attrs, inside in controls)
    assert all(attrs["aria-label"] for attrs, _ in walk.all("svg") if attrs.get("role") == "img")
    levels = [int(tag[1]) for tag, _, _ in walk.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert all(here - before <= 1 for before, here in pairwise(levels))


def test_the_page_loads_nothing(tmp_path):
    page = report(write_run(tmp_path))
    walk = Walk(page)
    loaded = [attrs[name] for _, attrs, _ in walk.elements for name in ("src", "href", "srcset") if name in attrs]
    assert loaded
    assert all(source.startswith(("data:", "#")) for source in loaded)
    assert not re.search(r"https?://|url\(|@import|fetch\(|XMLHttp", page)
    policy = next(attrs["content"] for attrs, _ in walk.all("meta") if "http-equiv" in attrs)
    assert policy.startswith("default-src 'none'; img-src data:;")


def test_names_and_texts_are_shown_and_not_obeyed(tmp_path):
    page = report(write_run(tmp_path, failed=[("wiener", "page.2")]), title=NASTY)
    walk = Walk(page)
    assert "alert('x')" not in page
    assert len(walk.all("script")) == 2
    assert walk.all("b", "u") == [({}, walk.all("b")[0][1])] * 4
    said = "".join(walk.text)
    assert NASTY in said
    assert f"MemoryError: {NASTY}" in said
    assert 'a "quick" <b>' in said


def test_failures_are_shown_with_their_reasons(tmp_path):
    page = report(write_run(tmp_path, failed=[("wiener", "page.0"), ("wiener", "page.3")]))
    assert "<b>2</b> failures" in page
    assert page.count("MemoryError") == 4  # in the list, and at the pictures
    assert ">2/4</td>" in page
    # Two of four at 0.75, and the failures as 0.
    assert "0.375" in page
    assert "<h3>Failures" not in report(write_run(tmp_path))


def test_what_is_left_of_an_earlier_run_is_no_result(tmp_path):
    write_run(tmp_path)
    before = len(Walk(report(tmp_path)).all("img"))
    write_run(tmp_path, failed=[("wiener", "page.0")])
    assert len(Walk(report(tmp_path)).all("img")) == before - 2


def test_the_summary_is_in_words_too(tmp_path):
    said = "".join(Walk(report(write_run(tmp_path))).text)
    assert "Best: wiener reads 75 % of the characters (95 % interval 75 % to 75 %); blurred 25 %; sharp 100 %" in said
    said = "".join(Walk(report(write_run(tmp_path, text=False), baseline="wiener")).text)
    assert "Best: wiener comes to 16.5 dB" in said
    assert "over wiener" in said
    assert "Recognised text" not in said


def test_the_environment_is_flat(tmp_path):
    said = Walk(report(write_run(tmp_path))).text
    assert said[said.index("packages.numpy") + 1] == NASTY
    assert said[said.index("gpus") + 1] == "[]"
    (tmp_path / "env.json").unlink()
    (tmp_path / "truth.json").unlink()
    assert "env.json is missing" in report(tmp_path)
    (tmp_path / "env.json").write_text("{")
    with pytest.raises(Problem, match=r"env\.json is not JSON"):
        write_report(tmp_path)


def test_what_was_chosen_is_told_under_the_scores(tmp_path):
    out = write_run(tmp_path)
    candidates = [
        {"parameters": parameters, "accuracy": accuracy, "psnr": 20.0, "failed": failed}
        for parameters, accuracy, failed in [({}, 0.5, 0), ({"a": 1.0}, 0.25, 3), ({"a": 1e-5}, 0.75, 1)]
    ]
    own = {"grid": {"a": [1.0, 1e-5]}, "candidates": candidates}
    told = {
        "by": "accuracy",
        "datasets": {
            NASTY: {"pictures": 4, "names": ["one", "two", "three", NASTY]},
            "b": {"pictures": 1, "names": ["x"]},
        },
        "methods": {
            "wiener": own | {"chosen": candidates[2], "as declared": False, "at the end of its grid": ["a"]},
            NASTY: own
            | {"grid": {"a": [NASTY]}, "chosen": candidates[0], "as declared": True, "at the end of its grid": []},
        },
    }
    env = json.loads((out / "env.json").read_text())
    assert "Default parameters (no calibration)." in report(out)
    (out / "env.json").write_text(json.dumps(env | {"calibration": told}))
    page = report(out)
    walk = Walk(page)
    assert walk.wrong == []
    assert "alert('x')" not in page
    said = "".join(walk.text)
    assert f"Parameters of these 2 methods were chosen on 4 pictures of {NASTY} and 1 picture of b" in said
    assert "Default parameters" not in said
    start = walk.text.index("score as declared")
    cells = [text for text in walk.text[start : walk.text.index("Calibration pictures")] if text.strip()]
    failed = "(4 of 15 runs failed)"
    assert cells[2:] == [
        *(
            "wiener",
            "a=1e-05 (at the end of its grid)",
            "0.750, 20.00 dB",
            "0.500, 20.00 dB",
            f"as declared; a 1, 1e-05 {failed}",
        ),
        *(NASTY, "as declared", "0.500, 20.00 dB", "0.500, 20.00 dB", f"as declared; a {NASTY} {failed}"),
    ]
    assert f"one, two, three, {NASTY}; b: x" in said
    assert walk.text.index("What the columns mean") < start < walk.text.index("Plots")
    assert not any(text.startswith("calibration.") for text in walk.text)


def test_a_folder_without_rows_is_refused(tmp_path):
    with pytest.raises(Problem, match=r"no rows\.csv"):
        write_report(tmp_path)
    assert not (tmp_path / "report.html").exists()


def test_missing_and_broken_pictures_do_not_break_the_page(tmp_path):
    write_run(tmp_path, items=2)
    folder = tmp_path / "restored" / "pages" / "wiener"
    (folder / "page.0.png").unlink()
    (folder / "page.1.png").write_bytes(b"no picture")
    (folder / "page.1.psf.png").write_bytes(b"")
    page = report(tmp_path)
    assert Walk(page).wrong == []
    assert page.count("is not in this page") == 2


def test_noise_fits_in_the_page_too_and_what_is_left_out_is_said(tmp_path, monkeypatch):
    write_run(tmp_path, items=7, shape=(260, 320))
    everything = len(report(tmp_path))
    monkeypatch.setattr("deconv.compare.report.page._PICTURE_CHARACTERS", 400_000)
    page = report(tmp_path)
    # (What is not pictures takes so much.)
    assert len(page) < 400_000 + 50_000 < everything
    assert "2 of 7 pictures are left out" in page
    assert Walk(page).wrong == []


def test_large_pictures_are_made_smaller_all_alike(tmp_path):
    write_run(tmp_path, items=1, shape=(700, 1400))
    sizes = {(a["width"], a["height"]) for a, _ in Walk(report(tmp_path)).all("img") if "PSF" not in a["alt"]}
    assert sizes == {("1200", "600")}


def test_those_shown_are_spread_over_the_set():
    names = [str(i) for i in range(100)]
    assert choose(names, 10, 10 * 5 * 20_000) == ["0", "25", "50", "74", "99"]
    assert choose(names, 10, 10**9) == names


def test_errors_in_what_was_read_are_marked():
    assert mark_errors(["hello", "world"], ["hello", "world"]) == "hello <br>world"
    assert mark_errors(["hallo"], ["hello"]).startswith('h<ruby title="read wrongly">a<rp>(</rp><rt>e</rt>')
    assert mark_errors(["hexllo"], ["hello"]) == 'he<del title="read, but not there">x</del>llo'
    assert mark_errors(["helo"], ["hello"]) == 'hel<ins title="not read">l</ins>o'
    assert mark_errors(["one two"], ["onetwo"]) == 'one<del title="read, but not there">␣</del>two'
    assert mark_errors(["onetwo"], ["one", "two"]) == 'one<ins title="not read">␣</ins><br>two'
    # Lines that were read as one end where the true ones do: scoring takes no notice either.
    assert mark_errors(["one  two"], ["one", " ", "two"]) == "one <br>two"
    assert mark_errors(["<i>", "&"], None) == "&lt;i&gt;<br>&amp;"
    assert mark_errors(["<"], ["&"]) == '<ruby title="read wrongly">&lt;<rp>(</rp><rt>&amp;</rt><rp>)</rp></ruby>'
    assert "nothing" in mark_errors([" "], ["hello"])


def test_without_levels_or_times_there_is_nothing_to_plot(tmp_path):
    write_run(tmp_path, {"blurred": 0.25, "sharp": 1.0}, items=2)
    page = report(tmp_path)
    assert "<h3>Plots" not in page
    assert Walk(page).wrong == []


def test_plots_stay_inside_their_frame(tmp_path):
    methods = {"blurred": 0.25, "sharp": 1.0} | {f"a method of some number, {i}": 0.5 + i / 1000 for i in range(12)}
    page = report(write_run(tmp_path, methods))
    drawings = re.findall(r'<svg viewBox="0 0 720 380".*?</svg>', page, re.S)
    assert len(drawings) == 2
    for drawing in drawings:
        labels = re.findall(r'class="label" x="([\d.-]+)" y="([\d.-]+)"', drawing)
        assert len(labels) == 14
        assert all(0 < float(x) < 720 and 0 < float(y) < 345 for x, y in labels)
    # Labels at the ends of lines do not cover each other.
    heights = sorted(float(y) for _, y in re.findall(r'class="label" x="([\d.-]+)" y="([\d.-]+)"', drawings[0]))
    assert min(np.diff(heights)) > 14


def test_a_slow_method_does_not_stand_on_a_reference():
    series = [Series("fast", 0, [(0.02, 0.5)]), Series("ours, blind", 1, [(7.0, 0.99)])]
    drawing = against_seconds(series, [Series("sharp", None, [(0, 0.99)])], "accuracy", 1, "")
    place = {
        name: (float(x), float(y)) for x, y, name in re.findall(r'class="label" x="(.*?)" y="(.*?)">(.*?)<', drawing)
    }
    (x, y), (left, middle) = place["ours, blind"], place["sharp"]
    assert abs(y - middle) >= 15 or x + 7 * len("ours, blind") < left


@pytest.fixture
def page(tmp_path):
    if chromium.PATH is None:
        pytest.skip("no Chromium found")
    out = tmp_path / "out"
    out.mkdir()
    write_report(write_run(out, failed=[("wiener", "page.1")]))
    with chromium.Page(out / "report.html", tmp_path / "browser") as opened:
        yield opened


ORDER = "Array.from(document.querySelector('.scores').tBodies[0].rows, row => row.cells[0].dataset.value.slice(0, 7))"


def test_in_a_browser_the_table_sorts_by_keyboard(page):
    head = "document.querySelectorAll('.scores th[data-best]')"
    title = f"Array.from({head}, th => th.textContent)"
    assert page.run(ORDER) == ["sharp", "blurred", "wiener", "<script"]
    column = page.run(title).index("accuracy")
    page.run(f"{head}[{column - 1}].querySelector('button').focus()")
    page.press("Tab")
    page.press("Enter")
    assert page.run(ORDER) == ["sharp", "wiener", "<script", "blurred"]
    assert page.run(f"{head}[{column}].getAttribute('aria-sort')") == "descending"
    assert page.run("document.querySelector('[role=status]').textContent") == "Sorted by accuracy, descending."
    page.press("Enter")
    assert page.run(ORDER) == ["blurred", "<script", "wiener", "sharp"]
    assert page.run(f"{head}[{column}].getAttribute('aria-sort')") == "ascending"
    # Seconds: the fewest are the best, and those without any stay last both ways.
    seconds = page.run(title).index("s")
    for wanted in (["wiener", "<script"], ["<script", "wiener"]):
        page.run(f"{head}[{seconds}].querySelector('button').click()")
        assert page.run(ORDER)[:2] == wanted
    assert page.run("document.querySelectorAll('.scores [aria-sort]').length") == 1


def test_in_a_browser_the_slider_uncovers_by_keyboard_and_by_mouse(page):
    viewer = "document.querySelector('.viewer')"
    at = f"getComputedStyle({viewer}.querySelector('img.after')).clipPath"
    assert page.run(at) == "inset(0px 0px 0px 50%)"
    page.run(f"{viewer}.querySelector('input').focus()")
    page.press("ArrowRight", 3)
    assert page.run(at) == "inset(0px 0px 0px 53%)"
    assert page.run(f"{viewer}.querySelector('input').getAttribute('aria-valuetext')") == "53 % blurred"
    page.press("Home")
    assert page.run(at) == "inset(0px 0px 0px 0%)"
    page.run(f"{viewer}.scrollIntoView()")
    box = page.run(f"JSON.parse(JSON.stringify({viewer}.querySelector('.pair').getBoundingClientRect()))")
    places = [(box["x"] + part * box["width"], box["y"] + 20) for part in (0.5, 0.6, 0.8, 0.8)]
    page.drag(*places)
    assert page.run(f"{viewer}.querySelector('input').value") == "80"


def test_in_a_browser_any_two_methods_are_compared(page):
    viewer = "document.querySelectorAll('.viewer')[0]"
    alts = f"Array.from({viewer}.querySelectorAll('.pair img'), image => image.alt)"
    seen = f"Array.from({viewer}.querySelectorAll('.pair img')).every(image => image.naturalWidth === 48)"
    assert page.run(alts) == ["page.0 by blurred", "page.0 by wiener"]
    assert page.run(seen)
    page.run(f"{viewer}.querySelectorAll('select')[1].focus()")
    page.press("ArrowDown")
    assert page.run(alts) == ["page.0 by blurred", f"page.0 by {NASTY}"]
    # For all pictures at once, those too that are still folded; where a method failed, what was there stays.
    page.run("var all = document.querySelector('.tools.all select[data-side=before]'); all.value = 'wiener'")
    page.run("all.dispatchEvent(new Event('change'))")
    assert page.run(alts)[0] == "page.0 by wiener"
    page.run("document.querySelector('.unfold').click()")
    page.wait("document.querySelectorAll('.pair img').length === 8")
    lefts = "Array.from(document.querySelectorAll('.pair img.before'), image => image.alt.slice(7))"
    assert page.run(lefts) == ["by wiener", "by blurred", "by wiener", "by wiener"]


def test_in_a_browser_nothing_is_fetched_thrown_or_too_wide(page):
    page.send("Emulation.setDeviceMetricsOverride", width=360, height=740, deviceScaleFactor=1, mobile=True)
    page.run("document.querySelectorAll('details').forEach(details => details.open = true)")
    assert page.run("document.documentElement.scrollWidth") == 360
    said = [event["method"] for event in page.events]
    assert "Log.entryAdded" not in said
    assert "Runtime.exceptionThrown" not in said
    assert "Runtime.consoleAPICalled" not in said
    sent = [
        event["params"]["request"]["url"] for event in page.events if event["method"] == "Network.requestWillBeSent"
    ]
    assert [url[:5] for url in sent if not url.startswith("data:")] == ["file:"]
