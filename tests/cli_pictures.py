"""Pictures for the tests of the command line."""

import shutil

import numpy as np
import pytest

import deconv
from deconv import cli
from deconv._core import files

LINES = ["a blurred", "picture"]
needs_tesseract = pytest.mark.skipif(shutil.which("tesseract") is None, reason="tesseract is not installed")


def main(argv):
    """The command line; an interrupt stops the tests, as elsewhere, and is not taken for a failure of one of them."""
    if (code := cli.main(argv)) == 130:
        raise KeyboardInterrupt
    return code


def sharp_page():
    """A page of text."""
    return deconv.degrade.text_picture(LINES, size=24)


def write_photo(path):
    """A 16-bit file of the page out of focus by 4 pixels."""
    light = deconv.degrade.blur(0.05 + 0.85 * sharp_page(), deconv.psf.disk(4))
    pixels = deconv.tone.encode(deconv.degrade.add_noise(light, 0.002, rng=0))
    files.write(path, pixels, like=files.Picture(pixels, dtype=np.dtype(np.uint16), white=65535))
    return path


def write_shaken(path, *, sharp=None, seed=2):
    """A 16-bit file of text in linear values, blurred by camera shake; returns the sharp text."""
    if sharp is None:
        sharp = 0.1 + 0.8 * deconv.degrade.text_picture(["page one", "of text"], size=24, shape=(96, 160))
    channels = None if sharp.ndim == 2 else -1
    light = deconv.degrade.blur(sharp, deconv.psf.random_motion(9, rng=seed), channel_axis=channels)
    pixels = deconv.degrade.add_noise(light, 0.002, rng=0)
    files.write(path, pixels, like=files.Picture(pixels, dtype=np.dtype(np.uint16), white=65535))
    return sharp
