"""Fits `deconv.blind.settings.text.Readability`: how much of a page can be read, by what its restoration shows.

::

    python benchmarks/studies/calibrate_readability.py  # steps 4 to 19, two pictures each: 10 minutes
    python benchmarks/studies/calibrate_readability.py --pictures 4 --table found.npz
    python benchmarks/studies/calibrate_readability.py --pictures 0 --table found.npz      # the fit again

Photographs of the simulated ladder, reduced five times, half of them with more noise, are restored blind and read; the
part of the characters that were read is fitted by a logistic in the logarithms of the blur (in strokes) and of the
clarity (the ink over what is unexplained). Half of the pictures fit, the other half tell how good the fit is. Seeds
begin at 100000: the ladder's own stay unseen.
"""

import argparse
import math
from pathlib import Path

import numpy as np
from scipy.optimize import minimize

import deconv
from deconv import tone
from deconv._core.resample import reduce
from deconv.blind import Settings
from deconv.blind.parametric.families import FAMILIES
from deconv.blind.text.ink import coverage
from deconv.blind.text.verdict import assess, logistic

REDUCED = (292, 472)
GAMMA = 2.2
FONTS = ("verdana", "times")


def photograph(step, number):
    """A photograph of the ladder, reduced, and its lines; noisier than its camera if `number` // 2 is odd."""
    rng = np.random.default_rng(100000 + 100 * step + number)
    photo = deconv.degrade.hdc_photo(step, font=FONTS[number % 2], rng=rng)
    image = reduce(np.asarray(photo.image), REDUCED)
    sigma = 10 ** rng.uniform(-2.7, -1.3) if number // 2 % 2 else 0.0
    return np.clip(deconv.degrade.add_noise(image, sigma, rng=rng), 0, 1), photo.lines


def measured(image, lines):
    """Blur and clarity of a restoration, and the part of the characters read; None if it was not taken for text."""
    result = deconv.blind.deblur(image, gamma=GAMMA)
    if result.family != "disk":
        print("taken for sharp:", end=" ")
        return None
    radius, softness = (result.parameters[name] for name in ("radius", "softness"))
    candidate = FAMILIES["disk"](radius, softness / radius)
    settings = Settings()
    ink = coverage(tone.decode(image, GAMMA), "dark", settings.text.ink)
    verdict = assess([ink], [1.0 - result.image], candidate, "dark", settings)
    read = deconv.ocr.character_accuracy(deconv.ocr.read_lines(result.image), lines)
    if not verdict.text:
        print(f"{verdict.reason}:", end=" ")
        return None
    return verdict.blur, verdict.clarity, read


def fitted(blur, clarity, read):
    """Constants of the logistic of least cross entropy; less blur and more clarity never read worse."""
    blur, clarity = np.log(blur), np.log(clarity)

    def loss(constants):
        p = np.clip(logistic(constants, blur, clarity), 1e-6, 1 - 1e-6)
        return -np.mean(read * np.log(p) + (1 - read) * np.log(1 - p)) + 1e-3 * np.sum(np.square(constants[1:]))

    bounds = [(None, None), (None, 0.0), (0.0, None)]
    return minimize(loss, (0.0, -1.0, 1.0), bounds=bounds).x


def table(expected, read):
    """Print how much was read by how much was expected."""
    print("| expected | pictures | mean expected | mean read |\n|---|---:|---:|---:|")
    for low, high in ((0.0, 0.2), (0.2, 0.5), (0.5, 0.8), (0.8, 0.95), (0.95, 1.01)):
        chosen = (expected >= low) & (expected < high)
        if chosen.any():
            means = f"{expected[chosen].mean():.2f} | {read[chosen].mean():.2f}"
            print(f"| {low:.2f} to {min(high, 1.0):.2f} | {chosen.sum()} | {means} |")


def main():
    """Measure, fit, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--steps", type=int, nargs="+", default=range(4, 20), metavar="N", help="default: 4 to 19")
    parser.add_argument("--pictures", type=int, default=2, metavar="N", help="of each step (2); 0 for those in --table")
    parser.add_argument("--table", type=Path, metavar="FILE", help="keep what was measured in this file (.npz)")
    args = parser.parse_args()
    rows = []
    if args.table and args.table.is_file():
        rows = [tuple(row) for row in np.load(args.table)["rows"]]
    for step in args.steps:
        for number in range(args.pictures):
            if (found := measured(*photograph(step, number))) is None:
                print(f"step {step}, {number}: not taken for text", flush=True)
                continue
            rows.append((step, *found))
            print("step {}: blur {:.2f}, clarity {:.1f}, read {:.2f}".format(*rows[-1]), flush=True)
            if args.table:
                np.savez(args.table, rows=np.asarray(rows))
    _, blur, clarity, read = np.asarray(rows).T
    for start in (0, 1):
        constants = fitted(*(a[start::2] for a in (blur, clarity, read)))
        expected = logistic(constants, np.log(blur[1 - start :: 2]), np.log(clarity[1 - start :: 2]))
        unseen = read[1 - start :: 2]
        correlation, rms = np.corrcoef(expected, unseen)[0, 1], math.sqrt(np.mean((expected - unseen) ** 2))
        print(f"\nFitted to half {start}, on the other half: correlation {correlation:.2f}, rms {rms:.2f}\n")
        table(expected, unseen)
    constants = (round(float(c), 2) for c in fitted(blur, clarity, read))
    print("\nReadability(bias={}, blur={}, clarity={})".format(*constants))


if __name__ == "__main__":
    main()
