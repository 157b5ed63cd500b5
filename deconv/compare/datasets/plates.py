"""Licence plates: sharp pictures, each blurred by many random movements."""

import zlib

import numpy as np

from deconv._core.check import integer
from deconv.compare.datasets.files import beside, folder_of, pictures_in, read_picture, read_text
from deconv.compare.datasets.pictures import ROUNDING, Pictures, titled
from deconv.compare.protocol import Item, Problem
from deconv.degrade import random_blur
from deconv.tone import decode, encode

__all__ = ["Plates"]

_WANTED = (
    "sharp pictures of plates, of your own, are wanted as AB12CDE.png, named by what they say, or as NAME.png with "
    "NAME.txt"
)


class Plates(Pictures):
    """Sharp pictures whose text is their stem, or in a stem.txt beside, blurred so many times each.

    `deconv.degrade.random_blur` blurs the light; the blurred picture is encoded and rounded to 8 bits. With `gamma` 1
    the values are blurred as they are, as in the training data of most networks.
    """

    def __init__(self, path, *, blurs=100, seed=0, name=None, border=16, gamma=2.2, limit=None):
        blurs = integer(blurs, "blurs", low=1, high=1_000_000)
        self._seed = integer(seed, "seed", low=0, high=2**32 - 1)
        folder = folder_of(path, _WANTED)
        found = pictures_in(folder)
        if not found:
            raise Problem(f"there are no pictures in {folder}; {_WANTED}")
        digits = len(str(blurs - 1))
        known = [(f"{p.stem}_{i:0{digits}}", (p, i)) for p in found for i in range(blurs)]
        super().__init__(titled(name, path), known, border=border, gamma=gamma, limit=limit)

    def _item(self, name, known):
        path, i = known
        sharp = read_picture(path)
        colours = 2 if sharp.ndim == 3 else None
        # A picture is blurred the same way whatever else is in the folder.
        rng = np.random.default_rng([self._seed, i, zlib.crc32(path.name.encode())])
        light, psf = random_blur(decode(sharp, self.gamma), rng=rng, channel_axis=colours)
        values = np.rint(255 * np.clip(encode(light, self.gamma), 0, 1)) / np.float32(255)
        text = beside(path)
        text = (path.stem,) if text is None else read_text(text)
        return Item(name, values.astype(np.float32), sharp, text, psf, None, ROUNDING, self.gamma)

    def _parts(self):
        yield repr(self._seed).encode()
        for path in sorted({path for path, _ in self._known.values()}):
            text = beside(path)
            yield path.name.encode()
            yield path.read_bytes()
            yield b"" if text is None else text.read_bytes()
