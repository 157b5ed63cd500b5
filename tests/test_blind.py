"""Blind deblurring of pictures whose blur we know, and what it must leave alone."""

import numpy as np
import pytest
from blind_scenes import BLURRED, NOISE, PHOTO, SCENE, SHARP, page_of, photo_of, psnr, result_of
from skimage import data

import deconv
from deconv import degrade, psf
from deconv.blind import api, deblur
from deconv.blind.text import pipeline

# ---- the PSF and the picture


@pytest.mark.parametrize(("radius", "size", "font"), [(2, 20, "verdana"), (4, 24, "times"), (8, 30, "verdana")])
def test_the_radius_of_a_disk_is_found(radius, size, font):
    page = page_of(size, (150, 260), font=font)
    blurred = photo_of(page, psf.disk(radius))
    result = deblur(blurred, gamma=1)
    assert result.family == "disk"
    assert result.parameters["radius"] == pytest.approx(radius, rel=0.03)
    assert psf.similarity(result.psf, psf.disk(radius)) > 0.97
    assert result.noise == pytest.approx(NOISE, rel=0.3)
    assert psnr(result.image, page) > psnr(blurred, page) + 8


def test_the_width_of_a_gaussian_is_found():
    page = page_of()
    result = deblur(photo_of(page, psf.gaussian(2.0)), psf="gaussian", gamma=1)
    assert result.family == "gaussian"
    assert result.parameters == {"sigma": pytest.approx(2.0, rel=0.15)}
    # A Gaussian a tenth too narrow, as it is estimated, leaves two tones apart but pale.
    assert psnr(result.image, page) > psnr(photo_of(page, psf.gaussian(2.0)), page) + 2


@pytest.mark.parametrize(
    ("length", "angle"),
    [(9, 120), *(pytest.param(*case, marks=pytest.mark.slow) for case in ((12, 30), (10, 90), (8, 0), (14, 65)))],
)
def test_length_and_angle_of_a_motion_are_found(length, angle):
    page = page_of(16, (64, 90), ["Moving", "letters"])
    blurred = photo_of(page, psf.motion(length, angle))
    result = deblur(blurred, psf="motion", gamma=1)
    assert result.family == "motion"
    assert result.parameters["length"] == pytest.approx(length, rel=0.05)
    turn = (result.parameters["angle"] - angle + 90) % 180 - 90
    assert abs(turn) < 3
    assert 0 <= result.parameters["angle"] < 180
    assert psnr(result.image, page) > psnr(blurred, page) + 8


@pytest.mark.slow
@pytest.mark.parametrize(
    ("family", "kernel"), [("disk", psf.disk(4)), ("gaussian", psf.gaussian(2)), ("motion", psf.motion(10, 30))]
)
def test_auto_tells_the_families_apart(family, kernel):
    assert deblur(photo_of(page_of(), kernel), psf="auto", gamma=1).family == family


def test_the_whole_range_is_searched():
    # Ten pixels, 8 % of the width: text that nobody could read, and that is one smooth blot.
    page = page_of(24, (110, 126), ["Wide", "blur"])
    result = deblur(photo_of(page, psf.disk(10), 0.001), gamma=1)
    assert result.parameters["radius"] == pytest.approx(10, rel=0.03)


def test_natural_pictures_get_better():
    result = deblur(PHOTO, prior="natural", gamma=1)
    assert result.family == "disk"
    assert result.parameters["radius"] == pytest.approx(3, rel=0.05)
    assert psnr(result.image, SCENE) > psnr(PHOTO, SCENE) + 4


def test_natural_pictures_keep_their_encoding():
    # Blurred in light, recorded by gamma: undone in light, recorded again.
    scene = data.camera()[150:330:2, 150:370:2] / 255
    light = photo_of(deconv.tone.decode(scene, 2.2), psf.disk(2.5), 0.0005)
    photo = deconv.tone.encode(np.clip(light, 0, 1), 2.2)
    result = deblur(photo, prior="natural")
    assert psnr(result.image, scene) > psnr(photo, scene) + 4
    assert abs(result.image.mean() - scene.mean()) < 0.02


# ---- what it leaves alone


