"""Is it text, and can it be read: verdicts over pictures that are and that are not, and over the array libraries."""

import functools
import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import skimage.data
from scipy.ndimage import gaussian_filter
from skimage.transform import resize

import deconv
from deconv.blind.parametric.families import Disk, Motion
from deconv.blind.result import READABLE
from deconv.blind.settings import Settings
from deconv.blind.text.verdict import assess, expected_readability, fit_two_tones, objection, working_grid

SETTINGS = Settings()
LINES = ["The quick", "brown fox", "jumps over"]
PICTURES = ["camera", "coins", "moon", "brick", "grass", "gravel", "cell", "clock", "checkerboard"]


def page(size=30, shape=(160, 256)):
    """Coverage by ink of a page of text."""
    return 1.0 - deconv.degrade.text_picture(LINES, size=size, shape=shape)


@functools.cache
def photograph(name):
    """The light of one of scikit-image's pictures, 160 rows high."""
    grey = np.asarray(getattr(skimage.data, name)(), dtype=float) / 255
    light = grey**2.2
    return resize(light, (160, round(160 * light.shape[1] / light.shape[0])), anti_aliasing=True).astype(np.float32)


def blurred(light, radius, sigma=0.002):
    return deconv.degrade.add_noise(deconv.degrade.blur(light, deconv.psf.disk(radius)), sigma, rng=0)


def restored(ink, radius):
    """A plain restoration, the level of its darkest ink 1."""
    image = deconv.variational(ink, deconv.psf.disk(radius), bounds=(0.0, 1.2), num_iter=40).image
    inked = image[image > 0.1]
    return np.clip(image / (np.quantile(inked, 0.9) if inked.size else 1.0), 0, 1)


def as_ink(light, foreground="dark"):
    """Coverage by text if the light of its ground is a smooth field."""
    ground = deconv.vignette.fit(light, foreground=foreground).field(like=light)
    if foreground == "dark":
        return 1.0 - light / np.maximum(ground, 1e-3)
    # How bright it would be without blur is not known; the brightest pixels count as half covered.
    over = light - ground
    return 0.5 * over / np.quantile(over, 0.995)


def verdict(light, radius, foreground="dark"):
    ink = as_ink(light, foreground)
    return assess([ink], [restored(ink, radius)], Disk(radius, 0.0), foreground, SETTINGS)


@pytest.mark.parametrize("radius", [2.0, 4.0, 8.0])
@pytest.mark.parametrize("size", [18, 30])
def test_a_page_is_text(size, radius):
    light = deconv.degrade.add_vignette(0.05 + 0.8 * (1 - page(size)), 0.4, centre=(0.3, -0.2))
    result = verdict(blurred(light, radius), radius)
    assert result.text, result.reason
    assert result.misfit < 0.1


@pytest.mark.parametrize("radius", [2.0, 4.0])
def test_bright_text_is_text(radius):
    result = verdict(blurred(0.05 + 0.6 * page(), radius), radius, "bright")
    assert result.text, result.reason


@pytest.mark.parametrize("foreground", ["dark", "bright"])
@pytest.mark.parametrize("radius", [2.0, 6.0, 12.0])
@pytest.mark.parametrize("name", PICTURES)
def test_a_photograph_is_not_text(name, radius, foreground):
    result = verdict(blurred(photograph(name), radius), radius, foreground)
    assert not result.text, result
    assert result.readability == 0.0


def test_a_silhouette_is_not_text():
    horse = resize(np.asarray(skimage.data.horse(), dtype=float), (160, 195)).astype(np.float32)
    result = verdict(blurred(horse, 4.0), 4.0)
    # It is of two tones all the same: nothing but its being one piece speaks against it.
    assert result.misfit < 0.1
    assert not result.text


def test_soft_shade_is_not_text():
    y, x = np.mgrid[-1:1:160j, -1:1:256j]
    shade = sum(np.exp(-((x - a) ** 2 + (y - b) ** 2) / 0.02) for a in (-0.6, 0.0, 0.6) for b in (-0.4, 0.4))
    ink = (0.5 * shade).astype(np.float32)
    result = assess([ink], [ink], Disk(2.0, 0.0), "dark", SETTINGS)
    assert not result.text, result


def test_an_empty_page_is_not_text():
    ink = deconv.degrade.add_noise(np.zeros((100, 120), np.float32), 0.01, rng=0)
    assert not assess([ink], [np.clip(ink, 0, 1)], Disk(3.0), "dark", SETTINGS).text
    nothing = np.zeros((100, 120), np.float32)
    assert not assess([nothing], [nothing], Disk(3.0), "dark", SETTINGS).text


def test_a_poor_restoration_is_enough():
    """The verdict is about the picture: what was restored is only where the fit begins."""
    ink = blurred(page(), 4.0)
    poor = np.clip(2.0 * ink - 0.3, 0, 1)
    assert assess([ink], [poor], Disk(4.0, 0.0), "dark", SETTINGS).text


