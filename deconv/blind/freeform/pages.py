"""Pictures restored by one PSF of any form, from values to values."""

import math
from functools import partial

import numpy as np
from threadpoolctl import threadpool_limits

from deconv import tone
from deconv._core.array import array_namespace, like, to_numpy
from deconv.blind.freeform.estimate import estimate
from deconv.blind.jpeg import lost
from deconv.blind.natural import restore

__all__ = ["restore_pages"]

# Exponents of an encoding that are tried: of data that are light, and of photographs.
_LINEAR, _PHOTOGRAPH = 1.0, 2.2
# A picture of more pixels shows its PSF in a part of that many as well, where it has most edges.
_PIXELS = 4e5
# But its shorter side is no less than this.
_NARROWEST = 256
# Share of flat scene from which it is taken for text: pages have 0.48 and more, photographs up to 0.27.
_FLAT = 0.37
# What a PSF must save of the judge's cost, how much dearer than no blur it may make the scene, and how wide it must be
# (root mean square, in pixels), to be believed. (Wrong PSFs of noisy photographs gained up to 0.3, most at a price
# higher by 0.12 to 0.22, one by 0.05; right ones raise it by 0.09 at most, and of text mostly lower it.)
_GAIN, _DEARER, _SHARP = 0.1, 0.1, 0.8


def restore_pages(pages, prior, gamma, *, sizes, start, region, report):
    """The pages restored by the PSF that they share, and the fields of the results.

    Parameters
    ----------
    pages : list of arrays, each of shape (C, M, N)
        Values, not negative.
    prior : {"auto", "text", "natural"}
        What they show.
    gamma : float or None
        Exponent of their encoding; None for that of light or of photographs, in whichever the PSF found gains more.
    sizes : (int, int) or None
        Bounds of the PSF's support.
    start : ndarray or None
        A PSF to begin with, square, its sides odd.
    region : tuple of slices or None
        The part in which the PSF is looked for.
    report : callable
        ``report(stage, fraction)``.

    Returns
    -------
    list of list of arrays, or None
        For each page its planes; None if no blur was found.
    dict
        Fields of `Restoration`.
    """
    xp = array_namespace(*pages)
    gamma, found = _found(pages, gamma, sizes, start, region, report)
    curve = (gamma, 0.0)
    told = {
        "gamma": gamma,
        "search": {
            "size": np.asarray([w.size for w in found.walks]),
            "criterion": np.asarray([w.cost for w in found.walks]),
        },
    }
    if not _explains(found) or _width(found.psf) < _SHARP:
        return None, told | {"psf": like(np.ones((1, 1)), pages[0]), "family": "none"}
    if prior == "auto":
        prior = "text" if found.flat > _FLAT else "natural"
    restored, psf = [], like(found.psf, pages[0])
    for n, page in enumerate(pages):
        light = tone.decode(page, *curve)
        planes = [xp.asarray(light[c, ...], copy=True) for c in range(light.shape[0])]
        planes, _ = restore(
            planes, psf, prior=prior, report=lambda part, n=n: report("restore", (n + part) / len(pages))
        )
        restored.append([tone.encode(plane, *curve) for plane in planes])
    told |= {
        "psf": psf,
        "family": "free",
        "parameters": {"size": float(found.psf.shape[0])},
        "prior": prior,
        "score": found.gain,
    }
    return restored, told


def _found(pages, gamma, sizes, start, region, report):
    """The exponent of the encoding, as given or as makes the pages sharpest, and the PSF in that light."""
    xp = array_namespace(pages[0])
    tried = (_LINEAR, _PHOTOGRAPH) if gamma is None else (gamma,)
    found, coded = [], [lost(page) for page in pages]
    for i, exponent in enumerate(tried):
        greys = [xp.mean(tone.decode(page, exponent, 0.0), axis=0) for page in pages]
        seen = [_busiest(grey) if region is None else xp.asarray(grey[region], copy=True) for grey in greys]
        errors = [error * _slope(page, exponent) for error, page in zip(coded, pages, strict=True)]
        tell = partial(_part, report, i, len(tried))
        # Sums by several threads round otherwise, and of random starts some then end elsewhere.
        with threadpool_limits(1, user_api="blas"):
            found.append(estimate(seen, lost=errors, sizes=sizes, start=start, report=tell))
    best = max(range(len(tried)), key=lambda i: (_explains(found[i]), found[i].gain))
    return tried[best], found[best]


def _explains(found):
    """Whether a PSF is worth more than no blur."""
    return found.gain >= _GAIN and found.saved >= -_DEARER


def _slope(page, exponent):
    """Root mean square of what a step of the values makes of light."""
    xp = array_namespace(page)
    # (Below 1 an exponent is infinitely steep at black.)
    return exponent * math.sqrt(float(xp.mean(xp.clip(page, 1 / 255, None) ** (2 * (exponent - 1)))))


def _part(report, at, of, fraction):
    report("search", (at + fraction) / of)


def _width(psf):
    """Root mean square distance from the centre of mass, along the axis on which it is widest."""
    at = np.indices(psf.shape).reshape(2, -1) - np.sum(np.indices(psf.shape) * psf, axis=(1, 2))[:, None]
    return math.sqrt(float(np.linalg.eigvalsh(at * psf.ravel() @ at.T)[1]))


def _busiest(grey):
    """The part of a large picture, about of its shape, that has most edges."""
    part = math.sqrt(_PIXELS / math.prod(grey.shape))
    if part >= 1:
        return grey
    xp = array_namespace(grey)
    # (A long strip is not made narrower still.)
    narrow = min(min(grey.shape), max(round(part * min(grey.shape)), _NARROWEST))
    sides = [narrow if n == min(grey.shape) else min(n, round(_PIXELS / narrow)) for n in grey.shape]
    edges = to_numpy(xp.abs(grey[1:, :-1] - grey[:-1, :-1]) + xp.abs(grey[:-1, 1:] - grey[:-1, :-1]))
    # (Sums over windows, from running sums; windows start at every sixteenth of a side.)
    edges = np.pad(edges, ((0, 1), (0, 1)))
    sums = np.pad(np.cumsum(np.cumsum(edges, axis=0, dtype=np.float64), axis=1), ((1, 0), (1, 0)))
    rows, columns = (
        np.linspace(0, n - side, 1 + math.ceil(16 * (n / side - 1))).astype(int)
        for n, side in zip(grey.shape, sides, strict=True)
    )
    top, left = np.meshgrid(rows, columns, indexing="ij")
    held = (
        sums[top + sides[0], left + sides[1]]
        - sums[top, left + sides[1]]
        - sums[top + sides[0], left]
        + sums[top, left]
    )
    at = np.unravel_index(int(np.argmax(held)), held.shape)
    window = (slice(int(top[at]), int(top[at]) + sides[0]), slice(int(left[at]), int(left[at]) + sides[1]))
    return xp.asarray(grey[window], copy=True)
