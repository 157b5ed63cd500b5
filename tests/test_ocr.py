"""Reading and scoring: the official procedure to the letter, text of any size, and errors without tesseract."""

import csv
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import deconv
from deconv import ocr
from deconv.degrade import text_picture
from deconv.ocr import tesseract

SHARED = Path(__file__).parents[2] / "shared"
FRAMES = SHARED / "data" / "hdc2021"
LINES = ["Reading text", "of any size", "three lines"]

needs_tesseract = pytest.mark.skipif(shutil.which("tesseract") is None, reason="tesseract is not installed")
needs_shared = pytest.mark.skipif(not FRAMES.is_dir(), reason="the photographs are not here")


@pytest.fixture
def fake_tesseract(monkeypatch, tmp_path):
    """Replace the program by a shell script; call the fixture with its text."""

    def install(script):
        program = tmp_path / "tesseract"
        program.write_text("#!/bin/sh\n" + script)
        program.chmod(0o755)
        monkeypatch.setattr("pytesseract.pytesseract.tesseract_cmd", str(program))

    return install


# ---- read_lines


@needs_tesseract
def test_every_backend_is_read(backend):
    picture = backend.asarray(text_picture(LINES))
    assert ocr.read_lines(picture) == LINES


@needs_tesseract
@pytest.mark.parametrize("font", ["verdana", "times"])
@pytest.mark.parametrize("size", [14, 30, 100, 300])
def test_every_size_and_both_polarities_are_read(size, font):
    picture = text_picture(LINES, size=size, font=font)
    assert ocr.character_accuracy(ocr.read_lines(picture), LINES) > 0.9
    assert ocr.character_accuracy(ocr.read_lines(1 - picture), LINES) > 0.9


@needs_tesseract
def test_text_in_a_shadow_is_read():
    picture = text_picture(LINES, size=40)
    page = np.linspace(0.8, 0.3, picture.shape[1]) * (0.4 + 0.6 * picture)
    assert ocr.character_accuracy(ocr.read_lines(page), LINES) > 0.9
    assert ocr.character_accuracy(ocr.read_lines(1 - page), LINES) > 0.9


@needs_tesseract
@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_colours_along_any_axis(axis):
    grey = text_picture(LINES)
    colour = np.stack([grey, grey**2, 0.5 + grey / 2, np.zeros_like(grey)], axis=axis)
    assert ocr.read_lines(colour, channel_axis=axis) == LINES
    assert ocr.read_lines(np.stack([grey, grey], axis=axis), channel_axis=axis) == LINES


@needs_tesseract
def test_integers_and_overshoot():
    picture = text_picture(LINES)
    assert ocr.read_lines((picture * 65535).astype(np.uint16)) == LINES
    assert ocr.read_lines(picture > 0.5) == LINES
    wild = picture.copy()
    wild[0, 0], wild[-1, -1] = 50, -50
    assert ocr.read_lines(wild) == LINES


@needs_tesseract
def test_nothing_to_read():
    assert ocr.read_lines(np.full((40, 60), 0.5)) == []
    assert ocr.read_lines(np.ones((1, 1))) == []
    assert ocr.read_lines(np.tile([0.0, 1.0], (1, 3000))) == []


@pytest.mark.parametrize("size", [10, 16, 30, 100, 400])
def test_x_height_estimate(size):
    letter = text_picture("x", size=size)
    true = np.ptp(np.nonzero((letter < 0.5).any(axis=1))[0]) + 1
    page = text_picture(["Sphinx of black quartz,", "judge my vow"], size=size)
    assert tesseract._find_letters(page)[0] == pytest.approx(true, rel=0.25)
    speckled = page * (np.random.default_rng(0).random(page.shape) > 0.003)
    assert tesseract._find_letters(speckled)[0] == pytest.approx(true, rel=0.3)


def test_size_for_tesseract_stays_within_its_limits():
    assert tesseract._resize_within_limits(Image.new("L", (100, 50)), 2).size == (200, 100)
    assert tesseract._resize_within_limits(Image.new("L", (3, 1)), 0.01).size == (1, 1)
    assert tesseract._resize_within_limits(Image.new("L", (29000, 10)), 6).width == 30000
    wide, high = tesseract._resize_within_limits(Image.new("L", (4000, 3000)), 6).size
    assert wide * high <= 40.1e6


# ---- hdc_score


