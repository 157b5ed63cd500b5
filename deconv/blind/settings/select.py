"""Settings of the choice among kinds of blur (`deconv.blind.select`).

Most were chosen on ``python -m benchmarks.studies.families --tuned``; docs/results.md, "Which kind of blur", has the
result on held-out images.
"""

from dataclasses import dataclass, field

from deconv.blind.settings._setting import setting

__all__ = ["Gradient", "LineCheck", "Selection", "Sharpness"]

_STUDY = "studies/families"
_KINDS = "tried: Kinds of blur"
_PHOTOGRAPHS = "tried: The spectrum of photographs"


@dataclass(frozen=True)
class Sharpness:
    """Steepness of the steepest steps of an image."""

    pixels: float = setting(1e6, "Size from which only the middle of an image is examined.", "pixels")
    window: int = setting(
        21,
        "Side of the windows in which a step is compared with the contrast around it.",
        "pixels",
        _KINDS,
        "in windows of 13 pixels shakes reach 0.67 of the steepness of sharp images",
    )
    least_contrast: float = setting(0.5, "Contrast from which a window counts.", "parts of the largest contrast")
    noise_contrast: float = setting(6.0, "Contrast that noise adds in a window.", "standard deviations of the noise")
    noise_step: float = setting(4.5, "Height that noise adds to the steepest step.", "standard deviations of the noise")
    quantile: float = setting(0.97, "Quantile over the windows that represents the image.", "1")
    local_contrast: float = setting(
        0.3,
        "Contrast that windows must reach: under a much wider blur they hold only noise, which looks sharp.",
        "parts of the image's contrast",
    )
    clear_contrast: float = setting(
        12.0, "Contrast that windows must reach, for the same reason.", "standard deviations of the noise"
    )
    step_quantile: float = setting(
        0.97, "Quantile of the steps between neighbouring pixels that represents an image.", "parts of the pixels"
    )
    step_tail: float = setting(
        0.001,
        "Darkest and brightest pixels, each, that do not count in the range of these steps.",
        "parts of the pixels",
    )


@dataclass(frozen=True)
class LineCheck:
    """Test of a straight motion by the power at every frequency."""

    least_gain: float = setting(
        -0.25,
        "Log likelihood over no blur, a frequency, below which a line is rejected.",
        "nats a frequency",
        _KINDS,
        "right ones -0.17 and more, stretches of shakes -0.29 and less, as do lines of a wrong length",
    )
    least_gain_corrected: float = setting(
        -0.18,
        "The same for the likeliest line near a rejected one.",
        "nats a frequency",
        _KINDS,
        "right ones -0.11 and more, shakes -0.25 and less",
    )
    shortest: float = setting(
        7.0,
        "Shortest line tried instead of a rejected one.",
        "pixels",
        _KINDS,
        "from 0.45 of the rejected length on, shakes pass as lines of 2 to 4 pixels",
    )
    longest: float = setting(2.3, "Longest line tried, over the rejected one.", "1")
    lengths: int = setting(14, "Lengths tried.", "1")
    angle_offsets: tuple[float, ...] = setting(
        (-9.0, -4.5, 0.0, 4.5, 9.0), "Angles tried, relative to that of the rejected line.", "degrees"
    )
    starts: int = setting(3, "Likeliest of these from which the likelihood is maximised over length and angle.", "1")


@dataclass(frozen=True)
class Gradient:
    """Whether an image is a gradient: smooth but for the rounding of its values."""

    width: float = setting(
        0.01,
        "Standard deviation of the Gaussian that smooths an image; 1 pixel at least.",
        "parts of the shorter side",
    )
    rounding: float = setting(
        2e-3,
        "RMS of what that removes up to which it is rounding.",
        "parts of the image's range",
        _PHOTOGRAPHS,
        "a ramp and a glow drawn in 8 bits have 1.2e-3 and 1.3e-3, the pictures of the field set 4e-3 and more, pages "
        "under a disc of 18 % of their shorter side 1e-2",
    )


