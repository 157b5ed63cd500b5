"""Functions of other people's packages, by name."""

import importlib.util
import sys
from pathlib import Path

from deconv.compare.protocol import Problem

__all__ = ["imported", "source"]


def imported(path, home=None):
    """The function of a ``"package:function"``, looked for in a folder too if one is given.

    Raises
    ------
    Problem
        If there is none. What the import of other packages raises goes through.
    """
    module, _, name = path.partition(":")
    if home and home not in sys.path:
        sys.path.append(home)
    try:
        found = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise
        where = f", neither installed nor in {home}" if home else ""
        raise Problem(f"there is no package {error.name!r} for {path}{where}") from None
    function = getattr(found, name, None)
    if not callable(function):
        raise Problem(f"{path} names no function")
    return function


def source(path, home=None):
    """The file of the function of a ``"package:function"``, found without importing it; "" if there is none."""
    package, *inner = path.partition(":")[0].split(".")
    roots = [Path(home), *map(Path, sys.path)] if home else map(Path, sys.path)
    for root in roots:
        for file in (root.joinpath(package, *inner).with_suffix(".py"), root.joinpath(package, *inner, "__init__.py")):
            if file.is_file():
                return str(file)
    return ""
