"""Estimate the PSF and the picture together.

>>> import numpy as np, deconv
>>> sharp = deconv.degrade.text_picture(["blind", "deblur"], shape=(120, 200))
>>> blurred = deconv.degrade.add_noise(deconv.degrade.blur(sharp, deconv.psf.disk(4)), 0.002, rng=0)
>>> result = deconv.blind.deblur(blurred, gamma=1)
>>> result.family, round(result.parameters["radius"])
('disk', 4)
"""

from dataclasses import dataclass, field
from functools import partial

import numpy as np

from deconv import noise, tone
from deconv._array import array_namespace, as_image, like, to_numpy, torch_door
from deconv._check import real
from deconv.blind._families import FAMILIES
from deconv.blind._light import ink_of, text_window
from deconv.blind._restore import restore_natural, restore_text
from deconv.blind._search import find, refine

__all__ = ["Restoration", "deblur"]

# Shorter side, in pixels, below which there is too little to tell a blur from.
_LEAST = 32
# Share of the time by stage, on a photograph of text.
_STAGES = {"light": (0.0, 0.05), "search": (0.05, 0.4), "refine": (0.4, 0.7), "restore": (0.7, 1.0)}


@dataclass(frozen=True)
class Restoration:
    """What `deblur` found.

    Attributes
    ----------
    image : array, shape (M, N[, C])
        The restored picture. With ``prior="text"`` paper is 1, ink 0, the light over the frame evened out; with
        ``prior="natural"`` it is encoded as the input was. A picture found sharp is the input itself.
    psf : array, shape (m, m)
        The point-spread function at the scale of the picture, centred at ``m // 2``, sum 1.
    family : {"none", "disk", "gaussian", "motion"}
        Kind of PSF; "none" for a sharp picture.
    parameters : dict of str to float
        Its parameters: lengths in pixels of the picture, angles in degrees. A disc's radius is right to a few per
        cent, its softness only to a factor of two or so.
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
    score: float = 0.0
    search: dict = field(default_factory=dict)
    noise: float = 0.0

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
def deblur(image, *, prior="text", psf="disk", gamma=2.2, channel_axis=None, callback=None):
    r"""Deblur a picture of which only the picture is known.

    Parameters
    ----------
    image : array, shape (M, N[, C])
        The blurred picture, its shorter side 32 pixels or more; floats in [0, 1] or 8 or 16-bit integers.
    prior : {"text", "natural"}
        What the scene is: dark text on light paper, or anything. A photograph that is no text loses its tones to
        ``"text"``.
    psf : {"disk", "gaussian", "motion", "auto"}
        Family of the PSF: out of focus, Gaussian, straight motion, or the likeliest of the three. Its radius is
        looked for from no blur at all to 9 % of the width of the picture. Motion, and so "auto", has angles to try
        and takes several times as long.
    gamma : float
        Exponent of the picture's encoding, ``light = value ** gamma``: 2.2 for photographs, 1 for linear data.
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

    Notes
    -----
    1. Light: the encoding is undone, and for text the paper's light fitted and divided out (`deconv.vignette`).
    2. Search: every radius is scored by the Whittle likelihood of the picture's spectrum under a smooth scene, that PSF
       and white noise, on a coarse grid first and on finer ones while the blur found is small.
    3. Refine: the mean of that radius and of the one within 6 % at which a restoration by masked total variation leaves
       the smallest residual.
    4. Restore: masked total variation (`deconv.variational`), the weight from noise and model error, on a grid on which
       the PSF has a radius of 14 pixels if the picture's own is finer; enlarged to the picture's by cubic
       interpolation.

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
    gamma = real(gamma, "gamma", above=0.0)
    for name, value, known in (("prior", prior, ("text", "natural")), ("psf", psf, (*FAMILIES, "auto"))):
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
    report = partial(_report, callback)

    light = tone.decode(xp.clip(planes, 0.0, None), gamma)
    scenes = [ink_of(light[c, ...]) if prior == "text" else light[c, ...] for c in range(light.shape[0])]
    grey = xp.mean(xp.stack(scenes), axis=0)
    window = text_window(grey) if prior == "text" else (slice(None), slice(None))
    seen = xp.asarray(grey[window], copy=True)
    sigma = noise.estimate(image, channel_axis=channel_axis)
    report("light", 1.0)

    families = list(FAMILIES.values()) if psf == "auto" else [FAMILIES[psf]]
    found = find(seen, families, planes.shape[2], partial(report, "search"))
    search = {"radius": found.radius, "criterion": found.criterion}
    if found.candidate is None:
        report("restore", 1.0)
        delta = like(np.ones((1, 1)), image)
        return Restoration(xp.asarray(image, copy=True), delta, "none", search=search, noise=sigma)
    candidate = refine(seen, found.candidate, partial(report, "refine"))

    restored = []
    for c, scene in enumerate(scenes):
        part = partial(_part, report, c, len(scenes))
        if prior == "text":
            whole = xp.ones_like(scene)
            whole[window] = 1.0 - restore_text(xp.asarray(scene[window], copy=True), candidate, part)
        else:
            whole = tone.encode(restore_natural(scene, candidate, part), gamma)
        restored.append(whole)
    return Restoration(
        image=restored[0] if channel_axis is None else xp.moveaxis(xp.stack(restored), 0, channel_axis),
        psf=like(candidate.make(), image),
        family=next(name for name, family in FAMILIES.items() if isinstance(candidate, family)),
        parameters=candidate.parameters(),
        score=found.score,
        search=search,
        noise=sigma,
    )


def _report(callback, stage, fraction):
    if callback is not None:
        start, stop = _STAGES[stage]
        callback(start + (stop - start) * fraction, stage)


def _part(report, at, of, fraction):
    report("restore", (at + fraction) / of)
