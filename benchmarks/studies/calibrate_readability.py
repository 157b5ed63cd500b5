"""Fit of `deconv.blind.settings.text.Readability`: the fraction of readable characters in a restored page.

::

    python -m benchmarks.studies.calibrate_readability  # steps 4 to 19, two pictures each: 10 minutes
    python -m benchmarks.studies.calibrate_readability --pictures 4
    python -m benchmarks.studies.calibrate_readability --tables      # the fit of the saved rows, without a run

Photographs of the simulated ladder, reduced five times, half of them with more noise, are restored blind and read. The
fraction of characters read is fitted by a logistic in the logarithms of the blur (in strokes) and of the clarity (the
ink level over the residual). One half of the pictures is fitted, and the other half tests the fit. Seeds begin at
100000, so none is shared with the ladder. Each row is saved in readability/rows.csv.
"""

import argparse
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import minimize

import deconv
from benchmarks.studies import study
from benchmarks.studies.quality import FONTS
from deconv import tone
from deconv._core.resample import reduce
from deconv.blind import Settings
from deconv.blind.parametric.families import FAMILIES
from deconv.blind.text.ink import coverage
from deconv.blind.text.verdict import assess, logistic
from deconv.compare.protocol import Context, Item, Row

OUT = study.ROOT / "readability"
REDUCED = (292, 472)
GAMMA = 2.2


def photograph(step: int, number: int) -> tuple[np.ndarray, tuple[str, ...]]:
    """A reduced photograph of the ladder and its lines of text; with extra noise if `number` // 2 is odd."""
    rng = np.random.default_rng(100000 + 100 * step + number)
    photo = deconv.degrade.hdc_photo(step, font=FONTS[number % 2], rng=rng)
    image = reduce(np.asarray(photo.image), REDUCED)
    sigma = 10 ** rng.uniform(-2.7, -1.3) if number // 2 % 2 else 0.0
    return np.clip(deconv.degrade.add_noise(image, sigma, rng=rng), 0, 1), photo.lines


@dataclass(frozen=True)
class PageItem(Item):
    """A photograph in the form that the runner takes, and its lines."""

    lines: tuple[str, ...] = field(default=())


@dataclass(frozen=True)
class Reduced:
    """The photographs as a data set."""

    steps: tuple[int, ...]
    pictures: int
    name: str = "reduced ladder"
    border: int = 0

    @property
    def names(self) -> tuple[str, ...]:
        """Step and number."""
        return tuple(f"{step:02}-{number:02}" for step in self.steps for number in range(self.pictures))

    def load(self, name: str) -> PageItem:
        """One photograph."""
        image, lines = photograph(*map(int, name.split("-")))
        return PageItem(name, image, lines=lines)

    def fingerprint(self) -> str:
        """A hash of the study's code and of the fonts of this machine."""
        return study.fingerprint(__file__, also=deconv.degrade.hdc_photo(4, shrink=7, rng=0).image.tobytes())

    def measure(self, item: PageItem, image: np.ndarray, psf: np.ndarray | None, path: Path) -> dict[str, Any]:
        """The fraction of the characters that are read."""
        return {"accuracy": deconv.ocr.character_accuracy(deconv.ocr.read_lines(image), item.lines)}


def restored(image: np.ndarray, context: Context) -> tuple[np.ndarray, None, dict[str, Any]]:
    """The restoration with its blur and clarity; the reason if it was not accepted as text."""
    result = deconv.blind.deblur(image, gamma=GAMMA)
    if result.family != "disk":
        return result.image, None, {"reason": "taken for sharp"}
    radius, softness = (result.parameters[name] for name in ("radius", "softness"))
    candidate = FAMILIES["disk"](radius, softness / radius)
    settings = Settings()
    ink = coverage(tone.decode(image, GAMMA), "dark", settings.text.ink)
    verdict = assess([ink], [1.0 - result.image], candidate, "dark", settings)
    if not verdict.text:
        return result.image, None, {"reason": verdict.reason}
    return result.image, None, {"blur": float(verdict.blur), "clarity": float(verdict.clarity)}


def fitted(blur: np.ndarray, clarity: np.ndarray, read: np.ndarray) -> np.ndarray:
    """Constants of the logistic with least cross entropy, which rises with clarity and falls with blur."""
    blur, clarity = np.log(blur), np.log(clarity)

    def loss(constants: np.ndarray) -> float:
        p = np.clip(logistic(list(constants), blur, clarity), 1e-6, 1 - 1e-6)
        cross_entropy = -np.mean(read * np.log(p) + (1 - read) * np.log(1 - p))
        return float(cross_entropy + 1e-3 * np.sum(np.square(constants[1:])))

    bounds = [(None, None), (None, 0.0), (0.0, None)]
    return minimize(loss, (0.0, -1.0, 1.0), bounds=bounds).x


def table(expected: np.ndarray, read: np.ndarray) -> None:
    """Print the mean fraction read for each range of the expected fraction."""
    print("| expected | pictures | mean expected | mean read |\n|---|---:|---:|---:|")
    for low, high in ((0.0, 0.2), (0.2, 0.5), (0.5, 0.8), (0.8, 0.95), (0.95, 1.01)):
        chosen = (expected >= low) & (expected < high)
        if chosen.any():
            means = f"{expected[chosen].mean():.2f} | {read[chosen].mean():.2f}"
            print(f"| {low:.2f} to {min(high, 1.0):.2f} | {chosen.sum()} | {means} |")


def report(rows: Sequence[Row]) -> None:
    """Fit and print the quality of the fit."""
    for row in rows:
        if "reason" in row.details:
            print(f"{row.item}: not used, {row.details['reason']}")
    used = sorted((row for row in rows if "blur" in row.details), key=lambda row: row.item)
    blur, clarity = (np.array([row.details[name] for row in used]) for name in ("blur", "clarity"))
    read = np.array([row.accuracy for row in used], dtype=float)
    for start in (0, 1):
        constants = fitted(*(a[start::2] for a in (blur, clarity, read)))
        expected = logistic(list(constants), np.log(blur[1 - start :: 2]), np.log(clarity[1 - start :: 2]))
        held_out = read[1 - start :: 2]
        correlation, rms = np.corrcoef(expected, held_out)[0, 1], math.sqrt(np.mean((expected - held_out) ** 2))
        print(f"\nFitted to half {start}, on the other half: correlation {correlation:.2f}, rms {rms:.2f}\n")
        table(expected, held_out)
    bias, by_blur, by_clarity = fitted(blur, clarity, read)
    print(f"\nReadability(bias={bias:.2f}, blur={by_blur:.2f}, clarity={by_clarity:.2f})")


def main() -> int:
    """Measure, fit, print, and return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--steps", type=int, nargs="+", default=range(4, 20), metavar="N", help="default: 4 to 19")
    parser.add_argument("--pictures", type=int, default=2, metavar="N", help="of each step (2)")
    parser.add_argument("--jobs", type=int, metavar="N", help="processes, of one thread each; default: all cores")
    parser.add_argument("--out", type=Path, default=OUT, metavar="DIR", help="rows (readability/)")
    parser.add_argument("--tables", action="store_true", help="the fit to the rows in DIR, without a run")
    args = parser.parse_args()
    method = study.method("deconv, blind", "calibrate_readability:restored")
    if args.tables:
        rows = study.saved(args.out)
    else:
        rows = study.run([Reduced(tuple(args.steps), args.pictures)], [method], args.out, args.jobs)
    report(rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
