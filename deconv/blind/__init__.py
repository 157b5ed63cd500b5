"""Estimate the PSF and the picture together.

>>> import numpy as np, deconv
>>> sharp = deconv.degrade.text_picture(["blind", "deblur"], shape=(120, 200))
>>> blurred = deconv.degrade.add_noise(deconv.degrade.blur(sharp, deconv.psf.disk(4)), 0.002, rng=0)
>>> result = deconv.blind.deblur(blurred, gamma=1)
>>> result.family, round(result.parameters["radius"])
('disk', 4)
"""

import math
import warnings
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from threadpoolctl import threadpool_limits

from deconv import noise, tone
from deconv._array import array_namespace, as_image, like, to_numpy, torch_door
from deconv._check import real
from deconv.blind._families import FAMILIES
from deconv.blind._judge import READABLE, judge
from deconv.blind._light import ink_of, polarity, text_window
from deconv.blind._restore import restore_natural, restore_text
from deconv.blind._search import find, refine
from deconv.blind._tone import response

__all__ = ["Restoration", "deblur"]

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


@dataclass(frozen=True)
class Restoration:
    """What `deblur` found.

    Attributes
    ----------
    image : array, shape (M, N[, C])
        The restored picture. By the text prior the ground is of one tone and the text of the other, paper 1 and ink 0
        or for bright text on dark ground the other way round, the light over the frame evened out; by the natural prior
        it is encoded as the input was. A picture found sharp is the input itself.
    psf : array, shape (m, m)
        The point-spread function at the scale of the picture, centred at ``m // 2``, sum 1.
    family : {"none", "disk", "gaussian", "motion"}
        Kind of PSF; "none" for a sharp picture.
    parameters : dict of str to float
        Its parameters: lengths in pixels of the picture, angles in degrees.
    uncertainty : float
        Standard deviation of the PSF's radius (of a motion's length), as a part of it; NaN for "none".
    prior : {"text", "natural"}
        What the picture was restored as.
    readability : float
        Part of the characters that can be expected to be read, 0 to 1, judged without reading; NaN unless restored as
        text.
    reason : str
        Why it was taken for text, or not, and how readable; empty for ``prior="natural"``.
    gamma, shoulder : float
        The response curve that was undone (see `deconv.tone`).
    score : float
        Evidence for the PSF: log likelihood per frequency that it gains over no blur at all; 0 for "none".
    search : dict of str to ndarray
        ``"radius"`` tried (pixels; half the length for "motion", two standard deviations for "gaussian") and
        ``"criterion"`` there: minus the log likelihood per frequency, no blur being 0. Smaller is better.
    noise : float
        Standard deviation of the picture's noise, in units of its full scale.
    """

    image: object
    psf: object
    family: str
    parameters: dict = field(default_factory=dict)
    uncertainty: float = math.nan
    prior: str = "natural"
    readability: float = math.nan
    reason: str = ""
    gamma: float = _PHOTOGRAPH
    shoulder: float = 0.0
    score: float = 0.0
    search: dict = field(default_factory=dict)
    noise: float = 0.0

    @property
    def readable(self):
        """Whether at least half of the text can be expected to be read; False if it is no text."""
        return self.readability >= READABLE

    def plot(self, before=None):
        """Draw the picture, the PSF and the criterion over the radius.

        Parameters
        ----------
        before : array, optional
            The blurred picture, to be drawn beside.

        Returns
        -------
        matplotlib.figure.Figure
            The drawing, to be shown or saved.
        """
        import matplotlib.pyplot as plt

        pictures = {"before": before, "restored": self.image}
        figure, axes = plt.subplots(2, 2, figsize=(10, 7), layout="constrained")
        for axis, (title, picture) in zip(axes[0], pictures.items(), strict=True):
            axis.set_axis_off()
            if picture is not None:
                axis.set_title(title)
                axis.imshow(np.clip(to_numpy(picture), 0, 1), cmap="gray", vmin=0, vmax=1)
        told = ", ".join(f"{name} {value:.1f}" for name, value in self.parameters.items())
        axes[1, 0].set_title(f"PSF: {self.family}" + (f", {told}" if told else ""))
        axes[1, 0].imshow(to_numpy(self.psf), cmap="gray")
        axes[1, 1].set_title("criterion (smaller is better, no blur = 0)")
        axes[1, 1].semilogx(self.search["radius"], self.search["criterion"], ".-")
        axes[1, 1].set_xlabel("radius (pixels)")
        return figure


