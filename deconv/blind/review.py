r"""The last look at a restoration: whether it is likely to be closer to the scene than the image it was made from.

A PSF that is wrong leaves traces whatever its family. Blurred again, the restoration does not explain the image: the
residual is not white like noise, reaches over several pixels, and lies at the edges. A sharp edge, for example, cannot
come out of a disc of radius r, which limits the step between neighbouring pixels to 2 / (pi r) of the range. And where
a wrong PSF does explain the image, the restoration rings: its gradients rise everywhere and not at edges only, so that
their geometric mean, the density of a heavy-tailed prior, rises more than the contrast. The log odds are a weighted sum
of these measures: a data term and a prior term, as in the cost that a restoration minimises, but with weights fitted to
restorations whose scenes are known (docs/tried.md, "The last look").
"""

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from deconv._core.array import Array, array_namespace, device
from deconv.blind.settings.review import LastLook
from deconv.degrade import blur

__all__ = ["Measures", "Review", "first_accepted", "review"]

T = TypeVar("T")

_DEFAULTS = LastLook()
# Pixels of a large image that are looked at together; work arrays are as large.
_BAND = 1e6
_UNEXPLAINED = "the restored picture, blurred again, does not explain the picture"
_RINGS = "the restored picture would ring"


@dataclass(frozen=True)
class Measures:
    """What tells a right restoration from a wrong one.

    Attributes
    ----------
    residual : float
        RMS difference of the image and the restoration blurred again, after the best factor and offset, as a fraction
        of the image's contrast.
    misfit : float
        Logarithm of the residual times the root of its correlation between neighbours: the part that is not white.
    reach : float
        Correlation of the residual over two pixels.
    edges : float
        Correlation of the residual's size with the slope of the image.
    roughness : float
        Logarithm of the rise of the gradients' geometric mean.
    contrast : float
        Logarithm of the rise of the contrast.
    """

    residual: float
    misfit: float
    reach: float
    edges: float
    roughness: float
    contrast: float


@dataclass(frozen=True)
class Review:
    """The verdict on a restoration, and what it rests on.

    Attributes
    ----------
    accepted : bool
        Whether the restoration is likelier to be closer to the scene than the image.
    reason : str
        Why it is not accepted; empty if it is.
    odds : float
        Log odds that it is farther from the scene, in nats.
    measures : Measures
        What they are computed from.
    """

    accepted: bool
    reason: str
    odds: float
    measures: Measures


def review(before: Any, after: Any, psf: Array, error: float, *, settings: LastLook = _DEFAULTS) -> Review:
    """Look at a restoration before it is returned.

    Parameters
    ----------
    before, after : array, shape (M, N)
        The image and the restoration, in linear light or as coverage by ink; their units may differ by a factor and an
        offset.
    psf : array, shape (m, n)
        The PSF of the restoration, centred at index ``n // 2``; where it is larger than the image its middle counts.
    error : float
        Standard deviation of the known error of the image: noise and storage (`deconv.blind.errors`).
    settings : LastLook
        Weights and threshold.

    Returns
    -------
    Review
    """
    m = _measures(before, after, psf, error, settings)
    unexplained = settings.odds + settings.misfit * m.misfit + settings.reach * m.reach + settings.edges * m.edges
    rings = settings.roughness * m.roughness - settings.contrast * m.contrast
    odds = unexplained + rings
    if m.residual > settings.most_residual:
        odds, unexplained = math.inf, math.inf
    accepted = odds <= settings.most_odds
    reason = "" if accepted else _RINGS if rings > unexplained else _UNEXPLAINED
    return Review(accepted, reason, odds, m)


def _measures(before: Any, after: Any, psf: Array, error: float, settings: LastLook) -> Measures:
    contrast = max(_spread(before), 1e-12)
    left, gain, image = _fit(before, after, psf)
    rms = max(_rms(left), settings.rounding * contrast)
    white, reach = (_correlation(left, lag, rms) for lag in (1, 2))
    edges = _correlation_with_slope(left, image, 1e-12 * contrast**2)
    least = math.hypot(error, settings.rounding * contrast)
    return Measures(
        rms / contrast,
        math.log(rms / contrast * math.sqrt(max(white, settings.whitest))),
        reach,
        edges,
        _mean_log_gradient(after, gain, least) - _mean_log_gradient(before, 1.0, least),
        math.log(max(gain * _spread(after) / contrast, 1e-6)),
    )


def first_accepted(
    attempt: Callable[[float, Callable[[float], None]], T],
    look: Callable[[T], Review],
    report: Callable[[float], None],
    settings: LastLook = _DEFAULTS,
) -> tuple[T | None, Review]:
    """The first restoration that passes the last look, each attempt milder than the one before.

    Parameters
    ----------
    attempt : callable
        ``attempt(caution, report)`` restores with the weight of the prior times `caution`.
    look : callable
        The review of a restoration.
    report : callable
        ``report(fraction)``.
    settings : LastLook
        Attempts and the factor between their weights.

    Returns
    -------
    restoration or None
        None if none was accepted.
    Review
        The review of that restoration, or of the first attempt.
    """
    first: Review | None = None
    for i in range(settings.attempts):
        restored = attempt(settings.milder**i, partial(_part, report, i))
        verdict = look(restored)
        if verdict.accepted:
            return restored, verdict
        first = first or verdict
        # Of a large image two restorations at once would be too many.
        del restored
    assert first is not None
    return None, first


