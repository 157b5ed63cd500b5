"""The camera run forwards: convolution, noise and light by definition, simulated photographs by measured figures."""

import functools
import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.ndimage import convolve, gaussian_filter

from deconv import degrade, noise, psf, tone
from deconv.degrade import hdc, text

DATA = Path(os.environ.get("DECONV_DATA", Path(__file__).parents[2] / "shared" / "data")) / "hdc2021"


@pytest.fixture(scope="module")
def photo():
    """One photograph of step 6."""
    return degrade.hdc_photo(6, ["Deconv", "reads", "this"], rng=1)


@settings(max_examples=30, deadline=None)
@given(
    shape=st.tuples(st.integers(5, 30), st.integers(5, 30)),
    size=st.tuples(st.integers(1, 5), st.integers(1, 5)),
    seed=st.integers(0, 99),
)
def test_blur_is_a_convolution_with_mirrored_boundaries(shape, size, seed):
    rng = np.random.default_rng(seed)
    image, kernel = rng.random(shape), rng.random(size)
    kernel /= kernel.sum()
    expected = convolve(image, kernel, mode="reflect")
    np.testing.assert_allclose(degrade.blur(image, kernel), expected, atol=1e-12)


def test_blur_by_a_delta_does_not_move_a_star():
    star = np.zeros((20, 21))
    star[8, 11] = 1
    for size in ((4, 5), (5, 4), (7, 7)):
        kernel = np.zeros(size)
        kernel[size[0] // 2, size[1] // 2] = 1
        np.testing.assert_allclose(degrade.blur(star, kernel), star, atol=1e-12)


@settings(max_examples=20, deadline=None)
@given(radius=st.floats(0, 8), level=st.floats(0.1, 9))
def test_blur_keeps_a_flat_image(radius, level):
    np.testing.assert_allclose(degrade.blur(np.full((20, 31), level), psf.disk(radius)), level, rtol=1e-12)


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_blur_treats_each_channel_alike(axis):
    planes = np.random.default_rng(0).random((3, 12, 13))
    kernel = psf.disk(2.3)
    out = degrade.blur(np.moveaxis(planes, 0, axis), kernel, channel_axis=axis)
    np.testing.assert_allclose(np.moveaxis(out, axis, 0), [degrade.blur(p, kernel) for p in planes], atol=1e-12)


def test_noise_is_gaussian_and_repeatable():
    flat = np.zeros((300, 400))
    out = degrade.add_noise(flat, 0.05, rng=3)
    assert out.std() == pytest.approx(0.05, rel=0.01)
    assert abs(out.mean()) < 5e-4
    np.testing.assert_array_equal(out, degrade.add_noise(flat, 0.05, rng=np.random.default_rng(3)))
    assert not flat.any()


@pytest.mark.parametrize("axis", [None, 0, 2])
def test_random_blur_is_the_blur_by_its_psf(axis):
    planes = np.random.default_rng(0).random((3, 40, 90))
    image = planes[0] if axis is None else np.moveaxis(planes, 0, axis)
    out, kernel = degrade.random_blur(image, rng=5, channel_axis=axis)
    assert kernel.sum() == pytest.approx(1)
    assert kernel.min() >= 0
    np.testing.assert_allclose(out, degrade.blur(image, kernel, channel_axis=axis), atol=1e-12)


def test_random_blur_moves_by_a_fraction_of_the_width_in_any_direction():
    # Length, width and direction of the motion from the second moments of the PSF.
    lengths, widths, angles = [], [], []
    for seed in range(100):
        kernel = degrade.random_blur(np.zeros((200, 240)), rng=seed)[1]
        y, x = np.indices(kernel.shape) - kernel.shape[0] // 2
        moments = [[np.sum(kernel * a * b) for a in (x, y)] for b in (x, y)]
        (across, along), axes = np.linalg.eigh(moments)
        lengths.append(np.sqrt(12 * (along - across)))
        widths.append(np.sqrt(across))
        angles.append(np.degrees(np.arctan2(-axes[1, 1], axes[0, 1])) % 180)
    assert 9 - 0.5 < min(lengths) < 11
    assert 28 < max(lengths) < 30 + 0.5
    # The Gaussian, of 0.15 times 0.3 to 1.0 times 9.5 % of the width and 0.35 pixels more, on pixels.
    assert 1.37 < min(widths) < 1.55
    assert 3.6 < max(widths) < 3.82
    assert min(np.histogram(angles, 4, (0, 180))[0]) > 12


def test_random_blur_of_a_strip_narrower_than_its_psf():
    strip = np.random.default_rng(1).random((3, 200))
    out, kernel = degrade.random_blur(strip, rng=4)
    assert min(kernel.shape) > 3
    expected = convolve(np.pad(strip, ((60, 60), (0, 0)), "symmetric"), kernel, mode="reflect")[60:-60]
    np.testing.assert_allclose(out, expected, atol=1e-12)


@settings(max_examples=20, deadline=None)
@given(shape=st.tuples(st.integers(2, 20), st.integers(2, 20)), strength=st.floats(0, 1))
def test_vignette_is_as_strong_as_it_says(shape, strength):
    out = degrade.add_vignette(np.ones(shape), strength)
    for corner in (out[0, 0], out[0, -1], out[-1, 0], out[-1, -1]):
        assert corner == pytest.approx(1 - strength, abs=1e-9)
    out = degrade.add_vignette(np.ones(shape), strength, centre=(-1, 1))
    assert out[0, -1] == pytest.approx(1)
    assert np.unravel_index(out.argmax(), shape) == (0, shape[1] - 1) or strength < 1e-6


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8])
def test_every_backend(backend, dtype):
    host = (np.random.default_rng(0).random((14, 15, 3)) * 100).astype(dtype)
    kernel = psf.disk(2.5)
    if dtype != np.float64:
        kernel = kernel.astype(np.float32)
    image = backend.asarray(host)
    for got, expected in (
        (degrade.blur(image, backend.asarray(kernel), channel_axis=2), degrade.blur(host, kernel, channel_axis=2)),
        (degrade.add_vignette(image, 0.4, channel_axis=2), degrade.add_vignette(host, 0.4, channel_axis=2)),
        (degrade.add_noise(image, 0.1, rng=0), degrade.add_noise(host, 0.1, rng=0)),
        *zip(
            degrade.random_blur(image, rng=0, channel_axis=2),
            degrade.random_blur(host, rng=0, channel_axis=2),
            strict=True,
        ),
    ):
        got = backend.to_numpy(got)
        assert got.dtype == expected.dtype == (np.float64 if dtype == np.float64 else np.float32)
        np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("font", ["verdana", "times"])
