"""Restoring with the PSF that was found, on a grid as coarse as the blur allows."""

import math

import numpy as np

from deconv import noise
from deconv._array import array_namespace, like, to_numpy
from deconv._resample import at_scale, enlarge
from deconv._variational import Splitting
from deconv.blind._search import EDGE, MODEL_ERROR
from deconv.priors import TotalVariation

__all__ = ["restore_natural", "restore_text"]

# Radius of the PSF in pixels of the grid that is restored: strokes must stay wider than a pixel of it.
_WORKING_RADIUS = 14.0
# Restored coverage up to which it is paper, and from which it is ink: the error of a restoration is about so large.
_PAPER, _INK = 0.15, 0.75
# Iterations of the final solve: more fit the error of the PSF, and cost 0.1 dB in the mean over four photographs.
_ITERATIONS = 35


def restore_text(ink, candidate, report):
    """Coverage by ink, sharp, in [0, 1]: masked total variation in a box, then two tones.

    Ink is the level of the darkest tenth of what is inked; what lies near a tone is that tone.
    """
    xp = array_namespace(ink)
    sharp = _solve(ink, candidate, 1.2, report)
    inked = to_numpy(sharp)
    inked = inked[inked > 0.1]
    full = float(np.quantile(inked, 0.9)) if inked.size else 1.0
    return xp.clip((_upsampled(sharp, ink.shape) / full - _PAPER) / (_INK - _PAPER), 0.0, 1.0)


def restore_natural(light, candidate, report):
    """Light, sharp and not negative."""
    return _upsampled(_solve(light, candidate, math.inf, report), light.shape)


def _upsampled(sharp, shape):
    return sharp if tuple(sharp.shape) == tuple(shape) else enlarge(sharp, shape)


def _solve(image, candidate, high, report):
    factor = candidate.radius / _WORKING_RADIUS
    # A grid only a little coarser saves no time worth its blur.
    small, scale = at_scale(image, factor if factor >= 1.5 else 1.0)
    psf = like(candidate.make(1 / scale), small)
    solver = Splitting(small, tuple(psf.shape))
    level = (noise.estimate(small) ** 2 + MODEL_ERROR**2) / EDGE
    return solver.solve(
        psf,
        TotalVariation(),
        level,
        high=high,
        num_iter=_ITERATIONS,
        callback=lambda i, _: report((i + 1) / _ITERATIONS),
    )
