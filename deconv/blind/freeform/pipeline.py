"""The free-form pipeline, for images that share a PSF: choose the encoding, estimate the PSF, restore, encode."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from deconv import tone
from deconv._core.array import Array, Result, array_namespace, like, to_numpy
from deconv.blind.errors import storage_error
from deconv.blind.freeform.estimate import FreeFormEstimate, estimate
from deconv.blind.jpeg import quantisation_error
from deconv.blind.natural import restore
from deconv.blind.progress import Progress
from deconv.blind.settings import Settings
from deconv.blind.settings.freeform import Acceptance, Window

__all__ = ["restore_pages"]

_DEFAULTS = Settings()

# Rows and columns in which the PSF is estimated.
Region = tuple[slice, slice]


def restore_pages(
    pages: Sequence[Array],
    prior: str,
    gamma: float | None,
    *,
    sizes: tuple[int, int] | None,
    start: np.ndarray | None,
    region: Region | None,
    report: Progress,
    settings: Settings = _DEFAULTS,
) -> tuple[list[list[Result]] | None, dict[str, Any]]:
    """Estimate the PSF that some pages share, and restore the pages with it.

    Parameters
    ----------
    pages : sequence of arrays, each of shape (C, M, N)
        Encoded values, not negative.
    prior : {"auto", "text", "natural"}
        What the pages show.
    gamma : float or None
        Exponent of the encoding; None to try linear data and photographs, and keep the one with the larger gain.
    sizes : (int, int) or None
        Smallest and largest side of the PSF's support.
    start : ndarray or None
        A PSF to refine, square, its sides odd.
    region : tuple of slices or None
        Rows and columns in which the PSF is estimated.
    report : Progress
        Receives the progress.
    settings : Settings
        Settings of all stages.

    Returns
    -------
    list of list of arrays, or None
        The restored planes of each page; None if no PSF is better than no blur.
    dict
        Fields of `Restoration`.
    """
    xp = array_namespace(*pages)
    gamma, estimated = _estimate(pages, gamma, sizes, start, region, report, settings=settings)
    fields: dict[str, Any] = {
        "gamma": gamma,
        "search": {
            "size": np.asarray([trial.size for trial in estimated.trials]),
            "criterion": np.asarray([trial.cost for trial in estimated.trials]),
        },
    }
    acceptance = settings.freeform.acceptance
    if not _is_plausible(estimated, settings=acceptance) or _rms_width(estimated.psf) < acceptance.least_width:
        return None, fields | {"psf": like(np.ones((1, 1)), pages[0]), "family": "none"}
    if prior == "auto":
        prior = "text" if estimated.flat > acceptance.text_flat else "natural"
    restored, psf = [], like(estimated.psf, pages[0])
    for n, page in enumerate(pages):
        light = tone.decode(page, gamma, 0.0)
        planes = [xp.asarray(light[c, ...], copy=True) for c in range(light.shape[0])]
        planes, _ = restore(
            planes,
            psf,
            prior=prior,
            report=report.part("restore", n, len(pages)),
            stored=storage_error(page, gamma, settings=settings.jpeg),
            settings=settings.natural,
        )
        restored.append([tone.encode(plane, gamma, 0.0) for plane in planes])
    fields |= {
        "psf": psf,
        "family": "free",
        "parameters": {"size": float(estimated.psf.shape[0])},
        "prior": prior,
        "score": estimated.gain,
    }
    return restored, fields


def _estimate(
    pages: Sequence[Array],
    gamma: float | None,
    sizes: tuple[int, int] | None,
    start: np.ndarray | None,
    region: Region | None,
    report: Progress,
    *,
    settings: Settings,
) -> tuple[float, FreeFormEstimate]:
    """The exponent of the encoding, given or with the larger gain, and the PSF estimated with it."""
    xp = array_namespace(pages[0])
    # Linear data, and photographs.
    exponents = (1.0, settings.general.photograph_gamma) if gamma is None else (gamma,)
    stages = settings.freeform
    estimates, errors_of_values = [], [quantisation_error(page, settings=settings.jpeg) for page in pages]
    for i, exponent in enumerate(exponents):
        greys = [xp.mean(tone.decode(page, exponent, 0.0), axis=0) for page in pages]
        if region is None:
            images = [_window_with_most_edges(grey, settings=stages.window) for grey in greys]
        else:
            images = [xp.asarray(grey[region], copy=True) for grey in greys]
        errors = [error * _rms_slope(page, exponent) for error, page in zip(errors_of_values, pages, strict=True)]
        progress = report.part("search", i, len(exponents))
        # One thread: sums by several threads round differently, which sends some random starts to other results.
        with threadpool_limits(1, user_api="blas"):
            estimates.append(
                estimate(images, jpeg_errors=errors, sizes=sizes, start=start, report=progress, settings=stages)
            )
    plausible = [_is_plausible(each, settings=stages.acceptance) for each in estimates]
    best = max(range(len(exponents)), key=lambda i: (plausible[i], estimates[i].gain))
    return exponents[best], estimates[best]


def _is_plausible(estimated: FreeFormEstimate, *, settings: Acceptance) -> bool:
    """Whether the PSF explains the images better than no blur."""
    return estimated.gain >= settings.least_gain and estimated.energy_gain >= -settings.most_energy


def _rms_slope(page: Array, exponent: float) -> float:
    """RMS slope of the tone curve over the image: how it scales a small error of the values."""
    xp = array_namespace(page)
    # The slope at black is infinite for an exponent below 1.
    return exponent * math.sqrt(float(xp.mean(xp.clip(page, 1 / 255, None) ** (2 * (exponent - 1)))))


def _rms_width(psf: np.ndarray) -> float:
    """RMS distance from the centre of mass, along the axis on which the PSF is widest."""
    at = np.indices(psf.shape).reshape(2, -1) - np.sum(np.indices(psf.shape) * psf, axis=(1, 2))[:, None]
    return math.sqrt(float(np.linalg.eigvalsh(at * psf.ravel() @ at.T)[1]))


def _window_with_most_edges(grey: Array, *, settings: Window) -> Result:
    """The window of a large image with the most edges, of about the same shape; a small image unchanged."""
    part = math.sqrt(settings.pixels / math.prod(grey.shape))
    if part >= 1:
        return grey
    xp = array_namespace(grey)
    # A long strip keeps its width.
    narrow = min(min(grey.shape), max(round(part * min(grey.shape)), settings.narrowest))
    sides = [narrow if n == min(grey.shape) else min(n, round(settings.pixels / narrow)) for n in grey.shape]
    edges = to_numpy(xp.abs(grey[1:, :-1] - grey[:-1, :-1]) + xp.abs(grey[:-1, 1:] - grey[:-1, :-1]))
    # Sums over windows come from running sums; a window starts at every sixteenth of a side.
    edges = np.pad(edges, ((0, 1), (0, 1)))
    sums = np.pad(np.cumsum(np.cumsum(edges, axis=0, dtype=np.float64), axis=1), ((1, 0), (1, 0)))
    rows, columns = (
        np.linspace(0, n - side, 1 + math.ceil(16 * (n / side - 1))).astype(int)
        for n, side in zip(grey.shape, sides, strict=True)
    )
    top, left = np.meshgrid(rows, columns, indexing="ij")
    in_window = (
        sums[top + sides[0], left + sides[1]]
        - sums[top, left + sides[1]]
        - sums[top + sides[0], left]
        + sums[top, left]
    )
    best = np.unravel_index(int(np.argmax(in_window)), in_window.shape)
    y, x = int(top[best]), int(left[best])
    return xp.asarray(grey[y : y + sides[0], x : x + sides[1]], copy=True)
