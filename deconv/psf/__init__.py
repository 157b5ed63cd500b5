r"""Point-spread functions: make, centre, normalise, compare, take apart, to and from transfer functions.

Every maker integrates the ideal shape over the area of each pixel, so a PSF changes smoothly with its parameters and a
shape smaller than a pixel is the delta. The arrays are odd, square, no larger than needed, non-negative and sum to 1.
Lengths are in pixels; angles in degrees, counter-clockwise as the image is displayed.

>>> import deconv
>>> deconv.psf.disk(1.0).round(3)
array([[0.025, 0.145, 0.025],
       [0.145, 0.318, 0.145],
       [0.025, 0.145, 0.025]])

The centre of every PSF in `deconv` is index ``n // 2`` of each axis, for even lengths too: ``[0, 0, 1, 0]`` is the
delta, which shifts nothing.

>>> deconv.psf.to_otf([0, 0, 1, 0], (4,)).real
array([1., 1., 1., 1.], dtype=float32)
"""

from deconv.psf.compare import centre, normalise, similarity
from deconv.psf.otf import from_otf, to_otf
from deconv.psf.separable import separate
from deconv.psf.shake import random_motion
from deconv.psf.shapes import disk, gaussian, motion, polygon

__all__ = [
    "centre",
    "disk",
    "from_otf",
    "gaussian",
    "motion",
    "normalise",
    "polygon",
    "random_motion",
    "separate",
    "similarity",
    "to_otf",
]
