"""Settings of the choice among kinds of blur (`deconv.blind.select`).

Most were chosen on ``python -m benchmarks.studies.families --tuned``; docs/results.md, "Kinds of blur told apart", has
the outcome on pictures kept apart.
"""

from dataclasses import dataclass, field

from deconv.blind.settings._setting import setting

__all__ = ["LineCheck", "Selection", "Sharpness", "Unevenness"]

_STUDY = "studies/families"
_KINDS = "tried: Kinds of blur"


@dataclass(frozen=True)
class Sharpness:
    """How steep the steepest steps of a picture are."""

    pixels: float = setting(1e6, "Of a larger picture only the middle is examined.", "pixels")
    window: int = setting(
        21,
        "Side of the windows in which a step is compared with the contrast around it.",
        "pixels",
        _KINDS,
        "in windows of 13 pixels shakes reach 0.67 of the steepness of sharp pictures",
    )
    least_contrast: float = setting(0.5, "Contrast from which a window counts.", "parts of the largest contrast")
    noise_contrast: float = setting(6.0, "Contrast that noise adds in a window.", "standard deviations of the noise")
    noise_step: float = setting(4.5, "Height that noise adds to the steepest step.", "standard deviations of the noise")
    quantile: float = setting(0.97, "Quantile of the windows that speaks for the picture.", "1")
    local_contrast: float = setting(
        0.3,
        "Contrast that windows must reach: a much wider blur leaves only noise in them, which looks sharp.",
        "parts of the picture's contrast",
    )
    clear_contrast: float = setting(
        12.0, "Contrast that windows must reach, for the same reason.", "standard deviations of the noise"
    )


@dataclass(frozen=True)
class LineCheck:
    """Whether a straight movement is one, asked of the power at every frequency."""

    least_gain: float = setting(
        -0.25,
        "Log likelihood over no blur, a frequency, below which a line is denied.",
        "nats a frequency",
        _KINDS,
        "right ones -0.17 and more, stretches of shakes -0.29 and less, and so have lines of a wrong length",
    )
    least_gain_corrected: float = setting(
        -0.18,
        "The same of the likeliest line near one that is denied.",
        "nats a frequency",
        _KINDS,
        "right ones -0.11 and more, shakes -0.25 and less",
    )
    shortest: float = setting(
        7.0,
        "Shortest line tried instead of one that is denied.",
        "pixels",
        _KINDS,
        "from 0.45 of the denied length on, shakes pass as lines of 2 to 4 pixels",
    )
    longest: float = setting(2.3, "Longest line tried, over the denied one.", "1")
    lengths: int = setting(14, "Lengths tried.", "1")
    angle_offsets: tuple[float, ...] = setting(
        (-9.0, -4.5, 0.0, 4.5, 9.0), "Angles tried, from that of the denied line.", "degrees"
    )
    starts: int = setting(3, "Likeliest of these from which length and angle are maximised.", "1")


@dataclass(frozen=True)
class Unevenness:
    """How uneven the power is in narrow directions."""

    side: int = setting(200, "Longer side of the scale at which it is measured.", "pixels of that scale")
    directions: int = setting(24, "Bins of direction over half a turn.", "1")
    ring_ratio: float = setting(1.15, "Ratio of frequency between rings of bins.", "1")


@dataclass(frozen=True)
class Selection:
    """What decides for one kind of blur."""

    sharpness: Sharpness = field(default_factory=Sharpness)
    line: LineCheck = field(default_factory=LineCheck)
    unevenness: Unevenness = field(default_factory=Unevenness)
    sharp_from: float = setting(
        0.63,
        "Sharpness from which a picture is sharp.",
        "parts of the contrast around a step",
        _STUDY,
        "of 60 sharp pictures all have more, of 120 moved or shaken ones two",
    )
    blurred_below: float = setting(
        0.5, "Sharpness below which a picture is certainly not sharp.", "parts of the contrast around a step"
    )
    crisp_from: float = setting(
        0.8,
        "Sharpness from which a picture is certainly sharp; below, it is not if its power shows a path.",
        "parts of the contrast around a step",
    )
    path_support: int = setting(31, "Support on which a path is sought in the power of such a picture.", "pixels")
    path_gain: float = setting(
        0.12,
        "Log likelihood over no blur from which the power shows a path.",
        "nats a frequency",
        _STUDY,
        "one shake with sharp edges showed 0.26, the sharp pictures 0.06",
    )
    large_disk: float = setting(
        5.0, "Radius from which a disc overrules sharp edges: nothing sharp has rings of that kind.", "pixels"
    )
    small_disk_fill: float = setting(
        0.45, "Fill above which the zeros of a smaller disc are none.", "parts of the power around them"
    )
    disk_factor: float = setting(
        1.4,
        "Log odds of a disc over those of the likeliest Gaussian, from which it is one (with `disk_margin`).",
        "1",
        _STUDY,
        "a Gaussian taken for a disc with a soft edge has 1.13 times at most, a disc 1.9 times and more",
    )
    disk_margin: float = setting(8.0, "Log odds of a disc beyond that factor, from which it is one.", "nats")
    wide_disk: float = setting(
        0.05,
        "Radius from which a disc need only be likelier than a Gaussian: few of its rings rise above the noise, and "
        "only lenses blur so much.",
        "parts of the picture's width",
        evidence="the widest pages of the Helsinki challenge, 8 and 9 %, have 1.2 to 2 times the log odds",
    )
    clear_motion: float = setting(100.0, "Log odds for a movement from which no other encoding is tried.", "nats")
    motion_factor: float = setting(1.5, "Log odds for a movement over those for a Gaussian, from which it is one.", "1")
    gaussian_slope: float = setting(
        3.0,
        "Steepest step that a Gaussian allows, over the picture's, beyond which it explains the softness in part only.",
        "1",
    )
    shaken_from: float = setting(
        1.45,
        "Unevenness of the power from which a blurred picture was shaken.",
        "1",
        _STUDY,
        "shakes have 1.6 and more, soft photographs 1.0 to 1.3",
    )
