"""Richardson-Lucy against known answers; those that peers get wrong are marked so in the names."""

import os
import tracemalloc

import hypothesis
import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import numpy as np
import pytest
import scipy.signal
from blurred import FLOATS, asymmetric_psf, blur_matrix, photograph, psnr
from skimage import restoration

import deconv
from deconv import richardson_lucy

SHAPES = pytest.mark.parametrize(
    ("shape", "width"),
    [((61,), (5,)), ((60,), (4,)), ((31, 40), (5, 4)), ((32, 33), (7, 3)), ((9, 12, 11), (3, 4, 5))],
)


@pytest.fixture(scope="module")
def camera():
    return photograph()


@pytest.mark.parametrize(("shape", "width"), [((9,), (4,)), ((7, 8), (3, 4)), ((8, 6), (5, 3)), ((4, 5, 4), (2, 3, 3))])
@pytest.mark.parametrize("background", [0.0, 0.3])
def test_equals_dense_expectation_maximisation(shape, width, background):
    rng = np.random.default_rng(1)
    image, psf = rng.random(shape) + 0.2, asymmetric_psf(width)
    weight = rng.random(shape) + 0.5
    matrix, large, frame = blur_matrix(shape, psf)
    weights, sensitivity = weight.ravel(), matrix.T @ weight.ravel()
    x = np.full(matrix.shape[1], np.average((image - background).clip(0), weights=weight))
    for _ in range(8):
        x = x / sensitivity * (matrix.T @ (weights * image.ravel() / (matrix @ x + background)))
    got = richardson_lucy(image, psf, 8, accelerate=False, background=background, mask=weight)
    visible = (sensitivity > 2e-3 * weight.max()).all()
    assert visible, "the test's own premise: every pixel is visible"
    np.testing.assert_allclose(got, x.reshape(large)[frame], rtol=1e-9)


@FLOATS
@SHAPES
def test_backends_agree(backend, dtype, shape, width):
    rng = np.random.default_rng(2)
    image, psf, mask = rng.random(shape).astype(dtype), asymmetric_psf(width).astype(dtype), rng.random(shape) > 0.1
    want = richardson_lucy(image.astype(np.float64), psf.astype(np.float64), 6, background=0.1, mask=mask)
    got = backend.to_numpy(
        richardson_lucy(backend.asarray(image), backend.asarray(psf), 6, background=0.1, mask=backend.asarray(mask))
    )
    assert got.dtype == dtype
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-9 if dtype == np.float64 else 3e-5)


@FLOATS
def test_backends_agree_accelerated(backend, dtype):
    image, psf = np.random.default_rng(2).random((24, 2, 25)).astype(dtype), asymmetric_psf((5, 4)).astype(dtype)
    want = np.stack([richardson_lucy(image[:, i], psf, 12, accelerate=True) for i in range(2)], axis=1)
    got = backend.to_numpy(
        richardson_lucy(backend.asarray(image), backend.asarray(psf), 12, accelerate=True, channel_axis=1)
    )
    assert got.dtype == dtype
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-9 if dtype == np.float64 else 2e-4)


@pytest.mark.parametrize("size", [15, 16])
@FLOATS
def test_a_star_stays_where_it_is(size, dtype):
    # Peers put it a pixel off for even PSFs, or whenever they flip the PSF about the wrong centre.
    psf = asymmetric_psf((size, size))
    scene = np.zeros((64, 64))
    scene[33, 30] = 1
    centre = size // 2
    image = np.zeros((64, 64))
    image[33 - centre : 33 - centre + size, 30 - centre : 30 - centre + size] = psf
    got = richardson_lucy(image.astype(dtype), psf.astype(dtype), 200)
    assert np.unravel_index(np.argmax(got), got.shape) == (33, 30)
    assert np.abs(got - scene).max() < 0.02
    np.testing.assert_allclose(got.sum(), 1, rtol=1e-4)


