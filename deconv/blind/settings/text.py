"""Settings of the text pipeline: ink, tone curve, restoration, strokes, and whether an image is text at all."""

import math
from dataclasses import dataclass, field

from deconv.blind.settings._setting import setting

__all__ = [
    "BrightLimits",
    "Ink",
    "Limits",
    "Readability",
    "Strokes",
    "Text",
    "TextRestoration",
    "ToneCurve",
    "VerdictSettings",
]

_LIGHT = "tried: Light and tone"
_STROKES = "tried: Restoration of unresolved strokes"
_IS_TEXT = "tried: Is it text?"
_RATIOS = (
    "ratios over 100 images: 1 to 5 for dark text, 12 to 33 for a checkerboard; 1.3 to 2.7 for bright text, 4.7 and "
    "more for other images except the rings of a clock, which are one piece; crops of coins have 2.8 and more"
)
_CALIBRATED = (
    "fitted to half of 60 simulated photographs and compared with what tesseract read in the other half: "
    "correlation 0.94 and 0.87, rms error 0.11 and 0.17"
)


@dataclass(frozen=True)
class Ink:
    """From light to coverage by ink: dark or bright text, its background, and the part of the image that holds it."""

    fit_background: bool = setting(
        True,
        "Fit the light of the background as a smooth field; else it is even, the median of the image.",
        "1",
        "studies/ablation",
        "an even background loses 63 of 87.5 points over four images of steps 12 and 17",
    )
    background_floor: float = setting(
        1e-3, "Least background light that ink is divided by, over the brightest background.", "1"
    )
    brightest_quantile: float = setting(
        0.995, "Quantile of the light above the background that counts as the brightest of bright text.", "1"
    )
    brightest_coverage: float = setting(
        0.5,
        "Coverage by bright text at its brightest pixels, which blur has dimmed by an unknown factor.",
        "1",
        evidence="right within a factor of two for the blurs of text that can be read afterwards",
    )
    weakest_colour: float = setting(
        0.05, "Light that a colour needs, over the brightest colour's, for its noise not to count as ink.", "1"
    )
    foreground_side: float = setting(
        100.0, "Longer side of the reduced image that shows whether text is dark or bright.", "pixels"
    )
    foreground_trend: float = setting(
        8.0, "Standard deviation of the Gaussian that removes the background's trend there.", "pixels"
    )
    bright_skewness: float = setting(
        0.2,
        "Skewness above which text is bright on a dark background.",
        "1",
        _LIGHT,
        "-0.3 to -1.6 for dark text, 0.4 to 2 for bright text, on dense pages too; wrong on none of 44 pages",
    )
    window_side: float = setting(120.0, "Longer side of the reduced image in which text is located.", "pixels")
    window_coverage: float = setting(0.02, "Least coverage that counts as text there.", "1")
    window_noise: float = setting(3.0, "The same in robust standard deviations of the coverage.", "1")
    window_power: float = setting(
        0.9,
        "Part of the coarse image's detail that the window must hold; else the text fills the whole image.",
        "1",
        "tried: The spectrum of photographs",
        "a page of small print was cut to 24 % of its area",
    )
    grey_power: float = setting(
        0.1,
        "Mean square difference of a colour's ink from that of all colours up to which the ink is grey.",
        "its power",
    )
    window_speck: float = setting(
        0.05,
        "Area of a piece at the frame's edge, over that of all pieces, below which it is a dark corner and not text; "
        "and of all such pieces, from which they are text if there are more of them than corners.",
        "1",
        "tried: Text under JPEG",
        "four corners have up to 0.065 in frames of the Helsinki ladder, nine words that the frame cuts 0.14",
    )
    margin_coarse: float = setting(3.0, "Margin around the text in pixels of the reduced image.", "pixels")
    margin_width: float = setting(0.025, "Margin around the text over the width of the image.", "1")
    window_least: float = setting(32.0, "Least side of the text window.", "pixels")


