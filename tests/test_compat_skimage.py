"""`deconv.compat.skimage` gives what the scikit-image installed here gives, and departs from it where it says so."""

import re

import numpy as np
import pytest
from skimage import restoration

from deconv.compat import skimage as compat

# Largest difference allowed, relative to the largest value: rounding, and what ten iterations make of it.
TOLERANCE = {"float64": 1e-11, "complex128": 1e-11, "float32": 2e-5, "complex64": 2e-5}
# Shape of the picture and of the PSF: one to four axes, odd and even, and a PSF larger than the picture.
SHAPES = [
    ((40,), (6,)),
    ((41, 34), (5, 7)),
    ((40, 33), (6, 5)),
    ((33, 40), (4, 8)),
    ((12, 13, 14), (3, 4, 5)),
    ((6, 7, 5, 8), (3, 3, 2, 3)),
]
LARGE = [((10, 11), (31, 26)), ((9, 8), (9, 8))]


def problem(shape, width, dtype="float64", seed=0):
    """A picture that is bright everywhere, and an asymmetric PSF."""
    rng = np.random.default_rng(seed)
    psf = rng.random(width) + 0.1
    psf /= psf.sum()
    if np.dtype(dtype).kind == "f":
        return (rng.random(shape) + 0.2).astype(dtype), psf.astype(dtype)
    return rng.integers(1, 2 if dtype == "bool" else 9, shape).astype(dtype), psf


def assert_equal(got, wanted):
    assert got.dtype == wanted.dtype
    assert got.shape == wanted.shape
    error = np.max(np.abs(got - wanted)) / (np.max(np.abs(wanted)) or 1)
    assert error < TOLERANCE[str(got.dtype)], error


@pytest.mark.parametrize(("shape", "width"), SHAPES + LARGE)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    "options",
    [
        {"num_iter": 10},
        {"num_iter": 10, "clip": False},
        {"num_iter": 3, "filter_epsilon": 0.4, "clip": False},
        {"num_iter": 0},
    ],
)
def test_richardson_lucy(shape, width, dtype, options):
    image, psf = problem(shape, width, dtype)
    before = image.copy(), psf.copy()
    got = compat.richardson_lucy(image, psf, **options)
    assert_equal(got, restoration.richardson_lucy(image, psf, **options))
    np.testing.assert_array_equal(image, before[0])
    np.testing.assert_array_equal(psf, before[1])


def test_richardson_lucy_by_default():
    image, psf = problem((30, 40), (3, 3))
    got = compat.richardson_lucy(image, psf)
    # 50 iterations on a picture that no scene explains make much of rounding errors.
    np.testing.assert_allclose(got, restoration.richardson_lucy(image, psf), rtol=0, atol=1e-6)


def test_richardson_lucy_goes_by_the_size_of_what_is_not_zero():
    image, psf = problem((64, 64), (5, 6))
    full = np.zeros((64, 64))
    full[29:34, 29:35] = psf
    assert_equal(compat.richardson_lucy(image, full, 5), restoration.richardson_lucy(image, full, 5))


@pytest.mark.parametrize("dtype", ["float16", "uint8", "int64", "bool"])
@pytest.mark.parametrize("name", compat.__all__)
def test_dtypes(name, dtype):
    image, psf = problem((30, 31), (3, 4), dtype)
    options = {"richardson_lucy": (5,), "wiener": (0.1,), "unsupervised_wiener": ()}[name]
    seed = {"rng": 0} if name == "unsupervised_wiener" else {}
    got, wanted = (getattr(module, name)(image, psf, *options, **seed) for module in (compat, restoration))
    if seed:
        got, wanted = got[0], wanted[0]
    assert_equal(got, wanted)


@pytest.mark.parametrize(("shape", "width"), SHAPES)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("options", [{}, {"clip": False}, {"is_real": False}, {"is_real": False, "clip": False}])
@pytest.mark.parametrize("curve", [False, True])
def test_wiener(shape, width, dtype, options, curve):
    image, psf = problem(shape, width, dtype)
    reg = np.array([-1.0, 2, -1]).reshape((*(1 for _ in shape[1:]), 3)) if curve else None
    got = compat.wiener(image * 3, psf, 0.01, reg, **options)
    wanted = restoration.wiener(image * 3, psf, 0.01, reg, **options)
    assert_equal(got, wanted)
    assert options.get("clip", True) == (np.max(np.abs(wanted.real)) <= 1)