@pytest.mark.parametrize(
    ("font", "size", "noise"),
    [
        ("times", 22, 0.0),
        ("times", 30, 0.02),
        ("verdana", 22, 0.0),
        ("verdana", 22, 0.002),
    ],
)
def test_a_sharp_page_comes_back_as_it_was(font, size, noise):
    page = degrade.add_noise(page_of(size, (130, 250), font=font), noise, rng=0)
    result = deblur(page, gamma=1)
    assert result.family == "none"
    assert result.parameters == {}
    assert result.score == 0
    np.testing.assert_array_equal(result.image, page)
    np.testing.assert_array_equal(result.psf, [[1.0]])


@pytest.mark.parametrize("kind", [np.uint8, np.float64])
def test_a_sharp_photograph_comes_back_as_it_was(kind):
    photo = data.camera()[100:300, 100:340]
    photo = photo if kind is np.uint8 else photo / 255
    result = deblur(photo, prior="natural")
    assert result.family == "none"
    np.testing.assert_allclose(result.image, data.camera()[100:300, 100:340] / 255, rtol=0, atol=1e-6)
    # It is not the caller's own array under another name.
    assert not np.shares_memory(result.image, photo)


@pytest.mark.parametrize(("prior", "value"), [("text", 0.0), ("text", 0.5), ("text", 0.7), ("natural", 0.7)])
def test_a_flat_picture_is_refused(prior, value):
    with pytest.raises(ValueError, match="image is flat"):
        deblur(np.full((64, 80), value), prior=prior)


@pytest.mark.parametrize("prior", ["text", "natural"])
def test_nothing_but_noise_is_left_alone(prior):
    for seed in range(2):
        noisy = degrade.add_noise(np.full((64, 80), 0.7), 0.01, rng=seed)
        result = deblur(noisy, prior=prior, gamma=1)
        assert result.family == "none"
        np.testing.assert_array_equal(result.image, noisy)


# ---- photographs as they come


def test_uneven_light_does_not_matter():
    page = page_of(20, (110, 190))
    light = degrade.add_vignette(degrade.blur(page, psf.disk(4)), 0.4, centre=(0.2, -0.3))
    even = degrade.blur(page, psf.disk(4))
    results = [deblur(degrade.add_noise(x, NOISE, rng=0), gamma=1) for x in (light, even)]
    assert results[0].parameters["radius"] == pytest.approx(4, rel=0.03)
    # The paper comes out white and the text black all over, as under even light.
    assert psnr(results[0].image, page) > psnr(results[1].image, page) - 2
    assert results[0].image[page > 0.5].mean() > 0.95


@pytest.mark.slow
def test_exposure_does_not_matter():
    dark = deblur(0.25 * BLURRED, gamma=1)
    # The floor of the model error is in units of ink, which exposure cannot change.
    assert dark.parameters["radius"] == pytest.approx(3.5, rel=0.03)
    assert psnr(dark.image, SHARP) > psnr(BLURRED, SHARP) + 8


def test_text_that_reaches_the_border():
    lines = [
        "Every good page of text",
        "runs on beyond the frame",
        "left and right, above and",
        "below; no margin is in",
    ] * 2
    scene = page_of(18, (220, 320), [*lines])
    photo = photo_of(scene, psf.disk(3))[30:-30, 40:-40]
    result = deblur(photo, gamma=1)
    assert result.family == "disk"
    assert result.parameters["radius"] == pytest.approx(3, rel=0.03)
    truth = scene[30:-30, 40:-40]
    assert psnr(result.image, truth) > psnr(photo, truth) + 5


def test_text_may_stand_anywhere():
    # Only the text's own window is restored; the rest comes out as paper.
    page = np.pad(page_of(20, (60, 110), ["Corner"]), ((0, 60), (0, 90)), constant_values=1)
    result = deblur(photo_of(page, psf.disk(3)), gamma=1)
    assert result.parameters["radius"] == pytest.approx(3, rel=0.03)
    assert psnr(result.image, page) > 22
    assert result.image[80:, 130:].min() > 0.95


def test_gamma_is_undone():
    encoded = deconv.tone.encode(np.clip(BLURRED, 0, 1), 2.2)
    result = deblur(encoded, gamma=2.2)
    assert result.parameters["radius"] == pytest.approx(3.5, rel=0.03)
    assert psnr(result.image, SHARP) > psnr(encoded, SHARP) + 8


