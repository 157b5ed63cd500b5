"""The table of classical and learned methods side by side: what its cells say of the rows."""

import shutil

import numpy as np
import pytest

from benchmarks.studies import evened, honest
from deconv import compare, degrade
from deconv.compare import Context, Row


def rows(method, kind, scores, real=()):
    """One picture of each step from 4 on with those scores, and so many photographs."""
    own = [
        Row("ladder", f"step{step:02}_00", method, kind, "psf", "", float(step), accuracy=score / 100, hdc=float(score))
        for step, score in enumerate(scores, start=4)
    ]
    own = [r if r.method == "sharp" else Row(**r.__dict__ | {"seconds": 2.0}) for r in own]
    return own + [
        Row("hdc2021", f"p{i}", method, kind, "psf", "", 4.0, accuracy=score / 100, hdc=float(score))
        for i, score in enumerate(real)
    ]


ROWS = [
    *rows("weak", "classical", [70, 69, 80], [50]),
    *rows("sharp", "reference", [40, 40, 40]),
    *rows("strong", "learned", [90, 80, 71], [90, 100]),
]


def cells(table, name):
    line = next(line for line in table.splitlines() if line.startswith(f"| {name}"))
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_a_line_for_each_method_and_each_team():
    table = honest.table(ROWS)
    order = [line.split("|")[1].strip() for line in table.splitlines()[2:6]]
    assert order[:3] == ["sharp", "strong", "weak"]
    assert "accuracy (3)" in table.splitlines()[0]
    # A step is passed with 70 in the mean, and those after one that is not do not count.
    assert cells(table, "weak")[1:9] == ["classical", "psf", "0.730", "73.0", "4", "70.0", "80.0", "-"]
    assert cells(table, "strong")[5] == "6"
    assert cells(table, "strong")[9:] == ["0.950 (2)", "95.0", "2"]
    assert cells(table, "sharp")[5] == "none"
    assert cells(table, "sharp")[9:] == ["-", "-", "-"]
    assert cells(table, "16_B DTU *")[1:9] == [
        "classical: disc, total variation",
        "step",
        "",
        "",
        "6",
        "90.2",
        "76.5",
        "68.4",
    ]
    assert cells(table, "15_A TU Berlin *")[1].startswith("learned")
    assert len([line for line in table.splitlines() if " * |" in line]) == 10


def test_what_could_not_be_read_is_left_out():
    table = honest.table([Row("ladder", "a", "blurred", "reference", "nothing", "", 4.0, psnr=10.0)])
    assert cells(table, "blurred")[3:6] == ["-", "-", "none"]


def test_steps_are_told_one_by_one():
    lines = honest.steps_table(ROWS).splitlines()
    assert [cell.strip() for cell in lines[0].strip("|").split("|")] == ["step", "sharp", "strong", "weak"]
    assert [cell.strip() for cell in lines[3].strip("|").split("|")] == ["5", "40.0", "80.0", "69.0"]
    assert len(lines) == 5


def test_what_is_compared_and_what_is_chosen_on_have_no_picture_in_common():
    compared, chosen = (compare.load_datasets(honest.HERE / f"honest{name}.toml") for name in ("", "_calibration"))
    texts = [{d.load(name).text for d in sets for name in d.names[::4]} for sets in (compared, chosen)]
    assert not texts[0] & texts[1]
    # With the light evened they choose from the same.
    grids = {m.name: m.grid for m in compare.BUILTIN if m.grid}
    assert {m.name: m.grid for m in compare.load_methods(honest.HERE / "honest_methods.toml")} == {
        f"{name}, light evened": grid for name, grid in grids.items()
    }


@pytest.mark.parametrize("method", [evened.wiener, evened.richardson_lucy, evened.total_variation])
def test_light_is_evened_and_blur_undone(method):
    photo = degrade.hdc_photo(6, ["Deconv", "reads", "this"], shrink=5, rng=4)
    context = Context(psf=photo.psf, gamma=2.2)
    restored = method(photo.image, context)
    assert restored.shape == photo.image.shape
    corner, middle = restored[:40, :40], restored[40:60, 220:250]
    assert np.median(corner) == pytest.approx(np.median(middle), abs=0.03)
    assert np.median(photo.image[:40, :40]) < np.median(photo.image[40:60, 220:250]) - 0.05
    assert np.corrcoef(restored.ravel(), photo.sharp.ravel())[0, 1] > 0.85
    colours = method(np.repeat(photo.image[..., None], 3, axis=-1), context)
    # (Rounding of their mean is what a filter at so little noise amplifies.)
    assert np.abs(colours[..., 1] - restored).mean() < 1e-3


@pytest.mark.skipif(shutil.which("tesseract") is None, reason="tesseract is not installed")
def test_it_runs_without_photographs(tmp_path, monkeypatch, capsys):
    small = tmp_path / "here"
    small.mkdir()
    ladder = "[[dataset]]\nkind = 'ladder'\nsteps = [4]\nshrink = 6\n"
    (small / "honest.toml").write_text(ladder)
    (small / "honest_calibration.toml").write_text(ladder + "seed = 1\nname = 'other'\n")
    shutil.copy(honest.HERE / "honest_methods.toml", small)
    shutil.copy(honest.HERE / "evened.py", small)
    monkeypatch.setattr(honest, "HERE", small)
    out = tmp_path / "out"
    argv = ["honest", "--out", str(out), "--photographs", str(tmp_path / "no"), "--only", "Wiener, light evened"]
    monkeypatch.setattr("sys.argv", argv)
    assert honest.main() == 0
    told = capsys.readouterr()
    assert "no photographs" in told.err
    assert cells(told.out, "Wiener, light evened")[3] != "0.000"
    assert (out / "report.html").is_file()
    # What was made by other code, or has other parameters, counts no more.
    stale = Row("ladder", "step04_00", "blurred", "reference", "nothing", "old", 4.0, accuracy=0.0, hdc=0.0)
    lines = (out / "rows.csv").read_text().splitlines()
    cells_of = ",".join(str(value) for value in stale.cells().values())
    (out / "rows.csv").write_text("\n".join([lines[0], cells_of, *lines[1:]]) + "\n")
    monkeypatch.setattr("sys.argv", ["honest", "--tables", "--out", str(out)])
    assert honest.main() == 0
    assert capsys.readouterr().out == told.out
    monkeypatch.setattr(
        "sys.argv", ["honest", "--out", str(out), "--photographs", str(tmp_path / "no"), "--only", "U-net"]
    )
    with pytest.raises(SystemExit) as stopped:
        honest.main()
    assert stopped.value.code == 1
    assert capsys.readouterr().err.endswith("no method is called 'U-net'\n")
    monkeypatch.setattr("sys.argv", ["honest", "--tables", "--out", str(tmp_path / "empty")])
    assert honest.main() == 1
