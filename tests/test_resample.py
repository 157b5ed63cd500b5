"""Change of scale: what area means and cubic interpolation must keep."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from deconv._core.resample import at_scale, enlarge, reduce

PICTURE = np.random.default_rng(0).random((24, 36))
SIDES = st.integers(1, 40)


@given(rows=SIDES, columns=SIDES)
def test_reduce_keeps_the_mean(rows, columns):
    small = reduce(PICTURE, (min(rows, 24), min(columns, 36)))
    assert np.mean(small) == pytest.approx(np.mean(PICTURE), rel=1e-12)
    assert small.min() >= PICTURE.min() - 1e-12
    assert small.max() <= PICTURE.max() + 1e-12


def test_reduce_by_an_integer_is_the_block_mean():
    got = reduce(PICTURE, (6, 12))
    np.testing.assert_allclose(got, PICTURE.reshape(6, 4, 12, 3).mean((1, 3)), rtol=1e-12)


def test_reduce_weighs_pixels_by_what_is_covered():
    # 3 pixels into 2: each half takes one pixel and a half.
    got = reduce(np.array([[1.0, 2.0, 6.0]]), (1, 2))
    np.testing.assert_allclose(got, [[(1 + 1) / 1.5, (1 + 6) / 1.5]], rtol=1e-12)


@pytest.mark.parametrize("change", [reduce, enlarge])
def test_the_same_shape_is_the_same_picture(change):
    np.testing.assert_allclose(change(PICTURE, PICTURE.shape), PICTURE, rtol=1e-12)


@given(n=st.integers(1, 30), m=st.integers(1, 70))
def test_constants_stay(n, m):
    # The weights of every new pixel sum to 1, at the border too.
    flat = np.full((n, 3), 0.3)
    np.testing.assert_allclose(enlarge(flat, (n + m, 5)), 0.3, rtol=1e-12)
    np.testing.assert_allclose(reduce(flat, (min(n, m), 2)), 0.3, rtol=1e-12)


@pytest.mark.parametrize("shape", [(48, 108), (31, 50), (100, 37)])
def test_enlarge_keeps_a_slope(shape):
    # A pixel's position is its centre: (i + 1/2) / n of the side.
    def slope(n, m):
        y, x = (np.arange(n) + 0.5) / n, (np.arange(m) + 0.5) / m
        return 2 * y[:, None] - 3 * x

    got, want = enlarge(slope(24, 36), shape), slope(*shape)
    edge = [-(-2 * m // n) for n, m in zip((24, 36), shape, strict=True)]
    inside = slice(edge[0], -edge[0]), slice(edge[1], -edge[1])
    np.testing.assert_allclose(got[inside], want[inside], rtol=0, atol=1e-12)


def test_enlarge_follows_a_smooth_picture():
    def wave(n, m):
        y, x = (np.arange(n) + 0.5) / n, (np.arange(m) + 0.5) / m
        return np.sin(4 * y[:, None] + 1) * np.cos(5 * x)

    error = np.abs(enlarge(wave(40, 60), (123, 190)) - wave(123, 190))[8:-8, 8:-8]
    assert error.max() < 1e-3


def test_reduce_undoes_enlarge_in_the_middle():
    smooth = np.outer(np.hanning(30), np.hanning(40))
    again = reduce(enlarge(smooth, (90, 120)), (30, 40))
    np.testing.assert_allclose(again, smooth, rtol=0, atol=0.005)


@pytest.mark.parametrize(
    ("factor", "shape", "scale"), [(0.5, (24, 36), 1.0), (1, (24, 36), 1.0), (2, (12, 18), 2.0), (5, (5, 7), 36 / 7)]
)
def test_at_scale_says_what_it_did(factor, shape, scale):
    small, got = at_scale(PICTURE, factor)
    assert small.shape == shape
    assert got == pytest.approx(scale, rel=1e-12)


def test_no_side_vanishes():
    assert at_scale(np.ones((3, 500)), 50)[0].shape == (1, 10)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(7, 11), (55, 61)])
def test_every_backend_gives_numpys_answer(backend, dtype, shape):
    change = reduce if shape[0] < 24 else enlarge
    image = PICTURE.astype(dtype)
    got = backend.asarray(image)
    if backend.name == "torch":
        # Public functions convert tensors to NumPy or CuPy arrays before they call this.
        pytest.skip("no tensors in there")
    got = backend.to_numpy(change(got, shape))
    assert got.dtype == dtype
    np.testing.assert_allclose(got, change(PICTURE, shape), rtol=0, atol=1e-6 if dtype == np.float32 else 1e-13)
