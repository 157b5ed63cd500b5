"""The command line, end to end on small pictures: what it writes, says and returns, and how it fails."""

import io
import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import skimage.data

import deconv
from deconv import cli
from deconv._core import files
from deconv.cli import main

needs_tesseract = pytest.mark.skipif(shutil.which("tesseract") is None, reason="tesseract is not installed")
LINES = ["a blurred", "picture"]


@pytest.fixture
def sharp():
    return deconv.degrade.text_picture(LINES, size=24)


@pytest.fixture
def photo(tmp_path, sharp):
    """A 16-bit file of text out of focus by 4 pixels."""
    light = deconv.degrade.blur(0.05 + 0.85 * sharp, deconv.psf.disk(4))
    pixels = deconv.tone.encode(deconv.degrade.add_noise(light, 0.002, rng=0))
    path = tmp_path / "photo.png"
    files.write(path, pixels, like=files.Picture(pixels, dtype=np.dtype(np.uint16), white=65535))
    return path


def shaken(path, *, sharp=None, seed=2):
    """A 16-bit file of text in linear values, shaken; and the text, sharp."""
    if sharp is None:
        sharp = 0.1 + 0.8 * deconv.degrade.text_picture(["page one", "of text"], size=24, shape=(96, 160))
    channels = None if sharp.ndim == 2 else -1
    light = deconv.degrade.blur(sharp, deconv.psf.random_motion(9, rng=seed), channel_axis=channels)
    pixels = deconv.degrade.add_noise(light, 0.002, rng=0)
    files.write(path, pixels, like=files.Picture(pixels, dtype=np.dtype(np.uint16), white=65535))
    return sharp


@pytest.fixture
def no_tesseract(monkeypatch):
    monkeypatch.setattr("pytesseract.pytesseract.tesseract_cmd", "no-such-program")


def small_photo(step, *, rng):
    """The simulated photograph in a tenth of its size."""
    whole = small_photo.original(step, rng=rng)
    return replace(whole, image=whole.image.reshape(146, 10, 236, 10).mean((1, 3)), radius=whole.radius / 10)


small_photo.original = deconv.degrade.hdc_photo


# ---- restore


@needs_tesseract
def test_restore_finds_the_blur_reads_the_text_and_keeps_the_depth(photo, sharp, capsys):
    assert main(["restore", str(photo), "--read", "--plot", str(photo.with_name("found.svg"))]) == 0
    said, complaints = capsys.readouterr()
    assert not complaints
    found, restored_as, wrote, plotted, *lines = said.splitlines()
    told = r"disk of radius ([\d.]+) px \(\+- (\d+\.\d) %\), softness [\d.]+ px; noise 0\.\d+ \([\d.]+ s\)"
    radius, uncertainty = map(float, re.fullmatch(told, found).groups())
    assert radius == pytest.approx(4, rel=0.03)
    assert 0 < uncertainty < 5
    told = r"restored as text, about (\d+) % of the characters readable; tone curve: gamma 2\.2, shoulder \d\.\d\d"
    assert int(re.fullmatch(told, restored_as)[1]) > 90
    assert lines == LINES
    output = photo.with_name("photo_restored.png")
    assert wrote == f"wrote {output}"
    assert plotted == f"wrote {photo.with_name('found.svg')}"
    assert "<svg" in photo.with_name("found.svg").read_text()
    restored = files.read(output)
    assert restored.dtype == np.uint16
    assert np.abs(restored.pixels - sharp).mean() < 0.05
    assert sorted(p.name for p in photo.parent.iterdir()) == ["found.svg", "photo.png", "photo_restored.png"]


