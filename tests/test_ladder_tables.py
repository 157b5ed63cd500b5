"""The scripts of benchmarks/ that run the ladder: their pictures, tables, what they keep and what they take out."""

import dataclasses
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

import deconv

sys.path.append(str(Path(__file__).parents[1]))
from benchmarks.studies import ablation, contact_sheet, hallucination, ladder, methods, pictures, published, runs

ROW = runs.Row(
    code="c",
    picture="step08/00",
    step=8,
    font="verdana",
    digits=False,
    method="blind",
    score=90,
    lines=("aB c", "d,e", '"f'),
    read=("aBc", "d,e", "f|"),
    radius=61.61,
    true=61.0,
    parameters={"exponent": 2.5},
    cpu=1.5,
)


def row(**changes):
    return dataclasses.replace(ROW, **changes)


def table_of(rows, folder):
    """The rows written as a run writes them."""
    import csv

    with runs._appended(folder / "results.csv") as file:
        writer = csv.DictWriter(file, runs.FIELDS)
        if file.tell() == 0:
            writer.writeheader()
        writer.writerows(r.cells() for r in rows)


def columns(text):
    """Cells of a markdown table, line by line."""
    return [line[2:-2].split(" | ") for line in text.splitlines() if line.startswith("|")]


def test_ten_teams_are_told_of_and_every_step_has_a_radius():
    assert len(published.TEAMS) == 10
    stops = [stop for _, stop, *_ in published.TEAMS.values()]
    assert stops == sorted(stops, reverse=True)
    assert set(published.RADII) >= set(range(3, 20))
    # The simulator's discs are those that were measured.
    for step in range(4, 20):
        assert abs(published.off_range(deconv.degrade.hdc.STEPS[step].radius, step)) < 0.015


def test_how_far_outside_of_what_is_published():
    low, high = published.RADII[14]
    assert published.off_range((low + high) / 2, 14) == 0
    assert published.off_range(0.9 * low, 14) == pytest.approx(-0.1)
    assert published.off_range(1.1 * high, 14) == pytest.approx(0.1)


def test_simulated_pictures_have_two_fonts_and_digits_in_half_of_them():
    names = pictures.simulated_names([4, 19], 4)
    assert names[0] == "step04/00"
    assert names[-1] == "step19/03"
    made = [pictures.load(name) for name in names[:4]]
    assert [p.font for p in made] == ["verdana", "times", "verdana", "times"]
    assert [p.digits for p in made] == [False, False, True, True]
    drawn = set("".join("".join(p.lines) for p in made if p.digits))
    assert drawn & set(pictures.DIGITS)
    assert drawn <= set(deconv.degrade.hdc.ALPHABET + pictures.DIGITS)
    assert np.array_equal(made[1].image, deconv.degrade.hdc_photo(4, font="times", rng=401).image)
    again = pictures.load(names[3])
    assert again.lines == made[3].lines
    assert np.array_equal(again.image, made[3].image)


@pytest.mark.skipif(shutil.which("tesseract") is None, reason="tesseract is not installed")
def test_what_was_read_comes_with_its_score():
    photo = deconv.degrade.hdc_photo(0, ["Deconv", "reads", "this"], rng=0)
    score, lines = pictures.read(photo.sharp, photo.lines)
    assert score == deconv.ocr.hdc_score(photo.sharp, photo.lines) == 100
    assert lines[1] == "reads"


def test_a_row_comes_back_from_the_table(tmp_path):
    rows = [ROW, row(method="sharp", radius=None, parameters={}, digits=True, read=())]
    table_of(rows, tmp_path)
    assert runs.table(tmp_path) == rows
    assert runs.table(tmp_path / "nowhere") == []


def test_a_table_broken_off_goes_on(tmp_path):
    table_of([ROW], tmp_path)
    with (tmp_path / "results.csv").open("a") as file:
        file.write("c,step08/01,8,verd")
    assert runs.table(tmp_path) == [ROW]
    table_of([row(picture="step08/02")], tmp_path)
    assert [r.picture for r in runs.table(tmp_path)] == ["step08/00", "step08/02"]


def test_a_table_of_other_columns_is_refused(tmp_path):
    (tmp_path / "results.csv").write_text("code,picture\nc,step08/00\n")
    with pytest.raises(ValueError, match="move it away"):
        runs.table(tmp_path)