def _part(report: Callable[[float], None], attempt: int, fraction: float) -> None:
    # Most pass at once: each attempt takes half of what is left.
    left = 0.5**attempt
    report(1 - left + left / 2 * fraction)


def _fit(before: Any, after: Any, psf: Array) -> tuple[Any, float, Any]:
    """What the blurred restoration leaves of the image after the best factor and offset, that factor, and the image.

    Without the margins that depend on what lies beyond the frame.
    """
    xp = array_namespace(before, after, psf)
    psf = _middle(psf, before.shape)
    rows, columns = (slice(m, n - m) for n, m in _margins(before.shape, psf.shape))
    y = before[rows, columns]
    z = xp.empty(y.shape, dtype=after.dtype, device=device(after))
    for band in _bands(z, 4 * psf.shape[0]):
        # What lies more than the PSF away from a band does not count.
        first = max(rows.start + band.start - psf.shape[0], 0)
        last = min(rows.start + band.stop + psf.shape[0], after.shape[0])
        blurred = blur(after[first:last, :], psf)
        z[band, :] = blurred[rows.start + band.start - first : rows.start + band.stop - first, columns]
    y = y - xp.mean(y)
    z -= xp.mean(z)
    power = _mean(_product, z, z)
    gain = max(_mean(_product, y, z) / power, 0.0) if power > 0 else 0.0
    z *= -gain
    z += y
    return z, gain, y


def _bands(image: Any, least: int = 1) -> list[slice]:
    """Bands of rows, `least` or more, that hold a part of a large image, and together all of it."""
    height, width = image.shape
    count = max(1, height // max(least, math.ceil(_BAND / width)))
    edges = [height * i // count for i in range(count + 1)]
    return [slice(first, last) for first, last in itertools.pairwise(edges)]


def _mean(function: Callable[..., Any], *images: Any) -> float:
    """Mean of a function of the pixels of some images of one shape."""
    xp = array_namespace(*images)
    total = sum(float(xp.sum(function(*(image[band, :] for image in images)))) for band in _bands(images[0]))
    return total / math.prod(images[0].shape)


def _product(a: Any, b: Any) -> Any:
    return a * b


def _middle(psf: Array, shape: tuple[int, ...]) -> Any:
    """The part of a PSF around its centre that is no larger than an image."""
    reach = [min(m // 2, (n - 1) // 2) for m, n in zip(psf.shape, shape, strict=True)]
    return psf[tuple(slice(m // 2 - r, m // 2 + r + 1) for m, r in zip(psf.shape, reach, strict=True))]


def _correlation(left: Any, lag: int, rms: float) -> float:
    """Autocorrelation of a residual over a lag along rows and columns."""
    rows, columns = _mean(_product, left[lag:, :], left[:-lag, :]), _mean(_product, left[:, lag:], left[:, :-lag])
    return (rows + columns) / 2 / rms**2


def _correlation_with_slope(left: Any, image: Any, least: float) -> float:
    """Correlation of the size of a residual with the slope of the image."""
    xp = array_namespace(left, image)

    def slope(here: Any, below: Any, beside: Any) -> Any:
        return xp.sqrt((below - here) ** 2 + (beside - here) ** 2)

    at = image[:-1, :-1], image[1:, :-1], image[:-1, 1:]
    residual = left[:-1, :-1]
    steep, large = _mean(slope, *at), _mean(xp.abs, residual)
    covariance = _mean(lambda r, *x: (slope(*x) - steep) * (xp.abs(r) - large), residual, *at)
    spreads = _mean(lambda *x: (slope(*x) - steep) ** 2, *at), _mean(lambda r: (xp.abs(r) - large) ** 2, residual)
    return covariance / max(math.sqrt(spreads[0] * spreads[1]), least)


def _rms(x: Any) -> float:
    return math.sqrt(_mean(_product, x, x))


def _margins(shape: tuple[int, ...], reach: tuple[int, ...]) -> list[tuple[int, int]]:
    """Each side, and half the PSF, at most a quarter of the side."""
    return [(n, min(m // 2, n // 4)) for n, m in zip(shape, reach, strict=True)]


def _spread(image: Array) -> float:
    return float(array_namespace(image).std(image))


def _mean_log_gradient(image: Any, gain: float, least: float) -> float:
    """Mean logarithm of the steps between neighbours, times a gain, to which an error is added."""
    xp = array_namespace(image)

    def log_step(here: Any, there: Any) -> Any:
        return xp.log(gain * xp.abs(there - here) + least)

    rows = _mean(log_step, image[:-1, :], image[1:, :])
    return 0.5 * (rows + _mean(log_step, image[:, :-1], image[:, 1:]))
