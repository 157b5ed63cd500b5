"""``deconv read``: read the text in a picture, and score the reading."""

import argparse
from pathlib import Path

import deconv
from deconv.cli import options
from deconv.cli.inputs import read_text
from deconv.cli.terminal import print_lines

__all__ = ["add_parser", "run"]


def add_parser(commands: options.Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "read",
        parents=[options.lang()],
        formatter_class=options.HelpFormatter,
        help="read the text in a picture",
        description="Read the text in a picture with tesseract, and score the reading if the true text is given.",
        epilog=options.examples(
            "deconv read photo_restored.png",
            "deconv read page.png --truth page.txt",
        ),
    )
    parser.add_argument("picture", type=Path, metavar="IMAGE")
    parser.add_argument("--truth", type=Path, metavar="FILE", help="text file with the true lines")
    parser.set_defaults(run=run, usage=parser.error)


def run(args: argparse.Namespace) -> None:
    """Print the recognised lines, and their scores if the true text is given."""
    from deconv._core import files

    truth = None if args.truth is None else read_text(args.truth)
    picture = files.read(args.picture)
    pixels, axis = picture.pixels, picture.channel_axis
    if picture.alpha is not None:
        # Transparent pixels show white paper.
        alpha = picture.alpha if axis is None else picture.alpha[..., None]
        pixels = alpha * pixels + (1 - alpha)
    lines = deconv.ocr.read_lines(pixels, channel_axis=axis, lang=args.lang)
    print_lines(lines)
    if truth is None:
        return
    print(f"character accuracy {deconv.ocr.character_accuracy(lines, truth):.3f}")
    if len(truth) == 3:
        print(f"HDC score {deconv.ocr.hdc_score(pixels, truth, channel_axis=axis)}")