@pytest.mark.parametrize("size", [12, 30, 77])
def test_text_is_two_toned_centred_and_of_its_size(font, size):
    out = degrade.text_picture("HH\nHH", font=font, size=size)
    assert out.dtype == np.float32
    assert set(np.unique(out)) == {0.0, 1.0}
    rows, columns = (np.flatnonzero((out == 0).any(axis)) for axis in (1, 0))
    # Capitals are 0.66 to 0.8 of the size; opposite margins are equal within a few pixels.
    first_line = rows[: np.flatnonzero(np.diff(rows) > 1)[0] + 1]
    assert 0.62 * size < first_line.size < 0.82 * size
    assert abs(rows[0] - (out.shape[0] - 1 - rows[-1])) <= 0.12 * size + 2
    assert abs(columns[0] - (out.shape[1] - 1 - columns[-1])) <= 0.12 * size + 2
    assert degrade.text_picture("HH\nHH", font=font, size=size, shape=(400, 500)).shape == (400, 500)


def test_a_photograph_and_its_truth(photo):
    assert photo.image.shape == photo.sharp.shape == (1460, 2360)
    assert photo.image.dtype == photo.sharp.dtype == photo.psf.dtype == np.float32
    assert photo.lines == ("Deconv", "reads", "this")
    assert photo.step == 6
    assert photo.radius == 43.0
    assert photo.psf.sum() == pytest.approx(1, abs=1e-5)
    assert psf.similarity(photo.psf, psf.disk(photo.radius, softness=photo.softness)) > 0.995
    counts = photo.image.astype(np.float64) * 65535
    np.testing.assert_allclose(counts, np.rint(counts), atol=5e-3)
    # The truth, blurred, is the photograph except for light and noise.
    ink = 1 - degrade.blur(photo.sharp, photo.psf)
    light = tone.decode(photo.image)
    where = np.s_[300:1200, 300:2000]
    assert np.corrcoef(gaussian_filter(ink, 5)[where].ravel(), gaussian_filter(light, 5)[where].ravel())[0, 1] < -0.95


def test_same_seed_same_photograph(photo):
    again = degrade.hdc_photo(6, ["Deconv", "reads", "this"], rng=1)
    np.testing.assert_array_equal(again.image, photo.image)
    a, b = (degrade.hdc_photo(2, shrink=7, rng=seed) for seed in (5, 6))
    assert a.lines != b.lines
    assert [len(line) for line in a.lines] == [10, 10, 10]
    assert set("".join(a.lines + b.lines)) <= set(hdc.ALPHABET)
    assert len(hdc.ALPHABET) == 49


