"""Scene step of blind deconvolution, which keeps only strong edges (`deconv.blind.freeform.scene`).

Complex arrays come as floats, with real and imaginary parts interleaved.
"""

from typing import Any

from deconv._core.kernels.launch import kernel

__all__ = ["edge_blend", "edge_divergence"]


def _divergence_example(rng: Any, shape: tuple[int, ...], dtype: Any) -> list[Any]:
    u = rng.uniform(-1, 1, shape).astype(dtype)
    return [u, 0.4, u.copy(), u.copy(), shape[-1]]


@kernel(
    extent=lambda u, *_: (u.size,),
    example=_divergence_example,
    cuda=r"""
extern "C" __global__ void edge_divergence(const T* u, T least, T* across, T* out, int w, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    int row = i / w, column = i % w, h = n / w;
    int right = column + 1 < w ? i + 1 : i + 1 - w;
    int left = column > 0 ? i - 1 : i - 1 + w;
    int below = row + 1 < h ? i + w : i + w - n;
    int above = row > 0 ? i - w : i - w + n;
    int below_left = row + 1 < h ? left + w : left + w - n;
    int right_above = row > 0 ? right - w : right - w + n;
    T x = u[right] - u[i], y = u[below] - u[i];
    bool here = x * x + y * y >= least;
    across[i] = here ? x : T(0);
    T sum = here ? -(x + y) : T(0);
    x = u[i] - u[left], y = u[below_left] - u[left];
    if (x * x + y * y >= least) sum += x;
    x = u[right_above] - u[above], y = u[i] - u[above];
    if (x * x + y * y >= least) sum += y;
    out[i] = sum;
}
""",
)
def edge_divergence(u: Any, least: float, across: Any, out: Any, w: int) -> None:
    """The adjoint gradient of the gradient of `u` where its square is `least` or more; `u` is periodic.

    `across` is scratch, of rows of `w` pixels as `u` and `out`; it ends as the differences along the rows.
    """
    h = u.size // w
    zero = least * 0
    # When a row begins, `out` holds the contribution of the row above: for the first row, that of the last.
    last, first = u[(h - 1) * w :], u[:w]
    o = out[:w]
    for j in range(w):
        x = last[j + 1 if j + 1 < w else 0] - last[j]
        y = first[j] - last[j]
        o[j] = y if x * x + y * y >= least else zero
    for i in range(h):
        row = u[i * w : (i + 1) * w]
        below = (i + 1) * w if i + 1 < h else 0
        beneath = u[below : below + w]
        a = across[i * w : (i + 1) * w]
        o = out[i * w : (i + 1) * w]
        # The last row passes nothing down: the first row has its contribution already.
        down = out[below : below + w] if i + 1 < h else a
        for j in range(w - 1):
            x = row[j + 1] - row[j]
            y = beneath[j] - row[j]
            keep = x * x + y * y >= least
            x = x if keep else zero
            y = y if keep else zero
            o[j] -= x + y
            down[j] = y
            a[j] = x
        x = row[0] - row[w - 1]
        y = beneath[w - 1] - row[w - 1]
        keep = x * x + y * y >= least
        x = x if keep else zero
        y = y if keep else zero
        o[w - 1] -= x + y
        down[w - 1] = y
        a[w - 1] = x
        for j in range(1, w):
            o[j] += a[j - 1]
        o[0] += a[w - 1]


def _blend_example(rng: Any, shape: tuple[int, ...], dtype: Any) -> list[Any]:
    spectrum, data = (rng.uniform(-1, 1, (*shape, 2)).astype(dtype) for _ in range(2))
    power, laplacian = (rng.uniform(0.1, 1, shape).astype(dtype) for _ in range(2))
    return [spectrum, data, power, laplacian, 0.3]


@kernel(
    extent=lambda spectrum, data, power, *_: (power.size,),
    example=_blend_example,
    cuda=r"""
extern "C" __global__ void edge_blend(T* spectrum, const T* data, const T* power, const T* laplacian, T weight, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    T gain = T(1) / (power[i] + weight * laplacian[i]);
    spectrum[2 * i] = (data[2 * i] + weight * spectrum[2 * i]) * gain;
    spectrum[2 * i + 1] = (data[2 * i + 1] + weight * spectrum[2 * i + 1]) * gain;
}
""",
)
def edge_blend(spectrum: Any, data: Any, power: Any, laplacian: Any, weight: float) -> None:
    """From F to ``(data + weight F) / (power + weight laplacian)``: least squares of the data and of the edges."""
    one = weight * 0 + 1
    for i in range(power.size):
        gain = one / (power[i] + weight * laplacian[i])
        spectrum[2 * i] = (data[2 * i] + weight * spectrum[2 * i]) * gain
        spectrum[2 * i + 1] = (data[2 * i + 1] + weight * spectrum[2 * i + 1]) * gain
