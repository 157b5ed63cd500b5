"""Settings of the text pipeline and of all stages: a changed one changes what it does, a wrong one is refused."""

import functools
from dataclasses import FrozenInstanceError, fields

import numpy as np
import pytest
from blind_scenes import BLURRED, MOON, page_of, photo_of, result_of

from deconv import degrade, psf, tone
from deconv.blind import Settings, deblur, deblur_pages
from deconv.blind.known import restore_known_psf
from deconv.blind.parametric.families import Disk
from deconv.blind.parametric.restore import deconvolve, prior_weight
from deconv.blind.settings import origins
from deconv.blind.text.ink import coverage, estimate_foreground, fit_background, planes_as_ink, text_window
from deconv.blind.text.restore import restore_text
from deconv.blind.text.strokes import draw_strokes, restore_strokes
from deconv.blind.text.tone_curve import best_shoulder, estimate_tone_curve
from deconv.blind.text.verdict import assess, expected_readability, working_grid

DEFAULTS = Settings()
# Letters lower than the blur is wide.
UNRESOLVED = photo_of(page_of(14, (80, 120), ["strokes", "of a pen"]), psf.disk(10, softness=0.9), 0.001)


def changed(name, value):
    return DEFAULTS.replace({name: value})


# ---- through deblur


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("text.ink.fit_background", False),
        ("text.ink.margin_width", 0.2),
        ("text.restoration.highest_coverage", 0.8),
        ("text.restoration.paper_coverage", 0.3),
        ("text.restoration.ink_coverage", 0.9),
        ("text.restoration.text_prior", False),
        ("text.restoration.level_quantile", 0.5),
        ("general.refinement.enabled", False),
        ("general.refinement.radius_factor", 1.05),
        ("general.refinement.softness", 0.02),
        ("general.deconvolution.weight_from_noise", False),
        ("general.deconvolution.model_error", 0.06),
        ("general.deconvolution.gradient_scale", 0.06),
        ("general.deconvolution.unknown_border", False),
        ("general.deconvolution.working_radius", 2.0),
        ("general.deconvolution.num_iter", 5),
    ],
)
def test_a_setting_changes_the_restored_text(name, value):
    result = deblur(BLURRED, gamma=1, settings=changed(name, value))
    assert result.prior == "text"
    assert not np.array_equal(result.image, result_of("text").image)


@functools.cache
def unresolved_by_default():
    return deblur(UNRESOLVED, radius=10, gamma=1).image


@pytest.mark.parametrize(
    ("name", "value"),
    [("text.strokes.max_pixels", 0), ("text.strokes.num_iter", 5), ("text.restoration.unresolved_level", 0.0)],
)
def test_a_setting_changes_unresolved_strokes(name, value):
    image = deblur(UNRESOLVED, radius=10, gamma=1, settings=changed(name, value)).image
    assert not np.array_equal(image, unresolved_by_default())


def test_a_known_softness_is_used():
    result = deblur(BLURRED, radius=3.5, gamma=1, settings=changed("general.refinement.softness", 0.02))
    assert result.parameters == {"radius": 3.5, "softness": pytest.approx(0.07)}


def test_a_radius_factor_multiplies_the_radius():
    result = deblur(BLURRED, radius=3.5, gamma=1, settings=changed("general.refinement.radius_factor", 1.02))
    assert result.parameters["radius"] == pytest.approx(3.57)


def test_default_settings_change_nothing():
    np.testing.assert_array_equal(deblur(BLURRED, gamma=1, settings=DEFAULTS).image, result_of("text").image)


@pytest.mark.parametrize(
    ("name", "value", "word"),
    [
        ("text.verdict.dark.misfit", 1e-6, "unexplained"),
        ("text.verdict.dark.grey_ratio", 0.1, "grey tones"),
        ("text.verdict.dark.grey", -1.0, "two separate tones"),
        ("text.verdict.largest_share", 0.01, "more than half"),
    ],
)
def test_a_limit_of_text_decides_the_prior(name, value, word):
    result = deblur(BLURRED, gamma=1, settings=changed(name, value))
    assert result.prior == "natural"
    assert word in result.reason


def test_the_tone_curve_follows_its_settings():
    # The picture is linear.
    assert deblur(BLURRED).gamma == 1
    assert deblur(BLURRED, settings=changed("text.tone_curve.linear_gain", 10.0)).gamma == 2.2
    assert deblur(BLURRED, prior="natural", settings=changed("general.photograph_gamma", 1.8)).gamma == 1.8


def test_readability_follows_its_settings():
    assert deblur(BLURRED, gamma=1, settings=changed("text.verdict.readability.bias", -50.0)).readability < 0.01


