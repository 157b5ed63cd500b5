"""Elementwise steps of Richardson-Lucy, safe where there is nothing to divide by.

The scene lives on a grid larger than the measured frame, and an in-place transform gives rows longer than the grid's
(their `pitch`). So the arrays differ in shape; flat, with three spatial axes each:

=========== ============================================
measured    (channels, depth, rows, cols)
blurred     (channels, grid_depth, grid_rows, pitch)
scene       (channels, grid_depth, grid_rows, grid_cols)
=========== ============================================
"""

from typing import Any

import numpy as np

from deconv._core.kernels.launch import kernel

__all__ = ["rl_extrapolate", "rl_penalised", "rl_ratio", "rl_roughness", "rl_update"]


def _three_axes(shape: tuple[int, ...]) -> tuple[int, ...]:
    return (1,) * (3 - len(shape[-3:])) + tuple(shape[-3:])


def _ratio_example(rng: Any, shape: tuple[int, ...], dtype: Any) -> list[Any]:
    depth, rows, cols = _three_axes(shape)
    image = rng.uniform(-1, 1, (2, depth, rows, cols)).astype(dtype)
    blurred = rng.uniform(-1, 1, (2, depth + 1, rows + 3, cols + 2)).astype(dtype)
    each = rng.uniform(-0.5, 0.5, (2, 2)).astype(dtype)
    return [image, blurred, each[0], each[1], depth, rows, cols, depth + 1, rows + 3, cols + 2]


