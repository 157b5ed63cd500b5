"""The two elementwise steps of Richardson-Lucy, safe where there is nothing to divide by."""

from deconv.kernels._kernel import kernel

__all__ = ["rl_ratio", "rl_update"]


@kernel(
    extent=lambda image, *_: (image.size,),
    cuda=r"""
extern "C" __global__ void rl_ratio(
        const T* image, const T* weight, const T* blurred, T floor, T* out, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    out[i] = weight[i] > T(0) && blurred[i] > floor ? weight[i] * image[i] / blurred[i] : T(0);
}
""",
)
def rl_ratio(image, weight, blurred, floor, out):
    """Measured over predicted: ``weight * image / blurred``; 0 where `weight` is 0 or `blurred` not above `floor`.

    A NaN in `image` does not spread from where `weight` is 0.
    """
    for i in range(image.size):
        if weight[i] > 0 and blurred[i] > floor:
            out[i] = weight[i] * image[i] / blurred[i]
        else:
            out[i] = 0


@kernel(
    extent=lambda x, *_: (x.size,),
    cuda=r"""
extern "C" __global__ void rl_update(
        const T* x, const T* correction, const T* sensitivity, T floor, T* out, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    out[i] = sensitivity[i] > floor ? x[i] * correction[i] / sensitivity[i] : T(0);
}
""",
)
def rl_update(x, correction, sensitivity, floor, out):
    """The next estimate: ``x * correction / sensitivity``; 0 where `sensitivity` is not above `floor`.

    `out` may be `x`.
    """
    for i in range(x.size):
        if sensitivity[i] > floor:
            out[i] = x[i] * correction[i] / sensitivity[i]
        else:
            out[i] = 0