@FLOATS
@pytest.mark.parametrize("ndim", [1, 2, 3])
@pytest.mark.parametrize("accelerate", [False, True])
def test_a_delta_psf_changes_nothing(ndim, dtype, accelerate):
    image = np.random.default_rng(0).random((11,) * ndim).astype(dtype)
    psf = np.zeros((3,) * ndim)
    psf[(1,) * ndim] = 1
    got = richardson_lucy(image, psf.astype(dtype), 200, accelerate=accelerate)
    np.testing.assert_allclose(got, image, rtol=0, atol=2e-5 if dtype == np.float32 else 1e-12)


@FLOATS
def test_a_flat_picture_stays_flat_to_the_edge(dtype):
    image = np.full((64, 70), 0.5, dtype=dtype)
    got = richardson_lucy(image, np.ones((15, 15), dtype=dtype), 100)
    np.testing.assert_allclose(got, image, rtol=0, atol=5e-5 if dtype == np.float32 else 1e-12)


def test_edges_of_a_cropped_photograph(camera):
    image, psf, truth = camera
    blurred = psnr(image, truth)
    plain = [psnr(richardson_lucy(image, psf, n, accelerate=False), truth) for n in (10, 30)]
    assert plain[0] > blurred + 1.5
    assert plain[1] > blurred + 2.2
    edges_wrong = psnr(restoration.richardson_lucy(image, psf, 30), truth)
    assert plain[1] > edges_wrong + 6


def test_same_as_scikit_image_out_of_reach_of_the_border():
    rng = np.random.default_rng(0)
    image, psf = rng.random((100, 90)), np.asarray(asymmetric_psf((7, 7)))
    ours, theirs = (
        richardson_lucy(image, psf, 5, accelerate=False),
        restoration.richardson_lucy(image, psf, 5, clip=False),
    )
    inner = (slice(35, -35),) * 2
    np.testing.assert_allclose(ours[inner], theirs[inner], rtol=1e-9)


def _divergence(estimate, image, psf):
    """Of the picture from what `estimate` predicts, inside, where it needs nothing past the frame."""
    predicted = scipy.signal.fftconvolve(estimate, psf, "valid").clip(1e-9)
    reach = psf.shape[0] // 2
    inner = image[reach:-reach, reach:-reach]
    return np.sum(predicted - inner + inner * np.log(np.maximum(inner, 1e-12) / predicted))


def test_acceleration_reaches_the_likelihood_sooner(camera):
    image, psf, _ = camera
    image = image[:128, :128]
    plain, quick = richardson_lucy(image, psf, 60, accelerate=False), richardson_lucy(image, psf, 20)
    assert _divergence(quick, image, psf) < _divergence(plain, image, psf)


def test_acceleration_on_a_dark_sky():
    # Extrapolation reaches below zero there, from where no pixel returns.
    psf = deconv.psf.gaussian(2.0)
    scene = np.zeros((64, 64))
    scene[30, 40], scene[40, 20], scene[41, 23] = 1e4, 3e3, 2e3
    image = np.random.default_rng(0).poisson(scipy.signal.fftconvolve(scene, psf, "same").clip(0) + 0.5).astype(float)
    plain, quick = richardson_lucy(image, psf, 20, accelerate=False), richardson_lucy(image, psf, 20)
    assert _divergence(quick, image, psf) < _divergence(plain, image, psf)


@FLOATS
def test_one_nan_pixel_is_filled_from_its_neighbours(backend, dtype):
    scene = scipy.signal.fftconvolve(np.random.default_rng(0).random((52, 52)), np.ones((5, 5)) / 25, "valid")
    psf = asymmetric_psf((5, 5))
    image = scipy.signal.fftconvolve(np.pad(scene, 2, mode="reflect"), psf, "valid").astype(dtype)
    whole = richardson_lucy(image, psf.astype(dtype), 30)
    holed = image.copy()
    holed[20, 21] = np.nan
    got = backend.to_numpy(richardson_lucy(backend.asarray(holed), backend.asarray(psf.astype(dtype)), 30))
    assert np.isfinite(got).all()
    assert np.abs(got - whole).max() < 0.1
    assert np.abs(got - whole)[:10].max() < 1e-3


