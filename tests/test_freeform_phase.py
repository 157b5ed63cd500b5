"""Phase retrieval: PSFs from the power of an image."""

import io

import numpy as np
import pytest
from letters import blurred_letters as _blurred
from PIL import Image

import deconv
from deconv.blind.freeform.phase import Power
from deconv.blind.freeform.psf_step import centred, pruned
from deconv.blind.jpeg import measure
from deconv.blind.settings.select import LineCheck
from deconv.blind.settings.spectrum import FullSpectrum
from deconv.blind.spectrum import FullPeriodogram, smooth_power

SIDE = 25


def _either(found, psf):
    """Similarity of what was found, or of its turned copy, with a PSF."""
    found = centred(pruned(found, 0.05, 0.02))
    return max(deconv.psf.similarity(turned, psf) for turned in (found, found[::-1, ::-1]))


def test_a_path_is_seen_in_the_power():
    psf = deconv.psf.random_motion(SIDE, rng=4)
    power = Power([_blurred(psf)])
    similar = [_either(power.likely(SIDE, np.random.default_rng(seed))[0], psf) for seed in range(4)]
    # (Random weights have 0.2, a path beside that one 0.4.)
    assert max(similar) > 0.6


def test_softness_shows_no_path():
    path, soft = deconv.psf.random_motion(SIDE, rng=4), deconv.psf.gaussian(1.0)
    shown = [Power([_blurred(psf)]).likely(SIDE, np.random.default_rng(0))[1] for psf in (path, soft)]
    assert shown[1] < 0 < 0.1 < shown[0]


def test_pictures_that_share_a_psf_say_more():
    psf = deconv.psf.random_motion(SIDE, rng=4)
    pictures = [_blurred(psf, (140, 150), seed) for seed in range(4)]
    one, all_of_them = (
        np.mean([_either(Power(some).likely(SIDE, np.random.default_rng(seed))[0], psf) for seed in range(4)])
        for some in (pictures[:1], pictures)
    )
    assert all_of_them > one


def test_the_slope_is_that_of_the_likelihood():
    rng = np.random.default_rng(1)
    plane = FullPeriodogram(_blurred(deconv.psf.random_motion(9, rng=2), (64, 80)), settings=FullSpectrum())
    psf = rng.random((9, 9)) / 40
    _, slope = plane.negative_log_likelihood(psf)
    for at in ((0, 0), (4, 4), (8, 3)):
        h = 3e-3
        step = np.zeros_like(psf)
        step[at] = h
        numeric = (plane.negative_log_likelihood(psf + step)[0] - plane.negative_log_likelihood(psf - step)[0]) / (
            2 * h
        )
        assert numeric == pytest.approx(slope[at], rel=0.05, abs=0.01 * np.abs(slope).max())


def test_the_true_psf_is_likelier_than_another():
    psf = deconv.psf.random_motion(SIDE, rng=4)
    plane = FullPeriodogram(_blurred(psf), settings=FullSpectrum())

    def best(k):
        return min(plane.negative_log_likelihood(mass * k)[0] for mass in np.geomspace(0.3, 30, 40))

    others = [deconv.psf.random_motion(SIDE, rng=seed) for seed in range(20, 30)]
    assert best(psf) < min(best(other) for other in others)
    # Its turned copy has the same power.
    assert best(psf[::-1, ::-1]) == pytest.approx(best(psf), rel=1e-5)


def test_a_line_is_believed_of_lines_only():
    line, shake = deconv.psf.motion(15, 30), deconv.psf.random_motion(SIDE, rng=4)
    straight, shaken = (Power([_blurred(np.pad(psf, 5))]).gain(line) for psf in (line, shake))
    assert straight > 0.1
    assert shaken < -0.25


def test_the_gain_is_of_the_shape_alone():
    psf = deconv.psf.random_motion(SIDE, rng=4)
    power = Power([_blurred(psf)])
    assert power.gain(np.ones((1, 1))) == 0.0
    # (Where it lies does not matter, nor which way it is turned.)
    moved = np.roll(np.pad(psf[::-1, ::-1], 3), (2, -3), (0, 1))
    assert power.gain(moved) == pytest.approx(power.gain(psf), rel=1e-4)


