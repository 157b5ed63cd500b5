"""Networks in the three formats in which they come: none of them a pickle, which would run whatever it holds."""

import contextlib
import importlib
import os
from functools import partial
from pathlib import Path

import numpy as np

from deconv.compare.imported import imported
from deconv.compare.prepare import Prepare
from deconv.compare.protocol import Problem

__all__ = ["KINDS"]


class _Network:
    """What they share: the picture prepared, the network called, its result brought back."""

    parameters: int | None = None

    def __init__(self, method):
        self._prepare = Prepare.of(method.prepare)

    def __call__(self, image, context, *, name=""):
        """The picture restored."""
        return self._prepare.apply(partial(self._run, context.device), image, context)

    def _run(self, device, *arrays):
        """The network's output for a batch, and the level if it takes one."""
        raise NotImplementedError


class Torch(_Network):
    """PyTorch: a TorchScript file, or a module made by a function, and its state."""

    def __init__(self, method):
        super().__init__(method)
        options = method.options
        path = _there(options["file" if "file" in options else "weights"])
        self._torch = _library("torch", "deconv[torch]")
        if "file" in options:
            self._module = self._torch.jit.load(path, map_location="cpu")
        else:
            self._module = imported(options["factory"], options.get("folder"))(**options.get("parameters", {}))
            self._module.load_state_dict(self._state(path))
        self._module.eval()
        # (A frozen module keeps its numbers where they cannot be counted.)
        self.parameters = sum(p.numel() for p in self._module.parameters()) or None

    def _state(self, path):
        """The module's state in a file of weights, beside which a checkpoint of training has other things."""
        saved = self._torch.load(path, map_location="cpu", weights_only=True)
        if self._holds_tensors(saved):
            return saved
        found = [v for v in saved.values() if self._holds_tensors(v)] if isinstance(saved, dict) else []
        if len(found) != 1:
            raise Problem(f"{path} holds {len(found)} states of a module, one is wanted")
        return found[0]

    def _holds_tensors(self, value):
        return isinstance(value, dict) and bool(value) and all(map(self._torch.is_tensor, value.values()))

    def _run(self, device, *arrays):
        if device != "cpu" and not self._torch.cuda.is_available():
            raise Problem(f"PyTorch finds no GPU for the device {device!r}")
        self._module.to(device)
        with self._torch.no_grad():
            return self._module(*(self._torch.from_numpy(a).to(device) for a in arrays)).cpu().numpy()


class Onnx(_Network):
    """An ONNX file, run by onnxruntime; its first input is the picture, its second the level."""

    def __init__(self, method):
        super().__init__(method)
        self._path = _there(method.options["file"])
        self._library = _library("onnxruntime", "deconv[compare]")
        self.parameters = _onnx_parameters(self._path)
        self._open("cpu")

    def _open(self, device):
        options = self._library.SessionOptions()
        # It does not ask the environment how many threads it may have.
        options.intra_op_num_threads = int(os.environ.get("OMP_NUM_THREADS", "0"))
        provider = "CPUExecutionProvider" if device == "cpu" else "CUDAExecutionProvider"
        if provider not in self._library.get_available_providers():
            raise Problem(f"onnxruntime finds no GPU for the device {device!r}")
        self._session = self._library.InferenceSession(self._path, options, providers=[provider])
        self._names, self._device = [put.name for put in self._session.get_inputs()], device

    def _run(self, device, *arrays):
        if device != self._device:
            self._open(device)
        if len(arrays) != len(self._names):
            raise Problem(f"the network has {len(self._names)} inputs, prepare gives it {len(arrays)}")
        return self._session.run(None, dict(zip(self._names, arrays, strict=True)))[0]


def _onnx_parameters(path):
    """How many numbers a file holds beside those that shapes and indices are made of; None without the package onnx."""
    with contextlib.suppress(ImportError):
        import onnx

        held = onnx.load(path, load_external_data=False).graph.initializer
        floats = (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16, onnx.TensorProto.DOUBLE)
        return sum(int(np.prod(tensor.dims)) for tensor in held if tensor.data_type in floats)
    return None


class Keras(_Network):
    """A file of the format .keras; with a level, the network has two inputs."""

    def __init__(self, method):
        super().__init__(method)
        path = _there(method.options["file"])
        # (The older HDF5 files may hold code.)
        if Path(path).suffix != ".keras":
            raise Problem(f"{path} is not of the format .keras, in which Keras saves a network without code")
        self._library = _library("keras", "keras")
        self._model = self._library.saving.load_model(path, compile=False, safe_mode=True)
        self.parameters = sum(int(np.prod(w.shape)) for w in self._model.trainable_weights)

    def _run(self, device, *arrays):
        with self._library.device(f"{'cpu' if device == 'cpu' else 'gpu'}:{device.partition(':')[2] or 0}"):
            answer = self._model(arrays[0] if len(arrays) == 1 else list(arrays), training=False)
            return self._library.ops.convert_to_numpy(answer)


def _there(path):
    if not Path(path).is_file():
        raise Problem(f"there is no file {path}")
    return path


def _library(name, package):
    """An optional library; Problem with the package that brings it if it is not there."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        raise Problem(f"it needs {name}: pip install {package}") from None


KINDS = {"torch": Torch, "onnx": Onnx, "keras": Keras}