def test_a_masked_pixel_has_no_say():
    image, psf = np.random.default_rng(0).random((30, 30)), asymmetric_psf((5, 5))
    mask = np.ones((30, 30), dtype=bool)
    mask[10, 12] = False
    spoilt = image.copy()
    spoilt[10, 12] = 1e9
    for options in ({"num_iter": 10}, {}, {"num_iter": 10, "damping": 2.0}, {"num_iter": 10, "reg": "tv"}):
        got, want = (richardson_lucy(a, psf, mask=mask, **options) for a in (spoilt, image))
        np.testing.assert_allclose(got, want, rtol=1e-9)


@FLOATS
def test_negative_noise_on_dark_sky_keeps_the_star(dtype):
    rng = np.random.default_rng(0)
    psf = deconv.psf.gaussian(2.0)
    scene = np.zeros((64, 64))
    scene[32, 32] = 1e6
    image = scipy.signal.fftconvolve(scene, psf, "same") + 0.1 * rng.standard_normal(scene.shape)
    got = richardson_lucy(image.astype(dtype), psf.astype(dtype), 50)
    assert np.isfinite(got).all()
    assert got.min() >= 0
    assert np.unravel_index(np.argmax(got), got.shape) == (32, 32)
    np.testing.assert_allclose(got[28:37, 28:37].sum(), 1e6, rtol=1e-2)


def test_stars_on_a_sky_background():
    rng = np.random.default_rng(0)
    psf = deconv.psf.gaussian(2.0)
    scene = np.zeros((96, 96))
    scene[30, 40], scene[60, 20] = 1e4, 3e3
    image = rng.poisson(scipy.signal.fftconvolve(scene, psf, "same").clip(0) + 20.0).astype(float)
    with_sky = richardson_lucy(image, psf, 30, background=20.0)
    subtracted = richardson_lucy(image - 20.0, psf, 30)
    for got in (with_sky, subtracted):
        assert got.min() >= 0
        assert got.max() < 1e4
    # The sky is no light of the scene, and the stars have their flux.
    np.testing.assert_allclose(with_sky[24:37, 34:47].sum(), 1e4, rtol=0.05)
    assert abs(np.median(with_sky)) < 2


@FLOATS
@pytest.mark.parametrize("options", [{}, {"num_iter": 20, "reg": "tv"}, {"num_iter": 20, "damping": 1.0}])
@pytest.mark.parametrize("scale", [1e-26, 1e20])
def test_answer_of_faint_and_bright_fluxes(dtype, options, scale):
    rng = np.random.default_rng(0)
    image = rng.poisson(100 * scipy.signal.fftconvolve(rng.random((44, 45)), asymmetric_psf((5, 6)), "valid")).astype(
        dtype
    )
    psf = asymmetric_psf((5, 6)).astype(dtype)
    got = richardson_lucy((image * dtype(scale)).astype(dtype), psf, **options) / dtype(scale)
    want = richardson_lucy(image, psf, **options)
    np.testing.assert_allclose(got, want, rtol=0, atol=(1e-2 if dtype == np.float32 else 1e-8) * want.max())
    assert want.std() > 0.3


@FLOATS
@pytest.mark.parametrize("scale", [1e-12, 1e12])
def test_answer_scales_with_the_picture(dtype, scale):
    image, psf = np.random.default_rng(0).random((40, 41)).astype(dtype), asymmetric_psf((5, 6)).astype(dtype)
    got = richardson_lucy((image * scale).astype(dtype), psf, 20) / dtype(scale)
    np.testing.assert_allclose(
        got, richardson_lucy(image, psf, 20), rtol=1e-2, atol=1e-4 if dtype == np.float32 else 1e-10
    )


def test_bright_pictures_are_not_clipped():
    image = 1000 * np.random.default_rng(0).random((32, 32))
    assert richardson_lucy(image, asymmetric_psf((3, 3)), 10).max() > 500


def test_flux_is_kept():
    image = np.zeros((40, 40))
    image[15:25, 15:25] = np.random.default_rng(0).random((10, 10))
    got = richardson_lucy(image, asymmetric_psf((5, 4)), 3)
    np.testing.assert_allclose(got.sum(), image.sum(), rtol=1e-6)


