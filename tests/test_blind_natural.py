"""The last step of a free-form restoration: tones, borders, lamps and colours, by right and by wrong PSFs."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

import deconv
from deconv.blind.natural import restore
from deconv.blind.settings.natural import Natural


def shake():
    """A bent path of uneven speed, 15 x 15."""
    t = np.linspace(0.0, 1.0, 60)
    rows, columns = 7 + 5.5 * np.sin(2.6 * t) - 3, 7 + 10 * (t - 0.5)
    psf = np.zeros((15, 15))
    np.add.at(psf, (np.rint(rows).astype(int), np.rint(columns).astype(int)), 1 + t)
    psf = gaussian_filter(psf, 0.4)
    return (psf / psf.sum()).astype(np.float32)


PSF = shake()


def page(size=18, shape=(110, 150)):
    return deconv.degrade.text_picture(("a last step", "by a PSF", "not quite so"), size=size, shape=shape)


def natural(shape=(110, 150)):
    """Patches of many sizes in front of each other, which have the spectrum of scenes."""
    rng = np.random.default_rng(3)
    scene = np.full(shape, 0.5)
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    for size in 40.0 / np.arange(1, 120) ** 0.5:
        at = rng.uniform(0, shape[0]), rng.uniform(0, shape[1])
        scene[np.hypot(rows - at[0], columns - at[1]) < size] = rng.uniform(0.1, 0.9)
    return scene


def photographed(scene, sigma=0.002, psf=PSF, crop=0):
    """The photograph: blurred, noisy, clipped, in 8 bits, the scene going on by `crop` pixels beyond it."""
    blurred = deconv.degrade.add_noise(deconv.degrade.blur(scene, psf), sigma, rng=0)
    blurred = blurred[crop : blurred.shape[0] - crop, crop : blurred.shape[1] - crop]
    return (np.round(255 * np.clip(blurred, 0, 1)) / 255).astype(np.float32)


def estimated(error=0.04):
    """The PSF with an error like an estimate's, by its largest value."""
    wrong = gaussian_filter(PSF, 0.4) + error * PSF.max() * gaussian_filter(
        np.random.default_rng(1).standard_normal(PSF.shape), 0.7
    )
    wrong[wrong < 0.05 * wrong.max()] = 0.0
    return (wrong / wrong.sum()).astype(np.float32)


def restored(plane, psf=PSF, prior="text", settings=Natural()):  # noqa: B008
    (plane,), _ = restore([plane], psf, prior=prior, report=lambda part: None, settings=settings)
    return plane


def psnr(a, b, border=0):
    inner = (slice(border, a.shape[0] - border), slice(border, a.shape[1] - border))
    return -10 * math.log10(np.mean((np.clip(a, 0, 1) - np.clip(b, 0, 1))[inner] ** 2))


@pytest.mark.parametrize(
    ("prior", "scene", "sigma", "gain"), [("text", page(), 0.002, 14), ("natural", natural(), 0.002, 7)]
)
def test_a_right_psf_gives_the_scene(prior, scene, sigma, gain):
    photo = photographed(scene, sigma)
    found = restored(photo, prior=prior)
    assert found.dtype == np.float32
    assert psnr(found, scene) > psnr(photo, scene) + gain


@pytest.mark.parametrize("sigma", [0.0, 0.01, 0.03, 0.1])
@pytest.mark.parametrize("psf", [PSF, estimated(), estimated(0.1)], ids=["right", "estimated", "poor"])
@pytest.mark.parametrize(("prior", "scene"), [("text", page()), ("natural", natural())])
def test_never_worse_than_what_came_in(prior, scene, psf, sigma):
    photo = photographed(scene, sigma)
    assert psnr(restored(photo, psf, prior), scene) > psnr(photo, scene)


@pytest.mark.parametrize(("prior", "scene"), [("text", page()), ("natural", natural())])
def test_a_sharp_picture_and_no_blur(prior, scene):
    photo = photographed(scene, 0.01, np.ones((1, 1)))
    point = np.zeros((5, 5), np.float32)
    point[2, 2] = 1.0
    assert psnr(restored(photo, point, prior), scene) > psnr(photo, scene)


def test_an_error_of_the_psf_counts_as_noise():
    # The noise does not show how wrong the PSF is, and a weight for the noise alone would ring.
    photo, psf = photographed(page(), 0.0), estimated()
    aware = psnr(restored(photo, psf), page())
    unaware = psnr(restored(photo, psf, settings=replace(Natural(), residual=math.inf)), page())
    assert aware > unaware + 1.0


def test_the_frame_is_not_periodic():
    scene = natural()
    scene[:, :75] *= 0.2
    photo, truth = photographed(scene, crop=8), scene[8:-8, 8:-8]
    found = restored(photo, prior="natural")
    rim = np.ones(truth.shape, bool)
    rim[8:-8, 8:-8] = False
    error, before = (np.sqrt(np.mean((x - truth)[rim] ** 2)) for x in (found, photo))
    assert error < 0.7 * before


