"""Settings of the restoration of a large image in parts (`deconv.blind.parts`)."""

from dataclasses import dataclass

from deconv.blind.settings._setting import setting

__all__ = ["Parts"]

_LARGE = "tried: Large images in parts"


@dataclass(frozen=True)
class Parts:
    """When an image is restored in parts, and how large they are; pixels of all colours count."""

    whole: float = setting(
        5e6,
        "Pixels that are restored at once; a larger image is restored in parts.",
        "pixels",
        _LARGE,
        "work arrays take 80 bytes a pixel: 16 megapixels of three colours would need 4 GB",
    )
    part: float = setting(1.5e6, "Pixels of a part, margins included.", "pixels", _LARGE)
    margin: float = setting(
        2.0,
        "Margin of a part on each side, which is dropped.",
        "sizes of the PSF",
        _LARGE,
        "a shaken photograph in parts of 316 pixels loses 0.3 dB with 1, 0.06 with 2 and with 3",
    )
    most_margin: float = setting(
        0.5, "Margins over the side of a part, at most: a wider PSF gets larger parts.", "1", _LARGE
    )
    measured: int = setting(4, "Parts from which the residual of the whole image is measured.", "1", _LARGE)
