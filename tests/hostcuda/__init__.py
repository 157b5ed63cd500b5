"""CUDA kernels on the CPU: g++ builds the CUDA text behind a shim, and it is launched as CuPy would launch it."""

import ctypes
import functools
import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from deconv._core import kernels

SHIM = Path(__file__).with_name("shim.h")
_FLAGS = ("-std=c++17", "-O2", "-g", "-shared", "-fPIC", "-Wall", "-Werror")
# The package's kernels share one library: g++ takes 2 s for all of them and 0.3 s for each by itself.
_PACKAGE = tuple(getattr(kernels, name) for name in kernels.__all__)


def available():
    """Whether there is a compiler."""
    return shutil.which("g++") is not None


def runner(kernel, args):
    """Runner for the pretend GPU: array-API-strict arrays, whose memory is NumPy's."""
    import pytest

    if not available():
        pytest.skip("no g++: apt-get install g++")
    kernel.launch([getattr(a, "_array", a) for a in args], build)


def private_folder():
    """Where compiled kernels are kept between runs, of this user alone."""
    folder = Path(tempfile.gettempdir()) / f"deconv-hostcuda-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise PermissionError(f"{folder} belongs to somebody else")
    return folder


@functools.cache
def build(kernel, dtype, sanitize=False):
    """The CUDA twin of `kernel` as a callable ``(grid, block, arguments)``, as `cupy.RawKernel` is."""
    together = _PACKAGE if kernel in _PACKAGE else (kernel,)
    return _Launcher(_library(together, dtype, sanitize), kernel.__name__)


@functools.cache
def _library(together, dtype, sanitize):
    """Path of the shared library, kept between runs under the hash of its source and flags."""
    flags = (*_FLAGS, *(("-fsanitize=address",) if sanitize else ()))
    text = f'#include "{SHIM}"\n'
    for kernel in together:
        name = kernel.__name__
        text += (
            f'{kernel.source(dtype)}\nextern "C" void launch_{name}(\n'
            "        const unsigned* grid, const unsigned* block, void** arguments) {\n"
            f"    launch({name}, grid, block, arguments);\n}}\n"
        )
    digest = hashlib.sha256("\0".join((text, SHIM.read_text(), *flags)).encode()).hexdigest()[:20]
    name = together[0].__name__ if len(together) == 1 else f"all-{dtype}"
    path = private_folder() / f"{name}-{digest}.so"
    if not path.exists():
        unfinished = path.with_suffix(f".{os.getpid()}")
        done = subprocess.run(
            ["g++", *flags, "-x", "c++", "-", "-o", str(unfinished)], input=text, text=True, capture_output=True
        )
        if done.returncode:
            raise RuntimeError(f"g++ refuses the CUDA text of {name}:\n{done.stderr}")
        unfinished.rename(path)
    return path


class _Launcher:
    """Packs arguments as CuPy does, wrong types and all, so that an argument left uncast is garbage here too."""

    def __init__(self, path, name):
        self._run = getattr(ctypes.CDLL(str(path)), f"launch_{name}")

    def __call__(self, grid, block, arguments):
        values = [_packed(a) for a in arguments]
        pointers = (ctypes.c_void_p * len(values))(*(v.ctypes.data for v in values))
        self._run(_dim3(grid), _dim3(block), pointers)


def _packed(argument):
    """What CuPy hands to the driver: an array's address, a NumPy scalar as it is, Python's int and float as 64 bits."""
    if isinstance(argument, np.ndarray):
        return np.array([argument.ctypes.data], dtype=np.uintp)
    if isinstance(argument, np.generic):
        return np.array([argument])
    return np.array([argument], dtype=np.int64 if isinstance(argument, int) else np.float64)


def _dim3(lengths):
    return (ctypes.c_uint * 3)(*lengths, *(1,) * (3 - len(lengths)))
