"""What the commands show on a terminal: errors, warnings, a progress bar, recognised text."""

import contextlib
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence

__all__ = ["fail", "print_lines", "progress", "warnings_on_stderr"]


def fail(error: object) -> int:
    """Print an error as one line on stderr; the exit code."""
    print("deconv: error:", " ".join(str(error).split()), file=sys.stderr)
    return 1


@contextlib.contextmanager
def warnings_on_stderr() -> Iterator[None]:
    """Print the library's warnings as lines on stderr, after the command's own output."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default", UserWarning)
        try:
            yield
        finally:
            for warning in caught:
                print("deconv: warning:", " ".join(str(warning.message).split()), file=sys.stderr)


@contextlib.contextmanager
def progress() -> Iterator[Callable[[float, str], None]]:
    """A function ``report(fraction, stage)`` that moves a progress bar, shown on a terminal only."""
    from tqdm import tqdm

    layout = "{desc:>12} {bar:40} {percentage:3.0f} %"
    with tqdm(total=100, leave=False, disable=None, bar_format=layout) as bar:

        def report(fraction: float, stage: str) -> None:
            bar.set_description_str(stage, refresh=False)
            bar.n = round(100 * min(max(fraction, 0), 1))
            bar.refresh()

        yield report


def print_lines(lines: Sequence[str]) -> None:
    """Print recognised text, or say on stderr that there is none."""
    for line in lines:
        print(line)
    if not lines:
        print("deconv: no text found", file=sys.stderr)
