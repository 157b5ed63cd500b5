"""Differences between neighbouring pixels of a periodic picture."""

from deconv._core.kernels.launch import kernel

__all__ = ["divergence", "gradient"]


@kernel(
    extent=lambda u, *_: u.shape,
    cuda=r"""
extern "C" __global__ void gradient(const T* u, T* gx, T* gy, int h, int w) {
    int j = blockIdx.x * blockDim.x + threadIdx.x;
    int i = blockIdx.y * blockDim.y + threadIdx.y;
    if (i >= h || j >= w) return;
    int right = j + 1 < w ? j + 1 : 0;
    int below = i + 1 < h ? i + 1 : 0;
    T here = u[i * w + j];
    gx[i * w + j] = u[i * w + right] - here;
    gy[i * w + j] = u[below * w + j] - here;
}
""",
)
def gradient(u, gx, gy):
    """Forward differences of a periodic picture along columns (`gx`) and rows (`gy`)."""
    h, w = u.shape
    for i in range(h):
        below = i + 1 if i + 1 < h else 0
        for j in range(w):
            right = j + 1 if j + 1 < w else 0
            here = u[i, j]
            gx[i, j] = u[i, right] - here
            gy[i, j] = u[below, j] - here


@kernel(
    extent=lambda px, *_: px.shape,
    cuda=r"""
extern "C" __global__ void divergence(const T* px, const T* py, T* out, int h, int w) {
    int j = blockIdx.x * blockDim.x + threadIdx.x;
    int i = blockIdx.y * blockDim.y + threadIdx.y;
    if (i >= h || j >= w) return;
    int left = j > 0 ? j - 1 : w - 1;
    int above = i > 0 ? i - 1 : h - 1;
    out[i * w + j] = (px[i * w + j] - px[i * w + left]) + (py[i * w + j] - py[above * w + j]);
}
""",
)
def divergence(px, py, out):
    """Divergence of the field (`px`, `py`): minus the adjoint of `gradient`."""
    h, w = px.shape
    for i in range(h):
        above = i - 1 if i > 0 else h - 1
        for j in range(w):
            left = j - 1 if j > 0 else w - 1
            out[i, j] = (px[i, j] - px[i, left]) + (py[i, j] - py[above, j])
