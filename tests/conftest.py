"""The `backend` fixture: every public algorithm is tested over all the array libraries it promises to take."""

import importlib.util
import os

# Workers of pytest-xdist share the cores among themselves: threads of their own would only get in each other's way. The
# libraries look when they are loaded, so this comes first.
if "PYTEST_XDIST_WORKER" in os.environ:
    for library in ("OMP", "OPENBLAS", "MKL", "NUMBA"):
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")

import hostcuda
import hypothesis
import numpy as np
import pytest

from deconv._core.kernels import launch

# For mypy, which reads them: some of their calls are wrong.
collect_ignore = ["typing"]

# The same examples on every machine, however slow.
hypothesis.settings.register_profile("deconv", deadline=None, derandomize=True, max_examples=50)
hypothesis.settings.load_profile("deconv")


class Backend:
    """One array library: `asarray` takes NumPy arrays there, `to_numpy` brings back what belongs there."""

    def __init__(self, name):
        self.name = name

    def asarray(self, host):
        """The NumPy array `host` (or what NumPy makes of it) in this library, its dtype kept."""
        return np.array(host)

    def to_numpy(self, array):
        """`array` as NumPy; fails unless it is of this library and on its device."""
        assert type(array) is np.ndarray, f"expected a NumPy array, got {type(array)}"
        return array


class ReadOnly(Backend):
    """NumPy arrays that nobody may write to: a write into the caller's array is an error."""

    def asarray(self, host):
        array = np.array(host)
        array.flags.writeable = False
        return array


class Pretend(Backend):
    """A GPU without one: strict arrays on another device, kernels run as CUDA built by g++.

    Refuses what a GPU library refuses (NumPy functions, creation without a device) and what the
    array-API standard does not promise.
    """

    def __init__(self, name):
        import array_api_strict

        super().__init__(name)
        self.xp = array_api_strict
        self.device = array_api_strict.Device("device1")

    def asarray(self, host):
        return self.xp.asarray(np.array(host), device=self.device)

    def to_numpy(self, array):
        assert isinstance(array, type(self.xp.asarray(0))), f"expected a strict array, got {type(array)}"
        assert array.device == self.device, f"the array left its device for {array.device}"
        return np.array(array._array)


class Torch(Backend):
    """PyTorch tensors on the CPU."""

    def asarray(self, host):
        import torch

        return torch.from_numpy(np.array(host))

    def to_numpy(self, array):
        import torch

        assert isinstance(array, torch.Tensor), f"expected a tensor, got {type(array)}"
        assert array.device.type == "cpu"
        return array.numpy()


class Cupy(Backend):
    """CuPy arrays on a real GPU."""

    def asarray(self, host):
        import cupy

        return cupy.asarray(host)

    def to_numpy(self, array):
        import cupy

        assert isinstance(array, cupy.ndarray), f"expected a CuPy array, got {type(array)}"
        return array.get()


def _has_gpu():
    if importlib.util.find_spec("cupy") is None:
        return False
    import cupy

    return cupy.cuda.is_available()


_PRESENT = {
    "numpy": (Backend, lambda: True),
    "numpy-readonly": (ReadOnly, lambda: True),
    "pretend": (Pretend, lambda: importlib.util.find_spec("array_api_strict") is not None),
    "torch": (Torch, lambda: importlib.util.find_spec("torch") is not None),
    "cupy": (Cupy, _has_gpu),
}


@pytest.fixture(params=_PRESENT)
def backend(request, monkeypatch):
    """One array library after the other; skips those that are not installed or have no device."""
    make, present = _PRESENT[request.param]
    if not present():
        pytest.skip(f"no {request.param} here")
    monkeypatch.setitem(launch.RUNNERS, "array_api_strict", hostcuda.runner)
    return make(request.param)