def assert_same_chain(image, psf, **options):
    got, chains = compat.unsupervised_wiener(image, psf, rng=3, **options)
    wanted, their_chains = restoration.unsupervised_wiener(image, psf, rng=3, **options)
    assert_equal(got, wanted)
    assert chains.keys() == their_chains.keys() == {"noise", "prior"}
    for name in chains:
        assert chains[name][0] == 1
        np.testing.assert_allclose(chains[name], their_chains[name], rtol=1e-4 if image.dtype == np.float32 else 1e-9)
    return len(chains["noise"]) - 1


# 32 x 62: the half spectrum is square, which scikit-image takes for a whole one.
@pytest.mark.parametrize("shape", [(41, 34), (40, 33), (48, 48), (32, 62)])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("is_real", [True, False])
def test_unsupervised_wiener(shape, dtype, is_real):
    image, psf = problem(shape, (5, 4), dtype)
    assert_same_chain(image, psf, is_real=is_real)


def test_unsupervised_wiener_options():
    image, psf = problem((30, 36), (3, 3))
    params = {"threshold": 1e-2, "burnin": 3, "min_num_iter": 5, "max_num_iter": 90}
    assert 5 < assert_same_chain(image, psf, user_params=params, clip=False) < 90
    short = {"burnin": 3, "max_num_iter": 5}
    assert assert_same_chain(image * 9, psf, reg=np.array([[-1.0, 2, -1]]), user_params=short) == 5


@pytest.mark.parametrize("is_real", [True, False])
def test_unsupervised_wiener_callback(is_real):
    image, psf = problem((30, 37), (3, 3))
    ours, theirs = [], []
    for module, samples in ((compat, ours), (restoration, theirs)):
        params = {"burnin": 0, "max_num_iter": 4, "callback": lambda x, kept=samples: kept.append(x.copy())}
        module.unsupervised_wiener(image, psf, user_params=params, is_real=is_real, rng=1)
    assert len(ours) == len(theirs) == 4
    for got, wanted in zip(ours, theirs, strict=True):
        assert_equal(got, wanted)


def test_a_generator_goes_on():
    image, psf = problem((30, 37), (3, 3))
    ours, theirs = np.random.default_rng(5), np.random.default_rng(5)
    compat.unsupervised_wiener(image, psf, rng=ours)
    restoration.unsupervised_wiener(image, psf, rng=theirs)
    assert ours.random() == theirs.random()


