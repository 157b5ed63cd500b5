"""Settings of the search for JPEG's quantisation steps (`deconv.blind.jpeg`)."""

from dataclasses import dataclass

from deconv.blind.settings._setting import setting

__all__ = ["Jpeg"]


@dataclass(frozen=True)
class Jpeg:
    """When the coefficients of an image's blocks are taken for multiples of quantisation steps."""

    largest_step: int = setting(80, "Largest quantisation step of the search.", "levels of 255")
    least_step: int = setting(3, "Least quantisation step of the search.", "levels of 255")
    blocks: int = setting(4096, "Most blocks examined.", "blocks")
    coefficients: int = setting(20, "Coefficients that a step must explain, at least.", "coefficients")
    mean_cosine: float = setting(0.8, "Mean cosine of their phases above which they are multiples; 1 if all are.", "1")
    frequencies: int = setting(
        8, "Frequencies that must have a step: in small drawn images a few may by chance.", "frequencies"
    )
