"""The built-in methods, and methods declared in a TOML file."""

import glob
import tomllib
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from deconv._core.check import real
from deconv.compare.functions import FUNCTIONS, WITH_PSF
from deconv.compare.prepare import Prepare
from deconv.compare.protocol import Method, Problem
from deconv.compare.table import slug

__all__ = ["BUILTIN", "load_methods"]


def _builtin(
    name: str,
    function: str,
    knows: tuple[str, ...] = (),
    grid: dict[str, list[Any]] | None = None,
    **parameters: Any,
) -> Method:
    options: dict[str, Any] = {"function": function, "parameters": parameters}
    return Method(name, "deconv", knows=knows, options=options, grid=grid or {})


# Each classical method gets a grid of seven strengths, evenly spaced in the logarithm; the best one on the synthetic
# set of seed 1 is well inside. The declared default, an automatic choice, is tried as well. The methods called "ours"
# have no free parameter.
_DECADES = [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1.0]
BUILTIN: tuple[Method, ...] = (
    Method("blurred", "deconv", "reference", options={"function": "blurred"}),
    Method("sharp", "deconv", "reference", options={"function": "sharp"}),
    _builtin("Wiener", "wiener", ("psf",), {"balance": _DECADES}),
    _builtin("Richardson-Lucy", "richardson_lucy", ("psf",), {"num_iter": [3, 6, 14, 30, 65, 140, 300]}),
    _builtin("total variation", "variational", ("psf",), {"weight": _DECADES}, prior="TotalVariation"),
    _builtin("ours, PSF known", "deblur_known", ("psf",)),
    _builtin("ours, disk sought", "deblur", psf="disk"),
    _builtin("ours, blind", "deblur"),
)

# Types of values, and their names in messages.
_TEXT, _TABLE, _LIST = (str, "text"), (dict, "a table"), (list, "a list")
# Keys allowed in every method.
_COMMON: dict[str, tuple[Any, str]] = {
    "name": _TEXT,
    "type": _TEXT,
    "kind": _TEXT,
    "knows": _LIST,
    "trained_on": _TEXT,
    "licence": _TEXT,
    "timeout": ((int, float), "a number"),
}
# Required keys of each type, as alternatives, and its optional keys.
_REQUIRED: dict[str, tuple[tuple[str, ...], ...]] = {
    "deconv": (("function",),),
    "python": (("function",),),
    "torch": (("file",), ("factory", "weights")),
    "onnx": (("file",),),
    "keras": (("file",),),
    "shell": (("command",),),
    "folder": (("pattern",),),
}
_OPTIONAL: dict[str, dict[str, tuple[Any, str]]] = {
    "deconv": {"parameters": _TABLE, "grid": _TABLE},
    "python": {"parameters": _TABLE, "grid": _TABLE},
    "torch": {"parameters": _TABLE, "prepare": _TABLE},
    "onnx": {"prepare": _TABLE},
    "keras": {"prepare": _TABLE},
    "shell": {"bits": (int, "8 or 16")},
    "folder": {},
}
# Keys that are fields of `Method`; all others are options of its type.
_FIELDS = (*_COMMON, "prepare", "grid")
_NETWORKS = ("torch", "onnx", "keras")
_KINDS, _KNOWN = ("classical", "learned"), ("psf", "level", "noise")
# Options that are paths relative to the folder of the TOML, and types that look for code or files in that folder.
_PATHS, _NEED_FOLDER = ("file", "weights"), ("python", "torch", "shell")


