"""Wiener against known answers."""

import hypothesis
import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import numpy as np
import pytest
import scipy.signal
from skimage import data, restoration

import deconv
from deconv import _wiener, wiener
from deconv._fft import Transfer

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
    transfer = Transfer(psf, image.shape)
    curvature = _wiener._laplacian(image, image.shape) ** 2
    return _wiener._filter(image, transfer, balance * (curvature if reg == "laplacian" else np.ones_like(curvature)))


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
    np.testing.assert_allclose(wiener(image, psf, 0.1, reg=reg)[inside], want[inside], rtol=0, atol=1e-5)


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


@REGS
@pytest.mark.parametrize("sigma", [0.001, 0.01, 0.03])
@pytest.mark.parametrize(
    "psf", [deconv.psf.disk(3), deconv.psf.disk(7), deconv.psf.gaussian(2.5), deconv.psf.motion(12, 30)]
)
def test_balance_is_found(reg, sigma, psf):
    image, truth = _cut(data.camera()[::2, ::2] / 255, psf, sigma)
    best = max(_psnr(wiener(image, psf, 10.0**b, reg=reg), truth) for b in np.arange(-5, 0, 0.5))
    assert _psnr(wiener(image, psf, reg=reg), truth) > best - 1.5


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


def test_nan_is_refused_and_the_balance_of_one_axis():
    image = np.ones((8, 8))
    image[3, 3] = np.nan
    with pytest.raises(ValueError, match="image has 1 NaN pixels"):
        wiener(image, _psf((3, 3)))
    with pytest.raises(ValueError, match="balance must be given"):
        wiener(np.arange(20.0), _psf((3,)))


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
