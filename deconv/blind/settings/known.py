"""Settings of the restoration with a known PSF (`deconv.blind.known`)."""

from dataclasses import dataclass

from deconv.blind.settings._setting import setting

__all__ = ["KnownPsf"]

_LOOK = "tried: The last look"


@dataclass(frozen=True)
class KnownPsf:
    """Whether a known PSF was given the right way round, and whether the scene is text."""

    uneven: float = setting(
        0.2, "Sum of the differences to the PSF turned by 180 degrees from which it matters how it is turned.", "1"
    )
    turned: float = setting(
        3.0,
        "Log odds against the PSF, in excess of those against the turned one, from which it was given the wrong way.",
        "nats",
        _LOOK,
        "3.4 to 17 for shakes turned wrongly that the last look accepts, white noise of 0.03 aside; up to 0.6 for "
        "nearly even PSFs, 2.2 for one turned right",
    )
    paper: float = setting(0.2, "Coverage up to which a pixel is paper.", "level of the ink")
    ink: float = setting(0.8, "Coverage from which a pixel is ink.", "level of the ink")
    inked: float = setting(0.25, "Coverage from which a pixel counts for the level of the ink.", "full coverage")
    level: float = setting(0.8, "Quantile of the inked pixels that is the level of the ink.", "1")
    text: float = setting(
        0.69,
        "Share of pixels between paper and ink, among those that are not paper, up to which the scene is text.",
        "1",
        _LOOK,
        "dark text 0.24 to 0.73, photographs whose detail is dark 0.70 to 0.72",
    )
