"""Settings of the search for JPEG's quantisation steps (`deconv.blind.jpeg`)."""

from dataclasses import dataclass

from deconv.blind.settings._setting import setting

__all__ = ["Jpeg"]

_PHOTOGRAPHS = "tried: The spectrum of photographs"


@dataclass(frozen=True)
class Jpeg:
    """When the coefficients of an image's blocks are taken for multiples of quantisation steps."""

    largest_step: int = setting(80, "Largest quantisation step of the search.", "levels of 255")
    least_step: int = setting(2, "Least quantisation step of the search.", "levels of 255")
    blocks: int = setting(4096, "Most blocks examined.", "blocks")
    coefficients: int = setting(20, "Coefficients that a step must explain, at least.", "coefficients")
    mean_cosine: float = setting(0.8, "Mean cosine of their phases above which they are multiples; 1 if all are.", "1")
    fine_step: int = setting(3, "Step up to which rounding to 8 bits hides multiples from each other.", "levels of 255")
    fine_cosine: float = setting(
        0.3,
        "Mean cosine above which coefficients are multiples of so fine a step.",
        "1",
        _PHOTOGRAPHS,
        "sixteen pictures of scikit-image, blurred and stored at quality 92 and 95, 31 of 32 are found (24 by steps of "
        "3 and more alone); of 41 never stored, blurred or enlarged, none",
    )
    significance: float = setting(
        6.0, "Mean cosine over its standard deviation that such a step needs, too.", "standard deviations"
    )
    frequencies: int = setting(
        5,
        "Frequencies that must have a step: in small drawn images a few may by chance.",
        "frequencies",
        _PHOTOGRAPHS,
        "pages out of focus by 9.5 pixels, stored at quality 50 to 72, keep 6 and more; photographs never stored: 0",
    )
