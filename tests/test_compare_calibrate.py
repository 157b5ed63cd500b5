"""Parameters chosen on other pictures: the best wins by one rule, what was chosen is told, a killed run goes on."""

import json
from dataclasses import replace

import numpy as np
import pytest
from comparison import Pages, method

from deconv import compare, psf
from deconv._core import files
from deconv.compare import calibration
from deconv.compare.adapters import build
from deconv.compare.methods import BUILTIN
from deconv.compare.protocol import Context, Problem, Row

BLURRED = next(m for m in BUILTIN if m.name == "blurred")
OTHERS = Pages(2, name="others", first=5)


@pytest.fixture(autouse=True)
def _unread(monkeypatch):
    """Nothing is read here, which saves time."""
    monkeypatch.setattr("deconv.compare.runner._tesseract_installed", lambda: False)


def pulled(*shares, name="ours", **parameters):
    """A method that is the better, the nearer its share is to 1, and these shares to try."""
    made = method(name, "pulled", grid={"share": list(shares)})
    return replace(made, options=made.options | {"parameters": parameters})


def went(tmp_path, methods, **options):
    """All that a comparison with pages of its own tells, in JSON."""
    compare.run([Pages(1)], [BLURRED, *methods], tmp_path / "out", **options)
    return json.loads((tmp_path / "out/env.json").read_text())


def test_the_better_parameter_runs_in_the_comparison(tmp_path):
    note = tmp_path / "note"
    ours = pulled(1.0, 0.5, note=str(note))
    told = went(tmp_path, [ours], calibration=[OTHERS])
    chosen = told["calibration"]
    assert chosen["by"] == "psnr"
    assert chosen["datasets"] == {"others": {"pictures": 2, "names": ["page5", "page6"]}}
    own = chosen["methods"]["ours"]
    assert own["grid"] == {"share": [1.0, 0.5]}
    assert [c["parameters"].get("share") for c in own["candidates"]] == [None, 1.0, 0.5]
    psnrs = [c["psnr"] for c in own["candidates"]]
    assert psnrs[1] > psnrs[2] > psnrs[0] > 0
    assert [c["failed"] for c in own["candidates"]] == [0, 0, 0]
    assert own["chosen"] == own["candidates"][1]
    assert not own["as declared"]
    assert own["at the end of its grid"] == ["share"]
    assert told["methods"][1]["options"]["parameters"] == {"share": 1.0, "note": str(note)}
    assert note.read_text().split() == 2 * ["0.0"] + 2 * ["1.0"] + 2 * ["0.5"] + ["1.0"]
    written = files.read(tmp_path / "out/restored/pages/ours/page0.png").pixels
    np.testing.assert_allclose(written, Pages().load("page0").image.clip(0, 1), atol=2e-5)
    rows = [len((tmp_path / "out" / name).read_text().splitlines()) for name in ("calibration/rows.csv", "rows.csv")]
    assert rows == [1 + 3 * 2, 1 + 2]
    assert "share=1 (at the end of its grid)" in (tmp_path / "out/report.html").read_text()
    # A second run does nothing again, and what is added to the grid is all that is run.
    assert went(tmp_path, [ours], calibration=[OTHERS])["calibration"] == chosen
    assert len(note.read_text().split()) == 7
    more = went(tmp_path, [pulled(1.0, 0.5, 0.7, note=str(note))], calibration=[OTHERS])["calibration"]["methods"]
    assert more["ours"]["chosen"] == own["chosen"]
    assert note.read_text().split()[7:] == ["0.7", "0.7"]


def test_without_calibration_what_is_declared_runs(tmp_path):
    told = went(tmp_path, [pulled(1.0)])
    assert "calibration" not in told
    assert "grid" not in told["methods"][1]
    assert not (tmp_path / "out/calibration").exists()
    assert np.ptp(files.read(tmp_path / "out/restored/pages/ours/page0.png").pixels) == 0
    assert "Default parameters (no calibration)" in (tmp_path / "out/report.html").read_text()


def test_a_run_that_was_stopped_goes_on_and_chooses_the_same(tmp_path):
    note = tmp_path / "note"
    ours = pulled(1.0, 0.5, note=str(note))

    def stop(done, of, what):
        assert of == 6
        assert what.startswith("calibrating")
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        went(tmp_path, [ours], calibration=[OTHERS], report=stop)
    # (One may have been under way.)
    begun = len(note.read_text().split())
    assert begun in (3, 4)
    own = went(tmp_path, [ours], calibration=[OTHERS])["calibration"]["methods"]["ours"]
    assert own["chosen"]["parameters"]["share"] == 1.0
    # Each candidate ran once on each picture, and what was chosen once more.
    assert len(note.read_text().split()) == 6 + 1 + (begun - 3)