def test_only_what_lacks_is_run(tmp_path, monkeypatch):
    made = {"blind": methods.blind, "known": methods.known}
    code = runs.code_of(methods.blind)
    old = row(picture="step08/01", method="known", code="another code")
    table_of([row(code=code), row(code=code, method="known"), row(picture="step08/01", code=code), old], tmp_path)
    asked = []
    monkeypatch.setattr(runs, "_spread", lambda tasks, *_: asked.extend(tasks) or [])
    rows = runs.run(["step08/00", "step08/01", "step08/02"], made, tmp_path)
    assert [(name, list(lacking)) for name, lacking, *_ in asked] == [
        ("step08/01", ["known"]),
        ("step08/02", ["blind", "known"]),
    ]
    assert [(r.picture, r.method) for r in rows] == [
        ("step08/00", "blind"),
        ("step08/00", "known"),
        ("step08/01", "blind"),
    ]


def test_the_last_step_passed_is_counted_in_order():
    rows = [row(step=step, score=score) for step, score in ((4, 71), (5, 69), (5, 71), (6, 50), (7, 100))]
    assert ladder.last_passed(rows, "blind") == 5
    assert ladder.last_passed(rows, "known") == "-"
    assert ladder.last_passed([row(step=4, score=69)], "blind") == "below 4"


def test_the_simulated_ladder_as_a_table():
    rows = [
        ROW,
        row(picture="step08/01", score=71, radius=59.78),
        row(method="known", score=100),
        row(step=17, score=0),
    ]
    lines = columns(ladder.steps_table(rows))
    assert len({len(line) for line in lines}) == 1
    told = dict(zip(lines[0], lines[2], strict=True))
    assert (told["mean"], told["lowest"], told["deconv, radius known"]) == ("80.5", "71", "100.0")
    assert (told["radius error, median"], told["worst"]) == ("1.5 %", "-2.0 %")
    assert told["HHU, V / T"] == "92.2 / 87.7"
    assert lines[3][0] == "17"
    assert "steps to 12 80.5" in ladder.steps_table(rows)
    assert "below 70: 1 of 3" in ladder.steps_table(rows)


def test_what_it_costs_not_to_be_told_the_kind():
    rows = [row(picture=f"step08/{i:02}", cpu=2.0) for i in range(3)]
    others = [(2.4, 61.61), (2.0, 61.61), (5.0, 60.0)]
    rows += [
        row(picture=f"step08/{i:02}", method="auto", cpu=cpu, radius=radius) for i, (cpu, radius) in enumerate(others)
    ]
    told = ladder.steps_table(rows)
    assert "1.20 times the CPU seconds" in told
    assert "2.50 at most; the same radius in 2 of 3" in told
    assert "at most" not in ladder.steps_table(rows[:3])


def test_the_teams_stand_below_ours():
    lines = columns(ladder.teams_table([row(step=4), ROW]))
    assert len({len(line) for line in lines}) == 1
    assert lines[2] == ["deconv, blind", "nothing trained", "4", "90.0", "-", "90.0"]
    assert len(lines) == 3 + len(published.TEAMS)


def test_photographs_as_a_table():
    name = ladder.REAL[1]
    photograph = row(picture=name, step=14, radius=93.0, true=None)
    rows = [photograph, row(picture=name, step=14, method="blurred", score=0, true=None)]
    text = ladder.photographs_table(rows)
    told = dict(zip(columns(text)[0], columns(text)[2], strict=True))
    assert (told["score"], told["blurred"], told["sharp"]) == ("90", "0", "-")
    assert told["published"] == "101.3 to 103.0 (-8.2 %)"
    assert told["also"] == "exponent 2.50"
    assert "steps to 14 90.0" in text
    assert "from 15" not in text


def test_copies_of_photographs_stay_out_of_the_repository():
    ignored = (Path(__file__).parents[1] / ".gitignore").read_text().splitlines()
    assert f"/{ladder.OUT.name}/" in ignored
    assert Path(__file__).parents[1] == ladder.OUT.parent


def test_examples_are_the_worst_and_the_middle_of_each_step():
    rows = [
        row(picture=f"step{s:02}/{i:02}", step=s, score=score) for s in (4, 5) for i, score in enumerate((90, 7, 80))
    ]
    assert [(r.step, r.score) for r in ladder.examples(rows)] == [(4, 7), (4, 80), (5, 7), (5, 80)]


def test_a_sheet_is_drawn_of_the_copies_kept(tmp_path):
    pytest.importorskip("matplotlib")
    rng = np.random.default_rng(0)
    image, psf = rng.random((292, 944), np.float32), deconv.psf.disk(40)
    runs.keep(runs.kept(tmp_path, ROW.picture), image, methods.Attempt(image, psf=psf))
    with np.load(runs.kept(tmp_path, ROW.picture)) as copies:
        assert copies["blurred"].shape == (146, 472)
        assert abs(copies["psf"].shape[0] - psf.shape[0] / 2) < 2
    contact_sheet.draw([ROW, row(picture="step09/00")], tmp_path, tmp_path / "sheet.png")
    assert (tmp_path / "sheet.png").stat().st_size > 1000
    contact_sheet.draw([row(picture="step09/00")], tmp_path, tmp_path / "none.png")
    assert not (tmp_path / "none.png").exists()


