"""Ink and background: the light divided out, text darker or brighter than its background."""

from dataclasses import replace

import numpy as np
import pytest

from deconv import degrade, psf
from deconv.blind.settings.text import Ink
from deconv.blind.text.ink import coverage, estimate_foreground, planes_as_ink, text_window

SETTINGS = Ink()

PAGE = degrade.text_picture(["Light and", "darkness"], size=24, shape=(150, 220))
# No margin, no background to be seen: text all over the frame.
DENSE = degrade.text_picture(["all of it is text " * 2] * 8, size=18, shape=(220, 420))[20:-20, 60:-60]


def _photo(page, radius, foreground):
    """`page` out of focus under uneven light, the text taking light away or giving it."""
    ink = degrade.blur(1 - page, psf.disk(radius))
    scene = 1 - 0.95 * ink if foreground == "dark" else 0.1 + 0.85 * ink
    return degrade.add_noise(degrade.add_vignette(scene, 0.3, centre=(0.1, -0.2)), 0.002, rng=0), ink


@pytest.mark.parametrize("radius", [2, 6, 10])
@pytest.mark.parametrize("page", [PAGE, DENSE], ids=["block", "dense"])
@pytest.mark.parametrize("foreground", ["dark", "bright"])
def test_foreground_is_estimated(page, radius, foreground):
    assert estimate_foreground(_photo(page, radius, foreground)[0], SETTINGS) == foreground


def test_noise_has_no_foreground_and_counts_as_dark():
    for seed in range(5):
        assert estimate_foreground(degrade.add_noise(np.full((64, 80), 0.7), 0.05, rng=seed), SETTINGS) == "dark"


def test_dark_ink_is_covered_paper():
    photo, ink = _photo(PAGE, 3, "dark")
    np.testing.assert_allclose(coverage(photo, "dark", SETTINGS), 0.95 * ink, atol=0.02)


def test_bright_ink_is_coverage_up_to_a_factor():
    photo, ink = _photo(PAGE, 3, "bright")
    estimate = coverage(photo, "bright", SETTINGS)
    slope, offset = np.polyfit(ink.ravel(), estimate.ravel(), 1)
    assert 0.5 < slope < 2
    assert abs(offset) < 0.02
    # The rest is the light over the text, which a black background does not show.
    assert np.corrcoef(ink.ravel(), estimate.ravel())[0, 1] > 0.98


@pytest.mark.parametrize("light", [0.01, 0.3])
def test_the_noise_of_a_colour_without_light_is_not_ink(light):
    photo, ink = _photo(PAGE, 3, "dark")
    weak = light * photo + 0.003 * np.random.default_rng(0).standard_normal(photo.shape)
    inks, _, _ = planes_as_ink(np.stack([photo, weak]), "dark", SETTINGS)
    contrast = np.polyfit(ink.ravel(), inks[1].ravel(), 1)[0]
    assert np.std(inks[1][ink < 0.01]) < 0.1
    assert contrast == pytest.approx(0.95 if light > 0.05 else 0.2, abs=0.1)


@pytest.mark.parametrize("foreground", ["dark", "bright"])
def test_window_holds_the_text(foreground):
    photo, ink = _photo(PAGE, 3, foreground)
    window = text_window(coverage(photo, foreground, SETTINGS), SETTINGS)
    inside = np.zeros(ink.shape, bool)
    inside[window] = True
    assert ink[~inside].max() < 0.05
    assert inside.mean() < 0.8


def test_the_corners_of_the_frame_are_not_text_but_the_ends_of_lines_are():
    ink = np.zeros((240, 360))
    lines = [slice(top, top + 12) for top in range(60, 180, 24)]
    for rows in lines:
        ink[rows, 60:180] = ink[rows, 190:300] = 0.5
    corners = ink.copy()
    for rows in (slice(0, 12), slice(-12, None)):
        corners[rows, :24] = corners[rows, -24:] = 0.5
    assert text_window(corners, SETTINGS) == text_window(ink, SETTINGS)
    for rows in lines:
        ink[rows, :50] = ink[rows, 310:] = 0.5
    assert text_window(ink, SETTINGS)[1] == slice(0, 360)


def test_a_dense_page_is_its_own_window():
    # Letters all over, much blurred: only the darkest of them stand out from the spread of the rest.
    ink = 0.6 * np.kron(np.random.default_rng(0).random((20, 30)), np.ones((12, 12)))
    ink[100:130, 150:200] = 0.9
    assert text_window(ink, SETTINGS) == (slice(0, 240), slice(0, 360))
    darkest = text_window(ink, replace(SETTINGS, window_power=0.0))
    assert (darkest[0].stop - darkest[0].start) * (darkest[1].stop - darkest[1].start) < 0.6 * ink.size


@pytest.mark.parametrize("foreground", ["dark", "bright"])
def test_every_backend_gives_numpys_ink(backend, foreground):
    photo = _photo(PAGE, 3, foreground)[0].astype(np.float32)
    given = backend.asarray(photo)
    assert estimate_foreground(given, SETTINGS) == foreground
    got = backend.to_numpy(coverage(given, foreground, SETTINGS))
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, coverage(photo, foreground, SETTINGS), atol=1e-4)