def test_restore_colour_keeps_alpha_and_takes_a_prior(photo, capsys):
    grey = files.read(photo).pixels
    colour = np.stack([grey, grey * 0.9, grey * 0.7], axis=-1)
    alpha = np.round(np.linspace(0, 255, grey.size).reshape(grey.shape)) / 255
    source, output = photo.with_name("colour.png"), photo.with_name("out.tif")
    files.write(source, colour, like=files.Picture(colour, alpha.astype(np.float32)))
    assert main(["restore", str(source), "-o", str(output), "--prior", "natural", "--psf", "disk"]) == 0
    assert "disk of radius" in capsys.readouterr().out
    before, after = files.read(source), files.read(output)
    assert after.pixels.shape == before.pixels.shape
    assert after.dtype == np.uint8
    np.testing.assert_array_equal(after.alpha, before.alpha)
    # Still of the paper's colour, which the prior for text would have evened out.
    np.testing.assert_allclose(after.pixels[:9].mean((0, 1)) / before.pixels[:9].mean((0, 1)), 1, atol=0.05)
    # Sharper: neighbouring pixels differ more.
    assert np.abs(np.diff(after.pixels, axis=1)).mean() > 1.3 * np.abs(np.diff(before.pixels, axis=1)).mean()


def test_text_too_blurred_to_read_is_said_to_be(tmp_path, sharp, capsys):
    light = deconv.degrade.blur(np.pad(0.05 + 0.85 * sharp, 30, mode="edge"), deconv.psf.disk(15))
    files.write(tmp_path / "far.png", deconv.degrade.add_noise(light, 0.01, rng=0))
    assert main(["restore", str(tmp_path / "far.png"), "--gamma", "1"]) == 0
    _, told, wrote = capsys.readouterr().out.splitlines()
    # A given tone curve is not told.
    assert re.fullmatch(r"too blurred to read: about \d+ % of the characters readable; the blur radius is .*", told)
    assert "tone curve" not in told
    assert wrote.startswith("wrote")


def test_a_photograph_is_not_restored_as_text(tmp_path, capsys):
    scene = skimage.data.camera()[40:400:2, 100:460:2] / 255
    light = deconv.degrade.blur(deconv.tone.decode(scene), deconv.psf.disk(3))
    files.write(tmp_path / "in.png", deconv.tone.encode(deconv.degrade.add_noise(light, 0.001, rng=0)))
    said = {}
    for prior in ("auto", "text", "natural"):
        output = tmp_path / f"{prior}.png"
        assert main(["restore", str(tmp_path / "in.png"), "-o", str(output), "--prior", prior]) == 0
        said[prior], complaints = capsys.readouterr()
        found, told, _ = said[prior].splitlines()
        assert found.startswith("disk of radius")
        assert told.startswith("restored as a natural picture")
        assert re.fullmatch(r"deconv: warning: .*not restored as text: .+\n" if prior == "text" else "", complaints)
        np.testing.assert_array_equal(files.read(output).pixels, files.read(tmp_path / "auto.png").pixels)
    assert said["auto"].splitlines()[1].startswith("restored as a natural picture: ")
    assert said["natural"].splitlines()[1] == "restored as a natural picture"


def test_a_sharp_picture_comes_back_as_it_was(tmp_path, sharp, capsys):
    files.write(tmp_path / "sharp.jpg", sharp)
    assert main(["restore", str(tmp_path / "sharp.jpg"), "-o", str(tmp_path / "same.png")]) == 0
    assert capsys.readouterr().out.startswith("no blur found; noise ")
    np.testing.assert_array_equal(files.read(tmp_path / "same.png").pixels, files.read(tmp_path / "sharp.jpg").pixels)


@pytest.mark.parametrize("kind", ["psf.npy", "psf.png"])
def test_restore_with_a_known_psf(photo, sharp, kind, capsys):
    psf = np.pad(deconv.psf.disk(4), ((0, 6), (2, 0)))  # off centre, as photographs of a star are
    path = photo.with_name(kind)
    if kind.endswith("npy"):
        np.save(path, psf)
    else:
        files.write(path, psf / psf.max())
    assert main(["restore", str(photo), "--psf", str(path), "-o", str(photo.with_name("out.png"))]) == 0
    assert capsys.readouterr().out.startswith("known PSF (")
    restored = files.read(photo.with_name("out.png")).pixels
    truth = deconv.tone.encode(0.05 + 0.85 * sharp)
    assert np.abs(restored - truth).mean() < np.abs(files.read(photo).pixels - truth).mean() / 3


