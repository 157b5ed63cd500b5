"""Which kind of blur: simulated pictures of each, and how often ``psf="auto"`` is right: `Restoration.family`.

::

    python -m benchmarks.studies.families                   # 200 pictures kept apart, the table
    python -m benchmarks.studies.families --tuned           # 200 of those that constants were chosen on
    python -m benchmarks.studies.families --pictures 40 --jobs 2

A fifth each is sharp, out of focus, Gaussian, moved along a line, and shaken; half are text, half crops of photographs
that come with scikit-image and matplotlib. Half are blurred in light and then encoded, as a camera does, half as they
are, as the sets of published papers are. The noise has 0.001 to 0.02 of full scale, and values are rounded to 8 bits.
The pictures kept apart are of other photographs, other words and other random numbers. A picture takes 2 to 6 s of CPU,
more where a free PSF is looked for.
"""

import argparse
import collections
import concurrent.futures
import functools
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from threadpoolctl import threadpool_limits

import deconv
from deconv.blind.select import choose

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
    """A blurred picture, what it was blurred by, and what it shows."""

    image: np.ndarray
    sharp: np.ndarray
    psf: np.ndarray
    family: str
    text: bool
    gamma: float
    noise: float
    size: float


def picture(i, apart=True):
    """Picture i of the set: its family and scene go round, the rest is random."""
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
    seen = deconv.degrade.add_noise(np.clip(light, 0, None) ** (1 / gamma), noise, rng=rng)[inner, inner]
    seen = (np.rint(255 * np.clip(seen, 0, 1)) / 255).astype(np.float32)
    return Picture(seen, scene[inner, inner], psf, family, text, gamma, noise, size)


def _blur(family, rng):
    """A PSF, and how large it is: radius, standard deviation, length or support."""
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
        # Some shakes are straight, and no kind of their own.
        at = np.stack(np.indices(psf.shape)).reshape(2, -1)
        width, length = np.sqrt(np.linalg.eigvalsh(np.cov(at, aweights=psf.ravel())))
        if width > 0.25 * length:
            return psf, float(size)


def _photograph(shape, rng, name):
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


def _page(shape, rng, apart):
    """A page of print, or of three large lines; some bright on dark, some in uneven light."""
    words = WORDS_APART if apart else WORDS
    font = ("verdana", "times")[rng.integers(2)]
    # Drawn twice as fine, for a page that was scanned has grey edges.
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


def told(i, apart):
    """The kind of blur of picture i, what is chosen for it, what is found in the end, and the CPU time in seconds."""
    one = picture(i, apart)
    start = time.process_time()
    with threadpool_limits(1):
        choice = choose(one.image, None, lambda _: None)
        # A free PSF may be found to explain nothing.
        family = choice.family if choice.family != "free" else deconv.blind.deblur(one.image, psf="free").family
    return one, choice, family, time.process_time() - start


def main():
    """Print the table asked for; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pictures", type=int, default=200, metavar="N", help="how many (200)")
    parser.add_argument("--tuned", action="store_true", help="those that constants were chosen on")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="processes (1)")
    args = parser.parse_args()
    counts, seconds, chosen = collections.Counter(), collections.defaultdict(list), 0
    ask = functools.partial(told, apart=not args.tuned)
    with concurrent.futures.ProcessPoolExecutor(args.jobs) as pool:
        answers = pool.map(ask, range(args.pictures))
        for i, (one, choice, family, spent) in enumerate(answers):
            counts[one.family, family] += 1
            chosen += choice.family == one.family
            seconds[one.family].append(spent)
            if family == one.family:
                continue
            print(
                f"{i}: {one.family} taken for {family} (chosen: {choice.family}); "
                f"{'text' if one.text else 'natural'}, size {one.size:.1f}, "
                f"noise {one.noise:.4f}, sharpness {choice.sharpness:.2f}, log odds {choice.estimate.log_odds:.0f}",
                flush=True,
            )
    print("\n| | " + " | ".join(FAMILIES) + " | right | CPU (s) |")
    print("| --- " + "| ---: " * (len(FAMILIES) + 2) + "|")
    for of in FAMILIES:
        row = [counts[of, to] for to in FAMILIES]
        cells = (*row, f"{row[FAMILIES.index(of)]} of {sum(row)}", f"{np.mean(seconds[of] or [0]):.1f}")
        print(f"| {of} | " + " | ".join(map(str, cells)) + " |")
    right = sum(counts[of, of] for of in FAMILIES)
    print(f"\nRight: {right} of {args.pictures} ({right / args.pictures:.1%})")
    print(f"Of what was chosen before a free PSF was looked for: {chosen} ({chosen / args.pictures:.1%})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