def test_what_fails_counts_nothing(tmp_path):
    own = went(tmp_path, [pulled(-1.0, -2.0, 0.0)], calibration=[OTHERS])["calibration"]["methods"]["ours"]
    assert [(c["psnr"] > 0, c["failed"]) for c in own["candidates"]] == [(True, 0), (False, 2), (False, 2), (True, 0)]
    assert own["as declared"]
    assert "(4 of 8 runs failed)" in (tmp_path / "out/report.html").read_text()


# ---- by which rule


def chosen(monkeypatch, scores, values=(1, 2, 3), **declared):
    """What is told of a method whose candidates have these scores, (accuracy, PSNR) or a failure, on each picture."""

    def ran(datasets, methods, out, settings, *, report):
        return [
            Row("others", f"page{5 + i}", m.name, "classical", "nothing", "", **_fields(score))
            for m, row in zip(methods, scores, strict=True)
            for i, score in enumerate(row)
        ]

    monkeypatch.setattr(calibration, "run", ran)
    ours = method("ours", "pulled", grid={"a": list(values)})
    ours = replace(ours, options=ours.options | {"parameters": declared})
    (tuned,), told = calibration.calibrate([ours], [OTHERS], [Pages(1)], None, None, report=None)
    own = told["methods"]["ours"]
    assert tuned.options == ours.options | {"parameters": own["chosen"]["parameters"]}
    return told["by"], own


def _fields(score):
    return {"problem": "it failed"} if score is None else {"accuracy": score[0], "psnr": score[1]}


@pytest.mark.parametrize(
    ("scores", "by", "wins"),
    [
        # What is read comes first, whatever the PSNR.
        ([[(0.5, 30)] * 2, [(0.6, 10)] * 2, [(0.4, 40)] * 2, [(0.1, 10)] * 2], "accuracy", 1),
        # PSNR breaks a tie, and of those alike the earlier one wins: the declared one, and others.
        ([[(0.5, 30)], [(0.5, 30)], [(0.5, 31)], [(0.5, 29)]], "accuracy", 2),
        ([[(0.5, 30)], [(0.5, 30)], [(0.5, 30)], [(0.5, 30)]], "accuracy", 0),
        ([[(0.5, 30)], [(0.6, 30)], [(0.6, 30)], [(0.6, 30)]], "accuracy", 1),
        # A failure is 0 in the mean, of both scores.
        ([[(0.6, 20)] * 2, [(1.0, 40), None], [(0.0, 0)] * 2, [None] * 2], "accuracy", 0),
        ([[(None, 21)] * 2, [(None, 40), None], [(None, 0)] * 2, [None] * 2], "psnr", 0),
        ([[(0.5, 40), None], [(0.5, 25), (0, 25)], [None] * 2, [None] * 2], "accuracy", 1),
        # Pictures without text count in PSNR only.
        ([[(None, 40), (0.5, 10)], [(None, 10), (0.6, 10)], [None] * 2, [None] * 2], "accuracy", 1),
        ([[(None, 20)], [(None, 21)], [(None, 22)], [(None, 21)]], "psnr", 2),
        ([[(0.5, None)], [(0.4, None)], [(0.5, None)], [(0.6, None)]], "accuracy", 3),
    ],
)
def test_the_best_wins(monkeypatch, scores, by, wins):
    found, own = chosen(monkeypatch, scores)
    assert found == by
    assert own["candidates"].index(own["chosen"]) == wins
    assert own["as declared"] == (wins == 0)
    assert own["chosen"]["parameters"] == ({} if wins == 0 else {"a": wins})


def test_failures_lower_the_mean_to_what_is_told(monkeypatch):
    _, own = chosen(monkeypatch, [[(0.5, 30)] * 2, [(1.0, 30), None], [None] * 2, [(0.2, 20), (0.4, 10)]])
    told = [tuple(c[name] for name in ("accuracy", "psnr", "failed")) for c in own["candidates"]]
    assert told == [(0.5, 30, 0), (0.5, 15, 1), (0, 0, 2), (pytest.approx(0.3), 15, 0)]


