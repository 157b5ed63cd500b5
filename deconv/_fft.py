"""The FFT behind every transfer function: real transforms, fast padded lengths, the OTF held across iterations.

NumPy arrays go to ducc0 where it is installed (``pip install deconv[fast]``, GPL) and to `scipy.fft`
otherwise; CuPy arrays to `cupyx.scipy.fft`; any other array-API library to its own ``fft`` extension.
``numpy.fft`` is never used: it is twice as slow in float32.
"""

import functools
import math
import os

import scipy.fft

from deconv._array import array_namespace, library

__all__ = ["Transfer", "embed", "fast_shape", "irfftn", "rfftn", "threads"]

# Below this many pixels a second thread costs more than it brings (measured at 256 x 256 on two cores).
_SERIAL_PIXELS = 2**16


@functools.cache
def _ducc():
    if os.environ.get("DECONV_FFT", "") == "scipy":
        return None
    try:
        import ducc0
    except ImportError:
        return None
    return ducc0.fft


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
    axes = tuple(range(x.ndim - (ndim or x.ndim), x.ndim))
    name = library(x)
    if name == "numpy":
        workers = threads(x.size)
        if ducc := _ducc():
            return ducc.r2c(x, axes=axes, nthreads=workers)
        return scipy.fft.rfftn(x, axes=axes, workers=workers)
    if name == "cupy":
        import cupyx.scipy.fft

        return cupyx.scipy.fft.rfftn(x, axes=axes)
    return array_namespace(x).fft.rfftn(x, axes=axes)


def irfftn(spectrum, shape):
    """Inverse of `rfftn` onto the last ``len(shape)`` axes of that `shape`; `spectrum` may be overwritten."""
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


def embed(psf, shape):
    """`psf` on a grid of `shape`, its centre (index ``n // 2`` of each axis) at the origin, wrapped round."""
    xp = array_namespace(psf)
    pad = xp.zeros(shape, dtype=psf.dtype, device=psf.device)
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
        Its conjugate, the transfer function of the adjoint.
    """

    def __init__(self, psf, shape):
        self.shape = tuple(shape)
        self.otf = rfftn(embed(psf, self.shape))
        self.conj = array_namespace(psf).conj(self.otf)

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
