"""Choose the parameters of methods on images that are not compared, by one rule for all methods.

A candidate runs as any method of a comparison does: in its own process, with a timeout, and a killed run resumes.
"""

import dataclasses
import hashlib
import itertools
import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from deconv.compare.protocol import Dataset, Item, Method, Problem, Progress, Row
from deconv.compare.runner import Settings, run
from deconv.compare.summary import complete
from deconv.compare.table import printable

__all__ = ["SCORES", "Choice", "calibrate", "choices", "describe_pictures"]

# Scores by which parameters are chosen, and their names in tables.
SCORES = {"accuracy": "accuracy", "psnr": "PSNR"}
# Letters that describe the parameters in the name of a candidate, which becomes a folder's.
_MAX_LETTERS = 60

# An image: its data set and its name.
_Place = tuple[str, str]


def calibrate(
    methods: Sequence[Method],
    datasets: Sequence[Dataset],
    compared: Sequence[Dataset],
    out: Path,
    settings: Settings,
    *,
    report: Progress = lambda done, total, what: None,
) -> tuple[list[Method], dict[str, Any]]:
    """Choose the parameters of all methods with a grid, on images that are not compared.

    The candidates of a method are the parameters that it declares, and all combinations of the values of its grid. The
    candidate with the best leading score wins: the mean accuracy if any text is known, else the mean PSNR, a failure
    counting 0. Ties go to the higher PSNR, then to the earlier candidate.

    Parameters
    ----------
    methods : list of Method
        Those without a grid stay as they are.
    datasets : list of Dataset
        The calibration images.
    compared : list of Dataset
        The images of the comparison, none of which may be among them.
    out : Path
        Folder for rows.csv and restored/; rows in it that are still valid are kept.
    settings : Settings
    report : callable
        ``report(done, total, what)``.

    Returns
    -------
    methods : list of Method
        With the chosen parameters.
    record : dict
        For env.json: "by", the score; "datasets", the images of each; "methods", for each method with a grid its
        "grid", its "candidates" with their parameters, scores and failures, the "chosen" candidate, whether that is "as
        declared", and "at the end of its grid", the parameters whose chosen value is the least or the greatest tried.

    Raises
    ------
    Problem
        If there is nothing to choose from, or no score to choose by, an image is one of those compared, or a method
        works as declared but with no value of its grid, as when a parameter is misspelt.
    """
    if not any(method.grid for method in methods):
        raise Problem("no method has a grid of parameters, so there is nothing to calibrate")
    _check_pictures(datasets, compared)
    trials = {method.name: _trials(method) for method in methods if method.grid}
    all_trials = [trial for group in trials.values() for trial in group]
    rows = complete(run(datasets, all_trials, out, settings, report=report))
    for name, group in trials.items():
        _check_grid(name, [trial.name for trial in group], rows)
    scored = {name: {_place(row) for row in rows if getattr(row, name) is not None} for name in SCORES}
    by = "accuracy" if scored["accuracy"] else "psnr"
    if not scored[by]:
        raise Problem("no candidate has a result on the calibration pictures that could be scored")
    record: dict[str, dict[str, Any]] = {}
    for method in methods:
        if method.grid:
            candidates = [_candidate(trial, rows, scored) for trial in trials[method.name]]
            # The first of the best.
            chosen = max(candidates, key=lambda c: (c[by], c["psnr"] or 0.0))
            record[method.name] = {
                "grid": method.grid,
                "candidates": candidates,
                "chosen": chosen,
                "as declared": chosen is candidates[0],
                "at the end of its grid": _at_end(method, chosen["parameters"]),
            }
    sets = {d.name: {"pictures": len(d.names), "names": list(d.names)} for d in datasets}
    tuned = [_with_parameters(m, record[m.name]["chosen"]["parameters"]) if m.name in record else m for m in methods]
    return tuned, {"by": by, "datasets": sets, "methods": record}


class Choice(NamedTuple):
    """The parameters chosen for a method, in words.

    Attributes
    ----------
    method : str
        Name of the method.
    chosen : str
        The parameters, and which of them are at the end of their grid.
    score, declared : str
        Accuracy and PSNR of the chosen parameters, and of the declared ones.
    tried : str
        The candidates, and how many of their runs failed.
    """

    method: str
    chosen: str
    score: str
    declared: str
    tried: str


def choices(record: dict[str, Any]) -> list[Choice]:
    """Describe the parameters chosen for each method.

    Parameters
    ----------
    record : dict
        As `calibrate` returns it, or read from env.json.

    Returns
    -------
    list of Choice
    """
    count = sum(d["pictures"] for d in record["datasets"].values())
    described = []
    for method, entry in record["methods"].items():
        candidates, chosen = entry["candidates"], entry["chosen"]
        values = {name: chosen["parameters"][name] for name in entry["grid"] if name in chosen["parameters"]}
        ends = dict.fromkeys(entry["at the end of its grid"], " (at the end of its grid)")
        parameters = [f"{_assignments({name: value})}{ends.get(name, '')}" for name, value in values.items()]
        failed, total = sum(c["failed"] for c in candidates), len(candidates) * count
        tried = [f"{name} {', '.join(map(_text, values))}" for name, values in entry["grid"].items()]
        words = (
            method,
            ", ".join([*(["as declared"] if entry["as declared"] else []), *parameters]),
            *(_scores(candidate) for candidate in (chosen, candidates[0])),
            f"as declared; {'; '.join(tried)}" + (f" ({failed} of {total} runs failed)" if failed else ""),
        )
        described.append(Choice(*map(printable, words)))
    return described


