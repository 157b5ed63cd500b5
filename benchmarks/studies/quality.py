"""A short test of the blind restoration with its defaults: ``make quality``. ``make ladder`` prints the full tables.

::

    python -m benchmarks.studies.quality                    # steps 4 to 14 of the simulated ladder, 5 pictures each
    python -m benchmarks.studies.quality --steps 8 12 --pictures 2
    python -m benchmarks.studies.quality --pictures 0 --real     # photographs of the challenge, if available

A picture takes 6 to 10 seconds of CPU, and tesseract one or two for each reading. No rows are saved.
Picture i of step s has the seed 100 s + i; even i have a font like Verdana, odd i one like Times.
"""

import argparse
import csv
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np

import deconv
from deconv._core import files

# Radii (pixels of a 2360-pixel frame) measured by fitting blurred frames to sharp ones of the same page, by step.
MEASURED = {
    3: 19.0, 4: 25.4, 5: 35.6, 6: 43.6, 7: 51.3, 8: 60.9, 9: 68.0, 10: 75.5, 11: 82.8, 12: 89.7, 13: 95.8, 14: 101.3,
    15: 117.2, 16: 136.0, 17: 158.0, 18: 190.0, 19: 210.0,
}  # fmt: skip
FONTS = ("verdana", "times")
FRAME_WIDTH = 2360
# The photographs in the table of real photographs.
REAL = [
    *(f"full/step{name}_blur.png" for name in ("03_verdana_0001", "14_times_0100")),
    *(f"small_verdana_0001/step{step:02}.png" for step in range(4, 19, 2)),
    *(f"small_times_0100/step{step:02}.png" for step in range(4, 9)),
]


def restore(image: np.ndarray) -> tuple[deconv.blind.Restoration, float]:
    """The result of `deblur` with its defaults, and the CPU time in seconds."""
    start = time.process_time()
    result = deconv.blind.deblur(image)
    return result, time.process_time() - start


def radius_of(result: deconv.blind.Restoration) -> float:
    """The estimated radius; 0 if the picture counts as sharp."""
    return float(result.parameters.get("radius", 0.0))


def row(*cells: object) -> None:
    """One line of a markdown table."""
    print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)


def simulated(steps: Iterable[int], pictures: int) -> None:
    """Print the table of the simulated ladder."""
    names = ("step", "radius (px)", "score", "each", "blurred", "sharp", "radius error, mean (largest)", "CPU (s)")
    row(*names)
    row(*("---:" for _ in names))
    every: list[int] = []
    for step in steps:
        scores, blurred, sharp, errors, seconds = [], [], [], [], []
        for i in range(pictures):
            photo = deconv.degrade.hdc_photo(step, font=FONTS[i % 2], rng=100 * step + i)
            result, spent = restore(photo.image)
            scores.append(deconv.ocr.hdc_score(result.image, photo.lines))
            blurred.append(deconv.ocr.hdc_score(photo.image, photo.lines))
            sharp.append(deconv.ocr.hdc_score(photo.sharp, photo.lines))
            errors.append(100 * (radius_of(result) / photo.radius - 1))
            seconds.append(spent)
        every.extend(scores)
        largest = max(errors, key=abs)
        row(
            step,
            f"{photo.radius:.1f}",
            f"{np.mean(scores):.1f}",
            " ".join(map(str, scores)),
            f"{np.mean(blurred):.1f}",
            f"{np.mean(sharp):.1f}",
            f"{np.mean(np.abs(errors)):.1f} % ({largest:+.1f} %)",
            f"{np.mean(seconds):.1f}",
        )
    print(f"\nMean of all {len(every)}: {np.mean(every):.1f}; below 70: {sum(s < 70 for s in every)}\n")


def real(folder: Path) -> bool:
    """Print the table of the photographs in `folder`; return False if they are missing."""
    truths = folder / "truth.csv"
    if not truths.is_file():
        print(f"no photographs: {truths} does not exist", file=sys.stderr)
        return False
    with truths.open(newline="", encoding="utf-8") as file:
        truth = {line["file"]: line for line in csv.DictReader(file)}
    names = ("photograph", "step", "score", "blurred", "radius (px of 2360)", "table", "difference", "CPU (s)")
    row(*names)
    row("---", *("---:" for _ in names[1:]))
    every = []
    for name in REAL:
        image = files.read(folder / name).pixels
        if image.ndim == 3:  # grey, saved as colour
            image = image.mean(axis=-1)
        step = int(truth[name]["step"])
        lines = [truth[name][f"line{n}"] for n in (1, 2, 3)]
        result, spent = restore(image)
        radius = radius_of(result) * FRAME_WIDTH / image.shape[1]
        every.append(deconv.ocr.hdc_score(result.image, lines))
        row(
            name + (" (a letter unsure)" if "?" in lines[1] else ""),
            step,
            every[-1],
            deconv.ocr.hdc_score(image, lines),
            f"{radius:.1f}",
            f"{MEASURED[step]:.1f}",
            f"{100 * (radius / MEASURED[step] - 1):+.1f} %",
            f"{spent:.1f}",
        )
    print(f"\nMean of all {len(every)}: {np.mean(every):.1f}; below 70: {sum(s < 70 for s in every)}\n")
    return True


def main() -> int:
    """Print the requested tables and return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--steps", type=int, nargs="+", default=range(4, 15), metavar="N", help="default: 4 to 14")
    parser.add_argument("--pictures", type=int, default=5, metavar="N", help="of each step (5); 0 for none")
    parser.add_argument(
        "--real",
        type=Path,
        nargs="?",
        const=Path(__file__).parents[3] / "shared" / "data" / "hdc2021",
        metavar="DIR",
        help="photographs of the challenge too (default: ../shared/data/hdc2021)",
    )
    args = parser.parse_args()
    try:
        if args.pictures > 0:
            simulated(args.steps, args.pictures)
        return 0 if args.real is None or real(args.real) else 1
    except deconv.ocr.TesseractMissing as missing:
        print(missing, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
