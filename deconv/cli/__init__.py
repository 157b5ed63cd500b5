"""The command line: ``deconv restore``, ``read``, ``degrade``, ``compare`` and ``demo``.

The only place of the package that prints. Heavy modules are imported by the command that needs them, so that
``--help`` and mistakes answer at once.
"""

import argparse
import contextlib
import math
import re
import sys
import time
import warnings
from functools import partial
from pathlib import Path

import deconv

__all__ = ["main"]

_FAMILIES = ("disk", "gaussian", "motion")
# What `restore` looks for, and what `degrade` makes.
_SOUGHT, _MADE = ("auto", *_FAMILIES, "free"), (*_FAMILIES, "shake")
# A hard step that is restored well: the blur disc is 17 times as wide as a stroke of the letters.
_DEMO_STEP = 11


def main(argv=None):
    """Run the command line.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments; those of the process by default.

    Returns
    -------
    int
        0 for success, 1 for a failure told on stderr in one line, 130 if interrupted. Bad usage exits with 2.

    Examples
    --------
    >>> from deconv.cli import main
    >>> main(["degrade", "photo.png", "-o", "blurred.png", "--psf", "disk", "--size", "6"])  # doctest: +SKIP
    0
    """
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError):
            stream.reconfigure(errors="replace")  # tesseract reads signs that not every terminal can show
    args = _parser().parse_args(argv)
    try:
        with _complaints():
            args.run(args)
    except KeyboardInterrupt:
        return 130
    except MemoryError:
        return _fail("not enough memory for a picture of this size")
    except (OSError, ValueError, TypeError, RuntimeError, ImportError) as error:
        return _fail(error)
    return 0


def _fail(error):
    print("deconv: error:", " ".join(str(error).split()), file=sys.stderr)
    return 1


