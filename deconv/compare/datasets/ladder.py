"""The Helsinki challenge simulated: any number of images, with exact ground truth."""

from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np

from deconv import degrade
from deconv._core.check import integer
from deconv.compare.datasets.base import Pictures
from deconv.compare.protocol import Item, Problem

__all__ = ["Ladder"]

_FONTS: tuple[Literal["verdana"], Literal["times"]] = ("verdana", "times")
_DIGITS = "0123456789"


class Ladder(Pictures):
    """`count` images of each step, simulated by `deconv.degrade.hdc_photo`; `level` is the step.

    The two fonts alternate, and every other pair has digits. With seed 0, image i of step s has the seed 100 s + i.
    `shrink` is the factor of reduction; the challenge reduces by 2 before reading.
    """

    def __init__(
        self,
        *,
        count: int = 1,
        steps: Sequence[int] = range(20),
        seed: int = 0,
        shrink: int = 2,
        name: str = "ladder",
        border: int = 16,
        gamma: float = 2.2,
        limit: int | None = None,
    ) -> None:
        count = integer(count, "count", low=1, high=100)
        self._seed = integer(seed, "seed", low=0, high=2**31)
        self._shrink = integer(shrink, "shrink", low=1, high=7)
        if not isinstance(steps, list | tuple | range) or not steps:
            raise Problem(f"steps must be a list of numbers, got {steps!r}")
        steps = sorted({integer(step, "each of steps", low=0, high=19) for step in steps})
        sources = [(f"step{step:02}_{i:02}", (step, i)) for step in steps for i in range(count)]
        super().__init__(name, sources, border=border, gamma=gamma, limit=limit)

    def _load(self, name: str, source: tuple[int, int]) -> Item:
        step, i = source
        font, seed = _FONTS[i % 2], 10_000 * self._seed + 100 * step + i
        rng = np.random.default_rng(seed)
        letters = list(degrade.hdc.ALPHABET + (_DIGITS if i // 2 % 2 else ""))
        lines = ["".join(rng.choice(letters, 10)) for _ in range(3)]
        photo = degrade.hdc_photo(step, lines, font=font, shrink=self._shrink, rng=rng)
        return Item(name, photo.image, photo.sharp, photo.lines, photo.psf, float(step), None, self.gamma)

    def _parts(self) -> Iterator[bytes]:
        # A few images stand for all: the installed fonts change them from machine to machine.
        for name in (*self.names[:1], *self.names[-2:]):
            yield self.load(name).image.tobytes()
        yield repr((self._seed, self._shrink)).encode()
