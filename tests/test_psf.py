"""Point-spread functions against brute force, closed forms and their symmetries."""

import functools

import numpy as np
import pytest
import scipy.ndimage
from hypothesis import example, given, settings
from hypothesis import strategies as st

from deconv import psf
from deconv.psf.shake import trajectory

MAKERS = {
    "disk": lambda length, **kw: psf.disk(length, **kw),
    "soft disk": lambda length, **kw: psf.disk(length, softness=0.2 * length, **kw),
    "gaussian": lambda length, **kw: psf.gaussian(length, **kw),
    "motion": lambda length, **kw: psf.motion(length, 37.0, **kw),
    "polygon": lambda length, **kw: psf.polygon(length, 8, rotation=11.0, **kw),
}


def sampled(inside, half, samples=64):
    """Pixel areas of a shape by counting fine samples."""
    line = (np.arange((2 * half + 1) * samples) + 0.5) / samples - half - 0.5
    hits = inside(line[None, :], line[:, None])
    areas = hits.reshape(2 * half + 1, samples, 2 * half + 1, samples).mean((1, 3))
    return areas / areas.sum()


def moments(p):
    """Variances along the columns and rows."""
    index = np.arange(p.shape[0]) - p.shape[0] // 2
    return (p.sum(0) * index**2).sum(), (p.sum(1) * index**2).sum()


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
@settings(max_examples=30, deadline=None)
@given(length=st.floats(0, 40))
def test_every_psf_is_odd_square_normalised_and_its_own_half_turn(make, length):
    p = make(length)
    assert p.dtype == np.float64
    assert p.shape[0] == p.shape[1]
    assert p.shape[0] % 2 == 1
    assert p.min() >= 0
    assert abs(p.sum() - 1) < 1e-12
    np.testing.assert_allclose(p, p[::-1, ::-1], atol=1e-12)


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
@settings(max_examples=40, deadline=None)
@given(length=st.floats(1, 40))
@example(length=7.504887585910238)  # its square rounds below that of the same number as an edge
def test_every_psf_changes_smoothly_with_its_length(make, length):
    a, b = make(length), make(length + 1e-4)
    pad = (b.shape[0] - a.shape[0]) // 2
    assert pad >= 0
    # A thousandth of the weight at most moves for a ten-thousandth of a pixel.
    assert np.abs(np.pad(a, pad) - b).sum() < 1e-3


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
@pytest.mark.parametrize("length", [0, 0.0, 0.05])
def test_a_psf_without_extent_is_the_delta(make, length):
    p = make(length)
    middle = p.shape[0] // 2
    assert p[middle, middle] > 0.999


