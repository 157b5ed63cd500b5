"""How often does ``psf="auto"`` recognise the kind of blur? `Restoration.family` on simulated pictures of each kind.

::

    python -m benchmarks.studies.families                   # 200 held-out pictures, the table
    python -m benchmarks.studies.families --tuned           # 200 of the pictures used to choose the constants
    python -m benchmarks.studies.families --pictures 40 --jobs 2
    python -m benchmarks.studies.families --tables          # the table of the saved rows, without a run

A fifth each is sharp, out of focus, blurred by a Gaussian, by straight motion, and by a shake. Half are text, half are
crops of the photographs of scikit-image and matplotlib. Half are blurred in linear light and then encoded, as in a
camera; half are blurred in their encoded values, as in published sets. The noise has a standard deviation of 0.001 to
0.02 of full scale, and values are rounded to 8 bits. The held-out pictures have other photographs, other words and
other random numbers. A picture takes 2 to 6 s of CPU, more where a free-form PSF is estimated. Each row is saved in
families/rows.csv, and an interrupted run resumes there.
"""

import argparse
import collections
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import deconv
from benchmarks.studies import study
from deconv.blind.select import choose
from deconv.compare.protocol import Context, Item, Row

OUT = study.ROOT / "families"
FAMILIES = ("none", "disk", "gaussian", "motion", "free")
TUNED = ("camera.png", "coffee.png", "chelsea.png", "rocket.jpg", "coins.png")
APART = ("astronaut.png", "motorcycle_left.png", "ihc.png", "grace_hopper.jpg", "brick.png")
WORDS = [
    "deconvolution",
    "of",
    "pictures",
    "without",
    "training",
    "is",
    "what",
    "this",
    "page",
    "tells",
    "2468",
    "some",
]
WORDS_APART = ["another", "text", "about", "Kalamazoo", "and", "jigsaw", "puzzles", "quickly", "boxed", "for", "1357"]
SHAPE = (300, 420)


@dataclass(frozen=True)
class Picture:
    """A blurred picture, its PSF, and the kinds of blur and scene."""

    image: np.ndarray
    sharp: np.ndarray
    psf: np.ndarray
    family: str
    text: bool
    gamma: float
    noise: float
    size: float


