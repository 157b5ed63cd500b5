"""Is the GPU code correct, and how fast is it? For a machine with a GPU.

Needs numpy, scipy, numba, cupy, scikit-image and array-api-compat beside this source tree, nothing else::

    PYTHONPATH=<the tree> python benchmarks/studies/gpu_check.py

Compares every kernel (Numba on the host against CUDA on the device) and whole algorithms (NumPy arrays
against CuPy arrays), then times both. Ends with status 0 if all agree, 1 if something differs, 2 if
there is no GPU to check.
"""

import importlib
import importlib.util
import platform
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np

if importlib.util.find_spec("lazy_loader") is None:
    # Only the short names deconv.<name> need it; this script imports the files that define them.
    def _no_short_names(name: str) -> None:
        raise AttributeError(name)

    stand_in: Any = SimpleNamespace(attach_stub=lambda *_: (_no_short_names, list, []))
    sys.modules["lazy_loader"] = stand_in

import deconv._core.kernels as kernels

SHAPES = {1: ((1009,), (37, 53), (3, 17, 29)), 2: ((37, 53), (9, 131), (1, 7), (5, 1), (1023, 1025))}
KERNEL_TOLERANCE = {"float32": 1e-5, "float64": 1e-12}


class Gpu:
    """The device through CuPy."""

    def __init__(self) -> None:
        import cupy

        self.cupy = cupy
        self.asarray = cupy.asarray
        self.asnumpy = cupy.asnumpy

    def synchronise(self) -> None:
        """Wait until the device has finished."""
        self.cupy.cuda.get_current_stream().synchronize()

    def describe(self) -> str:
        """Its name and the versions of driver, runtime and CuPy."""
        runtime = self.cupy.cuda.runtime
        properties = runtime.getDeviceProperties(self.cupy.cuda.Device().id)
        return (
            f"{properties['name'].decode()}, compute capability {properties['major']}.{properties['minor']}, "
            f"{properties['totalGlobalMem'] / 2**30:.0f} GiB; driver {runtime.driverGetVersion()}, "
            f"runtime {runtime.runtimeGetVersion()}, cupy {self.cupy.__version__}"
        )


def kernel_arguments(kernel: Any, shape: tuple[int, ...], dtype: str) -> list[Any]:
    """Arguments with a few NaN in their arrays."""
    rng = np.random.default_rng(0)
    arguments = kernel.example(rng, shape, dtype)
    for array in arguments:
        if isinstance(array, np.ndarray):
            array[rng.random(array.shape) < 0.01] = np.nan
    return arguments


def on_device(gpu: Gpu, arguments: list[Any]) -> list[Any]:
    """`arguments` with the arrays copied to the device."""
    return [gpu.asarray(a) if isinstance(a, np.ndarray) else a for a in arguments]


def difference(actual: np.ndarray, expected: np.ndarray) -> float:
    """Largest difference relative to the largest value; infinite if the NaNs are at different positions."""
    if not np.array_equal(np.isnan(actual), np.isnan(expected)):
        return np.inf
    return float(np.nanmax(np.abs(actual - expected), initial=0) / max(np.nanmax(np.abs(expected), initial=0), 1e-30))


def check_kernels(gpu: Gpu) -> Iterator[tuple[str, float, float]]:
    """Yield (name, largest relative difference, tolerance) for each kernel and dtype."""
    for name in kernels.__all__:
        kernel = getattr(kernels, name)
        for dtype, tolerance in KERNEL_TOLERANCE.items():
            worst = 0.0
            for shape in SHAPES[kernel.axes]:
                host = kernel_arguments(kernel, shape, dtype)
                device = on_device(gpu, host)
                kernel(*host)
                kernel(*device)
                for a, b in zip(host, device, strict=True):
                    if isinstance(a, np.ndarray):
                        worst = max(worst, difference(gpu.asnumpy(b), a))
            yield f"kernel {name} {dtype}", worst, tolerance


