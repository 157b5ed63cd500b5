"""The package as a stranger meets it: what its import costs, what it offers and documents, how it hangs together."""

import ast
import inspect
import subprocess
import sys
import tomllib
from pathlib import Path

import numpydoc.validate

import deconv

ROOT = Path(__file__).parents[1]
SLOW_OR_OPTIONAL = {"cupy", "torch", "matplotlib", "pytesseract", "dask", "numba"}
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
    assert not loaded & (SLOW_OR_OPTIONAL | {"numpy", "scipy", "skimage"})


def test_every_public_name_loads_without_the_optional_libraries():
    loaded = modules_after("import deconv\nfor name in deconv.__all__: getattr(deconv, name)")
    assert {"numpy", "scipy"} <= loaded
    assert not loaded & SLOW_OR_OPTIONAL


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


# Imports run one way, downwards (DESIGN): a module may import from its own storey or below.
STOREYS = (
    ("_array", "_check"),
    ("_fft", "_grey", "kernels"),
    ("_balance", "_border", "noise", "priors", "psf", "tone", "vignette"),
    ("_convolve", "_diagonal", "_photons"),
    ("_richardson_lucy", "_unsupervised_wiener", "_variational", "_wiener", "degrade", "metrics", "ocr"),
    ("_files", "blind", "compat"),
    ("compare",),
    ("cli",),
)


def test_imports_run_downwards():
    storey = {name: level for level, names in enumerate(STOREYS) for name in names}
    upwards = []
    for file in (ROOT / "deconv").rglob("*.py"):
        name = file.relative_to(ROOT / "deconv").parts[0].removesuffix(".py")
        for node in ast.walk(ast.parse(file.read_text())):
            if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith("deconv"):
                continue
            _, _, rest = node.module.partition(".")
            for used in [rest.split(".")[0]] if rest else [a.name for a in node.names]:
                if storey.get(name, 99) < storey.get(used, 0):
                    upwards.append(f"{file.name} imports {used}")
    assert not upwards


def test_numba_stays_in_the_kernels():
    users = {
        file.relative_to(ROOT / "deconv").parts[0]
        for file in (ROOT / "deconv").rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
        and "numba" in {(getattr(node, "module", None) or a.name).split(".")[0] for a in node.names}
    }
    assert users == {"kernels"}


def test_python_m_deconv():
    done = subprocess.run([sys.executable, "-m", "deconv", "--help"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "restore" in done.stdout
