"""What the studies share: runs on the runner of `deconv.compare`, with pictures that score their results themselves."""

import dataclasses

import comparison
import numpy as np
import pytest

from benchmarks.studies import families, study
from deconv.compare.protocol import Method, Row


@dataclasses.dataclass(frozen=True)
class Scored(comparison.Pages):
    """Pages that measure how bright a result is, and keep nothing but that."""

    def load(self, name):
        """One page, with a fact about it."""
        return dataclasses.replace(super().load(name), details={"page": int(name.removeprefix("page"))})

    def measure(self, item, image, psf, path):
        """The brightness, and the shape of the PSF."""
        path.with_suffix(".txt").write_text(item.name)
        shape = None if psf is None else list(psf.shape)
        return {"psnr": float(image.mean()), "details": {"shape": shape, "largest": float(image.max())}}


def explained(image, context, gain=1.0):
    """More than full brightness, a PSF, and a word on how."""
    return gain * (2 + 0 * image), np.ones((3, 5)) / 15, {"gain": gain, "known": context.details}


def by(name, function, **options):
    return Method(name, "python", options={"function": f"test_studies:{function}"}, **options)


def test_pictures_score_their_results_before_anything_is_rounded(tmp_path):
    methods = [study.BLURRED, study.SHARP, by("given", "explained", knows=("details",)), by("blind", "explained")]
    rows = study.run([Scored(2)], methods, tmp_path, jobs=1)
    assert [(r.method, r.item) for r in rows] == [
        (m, i) for m in ("blurred", "sharp", "given", "blind") for i in ("page0", "page1")
    ]
    assert [r.psnr for r in rows[4:]] == [2, 2, 2, 2]
    assert rows[1].level == 1
    assert rows[5].details == {"page": 1, "gain": 1.0, "known": {"page": 1}, "shape": [3, 5], "largest": 2.0}
    assert rows[7].details["known"] is None
    assert rows[0].details["shape"] is None
    assert rows[0].psnr == pytest.approx(float(Scored().load("page0").image.mean()))
    # Scored and kept by the data set, not by the runner.
    kept = sorted(path.name for path in (tmp_path / "restored/pages/blind").iterdir())
    assert kept == ["page0.txt", "page1.txt"]
    assert rows[0].ssim is None


def test_only_what_is_missing_is_run(tmp_path, monkeypatch):
    first = study.run([Scored(1)], [by("blind", "explained")], tmp_path, jobs=1)
    text = (tmp_path / "rows.csv").read_text()
    with (tmp_path / "rows.csv").open("a") as file:
        file.write("pages,page1,bli")
    rows = study.run([Scored(2)], [by("blind", "explained")], tmp_path, jobs=1)
    assert rows[0] == first[0]
    assert [r.item for r in rows] == ["page0", "page1"]
    assert (tmp_path / "rows.csv").read_text().startswith(text)
    assert study.saved(tmp_path) == rows
    assert study.saved(tmp_path / "nowhere") == []
    assert study.run([Scored(0)], [by("blind", "explained")], tmp_path) == []


def test_a_failure_is_printed_and_has_no_row(tmp_path, capsys):
    bad = Method("bad", "python", options={"function": "comparison:raises"})
    assert study.run([Scored(1)], [bad], tmp_path, jobs=1) == []
    assert "FAILED: bad on pages/page0: KeyError" in capsys.readouterr().err


def test_a_function_of_the_studies_is_a_method():
    made = study.method("x", "methods:restored", knows=("psf",), method="blind")
    assert made.options["function"] == "benchmarks.studies.methods:restored"
    assert made.options["parameters"] == {"method": "blind"}
    assert made.knows == ("psf",)


def test_every_picture_is_of_one_family():
    sets = [families.Family(family, 12) for family in families.FAMILIES]
    assert sorted(name for s in sets for name in s.names) == [f"{i:03}" for i in range(12)]
    item = sets[1].load("006")
    assert item.details["family"] == "disk"
    assert np.array_equal(item.image, families.picture(6).image)
    tuned = families.Family("disk", 12, apart=False)
    assert tuned.name != sets[1].name
    assert tuned.fingerprint() != sets[1].fingerprint() == families.Family("disk", 200).fingerprint()


def family_row(i, family, result, chosen):
    details = {"family": family, "result": result, "chosen": chosen, "cpu": 2.0, "text": i % 2 == 0}
    details |= {"size": 4.0, "noise": 0.01, "sharpness": 0.5}
    return Row(family, f"{i:03}", 'psf="auto"', "classical", "nothing", "k", details=details)


def test_families_are_counted_by_what_they_are_taken_for():
    rows = [family_row(4, "free", "none", "free"), family_row(1, "disk", "disk", "disk")]
    rows += [family_row(6, "disk", "gaussian", "gaussian"), family_row(9, "free", "free", "free")]
    lines = families.table(rows).splitlines()
    assert lines[3] == "| disk | 0 | 1 | 1 | 0 | 0 | 1 of 2 | 2.0 |"
    assert lines[6] == "| free | 1 | 0 | 0 | 0 | 1 | 1 of 2 | 2.0 |"
    assert lines[-2] == "Right: 2 of 4 (50.0%)"
    assert lines[-1].endswith("3 (75.0%)")
    assert families.mistake(rows[0]) == (
        "4: free taken for none (chosen: free); text, size 4.0, noise 0.0100, sharpness 0.50"
    )
