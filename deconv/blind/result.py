"""The result of blind deconvolution: image, PSF, evidence, and a plot of them."""

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

from deconv._core.array import Array, Result, to_numpy
from deconv._core.extras import extra

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["READABLE", "Guess", "Restoration"]

# Expected fraction of readable characters from which text counts as readable.
READABLE = 0.5


@dataclass(frozen=True)
class Guess:
    """The likeliest PSF of the families that a few numbers describe, whether it was used or not.

    Attributes
    ----------
    family : {"disk", "gaussian", "motion", "free"}
        Kind of PSF.
    parameters : dict of str to float
        As of `Restoration`.
    log_odds : float
        Log odds for it against no blur, in nats (the odds are ``exp(log_odds)`` to 1); negative if no blur is likelier.
        The odds of motion are against the likelier of no blur and a motion without zeros in its spectrum.
    """

    family: Literal["disk", "gaussian", "motion", "free"]
    parameters: dict[str, float]
    log_odds: float


@dataclass(frozen=True)
class Restoration:
    """A restored image, the estimated PSF, and the evidence for both.

    Attributes
    ----------
    image : array, shape (M, N[, C])
        The restored image. With the text prior and a parametric PSF: the text with the light over the frame evened
        out, paper 1 and ink 0, or the reverse for bright text on a dark background. With the natural prior or a
        free-form PSF: encoded as the input was. For the family "none" a copy of the input.
    psf : array, shape (m, m)
        The point-spread function in pixels of the image, centred at ``m // 2``, sum 1.
    family : {"none", "disk", "gaussian", "motion", "free"}
        Kind of PSF; "none" if the image was not restored: it is sharp, no PSF explains it, or the last look refused
        the restoration.
    parameters : dict of str to float
        Parameters of the PSF: lengths in pixels of the image, angles in degrees. A free-form PSF has only a ``"size"``,
        the side of its support.
    uncertainty : float
        Relative standard deviation of the radius (for "motion", of the length); NaN for "none", "free" and a known
        radius.
    prior : {"text", "natural"}
        The prior with which the image was restored.
    readability : float
        Expected fraction of the characters that can be read, 0 to 1, estimated without character recognition; NaN
        unless the image was restored as text with a disc or straight motion.
    reason : str
        Why the image was restored as text or not, or why it is returned unchanged; empty if that was not decided, as
        with ``prior="natural"``.
    guess : Guess or None
        The likeliest PSF of few parameters and its odds against no blur, whether it was used or not; before the
        refinement, so that it may differ a little from `parameters`. None if none was fitted.
    sharpness : float
        Height of the steepest steps as a fraction of the contrast around them, in the direction where it is lowest: 1
        for edges one pixel wide, from 0.63 on the image counts as sharp. NaN if the family was given.
    gamma, shoulder : float
        The response curve that was undone (see `deconv.tone`).
    score : float
        Evidence for the PSF over no blur, higher for a more certain PSF; 0 for "none". For a parametric PSF the gain of
        log likelihood per frequency, which is negative if a known radius is less likely than no blur; for a free-form
        PSF the relative decrease of the cost.
    search : dict of str to ndarray
        The search, to be plotted. For a parametric PSF the ``"radius"`` of each trial (pixels; half the length for
        "motion", two standard deviations for "gaussian") and its ``"criterion"``, minus the log likelihood per
        frequency relative to no blur. For a free-form PSF the ``"size"`` of each trial's support and its cost, as
        ``"criterion"``. Smaller is better.
    noise : float
        Standard deviation of the noise in the blurred image, as a fraction of full scale.

    Examples
    --------
    >>> import deconv
    >>> sharp = deconv.degrade.text_picture(["blind", "deblur"], shape=(120, 200))
    >>> blurred = deconv.degrade.add_noise(deconv.degrade.blur(sharp, deconv.psf.disk(4)), 0.002, rng=0)
    >>> result = deconv.blind.deblur(blurred, radius=4, gamma=1)
    >>> result.family, result.prior, result.readable
    ('disk', 'text', True)
    """

    image: Result
    psf: Result
    family: Literal["none", "disk", "gaussian", "motion", "free"]
    parameters: dict[str, float] = field(default_factory=dict)
    uncertainty: float = math.nan
    prior: Literal["text", "natural"] = "natural"
    readability: float = math.nan
    reason: str = ""
    gamma: float = 2.2
    shoulder: float = 0.0
    score: float = 0.0
    search: dict[str, np.ndarray] = field(default_factory=dict)
    noise: float = 0.0
    guess: Guess | None = None
    sharpness: float = math.nan

    @property
    def readable(self) -> bool:
        """Whether at least half of the characters are expected to be readable; False if the image is not text."""
        return self.readability >= READABLE

    def plot(self, before: Array | None = None) -> "Figure":
        """Draw the restored image, the PSF, and the criterion over the sizes tried.

        Parameters
        ----------
        before : array, optional
            The blurred image, drawn beside the restored one.

        Returns
        -------
        matplotlib.figure.Figure
            The figure, to be shown or saved.

        Raises
        ------
        ModuleNotFoundError
            If matplotlib is not installed; the extra ``plot`` brings it.
        """
        with extra("plot", "a figure"):
            import matplotlib.pyplot as plt

        images = {"before": before, "restored": self.image}
        figure, axes = plt.subplots(2, 2, figsize=(10, 7), layout="constrained")
        for axis, (title, image) in zip(axes[0], images.items(), strict=True):
            axis.set_axis_off()
            if image is not None:
                axis.set_title(title)
                axis.imshow(np.clip(to_numpy(image), 0, 1), cmap="gray", vmin=0, vmax=1)
        parameters = ", ".join(f"{name} {value:.1f}" for name, value in self.parameters.items())
        axes[1, 0].set_title(f"PSF: {self.family}" + (f", {parameters}" if parameters else ""))
        axes[1, 0].imshow(to_numpy(self.psf), cmap="gray")
        axes[1, 1].set_title("criterion (smaller is better)")
        if "size" in self.search:
            axes[1, 1].plot(self.search["size"], self.search["criterion"], "o")
            axes[1, 1].set_xlabel("size of the support (pixels)")
        else:
            axes[1, 1].semilogx(self.search["radius"], self.search["criterion"], ".-")
            axes[1, 1].set_xlabel("radius (pixels), no blur = 0")
        return figure