@needs_tesseract
@needs_shared
@pytest.mark.parametrize(
    "name",
    [
        "full/step03_verdana_0001_blur.png",
        "full/step14_times_0100_blur.png",
        "full/step14_times_0100_sharp.png",
        "small_times_0100/step02.png",
        "small_verdana_0001/step02.png",
    ],
)
def test_score_is_that_of_the_reference_script(monkeypatch, name):
    monkeypatch.setenv("OMP_THREAD_LIMIT", "1")  # the script sets it for good
    spec = importlib.util.spec_from_file_location("reference_hdc_score", SHARED / "tools" / "hdc_score.py")
    reference = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(reference)
    with open(FRAMES / "truth.csv") as file:
        truth = {row["file"]: [row[f"line{n}"] for n in (1, 2, 3)] for row in csv.DictReader(file)}
    truth = truth.get(name, truth["full/step14_times_0100_blur.png"])
    with Image.open(FRAMES / name) as picture:
        grey = picture.convert("L")
    if grey.size != (2360, 1460):  # the script's margin of 50 columns is that of a full frame
        grey = grey.resize((2360, 1460), Image.Resampling.BICUBIC)
    expected, _ = reference.hdc_score(grey, truth[1])
    assert ocr.hdc_score(np.asarray(grey), truth) == expected
    assert ocr.hdc_score(np.asarray(grey) / 255, truth[1]) == expected


def _capture(monkeypatch, lines):
    """Let Tesseract return `lines`; the list of the pages that it is given, with configuration and language."""
    pages = []

    def recognise(page, config, lang):
        pages.append((np.asarray(page), config, lang))
        return lines

    monkeypatch.setattr(tesseract, "recognise", recognise)
    return pages


def test_score_counts_the_middle_one_of_three_lines(monkeypatch):
    frame = np.ones((146, 236))
    _capture(monkeypatch, ["one", "abcdefghiX", "three"])
    assert ocr.hdc_score(frame, "abcdefghij") == 90
    assert ocr.hdc_score(frame, ["", "abcdefghij  ", ""]) == 90  # as the challenge reads its text files
    assert ocr.hdc_score(frame, "first\nABCDEFGHIX\nlast") == 10
    for lines in ([], ["abcdefghij"], ["a", "abcdefghij"], ["a", "abcdefghij", "b", "c"]):
        _capture(monkeypatch, lines)
        assert ocr.hdc_score(frame, "abcdefghij") == 0


def test_score_normalises_by_the_left_margin_of_a_full_frame(monkeypatch):
    pages = _capture(monkeypatch, [])
    frame = np.full((1460, 2360), 220, np.uint8)
    frame[300, 49] = 200
    frame[:, 50:] = 150
    frame[700:740, 1000:1400] = 50
    ocr.hdc_score(frame, "truth")
    (page, config, lang) = pages[0]
    assert page.shape == (730, 1180)
    assert page[0, 0] == int((220 - 50) * 255 / 200)  # the white level is taken before the black level is subtracted
    assert page[100, 500] == int((150 - 50) * 255 / 200)
    assert page[360, 600] == 0
    assert "--psm 6" in config
    assert "textord_min_xheight=100" in config
    assert lang == "eng"
    # A small frame: text 50 pixels from the left is outside the margin of 5.
    small = np.full((146, 236), 200, np.uint8)
    small[70:74, 20:140] = 50
    ocr.hdc_score(small, "truth")
    assert pages[1][0][0, 0] < 255


def test_score_of_a_black_frame(monkeypatch):
    _capture(monkeypatch, [])
    assert ocr.hdc_score(np.zeros((146, 236)), "truth") == 0


# ---- character_accuracy


def test_accuracy_known_values():
    assert ocr.character_accuracy("abcd", "abcd") == 1
    assert ocr.character_accuracy("abXd", "abcd") == 0.75
    assert ocr.character_accuracy("", "abcd") == 0
    assert ocr.character_accuracy("quite another text", "abcd") == 0
    assert ocr.character_accuracy(["a  b", " c"], "a b\nc") == 1
    assert ocr.character_accuracy("Abcd", "abcd") == 0.75


@given(st.text(), st.text().filter(str.strip))
def test_accuracy_lies_between_0_and_1_and_is_1_for_the_truth(read, truth):
    assert 0 <= ocr.character_accuracy(read, truth) <= 1
    assert ocr.character_accuracy(truth, truth) == 1


