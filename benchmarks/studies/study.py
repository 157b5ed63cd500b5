"""Shared by the studies: runs on the resumable runner of `deconv.compare`, and tables as text.

The pictures of a study are data sets that score their own results (`deconv.compare.protocol.Measured`), and its methods
are functions that run in worker processes of one thread. Rows are saved in rows.csv in the study's folder: an
interrupted run resumes there, and after a change of the code all rows are computed again.
"""

import functools
import hashlib
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np

from deconv import compare
from deconv.compare.protocol import Dataset, Method, Row
from deconv.compare.runner import Settings
from deconv.compare.runner import run as run_methods

ROOT = Path(__file__).parents[2]
BLURRED, SHARP = (method for method in compare.BUILTIN if method.kind == "reference")
# Seconds for one picture: the hardest photographs take five minutes of a busy core.
TIMEOUT = 3600.0


class Pictures(Protocol):
    """The pictures of a study: a data set (`deconv.compare.protocol.Dataset`) that scores its results itself."""

    @property
    def name(self) -> str:
        """Name in the rows."""
        ...

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the pictures, valid in file names."""
        ...

    @property
    def border(self) -> int:
        """Not used by the studies."""
        ...

    def load(self, name: str) -> Any:
        """One picture, an `Item`."""
        ...

    def fingerprint(self) -> str:
        """A text that changes with the pictures."""
        ...

    def measure(self, item: Any, image: np.ndarray, psf: np.ndarray | None, path: Path) -> dict[str, Any]:
        """The scores of a result as fields of `Row`, including its details."""
        ...


def method(name: str, function: str, *, knows: tuple[str, ...] = (), **parameters: Any) -> Method:
    """A method that calls a function of the studies.

    Parameters
    ----------
    name : str
        Name in the tables.
    function : str
        ``"module:function"`` in this folder, called as ``function(image, context, **parameters)``.
    knows : tuple of str
        Its inputs besides the image.
    **parameters
        Its keyword arguments.
    """
    options = {"function": f"benchmarks.studies.{function}", "folder": str(ROOT), "parameters": parameters}
    return Method(name, "python", knows=knows, options=options, timeout=TIMEOUT)


def run(datasets: Sequence[Pictures], methods: Sequence[Method], out: Path, jobs: int | None = None) -> list[Row]:
    """Rows of all methods on all pictures: those saved in `out`, and the missing ones after a run.

    Parameters
    ----------
    datasets, methods
        Each method on each data set runs in a separate process.
    out : Path
        Folder of rows.csv.
    jobs : int, optional
        Number of parallel processes; by default that of the cores.
    """
    sets = [cast(Dataset, dataset) for dataset in datasets if dataset.names]
    if not sets:
        return []
    rows = run_methods(sets, methods, out, Settings(jobs=jobs or os.cpu_count() or 1), report=_progress)
    print(file=sys.stderr)
    return without_failures(rows)


def _progress(done: int, of: int, what: str) -> None:
    print(f"\r{done} of {of} rows", end="", file=sys.stderr, flush=True)


def saved(out: Path) -> list[Row]:
    """The last row of each picture and method in a folder, whatever the version of the code."""
    rows = compare.read_rows(out / "rows.csv")
    return without_failures({(row.dataset, row.item, row.method): row for row in rows}.values())


def without_failures(rows: Iterable[Row]) -> list[Row]:
    """The rows with a result; failures are printed."""
    rows = list(rows)
    for row in rows:
        if row.problem:
            print(f"FAILED: {row.method} on {row.dataset}/{row.item}: {row.problem}", file=sys.stderr)
    return [row for row in rows if not row.problem]


def fingerprint(*files: str, also: object = None) -> str:
    """A hash of some source files and of everything else that determines the pictures."""
    digest = hashlib.sha256(repr(also).encode())
    for file in files:
        digest.update(Path(file).read_bytes())
    return digest.hexdigest()[:12]


@functools.cache
def code() -> str:
    """A hash of the package without its command line, which shows whether rows have the same version."""
    package = Path(compare.__file__).parents[1]
    paths = [path for path in sorted(package.rglob("*.py")) if path.relative_to(package).parts[0] != "cli"]
    return fingerprint(*map(str, paths))


def markdown(names: Sequence[object], lines: Iterable[Sequence[object]], left: Sequence[str] = ()) -> str:
    """A table as text; columns are aligned right except those named in `left`."""
    rule = ["---" if name in left else "---:" for name in names]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in (names, rule, *lines)) + "\n"
