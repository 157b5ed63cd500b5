"""Blind deconvolution: restore an image and estimate its PSF.

>>> import numpy as np, deconv
>>> sharp = deconv.degrade.text_picture(["blind", "deblur"], shape=(120, 200))
>>> blurred = deconv.degrade.add_noise(deconv.degrade.blur(sharp, deconv.psf.disk(4)), 0.002, rng=0)
>>> result = deconv.blind.deblur(blurred, gamma=1)
>>> result.family, round(result.parameters["radius"])
('disk', 4)
"""

from deconv.blind.api import deblur, deblur_pages
from deconv.blind.result import Guess, Restoration
from deconv.blind.settings import Settings

__all__ = ["Guess", "Restoration", "Settings", "deblur", "deblur_pages"]
