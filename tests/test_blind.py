"""Blind deblurring of pictures whose blur we know, and what it must leave alone."""

import shutil

import numpy as np
import pytest
from skimage import data

import deconv
from deconv import degrade, psf
from deconv.blind import Restoration, deblur

needs_tesseract = pytest.mark.skipif(shutil.which("tesseract") is None, reason="tesseract is not installed")
LINES = ["Blind deblur", "finds its own", "radius alone"]
NOISE = 0.002


def _page(size=22, shape=(150, 240), lines=LINES, font="verdana"):
    return degrade.text_picture(lines, size=size, shape=shape, font=font)


def _photo(scene, kernel, noise=NOISE):
    """`scene` through `kernel`, as a camera records it in linear light."""
    return degrade.add_noise(degrade.blur(scene, kernel), noise, rng=0)


def _psnr(image, truth):
    return -10 * np.log10(max(np.mean((image - truth) ** 2), 1e-12))


SCENE = data.camera()[40:400:2, 100:460:2] / 255
PHOTO = _photo(SCENE, psf.disk(3))
MOON = _photo(data.moon()[100:400:2, 100:460:2] / 255, psf.disk(3))
SHARP = _page(size=20, shape=(96, 128), lines=["Blind", "deblur"])
BLURRED = _photo(SHARP, psf.disk(3.5))


@pytest.fixture(scope="module")
def answers():
    """NumPy's results, found once: of each kind of prior, and of float64."""
    found = {prior: deblur(BLURRED, prior=prior, gamma=1) for prior in ("text", "natural")}
    found["float64"] = deblur(BLURRED.astype(np.float64)[:64, :80], gamma=1)
    return found


# ---- what it finds


@pytest.mark.parametrize(("radius", "size", "font"), [(2, 20, "verdana"), (4, 24, "times"), (8, 30, "verdana")])
def test_the_radius_of_a_disk_is_found(radius, size, font):
    page = _page(size, (150, 260), font=font)
    blurred = _photo(page, psf.disk(radius))
    result = deblur(blurred, gamma=1)
    assert result.family == "disk"
    assert result.parameters["radius"] == pytest.approx(radius, rel=0.03)
    assert psf.similarity(result.psf, psf.disk(radius)) > 0.97
    assert result.noise == pytest.approx(NOISE, rel=0.3)
    assert _psnr(result.image, page) > _psnr(blurred, page) + 8


def test_the_width_of_a_gaussian_is_found():
    page = _page()
    result = deblur(_photo(page, psf.gaussian(2.0)), psf="gaussian", gamma=1)
    assert result.family == "gaussian"
    assert result.parameters == {"sigma": pytest.approx(2.0, rel=0.15)}
    # (A Gaussian a tenth too narrow, as it is found, leaves two tones apart but pale.)
    assert _psnr(result.image, page) > _psnr(_photo(page, psf.gaussian(2.0)), page) + 2


@pytest.mark.parametrize(
    ("length", "angle"),
    [(9, 120), *(pytest.param(*case, marks=pytest.mark.slow) for case in ((12, 30), (10, 90), (8, 0), (14, 65)))],
)
def test_length_and_angle_of_a_motion_are_found(length, angle):
    page = _page(16, (64, 90), ["Moving", "letters"])
    blurred = _photo(page, psf.motion(length, angle))
    result = deblur(blurred, psf="motion", gamma=1)
    assert result.family == "motion"
    assert result.parameters["length"] == pytest.approx(length, rel=0.05)
    turn = (result.parameters["angle"] - angle + 90) % 180 - 90
    assert abs(turn) < 3
    assert 0 <= result.parameters["angle"] < 180
    assert _psnr(result.image, page) > _psnr(blurred, page) + 8


@pytest.mark.slow
@pytest.mark.parametrize(
    ("family", "kernel"), [("disk", psf.disk(4)), ("gaussian", psf.gaussian(2)), ("motion", psf.motion(10, 30))]
)
def test_auto_tells_the_families_apart(family, kernel):
    assert deblur(_photo(_page(), kernel), psf="auto", gamma=1).family == family


