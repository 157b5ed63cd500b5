"""Steps of the splitting solver (`deconv.nonblind.splitting`) other than transforms.

For a split z = Bx with the scaled dual u the solver keeps s = z + u and z. One iteration sets s <- s + r (Bx - z), with
the relaxation r, then z <- prox(s), and passes z - u = 2 z - s to the linear solve. Gradient fields have one more
leading axis: component a holds the differences along axis a. Images come as rows (of all planes) and columns.
"""

import math
from typing import Any

from deconv._core.kernels.launch import kernel

__all__ = ["split_bounds", "split_data", "split_gradient", "split_poisson", "split_sum"]


@kernel(
    extent=lambda blurred, *_: (blurred.size,),
    cuda=r"""
extern "C" __global__ void split_data(const T* blurred, const T* image, const T* share, T relax, T* s, T* z, T* out,
                                      int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    T at = s[i] + relax * (blurred[i] - z[i]);
    T best = at + share[i] * (image[i] - at);
    s[i] = at;
    z[i] = best;
    out[i] = best + (best - at);
}
""",
)
def split_data(blurred: Any, image: Any, share: Any, relax: float, s: Any, z: Any, out: Any) -> None:
    """Least squares of the data: `share` is w / (w + 1) for weights w, 0 where nothing was measured."""
    for i in range(blurred.size):
        at = s[i] + relax * (blurred[i] - z[i])
        best = at + share[i] * (image[i] - at)
        s[i] = at
        z[i] = best
        out[i] = best + (best - at)


@kernel(
    extent=lambda blurred, *_: (blurred.size,),
    cuda=r"""
extern "C" __global__ void split_poisson(const T* blurred, const T* image, const T* pull, T relax, T* s, T* z, T* out,
                                         int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    T at = s[i] + relax * (blurred[i] - z[i]);
    T best = at;
    if (pull[i] > T(0)) {
        T b = at - pull[i];
        T c = pull[i] * image[i];
        T root = sqrt(b * b + T(4) * c);
        best = b > T(0) ? (b + root) / T(2) : (c > T(0) ? T(2) * c / (root - b) : T(0) * c);
    }
    s[i] = at;
    z[i] = best;
    out[i] = best + (best - at);
}
""",
)
def split_poisson(blurred: Any, image: Any, pull: Any, relax: float, s: Any, z: Any, out: Any) -> None:
    """Photon counts: z minimises pull * (z - image log z) + (z - s)^2 / 2, the root of a quadratic.

    `pull` is 0 where nothing was measured; `image` is not negative.
    """
    for i in range(blurred.size):
        at = s[i] + relax * (blurred[i] - z[i])
        best = at
        if pull[i] > 0:
            b = at - pull[i]
            c = pull[i] * image[i]
            root = math.sqrt(b * b + 4 * c)
            # The same root twice: b + root would cancel where b is negative.
            best = (b + root) / 2 if b > 0 else (2 * c / (root - b) if c > 0 else 0 * c)
        s[i] = at
        z[i] = best
        out[i] = best + (best - at)


def _image_and_field(rng: Any, shape: tuple[int, ...], dtype: Any) -> tuple[Any, int, int, list[Any]]:
    """An image of one or two planes and two fields of its size, for the tests."""
    rows = shape[0]
    height = rows // 2 if rows % 2 == 0 or rows == 1 else rows
    axes = 3 if 0 < height < rows else (1 if rows == 1 else 2)
    image = rng.uniform(-1, 1, shape).astype(dtype)
    fields = [rng.uniform(-1, 1, (axes, *shape)).astype(dtype) for _ in range(2)]
    return image, max(height, 1), axes, fields


def _example_gradient(rng: Any, shape: tuple[int, ...], dtype: Any) -> list[Any]:
    x, height, axes, (s, z) = _image_and_field(rng, shape, dtype)
    return [x, 1.3, height, axes, s, z]


@kernel(
    extent=lambda x, *_: x.shape,
    example=_example_gradient,
    cuda=r"""
extern "C" __global__ void split_gradient(const T* x, T relax, int height, int axes, T* s, const T* z,
                                          int rows, int w) {
    int j = blockIdx.x * blockDim.x + threadIdx.x;
    int i = blockIdx.y * blockDim.y + threadIdx.y;
    if (i >= rows || j >= w) return;
    int n = rows * w;
    int k = i * w + j;
    T here = x[k];
    int at = (axes - 1) * n + k;
    s[at] += relax * (x[j + 1 < w ? k + 1 : k + 1 - w] - here - z[at]);
    if (axes > 1) {
        at -= n;
        int below = i % height + 1 < height ? i + 1 : i + 1 - height;
        s[at] += relax * (x[below * w + j] - here - z[at]);
    }
    if (axes > 2) {
        at -= n;
        int behind = i + height < rows ? i + height : i + height - rows;
        s[at] += relax * (x[behind * w + j] - here - z[at]);
    }
}
""",
)
def split_gradient(x: Any, relax: float, height: int, axes: int, s: Any, z: Any) -> None:
    """Add `relax` times (gradient of `x` minus `z`) to the field `s`; planes of `height` rows, all axes periodic."""
    rows, w = x.shape
    for i in range(rows):
        here = x[i]
        ahead = x[i, 1:]
        t = s[axes - 1, i]
        v = z[axes - 1, i]
        for j in range(w - 1):
            t[j] += relax * (ahead[j] - here[j] - v[j])
        t[w - 1] += relax * (here[0] - here[w - 1] - v[w - 1])
        if axes > 1:
            below = x[i + 1 if i % height + 1 < height else i + 1 - height]
            t = s[axes - 2, i]
            v = z[axes - 2, i]
            for j in range(w):
                t[j] += relax * (below[j] - here[j] - v[j])
        if axes > 2:
            behind = x[i + height if i + height < rows else i + height - rows]
            t = s[axes - 3, i]
            v = z[axes - 3, i]
            for j in range(w):
                t[j] += relax * (behind[j] - here[j] - v[j])


