"""Settings of the search for the quantisation steps of JPEG (`deconv.blind.jpeg`)."""

from dataclasses import dataclass

from deconv.blind.settings._setting import setting

__all__ = ["Jpeg"]


@dataclass(frozen=True)
class Jpeg:
    """When the coefficients of an image count as multiples of quantisation steps."""

    largest_step: int = setting(80, "Largest quantisation step that is tried.", "levels of 255")
    least_step: int = setting(3, "Smallest quantisation step that is tried.", "levels of 255")
    blocks: int = setting(4096, "Largest number of blocks examined.", "blocks")
    coefficients: int = setting(20, "Least number of coefficients that a step must explain.", "coefficients")
    mean_cosine: float = setting(
        0.8,
        "Mean cosine of the phases of coefficients modulo a step, above which they are its multiples; 1 if all are.",
        "1",
    )
    frequencies: int = setting(
        8, "Least number of frequencies with a step; in small drawn images a few may have one by chance.", "frequencies"
    )
