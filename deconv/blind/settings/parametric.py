"""Settings of the search for a parametric PSF (`deconv.blind.parametric`)."""

from dataclasses import dataclass, field
from typing import TypeAlias

from deconv.blind.settings._setting import setting
from deconv.blind.settings.spectrum import Spectrum

__all__ = ["DiskLimits", "FamilyLimits", "GaussianLimits", "MotionLimits", "MotionSearch", "Parametric", "Search"]

_PER_OCTAVE = "Sizes tried an octave."
_UNCERTAINTY = "Relative standard deviation of the size beyond which the estimate is rejected."
_SHARP_BELOW = "Smaller radii are within the sampling of a sharp image."
_DOUBTFUL_BELOW = "A smaller radius is doubtful: strokes of one width have zeros of their own."
_STORED_ERROR = "Relative error of the size, beyond the statistical one, in an image stored as JPEG."
_DOUBTFUL_SCORE = "Log evidence that a doubtful radius must gain over no blur."
_STROKES = "a sharp page gains up to 0.007 from discs of one or two pixels, blurred ones 0.015 and more except in noise"


@dataclass(frozen=True)
class DiskLimits:
    """Limits for a disc."""

    sizes_per_octave: int = setting(14, _PER_OCTAVE, "1", evidence="enough to resolve rings of zeros")
    largest_uncertainty: float = setting(0.05, _UNCERTAINTY, "1", evidence="rings of zeros leave no doubt")
    sharp_below: float = setting(
        1.75,
        _SHARP_BELOW,
        "pixels of the image",
        evidence="a sharp photograph through a microscope shows a disc of 1.6 with 91 nats",
    )
    doubtful_below: float = setting(3.0, _DOUBTFUL_BELOW, "pixels of the image")
    doubtful_score: float = setting(0.01, _DOUBTFUL_SCORE, "nats a frequency", evidence=_STROKES)
    stored_error: float = setting(
        0.023, _STORED_ERROR, "1", evidence="two thirds of 36 discs of the field set, seeds 0 and 1, are within it"
    )


@dataclass(frozen=True)
class GaussianLimits:
    """Limits for a Gaussian, whose radius is two standard deviations."""

    sizes_per_octave: int = setting(4, _PER_OCTAVE, "1")
    largest_uncertainty: float = setting(0.3, _UNCERTAINTY, "1")
    sharp_below: float = setting(1.75, _SHARP_BELOW, "pixels of the image")
    doubtful_below: float = setting(0.0, _DOUBTFUL_BELOW + " A Gaussian has none.", "pixels of the image")
    doubtful_score: float = setting(0.0, _DOUBTFUL_SCORE, "nats a frequency")
    stored_error: float = setting(
        0.14, _STORED_ERROR, "1", evidence="four of six Gaussians of the field set are within 3 %, 14 % or 16 %"
    )


@dataclass(frozen=True)
class MotionLimits:
    """Limits for a straight motion, whose radius is half its length."""

    sizes_per_octave: int = setting(14, _PER_OCTAVE, "1")
    largest_uncertainty: float = setting(0.05, _UNCERTAINTY, "1")
    sharp_below: float = setting(1.0, _SHARP_BELOW, "pixels of the image")
    doubtful_below: float = setting(3.0, _DOUBTFUL_BELOW, "pixels of the image")
    doubtful_score: float = setting(0.02, _DOUBTFUL_SCORE, "nats a frequency")
    stored_error: float = setting(
        0.01, _STORED_ERROR, "1", evidence="two thirds of 22 motions of the field set, seeds 0 and 1, are within it"
    )


FamilyLimits: TypeAlias = DiskLimits | GaussianLimits | MotionLimits