def problem(side: int, dtype: str) -> tuple[np.ndarray, np.ndarray]:
    """A picture of black and white blocks, blurred by a disk, with some noise; and the disk."""
    import scipy.signal

    rng = np.random.default_rng(0)
    radius = max(side // 80, 2)
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    psf = (x**2 + y**2 <= (radius + 0.3) ** 2).astype(float)
    psf /= psf.sum()
    scene = (rng.random((side // 12 + 1, side // 12 + 1)) > 0.8).repeat(12, 0).repeat(12, 1)[:side, :side] * 0.7 + 0.2
    blurred = scipy.signal.fftconvolve(np.pad(scene, radius, mode="edge"), psf, "valid")
    return (blurred + 0.002 * rng.standard_normal(blurred.shape)).astype(dtype), psf.astype(dtype)


# Name, the file that defines it, how it is called, and the relative difference allowed in float32 and float64:
# iterations amplify the difference in rounding between cuFFT and pocketfft.
ALGORITHMS = [
    ("wiener", "deconv.nonblind.wiener", lambda f, image, psf: f(image, psf), (1e-3, 1e-10)),
    ("richardson_lucy", "deconv.nonblind.richardson_lucy", lambda f, image, psf: f(image, psf, 30), (1e-3, 1e-9)),
    ("variational", "deconv.nonblind.variational", lambda f, image, psf: f(image, psf).image, (1e-2, 1e-6)),
    ("deblur", "deconv.blind", lambda f, image, psf: f(image).image, (5e-2, 1e-3)),
]


def algorithms() -> Iterator[tuple[str, Callable[[Any, Any], Any], tuple[float, float]]]:
    """Yield (name, call, tolerances) of each algorithm, and print those that cannot be imported here."""
    for name, module, call, tolerances in ALGORITHMS:
        try:
            function = getattr(importlib.import_module(module), name)
        except (ImportError, AttributeError) as error:
            print(f"  {name:42} skipped: {error}")
            continue
        yield name, partial(call, function), tolerances


def check_algorithms(gpu: Gpu, side: int) -> Iterator[tuple[str, float, float]]:
    """Yield (name, largest relative difference, tolerance) for each algorithm and dtype."""
    for name, call, tolerances in algorithms():
        for dtype, tolerance in zip(("float32", "float64"), tolerances, strict=True):
            image, psf = problem(side, dtype)
            host = call(image, psf)
            device = gpu.asnumpy(call(gpu.asarray(image), gpu.asarray(psf)))
            if device.dtype != host.dtype:
                yield f"{name} {dtype} gave {device.dtype} on the device", np.inf, tolerance
            yield f"{name} {dtype} {side} x {side}", difference(device, host), tolerance


def seconds(call: Callable[[], object], wait: Callable[[], object], rounds: int) -> float:
    """Best time of one call in `rounds`, after one that compiles kernels and makes FFT plans."""
    call()
    wait()
    best = np.inf
    for _ in range(rounds):
        start = time.perf_counter()
        call()
        wait()
        best = min(best, time.perf_counter() - start)
    return best


def timings(gpu: Gpu, side: int, rounds: int) -> Iterator[tuple[str, float, float, int | None]]:
    """Yield (name, seconds on the host, seconds on the device, bytes through the arrays or None)."""
    for name in kernels.__all__:
        kernel = getattr(kernels, name)
        host = [np.nan_to_num(a) for a in kernel_arguments(kernel, (side, side), "float32")]
        host = [a if p.array else float(a) for p, a in zip(kernel.parameters, host, strict=True)]
        device = on_device(gpu, host)
        size = sum(a.nbytes for a in host if isinstance(a, np.ndarray))
        times = (
            seconds(partial(kernel, *host), int, min(rounds, 3)),
            seconds(partial(kernel, *device), gpu.synchronise, rounds),
        )
        yield f"kernel {name} float32 {side} x {side}", *times, size
    for name, call, _ in algorithms():
        image, psf = problem(side // 4, "float32")
        there = gpu.asarray(image), gpu.asarray(psf)
        times = (
            seconds(partial(call, image, psf), int, 1),
            seconds(partial(call, *there), gpu.synchronise, min(rounds, 3)),
        )
        yield f"{name} float32 {side // 4} x {side // 4}", *times, None


def report(gpu: Gpu, side: int = 512, large: int = 4096, rounds: int = 20) -> int:
    """Print the table and return the number of differences beyond tolerance."""
    failures = 0
    print("\nhost against device                              difference    allowed")
    for checks in (check_kernels(gpu), check_algorithms(gpu, side)):
        for what, worst, tolerance in checks:
            failures += not worst <= tolerance
            print(f"  {what:46} {worst:10.1e} {tolerance:10.0e}  {'ok' if worst <= tolerance else 'DIFFERS'}")
    print("\nbest time, ms                                          host     device  speed-up       GB/s")
    for what, host, device, size in timings(gpu, large, rounds):
        rate = f"{size / device / 1e9:10.0f}" if size else ""
        print(f"  {what:46} {host * 1e3:10.2f} {device * 1e3:10.3f} {host / device:9.1f} {rate}")
    return failures


def main() -> int:
    """Check, time, and return the exit status."""
    packages = ("numpy", "scipy", "numba", "cupy", "skimage", "array_api_compat", "ducc0")
    present = [name for name in packages if importlib.util.find_spec(name)]
    versions = ", ".join(f"{name} {importlib.import_module(name).__version__}" for name in present)
    print(f"Python {platform.python_version()}; {versions}")
    if "cupy" not in present:
        print("No GPU was checked: cupy is not installed (pip install cupy-cuda13x).")
        return 2
    import cupy

    if not cupy.cuda.is_available():
        print("No GPU was checked: cupy finds no CUDA device on this machine.")
        return 2
    gpu = Gpu()
    print(gpu.describe())
    failures = report(gpu)
    print(f"\n{failures} differences beyond what is allowed" if failures else "\nhost and device agree")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
