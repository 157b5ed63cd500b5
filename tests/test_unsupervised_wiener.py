"""Unsupervised Wiener: the posterior of the model it is drawn from."""

import dataclasses

import numpy as np
import pytest
import scipy.signal
from skimage import data, restoration

import deconv
from deconv import unsupervised_wiener, wiener
from deconv.nonblind import fourier
from deconv.nonblind.unsupervised_wiener import _chain, _norms

FLOATS = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def _psnr(image, truth):
    return -10 * np.log10(np.mean((image - truth) ** 2))


def _cropped(psf, photons, scene=None):
    """A photograph blurred past its frame with Poisson noise, and the truth in the frame."""
    scene = data.camera() / 255 if scene is None else scene
    reach = psf.shape[0] // 2
    blurred = scipy.signal.fftconvolve(scene, psf, "valid").clip(0)
    return np.random.default_rng(0).poisson(blurred * photons) / photons, scene[reach:-reach, reach:-reach]


def _drawn(shape, psf, noise, scene, seed):
    """A scene drawn from the prior with precision ``scene |laplacian|^2``, blurred and noisy, and cut out."""
    rng = np.random.default_rng(seed)
    curvature = sum(
        np.reshape(2 - 2 * np.cos(2 * np.pi * np.arange(n) / n), s)
        for n, s in zip(shape, ((-1, 1), (1, -1)), strict=True)
    )
    curvature[0, 0] = np.inf
    truth = np.fft.ifft2(np.fft.fft2(rng.standard_normal(shape)) / curvature).real / np.sqrt(scene)
    image = scipy.signal.fftconvolve(truth, psf, "valid")
    reach = psf.shape[0] // 2
    return image + noise * rng.standard_normal(image.shape), truth[reach:-reach, reach:-reach]


@pytest.mark.parametrize("noise", [0.01, 0.1])
@pytest.mark.parametrize("psf", [deconv.psf.disk(2), deconv.psf.gaussian(3)])
def test_finds_what_the_data_were_drawn_with(psf, noise):
    scene = 10.0
    image, truth = _drawn((240, 250), psf, noise, scene, seed=1)
    result = unsupervised_wiener(image, psf)
    assert result.noise == pytest.approx(noise, rel=0.03)
    assert result.balance == pytest.approx(scene * noise**2, rel=0.35)
    # Away from the border the error is that of the posterior.
    reach = psf.shape[0]
    error = (result.image - truth)[reach:-reach, reach:-reach]
    assert np.std(error) / result.spread == pytest.approx(1, abs=0.15)


@pytest.mark.parametrize("sigma", [0.003, 0.01, 0.03])
def test_noise_of_a_photograph(sigma):
    psf = deconv.psf.disk(5)
    clean = scipy.signal.fftconvolve(data.camera() / 255, psf, "valid")
    image = clean + sigma * np.random.default_rng(0).standard_normal(clean.shape)
    assert unsupervised_wiener(image, psf).noise == pytest.approx(sigma, rel=0.05)


@pytest.mark.parametrize("psf", [deconv.psf.disk(3), np.ones((15, 15)) / 225])
def test_no_worse_than_scikit_image(psf):
    image, truth = _cropped(psf, 2000)
    mirrored = np.pad(image, 30, mode="reflect")
    theirs, _ = restoration.unsupervised_wiener(mirrored, psf, rng=0, clip=False)
    assert _psnr(unsupervised_wiener(image, psf).image, truth) > _psnr(theirs[30:-30, 30:-30], truth)


def _frequency_by_frequency():
    """The statistics of a small problem, and the same as single real numbers y, each observed with its own gain."""
    image, _ = _drawn((40, 44), deconv.psf.disk(1.5), 0.1, 10.0, seed=2)
    spectrum = fourier.FourierProblem(image, deconv.psf.disk(1.5), "laplacian", None).spectrum()
    number = np.maximum(np.rint(spectrum.number), 1).astype(int)
    spectrum = spectrum._replace(number=number.astype(float))
    gain = np.repeat(np.sqrt(spectrum.ratio), number)  # of x in units of D
    return spectrum, np.repeat(np.sqrt(spectrum.energy / number), number), gain


def _scene(y, gain, noise, scene, rng):
    precision = noise * gain**2 + scene
    return noise * gain * y / precision + rng.standard_normal(y.size) / np.sqrt(precision)


@pytest.mark.parametrize(("noise", "scene"), [(100.0, 10.0), (10.0, 0.1), (3.0, 100.0)])
def test_norms_have_the_moments_of_drawn_scenes(noise, scene):
    rng = np.random.default_rng(5)
    spectrum, y, gain = _frequency_by_frequency()
    drawn = np.array([_scene(y, gain, noise, scene, rng) for _ in range(4000)])
    norms = np.sum((y - gain * drawn) ** 2, axis=1), np.sum(drawn**2, axis=1)
    means, variances, both = _norms(spectrum, noise, scene)
    want = np.cov(*norms)
    np.testing.assert_allclose(means, np.mean(norms, axis=1), rtol=0.01)
    np.testing.assert_allclose(variances, np.diag(want), rtol=0.1)
    assert both == pytest.approx(want[0, 1], abs=0.06 * np.sqrt(want[0, 0] * want[1, 1]))


