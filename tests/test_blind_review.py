"""The last look: right restorations pass, and restorations of sharp pictures by a wrongly believed PSF do not."""

from dataclasses import astuple

import numpy as np
import pytest
from blind_scenes import LINES, SCENE, page_of, photo_of
from scipy import ndimage
from skimage import data

from deconv import degrade, noise, psf
from deconv.blind.natural import restore
from deconv.blind.review import first_accepted, review
from deconv.blind.settings.review import LastLook

PAGE = 0.05 + 0.9 * page_of(shape=(120, 200), lines=LINES[:2])
KERNELS = {
    "disk": psf.disk(4),
    "gaussian": psf.gaussian(2),
    "motion": psf.motion(9, 30),
    "shake": psf.random_motion(15, rng=4),
}


def drawings(n=128):
    """Sharp drawings and textures whose spectrum has zeros."""
    y, x = np.mgrid[:n, :n].astype(float)
    r, rng = np.hypot(y - n / 2, x - n / 2), np.random.default_rng(0)
    fingers = [ndimage.gaussian_filter(rng.standard_normal((n, n)), s) for s in (3, 4.5)]
    circles = np.zeros((n, n))
    for _ in range(20):
        circles[np.abs(np.hypot(y - rng.uniform(0, n), x - rng.uniform(0, n)) - rng.uniform(5, 30)) < 1.2] = 1
    return {
        "grid": (x % 12 < 2) | (y % 12 < 2),
        "rings of 8": r % 8 < 4,
        "rings of 12": r % 12 < 6,
        "rings of 20": r % 20 < 10,
        "circles": circles,
        "spiral": (r / 10 - np.arctan2(y - n / 2, x - n / 2) / (2 * np.pi)) % 1 < 0.4,
        "fingerprint": fingers[0] - ndimage.gaussian_filter(fingers[0], 3) > 0,
        "checkers of 2": (x // 2 + y // 2) % 2,
        "checkers of 3": (x // 3 + y // 3) % 2,
        "white noise": np.clip(0.5 + 0.15 * rng.standard_normal((n, n)), 0, 1),
    }


DRAWINGS = {name: (0.1 + 0.8 * np.asarray(drawing, np.float32)) for name, drawing in drawings().items()}


def looked_at(image, kernel, prior="natural", caution=1.0, settings=LastLook()):  # noqa: B008
    image, kernel = np.asarray(image, np.float32), np.asarray(kernel, np.float32)
    (after,), _ = restore([image], kernel, prior=prior, report=lambda part: None, caution=caution)
    return review(image, after, kernel, noise.estimate(image), settings=settings)


@pytest.mark.parametrize("sigma", [0.0, 0.002, 0.02])
@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize(("prior", "scene"), [("text", PAGE), ("natural", SCENE)])
def test_right_restorations_pass(prior, scene, kernel, sigma):
    verdict = looked_at(photo_of(scene, KERNELS[kernel], sigma), KERNELS[kernel], prior)
    assert verdict.accepted, verdict
    assert verdict.reason == ""


@pytest.mark.parametrize("radius", [5, 17])
@pytest.mark.parametrize("name", DRAWINGS)
def test_sharp_drawings_are_not_restored(name, radius):
    for caution in (1.0, 4.0, 16.0):
        verdict = looked_at(DRAWINGS[name], psf.disk(radius), caution=caution)
        assert not verdict.accepted, (caution, verdict)
        assert verdict.reason


@pytest.mark.parametrize("picture", [data.astronaut, data.coffee, data.chelsea])
@pytest.mark.parametrize("kernel", [psf.disk(4), psf.motion(12, 30), psf.gaussian(3)])
def test_sharp_photographs_are_not_restored(picture, kernel):
    assert not looked_at(picture()[60:220, 100:300, 1] / 255, kernel).accepted


@pytest.mark.parametrize(("prior", "scene"), [("text", PAGE), ("natural", SCENE)])
@pytest.mark.parametrize("kernel", [psf.disk(8), psf.motion(20, 120)])
def test_a_blur_of_another_kind_or_size_is_not_undone(prior, scene, kernel):
    assert not looked_at(photo_of(scene, psf.disk(4)), kernel, prior).accepted


def test_units_do_not_count():
    photo, kernel = photo_of(PAGE, psf.disk(4)).astype(np.float32), psf.disk(4).astype(np.float32)
    (after,), _ = restore([photo], kernel, prior="text", report=lambda part: None)
    want = review(photo, after, kernel, 0.002)
    # Ink in place of light.
    same = review(1 - photo, 3 - 2 * after, kernel, 0.002)
    assert same.odds == pytest.approx(want.odds, abs=0.05)


def test_the_image_itself_explains_only_a_picture_without_blur():
    photo = photo_of(SCENE, psf.disk(4)).astype(np.float32)
    explained = review(photo, photo, np.ones((1, 1), np.float32), 0.002)
    assert explained.measures.residual < 0.01
    assert explained.measures.roughness == explained.measures.contrast == 0.0
    assert review(photo, photo, psf.disk(4).astype(np.float32), 0.002).measures.residual > 0.05


def test_flat_and_small_images():
    flat = np.full((40, 50), 0.5, np.float32)
    assert np.isfinite(review(flat, flat, psf.disk(4).astype(np.float32), 0.0).measures.misfit)
    small = photo_of(SCENE[:34, :36], psf.disk(3)).astype(np.float32)
    assert np.isfinite(review(small, small, psf.disk(15).astype(np.float32), 0.0).measures.misfit)


@pytest.mark.parametrize("kernel", [psf.disk(3), psf.random_motion(7, rng=1)[:, 1:]])
def test_a_large_image_is_looked_at_in_bands(monkeypatch, kernel):
    # An even number of columns too: its centre is not in the middle.
    kernel = (kernel / kernel.sum()).astype(np.float32)
    photo = photo_of(PAGE, psf.disk(3)).astype(np.float32)
    whole = review(photo, PAGE.astype(np.float32), kernel, 0.002).measures
    monkeypatch.setattr("deconv.blind.review._BAND", 10.0)
    bands = review(photo, PAGE.astype(np.float32), kernel, 0.002).measures
    assert astuple(bands) == pytest.approx(astuple(whole), rel=1e-4)


@pytest.mark.parametrize(("passes", "cautions"), [(1, [1.0]), (3, [1.0, 4.0, 16.0]), (9, [1.0, 4.0, 16.0])])
def test_each_attempt_is_milder_until_one_passes(passes, cautions):
    tried, told = [], []
    good = looked_at(photo_of(PAGE, psf.disk(4)), psf.disk(4), "text")
    bad = looked_at(DRAWINGS["grid"], psf.disk(17))

    def attempt(caution, report):
        report(0.5)
        report(1.0)
        tried.append(caution)
        return len(tried)

    restored, verdict = first_accepted(attempt, lambda n: good if n == passes else bad, told.append)
    assert tried == cautions
    assert told == sorted(told)
    assert told[-1] < 1
    assert (restored, verdict) == ((passes, good) if passes <= 3 else (None, bad))


def test_the_weights_and_the_threshold_are_taken():
    photo = photo_of(PAGE, psf.disk(4))
    want = looked_at(photo, psf.disk(4), "text")
    for name in ("odds", "misfit", "reach", "edges", "roughness", "contrast"):
        assert looked_at(photo, psf.disk(4), "text", settings=LastLook(**{name: 20.0})).odds != want.odds
    strict = looked_at(photo, psf.disk(4), "text", settings=LastLook(most_odds=want.odds - 1))
    assert not strict.accepted
    assert not looked_at(photo, psf.disk(4), "text", settings=LastLook(most_residual=1e-6)).accepted


def test_every_backend_sees_the_same(backend):
    if backend.name == "torch":
        pytest.skip("deblur converts tensors before it calls this")
    photo, kernel = photo_of(PAGE, psf.disk(4)).astype(np.float32), psf.disk(4).astype(np.float32)
    after = np.asarray(degrade.blur(PAGE, psf.gaussian(1)), np.float32)
    want = review(photo, after, kernel, 0.002)
    got = review(*map(backend.asarray, (photo, after, kernel)), 0.002)
    assert got.odds == pytest.approx(want.odds, abs=0.02)
    assert (got.accepted, got.reason) == (want.accepted, want.reason)
