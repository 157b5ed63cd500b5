"""Data sets of the ladder, simulated and photographed, with the scores of the challenge."""

import csv
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

import deconv
from benchmarks.studies import contact_sheet, quality, study
from benchmarks.studies.quality import FONTS, FRAME_WIDTH
from deconv._core import files
from deconv.compare.protocol import Item, Row

PHOTOGRAPHS = study.ROOT.parent / "shared" / "data" / "hdc2021"
REAL = "photographs"
DIGITS = "0123456789"
_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Picture:
    """A blurred picture and its ground truth; `sharp`, `radius` and `softness` are None where unknown."""

    name: str
    step: int
    font: str
    digits: bool
    lines: tuple[str, ...]
    image: np.ndarray
    sharp: np.ndarray | None = None
    radius: float | None = None
    softness: float | None = None

    @property
    def per_pixel(self) -> float:
        """Pixels of a full frame per pixel of this picture."""
        return float(FRAME_WIDTH / self.image.shape[1])

    @property
    def facts(self) -> dict[str, Any]:
        """All fields except the arrays."""
        return {field: value for field, value in vars(self).items() if field not in ("image", "sharp")}


def simulated_names(steps: Iterable[int], pictures: int) -> list[str]:
    """Names of the simulated pictures, `pictures` of each step."""
    return [f"step{step:02}/{i:02}" for step in steps for i in range(pictures)]


def load(name: str, folder: Path = PHOTOGRAPHS) -> Picture:
    """The picture of that name: simulated, or the photograph in `folder`."""
    parts = re.fullmatch(r"step(\d+)/(\d+)", name)
    return photograph(name, folder) if parts is None else simulated(int(parts[1]), int(parts[2]))


def simulated(step: int, i: int) -> Picture:
    """Picture i of a step, with seed 100 step + i: fonts alternate, every other pair has digits."""
    seed, (font, digits) = 100 * step + i, style(i)
    rng = np.random.default_rng(seed)
    letters = list(deconv.degrade.hdc.ALPHABET + DIGITS)
    lines = ["".join(rng.choice(letters, 10)) for _ in range(3)] if digits else None
    photo = deconv.degrade.hdc_photo(step, lines, font=font, rng=rng if digits else seed)
    return Picture(
        f"step{step:02}/{i:02}", step, font, digits, photo.lines, photo.image, photo.sharp, photo.radius, photo.softness
    )