@kernel(
    extent=lambda image, blurred, *_: (blurred.size,),
    example=_ratio_example,
    cuda=r"""
extern "C" __global__ void rl_ratio(
        const T* image, T* blurred, const T* background, const T* floor,
        int depth, int rows, int cols, int grid_depth, int grid_rows, int pitch, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    int x = i % pitch, y = i / pitch % grid_rows, z = i / pitch / grid_rows % grid_depth;
    int c = i / pitch / grid_rows / grid_depth;
    T expected = blurred[i] + background[c];
    bool measured = x < cols && y < rows && z < depth && expected > floor[c];
    blurred[i] = measured ? image[((c * depth + z) * rows + y) * cols + x] / expected : T(0);
}
""",
)
def rl_ratio(
    image: Any,
    blurred: Any,
    background: Any,
    floor: Any,
    depth: int,
    rows: int,
    cols: int,
    grid_depth: int,
    grid_rows: int,
    pitch: int,
) -> None:
    """Measured over expected, ``image / (blurred + background)``, in the place of `blurred`.

    0 outside the frame and where the expected value does not exceed `floor`. `background` and `floor` hold one value
    for each channel.
    """
    zero = image.dtype.type(0)
    for c in range(blurred.size // (grid_depth * grid_rows * pitch)):
        level = background[c]
        least = floor[c]
        for z in range(grid_depth):
            for y in range(grid_rows):
                at = ((c * grid_depth + z) * grid_rows + y) * pitch
                row = blurred[at : at + pitch]
                count = cols if z < depth and y < rows else 0
                at = ((c * depth + z) * rows + y) * cols
                given = image[at : at + count]
                for x in range(count):
                    expected = row[x] + level
                    ratio = given[x] / expected
                    row[x] = ratio if expected > least else zero
                row[count:] = zero


def _update_example(rng: Any, shape: tuple[int, ...], dtype: Any) -> list[Any]:
    depth, rows, cols = _three_axes(shape)
    skips = [n // 3 for n in (depth, rows, cols)]
    folded = [n - s for n, s in zip((depth, rows, cols), skips, strict=True)]
    x = rng.uniform(-1, 1, (2, depth, rows, cols)).astype(dtype)
    correction = rng.uniform(-1, 1, (2, depth, rows, cols + 2)).astype(dtype)
    sensitivity = rng.uniform(-1, 1, (2, *folded)).astype(dtype)
    edges = [n // 4 for n in folded]
    return [x, correction, sensitivity, 0.3, depth, rows, cols, cols + 2, *edges, *skips]


@kernel(
    extent=lambda x, *_: (x.size,),
    example=_update_example,
    cuda=r"""
extern "C" __global__ void rl_update(
        T* x, const T* correction, const T* sensitivity, T floor, int depth, int rows, int cols, int pitch,
        int edge_z, int edge_y, int edge_x, int skip_z, int skip_y, int skip_x, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    int ix = i % cols, iy = i / cols % rows, iz = i / cols / rows % depth, c = i / cols / rows / depth;
    int fx = max(min(ix, edge_x), ix - skip_x);
    int fy = max(min(iy, edge_y), iy - skip_y);
    int fz = max(min(iz, edge_z), iz - skip_z);
    T visible = sensitivity[((c * (depth - skip_z) + fz) * (rows - skip_y) + fy) * (cols - skip_x) + fx];
    T factor = correction[(i / cols) * pitch + ix];
    x[i] = visible > floor && factor > T(0) ? x[i] * factor / visible : T(0);
}
""",
)
def rl_update(
    x: Any,
    correction: Any,
    sensitivity: Any,
    floor: float,
    depth: int,
    rows: int,
    cols: int,
    pitch: int,
    edge_z: int,
    edge_y: int,
    edge_x: int,
    skip_z: int,
    skip_y: int,
    skip_x: int,
) -> None:
    """The next scene, ``x * correction / sensitivity``, in the place of `x`.

    It is 0 where `sensitivity` does not exceed `floor`. `sensitivity` is stored folded: along each axis it lacks the
    `skip` entries after the one at `edge`, which all equal that one. Negative corrections, which are rounding, count
    as 0.
    """
    zero = x.dtype.type(0)
    folded = cols - skip_x
    # The long stretch between the edges, where the sensitivity is one number.
    first, after = min(edge_x, cols), min(edge_x + skip_x, cols)
    for c in range(x.size // (depth * rows * cols)):
        for iz in range(depth):
            fz = max(min(iz, edge_z), iz - skip_z)
            for iy in range(rows):
                fy = max(min(iy, edge_y), iy - skip_y)
                at = (c * depth + iz) * rows + iy
                row = x[at * cols : at * cols + cols]
                factors = correction[at * pitch : at * pitch + cols]
                at = ((c * (depth - skip_z) + fz) * (rows - skip_y) + fy) * folded
                visible = sensitivity[at : at + folded]
                for end in range(2):
                    shift = skip_x if end else 0
                    for ix in range(after if end else 0, cols if end else first):
                        value = row[ix] * factors[ix] / visible[ix - shift]
                        row[ix] = value if visible[ix - shift] > floor and factors[ix] > 0 else zero
                middle = row[first:after]
                factors = factors[first:after]
                if first < after and visible[first] > floor:
                    scale = 1 / visible[first]
                    for ix in range(after - first):
                        value = middle[ix] * factors[ix] * scale
                        middle[ix] = value if factors[ix] > 0 else zero
                else:
                    middle[:] = zero


def _extrapolate_example(rng: Any, shape: tuple[int, ...], dtype: Any) -> list[Any]:
    x, last = (rng.uniform(-1, 1, (2, *shape)).astype(dtype) for _ in range(2))
    return [x, last, rng.uniform(0, 1, 2).astype(dtype), 2]


@kernel(
    extent=lambda x, *_: (x.size,),
    example=_extrapolate_example,
    cuda=r"""
extern "C" __global__ void rl_extrapolate(const T* x, T* last, const T* reach, int channels, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    T ahead = x[i] + reach[i / (n / channels)] * (x[i] - last[i]);
    last[i] = ahead > T(0) ? ahead : x[i];
}
""",
)
def rl_extrapolate(x: Any, last: Any, reach: Any, channels: int) -> None:
    """Extrapolate `x` along its last change, ``x + reach * (x - last)``, in the place of `last`.

    Where that is not above 0 it is `x` itself, because a pixel at 0 could never leave it. One `reach` for each channel.
    """
    size = x.size // channels
    for c in range(channels):
        here = x[c * size : (c + 1) * size]
        row = last[c * size : (c + 1) * size]
        part = reach[c]
        for i in range(size):
            ahead = here[i] + part * (here[i] - row[i])
            row[i] = ahead if ahead > 0 else here[i]


def _roughness_example(rng: Any, shape: tuple[int, ...], dtype: Any) -> list[Any]:
    depth, rows, cols = _three_axes(shape)
    x = rng.uniform(-1, 1, (2, depth, rows, cols)).astype(dtype)
    return [x, rng.uniform(0.1, 0.5, 2).astype(dtype), 1, depth, rows, cols, np.empty_like(x), np.empty_like(x)]


@kernel(
    extent=lambda x, *_: (x.size,),
    example=_roughness_example,
    cuda=r"""
extern "C" __global__ void rl_roughness(
        const T* x, const T* smooth, int directions, int depth, int rows, int cols, T* divergence, T* stiffness,
        int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    int place[3] = {i % cols, i / cols % rows, i / cols / rows % depth};
    int length[3] = {cols, rows, depth};
    int stride[3] = {1, cols, cols * rows};
    T eps = smooth[i / cols / rows / depth];
    T flow = T(0), tied = T(0);
    // The steps that start here, then the one that ends here along each axis.
    for (int from = -1; from < 3; from++) {
        if (from >= 0 && length[from] == 1) continue;
        int home = i;
        if (from >= 0) home += place[from] > 0 ? -stride[from] : (length[from] - 1) * stride[from];
        T total = T(0), square = eps * eps;
        int count = 0;
        for (int axis = 0; axis < 3; axis++) {
            if (length[axis] == 1) continue;
            int at = axis == from ? (place[axis] > 0 ? place[axis] - 1 : length[axis] - 1) : place[axis];
            T step = x[at + 1 < length[axis] ? home + stride[axis] : home - at * stride[axis]] - x[home];
            square += step * step;
            if (from >= 0 && axis != from) continue;
            total += step;
            count++;
        }
        T scale = directions ? T(1) / sqrt(square) : T(1);
        flow += (from < 0 ? total : -total) * scale;
        tied += count * scale;
    }
    divergence[i] = flow;
    stiffness[i] = tied;
}
""",
)
def rl_roughness(
    x: Any, smooth: Any, directions: int, depth: int, rows: int, cols: int, divergence: Any, stiffness: Any
) -> None:
    """Gradient of a penalty on the differences of neighbours, and the weight with which a pixel is tied to them.

    The weight of the differences that start at a pixel is 1 or, if `directions`, one over the root of the sum of their
    squares and ``smooth**2``. Axes are periodic; an axis of one pixel has no differences. One `smooth` a channel.
    """
    one = x.dtype.type(1)
    divergence[:] = 0
    stiffness[:] = 0
    for c in range(x.size // (depth * rows * cols)):
        square = smooth[c] * smooth[c]
        for z in range(depth):
            for y in range(rows):
                row = ((c * depth + z) * rows + y) * cols
                below = row + cols if y + 1 < rows else row - y * cols
                behind = row + cols * rows if z + 1 < depth else row - z * rows * cols
                for j in range(cols):
                    i = row + j
                    right = i + 1 if j + 1 < cols else row
                    along = x[right] - x[i]
                    down = x[below + j] - x[i]
                    deep = x[behind + j] - x[i]
                    scale = one
                    if directions:
                        scale = one / np.sqrt(square + along * along + down * down + deep * deep)
                    for step, other, length in (
                        (along, right, cols),
                        (down, below + j, rows),
                        (deep, behind + j, depth),
                    ):
                        if length > 1:
                            divergence[i] += step * scale
                            divergence[other] -= step * scale
                            stiffness[i] += scale
                            stiffness[other] += scale


def _penalised_example(rng: Any, shape: tuple[int, ...], dtype: Any) -> list[Any]:
    depth, rows, cols = _three_axes(shape)
    x, divergence = rng.uniform(-1, 1, (2, 2, depth, rows, cols)).astype(dtype)
    stiffness, sensitivity = rng.uniform(-0.5, 1, (2, 2, depth, rows, cols)).astype(dtype)
    correction = rng.uniform(-1, 1, (2, depth, rows, cols + 2)).astype(dtype)
    return [x, correction, sensitivity, divergence, abs(stiffness), np.ones(2, dtype), cols, cols + 2, 2]


@kernel(
    extent=lambda x, *_: (x.size,),
    example=_penalised_example,
    cuda=r"""
extern "C" __global__ void rl_penalised(
        T* x, const T* correction, const T* sensitivity, const T* divergence, const T* stiffness, const T* strength,
        int cols, int pitch, int channels, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    T part = strength[i / (n / channels)];
    // Negative values are rounding.
    T fitted = x[i] * correction[(i / cols) * pitch + i % cols];
    fitted = fitted > T(0) ? fitted : T(0);
    T visible = sensitivity[i] > T(0) ? sensitivity[i] : T(0);
    T tied = part * stiffness[i];
    T linear = visible - 2 * tied * x[i] - part * divergence[i];
    T root = sqrt(linear * linear + 8 * tied * fitted);
    // The same root twice: linear + root would cancel where linear is negative.
    x[i] = linear > T(0) ? 2 * fitted / (linear + root) : tied > T(0) ? (root - linear) / (4 * tied) : T(0);
}
""",
)
def rl_penalised(
    x: Any,
    correction: Any,
    sensitivity: Any,
    divergence: Any,
    stiffness: Any,
    strength: Any,
    cols: int,
    pitch: int,
    channels: int,
) -> None:
    """The next scene under a penalty of weight `strength`, in the place of `x`.

    It is the positive root of ``2 t u**2 + (s - 2 t x - p d) u = x * correction`` with s the `sensitivity`, p the
    `strength` of the channel, d the `divergence` and t the `stiffness` times p. A pixel outside the field of view
    follows its neighbours.
    """
    size = x.size // channels
    zero = x.dtype.type(0)
    two = x.dtype.type(2)
    for c in range(channels):
        part = strength[c]
        for row in range(c * size // cols, (c + 1) * size // cols):
            for j in range(cols):
                i = row * cols + j
                # Negative values are rounding.
                fitted = x[i] * correction[row * pitch + j]
                fitted = fitted if fitted > 0 else zero
                visible = sensitivity[i] if sensitivity[i] > 0 else zero
                tied = part * stiffness[i]
                linear = visible - two * tied * x[i] - part * divergence[i]
                root = np.sqrt(linear * linear + two * two * two * tied * fitted)
                # The same root twice: linear + root would cancel where linear is negative.
                if linear > 0:
                    x[i] = two * fitted / (linear + root)
                else:
                    x[i] = (root - linear) / (two * two * tied) if tied > 0 else zero
