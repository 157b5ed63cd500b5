"""Noise estimate: known noise on flat images, blurred text and sharp text, 8-bit images too."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deconv import degrade, noise, psf


@pytest.fixture(scope="module")
def text():
    """A 600 x 800 page of text, 30 % of its rows between lines."""
    lines = ["the quick brown fox jumps", "over the lazy dog while it", "rains in Helsinki again"] * 4
    return 0.1 + 0.8 * degrade.text_picture(lines, size=40, shape=(600, 800))


@settings(max_examples=20, deadline=None)
@given(sigma=st.floats(1e-6, 10), seed=st.integers(0, 9))
def test_flat_image(sigma, seed):
    image = degrade.add_noise(np.full((200, 300), 0.5), sigma, rng=seed)
    assert noise.estimate(image) == pytest.approx(sigma, rel=0.03)


@pytest.mark.parametrize("sigma", [0.003, 0.01, 0.03])
@pytest.mark.parametrize("radius", [4, 8, 20])
def test_blurred_text_within_a_tenth(text, radius, sigma):
    image = degrade.add_noise(degrade.blur(text, psf.disk(radius, softness=0.09 * radius)), sigma, rng=3)
    assert noise.estimate(image) == pytest.approx(sigma, rel=0.1)


@pytest.mark.parametrize("sigma", [0.003, 0.01, 0.03])
def test_sharp_text_within_a_tenth(text, sigma):
    assert noise.estimate(degrade.add_noise(text, sigma, rng=3)) == pytest.approx(sigma, rel=0.1)


def test_small_print_within_a_tenth():
    page = degrade.text_picture(["the quick brown fox jumps over the lazy dog again and again"] * 34, size=14)
    assert noise.estimate(degrade.add_noise(page, 0.01, rng=3)) == pytest.approx(0.01, rel=0.1)


@pytest.mark.parametrize("sigma", [0.0003, 0.001, 0.002, 0.004, 0.01])
def test_the_estimate_for_an_eight_bit_image_includes_its_rounding(text, sigma):
    image = degrade.add_noise(degrade.blur(text, psf.disk(20, softness=2)), sigma, rng=3)
    image = np.rint(255 * np.clip(image, 0, 1)).astype(np.uint8)
    # Rounding is not white noise: the estimate is off by a fifth where rounding dominates, and close elsewhere.
    tolerance = 0.25 if sigma < 0.003 else 0.1
    assert noise.estimate(image) == pytest.approx(np.hypot(sigma, 1 / 255 / np.sqrt(12)), rel=tolerance)


@pytest.mark.parametrize(
    "image", [np.zeros((9, 9)), np.eye(9), np.arange(81.0).reshape(9, 9)], ids=["0", "eye", "ramp"]
)
def test_never_nan(image):
    assert 0 <= noise.estimate(image) < 1
    image[4, 4] = np.nan
    assert 0 <= noise.estimate(image) < 1


def test_the_estimate_for_an_integer_image_is_at_least_its_rounding():
    assert noise.estimate(np.full((9, 9), 7, np.uint8)) == pytest.approx(1 / 255 / np.sqrt(12))


@pytest.mark.parametrize("scale", [1e-20, 1e20])
def test_scale_equivariance_in_float32(scale):
    image = degrade.add_noise(np.full((64, 64), 0.5, np.float32), 0.01, rng=1)
    assert noise.estimate(image * np.float32(scale)) == pytest.approx(scale * noise.estimate(image), rel=1e-5)


def test_missing_pixels_are_ignored():
    image = degrade.add_noise(np.full((200, 200), 0.5), 0.01, rng=0)
    image[50:90, 20:160] = np.nan
    assert noise.estimate(image) == pytest.approx(0.01, rel=0.05)


@pytest.mark.parametrize("axis", [0, 2, -1])
def test_colours_give_their_root_mean_square(axis):
    planes = [degrade.add_noise(np.full((200, 200), 0.5), s, rng=0) for s in (0.01, 0.02, 0.03)]
    expected = np.sqrt(np.mean([noise.estimate(p) ** 2 for p in planes]))
    assert noise.estimate(np.stack(planes, axis=axis), channel_axis=axis) == pytest.approx(expected)


def test_every_backend(backend):
    host = degrade.add_noise(np.full((60, 70), 0.5, np.float32), 0.01, rng=0)
    assert noise.estimate(backend.asarray(host)) == pytest.approx(noise.estimate(host), rel=1e-4)
    eight = np.rint(host * 255).astype(np.uint8)
    assert noise.estimate(backend.asarray(eight)) == pytest.approx(noise.estimate(eight), rel=1e-4)


@pytest.mark.parametrize(
    ("call", "kind", "sentence"),
    [
        (lambda: noise.estimate(np.ones((2, 9))), ValueError, "image must be at least 3 x 3 pixels"),
        (lambda: noise.estimate(np.ones((4, 4, 3))), ValueError, "name its colour axis with channel_axis"),
        (lambda: noise.estimate(np.full((4, 4), np.nan)), ValueError, "image holds nothing but NaN"),
        (lambda: noise.estimate(None), TypeError, "image must be an array of numbers"),
        (lambda: noise.estimate("photo.png"), TypeError, "image must be an array of numbers, got str"),
        (lambda: noise.estimate(np.ones((4, 4), complex)), TypeError, "image must hold real numbers"),
    ],
)
def test_wrong_calls_say_so_in_one_sentence(call, kind, sentence):
    with pytest.raises(kind, match=sentence):
        call()


@pytest.mark.parametrize("photons", [20, 300, 20000])
@pytest.mark.parametrize("readout", [0.0, 3.0])
def test_gain_of_a_shaded_page(text, photons, readout):
    # Brightness differs so much that the noise of the whole image says little about the gain.
    light = degrade.blur(text[:300] * np.linspace(0.1, 1, 800), psf.disk(4))
    rng = np.random.default_rng(0)
    counts = rng.poisson(light * photons) + readout * rng.standard_normal(light.shape)
    got = noise.gain(counts / photons, readout=readout / photons)
    assert got * photons == pytest.approx(1, rel=0.1 if photons > 20 or readout == 0 else 0.3)


def test_gain_of_a_line_of_colours_and_of_nothing(backend):
    rng = np.random.default_rng(0)
    counts = backend.asarray(rng.poisson(50.0, (4000, 2)).astype(np.float32))
    assert noise.gain(counts, channel_axis=1) == pytest.approx(1, rel=0.06)
    assert noise.estimate(counts, channel_axis=1) == pytest.approx(50**0.5, rel=0.05)
    assert noise.gain(backend.asarray(np.full((9, 9), 0.5))) == 0
    assert noise.gain(backend.asarray(np.zeros((9, 9)))) == 0


def test_gain_with_less_noise_than_readout_is_zero():
    image = 0.5 + 0.01 * np.random.default_rng(0).standard_normal((100, 100))
    assert noise.gain(image, readout=0.02) < 1e-6


def test_channels_without_a_valid_pixel_do_not_count():
    counts = np.random.default_rng(0).poisson(50.0, (200, 200, 3)).astype(float)
    counts[..., 1] = np.nan
    assert noise.gain(counts, channel_axis=-1) == pytest.approx(1, rel=0.05)
    assert noise.estimate(counts, channel_axis=-1) == pytest.approx(50**0.5, rel=0.05)
    counts[..., 2] = 0
    assert noise.gain(counts, channel_axis=-1) == pytest.approx(1, rel=0.05)