def test_ink_that_was_not_restored_counts():
    """A window too small has cut letters away: they must not vanish without a word."""
    ink = blurred(page(), 4.0)
    whole = restored(ink, 4.0)
    half = whole.copy()
    half[:, 128:] = 0.0
    cut, full = (assess([ink], [coverage], Disk(4.0, 0.0), "dark", SETTINGS).misfit for coverage in (half, whole))
    assert cut > 1.5 * full


def test_colours_are_assessed_together():
    coverage = page()
    red = [blurred(c * coverage, 4.0) for c in (0.02, 0.9, 0.8)]
    result = assess(red, [restored(c, 4.0) for c in red], Disk(4.0, 0.0), "dark", SETTINGS)
    assert result.text, result.reason
    astronaut = [resize(skimage.data.astronaut()[..., c] / 255, (160, 160)).astype(np.float32) ** 2.2 for c in range(3)]
    inks = [as_ink(blurred(c, 4.0)) for c in astronaut]
    assert not assess(inks, [restored(c, 4.0) for c in inks], Disk(4.0, 0.0), "dark", SETTINGS).text


def test_less_can_be_read_of_more_blur():
    result = [verdict(blurred(1 - 0.95 * page(), radius), radius) for radius in (2.0, 5.0, 10.0)]
    assert all(f.text for f in result)
    assert result[0].blur < result[1].blur < result[2].blur
    assert 1 >= result[0].readability > result[1].readability > result[2].readability >= 0


def test_less_can_be_read_of_more_noise():
    result = [verdict(blurred(1 - 0.95 * page(), 6.0, sigma), 6.0) for sigma in (0.001, 0.005, 0.02)]
    assert all(f.text for f in result)
    assert result[0].clarity > result[1].clarity > result[2].clarity
    assert result[0].readability > result[1].readability > result[2].readability


def test_text_that_can_be_read_is_told_from_text_that_cannot():
    assert verdict(blurred(1 - 0.95 * page(40), 2.0), 2.0).readability > READABLE
    assert verdict(blurred(1 - 0.95 * page(14), 14.0, 0.02), 14.0).readability < READABLE


@pytest.mark.parametrize(
    ("blur", "clarity", "read"), [(6.0, 60.0, True), (6.0, 25.0, False), (2.0, 1.0, False), (2.0, 2.0, True)]
)
def test_half_is_read_of_wide_blur_if_clear_and_of_little_blur_if_not(blur, clarity, read):
    """Along the line on which tesseract read half of the characters (studies/calibrate_readability)."""
    assert (expected_readability(blur, clarity, 0.0, SETTINGS.text.verdict) > READABLE) is read


def test_nearly_all_is_read_where_strokes_are_resolved():
    assert expected_readability(1.5, 30.0, 0.0, SETTINGS.text.verdict) > 0.98


@pytest.mark.parametrize(("misfit", "share"), [(0.08, 1.0), (0.14, 0.5), (0.2, 0.0)])
def test_readability_falls_with_the_misfit_to_nothing(misfit, share):
    trusted = expected_readability(2.0, 30.0, 0.0, SETTINGS.text.verdict)
    assert expected_readability(2.0, 30.0, misfit, SETTINGS.text.verdict) == pytest.approx(share * trusted, abs=0.05)


@pytest.mark.parametrize(("depth", "text"), [(0.04, True), (0.06, False)])
def test_stained_paper_is_text_up_to_some_depth_of_the_stains(depth, text):
    stains = gaussian_filter(np.random.default_rng(0).standard_normal((160, 256)), 12)
    ink = (blurred(page(), 4.0, 0.02) + depth * stains / stains.std()).astype(np.float32)
    result = assess([ink], [restored(ink, 4.0)], Disk(4.0, 0.0), "dark", SETTINGS)
    assert result.text is text, result
    assert text or "unexplained" in result.reason


def objects(foreground, misfit=0.03, **changes):
    """Whether something speaks against text that a picture with such a fit would be."""
    ratio = changes.pop("ratio", 1.5)
    values = {"share": 0.1, "grey": 0.1, "piece": 0.1, "blur": 1.5, "unexplained": 0.04**2, "stored": 0.0} | changes
    fit = SimpleNamespace(**values, grey_residual=lambda: (0.04 / ratio) ** 2)
    ours = SETTINGS.text.verdict
    return objection(fit, misfit, ours.dark if foreground == "dark" else ours.bright, ours) is not None


