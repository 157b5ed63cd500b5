"""A small simulated data set with complete ground truth: the default, and the one that tests use."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image, ImageDraw

from deconv import degrade, psf
from deconv._core.check import integer
from deconv.compare.datasets.base import Pictures, evenly_spaced
from deconv.compare.protocol import Item
from deconv.tone import decode, encode

__all__ = ["Synthetic"]

_NOISE = 0.005
_FONTS: tuple[Literal["verdana"], Literal["times"]] = ("verdana", "times")
_WORDS = """
about after again along because before between black bring carry change city clean close cold country cover dark deep
door early earth every field find first four friend garden give good great green hand have help high horse house island
just keep kind know large last late learn letter light line listen look make many mark measure money more morning most
mountain music name never night north number open order over page paper part picture place plain point power question
quick rain reach read river road round same school second short simple slow small sound south stand still story street
table that think time under until voice walk water west white whole wind winter word work write year young
"""


@dataclass(frozen=True)
class _Rung:
    """A rung of the ladder: the scene, the kind of blur, and its radius in pixels."""

    scene: str
    blur: str
    radius: float


_LADDER = (
    _Rung("words", "disk", 1.5),
    _Rung("letters", "disk", 2.5),
    _Rung("leaves", "disk", 3),
    _Rung("words", "line", 3.5),
    _Rung("letters", "disk", 4.5),
    _Rung("words", "disk", 6),
    _Rung("letters", "shake", 7),
    _Rung("words", "line", 8),
    _Rung("leaves", "shake", 9),
    _Rung("letters", "disk", 10),
    _Rung("words", "shake", 12),
    _Rung("letters", "disk", 14),
)


class Synthetic(Pictures):
    """Pages of words and of random letters, and scenes of leaves, of increasing blur; `level` is the blur's radius.

    As in a camera, the light of a scene that continues beyond the frame is blurred, then encoded; noise of standard
    deviation 0.005 is added, and the values are rounded to 8 bits. Twelve images are the ladder once, fewer are a
    part of it, and more repeat it with other images.
    """

    def __init__(
        self,
        *,
        count: int = 12,
        seed: int = 0,
        name: str = "synthetic",
        border: int = 16,
        gamma: float = 2.2,
        limit: int | None = None,
    ) -> None:
        count = integer(count, "count", low=1, high=10_000)
        self._seed = integer(seed, "seed", low=0, high=2**32 - 1)
        once = evenly_spaced(list(range(len(_LADDER))), count)
        numbers = once if len(once) == count else range(count)
        rungs = [(i, _LADDER[i % len(_LADDER)]) for i in numbers]
        sources = [(f"{i:02}_{rung.scene}_{rung.blur}_{rung.radius:g}", (i, rung)) for i, rung in rungs]
        super().__init__(name, sources, border=border, gamma=gamma, limit=limit)

    def _load(self, name: str, source: tuple[int, _Rung]) -> Item:
        i, rung = source
        rng = np.random.default_rng([self._seed, i])
        kernel = _KERNELS[rung.blur](rung.radius, rng).astype(np.float32)
        reach = kernel.shape[0] // 2
        shape = int(rng.integers(236, 301)), int(rng.integers(400, 451))
        scene, text = _SCENES[rung.scene](shape, reach, rng)
        inner = tuple(slice(reach, reach + n) for n in shape)
        light = degrade.blur(decode(scene, self.gamma), kernel, channel_axis=2 if scene.ndim == 3 else None)[inner]
        image = degrade.add_noise(encode(light, self.gamma), _NOISE, rng=rng)
        image = np.rint(255 * np.clip(image, 0, 1)).astype(np.float32) / 255
        return Item(name, image, scene[inner], text, kernel, float(rung.radius), _NOISE, self.gamma)

    def _parts(self) -> Iterator[bytes]:
        # The images themselves: the installed fonts change them from machine to machine.
        for name in self.names:
            item = self.load(name)
            yield item.image.tobytes() + repr((item.image.shape, item.text)).encode()


def _disk(radius: float, rng: np.random.Generator) -> np.ndarray:
    kernel: np.ndarray = psf.disk(radius)
    return kernel


def _line(radius: float, rng: np.random.Generator) -> np.ndarray:
    kernel: np.ndarray = psf.motion(2 * radius, rng.uniform(0, 180))
    return kernel


def _shake(radius: float, rng: np.random.Generator) -> np.ndarray:
    kernel: np.ndarray = psf.random_motion(2 * round(radius) + 1, rng=rng)
    return kernel


_KERNELS = {"disk": _disk, "line": _line, "shake": _shake}

_Scene = tuple[np.ndarray, tuple[str, ...] | None]


def _letters(shape: tuple[int, int], reach: int, rng: np.random.Generator) -> _Scene:
    """Three lines of random letters."""
    lines = ["".join(rng.choice(list(degrade.hdc.ALPHABET.strip()), 10)) for _ in range(3)]
    return _page(lines, 36, shape, reach, rng)


def _words(shape: tuple[int, int], reach: int, rng: np.random.Generator) -> _Scene:
    """Five lines of words."""
    size, words = 26, _WORDS.split()
    lines: list[str] = []
    longest = int((shape[1] - 2 * size) / (0.66 * size))
    for _ in range(5):
        line = str(rng.choice(words))
        while len(longer := f"{line} {rng.choice(words)}") <= longest:
            line = longer
        lines.append(line)
    return _page(lines, size, shape, reach, rng)


def _page(lines: list[str], size: int, shape: tuple[int, int], reach: int, rng: np.random.Generator) -> _Scene:
    """A page with the lines inside the frame, dark on bright; drawn at twice the resolution for smooth edges."""
    outer = (2 * (shape[0] + 2 * reach), 2 * (shape[1] + 2 * reach))
    font = _FONTS[rng.choice(2)]
    page = _halved(degrade.text_picture(lines, font=font, size=2 * size, shape=outer))
    ink, paper = rng.uniform(0.05, 0.25), rng.uniform(0.75, 0.95)
    return (ink + (paper - ink) * page).astype(np.float32), tuple(lines)


def _leaves(shape: tuple[int, int], reach: int, rng: np.random.Generator) -> _Scene:
    """Overlapping discs of all sizes ("dead leaves"), which have the statistics of photographs; colour, no text."""
    height, width = (2 * (n + 2 * reach) for n in shape)
    page = Image.new("RGB", (width, height), (90, 100, 80))
    draw = ImageDraw.Draw(page)
    # The leaves of each size cover the same area in total; small and large ones overlap in random order.
    radii = 8 * (1 - rng.random(1500) * (1 - (8 / 160) ** 2)) ** -0.5
    for radius, x, y, value in zip(radii, *(rng.random((3, 1500)) * [[width], [height], [1]]), strict=True):
        tint = np.clip(255 * (0.05 + 0.85 * value) * rng.uniform(0.8, 1.05, 3), 0, 255)
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=tuple(int(t) for t in tint))
    return _halved(np.asarray(page, np.float32) / 255), None


_SCENES: dict[str, Callable[[tuple[int, int], int, np.random.Generator], _Scene]] = {
    "letters": _letters,
    "words": _words,
    "leaves": _leaves,
}


def _halved(page: np.ndarray) -> np.ndarray:
    """Means of 2 x 2 pixels."""
    means: np.ndarray = (page[::2, ::2] + page[1::2, ::2] + page[::2, 1::2] + page[1::2, 1::2]) / 4
    return means
