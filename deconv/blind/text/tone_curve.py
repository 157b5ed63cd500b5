"""The response curve, from how well a restoration through it explains the picture."""

import math
from dataclasses import replace

import numpy as np

from deconv import tone
from deconv._core.array import array_namespace, like
from deconv._core.resample import at_scale
from deconv.blind.text.ink import ground_of, ink_of, text_window
from deconv.nonblind.splitting import Splitting
from deconv.priors import TotalVariation

__all__ = ["response"]

# Exponent of a photograph, shoulders that are tried with it, and the exponent of data that are light already.
_PHOTOGRAPH, _SHOULDERS, _LIGHT = 2.2, (0.0, 0.5, 1.0), 1.0
# Strongest shoulder that is believed.
_MOST = 1.2
# By so much must the logarithm of the residual fall for a shoulder, and for data that are light already.
_GAINS = 0.01, 0.05
# Radii that are tried, as parts of the candidate's: one too small hides a shoulder, one too large feigns one.
_RADII = (0.97, 1.0, 1.03)
# Curves are compared at a scale at which the radius and the longer side are no more than so many pixels.
_RADIUS, _COARSEST = 8.0, 256
# Contrast that all are brought to, so that a weight means the same for all, the weight, and iterations.
_CONTRAST, _WEIGHT, _ITERATIONS = 0.15, 1e-3, 40


def response(values, candidate, foreground, report):
    """Exponent and shoulder of the response curve of a photograph of text.

    Blur is linear in light, and in light alone: through another curve the same restoration cannot follow the picture
    both where the blurred text is faint and where it is dark. The residual is measured in encoded values, where the
    noise is, so that curves compare. A radius a little off looks like another curve: a paraboloid through the residuals
    of pairs of both tells them apart. Its radius is no better than that of `refine`, which may follow with this curve.

    Parameters
    ----------
    values : array, shape (M, N)
        Encoded values, 0 to 1.
    candidate : object
        The PSF (of `deconv.blind.parametric.families`), in pixels of `values`, its radius right to a few per cent.
    foreground : {"dark", "bright"}
        What the text is on its ground.
    report : callable
        ``report(fraction)``.

    Returns
    -------
    gamma, shoulder : float
        As `deconv.tone.decode` takes them.
    """
    small, scale = at_scale(values, max(candidate.radius / _RADIUS, max(values.shape) / _COARSEST))
    window = text_window(ink_of(tone.decode(small, _PHOTOGRAPH), foreground))
    psfs = [like(replace(candidate, radius=candidate.radius * k).make(1 / scale), small) for k in _RADII]
    misfits = []
    for i, shoulder in enumerate(_SHOULDERS):
        misfits.append(_misfits(small, window, psfs, foreground, _PHOTOGRAPH, shoulder))
        report((i + 1) / (len(_SHOULDERS) + 1))
    (straight,) = _misfits(small, window, psfs[1:2], foreground, _LIGHT, 0.0)
    report(1.0)
    if straight < misfits[0][1] - _GAINS[1]:
        return _LIGHT, 0.0
    return _PHOTOGRAPH, _lowest_shoulder(misfits)


def _misfits(values, window, psfs, foreground, gamma, shoulder):
    """Logarithm of the rms residual, in encoded values, of quick restorations through that curve with some PSFs."""
    xp = array_namespace(values)
    light = tone.decode(values, gamma, shoulder)
    ground, full = (part[window] for part in ground_of(light, foreground))
    light, seen = light[window], (light[window] - ground) / full
    unit = _CONTRAST / max(float(xp.std(seen)), 1e-6)
    solver = Splitting(unit * seen, tuple(max(psf.shape[axis] for psf in psfs) for axis in (0, 1)))
    out = []
    for psf in psfs:
        solver.solve(psf, TotalVariation(), _WEIGHT, num_iter=_ITERATIONS)
        modelled = light + full * solver.residual[solver.window] / unit
        out.append(math.log(float(xp.std(tone.encode(modelled, gamma, shoulder) - values[window])) + 1e-12))
    return out


def _lowest_shoulder(misfits):
    """The shoulder at the lowest place of the paraboloid through misfits in rows of shoulders and columns of radii."""

    def terms(shoulders, radii):
        s, k = (a.ravel() for a in np.meshgrid(shoulders, radii, indexing="ij"))
        return s, np.stack([np.ones_like(s), s, k, s * s, s * k, k * k], axis=-1)

    bowl = np.linalg.lstsq(terms(_SHOULDERS, _RADII)[1], np.ravel(misfits), rcond=None)[0]
    s, grid = terms(np.linspace(0.0, _MOST, 61), np.linspace(_RADII[0], _RADII[-1], 61))
    height = grid @ bowl
    best = int(np.argmin(height))
    return float(s[best]) if height[best] < np.min(height[s == 0]) - _GAINS[0] else 0.0