def transfer(impulse, shape, is_real):
    """Transfer function of an impulse response, its centre at ``n // 2``."""
    grid = np.zeros(shape)
    grid[tuple(slice(0, n) for n in impulse.shape)] = impulse
    grid = np.roll(grid, tuple(-(n // 2) for n in impulse.shape), tuple(range(grid.ndim)))
    return np.fft.rfftn(grid) if is_real else np.fft.fftn(grid)


@pytest.mark.parametrize("is_real", [True, False])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("shape", [(30, 37), (31, 36)])
def test_a_transfer_function_is_used_whole(shape, is_real, dtype):
    """The one departure: scikit-image drops the imaginary part of a complex psf and of the transfer function of reg."""
    image, psf = problem(shape, (5, 4), dtype)
    otf = transfer(psf, shape, is_real)
    slope = np.array([[-1.0, 1.0]])
    got = compat.wiener(image, otf, 0.01, is_real=is_real)
    assert_equal(got, compat.wiener(image, psf, 0.01, is_real=is_real))
    assert np.max(np.abs(got - restoration.wiener(image, otf, 0.01, is_real=is_real))) > 0.1

    whole = transfer(psf, shape, False)
    penalty = np.abs(transfer(slope, shape, False)) ** 2
    wanted = np.fft.ifftn(np.fft.fftn(image) * whole.conj() / (np.abs(whole) ** 2 + 0.01 * penalty))
    for reg in (slope, transfer(slope, shape, is_real)):
        got = compat.wiener(image, otf, 0.01, reg, is_real, clip=False)
        np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-12 if dtype == "float64" else 1e-5)

    got = compat.unsupervised_wiener(image, otf, transfer(slope, shape, is_real), is_real=is_real, rng=0)
    wanted = compat.unsupervised_wiener(image, psf, slope, is_real=is_real, rng=0)
    assert_equal(got[0], wanted[0])


def test_a_transfer_function_of_no_real_psf():
    rng = np.random.default_rng(0)
    image = rng.random((12, 15))
    otf = rng.standard_normal((12, 15)) + 1j * rng.standard_normal((12, 15))
    wanted = np.fft.ifftn(np.fft.fftn(image) * otf.conj() / (np.abs(otf) ** 2 + 0.3))
    got = compat.wiener(image, otf, 0.3, np.ones((1, 1)), is_real=False, clip=False)
    np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-12)


def test_a_real_psf_is_never_a_transfer_function():
    """As it is documented; scikit-image goes by the shape."""
    image, psf = problem((20, 20), (20, 20))
    got = compat.wiener(image, psf, 0.01, is_real=False)
    np.testing.assert_allclose(got, compat.wiener(image, psf, 0.01), rtol=0, atol=1e-12)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_backends(backend, dtype):
    image, psf = problem((24, 29), (4, 5), dtype)
    there, psf_there = backend.asarray(image), backend.asarray(psf)
    otf = transfer(psf, image.shape, True).astype("complex128" if dtype == "float64" else "complex64")

    got = compat.richardson_lucy(there, psf_there, 5, filter_epsilon=0.1)
    assert_equal(backend.to_numpy(got), restoration.richardson_lucy(image, psf, 5, filter_epsilon=0.1))
    got = compat.richardson_lucy(there, psf_there, 5, clip=False)
    assert_equal(backend.to_numpy(got), restoration.richardson_lucy(image, psf, 5, clip=False))
    for is_real in (True, False):
        got = compat.wiener(there, psf_there, 0.1, is_real=is_real)
        assert_equal(backend.to_numpy(got), restoration.wiener(image, psf, 0.1, is_real=is_real))
    got = compat.wiener(there, backend.asarray(otf), 0.1, psf_there)
    assert_equal(backend.to_numpy(got), compat.wiener(image, psf, 0.1, otf))
    samples = []
    params = {"max_num_iter": 40}
    for is_real in (True, False):
        watched = {**params, "callback": samples.append}
        got, chains = compat.unsupervised_wiener(there, psf_there, user_params=watched, is_real=is_real, rng=0)
        wanted, theirs = restoration.unsupervised_wiener(image, psf, user_params=params, is_real=is_real, rng=0)
        assert_equal(backend.to_numpy(got), wanted)
        np.testing.assert_allclose(chains["prior"], theirs["prior"], rtol=1e-3 if dtype == "float32" else 1e-9)
    assert samples


IMAGE, PSF = problem((20, 25), (3, 3))
HALF = transfer(PSF, IMAGE.shape, True)
CALLS = {
    "richardson_lucy": lambda image, psf: compat.richardson_lucy(image, psf, 2),
    "wiener": lambda image, psf: compat.wiener(image, psf, 0.1),
    "unsupervised_wiener": lambda image, psf: compat.unsupervised_wiener(image, psf, rng=0),
}
WRONG_ARRAYS = {
    "None": None,
    "file name": "photo.png",
    "ragged": [[1.0, 2.0], [3.0]],
    "empty": np.zeros((0, 5)),
    "0-d": np.float64(3.0),
    "object": IMAGE.astype(object),
    "NaN": np.where(IMAGE > 1.1, np.nan, IMAGE),
    "infinity": np.where(IMAGE > 1.1, np.inf, IMAGE),
}
WRONG_OPTIONS = {
    "complex image": ("image", lambda: compat.wiener(IMAGE + 0j, PSF, 0.1)),
    "complex psf": ("psf", lambda: compat.richardson_lucy(IMAGE, HALF)),
    "zero psf": ("psf", lambda: compat.richardson_lucy(IMAGE, 0 * PSF)),
    "psf of one axis": ("psf", lambda: compat.richardson_lucy(IMAGE, PSF[0])),
    "large psf": ("psf", lambda: compat.wiener(IMAGE, np.ones((21, 3)), 0.1)),
    "large reg": ("reg", lambda: compat.wiener(IMAGE, PSF, 0.1, np.ones((21, 3)))),
    "half for whole": ("psf", lambda: compat.wiener(IMAGE, HALF, 0.1, is_real=False)),
    "whole for half": ("reg", lambda: compat.wiener(IMAGE, PSF, 0.1, transfer(PSF, IMAGE.shape, False))),
    "transfer function with NaN": ("psf", lambda: compat.wiener(IMAGE, HALF * np.nan, 0.1)),
    "nothing determined": ("psf and reg", lambda: compat.wiener(IMAGE, 0 * PSF, 0.1)),
    "balance": ("balance", lambda: compat.wiener(IMAGE, PSF, -1.0)),
    "balance text": ("balance", lambda: compat.wiener(IMAGE, PSF, "a")),
    "num_iter": ("num_iter", lambda: compat.richardson_lucy(IMAGE, PSF, 2.5)),
    "filter_epsilon": ("filter_epsilon", lambda: compat.richardson_lucy(IMAGE, PSF, 2, filter_epsilon="a")),
    "three axes": ("image", lambda: compat.unsupervised_wiener(np.ones((3, 4, 5)), np.ones((1, 1, 1)))),
    "rng": ("rng", lambda: compat.unsupervised_wiener(IMAGE, PSF, rng="a")),
    "user_params": ("user_params", lambda: compat.unsupervised_wiener(IMAGE, PSF, user_params=3)),
    "old key": ("user_params", lambda: compat.unsupervised_wiener(IMAGE, PSF, user_params={"max_iter": 30})),
    "few": ("max_num_iter", lambda: compat.unsupervised_wiener(IMAGE, PSF, user_params={"max_num_iter": 16})),
    "burnin": ("burnin", lambda: compat.unsupervised_wiener(IMAGE, PSF, user_params={"burnin": -1})),
    "threshold": ("threshold", lambda: compat.unsupervised_wiener(IMAGE, PSF, user_params={"threshold": None})),
    "callback": ("callback", lambda: compat.unsupervised_wiener(IMAGE, PSF, user_params={"callback": 3})),
}


def assert_one_sentence(call, names):
    """`call` raises TypeError or ValueError with one line, of ours, that names the argument."""
    with pytest.raises((TypeError, ValueError)) as caught:
        call()
    text = str(caught.value)
    assert re.search(rf"\b({names})\b", text), f"does not name {names}: {text}"
    assert "\n" not in text
    assert len(text) < 240
    assert "/deconv/" in str(caught.traceback[-1].path).replace("\\", "/"), text


@pytest.mark.parametrize("kind", WRONG_ARRAYS)
@pytest.mark.parametrize("name", CALLS)
def test_wrong_arrays(name, kind):
    assert_one_sentence(lambda: CALLS[name](WRONG_ARRAYS[kind], PSF), "image")
    assert_one_sentence(lambda: CALLS[name](IMAGE, WRONG_ARRAYS[kind]), "psf")


@pytest.mark.parametrize("wrong", WRONG_OPTIONS)
def test_wrong_options(wrong):
    names, call = WRONG_OPTIONS[wrong]
    assert_one_sentence(call, names)


@pytest.mark.parametrize("name", CALLS)
def test_a_mixture_of_libraries(name):
    strict = pytest.importorskip("array_api_strict")
    for psf in (PSF, HALF):
        if name != "richardson_lucy" or psf is PSF:
            with pytest.raises(TypeError, match="one library"):
                CALLS[name](IMAGE, strict.asarray(psf))


@pytest.mark.parametrize("length", [5, 7, 9, 11, 15])
def test_an_even_psf_that_ends_in_zeros(length):
    image = np.random.default_rng(0).random(length) + 0.2
    psf = np.array([0.5, 0.3, 0.2, 0.0])
    want = restoration.richardson_lucy(image, psf, 3, clip=False)
    np.testing.assert_allclose(compat.richardson_lucy(image, psf, 3, clip=False), want, rtol=1e-9)


def test_a_psf_that_reaches_nothing():
    psf = np.zeros((21, 21))
    psf[0, 0] = 1
    image = np.random.default_rng(0).random((3, 3))
    np.testing.assert_array_equal(compat.richardson_lucy(image, psf, 2), restoration.richardson_lucy(image, psf, 2))
