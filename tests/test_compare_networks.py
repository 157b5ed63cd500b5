"""Networks of each file format, proved by one that is our own convolution."""

import os
import pickle
import sys

import numpy as np
import pytest

from deconv._core.convolve import convolution
from deconv.compare.adapters import build
from deconv.compare.protocol import Context, Method, Problem

COLOUR = np.random.default_rng(0).uniform(0.1, 0.9, (40, 51, 3)).astype(np.float32)
GREY = COLOUR[..., 0]
# Neither symmetric nor square: a flip, a shift or a transposition shows.
PSF = np.random.default_rng(1).uniform(0, 1, (5, 7)).astype(np.float32)
PSF /= PSF.sum()
INSIDE = (slice(3, -3), slice(3, -3))
# Brings networks that filter without padding to all of a picture, tile by tile.
TILES = {"channels": "grey", "border": 3, "tile": [16, 20], "overlap": 4, "window": "hann"}


def adapter(kind, prepare=None, **options):
    return build(Method("m", kind, options=options, prepare=prepare or {}))


def check_filter(restore):
    """It equals our convolution where neither knows of the edge, on a grey picture and on each of three colours."""
    ours = convolution(PSF.astype(np.float64), GREY.shape)
    for image in (GREY, COLOUR):
        planes = image[None] if image.ndim == 2 else np.moveaxis(image, -1, 0)
        expected = np.stack([ours.forward(plane.astype(np.float64)) for plane in planes], axis=-1)
        result = restore(image, Context(), name="page")
        np.testing.assert_allclose(result[INSIDE], expected.reshape(image.shape)[INSIDE], atol=1e-5)


def square(psf):
    """As a network holds it: 7 x 7, and turned round, since what is called a convolution there is a correlation."""
    return np.pad(psf, [(1, 1), (0, 0)])[::-1, ::-1].copy()


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A folder with a module that builds a network."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    name = f"own_{tmp_path.name}".replace("-", "_")
    (tmp_path / f"{name}.py").write_text(
        "def net(channels):\n    import torch\n    return torch.nn.Conv2d(channels, channels, 7, bias=False)\n"
    )
    return name


# What their libraries say of their own insides.
outdated = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.mark.parametrize(
    ("kind", "library", "how"),
    [
        ("torch", "torch", r"deconv\[torch\]"),
        ("onnx", "onnxruntime", r"deconv\[compare\]"),
        ("keras", "keras", "keras"),
    ],
)
def test_network_without_its_library(tmp_path, monkeypatch, kind, library, how):
    monkeypatch.setitem(sys.modules, library, None)
    (tmp_path / "net.keras").touch()
    with pytest.raises(Problem, match=f"it needs {library}: pip install {how}$"):
        adapter(kind, file=str(tmp_path / "net.keras"))


@pytest.mark.parametrize("kind", ["torch", "onnx", "keras"])
def test_network_that_is_not_there(tmp_path, kind):
    with pytest.raises(Problem, match=r"there is no file .*net\.keras$"):
        adapter(kind, file=str(tmp_path / "net.keras"))


def torch_filter(torch, channels=1):
    net = torch.nn.Conv2d(channels, channels, 7, bias=False)
    net.weight.data[:] = torch.from_numpy(square(PSF))
    return net


@outdated
def test_torchscript_is_our_convolution(tmp_path):
    torch = pytest.importorskip("torch")
    path = tmp_path / "net.pt"
    torch.jit.trace(torch_filter(torch), torch.zeros(1, 1, 9, 9)).save(path)
    restore = adapter("torch", TILES, file=str(path))
    assert restore.parameters == 49
    check_filter(restore)


@pytest.mark.parametrize("wrapped", [False, True])
def test_torch_factory_and_weights_are_our_convolution(tmp_path, package, wrapped):
    torch = pytest.importorskip("torch")
    state = torch_filter(torch).state_dict()
    path = tmp_path / "net.pth"
    torch.save({"state_dict_G": state, "epoch": 3, "best": {"psnr": 20.0}} if wrapped else state, path)
    restore = adapter(
        "torch",
        TILES,
        factory=f"{package}:net",
        parameters={"channels": 1},
        weights=str(path),
        folder=str(tmp_path),
    )
    assert restore.parameters == 49
    check_filter(restore)


class Trap:
    """What a pickle may hold: a call of anything."""

    def __reduce__(self):
        return os.mkdir, (os.environ["TRAP"],)


@outdated
def test_torch_loads_no_pickle(tmp_path, package, monkeypatch):
    torch = pytest.importorskip("torch")
    monkeypatch.setenv("TRAP", str(tmp_path / "sprung"))
    trap, plain = tmp_path / "trap.pth", tmp_path / "plain.pkl"
    torch.save({"state": Trap()}, trap)
    plain.write_bytes(pickle.dumps(Trap(), protocol=2))
    for path in (trap, plain):
        with pytest.raises((pickle.UnpicklingError, RuntimeError)):
            adapter(
                "torch", factory=f"{package}:net", parameters={"channels": 1}, weights=str(path), folder=str(tmp_path)
            )
        with pytest.raises(RuntimeError):
            adapter("torch", file=str(path))
    assert not (tmp_path / "sprung").exists()
    torch.save([1, 2], trap)
    with pytest.raises(Problem, match="holds 0 states of a module, one is wanted"):
        adapter("torch", factory=f"{package}:net", parameters={"channels": 1}, weights=str(trap), folder=str(tmp_path))


