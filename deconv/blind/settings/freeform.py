"""Settings of the free-form estimate: one class a stage, bundled as `FreeForm`.

Images are scaled to contrast 1 before anything else: an edge penalty, the weight of one edge against the sum of
squared residuals, is in units of the squared contrast.

>>> from dataclasses import replace
>>> from deconv.blind.settings import origins
>>> from deconv.blind.settings.freeform import FreeForm, MultiStart
>>> FreeForm(multi_start=replace(MultiStart(), rounds=3)).multi_start.rounds
3
>>> origins(FreeForm)["scene_step.growth"].source
'tried: Scene and PSF in turn'
"""

import math
from dataclasses import dataclass, field

from deconv.blind.settings._setting import setting
from deconv.blind.settings.starts import PhaseRetrieval, Starts

__all__ = [
    "Acceptance",
    "EdgePenalty",
    "FreeForm",
    "MultiStart",
    "PhaseRetrieval",
    "PsfStep",
    "Refinement",
    "Scales",
    "SceneStep",
    "Score",
    "Starts",
    "Window",
]

# Units.
_PENALTY = "squared contrast"
_FRACTION = "1"

# Sections of docs/tried.md.
_ALTERNATION = "tried: Scene and PSF in turn"
_TRIALS = "tried: Size, starts and score"
_REFINEMENT = "tried: Refinement at full resolution"
_SCALE = "tried: The scale of the score"
_NOISE = "tried: The score under noise"
_LARGE = "tried: Large PSFs"
_COST = "tried: Free-form PSF: cost"


@dataclass(frozen=True)
class Scales:
    """The pyramid of scales."""

    ratio: float = setting(math.sqrt(2.0), "Ratio of two neighbouring scales.", _FRACTION)
    coarsest_side: int = setting(5, "Side of the PSF at the coarsest scale.", "pixels")
    first_scored: int = setting(2, "Scale at which all trials are scored; 0 is the image's own.", "scales")
    second_scored: int = setting(
        1,
        "Scale at which the best trials are scored again, before the image's own.",
        "scales",
        _SCALE,
        "Scored there alone, right PSFs of 7 and 9 pixels gained -0.38 to 0.11, 0.81 to 0.86 at the image's own scale; "
        "scored at the image's own alone, im03_ker07 of the text set fell from 0.20 to -0.08.",
    )


@dataclass(frozen=True)
class EdgePenalty:
    """The least edge penalty: an edge must be worth more than an error of the image."""

    least: float = setting(1e-4, "Least penalty of an image without errors.", _PENALTY)
    noise: float = setting(10.0, "Least penalty over the variance of the noise.", _FRACTION)
    jpeg: float = setting(
        2.5,
        "Least penalty over the variance of JPEG's error: as if half of the error's deviation were white noise.",
        _FRACTION,
        _NOISE,
        "Mean PSNR on four images of the text set: 24.8 dB; 24.2 if JPEG's error is left out, 24.5 if all of it "
        "counts.",
    )


@dataclass(frozen=True)
class SceneStep:
    """The scene step: half-quadratic splitting, the weight of the split growing from iteration to iteration."""

    first_weight: float = setting(2.0, "First weight of the split over the edge penalty.", _FRACTION)
    growth: float = setting(
        1.5,
        "Factor by which the weight grows in each iteration.",
        _FRACTION,
        _ALTERNATION,
        "PSNR with the PSF's true size: 4 gives 19.3 to 20.6 dB, 2 24.6, 1.5 26.2, 1.3 25.9.",
    )
    last_weight: float = setting(
        16.0, "Weight at which the iteration ends.", _FRACTION, _ALTERNATION, "1e5 or 100: the same, in twice the time."
    )


@dataclass(frozen=True)
class PsfStep:
    """The PSF step: non-negative least squares with a ridge."""

    # Three times as many change the PSF by less than one more scene does.
    iterations: int = setting(40, "Accelerated gradient steps.", "iterations")


