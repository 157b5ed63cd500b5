"""Methods side by side on the same pictures, with one scoring: the classical baseline for a learned method.

>>> import deconv.compare
>>> methods = [m for m in deconv.compare.BUILTIN if m.name in ("blurred", "Wiener")]
>>> data = deconv.compare.open_dataset("synthetic:2")
>>> summaries = deconv.compare.run([data], methods, "comparison")  # doctest: +SKIP
>>> print(deconv.compare.as_text(summaries))  # doctest: +SKIP

Every method is scored from the file that it wrote, in its own process; what fails is a row that says why, and counts as
nothing read. A method is told what it declares to know and nothing else. `deconv compare` is the same from a shell.
"""

import dataclasses
import importlib
import json
from pathlib import Path

from deconv._core import files
from deconv._core.extras import extra
from deconv.compare.calibration import calibrate
from deconv.compare.datasets import load_datasets, open_dataset
from deconv.compare.environment import environment
from deconv.compare.methods import BUILTIN, load_methods
from deconv.compare.protocol import Context, Dataset, Item, Method, Problem, Row
from deconv.compare.report.page import write_report
from deconv.compare.runner import Settings, check
from deconv.compare.runner import run as _rows
from deconv.compare.summary import Summary, summarise
from deconv.compare.table import as_latex, as_text, read_rows

__all__ = [
    "BUILTIN",
    "Context",
    "Dataset",
    "Item",
    "Method",
    "Problem",
    "Row",
    "Settings",
    "Summary",
    "as_latex",
    "as_text",
    "load_datasets",
    "load_methods",
    "open_dataset",
    "read_rows",
    "run",
    "summarise",
    "write_report",
]


def run(
    datasets,
    methods,
    out,
    *,
    baseline="blurred",
    calibration=(),
    settings=None,
    report=lambda done, of, what: None,
):
    """Run all methods on all pictures, or what an earlier run lacks of that, and write everything there is to tell.

    Parameters
    ----------
    datasets : list of Dataset
        As of `open_dataset`, or of your own.
    methods : list of Method
        As of `load_methods`, and of `BUILTIN`.
    out : path
        Folder for ``rows.csv`` (a line for each picture and method), ``env.json``, ``truth.json``, ``restored/``,
        ``table.txt``, ``table.tex`` and ``report.html``. With rows in it, those that are still true are kept.
    baseline : str
        Name of the method to which all are compared.
    calibration : list of Dataset
        Pictures, none of those compared, on which the parameters of all methods with a grid are chosen first: by the
        leading score of the tables, from what the method declares and all combinations of the values of its grid.
        Without any, methods run as they are declared. The runs are in ``calibration/``, the choice in ``env.json``.
    settings : Settings, optional
        Device, threads, seed, bounds.
    report : callable
        ``report(done, of, what)`` after each row; anew from 0 after the calibration.

    Returns
    -------
    list of Summary
        For each data set and method, the best first after the references.

    Raises
    ------
    Problem
        If something given cannot be used; the message is one sentence.
    FileProblem
        If something cannot be written.
    ModuleNotFoundError
        If a package of the extra ``compare`` is not installed.

    Examples
    --------
    >>> import deconv.compare
    >>> data, methods = deconv.compare.open_dataset("synthetic:4"), deconv.compare.BUILTIN
    >>> summaries = deconv.compare.run([data], methods, "comparison", baseline="Wiener")  # doctest: +SKIP
    """
    # Asked for now, and not after the first method's hour.
    for package in ("rapidfuzz", "skimage", "tabulate"):
        with extra("compare", "a comparison"):
            importlib.import_module(package)
    out, settings = Path(out), settings or Settings()
    if baseline not in (names := [m.name for m in methods]):
        raise Problem(f"baseline must be one of the methods compared, {', '.join(names)}, got {baseline!r}")
    chosen = {}
    if calibration:
        check(datasets, methods)
        methods, chosen["calibration"] = calibrate(
            methods,
            calibration,
            datasets,
            out / "calibration",
            settings,
            report=lambda done, of, what: report(done, of, f"calibrating {what}".rstrip()),
        )
    rows = _rows(datasets, methods, out, settings, report=report)
    told = {
        "settings": dataclasses.asdict(settings) | {"baseline": baseline},
        "datasets": {d.name: {"pictures": len(d.names), "border": d.border} for d in datasets},
        # (A grid is told of where it was used.)
        "methods": [{k: v for k, v in dataclasses.asdict(m).items() if k != "grid"} for m in methods],
    }
    truth = {d.name: {name: {"text": _text(d, name)} for name in d.names} for d in datasets}
    _write(out / "env.json", environment() | told | chosen)
    _write(out / "truth.json", truth)
    summaries = summarise(rows, baseline=baseline)
    files.replace(out / "table.txt", as_text(summaries).encode() + b"\n")
    files.replace(out / "table.tex", as_latex(summaries, "").encode())
    write_report(out, rows=rows, baseline=baseline)
    return summaries


def _text(dataset, name):
    """The true lines of a picture; None where they, or the picture itself, cannot be had."""
    try:
        return dataset.load(name).text
    except (Problem, OSError):
        return None


def _write(path, told):
    files.replace(path, json.dumps(told, indent=1, ensure_ascii=False, default=str).encode() + b"\n")
