"""Settings of the restoration of natural images, and of any image with a free-form or known PSF.

They belong to `deconv.blind.natural`.
"""

from dataclasses import dataclass, field

from deconv.blind.settings._setting import setting
from deconv.blind.settings.parts import Parts

__all__ = ["Natural"]

_ERROR = "tried: The error of a photograph"


@dataclass(frozen=True)
class Natural:
    """Total variation whose weight follows the error of the data, noise and model together.

    The weight over the contrast is ``strength * (error / contrast) ** exponent``. For a Laplacian prior and nothing but
    noise the exponent would be 2; scenes have heavier tails.
    """

    # All four: within 0.3 dB of the best weight for text and natural images, with and without noise, with exact,
    # disturbed and estimated PSFs.
    text_strength: float = setting(0.25, "Weight of the prior for text, at an error of the whole contrast.", "1")
    text_exponent: float = setting(1.4, "Exponent by which that weight follows the error.", "1")
    natural_strength: float = setting(0.13, "Weight of the prior for natural images, at an error of the contrast.", "1")
    natural_exponent: float = setting(1.0, "Exponent by which that weight follows the error.", "1")
    text_stored: float = setting(
        1.0,
        "Error of JPEG, rms over all frequencies, that counts for text.",
        "that error",
        _ERROR,
        "36 grey pictures of text lose 0.29 dB against the best weight; without it 0.39, with twice as much 0.50",
    )
    natural_stored: float = setting(
        2.0,
        "Error of JPEG that counts for natural images, whose signal lies at the frequencies of that error.",
        "that error",
        _ERROR,
        "18 colour pictures: 24.25 dB; without it 23.59, once 23.65; 23.31 by the best of three weights",
    )
    # 1 to 1.6 are as good to 0.1 dB.
    colours: float = setting(1.3, "Factor of the weight for colours together, whose gradients are longer.", "1")
    first_weight: float = setting(3e-4, "Weight over the contrast of the first, nearly unregularised round.", "1")
    first_iterations: int = setting(15, "Iterations of the first round.", "iterations")
    residual: float = setting(
        0.55, "Residual of the first round over the error of the data: even a weak prior explains the rest.", "1"
    )
    parametric_residual: float = setting(
        1.1,
        "The same for a parametric PSF, whose error is small: the residual is mostly noise.",
        "1",
        _ERROR,
        "three photographs, discs of 2.5 and 6 pixels, noise of 0.0005 to 0.02: by 0.7 dB better than 0.55",
    )
    least_error: float = setting(1e-3, "Least error of the data: rounding, at least.", "contrast")
    # With an estimated PSF 10 suffice, to 0.05 dB; with the right one 32 gain 1 dB on text.
    iterations: int = setting(32, "Iterations of the second round.", "iterations")
    step: float = setting(0.8, "Gradient that one shrinking step sets to 0: it determines the speed.", "contrast")
    clipped: float = setting(1.0 - 0.6 / 255, "Level from which a pixel is clipped: 8 bits, and a little more.", "1")
    lamps: float = setting(
        0.03,
        "Light missing under the upper bound, rms, from which the image has lamps and its clipped pixels are lower "
        "bounds: paper lacks up to 0.012 and half of the noise, lamps 0.12 to 1.3.",
        "contrast",
        "tried: Final restoration",
        "Clipped pixels always as lower bounds: -0.4 dB with estimated PSFs, -2.0 with exact ones.",
    )

    parts: Parts = field(default_factory=Parts)

    def counted(self, prior: str, stored: float) -> float:
        """The storage error that counts for a prior."""
        return stored * {"text": self.text_stored, "natural": self.natural_stored}[prior]

    def weight(self, prior: str, error: float) -> float:
        """Weight over contrast for an error over contrast; `prior` is "text" or "natural"."""
        strength, exponent = {
            "text": (self.text_strength, self.text_exponent),
            "natural": (self.natural_strength, self.natural_exponent),
        }[prior]
        weight: float = strength * max(error, self.least_error) ** exponent
        return weight