def test_restore_by_a_radius_that_is_known(photo, capsys):
    output, figure = photo.with_name("out.png"), photo.with_name("found.svg")
    assert main(["restore", str(photo), "--radius", "4.2", "-o", str(output), "--plot", str(figure)]) == 0
    found, restored_as, *_ = capsys.readouterr().out.splitlines()
    # Of what was told nobody is unsure.
    assert re.fullmatch(r"disk of radius 4\.2 px, softness [\d.]+ px; noise 0\.\d+ \([\d.]+ s\)", found)
    assert restored_as.startswith("restored as text, ")
    assert "tone curve" in restored_as
    assert figure.exists()


def test_restore_a_shaken_picture(tmp_path, capsys):
    sharp = shaken(tmp_path / "in.png")
    arguments = ["restore", str(tmp_path / "in.png"), "--psf", "free", "--psf-size", "3-15"]
    assert main([*arguments, "--plot", str(tmp_path / "found.svg")]) == 0
    said, complaints = capsys.readouterr()
    assert not complaints
    found, restored_as, *_ = said.splitlines()
    told = r"free PSF, (\d+) px wide; it explains the picture (\d+) % better than no blur; noise 0\.\d+ \([\d.]+ s\)"
    side, better = map(int, re.fullmatch(told, found).groups())
    assert 7 <= side <= 15
    assert 0 < better < 100
    # Of a free PSF neither readability nor a shoulder is known.
    assert re.fullmatch(r"restored as (text|a natural picture); tone curve: gamma 1\.0", restored_as)
    assert "<svg" in (tmp_path / "found.svg").read_text()
    restored = files.read(tmp_path / "in_restored.png")
    assert restored.dtype == np.uint16
    before = deconv.metrics.psnr(files.read(tmp_path / "in.png").pixels, sharp)
    assert deconv.metrics.psnr(restored.pixels, sharp) > before + 5
    assert main([*arguments, "--gamma", "1", "-o", str(tmp_path / "given.png")]) == 0
    # A given tone curve is not told.
    assert re.fullmatch(r"restored as (text|a natural picture)", capsys.readouterr().out.splitlines()[1])


def test_a_free_psf_that_is_none(tmp_path, capsys):
    files.write(tmp_path / "page.png", deconv.degrade.text_picture(["sharp", "text"], shape=(80, 120)))
    assert main(["restore", str(tmp_path / "page.png"), "--psf", "free", "--psf-size", "5", "--gamma", "1"]) == 0
    found, _ = capsys.readouterr().out.splitlines()
    assert found.startswith("no PSF found that explains it better than no blur; noise ")
    before, after = (files.read(tmp_path / name).pixels for name in ("page.png", "page_restored.png"))
    np.testing.assert_array_equal(after, before)


def test_size_and_region_are_handed_on(photo, monkeypatch):
    asked = {}

    def deblur(image, **options):
        asked.update(options)
        return deconv.blind.Restoration(image, np.ones((1, 1)), "none")

    monkeypatch.setattr(deconv.blind, "deblur", deblur)
    options = ["--psf", "free", "--psf-size", "21", "--region", "0:40,10:60", "--prior", "text"]
    assert main(["restore", str(photo), *options]) == 0
    expected = {"psf": "free", "psf_size": 21, "region": (slice(0, 40), slice(10, 60)), "prior": "text", "gamma": None}
    assert expected.items() <= asked.items()


