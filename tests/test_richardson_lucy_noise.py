"""Richardson-Lucy and the noise: background, readout, damping, stopping, penalties."""

import itertools

import numpy as np
import pytest
import scipy.optimize
import scipy.signal
from blurred import FLOATS, asymmetric_psf, blur_matrix, photograph, psnr
from skimage import data

import deconv
from deconv import richardson_lucy
from deconv._core import convolve
from deconv._core.fft import Transfer


@pytest.fixture(scope="module")
def camera():
    return photograph()


def _dense(image, psf, weight, background, offset, num_iter, start):
    """Expectation maximisation by a dense matrix."""
    matrix, large, frame = blur_matrix(image.shape, psf)
    weights, sensitivity = weight.ravel(), matrix.T @ weight.ravel()
    x, data = np.full(matrix.shape[1], start), (image + offset).clip(0).ravel()
    for _ in range(num_iter):
        x = x / sensitivity * (matrix.T @ (weights * data / (matrix @ x + np.ravel(background) + offset)))
    return x.reshape(large)[frame]


def test_background_that_varies_and_readout_equal_dense_expectation_maximisation(backend):
    rng = np.random.default_rng(1)
    image, psf, background = rng.random((7, 8)) - 0.2, asymmetric_psf((3, 4)), 0.2 * rng.random((7, 8))
    gain, readout = 0.05, 0.1
    offset = readout**2 / gain
    start = np.mean(((image + offset).clip(0) - background - offset).clip(0))
    want = _dense(image, psf, np.ones_like(image), background, offset, 6, start)
    options = {"background": backend.asarray(background), "readout": readout, "gain": gain, "accelerate": False}
    got = backend.to_numpy(richardson_lucy(backend.asarray(image), backend.asarray(psf), 6, **options))
    np.testing.assert_allclose(got, want, rtol=1e-9)


def test_background_of_one_level_may_be_an_array():
    image, psf = np.random.default_rng(0).random((20, 24)) + 1, asymmetric_psf((5, 4))
    want = richardson_lucy(image, psf, 10, background=0.7)
    np.testing.assert_allclose(richardson_lucy(image, psf, 10, background=np.full((20, 24), 0.7)), want, rtol=1e-9)


def test_given_readout_noise_helps(camera):
    crop = (slice(150, 310),) * 2
    image, psf, truth = camera[0][crop], camera[1], camera[2][crop]
    image = image + 0.03 * np.random.default_rng(1).standard_normal((160, 160))
    informed, default = (richardson_lucy(image, psf, readout=r, gain=g) for r, g in ((0.03, 1 / 2000), (0.0, None)))
    assert psnr(informed, truth) > psnr(default, truth) + 1


@pytest.mark.parametrize("sigma", [0.002, 0.03])
def test_noise_that_photons_do_not_make_does_not_run_away(sigma):
    # As strong in the dark as in the light: to come as close as photons allow would be to follow it.
    scene = data.camera()[40:280, 120:380] / 255
    psf = deconv.psf.disk(4)
    blurred = deconv.degrade.blur(scene, psf)
    image = deconv.degrade.add_noise(blurred, sigma, rng=1)
    scores = []
    richardson_lucy(image, psf, 30, callback=lambda i, x: scores.append(psnr(x, scene)))
    assert psnr(richardson_lucy(image, psf), scene) > max(scores) - 2


def test_damping_of_nothing_changes_nothing(backend):
    image, psf = np.random.default_rng(0).random((20, 24)) + 0.1, asymmetric_psf((5, 4))
    mask = np.random.default_rng(1).random((20, 24))
    got = richardson_lucy(
        backend.asarray(image), backend.asarray(psf), 5, damping=1e-6, gain=0.01, mask=backend.asarray(mask)
    )
    np.testing.assert_allclose(backend.to_numpy(got), richardson_lucy(image, psf, 5, mask=mask), rtol=1e-6)


def test_damping_keeps_flat_parts_flat():
    psf = deconv.psf.disk(3)
    scene = np.full((80, 80), 0.2)
    scene[30:50, 30:50] = 1
    clean = scipy.signal.fftconvolve(np.pad(scene, 3, "edge"), psf, "valid")
    image = np.random.default_rng(0).poisson(clean * 5000) / 5000
    free, damped = (richardson_lucy(image, psf, 40, damping=d) for d in (0.0, 3.0))
    assert damped[:20].std() < 0.15 * free[:20].std()
    # The edges are steep nevertheless.
    steepest, blurred = (np.abs(np.diff(a[34:46].mean(axis=0))).max() for a in (damped, clean))
    assert steepest > 2 * blurred


