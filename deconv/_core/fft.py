"""The FFT behind every transfer function: real transforms, fast padded lengths, the OTF held across iterations.

NumPy arrays are transformed by ducc0 where it is installed (``pip install deconv[fast]``, GPL), else by `scipy.fft`.
The environment variable ``DECONV_FFT`` (``scipy``, ``ducc0`` or ``mkl_fft``) forces one of them. mkl_fft
(``pip install deconv[mkl]``) is never taken by itself: it is quicker than ducc0 for planes in float32 on Intel's
processors, but its real transforms of 40 rows were found wrong there (2.3.2 with MKL 2026.2), so each size is first
compared with `scipy.fft`. `docs/results.md` has the figures. CuPy arrays go to `cupyx.scipy.fft`; any other array-API
library to its own ``fft`` extension. ``numpy.fft`` is never used: it is twice as slow in float32.
"""

import functools
import importlib
import math
import os

import numpy as np
import scipy.fft

from deconv._core.array import array_namespace, device, library

__all__ = ["Transfer", "Workspace", "embed", "fast_shape", "irfftn", "rfftn", "threads"]

# Below this many pixels a second thread costs more than it brings (measured at 256 x 256 on two cores).
_SERIAL_PIXELS = 2**16
_LIBRARIES = ("scipy", "ducc0", "mkl_fft")


@functools.cache
def _installed(name):
    """The module `name` if ``DECONV_FFT`` names it, or if it is ducc0, installed, and nothing else is named."""
    forced = os.environ.get("DECONV_FFT", "")
    if forced and forced not in _LIBRARIES:
        raise ValueError(f"the environment variable DECONV_FFT must be one of {', '.join(_LIBRARIES)}, got {forced!r}")
    if name != (forced or "ducc0"):
        return None
    try:
        return importlib.import_module({"ducc0": "ducc0.fft"}.get(name, name))
    except ImportError:
        if forced:
            raise ImportError(f"DECONV_FFT asks for {name}, which is not installed: pip install {name}") from None
        return None


def _mkl(dtype, shape):
    """mkl_fft where it is asked for: for planes (it is slow on volumes), of a size that it gets right."""
    mkl = _installed("mkl_fft")
    double = dtype in (np.float64, np.complex128)
    return mkl if mkl and len(shape) == 2 and _mkl_is_right(tuple(shape), double) else None


@functools.cache
def _mkl_is_right(shape, double):
    mkl = _installed("mkl_fft")
    x = np.random.default_rng(0).standard_normal(shape).astype(np.float64 if double else np.float32)
    want = scipy.fft.rfftn(x)
    tolerance = (1e-12 if double else 1e-4) * float(np.max(np.abs(want)))
    there = np.allclose(mkl.rfftn(x), want, rtol=0, atol=tolerance)
    return bool(there and np.allclose(mkl.irfftn(want, s=shape), x, rtol=0, atol=tolerance))


def _planes(shape):
    """The index of each plane: mkl_fft is slow on leading axes."""
    return np.ndindex(shape[:-2])


def threads(pixels):
    """Threads for a transform of that many pixels: ``OMP_NUM_THREADS`` if set, else the cores this process may use."""
    if pixels < _SERIAL_PIXELS:
        return 1
    asked = os.environ.get("OMP_NUM_THREADS", "")
    if asked.isdigit() and int(asked) > 0:
        return int(asked)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def fast_shape(shape):
    """The smallest shape, no axis shorter than `shape`, that transforms fast; its last axis is even."""
    *rows, last = (int(n) for n in shape)
    last = scipy.fft.next_fast_len(last, real=True)
    while last % 2:
        last = scipy.fft.next_fast_len(last + 1, real=True)
    return (*(scipy.fft.next_fast_len(n, real=True) for n in rows), last)