@kernel(
    extent=lambda x, *_: (x.size,),
    cuda=r"""
extern "C" __global__ void split_bounds(const T* x, T relax, T low, T high, T* s, T* z, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    T at = s[i] + relax * (x[i] - z[i]);
    s[i] = at;
    z[i] = at < low ? low : (at > high ? high : at);
}
""",
)
def split_bounds(x: Any, relax: float, low: float, high: float, s: Any, z: Any) -> None:
    """Clip to the bounds `low` and `high`."""
    for i in range(x.size):
        at = s[i] + relax * (x[i] - z[i])
        s[i] = at
        z[i] = low if at < low else (high if at > high else at)


def _example_sum(rng: Any, shape: tuple[int, ...], dtype: Any) -> list[Any]:
    x, height, axes, (s, z) = _image_and_field(rng, shape, dtype)
    return [x, x[::-1].copy(), s, z, height, axes, 0 * x]


@kernel(
    extent=lambda s, *_: s.shape,
    example=_example_sum,
    cuda=r"""
extern "C" __global__ void split_sum(const T* s, const T* z, const T* field_s, const T* field_z, int height, int axes,
                                     T* out, int rows, int w) {
    int j = blockIdx.x * blockDim.x + threadIdx.x;
    int i = blockIdx.y * blockDim.y + threadIdx.y;
    if (i >= rows || j >= w) return;
    int n = rows * w;
    int k = i * w + j;
    int at = (axes - 1) * n + k;
    int to = (axes - 1) * n + (j > 0 ? k - 1 : k - 1 + w);
    T total = T(2) * z[k] - s[k];
    total += (T(2) * field_z[to] - field_s[to]) - (T(2) * field_z[at] - field_s[at]);
    if (axes > 1) {
        at -= n;
        to = (axes - 2) * n + (i % height > 0 ? i - 1 : i - 1 + height) * w + j;
        total += (T(2) * field_z[to] - field_s[to]) - (T(2) * field_z[at] - field_s[at]);
    }
    if (axes > 2) {
        at -= n;
        to = (i >= height ? i - height : i - height + rows) * w + j;
        total += (T(2) * field_z[to] - field_s[to]) - (T(2) * field_z[at] - field_s[at]);
    }
    out[k] = total;
}
""",
)
def split_sum(s: Any, z: Any, field_s: Any, field_z: Any, height: int, axes: int, out: Any) -> None:
    """2 z - s of the image, plus the adjoint gradient of 2 z - s of the field."""
    rows, w = s.shape
    for i in range(rows):
        o = out[i]
        a = s[i]
        b = z[i]
        fs = field_s[axes - 1, i]
        fz = field_z[axes - 1, i]
        ahead_s = fs[1:]
        ahead_z = fz[1:]
        following = o[1:]
        o[0] = b[0] + (b[0] - a[0]) + ((fz[w - 1] + (fz[w - 1] - fs[w - 1])) - (fz[0] + (fz[0] - fs[0])))
        b = b[1:]
        a = a[1:]
        for j in range(w - 1):
            following[j] = b[j] + (b[j] - a[j]) + ((fz[j] + (fz[j] - fs[j])) - (ahead_z[j] + (ahead_z[j] - ahead_s[j])))
        if axes > 1:
            to = i - 1 if i % height > 0 else i - 1 + height
            fs = field_s[axes - 2, i]
            fz = field_z[axes - 2, i]
            to_s = field_s[axes - 2, to]
            to_z = field_z[axes - 2, to]
            for j in range(w):
                o[j] += (to_z[j] + (to_z[j] - to_s[j])) - (fz[j] + (fz[j] - fs[j]))
        if axes > 2:
            to = i - height if i >= height else i - height + rows
            fs = field_s[axes - 3, i]
            fz = field_z[axes - 3, i]
            to_s = field_s[axes - 3, to]
            to_z = field_z[axes - 3, to]
            for j in range(w):
                o[j] += (to_z[j] + (to_z[j] - to_s[j])) - (fz[j] + (fz[j] - fs[j]))
