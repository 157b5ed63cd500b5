"""The door: dtype rule, refusals, libraries, PyTorch tensors."""

import subprocess
import sys
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pytest

import deconv
from deconv._core.array import accepts_torch, array_namespace, as_image, as_psf, library, like, to_numpy

PICTURE = np.linspace(0.1, 0.9, 35).reshape(5, 7)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("float64", "float64"),
        ("float32", "float32"),
        ("float16", "float32"),
        ("bool", "float32"),
        (">f8", "float64"),
        (">f4", "float32"),
        ("longdouble", "float32"),
    ],
)
def test_float64_stays_and_all_else_is_float32(given, wanted):
    image = as_image(PICTURE.astype(given))
    assert image.dtype == wanted
    assert image.dtype.isnative
    np.testing.assert_allclose(image, PICTURE.astype(given).astype(wanted))


@pytest.mark.parametrize("dtype", ["uint8", "uint16", ">u2", "int16"])
def test_the_largest_integer_is_one(dtype):
    image = as_image(np.array([[0, np.iinfo(dtype).max]], dtype))
    assert image.dtype == np.float32
    np.testing.assert_array_equal(image, [[0, 1]])


def test_a_list_is_an_array_and_a_float_array_is_not_copied():
    assert as_image([[0.0, 1.0]]).dtype == np.float64
    assert as_image(PICTURE) is PICTURE


def test_every_library_keeps_its_arrays(backend):
    if backend.name == "torch":
        pytest.skip("tensors come through accepts_torch")
    out = as_image(backend.asarray(PICTURE.astype("float32")))
    np.testing.assert_array_equal(backend.to_numpy(out), PICTURE.astype("float32"))
    whole = backend.to_numpy(as_image(backend.asarray(np.array([[0, 255]], "uint8"))))
    np.testing.assert_array_equal(whole, np.float32([[0, 1]]))
    np.testing.assert_array_equal(backend.to_numpy(like(PICTURE, out)), PICTURE.astype("float32"))
    np.testing.assert_array_equal(to_numpy(out), PICTURE.astype("float32"))
    psf = backend.to_numpy(as_psf(backend.asarray(np.ones((3, 3), "uint8")), out))
    np.testing.assert_allclose(psf, np.full((3, 3), 1 / 9, "float32"), rtol=1e-6)


@pytest.mark.parametrize(
    ("image", "options", "error", "message"),
    [
        (None, {}, TypeError, "image must be an array of numbers, got NoneType"),
        ("photo.png", {}, TypeError, "image must be an array of numbers, got str"),
        (object(), {}, TypeError, "image must hold real numbers, got dtype object"),
        ([[1.0], [1.0, 2.0]], {}, TypeError, "image must be an array of numbers, got list"),
        (PICTURE * 1j, {}, TypeError, "image must hold real numbers, got dtype complex128"),
        (np.array([["a"]]), {}, TypeError, "image must hold real numbers, got dtype <U1"),
        (PICTURE.astype("int32"), {}, TypeError, "image has dtype int32, whose range"),
        (PICTURE[:0], {}, ValueError, r"image must not be empty, got shape \(0, 7\)"),
        (3.0, {}, ValueError, r"image must have 2 axes, got shape \(\)"),
        (PICTURE[None], {}, ValueError, r"got shape \(1, 5, 7\); name its colour axis with channel_axis"),
        (PICTURE, {"channel_axis": 0}, ValueError, "image must have 2 axes besides channel_axis"),
        (PICTURE, {"channel_axis": 2}, ValueError, r"channel_axis is 2, but image has shape \(5, 7\)"),
        (PICTURE, {"channel_axis": 0.5}, TypeError, "channel_axis must be an integer or None, got 0.5"),
        (PICTURE, {"channel_axis": True}, TypeError, "channel_axis must be an integer or None, got True"),
        (PICTURE, {"ndim": (1, 3)}, ValueError, "image must have 1 or 3 axes"),
        (PICTURE * np.inf, {}, ValueError, "image must be finite, got infinity"),
        (PICTURE * np.nan, {"nan": "mask"}, ValueError, "image holds nothing but NaN"),
        (np.where(PICTURE > 0.85, np.nan, PICTURE), {}, ValueError, "image has 3 NaN pixels"),
    ],
)
def test_what_is_no_picture_is_refused_in_one_sentence(image, options, error, message):
    with pytest.raises(error, match=message) as caught:
        as_image(image, **options)
    assert "\n" not in str(caught.value)


def test_nan_may_mean_not_measured():
    holes = np.where(PICTURE > 0.5, np.nan, PICTURE)
    np.testing.assert_array_equal(as_image(holes, nan="mask"), holes)


