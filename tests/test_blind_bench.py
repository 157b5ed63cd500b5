"""benchmarks/studies/blind_bench.py: its pictures, the copies it keeps, and its tables."""

import argparse
import dataclasses
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import scipy.ndimage

import deconv

sys.path.append(str(Path(__file__).parents[1]))
from benchmarks.studies import blind_bench, blind_sets, contact_sheet, study
from deconv.compare.protocol import Context
from deconv.compare.protocol import Row as RunRow

needs_data = pytest.mark.skipif(not blind_sets.DATA.is_dir(), reason="the pictures are not here")
ESTIMATE = {"family": "free", "prior": "text", "size": 21, "noise": 0.01}
STAGES = {"search": 1.5, "restore": 1.0}
ROW = blind_bench.Row("c", "pan/im01_ker01", "free", 30.0, 0.95, 0.9, 0.98, 2.5, STAGES, ESTIMATE)


def row(**changes):
    return dataclasses.replace(ROW, **changes)


def reference(method, psnr, **changes):
    return row(method=method, psnr=psnr, similarity=float("nan"), stages={}, estimate={}, **changes)


def table(text):
    """Cells of a markdown table by the first of each line and the head."""
    head, _, *lines = [line[2:-2].split(" | ") for line in text.strip().splitlines()]
    assert {len(line) for line in lines} == {len(head)}
    return {line[0]: dict(zip(head, line, strict=True)) for line in lines}


def test_sixteen_pictures_are_those_of_the_report():
    names = blind_sets.sixteen()
    assert len(set(names)) == 16
    assert names[:2] == ["im01_ker01", "im01_ker05"]
    assert names[-2:] == ["im10_ker02", "im10_ker06"]
    assert "im05_ker01" in names


def test_without_data_only_what_is_drawn_is_there(tmp_path):
    there = {part for part in blind_bench.PARTS if blind_sets.names(part, tmp_path)}
    assert there == {"large", "cost"}
    assert len(blind_sets.names("large")) == 20


@pytest.mark.parametrize("page", range(4))
def test_a_page_is_the_sharp_one_blurred(page):
    case = blind_sets.drawn("page", (160, 200), 21, seed=page, noise=0.005)
    again = blind_sets.drawn("page", (160, 200), 21, seed=page, noise=0.005)
    assert np.array_equal(case.image, again.image)
    assert case.image.shape == case.sharp.shape == (160, 200)
    assert case.image.dtype == np.float32
    inner = (slice(10, -10),) * 2
    left = (scipy.ndimage.convolve(case.sharp, case.psf) - case.image)[inner]
    assert np.std(left) == pytest.approx(0.005, abs=0.001)
    # Ink and paper are apart, and the fourth page is dark.
    assert np.ptp(case.sharp) > 0.4
    assert (np.median(case.sharp) < 0.3) == (page == 3)


def test_large_pages_have_a_wide_border():
    case = blind_sets.load("large/75/1")
    assert case.psf.shape == (75, 75)
    assert case.border == 38
    assert blind_sets.load("cost/0450").image.shape == (278, 450)
    assert blind_sets.load("cost/0450/61").psf.shape == (61, 61)


@pytest.mark.parametrize("name", ["pan/im01", "large", "other/im01_ker01", ""])
def test_an_unknown_name_is_refused(name):
    with pytest.raises(ValueError, match=r"no picture|invalid literal"):
        blind_sets.load(name)


@needs_data
@pytest.mark.parametrize("name", ["pan/im03_ker07", "levin/im02_ker04"])
def test_kernels_are_turned_as_they_blurred(name):
    case = blind_sets.load(name)

    def left(psf):
        """What the sharp picture so blurred leaves, wherever it is put."""
        made = scipy.ndimage.convolve(case.sharp, psf)
        return 10 ** (-deconv.metrics.psnr(made, case.image, border=30) / 20)

    assert left(case.psf) < 0.012
    assert left(case.psf[::-1, ::-1]) > 3 * left(case.psf)