def test_the_whole_range_is_searched():
    # Ten pixels, 8 % of the width: text that nobody could read, and that is one smooth blot.
    page = _page(24, (110, 126), ["Wide", "blur"])
    result = deblur(_photo(page, psf.disk(10), 0.001), gamma=1)
    assert result.parameters["radius"] == pytest.approx(10, rel=0.03)


def test_natural_pictures_get_better():
    result = deblur(PHOTO, prior="natural", gamma=1)
    assert result.family == "disk"
    assert result.parameters["radius"] == pytest.approx(3, rel=0.05)
    assert _psnr(result.image, SCENE) > _psnr(PHOTO, SCENE) + 4


def test_natural_pictures_keep_their_encoding():
    # Blurred in light, recorded by gamma: undone in light, recorded again.
    scene = data.camera()[150:330:2, 150:370:2] / 255
    light = _photo(deconv.tone.decode(scene, 2.2), psf.disk(2.5), 0.0005)
    photo = deconv.tone.encode(np.clip(light, 0, 1), 2.2)
    result = deblur(photo, prior="natural")
    assert _psnr(result.image, scene) > _psnr(photo, scene) + 4
    assert abs(result.image.mean() - scene.mean()) < 0.02


# ---- a radius that is told


@pytest.mark.parametrize("prior", ["text", "natural"])
def test_a_radius_that_is_told_is_used_as_it_is(prior):
    # Not the one that would be found.
    told = {radius: deblur(BLURRED, prior=prior, radius=radius, gamma=1) for radius in (3.3, 3.5)}
    for radius, result in told.items():
        assert (result.family, result.prior) == ("disk", prior)
        assert result.parameters["radius"] == radius
        assert type(result.parameters["radius"]) is float
        want = psf.disk(radius, softness=result.parameters["softness"])
        np.testing.assert_allclose(result.psf, want, atol=1e-6)
        assert np.isnan(result.uncertainty)
        np.testing.assert_array_equal(result.search["radius"], [radius])
        assert result.search["criterion"].shape == (1,)
        assert 0 < result.score <= -result.search["criterion"][0]
    assert told[3.5].score > 2 * told[3.3].score
    assert _psnr(told[3.5].image, SHARP) > _psnr(told[3.3].image, SHARP) + 10
    assert _psnr(told[3.5].image, SHARP) > _psnr(BLURRED, SHARP) + 15


@needs_tesseract
def test_by_a_radius_that_is_told_as_much_is_read():
    page = _page(30, (150, 260))
    photo = _photo(0.05 + 0.9 * page, psf.disk(10))
    found, told, wrong = (
        deconv.ocr.character_accuracy(deconv.ocr.read_lines(deblur(photo, radius=radius, gamma=1).image), LINES)
        for radius in (None, 10, 9)
    )
    assert told >= found
    assert told > wrong + 0.1


@pytest.mark.parametrize("softness", [0.7, 1.6])
def test_the_softness_is_fitted_to_a_radius_that_is_told(softness):
    photo = _photo(_page(30, (150, 260)), psf.disk(8, softness=softness))
    assert deblur(photo, radius=8, gamma=1).parameters["softness"] == pytest.approx(softness, rel=0.2)


def test_the_tone_curve_is_estimated_by_a_radius_that_is_told():
    assert deblur(BLURRED, radius=3.5).gamma == 1
    light = 0.9 * (1 - 0.95 * degrade.blur(1 - _page(), psf.disk(8)))
    photo = degrade.add_noise(deconv.tone.encode(light, 2.2, 0.8), 0.001, rng=0)
    assert deblur(photo, radius=8).shoulder == pytest.approx(0.8, abs=0.25)


def test_what_is_no_text_is_restored_by_the_radius_that_is_told():
    natural = deblur(MOON, prior="natural", radius=2.9, gamma=1)
    with pytest.warns(UserWarning, match="not restored as text"):
        text = deblur(MOON, prior="text", radius=2.9, gamma=1)
    assert text.prior == "natural"
    assert text.parameters == natural.parameters
    assert text.parameters["radius"] == 2.9
    np.testing.assert_array_equal(text.image, natural.image)


