"""The FFT behind every transfer function: real transforms, fast padded lengths, the OTF held across iterations.

NumPy arrays are transformed by ducc0 if it is installed (``pip install deconv[fast]``, GPL), else by `scipy.fft`. The
environment variable ``DECONV_FFT`` (``scipy`` or ``ducc0``) forces one of the two. CuPy arrays go to
`cupyx.scipy.fft`; any other array-API library uses its own ``fft`` extension. ``numpy.fft`` is never used: it takes
twice as long in float32.
"""

import functools
import importlib
import math
import os
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import scipy.fft

from deconv._core.array import Array, Result, array_namespace, device, library

__all__ = ["Transfer", "Workspace", "embed", "fast_shape", "irfftn", "rfftn", "threads"]

# Below this many pixels a second thread costs more than it brings (measured at 256 x 256 on two cores).
_SERIAL_PIXELS = 2**16
_LIBRARIES = ("scipy", "ducc0")


@functools.cache
def _ducc() -> Any:
    """The module ``ducc0.fft``, or None if it is not installed or ``DECONV_FFT`` asks for SciPy."""
    forced = os.environ.get("DECONV_FFT", "")
    if forced and forced not in _LIBRARIES:
        raise ValueError(f"the environment variable DECONV_FFT must be one of {', '.join(_LIBRARIES)}, got {forced!r}")
    if forced == "scipy":
        return None
    try:
        return importlib.import_module("ducc0.fft")
    except ImportError:
        if forced:
            raise ImportError("DECONV_FFT asks for ducc0, which is not installed: pip install ducc0") from None
        return None


def threads(pixels: int) -> int:
    """Threads for a transform of `pixels`: ``OMP_NUM_THREADS`` if set, else the cores that this process may use."""
    if pixels < _SERIAL_PIXELS:
        return 1
    asked = os.environ.get("OMP_NUM_THREADS", "")
    if asked.isdigit() and int(asked) > 0:
        return int(asked)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def fast_shape(shape: Iterable[int]) -> tuple[int, ...]:
    """The smallest shape, no axis shorter than `shape`, that transforms fast; its last axis is even."""
    *rows, last = (int(n) for n in shape)
    last = scipy.fft.next_fast_len(last, real=True)
    while last % 2:
        last = scipy.fft.next_fast_len(last + 1, real=True)
    return (*(scipy.fft.next_fast_len(n, real=True) for n in rows), last)


def rfftn(x: Array, ndim: int | None = None) -> Result:
    """Real FFT over the last `ndim` axes (all by default); float32 gives complex64."""
    ndim = ndim or x.ndim
    axes = tuple(range(x.ndim - ndim, x.ndim))
    name = library(x)
    if name == "numpy":
        workers = threads(math.prod(x.shape))
        if ducc := _ducc():
            return ducc.r2c(x, axes=axes, nthreads=workers)
        return scipy.fft.rfftn(x, axes=axes, workers=workers)
    if name == "cupy":
        import cupyx.scipy.fft

        return cupyx.scipy.fft.rfftn(x, axes=axes)
    return array_namespace(x).fft.rfftn(x, axes=axes)


def irfftn(spectrum: Array, shape: Sequence[int]) -> Result:
    """Inverse of `rfftn` onto the last ``len(shape)`` axes of that `shape`; `spectrum` may be overwritten."""
    shape = tuple(shape)
    axes = tuple(range(spectrum.ndim - len(shape), spectrum.ndim))
    name = library(spectrum)
    if name == "numpy":
        workers = threads(math.prod(spectrum.shape[: -len(shape)]) * math.prod(shape))
        if ducc := _ducc():
            return ducc.c2r(
                spectrum,
                axes=axes,
                lastsize=shape[-1],
                forward=False,
                inorm=2,
                nthreads=workers,
                allow_overwriting_input=True,
            )
        return scipy.fft.irfftn(spectrum, s=shape, axes=axes, workers=workers, overwrite_x=True)
    if name == "cupy":
        import cupyx.scipy.fft

        return cupyx.scipy.fft.irfftn(spectrum, s=shape, axes=axes, overwrite_x=True)
    return array_namespace(spectrum).fft.irfftn(spectrum, s=shape, axes=axes)


