"""The studies that run the ladder: their pictures, tables, the copies they keep and the ingredients they take out."""

import dataclasses
import functools
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

import deconv

sys.path.append(str(Path(__file__).parents[1]))
from benchmarks.studies import ablation, contact_sheet, hallucination, ladder, methods, pictures, published
from deconv.compare.protocol import Context, Row

ROW = pictures.Reading(
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
    code="c",
)


def row(**changes):
    return dataclasses.replace(ROW, **changes)


def columns(text):
    """Cells of a markdown table, line by line."""
    return [line[2:-2].split(" | ") for line in text.splitlines() if line.startswith("|")]


def test_ten_teams_are_listed_and_every_step_has_a_radius():
    assert len(published.TEAMS) == 10
    stops = [stop for _, stop, *_ in published.TEAMS.values()]
    assert stops == sorted(stops, reverse=True)
    assert set(published.RADII) >= set(range(3, 20))
    # The simulator's discs are those that were measured.
    for step in range(4, 20):
        assert abs(published.off_range(deconv.degrade.hdc.hdc_psf(step, 1)[1], step)) < 0.015


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
    photo = sharp_photo()
    score, lines = pictures.read(photo.sharp, photo.lines)
    assert score == deconv.ocr.hdc_score(photo.sharp, photo.lines) == 100
    assert lines[1] == "reads"


def run_row(**changes):
    """A row of a run, as `Reading.of` takes it."""
    details = {"name": "step08/00", "step": 8, "font": "verdana", "digits": False, "lines": ["aB c", "d,e", '"f']}
    details |= {"radius": 61.0, "softness": 5.5, "code": "c"}
    details |= {"estimated radius": 61.61, "parameters": {"exponent": 2.5}, "cpu": 1.5}
    row = Row("simulated, verdana", "step08_00", "blind", "classical", "nothing", "k", hdc=90.0, details=details)
    return dataclasses.replace(row, read=("aBc", "d,e", "f|"), **changes)


def test_a_reading_is_what_the_row_says():
    assert dataclasses.replace(pictures.Reading.of(run_row()), row=None) == ROW
    back = Row.of({name: str(value) for name, value in run_row().cells().items()})
    assert back == run_row()
    assert pictures.Reading.of(back) == dataclasses.replace(ROW, row=back)
    facts = {name: run_row().details[name] for name in ("name", "step", "font", "digits", "lines", "radius", "code")}
    reference = pictures.Reading.of(run_row(method="blurred", details=facts))
    assert (reference.radius, reference.parameters, reference.cpu) == (None, {}, 0.0)


def test_the_simulated_pictures_are_all_in_one_data_set_or_another():
    sets = pictures.simulated_ladder([4, 19], 6)
    assert [s.name for s in sets] == [
        *("simulated, verdana", "simulated, times"),
        *("simulated, verdana, digits", "simulated, times, digits"),
    ]
    assert sorted(p for s in sets for p in s.pictures) == sorted(pictures.simulated_names([4, 19], 6))
    assert sets[2].names == ("step04_02", "step19_02")
    # More pictures, or other steps, change no row that is there.
    assert sets[2].fingerprint() == pictures.simulated_ladder([7], 3)[2].fingerprint()
    item = sets[2].load("step04_02")
    assert (item.details["font"], item.details["digits"]) == ("verdana", True)
    assert np.array_equal(item.image, pictures.load("step04/02").image)


def test_photographs_have_names_fit_for_files():
    names = pictures.photographs().names
    assert len(set(names)) == len(ladder.REAL)
    assert names[1] == "full_step14_times_0100_blur"
    assert not any("/" in name for name in names)


@pytest.mark.skipif(shutil.which("tesseract") is None, reason="tesseract is not installed")
def test_a_picture_is_scored_by_the_challenge_and_kept_if_restored(tmp_path):
    photo = sharp_photo()
    picture = pictures.Picture("step00/00", 0, "verdana", False, photo.lines, photo.sharp)
    item = pictures.LadderItem("step00_00", picture.image, details=picture.facts, picture=picture)
    ladder_set = pictures.Ladder("simulated", ())
    scores = ladder_set.measure(item, photo.sharp, None, tmp_path / "step00_00")
    assert scores["hdc"] == 100
    assert scores["read"][1] == "reads"
    assert not list(tmp_path.iterdir())
    ladder_set.measure(item, photo.sharp, deconv.psf.disk(3), tmp_path / "step00_00")
    assert [path.name for path in tmp_path.iterdir()] == ["step00_00.npz"]


def test_a_method_is_given_the_disc_only_where_it_says_so():
    page = text_picture()
    given = methods.picture_of(page.image, Context(details=page.facts))
    assert (given.radius, given.softness, given.font) == (page.radius, page.softness, page.font)
    assert methods.picture_of(page.image, Context()).radius is None
    assert ladder.method("blind").knows == ladder.method("disk").knows == ()
    assert ladder.method("known").knows == ladder.method("richardson_lucy").knows == ("details",)
    image, psf, details = methods.restored(page.image, Context(details=page.facts), "known")
    assert image.shape == page.image.shape
    assert psf.sum() == pytest.approx(1, rel=1e-5)
    assert details["estimated radius"] == pytest.approx(page.radius * page.per_pixel, abs=1e-3)


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
    cells = dict(zip(lines[0], lines[2], strict=True))
    assert (cells["mean"], cells["lowest"], cells["deconv, radius known"]) == ("80.5", "71", "100.0")
    assert (cells["radius error, median"], cells["worst"]) == ("1.5 %", "-2.0 %")
    assert cells["HHU, V / T"] == "92.2 / 87.7"
    assert lines[3][0] == "17"
    assert "steps to 12 80.5" in ladder.steps_table(rows)
    assert "below 70: 1 of 3" in ladder.steps_table(rows)


