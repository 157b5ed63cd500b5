"""Blind deconvolution of one image, or of several that share one PSF: the choice of the pipeline, and its result."""

import warnings
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Literal, TypeAlias

from threadpoolctl import threadpool_limits

from deconv import noise
from deconv._core.array import Array, Result, accepts_torch, array_namespace, device
from deconv.blind.arguments import (
    FreeFormArguments,
    as_planes,
    check_callback,
    check_gamma,
    check_images,
    check_radius,
    check_range,
    check_settings,
    free_form,
    one_of,
)
from deconv.blind.freeform.pipeline import restore_pages
from deconv.blind.jpeg import Compression, measure
from deconv.blind.parametric.families import FAMILIES
from deconv.blind.parametric.pipeline import PsfSearch, guess_fields, restore_as_natural, sharp_fields
from deconv.blind.parametric.search import Estimate, at_radius, search
from deconv.blind.progress import FREE_FORM, KIND, PARAMETRIC, Callback, Progress
from deconv.blind.result import Restoration
from deconv.blind.select import choose
from deconv.blind.settings import Settings
from deconv.blind.text.pipeline import restore_as_text

__all__ = ["deblur", "deblur_pages"]

Prior: TypeAlias = Literal["auto", "text", "natural"]
Family: TypeAlias = Literal["disk", "gaussian", "motion", "free", "auto"]
Size: TypeAlias = int | tuple[int, int]

_UNEXPLAINED = "it is not sharp, but no disc, Gaussian, straight motion or free-form PSF explains it"


