"""The error of an image: what JPEG leaves in light and in coverage by ink, and what a residual adds."""

import io
import math
from dataclasses import replace

import numpy as np
import pytest
from blind_scenes import psnr
from PIL import Image
from skimage import data

import deconv
from deconv import degrade, tone
from deconv.blind.errors import gain_of_ink, rms_slope, storage_error, with_residual
from deconv.blind.jpeg import measure
from deconv.blind.natural import restore
from deconv.blind.parametric.families import Disk
from deconv.blind.parametric.restore import deconvolve, on_grid, restore_planes
from deconv.blind.settings import Settings
from deconv.blind.text.ink import planes_as_ink

DISK = Disk(4.0)
SETTINGS = Settings()


def stored(values, quality):
    """Encoded values of one plane, stored as JPEG and read again."""
    file = io.BytesIO()
    Image.fromarray(np.uint8(np.rint(255 * np.clip(values, 0, 1)))).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file), np.float32) / 255


def photograph(scene, quality):
    """Encoded values of a blurred scene through a JPEG file, and without one."""
    light = degrade.add_noise(degrade.blur(scene, DISK.make()), 0.002, rng=0)
    values = tone.encode(np.clip(light, 0, 1))
    return stored(values, quality), values


CAMERA = data.camera()[40:296, 100:356] / 255
PAGE = 0.05 + 0.85 * degrade.text_picture(["stored in", "blocks of", "cosines"], size=22, shape=(160, 200))


def _stored_error(page, *curve):
    """The error of light that JPEG left, measured on the page itself."""
    return storage_error(measure(page), page, *curve)


@pytest.mark.parametrize("gamma", [1.0, 2.2])
def test_the_error_of_light_is_that_of_values_by_the_slope(gamma):
    values, before = photograph(CAMERA, 60)
    error = np.std(tone.decode(values, gamma) - tone.decode(before, gamma))
    assert _stored_error(values[None], gamma) == pytest.approx(error, rel=0.5)


def test_what_was_never_stored_has_no_error():
    assert _stored_error(photograph(CAMERA, 60)[1][None], 2.2) == 0.0


def test_the_slope_of_a_tone_curve():
    page = np.full((1, 8, 8), 0.5)
    assert rms_slope(page, 1.0) == pytest.approx(1.0)
    assert rms_slope(page, 2.2) == pytest.approx(2.2 * 0.5**1.2, rel=1e-3)
    # v = 1 - (1 - l)^3 has the inverse l = 1 - (1 - v)^(1 / 3).
    assert rms_slope(page, 2.2, 1.0) == pytest.approx(0.5 ** (-2 / 3) / 3, rel=1e-3)
    assert math.isfinite(rms_slope(np.zeros((1, 8, 8)), 0.5))


@pytest.mark.parametrize("foreground", ["dark", "bright"])
def test_the_error_of_ink_is_that_of_light_over_the_paper(foreground):
    scene = 0.4 * PAGE if foreground == "dark" else 0.5 - 0.4 * PAGE
    (ink,), *_ = planes_as_ink(scene[None], foreground, SETTINGS.text.ink)
    (noisy,), *_ = planes_as_ink(degrade.add_noise(scene, 0.01, rng=1)[None], foreground, SETTINGS.text.ink)
    assert 0.01 * gain_of_ink(scene, ink) == pytest.approx(np.std(noisy - ink), rel=0.25)


def test_a_residual_that_jpeg_explains_adds_nothing():
    assert with_residual(0.0, 0.02, 0.011, 0.55) == 0.02
    # Without JPEG, whichever is larger.
    assert with_residual(0.0, 0.0, 0.011, 0.55) == pytest.approx(0.02)
    assert with_residual(0.03, 0.0, 0.011, 0.55) == 0.03
    assert with_residual(0.01, 0.01, 0.03, 0.55) > 0.05


