"""What algorithms share: arrays, transforms, convolution, resampling, argument checks, files, kernels."""
