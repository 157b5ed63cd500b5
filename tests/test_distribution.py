"""The package as it is installed: its dependencies, its extras, and what a user is told who lacks one."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

import deconv
from deconv._core.extras import extra

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
EXTRAS = PROJECT["project"]["optional-dependencies"]
SOURCES = {file: file.read_text() for file in (ROOT / "deconv").rglob("*.py")}
IMAGE = np.random.default_rng(0).random((64, 64))
TEXT = ["one", "two", "three"]


class Missing:
    """An import finder, to stand before all others, for which one package is not installed."""

    def __init__(self, package):
        self.package = package

    def find_spec(self, name, path=None, target=None):
        if name == self.package:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def without(monkeypatch, package):
    """Make `package` one that cannot be imported."""
    for name in [n for n in sys.modules if n.partition(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Missing(package), *sys.meta_path])


@pytest.mark.parametrize(
    ("package", "name", "call"),
    [
        ("rapidfuzz", "ocr", lambda folder: deconv.ocr.character_accuracy(TEXT, TEXT)),
        ("skimage", "ocr", lambda folder: deconv.ocr.read_lines(IMAGE)),
        ("pytesseract", "ocr", lambda folder: deconv.ocr.hdc_score(IMAGE, TEXT)),
        ("skimage", "metrics", lambda folder: deconv.metrics.ssim(IMAGE, IMAGE)),
        ("tabulate", "compare", lambda folder: deconv.compare.run([], [], folder)),
        ("rapidfuzz", "compare", lambda folder: deconv.compare.run([], [], folder)),
    ],
)
def test_a_missing_package_is_named_with_its_extra(monkeypatch, tmp_path, package, name, call):
    without(monkeypatch, package)
    with pytest.raises(ModuleNotFoundError) as caught:
        call(tmp_path)
    assert re.fullmatch(
        rf'[a-z ]+ needs {package}, which is not installed: pip install "deconv\[{name}\]"', str(caught.value)
    )
    assert package in {module_of(requirement) for requirement in flat(name)}


def test_a_mistake_in_an_import_is_no_missing_extra():
    with pytest.raises(ModuleNotFoundError, match=r"No module named 'numpy\.attic'"), extra("ocr", "reading"):
        import numpy.attic  # noqa: F401


def test_every_extra_that_is_named_exists():
    named = {n for text in SOURCES.values() for n in re.findall(r'\bextra\("(\w+)"|deconv\[(\w+)\]', text)}
    named = {inner or plain for inner, plain in named}
    assert {"compare", "metrics", "ocr", "plot"} <= named <= set(EXTRAS)


def flat(name):
    """The requirements of an extra, those of the extras that it names included."""
    for requirement in EXTRAS[name]:
        if inner := re.fullmatch(r"deconv\[(.+)\]", requirement):
            for other in inner[1].split(","):
                yield from flat(other)
        else:
            yield requirement


def package_of(requirement):
    return re.match(r"[\w-]+", requirement)[0].lower().replace("_", "-")


def module_of(requirement):
    name = package_of(requirement)
    return {"scikit-image": "skimage"}.get(name, name.replace("-", "_"))


def test_the_oldest_versions_that_are_run_are_the_lower_bounds():
    bounds = {}
    for requirement in (*PROJECT["project"]["dependencies"], *(r for name in EXTRAS for r in flat(name))):
        if bound := re.search(r">=([\d.]+)", requirement):
            bounds[package_of(requirement)] = bound[1]
    # Tools, and libraries for a GPU, which the run with the oldest versions does not have.
    bounds = {name: v for name, v in bounds.items() if name not in {"mypy", "pytest", "cupy-cuda13x"}}
    lines = (ROOT / ".ci" / "oldest.txt").read_text().splitlines()
    pins = dict(line.lower().replace("_", "-").split("==") for line in lines if not line.startswith("#"))
    assert pins.keys() == bounds.keys()
    for name, version in pins.items():
        assert re.fullmatch(rf"{re.escape(bounds[name])}(\.0)*", version), name


def test_every_hard_dependency_has_a_lower_bound_and_is_imported():
    for requirement in PROJECT["project"]["dependencies"]:
        assert ">=" in requirement
        module = {"pillow": "PIL"}.get(package_of(requirement), module_of(requirement))
        assert any(re.search(rf"^\s*(import|from) {module}\b", text, re.M) for text in SOURCES.values()), requirement


def test_a_folder_named_deconv_does_not_hide_the_package(tmp_path):
    (tmp_path / "deconv" / "deconv").mkdir(parents=True)
    done = subprocess.run(
        [sys.executable, "-c", "import deconv; print(deconv.__version__)"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.stdout == f"{deconv.__version__}\n", done.stderr


def test_versions_agree():
    citation = (ROOT / "CITATION.cff").read_text()
    assert f"\nversion: {deconv.__version__}\n" in citation
    assert f"{deconv.__version__}" in (ROOT / "CHANGELOG.md").read_text()


def test_every_python_that_is_promised_is_tested():
    promised = re.findall(r"Python :: (3\.\d+)", "\n".join(PROJECT["project"]["classifiers"]))
    workflow = ROOT / ".github" / "workflows" / "tests.yml"
    if not workflow.exists():
        pytest.skip("a source distribution has no workflows")
    (tested,) = re.findall(r"python: \[(.*)\]", workflow.read_text())
    # A version may be tried there before it is promised.
    assert set(promised) <= set(tested.replace('"', "").split(", "))
