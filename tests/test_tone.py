"""Tone curve: inverse pair, sign, range of integers, on all backends."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deconv import tone


@settings(max_examples=50, deadline=None)
@given(value=st.floats(1e-3, 0.99), gamma=st.floats(0.5, 4), shoulder=st.floats(0, 1.2))
def test_encode_is_the_inverse_of_decode_with_a_shoulder(value, gamma, shoulder):
    image = np.array([[value, -value]])
    np.testing.assert_allclose(tone.encode(tone.decode(image, gamma, shoulder), gamma, shoulder), image, rtol=1e-6)


def test_a_full_shoulder_is_a_cube():
    light = np.linspace(0, 1, 11)
    np.testing.assert_allclose(tone.encode(light, 2.2, 1), 1 - (1 - light) ** 3, atol=1e-12)
    np.testing.assert_allclose(tone.decode(np.array([0.5, 0.875]), 3.0, 1), [1 - 0.5 ** (1 / 3), 0.5])


def test_a_shoulder_ends_at_the_white_point():
    np.testing.assert_array_equal(tone.decode(np.array([1.0, 1.3]), 2.2, 0.5), [1, 1])
    np.testing.assert_array_equal(tone.encode(np.array([1.0, 1.3]), 2.2, 0.5), [1, 1])


@settings(max_examples=50, deadline=None)
@given(value=st.floats(1e-9, 2), gamma=st.floats(0.3, 7))
def test_encode_is_the_inverse_of_decode(value, gamma):
    image = np.array([[value, -value]])
    np.testing.assert_allclose(tone.encode(tone.decode(image, gamma), gamma), image, rtol=1e-9)


def test_decode_is_a_power_and_keeps_the_sign():
    image = np.array([[-0.25, 0.0, 0.25], [0.5, 1.0, 2.0]])
    np.testing.assert_allclose(tone.decode(image, 2), [[-0.0625, 0, 0.0625], [0.25, 1, 4]])
    np.testing.assert_array_equal(tone.decode(image, 1), image)


@pytest.mark.parametrize(("dtype", "top"), [(np.uint8, 255), (np.uint16, 65535)])
def test_integers_have_their_largest_value_at_one(dtype, top):
    out = tone.decode(np.array([[0, top]], dtype=dtype))
    assert out.dtype == np.float32
    np.testing.assert_array_equal(out, [[0, 1]])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_backend(backend, dtype):
    host = np.linspace(0, 1, 24, dtype=dtype).reshape(2, 3, 4)
    got = backend.to_numpy(tone.decode(backend.asarray(host)))
    assert got.dtype == dtype
    np.testing.assert_allclose(got, host**2.2, rtol=1e-5)
    np.testing.assert_allclose(backend.to_numpy(tone.encode(backend.asarray(host), 1.8)), host ** (1 / 1.8), rtol=1e-5)
    for curve in (tone.decode, tone.encode):
        bent = backend.to_numpy(curve(backend.asarray(host), 2.2, 0.7))
        assert bent.dtype == dtype
        np.testing.assert_allclose(bent, curve(host.astype(float), 2.2, 0.7), rtol=1e-5)


def test_nan_stays_where_it_is():
    out = tone.decode(np.array([[0.5, np.nan]]))
    assert np.isnan(out).tolist() == [[False, True]]


@pytest.mark.parametrize(
    ("call", "kind", "sentence"),
    [
        (lambda: tone.decode("a"), TypeError, "image must be an array of numbers, got str"),
        (lambda: tone.decode(np.ones((2, 2)), 0), ValueError, "gamma must be greater than 0, got 0"),
        (lambda: tone.encode(np.ones((2, 2)), -1), ValueError, "gamma must be greater than 0, got -1"),
        (lambda: tone.decode(np.ones((2, 2)), 2.2, -0.1), ValueError, "shoulder must be at least 0"),
        (lambda: tone.encode(np.ones((2, 2)), 2.2, 3), ValueError, "shoulder must be at most 2"),
        (lambda: tone.encode(np.ones((2, 2)), "sRGB"), TypeError, "gamma must be a number, got str"),
        (lambda: tone.encode(np.zeros((0, 2))), ValueError, "light must not be empty"),
        (lambda: tone.decode(np.full((2, 2), np.inf)), ValueError, "image must be finite"),
    ],
)
def test_wrong_calls_say_so_in_one_sentence(call, kind, sentence):
    with pytest.raises(kind, match=sentence):
        call()
