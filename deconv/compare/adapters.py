"""Make any declared method callable: functions of deconv, of other packages, programs, results on disk, networks."""

import glob
import shlex
import subprocess
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np

from deconv._core import files
from deconv.compare import networks
from deconv.compare.functions import FUNCTIONS
from deconv.compare.plugins import load_function
from deconv.compare.protocol import Context, Method, Problem

__all__ = ["Restore", "build"]


class Restore(Protocol):
    """A method that is loaded.

    Attributes
    ----------
    parameters : int or None
        Number of trained parameters, if known.
    """

    parameters: int | None

    def __call__(self, image: np.ndarray, context: Context, *, name: str = "") -> object:
        """The restored image; or a tuple of it, the estimated PSF and, optionally, a dict for `Row.details`."""
        ...


def build(method: Method, *, allow_shell: bool = False) -> Restore:
    """Load a method, to be called as ``restore(image, context, name=name)``.

    Parameters
    ----------
    method : Method
        As declared.
    allow_shell : bool
        Whether it may run a shell command.

    Returns
    -------
    Restore
        Restores an image (M, N) or (M, N, 3) with values from 0 to 1. `name` is that of the image, by which results
        on disk are located.

    Raises
    ------
    Problem
        If something that it needs is missing or not allowed. Errors of its own code are not caught.
    """
    if method.type == "shell" and not allow_shell:
        raise Problem("it runs a shell command, which needs --allow-shell")
    return _TYPES[method.type](method)


class Builtin:
    """A function of deconv."""

    parameters: int | None = None

    def __init__(self, method: Method) -> None:
        name = method.options["function"]
        if name not in FUNCTIONS:
            raise Problem(f"{name!r} is a reference, which the comparison computes itself")
        self._call: Callable[..., object] = partial(FUNCTIONS[name], **method.options.get("parameters", {}))

    def __call__(self, image: np.ndarray, context: Context, *, name: str = "") -> object:
        """What the function returns for the image."""
        return self._call(image, context)


class Python:
    """A function of any package: ``function(image, context, **parameters)``."""

    def __init__(self, method: Method) -> None:
        function = load_function(method.options["function"], method.options.get("folder"))
        self.parameters: int | None = getattr(function, "parameters", None)
        self._call: Callable[..., object] = partial(function, **method.options.get("parameters", {}))

    def __call__(self, image: np.ndarray, context: Context, *, name: str = "") -> object:
        """What the function returns for the image."""
        return self._call(image, context)


class Shell:
    """A program that reads one PNG and writes another, in a temporary folder of its own."""

    parameters: int | None = None

    def __init__(self, method: Method) -> None:
        try:
            self._arguments = shlex.split(method.options["command"])
        except ValueError as error:
            raise Problem(f"its command cannot be parsed, {error}: {method.options['command']}") from None
        self._folder = method.options.get("folder")
        depth = np.dtype(np.uint16 if method.options.get("bits") == 16 else np.uint8)
        self._like = files.Picture(np.zeros((1, 1)), dtype=depth)

    def __call__(self, image: np.ndarray, context: Context, *, name: str = "") -> object:
        """The image that the program wrote."""
        with tempfile.TemporaryDirectory(prefix="deconv-") as folder:
            source, target = Path(folder, "in.png"), Path(folder, "out.png")
            files.write(source, image, like=self._like)
            values: dict[str, object] = {
                "in": source,
                "out": target,
                "seed": context.seed,
                "device": context.device,
            }
            if context.level is not None:
                values["level"] = f"{context.level:g}"
            arguments = [_substitute(argument, values) for argument in self._arguments]
            _run(arguments, self._folder)
            return files.read(_written(source, target)).pixels


def _substitute(argument: str, values: dict[str, object]) -> str:
    if "{level}" in argument and "level" not in values:
        raise Problem("its command needs the level of blur, which is unknown for this picture")
    for name, value in values.items():
        argument = argument.replace(f"{{{name}}}", str(value))
    return argument


def _run(arguments: list[str], folder: str | None) -> None:
    """Run a program to its end; if it fails, report the last line of its stderr."""
    program = Path(arguments[0]).name
    try:
        # In the session of this process, so that whatever stops this process stops the program too.
        done = subprocess.run(
            arguments, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
    except OSError as error:
        raise Problem(f"{program} cannot be run: {error.strerror}") from None
    if done.returncode:
        lines = [line.strip() for line in done.stderr.decode(errors="replace").splitlines() if line.strip()]
        raise Problem(
            f"{program} failed with exit status {done.returncode}{': ' if lines else ''}{''.join(lines[-1:])}"
        )


def _written(source: Path, target: Path) -> Path:
    """The file that a program wrote: the target, or else the only new file beside the source."""
    if target.exists():
        return target
    others = sorted(path.name for path in source.parent.iterdir() if path != source)
    if len(others) != 1:
        result = f"wrote {', '.join(others)} but not {{out}}" if others else "wrote nothing"
        raise Problem(f"its command ended well but {result}")
    return source.with_name(others[0])


class Folder:
    """Results on disk, located by the names of their images."""

    parameters: int | None = None

    def __init__(self, method: Method) -> None:
        self._pattern = method.options["pattern"]

    def __call__(self, image: np.ndarray, context: Context, *, name: str = "") -> object:
        """The result for the image `name`."""
        paths = sorted(glob.glob(self._pattern.replace("{stem}", glob.escape(name))))
        if len(paths) != 1:
            matches = f"{len(paths)} files, the first {' and '.join(paths[:2])}," if paths else "no file"
            raise Problem(f"{matches} found for the picture {name!r} as {self._pattern}, one is wanted")
        return files.read(paths[0]).pixels


_TYPES: dict[str, Callable[[Method], Restore]] = {
    "deconv": Builtin,
    "python": Python,
    "shell": Shell,
    "folder": Folder,
    **networks.TYPES,
}
