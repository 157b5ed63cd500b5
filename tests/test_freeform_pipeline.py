"""Pages to restored pages: which encoding, in which window, and whether a PSF is believed."""

import numpy as np
import pytest

from deconv import degrade, psf
from deconv.blind import deblur
from deconv.blind.freeform import pipeline
from deconv.blind.freeform.estimate import FreeFormEstimate
from deconv.blind.freeform.scale import normalised
from deconv.blind.settings.freeform import EdgePenalty, Window

PAGE = degrade.text_picture(["Hand", "pen 4"], size=44, shape=(120, 160))
SHAKE = psf.random_motion(9, rng=4)
BLURRED = degrade.add_noise(degrade.blur(PAGE, SHAKE), 0.002, rng=0)
WINDOW = Window()


def _answer(monkeypatch, estimated):
    """Let every search end in this estimate, in the first encoding."""
    monkeypatch.setattr(pipeline, "estimate_in_lights", lambda *_, **__: (0, estimated))


@pytest.mark.parametrize(
    ("gain", "energy_gain", "family"), [(0.3, -0.05, "free"), (0.3, -0.2, "none"), (0.05, 0.3, "none")]
)
def test_a_psf_that_explains_nothing_is_not_believed(monkeypatch, gain, energy_gain, family):
    # As for sharp bricks under noise: sparser gradients, but more energy than without blur.
    _answer(monkeypatch, FreeFormEstimate(SHAKE, gain, energy_gain, 0.5, ()))
    result = deblur(BLURRED, psf="free", gamma=1)
    assert result.family == family
    assert np.array_equal(result.image, BLURRED.astype(result.image.dtype)) == (family == "none")


def test_a_photograph_and_linear_data_are_tried(monkeypatch):
    seen = []

    def answer(lights, **_):
        seen.extend(light.observations[0].image for light in lights)
        return 1, FreeFormEstimate(SHAKE, 0.3, 0.1, 0.5, ())

    monkeypatch.setattr(pipeline, "estimate_in_lights", answer)
    page = np.clip(BLURRED, 0, 1)
    assert deblur(page, psf="free").gamma == 1.0
    decoded = [page**2.2, page]
    for light, values in zip(seen, decoded, strict=True):
        # But for the contrast, which is 1.
        assert np.corrcoef(light.ravel(), values.ravel())[0, 1] > 0.9999


def test_a_large_page_is_estimated_in_the_window_with_most_edges(monkeypatch):
    seen = []

    def answer(lights, **_):
        seen.append(lights[0].observations[0].image.shape)
        return 0, FreeFormEstimate(SHAKE, 0.0, 0.0, 0.5, ())

    monkeypatch.setattr(pipeline, "estimate_in_lights", answer)
    page = np.tile(np.clip(BLURRED, 0, 1), (10, 10))
    deblur(page, psf="free", gamma=1)
    deblur(page, psf="free", gamma=1, region=(slice(0, 90), slice(20, 100)))
    assert np.prod(seen[0]) == pytest.approx(WINDOW.pixels, rel=0.01)
    assert seen[1] == (90, 80)


@pytest.mark.parametrize(("shape", "width"), [((1, 1), 0.0), ((1, 3), np.sqrt(2 / 3)), ((5, 3), np.sqrt(2.0))])
def test_the_width_is_along_the_wider_axis(shape, width):
    assert pipeline._rms_width(np.ones(shape) / np.prod(shape)) == pytest.approx(width)


@pytest.mark.parametrize(("weight", "family"), [(0.3, "none"), (1.0, "free")])
def test_a_psf_that_is_hardly_wider_than_a_pixel_is_no_blur(monkeypatch, weight, family):
    narrow = np.asarray([[0, 0, 0], [weight, 1.0, weight], [0, 0, 0]]) / (1 + 2 * weight)
    _answer(monkeypatch, FreeFormEstimate(narrow, 0.3, 0.1, 0.5, ()))
    # An rms width of 0.61 pixels, and one of 0.82.
    assert deblur(BLURRED, psf="free", gamma=1).family == family


@pytest.mark.parametrize(("flat", "prior"), [(0.48, "text"), (0.27, "natural")])
def test_the_flat_share_of_the_scene_chooses_the_prior(monkeypatch, flat, prior):
    _answer(monkeypatch, FreeFormEstimate(SHAKE, 0.3, 0.1, flat, ()))
    assert deblur(BLURRED, psf="free", gamma=1).prior == prior


def test_jpeg_error_raises_the_least_penalty():
    error = 0.02
    _, least = normalised([PAGE], settings=EdgePenalty())
    _, stored = normalised([PAGE], [error], settings=EdgePenalty())
    noisy = PAGE + np.random.default_rng(0).normal(0, error, PAGE.shape)
    _, white = normalised([noisy], settings=EdgePenalty())
    # More than without, less than for white noise as strong.
    assert least < stored / 5
    assert stored < white / 2
    # Contrast 1 is the unit: a darker image has the same.
    assert normalised([noisy / 7], settings=EdgePenalty())[1] == pytest.approx(white, rel=1e-6)


def test_an_edge_is_worth_more_than_noise():
    noisy = PAGE + np.random.default_rng(0).normal(0, 0.05, PAGE.shape)
    observations, least = normalised([noisy], settings=EdgePenalty())
    # Differences of neighbours have twice the noise's variance, and along both axes four times.
    assert least > 4 * observations[0].error ** 2
