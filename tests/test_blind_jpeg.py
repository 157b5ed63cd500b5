"""The error that JPEG left: read off the image, known to the score, 0 where there was no JPEG."""

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage
from scipy.fft import idctn
from skimage import data

from deconv import degrade, psf
from deconv.blind.freeform.scale import Scale, normalised
from deconv.blind.jpeg import _step, measure
from deconv.blind.settings.freeform import FreeForm
from deconv.blind.settings.jpeg import Jpeg

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


PHOTOGRAPHS = {"camera": data.camera()[100:356, 60:380], "moon": data.moon()[:256, :320], "text": data.text()}
SOFT = {
    name: np.rint(255 * degrade.blur(image / 255.0, psf.gaussian(2.0))) / 255 for name, image in PHOTOGRAPHS.items()
}


@pytest.mark.parametrize("quality", [92, 95])
@pytest.mark.parametrize("name", sorted(SOFT))
def test_fine_steps_of_a_blurred_photograph_are_found(name, quality):
    """Of its coefficients only those of low frequencies are left, whose steps are 2 and 3."""
    stored = _stored(SOFT[name], quality)
    assert _error(stored[None]) == pytest.approx(np.std(stored - SOFT[name]), rel=0.5)


@pytest.mark.parametrize("name", sorted(SOFT))
def test_a_blurred_photograph_that_was_not_stored_has_no_error(name):
    assert _error(SOFT[name][None]) == 0.0
    enlarged = np.clip(ndimage.zoom(PHOTOGRAPHS[name] / 255.0, 1.5, order=3), 0, 1)
    assert _error((np.rint(255 * enlarged) / 255)[None]) == 0.0


def test_a_fine_step_must_be_significant():
    """Few multiples of 2 among rounding errors may be chance."""
    rng = np.random.default_rng(0)
    many = 2 * rng.integers(-20, 21, 4000) + rng.normal(0, 0.45, 4000)
    settings = Jpeg()
    assert _step(many, settings=settings) == 2
    assert _step(many[:60], settings=settings) == 0
    assert _step(many, settings=replace(settings, fine_step=1)) == 0
    assert _step(many, settings=replace(settings, fine_cosine=0.7)) == 0


@pytest.mark.parametrize(("frequencies", "found"), [(4, False), (5, True)])
def test_a_few_frequencies_must_have_a_step(frequencies, found):
    """Blocks whose coefficients are multiples of 12 at a few frequencies, and anything at the others."""
    rng = np.random.default_rng(0)
    coefficients = rng.normal(0, 9, (400, 64))
    coefficients[:, 1 : 1 + frequencies] = 12 * rng.integers(-4, 5, (400, frequencies))
    blocks = idctn(coefficients.reshape(20, 20, 8, 8), axes=(2, 3), norm="ortho") / 255
    page = blocks.swapaxes(1, 2).reshape(160, 160)
    assert (measure(page[None]) is not None) == found