def test_pictures_of_one_psf_are_restored_together(tmp_path, capsys):
    grey, colour = tmp_path / "grey.tif", tmp_path / "colour.png"
    page = shaken(grey)
    shaken(colour, sharp=np.stack([page, 0.9 * page, 0.8 * page], axis=-1))
    arguments = ["restore", "--psf", "free", "--same-psf", str(grey), str(colour), "--psf-size", "15", "--gamma", "1"]
    assert main(arguments) == 0
    outputs = [tmp_path / "grey_restored.tif", tmp_path / "colour_restored.png"]
    found, _, *wrote = capsys.readouterr().out.splitlines()
    assert found.startswith("free PSF, ")
    assert wrote == [f"wrote {output}" for output in outputs]
    for path, output in zip((grey, colour), outputs, strict=True):
        before, after = files.read(path).pixels, files.read(output).pixels
        assert after.shape == before.shape
        assert np.abs(np.diff(after, axis=1)).mean() > 1.3 * np.abs(np.diff(before, axis=1)).mean()
    for output in outputs[1:]:
        output.unlink()
    # One that exists stops them all.
    assert main(arguments) == 1
    assert f"{outputs[0]} exists already" in capsys.readouterr().err
    assert not outputs[1].exists()


def test_nothing_is_overwritten_unasked(photo, sharp, capsys):
    output = photo.with_name("photo_restored.png")
    output.write_bytes(b"precious")
    assert main(["restore", str(photo)]) == 1
    assert capsys.readouterr() == ("", f"deconv: error: {output} exists already; --force overwrites it\n")
    assert output.read_bytes() == b"precious"
    files.write(photo, sharp)  # found sharp at once
    assert main(["restore", str(photo), "--force"]) == 0
    assert files.read(output).pixels.shape == sharp.shape


