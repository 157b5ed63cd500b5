"""PSNR of the known-PSF methods and of the priors of `deconv.variational`, each at its defaults.

::

    python -m benchmarks.studies.priors     # a few minutes; prints markdown
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import skimage.data

import deconv

# Pixels cropped from each edge after blurring, so that the methods do not know the outside.
_CUT = 14
METHODS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "blurred": lambda image, psf: image,
    "wiener": deconv.wiener,
    "Richardson-Lucy": deconv.richardson_lucy,
    "Richardson-Lucy, TV": lambda image, psf: deconv.richardson_lucy(image, psf, reg="tv"),
    "TV": lambda image, psf: deconv.variational(image, psf).image,
    "hyper-Laplacian 2/3": lambda image, psf: _with(deconv.priors.HyperLaplacian(), image, psf),
    "0.8": lambda image, psf: _with(deconv.priors.HyperLaplacian(0.8), image, psf),
    "L0 gradient": lambda image, psf: _with(deconv.priors.L0Gradient(), image, psf),
    "two tones": lambda image, psf: _with(deconv.priors.TwoTone(), image, psf),
}


def _with(prior: Any, image: np.ndarray, psf: np.ndarray) -> np.ndarray:
    return deconv.variational(image, psf, prior=prior).image


def problems() -> Iterator[tuple[str, np.ndarray, np.ndarray, np.ndarray]]:
    """Yield (name, image, psf, truth): three pictures, two PSFs, three levels of Gaussian noise."""
    lines = ["of sharp letters and", "their edges without", "training and more"]
    scenes = {
        "camera": skimage.data.camera()[40:280, 120:380] / 255,
        "coins": skimage.data.coins()[20:260, 20:280] / 255,
        "page": 0.1 + 0.8 * deconv.degrade.text_picture(lines, size=22, shape=(240, 330)),
    }
    psfs = {"disc": deconv.psf.disk(4.0, softness=0.3), "motion": deconv.psf.motion(11, angle=30)}
    for scene, whole in scenes.items():
        for kind, psf in psfs.items():
            inner = (slice(_CUT, -_CUT),) * 2
            blurred = deconv.degrade.blur(whole, psf)[inner]
            for noise in (0.002, 0.01, 0.03):
                image = deconv.degrade.add_noise(blurred, noise, rng=1)
                yield f"{scene}, {kind}, {noise}", image.astype("float32"), psf.astype("float32"), whole[inner]


def main() -> None:
    """Print the table and its means."""
    print("| | " + " | ".join(METHODS) + " |\n|---|" + "---:|" * len(METHODS))
    rows = []
    for name, image, psf, truth in problems():
        rows.append([-10 * np.log10(np.mean((method(image, psf) - truth) ** 2)) for method in METHODS.values()])
        print(f"| {name} | " + " | ".join(f"{v:.2f}" for v in rows[-1]) + " |", flush=True)
    print("| mean | " + " | ".join(f"{v:.2f}" for v in np.mean(rows, axis=0)) + " |")


if __name__ == "__main__":
    main()