@contextlib.contextmanager
def _complaints():
    """Warnings of the library as lines on stderr, after what was printed."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default", UserWarning)
        try:
            yield
        finally:
            for warning in caught:
                print("deconv: warning:", " ".join(str(warning.message).split()), file=sys.stderr)


# ---- arguments


def _parser():
    parser = argparse.ArgumentParser(
        prog="deconv", description="Restore blurred pictures of text and of the world, without training."
    )
    parser.add_argument("--version", action="version", version=f"deconv {deconv.__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    force = argparse.ArgumentParser(add_help=False)
    force.add_argument("--force", action="store_true", help="overwrite files that exist")
    lang = argparse.ArgumentParser(add_help=False)
    lang.add_argument("--lang", default="eng", help="tesseract's name of the text's language (default: eng)")

    sub = commands.add_parser(
        "restore",
        parents=[lang, force],
        help="restore a blurred picture",
        description="Restore a blurred picture of which nothing else is known, and say what was found: the blur, how "
        "sure it is, whether the picture was taken for text, and how much of that can be read.",
    )
    sub.add_argument(
        "pictures", type=Path, nargs="+", metavar="IN", help="PNG, JPEG or TIFF; or BMP, GIF, WebP to read from"
    )
    sub.add_argument("-o", "--output", type=Path, metavar="OUT", help="default: IN with _restored before its suffix")
    sub.add_argument(
        "--psf",
        type=partial(_psf_choice, _SOUGHT),
        default="disk",
        metavar="auto|disk|gaussian|motion|free|FILE",
        help="what blurred it: a family whose parameters are searched for; free, any form at all, as of a camera that "
        "shook; or a known PSF as a picture or .npy file (default: disk, out of focus; auto chooses, which takes some "
        "times longer)",
    )
    sub.add_argument(
        "--radius",
        type=_above_zero,
        metavar="PX",
        help="of the disk, its radius in pixels if it is known, as from another picture by the same lens (default: it "
        "is searched for)",
    )
    free = sub.add_argument_group("with --psf free")
    free.add_argument(
        "--psf-size",
        type=_sizes,
        metavar="N|LEAST-MOST",
        help="side of the PSF in pixels, or bounds of it (default: it is found)",
    )
    free.add_argument(
        "--region",
        type=_region,
        metavar="TOP:BOTTOM,LEFT:RIGHT",
        help="rows and columns, in pixels, of the part in which the PSF is looked for; the whole picture is restored",
    )
    free.add_argument("--same-psf", action="store_true", help="several IN that one and the same PSF has blurred")
    sub.add_argument(
        "--prior",
        choices=("auto", "text", "natural"),
        default="auto",
        help="what it shows: text of one tone on ground of another, or anything (default: auto, text if that explains "
        "the picture; text does so too, and warns if not)",
    )
    sub.add_argument(
        "--gamma",
        type=_above_zero,
        metavar="G",
        help="light is the picture's values to this power (default: 2.2; for text and an unknown PSF the tone curve is "
        "estimated, for a free one whether it is 2.2 or 1)",
    )
    sub.add_argument("--read", action="store_true", help="print the text read from what was restored")
    sub.add_argument("--plot", type=Path, metavar="FIG", help="draw how the PSF was found (.png, .pdf, .svg)")
    sub.set_defaults(run=_restore, usage=sub.error)

    sub = commands.add_parser("read", parents=[lang], help="read the text in a picture, and score the reading")
    sub.add_argument("picture", type=Path, metavar="IMAGE")
    sub.add_argument("--truth", type=Path, metavar="FILE", help="text file with the true lines")
    sub.set_defaults(run=_read, usage=sub.error)

    sub = commands.add_parser(
        "degrade",
        parents=[force],
        help="make a blurred picture",
        description="Blur a given picture; or, without IN, simulate a photograph of the Helsinki Deblur Challenge and "
        "write its true text beside it (.txt).",
    )
    sub.add_argument("picture", type=Path, nargs="?", metavar="IN")
    sub.add_argument("-o", "--output", type=Path, required=True, metavar="OUT")
    sub.add_argument("--seed", type=int, default=0, help="of noise, text and shake (default: 0)")
    sub.add_argument(
        "--gamma", type=_above_zero, default=2.2, metavar="G", help="light is the picture's values to this power (2.2)"
    )
    photo = sub.add_argument_group("without IN")
    photo.add_argument("--step", type=int, metavar="N", help="how far out of focus, 0 to 19 (default: 12)")
    photo.add_argument("--font", choices=("verdana", "times"), help="(default: verdana)")
    photo.add_argument("--lines", nargs=3, metavar="TEXT", help="the three lines (default: random letters)")
    blur = sub.add_argument_group("with IN")
    blur.add_argument(
        "--psf",
        type=partial(_psf_choice, _MADE),
        metavar="disk|gaussian|motion|shake|FILE",
        help="what blurs it (default: disk)",
    )
    blur.add_argument(
        "--size",
        type=_above_zero,
        metavar="PX",
        help="radius of the disk, sigma of the Gaussian, length of the motion, side of the shake (odd)",
    )
    blur.add_argument("--softness", type=float, metavar="PX", help="of the disk's edge (default: 0)")
    blur.add_argument("--angle", type=float, metavar="DEG", help="of the motion (default: 0)")
    blur.add_argument("--noise", type=float, metavar="SIGMA", help="1 is the range of the picture (default: 0)")
    sub.set_defaults(run=_degrade, usage=sub.error)

    sub = commands.add_parser(
        "compare",
        help="compare methods on the same pictures, in a table and a page",
        description="Run methods on pictures, each in its own process, score what they wrote by one rule, and write a "
        "table, a row for each picture, and a page to look at. Without arguments: six methods of deconv on twelve "
        "pictures made by code. What was done already in OUT is not done again.",
    )
    sub.add_argument(
        "data",
        nargs="*",
        metavar="DATA",
        help="synthetic[:N], ladder[:N], or KIND:PATH with KIND one of hdc, pairs, pan, lmdb, plates, pictures; or a "
        ".toml file that declares data sets (default: synthetic)",
    )
    sub.add_argument("-o", "--output", type=Path, default=Path("comparison"), metavar="OUT", help="folder (comparison)")
    sub.add_argument(
        "-m", "--methods", type=Path, action="append", default=[], metavar="TOML", help="file that declares methods"
    )
    sub.add_argument(
        "--only", action="append", metavar="NAME", help="of the methods of deconv, and of those declared, only this one"
    )
    sub.add_argument(
        "--calibrate",
        action="append",
        default=[],
        metavar="DATA",
        help="other pictures, on which the parameters of methods that have a grid are chosen first; may be repeated "
        "(default: all run as declared)",
    )
    sub.add_argument("--limit", type=int, metavar="N", help="so many pictures of each data set at the most")
    sub.add_argument("--baseline", default="blurred", metavar="NAME", help="to which methods are compared (blurred)")
    sub.add_argument("--device", default="cpu", help="that methods are told (cpu)")
    sub.add_argument("--seed", type=int, default=0, help="that methods are told (0)")
    sub.add_argument("--threads", type=int, default=1, metavar="N", help="of each method (1)")
    sub.add_argument("--jobs", type=int, default=1, metavar="N", help="methods that run at a time (1: times compare)")
    sub.add_argument("--memory", type=_above_zero, metavar="MB", help="that a method may have (four fifths of all)")
    sub.add_argument("--allow-shell", action="store_true", help="let declared methods run commands")
    sub.set_defaults(run=_compare, usage=sub.error)

    sub = commands.add_parser("demo", help="blur a page of text, restore it blind and read it")
    sub.add_argument("--out", type=Path, default=Path("demo"), metavar="DIR", help="folder for the pictures (demo)")
    sub.set_defaults(run=_demo)
    return parser


def _above_zero(text):
    with contextlib.suppress(ValueError):
        if 0 < (number := float(text)) < math.inf:
            return number
    raise argparse.ArgumentTypeError(f"must be a number above 0, got {text}")


def _psf_choice(names, text):
    if text in names:
        return text
    if not Path(text).is_file():
        raise argparse.ArgumentTypeError(f"{text!r} is neither {', '.join(names)} nor a file")
    return Path(text)


def _sizes(text):
    if not (found := re.fullmatch(r"(\d{1,9})(?:-(\d{1,9}))?", text)):
        raise argparse.ArgumentTypeError(f"must be a number of pixels or two, LEAST-MOST, got {text}")
    least, most = found.groups()
    return int(least) if most is None else (int(least), int(most))


def _region(text):
    found = re.fullmatch(r"(\d{1,9}):(\d{1,9}),(\d{1,9}):(\d{1,9})", text)
    top, bottom, left, right = map(int, found.groups()) if found else (0, 0, 0, 0)
    if not (top < bottom and left < right):
        raise argparse.ArgumentTypeError(f"must be TOP:BOTTOM,LEFT:RIGHT in pixels, got {text}")
    return slice(top, bottom), slice(left, right)


# ---- commands


def _restore(args):
    from deconv._core import files as _files

    known = isinstance(args.psf, Path)
    _check_restore(args, known)
    outputs = [args.output or _beside(path) for path in args.pictures]
    if len(set(outputs)) < len(outputs):
        args.usage("two of the pictures would be written to one file")
    pictures = [_files.read(path) for path in args.pictures]
    for output in outputs:
        _files.check_output(output, force=args.force)
    if args.plot:
        _check_plot(args.plot, args.force)
    start = time.perf_counter()
    with _progress() as report:
        if known:
            restored = [_restore_known(pictures[0], _read_psf(args.psf), args.gamma or 2.2, report)]
        else:
            results = _restore_blind(pictures, args, report)
            restored = [r.image.reshape(p.pixels.shape) for r, p in zip(results, pictures, strict=True)]
    seconds = time.perf_counter() - start
    for output, picture, pixels in zip(outputs, pictures, restored, strict=True):
        _files.write(output, pixels, like=picture)
    print("known PSF" if known else _blur(results[0]), f"({seconds:.1f} s)")
    if not known and results[0].family != "none":
        print(_scene(results[0], tone=args.gamma is None))
    for output in outputs:
        print(f"wrote {output}")
    if args.plot:
        _plot(results[0], pictures[0].pixels, args.plot)
        print(f"wrote {args.plot}")
    if args.read:
        for picture, pixels in zip(pictures, restored, strict=True):
            _print_lines(deconv.ocr.read_lines(pixels, channel_axis=picture.channel_axis, lang=args.lang))


def _check_restore(args, known):
    """Complaints about options that do not go together."""
    if known and args.plot:
        args.usage("--plot draws the search for a PSF, and there is none with --psf FILE")
    if known and args.prior != "auto":
        args.usage("--prior is for a PSF that is searched for; it does not go with --psf FILE")
    if args.radius and args.psf != "disk":
        args.usage("--radius goes with --psf disk")
    for name in ("psf_size", "region", "same_psf"):
        if getattr(args, name) and args.psf != "free":
            args.usage(f"--{name.replace('_', '-')} goes with --psf free")
    if len(args.pictures) > 1:
        if not args.same_psf:
            args.usage("several pictures are restored together with --psf free --same-psf, or one by one")
        for name in ("output", "region", "plot"):
            if getattr(args, name):
                args.usage(f"--{name} is for one picture")


def _restore_blind(pictures, args, report):
    """Results for the pictures, of which there are several only if they share a PSF."""
    options = {"psf": args.psf, "prior": args.prior, "gamma": args.gamma, "callback": report}
    if len(pictures) == 1:
        pixels, axis = pictures[0].pixels, pictures[0].channel_axis
        options |= {"radius": args.radius, "psf_size": args.psf_size, "region": args.region}
        return [deconv.blind.deblur(pixels, channel_axis=axis, **options)]
    # (A grey page is one of a single colour, so that it may lie among others.)
    pages = [p.pixels if p.pixels.ndim == 3 else p.pixels[..., None] for p in pictures]
    return deconv.blind.deblur_pages(pages, psf_size=args.psf_size, channel_axis=-1, **options)


def _read(args):
    from deconv._core import files as _files

    truth = None if args.truth is None else _read_text(args.truth)
    picture = _files.read(args.picture)
    pixels, axis = picture.pixels, picture.channel_axis
    if picture.alpha is not None:  # seen on white paper
        alpha = picture.alpha if axis is None else picture.alpha[..., None]
        pixels = alpha * pixels + (1 - alpha)
    lines = deconv.ocr.read_lines(pixels, channel_axis=axis, lang=args.lang)
    _print_lines(lines)
    if truth is None:
        return
    print(f"character accuracy {deconv.ocr.character_accuracy(lines, truth):.3f}")
    if len(truth) == 3:
        print(f"HDC score {deconv.ocr.hdc_score(pixels, truth, channel_axis=axis)}")


def _degrade(args):
    import numpy as np

    from deconv._core import files as _files

    for_photo, for_picture = ("step", "font", "lines"), ("psf", "size", "softness", "angle", "noise")
    stray = [n for n in (for_photo if args.picture else for_picture) if getattr(args, n) is not None]
    if stray:
        args.usage(f"--{stray[0]} goes {'without' if args.picture else 'with'} a picture IN")
    if args.seed < 0:
        args.usage(f"argument --seed: must be 0 or more, got {args.seed}")
    if args.picture:
        make_psf = _psf_maker(args)
        picture = _files.read(args.picture)
        _files.check_output(args.output, force=args.force)
        light = deconv.tone.decode(picture.pixels, args.gamma)
        light = deconv.degrade.blur(light, make_psf(), channel_axis=picture.channel_axis)
        blurred = deconv.degrade.add_noise(deconv.tone.encode(light, args.gamma), args.noise or 0, rng=args.seed)
        _files.write(args.output, blurred, like=picture)
        print(f"wrote {args.output}")
        return
    beside = args.output.with_suffix(".txt")
    _files.check_output(args.output, force=args.force)
    if beside.exists() and not args.force:
        raise _files.FileProblem(f"{beside} exists already; --force overwrites it")
    step = 12 if args.step is None else args.step
    photo = deconv.degrade.hdc_photo(step, args.lines, font=args.font or "verdana", rng=args.seed)
    _files.write(args.output, photo.image, like=_files.Picture(photo.image, dtype=np.dtype(np.uint16), white=65535))
    _files.replace(beside, "".join(f"{line}\n" for line in photo.lines).encode())
    print(f"disk of radius {photo.radius:g} px, softness {photo.softness:.1f} px, {photo.font}")
    print(f"wrote {args.output} and {beside}")


def _demo(args):
    import numpy as np

    from deconv._core import files as _files

    try:
        args.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _files.FileProblem(f"cannot make the folder {args.out}: {error.strerror}") from None
    names = ("photo.png", "restored.png", "before_after.png")
    outputs = [args.out / name for name in names]
    for path in outputs:
        _files.check_output(path, force=True)
    photo = deconv.degrade.hdc_photo(_DEMO_STEP, rng=0)
    height, width = photo.image.shape
    print(f"A page of text, photographed out of focus: {width} x {height} pixels, blur disk of {photo.radius:g} px.")
    start = time.perf_counter()
    with _progress() as report:
        result = deconv.blind.deblur(photo.image, callback=report)
    seconds = time.perf_counter() - start
    found = result.parameters.get("radius", 0.0)
    print(f"Restored blind in {seconds:.1f} s: {_blur(result)}")
    if result.family != "none":
        print(_scene(result))
    print(f"Radius {found:.1f} px found, {photo.radius:g} px true ({100 * (found / photo.radius - 1):+.1f} %).")
    restored = np.clip(result.image, 0, 1)
    gap = np.ones((height, width // 40), restored.dtype)
    for path, pixels in zip(
        outputs, (photo.image, restored, np.concatenate([photo.image, gap, restored], axis=1)), strict=True
    ):
        _files.write(path, pixels)
    try:
        read = [deconv.ocr.read_lines(pixels) for pixels in (photo.image, restored)]
        scores = [deconv.ocr.hdc_score(pixels, photo.lines) for pixels in (photo.image, restored)]
    except (deconv.ocr.TesseractMissing, ModuleNotFoundError) as missing:
        print(f"The text, which should be {' / '.join(photo.lines)}, was not read: {missing}.")
    else:
        print("  truth:         ", " / ".join(photo.lines))
        for name, lines, score in zip(("read before:", "read after:"), read, scores, strict=True):
            print(f"  {name:<15} {' / '.join(lines) or '(nothing)'}   HDC score {score}")
    print(f"Pictures: {', '.join(str(path) for path in outputs)}")


def _compare(args):
    from deconv import compare

    for name in ("threads", "jobs", "limit"):
        if (number := getattr(args, name)) is not None and number < 1:
            args.usage(f"argument --{name}: a number of 1 or more is wanted, got {number}")
    datasets, calibration = _datasets(args, args.data or ["synthetic"]), _datasets(args, args.calibrate)
    methods = [*compare.BUILTIN, *(m for path in args.methods for m in compare.load_methods(path))]
    if args.only:
        references = [m.name for m in methods if m.kind == "reference"]
        if unknown := set(args.only) - {m.name for m in methods}:
            args.usage(f"argument --only: no method is called {min(unknown)!r}")
        methods = [m for m in methods if m.name in (*references, *args.only)]
    settings = compare.Settings(
        device=args.device,
        seed=args.seed,
        threads=args.threads,
        jobs=args.jobs,
        memory=args.memory,
        allow_shell=args.allow_shell,
    )
    with _progress() as report:
        summaries = compare.run(
            datasets,
            methods,
            args.output,
            baseline=args.baseline,
            calibration=calibration,
            settings=settings,
            report=lambda done, of, what: report(done / of, what),
        )
    print(compare.as_text(summaries))
    if calibration:
        _print_choices(args.output / "env.json")
    print(f"wrote {args.output / 'report.html'}")


# ---- parts of commands


def _datasets(args, specs):
    """The data sets of `compare`, by lines or by the files that declare them."""
    from deconv import compare

    datasets = []
    for spec in specs:
        if spec.endswith(".toml"):
            if args.limit:
                args.usage("--limit is for data sets of one line; a .toml file has a limit for each")
            datasets += compare.load_datasets(Path(spec))
        else:
            datasets.append(compare.open_dataset(spec, limit=args.limit))
    return datasets


def _print_choices(path):
    """The parameters that `compare` chose, a line for each method."""
    import json

    from deconv.compare.calibration import SCORES, choices, pictures

    told = json.loads(path.read_text(encoding="utf-8"))["calibration"]
    print(f"\nparameters chosen on {pictures(told)}, by {SCORES[told['by']]}:")
    for choice in choices(told):
        print(f"  {choice.method}: {choice.chosen}, {choice.score} ({choice.declared} as declared)")
    print()


def _beside(picture):
    from deconv._core import files as _files

    suffix = picture.suffix if picture.suffix.lower() in _files.WRITABLE else ".png"
    return picture.with_name(f"{picture.stem}_restored{suffix}")


def _read_text(path):
    from deconv._core import files as _files

    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise _files.FileProblem(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise _files.FileProblem(f"{path} is not a text file in UTF-8") from None
    lines = [line for line in lines if line.strip()]
    if not lines:
        raise _files.FileProblem(f"{path} holds no text")
    return lines


def _read_psf(path):
    """Known PSF of a file: .npy, or a picture, whose values are weights; its centre of mass is put in the middle."""
    import numpy as np

    from deconv._core import files as _files

    if path.suffix.lower() != ".npy":
        pixels = _files.read(path).pixels
        return deconv.psf.centre(pixels if pixels.ndim == 2 else pixels.mean(axis=-1))
    try:
        weights = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        raise _files.FileProblem(f"{path} is not a NumPy file of numbers") from None
    if not isinstance(weights, np.ndarray) or weights.ndim != 2:
        raise _files.FileProblem(f"{path} must hold one array of two axes")
    return deconv.psf.centre(weights)


def _psf_maker(args):
    """What makes the PSF asked of `degrade`; complaints about options come before any work."""
    family = args.psf or "disk"
    makers = {"disk": ("size", "softness"), "gaussian": ("size",), "motion": ("size", "angle"), "shake": ("size",)}
    allowed = makers.get(family, ())
    stray = [n for n in ("size", "softness", "angle") if getattr(args, n) is not None and n not in allowed]
    if stray:
        args.usage(f"--{stray[0]} does not go with --psf {family}")
    if isinstance(family, Path):
        return lambda: _read_psf(family)
    if args.size is None:
        what = {"disk": "radius", "gaussian": "sigma", "motion": "length", "shake": "side"}[family]
        args.usage(f"--size is wanted: {what} in pixels")
    if family == "shake":
        if args.size % 2 != 1:
            args.usage(f"argument --size: the side of a shake is an odd number of pixels, got {args.size:g}")
        return lambda: deconv.psf.random_motion(int(args.size), rng=args.seed)
    options = {n: getattr(args, n) for n in allowed[1:] if getattr(args, n) is not None}
    return lambda: getattr(deconv.psf, family)(args.size, **options)


def _restore_known(picture, psf, gamma, report):
    channels = 1 if picture.channel_axis is None else picture.pixels.shape[-1]
    total = 200
    done = 0

    def step(iteration, estimate):
        nonlocal done
        done += 1
        report(done / (total * channels), "restoring")

    light = deconv.variational(
        deconv.tone.decode(picture.pixels, gamma),
        psf,
        num_iter=total,
        channel_axis=picture.channel_axis,
        callback=step,
    ).image
    return deconv.tone.encode(light, gamma)


def _blur(result):
    """The blur that was found, in one line."""
    noise = f"noise {result.noise:.4f}"
    if result.family == "none":
        free = "size" in result.search
        return f"{'no PSF found that explains it better than no blur' if free else 'no blur found'}; {noise}"
    if result.family == "free":
        side, better = result.parameters["size"], 100 * result.score
        return f"free PSF, {side:.0f} px wide; it explains the picture {better:.0f} % better than no blur; {noise}"
    numbers = [
        f"{name} {value:.1f}{' degrees' if name == 'angle' else ' px'}" for name, value in result.parameters.items()
    ]
    if math.isfinite(result.uncertainty):
        numbers[0] += f" (+- {100 * result.uncertainty:.1f} %)"
    return f"{result.family} of {', '.join(numbers)}; {noise}"


def _scene(result, tone=True):
    """What the picture was restored as, and the tone curve if it was estimated, in one line."""
    if result.family == "free":
        told = "restored as text" if result.prior == "text" else "restored as a natural picture"
        return f"{told}; tone curve: gamma {result.gamma:.1f}" if tone else told
    if result.prior == "natural":
        return f"restored as a natural picture{': ' if result.reason else ''}{result.reason}"
    part = f"about {100 * result.readability:.0f} % of the characters readable"
    told = f"restored as text, {part}" if result.readable else f"too blurred to read: {part}; {result.reason}"
    if tone:
        told += f"; tone curve: gamma {result.gamma:.1f}, shoulder {result.shoulder:.2f}"
    return told


def _print_lines(lines):
    for line in lines:
        print(line)
    if not lines:
        print("deconv: no text found", file=sys.stderr)


@contextlib.contextmanager
def _progress():
    """A function of (fraction, stage) that moves a bar, which is shown on a terminal only."""
    from tqdm import tqdm

    layout = "{desc:>12} {bar:40} {percentage:3.0f} %"
    with tqdm(total=100, leave=False, disable=None, bar_format=layout) as bar:

        def report(fraction, stage):
            bar.set_description_str(stage, refresh=False)
            bar.n = round(100 * min(max(fraction, 0), 1))
            bar.refresh()

        yield report


def _check_plot(path, force):
    import importlib.util

    from deconv._core import files as _files

    if importlib.util.find_spec("matplotlib") is None:
        raise ModuleNotFoundError('--plot needs matplotlib, which is not installed: pip install "deconv[plot]"')
    _files.check_output(path, force=force, suffixes=(".png", ".pdf", ".svg"))


def _plot(result, before, path):
    import io

    import matplotlib

    from deconv._core import files as _files

    matplotlib.use("Agg")
    figure = result.plot(before)
    buffer = io.BytesIO()
    figure.savefig(buffer, format=path.suffix[1:].lower(), dpi=150)
    _files.replace(path, buffer.getvalue())
