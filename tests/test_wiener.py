"""Wiener against known answers."""

import functools

import hypothesis
import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import numpy as np
import pytest
import scipy.signal
from skimage import data, restoration

import deconv
from deconv import wiener
from deconv._core import kernels
from deconv._core.fft import irfftn, rfftn
from deconv.nonblind import boundary, fourier, regularisation

FLOATS = pytest.mark.parametrize("dtype", [np.float32, np.float64])
REGS = pytest.mark.parametrize("reg", ["laplacian", "identity"])
SHAPES = pytest.mark.parametrize(
    ("shape", "width"), [((61,), (5,)), ((31, 40), (5, 4)), ((32, 33), (1, 6)), ((9, 12, 11), (3, 4, 5))]
)


def _psf(shape, seed=0):
    """An asymmetric PSF."""
    psf = np.random.default_rng(seed).random(shape) + 0.1
    return psf / psf.sum()


def _psnr(image, truth):
    return -10 * np.log10(np.mean((image - truth) ** 2))


def _cut(scene, psf, sigma):
    """`scene` blurred past the frame, noise added, and the truth in the frame."""
    reach = psf.shape[0] // 2
    blurred = scipy.signal.fftconvolve(scene, psf, "valid")
    noisy = blurred + sigma * np.random.default_rng(0).standard_normal(blurred.shape)
    return noisy, scene[reach:-reach, reach:-reach]


def _periodic(image, psf, balance, reg):
    """The filter without a border."""
    gain = fourier.transfer_function(psf, image.shape)
    kernels.spectral_gain(gain.view(image.dtype), fourier._penalty(reg, image[None], image.shape), balance)
    return irfftn(rfftn(image) * gain, image.shape)


@REGS
@pytest.mark.parametrize("width", [(5, 5), (4, 7)])
def test_periodic_filter_equals_dense_ridge(reg, width):
    side, balance = 32, 0.03
    image, psf = np.random.default_rng(0).random((side, side)), _psf(width)

    def circulant(taps):
        # taps: {(row, column) offset: weight}
        matrix = np.zeros((side**2, side**2))
        places = np.arange(side**2).reshape(side, side)
        for (row, column), tap in taps.items():
            matrix[places.ravel(), np.roll(places, (row, column), axis=(0, 1)).ravel()] += tap
        return matrix

    centre = [n // 2 for n in width]
    blur = circulant({(i - centre[0], j - centre[1]): psf[i, j] for i in range(width[0]) for j in range(width[1])})
    if reg == "laplacian":
        penalty = circulant({(0, 0): 4, (0, 1): -1, (0, -1): -1, (1, 0): -1, (-1, 0): -1})
    else:
        penalty = np.eye(side**2)
    want = np.linalg.solve(blur.T @ blur + balance * penalty.T @ penalty, blur.T @ image.ravel())
    got = _periodic(image, psf, balance, reg)
    np.testing.assert_allclose(got.ravel(), want, rtol=0, atol=1e-11)


def test_balance_means_what_it_does_in_scikit_image():
    image, psf = np.random.default_rng(0).random((32, 34)), _psf((5, 5))
    want = restoration.wiener(image, psf, 0.03, clip=False)
    np.testing.assert_allclose(_periodic(image, psf, 0.03, "laplacian"), want, rtol=0, atol=1e-12)


@REGS
def test_far_from_the_border_it_is_the_periodic_filter(reg):
    image, psf = np.zeros((64, 66)), _psf((5, 4))
    image[20:44, 22:45] = np.random.default_rng(0).random((24, 23))
    want = _periodic(image - image.mean(), psf, 0.1, reg) + image.mean()
    inside = np.s_[20:44, 22:45]
    np.testing.assert_allclose(wiener(image, psf, 0.1, reg=reg)[inside], want[inside], rtol=0, atol=1e-3)


@FLOATS
@REGS
@SHAPES
def test_backends_agree(backend, dtype, reg, shape, width):
    rng = np.random.default_rng(2)
    image, psf = rng.random(shape).astype(dtype), _psf(width).astype(dtype)
    want = wiener(image.astype(np.float64), psf.astype(np.float64), 0.02, reg=reg)
    got = backend.to_numpy(wiener(backend.asarray(image), backend.asarray(psf), 0.02, reg=reg))
    assert got.dtype == dtype
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-10 if dtype == np.float64 else 1e-4)