def test_a_radius_under_a_pixel_is_restored_if_told():
    photo = _photo(SHARP, psf.disk(0.8))
    assert deblur(photo, gamma=1).family == "none"
    result = deblur(photo, radius=0.8, gamma=1)
    assert result.parameters["radius"] == 0.8
    assert _psnr(result.image, SHARP) > _psnr(photo, SHARP) + 10


def test_a_radius_that_is_told_in_vain_has_no_evidence():
    assert deblur(SHARP, prior="natural", radius=3, gamma=1).score < 0


def test_the_largest_radius_that_may_be_told():
    # As wide as the picture is high, and more than the part that seems to hold its text.
    photo = _photo(SHARP, psf.disk(46), 0.003)
    for prior in ("auto", "natural"):
        result = deblur(photo, prior=prior, radius=48, gamma=1)
        assert result.parameters["radius"] == 48
        assert np.isfinite(result.image).all()


@pytest.mark.parametrize("prior", ["text", "natural"])
def test_every_backend_restores_by_a_radius_that_is_told(backend, prior):
    want = deblur(BLURRED, prior=prior, radius=3.4, gamma=1)
    got = deblur(backend.asarray(BLURRED), prior=prior, radius=3.4, gamma=1)
    np.testing.assert_allclose(backend.to_numpy(got.image), want.image, rtol=0, atol=1e-3)
    assert got.parameters == pytest.approx(want.parameters, rel=1e-4)
    assert got.parameters["radius"] == 3.4
    assert type(got.search["radius"]) is type(got.search["criterion"]) is np.ndarray


# ---- text or not


def test_a_natural_picture_is_not_made_text():
    natural = deblur(MOON, prior="natural", gamma=1)
    auto = deblur(MOON, gamma=1)
    with pytest.warns(
        UserWarning, match=r"not restored as text: .*would leave \d+% of the picture unexplained"
    ) as told:
        text = deblur(MOON, prior="text", gamma=1)
    # It is the caller's own line that is pointed at.
    assert told[0].filename == __file__
    for result in (auto, text):
        assert result.prior == "natural"
        assert "unexplained" in result.reason
        assert np.isnan(result.readability)
        assert not result.readable
        assert result.parameters == natural.parameters
        np.testing.assert_array_equal(result.image, natural.image)
    assert natural.reason == ""


@pytest.mark.parametrize("gamma", [1, None])
def test_bright_text_keeps_its_polarity(gamma):
    page = 1 - _page(30, (150, 260))
    light = _photo(0.05 + 0.6 * page, psf.disk(4))
    photo = light if gamma == 1 else deconv.tone.encode(np.clip(light, 0, 1))
    result = deblur(photo, gamma=gamma)
    assert result.prior == "text"
    assert result.readable
    assert result.parameters["radius"] == pytest.approx(4, rel=0.03)
    assert _psnr(result.image, page) > 14
    assert result.image[page < 0.5].mean() < 0.1
    assert result.image[page > 0.5].mean() > 0.7


@needs_tesseract
def test_bright_text_is_read():
    page = 1 - _page(30, (150, 260))
    photo = _photo(0.05 + 0.6 * page, psf.disk(9))
    before, after = (deconv.ocr.read_lines(image) for image in (photo, deblur(photo, gamma=1).image))
    assert deconv.ocr.character_accuracy(after, LINES) > 0.9
    assert deconv.ocr.character_accuracy(before, LINES) < 0.7


@pytest.mark.parametrize("prior", ["auto", "text"])
def test_text_is_told_from_what_is_none(prior):
    result = deblur(BLURRED, prior=prior, gamma=1)
    assert result.prior == "text"
    assert result.readable
    assert "strokes" in result.reason


def test_less_can_be_read_the_more_it_is_blurred():
    page = np.pad(_page(20, (130, 200)), 40, constant_values=1)
    blurs = ((3, 0.002), (8, 0.005), (14, 0.01))
    found = [deblur(_photo(page, psf.disk(radius), noise), gamma=1) for radius, noise in blurs]
    assert all(result.prior == "text" for result in found)
    expected = [result.readability for result in found]
    assert 1 >= expected[0] > expected[1] > expected[2] >= 0
    assert expected[0] > 0.9
    assert expected[2] < 0.8


