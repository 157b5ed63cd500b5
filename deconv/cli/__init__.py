"""The command line: ``deconv restore``, ``read``, ``degrade``, ``compare`` and ``demo``, one file each.

The only package that prints or shows progress. Each command imports heavy modules when it runs, so that ``--help`` and
usage errors answer at once.
"""

import argparse
import io
import sys
from collections.abc import Sequence

import deconv
from deconv.cli import compare, degrade, demo, read, restore
from deconv.cli.options import HelpFormatter
from deconv.cli.terminal import fail, warnings_on_stderr

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments; those of the process by default.

    Returns
    -------
    int
        0 for success, 1 for a failure, which stderr explains in one line, 130 if interrupted. Bad usage exits with 2.

    Examples
    --------
    >>> from deconv.cli import main
    >>> main(["degrade", "photo.png", "-o", "blurred.png", "--psf", "disk", "--size", "6"])  # doctest: +SKIP
    0
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # tesseract reads characters that not every terminal can show
    args = _parse(sys.argv[1:] if argv is None else argv)
    try:
        with warnings_on_stderr():
            args.run(args)
    except KeyboardInterrupt:
        return 130
    except MemoryError:
        return fail("not enough memory for a picture of this size")
    except (OSError, ValueError, TypeError, RuntimeError, ImportError) as error:
        return fail(error)
    return 0


def _parse(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="deconv",
        formatter_class=HelpFormatter,
        description="Deblur photos and scans without training.",
        epilog="deconv COMMAND --help explains a command and shows examples.",
    )
    parser.add_argument("--version", action="version", version=f"deconv {deconv.__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in (restore, read, degrade, compare, demo):
        command.add_parser(commands)
    if not argv:
        parser.print_help(sys.stderr)
        parser.exit(2, "\ndeconv: error: the following arguments are required: COMMAND\n")
    return parser.parse_args(argv)