@pytest.mark.parametrize(
    ("foreground", "text", "other"),
    [
        # Real frames of text left up to 0.08; 14 of 40 other pictures less than 0.2.
        ("dark", {"misfit": 0.15}, {"misfit": 0.25}),
        ("bright", {"misfit": 0.08}, {"misfit": 0.13}),
        # Dark text has 1 to 5, a checkerboard 12 and more; bright text up to 2.7, coins 2.8 and more.
        ("dark", {"ratio": 5.0}, {"ratio": 12.0}),
        ("bright", {"ratio": 2.6}, {"ratio": 3.0}),
        ("dark", {"grey": 0.35}, {"grey": 0.5}),
        ("bright", {"grey": 0.14}, {"grey": 0.2}),
        ("dark", {"piece": 0.7}, {"piece": 0.85}),
        ("bright", {"piece": 0.45}, {"piece": 0.6}),
        # Letters run into one piece where the blur is wide.
        ("dark", {"piece": 1.0, "blur": 3.5}, {"piece": 1.0, "blur": 2.5}),
        ("dark", {"share": 0.45}, {"share": 0.6}),
    ],
)
def test_what_text_leaves_and_what_others_leave(foreground, text, other):
    assert not objects(foreground, **text)
    assert objects(foreground, **other)


def test_readability_has_no_way_back():
    """More blur and less clarity never read better."""
    assert SETTINGS.text.verdict.readability.blur < 0
    assert SETTINGS.text.verdict.readability.clarity > 0


def test_a_page_that_is_badly_explained_is_not_trusted():
    """Moved by 16 pixels but taken for out of focus: text it may be, but nobody should count on reading it."""
    ink = deconv.degrade.add_noise(deconv.degrade.blur(page(), deconv.psf.motion(16, 20)), 0.002, rng=0)
    wrong = assess([ink], [restored(ink, 4.0)], Disk(4.0, 0.0), "dark", SETTINGS)
    sharp = deconv.variational(ink, deconv.psf.motion(16, 20), bounds=(0.0, 1.0), num_iter=40).image
    right = assess([ink], [sharp], Motion(8.0, angle=20.0), "dark", SETTINGS)
    assert right.text
    assert wrong.misfit > 2 * right.misfit
    assert wrong.readability < right.readability - 0.2


def test_a_large_picture_takes_no_longer():
    ink = blurred(page(size=120, shape=(700, 1100)), 20.0)
    picture, scene, scale = working_grid(ink, ink, 20.0, 1e4, SETTINGS.text.verdict)
    assert picture.shape == scene.shape
    assert math.prod(picture.shape) <= 1.1e4
    assert 20.0 / scale >= 0.9 * SETTINGS.text.verdict.least_radius


def test_a_checkerboard_is_not_text():
    # It is of two tones and in many pieces; but grey tones explain what its sharp corners leave.
    light = 0.1 + 0.8 * np.kron(np.indices((8, 13)).sum(0) % 2, np.ones((20, 20))).astype(np.float32)
    result = verdict(blurred(light, 4.0, 0.0005), 4.0)
    assert not result.text, result


def test_every_library(backend):
    if backend.name == "torch":
        pytest.skip("public functions convert tensors before they call this")
    ink = blurred(page(), 4.0)
    coverage = restored(ink, 4.0)
    want = assess([ink], [coverage], Disk(4.0, 0.0), "dark", SETTINGS)
    got = assess([backend.asarray(ink)], [backend.asarray(coverage)], Disk(4.0, 0.0), "dark", SETTINGS)
    assert (got.text, got.reason) == (want.text, want.reason)
    for name in ("readability", "misfit", "blur", "clarity"):
        assert isinstance(getattr(got, name), float)
        assert getattr(got, name) == pytest.approx(getattr(want, name), rel=1e-3)


def test_the_error_of_jpeg_is_left_by_two_tones_and_by_grey_ones():
    """The coefficients that JPEG rounds leave an error that a grey scene follows, and a two-tone scene cannot."""
    ink = blurred(page(), 4.0)
    rng = np.random.default_rng(0)
    rough = gaussian_filter(rng.standard_normal(ink.shape), 1.2)
    error = 0.02
    ink = (ink + error / rough.std() * rough).astype(np.float32)
    coverage = restored(ink, 4.0)
    ratios = []
    for stored in (0.0, error):
        fit = fit_two_tones(ink, coverage, Disk(4.0, 0.0), 1e5, SETTINGS, stored)
        floor = SETTINGS.text.verdict.rounding**2 + fit.stored
        ratios.append(math.sqrt((fit.unexplained + floor) / (fit.grey_residual() + floor)))
        limits = replace(SETTINGS.text.verdict.bright, misfit=1.0, grey_ratio=ratios[-1] * 0.99)
        assert "times the residual of grey tones" in objection(fit, 0.0, limits, SETTINGS.text.verdict)
        assert objection(fit, 0.0, replace(limits, grey_ratio=ratios[-1] * 1.01), SETTINGS.text.verdict) is None
    assert ratios[1] < 0.9 * ratios[0]
    assert assess([ink], [coverage], Disk(4.0, 0.0), "dark", SETTINGS, [error]).text
