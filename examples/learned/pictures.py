"""Simulated photographs of the Helsinki challenge for training, as many as are asked for, none of them twice.

A picture is 208 x 337, a seventh of the frame, by `deconv.degrade.hdc_photo`: its step, font and text are random. So
that a network does not learn more of this camera than it should, the light is tilted a little, and half of the pictures
have gone through 146 x 236 pixels, the size of many photographs that participants have published.
"""

import numpy as np
import torch
from PIL import Image

from deconv import degrade

SHRINK = 7
STEPS = 20
_SMALL = (236, 146)
_DIGITS = "0123456789"


def picture(rng):
    """A blurred picture, the sharp one (1 paper, 0 ink), and the step."""
    step, font = int(rng.integers(STEPS)), str(rng.choice(["verdana", "times"]))
    letters = list(degrade.hdc.ALPHABET + (_DIGITS if rng.random() < 0.25 else ""))
    lines = ["".join(rng.choice(letters, 10)) for _ in range(3)]
    photo = degrade.hdc_photo(step, lines, font=font, shrink=SHRINK, rng=rng)
    image = photo.image
    if rng.random() < 0.5:
        image = _resized(_resized(image, _SMALL, Image.Resampling.BOX), image.shape[::-1], Image.Resampling.BICUBIC)
    y, x = (np.linspace(-1, 1, n, dtype=np.float32) for n in image.shape)
    level, along, down = rng.normal(0, 0.03, 3).astype(np.float32)
    return np.clip(image * (1 + level + along * x + down * y[:, None]), 0, 1), photo.sharp, step


def _resized(image, size, how):
    return np.asarray(Image.fromarray(image).resize(size, how))


class Pictures(torch.utils.data.Dataset):
    """`count` pictures of a seed: what `planes` makes of each (C, M, N), its step (1,), and the sharp one (1, M, N)."""

    def __init__(self, count, seed, planes):
        self._count, self._seed, self._planes = count, seed, planes

    def __len__(self):
        return self._count

    def __getitem__(self, i):
        blurred, sharp, step = picture(np.random.default_rng([self._seed, i]))
        return self._planes(blurred), np.array([step], np.float32), sharp[None].astype(np.float32)