@pytest.mark.parametrize("channel_axis", [0, -1, np.int64(2)])
def test_channel_axis_is_not_spatial(channel_axis):
    assert as_image(np.ones((3, 4, 3)), channel_axis=channel_axis).shape == (3, 4, 3)


@pytest.mark.parametrize(
    ("psf", "error", "message"),
    [
        (None, TypeError, "psf must be an array of numbers"),
        (np.ones(3), ValueError, "psf must have 2 axes"),
        (np.ones((6, 1)), ValueError, r"psf of shape \(6, 1\) is larger than the image of shape \(5, 7\)"),
        (np.array([[np.nan, 1]]), ValueError, "psf must be finite"),
        (np.array([[-0.5, 2]]), ValueError, "psf must not be negative, got a minimum of -0.5"),
        (np.zeros((3, 3)), ValueError, "psf must have a positive sum, got zeros everywhere"),
    ],
)
def test_what_is_no_psf_is_refused(psf, error, message):
    with pytest.raises(error, match=message):
        as_psf(psf, PICTURE)


def test_a_psf_gets_the_dtype_of_the_image_and_sum_one():
    psf = as_psf(np.array([[1, 2, 1]], "uint8"), PICTURE.astype("float32"))
    assert psf.dtype == np.float32
    np.testing.assert_array_equal(psf, [[0.25, 0.5, 0.25]])
    assert as_psf(np.ones((3, 3)), np.ones((4, 5, 7)), ndim=2).shape == (3, 3)


def test_a_mixture_of_libraries_is_refused():
    strict = pytest.importorskip("array_api_strict")
    with pytest.raises(TypeError, match="must come from one library, got a mix of: array_api_strict, numpy"):
        array_namespace(PICTURE, strict.asarray(PICTURE))
    assert library(array_namespace(PICTURE, None).ones(3)) == "numpy"


class Pair(NamedTuple):
    first: object
    second: object


@dataclass(frozen=True)
class Result:
    image: object
    score: float


@accepts_torch
def through(kind, image, *, psf=None):
    assert isinstance(image, np.ndarray)
    assert psf is None or isinstance(psf, np.ndarray)
    read_only = np.broadcast_to(image[:, ::-1], image.shape)
    return {"array": read_only, "tuple": (read_only, 1.5), "pair": Pair(image, None), "result": Result(image, 2.5)}[
        kind
    ]


def test_tensors_go_in_and_come_out():
    torch = pytest.importorskip("torch")
    image = torch.from_numpy(PICTURE.copy()).requires_grad_()
    out = through("array", image, psf=torch.ones(1))
    np.testing.assert_array_equal(out.numpy(), PICTURE[:, ::-1])
    out, number = through("tuple", image)
    assert (type(out), number) == (torch.Tensor, 1.5)
    pair = through("pair", image)
    assert (type(pair), type(pair.first), pair.second) == (Pair, torch.Tensor, None)
    assert pair.first.data_ptr() == image.data_ptr(), "a tensor was copied"
    result = through("result", image)
    assert (type(result), type(result.image), result.score) == (Result, torch.Tensor, 2.5)
    assert through("array", torch.ones(2, 2, dtype=torch.bfloat16)).dtype == torch.float32


def test_a_tensor_elsewhere_is_refused():
    torch = pytest.importorskip("torch")
    with pytest.raises(TypeError, match="tensors must live on the CPU or a CUDA device, got meta"):
        through("array", torch.ones(2, 2, device="meta"))


def test_the_door_is_transparent_to_arrays_and_to_help():
    assert through("pair", PICTURE).first is PICTURE
    assert through.__name__ == "through"


def test_the_door_does_not_import_torch():
    door = "deconv._core.array as a; a.accepts_torch(abs)(numpy.ones(1))"
    code = f"import sys, numpy, {door}; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_masked_arrays_are_refused():
    with pytest.raises(TypeError, match="image is a masked array, whose mask would be lost"):
        as_image(np.ma.masked_array(PICTURE, PICTURE > 0.5))


@pytest.mark.parametrize("scale", [1e-50, 1e50])
def test_a_psf_of_any_scale_beside_a_float32_picture(scale):
    psf = as_psf(np.full((3, 3), scale), PICTURE.astype(np.float32))
    np.testing.assert_allclose(psf, np.full((3, 3), 1 / 9), rtol=1e-6)


def test_histories_stay_numpy_beside_tensors():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    image, psf = torch.from_numpy(rng.random((20, 21))), torch.ones((3, 3), dtype=torch.float64)
    solution = deconv.variational(image, psf, num_iter=10)
    assert isinstance(solution.image, torch.Tensor)
    assert isinstance(solution.primal, np.ndarray)
    result = deconv.unsupervised_wiener(image, psf)
    assert isinstance(result.image, torch.Tensor)
    assert isinstance(result.noise_precision, np.ndarray)