@accepts_torch
def deblur(
    image: Array,
    *,
    prior: Prior = "auto",
    psf: Family | Array = "auto",
    radius: float | None = None,
    gamma: float | None = None,
    psf_size: Size | None = None,
    region: tuple[slice, slice] | None = None,
    channel_axis: int | None = None,
    callback: Callback | None = None,
    settings: Settings | None = None,
) -> Restoration:
    r"""Deblur one image, PSF unknown; an image that no PSF explains is returned unchanged.

    Parameters
    ----------
    image : array, shape (M, N[, C])
        The blurred image, its shorter side 32 pixels or more; floats in [0, 1] or 8 or 16-bit integers. Linear light
        (``gamma=1``) may have any unit.
    prior : {"auto", "text", "natural"}
        What the scene shows: text of one tone on a background of another, or anything. ``"auto"`` restores the image
        as text and, if that does not explain it, with a natural-image prior. ``"text"`` does the same, but warns if
        it falls back to the natural-image prior.
    psf : {"auto", "disk", "gaussian", "motion", "free"} or array, shape (m, n)
        Family of the PSF: the likeliest one, or none (``"auto"``, step 1 below); defocus, Gaussian, straight motion, or
        free-form (camera shake). Radii are searched from no blur to 11 % of the width of the image; the support of a
        free-form PSF may be as large as 161 pixels or 30 % of the shorter side, whichever is smaller. An array is the
        starting point of a free-form estimate.
    radius : float, optional
        Radius of the disc in pixels if you know it, for example from another image taken with the same lens; at most
        half the shorter side. Only the softness of the edge is then fitted, and ``psf="auto"`` means a disc. By default
        the radius is estimated.
    gamma : float, optional
        Exponent of the encoding, ``light = value ** gamma``; 1 for linear data. By default 2.2, the exponent of
        photographs, or 1 if that makes the PSF likelier (``"auto"``, free-form). For text, the default also recognises
        linear data, and estimates the shoulder by which a camera compresses highlights.
    psf_size : int or (int, int), optional
        Side of the support of a free-form PSF in pixels, or its smallest and largest. By default it is estimated. With
        a size, ``psf="auto"`` means a free-form PSF.
    region : tuple of two slices, optional
        Rows and columns in which a free-form PSF is estimated; the whole image is then restored. By default the whole
        image or, of a large image, the part with the most edges. With a region, ``psf="auto"`` means a free-form PSF.
    channel_axis : int, optional
        Axis of the colours; they share one PSF.
    callback : callable, optional
        Called as ``callback(fraction, stage)`` with the fraction done, 0 to 1, and the name of the stage: "kind" while
        the family is chosen, then "light", "search", "tone", "restore" or "judge", the steps listed below.
    settings : deconv.blind.Settings, optional
        Thresholds and weights of every stage, for studies.

    Returns
    -------
    Restoration
        The restored image (float64 for float64 input, else float32), the PSF and the evidence for it. Without a
        restoration, a copy of the input, the reason, and the likeliest PSF with its odds.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong type, shape or value.

    Warns
    -----
    UserWarning
        If ``prior="text"`` was asked for and the image is blurred but not text.

    Notes
    -----
    1. Kind (``psf="auto"``): no blur, a disc, a Gaussian and straight motion are compared by their log odds for the
       spectrum of the image [1]_, in nats. The model includes the roughness of scenes and what JPEG compression removed
       and added [2]_. Steep edges in every direction refute any blur, hard steps a disc and a Gaussian. An image that
       is not sharp, and that none of these explains, gets a free-form PSF.
    2. Light: the encoding is undone. For text, dark or bright, the light of the background is fitted and divided out
       (`deconv.vignette`).
    3. Search: the radius and softness of the PSF are those of the largest evidence in the same spectrum, with the power
       of the scene and the noise integrated out. The search starts on a coarse grid and continues on finer ones while
       the estimated blur is small; the grid on which the PSF is likeliest counts. A known radius is not searched for.
    4. Tone: blur is linear in light and in nothing else, so a wrong response curve leaves a residual. Of several
       curves, the one with the smallest residual is used to compute the light again, and the PSF is refined.
    5. Restore: masked total variation [3]_, its weight by the noise and JPEG's error, and, where it cannot resolve the
       strokes of a text, strokes of a round pen.
    6. Judge: the image is text if a blurred scene of two tones explains it. If not, it is restored from the start with
       a natural-image prior, and a last look compares that restoration with the image. One that does not explain the
       image, or that rings, is tried again with a stronger prior; if none passes, the image is returned unchanged.

    A free-form PSF is estimated alternately with a scene of few edges [4]_, from two kinds of starting points: PSFs
    retrieved from the power spectrum of the image, starting from random weights, and small PSFs on coarse scales with
    supports of several sizes. The best result is compared with no blur. The image is then restored by total variation,
    whose weight follows the noise, JPEG's error and the residual that the PSF leaves.

    An image blurred by a disc or a Gaussian with a radius below 1.75 pixels counts as sharp, unless `radius` is given,
    and is returned unchanged.

    References
    ----------
    .. [1] P. Whittle, "Estimation and information in stationary time series", Arkiv foer Matematik 2, 423-434
       (1953), :doi:`10.1007/BF02590998`
    .. [2] G. K. Wallace, "The JPEG still picture compression standard", IEEE Trans. Consum. Electron. 38, xviii-xxxiv
       (1992), :doi:`10.1109/30.125072`
    .. [3] M. S. C. Almeida, M. A. T. Figueiredo, "Deconvolving images with unknown boundaries using the alternating
       direction method of multipliers", IEEE Trans. Image Process. 22, 3074-3086 (2013),
       :doi:`10.1109/TIP.2013.2258354`
    .. [4] J. Pan, Z. Hu, Z. Su, M.-H. Yang, "Deblurring text images via L0-regularized intensity and gradient prior",
       CVPR, 2901-2908 (2014), :doi:`10.1109/CVPR.2014.371`

    Examples
    --------
    >>> import numpy as np, deconv
    >>> sharp = deconv.degrade.text_picture(["blind", "deblur"], shape=(120, 200))
    >>> blurred = deconv.degrade.add_noise(deconv.degrade.blur(sharp, deconv.psf.disk(4)), 0.002, rng=0)
    >>> result = deconv.blind.deblur(blurred, gamma=1)
    >>> result.family, bool(np.abs(result.image - sharp).mean() < np.abs(blurred - sharp).mean() / 3)
    ('disk', True)
    >>> unchanged = deconv.blind.deblur(sharp)
    >>> unchanged.family, unchanged.reason
    ('none', 'its edges are as steep as those of a sharp image')
    """
    settings = check_settings(settings)
    image, planes = as_planes(image, channel_axis, settings.general)
    xp = array_namespace(image)
    gamma = natural_gamma = check_gamma(gamma)
    check_range(planes, gamma, settings.general)
    one_of(prior, "prior", ("auto", "text", "natural"))
    if isinstance(psf, str) or not hasattr(psf, "shape"):
        one_of(psf, "psf", (*FAMILIES, "free", "auto"))
    check_callback(callback)
    if isinstance(psf, str) and psf not in ("free", "auto"):
        for name, value in (("psf_size", psf_size), ("region", region)):
            if value is not None:
                raise ValueError(f"{name} is for a free PSF: it does not go with psf={psf!r}")
    if radius is not None:
        radius = check_radius(radius, psf, planes)
        if psf_size is not None or region is not None:
            raise ValueError("radius is for a disk: it does not go with psf_size and region, which are for a free PSF")
    family: Any = psf
    if isinstance(family, str) and family == "auto":
        # What is given belongs to one family.
        family = "disk" if radius is not None else "free" if psf_size is not None or region is not None else "auto"
    found: dict[str, Any] = {}
    estimate: Estimate | None = None
    is_free = not isinstance(family, str) or family == "free"
    # The free-form pipeline measures what JPEG did in the part that it examines.
    compression = None if is_free else measure(planes, settings=settings.jpeg)
    report = Progress(callback, KIND)
    if isinstance(family, str) and family == "auto":
        report("kind", 0.0)
        grey = _not_negative(xp.mean(planes, axis=0))
        with threadpool_limits(1, user_api="blas"):
            choice = choose(grey, gamma, partial(report, "kind"), degradation=compression, settings=settings)
        # Of a large picture every plane counts.
        del grey
        family, estimate = choice.family, choice.estimate
        found = {"sharpness": choice.sharpness} | guess_fields(choice.estimate)
        if family == "none":
            fields = sharp_fields(choice.estimate, planes, choice.gamma) | {"reason": choice.reason} | found
            report.restart(PARAMETRIC)
            report("judge", 1.0)
            return _result(image, None, fields, channel_axis)
        # Not for text: its residual tells one tone curve from another, which the odds of a PSF hardly do.
        natural_gamma = choice.gamma
    if not isinstance(family, str) or family == "free":
        arguments = free_form(family, psf_size, region, planes, settings.general)
        result = _deblur_free_form([image], [planes], prior, gamma, arguments, channel_axis, report, settings)[0]
        if not found:
            return result
        limits = settings.selection
        least = limits.least_evidence if compression is None else limits.least_evidence_stored
        if result.family == "free" and result.guess is not None and result.guess.log_odds < least:
            fields = sharp_fields(choice.estimate, planes, result.gamma) | {"search": result.search}
            result = _result(image, None, fields, channel_axis)
        if result.family == "none":
            found["reason"] = result.reason or _UNEXPLAINED
            return replace(result, **found)
        return replace(result, sharpness=found["sharpness"])

    planes = _not_negative(planes)
    report.restart(PARAMETRIC)
    # The search solves thousands of small systems, for which the threads of a linear algebra library only wait for each
    # other: six times the CPU time on two busy cores.
    with threadpool_limits(1, user_api="blas"):
        restored, fields = _restore_parametric(
            planes, family, radius, prior, (gamma, natural_gamma), settings, report, estimate, compression
        )
    report("judge", 1.0)
    return _result(image, restored, fields | found, channel_axis)