def test_noise_of_a_photograph_follows_the_camera(photo):
    paper = np.s_[1300:1440, 700:1700]
    value = photo.image[paper]
    residual = value - gaussian_filter(value, 8)
    expected = 0.175 * (1 - value.mean()) + 0.001
    assert residual.std() == pytest.approx(expected, rel=0.1)
    lag = [np.mean(residual[:, :-k] * residual[:, k:]) / residual.var() for k in (1, 2)]
    assert lag == pytest.approx([0.1, -0.23], abs=0.03)
    # The estimate responds to the white part of the noise.
    assert 0.6 * expected < noise.estimate(photo.image) < 2 * expected


@pytest.mark.parametrize("step", [0, 9, 19])
@pytest.mark.parametrize("font", ["verdana", "times"])
def test_every_letter_of_both_fonts_fits_the_paper(step, font):
    # Both sides of the frame are multiples of 4: the border of the small image is all of the frame's border.
    out = degrade.hdc_photo(step, ["MWABCDEFGH", "wmwmwmkpqr", "QgjQgjQgjy"], font=font, shrink=4, rng=0)
    # White all round: no letter is cut off by the frame.
    assert out.sharp[[0, -1]].min() == 1
    assert out.sharp[:, [0, -1]].min() == 1
    assert 0.02 < 1 - out.sharp.mean() < 0.25


def shrunk(step, shrink):
    return degrade.hdc_photo(step, ["Hamburgefo", "xyZQWmnabc", "ttUUppkkjj"], font="times", shrink=shrink, rng=3)


@functools.lru_cache(1)
def unshrunk(step):
    return shrunk(step, 1)


