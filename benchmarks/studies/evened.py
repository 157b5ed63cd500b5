"""The classical methods on evened light, as for photographs of pages: the light is divided by that of the paper.

Each has the signature of a Python method of `deconv compare`, and takes the parameters of the function it calls.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

import deconv
from deconv.compare import Context, Problem


def wiener(image: np.ndarray, context: Context, **parameters: Any) -> np.ndarray:
    """`deconv.wiener` on evened light."""
    return _evened(deconv.wiener, image, context, parameters)


def richardson_lucy(image: np.ndarray, context: Context, **parameters: Any) -> np.ndarray:
    """`deconv.richardson_lucy` on evened light."""
    return _evened(deconv.richardson_lucy, image, context, parameters)


def total_variation(image: np.ndarray, context: Context, **parameters: Any) -> np.ndarray:
    """`deconv.variational` with total variation on evened light."""
    return _evened(lambda *args, **options: deconv.variational(*args, **options).image, image, context, parameters)


def _evened(
    restore: Callable[..., np.ndarray], image: np.ndarray, context: Context, parameters: Mapping[str, Any]
) -> np.ndarray:
    if context.psf is None:
        raise Problem("it needs the PSF, and nobody knows it for this picture")
    light = deconv.tone.decode(image if image.ndim == 2 else image.mean(axis=-1), context.gamma)
    light = np.clip(light / deconv.vignette.fit(light).field(like=light), 0, None)
    restored = restore(light, context.psf.astype(light.dtype), **parameters)
    encoded = np.clip(deconv.tone.encode(np.clip(restored, 0, None), context.gamma), 0, 1)
    return encoded if image.ndim == 2 else np.repeat(encoded[..., None], 3, axis=-1)
