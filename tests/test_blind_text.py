"""Text or not, dark or bright, readable or not, and through which tone curve."""

import numpy as np
import pytest
from blind_scenes import BLURRED, LINES, MOON, needs_tesseract, page_of, photo_of, psnr, result_of
from skimage import data

import deconv
from deconv import degrade, psf
from deconv.blind import deblur

# ---- text or not


def test_a_natural_picture_is_not_made_text():
    natural = deblur(MOON, prior="natural", gamma=1)
    auto = deblur(MOON, gamma=1)
    with pytest.warns(
        UserWarning, match=r"not restored as text: .*would leave \d+% of the image unexplained"
    ) as caught:
        text = deblur(MOON, prior="text", gamma=1)
    # It is the caller's own line that is pointed at.
    assert caught[0].filename == __file__
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
    page = 1 - page_of(30, (150, 260))
    light = photo_of(0.05 + 0.6 * page, psf.disk(4))
    photo = light if gamma == 1 else deconv.tone.encode(np.clip(light, 0, 1))
    result = deblur(photo, gamma=gamma)
    assert result.prior == "text"
    assert result.readable
    assert result.parameters["radius"] == pytest.approx(4, rel=0.03)
    assert psnr(result.image, page) > 14
    assert result.image[page < 0.5].mean() < 0.1
    assert result.image[page > 0.5].mean() > 0.7


@needs_tesseract
def test_bright_text_is_read():
    page = 1 - page_of(30, (150, 260))
    photo = photo_of(0.05 + 0.6 * page, psf.disk(9))
    before, after = (deconv.ocr.read_lines(image) for image in (photo, deblur(photo, gamma=1).image))
    assert deconv.ocr.character_accuracy(after, LINES) > 0.9
    assert deconv.ocr.character_accuracy(before, LINES) < 0.7


@pytest.mark.parametrize("prior", ["auto", "text"])
def test_text_is_recognised(prior):
    result = result_of(prior)
    assert result.prior == "text"
    assert result.readable
    assert "stroke widths" in result.reason


def test_less_can_be_read_the_more_it_is_blurred():
    page = np.pad(page_of(20, (130, 200)), 40, constant_values=1)
    blurs = ((3, 0.002), (8, 0.005), (14, 0.01))
    results = [deblur(photo_of(page, psf.disk(radius), noise), gamma=1) for radius, noise in blurs]
    assert all(result.prior == "text" for result in results)
    expected = [result.readability for result in results]
    assert 1 >= expected[0] > expected[1] > expected[2] >= 0
    assert expected[0] > 0.9
    assert expected[2] < 0.8


def test_coins_are_not_made_letters():
    crop = (data.coins()[:160, :160] / 255) ** 2.2
    photo = np.clip(photo_of(crop, psf.disk(4), 0.003), 0, 1) ** (1 / 2.2)
    assert deblur(photo).prior == "natural"


# ---- the tone curve


def test_linear_data_are_recognised():
    result = deblur(BLURRED)
    assert (result.gamma, result.shoulder) == (1.0, 0.0)
    assert result.parameters["radius"] == pytest.approx(3.5, rel=0.03)
    np.testing.assert_allclose(result.image, result_of("auto").image, atol=0.05)


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
    page = page_of()
    light = 0.9 * (1 - 0.95 * degrade.blur(1 - page, psf.disk(6)))
    photo = degrade.add_noise(deconv.tone.encode(light, 2.2, 0.8), 0.001, rng=0)
    result, without = deblur(photo), deblur(photo, gamma=2.2)
    assert result.gamma == 2.2
    assert result.shoulder == pytest.approx(0.8, abs=0.25)
    assert psnr(result.image, page) > psnr(without.image, page) + 3