@FLOATS
@REGS
def test_backends_agree_on_the_balance(backend, dtype, reg):
    image, _ = _cut(data.camera()[200:300, 200:310] / 255, deconv.psf.disk(3), 0.01)
    psf = deconv.psf.disk(3)
    want = wiener(image, psf, reg=reg)
    got = backend.to_numpy(wiener(backend.asarray(image.astype(dtype)), backend.asarray(psf.astype(dtype)), reg=reg))
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-6 if dtype == np.float64 else 2e-3)


@REGS
@pytest.mark.parametrize("sigma", [0.003, 0.01])
def test_edges_of_a_cropped_photograph(reg, sigma):
    psf = deconv.psf.disk(7)
    image, truth = _cut(data.camera() / 255, psf, sigma)
    balances = [1e-4, 1e-3, 1e-2, 1e-1]
    at_best = max(_psnr(wiener(image, psf, b, reg=reg), truth) for b in balances)
    periodic = max(_psnr(_periodic(image, psf, b, reg), truth) for b in balances)
    assert at_best > periodic + 2
    assert at_best > _psnr(image, truth) + 2


PSFS_OF_CAMERAS = {
    "disk3": deconv.psf.disk(3),
    "disk7": deconv.psf.disk(7),
    "gaussian": deconv.psf.gaussian(2.5),
    "motion": deconv.psf.motion(12, 30),
}


@functools.cache
def _at_best(psf, sigma, reg):
    """A blurred photograph, its truth, and the PSNR with the best balance."""
    psf = PSFS_OF_CAMERAS[psf]
    image, truth = _cut(data.camera()[::2, ::2] / 255, psf, sigma)
    return image, truth, max(_psnr(wiener(image, psf, 10.0**b, reg=reg), truth) for b in np.arange(-5, 0, 0.5))


def _lost(psf, sigma, reg, rule):
    """Loss in dB of the chosen balance against the best."""
    image, truth, best = _at_best(psf, sigma, reg)
    return best - _psnr(wiener(image, PSFS_OF_CAMERAS[psf], rule, reg=reg), truth)


@REGS
@pytest.mark.parametrize("sigma", [0.001, 0.01, 0.03])
@pytest.mark.parametrize("psf", PSFS_OF_CAMERAS)
def test_balance_is_found(reg, sigma, psf):
    # With next to no noise, the assumed border of a slanting motion matters more than the noise.
    allowed = 2.5 if psf == "motion" and sigma == 0.001 else 0.4
    assert _lost(psf, sigma, reg, None) < allowed


@pytest.mark.parametrize("rule", regularisation.RULES)
@pytest.mark.parametrize("psf", ["disk3", "gaussian"])
def test_every_rule_finds_it(rule, psf):
    assert _lost(psf, 0.01, "laplacian", rule) < 0.4


def test_default_does_not_mind_noise_that_grows_with_the_light():
    psf = deconv.psf.disk(7)
    clean, truth = _cut(data.camera() / 255, psf, 0)
    image = np.random.default_rng(0).poisson(clean.clip(0) * 500) / 500
    best = max(_psnr(wiener(image, psf, 10.0**b), truth) for b in np.arange(-3, 1, 0.5))
    assert _psnr(wiener(image, psf), truth) > best - 0.3


@REGS
def test_balance_of_one_axis_is_found(reg):
    rng = np.random.default_rng(0)
    scene = np.repeat(rng.random(60), 10)
    psf = np.ones(9) / 9
    image = np.convolve(scene, psf, "valid")
    image += 0.01 * rng.standard_normal(image.size)
    truth = scene[4:-4]
    best = max(_psnr(wiener(image, psf, 10.0**b, reg=reg), truth) for b in np.arange(-6, 1, 0.5))
    assert _psnr(wiener(image, psf, reg=reg), truth) > best - 1


