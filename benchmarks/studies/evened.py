"""The classical methods as who photographs pages would use them: the light divided by the paper's, then restored.

Each takes the picture as `deconv compare` gives it to a Python method, and the parameters of the function it calls.
"""

import numpy as np

import deconv
from deconv.compare import Problem


def wiener(image, context, **parameters):
    """`deconv.wiener`."""
    return _evened(deconv.wiener, image, context, parameters)


def richardson_lucy(image, context, **parameters):
    """`deconv.richardson_lucy`."""
    return _evened(deconv.richardson_lucy, image, context, parameters)


def total_variation(image, context, **parameters):
    """`deconv.variational` with total variation."""
    return _evened(lambda *args, **own: deconv.variational(*args, **own).image, image, context, parameters)


def _evened(restore, image, context, parameters):
    if context.psf is None:
        raise Problem("it needs the PSF, and nobody knows it for this picture")
    light = deconv.tone.decode(image if image.ndim == 2 else image.mean(axis=-1), context.gamma)
    light = np.clip(light / deconv.vignette.fit(light).field(like=light), 0, None)
    restored = restore(light, context.psf.astype(light.dtype), **parameters)
    encoded = np.clip(deconv.tone.encode(np.clip(restored, 0, None), context.gamma), 0, 1)
    return encoded if image.ndim == 2 else np.repeat(encoded[..., None], 3, axis=-1)