def picture(i: int, apart: bool = True) -> Picture:
    """Picture i of the set: families and scenes alternate, everything else is random."""
    rng = np.random.default_rng([i, int(apart)])
    family, text = FAMILIES[i % 5], bool(i // 5 % 2)
    psf, size = _blur(family, rng)
    margin = psf.shape[0] // 2
    shape = tuple(n + 2 * margin for n in SHAPE)
    scene = _page(shape, rng, apart) if text else _photograph(shape, rng, (APART if apart else TUNED)[i // 10 % 5])
    gamma = float(rng.choice([1.0, 2.2]))
    noise = float(np.exp(rng.uniform(*np.log([0.001, 0.02]))))
    light = deconv.degrade.blur(scene**gamma, psf)
    inner = slice(margin, -margin or None)
    image = deconv.degrade.add_noise(np.clip(light, 0, None) ** (1 / gamma), noise, rng=rng)[inner, inner]
    image = (np.rint(255 * np.clip(image, 0, 1)) / 255).astype(np.float32)
    return Picture(image, scene[inner, inner], psf, family, text, gamma, noise, size)


def _blur(family: str, rng: np.random.Generator) -> tuple[np.ndarray, float]:
    """A PSF and its size: radius, standard deviation, length or support."""
    if family == "none":
        return np.ones((1, 1)), 0.0
    low, high = {"disk": (2, 12), "gaussian": (1.5, 5), "motion": (7, 35), "free": (13, 41)}[family]
    size = float(np.exp(rng.uniform(np.log(low), np.log(high))))
    if family == "disk":
        return deconv.psf.disk(size, softness=rng.uniform(0, 0.15) * size), size
    if family == "gaussian":
        return deconv.psf.gaussian(size), size
    if family == "motion":
        return deconv.psf.motion(size, rng.uniform(0, 180)), size
    size = 2 * round((size - 1) / 2) + 1
    while True:
        psf = deconv.psf.random_motion(size, rng=rng)
        # A nearly straight shake would be motion: draw another.
        at = np.indices(psf.shape).reshape(2, -1)
        width, length = np.sqrt(np.linalg.eigvalsh(np.cov(at, aweights=psf.ravel())))
        if width > 0.25 * length:
            return psf, float(size)


def _photograph(shape: tuple[int, ...], rng: np.random.Generator, name: str) -> np.ndarray:
    """A crop of a photograph, grey."""
    import matplotlib as mpl
    import skimage.data

    folders = [Path(skimage.data.__file__).parent, Path(mpl.get_data_path()) / "sample_data"]
    path = next(folder / name for folder in folders if (folder / name).is_file())
    grey = np.asarray(Image.open(path).convert("L")) / 255
    if missing := [max(m - n, 0) for n, m in zip(grey.shape, shape, strict=True)]:
        grey = np.pad(grey, [(0, m) for m in missing], mode="symmetric")
    top, left = (int(rng.integers(n - m + 1)) for n, m in zip(grey.shape, shape, strict=True))
    return grey[top : top + shape[0], left : left + shape[1]]


def _page(shape: tuple[int, ...], rng: np.random.Generator, apart: bool) -> np.ndarray:
    """A page of small print or of three large lines; some bright on dark, some in uneven light."""
    words = WORDS_APART if apart else WORDS
    font = ("verdana", "times")[rng.integers(2)]
    # Drawn at twice the resolution: a scanned page has grey edges.
    large = rng.random() < 0.4
    size = int(rng.integers(84, 120) if large else rng.integers(26, 60))
    lines = 3 if large else int(2 * shape[0] / (1.45 * size))
    length = int((1.2 if large else 1.5) * shape[1] / (0.52 * size))
    text = []
    for _ in range(lines):
        line = " ".join(rng.choice(words, 20))[:length].rstrip()
        text.append(line)
    while True:
        try:
            page = deconv.degrade.text_picture(text, font=font, size=size, shape=tuple(2 * n for n in shape))
            break
        except ValueError:
            text = [line[:-1].rstrip() for line in text]
    page = page.reshape(shape[0], 2, shape[1], 2).mean((1, 3))
    paper, ink = rng.uniform(0.7, 0.95), rng.uniform(0.05, 0.25)
    if rng.random() < 0.3:
        paper, ink = ink, paper
    page = ink + (paper - ink) * page
    if rng.random() < 0.5:
        page = deconv.degrade.add_vignette(page, rng.uniform(0.1, 0.4), centre=tuple(rng.uniform(-0.5, 0.5, 2)))
    return page


@dataclass(frozen=True)
class Family:
    """Data set of the pictures of one kind of blur; one for each kind, so that they run in parallel."""

    family: str
    pictures: int
    apart: bool = True
    border: int = 0

    @property
    def name(self) -> str:
        """Name in the rows."""
        return self.family if self.apart else f"{self.family}, tuned"

    @property
    def names(self) -> tuple[str, ...]:
        """Numbers of the pictures."""
        return tuple(f"{i:03}" for i in range(FAMILIES.index(self.family), self.pictures, len(FAMILIES)))

    def load(self, name: str) -> Item:
        """One picture."""
        one = picture(int(name), self.apart)
        facts = {"family": one.family, "text": one.text, "size": one.size, "noise": one.noise, "gamma": one.gamma}
        return Item(name, one.image, details=facts)

    def fingerprint(self) -> str:
        """A hash of the study's code and of the fonts of this machine."""
        page = deconv.degrade.text_picture(["fonts"], size=20).tobytes()
        return study.fingerprint(__file__, also=(self.name, page))

    def measure(self, item: Item, image: np.ndarray, psf: np.ndarray | None, path: Path) -> dict[str, Any]:
        """Nothing: the method returns the kind itself."""
        return {"details": {"code": study.code()}}


def choice(image: np.ndarray, context: Context) -> tuple[np.ndarray, None, dict[str, Any]]:
    """The kind of blur chosen first, that of the final result, and the CPU time in seconds."""
    start = time.process_time()
    first = choose(image, None, lambda _: None)
    # A free-form estimate may be rejected afterwards.
    family = first.family if first.family != "free" else deconv.blind.deblur(image, psf="free").family
    seconds = time.process_time() - start
    details = {"chosen": first.family, "result": family, "sharpness": float(first.sharpness), "cpu": seconds}
    return image, None, details


CHOICE = study.method('psf="auto"', "families:choice")


def mistake(row: Row) -> str:
    """One line about a picture whose kind of blur was wrong."""
    r = row.details
    return (
        f"{int(row.item)}: {r['family']} taken for {r['result']} (chosen: {r['chosen']}); "
        f"{'text' if r['text'] else 'natural'}, size {r['size']:.1f}, noise {r['noise']:.4f}, "
        f"sharpness {r['sharpness']:.2f}"
    )


def table(rows: Iterable[Row]) -> str:
    """Confusion matrix of the kinds of blur, and how often the result is right."""
    facts = [row.details for row in rows]
    counts = collections.Counter((r["family"], r["result"]) for r in facts)
    lines = ["| | " + " | ".join(FAMILIES) + " | right | CPU (s) |"]
    lines.append("| --- " + "| ---: " * (len(FAMILIES) + 2) + "|")
    for family in FAMILIES:
        taken_for = [counts[family, other] for other in FAMILIES]
        seconds = np.mean([r["cpu"] for r in facts if r["family"] == family] or [0])
        cells = (*taken_for, f"{counts[family, family]} of {sum(taken_for)}", f"{seconds:.1f}")
        lines.append(f"| {family} | " + " | ".join(map(str, cells)) + " |")
    right = sum(counts[family, family] for family in FAMILIES)
    chosen = sum(r["chosen"] == r["family"] for r in facts)
    lines.append(f"\nRight: {right} of {len(facts)} ({right / len(facts):.1%})")
    lines.append(f"Of the first choices, before a free PSF was estimated: {chosen} ({chosen / len(facts):.1%})")
    return "\n".join(lines)


def main() -> int:
    """Print the requested table and return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--pictures", type=int, default=200, metavar="N", help="number of pictures (200)")
    parser.add_argument("--tuned", action="store_true", help="the pictures used to choose the constants")
    parser.add_argument("--jobs", type=int, metavar="N", help="processes, of one thread each; default: all cores")
    parser.add_argument("--out", type=Path, default=OUT, metavar="DIR", help="rows (families/)")
    parser.add_argument("--tables", action="store_true", help="the table of the rows in DIR, without a run")
    args = parser.parse_args()
    sets = [Family(family, args.pictures, not args.tuned) for family in FAMILIES]
    if args.tables:
        wanted = {(s.name, name) for s in sets for name in s.names}
        rows = [row for row in study.saved(args.out) if (row.dataset, row.item) in wanted]
    else:
        rows = study.run(sets, [CHOICE], args.out, args.jobs)
    if not rows:
        print(f"{args.out / 'rows.csv'} has no such rows", file=sys.stderr)
        return 1
    rows.sort(key=lambda row: row.item)
    wrong = [mistake(row) for row in rows if row.details["result"] != row.details["family"]]
    print("\n".join([*wrong, "", table(rows)]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
