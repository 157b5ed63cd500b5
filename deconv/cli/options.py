"""Options that several commands share: their types, their help, and examples below the help."""

import argparse
import contextlib
import math
from pathlib import Path
from typing import TypeAlias

__all__ = ["FAMILIES", "Commands", "HelpFormatter", "examples", "force", "lang", "positive", "psf_choice"]

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

FAMILIES = ("disk", "gaussian", "motion")

_EXAMPLES = "examples:\n"


class HelpFormatter(argparse.HelpFormatter):
    """Wraps text as usual, but keeps the lines of examples."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        if text.startswith(_EXAMPLES):
            return text
        return super()._fill_text(text, width, indent)


def examples(*lines: str) -> str:
    """Epilog of a command: lines to type."""
    return _EXAMPLES + "\n".join(f"  {line}" for line in lines)


def force() -> argparse.ArgumentParser:
    """Parent parser with ``--force``."""
    parent = argparse.ArgumentParser(add_help=False)
    parent.add_argument("--force", action="store_true", help="overwrite existing files")
    return parent


def lang() -> argparse.ArgumentParser:
    """Parent parser with ``--lang``."""
    parent = argparse.ArgumentParser(add_help=False)
    parent.add_argument("--lang", default="eng", help="language of the text, as tesseract names it (default: eng)")
    return parent


def positive(text: str) -> float:
    """A finite number above 0."""
    with contextlib.suppress(ValueError):
        if 0 < (number := float(text)) < math.inf:
            return number
    raise argparse.ArgumentTypeError(f"must be a number above 0, got {text}")


def psf_choice(names: tuple[str, ...], text: str) -> str | Path:
    """One of the names, or the path of an existing file."""
    if text in names:
        return text
    if not Path(text).is_file():
        raise argparse.ArgumentTypeError(f"{text!r} is neither {', '.join(names)} nor a file")
    return Path(text)
