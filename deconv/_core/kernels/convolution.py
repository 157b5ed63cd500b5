"""Correlation with a small array of weights, without a transform."""

from typing import Any

import numpy as np

from deconv._core.kernels.launch import kernel

__all__ = ["correlate", "correlate_axis"]

# Columns worked on at a time: the sums and the values read for them stay in the first cache.
_BLOCK = 1024


def _volumes(rng: Any, shape: tuple[int, ...], dtype: Any) -> list[Any]:
    """Two volumes of three planes with about the rows of `shape` in all; weights with zeros at the ends of rows."""
    rows, w = shape
    height, n = -(-rows // 6), 7
    m = min(3, height - 1 + height % 2)
    x = rng.uniform(-1, 1, (6, height, w + n - 1)).astype(dtype)
    weights = rng.uniform(-1, 1, (3, m, n)).astype(dtype)
    weights[0, :, 0] = weights[2, 0, -1] = 0
    weights[1, -1] = 0
    return [x, weights, 3, height, 3, m, n, np.zeros((6, height, w), dtype)]


@kernel(
    extent=lambda *arguments: (arguments[-1].shape[0] * arguments[-1].shape[1], arguments[-1].shape[2]),
    example=_volumes,
    cuda=r"""
extern "C" __global__ void correlate(const T* x, const T* weights, int depth, int height, int k, int m, int n, T* out,
                                     int rows, int w) {
    int j = blockIdx.x * blockDim.x + threadIdx.x;
    int row = blockIdx.y * blockDim.y + threadIdx.y;
    if (row >= rows || j >= w) return;
    int plane = row / height;
    int i = row - plane * height;
    int z = plane % depth;
    T sum = T(0);
    for (int a = 0; a < k; ++a) {
        int from_plane = z + a - k / 2;
        from_plane += from_plane < 0 ? depth : (from_plane >= depth ? -depth : 0);
        for (int c = 0; c < m; ++c) {
            int from_row = i + c - m / 2;
            from_row += from_row < 0 ? height : (from_row >= height ? -height : 0);
            const T* line = x + ((plane - z + from_plane) * height + from_row) * (w + n - 1) + j;
            const T* taps = weights + (a * m + c) * n;
            int begin = 0;
            int end = n;
            while (begin < end && taps[begin] == T(0)) ++begin;
            while (end > begin && taps[end - 1] == T(0)) --end;
            for (int d = begin; d < end; ++d) sum += taps[d] * line[d];
        }
    }
    out[row * w + j] = sum;
}
""",
)
def correlate(x: Any, weights: Any, depth: int, height: int, k: int, m: int, n: int, out: Any) -> None:
    """Sum over shifts of `x` times `weights`; zeros at the ends of a row of weights cost nothing.

    `out` holds planes (P, height, w); every `depth` planes make one volume (1 for images). `x` is the same with n - 1
    more columns, half on either side. `weights` are (k, m, n), all odd. The planes of a volume and the rows of a plane
    wrap round; k - 1 must not exceed `depth`, nor m - 1 `height`.
    """
    planes, _, w = out.shape
    for plane in range(planes):
        z = plane % depth
        for i in range(height):
            for start in range(0, w, _BLOCK):
                total = out[plane, i, start : start + _BLOCK]
                size = total.size
                for j in range(size):
                    total[j] = 0
                for a in range(k):
                    from_plane = z + a - k // 2
                    from_plane += depth if from_plane < 0 else (-depth if from_plane >= depth else 0)
                    for c in range(m):
                        from_row = i + c - m // 2
                        from_row += height if from_row < 0 else (-height if from_row >= height else 0)
                        line = x[plane - z + from_plane, from_row, start:]
                        taps = weights[a, c]
                        begin = 0
                        end = n
                        while begin < end and taps[begin] == 0:
                            begin += 1
                        while end > begin and taps[end - 1] == 0:
                            end -= 1
                        # Four taps in one pass over the sum. Slices, because numba cannot tell that an index with an
                        # offset is not negative, and then does not vectorise.
                        d = begin
                        while d + 4 <= end:
                            line0 = line[d : d + size]
                            line1 = line[d + 1 : d + 1 + size]
                            line2 = line[d + 2 : d + 2 + size]
                            line3 = line[d + 3 : d + 3 + size]
                            tap0 = taps[d]
                            tap1 = taps[d + 1]
                            tap2 = taps[d + 2]
                            tap3 = taps[d + 3]
                            for j in range(size):
                                total[j] = (
                                    total[j] + tap0 * line0[j] + tap1 * line1[j] + tap2 * line2[j] + tap3 * line3[j]
                                )
                            d += 4
                        while d < end:
                            line0 = line[d : d + size]
                            tap0 = taps[d]
                            for j in range(size):
                                total[j] += tap0 * line0[j]
                            d += 1


def _stacks(rng: Any, shape: tuple[int, ...], dtype: Any) -> list[Any]:
    """Two stacks of lines with about the rows of `shape` in all."""
    rows, w = shape
    length = -(-rows // 2)
    n = min(7, length - 1 + length % 2)
    x = rng.uniform(-1, 1, (2, length, w)).astype(dtype)
    return [x, rng.uniform(-1, 1, n).astype(dtype), length, n, np.zeros_like(x)]


@kernel(
    extent=lambda x, *_: (x.shape[0] * x.shape[1], x.shape[2]),
    example=_stacks,
    cuda=r"""
extern "C" __global__ void correlate_axis(const T* x, const T* weights, int length, int n, T* out, int rows, int w) {
    int j = blockIdx.x * blockDim.x + threadIdx.x;
    int row = blockIdx.y * blockDim.y + threadIdx.y;
    if (row >= rows || j >= w) return;
    int i = row % length;
    T sum = T(0);
    for (int c = 0; c < n; ++c) {
        int from = i + c - n / 2;
        from += from < 0 ? length : (from >= length ? -length : 0);
        sum += weights[c] * x[(row - i + from) * w + j];
    }
    out[row * w + j] = sum;
}
""",
)
def correlate_axis(x: Any, weights: Any, length: int, n: int, out: Any) -> None:
    """Sum over shifts of `x` (P, length, w) along its middle axis, which wraps round, times the n `weights`; n is odd.

    `out` must not be `x`.
    """
    stacks, _, w = x.shape
    for stack in range(stacks):
        for i in range(length):
            for start in range(0, w, _BLOCK):
                total = out[stack, i, start : start + _BLOCK]
                size = total.size
                for j in range(size):
                    total[j] = 0
                c = 0
                while c + 4 <= n:
                    first = i + c - n // 2 + length
                    line0 = x[stack, first % length, start : start + size]
                    line1 = x[stack, (first + 1) % length, start : start + size]
                    line2 = x[stack, (first + 2) % length, start : start + size]
                    line3 = x[stack, (first + 3) % length, start : start + size]
                    tap0 = weights[c]
                    tap1 = weights[c + 1]
                    tap2 = weights[c + 2]
                    tap3 = weights[c + 3]
                    for j in range(size):
                        total[j] += tap0 * line0[j] + tap1 * line1[j] + tap2 * line2[j] + tap3 * line3[j]
                    c += 4
                while c < n:
                    line0 = x[stack, (i + c - n // 2 + length) % length, start : start + size]
                    tap0 = weights[c]
                    for j in range(size):
                        total[j] += tap0 * line0[j]
                    c += 1
