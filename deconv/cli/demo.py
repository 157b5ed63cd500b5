"""``deconv demo``: blur a page of text, restore it blind and read it."""

import argparse
import time
from pathlib import Path
from typing import Any

import deconv
from deconv.cli import describe, options
from deconv.cli.terminal import progress

__all__ = ["STEP", "add_parser", "run"]

# A hard step that is still restored well: the blur disc is 17 times as wide as a stroke of the letters.
STEP = 11


def add_parser(commands: options.Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "demo",
        formatter_class=options.HelpFormatter,
        help="blur a page of text, restore it blind and read it",
        description="Simulate a page of text photographed out of focus, restore it blind, and read it before and "
        "after.",
        epilog=options.examples("deconv demo", "deconv demo --out pages/demo"),
    )
    parser.add_argument("--out", type=Path, default=Path("demo"), metavar="DIR", help="folder for the pictures (demo)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Blur, restore, read, and write the pictures."""
    import numpy as np

    from deconv._core import files

    try:
        args.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise files.FileProblem(f"cannot make the folder {args.out}: {error.strerror}") from None
    names = ("photo.png", "restored.png", "before_after.png")
    outputs = [args.out / name for name in names]
    for path in outputs:
        files.check_output(path, force=True)
    photo = deconv.degrade.hdc_photo(STEP, rng=0)
    height, width = photo.image.shape
    print(f"A page of text, photographed out of focus: {width} x {height} pixels, blur disk of {photo.radius:g} px.")
    start = time.perf_counter()
    with progress() as report:
        result = deconv.blind.deblur(photo.image, callback=report)
    seconds = time.perf_counter() - start
    radius = result.parameters.get("radius", 0.0)
    print(f"Restored blind in {seconds:.1f} s: {describe.blur(result)}")
    if result.family != "none":
        print(describe.restoration(result))
    error_percent = 100 * (radius / photo.radius - 1)
    print(f"Radius {radius:.1f} px found, {photo.radius:g} px true ({error_percent:+.1f} %).")
    restored = np.clip(result.image, 0, 1)
    gap = np.ones((height, width // 40), restored.dtype)
    both = np.concatenate([photo.image, gap, restored], axis=1)
    for path, pixels in zip(outputs, (photo.image, restored, both), strict=True):
        files.write(path, pixels)
    _print_reading(photo, restored)
    print(f"Pictures: {', '.join(str(path) for path in outputs)}")


def _print_reading(photo: "deconv.degrade.HdcPhoto", restored: Any) -> None:
    """What can be read before and after, beside the truth."""
    try:
        readings = [deconv.ocr.read_lines(pixels) for pixels in (photo.image, restored)]
        scores = [deconv.ocr.hdc_score(pixels, photo.lines) for pixels in (photo.image, restored)]
    except (deconv.ocr.TesseractMissing, ModuleNotFoundError) as missing:
        print(f"The text, which should be {' / '.join(photo.lines)}, was not read: {missing}.")
        return
    print("  truth:         ", " / ".join(photo.lines))
    for name, lines, score in zip(("read before:", "read after:"), readings, scores, strict=True):
        print(f"  {name:<15} {' / '.join(lines) or '(nothing)'}   HDC score {score}")