def _restore_parametric(
    planes: Result,
    family: str,
    radius: float | None,
    prior: Prior,
    gammas: tuple[float | None, float | None],
    settings: Settings,
    report: Progress,
    estimate: Estimate | None,
    compression: Compression | None,
) -> tuple[list[Result] | None, dict[str, Any]]:
    """Restore planes with a PSF of a given family, as text if that explains them, and describe the result.

    The exponents are those of text and of other images; None to estimate or assume one.
    """
    text_gamma, natural_gamma = gammas
    estimate_psf: PsfSearch = (
        partial(
            search,
            families=[FAMILIES[family]],
            width=planes.shape[2],
            degradation=compression,
            settings=settings.parametric,
        )
        if radius is None
        else partial(at_radius, radius=radius, degradation=compression, settings=settings.parametric)
    )
    fields: dict[str, Any] = {}
    if prior != "natural":
        restored, fields = restore_as_text(planes, estimate_psf, text_gamma, settings, report, estimate, compression)
        if restored is not None:
            return restored, fields
    report.restart(PARAMETRIC)
    restored, natural = restore_as_natural(planes, estimate_psf, natural_gamma, settings, report, estimate, compression)
    if restored is not None:
        natural |= fields
        if prior == "text":
            warnings.warn(f"image was not restored as text: {fields['reason']}", stacklevel=4)
    return restored, natural