@dataclass(frozen=True)
class MultiStart:
    """The search coarse to fine, tried with supports of several sizes and several edge penalties."""

    trials: tuple[tuple[int, float], ...] = setting(
        ((15, 4e-3), (15, 8e-3), (31, 8e-3), (31, 16e-3), (47, 8e-3)),
        "Trials: side of the support, first edge penalty.",
        "pixels, squared contrast",
        _TRIALS,
        "One support of 31 pixels for all 25.4 dB, of 41 22.4, of the true size 26.2; several trials, scored and "
        "refined 29.7 to 31.4. Penalties of 4e-3 and 8e-3: 26.2 and 25.4 dB, neither best everywhere.",
    )
    larger_supports: tuple[int, ...] = setting(
        (71, 107, 161), "Further supports, each tried if the PSF nearly fills the one before.", "pixels"
    )
    larger_penalty: float = setting(8e-3, "First edge penalty on the larger supports.", _PENALTY)
    larger_from_fill: float = setting(
        0.7, "Side of the PSF over that of the largest support so far, to try a larger.", _FRACTION
    )
    largest_support: float = setting(0.3, "Largest support, over the image's shorter side.", _FRACTION)
    rounds: int = setting(
        5, "Rounds of scene and PSF step at each scale.", "rounds", _ALTERNATION, "Eight rounds: 22.2 dB; five: 25.4."
    )
    decay: float = setting(
        1.1,
        "The edge penalty is divided by this after each round.",
        _FRACTION,
        _ALTERNATION,
        "The penalty reset at each scale: 23.6 dB in place of 25.4.",
    )
    ridge: float = setting(2.0, "Weight of the sum of the PSF's squares.", _PENALTY)
    least_weight: float = setting(
        0.05,
        "Smaller weights of the PSF, over its largest, are set to 0.",
        _FRACTION,
        _ALTERNATION,
        "0.02: 24.6 dB in place of 25.4 (text), 31.4 in place of 30.8 (Levin and others).",
    )
    least_piece: float = setting(0.1, "Smaller pieces of the PSF, over its sum, are removed.", _FRACTION)
    trials_kept: int = setting(
        2, "Trials carried on to the second scale, and refined there again while in doubt.", "trials"
    )
    confident_from_gain: float = setting(
        0.22,
        "Gain over no blur below which a PSF is in doubt: all trials are carried on, and refined again.",
        _FRACTION,
    )
    max_repeats: int = setting(3, "How often at most the best trials are refined again.", "times")
    second_scale_penalties: tuple[float, ...] = setting(
        (8e-3, 4e-3, 2e-3, 1e-3), "Edge penalties of the refinement at the second scale.", _PENALTY
    )


@dataclass(frozen=True)
class Refinement:
    """The refinement of a PSF at one scale: a high edge penalty once more, then ever lower ones."""

    penalties: tuple[float, ...] = setting(
        (1e-2, 4e-3, 2e-3, 1e-3, 5e-4, 2e-4, 1e-4),
        "Edge penalties at the image's own scale.",
        _PENALTY,
        _REFINEMENT,
        "One image: 27.0 dB before, 30.4 with penalties from 1e-3 on, 37.0 from 1e-2 on. A first penalty of 3e-2 "
        "solves one image at once and spoils another.",
    )
    rounds: int = setting(2, "Rounds of scene and PSF step at each penalty.", "rounds")
    ridge: float = setting(
        0.02,
        "Weight of the sum of the PSF's squares.",
        _PENALTY,
        _LARGE,
        "Similarity at the end of sixteen starts on eight pages: 0.70; 0.64 with 2 or 200.",
    )
    least_weight: float = setting(0.02, "Smaller weights of the PSF, over its largest, are set to 0.", _FRACTION)
    least_piece: float = setting(0.02, "Smaller pieces of the PSF, over its sum, are removed.", _FRACTION)
    long_pass_penalty: float = setting(
        1e-2,
        "First edge penalty of the long pass, for a refined PSF that is in doubt.",
        _PENALTY,
        _LARGE,
        "From 2e-2 or 4e-2: less, or worse.",
    )
    long_pass_steps: int = setting(4, "Edge penalties of the long pass.", "penalties")
    long_pass_rounds: int = setting(
        4,
        "Rounds at each of these.",
        "rounds",
        _LARGE,
        "Gain 0.54 to 0.64 (similarity 0.97 to 0.995), 0.37 to 0.53 (0.88 to 0.99); nothing where a start is wrong.",
    )
    long_pass_least_weight: float = setting(
        0.05, "Smaller weights of the PSF, over its largest, are set to 0 in the long pass.", _FRACTION
    )
    long_pass_below_gain: float = setting(
        0.7,
        "Gain below which a refined PSF goes through longer rounds.",
        _FRACTION,
        _LARGE,
        "Longer rounds lead from a gain of 0.54 to 0.64, from 0.37 to 0.53.",
    )
    long_pass_improvement: float = setting(0.01, "Increase of the gain for which these are repeated.", _FRACTION)
    evidence_share: float = setting(
        0.5,
        "Least evidence of a PSF that may be chosen, over the largest of all candidates.",
        _FRACTION,
        _COST,
        "Under JPEG, wrong PSFs of a better score had -10 to 1300 nats, the nearest one 3000.",
    )
    last: tuple[float, ...] = setting(
        (1 / 2, 1 / 4, 1 / 8),
        "Penalties of the last rounds over the least one: penalties below the noise let some of it in, higher ones "
        "bias the PSF.",
        _FRACTION,
        _REFINEMENT,
        "Eleven images of Pan and others and of Levin and others: 26.9 to 27.5 dB; large paths: similarity 0.993 to "
        "0.9993. Down to 1/64: 27.6 dB.",
    )
    given_penalties: tuple[float, ...] = setting(
        (1e-3, 5e-4, 2e-4, 1e-4),
        "Edge penalties from a PSF that the user gives, which should hardly change.",
        _PENALTY,
        _REFINEMENT,
        "From 1e-3 on a PSF hardly changes.",
    )