def test_psf_need_not_be_normalised():
    image, psf = np.random.default_rng(0).random((20, 20)), asymmetric_psf((3, 3))
    np.testing.assert_allclose(richardson_lucy(image, 2 * psf, 5), richardson_lucy(image, psf, 5), rtol=1e-12)


def test_black_picture_gives_black():
    assert (richardson_lucy(np.zeros((8, 9)), asymmetric_psf((3, 3)), 5, accelerate=True) == 0).all()


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_channels_are_restored_as_if_alone(axis):
    rng = np.random.default_rng(0)
    colours = [scale * rng.random((20, 24)) for scale in (1, 1e-3, 50)]
    psf = asymmetric_psf((5, 4))
    mask = rng.random((20, 24)) > 0.1
    for options in ({}, {"mask": mask}, {"accelerate": True}, {"background": 0.01}):
        want = np.stack([richardson_lucy(c, psf, 10, **options) for c in colours], axis=axis)
        got = richardson_lucy(np.stack(colours, axis=axis), psf, 10, channel_axis=axis, **options)
        np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-12)


def test_mask_may_differ_between_channels():
    rng = np.random.default_rng(0)
    image, psf, mask = rng.random((20, 24, 3)), asymmetric_psf((5, 4)), rng.random((20, 24, 3)) > 0.2
    got = richardson_lucy(image, psf, 10, channel_axis=-1, mask=mask)
    for i in range(3):
        want = richardson_lucy(image[..., i], psf, 10, mask=mask[..., i])
        np.testing.assert_allclose(got[..., i], want, rtol=1e-9)


def test_a_channel_without_a_measured_pixel_is_black():
    image = np.random.default_rng(0).random((20, 24, 2))
    image[..., 1] = np.nan
    got = richardson_lucy(image, asymmetric_psf((5, 4)), 10, channel_axis=-1)
    np.testing.assert_allclose(got[..., 0], richardson_lucy(image[..., 0], asymmetric_psf((5, 4)), 10), rtol=1e-9)
    assert (got[..., 1] == 0).all()


def test_callback_sees_every_iterate():
    image, psf = np.random.default_rng(0).random((20, 24)), asymmetric_psf((5, 4))
    estimates = {}
    got = richardson_lucy(image, psf, 4, callback=estimates.__setitem__)
    assert list(estimates) == [1, 2, 3, 4]
    np.testing.assert_array_equal(estimates[4], got)
    np.testing.assert_array_equal(estimates[2], richardson_lucy(image, psf, 2))


def test_callers_arrays_are_untouched():
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal((20, 24)), asymmetric_psf((5, 4)), rng.random((20, 24))]
    arrays[0][3, 3] = np.nan
    before = [a.copy() for a in arrays]
    richardson_lucy(arrays[0], arrays[1], 3, mask=arrays[2], accelerate=True)
    for array, copy in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(array, copy)


IMAGES = hnp.arrays(np.float64, st.tuples(st.integers(6, 14), st.integers(6, 14)), elements=st.floats(0, 1))
PSFS = hnp.arrays(
    np.float64, st.tuples(st.sampled_from([1, 3, 5]), st.sampled_from([1, 3, 5])), elements=st.floats(0.01, 1)
)


@hypothesis.given(IMAGES, PSFS)
@hypothesis.settings(max_examples=25, deadline=None)
def test_turns_and_flips_with_the_picture(image, psf):
    got = richardson_lucy(image, psf, 4)
    for turn in (np.transpose, np.flipud, np.fliplr, np.rot90):
        np.testing.assert_allclose(richardson_lucy(turn(image), turn(psf), 4), turn(got), rtol=1e-6, atol=1e-9)


@hypothesis.given(IMAGES, st.integers(0, 3), st.integers(0, 3))
@hypothesis.settings(max_examples=25, deadline=None)
def test_moves_with_the_picture(image, down, right):
    psf = asymmetric_psf((3, 4))
    canvas = np.zeros((40, 40))
    canvas[12 : 12 + image.shape[0], 12 : 12 + image.shape[1]] = image
    moved = np.roll(canvas, (down, right), axis=(0, 1))
    got = np.roll(richardson_lucy(canvas, psf, 3), (down, right), axis=(0, 1))
    np.testing.assert_allclose(richardson_lucy(moved, psf, 3), got, rtol=1e-6, atol=1e-9)


