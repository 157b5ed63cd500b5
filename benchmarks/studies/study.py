"""What the studies share: a run on `deconv.compare`'s resumable runner, and tables as text.

The pictures of a study are data sets that score their own results (`deconv.compare.protocol.Measured`), its methods are
functions that run in worker processes of one thread, and its rows are those of rows.csv in the study's folder: a run
that was interrupted goes on where it stopped, and no row outlives a change of the code that made it.
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
        """For the rows."""
        ...

    @property
    def names(self) -> tuple[str, ...]:
        """Of the pictures, fit for files."""
        ...

    @property
    def border(self) -> int:
        """Of no use here."""
        ...

    def load(self, name: str) -> Any:
        """One picture, an `Item`."""
        ...

    def fingerprint(self) -> str:
        """A text that changes with the pictures."""
        ...

    def measure(self, item: Any, image: np.ndarray, psf: np.ndarray | None, path: Path) -> dict[str, Any]:
        """Fields of `Row` that score a result, its details among them."""
        ...


def method(name: str, function: str, *, knows: tuple[str, ...] = (), **parameters: Any) -> Method:
    """A function of the studies as a method.

    Parameters
    ----------
    name : str
        For tables.
    function : str
        ``"module:function"`` in this folder, called as ``function(image, context, **parameters)``.
    knows : tuple of str
        What it is given besides the image.
    **parameters
        Its keyword arguments.
    """
    options = {"function": f"benchmarks.studies.{function}", "folder": str(ROOT), "parameters": parameters}
    return Method(name, "python", knows=knows, options=options, timeout=TIMEOUT)


def run(datasets: Sequence[Pictures], methods: Sequence[Method], out: Path, jobs: int | None = None) -> list[Row]:
    """Rows of all methods on all pictures, those that are in `out` already and those that are missing.

    Parameters
    ----------
    datasets, methods
        Each method on each data set has a process of its own.
    out : Path
        Folder of rows.csv.
    jobs : int, optional
        Processes at a time; by default as many as there are cores.
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
    """The last row of each picture and method in a folder, of any version of the code."""
    rows = compare.read_rows(out / "rows.csv")
    return without_failures({(row.dataset, row.item, row.method): row for row in rows}.values())


def without_failures(rows: Iterable[Row]) -> list[Row]:
    """The rows that have a result; each failure is printed."""
    rows = list(rows)
    for row in rows:
        if row.problem:
            print(f"FAILED: {row.method} on {row.dataset}/{row.item}: {row.problem}", file=sys.stderr)
    return [row for row in rows if not row.problem]


def fingerprint(*files: str, also: object = None) -> str:
    """A hash of some source files and of anything else that pictures depend on."""
    digest = hashlib.sha256(repr(also).encode())
    for file in files:
        digest.update(Path(file).read_bytes())
    return digest.hexdigest()[:12]


@functools.cache
def code() -> str:
    """A hash of the package but for its command line: rows have it, to show whether they are of one version."""
    package = Path(compare.__file__).parents[1]
    paths = [path for path in sorted(package.rglob("*.py")) if path.relative_to(package).parts[0] != "cli"]
    return fingerprint(*map(str, paths))


def markdown(names: Sequence[object], lines: Iterable[Sequence[object]], left: Sequence[str] = ()) -> str:
    """A table as text, columns aligned right but those named in `left`."""
    rule = ["---" if name in left else "---:" for name in names]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in (names, rule, *lines)) + "\n"