@dataclass(frozen=True)
class ToneCurve:
    """Choice of the response curve by how well a restoration with it explains the image."""

    linear_gamma: float = setting(1.0, "Exponent of the alternative to a photograph's: linear data.", "1")
    shoulders: tuple[float, ...] = setting((0.0, 0.5, 1.0), "Shoulders tried, 0 the first.", "1")
    strongest_shoulder: float = setting(1.2, "Strongest shoulder accepted.", "1")
    shoulder_gain: float = setting(0.01, "Fall of the log residual from which a shoulder is accepted.", "1")
    linear_gain: float = setting(0.05, "Fall of the log residual from which the data are taken for linear.", "1")
    radius_factors: tuple[float, ...] = setting(
        (0.97, 1.0, 1.03),
        "Radii tried, over the candidate's, 1 in the middle: one too small hides a shoulder, one too large mimics one.",
        "1",
    )
    working_radius: float = setting(8.0, "Largest radius on the grid on which curves are compared.", "pixels")
    working_side: float = setting(256.0, "Longer side of that grid.", "pixels")
    contrast: float = setting(
        0.15, "Standard deviation to which all curves are scaled, so that a weight means the same.", "1"
    )
    weight: float = setting(1e-3, "Weight of total variation at that contrast.", "1")
    num_iter: int = setting(40, "Iterations of each quick restoration.", "iterations")


@dataclass(frozen=True)
class Strokes:
    """Strokes of a pen, where the blur does not resolve their width."""

    max_pixels: float = setting(
        4e5,
        "Largest grid for strokes, 0 for none: where the grid would be larger, the blur is so small that total "
        "variation resolves strokes.",
        "pixels",
    )
    working_radius: float = setting(20.0, "Radius of the PSF on that grid.", "pixels")
    pen_width: float = setting(
        0.14,
        "Width of the pen over the radius of the PSF.",
        "1",
        _STROKES,
        "0.11 to 0.18 within 2 % of the error",
    )
    finest_pen: float = setting(2.0, "Least width of the pen on that grid.", "pixels")
    num_iter: int = setting(80, "Iterations.", "iterations", _STROKES, "50 to 200 within 2 % of the error")
    directions: int = setting(8, "Directions of strokes.", "1", _STROKES, "4 or 8 within 2 % of the error")
    length: float = setting(
        4.0,
        "Length of a stroke in widths of the pen.",
        "1",
        _STROKES,
        "error in the visible band 0.1885 for dots, 0.181 for 2.5 widths, 0.177 for four, 0.193 for six; read, dots "
        "against four widths: step 15 73 / 87, 17 63 / 73, 18 55 / 46, 19 44 / 41",
    )
    samples: int = setting(4, "Samples a pixel along each axis in drawing a stroke.", "1")
    weight: float = setting(
        3e-5,
        "Weight of the strokes' L1 norm for ink of level 1.",
        "1",
        _STROKES,
        "a tenth within 2 % of the error, three times 13 % worse, ten times 2.5 times as bad",
    )
    bound_penalty: float = setting(0.01, "ADMM penalty of the bounds' split, that of the data's being 1.", "1")
    stroke_penalty: float = setting(0.01, "ADMM penalty of the strokes' split.", "1")
    data_weight: float = setting(10.0, "Weight of the data over the penalty of their split.", "1")
    relaxation: float = setting(1.7, "Over-relaxation of ADMM, below 2.", "1")


@dataclass(frozen=True)
class TextRestoration:
    """Restoration of ink coverage: total variation and strokes, mixed by how well strokes are resolved."""

    text_prior: bool = setting(
        True,
        "Restore with the text prior, a bound on coverage, strokes and two tones; else with total variation alone.",
        "1",
        "studies/ablation",
        "without it 40 of 87.5 points are lost over four images of steps 12 and 17",
    )
    highest_coverage: float = setting(1.2, "Upper bound of the coverage in total variation.", "1")
    level_above: float = setting(0.1, "Restored coverage above which a pixel counts as inked.", "1")
    level_quantile: float = setting(0.9, "Quantile of the inked pixels that is the level of the ink.", "1")
    unresolved_level: float = setting(
        0.45,
        "Ink level by total variation below which only strokes of a pen count.",
        "1",
        _STROKES,
        "the mix by level read 98 / 95 / 78 / 50 at steps 8, 12, 16, 18; strokes alone 90 / 90 / 78 / 50, total "
        "variation alone 98 / 95 / 53 / 20, their mean 100 / 95 / 85 / 38",
    )
    resolved_level: float = setting(
        0.9, "Ink level from which only total variation counts.", "1", _STROKES, "see `unresolved_level`"
    )
    paper_coverage: float = setting(
        0.1,
        "Restored coverage up to which a pixel is paper.",
        "1",
        _STROKES,
        "0.1 to 0.6 reads 64.9 / 52.9 over 16 + 16 images, 0 to 0.8 58.8 / 52.6, 0.2 to 0.7 53.7 / 49.3",
    )
    ink_coverage: float = setting(
        0.6, "Restored coverage from which a pixel is ink.", "1", _STROKES, "see `paper_coverage`"
    )