def test_chain_has_the_moments_of_a_chain_that_draws_scenes():
    rng = np.random.default_rng(5)
    spectrum, y, gain = _frequency_by_frequency()
    got = _chain(spectrum, 0.1, 4000, np.random.default_rng(3))[:, 200:]
    noise, scene, want = got[0, 0], got[1, 0], []
    for _ in range(2000):
        x = _scene(y, gain, noise, scene, rng)
        noise = rng.gamma(y.size / 2, 2 / np.sum((y - gain * x) ** 2))
        scene = rng.gamma(y.size / 2, 2 / np.sum(x**2))
        want.append((noise, scene))
    want = np.array(want).T
    np.testing.assert_allclose(got.mean(axis=1), want.mean(axis=1), rtol=0.05)
    np.testing.assert_allclose(got.std(axis=1), want.std(axis=1), rtol=0.25)


@FLOATS
@pytest.mark.parametrize(("shape", "width"), [((60,), (5,)), ((40, 51), (5, 4)), ((9, 12, 11), (3, 2, 3))])
def test_backends_agree(backend, dtype, shape, width):
    rng = np.random.default_rng(0)
    image, psf = rng.random(shape).astype(dtype), rng.random(width).astype(dtype) + dtype(0.1)
    want = unsupervised_wiener(image.astype(np.float64), psf.astype(np.float64))
    got = unsupervised_wiener(backend.asarray(image), backend.asarray(psf))
    assert isinstance(got.spread, float)
    assert type(got.noise_precision) is np.ndarray or backend.name == "torch"
    sharp = backend.to_numpy(got.image)
    assert sharp.dtype == dtype
    tight = dtype == np.float64
    np.testing.assert_allclose(sharp, want.image, rtol=0, atol=1e-8 if tight else 2e-3)
    np.testing.assert_allclose(got.noise, want.noise, rtol=1e-8 if tight else 1e-3)
    np.testing.assert_allclose(got.spread, want.spread, rtol=1e-8 if tight else 1e-2)


def test_seeds():
    image, psf = np.random.default_rng(0).random((30, 31)), deconv.psf.disk(1)
    one, same, other = (unsupervised_wiener(image, psf, rng=seed) for seed in (3, np.random.default_rng(3), 4))
    np.testing.assert_array_equal(one.noise_precision, same.noise_precision)
    np.testing.assert_array_equal(one.image, same.image)
    assert not np.array_equal(one.noise_precision, other.noise_precision)


def test_image_is_that_of_wiener_at_the_balance():
    image, psf = _cropped(deconv.psf.disk(3), 500, data.camera()[:120, :130] / 255)[0], deconv.psf.disk(3)
    result = unsupervised_wiener(image, psf, num_iter=60, burn_in=20)
    np.testing.assert_array_equal(result.image, wiener(image, psf, result.balance))
    assert result.noise_precision.shape == result.scene_precision.shape == (60,)
    assert result.burn_in == 20
    kept = result.scene_precision[20:].mean() / result.noise_precision[20:].mean()
    assert result.balance == pytest.approx(kept)
    with pytest.raises(dataclasses.FrozenInstanceError):
        result.noise = 0


@pytest.mark.parametrize("scale", [1e-12, 1e12])
def test_answer_scales_with_the_picture(scale):
    psf = deconv.psf.disk(2)
    image = _cropped(psf, 500, data.camera()[:80, :80] / 255)[0]
    one, two = unsupervised_wiener(image, psf), unsupervised_wiener(image * scale, psf)
    np.testing.assert_allclose(two.image / scale, one.image, rtol=0, atol=1e-6)
    assert two.spread / scale == pytest.approx(one.spread, rel=1e-6)
    assert two.noise / scale == pytest.approx(one.noise, rel=1e-6)
    assert two.balance == pytest.approx(one.balance, rel=1e-6)


def test_colours_and_a_transfer_function():
    psf = deconv.psf.disk(2)
    image = _cropped(psf, 500, data.camera()[:80, :81] / 255)[0]
    one = unsupervised_wiener(image, psf)
    same = unsupervised_wiener(image, deconv.psf.to_otf(psf, image.shape))
    np.testing.assert_allclose(same.image, one.image, rtol=0, atol=1e-8)
    colours = unsupervised_wiener(np.stack([image] * 3, axis=-1), psf, channel_axis=-1)
    assert colours.noise == pytest.approx(one.noise, rel=0.01)
    np.testing.assert_allclose(colours.image[..., 1], one.image, rtol=0, atol=0.01)