@pytest.mark.parametrize("rule", regularisation.RULES)
def test_rules_meet_their_definition_on_every_frequency(rule):
    """The bins stand for the frequencies: the balance chosen from them is that of the full sums."""
    image, psf, sigma = *_cut(data.camera()[:150, :161] / 255, deconv.psf.disk(3), 0.01)[:1], deconv.psf.disk(3), 0.01
    problem = fourier.FourierProblem(image, psf, "laplacian", None)
    chosen = regularisation.choose_balance(rule, problem.spectrum(), problem.mean_penalty, sigma)

    window = np.outer(*(np.sin(np.pi * (np.arange(n) + 0.5) / n) for n in image.shape))
    padded = np.zeros(problem.grid)
    padded[: image.shape[0], : image.shape[1]] = window * (image - image.mean())
    ratio = np.abs(np.fft.fft2(np.fft.ifft2(np.fft.fft2(_embedded(psf, problem.grid))).real)) ** 2
    penalty = sum(
        np.reshape(2 - 2 * np.cos(2 * np.pi * np.arange(n) / n), shape)
        for n, shape in zip(problem.grid, ((-1, 1), (1, -1)), strict=True)
    )
    ratio = (ratio.ravel()[1:] / penalty.ravel()[1:] ** 2)[:, None]
    energy = (np.abs(np.fft.fft2(padded)) ** 2).ravel()[1:, None] / np.sum(window**2)

    balances = chosen * np.array([0.9, 1.0, 1.1])
    unfitted = balances / (ratio + balances)
    residual, freedom = np.mean(energy * unfitted**2, axis=0), np.mean(unfitted, axis=0)
    if rule == "discrepancy":
        excess = residual - sigma**2 * (1 + freedom) / 2
        assert excess[0] < 0 < excess[2]
        return
    cost = {
        "likelihood": np.log(np.mean(energy * unfitted, axis=0)) - np.mean(np.log(unfitted), axis=0),
        "gcv": residual / freedom**2,
        "sure": residual + 2 * sigma**2 * (1 - freedom),
    }[rule]
    assert np.argmin(cost) == 1


