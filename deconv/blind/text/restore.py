"""Restoring with the PSF that was found, on a grid as coarse as the blur allows.

Text is restored twice, by two priors that err in different ways. Total variation makes flat letters with sharp edges,
which is right where the blur leaves a stroke's width to be seen. Where it does not, they come out as pale blobs: there
the scene is sought among what a pen of the finest width that the data hold can draw (`deconv.blind.text.strokes`).
How much of the ink's level total variation gives back tells how far strokes are resolved, and so how much each of
both counts.
"""

import math

import numpy as np

from deconv import noise
from deconv._core.array import array_namespace, like, to_numpy
from deconv._core.resample import at_scale, enlarge
from deconv.blind.text.strokes import restore_strokes
from deconv.nonblind.splitting import Splitting
from deconv.priors import TotalVariation

__all__ = ["prior_weight", "restore_natural", "restore_text"]

# Total variation of weight s^2 / g is the likeliest scene for noise s and gradients of Laplacian scale g. The noise is
# never less than the model's own error (photographs leave residuals of 0.003-0.008 of full contrast); both figures were
# chosen on the provided frames and on simulated ones, where the scores are flat within a factor of two of the weight.
_MODEL_ERROR = 0.006
_EDGE = 0.6
# Radius of the PSF in pixels of the grid that is restored: strokes must stay wider than a pixel of it.
_WORKING_RADIUS = 14.0
# Width of the pen as part of the PSF's radius: the error of what it draws hardly changes from 0.1 to 0.2.
_PEN = 0.14
# Finest pen, in pixels of the grid that is drawn on.
_FINEST = 2.0
# Radius of the PSF in pixels of the grid on which the pen draws, finer as its strokes are; a larger grid than this many
# pixels is not worth the time: blur so small on so large a page leaves strokes that total variation resolves.
_PEN_RADIUS, _PIXELS = 20.0, 4e5
# Pixels of a picture that is worth any reduction.
_LARGE = 1e6
# Level of the ink by total variation at which strokes are lost, and at which they are resolved.
_LOST, _RESOLVED = 0.45, 0.9
# Restored coverage up to which it is paper, and from which it is ink: the error of a restoration is about so large.
_PAPER, _INK = 0.1, 0.6
# Iterations of a solve: more fit the error of the PSF, and cost 0.1 dB in the mean over four photographs.
_ITERATIONS = 35
# Iterations in which strokes are sought; 50 and 200 are as good to 1 %.
_STROKES = 80


def restore_text(ink, candidate, report):
    """Coverage by ink, sharp, in [0, 1]: the mean of what flat strokes and a pen explain, then two tones."""
    xp = array_namespace(ink)
    flat = _upsampled(_flat(ink, candidate, 1.2, lambda part: report(0.5 * part)), ink.shape)
    level = _level(flat)
    sharp = flat / level
    resolved = min(max((level - _LOST) / (_RESOLVED - _LOST), 0.0), 1.0)
    small, scale = at_scale(ink, candidate.radius / _PEN_RADIUS)
    if resolved < 1 and math.prod(small.shape) <= _PIXELS:
        kernel, width = candidate.make(1 / scale), max(_PEN * candidate.radius / scale, _FINEST)
        drawn = restore_strokes(small, kernel, width, _STROKES, lambda part: report(0.5 + 0.5 * part))
        drawn = _upsampled(drawn, ink.shape)
        sharp = resolved * sharp + (1 - resolved) / _level(drawn) * drawn
    return xp.clip((sharp - _PAPER) / (_INK - _PAPER), 0.0, 1.0)


def restore_natural(light, candidate, report):
    """Light, sharp and not negative."""
    return _upsampled(_flat(light, candidate, math.inf, report), light.shape)


def prior_weight(sigma):
    """Weight of total variation for noise of that standard deviation."""
    return (sigma**2 + _MODEL_ERROR**2) / _EDGE


def _level(coverage):
    """Level of the ink: that of the darkest tenth of what is inked."""
    inked = to_numpy(coverage)
    inked = inked[inked > 0.1]
    return float(np.quantile(inked, 0.9)) if inked.size else 1.0


def _upsampled(sharp, shape):
    return sharp if tuple(sharp.shape) == tuple(shape) else enlarge(sharp, shape)


def _flat(image, candidate, high, report):
    """The scene by masked total variation, on a grid on which the PSF has the working radius."""
    factor = candidate.radius / _WORKING_RADIUS
    # A grid only a little coarser saves no time worth its blur, unless the picture is large.
    small, scale = at_scale(image, factor if factor >= 1.5 or math.prod(image.shape) > _LARGE else 1.0)
    kernel = like(candidate.make(1 / scale), small)
    solver = Splitting(small, tuple(kernel.shape))
    return solver.solve(
        kernel,
        TotalVariation(),
        prior_weight(noise.estimate(small)),
        high=high,
        num_iter=_ITERATIONS,
        callback=lambda i, _: report((i + 1) / _ITERATIONS),
    )