@outdated
def test_torch_in_evaluation_and_with_a_level(tmp_path):
    torch = pytest.importorskip("torch")

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.drop = torch.nn.Dropout(0.5)

        def forward(self, x, level):
            return self.drop(x) * level[:, :, None, None]

    torch.jit.script(Net()).save(tmp_path / "net.pt")
    restore = adapter("torch", {"level": "input", "channels": "grey"}, file=str(tmp_path / "net.pt"))
    assert restore.parameters is None
    np.testing.assert_allclose(restore(GREY, Context(level=0.5)), 0.5 * GREY, rtol=1e-6)
    if not torch.cuda.is_available():
        with pytest.raises(Problem, match="PyTorch finds no GPU for the device 'cuda'"):
            restore(GREY, Context(level=0.5, device="cuda"))


def onnx_file(onnx, path, node, initial, inputs=("x",)):
    """A network of one layer; its first input is (1, 1, h, w), a second is (1, 1)."""
    made, float32 = onnx.helper, onnx.TensorProto.FLOAT
    shapes = {"x": [1, 1, None, None], "level": [1, 1]}
    graph = made.make_graph(
        [node],
        "net",
        [made.make_tensor_value_info(name, float32, shapes[name]) for name in inputs],
        [made.make_tensor_value_info("y", float32, [1, 1, None, None])],
        [onnx.numpy_helper.from_array(value, name) for name, value in initial.items()],
    )
    onnx.save(made.make_model(graph, opset_imports=[made.make_opsetid("", 17)], ir_version=9), path)
    return str(path)


def test_onnx_is_our_convolution(tmp_path):
    pytest.importorskip("onnxruntime")
    onnx = pytest.importorskip("onnx")
    node = onnx.helper.make_node("Conv", ["x", "w"], ["y"])
    path = onnx_file(onnx, tmp_path / "net.onnx", node, {"w": square(PSF)[None, None]})
    restore = adapter("onnx", TILES, file=path)
    assert restore.parameters == 49
    check_filter(restore)
    with pytest.raises(Problem, match="has 1 inputs, prepare gives it 2"):
        adapter("onnx", TILES | {"level": "input"}, file=path)(GREY, Context(level=1.0))


def test_onnx_with_a_level(tmp_path, monkeypatch):
    pytest.importorskip("onnxruntime")
    onnx = pytest.importorskip("onnx")
    node = onnx.helper.make_node("Mul", ["x", "level"], ["y"])
    path = onnx_file(onnx, tmp_path / "net.onnx", node, {}, ("x", "level"))
    monkeypatch.setitem(sys.modules, "onnx", None)
    restore = adapter("onnx", {"level": "input", "channels": "grey"}, file=path)
    assert restore.parameters is None  # nobody counts them without onnx
    np.testing.assert_allclose(restore(GREY, Context(level=0.5)), 0.5 * GREY, rtol=1e-6)
    import onnxruntime

    if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        with pytest.raises(Problem, match="onnxruntime finds no GPU for the device 'cuda:0'"):
            restore(GREY, Context(level=0.5, device="cuda:0"))


@pytest.fixture
def keras(monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    pytest.importorskip("torch")
    return pytest.importorskip("keras")


@outdated
def test_keras_is_our_convolution(tmp_path, keras):
    x = keras.Input((None, None, 1))
    layer = keras.layers.Conv2D(1, 7, use_bias=False)
    net = keras.Model(x, layer(x))
    layer.set_weights([square(PSF)[..., None, None]])
    net.save(tmp_path / "net.keras")
    restore = adapter("keras", TILES | {"layout": "NHWC"}, file=str(tmp_path / "net.keras"))
    assert restore.parameters == 49
    check_filter(restore)


@outdated
def test_keras_with_a_level_and_without_code(tmp_path, keras):
    x, level = keras.Input((None, None, 1)), keras.Input((1,))
    scale = keras.layers.Reshape((1, 1, 1))(level)
    keras.Model([x, level], keras.layers.Multiply()([x, scale])).save(tmp_path / "net.keras")
    how = {"layout": "NHWC", "channels": "grey", "level": "input"}
    restore = adapter("keras", how, file=str(tmp_path / "net.keras"))
    np.testing.assert_allclose(restore(GREY, Context(level=0.5)), 0.5 * GREY, rtol=1e-6)
    keras.Model(x, keras.layers.Lambda(lambda y: 2 * y, output_shape=(None, None, 1))(x)).save(tmp_path / "code.keras")
    with pytest.raises(ValueError, match=r"[Ll]ambda"):
        adapter("keras", file=str(tmp_path / "code.keras"))


def test_keras_of_an_older_format(tmp_path):
    (tmp_path / "net.h5").touch()
    with pytest.raises(Problem, match=r"is not of the format \.keras"):
        adapter("keras", file=str(tmp_path / "net.h5"))
