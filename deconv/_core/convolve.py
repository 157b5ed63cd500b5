"""Convolution with one PSF on a periodic grid by the fastest way: tap by tap, axis by axis, or by transforms."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from deconv._core.array import Array, Result, array_namespace, device, library, like, to_numpy
from deconv._core.fft import Transfer, Workspace, threads
from deconv._core.kernels.convolution import correlate, correlate_axis
from deconv._core.kernels.launch import RUNNERS
from deconv._core.separable import separate

__all__ = ["Direct", "Fourier", "Separable", "convolution", "workspace"]

# The loops beat the transforms of ducc0 on one thread up to this many taps: non-zero weights (`_TAPS`), or the sum of
# the lengths of a PSF's factors (`_LENGTHS`). Measured by `benchmarks.studies.convolution`. On small images the
# limits are lower: their rows are short, which slows the loops, and their spectra stay in the cache. scipy.fft takes
# 1.5 to 2 times as long as ducc0, so beside it the loops win somewhat beyond these limits.
_TAPS = {"float32": 81, "float64": 64}
_LENGTHS = {"float32": 80, "float64": 56}
_SMALL_IMAGE = 2**18
# Fewer taps than this are faster in one pass than in a pass for each axis.
_FEW_TAPS = 16
# Compiling the loops takes a second or two. Convolving this many pixels in total wins it back, estimated from the
# gain per pixel for PSFs of 5 x 5.
_WORTH_COMPILING = 2e8
# The crossover has not been measured on a GPU: there the loops do only PSFs of the nearest neighbours.
_TAPS_ON_A_DEVICE = 9


def convolution(psf: Array, shape: Sequence[int]) -> "Direct | Separable | Fourier":
    """Convolution with `psf` on a periodic grid, and its adjoint, by the fastest of three ways.

    Small PSFs are summed tap by tap (`Direct`); larger ones are applied axis by axis if they are a product of one line
    along each axis (`Separable`); all others use transforms (`Fourier`). The results agree to the rounding of the float
    type. The loops run on one thread, the transforms on several, so the limit for the loops is divided by that number.
    The loops are compiled when first used, which takes a second or two.

    Parameters
    ----------
    psf : array, one to three axes
        Point-spread function, its centre at index ``n // 2`` of each axis. Weights may be negative.
    shape : tuple of int
        The grid, one length for each axis of `psf` and none shorter than it.

    Returns
    -------
    Direct, Separable or Fourier
        An object with methods ``forward(x, out=None)`` and ``adjoint(x, out=None)``. Leading axes of `x` (colours, a
        batch) share the PSF; `x` and `out` have its dtype. `out` is C-contiguous, of the shape of `x`, and not `x`
        itself; given `out`, the loops allocate memory (for one image) in the first call only.

    Raises
    ------
    ValueError
        If `shape` does not fit the PSF.
    """
    shape = tuple(int(n) for n in shape)
    if len(shape) != psf.ndim or any(n > m for n, m in zip(psf.shape, shape, strict=True)):
        raise ValueError(f"shape {shape} does not hold a psf of shape {tuple(psf.shape)}")
    most_taps, most_lengths = _most(psf, shape)
    taps = _taps(to_numpy(psf))
    # Only for more than one row of weights. The lengths bound the cost and are known before the factors are computed.
    if (
        taps > max(_FEW_TAPS, psf.shape[-1])
        and sum(psf.shape) <= most_lengths
        and (factors := separate(psf)) is not None
    ):
        return Separable(factors, shape)
    if taps <= most_taps:
        return Direct(psf, shape)
    return Fourier(psf, shape)


def workspace(psf: Array, shape: tuple[int, ...], channels: int, passes: int) -> "Workspace | LoopWorkspace":
    """Memory in which to blur and correlate `passes` times, by loops if that many passes repay compiling them.

    Parameters
    ----------
    psf : array
        Point-spread function.
    shape : tuple of int
        The grid.
    channels : int
        Length of the images' leading axis.
    passes : int
        Expected number of convolutions.

    Returns
    -------
    Workspace or LoopWorkspace
        With methods ``blur(x)`` and ``correlate(memory)``; see `deconv._core.fft.Workspace`.
    """
    worth = passes * channels * math.prod(shape) >= _WORTH_COMPILING
    chosen = convolution(psf, shape) if worth else Transfer(psf, shape)
    if isinstance(chosen, Transfer):
        return Workspace(chosen, channels, psf)
    return LoopWorkspace(chosen, channels, psf)


class LoopWorkspace:
    """`deconv._core.fft.Workspace` for loops: two arrays, one for each direction."""

    def __init__(self, loops: "Direct | Separable", channels: int, like: Array) -> None:
        xp = array_namespace(like)
        self.loops = loops
        shape = (channels, *loops.shape)
        self._blurred, self._correlated = (xp.empty(shape, dtype=like.dtype, device=device(like)) for _ in range(2))

    def blur(self, x: Array) -> Result:
        """A x, for `x` of shape ``(channels, ...)`` on the grid."""
        return self.loops.forward(x, out=self._blurred)

    def correlate(self, memory: Array) -> Result:
        """A^T of the contents of `memory`, a result of `blur` that may have been changed."""
        return self.loops.adjoint(memory, out=self._correlated)


def _most(psf: Array, shape: tuple[int, ...]) -> tuple[int, int]:
    """Number of taps, and sum of lengths, up to which the loops are faster than the transforms."""
    name = library(psf)
    if name not in RUNNERS:
        return 0, 0
    if name != "numpy":
        return _TAPS_ON_A_DEVICE, 0
    share = threads(math.prod(shape)) * (1 if math.prod(shape) >= _SMALL_IMAGE else 2)
    return _TAPS[str(psf.dtype)] // share, _LENGTHS[str(psf.dtype)] // share


def _taps(weights: Any) -> int:
    """Number of weights that the loops visit: each row from its first to its last non-zero."""
    filled = np.reshape(weights != 0, (-1, weights.shape[-1]))
    rows = filled[filled.any(axis=1)]
    return int(np.sum(rows.shape[1] - rows.argmax(axis=1) - rows[:, ::-1].argmax(axis=1)))


class Fourier(Transfer):
    """Convolution by transforms: `Transfer`, with `out`."""

    def forward(self, x: Array, out: Any = None) -> Result:
        """A x: `x` blurred."""
        return _into(super().forward(x), out)

    def adjoint(self, x: Array, out: Any = None) -> Result:
        """A^T x: correlation with the PSF."""
        return _into(super().adjoint(x), out)


def _into(result: Any, out: Any) -> Result:
    if out is None:
        return result
    out[...] = result
    return out


class _Loops:
    """Common part of both kinds of loops: images viewed as planes, with their columns wrapped round.

    One object serves one thread at a time, because it keeps its scratch memory.
    """

    _ahead: Any
    _back: Any

    def __init__(self, shape: tuple[int, ...], columns: int) -> None:
        self.shape = shape
        self.depth = shape[0] if len(shape) == 3 else 1
        self.height, self.width = (1, *shape)[-2:]
        self.half = columns // 2
        self._scratch: Any = None

    def forward(self, x: Array, out: Any = None) -> Result:
        """A x: `x` blurred."""
        return self._run(x, self._ahead, out)

    def adjoint(self, x: Array, out: Any = None) -> Result:
        """A^T x: correlation with the PSF."""
        return self._run(x, self._back, out)

    def _apply(self, x: Any, weights: Any, out: Any) -> None:
        raise NotImplementedError

    def _run(self, x: Any, weights: Any, out: Any) -> Result:
        xp = array_namespace(x)
        if out is None:
            out = xp.empty(x.shape, dtype=x.dtype, device=device(x))
        elif tuple(out.shape) != tuple(x.shape) or not _packed(out):
            raise ValueError(f"out must be C-contiguous and of shape {tuple(x.shape)}, got shape {tuple(out.shape)}")
        self._apply(x, weights, self._planes(out))
        return out

    def _planes(self, x: Any) -> Result:
        return array_namespace(x).reshape(x, (-1, self.height, self.width))

    def _wide(self, x: Any) -> Result:
        """Scratch for planes like those of `x`, wider by `half` the columns of the PSF on either side."""
        shape = (math.prod(x.shape) // (self.height * self.width), self.height, self.width + 2 * self.half)
        if self._scratch is None or self._scratch.shape != shape or self._scratch.dtype != x.dtype:
            self._scratch = array_namespace(x).empty(shape, dtype=x.dtype, device=device(x))
        return self._scratch

    def _wrap(self, planes: Any) -> Result:
        wide, half, width = self._wide(planes), self.half, self.width
        wide[..., half : half + width] = planes
        if half:
            wide[..., :half] = planes[..., width - half :]
            wide[..., half + width :] = planes[..., :half]
        return wide


def _packed(x: Any) -> bool:
    """Whether `x` is C-contiguous; True if its library does not tell."""
    return bool(x.flags.c_contiguous) if hasattr(x, "flags") else True


def _odd(weights: Any) -> Any:
    """`weights` with a zero appended where a length is even, so that the centre, index ``n // 2``, is the middle."""
    return np.pad(weights, [(0, 1 - n % 2) for n in weights.shape])


