"""Runs of methods on pictures: what fails is a row, what was killed goes on, nobody is told more than it declares."""

import csv
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import comparison
import numpy as np
import pytest
from comparison import Pages, method

from deconv._core import files
from deconv.compare.methods import BUILTIN
from deconv.compare.protocol import Method, Problem
from deconv.compare.runner import Settings, _Worker, run
from deconv.compare.summary import complete
from deconv.compare.table import read_rows, slug

BLURRED, SHARP = (next(m for m in BUILTIN if m.name == name) for name in ("blurred", "sharp"))


@pytest.fixture(autouse=True)
def _unread(monkeypatch):
    """Nothing is read here, which saves time; `test_compare_scores` reads."""
    monkeypatch.setattr("deconv.compare.runner._tesseract_installed", lambda: False)


def _rows(tmp_path, methods, pages=2, **settings):
    return run([Pages(pages)], methods, tmp_path, Settings(**settings))


def test_a_row_for_each_picture_and_method(tmp_path):
    rows = _rows(tmp_path, [BLURRED, SHARP, method("ours", "brighter")])
    assert [(r.method, r.item) for r in rows] == [
        (name, item) for name in ("blurred", "sharp", "ours") for item in ("page0", "page1")
    ]
    assert not any(r.problem for r in rows)
    assert {r.psnr > 40 for r in rows if r.method == "sharp"} == {True}
    ours = rows[-1]
    assert ours.kind == "classical"
    assert ours.knows == "nothing"
    assert ours.level == 1
    assert ours.seconds >= 0
    assert ours.setup > 0
    assert 20 < ours.memory < 10000
    assert ours.accuracy is None
    written = files.read(tmp_path / "restored/pages/ours/page1.png").pixels
    np.testing.assert_allclose(written, 0.5 + Pages().load("page1").image.clip(-1, 1) / 2, atol=2e-5)


@pytest.mark.parametrize("knows", [(), ("psf",), ("level", "noise"), ("psf", "level", "noise")])
def test_a_method_is_told_what_it_declares(tmp_path, knows):
    rows = _rows(tmp_path, [method("told", "told", knows=knows)], pages=1)
    assert rows[0].knows == (", ".join(knows) or "nothing")
    bits = sum(1 << ["psf", "level", "noise"].index(name) for name in knows)
    seen = files.read(tmp_path / "restored/pages/told/page0.png").pixels
    assert np.count_nonzero(seen[0]) == bits


FAILURES = ["raises", "turned", "undefined", "words", "greedy", "killed"]


@pytest.fixture(scope="module")
def failures(tmp_path_factory):
    """Methods that fail in all ways, and one that does not, in one run: its folder and its rows."""
    out = tmp_path_factory.mktemp("failures")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("deconv.compare.runner._tesseract_installed", lambda: False)
        return out, _rows(out, [*(method(f, f) for f in FAILURES), method("good", "brighter")], memory=4000)


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        ("raises", "KeyError: 'no such thing'"),
        ("turned", "it returned an array of shape (170, 110), (110, 170) with or without 3 colours is wanted"),
        ("undefined", "it returned values that are not finite"),
        ("words", "it returned values of the kind <U15, numbers are wanted"),
        ("greedy", "MemoryError"),
        ("killed", "its process was killed, probably for lack of memory"),
    ],
)
def test_what_fails_is_a_row_and_harms_nobody(failures, function, sentence):
    out, rows = failures
    assert [r.problem[: len(sentence)] for r in rows if r.method == function] == [sentence, sentence]
    assert [r.problem for r in rows if r.method == "good"] == ["", ""]
    assert {r.psnr for r in rows if r.method == function} == {None}
    assert not list((out / "restored/pages" / slug(function)).iterdir())


def test_what_hangs_is_stopped(tmp_path):
    start = time.monotonic()
    slow = [method(f, f, timeout=0.5) for f in ("hangs", "hangs_in_a_child")]
    rows = _rows(tmp_path, [*slow, method("good", "brighter")], pages=1)
    assert [r.problem for r in rows] == 2 * ["one picture took more than 0.5 s and was stopped"] + [""]
    assert time.monotonic() - start < 60
    sleeping = subprocess.run(["pgrep", "-f", "^sleep 600"], capture_output=True, text=True, check=False).stdout
    assert not sleeping


def test_a_process_that_ends_is_started_anew(tmp_path):
    rows = _rows(tmp_path, [method("fickle", "sometimes", knows=("level",))], pages=3)
    assert [r.problem for r in rows] == ["", "its process ended with exit status 3", ""]


def test_what_cannot_be_loaded_is_a_row_for_each_picture(tmp_path):
    bad = [Method(w, "python", options={"function": w}) for w in ("comparison:nowhere", "no_such_module:f")]
    rows = _rows(tmp_path, [*bad, method("good", "brighter")])
    assert "nowhere" in rows[0].problem
    assert "no_such_module" in rows[2].problem
    assert [rows[0].problem, rows[2].problem] == [rows[1].problem, rows[3].problem]
    assert not rows[4].problem


def test_a_picture_that_cannot_be_had_is_a_row(tmp_path):
    rows = run([Pages(3, torn=1)], [SHARP, method("ours", "brighter")], tmp_path)
    assert [r.problem for r in rows] == 2 * ["", "its picture cannot be loaded: page1.png is torn", ""]


def test_a_failure_reads_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr("deconv.compare.runner._tesseract_installed", lambda: True)
    row = _rows(tmp_path, [method("bad", "raises")], pages=1)[0]
    assert (row.accuracy, row.folded, row.exact, row.hdc) == (0, 0, 0, 0)