@dataclass(frozen=True)
class Score:
    """The score of a PSF: energy of the scene times normalised sparsity of the restored gradients."""

    edge_penalty: float = setting(
        5e-4,
        "Edge penalty of the energy.",
        _PENALTY,
        _TRIALS,
        "The energy alone picks candidates 0.5 to 0.6 dB below the best on text, 1.4 to 2.0 on Levin and others; the "
        "sparsity alone 0.6 and 0.14, but at half scale 28.6 and 31.5 dB, energy 29.4 and 32.0, their product 29.5 "
        "and 32.5.",
    )
    noise: float = setting(
        6.0,
        "Least edge penalty over the variance of the error: with a lower one the scene fits the noise, whatever the "
        "PSF.",
        _FRACTION,
        _NOISE,
        "Gain of right PSFs under 3 % of noise: 0.05 to 0.18 without, 0.35 to 0.51 with 4, 0.41 to 0.51 with 6, 0.44 "
        "to 0.53 with 8; of a wrong one -0.01, 0.24, 0.29, 0.33.",
    )
    whole_edge: float = setting(
        0.05, "Step that counts as a whole edge; a smaller one counts in proportion.", "contrast"
    )
    margin: int = setting(
        20,
        "Pixels along the border that do not count.",
        "pixels",
        _TRIALS,
        "A margin that grows with the support makes small ones win: an image at 19.6 dB in place of 28.",
    )
    flat_step: float = setting(0.01, "Step of the scene below which it is flat.", "contrast")
    least_error: float = setting(0.01, "Least error of the data for the restoration by total variation.", "contrast")
    strength: float = setting(0.25, "Weight of total variation for an error of the whole contrast.", _FRACTION)
    exponent: float = setting(1.4, "Exponent by which that weight follows the error.", _FRACTION)
    iterations: int = setting(20, "Iterations of the restoration.", "iterations")


@dataclass(frozen=True)
class Window:
    """The part of a large image in which the PSF is estimated: the one with most edges."""

    pixels: float = setting(
        4e5, "Size of the window in which the PSF is estimated; smaller images are used as a whole.", "pixels"
    )
    search_pixels: float = setting(1.5e5, "Size of the part of it in which the search runs.", "pixels")
    sides: float = setting(4.5, "Least side of that part, over the side of the PSF's support.", _FRACTION)
    narrowest: int = setting(256, "Least length of a window's shorter side.", "pixels")
    grid: int = setting(8, "A window begins at a multiple of this, the side of a block of JPEG.", "pixels")


@dataclass(frozen=True)
class Acceptance:
    """Whether a PSF is accepted, and whether the scene is text."""

    least_gain: float = setting(0.1, "Gain over no blur from which a PSF is accepted.", _FRACTION)
    most_energy: float = setting(
        0.1,
        "Increase of the scene's energy over no blur up to which it is accepted.",
        _FRACTION,
        _NOISE,
        "Wrong PSFs of noisy photographs gained up to 0.3, most at an energy higher by 0.12 to 0.22, one by 0.05; "
        "right ones raise it by 0.09 at most, and of text mostly lower it.",
    )
    clear_evidence: float = setting(
        1500.0,
        "Evidence from which a PSF is accepted whatever that energy.",
        "nats",
        evidence="shakes that raised the energy by 0.10 to 0.18, under strong compression or noise, have 1657 to 5254; "
        "soft, enlarged, tilted and sharp pictures 394 at most, one sharp photograph in noise 1161",
    )
    least_difference: float = setting(
        0.03,
        "Difference of the gains from which an image stored as JPEG holds linear data, not a photograph.",
        _FRACTION,
    )
    clear_difference: float = setting(
        0.15,
        "Difference of the gains from which a PSF is not refined in the encoding in which it gains less.",
        _FRACTION,
    )
    least_width: float = setting(0.8, "Width of the PSF (rms) below which there is no blur.", "pixels")
    text_flat: float = setting(
        0.37,
        "Flat share of the scene from which it is text: pages have 0.48 and more, photographs up to 0.27.",
        _FRACTION,
    )


@dataclass(frozen=True)
class FreeForm:
    """All stages of the free-form estimate."""

    scales: Scales = field(default_factory=Scales)
    edge_penalty: EdgePenalty = field(default_factory=EdgePenalty)
    scene_step: SceneStep = field(default_factory=SceneStep)
    psf_step: PsfStep = field(default_factory=PsfStep)
    multi_start: MultiStart = field(default_factory=MultiStart)
    refinement: Refinement = field(default_factory=Refinement)
    starts: Starts = field(default_factory=Starts)
    score: Score = field(default_factory=Score)
    phase_retrieval: PhaseRetrieval = field(default_factory=PhaseRetrieval)
    window: Window = field(default_factory=Window)
    acceptance: Acceptance = field(default_factory=Acceptance)