def rfftn(x, ndim=None):
    """Real FFT over the last `ndim` axes (all by default); float32 gives complex64."""
    ndim = ndim or x.ndim
    axes = tuple(range(x.ndim - ndim, x.ndim))
    name = library(x)
    if name == "numpy":
        workers = threads(x.size)
        if mkl := _mkl(x.dtype, x.shape[-ndim:]):
            out = np.empty((*x.shape[:-1], x.shape[-1] // 2 + 1), dtype=np.result_type(x.dtype, np.complex64))
            for plane in _planes(x.shape):
                mkl.rfftn(x[plane], out=out[plane])
            return out
        if ducc := _installed("ducc0"):
            return ducc.r2c(x, axes=axes, nthreads=workers)
        return scipy.fft.rfftn(x, axes=axes, workers=workers)
    if name == "cupy":
        import cupyx.scipy.fft

        return cupyx.scipy.fft.rfftn(x, axes=axes)
    return array_namespace(x).fft.rfftn(x, axes=axes)


def irfftn(spectrum, shape):
    """Inverse of `rfftn` onto the last ``len(shape)`` axes of that `shape`; `spectrum` may be overwritten."""
    shape = tuple(shape)
    axes = tuple(range(spectrum.ndim - len(shape), spectrum.ndim))
    name = library(spectrum)
    if name == "numpy":
        workers = threads(math.prod(spectrum.shape[: -len(shape)]) * math.prod(shape))
        if mkl := _mkl(spectrum.dtype, shape):
            out = np.empty((*spectrum.shape[: -len(shape)], *shape), dtype=spectrum.real.dtype)
            for plane in _planes(out.shape):
                mkl.irfftn(spectrum[plane], s=shape, out=out[plane])
            return out
        if ducc := _installed("ducc0"):
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


def embed(psf, shape):
    """`psf` on a grid of `shape`, its centre (index ``n // 2`` of each axis) at the origin, wrapped round."""
    xp = array_namespace(psf)
    pad = xp.zeros(shape, dtype=psf.dtype, device=device(psf))
    pad[tuple(slice(0, n) for n in psf.shape)] = psf
    return xp.roll(pad, tuple(-(n // 2) for n in psf.shape), axis=tuple(range(psf.ndim)))


class Transfer:
    """Convolution with one PSF on a periodic grid, its transfer function (OTF) computed once.

    Pad the picture (`fast_shape` of its size plus the PSF's) so that what wraps round falls outside.
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
        Its conjugate, the transfer function of the adjoint; made when first used.
    """

    def __init__(self, psf, shape):
        self.shape = tuple(shape)
        self.otf = rfftn(embed(psf, self.shape))

    @functools.cached_property
    def conj(self):
        return array_namespace(self.otf).conj(self.otf)

    def forward(self, x):
        """A x: `x` blurred."""
        spectrum = rfftn(x, len(self.shape))
        spectrum *= self.otf
        return irfftn(spectrum, self.shape)

    def adjoint(self, x):
        """A^T x: correlation with the PSF, by the conjugate OTF (never a flipped PSF)."""
        spectrum = rfftn(x, len(self.shape))
        spectrum *= self.conj
        return irfftn(spectrum, self.shape)


class Workspace:
    """Memory in which a `Transfer` blurs and correlates again and again.

    What comes out is C-contiguous, of shape ``(channels, ..., pitch)``: its rows may be longer than the grid's, their
    rest without meaning. It is overwritten by the next call. ducc0 works in place, in one array as large as the
    picture (bit for bit as out of place, and 5 to 40 % quicker); other libraries allocate as they do.

    Parameters
    ----------
    transfer : Transfer
        The blur.
    channels : int
        Length of the leading axis.
    like : array
        A picture, for its library and dtype.
    """

    def __init__(self, transfer, channels, like):
        self.transfer = transfer
        self.ndim = len(transfer.shape)
        self._spectrum = self._memory = None
        if library(like) != "numpy" or _mkl(like.dtype, transfer.shape) or not _ducc_in_place():
            return
        self._ducc = _installed("ducc0")
        self._spectrum = np.empty((channels, *transfer.otf.shape), dtype=transfer.otf.dtype)
        self._memory = self._spectrum.view(like.dtype)
        self._options = {
            "axes": tuple(range(1, self.ndim + 1)),
            "nthreads": threads(channels * math.prod(transfer.shape)),
        }

    def blur(self, x):
        """A x, for `x` of shape ``(channels, ...)`` on the grid."""
        if self._spectrum is None:
            return self.transfer.forward(x)
        return self._in_place(x, forward=True)

    def correlate(self, memory):
        """A^T of what is in `memory`, which came from `blur` and may have been changed."""
        if self._spectrum is None:
            return self.transfer.adjoint(memory)
        return self._in_place(self._grid(memory), forward=False)

    def _grid(self, memory):
        return memory[..., : self.transfer.shape[-1]]

    def _in_place(self, x, forward):
        # With both signs of the exponent turned round, the OTF acts as its conjugate.
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
def _ducc_in_place():
    """Whether the ducc0 installed transforms in place rightly: it does, but does not promise to."""
    ducc = _installed("ducc0")
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