def test_a_jpeg_restored_with_its_error_is_closer_to_the_scene():
    values, _ = photograph(CAMERA, 40)
    light, truth, error = tone.decode(values), tone.encode(CAMERA), _stored_error(values[None], 2.2)
    restored = [
        restore([light], DISK.make(), prior="natural", report=lambda part: None, stored=e)[0][0] for e in (error, 0.0)
    ]
    with_it, without = (psnr(tone.encode(sharp), truth) for sharp in restored)
    assert with_it > without + 0.2
    assert with_it > psnr(values, truth) + 2.0


def _specks(values, **settings):
    """Specks on the paper of a page that was stored as JPEG, restored with and without JPEG's error."""
    light = tone.decode(values)
    (ink,), *_ = planes_as_ink(light[None], "dark", SETTINGS.text.ink)
    error = _stored_error(values[None], 2.2) * gain_of_ink(light, ink)
    paper = deconv.degrade.blur(np.asarray(PAGE < 0.8, float), np.ones((9, 9)) / 81) < 1e-6
    plain = replace(SETTINGS.general.deconvolution, **settings)
    return tuple(
        float(np.std(deconvolve(ink, DISK, plain, lambda part: None, 1.2, stored=stored)[paper]))
        for stored in (error, 0.0)
    )


def test_ink_stored_as_jpeg_has_fewer_specks():
    with_it, without = _specks(photograph(PAGE, 70)[0])
    assert with_it < 0.8 * without


def test_noise_that_jpeg_smoothed_makes_no_specks():
    light = degrade.add_noise(degrade.blur(PAGE, DISK.make()), 0.03, rng=0)
    values = stored(tone.encode(np.clip(light, 0, 1)), 70)
    # The noise that differences of pixels still show, and JPEG's error, are smaller than the residual.
    assert _specks(values)[0] < 0.8 * _specks(values, residual=math.inf)[0]


def test_more_caution_is_milder():
    values, _ = photograph(CAMERA, 70)
    light = tone.decode(values)

    def variation(caution):
        (sharp,), _ = restore([light], DISK.make(), prior="natural", report=lambda part: None, caution=caution)
        return float(np.abs(np.diff(sharp)).sum())

    assert variation(16.0) < variation(4.0) < variation(1.0)


@pytest.mark.parametrize("prior", ["text", "natural"])
def test_how_much_of_the_error_counts_depends_on_the_prior(prior):
    values, _ = photograph(CAMERA, 70)
    light, error = tone.decode(values), _stored_error(values[None], 2.2)
    restored = [
        restore([light], DISK.make(), prior=prior, report=lambda part: None, stored=error, settings=settings)[0][0]
        for settings in (SETTINGS.natural, replace(SETTINGS.natural, **{f"{prior}_stored": 8.0}))
    ]
    usual, smooth = (float(np.abs(np.diff(sharp)).sum()) for sharp in restored)
    assert smooth < 0.9 * usual


def test_every_backend_has_the_same_error(backend):
    if backend.name == "torch":
        pytest.skip("deblur converts tensors before it calls this")
    values, _ = photograph(PAGE, 70)
    got = _stored_error(backend.asarray(values[None]), 2.2, 0.5)
    assert got == pytest.approx(_stored_error(values[None], 2.2, 0.5), rel=1e-3)


@pytest.mark.parametrize("quality", [None, 60])
def test_a_natural_image_by_its_disc_is_no_worse_than_with_the_weight_of_ink(quality):
    stored_values, values = photograph(CAMERA, quality or 100)
    values = values if quality is None else stored_values
    light, error = tone.decode(values).astype(np.float32), _stored_error(values[None], 2.2)
    plain = SETTINGS.general.deconvolution
    small = on_grid(light, DISK, plain)
    (together,) = restore_planes([small], light.shape, DISK, SETTINGS, lambda part: None, stored=error)
    alone = deconvolve(light, DISK, plain, lambda part: None)
    gain = psnr(tone.encode(together), tone.encode(CAMERA)) - psnr(tone.encode(alone), tone.encode(CAMERA))
    assert gain > (-0.1 if quality is None else 1.0)