@hypothesis.given(IMAGES, PSFS)
@hypothesis.settings(max_examples=25, deadline=None)
def test_finite_and_not_negative_whatever_the_picture(image, psf):
    got = richardson_lucy(image - 0.5, psf, 30, accelerate=True)
    assert np.isfinite(got).all()
    assert (got >= 0).all()


# Batches and memory.


@pytest.mark.parametrize("options", [{}, {"reg": "tv", "weight": 0.01}, {"background": 0.05}])
def test_a_batch_of_colour_pictures(options):
    stack, psf = np.random.default_rng(0).random((2, 16, 17, 3)), asymmetric_psf((3, 4))
    want = np.stack(
        [np.stack([richardson_lucy(stack[b, ..., c], psf, 6, **options) for c in range(3)], -1) for b in range(2)]
    )
    np.testing.assert_allclose(richardson_lucy(stack, psf, 6, channel_axis=(0, -1), **options), want, rtol=1e-8)
    mask = np.random.default_rng(1).random((16, 17)) > 0.2
    got = richardson_lucy(stack, psf, 6, channel_axis=(0, 3), mask=mask, **options)
    np.testing.assert_allclose(
        got[1, ..., 2], richardson_lucy(stack[1, ..., 2], psf, 6, mask=mask, **options), rtol=1e-8
    )


@pytest.mark.parametrize(("accelerate", "most"), [(False, 4), (True, 5)])
@pytest.mark.skipif(os.environ.get("DECONV_FFT", "ducc0") != "ducc0", reason="only ducc0 works in place")
def test_memory_of_a_photograph(accelerate, most):
    pytest.importorskip("ducc0")
    image = np.random.default_rng(0).random((1460, 2360), dtype=np.float32)
    psf = deconv.psf.disk(15).astype(np.float32)
    richardson_lucy(image[:100, :100], psf, 2, accelerate=accelerate)
    tracemalloc.start()
    richardson_lucy(image, psf, 2, accelerate=accelerate)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # Beyond the picture itself, which it does not copy; scikit-image takes 7.2.
    assert peak < most * image.nbytes


@pytest.mark.parametrize(
    ("options", "error", "sentence"),
    [
        ({"reg": "l1"}, ValueError, 'reg must be "tv", "tikhonov" or None, got \'l1\''),
        ({"reg": 1}, TypeError, 'reg must be "tv", "tikhonov" or None, got int'),
        ({"weight": 0.1}, ValueError, "weight is the strength of reg, which is not given"),
        ({"reg": "tv", "weight": 0.0}, ValueError, "weight must be greater than 0"),
        ({"stop": "best"}, ValueError, 'stop must be "discrepancy", a number or None'),
        ({"stop": 0.0}, ValueError, "stop must be greater than 0"),
        ({"gain": 0}, ValueError, "gain must be greater than 0"),
        ({"gain": 3.0}, ValueError, "gain is 3, but no pixel of image is brighter than 1"),
        ({"background": np.ones((9, 9), int)}, TypeError, "background must hold floats"),
        ({"readout": -1}, ValueError, "readout must be at least 0"),
        ({"damping": np.nan}, ValueError, "damping must be finite"),
        ({"background": np.ones((3, 3))}, ValueError, r"background has shape \(3, 3\), but image has shape \(9, 9\)"),
        ({"background": -np.ones((9, 9))}, ValueError, "background must hold finite values that are not negative"),
        ({"channel_axis": (0, 0)}, ValueError, "channel_axis names an axis twice"),
        ({"channel_axis": [0]}, TypeError, "channel_axis must be an integer, a tuple of integers or None"),
    ],
)
def test_wrong_options_say_so_in_one_sentence(options, error, sentence):
    with pytest.raises(error, match=sentence):
        richardson_lucy(np.ones((9, 9)), np.ones((3, 3)), 2, **options)
