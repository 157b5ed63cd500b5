"""Functions of other packages, by a name such as "package:function"."""

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from deconv.compare.protocol import Problem

__all__ = ["load_function", "source_file"]


def load_function(path: str, folder: str | None = None) -> Callable[..., Any]:
    """Import the function of a ``"package:function"``, which may also lie in a folder.

    Raises
    ------
    Problem
        If there is no such function. Errors of the import itself are not caught.
    """
    module, _, name = path.partition(":")
    if folder and folder not in sys.path:
        sys.path.append(folder)
    try:
        package = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise
        where = f", neither installed nor in {folder}" if folder else ""
        raise Problem(f"there is no package {error.name!r} for {path}{where}") from None
    function = getattr(package, name, None)
    if not callable(function):
        raise Problem(f"{path} names no function")
    return function


def source_file(path: str, folder: str | None = None) -> str:
    """The file of a ``"package:function"``, located without importing it; "" if there is none."""
    package, *inner = path.partition(":")[0].split(".")
    roots = [*([folder] if folder else []), *sys.path]
    for root in map(Path, roots):
        for file in (root.joinpath(package, *inner).with_suffix(".py"), root.joinpath(package, *inner, "__init__.py")):
            if file.is_file():
                return str(file)
    return ""
