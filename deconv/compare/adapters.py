"""Methods made callable, whatever they are: our own, code, programs, files made elsewhere; networks next door."""

import glob
import shlex
import subprocess
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np

from deconv._core import files as _files
from deconv.compare import networks as _networks
from deconv.compare.imported import imported
from deconv.compare.own import FUNCTIONS
from deconv.compare.protocol import Context, Method, Problem

__all__ = ["Restore", "build"]


class Restore(Protocol):
    """A method that is ready.

    Attributes
    ----------
    parameters : int or None
        Numbers that were trained, where it is known.
    """

    parameters: int | None

    def __call__(self, image: np.ndarray, context: Context, *, name: str = "") -> object:
        """The picture restored; or a tuple of it, the estimated PSF and, if wanted, a dict for `Row.details`."""
        ...


def build(method: Method, *, allow_shell: bool = False) -> Restore:
    """A method loaded, so that it can be called as ``restore(image, context, name=name)``.

    Parameters
    ----------
    method : Method
        As declared.
    allow_shell : bool
        Whether it may run a command.

    Returns
    -------
    Restore
        From a picture (M, N) or (M, N, 3) from 0 to 1 to one restored. `name` is that of the picture, by which results
        made elsewhere are found.

    Raises
    ------
    Problem
        If something that it needs is not there, or not allowed. What its own code raises goes through.
    """
    if method.type == "shell" and not allow_shell:
        raise Problem("it runs a command, which is done with --allow-shell only")
    return _KINDS[method.type](method)


class Own:
    """One of our own functions."""

    parameters: int | None = None

    def __init__(self, method):
        name = method.options["function"]
        if name not in FUNCTIONS:
            raise Problem(f"{name!r} is a reference, which the comparison makes itself")
        self._call = partial(FUNCTIONS[name], **method.options.get("parameters", {}))

    def __call__(self, image, context, *, name=""):
        """What the function makes of the picture."""
        return self._call(image, context)


class Python:
    """A function of any package: ``function(image, context, **parameters)``."""

    def __init__(self, method):
        function = imported(method.options["function"], method.options.get("folder"))
        self.parameters = getattr(function, "parameters", None)
        self._call = partial(function, **method.options.get("parameters", {}))

    def __call__(self, image, context, *, name=""):
        """What the function makes of the picture."""
        return self._call(image, context)


class Shell:
    """A program: it is given one PNG and writes another, in a folder of its own that is removed afterwards."""

    parameters: int | None = None

    def __init__(self, method):
        try:
            self._arguments = shlex.split(method.options["command"])
        except ValueError as error:
            raise Problem(f"its command cannot be taken apart, {error}: {method.options['command']}") from None
        self._home = method.options.get("folder")
        depth = np.dtype(np.uint16 if method.options.get("bits") == 16 else np.uint8)
        self._like = _files.Picture(np.zeros((1, 1)), dtype=depth)

    def __call__(self, image, context, *, name=""):
        """The picture that the program wrote."""
        with tempfile.TemporaryDirectory(prefix="deconv-") as folder:
            given, wanted = Path(folder, "in.png"), Path(folder, "out.png")
            _files.write(given, image, like=self._like)
            said = {"in": given, "out": wanted, "seed": context.seed, "device": context.device}
            if context.level is not None:
                said["level"] = f"{context.level:g}"
            arguments = [_replaced(argument, said) for argument in self._arguments]
            _run(arguments, self._home)
            return _files.read(_written(given, wanted)).pixels


def _replaced(argument, said):
    if "{level}" in argument and "level" not in said:
        raise Problem("its command needs the level of blur, and nobody knows it for this picture")
    for name, value in said.items():
        argument = argument.replace(f"{{{name}}}", str(value))
    return argument


def _run(arguments, home):
    """Run a program to its end; its last words are the problem if it fails."""
    program = Path(arguments[0]).name
    try:
        # (Not in a session of its own: who stops us stops it too.)
        done = subprocess.run(
            arguments, cwd=home, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
    except OSError as error:
        raise Problem(f"{program} cannot be run: {error.strerror}") from None
    if done.returncode:
        said = [line.strip() for line in done.stderr.decode(errors="replace").splitlines() if line.strip()]
        raise Problem(f"{program} failed with exit status {done.returncode}{': ' if said else ''}{''.join(said[-1:])}")


def _written(given, wanted):
    """The file that a program wrote: as it was told, or the only other one beside what it was given."""
    if wanted.exists():
        return wanted
    others = sorted(path.name for path in given.parent.iterdir() if path != given)
    if len(others) != 1:
        what = f"wrote {', '.join(others)} but not {{out}}" if others else "wrote nothing"
        raise Problem(f"its command ended well but {what}")
    return given.with_name(others[0])


class Folder:
    """Results made elsewhere, found by the names of their pictures."""

    parameters: int | None = None

    def __init__(self, method):
        self._pattern = method.options["pattern"]

    def __call__(self, image, context, *, name=""):
        """The result of the picture `name`."""
        found = sorted(glob.glob(self._pattern.replace("{stem}", glob.escape(name))))
        if len(found) != 1:
            what = f"{len(found)} files, the first {' and '.join(found[:2])}," if found else "no file"
            raise Problem(f"{what} found for the picture {name!r} as {self._pattern}, one is wanted")
        return _files.read(found[0]).pixels


_KINDS: dict[str, Callable[[Method], Restore]] = {
    "deconv": Own,
    "python": Python,
    "shell": Shell,
    "folder": Folder,
    **_networks.KINDS,
}