def test_evidence_is_for_the_true_psf_alone():
    psf = deconv.psf.random_motion(SIDE, rng=4)
    sharp, blurred = (Power([_blurred(k)]) for k in (np.pad(np.ones((1, 1)), 1), psf))
    others = [deconv.psf.disk(4), deconv.psf.gaussian(2.0), deconv.psf.random_motion(SIDE, rng=5)]
    assert blurred.evidence(psf) > 1000
    assert max(blurred.evidence(other) for other in others) < 0
    assert max(sharp.evidence(other) for other in [psf, *others]) < 0
    assert sharp.evidence(np.ones((1, 1))) < 0


def test_evidence_bears_an_error_of_the_psf():
    """That a part of the power does not follow the PSF's costs some evidence, not all of it."""
    psf = deconv.psf.random_motion(SIDE, rng=4)
    near = (psf + 0.2 * np.roll(psf, (2, 1), (0, 1))) / 1.2
    power = Power([_blurred(psf)])
    assert 500 < power.evidence(near) < power.evidence(psf)


def test_the_same_start_ends_alike():
    power = Power([_blurred(deconv.psf.random_motion(9, rng=2), (64, 80))])
    one, two = (power.likely(9, np.random.default_rng(3))[0] for _ in range(2))
    assert np.array_equal(one, two)
    assert one.shape == (9, 9)
    assert one.min() >= 0
    assert one.sum() == pytest.approx(1)


def test_what_is_smooth_is_found_under_its_scatter():
    rng = np.random.default_rng(0)
    f, direction = rng.uniform(0.01, 0.49, 20000), rng.uniform(-np.pi / 2, np.pi / 2, 20000)
    true = f**-2.5 * np.exp(0.5 * np.cos(2 * direction))
    found = smooth_power(f, direction, true * rng.exponential(size=f.size), settings=FullSpectrum())
    assert np.abs(np.log(found / true)).mean() < 0.05


def test_a_picture_drawn_without_noise_has_a_likelihood():
    page = np.zeros((64, 64), np.float32)
    page[20:44, 30:34] = 1.0
    assert np.isfinite(Power([page]).likely(5, np.random.default_rng(0))[0]).all()


def _stored(image, quality):
    file = io.BytesIO()
    low, high = image.min(), image.max()
    Image.fromarray(np.uint8(np.rint(255 * (image - low) / (high - low)))).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file), np.float32) / 255


def test_a_psf_under_jpeg_has_more_evidence_if_jpeg_is_known():
    psf = deconv.psf.random_motion(15, rng=2)
    page = _stored(_blurred(psf), 40)
    compression = measure(page[None])
    assert compression is not None
    known, white = (Power([page], [each]) for each in (compression, None))
    assert known.evidence(psf) > white.evidence(psf) + 100
    assert known.gain(psf) > white.gain(psf)


def test_the_noise_after_jpeg_has_the_shape_of_its_error():
    page = _stored(_blurred(deconv.psf.random_motion(15, rng=2), (64, 80)), 40)
    compression = measure(page[None])
    plane = FullPeriodogram(page, compression, settings=FullSpectrum())
    fy, fx = np.meshgrid(np.fft.fftfreq(plane._grid[0]), np.fft.rfftfreq(plane._grid[1]), indexing="ij")
    error = compression.spectrum(fy.ravel(), fx.ravel())[1].reshape(fy.shape)
    assert error.max() > 5 * error.min()
    assert plane._noise / error == pytest.approx(plane._noise[0, 0] / error[0, 0], rel=1e-3)


def test_straight_motion_is_likely_under_jpeg_and_a_stretch_of_a_shake_is_not():
    line = np.zeros((15, 15))
    line[7] = 1 / 15
    gains = []
    for psf in (line, deconv.psf.random_motion(25, rng=2)):
        page = _stored(_blurred(np.pad(psf, 5)), 60)
        gains.append(Power([page], [measure(page[None])]).gain(line))
    assert gains[0] > LineCheck().least_gain_corrected > LineCheck().least_gain > gains[1]
