"""The error that JPEG left: read off the image, known to the score, 0 where there was no JPEG."""

import io

import numpy as np
import pytest
from PIL import Image

from deconv import degrade, psf
from deconv.blind.freeform.scale import Scale, normalised
from deconv.blind.jpeg import measure
from deconv.blind.settings.freeform import FreeForm

LINES = ["What a picture loses", "when it is stored by", "blocks of cosines is", "read off its blocks."]
SHAKE = psf.random_motion(15, rng=4)
PAGE = np.rint(255 * degrade.blur(0.1 + 0.8 * degrade.text_picture(LINES, size=34, shape=(240, 400)), SHAKE)) / 255


def _error(page, **options):
    """Standard deviation of JPEG's error; 0 if none was measured."""
    compression = measure(page, **options)
    return 0.0 if compression is None else compression.rms


def _stored(image, quality):
    """The picture, one plane or three colours along the last axis, stored as JPEG and read again."""
    file = io.BytesIO()
    Image.fromarray(np.uint8(np.rint(255 * image))).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file), np.float32) / 255


@pytest.mark.parametrize("quality", [50, 75, 90])
def test_the_error_is_read_off_the_picture(quality):
    stored = _stored(PAGE, quality)
    assert _error(stored[None]) == pytest.approx(np.std(stored - PAGE), rel=0.4)


def test_of_colours_the_luma_counts():
    stored = _stored(PAGE[..., None] * [1.0, 0.8, 0.6], 75)
    error = np.std((stored - PAGE[..., None] * [1.0, 0.8, 0.6]) @ [0.299, 0.587, 0.114])
    assert _error(np.moveaxis(stored, 2, 0)) == pytest.approx(error, rel=0.3)


@pytest.mark.parametrize("noise", [0.0, 0.003, 0.03])
def test_an_image_that_was_not_stored_has_no_error(noise):
    page = degrade.add_noise(PAGE, noise, rng=0) if noise else PAGE
    assert _error(page[None]) == 0.0
    assert _error((np.rint(255 * np.clip(page, 0, 1)) / 255)[None]) == 0.0


@pytest.mark.parametrize("size", [14, 30, 60])
def test_sharp_drawings_have_no_error(size):
    assert _error(degrade.text_picture(["Deconv", "drawn"], size=size)[None]) == 0.0


@pytest.mark.parametrize("shape", [(1, 3, 40), (3, 7, 7), (1, 8, 8), (1, 64, 64)])
def test_small_and_flat_images_have_no_error(shape):
    assert _error(np.full(shape, 0.5)) == 0.0


def test_the_score_allows_for_it():
    stored, settings = _stored(PAGE, 60), FreeForm()
    gains = []
    for error in (None, [_error(stored[None])]):
        observations, _ = normalised([stored], error, settings=settings.edge_penalty)
        scorer = Scale(observations, 0, 15, settings=settings).scorer
        gains.append(scorer.gain(scorer.score(SHAKE)))
    assert gains[1] > max(0.3, gains[0] + 0.1)