@torch_door
def deblur(image, *, prior="auto", psf="disk", gamma=None, channel_axis=None, callback=None):
    r"""Deblur a picture of which only the picture is known.

    Parameters
    ----------
    image : array, shape (M, N[, C])
        The blurred picture, its shorter side 32 pixels or more; floats in [0, 1] or 8 or 16-bit integers.
    prior : {"auto", "text", "natural"}
        What the scene is: text of one tone on ground of another, or anything. ``"auto"`` restores it as text and keeps
        that if the picture is explained by it, and else restores it as anything; ``"text"`` does so too, with a warning
        where it falls back.
    psf : {"disk", "gaussian", "motion", "auto"}
        Family of the PSF: out of focus, Gaussian, straight motion, or the likeliest of the three. Its radius is
        looked for from no blur at all to 11 % of the width of the picture. Motion, and so "auto", has angles to try
        and takes several times as long.
    gamma : float, optional
        Exponent of the picture's encoding, ``light = value ** gamma``: 1 for linear data. By default that of
        photographs, 2.2, and for text the shoulder by which a camera holds back its highlights is estimated, or that
        the data are linear.
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
       integrated out [1]_, on a coarse grid first and on finer ones while the blur found is small.
    3. Tone: blur is linear in light alone, so of several response curves that one is taken through which a restoration
       explains the picture best; the light is made anew, and the PSF refined.
    4. Restore: masked total variation [2]_ and, where strokes are finer than it resolves, what a round pen has drawn.
    5. Judge: text is what two tones, so blurred, explain. If they do not, the picture is restored from the start as a
       natural one.

    A blur of a radius under one pixel is that of a sharp picture, which comes back as it was.

    References
    ----------
    .. [1] P. Whittle, "Estimation and information in stationary time series", Arkiv foer Matematik 2, 423-434
       (1953), :doi:`10.1007/BF02590998`
    .. [2] M. S. C. Almeida, M. A. T. Figueiredo, "Deconvolving images with unknown boundaries using the alternating
       direction method of multipliers", IEEE Trans. Image Process. 22, 3074-3086 (2013),
       :doi:`10.1109/TIP.2013.2258354`

    Examples
    --------
    >>> import numpy as np, deconv
    >>> sharp = deconv.degrade.text_picture(["blind", "deblur"], shape=(120, 200))
    >>> blurred = deconv.degrade.add_noise(deconv.degrade.blur(sharp, deconv.psf.disk(4)), 0.002, rng=0)
    >>> restored = deconv.blind.deblur(blurred, gamma=1).image
    >>> bool(np.abs(restored - sharp).mean() < np.abs(blurred - sharp).mean() / 3)
    True
    """
    image = as_image(image, channel_axis=channel_axis)
    xp = array_namespace(image)
    if gamma is not None:
        gamma = real(gamma, "gamma", above=0.0)
    for name, value, known in (("prior", prior, ("auto", "text", "natural")), ("psf", psf, (*FAMILIES, "auto"))):
        if not isinstance(value, str):
            raise TypeError(f"{name} must be one of {', '.join(map(repr, known))}, got {type(value).__name__}")
        if value not in known:
            raise ValueError(f"{name} must be one of {', '.join(map(repr, known))}, got {value!r}")
    if callback is not None and not callable(callback):
        raise TypeError(f"callback must be callable, got {type(callback).__name__}")
    planes = image[None, ...] if channel_axis is None else xp.moveaxis(image, channel_axis, 0)
    if min(planes.shape[1:]) < _LEAST:
        raise ValueError(f"image must be at least {_LEAST} pixels on each side, got shape {tuple(planes.shape[1:])}")
    if float(xp.max(image)) == float(xp.min(image)):
        raise ValueError("image is flat: every pixel is the same, so it shows no blur to estimate")

    planes = xp.clip(planes, 0.0, None)
    families = list(FAMILIES.values()) if psf == "auto" else [FAMILIES[psf]]
    report = _Progress(callback)
    told, restored = {}, None
    # The search solves thousands of small systems, on which threads of a linear algebra library only wait for each
    # other: six times the CPU time on two busy cores.
    with threadpool_limits(1, user_api="blas"):
        if prior != "natural":
            restored, told = _as_text(planes, families, gamma, report)
        if restored is None:
            report.again()
            restored, natural = _as_anything(planes, families, gamma, report)
            if restored is not None:
                natural |= told
                if prior == "text":
                    warnings.warn(f"image was not restored as text: {told['reason']}", stacklevel=3)
            told = natural
    report("judge", 1.0)
    if restored is None:
        restored = xp.asarray(image, copy=True)
    else:
        restored = restored[0] if channel_axis is None else xp.moveaxis(xp.stack(restored), 0, channel_axis)
    return Restoration(image=restored, noise=noise.estimate(image, channel_axis=channel_axis), **told)


