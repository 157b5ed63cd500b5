"""Scores of a written picture."""

import shutil

import numpy as np
import pytest
from comparison import Pages

from deconv._core import files
from deconv.compare.protocol import Item
from deconv.compare.scores import exact_lines, fold, match_tones, score

PAGE = Pages().load("page0")


def _written(tmp_path, image):
    files.write(tmp_path / "it.png", np.clip(image, 0, 1))
    return tmp_path / "it.png"


@pytest.mark.skipif(shutil.which("tesseract") is None, reason="tesseract is not installed")
def test_the_true_picture_scores_full(tmp_path):
    told = score(_written(tmp_path, PAGE.sharp), PAGE, 8)
    assert told["accuracy"] == told["folded"] == told["exact"] == 1
    assert told["read"] == PAGE.text
    assert told["psnr"] > 50
    assert told["fitted"] > 50
    assert told["ssim"] > 0.999
    assert 0 <= told["hdc"] <= 100


def test_a_shift_is_nothing_and_a_gain_counts_but_in_fitted(tmp_path):
    moved = 0.3 + 0.5 * np.roll(PAGE.sharp, (2, -3), axis=(0, 1))
    told = score(_written(tmp_path, moved), PAGE, 8, read=False)
    assert told["psnr"] < 15
    assert told["fitted"] > 35
    assert "accuracy" not in told


def test_what_is_not_known_is_not_scored(tmp_path):
    bare = Item("bare", PAGE.image)
    assert score(_written(tmp_path, PAGE.sharp), bare, 8) == {}


def test_colours_are_scored_by_their_grey(tmp_path):
    colours = np.stack([PAGE.sharp, PAGE.image, PAGE.sharp**2], axis=2)
    told = score(_written(tmp_path, colours), Item("c", PAGE.image, colours), 8)
    assert told["psnr"] > 45


def test_equal_pictures_have_a_hundred_decibels(tmp_path):
    flat = np.full((60, 60), 51 / 255, np.float32)
    assert score(_written(tmp_path, flat), Item("flat", flat, flat), 8)["psnr"] == pytest.approx(100)


@pytest.mark.parametrize(
    ("read", "share"),
    [
        (["one two", "3"], 1),
        (["one  two ", "3"], 1),
        (["3", "one two"], 1 / 2),
        (["one two", "rubbish", "3"], 1),
        (["one tw0", "3"], 1 / 2),
        ([], 0),
    ],
)
def test_lines_are_exact_in_their_order(read, share):
    assert exact_lines(read, ("one two", "3")) == share


def test_letters_alike_are_folded():
    assert fold(["O0o Il1| WILL"]) == ["ooo llll wlll"]
    assert fold(["abc"]) != fold(["abd"])


def test_gain_and_offset_are_fitted():
    sharp = np.random.default_rng(0).random((40, 40))
    np.testing.assert_allclose(match_tones(0.2 + 0.4 * sharp, sharp), sharp, atol=1e-12)
    assert np.all(match_tones(np.full((5, 5), 0.3), np.full((5, 5), 0.8)) == pytest.approx(0.8))
