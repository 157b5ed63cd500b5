"""``deconv compare``, end to end on two pictures: what it writes and prints, and how it fails."""

import json

import pytest
from cli_pictures import main, needs_tesseract


@needs_tesseract
def test_compare_writes_a_table_and_a_page(tmp_path, capsys):
    (tmp_path / "mine.toml").write_text(
        """
        [[method]]
        name = "less wrong"
        type = "deconv"
        function = "wiener"
        knows = ["psf"]

        [[method]]
        name = "absent"
        type = "python"
        function = "no_such_package:f"
        """
    )
    out = tmp_path / "out"
    command = ["compare", "synthetic:2", "-m", str(tmp_path / "mine.toml"), "-o", str(out)]
    assert main([*command, "--only", "less wrong", "--only", "absent", "--baseline", "less wrong"]) == 0
    said = capsys.readouterr()
    lines = {line[:10].strip(): line for line in said.out.splitlines()}
    assert set(lines) >= {"sharp", "blurred", "less wrong", "absent"}
    assert "0/2" in lines["absent"]
    assert "over less wrong" in said.out
    assert f"wrote {out / 'report.html'}" in said.out
    told = json.loads((out / "env.json").read_text())
    assert told["tesseract"]["version"]
    assert [m["name"] for m in told["methods"]] == ["blurred", "sharp", "less wrong", "absent"]
    rows = (out / "rows.csv").read_text().splitlines()
    assert len(rows) == 1 + 4 * 2
    assert sum("no_such_package" in row for row in rows) == 2
    for name in ("table.txt", "table.tex", "truth.json", "report.html", "restored/synthetic/less-wrong"):
        assert (out / name).exists()


def test_compare_says_what_was_chosen(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("deconv.compare.runner._tesseract_installed", lambda: False)
    (tmp_path / "sets.toml").write_text('[[dataset]]\nkind = "synthetic"\nname = "others"\nseed = 1\ncount = 1')
    (tmp_path / "mine.toml").write_text(
        """
        [[method]]
        name = "mine"
        type = "deconv"
        function = "wiener"
        knows = ["psf"]
        parameters = {balance = 1000.0}
        grid = {balance = [0.01]}
        """
    )
    out, sets = tmp_path / "out", str(tmp_path / "sets.toml")
    command = ["compare", "synthetic:1", "-m", str(tmp_path / "mine.toml"), "--only", "mine", "-o", str(out)]
    assert main([*command, "--calibrate", sets]) == 0
    told = json.loads((out / "env.json").read_text())["calibration"]["methods"]["mine"]
    before, after = (f"{c['psnr']:.2f} dB" for c in told["candidates"])
    said = capsys.readouterr().out
    assert (
        f"parameters chosen on 1 picture of others, by PSNR:\n  mine: balance=0.01 (at the end of its grid), {after}"
        in said
    )
    assert f"{after} ({before} as declared)\n" in said
    assert main(command) == 0
    assert "chosen" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["synthetic:1", "--calibrate", "synthetic:1"], "the pictures of synthetic are those of synthetic, which is"),
        (["synthetic:1", "--calibrate", "nothing:here"], "there is no data set 'nothing:here'"),
        (["synthetic:1", "--only", "ours, blind", "--calibrate", "synthetic:2"], "no method has a grid of parameters"),
        (["nothing:here"], "there is no data set 'nothing:here'; synthetic, synthetic:N, ladder"),
        (["pairs:/no/such/folder"], "/no/such/folder"),
        (["synthetic:1", "-m", "/no/such.toml"], "cannot read /no/such.toml"),
        (["synthetic:1", "--baseline", "magic"], "baseline must be one of the methods compared"),
    ],
)
def test_compare_failures_are_one_line(arguments, sentence, tmp_path, capsys):
    assert main(["compare", *arguments, "-o", str(tmp_path / "out")]) == 1
    error = capsys.readouterr().err
    assert sentence in error
    assert len(error.splitlines()) == 1