def _embedded(psf, grid):
    padded = np.zeros(grid)
    padded[: psf.shape[0], : psf.shape[1]] = psf
    return np.roll(padded, [-(n // 2) for n in psf.shape], axis=(0, 1))


@pytest.mark.parametrize("psf", [deconv.psf.disk(7), np.ones((15, 15)) / 225])
def test_edges_at_least_as_good_as_mirrored_ones_in_scikit_image(psf):
    clean, truth = _cut(data.camera() / 255, psf, 0)
    image = np.random.default_rng(0).poisson(clean.clip(0) * 2000) / 2000
    mirrored = np.pad(image, 30, mode="reflect")
    for balance in (0.003, 0.01, 0.03, 0.1):
        theirs = restoration.wiener(mirrored, psf, balance, clip=False)[30:-30, 30:-30]
        assert _psnr(wiener(image, psf, balance), truth) > _psnr(theirs, truth)


@REGS
@FLOATS
@pytest.mark.parametrize(("shape", "width"), [((40, 51), (5, 4)), ((41, 50), (6, 7)), ((60,), (5,)), ((9, 12, 11), 3)])
@pytest.mark.parametrize("half", [False, True])
def test_a_transfer_function_stands_for_its_psf(backend, reg, dtype, shape, width, half):
    rng = np.random.default_rng(0)
    width = width if isinstance(width, tuple) else (width,) * 3
    image, psf = rng.random(shape).astype(dtype), _psf(width).astype(dtype)
    otf = deconv.psf.to_otf(psf, shape)
    if half:
        otf = otf[..., : shape[-1] // 2 + 1]
    want = wiener(image, psf, 0.01, reg=reg)
    got = backend.to_numpy(wiener(backend.asarray(image), backend.asarray(otf), 0.01, reg=reg))
    assert got.dtype == dtype
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-12 if dtype == np.float64 else 1e-4)


def test_array_and_callable_say_what_the_names_say(backend):
    image, psf = np.random.default_rng(0).random((30, 33)), _psf((5, 4))
    taps = np.array([[0.0, -1, 0], [-1, 4, -1], [0, -1, 0]])
    given = backend.asarray(image), backend.asarray(psf)
    got = backend.to_numpy(wiener(*given, 0.02, reg=backend.asarray(taps)))
    np.testing.assert_allclose(got, wiener(image, psf, 0.02), rtol=0, atol=1e-10)
    for balance, level in ((None, 0.02), (2.0, 0.01)):
        got = backend.to_numpy(wiener(*given, balance, reg=lambda f, level=level: 0 * f + level))
        np.testing.assert_allclose(got, wiener(image, psf, 0.02, reg="identity"), rtol=0, atol=1e-10)


def test_callable_is_given_cycles_per_pixel():
    calls = []
    wiener(np.zeros((30, 32)) + np.eye(30, 32), _psf((3, 3)), reg=lambda f: calls.append(f) or f**2)
    radius = calls[0]
    rows, columns = radius.shape
    want = np.hypot(np.fft.fftfreq(rows)[:, None], np.fft.rfftfreq(2 * (columns - 1)))
    np.testing.assert_allclose(radius, want, rtol=0, atol=1e-15)


def test_given_spectra_beat_the_laplacian():
    """With the true spectra it is the linear filter of least error."""
    rng = np.random.default_rng(0)
    shape, sigma, psf = (160, 160), 0.05, deconv.psf.disk(3)
    radius = np.hypot(np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1]))
    power = 1 / (radius**2 + 0.02**2)
    scene = np.fft.irfft2(np.fft.rfft2(rng.standard_normal(shape)) * np.sqrt(power))
    image, truth = _cut(scene, psf, sigma)
    at_best = max(_psnr(wiener(image, psf, 10.0**b), truth) for b in np.arange(-6, 1, 0.5))
    assert _psnr(wiener(image, psf, reg=lambda f: sigma**2 * (f**2 + 0.02**2)), truth) > at_best


@FLOATS
def test_a_psf_too_long_for_matrices(dtype):
    # Past that length the transfer function comes from the FFT.
    psf = _psf((3, fourier._LONGEST + 1)).astype(dtype)
    grid = (12, 180)
    want = np.fft.rfftn(_embedded(psf, grid))
    for taps in (psf, psf[:, 1:]):
        want = np.fft.rfftn(_embedded(taps, grid))
        got = fourier.transfer_function(taps, grid)
        np.testing.assert_allclose(got, want, rtol=0, atol=1e-12 if dtype == np.float64 else 1e-6)


def test_weights_below_zero():
    psf = np.array([[0, -0.1, 0], [-0.1, 1.4, -0.1], [0, -0.1, 0]])
    scene = data.camera()[:60, :70] / 255
    image = scipy.signal.fftconvolve(scene, psf, "valid")
    np.testing.assert_allclose(wiener(image, psf, 1e-8), scene[1:-1, 1:-1], rtol=0, atol=0.02)


def test_the_border_continues_what_the_frame_shows():
    """Blurred more than the gap is wide, the outside is known from the frame."""
    psf = deconv.psf.gaussian(4)
    blurred = scipy.signal.fftconvolve(data.camera()[100:360, 100:360] / 255, psf, "valid")
    mean = blurred.mean()
    grid = boundary.period(blurred.shape, psf.shape)
    filled = boundary.extrapolate(blurred[None], mean, psf, grid)[0] + mean
    np.testing.assert_array_equal(filled[: blurred.shape[0], : blurred.shape[1]], blurred - mean + mean)
    steps = max(np.abs(np.diff(np.concatenate((filled, filled[:1])), axis=0)).max() for filled in (filled, filled.T))
    assert steps < 1.5 * max(np.abs(np.diff(blurred, axis=a)).max() for a in (0, 1))


@REGS
def test_a_flat_picture_stays_flat(reg):
    np.testing.assert_allclose(wiener(np.full((20, 21), 0.7), _psf((5, 4)), 0.1, reg=reg), 0.7, rtol=1e-12)


@pytest.mark.parametrize("size", [5, 6])
def test_a_star_stays_where_it_is(size):
    image = np.zeros((40, 40))
    psf = _psf((size, size))
    image[20 - size // 2 : 20 - size // 2 + size, 18 - size // 2 : 18 - size // 2 + size] = psf
    got = wiener(image, psf, 1e-4)
    assert np.unravel_index(np.argmax(got), got.shape) == (20, 18)


@REGS
def test_colours_share_one_filter(reg):
    image, psf = np.random.default_rng(0).random((24, 3, 25)), _psf((5, 4))
    want = np.stack([wiener(image[:, i], psf, 0.02, reg=reg) for i in range(3)], axis=1)
    got = wiener(image, psf, 0.02, reg=reg, channel_axis=1)
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-12)
    np.testing.assert_allclose(wiener(image, psf, 0.02, reg=reg, channel_axis=-2), want, rtol=0, atol=1e-12)


def test_balance_of_a_volume_and_of_colours():
    rng = np.random.default_rng(0)
    scene = data.camera()[:80, :80] / 255
    psf = deconv.psf.disk(2)
    image, _ = _cut(scene, psf, 0.02)
    colours = np.stack([image, image], axis=-1)
    np.testing.assert_allclose(wiener(colours, psf, channel_axis=-1)[..., 0], wiener(image, psf), rtol=0, atol=1e-6)
    volume = np.repeat(image[None], 9, axis=0) + 0.02 * rng.standard_normal((9, *image.shape))
    sharp = wiener(volume, psf[None])
    assert np.isfinite(sharp).all()
    assert sharp.shape == volume.shape


@pytest.mark.parametrize("scale", [1e-12, 1e12])
@REGS
def test_answer_scales_with_the_picture(reg, scale):
    image, psf = _cut(data.camera()[:100, :100] / 255, deconv.psf.disk(2), 0.01)[0], deconv.psf.disk(2)
    np.testing.assert_allclose(
        wiener(image * scale, psf, reg=reg) / scale, wiener(image, psf, reg=reg), rtol=1e-5, atol=1e-5
    )


def test_nan_is_refused_and_rules_that_need_the_noise_of_one_axis():
    image = np.ones((8, 8))
    image[3, 3] = np.nan
    with pytest.raises(ValueError, match="image has 1 NaN pixels"):
        wiener(image, _psf((3, 3)))
    for rule in ("sure", "discrepancy"):
        with pytest.raises(ValueError, match=f'balance is "{rule}", which needs the noise'):
            wiener(np.arange(20.0), _psf((3,)), rule)


def test_callers_arrays_are_untouched():
    image, psf = np.random.default_rng(0).random((30, 31)), _psf((3, 3))
    before = image.copy(), psf.copy()
    wiener(image, psf)
    np.testing.assert_array_equal(image, before[0])
    np.testing.assert_array_equal(psf, before[1])


IMAGES = hnp.arrays(np.float64, st.tuples(st.integers(6, 14), st.integers(6, 14)), elements=st.floats(0, 1))
PSFS = hnp.arrays(
    np.float64, st.tuples(st.sampled_from([1, 3, 5]), st.sampled_from([1, 3, 5])), elements=st.floats(0.01, 1)
)


@hypothesis.given(IMAGES, PSFS, st.sampled_from(["laplacian", "identity"]))
@hypothesis.settings(max_examples=25, deadline=None)
def test_linear_in_the_picture(image, psf, reg):
    got = wiener(3 * image + 1, psf, 0.02, reg=reg)
    np.testing.assert_allclose(got, 3 * wiener(image, psf, 0.02, reg=reg) + 1, rtol=0, atol=1e-9)


@hypothesis.given(IMAGES, PSFS)
@hypothesis.settings(max_examples=25, deadline=None)
def test_flips_with_the_picture(image, psf):
    # The fill reaches the frame from both sides alike.
    got = wiener(image, psf, 0.02)
    for flip in (np.flipud, np.fliplr):
        np.testing.assert_allclose(wiener(flip(image), flip(psf), 0.02), flip(got), rtol=0, atol=1e-9)