@pytest.mark.parametrize("prior", ["auto", "natural"])
def test_long_strips_and_single_specks_are_taken(prior):
    rng = np.random.default_rng(0)
    strip = np.repeat(rng.random((32, 250)), 4, axis=1)
    assert np.isfinite(deblur(photo_of(strip, psf.disk(3)), prior=prior, gamma=1).image).all()
    speck = np.full((48, 48), 0.8)
    speck[20, 20] = 0.1
    np.testing.assert_array_equal(deblur(speck, prior=prior, gamma=1).image, speck)


def test_light_need_not_end_at_one():
    scene = data.camera()[40:400:2, 100:460:2] / 255
    result = deblur(5 * photo_of(scene, psf.disk(3)), prior="natural", gamma=1)
    assert result.parameters["radius"] == pytest.approx(3, rel=0.05)


def test_a_colour_without_light_shows_no_ink():
    photo = np.clip(photo_of(page_of(), psf.disk(4)), 0, 1) ** (1 / 2.2)
    noise = np.abs(0.01 * np.random.default_rng(0).standard_normal(photo.shape))
    result = deblur(np.stack([photo, photo, noise]), channel_axis=0)
    assert result.prior == "text"
    assert result.parameters["radius"] == pytest.approx(4, rel=0.03)


# ---- colours, types, libraries


@pytest.mark.parametrize(("prior", "channel_axis"), [("text", 0), ("natural", -1)])
def test_colours_share_one_psf(prior, channel_axis):
    # Yellowish paper: two exposures of the same picture.
    image = np.stack([BLURRED, 0.6 * BLURRED], channel_axis)
    result = deblur(image, prior=prior, gamma=1, channel_axis=channel_axis)
    assert result.image.shape == image.shape
    assert result.psf.ndim == 2
    assert result.parameters["radius"] == pytest.approx(3.5, rel=0.03)
    colours = np.moveaxis(result.image, channel_axis, 0)
    paper = colours[:, SHARP > 0.5].mean(1)
    np.testing.assert_allclose(paper, [1, 1] if prior == "text" else [1, 0.6], atol=0.06)
    assert psnr(colours[0], SHARP) > psnr(BLURRED, SHARP) + 8


def test_integers_mean_their_range():
    image = np.round(np.clip(BLURRED, 0, 1) * 255).astype(np.uint8)
    result = deblur(image, gamma=1)
    assert result.image.dtype == np.float32
    assert result.parameters["radius"] == pytest.approx(3.5, rel=0.03)
    assert psnr(result.image, SHARP) > psnr(BLURRED, SHARP) + 8


@pytest.mark.parametrize("prior", ["text", "natural"])
def test_every_backend_gives_numpys_answer(backend, prior):
    want, given = result_of(prior), backend.asarray(BLURRED)
    got = deblur(given, prior=prior, gamma=1)
    np.testing.assert_array_equal(backend.to_numpy(given), BLURRED)
    # On the same library it is the same to the last bit: nothing is left to chance.
    exact = backend.name in ("numpy", "numpy-readonly", "torch")
    np.testing.assert_allclose(backend.to_numpy(got.image), want.image, rtol=0, atol=0 if exact else 1e-3)
    np.testing.assert_allclose(backend.to_numpy(got.psf), want.psf, rtol=0, atol=1e-5)
    assert backend.to_numpy(got.image).dtype == backend.to_numpy(got.psf).dtype == np.float32
    assert got.family == want.family
    assert got.parameters == pytest.approx(want.parameters, rel=1e-4)
    assert got.score == pytest.approx(want.score, rel=1e-3)
    np.testing.assert_allclose(got.search["criterion"], want.search["criterion"], atol=1e-4)


def test_float64_stays(backend):
    if backend.name == "numpy":
        assert result_of("float64").image.dtype == result_of("float64").psf.dtype == np.float64
        return
    got = deblur(backend.asarray(BLURRED.astype(np.float64)[:64, :80]), gamma=1)
    assert backend.to_numpy(got.image).dtype == backend.to_numpy(got.psf).dtype == np.float64
    np.testing.assert_allclose(backend.to_numpy(got.image), result_of("float64").image, rtol=0, atol=1e-8)