def test_the_smallest_side_is_a_setting():
    larger = changed("general.smallest_side", 97)
    with pytest.raises(ValueError, match="at least 97 pixels"):
        deblur(BLURRED, settings=larger)
    with pytest.raises(ValueError, match=r"images\[0\] must be at least 97 pixels"):
        deblur_pages([BLURRED], settings=larger)
    assert (
        deblur(MOON[:24], prior="natural", gamma=1, settings=changed("general.smallest_side", 24)).image.shape[0] == 24
    )


def test_the_contrast_of_a_region_is_a_setting():
    region = (slice(0, 40), slice(0, 60))
    with pytest.raises(ValueError, match="region is flat"):
        deblur(BLURRED, psf="free", region=region, settings=changed("general.region_contrast", 2.0))


# ---- stage by stage

INK = (1 - BLURRED).astype(np.float32)
DISK = Disk(3.5)


def through_ink(settings):
    ours = settings.text.ink
    bright = (0.1 + 0.8 * INK).astype(np.float32)
    planes = np.stack([BLURRED, 0.03 * BLURRED]).astype(np.float32)
    return (
        [float(estimate_foreground(BLURRED, ours) == "dark"), float(estimate_foreground(bright, ours) == "dark")],
        *fit_background(BLURRED, "dark", ours),
        coverage(bright, "bright", ours),
        planes_as_ink(planes, "dark", ours)[0][1],
        [s for part in text_window(np.pad(INK, 60), ours) for s in (part.start, part.stop)],
    )


def through_tone_curve(settings):
    values = tone.encode(0.9 * (1 - 0.95 * INK), 2.2, 0.8).astype(np.float32)
    return estimate_tone_curve(values, DISK, "dark", settings, lambda _: None)


def through_restoration(settings):
    return [
        restore_text(ink, disk, settings, lambda _: None) for ink, disk in ((INK, DISK), (1 - UNRESOLVED, Disk(10.0)))
    ]


def through_strokes(settings):
    ours = settings.text.strokes
    return restore_strokes(INK, psf.disk(3.5), 3.0, ours.weight, ours, lambda _: None), draw_strokes(3.0, ours)[0]


def through_verdict(settings):
    ours = settings.text.verdict
    grid = working_grid(np.pad(INK, 200), np.pad(INK, 200), 20.0, ours.pixels, ours)
    verdict = assess([INK], [np.clip(1.6 * INK - 0.3, 0, 1)], DISK, "dark", settings)
    numbers = [verdict.misfit, verdict.blur, verdict.clarity, verdict.readability, float(verdict.text)]
    return numbers, [grid[2], *grid[0].shape], [expected_readability(3.0, 10.0, 0.1, ours)]


def through_deconvolution(settings):
    ours = settings.general.deconvolution
    jpeg = deconvolve(INK, DISK, ours, lambda _: None, stored=0.001)
    return deconvolve(INK, DISK, ours, lambda _: None), jpeg, [prior_weight(0.01, ours)]


@functools.cache
def by_default(stage):
    return stage(DEFAULTS)


@pytest.mark.parametrize(
    ("stage", "name", "value"),
    [
        (through_ink, "text.ink.fit_background", False),
        (through_ink, "text.ink.background_floor", 3.0),
        (through_ink, "text.ink.brightest_quantile", 0.9),
        (through_ink, "text.ink.brightest_coverage", 0.9),
        (through_ink, "text.ink.weakest_colour", 0.3),
        (through_ink, "text.ink.foreground_trend", 0.1),
        (through_ink, "text.ink.bright_skewness", -9.0),
        (through_ink, "text.ink.bright_skewness", 9.0),
        (through_ink, "text.ink.window_coverage", 0.9),
        (through_ink, "text.ink.window_side", 60.0),
        (through_ink, "text.ink.margin_coarse", 20.0),
        (through_ink, "text.ink.margin_width", 0.1),
        (through_ink, "text.ink.window_least", 190.0),
        (through_tone_curve, "text.tone_curve.shoulder_gain", 9.0),
        (through_tone_curve, "text.tone_curve.linear_gain", -9.0),
        (through_tone_curve, "text.tone_curve.strongest_shoulder", 0.1),
        (through_tone_curve, "text.tone_curve.weight", 0.1),
        (through_tone_curve, "text.tone_curve.num_iter", 3),
        (through_tone_curve, "text.ink.fit_background", False),
        (through_restoration, "text.restoration.text_prior", False),
        (through_restoration, "text.restoration.highest_coverage", 0.5),
        (through_restoration, "text.restoration.level_above", 0.3),
        (through_restoration, "text.restoration.resolved_level", 2.0),
        (through_restoration, "text.strokes.max_pixels", 0),
        (through_restoration, "text.strokes.working_radius", 5.0),
        (through_restoration, "text.strokes.pen_width", 0.3),
        (through_strokes, "text.strokes.directions", 4),
        (through_strokes, "text.strokes.length", 2.0),
        (through_strokes, "text.strokes.samples", 2),
        (through_strokes, "text.strokes.weight", 1e-3),
        (through_strokes, "text.strokes.bound_penalty", 1.0),
        (through_strokes, "text.strokes.stroke_penalty", 1.0),
        (through_strokes, "text.strokes.data_weight", 1.0),
        (through_strokes, "text.strokes.relaxation", 1.0),
        (through_strokes, "text.strokes.num_iter", 3),
        (through_verdict, "text.verdict.pixels", 1e4),
        (through_verdict, "text.verdict.working_radius", 3.0),
        (through_verdict, "text.verdict.steps", 1),
        (through_verdict, "text.verdict.edge_width", 0.9),
        (through_verdict, "text.verdict.faintest", 2.0),
        (through_verdict, "text.verdict.readability.blur", 0.0),
        (through_verdict, "text.verdict.readability.clarity", 0.0),
        (through_verdict, "text.verdict.readability.trusted_misfit", 0.15),
        (through_deconvolution, "general.deconvolution.weight_from_noise", False),
        (through_deconvolution, "general.deconvolution.model_error", 0.06),
        (through_deconvolution, "general.deconvolution.gradient_scale", 0.06),
        (through_deconvolution, "general.deconvolution.residual", 0.1),
        (through_deconvolution, "general.deconvolution.first_iterations", 5),
        (through_deconvolution, "general.deconvolution.unknown_border", False),
        (through_deconvolution, "general.deconvolution.working_radius", 2.0),
        (through_deconvolution, "general.deconvolution.num_iter", 3),
    ],
)
def test_a_setting_changes_its_stage(stage, name, value):
    before, after = by_default(stage), stage(changed(name, value))
    same = [np.shape(a) == np.shape(b) and np.array_equal(a, b) for a, b in zip(before, after, strict=True)]
    assert not all(same)


