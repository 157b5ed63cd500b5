"""Settings of the text pipeline: ink, tone curve, restoration, strokes, and the decision whether an image is text."""

import math
from dataclasses import dataclass, field

from deconv.blind.settings._setting import setting

__all__ = ["BrightLimits", "Ink", "Limits", "Readability", "Strokes", "Text", "TextRestoration", "ToneCurve", "Verdict"]

_LIGHT = "tried: Light and tone"
_STROKES = "tried: Restoring where strokes are not resolved"
_IS_TEXT = "tried: Is it text"
_RATIOS = (
    "ratios over 100 images: 1 to 5 for dark text, 12 to 33 for a checkerboard; 1.3 to 2.7 for bright text, 4.7 and "
    "more for other images but for the rings of a clock, which are one piece; crops of coins have 2.8 and more"
)
_CALIBRATED = (
    "fitted to half of 60 simulated photographs and compared with what tesseract read of the other half: correlation "
    "0.94 and 0.87, rms error 0.11 and 0.17"
)


@dataclass(frozen=True)
class Ink:
    """From light to coverage by ink: dark or bright text, its background, and the part of the image that holds it."""

    fit_background: bool = setting(
        True,
        "Whether the light of the background is fitted as a smooth field; if not, it is the median of the image.",
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
    window_speck: float = setting(
        0.05,
        "Area of a piece at the frame's edge, over that of all pieces, below which it is a dark corner and not text.",
        "1",
    )
    margin_coarse: float = setting(3.0, "Margin around the text in pixels of the reduced image.", "pixels")
    margin_width: float = setting(0.025, "Margin around the text over the width of the image.", "1")
    window_least: float = setting(32.0, "Least side of the text window.", "pixels")


@dataclass(frozen=True)
class ToneCurve:
    """The choice of the response curve, by the residual of a quick restoration with it."""

    linear_gamma: float = setting(1.0, "Exponent of the alternative to a photograph's: linear data.", "1")
    shoulders: tuple[float, ...] = setting((0.0, 0.5, 1.0), "Shoulders that are tried, 0 the first.", "1")
    strongest_shoulder: float = setting(1.2, "Strongest shoulder that is accepted.", "1")
    shoulder_gain: float = setting(0.01, "Decrease of the log residual from which a shoulder is accepted.", "1")
    linear_gain: float = setting(0.05, "Decrease of the log residual from which the data count as linear.", "1")
    radius_factors: tuple[float, ...] = setting(
        (0.97, 1.0, 1.03),
        "Radii that are tried over the candidate's, 1 in the middle: one too small hides a shoulder, one too large "
        "imitates one.",
        "1",
    )
    working_radius: float = setting(8.0, "Largest radius on the grid on which curves are compared.", "pixels")
    working_side: float = setting(256.0, "Longer side of that grid.", "pixels")
    contrast: float = setting(
        0.15, "Standard deviation to which all are scaled, so that a weight means the same for each.", "1"
    )
    weight: float = setting(1e-3, "Weight of total variation at that contrast.", "1")
    num_iter: int = setting(40, "Iterations of each quick restoration.", "iterations")


@dataclass(frozen=True)
class Strokes:
    """Restoration by strokes of a pen, for blur that does not resolve the width of a stroke."""

    max_pixels: float = setting(
        4e5,
        "Largest grid on which strokes are restored, 0 for none: on a larger one the blur is so small that total "
        "variation resolves the strokes.",
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
        "error of the visible band 0.1885 for dots, 0.181 for 2.5 widths, 0.177 for four, 0.193 for six; read, dots "
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
    """Restoration of coverage by ink: total variation and strokes, mixed according to how well strokes are resolved."""

    text_prior: bool = setting(
        True,
        "Whether to use the text prior (a bound on coverage, strokes, two tones); if not, total variation alone.",
        "1",
        "studies/ablation",
        "without it 40 of 87.5 points are lost over four images of steps 12 and 17",
    )
    highest_coverage: float = setting(1.2, "Upper bound of the coverage in total variation.", "1")
    level_above: float = setting(0.1, "Restored coverage above which a pixel counts as inked.", "1")
    level_quantile: float = setting(0.9, "Quantile of the inked pixels that is the level of the ink.", "1")
    unresolved_level: float = setting(
        0.45,
        "Level of the ink by total variation at which only strokes of a pen count.",
        "1",
        _STROKES,
        "the mix by level read 98 / 95 / 78 / 50 at steps 8, 12, 16, 18; strokes alone 90 / 90 / 78 / 50, total "
        "variation alone 98 / 95 / 53 / 20, their mean 100 / 95 / 85 / 38",
    )
    resolved_level: float = setting(
        0.9, "Level of the ink at which only total variation counts.", "1", _STROKES, "see `unresolved_level`"
    )
    paper_coverage: float = setting(
        0.1,
        "Restored coverage up to which it is paper.",
        "1",
        _STROKES,
        "0.1 to 0.6 reads 64.9 / 52.9 over 16 + 16 images, 0 to 0.8 58.8 / 52.6, 0.2 to 0.7 53.7 / 49.3",
    )
    ink_coverage: float = setting(0.6, "Restored coverage from which it is ink.", "1", _STROKES, "see `paper_coverage`")


@dataclass(frozen=True)
class Limits:
    """Largest measurements at which dark text is accepted."""

    misfit: float = setting(
        0.2,
        "RMS residual of a two-tone scene beyond the noise, over the RMS of the image.",
        "1",
        _IS_TEXT,
        "0.036 to 0.080 on 17 real frames, 0 to 0.029 on 16 simulated photographs, 0.008 to 0.985 (median 0.36) on 40 "
        "blurred images that are not text, of which 14 have less than 0.2",
    )
    grey_ratio: float = setting(
        8.0, "Rms residual of two tones over that of a scene of any tones.", "1", evidence=_RATIOS
    )
    grey: float = setting(0.4, "Mean of c (1 - c) over that of an even grey image, c the coverage.", "1")
    largest_piece: float = setting(0.75, "Area of the largest connected piece of ink over that of all ink.", "1")
    merged_blur: float = setting(
        3.0, "Blur from which letters may run into one piece, so that `largest_piece` does not count.", "stroke widths"
    )


@dataclass(frozen=True)
class BrightLimits(Limits):
    """The same for bright text on a dark background: stricter, because many photographs show bright objects on dark."""

    misfit: float = setting(0.1, "As of dark text.", "1")
    grey_ratio: float = setting(2.8, "As of dark text.", "1", evidence=_RATIOS)
    grey: float = setting(0.16, "As of dark text.", "1")
    largest_piece: float = setting(0.5, "As of dark text.", "1")
    merged_blur: float = setting(math.inf, "As of dark text.", "stroke widths")


@dataclass(frozen=True)
class Readability:
    """Expected fraction of the characters that can be read: a logistic in log blur and log clarity."""

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
        "pages whose PSF was right left 0.036 to 0.080",
    )


@dataclass(frozen=True)
class Verdict:
    """The decision whether an image is text, and how much of it can be read."""

    pixels: float = setting(1.5e5, "Pixels that are examined, all colours together.", "pixels")
    working_radius: float = setting(
        14.0, "Radius of the PSF on the grid that is examined, on which strokes are at least a pixel wide.", "pixels"
    )
    least_radius: float = setting(6.0, "Least radius of the PSF on that grid, for images that are too large.", "pixels")
    least_reduction: float = setting(
        1.2, "Least reduction beyond whole blocks of pixels; a smaller one is not worth its own blur.", "1"
    )
    steps: int = setting(12, "Landweber steps in which the edges of the two-tone scene move.", "iterations")
    edge_width: float = setting(0.3, "Width of an edge, in units of the level set, from one tone to the other.", "1")
    faintest: float = setting(
        0.05, "Least level of the ink; with less, an image that is not text could be explained by no ink.", "1"
    )
    largest_share: float = setting(0.5, "Largest fraction of the image that may be ink.", "1")
    grey_num_iter: int = setting(35, "Iterations for the scene of any tones.", "iterations")
    rounding: float = setting(
        0.002, "RMS residual that remains even without noise, added before two residuals are compared.", "coverage"
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
    verdict: Verdict = field(default_factory=Verdict)
