"""Estimate the PSF and the picture together.

>>> import numpy as np, deconv
>>> sharp = deconv.degrade.text_picture(["blind", "deblur"], shape=(120, 200))
>>> blurred = deconv.degrade.add_noise(deconv.degrade.blur(sharp, deconv.psf.disk(4)), 0.002, rng=0)
>>> result = deconv.blind.deblur(blurred, gamma=1)
>>> result.family, round(result.parameters["radius"])
('disk', 4)
"""

import warnings
from functools import partial
from numbers import Integral

import numpy as np
from threadpoolctl import threadpool_limits

from deconv import noise, tone
from deconv._core.array import array_namespace, as_image, as_psf, like, to_numpy, torch_door
from deconv._core.check import integer, real
from deconv.blind.freeform.pipeline import restore_pages
from deconv.blind.parametric.families import FAMILIES
from deconv.blind.parametric.search import at_radius, refine, search
from deconv.blind.result import Restoration
from deconv.blind.select import choose
from deconv.blind.text.ink import ink_of, polarity, text_window
from deconv.blind.text.restore import restore_natural, restore_text
from deconv.blind.text.tone_curve import response
from deconv.blind.text.verdict import judge

__all__ = ["Restoration", "deblur", "deblur_pages"]

# Shorter side, in pixels, below which there is too little to tell a blur from.
_LEAST = 32
# Exponent of a photograph's encoding, unless the picture says otherwise.
_PHOTOGRAPH = 2.2
# Light of a colour, as part of the brightest's, below which it tells nothing of ink.
_DARKEST = 0.05
# Share of the time by stage, on a photograph of text.
_STAGES = {
    "light": (0.0, 0.1),
    "search": (0.1, 0.25),
    "tone": (0.25, 0.45),
    "restore": (0.45, 0.95),
    "judge": (0.95, 1.0),
}
# The same of a free PSF.
_FREE_STAGES = {"search": (0.0, 0.7), "restore": (0.7, 1.0)}


