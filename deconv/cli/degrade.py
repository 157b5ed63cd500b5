"""``deconv degrade``: blur a picture, or simulate a photograph of the Helsinki Deblur Challenge."""

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import deconv
from deconv.cli import options
from deconv.cli.inputs import read_psf

__all__ = ["add_parser", "run"]

_PSFS = (*options.FAMILIES, "shake")
# Options that go without a picture IN, and with one.
_PHOTO_OPTIONS = ("step", "font", "lines")
_BLUR_OPTIONS = ("psf", "size", "softness", "angle", "noise")


def add_parser(commands: options.Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "degrade",
        parents=[options.force()],
        formatter_class=options.HelpFormatter,
        help="make a blurred picture",
        description="Blur the picture IN. Without IN, simulate a photograph of the Helsinki Deblur Challenge and "
        "write its true text beside it (.txt).",
        epilog=options.examples(
            "deconv degrade photo.png -o blurred.png --size 6",
            "deconv degrade photo.png -o shaken.png --psf shake --size 31 --noise 0.01",
            "deconv degrade -o page.png --step 8 --lines 'first line' 'second line' 'third line'",
        ),
    )
    parser.add_argument("picture", type=Path, nargs="?", metavar="IN")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT")
    parser.add_argument("--seed", type=int, default=0, help="random seed for noise, text and shake (default: 0)")
    parser.add_argument(
        "--gamma", type=options.positive, default=2.2, metavar="G", help="light = value ** G (default: 2.2)"
    )
    photo = parser.add_argument_group("without IN")
    photo.add_argument("--step", type=int, metavar="N", help="how far out of focus, 0 to 19 (default: 12)")
    photo.add_argument("--font", choices=("verdana", "times"), help="(default: verdana)")
    photo.add_argument("--lines", nargs=3, metavar="TEXT", help="the three lines (default: random letters)")
    blur = parser.add_argument_group("with IN")
    blur.add_argument(
        "--psf",
        type=partial(options.psf_choice, _PSFS),
        metavar="disk|gaussian|motion|shake|FILE",
        help="the blur (default: disk)",
    )
    blur.add_argument(
        "--size",
        type=options.positive,
        metavar="PX",
        help="radius of the disk, sigma of the Gaussian, length of the motion, side of the shake (odd)",
    )
    blur.add_argument("--softness", type=float, metavar="PX", help="softness of the disk's edge (default: 0)")
    blur.add_argument("--angle", type=float, metavar="DEG", help="direction of the motion (default: 0)")
    blur.add_argument(
        "--noise", type=float, metavar="SIGMA", help="standard deviation of the noise, white being 1 (default: 0)"
    )
    parser.set_defaults(run=run, usage=parser.error)


def run(args: argparse.Namespace) -> None:
    """Blur the given picture, or simulate a photograph."""
    unused = _PHOTO_OPTIONS if args.picture else _BLUR_OPTIONS
    if stray := [name for name in unused if getattr(args, name) is not None]:
        args.usage(f"--{stray[0]} goes {'without' if args.picture else 'with'} a picture IN")
    if args.seed < 0:
        args.usage(f"argument --seed: must be 0 or more, got {args.seed}")
    if args.picture:
        _blur_picture(args)
    else:
        _simulate_photo(args)


def _blur_picture(args: argparse.Namespace) -> None:
    from deconv._core import files

    make_psf = _psf_maker(args)
    picture = files.read(args.picture)
    files.check_output(args.output, force=args.force)
    light = deconv.tone.decode(picture.pixels, args.gamma)
    light = deconv.degrade.blur(light, make_psf(), channel_axis=picture.channel_axis)
    blurred = deconv.degrade.add_noise(deconv.tone.encode(light, args.gamma), args.noise or 0, rng=args.seed)
    files.write(args.output, blurred, like=picture)
    print(f"wrote {args.output}")


def _simulate_photo(args: argparse.Namespace) -> None:
    import numpy as np

    from deconv._core import files

    text_file = args.output.with_suffix(".txt")
    files.check_output(args.output, force=args.force)
    if text_file.exists() and not args.force:
        raise files.FileProblem(f"{text_file} exists already; --force overwrites it")
    step = 12 if args.step is None else args.step
    photo = deconv.degrade.hdc_photo(step, args.lines, font=args.font or "verdana", rng=args.seed)
    files.write(args.output, photo.image, like=files.Picture(photo.image, dtype=np.dtype(np.uint16), white=65535))
    files.replace(text_file, "".join(f"{line}\n" for line in photo.lines).encode())
    print(f"disk of radius {photo.radius:g} px, softness {photo.softness:.1f} px, {photo.font}")
    print(f"wrote {args.output} and {text_file}")


def _psf_maker(args: argparse.Namespace) -> Callable[[], Any]:
    """A function that makes the requested PSF; usage errors come before any work."""
    family = args.psf or "disk"
    used = {"disk": ("size", "softness"), "gaussian": ("size",), "motion": ("size", "angle"), "shake": ("size",)}
    allowed = used.get(family, ())
    stray = [n for n in ("size", "softness", "angle") if getattr(args, n) is not None and n not in allowed]
    if stray:
        args.usage(f"--{stray[0]} does not go with --psf {family}")
    if isinstance(family, Path):
        return lambda: read_psf(family)
    if args.size is None:
        meaning = {"disk": "radius", "gaussian": "sigma", "motion": "length", "shake": "side"}[family]
        args.usage(f"--size is wanted: {meaning} in pixels")
    if family == "shake":
        if args.size % 2 != 1:
            args.usage(f"argument --size: the side of a shake is an odd number of pixels, got {args.size:g}")
        return lambda: deconv.psf.random_motion(int(args.size), rng=args.seed)
    keywords = {n: getattr(args, n) for n in allowed[1:] if getattr(args, n) is not None}
    return lambda: getattr(deconv.psf, family)(args.size, **keywords)
