"""A hand-written loop in two twins: CUDA text for the GPU and, directly below it, a Numba function for the CPU.

The decorated function is the Numba twin. Calling it runs the twin that fits the arrays::

    @kernel(extent=lambda x, *_: (x.size,), cuda=r\"\"\"
    extern "C" __global__ void scale(const T* x, T factor, T* out, int n) {
        int i = blockIdx.x * blockDim.x + threadIdx.x;
        if (i >= n) return;
        out[i] = factor * x[i];
    }
    \"\"\")
    def scale(x, factor, out):
        for i in range(x.size):
            out[i] = factor * x[i]

Rules, which `tests/test_kernels.py` checks for every name in ``deconv._core.kernels.__all__``:

- The C parameters are those of the Python function, by name and in order, then the `extent`: one
  ``int`` for a flat kernel (arrays of any shape, viewed as flat by both twins), rows and columns for a
  2-D one. ``T`` is the float type; ``const T*`` is read, ``T*`` is written; ``T`` and ``int`` are scalars.
- A kernel writes into its arguments and allocates nothing. All arrays have one shape, unless `example` is given: it
  makes arguments for the tests, whose arrays may then differ in shape, and the caller must check that shapes match.
- In CUDA write constants as ``T(0.5)``: a bare ``0.5`` is double arithmetic, which a test refuses.
- In Numba never unpack several arrays in one assignment (numba 0.68 loses their writes under ``parallel=True``).
- A Numba loop is five times as fast when LLVM can vectorise it: take a view of each row and index that by the loop
  variable itself (a computed index may be negative to Numba), read scalars out of arrays before the loop, and let both
  sides of a condition have the arrays' type: a bare ``0`` beside a float32 makes a float64.
- ``parallel=True`` (loops over `prange`) only where a benchmark shows that it pays.
"""

import functools
import inspect
import linecache
import re
import types
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from deconv._core.array import array_namespace, library

__all__ = ["RUNNERS", "Kernel", "kernel", "prange"]

# A placeholder that is replaced by numba.prange when the twin is compiled, because importing numba takes a second.
prange: Any = range

# Threads of a block, the fastest axis first, for a flat and for a 2-D kernel.
_BLOCKS = {1: (256,), 2: (32, 8)}
_C_TYPES = {"float32": "float", "float64": "double"}
# Kernels index with int.
_MOST_ELEMENTS = 2**31 - 1


# Cached, because str(dtype) takes as long as a transform of a small image.
_dtype_name = functools.cache(str)


class Parameter(NamedTuple):
    """One parameter of the C signature."""

    name: str
    kind: str
    array: bool
    const: bool


def _parse(cuda: str) -> tuple[str, tuple[Parameter, ...]]:
    """Name and parameters of the ``__global__`` function in a CUDA text."""
    declaration = re.search(r'extern\s+"C"\s+__global__\s+void\s+(\w+)\s*\(([^)]*)\)', cuda)
    if not declaration:
        raise ValueError('the CUDA text must hold an extern "C" __global__ void function')
    parameters = []
    for text in declaration[2].split(","):
        declared = re.fullmatch(r"\s*(const\s+)?(T|int)\s*(\*\s*)?(\w+)\s*", text)
        if not declared or (declared[2] == "int" and declared[3]):
            raise ValueError(f"a kernel's parameter must be const T*, T*, T or int, got {text.strip()!r}")
        parameters.append(Parameter(declared[4], declared[2], bool(declared[3]), bool(declared[1])))
    return declaration[1], tuple(parameters)


