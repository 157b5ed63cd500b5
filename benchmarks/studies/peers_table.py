"""How fast are Richardson-Lucy and Wiener against other packages? CPU time on one thread, contenders in turn.

::

    python -m benchmarks.studies.peers_table                  # all sizes, several minutes; prints markdown
    python -m benchmarks.studies.peers_table --quick          # 1024 x 1024, PSF 31
    python -m benchmarks.studies.peers_table --rounds 9

Packages that are not installed are skipped: ``pip install RedLionfish sdeconv deepinv``, if need be with ``--no-deps``,
in a separate environment. Their RL and Wiener need neither OpenCL nor torchvision, for which there is a stand-in.

The floor is four real FFTs by ducc0 (two there, two back) of the padded size, n + k - 1 rounded up to a fast length.
The time of an iteration is that of a long run minus that of a short one, which excludes the set-up. The packages
compute different things: scikit-image and `deconv.compat` assume that the outside is black, RedLionfish and deepinv
that the picture is periodic, sdeconv that it is mirrored by half a PSF; `deconv.richardson_lucy` and `deconv.wiener`
treat the outside as unknown. All iterations are plain, without acceleration.
"""

import argparse
import functools
import importlib.abc
import importlib.machinery
import importlib.metadata
import os
import platform
import sys
import time
import types
from collections.abc import Callable, Iterable, Mapping
from typing import Any

if __name__ == "__main__":  # before any library counts the cores
    for _name in ("OMP", "NUMBA", "OPENBLAS", "MKL"):
        os.environ[f"{_name}_NUM_THREADS"] = "1"

import ducc0
import numpy as np
from scipy.signal import fftconvolve
from skimage import restoration

import deconv
from deconv._core.fft import fast_shape
from deconv.compat import skimage as compat

SIZES = ((1024, 1024), (1460, 2360))
WIDTHS = (15, 31, 65)
DTYPES = ("float32", "float64")


# From picture and PSF to a function of the iterations; None if the package lacks the float type.
Maker = Callable[[np.ndarray, np.ndarray], Any]


class _StandIn(types.ModuleType):
    """A module in which every name is an empty class."""

    def __getattr__(self, name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})


