"""PSFs and blurred images that several test files share."""

import numpy as np
import pytest
import scipy.signal
from skimage import data

import deconv

FLOATS = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def asymmetric_psf(shape, seed=0):
    """A PSF without any symmetry."""
    psf = np.random.default_rng(seed).random(shape) + 0.1
    return psf / psf.sum()


def psnr(image, truth):
    """Peak signal-to-noise ratio in dB, 1 the peak."""
    return -10 * np.log10(np.mean((image - truth) ** 2))


def blur_matrix(shape, psf):
    """A of ``image = A scene``, the scene reaching past the frame by the PSF, and the frame's place in the scene."""
    large = tuple(n + k - 1 for n, k in zip(shape, psf.shape, strict=True))
    frame = tuple(slice((k - 1) - k // 2, (k - 1) - k // 2 + n) for n, k in zip(shape, psf.shape, strict=True))
    matrix = np.empty((np.prod(shape), np.prod(large)))
    for column in range(matrix.shape[1]):
        unit = np.zeros(large)
        unit.flat[column] = 1
        matrix[:, column] = scipy.signal.convolve(unit, psf, mode="valid", method="direct").ravel()
    return matrix, large, frame


def photograph():
    """A real crop: blurred past its frame, with Poisson noise of 2000 photons; its PSF and the truth."""
    scene = data.camera() / 255
    psf = deconv.psf.disk(7)
    reach = psf.shape[0] // 2
    blurred = scipy.signal.fftconvolve(scene, psf, "valid")
    noisy = np.random.default_rng(0).poisson(blurred.clip(0) * 2000) / 2000
    return noisy, psf, scene[reach:-reach, reach:-reach]
