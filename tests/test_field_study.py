"""benchmarks/studies/field.py: a set loaded by its path, what restores its pictures, and the figures."""

import argparse
import dataclasses
import json
import math

import numpy as np
import pytest

import deconv
from benchmarks.studies import blind_growth, field, field_methods, field_others, field_pictures, field_tables
from benchmarks.studies.field_tables import AFTER, Outcome
from deconv.compare.protocol import Context, Row

# What the study asks of the set: it makes pictures, scores results, and has the last word on them.
SET = """
import json
import numpy as np
from PIL import Image

KINDS = {"page_defocus_jpeg": None, "sharp_texture": None}


def make(kind, severity, seed, folder):
    rgb = np.random.default_rng([severity, seed]).integers(0, 256, (24, 32, 3), dtype=np.uint8)
    name = f"{kind}_{severity}_{seed}"
    for end in ("", "_sharp"):
        Image.fromarray(rgb).save(folder / f"{name}{end}.png")
    text = ("word",) if kind.startswith("page") else ()
    if text:
        np.save(folder / f"{name}_psf.npy", np.full((3, 3), 1 / 9))
    family, size = ("polygon", 4) if text else ("none", 0)
    about = {"kind": kind, "severity": severity, "seed": seed, "family": family, "size": size}
    return about | {"name": name, "file": f"{name}.png", "gamma": 2.2, "text": text}


def characters(rgb, truth):
    return float(rgb.mean() / 255)


def likeness(rgb, sharp):
    return 30.0 - abs(float(rgb.mean()) - float(sharp.mean())), 0.9


def by_true_psf(rgb, truth, psf):
    yield rgb
    yield 255 - rgb


def verdict(row, truth):
    return "solved" if row["read_after"] == 1.0 or not truth["text"] else "same"
"""


@pytest.fixture
def tool(tmp_path):
    path = tmp_path / "a_set.py"
    path.write_text(SET)
    return path


def test_what_keeps_the_set_from_being_loaded_is_told_in_a_sentence(tmp_path):
    with pytest.raises(field_pictures.Absent, match=r"there is no .*nowhere\.py; --set names the file"):
        field_pictures.tool(tmp_path / "nowhere.py")
    (tmp_path / "needs.py").write_text("import a_package_that_is_not_there")
    with pytest.raises(field_pictures.Absent, match="needs a_package_that_is_not_there, which is not installed"):
        field_pictures.tool(tmp_path / "needs.py")


def test_pictures_are_made_once_for_each_version_of_the_set(tool, tmp_path):
    wanted = [("page_defocus_jpeg", 1, 0)]
    truth = field_pictures.make(wanted, tmp_path / "pictures", tool)[0]
    assert truth["made_by"] == field_pictures.version(tool)
    assert truth["text"] == ["word"]
    file = tmp_path / "pictures" / "page_defocus_jpeg_1_0.png"
    made = file.stat().st_mtime_ns
    assert field_pictures.make(wanted, tmp_path / "pictures", tool) == [truth]
    assert file.stat().st_mtime_ns == made
    tool.write_text(SET + "# changed\n")
    assert field_pictures.make(wanted, tmp_path / "pictures", tool)[0]["made_by"] != truth["made_by"]
    assert file.stat().st_mtime_ns > made


def loaded(tool, tmp_path, kind):
    folder = tmp_path / "pictures"
    field_pictures.make([(kind, 0, 0)], folder, tool)
    pictures = field_pictures.Field(kind, (f"{kind}_0_0",), folder, tool)
    return pictures, pictures.load(f"{kind}_0_0")


def test_a_page_is_read_and_the_best_of_several_results_counts(tool, tmp_path):
    pictures, item = loaded(tool, tmp_path, "page_defocus_jpeg")
    assert item.psf.shape == (3, 3)
    same = pictures.measure(item, item.image, None, tmp_path / "same")
    assert same["accuracy"] == pytest.approx(float(item.image.mean()), abs=1e-6)
    assert same["details"] == {"unchanged": True}
    both = pictures.measure(item, np.stack([0 * item.image, 1 + 0 * item.image]), None, tmp_path / "both")
    assert both["accuracy"] == 1.0
    assert both["details"] == {"unchanged": False}
    assert sorted(path.name for path in tmp_path.glob("*.jpg")) == ["both.jpg", "same.jpg"]


def test_without_text_a_result_is_compared_with_the_sharp_picture(tool, tmp_path):
    pictures, item = loaded(tool, tmp_path, "sharp_texture")
    assert item.psf is None
    values = pictures.measure(item, item.image, None, tmp_path / "same")
    assert (values["psnr"], values["ssim"]) == (30.0, 0.9)
    assert "accuracy" not in values