@dataclass(frozen=True)
class Search:
    """The search over scales and radii, and when its result is accepted."""

    disk_limits: DiskLimits = field(default_factory=DiskLimits)
    gaussian_limits: GaussianLimits = field(default_factory=GaussianLimits)
    motion_limits: MotionLimits = field(default_factory=MotionLimits)
    coarsest_side: int = setting(
        200,
        "Longer side of the coarsest scale: blur of 11 % of it is some twenty pixels, enough to resolve its rings.",
        "pixels of that scale",
    )
    narrowest_side: int = setting(16, "Shorter side that a strip keeps there.", "pixels of that scale")
    largest_radius: float = setting(0.115, "Largest radius searched.", "parts of the image's width")
    largest_radius_across: float = setting(0.4, "Largest radius at any scale.", "parts of its shorter side")
    first_radius: float = setting(0.4, "Smallest radius tried at any scale.", "pixels of that scale")
    fitted_minima: int = setting(3, "Likeliest minima over the radius at which all parameters are fitted.", "1")
    finer_below: float = setting(
        3.0, "A smaller radius is searched again at a finer scale.", "pixels of the coarser scale"
    )
    finer_by: float = setting(3.0, "Ratio of that scale to the next finer one.", "1")
    least_log_odds: float = setting(
        15.0,
        "Log odds against no blur from which a PSF is accepted.",
        "nats",
        evidence="true PSFs of the photographs tried have 20 and more",
    )
    least_log_odds_blurred: float = setting(
        60.0,
        "Log odds that suffice for a doubtful radius in an image that is known to be blurred: "
        "there strokes have no zeros of their own.",
        "nats",
    )
    least_log_odds_motion: float = setting(
        45.0, "Log odds for the zeros of a motion from which it is accepted.", "nats"
    )
    largest_slope: float = setting(
        1.6,
        "Slope of an image over the steepest possible after a blur, for any scene of its contrast, beyond which the "
        "blur is rejected. Above 1 to allow for the ink level, noise and another tone curve.",
        "1",
    )
    slope_quantile: float = setting(0.995, "Quantile of an image's slopes in this comparison.", "1")
    slope_radius: float = setting(3.0, "Radius at the scale at which slopes are compared.", "pixels of that scale")
    largest_drift: float = setting(0.5, "Change of the log of a radius beyond which a fit has left its minimum.", "1")
    similar_from: float = setting(0.4, "Smallest radius of another family, over the one it is compared with.", "1")
    similar_to: float = setting(4.0, "Largest radius of another family, over the one it is compared with.", "1")
    similar_radii: int = setting(16, "Radii of another family in that comparison.", "1")
    refinement_radius: float = setting(
        8.0,
        "Radius at the scale at which it is refined.",
        "pixels of that scale",
        evidence="resolves four rings of zeros",
    )
    refinement_drift: float = setting(
        0.1, "Change of the log of a radius beyond which a refinement has strayed and is dropped.", "1"
    )
    same_radius: float = setting(
        0.15,
        "Difference of the logs of two radii up to which they count as the same, seen in different directions.",
        "1",
        evidence="an aperture of six blades differs by 0.14",
    )
    refined_fill: float = setting(
        0.45,
        "Fill beyond which a refinement that fills the zeros further is dropped.",
        "parts of the power around them",
    )

    def limits(self, family: str) -> FamilyLimits:
        """Limits for "disk", "gaussian" or "motion"."""
        limits: FamilyLimits = getattr(self, f"{family}_limits")
        return limits


@dataclass(frozen=True)
class MotionSearch:
    """The search for straight motion: its angle by the envelope, its length by the zeros."""

    directions: int = setting(24, "Bins of direction over half a turn while the angle is searched.", "1")
    ring_ratio: float = setting(1.15, "Ratio of frequency between rings of bins in the same search.", "1")
    envelope_lengths: int = setting(5, "Lengths of the envelope tried.", "1")
    angles: int = setting(3, "Likeliest angles at which the zeros are searched.", "1")
    angle_offset: float = setting(
        6.0,
        "Distance of two more angles from the likeliest: directions in the scene bias the angle of the envelope.",
        "degrees",
    )
    shortest: float = setting(2.5, "Shortest length tried.", "pixels of the scale")
    longest_across: float = setting(0.8, "Largest length at any scale.", "parts of its shorter side")
    length_from: float = setting(0.3, "Shortest length tried by its zeros over that of the envelope.", "1")
    length_to: float = setting(2.5, "Longest length tried by its zeros over that of the envelope.", "1")
    finer_below: float = setting(
        4.0, "A shorter motion is searched again at a finer scale.", "pixels of the coarser scale"
    )
    least_log_odds_envelope: float = setting(
        10.0,
        "Log odds against no blur from which an envelope's zeros are searched.",
        "nats",
        evidence="motions have 88 and more",
    )
    scan_tolerance: float = setting(0.3, "Change of the criterion at which fits of a scan stop.", "nats")
    largest_fill: float = setting(0.34, "Fill above which zeros do not count.", "parts of the power around them")


@dataclass(frozen=True)
class Parametric:
    """All settings of the search for a parametric PSF."""

    spectrum: Spectrum = field(default_factory=Spectrum)
    search: Search = field(default_factory=Search)
    motion: MotionSearch = field(default_factory=MotionSearch)
