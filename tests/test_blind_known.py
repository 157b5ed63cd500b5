"""A known PSF that may be wrong: the right one restores, the wrong one is refused with a sentence."""

import numpy as np
import pytest
from blind_scenes import LINES, page_of, photo_of, psnr
from skimage import data

from deconv import psf, tone
from deconv.blind import Settings
from deconv.blind.known import deblur_known_psf

PAGE = 0.05 + 0.9 * page_of(shape=(120, 200), lines=LINES[:2])
SCENE = tone.decode(data.astronaut()[60:220, 100:280, 1] / 255)
SHAKE = psf.random_motion(15, rng=4)
SCENES = {"text": PAGE, "natural": SCENE}


def picture(scene, kernel):
    return tone.encode(np.clip(photo_of(scene, kernel), 0, 1)).astype(np.float32)


@pytest.mark.parametrize("kernel", [psf.disk(4), SHAKE, psf.motion(9, 30), psf.gaussian(1.5)])
@pytest.mark.parametrize("prior", SCENES)
def test_the_right_psf_restores_and_tells_text_from_photographs(prior, kernel):
    scene, photo = tone.encode(SCENES[prior]), picture(SCENES[prior], kernel)
    result = deblur_known_psf(photo, kernel.astype(np.float32))
    assert (result.accepted, result.prior, result.reason) == (True, prior, "")
    assert psnr(result.image, scene) > psnr(photo, scene) + 2


@pytest.mark.parametrize("prior", SCENES)
@pytest.mark.parametrize("kernel", [psf.disk(8), psf.motion(24, 30), psf.random_motion(31, rng=4)])
def test_a_psf_twice_too_large_leaves_the_picture(prior, kernel):
    photo = picture(SCENES[prior], {17: psf.disk(4)}.get(kernel.shape[0], SHAKE))
    result = deblur_known_psf(photo, kernel.astype(np.float32))
    assert not result.accepted
    assert result.reason
    np.testing.assert_array_equal(result.image, photo)
    assert not np.shares_memory(result.image, photo)


@pytest.mark.parametrize("prior", SCENES)
@pytest.mark.parametrize("side", [15, 16])
def test_a_psf_turned_the_wrong_way_is_told(prior, side):
    kernel = np.pad(SHAKE, ((0, side - 15), (0, side - 15)))
    photo = picture(SCENES[prior], kernel)
    wrong = deblur_known_psf(photo, SHAKE[::-1, ::-1].astype(np.float32))
    assert not wrong.accepted
    assert "180 degrees" in wrong.reason
    assert deblur_known_psf(photo, kernel.astype(np.float32)).accepted


def test_a_sharp_picture_is_left_alone():
    photo = tone.encode(SCENE).astype(np.float32)
    result = deblur_known_psf(photo, psf.disk(6).astype(np.float32))
    assert not result.accepted
    assert "blurred again" in result.reason


def test_the_prior_and_the_gamma_are_taken():
    photo = photo_of(SCENE, psf.disk(3)).astype(np.float32)
    linear, encoded = (deblur_known_psf(photo, psf.disk(3).astype(np.float32), gamma=g, prior="text") for g in (1, 2.2))
    assert linear.prior == encoded.prior == "text"
    assert psnr(linear.image, SCENE) > psnr(encoded.image, SCENE) + 0.5


def test_colours_and_integers():
    photo = picture(PAGE, psf.disk(4))
    colours = np.stack([photo, 0.8 * photo, 0.5 * photo])
    integers = np.uint8(np.rint(255 * colours))
    result = deblur_known_psf(integers, psf.disk(4).astype(np.float32), channel_axis=0)
    assert result.accepted
    assert result.image.shape == colours.shape
    assert result.image.dtype == np.float32
    scale = (tone.encode(PAGE) * np.array([1, 0.8, 0.5])[:, None, None]).astype(np.float32)
    assert psnr(result.image, scale) > psnr(colours, scale) + 2


def test_what_was_refused_is_tried_milder_and_may_be_forced():
    photo = picture(SCENE, psf.disk(4))
    kernel = psf.disk(8).astype(np.float32)
    lenient = Settings().replace({"review.most_odds": 1e3, "known.turned": 1e3})
    forced = deblur_known_psf(photo, kernel, settings=lenient)
    assert forced.accepted
    assert psnr(forced.image, tone.encode(SCENE)) < psnr(photo, tone.encode(SCENE)) - 0.5


@pytest.mark.parametrize("name", ["text", "inked", "level", "ink"])
def test_the_test_for_text_takes_its_settings(name):
    value = {"text": 0.0, "inked": 2.0, "level": 0.1, "ink": 3.0}[name]
    photo, kernel = picture(PAGE, psf.disk(4)), psf.disk(4).astype(np.float32)
    lenient = {"review.most_odds": 1e3}
    assert deblur_known_psf(photo, kernel, settings=Settings().replace(lenient)).prior == "text"
    changed = Settings().replace(lenient | {f"known.{name}": value})
    assert (deblur_known_psf(photo, kernel, settings=changed).prior == "natural") is (name != "level")


def test_the_turned_psf_is_not_looked_at_if_it_is_nearly_the_same():
    photo, turned = picture(PAGE, SHAKE), SHAKE[::-1, ::-1].astype(np.float32)
    even = Settings().replace({"known.uneven": 2.0, "review.most_odds": 1e3})
    assert deblur_known_psf(photo, turned, settings=even).accepted


def test_progress_rises_to_one():
    told = []
    deblur_known_psf(
        picture(PAGE, SHAKE), SHAKE.astype(np.float32), callback=lambda part, stage: told.append((part, stage))
    )
    parts = [part for part, _ in told]
    assert parts == sorted(parts)
    assert parts[-1] == 1
    assert [*dict.fromkeys(stage for _, stage in told)] == ["judge", "restore"]


def test_every_backend_restores_the_same(backend):
    photo, kernel = picture(PAGE, psf.disk(4)), psf.disk(4).astype(np.float32)
    want = deblur_known_psf(photo, kernel)
    got = deblur_known_psf(backend.asarray(photo), backend.asarray(kernel))
    assert (got.accepted, got.prior) == (want.accepted, want.prior)
    np.testing.assert_allclose(backend.to_numpy(got.image), want.image, atol=5e-3)