@pytest.mark.parametrize(
    ("values", "declared", "wins", "ends"),
    [
        ([1, 2, 3], {}, 1, ["a"]),
        ([1, 2, 3], {}, 2, []),
        ([1, 2, 3], {}, 3, ["a"]),
        ([2, 3, 1], {}, 1, []),
        ([1, 2, 3], {}, 0, []),
        # What is declared was tried, too.
        ([1, 2, 3], {"a": 5}, 3, []),
        ([1, 2, 3], {"a": 5}, 0, ["a"]),
        ([1, 2, 3], {"a": 1.5}, 0, []),
        ([1, 2, 3], {"a": "auto"}, 3, ["a"]),
        # Only numbers have ends.
        (["x", "y", "z"], {}, 3, []),
        ([False, True], {}, 2, []),
    ],
)
def test_the_end_of_a_grid_is_marked(monkeypatch, values, declared, wins, ends):
    scores = [[(float(i == wins), 20)] for i in range(len(values) + 1)]
    assert chosen(monkeypatch, scores, values, **declared)[1]["at the end of its grid"] == ends


def test_all_combinations_are_tried_and_none_twice(monkeypatch):
    ours = method("ours", "pulled", grid={"a": [1, 2], "b": ["x", "y"]}, knows=("psf",))
    ours = replace(ours, options=ours.options | {"parameters": {"a": 2, "b": "x", "c": 0}})
    trials = calibration._trials(ours)
    assert [t.options["parameters"] for t in trials] == [
        {"a": a, "b": b, "c": 0} for a, b in [(2, "x"), (1, "x"), (1, "y"), (2, "y")]
    ]
    assert [t.name for t in trials] == [
        "ours 0: as declared",
        "ours 1: a=1, b=x",
        "ours 2: a=1, b=y",
        "ours 3: a=2, b=y",
    ]
    assert {(t.type, t.knows, t.options["function"]) for t in trials} == {("python", ("psf",), "comparison:pulled")}


# ---- what cannot be chosen


@pytest.mark.parametrize(
    ("methods", "others", "sentence"),
    [
        ([method("ours", "brighter")], OTHERS, "no method has a grid of parameters, so there is nothing to calibrate"),
        (
            [pulled(1.0)],
            Pages(1, name="same"),
            "the pictures of same are those of pages, which is compared: parameters",
        ),
        (
            [pulled(1.0)],
            Pages(3, name="more", first=1),
            "page1 of more is page1 of pages, which is compared: parameters",
        ),
        ([pulled(1.0)], Pages(1, first=5, torn=5), "neither the text nor the sharp picture is known, to choose by"),
        ([pulled(1.0), method("Ours", "brighter")], OTHERS, "methods need names whose letters and digits differ"),
    ],
)
def test_refusals_come_before_any_work(tmp_path, methods, others, sentence):
    with pytest.raises(Problem, match=sentence) as caught:
        compare.run([Pages(3)], methods, tmp_path / "out", baseline="ours", calibration=[others])
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_a_misspelt_parameter_is_told(tmp_path):
    ours = method("ours", "pulled", grid={"shares": [0.5, 1.0]})
    with pytest.raises(Problem, match=r"^ours works as it is declared, and with no value of its grid: .*'shares'"):
        went(tmp_path, [ours], calibration=[OTHERS])


def test_without_any_score_there_is_no_choice(tmp_path):
    with pytest.raises(Problem, match="no candidate has a result on the calibration pictures that could be scored"):
        went(tmp_path, [pulled(-1.0, share=-2.0)], calibration=[OTHERS])


# ---- our own


def test_the_classical_methods_have_grids_of_as_many_even_steps():
    grids = {m.name: m.grid for m in BUILTIN if m.grid}
    assert {name: list(grid) for name, grid in grids.items()} == {
        "Wiener": ["balance"],
        "Richardson-Lucy": ["num_iter"],
        "total variation": ["weight"],
    }
    steps = [np.diff(np.log10(values)) for grid in grids.values() for values in grid.values()]
    assert {len(own) for own in steps} == {6}
    # (To whole numbers of iterations.)
    assert all(np.ptp(own) < 0.1 for own in steps)


@pytest.mark.parametrize("own", [m for m in BUILTIN if m.grid], ids=lambda m: m.name)
def test_the_ends_of_our_grids_can_be_run(own):
    image = Pages().load("page1").image[:40, :48]
    _, least, *_, most = calibration._trials(own)
    made = [build(trial)(image, Context(psf=psf.disk(1.5)), name="page") for trial in (least, most)]
    assert all(np.isfinite(x).all() for x in made)
    assert np.abs(made[0] - made[1]).max() > 0.05
