"""What mypy says of calls: those in typing/passes.py are accepted, those in typing/fails.py refused as noted there."""

import re
from pathlib import Path

import mypy.api
import pytest

HERE = Path(__file__).parent
ROOT = HERE.parent
MESSAGE = re.compile(r"(?P<file>[^:]+):(?P<line>\d+): error: (?P<text>.*?)  \[(?P<code>[a-z-]+)\]$")


@pytest.fixture(scope="module")
def complaints():
    """Mypy's errors in the two files, as {name: [(line, code, text)]}."""
    files = [str(HERE / "typing" / name) for name in ("passes.py", "fails.py")]
    options = ["--config-file", str(ROOT / "pyproject.toml"), "--show-error-codes", "--no-pretty", "--no-color-output"]
    out, err, status = mypy.api.run([*options, *files])
    assert not err, err
    assert status == 1, out
    by_file = {"passes.py": [], "fails.py": []}
    for line in out.splitlines():
        if (match := MESSAGE.match(line)) and (name := Path(match["file"]).name) in by_file:
            by_file[name].append((int(match["line"]), match["code"], match["text"]))
    return by_file


def expected(name):
    """The lines at which a file asks for a complaint, with the codes."""
    lines = (HERE / "typing" / name).read_text().splitlines()
    return [(n, match[1]) for n, line in enumerate(lines, 1) if (match := re.search(r"# expect: ([a-z-]+)$", line))]


def test_right_calls_are_accepted(complaints):
    assert not complaints["passes.py"]


def test_wrong_calls_are_refused(complaints):
    wanted = expected("fails.py")
    assert len(wanted) > 25
    assert [(line, code) for line, code, _ in complaints["fails.py"]] == wanted
