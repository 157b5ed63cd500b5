"""What the default call is set beside on the field set: the true PSF, and what scikit-image offers."""

import importlib.metadata
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from skimage import filters, restoration

import deconv
from benchmarks.studies import field_pictures, study
from deconv.compare.protocol import Context, Method

BEFORE, SHARP = study.BLURRED.name, study.SHARP.name
TRUE_PSF = "true PSF"
_UNSHARP = "unsharp mask"
PEERS = ("Richardson-Lucy", "unsupervised Wiener", _UNSHARP)
_ROUNDING = 1 / (255 * math.sqrt(12))


def others(path: Path) -> list[tuple[Method, str | None]]:
    """Methods whose results do not change with `deconv.blind`, each with the version of what it runs."""
    nonblind = study.fingerprint(__file__, *map(str, sorted(Path(deconv.__file__).parent.glob("nonblind/*.py"))))
    peers = study.fingerprint(__file__, also=importlib.metadata.version("scikit-image"))
    methods: list[tuple[Method, str | None]] = [(study.BLURRED, None), (study.SHARP, None)]
    known = ("psf", "details")
    ceiling = study.method(TRUE_PSF, "field_others:by_true_psf", knows=known, path=str(path), version=nonblind)
    methods.append((ceiling, nonblind))
    for name in PEERS:
        method = study.method(name, "field_others:by_peer", knows=("psf",), peer=name, version=peers)
        methods.append((method, peers))
    return methods


def needs_psf(name: str) -> bool:
    """Whether a method of `others` works by the true PSF."""
    return name == TRUE_PSF or (name in PEERS and name != _UNSHARP)


def by_true_psf(
    image: np.ndarray, context: Context, path: str, version: str
) -> tuple[np.ndarray, None, dict[str, Any]]:
    """The set's restorations by the true PSF; text out of focus also as text, by its radius."""
    assert context.details is not None
    rgb = field_pictures.eight_bits(image)
    truth = {"gamma": context.gamma}
    by = field_pictures.tool(Path(path))
    estimate = deconv.noise.estimate
    # The set takes the noise as estimated, which is 0 on smooth JPEG; that of rounding to 8 bits is there always.
    with mock.patch.object(deconv.noise, "estimate", lambda *a, **k: max(estimate(*a, **k), _ROUNDING)):
        results = [one / np.float32(255) for one in by.by_true_psf(rgb, truth, context.psf)]
    if context.details["text"] and context.details["family"] in ("disk", "polygon"):
        results.append(deconv.blind.deblur(rgb, radius=float(context.details["size"]), channel_axis=2).image)
    return np.stack(results), None, {"version": version}


def _unsupervised_wiener(light: np.ndarray, psf: np.ndarray, seed: int) -> Any:
    return restoration.unsupervised_wiener(light, psf, clip=False, rng=seed)[0]


_PEERS: dict[str, Callable[[np.ndarray, np.ndarray, int], Any]] = {
    "Richardson-Lucy": lambda light, psf, seed: restoration.richardson_lucy(light, psf, num_iter=30),
    "unsupervised Wiener": _unsupervised_wiener,
}


def by_peer(image: np.ndarray, context: Context, peer: str, version: str) -> tuple[np.ndarray, None, dict[str, Any]]:
    """A restoration of scikit-image: by the true PSF in linear light, or the unsharp mask, which needs none."""
    details = {"version": version}
    if peer == _UNSHARP:
        # Not -1: scikit-image 0.26 then sharpens the first three rows and leaves the others unset.
        return np.asarray(filters.unsharp_mask(image, channel_axis=None if image.ndim == 2 else 2)), None, details
    assert context.psf is not None
    colours = image if image.ndim == 3 else image[..., None]
    light = np.clip(colours, 0, 1).astype(np.float64) ** context.gamma
    psf = context.psf.astype(np.float64)
    planes = [_PEERS[peer](light[..., c], psf, context.seed) for c in range(light.shape[2])]
    # Richardson-Lucy divides by zero where no light is.
    light = np.clip(np.nan_to_num(np.stack(planes, axis=-1)), 0, None)
    return light ** (1 / context.gamma), None, details
