"""``deconv restore``: deblur pictures and say what was estimated."""

import argparse
import importlib.util
import io
import re
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import deconv
from deconv.cli import describe, options
from deconv.cli.inputs import read_psf
from deconv.cli.terminal import print_lines, progress

if TYPE_CHECKING:
    from deconv._core.files import Picture
    from deconv.blind import Restoration
    from deconv.blind.known import KnownPsfRestoration

__all__ = ["add_parser", "run"]

_PSFS = ("auto", *options.FAMILIES, "free")


def add_parser(commands: options.Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "restore",
        parents=[options.lang(), options.force()],
        formatter_class=options.HelpFormatter,
        help="deblur a picture",
        description="Estimate the blur of a picture and remove it. Prints the blur and its uncertainty, whether the "
        "picture was restored as text, and how much of the text can be read.",
        epilog=options.examples(
            "deconv restore photo.png --read",
            "deconv restore shaken.jpg -o sharp.png --psf free",
            "deconv restore photo.png --psf psf.npy",
            "deconv restore page1.png page2.png --psf free --same-psf",
        ),
    )
    parser.add_argument(
        "pictures", type=Path, nargs="+", metavar="IN", help="PNG, JPEG or TIFF; also BMP, GIF and WebP, read only"
    )
    parser.add_argument("-o", "--output", type=Path, metavar="OUT", help="default: IN with _restored before its suffix")
    parser.add_argument(
        "--psf",
        type=partial(options.psf_choice, _PSFS),
        default="auto",
        metavar="auto|disk|gaussian|motion|free|FILE",
        help="the blur: auto, the likeliest kind; a family whose parameters are estimated; free, a PSF of any shape, "
        "such as camera shake; or a known PSF as a picture or .npy file (default: auto)",
    )
    parser.add_argument(
        "--radius",
        type=options.positive,
        metavar="PX",
        help="radius of the disk in pixels, if known, e.g. from another picture by the same lens (default: estimated)",
    )
    free = parser.add_argument_group("a PSF of any shape (--psf free)")
    free.add_argument(
        "--psf-size",
        type=_sizes,
        metavar="N|LEAST-MOST",
        help="side of the PSF in pixels, or its bounds (default: estimated)",
    )
    free.add_argument(
        "--region",
        type=_region,
        metavar="TOP:BOTTOM,LEFT:RIGHT",
        help="rows and columns, in pixels, from which to estimate the PSF; the whole picture is restored",
    )
    free.add_argument("--same-psf", action="store_true", help="the pictures IN were all blurred by one PSF")
    parser.add_argument(
        "--prior",
        choices=("auto", "text", "natural"),
        default="auto",
        help="text, dark on bright or bright on dark; or natural, anything else (default: auto, text if that explains "
        "the picture; with text, a warning if it does not; with a known PSF, text if it is dark, of one tone)",
    )
    parser.add_argument(
        "--gamma",
        type=options.positive,
        metavar="G",
        help="light = value ** G (default: 2.2 or 1, whichever makes the blur likelier; for text the tone curve is "
        "estimated; 2.2 with a known PSF)",
    )
    parser.add_argument("--read", action="store_true", help="print the text read in the restored picture")
    parser.add_argument("--plot", type=Path, metavar="FIG", help="plot the search for the PSF (.png, .pdf, .svg)")
    parser.set_defaults(run=run, usage=parser.error)


def _sizes(text: str) -> int | tuple[int, int]:
    if not (match := re.fullmatch(r"(\d{1,9})(?:-(\d{1,9}))?", text)):
        raise argparse.ArgumentTypeError(f"must be a number of pixels or two, LEAST-MOST, got {text}")
    least, most = match.groups()
    return int(least) if most is None else (int(least), int(most))


def _region(text: str) -> tuple[slice, slice]:
    match = re.fullmatch(r"(\d{1,9}):(\d{1,9}),(\d{1,9}):(\d{1,9})", text)
    top, bottom, left, right = map(int, match.groups()) if match else (0, 0, 0, 0)
    if not (top < bottom and left < right):
        raise argparse.ArgumentTypeError(f"must be TOP:BOTTOM,LEFT:RIGHT in pixels, got {text}")
    return slice(top, bottom), slice(left, right)


