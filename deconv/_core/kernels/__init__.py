"""Hand-written loops, each as two twins: CUDA text and, directly below it, a Numba function.

A kernel takes C-contiguous arrays of one float dtype and one library and writes into its arguments. To add one, write
it in a topic file as `deconv._core.kernels.launch` shows and list it here: the tests go through `__all__`.
"""

from deconv._core.kernels.chains import chain_mean, chain_sample
from deconv._core.kernels.convolution import correlate, correlate_axis
from deconv._core.kernels.edges import edge_blend, edge_divergence
from deconv._core.kernels.ratios import rl_extrapolate, rl_penalised, rl_ratio, rl_roughness, rl_update
from deconv._core.kernels.shrinkage import shrink_hard, shrink_radial, shrink_tv, shrink_two_tone
from deconv._core.kernels.spectra import spectral_bins, spectral_gain
from deconv._core.kernels.splitting import split_bounds, split_data, split_gradient, split_poisson, split_sum

__all__ = [
    "chain_mean",
    "chain_sample",
    "correlate",
    "correlate_axis",
    "edge_blend",
    "edge_divergence",
    "rl_extrapolate",
    "rl_penalised",
    "rl_ratio",
    "rl_roughness",
    "rl_update",
    "shrink_hard",
    "shrink_radial",
    "shrink_tv",
    "shrink_two_tone",
    "spectral_bins",
    "spectral_gain",
    "split_bounds",
    "split_data",
    "split_gradient",
    "split_poisson",
    "split_sum",
]
