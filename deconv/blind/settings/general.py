"""Settings that all pipelines share: input, refinement of a parametric PSF, deconvolution with it."""

from dataclasses import dataclass, field

from deconv.blind.settings._setting import setting
from deconv.blind.settings.parts import Parts

__all__ = ["Deconvolution", "General", "ParametricRefinement"]

_RESTORING = "tried: Restoration"
_TEXT_UNDER_JPEG = "tried: Text under JPEG"


@dataclass(frozen=True)
class ParametricRefinement:
    """Refinement of a parametric PSF between search and deconvolution."""

    enabled: bool = setting(
        True,
        "Fit the PSF once more on the grid that resolves it best.",
        "1",
        "studies/ablation",
        "no gain on simulated photographs, whose tone curve has no shoulder: 88.5 points without it, 87.5 with",
    )
    radius_factor: float = setting(
        1.0,
        "Factor on the refined radius: a correction for a lens, or a deliberate error in a study.",
        "1",
        "studies/ablation",
        "1.05 loses 16 of 87.5 points over four images of steps 12 and 17",
    )
    softness: float | None = setting(
        None,
        "Standard deviation of a disc's soft edge over its radius where it is known; None to fit it.",
        "1",
        "studies/ablation",
        "0.02 loses 28 of 87.5 points over four images of steps 12 and 17",
    )


@dataclass(frozen=True)
class Deconvolution:
    """Total variation with a parametric PSF, on a grid as coarse as the blur allows.

    For noise of standard deviation s and gradients of Laplacian scale g the likeliest scene has the weight s^2 / g.
    """

    weight_from_noise: bool = setting(
        True,
        "Estimate the noise for the weight; else the model error alone sets it.",
        "1",
        "studies/ablation",
        "without it 0.8 of 87.5 points are lost over four images of steps 12 and 17",
    )
    model_error: float = setting(
        0.006,
        "Error of the model that adds to the noise, rms.",
        "full contrast",
        _RESTORING,
        "photographs leave residuals of 0.003 to 0.008; from half to twice the weight the mean score moves by less "
        "than 3 points, a third costs 17 points unstretched and 5 stretched, three times as much costs steps 16 and 18",
    )
    gradient_scale: float = setting(
        0.6, "Laplacian scale of the gradients.", "full contrast", _RESTORING, "see `model_error`"
    )
    residual: float = setting(
        0.55,
        "Residual of a first round over the error of the data, under JPEG: even a weak prior explains the rest.",
        "1",
        _TEXT_UNDER_JPEG,
        "with it and fewer strokes 0.806 of 28 field pictures of text are read, without both 0.797",
    )
    first_iterations: int = setting(15, "Iterations of that first round.", "iterations")
    unknown_border: bool = setting(
        True,
        "Treat the scene beyond the frame as unknown; else the image continues periodically.",
        "1",
        "studies/ablation",
        "no effect on pages, whose border is paper",
    )
    working_radius: float = setting(
        14.0, "Radius of the PSF on the grid: strokes must stay wider than a pixel of it.", "pixels"
    )
    least_reduction: float = setting(
        1.5, "Least reduction of an image that is not large: less saves too little time for its blur.", "1"
    )
    large: float = setting(1e6, "Pixels from which an image is reduced by any factor.", "pixels")
    num_iter: int = setting(
        35,
        "Iterations: more fit the error of the PSF.",
        "iterations",
        evidence="more cost 0.1 dB in the mean over four photographs",
    )
    parts: Parts = field(default_factory=Parts)


@dataclass(frozen=True)
class General:
    """Settings that all pipelines share."""

    smallest_side: int = setting(32, "Shorter side below which an image is too small to estimate its blur.", "pixels")
    photograph_gamma: float = setting(2.2, "Exponent of the encoding that is assumed for photographs.", "1")
    region_contrast: float = setting(
        1e-4, "Range of a region over the image's maximum below which it is flat up to rounding.", "1"
    )
    range_tolerance: float = setting(
        0.5,
        "Distance of encoded values from the range 0 to 1 beyond which they must be in other units: noise, sharpening "
        "and enlargement exceed it by less.",
        "full scale",
    )
    refinement: ParametricRefinement = field(default_factory=ParametricRefinement)
    deconvolution: Deconvolution = field(default_factory=Deconvolution)