def _as_text(planes, families, gamma, report):
    """Planes restored as text and the fields of the result; None and the reason if it is sharp or no text."""
    xp = array_namespace(planes)
    curve = supposed = (_PHOTOGRAPH if gamma is None else gamma, 0.0)
    light = tone.decode(planes, *curve)
    foreground = polarity(xp.mean(light, axis=0))
    inks, seen, window = _inked(light, foreground)
    report("light", 1.0)
    found = find(seen, families, planes.shape[2], partial(report, "search"))
    if found.candidate is None:
        return None, {"reason": "no blur was found in what would be its text"}
    candidate = found.candidate
    if gamma is None:
        curve = response(xp.mean(planes, axis=0), candidate, foreground, partial(report, "tone"))
        if curve != supposed:
            inks, seen, window = _inked(tone.decode(planes, *curve), foreground)
        if curve[0] != supposed[0]:
            # Through so wrong a curve the search may have gone astray.
            found = find(seen, families, planes.shape[2], lambda _: None)
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


def _as_anything(planes, families, gamma, report):
    """Planes restored as a natural picture and the fields of the result; None for the planes if it is sharp."""
    xp = array_namespace(planes)
    curve = (_PHOTOGRAPH if gamma is None else gamma, 0.0)
    light = tone.decode(planes, *curve)
    grey = xp.mean(light, axis=0)
    report("light", 1.0)
    found = find(grey, families, planes.shape[2], partial(report, "search"))
    if found.candidate is None:
        delta = like(np.ones((1, 1)), planes)
        return None, {"psf": delta, "family": "none", "gamma": curve[0], "search": _curve(found)}
    candidate = refine(grey, found.candidate)
    count = light.shape[0]
    restored = [
        tone.encode(restore_natural(light[c, ...], candidate, partial(_part, report, c, count)), *curve)
        for c in range(count)
    ]
    return restored, _told(found, candidate, planes, curve)


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
    return {"radius": found.radius, "criterion": found.criterion}


class _Progress:
    """Tells a callback how far it is; a second way to the end begins where the first was given up."""

    def __init__(self, callback):
        self._callback, self._start, self._done = callback, 0.0, 0.0

    def __call__(self, stage, fraction):
        start, stop = _STAGES[stage]
        self._done = self._start + (1 - self._start) * (start + (stop - start) * fraction)
        if self._callback is not None:
            self._callback(self._done, stage)

    def again(self):
        self._start = self._done


def _part(report, at, of, fraction):
    report("restore", (at + fraction) / of)