def run(args: argparse.Namespace) -> None:
    """Restore the pictures, write them and print what was estimated."""
    from deconv._core import files

    known = isinstance(args.psf, Path)
    _check_options(args, known)
    outputs = [args.output or _default_output(path) for path in args.pictures]
    if len(set(outputs)) < len(outputs):
        args.usage("two of the pictures would be written to one file")
    pictures = [files.read(path) for path in args.pictures]
    for output in outputs:
        files.check_output(output, force=args.force)
    if args.plot:
        _check_plot(args.plot, args.force)
    start = time.perf_counter()
    results: list[Restoration] = []
    by_known: KnownPsfRestoration | None = None
    restored: list[Any]
    with progress() as report:
        if known:
            by_known = _restore_known(pictures[0], args, report)
            restored = [by_known.image]
        else:
            results = _restore_blind(pictures, args, report)
            images: list[Any] = [result.image for result in results]
            restored = [x.reshape(p.pixels.shape) for x, p in zip(images, pictures, strict=True)]
    seconds = time.perf_counter() - start
    for output, picture, pixels in zip(outputs, pictures, restored, strict=True):
        files.write(output, pixels, like=picture)
    for path, picture in zip(args.pictures, pictures, strict=True):
        if picture.turned:
            print(f"{path} was turned upright, as its EXIF orientation says")
    print("known PSF" if known else describe.blur(results[0]), f"({seconds:.1f} s)")
    if by_known:
        print(describe.by_known_psf(by_known))
    elif results[0].family != "none":
        print(describe.restoration(results[0], tone=args.gamma is None))
    for output in outputs:
        print(f"wrote {output}")
    if args.plot:
        _plot(results[0], pictures[0].pixels, args.plot)
        print(f"wrote {args.plot}")
    if args.read:
        for picture, pixels in zip(pictures, restored, strict=True):
            print_lines(deconv.ocr.read_lines(pixels, channel_axis=picture.channel_axis, lang=args.lang))


def _check_options(args: argparse.Namespace, known: bool) -> None:
    """Usage errors for options that do not go together."""
    if known and args.plot:
        args.usage("--plot draws the search for a PSF, and there is none with --psf FILE")
    if args.radius and args.psf not in ("disk", "auto"):
        args.usage("--radius goes with --psf disk")
    for name in ("psf_size", "region", "same_psf"):
        if getattr(args, name) and args.psf not in ("free", "auto"):
            args.usage(f"--{name.replace('_', '-')} goes with --psf free")
    if len(args.pictures) > 1:
        if not args.same_psf:
            args.usage("several pictures are restored together with --psf free --same-psf, or one by one")
        for name in ("output", "region", "plot"):
            if getattr(args, name):
                args.usage(f"--{name} is for one picture")


def _default_output(picture: Path) -> Path:
    from deconv._core import files

    suffix = picture.suffix if picture.suffix.lower() in files.WRITABLE else ".png"
    return picture.with_name(f"{picture.stem}_restored{suffix}")


def _restore_blind(
    pictures: "Sequence[Picture]", args: argparse.Namespace, report: Callable[[float, str], None]
) -> "list[Restoration]":
    """Restorations of the pictures; several pictures share a PSF."""
    keywords: dict[str, Any] = {"prior": args.prior, "gamma": args.gamma, "callback": report}
    if len(pictures) == 1:
        keywords["psf"] = "free" if args.same_psf else args.psf
        pixels, axis = pictures[0].pixels, pictures[0].channel_axis
        keywords |= {"radius": args.radius, "psf_size": args.psf_size, "region": args.region}
        return [deconv.blind.deblur(pixels, channel_axis=axis, **keywords)]
    # Grey pages get an axis of one colour, so that grey and colour pages can be restored together.
    pages = [p.pixels if p.pixels.ndim == 3 else p.pixels[..., None] for p in pictures]
    results: list[Restoration] = deconv.blind.deblur_pages(pages, psf_size=args.psf_size, channel_axis=-1, **keywords)
    return results


def _restore_known(
    picture: "Picture", args: argparse.Namespace, report: Callable[[float, str], None]
) -> "KnownPsfRestoration":
    from deconv.blind.known import deblur_known_psf

    return deblur_known_psf(
        picture.pixels,
        read_psf(args.psf),
        prior=args.prior,
        gamma=args.gamma,
        channel_axis=picture.channel_axis,
        callback=report,
    )


def _check_plot(path: Path, force: bool) -> None:
    from deconv._core import files

    if importlib.util.find_spec("matplotlib") is None:
        raise ModuleNotFoundError('--plot needs matplotlib, which is not installed: pip install "deconv[plot]"')
    files.check_output(path, force=force, suffixes=(".png", ".pdf", ".svg"))


def _plot(result: "Restoration", before: Any, path: Path) -> None:
    import matplotlib

    from deconv._core import files

    matplotlib.use("Agg")
    figure = result.plot(before)
    buffer = io.BytesIO()
    figure.savefig(buffer, format=path.suffix[1:].lower(), dpi=150)
    files.replace(path, buffer.getvalue())
