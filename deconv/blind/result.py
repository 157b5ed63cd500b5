"""What blind deconvolution returns."""

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

from deconv._core.array import Array, Result, to_numpy
from deconv._core.extras import extra

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["READABLE", "Restoration"]

# Readability from which text counts as readable.
READABLE = 0.5


@dataclass(frozen=True)
class Restoration:
    """A restored image, the PSF, and the evidence for it.

    Attributes
    ----------
    image : array, shape (M, N[, C])
        The restored image. With the text prior and a PSF of a family, text of one tone on a background of the other:
        paper 1 and ink 0, for bright text on a dark background the other way round, the light over the frame evened
        out. With the natural prior or a free-form PSF it is encoded as the input was. A sharp image is returned
        unchanged.
    psf : array, shape (m, m)
        The point-spread function at the scale of the image, centred at ``m // 2``, sum 1.
    family : {"none", "disk", "gaussian", "motion", "free"}
        Kind of PSF; "none" for a sharp image.
    parameters : dict of str to float
        Its parameters: lengths in pixels of the image, angles in degrees; of a free-form one its ``"size"``.
    uncertainty : float
        Standard deviation of the PSF's radius (of a motion's length) over that radius; NaN for "none", "free" and a
        known radius.
    prior : {"text", "natural"}
        The prior that the image was restored with.
    readability : float
        Expected share of the characters that can be read, 0 to 1, estimated without reading; NaN unless restored as
        text.
    reason : str
        Why it was taken for text, or not, and how readable; empty for ``prior="natural"``.
    gamma, shoulder : float
        The response curve that was undone (see `deconv.tone`).
    score : float
        Evidence for the PSF: log likelihood per frequency that it gains over no blur; for a free-form one the part of
        the cost of no blur that it saves; 0 for "none", and below 0 if a known radius is less likely than no blur.
    search : dict of str to ndarray
        ``"radius"`` tried (pixels; half the length for "motion", two standard deviations for "gaussian") and
        ``"criterion"`` there: minus the log likelihood per frequency, no blur being 0; for a known radius that one
        alone. For a free-form PSF the ``"size"`` of the supports tried and their cost. Smaller is better.
    noise : float
        Standard deviation of the image's noise, in units of its full scale.
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

    @property
    def readable(self) -> bool:
        """Whether at least half of the text is expected to be readable; False if it is not text."""
        return self.readability >= READABLE

    def plot(self, before: Array | None = None) -> "Figure":
        """Draw the image, the PSF and the criterion over the radius.

        Parameters
        ----------
        before : array, optional
            The blurred image, to be drawn beside.

        Returns
        -------
        matplotlib.figure.Figure
            The drawing, to be shown or saved.
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
