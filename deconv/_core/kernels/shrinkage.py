"""Proximal steps of the priors: shrinkage of the vectors of a gradient field, and of pixels towards tones.

A field has one leading axis more than the image: `axes` components, each of the image's size. Vectors keep their
direction. The Numba twins work block by block, so that the compiler can vectorise each of their loops.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from deconv._core.kernels.launch import kernel

__all__ = ["shrink_hard", "shrink_radial", "shrink_tv", "shrink_two_tone"]

# Pixels of a block: values written in one loop are still in the first cache in the next.
_BLOCK = 1024


def _example(*scalars: float) -> Callable[..., list[Any]]:
    def example(rng: Any, shape: tuple[int, ...], dtype: Any) -> list[Any]:
        axes = min(len(shape) + 1, 3)
        field = rng.uniform(-1, 1, (axes, *shape)).astype(dtype)
        return [field, *scalars, axes, field[::-1].copy()]

    return example


@kernel(
    extent=lambda s, step, axes, out: (s.size // axes,),
    example=_example(0.4),
    cuda=r"""
extern "C" __global__ void shrink_tv(const T* s, T step, int axes, T* out, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    T square = T(0);
    for (int a = 0; a < axes; a++) square += s[a * n + i] * s[a * n + i];
    T length = sqrt(square);
    T factor = length > step ? (length - step) / length : T(0);
    for (int a = 0; a < axes; a++) out[a * n + i] = factor * s[a * n + i];
}
""",
)
def shrink_tv(s: Any, step: float, axes: int, out: Any) -> None:
    """Shorten each vector of the field `s` by `step`, to zero if it is no longer than that.

    The proximal step of isotropic total variation.
    """
    n = s.size // axes
    for start in range(0, n, _BLOCK):
        stop = min(start + _BLOCK, n)
        o = out[start:stop]
        f = s[start:stop]
        for i in range(o.size):
            o[i] = f[i] * f[i]
        for a in range(1, axes):
            f = s[a * n + start : a * n + stop]
            for i in range(o.size):
                o[i] += f[i] * f[i]
        for i in range(o.size):
            length = math.sqrt(o[i])
            o[i] = (length - step) / length if length > step else 0
        for a in range(axes - 1, -1, -1):
            f = s[a * n + start : a * n + stop]
            p = out[a * n + start : a * n + stop]
            for i in range(o.size):
                p[i] = o[i] * f[i]


def _example_radial(rng: Any, shape: tuple[int, ...], dtype: Any) -> list[Any]:
    s, _, axes, out = _example(0.0)(rng, shape, dtype)
    return [s, 0.4, np.linspace(1, 0.3, 12).astype(dtype), 10, axes, out]


@kernel(
    extent=lambda s, threshold, table, steps, axes, out: (s.size // axes,),
    example=_example_radial,
    cuda=r"""
extern "C" __global__ void shrink_radial(const T* s, T threshold, const T* table, int steps, int axes, T* out, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    T square = T(0);
    for (int a = 0; a < axes; a++) square += s[a * n + i] * s[a * n + i];
    T length = sqrt(square);
    T factor = T(0);
    if (length > threshold) {
        T at = T(steps) * sqrt(threshold / length);
        int k = int(at);
        factor = table[k] + (at - T(k)) * (table[k + 1] - table[k]);
    }
    for (int a = 0; a < axes; a++) out[a * n + i] = factor * s[a * n + i];
}
""",
)
def shrink_radial(s: Any, threshold: float, table: Any, steps: int, axes: int, out: Any) -> None:
    """Multiply each vector of the field `s` by a factor from a table, by zero up to length `threshold`.

    ``table[k]`` is the factor where ``steps * sqrt(threshold / length)`` is k, up to `steps`; one more entry follows.
    """
    n = s.size // axes
    for start in range(0, n, _BLOCK):
        stop = min(start + _BLOCK, n)
        o = out[start:stop]
        f = s[start:stop]
        for i in range(o.size):
            o[i] = f[i] * f[i]
        for a in range(1, axes):
            f = s[a * n + start : a * n + stop]
            for i in range(o.size):
                o[i] += f[i] * f[i]
        for i in range(o.size):
            length = math.sqrt(o[i])
            if length > threshold:
                at = steps * math.sqrt(threshold / length)
                k = int(at)
                o[i] = table[k] + (at - k) * (table[k + 1] - table[k])
            else:
                o[i] = 0
        for a in range(axes - 1, -1, -1):
            f = s[a * n + start : a * n + stop]
            p = out[a * n + start : a * n + stop]
            for i in range(o.size):
                p[i] = o[i] * f[i]


@kernel(
    extent=lambda s, step, axes, out: (s.size // axes,),
    example=_example(0.3),
    cuda=r"""
extern "C" __global__ void shrink_hard(const T* s, T step, int axes, T* out, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    T square = T(0);
    for (int a = 0; a < axes; a++) square += s[a * n + i] * s[a * n + i];
    T factor = square > T(2) * step ? T(1) : T(0);
    for (int a = 0; a < axes; a++) out[a * n + i] = factor * s[a * n + i];
}
""",
)
def shrink_hard(s: Any, step: float, axes: int, out: Any) -> None:
    """Keep the vectors of the field `s` whose squared length is above 2 `step`, the others become zero.

    The proximal step of the number of vectors that are not zero.
    """
    n = s.size // axes
    for start in range(0, n, _BLOCK):
        stop = min(start + _BLOCK, n)
        o = out[start:stop]
        f = s[start:stop]
        for i in range(o.size):
            o[i] = f[i] * f[i]
        for a in range(1, axes):
            f = s[a * n + start : a * n + stop]
            for i in range(o.size):
                o[i] += f[i] * f[i]
        for i in range(o.size):
            o[i] = 1 if o[i] > 2 * step else 0
        for a in range(axes - 1, -1, -1):
            f = s[a * n + start : a * n + stop]
            p = out[a * n + start : a * n + stop]
            for i in range(o.size):
                p[i] = o[i] * f[i]


def _example_two_tone(rng: Any, shape: tuple[int, ...], dtype: Any) -> list[Any]:
    s = rng.uniform(-1, 1, shape).astype(dtype)
    return [s, 0.2, -0.5, 0.4, -0.8, 0.7, 0 * s]


@kernel(
    extent=lambda s, *_: (s.size,),
    example=_example_two_tone,
    cuda=r"""
extern "C" __global__ void shrink_two_tone(const T* s, T step, T dark, T bright, T low, T high, T* out, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    T to_dark = s[i] - dark;
    T to_bright = s[i] - bright;
    T tone = to_dark < -to_bright ? dark : bright;
    T away = to_dark < -to_bright ? to_dark : to_bright;
    T z = away > step ? s[i] - step : (away < -step ? s[i] + step : tone);
    out[i] = z < low ? low : (z > high ? high : z);
}
""",
)
def shrink_two_tone(s: Any, step: float, dark: float, bright: float, low: float, high: float, out: Any) -> None:
    """Move each pixel of `s` by `step` towards the nearer of two tones, but not past it; then clip to the bounds.

    The proximal step of the distance to the nearer tone, for tones inside the bounds.
    """
    for i in range(s.size):
        to_dark = s[i] - dark
        to_bright = s[i] - bright
        tone = dark if to_dark < -to_bright else bright
        away = to_dark if to_dark < -to_bright else to_bright
        z = s[i] - step if away > step else (s[i] + step if away < -step else tone)
        out[i] = low if z < low else (high if z > high else z)