@accepts_torch
def deblur_pages(
    images: Sequence[Array],
    *,
    prior: Prior = "auto",
    psf: Literal["free"] | Array = "free",
    gamma: float | None = None,
    psf_size: Size | None = None,
    channel_axis: int | None = None,
    callback: Callback | None = None,
    settings: Settings | None = None,
) -> list[Restoration]:
    """Deblur images that share one PSF, such as the pages of one scan.

    Parameters
    ----------
    images : sequence of arrays, each of shape (M, N[, C])
        The blurred images, as for `deblur`; their sizes may differ.
    prior : {"auto", "text", "natural"}
        What the scenes are.
    psf : {"free"} or array, shape (m, n)
        The PSF is free-form; an array is the starting point of its estimate.
    gamma : float, optional
        Exponent of the encoding, ``light = value ** gamma``. By default 1 (linear data) or 2.2 (photographs),
        whichever explains the images better.
    psf_size : int or (int, int), optional
        Side of the PSF's support in pixels, or its smallest and largest. By default it is estimated.
    channel_axis : int, optional
        Axis of the colours, which share the PSF.
    callback : callable, optional
        Called as ``callback(fraction, stage)`` with the fraction done, 0 to 1, and the stage, "search" or "restore".
    settings : deconv.blind.Settings, optional
        Thresholds and weights of every stage, for studies.

    Returns
    -------
    list of Restoration
        One for each image, all with the same PSF; images are float64 for float64 input, else float32.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong type, shape or value.

    Examples
    --------
    >>> import deconv
    >>> shake = deconv.psf.random_motion(9, rng=1)
    >>> pages = [deconv.degrade.text_picture([word, "of text"], shape=(96, 160)) for word in ("page", "some")]
    >>> blurred = [deconv.degrade.blur(page, shake) for page in pages]
    >>> first, second = deconv.blind.deblur_pages(blurred, psf_size=11, gamma=1)
    >>> first.psf is second.psf
    True
    """
    check_images(images)
    gamma = check_gamma(gamma)
    one_of(prior, "prior", ("auto", "text", "natural"))
    if isinstance(psf, str) or not hasattr(psf, "shape"):
        one_of(psf, "psf", ("free",))
    check_callback(callback)
    settings = check_settings(settings)
    checked = [as_planes(image, channel_axis, settings.general, f"images[{i}]") for i, image in enumerate(images)]
    originals, pages = ([pair[i] for pair in checked] for i in (0, 1))
    # Before the search: it works on the host, and the pages would meet in the restoration only.
    array_namespace(*pages)
    for i, planes in enumerate(pages):
        check_range(planes, gamma, settings.general, f"images[{i}]")
    smallest = min(pages, key=lambda planes: min(planes.shape[1:]))
    arguments = free_form(psf, psf_size, None, smallest, settings.general)
    report = Progress(callback, FREE_FORM)
    return _deblur_free_form(originals, pages, prior, gamma, arguments, channel_axis, report, settings)


def _deblur_free_form(
    images: list[Result],
    pages: list[Result],
    prior: Prior,
    gamma: float | None,
    arguments: FreeFormArguments,
    channel_axis: int | None,
    report: Progress,
    settings: Settings,
) -> list[Restoration]:
    """Restore images that share a free-form PSF."""
    report.restart(FREE_FORM)
    with threadpool_limits(1, user_api="blas"):
        pages = [_not_negative(planes) for planes in pages]
        restored, fields = restore_pages(
            pages,
            prior,
            gamma,
            sizes=arguments.sizes,
            start=arguments.start,
            region=arguments.region,
            report=report,
            settings=settings,
        )
    report("restore", 1.0)
    results = []
    for image, planes in zip(images, [None] * len(images) if restored is None else restored, strict=True):
        # What is said of a page that the last look refused is not said of the others.
        own = {"reason": ""} if planes is not None else {"family": "none", "parameters": {}}
        results.append(_result(image, planes, fields | own, channel_axis))
    return results


def _not_negative(planes: Result) -> Result:
    """The planes with negative values raised to 0; not copied if there are none."""
    xp = array_namespace(planes)
    return planes if float(xp.min(planes)) >= 0 else xp.clip(planes, 0.0, None)


def _result(
    image: Result, restored: list[Result] | None, fields: dict[str, Any], channel_axis: int | None
) -> Restoration:
    """The result for one image; without restored planes, a copy of the image itself. The list of planes is emptied."""
    xp = array_namespace(image)
    if restored is None:
        sharp = xp.asarray(image, copy=True)
    elif channel_axis is None:
        sharp = restored.pop()
    else:
        sharp = xp.empty((len(restored), *restored[0].shape), dtype=restored[0].dtype, device=device(image))
        # Plane by plane, so that a large picture is not held twice.
        for c in reversed(range(len(restored))):
            sharp[c, ...] = restored.pop()
        sharp = xp.moveaxis(sharp, 0, channel_axis)
    return Restoration(image=sharp, noise=noise.estimate(image, channel_axis=channel_axis), **fields)