@pytest.mark.parametrize(("level", "size"), [(20.0, 1), (20.0, 4), (4.0, 1), (4.0, 6)])
def test_lamps_by_night_have_no_dark_rings(level, size):
    ground = 0.05 + 0.4 * page()
    scene = ground.copy()
    for row, column in ((20, 30), (55, 90), (85, 60), (40, 125)):
        scene[row : row + size, column : column + size] = level
    photo = photographed(scene)
    found = restored(photo)
    assert found.max() <= 1.0
    lamps = deconv.degrade.blur(np.asarray(scene > 1, float), np.ones((15, 15)) / 225) > 1e-6
    around = lamps & (scene <= 1)
    # Under a box that ends at 1 the streaks of the lamps stay, and what they lack rings.
    boxed = deconv.variational(photo, PSF, bounds=(0.0, 1.0), num_iter=50).image
    error, without = (np.sqrt(np.mean((x - ground)[around] ** 2)) for x in (found, boxed))
    assert error < 0.5 * without
    assert np.mean((found - ground)[around]) > -0.03


def test_paper_that_is_clipped_is_no_lamp():
    # Where light up to 1 explains the picture the box holds it there: half a page's edges come from that.
    scene = page()
    photo = photographed(scene, 0.0)
    free = deconv.variational(photo, PSF, bounds=(0.0, None), weight=5e-5, num_iter=50).image
    assert psnr(restored(photo), scene) > psnr(free, scene)


def test_light_beyond_one_is_kept():
    photo = 3 * deconv.degrade.blur(page(), PSF)
    assert restored(photo).max() > 2.5


def test_colours_stay():
    grey = page()
    scene = [grey, 0.3 + 0.4 * grey, 0.5 * np.ones_like(grey)]
    found, _ = restore([photographed(s) for s in scene], PSF, prior="text", report=lambda part: None)
    for got, plane in zip(found, scene, strict=True):
        assert np.abs(np.mean(got) - np.mean(plane)) < 0.004
    ink, paper = grey < 0.02, grey > 0.98
    for where in (ink, paper):
        medians = [np.median(got[where]) - np.median(plane[where]) for got, plane in zip(found, scene, strict=True)]
        np.testing.assert_allclose(medians, 0.0, atol=0.02)


def test_colours_with_noise_help_each_other():
    scene = [page(), 0.2 + 0.6 * page(), 1.0 - 0.7 * page()]
    photo = [np.array(photographed(s, 0.02)) for s in scene]
    rng = np.random.default_rng(5)
    photo = [np.clip(p + 0.02 * rng.standard_normal(p.shape), 0, 1).astype(np.float32) for p in photo]
    found, _ = restore(photo, PSF, prior="text", report=lambda part: None)
    gains = [psnr(got, s) - psnr(restored(p), s) for got, p, s in zip(found, photo, scene, strict=True)]
    assert np.mean(gains) > 0.4


def test_equal_planes_stay_equal_and_are_apart_in_memory():
    photo = photographed(page())
    found, _ = restore([photo, photo.copy(), photo.copy()], PSF, prior="text", report=lambda part: None)
    assert np.array_equal(found[0], found[1])
    assert np.array_equal(found[0], found[2])
    assert not np.shares_memory(found[0], found[1])
    np.testing.assert_array_equal(found[0], restored(photo))


def test_the_residual_shows_noise_and_a_wrong_psf():
    def residual(sigma, psf):
        return restore([photographed(page(), sigma)], psf, prior="text", report=lambda part: None)[1]

    right = residual(0.002, PSF)
    assert right < 0.004
    assert 0.01 < residual(0.02, PSF) < 0.02
    assert residual(0.002, PSF[::-1, ::-1]) > 2 * right


def test_a_picture_of_one_tone():
    for level in (0.0, 0.1, 0.5, 1.0):
        np.testing.assert_allclose(restored(np.full((40, 50), level, np.float32)), level, atol=1e-3)
    flat = [np.full((40, 50), level, np.float32) for level in (0.2, 0.9)]
    for got, plane in zip(restore(flat, PSF, prior="text", report=lambda part: None)[0], flat, strict=True):
        np.testing.assert_allclose(got, plane, atol=1e-3)


def test_reports_rise_to_one():
    parts = []
    planes = [photographed(page()), photographed(0.5 * page())]
    restore(planes, PSF, prior="text", report=parts.append)
    assert parts == sorted(parts)
    assert parts[0] > 0
    assert parts[-1] == 1.0


@pytest.mark.parametrize("lamp", [False, True])
def test_every_backend_restores_the_same(backend, lamp):
    if backend.name == "torch":
        pytest.skip("deblur converts tensors before it calls this")
    scene = page(12, (60, 96))
    if lamp:
        scene = 0.3 * scene
        scene[20:23, 30:33] = 10.0
    planes = [photographed(scene), photographed(0.5 * scene)]
    want, rms = restore(planes, PSF, prior="text", report=lambda part: None)
    got, same = restore([backend.asarray(p) for p in planes], PSF, prior="text", report=lambda part: None)
    assert same == pytest.approx(rms, rel=0.02)
    for g, w in zip(got, want, strict=True):
        np.testing.assert_allclose(backend.to_numpy(g), w, atol=3e-3)


@pytest.mark.parametrize(
    ("prior", "scene", "sigma"), [("text", page(), 0.002), ("natural", natural(), 0.02)], ids=["text", "natural"]
)
def test_neither_a_quarter_of_the_weight_nor_four_times_is_better(prior, scene, sigma):
    photo = photographed(scene, sigma)
    strength = f"{prior}_strength"
    weight = getattr(Natural(), strength)
    less, chosen, more = (
        psnr(restored(photo, prior=prior, settings=replace(Natural(), **{strength: part * weight})), scene, 8)
        for part in (1 / 4, 1, 4)
    )
    assert chosen > less + 0.5
    assert chosen > more + 0.5
