"""The Helsinki challenge simulated: what is known of its pictures is known exactly, and there are as many as wanted."""

import numpy as np

from deconv import degrade
from deconv._core.check import integer
from deconv.compare.datasets.pictures import Pictures
from deconv.compare.protocol import Item, Problem

__all__ = ["Ladder"]

_FONTS, _DIGITS = ("verdana", "times"), "0123456789"


class Ladder(Pictures):
    """So many pictures of each step by `deconv.degrade.hdc_photo`; `level` is the step.

    The fonts take turns, and every other pair has digits. Of seed 0 picture i of step s is drawn by the seed
    100 s + i, and `shrink` is what it is shrunk by: 2, as the challenge does before it reads.
    """

    def __init__(self, *, count=1, steps=range(20), seed=0, shrink=2, name="ladder", border=16, gamma=2.2, limit=None):
        count = integer(count, "count", low=1, high=100)
        self._seed = integer(seed, "seed", low=0, high=2**31)
        self._shrink = integer(shrink, "shrink", low=1, high=7)
        if not isinstance(steps, list | tuple | range) or not steps:
            raise Problem(f"steps must be a list of numbers, got {steps!r}")
        steps = sorted({integer(step, "each of steps", low=0, high=19) for step in steps})
        known = [(f"step{step:02}_{i:02}", (step, i)) for step in steps for i in range(count)]
        super().__init__(name, known, border=border, gamma=gamma, limit=limit)

    def _item(self, name, known):
        step, i = known
        font, own = _FONTS[i % 2], 10_000 * self._seed + 100 * step + i
        rng = np.random.default_rng(own)
        letters = list(degrade.hdc.ALPHABET + (_DIGITS if i // 2 % 2 else ""))
        lines = ["".join(rng.choice(letters, 10)) for _ in range(3)]
        photo = degrade.hdc_photo(step, lines, font=font, shrink=self._shrink, rng=rng)
        return Item(name, photo.image, photo.sharp, photo.lines, photo.psf, float(step), None, self.gamma)

    def _parts(self):
        # A few pictures for all: another font, as on another machine, makes others.
        for name in (*self.names[:1], *self.names[-2:]):
            yield self.load(name).image.tobytes()
        yield repr((self._seed, self._shrink)).encode()