def test_by_default_it_stops_near_the_best(camera):
    image, psf, truth = camera[0][:200, :200], camera[1], camera[2][:200, :200]
    for photons in (200, 20000):
        noisy = np.random.default_rng(0).poisson(image.clip(0) * photons) / photons
        scores, stopped = [], []
        richardson_lucy(noisy, psf, 40, callback=lambda i, x, scores=scores: scores.append(psnr(x, truth)))
        got = richardson_lucy(noisy, psf, callback=lambda i, x, stopped=stopped: stopped.append(i))
        assert len(stopped) < 40
        assert psnr(got, truth) > max(scores) - 0.8


@FLOATS
@pytest.mark.parametrize("options", [{}, {"num_iter": 40, "stop": 0.05}, {"readout": 0.02}])
def test_backends_stop_alike(backend, dtype, options):
    rng = np.random.default_rng(0)
    image = (
        rng.poisson(200 * scipy.signal.fftconvolve(rng.random((44, 2, 45)), asymmetric_psf((5, 1, 6)), "valid")) / 200
    )
    image, psf = image.astype(dtype), asymmetric_psf((5, 6)).astype(dtype)
    counts = [[], []]
    want, got = (
        richardson_lucy(
            make(image), make(psf), channel_axis=1, callback=lambda i, x, calls=calls: calls.append(i), **options
        )
        for make, calls in zip((np.float64, backend.asarray), counts, strict=True)
    )
    assert counts[0] == counts[1]
    assert 1 < len(counts[0]) < 40
    got = backend.to_numpy(got)
    assert got.dtype == dtype
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-9 if dtype == np.float64 else 1e-3)


@pytest.mark.parametrize(
    "options", [{}, {"stop": 0.02, "num_iter": 60}, {"stop": 0.02, "num_iter": 60, "accelerate": False}]
)
def test_each_channel_stops_by_itself(camera, options):
    image, psf = camera[0][100:200, 200:300], camera[1]
    rng = np.random.default_rng(0)
    stack = np.stack([rng.poisson(image.clip(0) * n) / n for n in (50, 5000)], axis=-1)
    counts, alone = [], []
    for i in range(2):
        calls = []
        alone.append(richardson_lucy(stack[..., i], psf, callback=lambda n, x, calls=calls: calls.append(n), **options))
        counts.append(len(calls))
    assert counts[0] != counts[1], "the test's own premise"
    calls = []
    got = richardson_lucy(stack, psf, channel_axis=-1, callback=lambda n, x: calls.append(x), **options)
    np.testing.assert_allclose(got, np.stack(alone, axis=-1), rtol=0, atol=1e-9)
    assert len(calls) == max(counts)
    np.testing.assert_array_equal(calls[-1], got)