@torch_door
def deblur(
    image,
    *,
    prior="auto",
    psf="disk",
    radius=None,
    gamma=None,
    psf_size=None,
    region=None,
    channel_axis=None,
    callback=None,
):
    r"""Deblur a picture of which only the picture is known.

    Parameters
    ----------
    image : array, shape (M, N[, C])
        The blurred picture, its shorter side 32 pixels or more; floats in [0, 1] or 8 or 16-bit integers.
    prior : {"auto", "text", "natural"}
        What the scene is: text of one tone on ground of another, or anything. ``"auto"`` restores it as text and keeps
        that if the picture is explained by it, and else restores it as anything; ``"text"`` does so too, with a warning
        where it falls back.
    psf : {"disk", "gaussian", "motion", "free", "auto"} or array, shape (m, n)
        Family of the PSF: out of focus, Gaussian, straight motion, any form at all (a camera shaken), or the likeliest
        of these. A radius is looked for from no blur at all to 11 % of the width of the picture, a free form up to a
        support of 161 pixels or 30 % of the shorter side. An array is a PSF to begin with, of which a free one is made.
    radius : float, optional
        Of a disk, its radius in pixels where that is known, from another picture by the same lens, say; at most half
        the shorter side. It is kept as it is, and only the softness of the edge is fitted. By default it is found.
    gamma : float, optional
        Exponent of the picture's encoding, ``light = value ** gamma``: 1 for linear data. By default that of
        photographs, 2.2, and for text the shoulder by which a camera holds back its highlights is estimated, or that
        the data are linear. With a free PSF that of photographs or of linear data, whichever it explains
        better; given, the search takes half the time.
    psf_size : int or (int, int), optional
        Of a free PSF, the side of its support in pixels, or the least and the largest there may be. By default the size
        is found.
    region : tuple of two slices, optional
        Of a free PSF, the rows and columns in which it is looked for; the whole picture is restored by it. By default
        the whole, or of a large picture where it has most edges.
    channel_axis : int, optional
        Axis of the colours; they share one PSF.
    callback : callable, optional
        Called as ``callback(fraction, stage)`` with the part done so far, 0 to 1, and a word for what is being done.

    Returns
    -------
    Restoration
        The restored picture (float64 for a float64 picture, float32 else), the PSF and the evidence for it.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong kind, shape or value.

    Warns
    -----
    UserWarning
        If ``prior="text"`` was asked for and the picture is blurred and none.

    Notes
    -----
    1. Light: the encoding is undone. For text, its polarity is found and the light of its ground fitted and divided out
       (`deconv.vignette`).
    2. Search: radius and softness of the PSF by the evidence of the picture's spectrum, for a smooth scene and noise
       integrated out [1]_, on a coarse grid first and on finer ones while the blur found is small. A radius that is
       told is not searched for, and its evidence is that of this one radius.
    3. Tone: blur is linear in light alone, so of several response curves that one is taken through which a restoration
       explains the picture best; the light is made anew, and the PSF refined.
    4. Restore: masked total variation [2]_ and, where strokes are finer than it resolves, what a round pen has drawn.
    5. Judge: text is what two tones, so blurred, explain. If they do not, the picture is restored from the start as a
       natural one.

    A free PSF and a scene of few edges are found in turn [3]_: from PSFs that, with phases found from random starts,
    explain the picture's power, and coarse to fine from several sizes of the support. The likeliest is judged against
    no blur. The picture is then restored by total variation, its weight from the noise and from what the PSF leaves
    unexplained.

    A blur of a radius under one pixel, unless told, is that of a sharp picture, which comes back as it was.

    References
    ----------
    .. [1] P. Whittle, "Estimation and information in stationary time series", Arkiv foer Matematik 2, 423-434
       (1953), :doi:`10.1007/BF02590998`
    .. [2] M. S. C. Almeida, M. A. T. Figueiredo, "Deconvolving images with unknown boundaries using the alternating
       direction method of multipliers", IEEE Trans. Image Process. 22, 3074-3086 (2013),
       :doi:`10.1109/TIP.2013.2258354`
    .. [3] J. Pan, Z. Hu, Z. Su, M.-H. Yang, "Deblurring text images via L0-regularized intensity and gradient prior",
       CVPR, 2901-2908 (2014), :doi:`10.1109/CVPR.2014.371`

    Examples
    --------
    >>> import numpy as np, deconv
    >>> sharp = deconv.degrade.text_picture(["blind", "deblur"], shape=(120, 200))
    >>> blurred = deconv.degrade.add_noise(deconv.degrade.blur(sharp, deconv.psf.disk(4)), 0.002, rng=0)
    >>> restored = deconv.blind.deblur(blurred, gamma=1).image
    >>> bool(np.abs(restored - sharp).mean() < np.abs(blurred - sharp).mean() / 3)
    True
    """
    image, planes = _planes(image, channel_axis)
    xp = array_namespace(image)
    if gamma is not None:
        gamma = real(gamma, "gamma", above=0.0)
    _one_of(prior, "prior", ("auto", "text", "natural"))
    if isinstance(psf, str) or not hasattr(psf, "shape"):
        _one_of(psf, "psf", (*FAMILIES, "free", "auto"))
    if callback is not None and not callable(callback):
        raise TypeError(f"callback must be callable, got {type(callback).__name__}")
    if isinstance(psf, str) and psf != "free":
        for name, value in (("psf_size", psf_size), ("region", region)):
            if value is not None:
                raise ValueError(f"{name} is for a free PSF: it does not go with psf={psf!r}")
    if radius is not None:
        radius = _radius(radius, psf, planes)
    chosen = None
    if isinstance(psf, str) and psf == "auto":
        with threadpool_limits(1, user_api="blas"):
            choice = choose(xp.clip(xp.mean(planes, axis=0), 0.0, None), gamma, lambda _: None)
        psf, chosen = choice.family, choice.estimate
        if psf == "none":
            return _result(image, None, _nothing(choice.estimate, planes, choice.gamma), channel_axis)
        # (Text's own tones are told from what encoded photographs have: only linear data is news to it.)
        gamma = choice.gamma if psf != "free" and choice.gamma == 1.0 else gamma
    if not isinstance(psf, str) or psf == "free":
        free = _Free(psf, psf_size, region, planes)
        return _as_free([image], [planes], prior, gamma, free, channel_axis, callback)[0]

    planes = xp.clip(planes, 0.0, None)
    if radius is None:
        look = partial(search, families=[FAMILIES[psf]], width=planes.shape[2])
    else:
        look = partial(at_radius, radius=radius)
    report = _Progress(callback, _STAGES)
    told, restored = {}, None
    # The search solves thousands of small systems, on which threads of a linear algebra library only wait for each
    # other: six times the CPU time on two busy cores.
    with threadpool_limits(1, user_api="blas"):
        if prior != "natural":
            restored, told = _as_text(planes, look, gamma, report)
        if restored is None:
            report.again()
            restored, natural = _as_anything(planes, look, gamma, report, chosen)
            if restored is not None:
                natural |= told
                if prior == "text":
                    warnings.warn(f"image was not restored as text: {told['reason']}", stacklevel=3)
            told = natural
    report("judge", 1.0)
    return _result(image, restored, told, channel_axis)


