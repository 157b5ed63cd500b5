"""The package as a stranger meets it: what its import costs, what it offers and documents, how it hangs together."""

import ast
import functools
import graphlib
import inspect
import subprocess
import sys
import tomllib
from pathlib import Path

import numpydoc.validate
import pytest

import deconv

ROOT = Path(__file__).parents[1]
OPTIONAL = {
    "cupy",
    "dask",
    "lmdb",
    "matplotlib",
    "onnxruntime",
    "pytesseract",
    "rapidfuzz",
    "skimage",
    "tabulate",
    "torch",
}
CHECKS = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["numpydoc_validation"]["checks"])


def modules_after(code):
    """Top-level modules that a fresh interpreter has loaded after `code`."""
    done = subprocess.run(
        [sys.executable, "-c", code + "\nimport sys; print(*sys.modules)"],
        check=True,
        capture_output=True,
        text=True,
    )
    return {name.split(".")[0] for name in done.stdout.split()}


def test_import_loads_nothing_slow_or_optional():
    loaded = modules_after("import deconv")
    assert "deconv" in loaded
    assert not loaded & (OPTIONAL | {"numba", "numpy", "scipy"})


def test_every_public_name_loads_without_the_optional_libraries():
    loaded = modules_after("import deconv\nfor name in deconv.__all__: getattr(deconv, name)")
    assert {"numpy", "scipy"} <= loaded
    assert not loaded & (OPTIONAL | {"numba"})


def members(path, value):
    """What `value` is or, if a module, what it lists, by dotted name."""
    if not inspect.ismodule(value):
        return {path: value}
    inner = (members(f"{path}.{name}", getattr(value, name)) for name in value.__all__)
    return {name: member for found in inner for name, member in found.items()}


def public_objects():
    """Every public function and class, and their public methods, by dotted name."""
    found = {}
    for path, member in members("deconv", deconv).items():
        found[path] = member
        if inspect.isclass(member):
            methods = inspect.getmembers(member, inspect.isfunction)
            found |= {f"{path}.{n}": m for n, m in methods if not n.startswith("_") and n in vars(member)}
    return found


def test_all_lists_what_is_there():
    assert set(deconv.__all__) <= set(dir(deconv))
    assert deconv.__version__ == "0.1.0"
    assert all(o.__module__.startswith("deconv") for o in public_objects().values() if inspect.isroutine(o))


def test_public_docstrings():
    objects = {name: o for name, o in public_objects().items() if inspect.isroutine(o) or inspect.isclass(o)}
    complaints = []
    for name, value in objects.items():
        waived = CHECKS ^ {"all"}
        if inspect.isclass(value):
            waived |= {"PR01"}  # a result type documents its attributes, not how to make one
        elif name.rpartition(".")[0] not in objects:
            waived -= {"EX01"}  # a function shows an example; a method may leave that to its class
        errors = numpydoc.validate.validate(name)["errors"]
        complaints += [f"{name}: {code} {text}" for code, text in errors if code not in waived]
    assert not complaints, "\n".join(complaints)


# Layers of the package, from the lowest to the highest: a module may import from lower layers and from its own entry.
# A module belongs to the entry that is the longest prefix of its name.
LAYERS = (
    ("_core.array", "_core.check", "_core.extras"),
    ("_core.fft", "_core.files", "_core.grey", "_core.kernels", "_core.resample"),
    ("_core.separable",),
    ("_core.convolve",),
    ("metrics", "noise", "priors", "psf", "tone", "vignette"),
    ("degrade", "nonblind.boundary", "nonblind.poisson", "nonblind.regularisation", "nonblind.splitting"),
    ("nonblind.fourier",),
    ("nonblind.richardson_lucy", "nonblind.unsupervised_wiener", "nonblind.variational", "nonblind.wiener"),
    # What the pipelines fill and return stands below them.
    ("blind.progress", "blind.result", "blind.settings"),
    ("blind.jpeg", "blind.spectrum"),
    ("blind.errors",),
    ("blind.parts", "blind.review"),
    ("blind.natural",),
    ("blind.freeform", "blind.parametric"),
    ("blind.text",),
    ("blind.arguments", "blind.select"),
    ("blind.known",),
    ("blind.api",),
    ("blind",),
    ("compat", "ocr"),
    ("compare",),
    ("cli",),
)
# Packages without code of their own, and the entry points.
WITHOUT_LAYER = {"", "__main__", "_core", "nonblind"}