# ---- the tone curve


def test_linear_data_are_found_out():
    result = deblur(BLURRED)
    assert (result.gamma, result.shoulder) == (1.0, 0.0)
    assert result.parameters["radius"] == pytest.approx(3.5, rel=0.03)
    np.testing.assert_allclose(result.image, deblur(BLURRED, gamma=1).image, atol=0.05)


def test_a_photograph_is_not_taken_for_linear_data():
    result = deblur(deconv.tone.encode(np.clip(BLURRED, 0, 1)))
    assert result.gamma == 2.2
    assert result.shoulder < 0.3


@pytest.mark.parametrize("gamma", [1.0, 1.8, 2.2])
def test_a_given_gamma_is_used_as_it_is(gamma):
    for prior in ("text", "natural"):
        result = deblur(np.clip(BLURRED, 0, 1) ** (1 / 2.2), prior=prior, gamma=gamma)
        assert (result.gamma, result.shoulder) == (gamma, 0.0)


def test_a_shoulder_is_undone():
    page = _page()
    light = 0.9 * (1 - 0.95 * degrade.blur(1 - page, psf.disk(6)))
    photo = degrade.add_noise(deconv.tone.encode(light, 2.2, 0.8), 0.001, rng=0)
    result, without = deblur(photo), deblur(photo, gamma=2.2)
    assert result.gamma == 2.2
    assert result.shoulder == pytest.approx(0.8, abs=0.25)
    assert _psnr(result.image, page) > _psnr(without.image, page) + 3


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
    page = degrade.add_noise(_page(size, (130, 250), font=font), noise, rng=0)
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
    page = _page(20, (110, 190))
    light = degrade.add_vignette(degrade.blur(page, psf.disk(4)), 0.4, centre=(0.2, -0.3))
    even = degrade.blur(page, psf.disk(4))
    found = [deblur(degrade.add_noise(x, NOISE, rng=0), gamma=1) for x in (light, even)]
    assert found[0].parameters["radius"] == pytest.approx(4, rel=0.03)
    # The paper comes out white and the text black all over, as under even light.
    assert _psnr(found[0].image, page) > _psnr(found[1].image, page) - 2
    assert found[0].image[page > 0.5].mean() > 0.95


@pytest.mark.slow
def test_exposure_does_not_matter():
    dark = deblur(0.25 * BLURRED, gamma=1)
    # (The floor of model error is in the units of ink, which exposure cannot change.)
    assert dark.parameters["radius"] == pytest.approx(3.5, rel=0.03)
    assert _psnr(dark.image, SHARP) > _psnr(BLURRED, SHARP) + 8


def test_text_that_reaches_the_border():
    lines = [
        "Every good page of text",
        "runs on beyond the frame",
        "left and right, above and",
        "below; no margin is in",
    ] * 2
    scene = _page(18, (220, 320), [*lines])
    photo = _photo(scene, psf.disk(3))[30:-30, 40:-40]
    result = deblur(photo, gamma=1)
    assert result.family == "disk"
    assert result.parameters["radius"] == pytest.approx(3, rel=0.03)
    truth = scene[30:-30, 40:-40]
    assert _psnr(result.image, truth) > _psnr(photo, truth) + 5


def test_text_may_stand_anywhere():
    # Only the text's own window is restored; the rest comes out as paper.
    page = np.pad(_page(20, (60, 110), ["Corner"]), ((0, 60), (0, 90)), constant_values=1)
    result = deblur(_photo(page, psf.disk(3)), gamma=1)
    assert result.parameters["radius"] == pytest.approx(3, rel=0.03)
    assert _psnr(result.image, page) > 22
    assert result.image[80:, 130:].min() > 0.95


def test_gamma_is_undone():
    encoded = deconv.tone.encode(np.clip(BLURRED, 0, 1), 2.2)
    result = deblur(encoded, gamma=2.2)
    assert result.parameters["radius"] == pytest.approx(3.5, rel=0.03)
    assert _psnr(result.image, SHARP) > _psnr(encoded, SHARP) + 8


# ---- colours, types, libraries