def test_by_the_true_psf_all_results_of_the_set_and_text_by_its_radius(tool):
    photo = deconv.degrade.text_picture(["true", "PSF"], shape=(96, 160))
    light = deconv.degrade.add_noise(deconv.degrade.blur(photo, deconv.psf.disk(4)), 0.01, rng=0)
    image = np.repeat(np.clip(light, 0, 1)[..., None] ** (1 / 2.2), 3, axis=-1).astype(np.float32)
    details = {"text": True, "family": "disk", "size": 4}
    context = Context(psf=np.ones((1, 1)), gamma=2.2, details=details)
    images, _, said = field_others.by_true_psf(image, context, path=str(tool), version="v")
    assert images.shape == (3, 96, 160, 3)
    assert said == {"version": "v"}
    assert np.abs(images[0] - image).max() < 0.003
    natural = dataclasses.replace(context, details=details | {"text": False})
    assert len(field_others.by_true_psf(image, natural, path=str(tool), version="v")[0]) == 2


@pytest.mark.parametrize("peer", field_others.PEERS)
def test_peers_sharpen(peer):
    sharp = deconv.degrade.text_picture(["peers", "too"], shape=(80, 128))
    psf = deconv.psf.gaussian(1.5)
    values = 0.1 + 0.8 * deconv.degrade.blur(0.1 + 0.8 * sharp, psf)
    image = np.repeat(values[..., None], 3, axis=-1) ** (1 / 2.2)
    context = Context(psf=psf, gamma=2.2)
    result, _, said = field_others.by_peer(image.astype(np.float32), context, peer=peer, version="v")
    assert result.shape == image.shape
    assert said == {"version": "v"}
    middle = slice(12, -12)
    assert result[middle, middle].std() > 1.05 * image[middle, middle].std()
    # Each colour alike.
    assert np.ptp(result, axis=-1).max() < 1e-3


def test_what_the_default_call_says_is_in_the_row():
    page = deconv.degrade.text_picture(["blind", "deblur"], shape=(120, 200))
    light = deconv.degrade.add_noise(deconv.degrade.blur(page, deconv.psf.disk(4)), 0.002, rng=0)
    values = np.clip(light, 0, 1) ** (1 / 2.2)
    image = np.repeat(values[..., None], 3, axis=-1).astype(np.float32)
    result, psf, said = field_methods.restored(image, Context(), {})
    assert result.shape == image.shape
    assert psf.sum() == pytest.approx(1, abs=1e-3)
    assert said["told"] == "disk"
    assert said["parameters"]["radius"] == pytest.approx(4, rel=0.05)
    assert 0 < said["uncertainty"] < 0.1
    assert said["sentence"].startswith("disk of radius ")
    assert 50 < said["peak"] < 10_000
    assert json.loads(json.dumps(said)) == said
    fewer, _, _ = field_methods.restored(image, Context(), {"general.deconvolution.num_iter": 2})
    assert not np.array_equal(fewer, result)


def test_settings_by_name():
    values = field.settings_of("a.b=0.5 c.d=False e.f=word")
    assert values == {"a.b": 0.5, "c.d": False, "e.f": "word"}
    assert field.variant(values) == "a.b=0.5 c.d=False e.f=word"
    assert field.variant({}) == "default"
    with pytest.raises(argparse.ArgumentTypeError, match="must be NAME=VALUE, got word"):
        field.settings_of("word")


def rows_of(truth, read_after, **said):
    read = {field_others.BEFORE: 0.4, field_others.SHARP: 1.0, field_others.TRUE_PSF: 0.9, "default": read_after}
    told = {"told": "disk", "parameters": {"radius": 4.2}, "uncertainty": 0.04, "readability": 0.95}
    told |= {"sentence": "disk", "unchanged": False, "peak": 200.0} | said
    return {
        (truth["name"], m): Row("d", truth["name"], m, "classical", "", "k", accuracy=a, cpu=2.0, details=told)
        for m, a in read.items()
    }


def test_an_outcome_joins_the_rows_of_a_picture(tool, tmp_path):
    (truth,) = field_pictures.make([("page_defocus_jpeg", 1, 0)], tmp_path, tool)
    one = field.outcome(truth, rows_of(truth, 1.0), "default", tool)
    assert (one.verdict, one.told, one.family_right, one.memory) == ("solved", "disk", True, 200.0)
    assert one.scores == {AFTER: 1.0, "blurred": 0.4, "sharp": 1.0, "true PSF": 0.9}
    assert one.size_error == pytest.approx(0.05)
    missing = field.outcome(truth, {}, "default", tool)
    assert (missing.verdict, missing.told, missing.family_right) == ("failed", "failed", None)


PAGE = Outcome("page_defocus_jpeg", 1, 0, "polygon", 4.0, True, "solved", told="disk", unchanged=False)
SCORES = {field_others.BEFORE: 0.4, AFTER: 0.8, field_others.TRUE_PSF: 0.9, field_others.SHARP: 1.0}


@pytest.mark.parametrize(
    ("family", "told", "right"),
    [
        ("polygon", "disk", True),
        ("shake", "free", True),
        ("shake", "motion", True),
        ("gaussian+motion", "gaussian", False),
        ("gaussian", "none", False),
        ("none", "none", True),
        ("varies", "disk", None),
        ("disk", "failed", None),
    ],
)
def test_which_families_are_right(family, told, right):
    assert dataclasses.replace(PAGE, family=family, told=told).family_right is right