@dataclass(frozen=True)
class Limits:
    """Limits for dark text."""

    misfit: float = setting(
        0.2,
        "Rms residual of two tones beyond the noise, over the rms of the image.",
        "1",
        _IS_TEXT,
        "0.036 to 0.080 on 17 real frames, 0 to 0.029 on 16 simulated photographs, 0.008 to 0.985 (median 0.36) on 40 "
        "blurred images that are not text, of which 14 have less than 0.2",
    )
    grey_ratio: float = setting(
        8.0, "Rms residual of two tones over that of a scene of arbitrary tones.", "1", evidence=_RATIOS
    )
    grey: float = setting(0.4, "Mean of c (1 - c) over that of an even grey image, c the coverage.", "1")
    largest_piece: float = setting(0.75, "Area of the largest connected piece of ink over that of all ink.", "1")
    merged_blur: float = setting(
        3.0, "Blur from which letters may run into one piece, so that `largest_piece` does not count.", "stroke widths"
    )


@dataclass(frozen=True)
class BrightLimits(Limits):
    """Limits for bright text on a dark background: rare, while bright objects on dark are common in photographs."""

    misfit: float = setting(0.1, "As for dark text.", "1")
    grey_ratio: float = setting(2.8, "As for dark text.", "1", evidence=_RATIOS)
    grey: float = setting(0.16, "As for dark text.", "1")
    largest_piece: float = setting(0.5, "As for dark text.", "1")
    merged_blur: float = setting(math.inf, "As for dark text.", "stroke widths")


@dataclass(frozen=True)
class Readability:
    """Expected fraction of readable characters: a logistic in log blur and log clarity."""

    bias: float = setting(2.01, "Constant of the logistic.", "1", "studies/calibrate_readability", _CALIBRATED)
    blur: float = setting(
        -3.4,
        "Coefficient of the log of the blur in stroke widths.",
        "1",
        "studies/calibrate_readability",
        _CALIBRATED,
    )
    clarity: float = setting(
        1.14,
        "Coefficient of the log of the clarity, the ink's level over the rms residual.",
        "1",
        "studies/calibrate_readability",
        _CALIBRATED,
    )
    trusted_misfit: float = setting(
        0.08,
        "Misfit beyond which readability falls, to 0 at the largest misfit of dark text.",
        "1",
        _IS_TEXT,
        "pages with the right PSF had 0.036 to 0.080",
    )


@dataclass(frozen=True)
class VerdictSettings:
    """Whether an image is text, and how much of it can be read."""

    pixels: float = setting(1.5e5, "Pixels that are examined, all colours together.", "pixels")
    working_radius: float = setting(
        14.0, "Radius of the PSF on the grid that is examined: strokes are a pixel wide and more.", "pixels"
    )
    least_radius: float = setting(6.0, "Least radius, where the image is too large for that.", "pixels")
    least_reduction: float = setting(1.2, "Reduction beyond whole blocks of pixels that is worth its own blur.", "1")
    steps: int = setting(12, "Landweber steps in which the edges of the two-tone scene move.", "iterations")
    edge_width: float = setting(0.3, "Width of an edge over the way from one tone to the other.", "1")
    motion_radius: float = setting(
        0.5,
        "Radius of the disc after which text is as hard to read as after a straight motion, which leaves one direction "
        "sharp.",
        "halves of its length",
        evidence="by the whole half, 0.05 to 0.78 was promised of eight pages of the field set, and 0.79 to 1.00 read",
    )
    faintest: float = setting(
        0.05, "Least level of the ink: else no ink at all would explain an image that is not text.", "1"
    )
    largest_share: float = setting(0.5, "Share of the image that may be ink.", "1")
    grey_num_iter: int = setting(35, "Iterations for the scene of arbitrary tones.", "iterations")
    rounding: float = setting(
        0.002, "Rms residual of tones even without noise, added before the two are compared.", "coverage"
    )
    dark: Limits = field(default_factory=Limits)
    bright: BrightLimits = field(default_factory=BrightLimits)
    readability: Readability = field(default_factory=Readability)


@dataclass(frozen=True)
class Text:
    """All settings of the text pipeline."""

    ink: Ink = field(default_factory=Ink)
    tone_curve: ToneCurve = field(default_factory=ToneCurve)
    restoration: TextRestoration = field(default_factory=TextRestoration)
    strokes: Strokes = field(default_factory=Strokes)
    verdict: VerdictSettings = field(default_factory=VerdictSettings)
