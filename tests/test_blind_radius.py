"""A disc of known radius: it is kept, its edge fitted, and the rest goes on as in a blind restoration."""

import functools

import numpy as np
import pytest
from blind_scenes import BLURRED, LINES, MOON, SHARP, needs_tesseract, page_of, photo_of, psnr

import deconv
from deconv import degrade, psf
from deconv.blind import deblur


@pytest.mark.parametrize("prior", ["text", "natural"])
def test_a_known_radius_is_used_as_it_is(prior):
    # Not the one that a search finds.
    known = {radius: deblur(BLURRED, prior=prior, radius=radius, gamma=1) for radius in (3.3, 3.5)}
    for radius, result in known.items():
        assert (result.family, result.prior) == ("disk", prior)
        assert result.parameters["radius"] == radius
        assert type(result.parameters["radius"]) is float
        want = psf.disk(radius, softness=result.parameters["softness"])
        np.testing.assert_allclose(result.psf, want, atol=1e-6)
        assert np.isnan(result.uncertainty)
        np.testing.assert_array_equal(result.search["radius"], [radius])
        assert result.search["criterion"].shape == (1,)
        assert 0 < result.score <= -result.search["criterion"][0]
    assert known[3.5].score > 2 * known[3.3].score
    assert psnr(known[3.5].image, SHARP) > psnr(known[3.3].image, SHARP) + (10 if prior == "text" else 9)
    assert psnr(known[3.5].image, SHARP) > psnr(BLURRED, SHARP) + 15


@needs_tesseract
def test_by_a_known_radius_as_much_is_read():
    page = page_of(30, (150, 260))
    photo = photo_of(0.05 + 0.9 * page, psf.disk(10))
    blind, known, wrong = (
        deconv.ocr.character_accuracy(deconv.ocr.read_lines(deblur(photo, radius=radius, gamma=1).image), LINES)
        for radius in (None, 10, 9)
    )
    assert known >= blind
    assert known > wrong + 0.1


@pytest.mark.parametrize("softness", [0.7, 1.6])
def test_the_softness_is_fitted_to_a_known_radius(softness):
    photo = photo_of(page_of(30, (150, 260)), psf.disk(8, softness=softness))
    assert deblur(photo, radius=8, gamma=1).parameters["softness"] == pytest.approx(softness, rel=0.2)


def test_the_tone_curve_is_estimated_with_a_known_radius():
    assert deblur(BLURRED, radius=3.5).gamma == 1
    light = 0.9 * (1 - 0.95 * degrade.blur(1 - page_of(), psf.disk(8)))
    photo = degrade.add_noise(deconv.tone.encode(light, 2.2, 0.8), 0.001, rng=0)
    assert deblur(photo, radius=8).shoulder == pytest.approx(0.8, abs=0.25)


def test_other_pictures_are_restored_with_the_known_radius():
    natural = deblur(MOON, prior="natural", radius=2.9, gamma=1)
    with pytest.warns(UserWarning, match="not restored as text"):
        text = deblur(MOON, prior="text", radius=2.9, gamma=1)
    assert text.prior == "natural"
    assert text.parameters == natural.parameters
    assert text.parameters["radius"] == 2.9
    np.testing.assert_array_equal(text.image, natural.image)


def test_a_known_radius_under_a_pixel_is_restored():
    photo = photo_of(SHARP, psf.disk(0.8))
    assert deblur(photo, gamma=1).family == "none"
    result = deblur(photo, radius=0.8, gamma=1)
    assert result.parameters["radius"] == 0.8
    assert psnr(result.image, SHARP) > psnr(photo, SHARP) + 10


def test_a_wrong_radius_of_a_sharp_picture_has_no_evidence_and_is_refused():
    result = deblur(SHARP, prior="natural", radius=3, gamma=1)
    assert (result.family, result.score) == ("none", 0.0)
    assert np.array_equal(result.image, SHARP)
    assert result.reason.startswith("the restored picture")
    assert result.guess.log_odds < 0
    assert result.guess.parameters["radius"] == 3


def test_the_largest_radius():
    # As wide as the picture is high, and more than the part that seems to hold its text.
    photo = photo_of(SHARP, psf.disk(46), 0.003)
    for prior in ("auto", "natural"):
        result = deblur(photo, prior=prior, radius=48, gamma=1)
        assert result.parameters["radius"] == 48
        assert np.isfinite(result.image).all()


@functools.cache
def by_radius(prior):
    return deblur(BLURRED, prior=prior, radius=3.4, gamma=1)


@pytest.mark.parametrize("prior", ["text", "natural"])
def test_every_backend_restores_by_a_known_radius(backend, prior):
    want = by_radius(prior)
    got = deblur(backend.asarray(BLURRED), prior=prior, radius=3.4, gamma=1)
    np.testing.assert_allclose(backend.to_numpy(got.image), want.image, rtol=0, atol=1e-3)
    assert got.parameters == pytest.approx(want.parameters, rel=1e-4)
    assert got.parameters["radius"] == 3.4
    assert type(got.search["radius"]) is type(got.search["criterion"]) is np.ndarray