def describe_pictures(record: dict[str, Any]) -> str:
    """Name the calibration images, as in "12 pictures of one set and 3 pictures of another".

    Parameters
    ----------
    record : dict
        As `calibrate` returns it, or read from env.json.

    Returns
    -------
    str
    """
    counts = {name: d["pictures"] for name, d in record["datasets"].items()}
    return printable(" and ".join(f"{n} picture{'' if n == 1 else 's'} of {name}" for name, n in counts.items()))


def _trials(method: Method) -> list[Method]:
    """The candidates as methods: the declared parameters, then all combinations, without repeats."""
    declared = method.options.get("parameters", {})
    parameters, names = [declared], ["as declared"]
    for values in itertools.product(*method.grid.values()):
        combination = dict(zip(method.grid, values, strict=True))
        if declared | combination not in parameters:
            parameters.append(declared | combination)
            names.append(_assignments(combination)[:_MAX_LETTERS])
    return [
        dataclasses.replace(_with_parameters(method, parameters[i]), name=f"{method.name} {i}: {names[i]}", grid={})
        for i in range(len(parameters))
    ]


def _check_grid(method: str, trials: list[str], rows: list[Row]) -> None:
    """Raise Problem if the declared parameters work and no value of the grid does."""
    results = {name: [row for row in rows if row.method == name and not row.problem] for name in trials}
    if len(trials) > 1 and results[trials[0]] and not any(results[name] for name in trials[1:]):
        problem = next(row.problem for row in rows if row.method == trials[1])
        raise Problem(f"{method} works as it is declared, and with no value of its grid: {problem}")


def _with_parameters(method: Method, parameters: dict[str, Any]) -> Method:
    return dataclasses.replace(method, options=method.options | {"parameters": parameters})


def _candidate(trial: Method, rows: list[Row], scored: dict[str, set[_Place]]) -> dict[str, Any]:
    """The parameters of a trial, its mean scores and its failures."""
    group = [row for row in rows if row.method == trial.name]
    means = {name: _mean([row for row in group if _place(row) in known], name) for name, known in scored.items()}
    return {"parameters": trial.options["parameters"], **means, "failed": sum(bool(row.problem) for row in group)}


def _mean(rows: list[Row], name: str) -> float | None:
    return statistics.fmean(getattr(row, name) or 0.0 for row in rows) if rows else None


def _place(row: Row) -> _Place:
    return row.dataset, row.item


def _at_end(method: Method, chosen: dict[str, Any]) -> list[str]:
    """Names of the parameters whose chosen value is the least or the greatest tried."""
    declared, names = method.options.get("parameters", {}), []
    for name, values in method.grid.items():
        # The declared value was tried as well.
        tried = [*values, *filter(_is_number, [declared.get(name)])]
        if all(map(_is_number, tried)) and chosen.get(name) in (min(tried), max(tried)):
            names.append(name)
    return names


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _scores(candidate: dict[str, Any]) -> str:
    """Both scores as far as they are known: PSNR decides between equal accuracies."""
    accuracy, psnr = candidate["accuracy"], candidate["psnr"]
    return ", ".join(
        [*([] if accuracy is None else [f"{accuracy:.3f}"]), *([] if psnr is None else [f"{psnr:.2f} dB"])]
    )


def _assignments(values: dict[str, Any]) -> str:
    return ", ".join(f"{name}={_text(value)}" for name, value in values.items())


def _text(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _check_pictures(datasets: Sequence[Dataset], compared: Sequence[Dataset]) -> None:
    """Raise Problem for calibration images that are compared, and if none of them has a ground truth."""
    prints = {d.fingerprint(): d.name for d in compared}
    for dataset in datasets:
        if other := prints.get(dataset.fingerprint()):
            raise Problem(f"the pictures of {dataset.name} are those of {other}, which is compared: {_REASON}")
    names = {_content_hash(item.image): f"{item.name} of {d.name}" for d in compared for item in _items(d)}
    known = False
    for dataset in datasets:
        for item in _items(dataset):
            known |= item.text is not None or item.sharp is not None
            if other := names.get(_content_hash(item.image)):
                raise Problem(f"{item.name} of {dataset.name} is {other}, which is compared: {_REASON}")
    if not known:
        raise Problem("of the calibration pictures neither the text nor the sharp picture is known, to choose by")


_REASON = "parameters are chosen on other pictures"


def _items(dataset: Dataset) -> Iterator[Item]:
    """Images that can be loaded, one at a time; the others become rows that say why."""
    for name in dataset.names:
        try:
            yield dataset.load(name)
        except (Problem, OSError):
            continue


def _content_hash(image: np.ndarray) -> bytes:
    return hashlib.sha256(repr(image.shape).encode() + np.ascontiguousarray(image).tobytes()).digest()
