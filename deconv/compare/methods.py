"""Methods as a TOML declares them, and those that need no declaration."""

import glob
import tomllib
from functools import partial
from pathlib import Path

from deconv._core.check import real
from deconv.compare.own import FUNCTIONS, WITH_PSF
from deconv.compare.prepare import Prepare
from deconv.compare.protocol import Method, Problem
from deconv.compare.table import slug

__all__ = ["BUILTIN", "load_methods"]


def _own(name, function, knows=(), grid=None, **parameters):
    options = {"function": function, "parameters": parameters}
    return Method(name, "deconv", knows=knows, options=options, grid=grid or {})


# Those with a strength to choose have as many values of it each, even in the logarithm, and the best one of the
# synthetic set of seed 1 well inside; what they do by themselves is what is declared, and so tried too. Our own have
# nothing to choose.
_DECADES = [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1.0]
BUILTIN: tuple[Method, ...] = (
    Method("blurred", "deconv", "reference", options={"function": "blurred"}),
    Method("sharp", "deconv", "reference", options={"function": "sharp"}),
    _own("Wiener", "wiener", ("psf",), {"balance": _DECADES}),
    _own("Richardson-Lucy", "richardson_lucy", ("psf",), {"num_iter": [3, 6, 14, 30, 65, 140, 300]}),
    _own("total variation", "variational", ("psf",), {"weight": _DECADES}, prior="TotalVariation"),
    _own("ours, PSF known", "deblur_known", ("psf",)),
    _own("ours, disk sought", "deblur"),
    _own("ours, blind", "deblur", psf="auto"),
)

# Kinds of value: what Python calls them, and what a sentence does.
_TEXT, _TABLE, _LIST = (str, "text"), (dict, "a table"), (list, "a list")
# Keys that any method may have.
_COMMON = {
    "name": _TEXT,
    "type": _TEXT,
    "kind": _TEXT,
    "knows": _LIST,
    "trained_on": _TEXT,
    "licence": _TEXT,
    "timeout": ((int, float), "a number"),
}
# Those of each type: what it needs, in one or another way, and what it may have beside.
_NEEDS: dict[str, tuple[tuple[str, ...], ...]] = {
    "deconv": (("function",),),
    "python": (("function",),),
    "torch": (("file",), ("factory", "weights")),
    "onnx": (("file",),),
    "keras": (("file",),),
    "shell": (("command",),),
    "folder": (("pattern",),),
}
_MAY = {
    "deconv": {"parameters": _TABLE, "grid": _TABLE},
    "python": {"parameters": _TABLE, "grid": _TABLE},
    "torch": {"parameters": _TABLE, "prepare": _TABLE},
    "onnx": {"prepare": _TABLE},
    "keras": {"prepare": _TABLE},
    "shell": {"bits": (int, "8 or 16")},
    "folder": {},
}
# Keys that are fields of a method, not options of its type.
_FIELDS = (*_COMMON, "prepare", "grid")
_NETWORKS = ("torch", "onnx", "keras")
_KINDS, _KNOWN = ("classical", "learned"), ("psf", "level", "noise")
# Options that name files, from the folder of the TOML; and types that find code or files there.
_PATHS, _AT_HOME = ("file", "weights"), ("python", "torch", "shell")