@pytest.mark.parametrize(("prior", "channel_axis"), [("text", 0), ("natural", -1)])
def test_colours_share_one_psf(prior, channel_axis, answers):
    # Yellowish paper: two exposures of the same picture.
    image = np.stack([BLURRED, 0.6 * BLURRED], channel_axis)
    result = deblur(image, prior=prior, gamma=1, channel_axis=channel_axis)
    assert result.image.shape == image.shape
    assert result.psf.ndim == 2
    assert result.parameters["radius"] == pytest.approx(3.5, rel=0.03)
    colours = np.moveaxis(result.image, channel_axis, 0)
    paper = colours[:, SHARP > 0.5].mean(1)
    np.testing.assert_allclose(paper, [1, 1] if prior == "text" else [1, 0.6], atol=0.06)
    assert _psnr(colours[0], SHARP) > _psnr(BLURRED, SHARP) + 8


def test_integers_mean_their_range():
    image = np.round(np.clip(BLURRED, 0, 1) * 255).astype(np.uint8)
    result = deblur(image, gamma=1)
    assert result.image.dtype == np.float32
    assert result.parameters["radius"] == pytest.approx(3.5, rel=0.03)
    assert _psnr(result.image, SHARP) > _psnr(BLURRED, SHARP) + 8


@pytest.mark.parametrize("prior", ["text", "natural"])
def test_every_backend_gives_numpys_answer(backend, prior, answers):
    want, given = answers[prior], backend.asarray(BLURRED)
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


def test_float64_stays(backend, answers):
    if backend.name == "numpy":
        assert answers["float64"].image.dtype == answers["float64"].psf.dtype == np.float64
        return
    got = deblur(backend.asarray(BLURRED.astype(np.float64)[:64, :80]), gamma=1)
    assert backend.to_numpy(got.image).dtype == backend.to_numpy(got.psf).dtype == np.float64
    np.testing.assert_allclose(backend.to_numpy(got.image), answers["float64"].image, rtol=0, atol=1e-8)


# ---- the result


@pytest.mark.parametrize("prior", ["text", "natural"])
def test_the_evidence_is_in_the_result(prior, answers):
    result = answers[prior]
    radius, criterion = result.search["radius"], result.search["criterion"]
    assert radius.shape == criterion.shape
    assert (np.diff(radius) >= 0).all()
    assert radius[0] <= 0.5
    assert radius[-1] == pytest.approx(0.115 * BLURRED.shape[1], rel=0.01)
    # Smallest at the radius that was found; refining moves it by 6 % at most.
    assert radius[np.argmin(criterion)] == pytest.approx(result.parameters["radius"], rel=0.08)
    # Where frequencies scatter more than they should, the score is less than the criterion says.
    assert 0 < result.score <= -criterion.min() + 0.01


def test_parameters_are_plain_numbers(answers):
    for result in answers.values():
        assert all(type(v) is float for v in (*result.parameters.values(), result.score, result.noise))


def test_psf_is_that_of_the_parameters(answers):
    for result in answers.values():
        assert result.psf.sum() == pytest.approx(1, rel=1e-5)
        want = psf.disk(result.parameters["radius"], softness=result.parameters["softness"])
        np.testing.assert_allclose(result.psf, want, atol=1e-6)


def test_progress_is_told_in_order():
    told = []
    deblur(BLURRED, gamma=1, callback=lambda fraction, stage: told.append((fraction, stage)))
    fractions, stages = zip(*told, strict=True)
    assert all(0 <= f <= 1 for f in fractions)
    assert list(fractions) == sorted(fractions)
    assert fractions[-1] == 1
    assert list(dict.fromkeys(stages)) == ["light", "search", "restore", "judge"]