# ---- the program


def test_without_the_program(monkeypatch):
    monkeypatch.setattr("pytesseract.pytesseract.tesseract_cmd", "no-such-program")
    with pytest.raises(ocr.TesseractMissing, match=r"apt-get install tesseract-ocr .*brew install tesseract") as caught:
        ocr.read_lines(np.eye(30))
    assert "\n" not in str(caught.value)


@needs_tesseract
def test_without_language_data(monkeypatch, tmp_path):
    with pytest.raises(ocr.TesseractMissing, match="'xyz': apt-get install tesseract-ocr-xyz "):
        ocr.read_lines(np.eye(30), lang="xyz")
    monkeypatch.setenv("TESSDATA_PREFIX", str(tmp_path))
    with pytest.raises(ocr.TesseractMissing, match="'eng': apt-get install tesseract-ocr-eng "):
        ocr.hdc_score(np.eye(30), "truth")


def test_another_failure_raises_with_its_message(fake_tesseract):
    fake_tesseract("echo out of luck >&2; exit 3")
    with pytest.raises(RuntimeError, match=r"^tesseract failed: out of luck$"):
        ocr.read_lines(np.eye(30))


def test_one_thread_in_the_child_unless_set(monkeypatch, fake_tesseract):
    fake_tesseract('echo "threads $OMP_THREAD_LIMIT" > "$2.txt"')
    monkeypatch.delenv("OMP_THREAD_LIMIT", raising=False)
    assert ocr.read_lines(np.eye(30)) == ["threads 1"]
    assert "OMP_THREAD_LIMIT" not in os.environ
    monkeypatch.setenv("OMP_THREAD_LIMIT", "7")
    assert ocr.read_lines(np.eye(30)) == ["threads 7"]
    assert os.environ["OMP_THREAD_LIMIT"] == "7"


def test_pytesseract_is_not_imported_before_it_is_needed():
    code = "import sys, deconv; deconv.ocr.read_lines; sys.exit('pytesseract' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


# ---- bad input


@pytest.mark.parametrize("function", [ocr.read_lines, lambda image, **k: ocr.hdc_score(image, "truth", **k)])
@pytest.mark.parametrize(
    ("image", "options", "error", "sentence"),
    [
        ("picture.png", {}, TypeError, "image must be an array of numbers, got str"),
        (None, {}, TypeError, "image must be an array of numbers, got NoneType"),
        (np.zeros((4, 4, 3)), {}, ValueError, "name its colour axis with channel_axis"),
        (np.zeros((4, 4, 7)), {"channel_axis": -1}, ValueError, "image must have 1 to 4 channels, got 7"),
        (np.zeros((0, 4)), {}, ValueError, "image must not be empty"),
        (np.float64(1), {}, ValueError, "image must have 2 axes"),
        (np.full((4, 4), np.nan), {}, ValueError, "image holds nothing but NaN"),
        (np.zeros((4, 4), complex), {}, TypeError, "image must hold real numbers, got dtype complex128"),
        (np.zeros((4, 4), object), {}, TypeError, "image must hold real numbers, got dtype object"),
        (np.zeros((4, 4)), {"channel_axis": 2}, ValueError, "channel_axis is 2"),
    ],
)
def test_bad_image(function, image, options, error, sentence):
    with pytest.raises(error, match=sentence):
        function(image, **options)


@pytest.mark.parametrize(
    ("truth", "error"), [(5, TypeError), (["a", 2, "c"], TypeError), (["a", "b"], ValueError), ("", ValueError)]
)
def test_bad_truth(truth, error):
    with pytest.raises(error, match="truth must be the middle line or the three lines, got"):
        ocr.hdc_score(np.zeros((146, 236)), truth)


def test_bad_texts():
    with pytest.raises(ValueError, match="truth must contain at least one character, got none"):
        ocr.character_accuracy("a", " \n ")
    with pytest.raises(TypeError, match="read must be a string or a sequence of strings, got 5"):
        ocr.character_accuracy(5, "a")
    with pytest.raises(TypeError, match="truth must be a string or a sequence of strings"):
        ocr.character_accuracy("a", [1, 2])


def test_public_names():
    assert deconv.ocr.TesseractMissing is ocr.TesseractMissing
    assert issubclass(ocr.TesseractMissing, RuntimeError)
