"""What the ladder's pictures are restored by: blind, with the radius known or misjudged, and scikit-image's methods.

scikit-image is given what it cannot estimate: the light of the photograph (value ** 2.2) divided by the paper's, as
`deconv.vignette` fits it, the true disc with its softness, and a grid on which the disc has a radius of 14 pixels. The
outside continues the picture's edge, which is paper, over the PSF's width, so that neither the black outside of its
Richardson-Lucy nor the periodic one of its Wiener filter shows. Of the result as it is, encoded again, and stretched
(the tones at 2 % and at the median become ink and paper) what reads best is taken: six pictures of steps 5
to 18, seeds not of the ladder, have means of 40, 48, 17 by Richardson-Lucy (50 iterations, its default; 32, 40 and 36
with 30), and 70, 55 and 73 by the Wiener filter.
"""

import time
from dataclasses import dataclass, field

import numpy as np
from skimage import restoration

import deconv
from deconv._core.resample import at_scale

MISJUDGED = 0.03
_RADIUS = 14.0


@dataclass(frozen=True)
class Attempt:
    """A restored picture, the radius in its pixels, and the CPU seconds it took."""

    image: np.ndarray
    seconds: float = 0.0
    radius: float | None = None
    parameters: dict = field(default_factory=dict)
    psf: np.ndarray | None = None


def blurred(picture):
    """The picture as it is."""
    return Attempt(picture.image)


def sharp(picture):
    """The picture without any blur, the ceiling; None where there is no such picture."""
    return None if picture.sharp is None else Attempt(picture.sharp)


def blind(picture, settings=None, **options):
    """`deconv.blind.deblur` by its defaults, or with other settings."""
    start = time.process_time()
    result = deconv.blind.deblur(picture.image, settings=settings, **options)
    seconds = time.process_time() - start
    parameters = dict(result.parameters)
    return Attempt(result.image, seconds, float(parameters.pop("radius", 0.0)), parameters, result.psf)


def auto(picture):
    """The same, the family of the PSF unknown."""
    return blind(picture, psf="auto")


def known(picture, factor=1.0):
    """The same, the disc known: neither searched for nor refined."""
    settings = deconv.blind.Settings().replace(
        {"general.refinement.softness": picture.softness / picture.radius, "general.refinement.enabled": False}
    )
    return blind(picture, settings, radius=picture.radius * factor)


def misjudged(picture):
    """The same, the radius 3 % too large or too small, in turn over fonts and digits."""
    sign = 1 if picture.digits == (picture.font == "verdana") else -1
    return known(picture, 1 + sign * MISJUDGED)


def richardson_lucy(picture):
    """scikit-image's, given the true disc."""
    return _peer(picture, lambda image, psf: deconv.tone.encode(restoration.richardson_lucy(image, psf, clip=False)))


def unsupervised_wiener(picture):
    """scikit-image's, given the true disc; it estimates its own balance."""
    return _peer(
        picture, lambda image, psf: _stretched(restoration.unsupervised_wiener(image, psf, clip=False, rng=0)[0])
    )


def _peer(picture, restore):
    start = time.process_time()
    light = deconv.tone.decode(picture.image.astype(np.float32))
    evened, scale = at_scale(light / deconv.vignette.fit(light).field(like=light), picture.radius / _RADIUS)
    psf = deconv.psf.disk(picture.radius / scale, softness=picture.softness / scale).astype(np.float32)
    reach = psf.shape[0]
    restored = restore(np.pad(np.clip(evened, 0, None), reach, mode="edge"), psf)[reach:-reach, reach:-reach]
    return Attempt(np.clip(restored, 0, 1), time.process_time() - start)


def _stretched(image):
    ink, paper = np.quantile(image, [0.02, 0.5])
    return (image - ink) / (paper - ink)
