"""The steps of the splitting solver (`deconv._variational`) that are not transforms.

With a split z = Bx, its scaled dual u and s = Bx + u, one iteration sets z = prox(s), u = s - z and hands
z - u = 2 z - s to the linear solve. Here that is done in place, without a temporary.
"""

from deconv.kernels._kernel import kernel

__all__ = ["split_bounds", "split_data", "split_gradient", "split_reflect"]


@kernel(
    extent=lambda blurred, *_: (blurred.size,),
    cuda=r"""
extern "C" __global__ void split_data(const T* blurred, const T* image, const T* weight, T rho, T* dual, T* out,
                                      int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    T s = blurred[i] + dual[i];
    T z = (weight[i] * image[i] + rho * s) / (weight[i] + rho);
    dual[i] = s - z;
    out[i] = z - (s - z);
}
""",
)
def split_data(blurred, image, weight, rho, dual, out):
    """Least squares of the data, weight 0 where nothing was measured: there z = s, whatever `image` holds."""
    for i in range(blurred.size):
        s = blurred[i] + dual[i]
        z = (weight[i] * image[i] + rho * s) / (weight[i] + rho)
        dual[i] = s - z
        out[i] = z - (s - z)


@kernel(
    extent=lambda x, *_: x.shape,
    cuda=r"""
extern "C" __global__ void split_gradient(const T* x, T* dual_x, T* dual_y, T* gx, T* gy, int h, int w) {
    int j = blockIdx.x * blockDim.x + threadIdx.x;
    int i = blockIdx.y * blockDim.y + threadIdx.y;
    if (i >= h || j >= w) return;
    int right = j + 1 < w ? j + 1 : 0;
    int below = i + 1 < h ? i + 1 : 0;
    T sx = x[i * w + right] - x[i * w + j] + dual_x[i * w + j];
    T sy = x[below * w + j] - x[i * w + j] + dual_y[i * w + j];
    dual_x[i * w + j] = sx;
    gx[i * w + j] = sx;
    dual_y[i * w + j] = sy;
    gy[i * w + j] = sy;
}
""",
)
def split_gradient(x, dual_x, dual_y, gx, gy):
    """s = gradient of `x` plus the dual, into both the dual and (`gx`, `gy`), which the prior then shrinks."""
    h, w = x.shape
    for i in range(h):
        below = i + 1 if i + 1 < h else 0
        for j in range(w):
            right = j + 1 if j + 1 < w else 0
            sx = x[i, right] - x[i, j] + dual_x[i, j]
            sy = x[below, j] - x[i, j] + dual_y[i, j]
            dual_x[i, j] = sx
            gx[i, j] = sx
            dual_y[i, j] = sy
            gy[i, j] = sy


@kernel(
    extent=lambda z, *_: (z.size,),
    cuda=r"""
extern "C" __global__ void split_reflect(T* z, T* s, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    T dual = s[i] - z[i];
    z[i] = z[i] - dual;
    s[i] = dual;
}
""",
)
def split_reflect(z, s):
    """From z and s to 2 z - s (in `z`) and the new dual s - z (in `s`)."""
    for i in range(z.size):
        dual = s[i] - z[i]
        z[i] = z[i] - dual
        s[i] = dual


@kernel(
    extent=lambda x, *_: x.shape,
    cuda=r"""
extern "C" __global__ void split_bounds(const T* x, const T* px, const T* py, T low, T high, T* dual, T* out,
                                        int h, int w) {
    int j = blockIdx.x * blockDim.x + threadIdx.x;
    int i = blockIdx.y * blockDim.y + threadIdx.y;
    if (i >= h || j >= w) return;
    int k = i * w + j;
    int left = j > 0 ? k - 1 : k + w - 1;
    int above = i > 0 ? k - w : k + (h - 1) * w;
    T s = x[k] + dual[k];
    T z = s < low ? low : (s > high ? high : s);
    dual[k] = s - z;
    out[k] = z - (s - z) - ((px[k] - px[left]) + (py[k] - py[above]));
}
""",
)
def split_bounds(x, px, py, low, high, dual, out):
    """The box `low` to `high`, plus the adjoint gradient of (`px`, `py`): the right-hand side but for the data."""
    h, w = x.shape
    for i in range(h):
        above = i - 1 if i > 0 else h - 1
        for j in range(w):
            left = j - 1 if j > 0 else w - 1
            s = x[i, j] + dual[i, j]
            z = low if s < low else (high if s > high else s)
            dual[i, j] = s - z
            out[i, j] = z - (s - z) - ((px[i, j] - px[i, left]) + (py[i, j] - py[above, j]))