def test_what_is_done_is_not_done_again(tmp_path):
    first = _rows(tmp_path, [method("ours", "brighter"), method("bad", "raises")])
    made = (tmp_path / "restored/pages/ours/page0.png").stat().st_mtime_ns
    again = _rows(tmp_path, [method("ours", "brighter"), method("bad", "raises")], pages=3)
    assert (tmp_path / "restored/pages/ours/page0.png").stat().st_mtime_ns == made
    assert [r for r in again if r.method == "ours"][:2] == first[:2]
    # But what failed is tried again, and what is declared otherwise is something else.
    with (tmp_path / "rows.csv").open(newline="") as file:
        assert [line["method"] for line in csv.DictReader(file)].count("bad") == 5
    other = _rows(tmp_path, [method("ours", "slow")])
    assert other[0].psnr != first[0].psnr


def test_scores_are_those_of_what_lies_there(tmp_path):
    strong, weak = (
        Method("ours", "python", options={"function": "comparison:pulled", "parameters": {"share": share}})
        for share in (1.0, 0.2)
    )
    first, second, third = (_rows(tmp_path, [made], pages=1) for made in (strong, weak, strong))
    assert second[0].psnr != first[0].psnr == third[0].psnr
    lies = files.read(tmp_path / "restored/pages/ours/page0.png").pixels
    np.testing.assert_allclose(lies, Pages().load("page0").image.clip(0, 1), atol=2e-5)
    # Of rows that were made again the last is the last in the table, too.
    assert [r.psnr for r in complete(read_rows(tmp_path / "rows.csv"))] == [first[0].psnr]


def test_code_and_results_made_elsewhere_are_looked_at_again(tmp_path):
    (tmp_path / "mine.py").write_text("def f(image, context):\n    return image\n")
    image = Pages(1).load("page0").image
    files.write(tmp_path / "page0.png", image)
    methods = [
        comparison.Method("mine", "python", options={"function": "mine:f", "folder": str(tmp_path)}),
        comparison.Method("theirs", "folder", options={"pattern": str(tmp_path / "{stem}.png")}),
    ]
    first = _rows(tmp_path / "out", methods, pages=1)
    assert not any(r.problem for r in first)
    assert _rows(tmp_path / "out", methods, pages=1) == first
    (tmp_path / "mine.py").write_text("def f(image, context):\n    return image / 2\n")
    files.write(tmp_path / "page0.png", image / 2)
    again = _rows(tmp_path / "out", methods, pages=1)
    assert [r.psnr < f.psnr for r, f in zip(again, first, strict=True)] == [True, True]


def test_nothing_is_left_in_the_way(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()
    _rows(tmp_path / "out", [method("messy", "leaves_a_file", timeout=2)], pages=1)
    assert not list((tmp_path / "scratch").iterdir())


def test_what_was_halted_is_not_started(tmp_path):
    with _Worker(method("ours", "brighter"), Pages(1), tmp_path, Settings()) as worker:
        worker.halt()
        worker._start()
        assert worker._process is None
        assert worker.ask("page0").problem == "it was stopped"
    assert not list(tmp_path.iterdir())


def test_a_psf_is_kept(tmp_path):
    _rows(tmp_path, [method("ours", "with_psf")], pages=1)
    assert files.read(tmp_path / "restored/pages/ours/page0.psf.png").pixels.shape == (3, 3)


def test_several_at_a_time_make_the_same_rows(tmp_path):
    methods = [BLURRED, method("ours", "brighter"), method("other", "slow")]
    one, two = (_rows(tmp_path / str(jobs), methods, jobs=jobs) for jobs in (1, 2))
    assert [(r.method, r.item, r.psnr) for r in one] == [(r.method, r.item, r.psnr) for r in two]


def test_names_must_differ(tmp_path):
    with pytest.raises(Problem, match="methods need names whose letters and digits differ, got 'A b' and 'a-b'"):
        _rows(tmp_path, [method("A b", "brighter"), method("a-b", "brighter")])
    with pytest.raises(Problem, match="there are no methods to compare"):
        _rows(tmp_path, [])


SCRIPT = """
import sys
from pathlib import Path
import comparison
from deconv.compare import runner
runner._tesseract_installed = lambda: False
methods = [comparison.method("one", "slow"), comparison.method("two", "brighter")]
if __name__ == "__main__":
    runner.run([comparison.Pages(4)], methods, Path(sys.argv[1]))
"""


@pytest.mark.parametrize("kills", [3, pytest.param(20, marks=pytest.mark.slow)])
def test_a_run_that_is_killed_goes_on_and_ends_the_same(tmp_path, kills):
    script = tmp_path / "go.py"
    script.write_text(SCRIPT)
    command = [sys.executable, str(script)]
    path = os.pathsep.join([str(Path(comparison.__file__).parent), *sys.path])
    env = os.environ | {"PYTHONPATH": path}
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    start = time.monotonic()
    subprocess.run([*command, str(whole)], env=env, check=True)
    took = time.monotonic() - start
    rng = np.random.default_rng(0)
    for _ in range(kills):
        with subprocess.Popen([*command, str(broken)], env=env) as process:
            time.sleep(rng.uniform(0, took))
            process.send_signal(signal.SIGKILL)
    subprocess.run([*command, str(broken)], env=env, check=True)
    assert _told(broken) == _told(whole)
    for path in whole.rglob("*.png"):
        assert (broken / path.relative_to(whole)).read_bytes() == path.read_bytes()
    assert not list(broken.rglob(".deconv-*")) or kills


def _told(out):
    """All that is not time or memory, the last of each."""
    with (out / "rows.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    told = {
        (line["method"], line["item"]): (line["psnr"], line["ssim"], line["problem"], line["key"]) for line in lines
    }
    assert len(told) == 8
    return told
