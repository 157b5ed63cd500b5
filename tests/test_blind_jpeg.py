"""The error that JPEG left: read off the image, known to the score, 0 where there was no JPEG."""

import io

import numpy as np
import pytest
from PIL import Image

from deconv import degrade, psf
from deconv.blind.freeform import pipeline
from deconv.blind.freeform.scale import Scale, normalised
from deconv.blind.jpeg import quantisation_error
from deconv.blind.settings.freeform import FreeForm

LINES = ["What a picture loses", "when it is stored by", "blocks of cosines is", "read off its blocks."]
SHAKE = psf.random_motion(15, rng=4)
PAGE = np.rint(255 * degrade.blur(0.1 + 0.8 * degrade.text_picture(LINES, size=34, shape=(240, 400)), SHAKE)) / 255


def _stored(image, quality):
    """The picture, one plane or three colours along the last axis, stored as JPEG and read again."""
    file = io.BytesIO()
    Image.fromarray(np.uint8(np.rint(255 * image))).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file), np.float32) / 255


@pytest.mark.parametrize("quality", [50, 75, 90])
def test_the_error_is_read_off_the_picture(quality):
    stored = _stored(PAGE, quality)
    assert quantisation_error(stored[None]) == pytest.approx(np.std(stored - PAGE), rel=0.4)


def test_of_colours_the_luma_counts():
    stored = _stored(PAGE[..., None] * [1.0, 0.8, 0.6], 75)
    error = np.std((stored - PAGE[..., None] * [1.0, 0.8, 0.6]) @ [0.299, 0.587, 0.114])
    assert quantisation_error(np.moveaxis(stored, 2, 0)) == pytest.approx(error, rel=0.3)


@pytest.mark.parametrize("noise", [0.0, 0.003, 0.03])
def test_an_image_that_was_not_stored_has_no_error(noise):
    page = degrade.add_noise(PAGE, noise, rng=0) if noise else PAGE
    assert quantisation_error(page[None]) == 0.0
    assert quantisation_error((np.rint(255 * np.clip(page, 0, 1)) / 255)[None]) == 0.0


@pytest.mark.parametrize("size", [14, 30, 60])
def test_sharp_drawings_have_no_error(size):
    assert quantisation_error(degrade.text_picture(["Deconv", "drawn"], size=size)[None]) == 0.0


@pytest.mark.parametrize("shape", [(1, 3, 40), (3, 7, 7), (1, 8, 8), (1, 64, 64)])
def test_small_and_flat_images_have_no_error(shape):
    assert quantisation_error(np.full(shape, 0.5)) == 0.0


def test_the_score_allows_for_it():
    stored, settings = _stored(PAGE, 60), FreeForm()
    gains = []
    for error in (None, [quantisation_error(stored[None])]):
        observations, _ = normalised([stored], error, settings=settings.edge_penalty)
        scorer = Scale(observations, 0, 15, settings=settings).scorer
        gains.append(scorer.gain(scorer.score(SHAKE)))
    assert gains[1] > max(0.3, gains[0] + 0.1)


def test_the_tone_curve_scales_it():
    page = np.full((1, 4, 4), 0.25)
    assert pipeline._rms_slope(page, 1.0) == pytest.approx(1.0)
    assert pipeline._rms_slope(page, 2.2) == pytest.approx(2.2 * 0.25**1.2)
    assert np.isfinite(pipeline._rms_slope(np.zeros((1, 4, 4)), 0.5))