@pytest.mark.parametrize("case", ["sharp", "colours", "no text", "tone curve", "told"])
def test_progress_goes_on_to_the_end(case):
    image, options = {
        "sharp": (SHARP, {"gamma": 1}),
        "colours": (np.stack([BLURRED] * 2, -1)[:64, :64], {"gamma": 1, "channel_axis": -1}),
        "no text": (MOON, {"gamma": 1}),
        "tone curve": (np.clip(BLURRED, 0, 1) ** (1 / 2.2), {}),
        "told": (MOON, {"gamma": 1, "radius": 3}),
    }[case]
    told = []
    result = deblur(image, callback=lambda fraction, stage: told.append((fraction, stage)), **options)
    fractions, stages = zip(*told, strict=True)
    assert list(fractions) == sorted(fractions)
    assert 0 <= fractions[0] < 0.2
    assert fractions[-1] == 1
    assert ("tone" in stages) == (case == "tone curve")
    # What is no text is begun again, and goes on from there.
    assert len([i for i, stage in enumerate(stages) if stage == "light"]) == (1 if result.prior == "text" else 2)


def test_plot_draws_a_radius_that_was_told():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure = deblur(BLURRED, radius=3.4, gamma=1).plot()
    figure.canvas.draw()
    np.testing.assert_array_equal(figure.axes[3].lines[0].get_xdata(), [3.4])
    plt.close(figure)


@pytest.mark.parametrize("before", [None, BLURRED])
def test_plot_draws_it_all(answers, before):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure = answers["text"].plot(before)
    try:
        assert isinstance(figure, matplotlib.figure.Figure)
        figure.canvas.draw()
        x, y = figure.axes[3].lines[0].get_data()
        np.testing.assert_array_equal(x, answers["text"].search["radius"])
        np.testing.assert_array_equal(y, answers["text"].search["criterion"])
        assert "3.5" in figure.axes[2].get_title()
    finally:
        plt.close(figure)


def test_plot_draws_colours_and_sharp_pictures():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    search = {"radius": np.array([1.0, 2.0]), "criterion": np.array([0.1, 0.2])}
    result = Restoration(np.ones((8, 8, 3)), np.ones((1, 1)), "none", search=search)
    figure = result.plot()
    figure.canvas.draw()
    assert "none" in figure.axes[2].get_title()
    plt.close(figure)


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
        (BLURRED, {"radius": 48.5}, ValueError, "radius must be at most 48, half the picture's shorter side, got 48.5"),
        *(
            (BLURRED, {"radius": 3.5, "psf": kind}, ValueError, f"radius is for a disk: .* with psf='{kind}'")
            for kind in ("gaussian", "motion", "free", "auto")
        ),
        (BLURRED, {"radius": 3.5, "psf": psf.disk(3)}, ValueError, "it does not go with psf=an array"),
        (BLURRED, {"gamma": 0}, ValueError, "gamma"),
        (BLURRED, {"gamma": -1}, ValueError, "gamma"),
        (BLURRED, {"gamma": "2.2"}, TypeError, "gamma"),
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


def test_coins_are_not_made_letters():
    crop = (data.coins()[:160, :160] / 255) ** 2.2
    photo = np.clip(_photo(crop, psf.disk(4), 0.003), 0, 1) ** (1 / 2.2)
    assert deblur(photo).prior == "natural"


@pytest.mark.parametrize("prior", ["auto", "natural"])
def test_long_strips_and_single_specks_are_taken(prior):
    rng = np.random.default_rng(0)
    strip = np.repeat(rng.random((32, 250)), 4, axis=1)
    assert np.isfinite(deblur(_photo(strip, psf.disk(3)), prior=prior, gamma=1).image).all()
    speck = np.full((48, 48), 0.8)
    speck[20, 20] = 0.1
    np.testing.assert_array_equal(deblur(speck, prior=prior, gamma=1).image, speck)


def test_light_need_not_end_at_one():
    scene = data.camera()[40:400:2, 100:460:2] / 255
    result = deblur(5 * _photo(scene, psf.disk(3)), prior="natural", gamma=1)
    assert result.parameters["radius"] == pytest.approx(3, rel=0.05)


def test_a_colour_without_light_tells_nothing_of_ink():
    photo = np.clip(_photo(_page(), psf.disk(4)), 0, 1) ** (1 / 2.2)
    noise = np.abs(0.01 * np.random.default_rng(0).standard_normal(photo.shape))
    result = deblur(np.stack([photo, photo, noise]), channel_axis=0)
    assert result.prior == "text"
    assert result.parameters["radius"] == pytest.approx(4, rel=0.03)
