"""Which one-line changes do the quick tests catch? Each is planted in a copy of the tree, and its tests are run there.

::

    python -m benchmarks.studies.planted_changes                # all of them, about 15 minutes on one core
    python -m benchmarks.studies.planted_changes sharp_from     # changes with one of these words in their names

The first ten are the changes that the quick tests once missed. A change that survives is printed as such, and the exit
status is 1. Only quick tests count, those that ``make test`` runs.
"""

import argparse
import ast
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
SETTINGS = "deconv/blind/settings"


@dataclass(frozen=True)
class Change:
    """A change of one file, and the tests that should notice."""

    name: str
    file: str
    edit: Callable[[str], str]
    tests: tuple[str, ...]


def default(stage: str, field: str, value: str) -> Callable[[str], str]:
    """An edit that gives a field of a settings class another default."""

    def edit(source: str) -> str:
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.ClassDef) and node.name == stage:
                for line in node.body:
                    if isinstance(line, ast.AnnAssign) and ast.unparse(line.target) == field:
                        assert isinstance(line.value, ast.Call)
                        return replaced(source, line.value.args[0], value)
        raise ValueError(f"{stage} has no field {field}")

    return edit


def replaced(source: str, node: ast.expr, text: str) -> str:
    """The source with another text for an expression on one line."""
    lines = source.splitlines(keepends=True)
    line = lines[node.lineno - 1].encode()
    lines[node.lineno - 1] = (line[: node.col_offset] + text.encode() + line[node.end_col_offset :]).decode()
    return "".join(lines)


def text(old: str, new: str) -> Callable[[str], str]:
    """An edit that replaces one piece of text."""

    def edit(source: str) -> str:
        if source.count(old) != 1:
            raise ValueError(f"{old!r} occurs {source.count(old)} times")
        return source.replace(old, new)

    return edit


def setting(module: str, stage: str, field: str, value: str, *tests: str) -> Change:
    """A change of the default of a setting."""
    return Change(f"{stage}.{field} = {value}", f"{SETTINGS}/{module}.py", default(stage, field, value), tests)


SURVIVED_BEFORE = (
    setting("text", "Limits", "misfit", "0.4", "test_text_verdict.py"),
    Change(
        "Readability.blur, clarity = -2.4, 0.5",
        f"{SETTINGS}/text.py",
        lambda source: default("Readability", "clarity", "0.5")(default("Readability", "blur", "-2.4")(source)),
        ("test_text_verdict.py",),
    ),
    setting("parametric", "Search", "least_log_odds", "1.0", "test_blind_thresholds.py", "test_blind_search.py"),
    setting("natural", "Natural", "natural_strength", "0.5", "test_blind_natural.py"),
    setting("select", "Selection", "sharp_from", "0.75", "test_blind_thresholds.py", "test_blind_select.py"),
    setting("select", "Selection", "hard_step", "0.7", "test_blind_thresholds.py", "test_blind_select.py"),
    Change(
        "_core.resample imports metrics",
        "deconv/_core/resample.py",
        lambda source: source + "\nfrom deconv import metrics\n",
        ("test_package.py",),
    ),
    Change(
        "score of a free-form PSF without its sparsity factor",
        "deconv/blind/freeform/score.py",
        text("energy * total / math.sqrt(max(squares * count, 1e-30))", "energy"),
        ("test_freeform_score.py", "test_freeform_estimate.py"),
    ),
    setting("freeform", "MultiStart", "decay", "1.0", "test_freeform_multistart.py", "test_freeform_estimate.py"),
    setting("freeform", "Refinement", "last", "(1.0,)", "test_freeform_refine.py"),
)
OTHERS = (
    Change("a module in no storey", "deconv/_core/attic.py", lambda source: source, ("test_package.py",)),
    setting("text", "BrightLimits", "misfit", "0.2", "test_text_verdict.py"),
    setting("text", "Limits", "grey_ratio", "16.0", "test_text_verdict.py"),
    setting("text", "Limits", "largest_piece", "0.95", "test_text_verdict.py"),
    setting("text", "ToneCurve", "shoulder_gain", "0.1", "test_text_tone_curve.py"),
    setting("parametric", "Search", "least_log_odds_motion", "30.0", "test_blind_thresholds.py"),
    setting("parametric", "Search", "largest_slope", "1.9", "test_blind_thresholds.py"),
    setting("select", "Selection", "path_gain", "0.05", "test_blind_thresholds.py"),
    setting("select", "Selection", "gaussian_slope", "4.0", "test_blind_thresholds.py"),
    setting("freeform", "Acceptance", "text_flat", "0.6", "test_freeform_pipeline.py"),
    setting("freeform", "Acceptance", "least_gain", "0.01", "test_freeform_pipeline.py"),
    setting("freeform", "Score", "noise", "0.0", "test_freeform_score.py"),
    setting("freeform", "Starts", "solved_from_gain", "0.9", "test_freeform_starts.py", "test_freeform_phase.py"),
    setting("freeform", "SceneStep", "growth", "4.0", "test_freeform_scene.py"),
    setting("jpeg", "Jpeg", "mean_cosine", "0.1", "test_blind_jpeg.py"),
)


def caught(change: Change, files: list[str]) -> str:
    """The first test that fails with the change in a copy of the tree; "" if none does."""
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "deconv"
        for name in files:
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            (tree / name).write_bytes((ROOT / name).read_bytes())
        path = tree / change.file
        before = path.read_text() if path.is_file() else ""
        path.write_text(after := change.edit(before))
        if after == before and before:
            raise ValueError(f"{change.name} changes nothing")
        tests = [f"tests/{name}" for name in change.tests]
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "--no-header", *tests]
        threads = dict.fromkeys(("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
        done = subprocess.run(
            command, cwd=tree, env={**os.environ, **threads, "PYTHONPATH": str(tree)}, capture_output=True, text=True
        )
        failures = [line for line in done.stdout.splitlines() if line.startswith("FAILED ")]
        if done.returncode not in (0, 1) or (done.returncode == 1 and not failures):
            raise RuntimeError(f"{change.name}: pytest stopped with {done.returncode}\n{done.stdout[-2000:]}")
        return failures[0].split()[1].removeprefix("tests/") if failures else ""


def main() -> int:
    """Print the table and return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("words", nargs="*", metavar="WORD", help="changes with one of these in their names (all)")
    words = parser.parse_args().words
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    files = [name for name in listed if (ROOT / name).is_file()]
    survived = 0
    print("| change | caught by |\n| --- | --- |")
    for change in SURVIVED_BEFORE + OTHERS:
        if not words or any(word in change.name for word in words):
            test = caught(change, files)
            survived += not test
            print(f"| {change.name} | {test or '**nothing**'} |", flush=True)
    return min(survived, 1)


if __name__ == "__main__":
    sys.exit(main())