def test_grey_text_stored_as_colours_is_restored_once(monkeypatch):
    restored, real = [], pipeline.restore_text
    monkeypatch.setattr(pipeline, "restore_text", lambda ink, *a, **k: restored.append(ink) or real(ink, *a, **k))
    rng = np.random.default_rng(0)
    grey = np.stack([BLURRED] * 3, -1)
    noisy = grey + 0.003 * rng.standard_normal(grey.shape).astype(np.float32)
    for image in (grey, noisy):
        result = deblur(image, gamma=1, psf="disk", channel_axis=-1)
        assert result.prior == "text"
        assert len(restored) == 1
        for colour in range(3):
            np.testing.assert_array_equal(result.image[..., colour], result.image[..., 0])
        assert psnr(result.image[..., 0], SHARP) > psnr(BLURRED, SHARP) + 15
        restored.clear()
    # The three are apart: writing in one does not change the others.
    result.image[0, 0, 0] = 7
    assert result.image[0, 0, 1] != 7
    # Ink of a colour is not grey.
    red = np.stack([0.5 + 0.5 * BLURRED, BLURRED, np.roll(BLURRED, 9, axis=1)], -1)
    deblur(red, gamma=1, psf="disk", prior="text", channel_axis=-1)
    assert len(restored) == 3


# ---- what is given decides the family


@pytest.mark.parametrize(
    ("given", "family"),
    [({"radius": 3.5}, "disk"), ({"psf_size": 9}, "free"), ({"region": (slice(0, 64),) * 2}, "free")],
)
def test_what_is_given_belongs_to_one_family(given, family, monkeypatch):
    monkeypatch.setattr(api, "choose", None)
    asked = []
    for name in ("_restore_parametric", "_deblur_free_form"):
        monkeypatch.setattr(api, name, lambda *args, name=name: asked.append((name, args)) or _stop())
    with pytest.raises(StopIteration):
        deblur(BLURRED, gamma=1, **given)
    ((name, args),) = asked
    assert name == {"disk": "_restore_parametric", "free": "_deblur_free_form"}[family]
    assert family == "free" or args[1:3] == ("disk", 3.5)


def _stop():
    raise StopIteration


# ---- wrong calls


@pytest.mark.parametrize(
    ("image", "wrong", "error", "word"),
    [
        (BLURRED[:31], {}, ValueError, "32 pixels"),
        (BLURRED[:, :31], {"prior": "natural"}, ValueError, "32 pixels"),
        (BLURRED, {"prior": "cartoon"}, ValueError, "prior"),
        (BLURRED, {"prior": None}, TypeError, "prior"),
        (BLURRED, {"psf": "square"}, ValueError, "psf"),
        (BLURRED, {"psf": None}, TypeError, "psf"),
        (BLURRED, {"radius": 0}, ValueError, "radius must be greater than 0"),
        (BLURRED, {"radius": -3.5}, ValueError, "radius"),
        (BLURRED, {"radius": np.inf}, ValueError, "radius"),
        (BLURRED, {"radius": "3.5"}, TypeError, "radius"),
        (BLURRED, {"radius": 48.5}, ValueError, "radius must be at most 48, half the image's shorter side, got 48.5"),
        *(
            (BLURRED, {"radius": 3.5, "psf": kind}, ValueError, f"radius is for a disk: .* with psf='{kind}'")
            for kind in ("gaussian", "motion", "free")
        ),
        (BLURRED, {"radius": 3.5, "psf": psf.disk(3)}, ValueError, "it does not go with psf=an array"),
        (BLURRED, {"radius": 3.5, "psf_size": 9}, ValueError, "it does not go with psf_size"),
        (BLURRED, {"gamma": 0}, ValueError, "gamma"),
        (BLURRED, {"gamma": -1}, ValueError, "gamma"),
        (BLURRED, {"gamma": "2.2"}, TypeError, "gamma"),
        (255 * BLURRED, {}, ValueError, r"image must hold .* got -?\d.*: divide by 255 or pass 8-bit integers"),
        (65535 * BLURRED, {"gamma": 2.2}, ValueError, "divide by 65535 or pass 16-bit integers"),
        (BLURRED - 1, {}, ValueError, "image must hold values from 0 to 1"),
        (BLURRED, {"callback": 3}, TypeError, "callback"),
        (BLURRED, {"channel_axis": 0}, ValueError, "axes"),
        (np.stack([BLURRED] * 3, -1), {}, ValueError, "channel_axis"),
        (np.where(BLURRED < 0.5, np.nan, BLURRED), {}, ValueError, "NaN"),
        (np.zeros((40, 50), np.int64), {}, TypeError, "int64"),
    ],
)
def test_wrong_calls_get_one_sentence(image, wrong, error, word):
    with pytest.raises(error, match=word) as caught:
        deblur(image, **wrong)
    assert "\n" not in str(caught.value)