@torch_door
def deblur_pages(images, *, prior="auto", psf="free", gamma=None, psf_size=None, channel_axis=None, callback=None):
    """Deblur pictures that share one PSF, as the pages of one scan do.

    Parameters
    ----------
    images : sequence of arrays, each of shape (M, N[, C])
        The blurred pictures, as for `deblur`; their sizes may differ.
    prior : {"auto", "text", "natural"}
        What they show.
    psf : {"free"} or array, shape (m, n)
        A PSF to begin with, if any is known.
    gamma : float, optional
        Exponent of their encoding, ``light = value ** gamma``; by default that of photographs or of
        linear data, whichever the PSF explains better.
    psf_size : int or (int, int), optional
        Side of the PSF's support in pixels, or the least and the largest there may be. By default the size is found.
    channel_axis : int, optional
        Axis of the colours.
    callback : callable, optional
        Called as ``callback(fraction, stage)``.

    Returns
    -------
    list of Restoration
        One for each picture, with the same PSF.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong kind, shape or value.

    Examples
    --------
    >>> import deconv
    >>> shake = deconv.psf.random_motion(9, rng=1)
    >>> pages = [deconv.degrade.text_picture([word, "of text"], shape=(96, 160)) for word in ("page", "some")]
    >>> blurred = [deconv.degrade.blur(page, shake) for page in pages]
    >>> first, second = deconv.blind.deblur_pages(blurred)
    >>> first.psf is second.psf
    True
    """
    if hasattr(images, "shape") or isinstance(images, str) or not hasattr(images, "__len__") or len(images) == 0:
        raise TypeError(f"images must be a sequence of pictures, one or more, got {type(images).__name__}")
    if gamma is not None:
        gamma = real(gamma, "gamma", above=0.0)
    _one_of(prior, "prior", ("auto", "text", "natural"))
    if isinstance(psf, str) or not hasattr(psf, "shape"):
        _one_of(psf, "psf", ("free",))
    if callback is not None and not callable(callback):
        raise TypeError(f"callback must be callable, got {type(callback).__name__}")
    both = [_planes(image, channel_axis, f"images[{i}]") for i, image in enumerate(images)]
    free = _Free(psf, psf_size, None, min((planes for _, planes in both), key=lambda planes: min(planes.shape[1:])))
    pictures, pages = ([pair[i] for pair in both] for i in (0, 1))
    return _as_free(pictures, pages, prior, gamma, free, channel_axis, callback)


def _one_of(value, name, known):
    if not isinstance(value, str):
        raise TypeError(f"{name} must be one of {', '.join(map(repr, known))}, got {type(value).__name__}")
    if value not in known:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, known))}, got {value!r}")


def _radius(radius, psf, planes):
    """The radius of a disc that is known, such that the disc is no wider than the picture."""
    if not (isinstance(psf, str) and psf == "disk"):
        got = repr(psf) if isinstance(psf, str) else "an array"
        raise ValueError(f"radius is for a disk: it does not go with psf={got}")
    radius, most = real(radius, "radius", above=0.0), min(planes.shape[1:]) / 2
    if radius > most:
        raise ValueError(f"radius must be at most {most:g}, half the picture's shorter side, got {radius:g}")
    return radius


def _planes(image, channel_axis, name="image"):
    """The picture as floats, and its planes (C, M, N), of which it is sure that they can be looked at."""
    image = as_image(image, name, channel_axis=channel_axis)
    xp = array_namespace(image)
    planes = image[None, ...] if channel_axis is None else xp.moveaxis(image, channel_axis, 0)
    if min(planes.shape[1:]) < _LEAST:
        raise ValueError(f"{name} must be at least {_LEAST} pixels on each side, got shape {tuple(planes.shape[1:])}")
    if float(xp.max(image)) == float(xp.min(image)):
        raise ValueError(f"{name} is flat: every pixel is the same, so it shows no blur to estimate")
    if not float(xp.max(image)) > 0:
        raise ValueError(f"{name} must hold light, got nothing above zero")
    return image, planes