class _WithoutTorchvision(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports a stand-in for torchvision, which the packages need for their learned methods only."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        wanted = name.partition(".")[0] == "torchvision"
        return importlib.machinery.ModuleSpec(name, self, is_package=True) if wanted else None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        return _StandIn(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        pass


def _peers() -> tuple[dict[str, Maker], dict[str, Maker], list[str]]:
    """RL and Wiener of each installed package, by name, and the missing packages."""
    rl: dict[str, Maker] = {
        "deconv": lambda y, h: lambda n: deconv.richardson_lucy(y, h, n, accelerate=False),
        "deconv.compat": lambda y, h: lambda n: compat.richardson_lucy(y, h, n, clip=False),
        "scikit-image": lambda y, h: lambda n: restoration.richardson_lucy(y, h, n, clip=False),
    }
    wiener: dict[str, Maker] = {
        "deconv": lambda y, h: lambda: deconv.wiener(y, h, 0.01),
        "deconv.compat": lambda y, h: lambda: compat.wiener(y, h, 0.01, clip=False),
        "scikit-image": lambda y, h: lambda: restoration.wiener(y, h, 0.01, clip=False),
    }
    left_out = []
    try:
        from RedLionfishDeconv.RLDeconv3DScipy import doRLDeconvolution

        # It computes in float32 only.
        rl["RedLionfish"] = lambda y, h: (
            (lambda n: doRLDeconvolution(y[None], h[None], niter=n)) if y.dtype == np.float32 else None
        )
    except ImportError:
        left_out.append("RedLionfish")
    try:
        import torch

        torch.set_num_threads(1)
        sys.meta_path.append(_WithoutTorchvision())
    except ImportError:
        return rl, wiener, [*left_out, "sdeconv", "deepinv"]
    try:
        from sdeconv.deconv import SRichardsonLucy, SWiener

        def sdeconv(y: Any, h: Any) -> Any:
            y, h = torch.from_numpy(y), torch.from_numpy(h)
            return lambda n: SRichardsonLucy(h, niter=n, pad=h.shape[0] // 2)(y)

        def sdeconv_wiener(y: Any, h: Any) -> Any:
            y, h = torch.from_numpy(y), torch.from_numpy(h)
            return lambda: SWiener(h, beta=0.01, pad=h.shape[0] // 2)(y)

        rl["sdeconv"], wiener["sdeconv"] = sdeconv, sdeconv_wiener
    except ImportError:
        left_out.append("sdeconv")
    try:
        import deepinv

        def mlem(y: Any, h: Any) -> Any:
            physics = deepinv.physics.BlurFFT(img_size=(1, *y.shape), filter=torch.from_numpy(h)[None, None])
            y = torch.from_numpy(y)[None, None]
            return lambda n: deepinv.optim.MLEM(max_iter=n)(y, physics)

        rl["deepinv"] = mlem
    except ImportError:
        left_out.append("deepinv")
    return rl, wiener, left_out


def _problem(shape: tuple[int, ...], width: int, dtype: str) -> tuple[np.ndarray, np.ndarray]:
    """A blurred picture with Poisson noise, and its PSF, a disk."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:width, :width] - width // 2
    psf = (x**2 + y**2 <= (width // 2) ** 2).astype(np.float64)
    psf /= psf.sum()
    blocks = rng.random(tuple(n // 16 + 6 for n in shape)).repeat(16, 0).repeat(16, 1) + 0.05
    blurred = fftconvolve(blocks[tuple(slice(0, n + width - 1) for n in shape)], psf, "valid")
    return (rng.poisson(blurred * 1000) / 1000).astype(dtype), psf.astype(dtype)


def _transforms(shape: tuple[int, ...], width: int, dtype: str, count: int) -> None:
    """`count` real FFTs by ducc0 of the padded size, half of them inverse, into allocated memory."""
    grid = fast_shape(n + width - 1 for n in shape)
    x = np.random.default_rng(0).random(grid).astype(dtype)
    spectrum = ducc0.fft.r2c(x)
    for _ in range(count // 2):
        ducc0.fft.r2c(x, out=spectrum, nthreads=1)
        ducc0.fft.c2r(
            spectrum, out=x, lastsize=grid[-1], forward=False, inorm=2, nthreads=1, allow_overwriting_input=True
        )


def _floor(shape: tuple[int, ...], width: int, dtype: str, iterations: int) -> float:
    """CPU seconds of four transforms."""
    short = _cpu(lambda: _transforms(shape, width, dtype, 4))
    return (_cpu(lambda: _transforms(shape, width, dtype, 4 + 4 * iterations)) - short) / iterations


def _floor_of_wiener(shape: tuple[int, ...], width: int, dtype: str) -> float:
    """CPU seconds of three transforms."""
    return 0.75 * _floor(shape, width, dtype, 2)


def _cpu(call: Callable[[], object]) -> float:
    start = time.process_time()
    call()
    return time.process_time() - start


def _rounds(contenders: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, np.ndarray]:
    """CPU seconds of each contender in each round; the contenders of a round take turns."""
    for call in contenders.values():
        call()  # compiles, plans, touches memory
    seconds = [{name: call() for name, call in contenders.items()} for _ in range(rounds)]
    return {name: np.array([s[name] for s in seconds]) for name in contenders}


def _iteration(run: Callable[[int], object], iterations: int) -> float:
    short = _cpu(lambda: run(1))
    return (_cpu(lambda: run(1 + iterations)) - short) / iterations


def _row(case: str, seconds: Mapping[str, np.ndarray], names: Iterable[str]) -> None:
    """A row of the table: the floor, our time, and the medians over the rounds of the ratios."""
    floor, ours = seconds["floor"], seconds["deconv"]
    cells = [case, f"{1e3 * np.median(floor):.1f}", f"{1e3 * np.median(ours):.1f}"]
    cells.append(f"{np.median(ours / floor):.2f}")
    for name in names:
        cells.append(f"{np.median(seconds[name] / ours):.2f}" if name in seconds else "-")
    print("| " + " | ".join(cells) + " |", flush=True)


def _head(title: str, unit: str, names: Iterable[str]) -> None:
    print(f"\n{title}\n")
    columns = ["picture, PSF, dtype", "floor, ms", f"deconv, ms{unit}", "deconv / floor"]
    columns += [f"{name} / deconv" for name in names]
    print("| " + " | ".join(columns) + " |\n|" + "---|" * len(columns), flush=True)


def _versions(left_out: list[str]) -> None:
    names = [
        "numpy",
        "scipy",
        "ducc0",
        "mkl-fft",
        "numba",
        "torch",
        "scikit-image",
        "RedLionfish",
        "sdeconv",
        "deepinv",
    ]
    versions = []
    for name in names:
        try:
            versions.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    print(f"Python {platform.python_version()}, deconv {deconv.__version__}, {', '.join(versions)}.")
    if left_out:
        print(f"Not installed: {', '.join(left_out)}.")


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="1024 x 1024 and PSF 31 only")
    parser.add_argument("--rounds", type=int, default=5, help="rounds, whose medians are printed")
    args = parser.parse_args()
    sizes, widths = (SIZES[:1], WIDTHS[1:2]) if args.quick else (SIZES, WIDTHS)
    cases = [(shape, width, dtype) for shape in sizes for width in widths for dtype in DTYPES]

    rl, wiener, left_out = _peers()
    _versions(left_out)
    print(
        "One thread, CPU time, contenders in turn; medians, of ratios taken within a round. Greater than 1: deconv is"
    )
    print("quicker. The floor: four real FFTs of the padded size by ducc0 (for Wiener, three).")

    names = [name for name in rl if name != "deconv"]
    _head("Richardson-Lucy, one iteration, not accelerated", " / iteration", names)
    for shape, width, dtype in cases:
        image, psf = _problem(shape, width, dtype)
        iterations = 8 if shape == SIZES[0] else 3
        calls = {name: make(image, psf) for name, make in rl.items()}
        contenders: dict[str, Callable[[], float]] = {
            name: functools.partial(_iteration, run, iterations) for name, run in calls.items() if run
        }
        contenders["floor"] = functools.partial(_floor, shape, width, dtype, iterations)
        case = f"{shape[1]} x {shape[0]}, {width}, {dtype}"
        _row(case, _rounds(contenders, args.rounds), names)

    names = [name for name in wiener if name != "deconv"]
    _head("Wiener, one picture, balance given, transfer function not known beforehand", "", names)
    for shape, width, dtype in cases:
        image, psf = _problem(shape, width, dtype)
        contenders = {name: functools.partial(_cpu, make(image, psf)) for name, make in wiener.items()}
        contenders["floor"] = functools.partial(_floor_of_wiener, shape, width, dtype)
        case = f"{shape[1]} x {shape[0]}, {width}, {dtype}"
        _row(case, _rounds(contenders, args.rounds), names)
    return 0


if __name__ == "__main__":
    sys.exit(main())
