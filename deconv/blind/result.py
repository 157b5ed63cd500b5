"""What blind deconvolution gives back."""

import math
from dataclasses import dataclass, field

import numpy as np

from deconv._core.array import to_numpy
from deconv._core.extras import extra
from deconv.blind.text.verdict import READABLE

__all__ = ["Restoration"]


@dataclass(frozen=True)
class Restoration:
    """What `deblur` found.

    Attributes
    ----------
    image : array, shape (M, N[, C])
        The restored picture. By the text prior and a PSF of a family the ground is of one tone and the text of the
        other, paper 1 and ink 0 or for bright text on dark ground the other way round, the light over the frame evened
        out; by the natural prior, and by a free PSF, it is encoded as the input was. A picture found sharp is the input
        itself.
    psf : array, shape (m, m)
        The point-spread function at the scale of the picture, centred at ``m // 2``, sum 1.
    family : {"none", "disk", "gaussian", "motion", "free"}
        Kind of PSF; "none" for a sharp picture.
    parameters : dict of str to float
        Its parameters: lengths in pixels of the picture, angles in degrees; of a free one its ``"size"``.
    uncertainty : float
        Standard deviation of the PSF's radius (of a motion's length), as a part of it; NaN for "none", "free" and a
        radius that was told.
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
        Evidence for the PSF: log likelihood per frequency that it gains over no blur at all; for a free one the part of
        the judge's cost of no blur that it saves; 0 for "none", and below 0 if a radius that was told is less likely
        than no blur.
    search : dict of str to ndarray
        ``"radius"`` tried (pixels; half the length for "motion", two standard deviations for "gaussian") and
        ``"criterion"`` there: minus the log likelihood per frequency, no blur being 0; a radius that was told is the
        only one. For a free PSF the ``"size"`` of the supports tried and the judge's cost. Smaller is better.
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
    gamma: float = 2.2
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
        with extra("plot", "a figure"):
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
        axes[1, 1].set_title("criterion (smaller is better)")
        if "size" in self.search:
            axes[1, 1].plot(self.search["size"], self.search["criterion"], "o")
            axes[1, 1].set_xlabel("size of the support (pixels)")
        else:
            axes[1, 1].semilogx(self.search["radius"], self.search["criterion"], ".-")
            axes[1, 1].set_xlabel("radius (pixels), no blur = 0")
        return figure
