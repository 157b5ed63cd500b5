"""The spectrum of a photograph stored as JPEG: what JPEG did to it is known, and a blur shows through it."""

import io

import numpy as np
import pytest
from PIL import Image
from threadpoolctl import threadpool_limits

from deconv import degrade, psf
from deconv.blind.jpeg import Compression, measure
from deconv.blind.parametric.families import Disk
from deconv.blind.parametric.search import search
from deconv.blind.settings.spectrum import Spectrum
from deconv.blind.spectrum import Periodogram

LINES = ["Small print, and much", "of it: the letters of a", "page have a spectrum", "of their own, and the",
         "blocks of a JPEG hide", "what lies beyond them."]  # fmt: skip


@pytest.fixture(autouse=True)
def _one_thread():
    with threadpool_limits(1, user_api="blas"):
        yield


def stored(image, quality):
    """The picture, one plane, stored as JPEG and read again."""
    file = io.BytesIO()
    Image.fromarray(np.uint8(np.rint(255 * np.clip(image, 0, 1)))).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file), float) / 255


def texture(shape=(256, 384)):
    """A random field whose power falls with the reciprocal of frequency, rounded to 8 bits."""
    _, _, f = frequencies(shape)
    f[0, 0] = 1.0
    field = np.fft.ifft2(np.fft.fft2(np.random.default_rng(0).standard_normal(shape)) / np.sqrt(f)).real
    return np.rint(255 * (0.5 + 0.1 * field / field.std())) / 255


def frequencies(shape):
    """All frequencies of an image, and their distance from 0."""
    fy, fx = np.meshgrid(*(np.fft.fftfreq(n) for n in shape), indexing="ij")
    return fy, fx, np.hypot(fy, fx)


# ---- what JPEG did


def test_the_spectrum_of_the_error_has_its_variance():
    error = np.random.default_rng(0).random((8, 8))
    fy, fx, _ = frequencies((64, 64))
    _, power = Compression(np.ones((8, 8)), error, 0.1).spectrum(fy.ravel(), fx.ravel())
    # The cosines of a block are orthonormal: the mean power is the mean square of a pixel's error.
    assert power.mean() == pytest.approx(error.mean(), rel=1e-3)


def test_nothing_lost_is_a_factor_of_one():
    fy, fx, _ = frequencies((32, 32))
    kept, error = np.ones((8, 8)), np.zeros((8, 8))
    factor, power = Compression(kept, error, 0.0).spectrum(fy.ravel(), fx.ravel())
    np.testing.assert_allclose(factor, 1, atol=1e-3)
    assert not power.any()
    # What is lost is lost at its own frequency: the highest of the vertical ones, at half a cycle per pixel.
    kept[7] = 0
    factor, _ = Compression(kept, error, 0.0).spectrum(np.array([0.02, 0.45]), np.array([0.02, 0.02]))
    assert factor[0] > 0.98
    assert factor[1] < 0.3


def test_a_reduced_grid_has_the_frequencies_of_the_image():
    compression = measure(stored(texture(), 60)[None])
    f = np.array([0.05, 0.1, 0.2])
    for mine, same in zip(compression.spectrum(f, f), compression.spectrum(2.5 * f, 2.5 * f, 2.5), strict=True):
        np.testing.assert_allclose(mine, same)


@pytest.mark.parametrize("quality", [40, 60, 80])
def test_the_power_of_what_was_stored_is_predicted(quality):
    scene = texture()
    after = stored(scene, quality)
    compression = measure(after[None])
    fy, fx, f = frequencies(scene.shape)
    before, now = (np.abs(np.fft.fft2(x - x.mean())) ** 2 / x.size for x in (scene, after))
    factor, error = (x.reshape(f.shape) for x in compression.spectrum(fy.ravel(), fx.ravel()))
    rings = [(f >= low) & (f < low + 0.05) for low in np.arange(0.05, 0.5, 0.05)]
    ratios = np.array([now[ring].mean() / (factor * before + error)[ring].mean() for ring in rings])
    # Too low by up to a third, because the power that borders of blocks scatter from other frequencies is left out.
    assert ratios.min() > 0.95
    assert ratios.max() < 1.4
    # What was lost and the error both count where JPEG rounds coarsely.
    last = rings[-1]
    assert factor[last].mean() < (0.6 if quality < 80 else 0.9)
    assert error[last].mean() > 0.1 * before[last].mean()


@pytest.mark.parametrize(("top", "left"), [(3, 5), (0, 7), (6, 0)])
def test_a_part_of_a_stored_picture_is_measured_as_the_whole(top, left):
    page = degrade.blur(0.1 + 0.8 * degrade.text_picture(LINES, size=26, shape=(200, 320)), psf.disk(2))
    after = stored(page, 70)
    whole, part = measure(after[None]), measure(after[None, top:, left:])
    np.testing.assert_allclose(part.kept, whole.kept, atol=0.02)
    assert part.rms == pytest.approx(whole.rms, rel=0.02)


# ---- a blur under JPEG


@pytest.fixture(scope="module")
def page():
    """A faint page out of focus by 6.5 pixels, stored at quality 75."""
    sharp = 0.45 + 0.1 * degrade.text_picture([*LINES, *LINES], size=30, shape=(520, 500))
    photo = degrade.add_noise(degrade.blur(sharp, psf.disk(6.5)), 0.002, rng=0)
    return stored(photo, 75)


def test_a_disc_under_jpeg_shows_by_what_jpeg_did(page):
    def found(degradation):
        return search(page, [Disk], page.shape[1], lambda part: None, blurred=True, degradation=degradation)

    known, unknown = found(measure(page[None])), found(None)
    assert known.candidate.radius == pytest.approx(6.5, rel=0.03)
    assert known.log_odds > 2 * unknown.guess_log_odds > 0


# ---- the roughness of a scene


def test_lines_of_text_are_rough_and_a_random_field_is_not():
    ink = 1 - degrade.text_picture(LINES, size=26, shape=(200, 320))
    assert Periodogram(ink, settings=Spectrum()).fit().roughness > 0.01
    assert Periodogram(texture(), settings=Spectrum()).fit().roughness == 0


def test_roughness_lowers_the_evidence_of_a_fit():
    ink = degrade.blur(1 - degrade.text_picture(LINES, size=26, shape=(200, 320)), psf.disk(4))
    image = degrade.add_noise(ink, 0.004, rng=0)

    def odds(roughness):
        spectrum = Periodogram(image, settings=Spectrum(roughness=roughness))
        return spectrum.fit().cost - spectrum.fit(Disk(4.0)).cost

    # Hardly any roughness is allowed at first.
    assert 0 < odds((1e-3, 1.0)) < 0.8 * odds((1e-9, 1e-8))
