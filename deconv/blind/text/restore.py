"""Restore text with a parametric PSF.

Text is restored twice, by two priors that fail in different ways. Total variation makes flat letters with sharp edges,
which is right if the blur still shows the width of a stroke. If not, letters become pale blobs, and a scene of pen
strokes is better (`deconv.blind.text.strokes`). The fraction of the ink's level that total variation recovers shows how
well strokes are resolved, and sets the weights of the two restorations.
"""

import math
from collections.abc import Callable

import numpy as np

from deconv._core.array import Array, Result, array_namespace, to_numpy
from deconv._core.resample import at_scale
from deconv.blind.parametric.families import Candidate
from deconv.blind.parametric.restore import deconvolve, to_shape
from deconv.blind.settings import Settings
from deconv.blind.settings.text import TextRestoration
from deconv.blind.text.strokes import restore_strokes

__all__ = ["restore_text"]


def restore_text(
    ink: Array,
    candidate: Candidate,
    settings: Settings,
    report: Callable[[float], None],
    stored: float = 0.0,
    caution: float = 1.0,
) -> Result:
    """Sharp coverage by ink: the weighted mean of total variation and strokes, then two tones.

    Parameters
    ----------
    ink : array, shape (M, N)
        The blurred coverage.
    candidate : Disk, Gaussian or Motion
        The PSF.
    settings : Settings
        Settings of all stages.
    report : callable
        ``report(fraction)``.
    stored, caution : float
        Error of the coverage that storing the image left, and factor of the weight of the prior, as for `deconvolve`.

    Returns
    -------
    array, shape (M, N)
        Coverage, 0 to 1; unbounded if the settings disable the text prior.
    """
    text, pen, plain = settings.text.restoration, settings.text.strokes, settings.general.deconvolution
    if not text.text_prior:
        return deconvolve(ink, candidate, plain, report, stored=stored, caution=caution)
    xp = array_namespace(ink)
    flat = deconvolve(
        ink, candidate, plain, lambda part: report(0.5 * part), text.highest_coverage, stored=stored, caution=caution
    )
    level = _level(flat, text)
    flat /= level
    sharp = flat
    resolved = (level - text.unresolved_level) / (text.resolved_level - text.unresolved_level)
    resolved = min(max(resolved, 0.0), 1.0)
    small, scale = at_scale(ink, candidate.radius / pen.working_radius)
    if resolved < 1 and math.prod(small.shape) <= pen.max_pixels:
        psf, width = candidate.make(1 / scale), max(pen.pen_width * candidate.radius / scale, pen.finest_pen)
        # Strokes follow errors more than total variation does. Weight and mix were chosen for images without JPEG's.
        doubt = 1 + (stored / scale / plain.model_error) ** 2
        weight, resolved = caution * pen.weight * doubt, 1 - (1 - resolved) / doubt
        drawn = restore_strokes(small, psf, width, weight, pen, lambda part: report(0.5 + 0.5 * part))
        drawn = to_shape(drawn, ink.shape)
        drawn *= (1 - resolved) / _level(drawn, text)
        sharp *= resolved
        sharp += drawn
    sharp -= text.paper_coverage
    sharp /= text.ink_coverage - text.paper_coverage
    return xp.clip(sharp, 0.0, 1.0)


def _level(coverage: Array, settings: TextRestoration) -> float:
    """Level of the ink: a high quantile of the coverage of inked pixels."""
    inked = to_numpy(coverage)
    inked = inked[inked > settings.level_above]
    return float(np.quantile(inked, settings.level_quantile)) if inked.size else 1.0
