"""PSFs on a grid: to transfer functions and back, and PSFs as large as the image or of even lengths."""

import functools

import numpy as np
import pytest

import deconv
from deconv import psf
from deconv._core.fft import embed

GRIDS = [(1,), (2,), (3,), (8,), (9,), (1, 1), (2, 2), (5, 2), (6, 1), (6, 7), (7, 6), (4, 5, 6), (5, 4, 7)]


def on_grid(p, shape):
    """The PSF in an array of zeros, centre upon centre."""
    grid = np.zeros(shape, p.dtype)
    start = [n // 2 - m // 2 for n, m in zip(shape, p.shape, strict=True)]
    grid[tuple(slice(s, s + m) for s, m in zip(start, p.shape, strict=True))] = p
    return grid


@pytest.mark.parametrize("shape", GRIDS)
@pytest.mark.parametrize("shorter", [0, 1, 2])
def test_to_otf_and_back(backend, shape, shorter):
    p = np.random.default_rng(0).standard_normal([max(n - shorter, 1) for n in shape])
    wanted = np.fft.fftn(embed(p, shape))
    otf = psf.to_otf(backend.asarray(p), shape)
    np.testing.assert_allclose(backend.to_numpy(otf), wanted, rtol=0, atol=1e-13)
    for layout in (wanted, np.fft.rfftn(embed(p, shape))):
        given = backend.asarray(layout)
        back = backend.to_numpy(psf.from_otf(given, shape))
        assert back.dtype == np.float64
        np.testing.assert_allclose(back, on_grid(p, shape), rtol=0, atol=1e-13)
        np.testing.assert_array_equal(backend.to_numpy(given), layout)


@pytest.mark.parametrize("shape", [(7, 8), (8, 7)])
def test_otf_dtypes(backend, shape):
    p = psf.disk(1.3)
    for dtype, real, complex_ in (("float32", "f4", "c8"), ("float64", "f8", "c16"), ("uint8", "f4", "c8")):
        given = (p * 255).astype(dtype)
        otf = psf.to_otf(backend.asarray(given), shape)
        assert backend.to_numpy(otf).dtype == complex_
        back = backend.to_numpy(psf.from_otf(otf, shape))
        assert back.dtype == real
        np.testing.assert_allclose(back, on_grid(given.astype(real), shape), atol=1e-4)
        # The transfer function of a symmetric PSF is real, and may be given so.
        half = backend.asarray(np.fft.rfftn(embed(p, shape)).real.astype(real))
        np.testing.assert_allclose(backend.to_numpy(psf.from_otf(half, shape)), on_grid(p, shape), atol=1e-6)


def test_a_length_may_be_an_integer_and_arrays_may_be_lists():
    np.testing.assert_allclose(psf.from_otf([2, 2j, -2, -2j], 4), [0, 2, 0, 0])
    np.testing.assert_allclose(psf.from_otf([2, 2j, -2], [4]), [0, 2, 0, 0])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(64, 64), (101, 150), (243, 512)])
def test_a_psf_comes_back_from_its_otf_without_a_trace_of_the_transform(shape, dtype):
    # Rounding left where the PSF is zero would make it as large as the image, and partly negative.
    for p in (psf.disk(5.3).astype(dtype), psf.gaussian(2.0).astype(dtype), np.ones((4, 6), dtype)):
        wide = on_grid(p, shape)
        back = psf.from_otf(psf.to_otf(p, shape), shape)
        assert back.min() == 0
        assert not back[wide == 0].any()
        assert back[wide > 1e-6 * p.max()].all()
        np.testing.assert_allclose(back, wide, rtol=0, atol={"float32": 1e-6, "float64": 2e-15}[dtype] * p.max())


# Full-size PSFs and even lengths.


