"""The pictures of the ladder, simulated and photographed, each by its name, and how they are read."""

import csv
import re
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import numpy as np

import deconv
from benchmarks.studies.quality import FONTS, FRAME_WIDTH
from deconv._core import files

PHOTOGRAPHS = Path(__file__).parents[3] / "shared" / "data" / "hdc2021"
DIGITS = "0123456789"


@dataclass(frozen=True)
class Picture:
    """A blurred picture and what is known of it; `sharp`, `radius` and `softness` are None where they are not."""

    name: str
    step: int
    font: str
    digits: bool
    lines: tuple
    image: np.ndarray
    sharp: np.ndarray | None = None
    radius: float | None = None
    softness: float | None = None

    @property
    def per_pixel(self):
        """Pixels of a full frame to one of this picture."""
        return FRAME_WIDTH / self.image.shape[1]


def simulated_names(steps, pictures):
    """Names of so many simulated pictures of each step."""
    return [f"step{step:02}/{i:02}" for step in steps for i in range(pictures)]


def load(name, folder=PHOTOGRAPHS):
    """The picture of that name: simulated anew, or the photograph in `folder`."""
    parts = re.fullmatch(r"step(\d+)/(\d+)", name)
    return photograph(name, folder) if parts is None else simulated(int(parts[1]), int(parts[2]))


def simulated(step, i):
    """Picture i of a step, of seed 100 step + i: the fonts in turn, digits in every other pair."""
    seed, font, digits = 100 * step + i, FONTS[i % 2], bool(i // 2 % 2)
    rng = np.random.default_rng(seed)
    letters = list(deconv.degrade.hdc.ALPHABET + DIGITS)
    lines = ["".join(rng.choice(letters, 10)) for _ in range(3)] if digits else None
    photo = deconv.degrade.hdc_photo(step, lines, font=font, rng=rng if digits else seed)
    return Picture(
        f"step{step:02}/{i:02}", step, font, digits, photo.lines, photo.image, photo.sharp, photo.radius, photo.softness
    )


def photograph(name, folder):
    """A photograph of the challenge, with its sharp partner where there is one."""
    with (folder / "truth.csv").open(newline="", encoding="utf-8") as file:
        truth = next(line for line in csv.DictReader(file) if line["file"] == name)
    partner = folder / name.replace("_blur.", "_sharp.")
    sharp = _grey(partner) if partner.name != Path(name).name and partner.is_file() else None
    lines = tuple(truth[f"line{n}"] for n in (1, 2, 3))
    return Picture(name, int(truth["step"]), truth["font"], False, lines, _grey(folder / name), sharp)


def _grey(path):
    image = files.read(path).pixels
    return image.mean(axis=-1) if image.ndim == 3 else image  # grey, saved as colour


def read(image, lines):
    """The challenge's score of a picture, and the lines that its procedure read."""
    found = []
    tesseract = deconv.ocr.tesseract.recognise

    def remember(*args):
        found.extend(tesseract(*args))
        return list(found)

    with mock.patch.object(deconv.ocr.tesseract, "recognise", remember):
        return deconv.ocr.hdc_score(image, lines), found