def embed(psf: Array, shape: Sequence[int]) -> Result:
    """`psf` on a periodic grid of `shape`, its centre (index ``n // 2`` of each axis) at the origin."""
    xp = array_namespace(psf)
    pad = xp.zeros(shape, dtype=psf.dtype, device=device(psf))
    pad[tuple(slice(0, n) for n in psf.shape)] = psf
    return xp.roll(pad, tuple(-(n // 2) for n in psf.shape), axis=tuple(range(psf.ndim)))


class Transfer:
    """Convolution with one PSF on a periodic grid, its transfer function (OTF) computed once.

    Pad the image (to `fast_shape` of its size plus the PSF's) so that nothing wraps round into it.
    Leading axes of the arrays (colours, a batch) share the OTF.

    Parameters
    ----------
    psf : array, shape (m, n) or (l, m, n) or (n,)
        Point-spread function, its centre at index ``n // 2`` of each axis.
    shape : tuple of int
        The grid, one length for each axis of `psf`.

    Attributes
    ----------
    otf : complex array
        ``rfftn`` of the embedded PSF.
    conj : complex array
        Its conjugate, the transfer function of the adjoint; computed when first used.
    """

    def __init__(self, psf: Array, shape: Sequence[int]) -> None:
        self.shape = tuple(shape)
        self.otf: Any = rfftn(embed(psf, self.shape))

    @functools.cached_property
    def conj(self) -> Result:
        return array_namespace(self.otf).conj(self.otf)

    def forward(self, x: Array) -> Result:
        """A x: `x` blurred."""
        spectrum = rfftn(x, len(self.shape))
        spectrum *= self.otf
        return irfftn(spectrum, self.shape)

    def adjoint(self, x: Array) -> Result:
        """A^T x: correlation with the PSF, by the conjugate OTF (never a flipped PSF)."""
        spectrum = rfftn(x, len(self.shape))
        spectrum *= self.conj
        return irfftn(spectrum, self.shape)


class Workspace:
    """Memory in which a `Transfer` blurs and correlates repeatedly.

    Results are C-contiguous, of shape ``(channels, ..., pitch)``: rows may be longer than the grid's, and the excess
    means nothing. The next call overwrites them. ducc0 works in place, in one array as large as the image (bit for bit
    as out of place, and 5 to 40 % quicker); other libraries allocate as usual.

    Parameters
    ----------
    transfer : Transfer
        The blur.
    channels : int
        Length of the leading axis.
    like : array
        An image, for its library and dtype.
    """

    def __init__(self, transfer: Transfer, channels: int, like: Array) -> None:
        self.transfer = transfer
        self.ndim = len(transfer.shape)
        self._spectrum: Any = None
        self._memory: Any = None
        if library(like) != "numpy" or not _ducc_in_place():
            return
        self._ducc = _ducc()
        self._spectrum = np.empty((channels, *transfer.otf.shape), dtype=transfer.otf.dtype)
        self._memory = self._spectrum.view(like.dtype)
        self._options: dict[str, Any] = {
            "axes": tuple(range(1, self.ndim + 1)),
            "nthreads": threads(channels * math.prod(transfer.shape)),
        }

    def blur(self, x: Array) -> Result:
        """A x, for `x` of shape ``(channels, ...)`` on the grid."""
        if self._spectrum is None:
            return self.transfer.forward(x)
        return self._in_place(x, forward=True)

    def correlate(self, memory: Array) -> Result:
        """A^T of the contents of `memory`, a result of `blur` that may have been changed."""
        if self._spectrum is None:
            return self.transfer.adjoint(memory)
        return self._in_place(self._grid(memory), forward=False)

    def _grid(self, memory: Array) -> Result:
        return memory[..., : self.transfer.shape[-1]]

    def _in_place(self, x: Array, forward: bool) -> Result:
        # With both signs of the exponent reversed, the OTF acts as its conjugate.
        spectrum = self._spectrum
        self._ducc.r2c(x, out=spectrum, forward=forward, **self._options)
        spectrum *= self.transfer.otf
        self._ducc.c2r(
            spectrum,
            out=self._grid(self._memory),
            lastsize=self.transfer.shape[-1],
            forward=not forward,
            inorm=2,
            allow_overwriting_input=True,
            **self._options,
        )
        return self._memory


@functools.cache
def _ducc_in_place() -> bool:
    """Whether the installed ducc0 transforms in place correctly: it does, but its documentation does not promise it."""
    ducc = _ducc()
    if ducc is None:
        return False
    for shape in ((6, 10), (30, 34, 66)):
        axes = tuple(range(len(shape)))
        x = np.random.default_rng(0).standard_normal(shape)
        spectrum = np.empty((*shape[:-1], shape[-1] // 2 + 1), dtype=complex)
        inside = spectrum.view(float)[..., : shape[-1]]
        inside[...] = x
        try:
            ducc.r2c(inside, axes=axes, out=spectrum)
            right = np.array_equal(spectrum, ducc.r2c(x, axes=axes))
            options = {"axes": axes, "lastsize": shape[-1], "forward": False, "inorm": 2}
            ducc.c2r(spectrum, out=inside, allow_overwriting_input=True, **options)
        except (TypeError, ValueError, RuntimeError):
            return False
        if not (right and np.allclose(inside, x, rtol=0, atol=1e-12)):
            return False
    return True
