"""Shrinking of gradients: the proximal steps of the priors."""

import math

from deconv.kernels._kernel import kernel

__all__ = ["shrink_tv"]


@kernel(
    extent=lambda gx, *_: (gx.size,),
    cuda=r"""
extern "C" __global__ void shrink_tv(T* gx, T* gy, T threshold, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    T x = gx[i];
    T y = gy[i];
    T length = sqrt(x * x + y * y);
    if (length <= threshold) {
        gx[i] = T(0);
        gy[i] = T(0);
    } else {
        T factor = (length - threshold) / length;
        gx[i] = factor * x;
        gy[i] = factor * y;
    }
}
""",
)
def shrink_tv(gx, gy, threshold):
    """Shorten each vector (`gx`, `gy`) by `threshold`, to zero if it is no longer than that, in place.

    The proximal step of isotropic total variation.
    """
    for i in range(gx.size):
        x = gx[i]
        y = gy[i]
        length = math.sqrt(x * x + y * y)
        if length <= threshold:
            gx[i] = 0
            gy[i] = 0
        else:
            factor = (length - threshold) / length
            gx[i] = factor * x
            gy[i] = factor * y
