"""Hand-written loops, each as two twins: CUDA text and, directly below it, a Numba function.

A kernel takes C-contiguous arrays of one shape, one float dtype and one library and writes into its
arguments. To add one, write it in a topic file as `deconv.kernels._kernel` shows and name it here: the
tests walk `__all__`.
"""

from deconv.kernels.differences import divergence, gradient
from deconv.kernels.ratios import rl_ratio, rl_update
from deconv.kernels.shrinkage import shrink_tv
from deconv.kernels.splitting import split_bounds, split_data, split_gradient, split_reflect

__all__ = [
    "divergence",
    "gradient",
    "rl_ratio",
    "rl_update",
    "shrink_tv",
    "split_bounds",
    "split_data",
    "split_gradient",
    "split_reflect",
]