class Direct(_Loops):
    """Convolution tap by tap; see `convolution`.

    Parameters
    ----------
    psf : array, one to three axes
        Point-spread function, its centre at index ``n // 2`` of each axis.
    shape : tuple of int
        The grid.
    """

    def __init__(self, psf: Array, shape: Sequence[int]) -> None:
        weights = _odd(to_numpy(psf))
        weights = np.reshape(weights, (1,) * (3 - weights.ndim) + weights.shape)
        super().__init__(tuple(shape), weights.shape[-1])
        # Convolution is correlation with the reversed PSF. Its lengths are odd, so the centre stays.
        self._ahead = like(np.ascontiguousarray(np.flip(weights)), psf)
        self._back = like(np.ascontiguousarray(weights), psf)

    def _apply(self, x: Any, weights: Any, out: Any) -> None:
        correlate(self._wrap(self._planes(x)), weights, self.depth, self.height, *weights.shape, out)


class Separable(_Loops):
    """Convolution along one axis after the other; see `convolution`.

    Parameters
    ----------
    factors : sequence of 1-D arrays
        The PSF along each axis, as `deconv.psf.separate` returns it.
    shape : tuple of int
        The grid.
    """

    def __init__(self, factors: Sequence[Any], shape: Sequence[int]) -> None:
        odd = [_odd(to_numpy(f)) for f in factors]
        super().__init__(tuple(shape), odd[-1].size)
        self._ahead = [like(f[::-1].copy(), factors[0]) for f in odd]
        self._back = [like(f, factors[0]) for f in odd]

    def _apply(self, x: Any, weights: Any, out: Any) -> None:
        xp = array_namespace(x)
        if not (hasattr(x, "flags") and x.flags.c_contiguous):
            x, strided = xp.empty(x.shape, dtype=x.dtype, device=device(x)), x
            x[...] = strided
        # Along all axes but the last, alternate between `out` and scratch so that the last of them ends in `out`.
        scratch = xp.reshape(xp.reshape(self._wide(x), (-1,))[: math.prod(out.shape)], out.shape)
        for axis, line in enumerate(weights[:-1]):
            target = out if (len(weights) - axis) % 2 == 0 else scratch
            length, inner = self.shape[axis], math.prod(self.shape[axis + 1 :])
            stacks = [xp.reshape(a, (-1, length, inner)) for a in (x, target)]
            correlate_axis(stacks[0], line, length, line.shape[0], stacks[1])
            x = target
        last = weights[-1]
        correlate(self._wrap(self._planes(x)), last[None, None, :], 1, self.height, 1, 1, last.shape[0], out)
