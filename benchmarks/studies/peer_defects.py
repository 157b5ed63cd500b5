"""On which problems of `tests/known_answers.py` are deconv and other installed packages right? A table.

::

    python -m benchmarks.studies.peer_defects              # all cases
    python -m benchmarks.studies.peer_defects camera NaN   # cases with one of these words in their names

The packages are scikit-image, RedLionfish (its CPU path), sdeconv and flowdec; missing ones are named and skipped. They
are called by their public functions, with every option in their favour. The blur and adjoint inside their iterations
are not public: `_skimage`, `_redlionfish` and `_sdeconv` assemble them from the packages' own helpers and flips.
flowdec uses the conjugate, which is right. cuCIM needs a GPU; it follows scikit-image except for its flip,
``psf[::-1, ::-1]`` for any number of axes, which is put into scikit-image's iterations here.
"""

import importlib.metadata
import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import scipy.signal

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))

import known_answers
from known_answers import Case, Library

Convolution = Callable[[np.ndarray], np.ndarray]
Pair = Callable[[np.ndarray, tuple[int, ...]], tuple[Convolution, Convolution]]


def centred(psf: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """`psf` in zeros of `shape`, its centre (index n // 2) at that of the larger array."""
    out = np.zeros(shape, psf.dtype)
    out[tuple(slice(n // 2 - k // 2, n // 2 - k // 2 + k) for n, k in zip(shape, psf.shape, strict=True))] = psf
    return out


def _flipping(flip: Convolution) -> Pair:
    """The convolutions inside scikit-image's iterations with the given flip of the PSF."""

    def adjoint(psf: np.ndarray, shape: tuple[int, ...]) -> tuple[Convolution, Convolution]:
        def blur(x: np.ndarray) -> np.ndarray:
            return scipy.signal.convolve(x, psf, mode="same")

        def back(y: np.ndarray) -> np.ndarray:
            return scipy.signal.convolve(y, flip(psf), mode="same")

        return blur, back

    return adjoint


def _skimage() -> Library:
    from skimage import restoration

    def rl(image: np.ndarray, psf: np.ndarray, num_iter: int) -> np.ndarray:
        return restoration.richardson_lucy(image, psf, num_iter, clip=False)

    return Library(
        name="scikit-image",
        version=importlib.metadata.version("scikit-image"),
        adjoint=_flipping(np.flip),
        rl=rl,
        default=restoration.richardson_lucy,
        wiener=lambda image, psf, balance: restoration.wiener(image, psf, balance, clip=False),
        wiener_otf=lambda image, otf, balance: restoration.wiener(image, otf, balance, clip=False),
        unsupervised_wiener=lambda image, psf: restoration.unsupervised_wiener(image, psf, clip=False, rng=0)[0],
    )


def _cucim() -> Library:
    adjoint = _flipping(lambda psf: psf[::-1] if psf.ndim == 1 else psf[::-1, ::-1])

    def rl(image: np.ndarray, psf: np.ndarray, num_iter: int) -> np.ndarray:
        blur, back = adjoint(psf, image.shape)
        x = np.full(image.shape, 0.5)
        for _ in range(num_iter):
            x = x * back(image / (blur(x) + 1e-12))
        return x

    return Library(name="cuCIM's rule", version="repeated", adjoint=adjoint, rl=rl)


def _redlionfish() -> Library:
    import RedLionfishDeconv
    from RedLionfishDeconv.helperfunctions import change3DSizeTo, circulify3D

    def volume(x: np.ndarray, planes: int = 1) -> np.ndarray:
        """Repeat a picture: the package takes volumes only, and centres a PSF only on two planes or more."""
        return np.concatenate([x.reshape((1,) * (3 - x.ndim) + x.shape)] * (planes if x.ndim < 3 else 1), axis=0)

    def rl(image: np.ndarray, psf: np.ndarray, num_iter: int) -> np.ndarray:
        image, ndim = volume(image, 2), image.ndim
        restored = RedLionfishDeconv.doRLDeconvolutionFromNpArrays(image, volume(psf), niter=num_iter, method="cpu")
        restored = restored[..., : image.shape[-1]]  # an odd last axis comes back even
        return restored if ndim == 3 else restored[0]

    def adjoint(psf: np.ndarray, shape: tuple[int, ...]) -> tuple[Convolution, Convolution]:
        if len(shape) < 3:
            raise NotImplementedError
        circular = circulify3D(change3DSizeTo(psf, shape))

        def convolution(kernel: Any) -> Convolution:
            transfer = np.fft.fftn(kernel)
            return lambda x: np.fft.ifftn(np.fft.fftn(x) * transfer).real

        return convolution(circular), convolution(np.flip(circular))

    return Library(
        name="RedLionfish", version=importlib.metadata.version("RedLionfish"), adjoint=adjoint, rl=rl, default=rl
    )


def _sdeconv() -> Library:
    # Only its neural methods need torchvision.
    for name in ("torchvision", "torchvision.transforms", "torchvision.transforms.v2"):
        sys.modules.setdefault(name, mock.MagicMock())
    import torch
    from sdeconv.deconv import srichardsonlucy, swiener

    def prepared(image: np.ndarray, psf: np.ndarray) -> tuple[np.ndarray, tuple[int, ...]]:
        if image.ndim == 2:
            return psf, tuple(k // 2 + 1 for k in psf.shape)  # pads the PSF itself
        return centred(psf, image.shape), tuple(psf.shape)

    def rl(image: np.ndarray, psf: np.ndarray, num_iter: int) -> np.ndarray:
        psf, pad = prepared(image, psf)
        return srichardsonlucy(image, psf, num_iter, pad).numpy()

    def wiener(image: np.ndarray, psf: np.ndarray, balance: float) -> np.ndarray:
        psf, pad = prepared(image, psf)
        return swiener(image, psf, balance, pad).numpy()

    def adjoint(psf: np.ndarray, shape: tuple[int, ...]) -> tuple[Convolution, Convolution]:
        if len(shape) == 1:
            raise NotImplementedError
        kernel = torch.as_tensor(centred(psf, shape))
        rolled = torch.roll(kernel, [int(-n / 2) for n in shape], dims=tuple(range(len(shape))))

        def convolution(kernel: Any) -> Convolution:
            transfer = torch.fft.fftn(kernel)
            return lambda x: torch.fft.ifftn(torch.fft.fftn(torch.as_tensor(x)) * transfer).real.numpy()

        return convolution(rolled), convolution(torch.flip(rolled, dims=[0, 1]))

    return Library(
        name="sdeconv",
        version=importlib.metadata.version("sdeconv"),
        adjoint=adjoint,
        rl=rl,
        default=lambda image, psf, num_iter: srichardsonlucy(image, psf, num_iter, prepared(image, psf)[1]).numpy(),
        wiener=wiener,
    )


def _flowdec() -> Library:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from flowdec.data import Acquisition
    from flowdec.restoration import richardson_lucy

    def rl(image: np.ndarray, psf: np.ndarray, num_iter: int) -> np.ndarray:
        room = np.asarray(psf.shape)
        return richardson_lucy(Acquisition(data=image, kernel=psf), niter=num_iter, pad_min=room)

    return Library(
        name="flowdec",
        version=importlib.metadata.version("flowdec"),
        rl=rl,
        default=lambda image, psf, num_iter: richardson_lucy(Acquisition(data=image, kernel=psf), niter=num_iter),
    )


PEERS = {
    "scikit-image": _skimage,
    "RedLionfish": _redlionfish,
    "sdeconv": _sdeconv,
    "flowdec": _flowdec,
    "cuCIM's rule": _cucim,
}


def installed() -> tuple[list[Library], list[str]]:
    """The packages that can be imported, and a line for each that cannot."""
    present, missing = [], []
    for name, load in PEERS.items():
        try:
            present.append(load())
        except ImportError as error:
            missing.append(f"{name}: not installed ({error})")
    return present, missing


def cell(case: Case, library: Library) -> str:
    """Table cell: the figure of a package in a case, and whether it passes."""
    operations = [getattr(library, name) for name in case.needs.split()]
    if None in operations:
        return "-"
    try:
        value = case.measure(*operations)
    except NotImplementedError:
        return "-"
    except Exception as error:  # a package may fail in any way, which is a result
        return f"FAIL {type(error).__name__}"
    return f"{value:.4g} {'pass' if case.passes(value) else 'FAIL'}"


def main() -> None:
    """Print the table."""
    words = sys.argv[1:]
    peers, missing = installed()
    libraries = [known_answers.ours(accelerate=False), *peers]
    print(*missing, sep="\n")
    titles = ["case", "figure", "limit", *(f"{library.name} {library.version}" for library in libraries)]
    print("| " + " | ".join(titles) + " |\n" + "|---" * len(titles) + "|", flush=True)
    for case in known_answers.CASES:
        if words and not any(word in case.name for word in words):
            continue
        limit = f"{'>=' if case.at_least else '<='} {case.limit:g}"
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            cells = [cell(case, library) for library in libraries]
        print("| " + " | ".join([case.name, case.figure, limit, *cells]) + " |", flush=True)


if __name__ == "__main__":
    main()
