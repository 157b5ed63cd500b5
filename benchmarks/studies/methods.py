"""The methods of the ladder: blind, with the radius known or misjudged, and those of scikit-image.

scikit-image gets the inputs that it cannot estimate: the light of the photograph (value ** 2.2) divided by that of the
paper, as fitted by `deconv.vignette`; the true disc with its softness; and a grid on which the disc has a radius of 14
pixels. The picture is padded by its edge, which is paper, over the PSF's width, so that neither the black outside of
Richardson-Lucy nor the periodic one of the Wiener filter has an effect. Three outputs were compared: the result itself,
encoded again, and stretched (the tones at 2 % and at the median become ink and paper). The one that reads best is used.
On six pictures of steps 5 to 18, with other seeds than the ladder, their means are 40, 48 and 17 with Richardson-Lucy
(50 iterations, its default; 32, 40 and 36 with 30), and 70, 55 and 73 with the Wiener filter.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from skimage import restoration

import deconv
from benchmarks.studies.pictures import Picture
from deconv._core.resample import at_scale
from deconv.compare.protocol import Context

MISJUDGED = 0.03
_RADIUS = 14.0


@dataclass(frozen=True)
class Attempt:
    """A restored picture, the radius in its pixels, and the CPU seconds."""

    image: np.ndarray
    seconds: float = 0.0
    radius: float | None = None
    parameters: dict[str, float] = field(default_factory=dict)
    psf: np.ndarray | None = None


def blind(picture: Picture, settings: deconv.blind.Settings | None = None, **options: Any) -> Attempt:
    """`deconv.blind.deblur` with its defaults, or with other options."""
    start = time.process_time()
    result = deconv.blind.deblur(picture.image, settings=settings, **options)
    seconds = time.process_time() - start
    parameters = dict(result.parameters)
    return Attempt(result.image, seconds, float(parameters.pop("radius", 0.0)), parameters, result.psf)


def disk(picture: Picture) -> Attempt:
    """Blind restoration, the family of the PSF given."""
    return blind(picture, psf="disk")


def known(picture: Picture, factor: float = 1.0) -> Attempt:
    """Restoration with the true disc, without search or refinement."""
    assert picture.radius is not None
    assert picture.softness is not None
    settings = deconv.blind.Settings().replace(
        {"general.refinement.softness": picture.softness / picture.radius, "general.refinement.enabled": False}
    )
    return blind(picture, settings, radius=picture.radius * factor)


def misjudged(picture: Picture) -> Attempt:
    """Restoration with a radius 3 % too large or too small, alternating over fonts and digits."""
    sign = 1 if picture.digits == (picture.font == "verdana") else -1
    return known(picture, 1 + sign * MISJUDGED)


def richardson_lucy(picture: Picture) -> Attempt:
    """scikit-image's Richardson-Lucy with the true disc."""
    return _peer(picture, lambda image, psf: deconv.tone.encode(restoration.richardson_lucy(image, psf, clip=False)))


def unsupervised_wiener(picture: Picture) -> Attempt:
    """scikit-image's unsupervised Wiener filter with the true disc; it estimates its own balance."""
    return _peer(
        picture, lambda image, psf: _stretched(restoration.unsupervised_wiener(image, psf, clip=False, rng=0)[0])
    )


def _peer(picture: Picture, restore: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Attempt:
    assert picture.radius is not None
    assert picture.softness is not None
    start = time.process_time()
    light = deconv.tone.decode(picture.image.astype(np.float32))
    evened, scale = at_scale(light / deconv.vignette.fit(light).field(like=light), picture.radius / _RADIUS)
    psf = deconv.psf.disk(picture.radius / scale, softness=picture.softness / scale).astype(np.float32)
    reach = psf.shape[0]
    restored = restore(np.pad(np.clip(evened, 0, None), reach, mode="edge"), psf)[reach:-reach, reach:-reach]
    return Attempt(np.clip(restored, 0, 1), time.process_time() - start)


def _stretched(image: np.ndarray) -> np.ndarray:
    ink, paper = np.quantile(image, [0.02, 0.5])
    return (image - ink) / (paper - ink)


def restored(image: np.ndarray, context: Context, method: str) -> tuple[np.ndarray, np.ndarray | None, dict[str, Any]]:
    """One of the functions above, by name, with the signature of a method of `deconv.compare`."""
    picture = picture_of(image, context)
    return result(globals()[method](picture), picture)


def picture_of(image: np.ndarray, context: Context) -> Picture:
    """The picture with its details, if the method declares that it knows them."""
    facts = context.details or {"name": "", "step": 0, "font": "", "digits": False, "lines": ()}
    return Picture(**facts, image=image)


def result(attempt: Attempt, picture: Picture) -> tuple[np.ndarray, np.ndarray | None, dict[str, Any]]:
    """The result in the form that the runner takes: image, PSF and details."""
    radius = None if attempt.radius is None else round(attempt.radius * picture.per_pixel, 3)
    parameters = {name: round(value, 4) for name, value in attempt.parameters.items()}
    details = {"estimated radius": radius, "parameters": parameters, "cpu": round(attempt.seconds, 3)}
    return attempt.image, attempt.psf, details
