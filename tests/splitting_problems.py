"""Small problems for the splitting solver, shared by its test files."""

import numpy as np
import pytest

import deconv
from deconv import degrade, variational

FLOATS = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def peaked_psf(shape, seed=0):
    """An asymmetric PSF with most of its weight in the centre."""
    psf = np.random.default_rng(seed).random(shape)
    psf[tuple(n // 2 for n in shape)] += psf.sum()
    return psf / psf.sum()


def patches(shape=(24, 27), seed=0):
    """Patches of different tones, blurred and noisy; far enough inside 0..1 not to touch the box."""
    rng = np.random.default_rng(seed)
    tones = np.kron(rng.random((-(-shape[0] // 6), -(-shape[1] // 6))), np.ones((6, 6)))[: shape[0], : shape[1]]
    return degrade.add_noise(degrade.blur(0.2 + 0.6 * tones, deconv.psf.disk(1.3)), 0.01, rng=rng)


def restored(*args, **options):
    """The restored image alone."""
    return variational(*args, **options).image


PICTURE, DISK = patches(), deconv.psf.disk(1.3)
