"""A hundred sharp pictures, and twenty natural ones blurred a little, as data sets that say what a method changed."""

import io
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import skimage.data
from PIL import Image

import deconv
from benchmarks.studies import sharp_drawings as draw
from benchmarks.studies import study
from deconv.compare.protocol import Item

PHOTOGRAPHS: dict[str, Callable[[], np.ndarray]] = {
    "astronaut": skimage.data.astronaut,
    "camera": skimage.data.camera,
    "chelsea": skimage.data.chelsea,
    "coffee": skimage.data.coffee,
    "coins": skimage.data.coins,
    "rocket": skimage.data.rocket,
    "motorcycle": lambda: skimage.data.stereo_motorcycle()[0],
    "tissue": skimage.data.immunohistochemistry,
    "hubble": skimage.data.hubble_deep_field,
    "horse": lambda: 255 * skimage.data.horse().astype(np.uint8),
}
TEXTURES: dict[str, Callable[[], np.ndarray]] = {
    "brick": skimage.data.brick,
    "grass": skimage.data.grass,
    "gravel": skimage.data.gravel,
}
BLUR = 2.0
_LARGEST = (400, 600)


def photograph(name: str, largest: tuple[int, int] = _LARGEST) -> np.ndarray:
    """The middle of a photograph or texture at its own resolution, 0 to 1."""
    image = (PHOTOGRAPHS | TEXTURES)[name]()
    top, left = (max(n - most, 0) // 2 for n, most in zip(image.shape, largest, strict=False))
    return image[top : top + largest[0], left : left + largest[1]] / np.float32(255)


def _scene(name: str, rng: np.random.Generator) -> np.ndarray:
    return photograph(name)


Scene = Callable[[np.random.Generator], np.ndarray]
SCENES: dict[str, Scene] = {
    **{name: partial(_scene, name) for name in PHOTOGRAPHS if name != "horse"},
    **{name: partial(_scene, name) for name in TEXTURES},
    "horse": partial(_scene, "horse"),
    "cartoon": draw.cartoon,
    "line-drawing": draw.line_drawing,
    "technical": draw.technical,
    **{f"grid-{pitch}": partial(draw.grid, pitch) for pitch in (4, 6, 8, 12, 16, 24)},
    "grid-10-turned": partial(draw.grid, 10, angle=7.0),
    "grid-20-turned": partial(draw.grid, 20, angle=31.0),
    **{f"rings-{radius}": partial(draw.rings, radius) for radius in (8, 12, 20)},
    "circles": draw.circles,
    "target": draw.target,
    "spiral": draw.spiral,
    "fingerprint-8": draw.fingerprint,
    "fingerprint-5": partial(draw.fingerprint, period=5.0),
    **{f"checkers-{side}": partial(draw.checkers, side) for side in (2, 3, 5)},
    "staves-8": draw.staves,
    "staves-6": partial(draw.staves, space=6),
    "contours": draw.contours,
    "contours-fine": partial(draw.contours, width=0.8),
    "town": draw.town,
    "halftone-5": lambda rng: draw.halftone(5, photograph("camera", (260, 320))),
    "halftone-8": lambda rng: draw.halftone(8, photograph("coins", (280, 360))),
    "barcode-2": partial(draw.barcode, 2),
    "barcode-3": partial(draw.barcode, 3),
    "matrix-code-5": partial(draw.matrix_code, 5),
    "matrix-code-7": partial(draw.matrix_code, 7),
    **{f"page-{size}": partial(draw.page, size) for size in (12, 16, 20, 28, 40)},
    "page-14-serif": partial(draw.page, 14, font="times"),
    "page-18-serif": partial(draw.page, 18, font="times", shape=(600, 480)),
    "page-32-serif": partial(draw.page, 32, font="times"),
    "page-18-bright": partial(draw.page, 18, dark=True),
    "page-26-bright": partial(draw.page, 26, dark=True, font="times"),
    "page-90": partial(draw.page, 90, shape=(300, 560)),
    "page-16-small": partial(draw.page, 16, shape=(200, 260)),
    "white-noise-strong": partial(draw.white_noise, sigma=0.2),
    "white-noise-weak": partial(draw.white_noise, sigma=0.04),
    "one-over-f": partial(draw.coloured_noise, exponent=1.0),
    "one-over-root-f": partial(draw.coloured_noise, exponent=0.5),
    "ramp": draw.ramp,
    "glow": draw.glow,
    "nearly-constant": draw.nearly_constant,
}
# Stored as JPEG too, at these qualities.
_STORED = {
    75: [
        "astronaut",
        "camera",
        "chelsea",
        "coins",
        "motorcycle",
        "brick",
        "cartoon",
        "technical",
        "grid-8",
        "rings-12",
        "target",
        "checkers-5",
        "staves-8",
        "contours",
        "halftone-8",
        "barcode-3",
        "matrix-code-7",
        "page-16",
        "page-20",
        "page-18-bright",
        "one-over-f",
    ],
    90: [
        "coffee",
        "rocket",
        "tissue",
        "grass",
        "line-drawing",
        "grid-16",
        "rings-8",
        "fingerprint-8",
        "checkers-3",
        "town",
        "halftone-5",
        "matrix-code-5",
        "page-12",
        "page-32-serif",
    ],
}
SHARP: dict[str, tuple[str, int | None]] = {name: (name, None) for name in SCENES} | {
    f"{name}-q{quality}": (name, quality) for quality, names in _STORED.items() for name in names
}
BLURRED: dict[str, tuple[str, str]] = {
    f"{name}-{family}": (name, family) for name in PHOTOGRAPHS for family in ("disk", "gaussian")
}
# A twelfth of the set in a few seconds each, for the tests.
QUICK = (
    "page-16-small",
    "page-20-q75",
    "grid-8",
    "rings-12",
    "target",
    "checkers-3",
    "matrix-code-5",
    "barcode-2",
    "halftone-5",
    "fingerprint-8",
    "white-noise-weak",
    "ramp",
)


def sharp(name: str) -> np.ndarray:
    """One of the sharp pictures, 8 bits."""
    scene, quality = SHARP[name]
    image = _eight_bits(SCENES[scene](np.random.default_rng(zlib.crc32(scene.encode()))))
    return image if quality is None else stored(image, quality)


def blurred(name: str) -> tuple[np.ndarray, np.ndarray]:
    """A natural picture blurred by 2 pixels in linear light, with noise, as JPEG; and the sharp one."""
    scene, family = BLURRED[name]
    truth = photograph(scene)
    psf = deconv.psf.disk(BLUR) if family == "disk" else deconv.psf.gaussian(BLUR)
    light = deconv.degrade.blur(truth**2.2, psf, channel_axis=None if truth.ndim == 2 else -1)
    values = np.clip(light, 0, 1) ** (1 / 2.2)
    noisy = deconv.degrade.add_noise(values, 0.004, rng=zlib.crc32(name.encode()))
    return stored(_eight_bits(noisy), 60), _eight_bits(truth)


def _eight_bits(image: np.ndarray) -> np.ndarray:
    return np.rint(255 * np.clip(image, 0, 1)).astype(np.uint8)


def stored(image: np.ndarray, quality: int) -> np.ndarray:
    """The picture as a JPEG file holds it."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer))


def psnr(image: np.ndarray, truth: np.ndarray) -> float:
    """PSNR in dB for full scale 1; infinite for equal images."""
    error = float(np.mean((np.clip(image, 0, 1) - truth) ** 2))
    return float(-10 * np.log10(error)) if error else np.inf


@dataclass(frozen=True)
class SharpItem(Item):
    """A picture in the form that the runner takes, and the sharp one, with which its result is compared."""

    truth: np.ndarray | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Pictures:
    """Data set of some of the pictures: sharp ones, or blurred ones."""

    name: str
    names: tuple[str, ...]
    border: int = 0

    def load(self, name: str) -> SharpItem:
        """One picture."""
        image, truth = (sharp(name),) * 2 if name in SHARP else blurred(name)
        scale = np.float32(255)
        return SharpItem(name, image / scale, details={"blurred": name in BLURRED}, truth=truth / scale)

    def fingerprint(self) -> str:
        """A hash of the code that makes the pictures and of the fonts of this machine."""
        fonts = deconv.degrade.text_picture(["fonts"], size=20).tobytes()
        return study.fingerprint(__file__, draw.__file__, also=fonts)

    def measure(self, item: SharpItem, image: np.ndarray, psf: np.ndarray | None, path: Path) -> dict[str, Any]:
        """Whether the result is the picture bit for bit, and the PSNR of both; the result is kept if it is not."""
        assert item.truth is not None
        same = image.dtype == item.image.dtype and np.array_equal(image, item.image)
        after, before = psnr(image, item.truth), psnr(item.image, item.truth)
        if not same:
            Image.fromarray(_eight_bits(image)).save(path.with_suffix(".png"))
        finite = {"before": before, "after": after} if item.details["blurred"] else {"after": min(after, 99.0)}
        return {"psnr": min(after, 99.0), "details": {"same": bool(same), **finite}}
