"""Progress of a blind deconvolution, from fractions of a stage to fractions of the whole."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

__all__ = ["FREE_FORM", "KIND", "PARAMETRIC", "Callback", "Progress"]

# Progress as users receive it: ``callback(fraction, stage)``.
Callback: TypeAlias = Callable[[float, str], object]

# Fraction of the whole after which the kind of blur is chosen, if it was not given.
KIND = {"kind": (0.0, 0.25)}
# Fractions of the remaining time at which each stage begins and ends, on a photograph of text.
PARAMETRIC = {
    "light": (0.0, 0.1),
    "search": (0.1, 0.25),
    "tone": (0.25, 0.45),
    "restore": (0.45, 0.95),
    "judge": (0.95, 1.0),
}
# The same with a free-form PSF.
FREE_FORM = {"search": (0.0, 0.7), "restore": (0.7, 1.0)}


class Progress:
    """Report progress to a callback; a second pipeline continues from where a first one gave up.

    Parameters
    ----------
    callback : callable or None
        ``callback(fraction, stage)``.
    stages : dict of str to (float, float)
        Fractions at which each stage begins and ends.
    """

    def __init__(self, callback: Callback | None, stages: Mapping[str, tuple[float, float]]) -> None:
        self._callback, self._stages, self._start, self._done = callback, stages, 0.0, 0.0

    def __call__(self, stage: str, fraction: float) -> None:
        """Report the fraction of one stage that is done."""
        start, stop = self._stages[stage]
        self._done = self._start + (1 - self._start) * (start + (stop - start) * fraction)
        if self._callback is not None:
            self._callback(self._done, stage)

    def restart(self, stages: Mapping[str, tuple[float, float]]) -> None:
        """Begin another pipeline, whose stages fill the remaining fraction."""
        self._stages, self._start = stages, self._done

    def part(self, stage: str, index: int, count: int) -> Callable[[float], None]:
        """``report(fraction)`` for part `index` of the `count` equal parts of a stage."""
        return lambda fraction: self(stage, (index + fraction) / count)
