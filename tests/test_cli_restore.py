"""``deconv restore``, end to end on small pictures: what it writes, prints and returns, and how it fails."""

import re

import numpy as np
import pytest
import skimage.data
from cli_pictures import LINES, main, needs_tesseract, sharp_page, write_photo, write_shaken
from PIL import Image

import deconv
from deconv import cli
from deconv._core import files
from deconv.blind import Restoration
from deconv.blind.result import Guess
from deconv.cli import describe


@pytest.fixture
def sharp():
    return sharp_page()


@pytest.fixture
def photo(tmp_path):
    return write_photo(tmp_path / "photo.png")


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
    said = capsys.readouterr().out
    assert said.startswith("unchanged: its edges are as steep as those of a sharp image; noise ")
    np.testing.assert_array_equal(files.read(tmp_path / "same.png").pixels, files.read(tmp_path / "sharp.jpg").pixels)


@pytest.mark.parametrize(
    ("log_odds", "told"),
    [
        (2.5, " (best guess: disk of radius 3.0 px, softness 0.4 px, odds 12 to 1 against no blur)"),
        (40.0, " (best guess: disk of radius 3.0 px, softness 0.4 px, odds more than a million to 1 against no blur)"),
        (-1.0, ""),
    ],
)
def test_what_is_not_explained_is_said_with_the_best_guess(log_odds, told):
    guess = Guess("disk", {"radius": 3.0, "softness": 0.4}, log_odds)
    result = Restoration(np.ones((8, 8)), np.ones((1, 1)), "none", reason="nothing explains it", guess=guess)
    assert describe.blur(result) == f"unchanged: nothing explains it{told}; noise 0.0000"


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_picture_that_was_turned_upright_is_named(tmp_path, sharp, capsys, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "page.png"
    Image.fromarray(np.uint8(255 * sharp)).save(path, exif=exif)
    assert main(["restore", str(path)]) == 0
    said = capsys.readouterr().out.splitlines()
    told = f"{path} was turned upright, as its EXIF orientation says"
    assert [line for line in said if "EXIF" in line] == ([told] if orientation == 6 else [])
    shape = files.read(tmp_path / "page_restored.png").pixels.shape
    assert shape == (sharp.shape if orientation == 1 else sharp.shape[::-1])


@pytest.mark.parametrize("kind", ["psf.npy", "psf.png"])
def test_restore_with_a_known_psf(photo, sharp, kind, capsys):
    psf = np.pad(deconv.psf.disk(4), ((0, 6), (2, 0)))  # off centre, as photographs of a star are
    path = photo.with_name(kind)
    if kind.endswith("npy"):
        np.save(path, psf)
    else:
        files.write(path, psf / psf.max())
    assert main(["restore", str(photo), "--psf", str(path), "-o", str(photo.with_name("out.png"))]) == 0
    told, restored_as, _ = capsys.readouterr().out.splitlines()
    assert told.startswith("known PSF (")
    assert restored_as == "restored as text"
    restored = files.read(photo.with_name("out.png")).pixels
    truth = deconv.tone.encode(0.05 + 0.85 * sharp)
    assert np.abs(restored - truth).mean() < np.abs(files.read(photo).pixels - truth).mean() / 3


def test_a_psf_that_is_wrong_leaves_the_picture(photo, capsys):
    np.save(photo.with_name("wrong.npy"), deconv.psf.disk(9))
    output = photo.with_name("out.png")
    arguments = ["--psf", str(photo.with_name("wrong.npy")), "--prior", "text", "-o", str(output)]
    assert main(["restore", str(photo), *arguments]) == 0
    told, why, _ = capsys.readouterr().out.splitlines()
    assert told.startswith("known PSF (")
    assert why == "the picture is unchanged: the restored picture, blurred again, does not explain the picture"
    np.testing.assert_array_equal(files.read(output).pixels, files.read(photo).pixels)


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
    sharp = write_shaken(tmp_path / "in.png")
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
    given = [*arguments[:-1], "9", "--gamma", "1"]
    assert main([*given, "-o", str(tmp_path / "given.png")]) == 0
    # A given tone curve is not told.
    assert re.fullmatch(r"restored as (text|a natural picture)", capsys.readouterr().out.splitlines()[1])


def test_a_free_psf_that_is_none(tmp_path, capsys):
    files.write(tmp_path / "page.png", deconv.degrade.text_picture(["sharp", "text"], shape=(80, 120)))
    assert main(["restore", str(tmp_path / "page.png"), "--psf", "free", "--psf-size", "5", "--gamma", "1"]) == 0
    found, _ = capsys.readouterr().out.splitlines()
    assert found.startswith("unchanged: no blur was found; noise ")
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
    page = write_shaken(grey)
    write_shaken(colour, sharp=np.stack([page, 0.9 * page, 0.8 * page], axis=-1))
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
    assert cli.main(["restore", str(photo)]) == 130
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
        (["photo.png", "--radius", "999"], r"radius must be at most \d+(\.5)?, half the image's shorter side"),
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