@needs_data
def test_noise_is_what_it_is_called():
    clean = blind_sets.load("pan/im03_ker07").image
    paper = (clean > 0.2) & (clean < 0.8)
    for name, sigma in (("noise01", 0.01), ("noise03", 0.03)):
        noisy = blind_sets.load(f"{name}/im03_ker07").image
        assert np.std((noisy - clean)[paper]) == pytest.approx(sigma, rel=0.05)
    jpeg = blind_sets.load("jpeg75/im03_ker07").image
    assert 0.001 < np.std(jpeg - clean) < 0.03


@needs_data
@pytest.mark.skipif(shutil.which("tesseract") is None, reason="tesseract is not installed")
def test_sharp_text_is_read():
    case = blind_sets.load("pan/im05_ker01")
    assert blind_sets.read(case, case.sharp) > 0.98
    assert blind_sets.read(case, case.image) < 0.5
    assert blind_sets.read(blind_sets.load("levin/im01_ker01"), case.sharp) is None


def small(name="large/41/0"):
    """A page of 64 x 96 pixels, out of focus."""
    sharp = deconv.degrade.text_picture("ab cd", size=24, shape=(64, 96))
    psf = deconv.psf.disk(2.5).astype(np.float32)
    return blind_sets.Case(name, deconv.degrade.blur(sharp, psf).astype(np.float32), sharp, psf)


def methods_of(part, psf, prior, no_gamma=False):
    methods = blind_bench.methods_of(part, argparse.Namespace(psf=psf, prior=prior, no_gamma=no_gamma))
    return {method.name: method for method in methods}


def restored(method, case):
    """The row of a case by a method of the sets, as the runner makes it."""
    function = getattr(blind_sets, method.options["function"].rpartition(":")[2])
    context = Context(psf=case.psf if "psf" in method.knows else None)
    image, psf, details = function(case.image, context, **method.options["parameters"])
    return image, psf, details


def test_a_restoration_is_scored_and_kept(monkeypatch, tmp_path):
    case = small()
    item = blind_sets.CaseItem("0", case.image, case.sharp, psf=case.psf, case=case)
    part = blind_sets.Part("large/41", ("0",))
    methods = methods_of("large", ["disk"], ["natural"])
    assert list(methods) == ["blurred", "true PSF", "disk, natural"]

    def row_of(method, image, psf=None, details=None):
        scores = part.measure(item, image, psf, tmp_path / method)
        scores["details"] = (details or {}) | scores["details"]
        return blind_bench.Row.of(RunRow("large/41", "0", method, "classical", "nothing", "k", **scores))

    blurred = row_of("blurred", case.image)
    true = row_of("true PSF", *restored(methods["true PSF"], case))
    blind = row_of("disk, natural", *restored(methods["disk, natural"], case))
    assert blurred.picture == "large/41/0"
    assert blurred.psnr == pytest.approx(deconv.metrics.psnr(case.image, case.sharp), abs=1e-3)
    assert true.psnr > blurred.psnr + 3
    assert blind.psnr > blurred.psnr + 3
    assert blind.similarity > 0.95
    assert blind.estimate["family"] == "disk"
    assert sum(blind.stages.values()) == pytest.approx(blind.cpu, abs=0.1)
    assert np.isnan([blurred.similarity, true.similarity, blind.read]).all()
    assert [path.name for path in tmp_path.iterdir()] == ["disk, natural.npz"]