@pytest.mark.parametrize("shrink", [2, 7])
@pytest.mark.parametrize("step", [1, 6, 14])
def test_shrunk_photograph_is_the_mean_of_blocks(step, shrink):
    large, small = unshrunk(step), shrunk(step, shrink)
    rows, columns = small.image.shape
    assert (rows, columns) == (1460 // shrink, 2360 // shrink)
    blocks = [
        a[: rows * shrink, : columns * shrink].reshape(rows, shrink, columns, shrink).mean(axis=(1, 3))
        for a in (large.image, large.sharp)
    ]
    np.testing.assert_allclose(small.sharp, blocks[1], atol=0.01)
    smooth = [gaussian_filter(a, 2) for a in (small.image, blocks[0])]
    np.testing.assert_allclose(*smooth, atol=0.025 if step == 1 else 0.015)
    # Where there is nothing but noise.
    noise = [np.diff(a[: rows // 8], axis=1).std() for a in (small.image, blocks[0])]
    assert noise[0] == pytest.approx(noise[1], rel=0.12)
    assert (small.radius, small.softness) == (large.radius / shrink, large.softness / shrink)
    assert spread(small.psf) == pytest.approx(spread(large.psf) / shrink, rel=0.1)


def spread(kernel):
    """Root mean square distance from the centre, in pixels."""
    y, x = np.indices(kernel.shape) - kernel.shape[0] // 2
    return np.sqrt(np.sum(kernel * (x**2 + y**2)))


@pytest.mark.skipif(not DATA.exists(), reason="the photographs are not here")
@pytest.mark.parametrize(
    ("file", "step", "font", "lines"),
    [
        ("step03_verdana_0001_blur", 3, "verdana", ["VrkQCAeNBZ", "RcsijkFLTX", " GgceTmrxD"]),
        ("step14_times_0100_blur", 14, "times", ["uJNfCCSpSc", "wGunVERtck", "peDLEpJMzc"]),
    ],
)
def test_looks_like_the_real_photograph(file, step, font, lines):
    real = np.asarray(Image.open(DATA / "full" / f"{file}.png").convert("L"), np.float32) / 255
    ours = degrade.hdc_photo(step, lines, font=font, rng=0).image
    # Light at ten places around the text, within 0.02 of the encoded scale.
    for row in (40, 1400):
        for column in (100, 600, 1180, 1700, 2200):
            patch = np.s_[row - 30 : row + 30, column - 30 : column + 30]
            assert ours[patch].mean() == pytest.approx(real[patch].mean(), abs=0.02)
            high = [x[patch] - gaussian_filter(x[patch], 6) for x in (real, ours)]
            assert high[1].std() == pytest.approx(high[0].std(), rel=0.25)
    # The darkest ink, and the position of the text to a stroke width, by correlation at low resolution.
    assert gaussian_filter(ours, 3).min() == pytest.approx(gaussian_filter(real, 3).min(), abs=0.05)
    blocks = [x.reshape(292, 5, 472, 5).mean((1, 3)) for x in (real, ours)]
    small = [gaussian_filter(x, 5)[40:250:2, 60:420:2] for x in blocks]
    assert np.corrcoef(small[0].ravel(), small[1].ravel())[0, 1] > 0.9


@pytest.mark.skipif(not DATA.exists(), reason="the photographs are not here")
def test_the_light_of_each_step_is_the_fitted_one():
    fits = json.loads((DATA / "illumination_fits.json").read_text())
    for step, row in enumerate(hdc.STEPS):
        np.testing.assert_allclose(row.light, fits[str(step)]["coef_1_u_v_uu_uv_vv_r4_r6"], atol=5.1e-4)


def test_without_a_font_the_error_says_how_to_get_one(monkeypatch):
    def nothing(*args, **kwargs):
        raise OSError

    monkeypatch.setattr(text.ImageFont, "truetype", nothing)
    monkeypatch.setattr(text.ImageFont, "load_default", lambda size: None)
    text.open_font.cache_clear()
    with pytest.raises(
        FileNotFoundError, match="no font for 'times' text is installed: pip install matplotlib, or apt-get"
    ):
        degrade.text_picture("Deconv", font="times")
    text.open_font.cache_clear()


def test_a_bare_machine_draws_with_what_it_has(monkeypatch):
    real = text.ImageFont.truetype

    def without_system_fonts(path, *args, **kwargs):
        if isinstance(path, (str, Path)):
            raise OSError
        return real(path, *args, **kwargs)

    monkeypatch.setattr(text.ImageFont, "truetype", without_system_fonts)
    text.open_font.cache_clear()
    assert degrade.hdc_photo(0, ["Deconv", "reads", "this"], shrink=7, rng=0).font == "Aileron"
    text.open_font.cache_clear()


IMAGE = np.ones((9, 9))


@pytest.mark.parametrize(
    ("call", "kind", "sentence"),
    [
        (lambda: degrade.hdc_photo(20), ValueError, "step must lie between 0 and 19, got 20"),
        (lambda: degrade.hdc_photo(3.0), TypeError, "step must be an integer, got float"),
        (lambda: degrade.hdc_photo(3, shrink=8), ValueError, "shrink must lie between 1 and 7, got 8"),
        (lambda: degrade.hdc_photo(3, ["a", "b"]), ValueError, "lines must be three strings, got 2"),
        (lambda: degrade.hdc_photo(3, [1, 2, 3]), TypeError, "lines must be strings"),
        (lambda: degrade.hdc_photo(3, ["W" * 40, "", ""]), ValueError, "does not fit on a page of 178 x 287"),
        (lambda: degrade.hdc_photo(3, font="comic"), ValueError, "font must be 'verdana' or 'times', got 'comic'"),
        (lambda: degrade.text_picture(""), ValueError, "lines hold no text to draw"),
        (lambda: degrade.text_picture("a", size=0), ValueError, "size must lie between 4 and 2000"),
        (lambda: degrade.text_picture("a" * 99, shape=(50, 50)), ValueError, "does not fit on a page of 50 x 50"),
        (lambda: degrade.text_picture("a", shape=(50, 0)), ValueError, "shape must lie between 1"),
        (lambda: degrade.text_picture("a", shape=50), TypeError, "shape must be two integers, got 50"),
        (lambda: degrade.blur(IMAGE, np.ones((11, 3))), ValueError, "is larger than the image"),
        (lambda: degrade.blur(IMAGE * np.nan, np.ones((3, 3))), ValueError, "image holds nothing but NaN"),
        (lambda: degrade.blur("a", np.ones((3, 3))), TypeError, "image must be an array of numbers, got str"),
        (lambda: degrade.blur(IMAGE, None), TypeError, "psf must be an array of numbers"),
        (lambda: degrade.random_blur(IMAGE[0]), ValueError, "image must have 2 axes, got shape"),
        (lambda: degrade.random_blur(IMAGE, rng="a"), TypeError, "rng must be a seed"),
        (lambda: degrade.add_noise(IMAGE, -1), ValueError, "sigma must be at least 0, got -1"),
        (lambda: degrade.add_vignette(IMAGE, 1.5), ValueError, "strength must be at most 1, got 1.5"),
        (lambda: degrade.add_vignette(IMAGE, centre=0), TypeError, "centre must be two numbers, got 0"),
    ],
)
def test_wrong_calls_say_so_in_one_sentence(call, kind, sentence):
    with pytest.raises(kind, match=sentence) as caught:
        call()
    assert "\n" not in str(caught.value)
