"""Convolution tap by tap and axis by axis against its definition, against the transforms, and against SciPy."""

import functools

import numpy as np
import pytest
import scipy.ndimage
from hypothesis import given
from hypothesis import strategies as st

import deconv
from deconv._core import convolve
from deconv._core.convolve import Direct, Fourier, Separable, convolution
from deconv._core.fft import Transfer

# (grid, PSF): odd and even lengths of both, as long as the grid, and of one pixel.
CASES = [
    ((9,), (3,)),
    ((8,), (8,)),
    ((9, 10), (3, 5)),
    ((8, 7), (4, 2)),
    ((6, 9), (6, 9)),
    ((8, 8), (8, 8)),
    ((1, 1), (1, 1)),
    ((7, 1), (4, 1)),
    ((5, 6, 7), (3, 4, 5)),
    ((4, 5, 8), (2, 1, 3)),
    ((4, 4, 4), (4, 4, 4)),
]


@pytest.fixture(autouse=True)
def one_thread(monkeypatch):
    """The choice goes by the number of threads."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


def arrays(shape, psf_shape, dtype="float64", seed=0, lead=(2, 3)):
    """Two batches of pictures and the factors of a PSF, signs mixed."""
    rng = np.random.default_rng(seed)
    x, y = rng.standard_normal((2, *lead, *shape)).astype(dtype)
    return x, y, [rng.standard_normal(n).astype(dtype) for n in psf_shape]


def outer(factors):
    return functools.reduce(np.multiply.outer, factors)


def every_way(factors, shape):
    """The same convolution three times."""
    psf = outer(factors)
    return [Direct(psf, shape), Separable(factors, shape), Fourier(psf, shape)]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("shape", "psf_shape"), CASES)
def test_every_way_is_the_same_convolution(shape, psf_shape, dtype):
    x, _, factors = arrays(shape, psf_shape, dtype)
    exact = Transfer(outer([f.astype(float) for f in factors]), shape)
    for way in every_way(factors, shape):
        for method in ("forward", "adjoint"):
            got = getattr(way, method)(x)
            wanted = getattr(exact, method)(x.astype(float))
            assert got.dtype == dtype
            assert got.shape == x.shape
            np.testing.assert_allclose(
                got, wanted, rtol=0, atol={"float32": 2e-6, "float64": 1e-13}[dtype] * abs(wanted).max()
            )


@pytest.mark.parametrize(("shape", "psf_shape"), CASES)
def test_adjoint(shape, psf_shape):
    x, y, factors = arrays(shape, psf_shape)
    for way in every_way(factors, shape):
        scale = np.linalg.norm(x) * np.linalg.norm(y) * np.abs(outer(factors)).sum()
        assert abs(np.sum(way.forward(x) * y) - np.sum(x * way.adjoint(y))) <= 1e-13 * scale


@given(st.integers(0, 2**32 - 1), st.lists(st.integers(1, 9), min_size=1, max_size=3), st.data())
def test_adjoint_of_any_size(seed, shape, data):
    psf_shape = tuple(data.draw(st.integers(1, n)) for n in shape)
    x, y, factors = arrays(shape, psf_shape, seed=seed, lead=())
    for way in every_way(factors, shape):
        scale = np.linalg.norm(x) * np.linalg.norm(y) * np.abs(outer(factors)).sum()
        assert abs(np.sum(way.forward(x) * y) - np.sum(x * way.adjoint(y))) <= 1e-13 * scale


@pytest.mark.parametrize("k", [3, 4, 5, 6, 7, 9, 15])
def test_against_scipy(k):
    # Rows longer than the kernel's block of columns.
    x, _, (rows, columns) = arrays((21, 1500), (k, k), lead=())
    psf = outer((rows, columns))
    for way in every_way((rows, columns), x.shape):
        np.testing.assert_allclose(way.forward(x), scipy.ndimage.convolve(x, psf, mode="wrap"), atol=1e-11)
        np.testing.assert_allclose(way.adjoint(x), scipy.ndimage.correlate(x, psf, mode="wrap"), atol=1e-11)


def test_zeros_in_the_psf_change_nothing():
    # A motion path: the loops visit each row from its first weight to its last.
    x, y, _ = arrays((40, 50), (1, 1), lead=())
    for psf in (deconv.psf.motion(23, 31.0), deconv.psf.motion(9, 90), np.eye(7)[:, ::-1] * 1.0, deconv.psf.disk(3.3)):
        direct, transfer = Direct(psf, x.shape), Transfer(psf, x.shape)
        np.testing.assert_allclose(direct.forward(x), transfer.forward(x), atol=1e-13)
        np.testing.assert_allclose(direct.adjoint(y), transfer.adjoint(y), atol=1e-13)


@pytest.mark.parametrize("way", [0, 1, 2], ids=["direct", "separable", "fourier"])
@pytest.mark.parametrize(("shape", "psf_shape"), [((9,), (3,)), ((9, 10), (4, 5)), ((5, 6, 7), (3, 2, 5))])
def test_out_is_written_and_the_input_left_alone(way, shape, psf_shape):
    x, _, factors = arrays(shape, psf_shape)
    blur = every_way(factors, shape)[way]
    for method in (blur.forward, blur.adjoint):
        before, out = x.copy(), np.full_like(x, np.nan)
        assert method(x, out=out) is out
        np.testing.assert_array_equal(out, method(x))
        np.testing.assert_array_equal(x, before)
        # Strided pictures are no different, nor is another number of them.
        np.testing.assert_allclose(method(np.asfortranarray(x)), out, atol=1e-14)
        np.testing.assert_allclose(method(x[1]), out[1], atol=1e-14)


def test_the_loops_allocate_nothing_once_they_have_room():
    import tracemalloc

    x, _, factors = arrays((300, 400), (5, 5), "float32", lead=())
    out = np.empty_like(x)
    for way in every_way(factors, x.shape)[:2]:
        way.forward(x, out)
        tracemalloc.start()
        way.forward(x, out)
        way.adjoint(x, out)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < x.nbytes / 10


@pytest.mark.parametrize("name", ["direct", "separable"])
@pytest.mark.parametrize(("shape", "psf_shape"), [((9,), (4,)), ((9, 10), (4, 5)), ((5, 6, 7), (3, 2, 5))])
def test_every_library_agrees(backend, name, shape, psf_shape):
    if backend.name == "torch":
        pytest.skip("tensors come through accepts_torch")
    x, _, factors = arrays(shape, psf_shape)
    host = every_way(factors, shape)[0]
    moved = [backend.asarray(f) for f in factors]
    way = Direct(backend.asarray(outer(factors)), shape) if name == "direct" else Separable(moved, shape)
    for method in ("forward", "adjoint"):
        image = backend.asarray(x)
        out = backend.asarray(np.full_like(x, np.nan)) if backend.name != "numpy-readonly" else None
        got = backend.to_numpy(getattr(way, method)(image, out))
        np.testing.assert_allclose(got, getattr(host, method)(x), atol=1e-12)
        if out is not None:
            np.testing.assert_array_equal(backend.to_numpy(out), got)


# Which way is chosen.

GAUSSIAN, DISC = deconv.psf.gaussian, deconv.psf.disk


@pytest.mark.parametrize(
    ("psf", "shape", "way"),
    [
        (np.ones((3, 3)), (600, 600), Direct),
        (GAUSSIAN(1.5), (600, 600), Separable),
        (GAUSSIAN(12.0), (600, 600), Fourier),
        (DISC(3.0), (600, 600), Direct),
        (DISC(3.0), (200, 200), Fourier),  # small pictures: short rows, quick transforms
        (DISC(8.0), (600, 600), Fourier),
        (deconv.psf.motion(31, 45.0), (600, 600), Direct),  # few weights in a large square
        (np.ones(31), (10**6,), Direct),
        (np.ones(300), (10**6,), Fourier),
        (np.ones((1, 31)), (600, 600), Direct),
        (np.ones((31, 1)), (600, 600), Separable),
        (np.ones((3, 3, 3)), (64, 64, 64), Separable),
        (np.ones((1, 1, 1)), (64, 64, 64), Direct),
        (np.arange(27.0).reshape(3, 3, 3) ** 2, (64, 64, 64), Direct),
    ],
)
def test_the_fastest_way_is_chosen(psf, shape, way):
    assert type(convolution(psf, shape)) is way


def test_more_threads_favour_the_transforms(monkeypatch):
    assert type(convolution(DISC(3.0), (600, 600))) is Direct
    monkeypatch.setenv("OMP_NUM_THREADS", "16")
    assert type(convolution(DISC(3.0), (600, 600))) is Fourier


@pytest.mark.parametrize("side", [3, 9])
def test_on_a_device_only_the_nearest_neighbours_are_left_to_the_loops(backend, side):
    if backend.name == "torch":
        pytest.skip("tensors come through accepts_torch")
    rng = np.random.default_rng(0)
    psf, x = rng.random((side, side)), rng.random((12, 14))
    blur = convolution(backend.asarray(psf), x.shape)
    # So small a picture has the limit between the two on the host as well.
    assert type(blur) is (Direct if side == 3 else Fourier)
    np.testing.assert_allclose(backend.to_numpy(blur.forward(backend.asarray(x))), Transfer(psf, x.shape).forward(x))


def test_a_library_without_kernels_transforms(monkeypatch):
    strict = pytest.importorskip("array_api_strict")
    monkeypatch.setattr(convolve, "RUNNERS", {"numpy": None})
    assert type(convolution(strict.ones((3, 3)), (9, 9))) is Fourier


def test_the_choice_does_not_show():
    # The same PSF just within and just beyond a limit: equal to the rounding of float32.
    x = np.random.default_rng(0).random((600, 600), dtype=np.float32)
    for psf in (GAUSSIAN(1.2), DISC(3.0)):
        small = psf.astype(np.float32)
        chosen, exact = convolution(small, x.shape), Transfer(psf, x.shape)
        assert type(chosen) is not Fourier
        np.testing.assert_allclose(chosen.forward(x), exact.forward(x.astype(float)), rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: convolution(np.ones((3, 3)), (9,)), r"shape \(9,\) does not hold a psf of shape \(3, 3\)"),
        (lambda: convolution(np.ones((3, 5)), (9, 4)), "does not hold a psf"),
        (lambda: Direct(np.ones((3, 3)), (9, 9)).forward(np.ones((9, 9)), np.ones((9, 8))), "out must be C-contiguous"),
        (lambda: Direct(np.ones((3, 3)), (9, 9)).forward(np.ones((9, 9)), np.ones((9, 18))[:, ::2]), "C-contiguous"),
    ],
)
def test_wrong_calls_say_so_in_one_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence) as caught:
        call()
    assert "\n" not in str(caught.value)
