"""Estimate the response curve: the one whose restoration explains the image best."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from deconv import tone
from deconv._core.array import Array, Result, array_namespace, like
from deconv._core.resample import at_scale
from deconv.blind.parametric.families import Candidate
from deconv.blind.settings import Settings
from deconv.blind.settings.text import ToneCurve
from deconv.blind.text.ink import Foreground, coverage, fit_background, text_window
from deconv.nonblind.splitting import Splitting
from deconv.priors import TotalVariation

__all__ = ["estimate_tone_curve"]


def estimate_tone_curve(
    values: Array,
    candidate: Candidate,
    foreground: Foreground,
    settings: Settings,
    report: Callable[[float], None],
) -> tuple[float, float]:
    """Exponent and shoulder of the response curve of a photograph of text.

    Blur is linear in light and in nothing else: decoded with a wrong curve, no restoration fits both the faint and the
    dark parts of blurred text. Residuals are measured in encoded values, where the noise is even, so that they can be
    compared between curves. A slightly wrong radius has a similar effect; a paraboloid fitted to the residuals over
    shoulder and radius separates the two. Its radius is no better than that of `refine`.

    Parameters
    ----------
    values : array, shape (M, N)
        Encoded values, 0 to 1.
    candidate : Disk, Gaussian or Motion
        The PSF in pixels of `values`; its radius must be right to a few per cent.
    foreground : {"dark", "bright"}
        Whether text is darker or brighter than its background.
    settings : Settings
        Settings of all stages.
    report : callable
        ``report(fraction)``.

    Returns
    -------
    gamma, shoulder : float
        As `deconv.tone.decode` takes them.
    """
    curves, photograph = settings.text.tone_curve, settings.general.photograph_gamma
    small, scale = at_scale(
        values, max(candidate.radius / curves.working_radius, max(values.shape) / curves.working_side)
    )
    window = text_window(coverage(tone.decode(small, photograph), foreground, settings.text.ink), settings.text.ink)
    factors = curves.radius_factors
    psfs = [like(replace(candidate, radius=candidate.radius * k).make(1 / scale), small) for k in factors]
    middle = len(psfs) // 2
    residuals = []
    for i, shoulder in enumerate(curves.shoulders):
        residuals.append(_log_residuals(small, window, psfs, foreground, photograph, shoulder, settings))
        report((i + 1) / (len(curves.shoulders) + 1))
    (linear,) = _log_residuals(small, window, psfs[middle : middle + 1], foreground, curves.linear_gamma, 0.0, settings)
    report(1.0)
    if linear < residuals[0][middle] - curves.linear_gain:
        return curves.linear_gamma, 0.0
    return photograph, best_shoulder(residuals, curves)


def _log_residuals(
    values: Array,
    window: tuple[slice, slice],
    psfs: Sequence[Result],
    foreground: Foreground,
    gamma: float,
    shoulder: float,
    settings: Settings,
) -> list[float]:
    """Log RMS residual, in encoded values, of a quick restoration with one response curve, for each PSF."""
    curves = settings.text.tone_curve
    xp = array_namespace(values)
    light = tone.decode(values, gamma, shoulder)
    background, change = (part[window] for part in fit_background(light, foreground, settings.text.ink))
    light, ink = light[window], (light[window] - background) / change
    unit = curves.contrast / max(float(xp.std(ink)), 1e-6)
    solver = Splitting(unit * ink, tuple(max(psf.shape[axis] for psf in psfs) for axis in (0, 1)))
    residuals = []
    for psf in psfs:
        solver.solve(psf, TotalVariation(), curves.weight, num_iter=curves.num_iter)
        modelled = light + change * solver.residual[solver.window] / unit
        rms = float(xp.std(tone.encode(modelled, gamma, shoulder) - values[window]))
        residuals.append(math.log(rms + 1e-12))
    return residuals


def best_shoulder(residuals: Sequence[Sequence[float]], settings: ToneCurve) -> float:
    """Shoulder at the minimum of a paraboloid fitted to log residuals; 0 unless another shoulder gains enough.

    Parameters
    ----------
    residuals : sequence of sequences of float
        Rows of shoulders, columns of radii.
    settings : ToneCurve
        The shoulders and radii that were tried, and the gain required.

    Returns
    -------
    float
        The shoulder, as `deconv.tone.decode` takes it.
    """
    shoulders, radii = settings.shoulders, settings.radius_factors
    bowl = np.linalg.lstsq(_terms(shoulders, radii)[1], np.ravel(residuals), rcond=None)[0]
    s, grid = _terms(np.linspace(0.0, settings.strongest_shoulder, 61), np.linspace(radii[0], radii[-1], 61))
    height = grid @ bowl
    best = int(np.argmin(height))
    return float(s[best]) if height[best] < np.min(height[s == 0]) - settings.shoulder_gain else 0.0


def _terms(
    shoulders: Sequence[float] | np.ndarray, radii: Sequence[float] | np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Shoulder of each pair, and the terms of a quadratic in both."""
    s, k = (a.ravel() for a in np.meshgrid(shoulders, radii, indexing="ij"))
    return s, np.stack([np.ones_like(s), s, k, s * s, s * k, k * k], axis=-1)