def text_picture():
    """A blurred page as the methods take it, evenly lit but for a slope."""
    sharp = 0.05 + 0.9 * deconv.degrade.text_picture(["blind", "deblur"], shape=(150, 240))
    radius, softness = 5.0, 0.45
    light = deconv.degrade.blur(sharp, deconv.psf.disk(radius, softness=softness)) * np.linspace(0.7, 1, 240)
    image = deconv.degrade.add_noise(deconv.tone.encode(light), 0.01, rng=0)
    return pictures.Picture("page", 8, "verdana", False, (), image.astype(np.float32), sharp, radius, softness)


def test_the_known_radius_is_the_one_used():
    page = text_picture()
    attempt = methods.known(page)
    assert attempt.radius == pytest.approx(page.radius)
    assert attempt.parameters["softness"] == pytest.approx(page.softness)
    wrong = {methods.misjudged(dataclasses.replace(page, digits=digits)).radius for digits in (False, True)}
    assert sorted(wrong) == pytest.approx([0.97 * page.radius, 1.03 * page.radius])
    assert methods.blind(page).radius not in (*wrong, page.radius)


def test_the_family_need_not_be_known():
    page = text_picture()
    attempt, blind = methods.auto(page), methods.blind(page)
    assert attempt.radius == blind.radius
    assert np.array_equal(attempt.image, blind.image)


@pytest.mark.parametrize("method", [methods.richardson_lucy, methods.unsupervised_wiener])
def test_the_peers_sharpen_and_keep_the_page_in_its_place(method):
    page = text_picture()
    attempt = method(page)
    assert attempt.image.shape == page.image.shape

    def likeness(image):
        return np.corrcoef(image.ravel(), page.sharp.ravel())[0, 1]

    assert likeness(attempt.image) > likeness(page.image) + 0.05


def test_nothing_is_taken_out_by_default():
    assert ablation.TAKEN_OUT[ablation.WHOLE] == {}
    defaults = deconv.blind.Settings()
    for name, options in ablation.TAKEN_OUT.items():
        assert name == ablation.WHOLE or options
        assert options.get("settings") != defaults


@pytest.mark.slow
def test_every_ingredient_matters():
    page = text_picture()
    whole = ablation.without(ablation.WHOLE, page).image
    assert np.array_equal(whole, methods.blind(page).image)
    for name in ablation.TAKEN_OUT:
        if name != ablation.WHOLE:
            assert not np.array_equal(ablation.without(name, page).image, whole), name


def test_what_an_ingredient_is_worth_as_a_table():
    rows = [row(method="nothing"), row(method="softness", score=65), row(method="nothing", step=12, score=80)]
    rows.append(row(method="softness", step=12, score=75))
    lines = columns(ablation.table(rows, ["nothing", "softness"]))
    assert lines[3][:4] == ["softness", "70.0", "15.0", "1 of 2"]
    assert lines[3][-2:] == ["65.0", "75.0"]


def test_pictures_that_are_no_text():
    names = hallucination.NATURAL + hallucination.TECHNICAL
    assert len(set(names)) == 10
    for name in names:
        sharp = hallucination.scene(name)
        assert sharp.ndim == 2
        assert 0 <= sharp.min() < sharp.max() <= 1
    image, truth = hallucination.blurred(sharp, 10, 0.002)
    assert image.shape == truth.shape
    assert truth.shape[0] < sharp.shape[0]
    assert 10 < hallucination.psnr(image, truth) < 30


def test_what_a_prior_costs_is_told():
    told = {"natural": (25.0, set()), "text": (24.5, {"word"}), "auto": (25.1, set())}
    assert "1 of 1 lose more than 0.3 dB (most: 0.50); 1 have words" in hallucination.verdict(
        [("camera", 6, 20.0, told)], "text"
    )
    assert "0 of 1 lose more" in hallucination.verdict([("camera", 6, 20.0, told)], "auto")
    assert hallucination.cells("camera", 6, 20.0, told) == [
        "camera",
        6,
        "20.00",
        "25.00",
        "-0.50",
        "+0.10",
        "",
        "word",
        "",
    ]


@pytest.mark.skipif(shutil.which("tesseract") is None, reason="tesseract is not installed")
def test_words_are_those_that_tesseract_is_sure_of():
    assert hallucination.words(deconv.degrade.text_picture("of words, 42 or 4711", size=40)) == {"words", "4711"}
    assert hallucination.words(hallucination.scene("brick")) == set()
