"""Networks in three file formats. None of them is a pickle, which would run whatever code it holds."""

import contextlib
import importlib
import os
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from deconv.compare.plugins import load_function
from deconv.compare.prepare import Prepare
from deconv.compare.protocol import Context, Method, Problem

__all__ = ["TYPES"]


class _Network:
    """Base class: convert the image, call the network, convert its result back."""

    parameters: int | None = None

    def __init__(self, method: Method) -> None:
        self._prepare = Prepare.from_table(method.prepare)

    def __call__(self, image: np.ndarray, context: Context, *, name: str = "") -> np.ndarray:
        """Restore an image."""
        return self._prepare.apply(partial(self._run, context.device), image, context)

    def _run(self, device: str, *arrays: np.ndarray) -> np.ndarray:
        """The network's output for a batch, and for the level if it takes one."""
        raise NotImplementedError


class Torch(_Network):
    """PyTorch: a TorchScript file, or a module built by a function and its state."""

    def __init__(self, method: Method) -> None:
        super().__init__(method)
        options = method.options
        path = _existing(options["file" if "file" in options else "weights"])
        self._torch = _library("torch", "deconv[torch]")
        if "file" in options:
            self._module = self._torch.jit.load(path, map_location="cpu")
        else:
            self._module = load_function(options["factory"], options.get("folder"))(**options.get("parameters", {}))
            self._module.load_state_dict(self._state(path))
        self._module.eval()
        # A frozen module has no parameters that could be counted.
        self.parameters = sum(p.numel() for p in self._module.parameters()) or None

    def _state(self, path: str) -> dict[str, Any]:
        """The module's state in a file of weights, which may be a checkpoint with other entries."""
        saved = self._torch.load(path, map_location="cpu", weights_only=True)
        if self._holds_tensors(saved):
            return dict(saved)
        states = [v for v in saved.values() if self._holds_tensors(v)] if isinstance(saved, dict) else []
        if len(states) != 1:
            raise Problem(f"{path} holds {len(states)} states of a module, one is wanted")
        return dict(states[0])

    def _holds_tensors(self, value: object) -> bool:
        return isinstance(value, dict) and bool(value) and all(map(self._torch.is_tensor, value.values()))

    def _run(self, device: str, *arrays: np.ndarray) -> np.ndarray:
        if device != "cpu" and not self._torch.cuda.is_available():
            raise Problem(f"PyTorch finds no GPU for the device {device!r}")
        self._module.to(device)
        with self._torch.no_grad():
            result: np.ndarray = self._module(*(self._torch.from_numpy(a).to(device) for a in arrays)).cpu().numpy()
        return result


class Onnx(_Network):
    """An ONNX file, run by onnxruntime; its first input is the image, its second the level."""

    def __init__(self, method: Method) -> None:
        super().__init__(method)
        self._path = _existing(method.options["file"])
        self._library = _library("onnxruntime", "deconv[compare]")
        self.parameters = _onnx_parameters(self._path)
        self._open("cpu")

    def _open(self, device: str) -> None:
        options = self._library.SessionOptions()
        # onnxruntime does not read the number of threads from the environment.
        options.intra_op_num_threads = int(os.environ.get("OMP_NUM_THREADS", "0"))
        provider = "CPUExecutionProvider" if device == "cpu" else "CUDAExecutionProvider"
        if provider not in self._library.get_available_providers():
            raise Problem(f"onnxruntime finds no GPU for the device {device!r}")
        self._session = self._library.InferenceSession(self._path, options, providers=[provider])
        self._names, self._device = [put.name for put in self._session.get_inputs()], device

    def _run(self, device: str, *arrays: np.ndarray) -> np.ndarray:
        if device != self._device:
            self._open(device)
        if len(arrays) != len(self._names):
            raise Problem(f"the network has {len(self._names)} inputs, prepare gives it {len(arrays)}")
        result: np.ndarray = self._session.run(None, dict(zip(self._names, arrays, strict=True)))[0]
        return result


def _onnx_parameters(path: str) -> int | None:
    """Number of floating-point weights in a file; None without the package onnx."""
    with contextlib.suppress(ImportError):
        import onnx

        initializers = onnx.load(path, load_external_data=False).graph.initializer
        floats = (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16, onnx.TensorProto.DOUBLE)
        return sum(int(np.prod(tensor.dims)) for tensor in initializers if tensor.data_type in floats)
    return None


class Keras(_Network):
    """A file of the format .keras; with a level, the network has two inputs."""

    def __init__(self, method: Method) -> None:
        super().__init__(method)
        path = _existing(method.options["file"])
        # The older HDF5 files may hold code.
        if Path(path).suffix != ".keras":
            raise Problem(f"{path} is not of the format .keras, in which Keras saves a network without code")
        self._library = _library("keras", "keras")
        self._model = self._library.saving.load_model(path, compile=False, safe_mode=True)
        self.parameters = sum(int(np.prod(w.shape)) for w in self._model.trainable_weights)

    def _run(self, device: str, *arrays: np.ndarray) -> np.ndarray:
        with self._library.device(f"{'cpu' if device == 'cpu' else 'gpu'}:{device.partition(':')[2] or 0}"):
            answer = self._model(arrays[0] if len(arrays) == 1 else list(arrays), training=False)
            result: np.ndarray = self._library.ops.convert_to_numpy(answer)
        return result


def _existing(path: str) -> str:
    if not Path(path).is_file():
        raise Problem(f"there is no file {path}")
    return path


def _library(name: str, package: str) -> ModuleType:
    """Import an optional library, or raise a Problem that names the package to install."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        raise Problem(f"it needs {name}: pip install {package}") from None


TYPES = {"torch": Torch, "onnx": Onnx, "keras": Keras}
