"""Settings of the search for a free-form PSF from the power of an image (`deconv.blind.freeform.starts`)."""

from dataclasses import dataclass, field

from deconv.blind.settings._setting import setting
from deconv.blind.settings.spectrum import FullSpectrum

__all__ = ["PhaseRetrieval", "Starts"]

_PENALTY = "squared contrast"
_FRACTION = "1"
_NOISE = "tried: The score under noise"
_LARGE = "tried: Large PSFs"
_START = "tried: From a start to a PSF"
_COST = "tried: Free-form PSF: cost"


@dataclass(frozen=True)
class Starts:
    """The search from PSFs retrieved from the power spectrum, at the image's own scale, each with its turned copy."""

    supports: tuple[int, ...] = setting(
        (31, 51, 71, 107), "Supports on which PSFs are retrieved in each encoding.", "pixels"
    )
    most: int = setting(2, "Likeliest of these from which the search starts, unless the first one gains.", "starts")
    alike_from_similarity: float = setting(
        0.85, "Similarity of the ends of two starts from which no other follows.", _FRACTION
    )
    support_factor: float = setting(
        1.3,
        "Support of the rounds that follow, over that of the start: the position of the PSF within it is unknown.",
        _FRACTION,
        _LARGE,
        "Two of eight pages more are solved, together with least_weight.",
    )
    widening: float = setting(
        2.0,
        "That support over the extent of the retrieved PSF, if it is less: most are much smaller than their support.",
        _FRACTION,
        _COST,
        "Extents of 9 to 81 on a support of 107 in 14 of 20 descents.",
    )
    least_support: int = setting(
        67,
        "Least side of that support, in which a PSF finds its place.",
        "pixels",
        _COST,
        "Three texts: similarity after the first rounds 0.980 to 0.985; with 41 pixels 0.960 to 0.977.",
    )
    least_evidence: float = setting(0.0, "Evidence over no blur up to which the power shows no PSF.", "nats")
    founded_share: float = setting(
        0.25, "Evidence at the end of a start, over that of its beginning, below which it was unfounded.", _FRACTION
    )
    most_unfounded: int = setting(2, "Unfounded starts after which no other follows.", "starts")
    first_pass_penalty: float = setting(
        2e-2,
        "First edge penalty from a start; the penalties fall geometrically to the least one.",
        _PENALTY,
        _LARGE,
        "Similarity at the end of sixteen starts on eight pages, by first penalty: 1e-1 0.50, 3e-2 0.56, 1e-2 0.70.",
    )
    first_pass_steps: int = setting(8, "Edge penalties from a start.", "penalties")
    first_pass_rounds: int = setting(
        2,
        "Rounds at each of these.",
        "rounds",
        _LARGE,
        "One round at each of the first: 11 hits in place of 12 on 27 starts at half the time, but of nine of the "
        "twenty large pages three fewer solved.",
    )
    second_pass_penalty: float = setting(
        1e-2, "First edge penalty of the second pass, for the better of the two copies.", _PENALTY
    )
    second_pass_steps: int = setting(4, "Edge penalties of the second pass.", "penalties")
    second_pass_rounds: int = setting(2, "Rounds at each of these.", "rounds")
    least_weight: float = setting(
        0.05,
        "Smaller weights of the PSF, over its largest, are set to 0: a path is thin, and clutter beside it is large.",
        _FRACTION,
        _LARGE,
        "Similarity at the end of sixteen starts on eight pages: 0.5 % 0.51, 2 % 0.70, 5 % 0.69; 5 % mends paths that "
        "keep clutter at 2 %.",
    )
    least_piece: float = setting(0.02, "Smaller pieces of the PSF, over its sum, are removed.", _FRACTION)
    growth_schedule: tuple[tuple[float, int], ...] = setting(
        ((1e-2, 8), (5e-3, 6)),
        "Growth of a PSF in doubt: edge penalty, rounds. Where a shake rests, the PSF has one bright spot and faint "
        "paths to it, each pixel of which has a tenth of its weight.",
        "squared contrast, rounds",
        _START,
        "Of sixteen starts that had failed, six rounds at 1e-2 saved six, at 5e-3 two, at 2e-2 four; twelve at 1e-2 "
        "seven; these nine. Of 60 starts 24 end right without growth, 46 with it.",
    )
    growth_least_weight: float = setting(
        0.02,
        "As least_weight, during growth.",
        _FRACTION,
        _START,
        "Of sixteen starts that had failed, 1 % or 2 % saved six, 3 % three.",
    )
    growth_least_piece: float = setting(
        0.005, "As least_piece, during growth.", _FRACTION, _START, "0.2, 0.5 and 1 %: all the same."
    )
    refine_from_gain: float = setting(0.15, "Gain over no blur from which a start is refined.", _FRACTION)
    solved_from_gain: float = setting(
        0.3,
        "Gain from which no other start follows: right PSFs of text gain 0.29 and more, wrong ones up to 0.26.",
        _FRACTION,
        _NOISE,
        "Four pages with large paths: right PSFs 0.73 to 0.80, the best wrong one 0.26.",
    )
    cut_off_from_fill: float = setting(
        0.85,
        "Side of a PSF over that of its support from which the PSF may be cut off.",
        _FRACTION,
    )
    most_persisted: int = setting(
        3,
        "Longer rounds for the end with most evidence, at most.",
        "times",
        _COST,
        "Three of four pages unsolved by six starts are solved in one to three.",
    )
    persist_evidence: float = setting(1.02, "Factor by which its evidence has to grow for them to go on.", _FRACTION)
    most_widenings: int = setting(2, "How often a support that cuts the PSF off is widened.", "times")
    skip_multi_start_from_gain: float = setting(
        0.56,
        "Gain from which the multi-start is skipped: nearly right PSFs gain up to 0.5, wrong ones of script 0.55.",
        _FRACTION,
        _START,
        "Three lines of script: a start ends in a wrong PSF that gains 0.52, the multi-start in the right one, 0.66. "
        "Six lines of it: a wrong one of 0.55.",
    )


@dataclass(frozen=True)
class PhaseRetrieval:
    """A PSF whose power spectrum explains that of the image, by descent from random weights."""

    spectrum: FullSpectrum = field(default_factory=FullSpectrum)
    iterations: int = setting(100, "Iterations of L-BFGS.", "iterations")
    memory: int = setting(15, "Corrections that L-BFGS keeps.", "iterations")
    root_penalty: float = setting(
        100.0,
        "Penalty on the square root of a weight.",
        "nats",
        _LARGE,
        "Similarity: 30 gives 0.50, 100 0.49, 400 0.44.",
    )
    linear_below: float = setting(1e-3, "Root, over the largest, below which the penalty is smooth.", _FRACTION)
    least_mass: float = setting(0.1, "Least sum of weights tried: the scene's power is known up to a factor.", "1")
    most_mass: float = setting(10.0, "Largest sum of weights tried.", "1")
    masses: int = setting(15, "Sums of weights tried.", "sums")
    counted_weight: float = setting(
        0.02, "Weights of a PSF, over its largest, from which on they count as parameters of its evidence.", _FRACTION
    )
