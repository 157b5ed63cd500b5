"""Settings of the last look at a restoration (`deconv.blind.review`)."""

from dataclasses import dataclass

from deconv.blind.settings._setting import setting

__all__ = ["LastLook"]

_LOOK = "tried: The last look"
_FIT = "logistic regression on 446 restorations by right and by wrong PSFs"


@dataclass(frozen=True)
class LastLook:
    """Log odds that a restoration is farther from the scene than the image it was made from.

    They are a weighted sum of five measures: `deconv.blind.review.Measures`.
    """

    odds: float = setting(7.87, "Log odds where all measures are 0.", "nats", _LOOK, _FIT)
    misfit: float = setting(3.05, "Weight of the misfit.", "nats", _LOOK, _FIT)
    reach: float = setting(3.4, "Weight of the residual's correlation over two pixels.", "nats", _LOOK, _FIT)
    edges: float = setting(3.67, "Weight of the residual's correlation with edges.", "nats", _LOOK, _FIT)
    roughness: float = setting(4.87, "Weight of the roughness.", "nats", _LOOK, _FIT)
    contrast: float = setting(4.76, "Weight of the contrast won, which speaks for a restoration.", "nats", _LOOK, _FIT)
    most_odds: float = setting(
        0.75,
        "Log odds up to which a restoration is accepted.",
        "nats",
        _LOOK,
        "right PSFs of the field set reach 0.71; of wrong ones whose result is worse by 0.5 dB twice the size 0 of 82 "
        "are accepted, sharp pictures 6 of 123, half the size 16 of 17",
    )
    most_residual: float = setting(
        0.8, "Residual from which a restoration explains nothing, as of white noise.", "contrast"
    )
    whitest: float = setting(0.02, "Least correlation of neighbours in a residual that counts.", "1", _LOOK)
    rounding: float = setting(1e-3, "Least error of an image: rounding, at least.", "contrast")
    milder: float = setting(4.0, "Factor of the weight of the prior from one attempt to the next.", "1", _LOOK)
    attempts: int = setting(3, "Attempts before the image is returned as it was.", "1", _LOOK)
