"""Licence plates: sharp images, each blurred by many random motions."""

import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from deconv._core.check import integer
from deconv.compare.datasets.base import ROUNDING, Pictures, dataset_name
from deconv.compare.datasets.files import existing_folder, find_pictures, find_text, read_picture, read_text
from deconv.compare.protocol import Item, Problem
from deconv.degrade import random_blur
from deconv.tone import decode, encode

__all__ = ["Plates"]

_LAYOUT = (
    "your own sharp pictures of plates are wanted as AB12CDE.png, named after their text, or as NAME.png with NAME.txt"
)


class Plates(Pictures):
    """Sharp images, each blurred `blurs` times; their text is their stem, or in a .txt file with the same stem.

    `deconv.degrade.random_blur` blurs the light; the blurred image is encoded and rounded to 8 bits. With `gamma` 1
    the encoded values are blurred, as in the training data of most networks.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        blurs: int = 100,
        seed: int = 0,
        name: str | None = None,
        border: int = 16,
        gamma: float = 2.2,
        limit: int | None = None,
    ) -> None:
        blurs = integer(blurs, "blurs", low=1, high=1_000_000)
        self._seed = integer(seed, "seed", low=0, high=2**32 - 1)
        folder = existing_folder(path, _LAYOUT)
        paths = find_pictures(folder)
        if not paths:
            raise Problem(f"there are no pictures in {folder}; {_LAYOUT}")
        digits = len(str(blurs - 1))
        sources = [(f"{p.stem}_{i:0{digits}}", (p, i)) for p in paths for i in range(blurs)]
        super().__init__(dataset_name(name, path), sources, border=border, gamma=gamma, limit=limit)

    def _load(self, name: str, source: tuple[Path, int]) -> Item:
        path, i = source
        sharp = read_picture(path)
        colours = 2 if sharp.ndim == 3 else None
        # An image is blurred the same way whatever else is in the folder.
        rng = np.random.default_rng([self._seed, i, zlib.crc32(path.name.encode())])
        light, psf = random_blur(decode(sharp, self.gamma), rng=rng, channel_axis=colours)
        values = np.rint(255 * np.clip(encode(light, self.gamma), 0, 1)) / np.float32(255)
        text_file = find_text(path)
        text = (path.stem,) if text_file is None else read_text(text_file)
        return Item(name, values.astype(np.float32), sharp, text, psf, None, ROUNDING, self.gamma)

    def _parts(self) -> Iterator[bytes]:
        yield repr(self._seed).encode()
        for path in sorted({path for path, _ in self._sources.values()}):
            text = find_text(path)
            yield path.name.encode()
            yield path.read_bytes()
            yield b"" if text is None else text.read_bytes()