@dataclass(frozen=True)
class Selection:
    """Limits that decide for one kind of blur."""

    sharpness: Sharpness = field(default_factory=Sharpness)
    line: LineCheck = field(default_factory=LineCheck)
    gradient: Gradient = field(default_factory=Gradient)
    noise_share: float = setting(
        0.9,
        "Noise that steps between neighbours reveal from which an image is nothing but noise.",
        "parts of the image's standard deviation",
    )
    sharp_from: float = setting(
        0.63,
        "Sharpness from which an image is sharp.",
        "parts of the contrast around a step",
        _STUDY,
        "all of 60 sharp images have more, and two of 120 with motion or shake",
    )
    blurred_below: float = setting(
        0.5, "Sharpness below which an image is certainly not sharp.", "parts of the contrast around a step"
    )
    crisp_from: float = setting(
        0.8,
        "Sharpness from which an image is certainly sharp; below, it is not if its power shows a path.",
        "parts of the contrast around a step",
    )
    path_support: int = setting(31, "Support on which a path is sought in the power of such an image.", "pixels")
    path_gain: float = setting(
        0.12,
        "Log likelihood over no blur from which the power shows a path.",
        "nats a frequency",
        _STUDY,
        "one shake with sharp edges showed 0.26, the sharp images 0.06",
    )
    large_disk: float = setting(
        5.0, "Radius from which a disc overrules sharp edges: no sharp image has such rings.", "pixels"
    )
    small_disk_fill: float = setting(
        0.45, "Fill above which the zeros of a smaller disc do not count.", "parts of the power around them"
    )
    hard_step: float = setting(
        0.55,
        "Height of steps between neighbours, exceeded by a few per cent, beyond which a disc or Gaussian is refuted.",
        "parts of the image's range",
        evidence="white noise reaches 0.49, drawings in two tones 1",
    )
    small_disk_log_odds: float = setting(
        72.0, "Log odds under a scene of edges from which a doubtful small disc is accepted.", "nats"
    )
    small_disk_radius: float = setting(
        2.0, "Radius below which a doubtful disc is not accepted by such odds: many sharp images are as soft.", "pixels"
    )
    least_log_odds_gaussian: float = setting(
        25.0, "Log odds from which a Gaussian is accepted: scenes differ in the slope of their power.", "nats"
    )
    least_log_odds_gaussian_stored: float = setting(
        60.0,
        "The same for an image stored as JPEG: denoising and sharpening in the camera change that slope too.",
        "nats",
    )
    least_log_odds_linear_stored: float = setting(
        65.0,
        "Log odds from which a PSF is accepted that explains an image stored as JPEG in linear light only.",
        "nats",
        evidence="discs and motion drawn in encoded values and stored at quality 60 to 90 have 68 and more, enlarged "
        "plates taken for discs 24 to 63",
    )
    least_evidence: float = setting(
        0.0,
        "Evidence from which a free-form PSF is accepted in an image whose kind of blur was not given.",
        "nats",
        evidence="coloured noise has -124",
    )
    least_evidence_stored: float = setting(
        500.0,
        "The same for an image stored as JPEG.",
        "nats",
        evidence="shakes of the field set have 528 and more, two of 18 less; soft enlarged pages 269 at most, sharp "
        "pictures 226, enlarged plates 394",
    )
    path_factor: float = setting(
        10.0,
        "Evidence for a free-form PSF, from the power at every frequency, over the log odds of a disc that is not "
        "clear, beyond which the disc is only part of the PSF.",
        "1",
        evidence="shakes taken for discs have 14 and 260, discs of 2 to 3 pixels 10 to 37",
    )
    path_factor_gaussian: float = setting(
        120.0,
        "The same for a Gaussian.",
        "1",
        evidence="shakes have 155 to 830, Gaussians at most 33, pages blurred by software at most 96",
    )
    clear_disk: float = setting(100.0, "Log odds for a disc from which motion is not searched.", "nats")
    disk_factor: float = setting(
        1.25,
        "Log odds of a disc over those of the likeliest Gaussian from which the blur is a disc, with `disk_margin`.",
        "1",
        _STUDY,
        "a Gaussian taken for a disc with a soft edge has 1.13 times at most, a disc 1.9 times and more",
    )
    disk_margin: float = setting(8.0, "Log odds of a disc beyond that factor from which the blur is a disc.", "nats")
    least_disk_half: float = setting(
        0.0,
        "Log odds over no blur that a disc which is not clear needs around the axes and around the diagonals.",
        "nats",
        evidence="true discs have 0.4 and more, one of 100 below 2; enlarged plates -0.8 and less in one of both",
    )
    least_disk_quarter: float = setting(
        -2.5,
        "The same in each of four directions.",
        "nats",
        evidence="true discs have -1.9 and more; shakes taken for discs -3.4 and less",
    )
    wide_disk: float = setting(
        0.05,
        "Radius from which a disc need only be likelier than a Gaussian: few of its rings rise above the noise, and "
        "only lenses blur so much.",
        "parts of the image's width",
        evidence="the widest pages of the Helsinki challenge, 8 and 9 %, have 1.2 to 2 times the log odds",
    )
    gaussian_slope: float = setting(
        2.0,
        "Steepest step that a Gaussian allows, over the image's, beyond which it explains only part of the softness.",
        "1",
    )
