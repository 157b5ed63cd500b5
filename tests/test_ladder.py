"""The ladder of the Helsinki Deblur Challenge: real photographs, blind, one set of defaults.

The photographs are not part of the package (CC BY, fetched apart); without them these tests skip.
"""

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import deconv

FRAMES = Path(__file__).parents[2] / "shared" / "data" / "hdc2021"
# Radius of the blur in pixels of the full frame: the least and the most of what the organisers' point sources show and
# what a sharp partner photograph gives, of both fonts.
RADII = {
    4: (24.6, 27.0),
    5: (34.2, 35.9),
    6: (42.6, 43.6),
    7: (50.9, 51.3),
    8: (60.9, 62.5),
    10: (75.5, 77.0),
    12: (89.7, 90.0),
    14: (101.3, 103.0),
}
LADDER = [("verdana_0001", s) for s in (4, 6, 8, 10, 12, 14)] + [("times_0100", s) for s in (4, 5, 6, 7, 8)]

pytestmark = [
    pytest.mark.skipif(not FRAMES.is_dir(), reason="the photographs are not here"),
    pytest.mark.skipif(shutil.which("tesseract") is None, reason="tesseract is not installed"),
]


def _frame(series, step):
    """A photograph at a tenth of its size, and its three lines of text."""
    name = f"small_{series}/step{step:02d}.png"
    with open(FRAMES / "truth.csv", newline="") as table:
        truth = next(row for row in csv.DictReader(table) if row["file"] == name)
    with Image.open(FRAMES / name) as picture:
        return np.asarray(picture), [truth[f"line{i}"] for i in (1, 2, 3)]


def _off(radius, step):
    """How far outside of the measured range a radius is, as part of it."""
    low, high = RADII[step]
    return max(low / radius - 1, radius / high - 1, 0.0)


def _blind(series, step):
    image, lines = _frame(series, step)
    result = deconv.blind.deblur(image)
    return result, deconv.ocr.hdc_score(result.image, lines)


@pytest.mark.parametrize("step", [0, 1])
def test_a_sharp_photograph_is_left_alone(step):
    image, _ = _frame("times_0100", step)
    assert deconv.blind.deblur(image).family == "none"


@pytest.mark.parametrize("step", [8, 12])
def test_a_photograph_is_read(step):
    result, score = _blind("verdana_0001", step)
    assert result.family == "disk"
    assert _off(10 * result.parameters["radius"], step) <= 0.03
    assert score >= 70
    # The same photograph as it is cannot be read at all.
    assert deconv.ocr.hdc_score(_frame("verdana_0001", step)[0], _frame("verdana_0001", step)[1]) < 30


@pytest.mark.slow
def test_the_whole_ladder_is_read():
    found = {frame: _blind(*frame) for frame in LADDER}
    scores = {frame: score for frame, (_, score) in found.items()}
    errors = {(s, n): round(_off(10 * r.parameters["radius"], n), 3) for (s, n), (r, _) in found.items()}
    assert min(scores.values()) >= 70, scores
    assert np.mean(list(scores.values())) >= 90, scores
    # (Of 2.8 px, the least radius here, a tenth of a pixel is 3.6 %.)
    assert max(errors.values()) <= 0.04, errors


@pytest.mark.slow
def test_a_whole_photograph_is_read():
    with Image.open(FRAMES / "full" / "step14_times_0100_blur.png") as picture:
        image = np.asarray(picture)
    result = deconv.blind.deblur(image)
    assert _off(result.parameters["radius"], 14) <= 0.03
    assert deconv.ocr.hdc_score(result.image, "wGunVERtck") >= 80
