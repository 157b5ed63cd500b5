"""Scenes that the tests of blind deconvolution blur, and NumPy's results for some of them."""

import functools
import shutil

import numpy as np
import pytest
from skimage import data

from deconv import degrade, psf
from deconv.blind import deblur

needs_tesseract = pytest.mark.skipif(shutil.which("tesseract") is None, reason="tesseract is not installed")
LINES = ["Blind deblur", "finds its own", "radius alone"]
NOISE = 0.002


def page_of(size=22, shape=(150, 240), lines=LINES, font="verdana"):
    """A sharp page."""
    return degrade.text_picture(lines, size=size, shape=shape, font=font)


def photo_of(scene, kernel, noise=NOISE):
    """`scene` through `kernel`, as a camera records it in linear light."""
    return degrade.add_noise(degrade.blur(scene, kernel), noise, rng=0)


def psnr(image, truth):
    """Of two pictures whose full scale is 1, in dB."""
    return -10 * np.log10(max(np.mean((image - truth) ** 2), 1e-12))


SCENE = data.camera()[40:400:2, 100:460:2] / 255
PHOTO = photo_of(SCENE, psf.disk(3))
MOON = photo_of(data.moon()[100:400:2, 100:460:2] / 255, psf.disk(3))
SHARP = page_of(size=20, shape=(96, 128), lines=["Blind", "deblur"])
BLURRED = photo_of(SHARP, psf.disk(3.5))


@functools.cache
def result_of(name):
    """NumPy's result for BLURRED, found once: with each prior, and for a part of it in float64."""
    if name == "float64":
        return deblur(BLURRED.astype(np.float64)[:64, :80], gamma=1)
    return deblur(BLURRED, prior=name, gamma=1)
