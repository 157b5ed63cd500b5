"""``deconv compare``: methods on the same pictures, in a table and a page."""

import argparse
import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from deconv.cli import options
from deconv.cli.terminal import progress

if TYPE_CHECKING:
    from deconv.compare import Dataset, Method

__all__ = ["add_parser", "run"]


def add_parser(commands: options.Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "compare",
        formatter_class=options.HelpFormatter,
        help="compare methods on the same pictures, in a table and a page",
        description="Run methods on pictures, each in its own process, score the files they write by one rule, and "
        "write a table, a row for each picture, and a page to look at. Without arguments: six methods of deconv on "
        "twelve simulated pictures. Results already in OUT are kept and not computed again.",
        epilog=options.examples(
            "deconv compare",
            "deconv compare pictures:photos -o results",
            "deconv compare hdc:HDC2021 --methods mine.toml --only 'my network' --limit 20",
            "deconv compare pairs:test --calibrate pairs:validation",
        ),
    )
    parser.add_argument(
        "data",
        nargs="*",
        metavar="DATA",
        help="synthetic[:N], ladder[:N], or KIND:PATH with KIND one of hdc, pairs, pan, lmdb, plates, pictures; or a "
        ".toml file that declares data sets (default: synthetic)",
    )
    parser.add_argument(
        "-o", "--output", type=Path, default=Path("comparison"), metavar="OUT", help="folder (comparison)"
    )
    parser.add_argument(
        "-m", "--methods", type=Path, action="append", default=[], metavar="TOML", help="file that declares methods"
    )
    parser.add_argument(
        "--only", action="append", metavar="NAME", help="run this method alone; may be repeated (default: all)"
    )
    parser.add_argument(
        "--calibrate",
        action="append",
        default=[],
        metavar="DATA",
        help="other pictures, on which to choose the parameters of methods that have a grid before comparing; may be "
        "repeated (default: parameters as declared)",
    )
    parser.add_argument("--limit", type=int, metavar="N", help="use at most N pictures of each data set")
    parser.add_argument("--baseline", default="blurred", metavar="NAME", help="compare methods to this one (blurred)")
    parser.add_argument("--device", default="cpu", help="device passed to each method (cpu)")
    parser.add_argument("--seed", type=int, default=0, help="random seed passed to each method (0)")
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="threads of each method (1)")
    parser.add_argument(
        "--jobs", type=int, default=1, metavar="N", help="methods run at a time (1; with more, times do not compare)"
    )
    parser.add_argument(
        "--memory", type=options.positive, metavar="MB", help="memory limit of a method (four fifths of the machine's)"
    )
    parser.add_argument("--allow-shell", action="store_true", help="let declared methods run shell commands")
    parser.set_defaults(run=run, usage=parser.error)


def run(args: argparse.Namespace) -> None:
    """Run the comparison and print its table."""
    from deconv import compare

    for name in ("threads", "jobs", "limit"):
        if (number := getattr(args, name)) is not None and number < 1:
            args.usage(f"argument --{name}: a number of 1 or more is wanted, got {number}")
    datasets, calibration = _datasets(args, args.data or ["synthetic"]), _datasets(args, args.calibrate)
    methods = _methods(args)
    settings = compare.Settings(
        device=args.device,
        seed=args.seed,
        threads=args.threads,
        jobs=args.jobs,
        memory=args.memory,
        allow_shell=args.allow_shell,
    )
    with progress() as report:
        summaries = compare.run(
            datasets,
            methods,
            args.output,
            baseline=args.baseline,
            calibration=calibration,
            settings=settings,
            report=lambda done, total, stage: report(done / total, stage),
        )
    print(compare.as_text(summaries))
    if calibration:
        _print_choices(args.output / "env.json")
    print(f"wrote {args.output / 'report.html'}")


def _datasets(args: argparse.Namespace, specs: Iterable[str]) -> "list[Dataset]":
    """Data sets from one-line specifications, or from TOML files that declare them."""
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


def _methods(args: argparse.Namespace) -> "list[Method]":
    """The built-in methods and those declared in files, reduced to the references and those of ``--only``."""
    from deconv import compare

    methods = [*compare.BUILTIN, *(m for path in args.methods for m in compare.load_methods(path))]
    if args.only:
        references = [m.name for m in methods if m.kind == "reference"]
        if unknown := set(args.only) - {m.name for m in methods}:
            args.usage(f"argument --only: no method is called {min(unknown)!r}")
        methods = [m for m in methods if m.name in (*references, *args.only)]
    return methods


def _print_choices(path: Path) -> None:
    """Print the calibrated parameters, a line for each method."""
    from deconv.compare.calibration import SCORES, choices, describe_pictures

    record = json.loads(path.read_text(encoding="utf-8"))["calibration"]
    print(f"\nparameters chosen on {describe_pictures(record)}, by {SCORES[record['by']]}:")
    for choice in choices(record):
        print(f"  {choice.method}: {choice.chosen}, {choice.score} ({choice.declared} as declared)")
    print()