@pytest.mark.parametrize(
    "small",
    [psf.disk(2.2), np.ones((4, 6)), np.array([[0, 1, 2.0], [0, 3, 4]]), psf.motion(7, 60), np.eye(5)[:, :4] + 0.1],
    ids=["disk", "even", "lopsided", "motion", "mixed"],
)
@pytest.mark.parametrize("shape", [(30, 37), (31, 36)])
def test_a_psf_as_large_as_the_image_is_the_small_one(backend, small, shape):
    picture = np.random.default_rng(0).random(shape)
    wide = on_grid(small, shape)
    image = backend.asarray(picture)
    for restore in (
        deconv.wiener,
        functools.partial(deconv.richardson_lucy, num_iter=3),
        deconv.degrade.blur,
    ):
        wanted = restore(picture, small)
        got = backend.to_numpy(restore(image, backend.asarray(wide)))
        np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-12)
        # Zeros on one side only: the centre is that of the array, not of its content.
        margins = [(2, 2 - n % 2) for n in small.shape]
        np.testing.assert_allclose(restore(picture, np.pad(small, margins)), wanted, rtol=0, atol=1e-12)


@pytest.mark.parametrize("shape", [(8, 8), (9, 8), (9, 9)])
@pytest.mark.parametrize("psf_shape", [(1, 1), (2, 2), (3, 4), (5, 5), (4, 1)])
def test_the_centre_moves_nothing(shape, psf_shape):
    star = np.zeros(shape)
    star[3, 5] = 1
    delta = np.zeros(psf_shape)
    delta[tuple(n // 2 for n in psf_shape)] = 1
    for blurred in (
        np.fft.ifftn(np.fft.fftn(star) * psf.to_otf(delta, shape)).real,
        deconv.degrade.blur(star, delta),
        deconv.wiener(star, delta, 1e-9),
        deconv.richardson_lucy(star, delta, 5),
    ):
        np.testing.assert_allclose(blurred, star, atol=1e-6)


@pytest.mark.parametrize(
    ("call", "kind", "sentence"),
    [
        (lambda: psf.to_otf("disk", (3, 3)), TypeError, "psf must be an array of numbers, got str"),
        (lambda: psf.to_otf(np.ones(3), (2,)), ValueError, r"shape \(2,\) is too small for the psf of shape \(3,\)"),
        (lambda: psf.to_otf(np.ones((3, 3)), 9), ValueError, "shape must have one length for each axis of psf"),
        (lambda: psf.to_otf([1, np.inf], 9), ValueError, "psf must be finite"),
        (lambda: psf.from_otf(None, 3), TypeError, "otf must be an array of numbers, got NoneType"),
        (lambda: psf.from_otf([[1], [2, 3]], (2, 2)), TypeError, "otf must be an array of numbers, got list"),
        (lambda: psf.from_otf(np.ones(3, object), 3), TypeError, "otf must hold real numbers, got dtype object"),
        (lambda: psf.from_otf(np.ones(3), 3.0), TypeError, r"shape must be a tuple of integers, got 3\.0"),
        (lambda: psf.from_otf(np.ones(3), (True,)), TypeError, "shape must be a tuple of integers"),
        (lambda: psf.from_otf(np.ones(3), 0), ValueError, "shape must hold positive lengths, got 0"),
        (lambda: psf.from_otf(1.0, ()), ValueError, "shape must have one length for each axis of otf"),
        (lambda: psf.from_otf(np.ones((4, 4)), (4, 5)), ValueError, r"\(4, 5\) \(fftn\) or \(4, 3\) \(rfftn\)"),
        (lambda: psf.from_otf([1, np.nan], 2), ValueError, "otf must be finite"),
        (lambda: psf.from_otf(np.zeros(4), 4), ValueError, "otf must not be zero everywhere"),
        (lambda: psf.from_otf([1, 2, 3, 4], 4), ValueError, "otf is not the transform of a real PSF: .* by up to 0.5 "),
        (lambda: psf.from_otf([1, 0, 1j], 4), ValueError, "otf is not the transform of a real PSF"),
        (lambda: psf.from_otf([1j, 0, 1], 5), ValueError, "otf is not the transform of a real PSF"),
    ],
)
def test_wrong_calls_say_so_in_one_sentence(call, kind, sentence):
    with pytest.raises(kind, match=sentence) as caught:
        call()
    assert "\n" not in str(caught.value)