def load_methods(path):
    r"""Load the methods that a TOML file declares, one a table ``[[method]]``.

    Every method has a ``name`` and a ``type``, and may have ``kind``, ``knows``, ``trained_on``, ``licence`` and
    ``timeout`` (see `Method`). Beside them a type has keys of its own:

    ========== =====================================================================================================
    deconv     ``function``, one of this package's, by name; ``[method.parameters]``, ``[method.grid]``
    python     ``function``, as "package:function", called as ``function(image, context, **parameters)``;
               ``[method.parameters]``, ``[method.grid]``
    torch      ``file``, TorchScript; or ``factory``, as "package:function", for a module made by
               ``function(**parameters)`` and ``weights``, its state; ``[method.prepare]``, ``[method.parameters]``
    onnx       ``file``; ``[method.prepare]``
    keras      ``file``, of the format .keras; ``[method.prepare]``
    shell      ``command``, in which {in}, {out}, {level}, {seed} and {device} are replaced; ``bits`` of the PNG that
               it is given, 8 or 16
    folder     ``pattern`` of the files of its results, made elsewhere; {stem} is the picture's name
    ========== =====================================================================================================

    What may be said of a network's input and output in ``[method.prepare]`` is told in `Prepare`. In ``[method.grid]``
    parameters of the function have lists of values, as ``strength = [0.1, 1, 10]``: of all combinations, and of what is
    declared, `run` chooses the best on its calibration pictures; without such pictures the grid is not used.

    Parameters
    ----------
    path : path
        The file; paths in it start from its folder, where code and commands are looked for as well.

    Returns
    -------
    tuple of Method
        In their order in the file.

    Raises
    ------
    Problem
        If the file, a key or a value cannot be used. That a network's file is there is not asked: a method that cannot
        be loaded is a row that says so.

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
        raise Problem(f"{path} is not TOML: {error}") from None
    tables = declared.pop("method", None)
    if declared:
        raise Problem(f"{path} has the key {min(declared)!r}, known is [[method]]")
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise Problem(f"{path} declares no [[method]]")
    methods = {}
    for number, table in enumerate(tables, 1):
        given = table.get("name")
        called = f"method {given!r}" if isinstance(given, str) and given else f"method {number}"
        try:
            method = _method(table, path.resolve().parent)
        except (Problem, TypeError, ValueError) as error:
            raise Problem(f"{path}, {called}: {error}") from None
        if (other := methods.setdefault(slug(method.name), method)) is not method:
            why = "is there twice" if other.name == method.name else f"cannot be told from {other.name!r} as a folder"
            raise Problem(f"{path}, {called}: its name {why}, names whose letters and digits differ are wanted")
    return tuple(methods.values())


def _method(table, home):
    """A table as a method; Problem, TypeError or ValueError if it is none."""
    kind_of = table.get("type")
    for name in ("name", "type"):
        if not table.get(name):
            raise Problem(f"{name} is missing")
    if not isinstance(kind_of, str) or kind_of not in _NEEDS:
        raise Problem(f"type must be one of {', '.join(map(repr, _NEEDS))}, got {kind_of!r}")
    ways = _NEEDS[kind_of]
    needed = {name: _TEXT for way in ways for name in way}
    known = _COMMON | needed | _MAY[kind_of]
    for name, value in table.items():
        if name not in known:
            raise Problem(f"{name} is not a key of the type {kind_of!r}, known are {', '.join(known)}")
        wanted, called = known[name]
        if not isinstance(value, wanted) or isinstance(value, bool):
            raise Problem(f"{name} must be {called}, got {value!r}")
    given = [name for name in needed if name in table]
    if set(given) not in [set(way) for way in ways]:
        told = ", or ".join(" and ".join(way) for way in ways)
        raise Problem(f"the type {kind_of!r} needs {told}, got {' and '.join(given) or 'nothing of the kind'}")
    said = {name: value for name, value in table.items() if name in _COMMON}
    options = {name: value for name, value in table.items() if name not in _FIELDS}
    options |= {name: str(home / options[name]) for name in _PATHS if name in options}
    if "pattern" in options:
        options["pattern"] = str(Path(glob.escape(str(home)), options["pattern"]))
    if kind_of in _AT_HOME:
        options["folder"] = str(home)
    method = Method(
        **said
        | {
            "kind": _one_of(table.get("kind", "learned" if kind_of in _NETWORKS else "classical"), "kind", _KINDS),
            "knows": tuple(_one_of(name, "each of knows", _KNOWN) for name in table.get("knows", ())),
            "timeout": real(table.get("timeout", 600.0), "timeout", above=0.0),
        },
        options=options,
        prepare=table.get("prepare", {}),
        grid=table.get("grid", {}),
    )
    _check_options(method)
    return method


def _one_of(value, name, known):
    if value not in known:
        raise Problem(f"{name} must be one of {', '.join(map(repr, known))}, got {value!r}")
    return value


def _check_options(method):
    """Complaints about values that a type does not know, and about what a method needs and does not declare."""
    options, lacks = method.options, partial(_lacks, method)
    if method.type == "deconv":
        function = options["function"]
        if function not in FUNCTIONS:
            raise Problem(f"function must be one of {', '.join(FUNCTIONS)}, got {function!r}")
        if function in WITH_PSF:
            lacks("psf", f"{function} needs it")
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
        lacks("level", "the command has {level}")
    if "command" in options and "{in}" not in options["command"]:
        raise Problem(f"command must have {{in}}, the picture that it is given, got {options['command']!r}")
    if "pattern" in options and "{stem}" not in options["pattern"]:
        raise Problem(f"pattern must have {{stem}}, the name of the picture, got {options['pattern']!r}")
    for name, values in method.grid.items():
        if not isinstance(values, list) or not values:
            raise Problem(f"grid.{name} must be a list of the values to try, got {values!r}")
    if Prepare.of(method.prepare).level:
        lacks("level", "prepare.level tells it to the network")


def _lacks(method, what, why):
    if what not in method.knows:
        raise Problem(f"knows must have {what!r}, as {why}, got {list(method.knows)!r}")
