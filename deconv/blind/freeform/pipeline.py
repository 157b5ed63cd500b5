"""The free-form pipeline, for images that share a PSF: choose the encoding, estimate the PSF, restore, encode."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from deconv import noise, tone
from deconv._core.array import Array, Result, array_namespace, like, mean_plane
from deconv.blind.errors import storage_error
from deconv.blind.freeform.estimate import FreeFormEstimate, estimate_in_lights, is_plausible
from deconv.blind.freeform.light import Light, window_with_most_edges
from deconv.blind.jpeg import Compression, measure
from deconv.blind.natural import restore
from deconv.blind.progress import Progress
from deconv.blind.result import Guess
from deconv.blind.review import Review, first_accepted, review
from deconv.blind.settings import Settings
from deconv.blind.settings.freeform import Window

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
) -> tuple[list[list[Result] | None] | None, dict[str, Any]]:
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
        The restored planes of each page, None for one that the last look refuses; None if all are refused or no PSF is
        better than no blur.
    dict
        Fields of `Restoration`.
    """
    gamma, estimated = _estimate(pages, gamma, sizes, start, region, report, settings=settings)
    fields: dict[str, Any] = {
        "gamma": gamma,
        "search": {
            "size": np.asarray([trial.size for trial in estimated.trials]),
            "criterion": np.asarray([trial.cost for trial in estimated.trials]),
        },
    }
    acceptance = settings.freeform.acceptance
    if not is_plausible(estimated, settings=acceptance) or _rms_width(estimated.psf) < acceptance.least_width:
        return None, fields | {"psf": like(np.ones((1, 1)), pages[0]), "family": "none"}
    compressions = [measure(page, settings=settings.jpeg) for page in pages]
    if prior == "auto":
        # Against JPEG's error the search flattens photographs too, and the weight for text is too low for them; that
        # for natural images reads text as well.
        flat = estimated.flat > acceptance.text_flat
        prior = "text" if flat and not any(compressions) else "natural"
    psf = like(estimated.psf, pages[0])
    looks = [
        _restore_page(page, psf, prior, (gamma, compression), report.part("restore", n, len(pages)), settings)
        for n, (page, compression) in enumerate(zip(pages, compressions, strict=True))
    ]
    fields |= {
        "psf": psf,
        "family": "free",
        "parameters": {"size": float(estimated.psf.shape[0])},
        "prior": prior,
        "score": estimated.gain,
        "guess": Guess("free", {"size": float(estimated.psf.shape[0])}, estimated.evidence),
    }
    refused = next((verdict.reason for planes, verdict in looks if planes is None), "")
    if all(planes is None for planes, _ in looks):
        return None, fields | {"psf": like(np.ones((1, 1)), pages[0]), "family": "none", "reason": refused}
    return [planes for planes, _ in looks], fields | {"reason": refused}


def _restore_page(
    page: Array,
    psf: Array,
    prior: str,
    camera: tuple[float, Compression | None],
    report: Callable[[float], None],
    settings: Settings,
) -> tuple[list[Result] | None, Review]:
    """The restored planes of a page, None if the last look refuses them, and that look.

    `camera` is the exponent of the encoding, and what JPEG did to the page.
    """
    gamma, compression = camera
    xp = array_namespace(page)
    # One by one: an image of 16 megapixels in three colours takes 200 MB.
    planes = [xp.asarray(tone.decode(page[c, ...], gamma, 0.0), copy=True) for c in range(page.shape[0])]
    grey = mean_plane(planes)
    stored = storage_error(compression, page, gamma)
    error = math.hypot(noise.estimate(grey), stored)

    def attempt(caution: float, part: Callable[[float], None]) -> list[Result]:
        options: dict[str, Any] = {"stored": stored, "caution": caution, "settings": settings.natural}
        return restore(planes, psf, prior=prior, report=part, **options)[0]

    def look(sharp: Any) -> Review:
        return review(grey, mean_plane(sharp), psf, error, settings=settings.review)

    sharp: list[Result] | None
    sharp, verdict = first_accepted(attempt, look, report, settings.review)
    # One by one, so that a large picture is not held twice.
    return None if sharp is None else [tone.encode(sharp.pop(0), gamma, 0.0) for _ in range(len(sharp))], verdict


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
    """The exponent of the encoding, given or the one that explains the pages best, and the PSF estimated with it."""
    # Photographs, which are likelier, and linear data.
    exponents = (settings.general.photograph_gamma, 1.0) if gamma is None else (gamma,)
    stages = settings.freeform
    parts = [_part(page, region, settings=stages.window) for page in pages]
    compressions = [measure(part, settings=settings.jpeg) for part in parts]
    lights = []
    for exponent in exponents:
        xp = array_namespace(pages[0])
        images = [xp.mean(tone.decode(part, exponent, 0.0), axis=0) for part in parts]
        errors = [storage_error(each, part, exponent) for each, part in zip(compressions, parts, strict=True)]
        lights.append(Light(images, errors, compressions, settings=stages))
    # One thread: sums by several threads round differently, which sends some random starts to other results.
    with threadpool_limits(1, user_api="blas"):
        best, estimated = estimate_in_lights(
            lights, sizes=sizes, start=start, report=report.part("search", 0, 1), settings=stages
        )
    return exponents[best], estimated


def _part(page: Array, region: Region | None, *, settings: Window) -> Result:
    """The part of a page in which the PSF is estimated: what the user asks for, or the window with most edges."""
    xp = array_namespace(page)
    if region is None:
        region = window_with_most_edges(xp.mean(page, axis=0), settings.pixels, settings=settings)
    return xp.asarray(page[(slice(None), *region)], copy=True)


def _rms_width(psf: np.ndarray) -> float:
    """RMS distance from the centre of mass, along the axis on which the PSF is widest."""
    at = np.indices(psf.shape).reshape(2, -1) - np.sum(np.indices(psf.shape) * psf, axis=(1, 2))[:, None]
    return math.sqrt(float(np.linalg.eigvalsh(at * psf.ravel() @ at.T)[1]))