def test_the_time_that_the_kind_saves():
    rows = [row(picture=f"step08/{i:02}", cpu=2.0) for i in range(3)]
    others = [(2.4, 61.61), (2.0, 61.61), (5.0, 60.0)]
    rows += [
        row(picture=f"step08/{i:02}", method="disk", cpu=cpu, radius=radius) for i, (cpu, radius) in enumerate(others)
    ]
    text = ladder.steps_table(rows)
    assert "1.20 times the CPU seconds" in text
    assert "2.50 at most; the same radius in 2 of 3" in text
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
    cells = dict(zip(columns(text)[0], columns(text)[2], strict=True))
    assert (cells["score"], cells["blurred"], cells["sharp"]) == ("90", "0", "-")
    assert cells["published"] == "101.3 to 103.0 (-8.2 %)"
    assert cells["also"] == "exponent 2.50"
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
    file = contact_sheet.kept(tmp_path, run_row())
    assert file == tmp_path / "restored" / "simulated-verdana" / "blind" / "step08_00.npz"
    file.parent.mkdir(parents=True)
    # The runner names the file without its suffix.
    contact_sheet.keep(file.with_name("step08_00"), image, image, psf)
    with np.load(file) as copies:
        assert copies["blurred"].shape == (146, 472)
        assert abs(copies["psf"].shape[0] - psf.shape[0] / 2) < 2
    missing = row(picture="step09/00", row=run_row(item="step09_00"))
    ladder.draw([row(row=run_row()), missing], tmp_path, tmp_path / "sheet.png")
    assert (tmp_path / "sheet.png").stat().st_size > 1000
    ladder.draw([missing], tmp_path, tmp_path / "none.png")
    assert not (tmp_path / "none.png").exists()


@functools.cache
def text_picture():
    """A blurred page as the methods take it, evenly lit but for a slope."""
    sharp = 0.05 + 0.9 * deconv.degrade.text_picture(["blind", "deblur"], shape=(150, 240))
    radius, softness = 5.0, 0.45
    light = deconv.degrade.blur(sharp, deconv.psf.disk(radius, softness=softness)) * np.linspace(0.7, 1, 240)
    image = deconv.degrade.add_noise(deconv.tone.encode(light), 0.01, rng=0)
    return pictures.Picture("page", 8, "verdana", False, (), image.astype(np.float32), sharp, radius, softness)


@functools.cache
def restored_blind():
    return methods.blind(text_picture())


@functools.cache
def sharp_photo():
    return deconv.degrade.hdc_photo(0, ["Deconv", "reads", "this"], rng=0)


def test_the_known_radius_is_the_one_used():
    page = text_picture()
    attempt = methods.known(page)
    assert attempt.radius == pytest.approx(page.radius)
    assert attempt.parameters["softness"] == pytest.approx(page.softness)
    wrong = {methods.misjudged(dataclasses.replace(page, digits=digits)).radius for digits in (False, True)}
    assert sorted(wrong) == pytest.approx([0.97 * page.radius, 1.03 * page.radius])
    assert restored_blind().radius not in (*wrong, page.radius)


def test_the_family_may_be_given():
    page = text_picture()
    attempt, blind = methods.disk(page), restored_blind()
    assert attempt.radius == pytest.approx(blind.radius, rel=0.01)
    assert np.mean(np.abs(attempt.image - blind.image)) < 0.01


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


def test_the_cost_of_a_prior_as_a_sentence_and_a_line():
    after = {"natural": (25.0, set()), "text": (24.5, {"word"}), "auto": (25.1, set())}
    lines = [("camera", 6, 20.0, after)]
    assert "1 of 1 lose more than 0.3 dB (most: 0.50); 1 have words" in hallucination.verdict(lines, "text")
    assert "0 of 1 lose more" in hallucination.verdict(lines, "auto")
    expected = ["camera", 6, "20.00", "25.00", "-0.50", "+0.10", "", "word", ""]
    assert hallucination.cells("camera", 6, 20.0, after) == expected


def test_rows_of_pictures_without_text_stand_together():
    rows = [
        Row("no text", "coins-6", method, "classical", "nothing", "k", psnr=psnr, details=details)
        for method, psnr, words in (
            ("blurred", 20.0, []),
            ("natural", 25.0, []),
            ("text", 24.5, ["b", "a"]),
            ("auto", 25.1, []),
        )
        if (details := {"picture": "coins", "step": 6, "new words": words})
    ]
    (line,) = hallucination.lines_of(rows)
    assert line == ("coins", 6, 20.0, {"natural": (25.0, set()), "text": (24.5, {"a", "b"}), "auto": (25.1, set())})
    # What has failed in part is no line.
    assert hallucination.lines_of(rows[:-1]) == []
    data = hallucination.NoText((6, 10), ("horse",))
    assert data.names == ("horse-6", "horse-10")
    item = data.load("horse-10")
    assert np.array_equal(item.image, hallucination.blurred(hallucination.scene("horse"), 10, 0.005)[0])
    assert data.fingerprint() != hallucination.NoText((6, 10, 14), ("horse",)).fingerprint()


@pytest.mark.skipif(shutil.which("tesseract") is None, reason="tesseract is not installed")
def test_words_are_those_that_tesseract_is_sure_of():
    assert hallucination.words(deconv.degrade.text_picture("of words, 42 or 4711", size=40)) == {"words", "4711"}
    assert hallucination.words(hallucination.scene("brick")) == set()