@pytest.mark.parametrize("radius", [0.6, 1.0, 1.3, 5.5, 7.3, 11.92])
def test_disk_holds_exact_pixel_areas(radius):
    p = psf.disk(radius)
    assert p.shape[0] == 2 * int(np.ceil(radius - 0.5)) + 1
    expected = sampled(lambda x, y: x**2 + y**2 <= radius**2, p.shape[0] // 2)
    np.testing.assert_allclose(p, expected, atol=3e-3 * expected.max())
    if radius > 5:
        # Variance of a uniform disc plus that of the pixel, but for aliasing.
        np.testing.assert_allclose(moments(p), radius**2 / 4 + 1 / 12, rtol=5e-3)


@settings(max_examples=40, deadline=None)
@given(radius=st.floats(6, 30), blades=st.integers(3, 12), rotation=st.floats(-360, 360))
def test_polygon_has_its_second_moment(radius, blades, rotation):
    p = psf.polygon(radius, blades, rotation=rotation)
    # The second moment of a regular polygon about its centre, plus that of the pixel, but for aliasing.
    variance = radius**2 * (2 + np.cos(2 * np.pi / blades)) / 12 + 1 / 12
    np.testing.assert_allclose(moments(p), variance, rtol=2e-2)


@pytest.mark.parametrize(("blades", "rotation"), [(3, 10), (4, 45), (5, 0), (6, 30), (8, 22.5)])
def test_polygon_stands_where_its_rotation_says(blades, rotation):
    radius = 6.3

    def inside(x, y):
        turn = np.radians(rotation) + 2 * np.pi * (np.arange(blades) + 0.5) / blades
        return np.all([x * np.cos(t) - y * np.sin(t) <= radius * np.cos(np.pi / blades) for t in turn], axis=0)

    p = psf.polygon(radius, blades, rotation=rotation)
    expected = sampled(inside, p.shape[0] // 2)
    np.testing.assert_allclose(p, expected, atol=2e-2 * expected.max())  # samples count in 64ths


def test_a_polygon_of_many_blades_is_the_disc():
    assert psf.similarity(psf.polygon(12.4, 100), psf.disk(12.4)) > 0.9999


@settings(max_examples=40, deadline=None)
@given(radius=st.floats(5, 20), softness=st.floats(0.01, 5))
def test_softness_adds_its_variance(radius, softness):
    added = moments(psf.disk(radius, softness=softness))[0] - moments(psf.disk(radius))[0]
    assert abs(added - softness**2) < 2e-3 * softness**2 + 1e-9


@settings(max_examples=40, deadline=None)
@given(sigma=st.floats(0.7, 20))
def test_gaussian_has_its_variance(sigma):
    np.testing.assert_allclose(moments(psf.gaussian(sigma)), sigma**2 + 1 / 12, rtol=3e-3)


@settings(max_examples=40, deadline=None)
@given(length=st.floats(1.5, 60), angle=st.floats(-360, 360))
def test_motion_is_a_line_of_that_length_and_angle(length, angle):
    p = psf.motion(length, angle)
    along_x, along_y = moments(p)
    assert abs(along_x - (length * np.cos(np.radians(angle))) ** 2 / 12) < 0.4
    assert abs(along_y - (length * np.sin(np.radians(angle))) ** 2 / 12) < 0.4


def test_motion_turns_counter_clockwise_as_seen():
    p = psf.motion(9, 45)
    assert p[0, -1] > 0
    assert p[0, 0] == 0
    np.testing.assert_allclose(psf.motion(9, 90), psf.motion(9, 0).T, atol=1e-12)


@settings(max_examples=30, deadline=None)
@given(half=st.integers(2, 37), seed=st.integers(0, 10**6))
def test_random_motion_fills_its_support_about_its_centre(half, seed):
    size = 2 * half + 1
    p = psf.random_motion(size, rng=seed)
    assert p.shape == (size, size)
    assert p.min() >= 0
    assert abs(p.sum() - 1) < 1e-12
    index = np.arange(size) - half
    # The path's own mean is the centre; pixels round it off where the path is steep against the grid.
    assert abs(p.sum(0) @ index) < 0.12
    assert abs(p.sum(1) @ index) < 0.12
    assert max(p[0].sum(), p[-1].sum(), p[:, 0].sum(), p[:, -1].sum()) > 0


def test_random_motion_is_one_thin_path_of_uneven_light():
    paths = [psf.random_motion(61, rng=seed) for seed in range(20)]
    assert all(scipy.ndimage.label(p, np.ones((3, 3)))[1] == 1 for p in paths)
    assert max((p > 0).mean() for p in paths) < 0.12
    assert np.median([p.max() / p[p > 0].mean() for p in paths]) > 3


def test_random_motion_has_one_path_a_seed_at_every_size():
    small, large = psf.random_motion(21, rng=3), psf.random_motion(63, rng=3)
    coarse = large.reshape(21, 3, 21, 3).sum((1, 3))
    np.testing.assert_allclose(small, coarse, atol=1e-3)
    assert np.array_equal(large, psf.random_motion(63, rng=np.random.default_rng(3)))
    assert psf.similarity(large, psf.random_motion(63, rng=4)) < 0.9


def test_random_motion_gives_pixels_the_time_spent_in_them():
    # Counted from points along the path, the way it would be without cutting at edges.
    path = trajectory(15, np.random.default_rng(8))
    t = np.linspace(0, len(path) - 1, 2_000_001)
    x, y = (np.interp(t, np.arange(len(path)), path[:, i]) for i in (0, 1))
    counted, _, _ = np.histogram2d(y, x, bins=15, range=[[-7.5, 7.5]] * 2)
    np.testing.assert_allclose(psf.random_motion(15, rng=8), counted / counted.sum(), atol=2e-6)


def test_random_motion_of_one_pixel_is_the_delta():
    assert psf.random_motion(1, rng=0).tolist() == [[1.0]]


def test_disc_is_cheap():
    # 20 discs of 15 px and one of 210 px; the budget is 2 ms each and 0.3 s, given thrice for a busy machine.
    import time

    start = time.process_time()
    for _ in range(20):
        psf.disk(15.2, softness=1.3)
    assert time.process_time() - start < 20 * 2e-3 * 3
    start = time.process_time()
    psf.disk(210.4, softness=19)
    assert time.process_time() - start < 0.3 * 3


@settings(max_examples=40, deadline=None)
@given(shape=st.tuples(st.integers(1, 9), st.integers(1, 9)), seed=st.integers(0, 99))
def test_centre_keeps_the_weights_and_brings_their_mean_to_the_middle(shape, seed):
    p = np.random.default_rng(seed).random(shape) ** 4
    out = psf.centre(np.pad(p, ((1, 4), (0, 7))))
    assert all(n % 2 == 1 for n in out.shape)
    for axis in (0, 1):
        index = np.arange(out.shape[axis]) - out.shape[axis] // 2
        assert abs((out.sum(1 - axis) * index).sum()) <= 0.5 + 1e-9
    np.testing.assert_allclose(np.sort(out[out > 0]), np.sort(p[p > 0] / p.sum()), rtol=1e-9)
    np.testing.assert_allclose(psf.centre(out), out)


def test_similarity_is_one_for_a_shifted_copy_and_symmetric():
    rng = np.random.default_rng(5)
    a, b = rng.random((7, 6)), rng.random((5, 9))
    shifted = np.pad(a, ((5, 0), (0, 8)))
    assert psf.similarity(a, shifted) == pytest.approx(1, abs=1e-9)
    assert psf.similarity(a, 7 * shifted) == pytest.approx(1, abs=1e-9)
    assert psf.similarity(a, b) == pytest.approx(psf.similarity(b, a), abs=1e-9)
    assert psf.similarity(a, b) < 1
    # A delta shares only its one pixel with a row of nine.
    assert psf.similarity(np.ones((1, 1)), np.ones((1, 9))) == pytest.approx(1 / 3)


def test_compare_and_centre_on_every_backend(backend):
    host_a, host_b = psf.disk(4.3), np.pad(psf.disk(4.8, softness=0.6), ((0, 3), (2, 0)))
    a, b = backend.asarray(host_a), backend.asarray(host_b)
    assert psf.similarity(a, b) == pytest.approx(psf.similarity(host_a, host_b), abs=1e-9)
    np.testing.assert_allclose(backend.to_numpy(psf.centre(b)), psf.centre(host_b), rtol=1e-9)
    np.testing.assert_allclose(backend.to_numpy(psf.normalise(b)), host_b / host_b.sum(), rtol=1e-9)


@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8"])
@pytest.mark.parametrize(
    "make", [*MAKERS.values(), lambda _, **kw: psf.random_motion(7, rng=1, **kw)], ids=[*MAKERS, "random motion"]
)
def test_like_gives_the_library_and_float_type(backend, make, dtype):
    reference = backend.asarray(np.ones((4, 4), dtype))
    got = backend.to_numpy(make(3.3, like=reference))
    assert got.dtype == (np.float64 if dtype == "float64" else np.float32)
    np.testing.assert_allclose(got, make(3.3), rtol=1e-6)


@settings(max_examples=60, deadline=None)
@given(shape=st.lists(st.integers(1, 12), min_size=1, max_size=3), seed=st.integers(0, 999), single=st.booleans())
def test_separate_finds_the_factors(shape, seed, single):
    rng = np.random.default_rng(seed)
    lines = [rng.standard_normal(n) * 10.0 ** rng.integers(-3, 3) for n in shape]
    dtype = "float32" if single else "float64"
    p = functools.reduce(np.multiply.outer, lines).astype(dtype)
    factors = psf.separate(p)
    assert factors is not None
    assert [f.shape for f in factors] == [(n,) for n in shape]
    assert all(f.dtype == dtype for f in factors)
    product = functools.reduce(np.multiply.outer, [f.astype(float) for f in factors])
    assert np.abs(product - p).sum() <= 4 * np.finfo(dtype).eps * np.abs(p).sum()
    for f in factors[1:]:
        assert np.abs(f).max() == pytest.approx(1)


@settings(max_examples=60, deadline=None)
@given(shape=st.lists(st.integers(2, 9), min_size=2, max_size=3), seed=st.integers(0, 999), data=st.data())
def test_separate_refuses_what_is_not_of_rank_one(shape, seed, data):
    rng = np.random.default_rng(seed)
    p = functools.reduce(np.multiply.outer, [rng.random(n) + 0.5 for n in shape])
    at = tuple(data.draw(st.integers(0, n - 1)) for n in shape)
    p[at] *= 1 + 1e-10
    assert psf.separate(p) is None
    assert psf.separate(p.astype(np.float32)) is not None  # where that is rounding


def test_separate_makers():
    for p in (psf.gaussian(0.4), psf.gaussian(2.7), psf.gaussian(9.0), np.ones((5, 8)), psf.motion(9, 90)):
        for dtype in ("float32", "float64"):
            assert psf.separate(p.astype(dtype)) is not None
            assert psf.separate(1e-30 * p.astype(dtype)) is not None
    for p in (psf.disk(2), psf.motion(9, 20), psf.polygon(4), np.eye(2)):
        assert psf.separate(p) is None


def test_separate_on_every_backend(backend):
    wanted = psf.separate(psf.gaussian(1.3))
    got = psf.separate(backend.asarray(psf.gaussian(1.3)))
    for a, b in zip(got, wanted, strict=True):
        np.testing.assert_allclose(backend.to_numpy(a), b, rtol=1e-12)
    assert psf.separate(backend.asarray(psf.disk(3))) is None


def test_integers_are_weights():
    out = psf.normalise(np.array([[0, 255], [255, 0]], dtype=np.uint8))
    assert out.dtype == np.float32
    np.testing.assert_array_equal(out, [[0, 0.5], [0.5, 0]])


@pytest.mark.parametrize("scale", [1e-300, 1e300])
def test_normalise_whatever_the_scale(scale):
    np.testing.assert_allclose(psf.normalise(psf.disk(3) * scale), psf.disk(3), rtol=1e-12)


@pytest.mark.parametrize(
    ("call", "kind", "sentence"),
    [
        (lambda: psf.disk(-1), ValueError, "radius must be at least 0, got -1"),
        (lambda: psf.disk(float("nan")), ValueError, "radius must be finite, got nan"),
        (lambda: psf.disk("3"), TypeError, "radius must be a number, got str"),
        (lambda: psf.disk(True), TypeError, "radius must be a number, got bool"),
        (lambda: psf.disk(None), TypeError, "radius must be a number, got NoneType"),
        (lambda: psf.disk(3, softness=-0.1), ValueError, "softness must be at least 0"),
        (lambda: psf.gaussian(float("inf")), ValueError, "sigma must be finite"),
        (lambda: psf.motion(-2), ValueError, "length must be at least 0"),
        (lambda: psf.motion(2, float("nan")), ValueError, "angle must be finite"),
        (lambda: psf.polygon(2, 2), ValueError, "blades must lie between 3 and 100, got 2"),
        (lambda: psf.polygon(2, 5.0), TypeError, "blades must be an integer, got float"),
        (lambda: psf.normalise(np.zeros((3, 3))), ValueError, "psf must have a positive sum"),
        (lambda: psf.normalise([[1, -1]]), ValueError, "psf must not be negative"),
        (lambda: psf.normalise(np.array([1, np.nan])), ValueError, "psf must be finite"),
        (lambda: psf.normalise("disk"), TypeError, "psf must be an array of numbers, got str"),
        (lambda: psf.normalise(3.0), ValueError, "psf must have at least one axis"),
        (lambda: psf.normalise(np.zeros((0, 3))), ValueError, "psf must not be empty"),
        (lambda: psf.centre(np.ones((2, 2), complex)), TypeError, "psf must hold real numbers"),
        (lambda: psf.separate(None), TypeError, "psf must be an array of numbers, got NoneType"),
        (lambda: psf.separate(2.0), ValueError, "psf must have at least one axis"),
        (lambda: psf.separate([1, np.nan]), ValueError, "psf must be finite"),
        (lambda: psf.separate(np.zeros((3, 3))), ValueError, "psf must not be zero everywhere"),
        (lambda: psf.similarity(np.ones(3), None), TypeError, "psf_b must be an array of numbers"),
        (lambda: psf.similarity([1, 1], [[1, 1]]), ValueError, r"got shapes \(2,\) and \(1, 2\)"),
        (lambda: psf.similarity(np.ones(3), np.ones((3, 3))), ValueError, "must have the same number of axes"),
    ],
)
def test_wrong_calls_say_so_in_one_sentence(call, kind, sentence):
    with pytest.raises(kind, match=sentence) as caught:
        call()
    assert "\n" not in str(caught.value)