class Kernel:
    """Two twins under one name; created by the decorator `kernel`.

    Attributes
    ----------
    parameters : tuple of Parameter
        What a call takes, in order, as the C signature declares it.
    axes : int
        1 for a flat kernel, 2 for one over rows and columns.
    """

    __name__: str

    def __init__(
        self,
        function: Callable[..., None],
        *,
        extent: Callable[..., tuple[int, ...]],
        cuda: str,
        parallel: bool = False,
        example: Callable[..., list[Any]] | None = None,
    ) -> None:
        functools.update_wrapper(self, function)
        self.function: Any = function
        self.extent = extent
        self.cuda = cuda
        self.parallel = parallel
        self.one_shape = example is None
        self.example = example or self._example
        name, declared = _parse(cuda)
        takes = list(inspect.signature(function).parameters)
        self.parameters = declared[: len(takes)]
        self.axes = len(declared) - len(takes)
        if name != function.__name__ or [p.name for p in self.parameters] != takes:
            raise ValueError(f"the twins of kernel {function.__name__} do not have the same name and parameters")
        if self.axes not in _BLOCKS or any(p.array or p.kind != "int" for p in declared[len(takes) :]):
            raise ValueError(f"the C signature of kernel {name} must end with one or two int, its extent")

    def __call__(self, *args: Any) -> None:
        """Run the twin that fits the library of the arrays; the kernel writes into its arguments."""
        arrays = [a for p, a in zip(self.parameters, args, strict=False) if p.array]
        if any(type(a) is not np.ndarray for a in arrays):
            array_namespace(*arrays)  # refuses a mixture
        name = library(arrays[0])
        if name not in RUNNERS:
            raise TypeError(f"kernel {self.__name__} runs on {' and '.join(RUNNERS)} arrays, got {name}")
        RUNNERS[name](self, args)

    def _example(self, rng: Any, shape: tuple[int, ...], dtype: Any) -> list[Any]:
        """Arguments that reach both branches of most conditions in a kernel: mixed signs, scalars amid the values."""
        scalars = {"T": 0.3, "int": 2}
        return [rng.uniform(-1, 1, shape).astype(dtype) if p.array else scalars[p.kind] for p in self.parameters]

    def bind(self, args: Any) -> tuple[list[Any], tuple[int, ...]]:
        """Check `args` and cast scalars to their C types; returns them and the extent.

        CuPy passes a Python int as 64 bits and a float as a double whatever the C signature says, and neither twin
        looks at strides: an argument that is wrongly accepted here gives silent garbage there.
        """
        if len(args) != len(self.parameters):
            raise TypeError(f"kernel {self.__name__} takes {len(self.parameters)} arguments, got {len(args)}")
        arrays = [(p, a) for p, a in zip(self.parameters, args, strict=True) if p.array]
        first = arrays[0][1]
        for parameter, array in arrays:
            where = f"{parameter.name} of kernel {self.__name__}"
            if _dtype_name(array.dtype) not in _C_TYPES or array.dtype != first.dtype:
                raise TypeError(
                    f"{where} must be {first.dtype if array is not first else 'float32 or float64'}, got {array.dtype}"
                )
            if self.one_shape and array.shape != first.shape:
                raise ValueError(f"{where} must have the shape {first.shape} of the first array, got {array.shape}")
            if array.size > _MOST_ELEMENTS:
                raise ValueError(
                    f"{where} has {array.size} elements, more than the {_MOST_ELEMENTS} that an int can count"
                )
            if not array.flags.c_contiguous:
                raise ValueError(f"{where} must be C-contiguous")
            if not (parameter.const or getattr(array.flags, "writeable", True)):
                raise ValueError(f"{where} must be writeable")
        scalar: dict[str, Any] = {"T": np.dtype(_dtype_name(first.dtype)).type, "int": np.int32}
        values = [a if p.array else scalar[p.kind](a) for p, a in zip(self.parameters, args, strict=True)]
        return values, tuple(int(n) for n in self.extent(*args))

    def launch(self, args: Any, build: Callable[["Kernel", str], Any]) -> None:
        """Run the CUDA twin. ``build(kernel, dtype)`` compiles it; it is called as ``(grid, block, arguments)``."""
        values, extent = self.bind(args)
        compiled = build(self, _dtype_name(values[0].dtype))
        block = _BLOCKS[self.axes]
        grid = tuple(-(-n // b) for n, b in zip(reversed(extent), block, strict=True))
        compiled(grid, block, (*values, *(np.int32(n) for n in extent)))

    def source(self, dtype: str) -> str:
        """The CUDA text for ``"float32"`` or ``"float64"``; compile errors name the Python file and line."""
        file = inspect.getsourcefile(self.function) or ""
        before, text, _ = "".join(linecache.getlines(file)).partition(self.cuda)
        home = f'#line {before.count(chr(10)) + 1} "{file}"\n'.replace("\\", "/") if text else ""
        return f"typedef {_C_TYPES[dtype]} T;\n{home}{self.cuda}"

    @functools.cached_property
    def jit(self) -> Any:
        """The Numba twin, compiled at its first call for each dtype."""
        import numba

        # Not cached on disk (read-only installs, stale caches) and no fast maths (its NaN tests vanish).
        names = {**self.function.__globals__, "prange": numba.prange}
        function = types.FunctionType(self.function.__code__, names, self.__name__)
        return numba.njit(function, parallel=self.parallel, nogil=True, error_model="numpy")


def kernel(
    *,
    extent: Callable[..., tuple[int, ...]],
    cuda: str,
    parallel: bool = False,
    example: Callable[..., list[Any]] | None = None,
) -> Callable[[Callable[..., None]], Kernel]:
    """Decorator: pair the CUDA text `cuda` with the Numba twin below it.

    Parameters
    ----------
    extent : callable
        From the arguments to the index space: ``(n,)`` for a flat kernel, ``(rows, columns)`` for a 2-D one.
    cuda : str
        The CUDA twin, as a raw string.
    parallel : bool
        Compile the Numba twin's `prange` loops for several threads.
    example : callable, optional
        ``example(rng, shape, dtype)`` returns the arguments with which the tests run the twins of a kernel whose arrays
        differ in shape, as a list in the order of the parameters. `shape` is any shape that a flat (2-D) kernel may
        meet.
    """
    return functools.partial(Kernel, extent=extent, cuda=cuda, parallel=parallel, example=example)


def _run_numba(kernel: Kernel, args: Any) -> None:
    values, _ = kernel.bind(args)
    if kernel.axes == 1:
        values = [v.reshape(-1) if p.array else v for p, v in zip(kernel.parameters, values, strict=True)]
    kernel.jit(*values)


@functools.cache
def _raw_kernel(kernel: Kernel, dtype: str) -> Any:
    import cupy

    return cupy.RawKernel(kernel.source(dtype), kernel.__name__)


def _run_cupy(kernel: Kernel, args: Any) -> None:
    kernel.launch(args, _raw_kernel)


# Runner of a kernel by the library of its arrays. The tests add a simulated GPU.
RUNNERS: dict[str, Callable[[Kernel, Any], None]] = {"numpy": _run_numba, "cupy": _run_cupy}