class _Free:
    """What a user says of a free PSF, looked at.

    Attributes
    ----------
    start : array or None
        A PSF to begin with, square, its sides odd.
    sizes : (int, int) or None
        Bounds of its support.
    region : tuple of slices or None
        Where it is looked for.
    """

    def __init__(self, psf, psf_size, region, planes):
        self.region = None if region is None else _region(region, planes)
        shape = planes.shape[1:] if region is None else planes[(0, *self.region)].shape
        # (Beyond this there is no part of the picture that does not depend on what is outside of it.)
        most = min(shape) // 2
        self.sizes = None if psf_size is None else _sizes(psf_size, most)
        self.start = None
        if not isinstance(psf, str):
            start = to_numpy(as_psf(psf, planes[0, ...]))
            side = max(n + 1 - n % 2 for n in start.shape)
            if side > most:
                raise ValueError(f"psf must have sides of at most {most}, half the picture's, got shape {psf.shape}")
            square = np.zeros((side, side))
            square[tuple(slice(side // 2 - n // 2, side // 2 - n // 2 + n) for n in start.shape)] = start
            self.start = square


def _sizes(psf_size, most):
    """Least and largest side of a support."""
    wanted = "psf_size must be a whole number of pixels or two, (least, largest)"
    if isinstance(psf_size, tuple | list):
        if len(psf_size) != 2:
            raise ValueError(f"{wanted}, got {psf_size!r}")
        least, largest = (integer(n, "psf_size", low=3, high=most) for n in psf_size)
        if least > largest:
            raise ValueError(f"{wanted}, got {psf_size!r}")
        return least, largest
    size = integer(psf_size, "psf_size", low=3, high=most)
    return size, size


def _region(region, planes):
    """Two slices of a part large enough."""
    if not (isinstance(region, tuple | list) and len(region) == 2 and all(isinstance(part, slice) for part in region)):
        raise TypeError(f"region must be two slices, of rows and of columns, got {region!r}")
    if not all(n is None or isinstance(n, Integral) for s in region for n in (s.start, s.stop, s.step)):
        raise TypeError(f"region must be two slices of whole numbers, got {region!r}")
    part = planes[(0, *region)]
    if any(s.step not in (None, 1) for s in region) or min(part.shape) < _LEAST:
        raise ValueError(f"region must be {_LEAST} pixels or more on each side, without steps, got {region!r}")
    xp, part = array_namespace(planes), planes[(slice(None), *region)]
    # (A blurred flat part has what rounding leaves.)
    if float(xp.max(part) - xp.min(part)) < 1e-4 * float(xp.max(planes)):
        raise ValueError(f"region is flat: it shows no blur to estimate, got {region!r}")
    return tuple(region)


def _as_free(images, pages, prior, gamma, free, channel_axis, callback):
    """The results for pictures that share a PSF of any form."""
    report = _Progress(callback, _FREE_STAGES)
    with threadpool_limits(1, user_api="blas"):
        pages = [array_namespace(planes).clip(planes, 0.0, None) for planes in pages]
        restored, told = restore_pages(
            pages, prior, gamma, sizes=free.sizes, start=free.start, region=free.region, report=report
        )
    report("restore", 1.0)
    restored = restored or [None] * len(images)
    return [_result(image, planes, told, channel_axis) for image, planes in zip(images, restored, strict=True)]


def _result(image, restored, told, channel_axis):
    """The result for one picture; without restored planes, that picture itself."""
    xp = array_namespace(image)
    if restored is None:
        restored = xp.asarray(image, copy=True)
    else:
        restored = restored[0] if channel_axis is None else xp.moveaxis(xp.stack(restored), 0, channel_axis)
    return Restoration(image=restored, noise=noise.estimate(image, channel_axis=channel_axis), **told)


def _as_text(planes, look, gamma, report):
    """Planes restored as text and the fields of the result; None and the reason if it is sharp or no text.

    What the PSF is, ``look(ink, report=...)`` tells.
    """
    xp = array_namespace(planes)
    curve = supposed = (_PHOTOGRAPH if gamma is None else gamma, 0.0)
    light = tone.decode(planes, *curve)
    foreground = polarity(xp.mean(light, axis=0))
    inks, seen, window = _inked(light, foreground)
    report("light", 1.0)
    found = look(seen, report=partial(report, "search"))
    if found.candidate is None:
        return None, {"reason": "no blur was found in what would be its text"}
    candidate = found.candidate
    if gamma is None:
        curve = response(xp.mean(planes, axis=0), candidate, foreground, partial(report, "tone"))
        if curve != supposed:
            inks, seen, window = _inked(tone.decode(planes, *curve), foreground)
        if curve[0] != supposed[0]:
            # Through so wrong a curve the search may have gone astray.
            found = look(seen, report=lambda _: None)
            if found.candidate is None:
                return None, {"reason": "no blur was found in what would be its text"}
            candidate = found.candidate
    candidate = refine(seen, candidate)
    coverages = []
    for c, ink in enumerate(inks):
        whole = xp.zeros_like(ink)
        whole[window] = restore_text(
            xp.asarray(ink[window], copy=True), candidate, partial(_part, report, c, len(inks))
        )
        coverages.append(whole)
    verdict = judge(inks, coverages, candidate, foreground)
    if not verdict.text:
        return None, {"reason": verdict.reason}
    told = _told(found, candidate, planes, curve)
    told |= {"prior": "text", "readability": verdict.readability, "reason": verdict.reason}
    return coverages if foreground == "bright" else [1.0 - c for c in coverages], told


def _inked(light, foreground):
    """Coverage by text of each plane, the part of their mean that holds it, and which part that is."""
    xp = array_namespace(light)
    planes = [light[c, ...] for c in range(light.shape[0])]
    # A colour that hardly has any light (the blue of yellow paper) must not have its noise taken for ink.
    least = _DARKEST * max(float(xp.max(plane)) - _middle(plane, foreground) for plane in planes)
    inks = [ink_of(plane, foreground, least) for plane in planes]
    grey = xp.mean(xp.stack(inks), axis=0)
    window = text_window(grey)
    return inks, xp.asarray(grey[window], copy=True), window


def _middle(plane, foreground):
    """The light of the ground of bright text, about; of dark text, whose ground is what counts, nothing."""
    return float(np.median(to_numpy(plane))) if foreground == "bright" else 0.0


def _as_anything(planes, look, gamma, report, found=None):
    """Planes restored as a natural picture and the fields of the result; None for the planes if it is sharp.

    The PSF is looked for, as for text, unless one was `found`.
    """
    xp = array_namespace(planes)
    curve = (_PHOTOGRAPH if gamma is None else gamma, 0.0)
    light = tone.decode(planes, *curve)
    grey = xp.mean(light, axis=0)
    report("light", 1.0)
    found = found or look(grey, report=partial(report, "search"))
    if found.candidate is None:
        return None, _nothing(found, planes, curve[0])
    candidate = refine(grey, found.candidate)
    count = light.shape[0]
    restored = [
        tone.encode(restore_natural(light[c, ...], candidate, partial(_part, report, c, count)), *curve)
        for c in range(count)
    ]
    return restored, _told(found, candidate, planes, curve)


def _nothing(found, planes, gamma):
    """Fields of the result for a picture that is sharp."""
    return {"psf": like(np.ones((1, 1)), planes), "family": "none", "gamma": gamma, "search": _curve(found)}


def _told(found, candidate, planes, curve):
    """Fields of the result that say what was found."""
    gamma, shoulder = curve
    return {
        "psf": like(candidate.make(), planes),
        "family": next(name for name, family in FAMILIES.items() if isinstance(candidate, family)),
        "parameters": candidate.parameters(),
        "uncertainty": candidate.uncertainty,
        "gamma": gamma,
        "shoulder": shoulder,
        "score": found.score,
        "search": _curve(found),
    }


def _curve(found):
    return {"radius": found.radii, "criterion": found.criterion}


class _Progress:
    """Tells a callback how far it is; a second way to the end begins where the first was given up."""

    def __init__(self, callback, stages):
        self._callback, self._stages, self._start, self._done = callback, stages, 0.0, 0.0

    def __call__(self, stage, fraction):
        start, stop = self._stages[stage]
        self._done = self._start + (1 - self._start) * (start + (stop - start) * fraction)
        if self._callback is not None:
            self._callback(self._done, stage)

    def again(self):
        self._start = self._done


def _part(report, at, of, fraction):
    report("restore", (at + fraction) / of)