def test_stops_when_the_scene_hardly_changes():
    image, psf = np.random.default_rng(0).random((40, 40)), asymmetric_psf((3, 3))
    calls = []
    richardson_lucy(image, psf, 500, stop=0.01, accelerate=False, callback=lambda n, x: calls.append(x))
    changes = [np.linalg.norm(b - a) / np.linalg.norm(b) for a, b in itertools.pairwise(calls)]
    assert 10 < len(calls) < 400
    assert changes[-1] < 0.015 < changes[len(changes) // 2]


def test_weights_that_differ_by_far_leave_nothing_black():
    image, psf = np.ones((64, 64)), asymmetric_psf((5, 5))
    weights = np.ones((64, 64))
    weights[:, 32:] = 5e-4
    np.testing.assert_allclose(richardson_lucy(image, psf, 20, mask=weights), 1, rtol=1e-6)
    stack, weights = np.ones((32, 32, 2)), np.ones((32, 32, 2))
    weights[..., 1] = 1e-5
    np.testing.assert_allclose(richardson_lucy(stack, psf, 20, mask=weights, channel_axis=-1), 1, rtol=1e-6)


def test_weights_count_in_discrepancy_and_damping(camera):
    image, psf = camera[0][100:180, 200:280], camera[1]
    rng = np.random.default_rng(3)
    noisy = image.copy()
    noisy[:, 40:] += 0.3 * rng.random((80, 40))
    trusted = np.ones((80, 80))
    trusted[:, 40:] = 1e-6
    masked = np.where(trusted == 1, 1.0, 0.0)
    for options in ({}, {"num_iter": 20, "damping": 2.0}):
        almost, quite = (richardson_lucy(noisy, psf, mask=m, gain=5e-4, **options) for m in (trusted, masked))
        # A pixel of tiny weight matters hardly more than one that is excluded; at full weight it would be 0.1 off.
        assert np.abs(almost - quite)[:, :30].mean() < 0.01
    whole, weighed = (richardson_lucy(image, psf, mask=m, gain=5e-4) for m in (None, np.full((80, 80), 0.3)))
    np.testing.assert_allclose(weighed, whole, rtol=1e-6)


def test_readout_noise_that_is_not_there_does_not_flatten():
    blocks = np.random.default_rng(0).random((12, 12)).repeat(8, 0).repeat(8, 1)
    psf = deconv.psf.disk(3)
    image = scipy.signal.fftconvolve(np.pad(blocks, 3, "edge"), psf, "valid")
    image = image + 0.01 * np.random.default_rng(1).standard_normal(image.shape)
    for readout in (0.01, 0.012, 0.02):
        assert richardson_lucy(image, psf, readout=readout).std() > image.std()


def test_a_channel_without_a_measured_pixel_by_default():
    stack = np.random.default_rng(0).random((24, 24, 2))
    stack[..., 1] = np.nan
    got = richardson_lucy(stack, asymmetric_psf((3, 3)), channel_axis=-1)
    np.testing.assert_allclose(got[..., 0], richardson_lucy(stack[..., 0], asymmetric_psf((3, 3))), rtol=1e-9)
    assert (got[..., 1] == 0).all()


def test_dark_planes_do_not_hide_the_noise():
    rng = np.random.default_rng(0)
    volume = np.zeros((12, 24, 24))
    volume[4:7] = rng.poisson(50.0, (3, 24, 24))
    calls = []
    richardson_lucy(volume, asymmetric_psf((1, 3, 3)), callback=lambda i, x: calls.append(i))
    assert len(calls) < 20


@pytest.mark.parametrize("options", [{}, {"accelerate": False, "num_iter": 6}, {"num_iter": 6, "background": 0.1}])
@pytest.mark.parametrize("width", [(3, 4), (9, 9)])
def test_small_psfs_without_transforms(backend, monkeypatch, options, width):
    rng = np.random.default_rng(0)
    image, psf = rng.random((30, 2, 31)), asymmetric_psf((3, 4)) if width == (3, 4) else deconv.psf.gaussian(1.0)
    want = richardson_lucy(image, psf, channel_axis=1, **options)
    monkeypatch.setattr(convolve, "_WORTH_COMPILING", 0)
    assert isinstance(convolve.workspace(psf, (40, 40), 2, 10), convolve.LoopWorkspace)
    got = richardson_lucy(backend.asarray(image), backend.asarray(psf), channel_axis=1, **options)
    np.testing.assert_allclose(backend.to_numpy(got), want, rtol=0, atol=1e-9)


# Penalties.


@pytest.mark.parametrize("reg", ["tv", "tikhonov"])
def test_penalised_scene_is_the_minimiser(reg):
    rng = np.random.default_rng(0)
    image, psf, weight = rng.random((7, 8)) + 0.2, asymmetric_psf((3, 2)), 0.05
    grid, contrast = (9, 10), image.std()
    transfer = Transfer(psf, grid)

    def energy(u):
        u = u.reshape(grid)
        expected = transfer.forward(u)[:7, :8].clip(1e-12)
        squares = sum((np.roll(u, -1, axis=a) - u) ** 2 for a in (0, 1))
        rough = np.sqrt(squares + (0.01 * contrast) ** 2).sum() if reg == "tv" else squares.sum() / 2 / contrast
        return np.sum(expected - image * np.log(expected)) + weight * rough

    got = richardson_lucy(image, psf, 3000, reg=reg, weight=weight)
    options = {"maxiter": 3000, "maxfun": 10**7, "ftol": 1e-14}
    best = scipy.optimize.minimize(
        energy, np.full(90, 0.5), bounds=[(0, None)] * 90, method="L-BFGS-B", options=options
    )
    np.testing.assert_allclose(got, best.x.reshape(grid)[:7, :8], rtol=0, atol=0.005)


@pytest.mark.parametrize("reg", ["tv", "tikhonov"])
@FLOATS
def test_penalties_on_all_backends(backend, reg, dtype):
    image, psf = (
        np.random.default_rng(2).random((14, 2, 15)).astype(dtype) + dtype(0.2),
        asymmetric_psf((5, 4)).astype(dtype),
    )
    want = np.stack(
        [richardson_lucy(image[:, i].astype(float), psf.astype(float), 8, reg=reg) for i in range(2)], axis=1
    )
    got = backend.to_numpy(richardson_lucy(backend.asarray(image), backend.asarray(psf), 8, reg=reg, channel_axis=1))
    assert got.dtype == dtype
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-9 if dtype == np.float64 else 2e-3)


@pytest.mark.parametrize("reg", ["tv", "tikhonov"])
@pytest.mark.parametrize("shape", [(60,), (30, 31), (9, 10, 11)])
def test_a_strong_penalty_is_no_danger(reg, shape):
    image = np.random.default_rng(0).random(shape)
    got = richardson_lucy(image, asymmetric_psf((3,) * len(shape)), 200, reg=reg, weight=100.0)
    assert got.std() < 0.1 * image.std()
    assert got.mean() == pytest.approx(image.mean(), rel=0.05)


def test_total_variation_by_default_beats_the_best_plain(camera):
    image, psf, truth = camera[0][:160, :160], camera[1], camera[2][:160, :160]
    scores = []
    richardson_lucy(image, psf, 40, callback=lambda i, x: scores.append(psnr(x, truth)))
    assert psnr(richardson_lucy(image, psf, reg="tv"), truth) > max(scores) + 1
