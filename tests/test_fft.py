"""Transfer functions: known answers on odd and even grids in one to three dimensions, over all libraries."""

import contextlib
import itertools
import sys
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deconv._core import fft
from deconv._core.fft import Transfer, Workspace, embed, fast_shape, irfftn, rfftn, threads

# (grid, PSF): odd and even lengths of both.
CASES = [
    ((9,), (3,)),
    ((8,), (4,)),
    ((9, 10), (3, 5)),
    ((8, 7), (4, 2)),
    ((6, 9), (6, 9)),
    ((5, 6, 7), (3, 4, 5)),
    ((4, 5, 8), (2, 1, 3)),
]


@pytest.fixture(params=["ducc0", "scipy"])
def engine(request, monkeypatch):
    """Each FFT for NumPy arrays that is installed."""
    pytest.importorskip(request.param)
    with forced(monkeypatch, request.param):
        yield request.param


def clear():
    for choice in (fft._ducc, fft._ducc_in_place):
        choice.cache_clear()


@contextlib.contextmanager
def forced(monkeypatch, name):
    """``DECONV_FFT=name``, read anew: the choice is made once a process."""
    monkeypatch.setenv("DECONV_FFT", name)
    clear()
    try:
        yield
    finally:
        clear()


def convolved(x, psf):
    """Periodic convolution by its definition; the PSF's centre is index n // 2."""
    out = np.zeros_like(x)
    for index in np.ndindex(psf.shape):
        shift = tuple(i - n // 2 for i, n in zip(index, psf.shape, strict=True))
        out += psf[index] * np.roll(x, shift, axis=tuple(range(x.ndim)))
    return out


def arrays(shape, psf_shape, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal(shape), rng.random(psf_shape), rng.standard_normal(shape)


@pytest.mark.parametrize(("shape", "psf_shape"), CASES)
def test_forward_is_convolution(engine, shape, psf_shape):
    x, psf, _ = arrays(shape, psf_shape)
    np.testing.assert_allclose(Transfer(psf, shape).forward(x), convolved(x, psf), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("shape", "psf_shape"), CASES)
def test_adjoint(engine, shape, psf_shape):
    x, psf, y = arrays(shape, psf_shape)
    transfer = Transfer(psf, shape)
    left, right = np.sum(transfer.forward(x) * y), np.sum(x * transfer.adjoint(y))
    assert left == pytest.approx(right, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize(("shape", "psf_shape"), CASES)
def test_every_library_agrees(backend, shape, psf_shape):
    if backend.name == "torch":
        pytest.skip("tensors come through accepts_torch")
    x, psf, _ = arrays(shape, psf_shape)
    transfer = Transfer(backend.asarray(psf), shape)
    host = Transfer(psf, shape)
    image = backend.asarray(x)
    for method in ("forward", "adjoint"):
        got = backend.to_numpy(getattr(transfer, method)(image))
        np.testing.assert_allclose(got, getattr(host, method)(x), rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(backend.to_numpy(image), x)


def test_a_star_lands_on_the_centre_of_the_psf():
    for shape, psf_shape in CASES:
        star = np.zeros(shape)
        at = tuple(n // 2 for n in shape)
        star[at] = 1
        peak = np.zeros(psf_shape)
        peak[tuple(n // 2 for n in psf_shape)] = 1
        np.testing.assert_allclose(Transfer(peak, shape).forward(star), star, atol=1e-15)


def test_embed_wraps_round():
    np.testing.assert_array_equal(embed(np.array([1.0, 2, 3]), (6,)), [2, 3, 0, 0, 0, 1])
    np.testing.assert_array_equal(embed(np.array([1.0, 2, 3, 4]), (6,)), [3, 4, 0, 0, 1, 2])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(6, 8), (7, 9), (5, 6, 7)])
def test_there_and_back(engine, dtype, shape):
    x = np.random.default_rng(0).random((2, *shape)).astype(dtype)
    before = x.copy()
    spectrum = rfftn(x, len(shape))
    assert spectrum.dtype == {"float32": "complex64", "float64": "complex128"}[dtype]
    assert spectrum.shape == (2, *shape[:-1], shape[-1] // 2 + 1)
    wanted = np.fft.rfftn(x, axes=range(-len(shape), 0))
    np.testing.assert_allclose(spectrum, wanted, rtol=1e-4, atol=1e-4)
    back = irfftn(spectrum, shape)
    assert back.dtype == dtype
    np.testing.assert_allclose(back, x, atol=1e-6)
    np.testing.assert_array_equal(x, before)


def test_a_float32_psf_stays_in_single_precision(backend):
    if backend.name == "torch":
        pytest.skip("tensors come through accepts_torch")
    x, psf, _ = (a.astype("float32") for a in arrays((8, 9), (3, 4)))
    transfer = Transfer(backend.asarray(psf), (8, 9))
    assert backend.to_numpy(transfer.otf).dtype == "complex64"
    assert backend.to_numpy(transfer.forward(backend.asarray(x))).dtype == "float32"


def test_read_only_and_strided_input(engine):
    x = np.random.default_rng(0).random((12, 20))[::2, ::-1]
    x.flags.writeable = False
    np.testing.assert_allclose(irfftn(rfftn(x), x.shape), x, atol=1e-14)


def test_leading_axes_share_the_transfer_function(engine):
    _, psf, _ = arrays((9, 10), (3, 4))
    x = np.random.default_rng(1).standard_normal((2, 3, 9, 10))
    transfer = Transfer(psf, (9, 10))
    for method in (transfer.forward, transfer.adjoint):
        whole = method(x)
        for i, j in np.ndindex(2, 3):
            np.testing.assert_allclose(whole[i, j], method(x[i, j]), atol=1e-14)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("shape", "psf_shape"), CASES)
def test_workspace_blurs_and_correlates(engine, shape, psf_shape, dtype):
    rng = np.random.default_rng(0)
    psf = rng.random(psf_shape).astype(dtype)
    transfer = Transfer(psf, shape)
    x, y = rng.standard_normal((2, 3, *shape)).astype(dtype)
    before = x.copy()
    work = Workspace(transfer, 3, psf)
    tolerance = {"float32": 1e-5, "float64": 1e-13}[dtype]
    for _ in range(2):
        memory = work.blur(x)
        assert memory.flags.c_contiguous
        np.testing.assert_allclose(memory[..., : shape[-1]], transfer.forward(x), atol=tolerance)
        memory[..., : shape[-1]] = y
        back = work.correlate(memory)
        np.testing.assert_allclose(back[..., : shape[-1]], transfer.adjoint(y), atol=tolerance)
    np.testing.assert_array_equal(x, before)


def test_workspace_in_place_takes_one_picture():
    pytest.importorskip("ducc0")
    x = np.random.default_rng(0).random((1, 600, 600))
    transfer = Transfer(np.ones((5, 5)), (600, 600))
    tracemalloc.start()
    work = Workspace(transfer, 1, x)
    work.correlate(work.blur(x))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.05 * x.nbytes


def test_the_library_is_the_one_asked_for(monkeypatch):
    pytest.importorskip("ducc0")
    with forced(monkeypatch, "scipy"):
        assert fft._ducc() is None
    with forced(monkeypatch, "ducc0"):
        assert fft._ducc() is not None
    with (
        forced(monkeypatch, "fftw"),
        pytest.raises(ValueError, match="must be one of scipy, ducc0, got 'fftw'"),
    ):
        rfftn(np.ones((4, 4)))
    monkeypatch.setitem(sys.modules, "ducc0.fft", None)
    with forced(monkeypatch, "ducc0"), pytest.raises(ImportError, match="DECONV_FFT asks for ducc0, which is not inst"):
        rfftn(np.ones((4, 4)))
    with forced(monkeypatch, ""):
        np.testing.assert_allclose(rfftn(np.ones((4, 4)))[0, 0], 16)


def test_large_pictures_on_several_threads(engine, monkeypatch):
    x = np.random.default_rng(0).random((300, 300))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    one = rfftn(x)
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    np.testing.assert_allclose(rfftn(x), one, atol=1e-9)
    np.testing.assert_allclose(irfftn(one, x.shape), x, atol=1e-12)


def test_threads(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert (threads(100), threads(10**6)) == (1, 3)
    for nonsense in ("", "0", "many", "-1"):
        monkeypatch.setenv("OMP_NUM_THREADS", nonsense)
        assert threads(10**6) >= 1


def _smooth(n):
    for factor in (2, 3, 5):
        while n % factor == 0:
            n //= factor
    return n == 1


@given(st.lists(st.integers(1, 3000), min_size=1, max_size=3))
def test_fast_shape_is_the_smallest_that_is_fast(shape):
    fast = fast_shape(tuple(shape))
    *rows, last = fast
    for wanted, got in zip(shape[:-1], rows, strict=True):
        assert got == next(n for n in itertools.count(wanted) if _smooth(n))
    assert last == next(n for n in itertools.count(shape[-1]) if _smooth(n) and n % 2 == 0)


@given(st.integers(0, 2**32 - 1), st.tuples(st.integers(1, 9), st.integers(1, 9)), st.data())
def test_adjoint_of_any_size(seed, shape, data):
    psf_shape = tuple(data.draw(st.integers(1, n)) for n in shape)
    x, psf, y = arrays(shape, psf_shape, seed)
    transfer = Transfer(psf, shape)
    scale = np.linalg.norm(x) * np.linalg.norm(y) * psf.sum()
    assert abs(np.sum(transfer.forward(x) * y) - np.sum(x * transfer.adjoint(y))) <= 1e-12 * scale
