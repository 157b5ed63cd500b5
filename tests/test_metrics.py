"""The protocol: exact registration, the excluded border, and scikit-image's figures without a shift."""

import math
from pathlib import Path

import numpy as np
import pytest
import scipy.ndimage
from PIL import Image
from skimage import metrics as skimage_metrics

import deconv
from deconv.metrics import align, error_ratio, psnr, ssim

LEVIN = Path(__file__).parents[2] / "shared" / "data" / "levin2009"


@pytest.fixture
def sharp():
    return deconv.degrade.text_picture(["how close", "is close?"], shape=(90, 140), size=24).astype(float)


def noisy(image, seed=0):
    return image + 0.05 * np.random.default_rng(seed).standard_normal(image.shape)


def test_without_registration_the_figures_are_those_of_scikit_image(sharp):
    other = noisy(sharp).clip(0, 1)
    unregistered = {"border": 0, "reach": 0}
    assert psnr(other, sharp, **unregistered) == pytest.approx(
        skimage_metrics.peak_signal_noise_ratio(sharp, other, data_range=1), abs=1e-9
    )
    assert ssim(other, sharp, **unregistered) == pytest.approx(
        skimage_metrics.structural_similarity(sharp, other, data_range=1), abs=1e-9
    )
    inner = (slice(15, -15), slice(15, -15))
    assert psnr(other, sharp, reach=0) == pytest.approx(psnr(other[inner], sharp[inner], **unregistered), abs=1e-9)


def test_every_backend_is_scored(backend, sharp):
    u, v = (backend.asarray(x.astype(np.float32)) for x in (np.roll(noisy(sharp), 2, axis=1), sharp))
    same = np.roll(noisy(sharp), 2, axis=1)
    assert psnr(u, v) == pytest.approx(psnr(same, sharp), abs=1e-3)
    assert ssim(u, v) == pytest.approx(ssim(same, sharp), abs=1e-3)
    assert error_ratio(u, v * 0.9, v) == pytest.approx(error_ratio(same, sharp * 0.9, sharp), rel=1e-3)


@pytest.mark.parametrize("shift", [(0, 0), (12, -12), (-7, 3)])
def test_a_shift_is_found_as_far_as_the_reach(sharp, shift):
    moved = np.roll(np.pad(sharp, 15), shift, axis=(0, 1))[15:-15, 15:-15]
    u, v = align(moved, sharp)
    assert np.array_equal(v, sharp[15:-15, 15:-15])
    np.testing.assert_allclose(u, v, atol=1e-6)
    assert psnr(moved, sharp) == math.inf
    if any(shift):
        assert psnr(moved, sharp, reach=max(map(abs, shift)) - 2) < 20


def test_a_quarter_of_a_pixel_is_found():
    # Smooth, so that bilinear interpolation is all but exact.
    smooth = scipy.ndimage.gaussian_filter(np.random.default_rng(0).random((90, 120)), 4, mode="wrap")
    smooth = (smooth - smooth.min()) / np.ptp(smooth)
    turn = np.exp(-2j * np.pi * (np.fft.fftfreq(90)[:, None] * 2.25 + np.fft.fftfreq(120) * -4.5))
    moved = np.fft.ifft2(np.fft.fft2(smooth) * turn).real
    # By whole pixels alone it would be half a pixel off.
    assert psnr(np.roll(moved, (-2, 4), axis=(0, 1)), smooth, reach=0) < 38
    assert psnr(moved, smooth) > 48


def test_the_shift_is_the_best_of_all_of_them(sharp):
    """Against trying every shift, as the protocol's authors do."""
    moved = np.clip(noisy(scipy.ndimage.gaussian_filter(np.roll(sharp, (1, -2), (0, 1)), 1)), 0, 1)
    inner, reach = (slice(6, -6), slice(6, -6)), 3
    rows, columns = np.mgrid[: sharp.shape[0], : sharp.shape[1]]
    least = min(
        np.mean((scipy.ndimage.map_coordinates(moved, (rows + dy, columns + dx), order=1) - sharp)[inner] ** 2)
        for dy in np.arange(-reach, reach + 0.1, 0.25)
        for dx in np.arange(-reach, reach + 0.1, 0.25)
    )
    assert psnr(moved, sharp, border=6, reach=reach) == pytest.approx(-10 * np.log10(least), abs=1e-6)


def test_what_lies_outside_is_clipped_and_the_border_is_left_out(sharp):
    wild = np.where(sharp > 0.5, sharp + 1, sharp - 1)
    assert psnr(wild, (sharp > 0.5).astype(float)) == math.inf
    framed = sharp.copy()
    framed[:15], framed[-15:] = 0.5, 0.5
    assert psnr(framed, sharp, reach=0) == math.inf


def test_colours_are_compared_as_grey():
    rng = np.random.default_rng(0)
    colour = rng.random((60, 70, 3)).astype(np.float32)
    other = noisy(colour).clip(0, 1)
    weights = [0.299, 0.587, 0.114]
    assert psnr(other, colour, channel_axis=2) == pytest.approx(psnr(other @ weights, colour @ weights), abs=1e-4)
    assert psnr(np.moveaxis(other, 2, 0), np.moveaxis(colour, 2, 0), channel_axis=0) == pytest.approx(
        psnr(other, colour, channel_axis=2)
    )
    bytes_ = np.rint(255 * colour).astype(np.uint8)
    assert psnr(bytes_, bytes_ / 255, channel_axis=2) > 100


def test_bad_arguments_raise():
    x = np.zeros((64, 64))
    with pytest.raises(ValueError, match="the same shape"):
        psnr(x, x[1:])
    with pytest.raises(ValueError, match="leaves nothing"):
        psnr(x, x, border=32)
    with pytest.raises(ValueError, match="reach must lie between 0 and 14"):
        psnr(x, x, reach=15)
    with pytest.raises(ValueError, match="7 x 7"):
        ssim(x, x, border=29)
    with pytest.raises(ValueError, match="sharp must"):
        psnr(np.zeros((64, 64, 3)), np.zeros((64, 64, 5)), channel_axis=2)
    with pytest.raises(TypeError, match="restored"):
        psnr("x", x)
    with pytest.raises(ZeroDivisionError):
        error_ratio(x + 1, x, x)


@pytest.mark.skipif(not LEVIN.is_dir(), reason="the images are not here")
def test_the_blurred_images_of_levin_have_the_measured_psnr():
    """22.52 dB over the 16 images that are here; 22.96 dB over all 32."""

    def image(name):
        with Image.open(LEVIN / name) as file:
            return np.asarray(file)

    names = [f"im0{i}_ker0{k}" for i in (1, 2) for k in range(1, 9)]
    scores = [psnr(image(f"{name}_blur.png"), image(f"{name}_sharp.png")) for name in names]
    assert np.mean(scores) == pytest.approx(22.524, abs=0.005)