def load_methods(path: str | Path) -> tuple[Method, ...]:
    r"""Load the methods that a TOML file declares, each in a table ``[[method]]``.

    Every method has a ``name`` and a ``type``, and may have ``kind``, ``knows``, ``trained_on``, ``licence`` and
    ``timeout`` (see `Method`). Each type has further keys:

    ========== =====================================================================================================
    deconv     ``function``, the name of a function of this package; ``[method.parameters]``, ``[method.grid]``
    python     ``function``, as "package:function", called as ``function(image, context, **parameters)``;
               ``[method.parameters]``, ``[method.grid]``
    torch      ``file``, TorchScript; or ``factory``, as "package:function", for a module built by
               ``function(**parameters)``, and ``weights``, its state; ``[method.prepare]``, ``[method.parameters]``
    onnx       ``file``; ``[method.prepare]``
    keras      ``file``, of the format .keras; ``[method.prepare]``
    shell      ``command``, in which {in}, {out}, {level}, {seed} and {device} are replaced; ``bits`` of its input
               PNG, 8 or 16
    folder     ``pattern`` of the files that hold its results; {stem} is the image's name
    ========== =====================================================================================================

    `Prepare` lists the keys of ``[method.prepare]``, which describe a network's input and output. ``[method.grid]``
    lists values for parameters of the function, such as ``strength = [0.1, 1, 10]``: `run` chooses the best of all
    combinations and of the declared parameters on its calibration images; without such images the grid is not used.

    Parameters
    ----------
    path : path
        The file; paths in it are relative to its folder, which is also searched for code and commands.

    Returns
    -------
    tuple of Method
        In the order of the file.

    Raises
    ------
    Problem
        If the file, a key or a value cannot be used. A missing network file is not an error here: each row of a method
        that cannot be loaded says why.

    Examples
    --------
    >>> import pathlib, tempfile, deconv.compare
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "mine.toml")
    ...     _ = path.write_text("[[method]]\nname = 'my network'\ntype = 'onnx'\nfile = 'network.onnx'")
    ...     (method,) = deconv.compare.load_methods(path)
    >>> method.name, method.kind
    ('my network', 'learned')
    """
    path = Path(path)
    try:
        declared = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Problem(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise Problem(f"{path} is not a text file in UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise Problem(f"{path} is not valid TOML: {error}") from None
    tables = declared.pop("method", None)
    if declared:
        raise Problem(f"{path} has the key {min(declared)!r}, known is [[method]]")
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise Problem(f"{path} declares no [[method]]")
    methods: dict[str, Method] = {}
    for number, table in enumerate(tables, 1):
        name = table.get("name")
        title = f"method {name!r}" if isinstance(name, str) and name else f"method {number}"
        try:
            method = _method(table, path.resolve().parent)
        except (Problem, TypeError, ValueError) as error:
            raise Problem(f"{path}, {title}: {error}") from None
        if (other := methods.setdefault(slug(method.name), method)) is not method:
            why = "is used twice" if other.name == method.name else f"gives the same folder as {other.name!r}"
            raise Problem(f"{path}, {title}: its name {why}; names must differ in their letters and digits")
    return tuple(methods.values())


def _method(table: dict[str, Any], folder: Path) -> Method:
    """Convert a table to a method; Problem, TypeError or ValueError if it is wrong."""
    type_ = table.get("type")
    for name in ("name", "type"):
        if not table.get(name):
            raise Problem(f"{name} is missing")
    if not isinstance(type_, str) or type_ not in _REQUIRED:
        raise Problem(f"type must be one of {', '.join(map(repr, _REQUIRED))}, got {type_!r}")
    alternatives = _REQUIRED[type_]
    required = {name: _TEXT for keys in alternatives for name in keys}
    known = _COMMON | required | _OPTIONAL[type_]
    for name, value in table.items():
        if name not in known:
            raise Problem(f"{name} is not a key of the type {type_!r}, known are {', '.join(known)}")
        expected, description = known[name]
        if not isinstance(value, expected) or isinstance(value, bool):
            raise Problem(f"{name} must be {description}, got {value!r}")
    given = [name for name in required if name in table]
    if set(given) not in [set(keys) for keys in alternatives]:
        needs = ", or ".join(" and ".join(keys) for keys in alternatives)
        raise Problem(f"the type {type_!r} needs {needs}, got {' and '.join(given) or 'none of them'}")
    common = {name: value for name, value in table.items() if name in _COMMON}
    options = {name: value for name, value in table.items() if name not in _FIELDS}
    options |= {name: str(folder / options[name]) for name in _PATHS if name in options}
    if "pattern" in options:
        options["pattern"] = str(Path(glob.escape(str(folder)), options["pattern"]))
    if type_ in _NEED_FOLDER:
        options["folder"] = str(folder)
    method = Method(
        **common
        | {
            "kind": _one_of(table.get("kind", "learned" if type_ in _NETWORKS else "classical"), "kind", _KINDS),
            "knows": tuple(_one_of(name, "each of knows", _KNOWN) for name in table.get("knows", ())),
            "timeout": real(table.get("timeout", 600.0), "timeout", above=0.0),
        },
        options=options,
        prepare=table.get("prepare", {}),
        grid=table.get("grid", {}),
    )
    _check_options(method)
    return method


def _one_of(value: Any, name: str, known: Sequence[Any]) -> Any:
    if value not in known:
        raise Problem(f"{name} must be one of {', '.join(map(repr, known))}, got {value!r}")
    return value


def _check_options(method: Method) -> None:
    """Raise Problem for invalid options, and for values that a method needs and does not declare to know."""
    options, require = method.options, partial(_require, method)
    if method.type == "deconv":
        function = options["function"]
        if function not in FUNCTIONS:
            raise Problem(f"function must be one of {', '.join(FUNCTIONS)}, got {function!r}")
        if function in WITH_PSF:
            require("psf", f"{function} needs it")
    for name in ("function", "factory"):
        if method.type != "deconv" and name in options:
            module, _, function = options[name].partition(":")
            if not (module and function):
                raise Problem(f'{name} must be "package:function", got {options[name]!r}')
    if method.type == "torch" and "file" in options and "parameters" in options:
        raise Problem("parameters are those of the factory, and TorchScript in a file takes none")
    if options.get("bits", 8) not in (8, 16):
        raise Problem(f"bits must be 8 or 16, got {options['bits']!r}")
    if "{level}" in options.get("command", ""):
        require("level", "the command has {level}")
    if "command" in options and "{in}" not in options["command"]:
        raise Problem(f"command must have {{in}}, the picture to restore, got {options['command']!r}")
    if "pattern" in options and "{stem}" not in options["pattern"]:
        raise Problem(f"pattern must have {{stem}}, the name of the picture, got {options['pattern']!r}")
    for name, values in method.grid.items():
        if not isinstance(values, list) or not values:
            raise Problem(f"grid.{name} must be a list of the values to try, got {values!r}")
    if Prepare.from_table(method.prepare).level:
        require("level", "prepare.level passes it to the network")


def _require(method: Method, name: str, why: str) -> None:
    if name not in method.knows:
        raise Problem(f"knows must have {name!r}, as {why}, got {list(method.knows)!r}")