def test_ctrl_c_is_quiet_and_leaves_nothing(photo, monkeypatch, capsys):
    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("tqdm.tqdm.refresh", interrupt)
    assert main(["restore", str(photo)]) == 130
    assert capsys.readouterr() == ("", "")
    assert list(photo.parent.iterdir()) == [photo]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["missing.png"], r"cannot read .*missing\.png: No such file or directory"),
        (["text.png"], r"text\.png is not a picture of a kind that can be read"),
        (["cut.png"], r"cut\.png cannot be decoded: "),
        (["folder"], r"folder is a folder, not a picture"),
        (["tiny.png"], r"image must be at least 32 pixels on each side, got shape \(8, 8\)"),
        (["photo.png", "-o", "out.xyz"], r"out\.xyz: its name must end in one of \.png"),
        (["photo.png", "-o", "nowhere/out.png"], r"there is no folder .*nowhere"),
        (["photo.png", "--plot", "plot.txt"], r"plot\.txt: its name must end in one of \.png, \.pdf, \.svg"),
        (["photo.png", "--psf", "text.png"], r"text\.png is not a picture"),
        (["photo.png", "--psf", "bad.npy"], r"bad\.npy is not a NumPy file of numbers"),
        (["photo.png", "--psf", "line.npy"], r"line\.npy must hold one array of two axes"),
        (["photo.png", "--psf", "minus.npy"], r"psf must not be negative"),
        (["tiny.png", "--psf", "large.npy"], r"psf .* is larger than the image"),
        (["photo.png", "--psf", "free", "--psf-size", "999"], r"psf_size .* 999"),
        (["photo.png", "--psf", "free", "--psf-size", "9-5"], r"psf_size .*\(9, 5\)"),
        (["photo.png", "--psf", "free", "--region", "0:20,0:90"], r"region must be 32 pixels or more on each side"),
        (["photo.png", "--radius", "999"], r"radius must be at most \d+(\.5)?, half the picture's shorter side"),
        (["photo.png", "missing.png", "--psf", "free", "--same-psf"], r"cannot read .*missing\.png"),
    ],
)
def test_a_failure_is_one_line(photo, monkeypatch, capsys, arguments, sentence):
    monkeypatch.chdir(photo.parent)
    with open("text.png", "w") as file:
        file.write("Dear reader, this is no picture.\n")
    with open("cut.png", "wb") as file:
        file.write(photo.read_bytes()[:3000])
    with open("bad.npy", "w") as file:
        file.write("numbers")
    photo.with_name("folder").mkdir()
    files.write("tiny.png", np.eye(8))
    np.save("line.npy", np.ones(5))
    np.save("minus.npy", -np.eye(5))
    np.save("large.npy", np.ones((9, 9)))
    before = sorted(photo.parent.iterdir())
    assert main(["restore", *arguments]) == 1
    said, complaint = capsys.readouterr()
    assert not said
    assert re.fullmatch(rf"deconv: error: .*{sentence}.*\n", complaint)
    assert sorted(photo.parent.iterdir()) == before


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "the following arguments are required: COMMAND"),
        (["restore"], "the following arguments are required: IN"),
        (["sharpen", "a.png"], "invalid choice: 'sharpen'"),
        (["restore", "a.png", "--psf", "dsk"], "'dsk' is neither auto, disk, gaussian, motion, free nor a file"),
        (["restore", "a.png", "--psf", "auto", "--radius", "9"], "--radius goes with --psf disk"),
        (["restore", "a.png", "--psf", __file__, "--radius", "9"], "--radius goes with --psf disk"),
        (["restore", "a.png", "--psf", "free", "--same-psf", "--radius", "9"], "--radius goes with --psf disk"),
        (["restore", "a.png", "--radius", "0"], "must be a number above 0, got 0"),
        (["restore", "a.png", "--radius", "wide"], "must be a number above 0, got wide"),
        (["restore", "a.png", "--psf-size", "9"], "--psf-size goes with --psf free"),
        (["restore", "a.png", "--psf", "auto", "--region", "0:40,0:40"], "--region goes with --psf free"),
        (["restore", "a.png", "--psf", "free", "--psf-size", "few"], "a number of pixels or two, LEAST-MOST, got few"),
        (["restore", "a.png", "--psf", "free", "--psf-size", "5-"], "a number of pixels or two, LEAST-MOST, got 5-"),
        (["restore", "a.png", "--psf", "free", "--region", "40"], "must be TOP:BOTTOM,LEFT:RIGHT in pixels, got 40"),
        (["restore", "a.png", "--psf", "free", "--region", "40:0,0:40"], "must be TOP:BOTTOM,LEFT:RIGHT in pixels"),
        (["restore", "a.png", "b.png"], "several pictures are restored together with --psf free --same-psf"),
        (["restore", "a.png", "--same-psf"], "--same-psf goes with --psf free"),
        (["restore", "a.png", "b.png", "--psf", "free", "--same-psf", "-o", "c.png"], "--output is for one picture"),
        (["restore", "a.png", "a.png", "--psf", "free", "--same-psf"], "would be written to one file"),
        (["restore", "a.png", "--gamma", "0"], "must be a number above 0, got 0"),
        (["restore", "a.png", "--gamma", "much"], "must be a number above 0, got much"),
        (["restore", "a.png", "--prior", "taste"], "invalid choice: 'taste'"),
        (["restore", "a.png", "--psf", __file__, "--plot", "a.pdf"], "there is none with --psf FILE"),
        (["restore", "a.png", "--psf", __file__, "--prior", "text"], "it does not go with --psf FILE"),
        (["degrade"], "the following arguments are required: -o"),
        (["degrade", "a.png", "-o", "b.png", "--step", "3"], "--step goes without a picture IN"),
        (["degrade", "-o", "b.png", "--size", "3"], "--size goes with a picture IN"),
        (["degrade", "a.png", "-o", "b.png"], "--size is wanted: radius in pixels"),
        (["degrade", "a.png", "-o", "b.png", "--psf", "auto"], "'auto' is neither disk, gaussian, motion, shake nor"),
        (["degrade", "a.png", "-o", "b.png", "--psf", "shake"], "--size is wanted: side in pixels"),
        (["degrade", "a.png", "-o", "b.png", "--psf", "shake", "--size", "8"], "an odd number of pixels, got 8"),
        (["degrade", "a.png", "-o", "b.png", "--psf", "shake", "--size", "7.5"], "an odd number of pixels, got 7.5"),
        (["degrade", "a.png", "-o", "b.png", "--size", "3", "--angle", "3"], "--angle does not go with --psf disk"),
        (["degrade", "-o", "b.png", "--seed", "-1"], "argument --seed: must be 0 or more, got -1"),
        (["compare", "--only", "magic"], "argument --only: no method is called 'magic'"),
        (["compare", "sets.toml", "--limit", "3"], "--limit is for data sets of one line"),
        (["compare", "--calibrate", "sets.toml", "--limit", "3"], "--limit is for data sets of one line"),
        (["compare", "--threads", "0"], "argument --threads: a number of 1 or more is wanted, got 0"),
    ],
)
def test_bad_usage_exits_with_2(arguments, sentence, capsys):
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert left.value.code == 2
    assert sentence in capsys.readouterr().err