def test_more_shoulders_may_be_tried():
    ours = DEFAULTS.replace({"text.tone_curve.shoulders": (0.0, 0.4, 0.8, 1.2)}).text.tone_curve
    residuals = [[(s - 0.6) ** 2 + (k - 1) ** 2 for k in ours.radius_factors] for s in ours.shoulders]
    assert best_shoulder(residuals, ours) == pytest.approx(0.6, abs=0.02)


# ---- the settings themselves


def test_settings_are_frozen():
    with pytest.raises(FrozenInstanceError):
        DEFAULTS.text = None
    with pytest.raises(FrozenInstanceError):
        DEFAULTS.text.strokes.weight = 1.0


def test_replace_leaves_the_rest():
    new = DEFAULTS.replace({"text.strokes.max_pixels": 0, "general.refinement.softness": 0.1})
    assert (new.text.strokes.max_pixels, new.general.refinement.softness) == (0, 0.1)
    assert Settings() == DEFAULTS
    assert new.text.ink == DEFAULTS.text.ink
    assert new.replace({"text.strokes.max_pixels": 4e5, "general.refinement.softness": None}) == DEFAULTS


@pytest.mark.parametrize("name", ["text.strokes.wieght", "strokes.weight", "text.strokes.weight.size", ""])
def test_an_unknown_setting_is_refused(name):
    with pytest.raises(ValueError, match="there is no setting"):
        DEFAULTS.replace({name: 1.0})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("text", 3),
        ("text.strokes", {"weight": 1.0}),
        ("text.strokes.weight", "heavy"),
        ("text.strokes.weight", None),
        ("text.strokes.weight", True),
        ("text.strokes.directions", 4.5),
        ("text.tone_curve.shoulders", 0.5),
        ("general.refinement.enabled", 1),
        ("general.refinement.softness", "soft"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused(name, value):
    with pytest.raises(TypeError, match=f"settings.{name} must be") as caught:
        DEFAULTS.replace({name: value})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("settings", [{}, 3, "text", DEFAULTS.text, Settings])
@pytest.mark.parametrize("call", [lambda s: deblur(BLURRED, settings=s), lambda s: deblur_pages([BLURRED], settings=s)])
def test_what_are_no_settings_is_refused(call, settings):
    with pytest.raises(TypeError, match=r"settings must be a deconv\.blind\.Settings, got") as caught:
        call(settings)
    assert "\n" not in str(caught.value)


def test_every_stage_is_listed():
    names = origins(DEFAULTS)
    for stage in fields(Settings):
        assert any(name.startswith(f"{stage.name}.") for name in names)
    assert names["text.verdict.bright.misfit"].unit == "1"


def test_a_known_psf_restores_planes_and_colours():
    kernel = psf.disk(3.5).astype(np.float32)
    light = degrade.blur(page_of(20, (64, 80), ["known"]), kernel).astype(np.float32)
    grey = restore_known_psf(light, kernel, prior="text")
    colour = restore_known_psf(np.stack([light, 0.5 * light], -1), kernel, prior="text", channel_axis=-1)
    assert colour.shape == (64, 80, 2)
    assert np.corrcoef(colour[..., 1].ravel(), grey.ravel())[0, 1] > 0.99
