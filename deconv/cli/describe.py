"""A blind restoration in words: the blur, and what the picture was restored as."""

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deconv.blind import Restoration
    from deconv.blind.known import KnownPsfRestoration

__all__ = ["blur", "by_known_psf", "restoration"]


def blur(result: "Restoration") -> str:
    """The estimated blur, or why the picture is left unchanged, in one line."""
    noise = f"noise {result.noise:.4f}"
    if result.family == "none":
        return f"unchanged: {result.reason or 'no blur was found'}{_guess(result)}; {noise}"
    if result.family == "free":
        side, better = result.parameters["size"], 100 * result.score
        return f"free PSF, {side:.0f} px wide; it explains the picture {better:.0f} % better than no blur; {noise}"
    parts = _sizes(result.parameters)
    if math.isfinite(result.uncertainty):
        parts[0] += f" (+- {100 * result.uncertainty:.1f} %)"
    return f"{result.family} of {', '.join(parts)}; {noise}"


def _guess(result: "Restoration") -> str:
    """The likeliest blur of an unchanged picture and its odds, in brackets; empty if no blur is likelier."""
    guess = result.guess
    if guess is None or guess.log_odds <= 0:
        return ""
    odds = f"{math.exp(guess.log_odds):.0f}" if guess.log_odds < math.log(1e6) else "more than a million"
    return f" (best guess: {guess.family} of {', '.join(_sizes(guess.parameters))}, odds {odds} to 1 against no blur)"


def _sizes(parameters: dict[str, float]) -> list[str]:
    return [f"{name} {value:.1f}{' degrees' if name == 'angle' else ' px'}" for name, value in parameters.items()]


def restoration(result: "Restoration", *, tone: bool = True) -> str:
    """The prior of the restoration, and the tone curve if it was estimated, in one line."""
    if result.family == "free":
        words = "restored as text" if result.prior == "text" else "restored as a natural picture"
        return f"{words}; tone curve: gamma {result.gamma:.1f}" if tone else words
    if result.prior == "natural":
        return f"restored as a natural picture{': ' if result.reason else ''}{result.reason}"
    part = f"about {100 * result.readability:.0f} % of the characters readable"
    if math.isnan(result.readability):
        words = "restored as text"
    else:
        words = f"restored as text, {part}" if result.readable else f"too blurred to read: {part}; {result.reason}"
    if tone:
        words += f"; tone curve: gamma {result.gamma:.1f}, shoulder {result.shoulder:.2f}"
    return words


def by_known_psf(result: "KnownPsfRestoration") -> str:
    """The prior of the restoration, or why there is none, in one line."""
    if not result.accepted:
        return f"the picture is unchanged: {result.reason}"
    return "restored as text" if result.prior == "text" else "restored as a natural picture"