# ---- compare


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
    monkeypatch.setattr("deconv.compare.runner._tesseract_there", lambda: False)
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


# ---- read


@needs_tesseract
def test_read_and_score(tmp_path, capsys):
    truth = ["first line", "second line", "third line"]
    files.write(tmp_path / "page.png", deconv.degrade.text_picture(truth, size=200, shape=(1460, 2360)))
    (tmp_path / "truth.txt").write_text("\n".join(truth) + "\n\n")
    assert main(["read", str(tmp_path / "page.png"), "--truth", str(tmp_path / "truth.txt")]) == 0
    assert capsys.readouterr() == ("\n".join([*truth, "character accuracy 1.000", "HDC score 100"]) + "\n", "")
    (tmp_path / "two.txt").write_text("first line\nsecond line\n")
    assert main(["read", str(tmp_path / "page.png"), "--truth", str(tmp_path / "two.txt")]) == 0
    said = capsys.readouterr().out
    assert "character accuracy 0." in said
    assert "HDC" not in said


@needs_tesseract
def test_read_sees_transparent_paper_as_white(tmp_path, capsys):
    page = deconv.degrade.text_picture("transparent")
    for pixels in (0 * page, np.zeros((*page.shape, 3))):
        files.write(tmp_path / "a.png", pixels, like=files.Picture(pixels, 1 - page))
        assert main(["read", str(tmp_path / "a.png")]) == 0
        assert capsys.readouterr().out == "transparent\n"


@needs_tesseract
def test_read_nothing(tmp_path, capsys):
    files.write(tmp_path / "white.png", np.ones((40, 60)))
    assert main(["read", str(tmp_path / "white.png")]) == 0
    assert capsys.readouterr() == ("", "deconv: no text found\n")


def test_read_failures(photo, tmp_path, capsys, no_tesseract):
    assert main(["read", str(photo)]) == 1
    assert "apt-get install tesseract-ocr" in capsys.readouterr().err
    (tmp_path / "latin.txt").write_bytes(b"\xe4\xff\n")
    (tmp_path / "blank.txt").write_text("\n")
    for name, sentence in {
        "no.txt": "cannot read .*: No such file",
        "latin.txt": "is not a text file in UTF-8",
        "blank.txt": "holds no text",
    }.items():
        assert main(["read", str(photo), "--truth", str(tmp_path / name)]) == 1
        assert re.fullmatch(rf"deconv: error: .*{sentence}.*\n", capsys.readouterr().err)


# ---- degrade


def test_degrade_simulates_a_photograph_with_its_truth(tmp_path, capsys):
    path = tmp_path / "photo.png"
    arguments = ["degrade", "-o", str(path), "--step", "5", "--font", "times", "--seed", "3"]
    assert main(arguments) == 0
    expected = deconv.degrade.hdc_photo(5, font="times", rng=3)
    picture = files.read(path)
    assert picture.dtype == np.uint16
    np.testing.assert_allclose(picture.pixels, expected.image, atol=1e-6)
    assert path.with_suffix(".txt").read_text().splitlines() == list(expected.lines)
    assert f"wrote {path} and {path.with_suffix('.txt')}" in capsys.readouterr().out
    path.unlink()
    assert main(arguments) == 1
    assert "photo.txt exists already; --force" in capsys.readouterr().err
    assert main([*arguments, "--force", "--lines", "one", "two", "three"]) == 0
    assert path.with_suffix(".txt").read_text() == "one\ntwo\nthree\n"