def module_of(file):
    """Dotted name inside the package: "blind.api" of deconv/blind/api.py, "" of deconv/__init__.py."""
    parts = file.relative_to(ROOT / "deconv").with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@functools.cache
def import_statements(source):
    return [n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Import | ast.ImportFrom)]


def imports_of(source, modules):
    """Dotted names inside the package of the modules that a source text imports."""
    for node in import_statements(source):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "deconv":
            inner = node.module.partition(".")[2]
            for alias in node.names:
                full = f"{inner}.{alias.name}".lstrip(".")
                yield full if full in modules else inner
        elif isinstance(node, ast.Import):
            yield from (a.name.partition(".")[2] for a in node.names if a.name.startswith("deconv."))


def upward_imports(sources):
    """A sentence about every import from a higher layer, and every module in no layer; `sources` are {name: source}."""
    layer = {entry: level for level, entries in enumerate(LAYERS) for entry in entries}

    def entry_of(module):
        parts = module.split(".")
        prefixes = (".".join(parts[:n]) for n in range(len(parts), 0, -1))
        # The entry `blind` is for its public names alone: a new file in that package needs an entry of its own.
        return next((p for p in prefixes if p in layer and (p != "blind" or module == p)), None)

    complaints = [f"{name} is in no layer" for name in sources if name not in WITHOUT_LAYER and entry_of(name) is None]
    for name, source in sources.items():
        here = entry_of(name)
        for used in imports_of(source, sources):
            there = entry_of(used)
            if here is None or there in (None, here):
                continue
            if layer[there] >= layer[here]:
                complaints.append(f"{name} imports {used}")
    return complaints


@pytest.fixture(scope="module")
def sources():
    return {module_of(file): file.read_text() for file in (ROOT / "deconv").rglob("*.py")}


def test_imports_run_downwards(sources):
    assert not upward_imports(sources)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("_core.resample", "from deconv import metrics"),
        ("_core.resample", "from deconv._core import convolve"),
        ("nonblind.wiener", "def f():\n    from deconv.blind import deblur"),
        ("noise", "import deconv.tone"),
        ("attic", ""),
        ("_core.attic", ""),
        ("nonblind.attic", ""),
        ("blind.attic", ""),
    ],
)
def test_an_upward_import_or_a_module_in_no_layer_is_reported(sources, module, source):
    planted = sources | {module: sources.get(module, "") + "\n" + source + "\n"}
    (complaint,) = upward_imports(planted)
    assert complaint.startswith(module)


def test_no_two_modules_import_each_other(sources):
    graph = {name: set(imports_of(source, sources)) - {name} for name, source in sources.items()}
    # `import deconv` and its public packages are left out: they load their names when first used.
    graph = {name: {u for u in used if u in sources and u} for name, used in graph.items()}
    list(graphlib.TopologicalSorter(graph).static_order())


def test_no_file_is_longer_than_a_few_screens():
    long = {
        str(file.relative_to(ROOT)): n
        for folder in ("deconv", "tests", "benchmarks")
        for file in (ROOT / folder).rglob("*.py")
        if (n := len(file.read_text().splitlines())) > 450
    }
    assert not long


def test_numba_stays_in_the_kernels():
    users = {
        module_of(file.parent)
        for file in (ROOT / "deconv").rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
        and "numba" in {(getattr(node, "module", None) or a.name).split(".")[0] for a in node.names}
    }
    assert users == {"_core.kernels"}


def test_python_m_deconv():
    done = subprocess.run([sys.executable, "-m", "deconv", "--help"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "restore" in done.stdout
