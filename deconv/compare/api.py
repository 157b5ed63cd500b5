"""A comparison from end to end: run the methods, then write rows, tables and the report."""

import dataclasses
import importlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from deconv._core import files
from deconv._core.extras import extra
from deconv.compare import runner
from deconv.compare.calibration import calibrate
from deconv.compare.environment import environment
from deconv.compare.protocol import Dataset, Method, Problem, Progress
from deconv.compare.report.page import write_report
from deconv.compare.runner import Settings
from deconv.compare.summary import Summary, summarise
from deconv.compare.table import as_latex, as_text

__all__ = ["run"]


def run(
    datasets: Sequence[Dataset],
    methods: Sequence[Method],
    out: str | Path,
    *,
    baseline: str = "blurred",
    calibration: Sequence[Dataset] = (),
    settings: Settings | None = None,
    report: Progress = lambda done, total, what: None,
) -> list[Summary]:
    """Run all methods on all images, as far as an earlier run has not, and write rows, tables and the report.

    Parameters
    ----------
    datasets : list of Dataset
        From `open_dataset`, or your own.
    methods : list of Method
        From `load_methods` and `BUILTIN`.
    out : path
        Folder for ``rows.csv`` (a line for each image and method), ``env.json``, ``truth.json``, ``restored/``,
        ``table.txt``, ``table.tex`` and ``report.html``. Rows in it that are still valid are kept.
    baseline : str
        Name of the method that all are compared to.
    calibration : list of Dataset
        Other images, on which the parameters of all methods with a grid are chosen first: the best by the leading
        score of the tables among the declared parameters and all combinations of the values of the grid. If empty,
        methods run as declared. The runs are written to ``calibration/``, the choice to ``env.json``.
    settings : Settings, optional
        Device, threads, seed, limits.
    report : callable
        ``report(done, total, what)``, called after each row; starts again from 0 after the calibration.

    Returns
    -------
    list of Summary
        One for each data set and method; references first, then methods by falling score.

    Raises
    ------
    Problem
        If an argument cannot be used; the message is one sentence.
    FileProblem
        If a file cannot be written.
    ModuleNotFoundError
        If a package of the extra ``compare`` is not installed.

    Examples
    --------
    >>> import deconv.compare
    >>> data, methods = deconv.compare.open_dataset("synthetic:4"), deconv.compare.BUILTIN
    >>> summaries = deconv.compare.run([data], methods, "comparison", baseline="Wiener")  # doctest: +SKIP
    """
    # Checked before the first method runs, which may take hours.
    for package in ("rapidfuzz", "skimage", "tabulate"):
        with extra("compare", "a comparison"):
            importlib.import_module(package)
    out, settings = Path(out), settings or Settings()
    if baseline not in (names := [m.name for m in methods]):
        raise Problem(f"baseline must be one of the methods compared, {', '.join(names)}, got {baseline!r}")
    chosen: dict[str, Any] = {}
    if calibration:
        runner.check(datasets, methods)
        methods, chosen["calibration"] = calibrate(
            methods,
            calibration,
            datasets,
            out / "calibration",
            settings,
            report=lambda done, total, what: report(done, total, f"calibrating {what}".rstrip()),
        )
    rows = runner.run(datasets, methods, out, settings, report=report)
    declared = {
        "settings": dataclasses.asdict(settings) | {"baseline": baseline},
        "datasets": {d.name: {"pictures": len(d.names), "border": d.border} for d in datasets},
        # Grids are listed with the calibration, if they were used.
        "methods": [{k: v for k, v in dataclasses.asdict(m).items() if k != "grid"} for m in methods],
    }
    truth = {d.name: {name: {"text": _text(d, name)} for name in d.names} for d in datasets}
    _write_json(out / "env.json", environment() | declared | chosen)
    _write_json(out / "truth.json", truth)
    summaries = summarise(rows, baseline=baseline)
    files.replace(out / "table.txt", as_text(summaries).encode() + b"\n")
    files.replace(out / "table.tex", as_latex(summaries, "").encode())
    write_report(out, rows=rows, baseline=baseline)
    return summaries


def _text(dataset: Dataset, name: str) -> tuple[str, ...] | None:
    """The true lines of an image; None if they are unknown or the image cannot be loaded."""
    try:
        return dataset.load(name).text
    except (Problem, OSError):
        return None


def _write_json(path: Path, content: object) -> None:
    files.replace(path, json.dumps(content, indent=1, ensure_ascii=False, default=str).encode() + b"\n")