@pytest.mark.parametrize(
    ("options", "psf"),
    [
        (["--size", "3"], deconv.psf.disk(3)),
        (["--psf", "disk", "--size", "3", "--softness", "1"], deconv.psf.disk(3, softness=1)),
        (["--psf", "gaussian", "--size", "2"], deconv.psf.gaussian(2)),
        (["--psf", "motion", "--size", "9", "--angle", "30"], deconv.psf.motion(9, 30)),
        (["--psf", "shake", "--size", "11", "--seed", "5"], deconv.psf.random_motion(11, rng=5)),
        (["--psf", "own.npy"], deconv.psf.gaussian(1)),
    ],
)
def test_degrade_blurs_light(tmp_path, monkeypatch, sharp, options, psf):
    monkeypatch.chdir(tmp_path)
    np.save("own.npy", psf)
    files.write("in.tif", sharp, like=files.Picture(sharp, dtype=np.dtype(np.float32), white=1))
    assert main(["degrade", "in.tif", "-o", "out.tif", *options]) == 0
    light = np.clip(deconv.degrade.blur(sharp, psf), 0, 1)
    np.testing.assert_allclose(files.read("out.tif").pixels, light ** (1 / 2.2), atol=2e-3)
    assert main(["degrade", "in.tif", "-o", "noisy.tif", *options, "--noise", "0.01", "--gamma", "1"]) == 0
    assert np.std(files.read("noisy.tif").pixels - light) == pytest.approx(0.01, rel=0.1)


# ---- demo


@needs_tesseract
def test_demo(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(deconv.degrade, "hdc_photo", small_photo)
    assert main(["demo", "--out", str(tmp_path / "new" / "demo")]) == 0
    said = capsys.readouterr().out
    found, true = re.search(r"Radius ([\d.]+) px found, ([\d.]+) px true \([+-][\d.]+ %\)", said).groups()
    assert float(found) == pytest.approx(float(true), rel=0.05)
    before, after = (int(n) for n in re.findall(r"HDC score (\d+)", said))
    assert before < 40
    assert after >= 70
    shapes = {p.name: files.read(p).pixels.shape for p in (tmp_path / "new" / "demo").iterdir()}
    assert shapes == {"photo.png": (146, 236), "restored.png": (146, 236), "before_after.png": (146, 236 * 2 + 5)}


def test_demo_without_tesseract(tmp_path, monkeypatch, capsys, no_tesseract):
    monkeypatch.setattr(deconv.degrade, "hdc_photo", small_photo)
    monkeypatch.setattr(cli, "_DEMO_STEP", 0)  # found sharp: quick
    for _ in range(2):  # its own pictures it may overwrite
        assert main(["demo", "--out", str(tmp_path)]) == 0
    said, complaints = capsys.readouterr()
    assert "was not read: reading text needs the program tesseract" in said
    assert not complaints
    assert len(list(tmp_path.iterdir())) == 3
    (tmp_path / "file").touch()
    assert main(["demo", "--out", str(tmp_path / "file" / "demo")]) == 1
    assert "cannot make the folder" in capsys.readouterr().err


# ---- the process


def test_progress_bar_on_a_terminal_only(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    for stream in (Terminal(), io.StringIO()):
        monkeypatch.setattr(sys, "stderr", stream)
        with cli._progress() as report:
            report(0.3, "search")
            report(1.2, "restore")
        drawn = stream.getvalue()
        assert bool(drawn) == stream.isatty()
        if drawn:
            assert "search" in drawn
            assert " 30 %" in drawn
            assert "100 %" in drawn


def test_process_fails_in_one_line_and_starts_without_heavy_modules(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "deconv", "restore", str(tmp_path / "no.png")], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(r"deconv: error: cannot read .*no\.png: No such file or directory\n", done.stderr)
    code = (
        "import sys; from deconv.cli import main\n"
        "try: main(['--version'])\n"
        "except SystemExit: print(*{'numpy', 'scipy', 'PIL', 'tqdm'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == f"deconv {deconv.__version__}\n\n"