def test_the_size_is_given_where_it_is_known(monkeypatch):
    case = small("pan/im01_ker01")
    calls = []
    result = deconv.blind.Restoration(case.image, case.psf, "free")
    monkeypatch.setattr(blind_sets, "_compile", lambda: None)
    monkeypatch.setattr(deconv.blind, "deblur", lambda image, **options: calls.append(options) or result)
    methods = methods_of("pan", ["free", "auto"], ["auto", "text"])
    assert list(methods)[3:] == [
        *("free", "free, size given", "free, text", "free, text, size given"),
        *("auto", "auto, text"),
    ]
    restored(methods["free, text, size given"], case)
    restored(methods["auto"], case)
    assert [o.get("psf_size") for o in calls] == [case.psf.shape[0], None]
    assert (calls[0]["psf"], calls[0]["prior"], calls[0]["gamma"]) == ("free", "text", 1.0)
    # Of photographs neither the PSF nor the encoding is known.
    real = methods_of("real", ["free"], ["auto"])
    assert list(real) == ["free"]
    assert real["free"].options["parameters"]["gamma"] is None
    # Nor is the encoding given on request: the call without options.
    unknown = methods_of("pan", ["free"], ["auto"], no_gamma=True)
    assert list(unknown)[3:] == ["free, gamma not given"]
    assert unknown["free, gamma not given"].options["parameters"]["gamma"] is None
    assert methods_of("levin", [], [])["true PSF"].options["parameters"] == {"prior": "natural"}
    assert methods_of("large", [], [])["true PSF"].options["parameters"] == {"prior": "text"}


def test_pictures_of_one_beginning_are_a_data_set():
    sets = blind_sets.parts(["pan/a", "large/41/0", "large/41/1", "large/49/0", "cost/0450", "cost/0450/61"])
    assert {s.name: s.names for s in sets} == {
        "pan": ("a",),
        "large/41": ("0", "1"),
        "large/49": ("0",),
        "cost": ("0450",),
        "cost/0450": ("61",),
    }
    item = sets[1].load("1")
    assert np.array_equal(item.image, blind_sets.load("large/41/1").image)
    assert item.psf.shape == (41, 41)


def test_the_tables_of_a_run_can_be_printed_again(monkeypatch, tmp_path, capsys):
    runs = []

    def run(parts, methods, out, jobs):
        runs.append(sum(len(part.names) for part in parts) * len(methods))
        return [
            RunRow(p.name, name, m.name, m.kind, "nothing", "k", psnr=20.0, ssim=0.5, details={"code": "c"})
            for p in parts
            for m in methods
            for name in p.names
        ]

    monkeypatch.setattr(study, "run", run)
    words = ["--parts", "large", "--only", "/41/", "--out", str(tmp_path), "--psf", "disk"]
    blind_bench.main(words)
    assert runs == [12]
    first = capsys.readouterr().out
    monkeypatch.setattr(
        study, "saved", lambda out: run(blind_sets.parts(blind_sets.names("large")[:4]), methods, out, 1)
    )
    methods = list(methods_of("large", ["disk"], ["auto"]).values())
    blind_bench.main(["--tables", "--parts", "large", "pan", "--out", str(tmp_path)])
    text = capsys.readouterr().out
    assert "| blurred | 4 | 20.00 |" in text
    assert "## pan" not in text
    assert text == first


def test_scores_are_counted_against_the_blurred_and_the_true():
    second = {"picture": "pan/im02_ker02"}
    rows = [
        *(reference("blurred", 15.0), reference("blurred", 18.0, **second)),
        *(reference("true PSF", 31.0), reference("true PSF", 35.0, **second)),
        *(row(), row(psnr=17.9, similarity=0.5, **second)),
    ]
    cells = table(blind_bench.scores_table(rows, blind_bench.PEERS["pan"]))
    assert list(cells)[:3] == ["blurred", "true PSF", "free"]
    assert len(cells) == 5
    assert cells["free"] == {
        "": "free",
        "pictures": "2",
        "PSNR, mean (dB)": "23.95",
        "median": "23.95",
        "lowest": "17.90",
        "SSIM": "0.950",
        "kernel similarity": "0.700",
        "solved": "1 of 2",
        "worse than the input": "1 of 2",
        "CPU (s)": "2.50",
    }
    cells = table(blind_bench.pictures_table(rows))
    assert cells["pan/im02_ker02"]["free"] == "17.90 (0.500; free, 21 px)"
    # A restoration of which nothing is known to compare with.
    cells = table(blind_bench.scores_table([row()]))
    assert (cells["free"]["solved"], cells["free"]["worse than the input"]) == ("-", "-")


