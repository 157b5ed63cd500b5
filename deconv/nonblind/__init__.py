"""Deconvolution with a known PSF: `deconv.wiener`, `deconv.richardson_lucy`, `deconv.variational` and others."""