def style(i: int) -> tuple[str, bool]:
    """Font of picture i, and whether it has digits."""
    return FONTS[i % 2], bool(i // 2 % 2)


def photograph(name: str, folder: Path) -> Picture:
    """A photograph of the challenge, with its sharp partner if there is one."""
    with (folder / "truth.csv").open(newline="", encoding="utf-8") as file:
        truth = next(line for line in csv.DictReader(file) if line["file"] == name)
    partner = partner_of(name, folder)
    lines = tuple(truth[f"line{n}"] for n in (1, 2, 3))
    sharp = None if partner is None else _grey(partner)
    return Picture(name, int(truth["step"]), truth["font"], False, lines, _grey(folder / name), sharp)


def partner_of(name: str, folder: Path) -> Path | None:
    """The sharp photograph of the same page, if there is one."""
    partner = folder / name.replace("_blur.", "_sharp.")
    return partner if partner.name != Path(name).name and partner.is_file() else None


def _grey(path: Path) -> np.ndarray:
    image = files.read(path).pixels
    # Some are grey, saved as colour.
    return image.mean(axis=-1) if image.ndim == 3 else image


def read(image: np.ndarray, lines: Sequence[str]) -> tuple[int, list[str]]:
    """The challenge's score of a picture, and the lines read by its procedure."""
    import pytesseract

    texts: list[str] = []
    to_string = pytesseract.image_to_string

    def remember(*args: Any, **kwargs: Any) -> str:
        texts.append(to_string(*args, **kwargs))
        return texts[-1]

    with mock.patch.object(pytesseract, "image_to_string", remember):
        score = deconv.ocr.hdc_score(image, list(lines))
    return score, [line.strip() for text in texts for line in text.replace("\f", "").split("\n") if line.strip()]


@dataclass(frozen=True)
class LadderItem(Item):
    """A picture of the ladder in the form that the runner takes."""

    picture: Picture | None = None


@dataclass(frozen=True)
class Ladder:
    """Data set of some of the pictures; results are scored by the challenge's procedure before rounding."""

    name: str
    pictures: tuple[str, ...]
    folder: Path = PHOTOGRAPHS
    border: int = 0

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the pictures, valid in file names."""
        return tuple(map(_stem, self.pictures))

    def load(self, name: str) -> LadderItem:
        """One picture, with its ground truth in the details."""
        picture = load(next(p for p in self.pictures if _stem(p) == name), self.folder)
        return LadderItem(name, picture.image, picture.sharp, details=picture.facts, picture=picture)

    def fingerprint(self) -> str:
        """A hash of the study's code and of the fonts of this machine or the photographs."""
        own = [str(_HERE / file) for file in ("pictures.py", "methods.py", "quality.py", "contact_sheet.py")]
        if self.name == REAL:
            stats = [(path.name, path.stat().st_size) for path in sorted(self.folder.rglob("*.*"))]
            return study.fingerprint(*own, str(self.folder / "truth.csv"), also=stats)
        return study.fingerprint(*own, also=deconv.degrade.hdc_photo(4, shrink=7, rng=0).image.tobytes())

    def measure(self, item: LadderItem, image: np.ndarray, psf: np.ndarray | None, path: Path) -> dict[str, Any]:
        """The challenge's score and the lines read; reduced copies of blind restorations are saved."""
        picture = item.picture
        assert picture is not None
        score, lines = read(image, picture.lines)
        if psf is not None:
            contact_sheet.keep(path, picture.image, image, psf)
        return {"hdc": float(score), "read": tuple(lines), "details": {"code": study.code()}}


def _stem(picture: str) -> str:
    return picture.replace("/", "_").removesuffix(".png")


def simulated_ladder(steps: Iterable[int], pictures: int) -> list[Ladder]:
    """Data sets of the simulated pictures, one for each font with and without digits; they run in parallel."""
    steps, sets = list(steps), []
    for first in range(min(pictures, 4)):
        font, digits = style(first)
        chosen = [f"step{step:02}/{i:02}" for step in steps for i in range(first, pictures, 4)]
        sets.append(Ladder(f"simulated, {font}{', digits' if digits else ''}", tuple(chosen)))
    return sets


def photographs(folder: Path = PHOTOGRAPHS) -> Ladder:
    """The photographs in the table of real photographs."""
    return Ladder(REAL, tuple(quality.REAL), folder)


def partnered(folder: Path = PHOTOGRAPHS) -> Ladder:
    """Those of the photographs that have a sharp partner."""
    return Ladder(REAL, tuple(name for name in quality.REAL if partner_of(name, folder)), folder)


@dataclass(frozen=True)
class Reading:
    """A picture of the ladder restored by one method; radii in pixels of a full frame, None where unknown."""

    picture: str
    step: int
    font: str
    digits: bool
    method: str
    score: int
    lines: tuple[str, ...]
    read: tuple[str, ...]
    radius: float | None
    true: float | None
    parameters: dict[str, float]
    cpu: float
    code: str = ""
    row: Row | None = None

    @classmethod
    def of(cls, row: Row) -> "Reading":
        """The row of a run as a `Reading`."""
        facts = row.details
        return cls(
            picture=facts["name"],
            step=facts["step"],
            font=facts["font"],
            digits=facts["digits"],
            method=row.method,
            score=round(row.hdc or 0),
            lines=tuple(facts["lines"]),
            read=row.read,
            radius=facts.get("estimated radius"),
            true=facts["radius"],
            parameters=facts.get("parameters", {}),
            cpu=facts.get("cpu", 0.0),
            code=facts["code"],
            row=row,
        )

    @property
    def error(self) -> float:
        """Relative error of the radius."""
        if self.radius is None or self.true is None:
            raise ValueError(f"{self.picture} has no true radius, or {self.method} estimated none")
        return self.radius / self.true - 1