def test_readings_end_with_the_sharp_picture():
    rows = [reference("sharp", float("inf"), read=1.0), row(), row(picture="pan/im02_ker02", read=float("nan"))]
    cells = table(blind_bench.read_table(rows))
    assert list(cells) == ["free", "sharp"]
    assert cells["free"] == {"characters read": "free", "mean": "0.980", "im01_ker01": "0.980"}


def test_error_ratios_are_of_squared_errors():
    rows = []
    for k, (blurred, true, found) in enumerate([(20, 30, 30), (20, 30, 26), (20, 30, 22)]):
        name = f"levin/im01_ker{k:02}"
        rows += [reference("blurred", blurred, picture=name), reference("true PSF", true, picture=name)]
        rows.append(row(picture=name, psnr=float(found)))
    cells = table(blind_bench.ratios_table(rows))
    assert list(cells) == ["free"]
    expected = {"mean": "3.27", "largest": "6.31", "up to 1.5": "33 %", "up to 2": "33 %", "up to 3": "67 %"}
    assert {name: cells["free"][name] for name in expected} == expected
    assert cells["free"]["under blurred + 3 dB"] == "1 of 3"


@pytest.mark.parametrize("part", blind_bench.PARTS)
def test_every_part_has_tables_and_a_sheet(part, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    name = {"pan": "pan/im01_ker01", "noise": "noise03/im01_ker01", "large": "large/41/0"}.get(part, f"{part}/x")
    rows = [reference("blurred", 20.0, picture=name), reference("true PSF", 31.0, picture=name), row(picture=name)]
    if part == "real":
        rows = [row(picture=name, psnr=float("nan"), ssim=float("nan"), similarity=float("nan"))]
    assert blind_bench.in_part(rows[0], part)
    image = np.random.default_rng(0).random((40, 60, 3), np.float32)
    rows[-1] = dataclasses.replace(rows[-1], row=RunRow(part, "x", "free", "classical", "nothing", "k"))
    file = contact_sheet.kept(tmp_path, rows[-1].row)
    file.parent.mkdir(parents=True)
    contact_sheet.keep(file.with_suffix(""), image, image, deconv.psf.disk(2))
    blind_bench.report(part, rows, tmp_path)
    text = capsys.readouterr().out
    assert name in text
    for block in text.strip().split("\n\n")[1:]:
        table(block)
    assert (tmp_path / f"{part}.png").stat().st_size > 1000


def test_the_worst_and_the_middle_are_shown():
    rows = [row(picture=f"pan/{i}", psnr=float(p)) for i, p in enumerate([30, 10, 25, 40, 5, 20, 35])]
    assert [r.psnr for r in blind_bench.shown(rows)] == [5, 10, 20, 25]
    assert [r.psnr for r in blind_bench.shown(rows[:2])] == [10, 30]
    assert blind_bench.shown([reference("blurred", 10.0)]) == []


def test_copies_of_colour_are_in_colour(tmp_path):
    image = np.random.default_rng(0).random((100, 944, 3), np.float32)
    contact_sheet.keep(tmp_path / "photo.jpg", image, image, deconv.psf.disk(4))
    with np.load(tmp_path / "photo.jpg.npz") as copies:
        assert copies["restored"].shape == (50, 472, 3)
    contact_sheet.sheet([(tmp_path / "missing.npz", ("a",))], tmp_path / "none.png")
    assert not (tmp_path / "none.png").exists()


def test_copies_of_photographs_stay_out_of_the_repository():
    root = Path(__file__).parents[1]
    assert f"/{blind_bench.OUT.name}/" in (root / ".gitignore").read_text().splitlines()
    assert root == blind_bench.OUT.parent
