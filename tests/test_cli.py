"""The command line: usage errors, ``read``, ``degrade``, ``demo``, and the process itself."""

import functools
import io
import re
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from cli_pictures import main, needs_tesseract, sharp_page, write_photo

import deconv
from deconv._core import files
from deconv.cli import demo, terminal


@pytest.fixture
def no_tesseract(monkeypatch):
    monkeypatch.setattr("pytesseract.pytesseract.tesseract_cmd", "no-such-program")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "the following arguments are required: COMMAND"),
        (["restore"], "the following arguments are required: IN"),
        (["sharpen", "a.png"], "invalid choice: 'sharpen'"),
        (["restore", "a.png", "--psf", "dsk"], "'dsk' is neither auto, disk, gaussian, motion, free nor a file"),
        (["restore", "a.png", "--psf", "motion", "--radius", "9"], "--radius goes with --psf disk"),
        (["restore", "a.png", "--psf", __file__, "--radius", "9"], "--radius goes with --psf disk"),
        (["restore", "a.png", "--psf", "free", "--same-psf", "--radius", "9"], "--radius goes with --psf disk"),
        (["restore", "a.png", "--radius", "0"], "must be a number above 0, got 0"),
        (["restore", "a.png", "--radius", "wide"], "must be a number above 0, got wide"),
        (["restore", "a.png", "--psf", "disk", "--psf-size", "9"], "--psf-size goes with --psf free"),
        (["restore", "a.png", "--psf", "gaussian", "--region", "0:40,0:40"], "--region goes with --psf free"),
        (["restore", "a.png", "--psf", "free", "--psf-size", "few"], "a number of pixels or two, LEAST-MOST, got few"),
        (["restore", "a.png", "--psf", "free", "--psf-size", "5-"], "a number of pixels or two, LEAST-MOST, got 5-"),
        (["restore", "a.png", "--psf", "free", "--region", "40"], "must be TOP:BOTTOM,LEFT:RIGHT in pixels, got 40"),
        (["restore", "a.png", "--psf", "free", "--region", "40:0,0:40"], "must be TOP:BOTTOM,LEFT:RIGHT in pixels"),
        (["restore", "a.png", "b.png"], "several pictures are restored together with --psf free --same-psf"),
        (["restore", "a.png", "--psf", "disk", "--same-psf"], "--same-psf goes with --psf free"),
        (["restore", "a.png", "b.png", "--psf", "free", "--same-psf", "-o", "c.png"], "--output is for one picture"),
        (["restore", "a.png", "a.png", "--psf", "free", "--same-psf"], "would be written to one file"),
        (["restore", "a.png", "--gamma", "0"], "must be a number above 0, got 0"),
        (["restore", "a.png", "--gamma", "much"], "must be a number above 0, got much"),
        (["restore", "a.png", "--prior", "taste"], "invalid choice: 'taste'"),
        (["restore", "a.png", "--psf", __file__, "--plot", "a.pdf"], "there is none with --psf FILE"),
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


def test_read_failures(tmp_path, capsys, no_tesseract):
    photo = write_photo(tmp_path / "photo.png")
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
def test_degrade_blurs_light(tmp_path, monkeypatch, options, psf):
    monkeypatch.chdir(tmp_path)
    sharp = sharp_page()
    np.save("own.npy", psf)
    files.write("in.tif", sharp, like=files.Picture(sharp, dtype=np.dtype(np.float32), white=1))
    assert main(["degrade", "in.tif", "-o", "out.tif", *options]) == 0
    light = np.clip(deconv.degrade.blur(sharp, psf), 0, 1)
    np.testing.assert_allclose(files.read("out.tif").pixels, light ** (1 / 2.2), atol=2e-3)
    assert main(["degrade", "in.tif", "-o", "noisy.tif", *options, "--noise", "0.01", "--gamma", "1"]) == 0
    assert np.std(files.read("noisy.tif").pixels - light) == pytest.approx(0.01, rel=0.1)


# ---- demo


hdc_photo = deconv.degrade.hdc_photo


@functools.cache
def small_photo(step, *, rng):
    """The simulated photograph, a tenth as large."""
    whole = hdc_photo(step, rng=rng)
    return replace(whole, image=whole.image.reshape(146, 10, 236, 10).mean((1, 3)), radius=whole.radius / 10)


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
    monkeypatch.setattr(demo, "STEP", 0)  # found sharp: quick
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
        with terminal.progress() as report:
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
