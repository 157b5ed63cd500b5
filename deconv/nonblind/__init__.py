"""Deconvolution with a known PSF. The public names are `deconv.wiener`, `deconv.richardson_lucy` and their like."""