def figures(*outcomes):
    return {name: figure(outcomes) for name, figure in field_tables.FIGURES.items()}


def test_figures_of_pages():
    good = dataclasses.replace(
        PAGE, scores=SCORES, parameters={"radius": 4.2}, uncertainty=0.03, readability=0.95, cpu=2.0, memory=150.0
    )
    off = dataclasses.replace(good, verdict="worse", parameters={"radius": 5.0}, scores=SCORES | {AFTER: 0.2}, cpu=6.0)
    wrong = dataclasses.replace(good, told="motion", parameters={"length": 9.0}, verdict="same", readability=0.5)
    lost = Outcome("page_defocus_jpeg", 1, 3, "disk", 4.0, True, "failed")
    found = figures(good, off, wrong, lost)
    assert found["all: failed"] == "1 of 4 (25 %)"
    assert found["blurred alike: worse"] == "1 of 4 (25 %)"
    assert found["blurred alike, read at severity 1: before -> after -> true PSF -> sharp"] == (
        "0.400 -> 0.600 -> 0.900 -> 1.000 (n = 3)"
    )
    assert found["blurred alike, read at severity 0: before -> after -> true PSF -> sharp"] == "- (n = 0)"
    assert found["blurred alike: family right"] == "2 of 3 (67 %)"
    assert found["all: size within 10 %, of the right families"] == "1 of 2 (50 %)"
    # Of three told with an uncertainty, one has the wrong family and one an error of 25 %.
    assert found["sizes told to +- x %: within x %"] == "0 of 3 (0 %)"
    assert found["sizes told to +- x %: within 2 x %"] == "1 of 3 (33 %)"
    assert found["pages promised 90 % readable: read"] == "0.500 in the mean, 0.20 at least (n = 2)"
    assert found["CPU s: median, most"] == "2.0, 6.0"


def test_figures_of_natural_and_of_sharp_pictures():
    natural = Outcome("natural_motion_jpeg", 0, 0, "motion", 8.0, False, "better", told="motion")
    scores = {field_others.BEFORE: 20.0, AFTER: 20.4, field_others.TRUE_PSF: 25.0}
    two = [dataclasses.replace(natural, scores=scores), dataclasses.replace(natural, scores=scores | {AFTER: 22.0})]
    sharp = Outcome("sharp_texture", 0, 0, "none", None, False, "solved", told="none", unchanged=True)
    harmed = dataclasses.replace(sharp, verdict="harmed_sharp", unchanged=False, told="disk", uncertainty=0.01)
    found = figures(*two, sharp, harmed)
    assert found["natural: PSNR more than 0.5 dB better"] == "1 of 2 (50 %)"
    assert found["natural: mean gain"] == "+1.20 dB (true PSF: +5.00)"
    assert found["sharp: harmed"] == found["sharp: returned unchanged"] == "1 of 2 (50 %)"
    assert found["sizes told to +- x %: within 2 x %"] == "0 of 1 (0 %)"


def test_the_report_has_each_severity_each_variant_and_the_peers():
    one = dataclasses.replace(PAGE, scores=SCORES | dict.fromkeys(field_others.PEERS, 0.5), parameters={"radius": 4.1})
    text = field.report({"default": [one], "a.b=1": [dataclasses.replace(one, verdict="worse")]}, [1])
    assert "## Severity 1\n" in text
    assert "## Severity 1, a.b=1\n" in text
    assert "| page_defocus_jpeg | 1 | 1 | 0 | 0 | 0 | 0 | 0 | 0.40, 0.80, 0.90, 1.00 | - | - | - | - |" in text
    assert "polygon 4: disk 4.1 |" in text
    peers = "1 | 0.40 | 0.80 | 0.90 | 0.50 | 0.50 | 0.50 |\n"
    assert f"| page_defocus_jpeg | {peers}| all with text | {peers}\n" in text
    assert "## Losses, a.b=1\n" in text
    assert text.count("| page_defocus_jpeg 1 0 | worse | 0.40 | 0.80 | - |") == 1
    assert "| all: worse | 0 of 1 (0 %) | 1 of 1 (100 %) |" in text


@pytest.mark.parametrize("kind", blind_growth.KINDS)
def test_growth_has_the_same_scene_in_more_pixels(kind):
    small, large = (blind_growth.picture(kind, megapixels) for megapixels in (0.08, 0.32))
    assert small.dtype == np.uint8
    assert large.shape[:2] == pytest.approx(2 * np.array(small.shape[:2]), abs=4)
    assert small.size == pytest.approx(3 * 80_000, rel=0.05)
    assert math.isclose(small.std(), large.std(), rel_tol=0.25)


@pytest.mark.parametrize(("cpu", "peak", "told"), [(39, 1199, ""), (41, 900, "time"), (41, 1300, "time and memory")])
def test_growth_tells_what_is_beyond_the_limits(cpu, peak, told):
    one = blind_growth.Cost("text disk", 16.0, "4620 x 3465", "disk", "text", cpu, 2 * cpu, peak)
    assert blind_growth.line(one).endswith(f"| {peak} | {told} |")
