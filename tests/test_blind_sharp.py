"""A sharp picture comes back bit for bit, whatever it shows: twelve of the hundred of benchmarks/studies/sharp.py."""

import numpy as np
import pytest

import deconv
from benchmarks.studies import sharp, sharp_pictures
from deconv.compare.protocol import Row


@pytest.mark.parametrize("name", sharp_pictures.QUICK)
def test_a_sharp_picture_comes_back_bit_for_bit(name):
    image = sharp_pictures.sharp(name) / np.float32(255)
    result = deconv.blind.deblur(image)
    assert result.family == "none"
    assert np.array_equal(result.image, image)


def test_the_set_is_a_hundred_different_pictures():
    images = {name: sharp_pictures.sharp(name) for name in sharp_pictures.SHARP}
    assert len(images) == 100
    assert len({image.tobytes() for image in images.values()}) == 100
    assert all(200 <= n <= 600 for image in images.values() for n in image.shape[:2])
    assert all(image.min() < image.max() for image in images.values())


@pytest.mark.parametrize("name", ["camera-disk", "chelsea-gaussian"])
def test_what_is_blurred_is_worse_than_the_sharp_one_and_of_its_shape(name):
    image, truth = sharp_pictures.blurred(name)
    assert image.shape == truth.shape
    assert 20 < sharp_pictures.psnr(image / 255, truth / 255) < 36
    assert np.array_equal(image, sharp_pictures.blurred(name)[0])


def test_only_an_exact_copy_counts_as_the_same(tmp_path):
    pictures = sharp_pictures.Pictures("part", ("grid-8", "camera-disk"))
    item = pictures.load("grid-8")
    almost = item.image.copy()
    almost[3, 3] += np.float32(1e-6)
    assert pictures.measure(item, item.image.copy(), None, tmp_path / "copy")["details"]["same"] is True
    assert pictures.measure(item, almost, None, tmp_path / "almost")["details"]["same"] is False
    # The result is kept where it differs.
    assert [path.name for path in tmp_path.iterdir()] == ["almost.png"]
    blurred = pictures.load("camera-disk")
    details = pictures.measure(blurred, blurred.image, None, tmp_path / "blurred")["details"]
    assert details["before"] == details["after"] == pytest.approx(27.9, abs=0.2)


def row(item, **details):
    return Row("part", item, "default", "classical", "nothing", "k", details=details)


def test_failures_are_those_that_changed_or_lost():
    sentence = {"sentence": "disk of radius 2.0 px"}
    rows = [
        row("grid-8", blurred=False, same=True, after=99.0, told="none", sentence="no blur found"),
        row("grid-6", blurred=False, same=False, after=12.3, told="disk", **sentence),
        row("camera-disk", blurred=True, same=False, before=27.0, after=26.95, told="disk", **sentence),
        row("coins-disk", blurred=True, same=False, before=27.0, after=26.8, told="disk", **sentence),
    ]
    lines = sharp.failures(rows).splitlines()
    assert lines[2:] == [
        "| grid-6 | disk | sharp | 12.30 | disk of radius 2.0 px |",
        "| coins-disk | disk | 27.00 | 26.80 | disk of radius 2.0 px |",
    ]
    assert sharp.summary(rows, 5).splitlines() == [
        "Sharp: 1 of 2 changed, 1 told blurred.",
        "Blurred by 2 pixels: 1 of 2 worse by more than 0.1 dB; gain -0.12 dB in the mean, -0.20 at worst.",
        "Without a result: 1.",
    ]
