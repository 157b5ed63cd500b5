"""Parameters of methods, chosen on pictures that are not compared: by one rule for all, and told with the results.

A candidate is run as the comparison runs a method: in its own process, with a time-out, and a run that was killed goes
on.
"""

import dataclasses
import hashlib
import itertools
import statistics
from typing import NamedTuple

import numpy as np

from deconv.compare.protocol import Problem
from deconv.compare.runner import run
from deconv.compare.summary import complete
from deconv.compare.table import printable

__all__ = ["SCORES", "Choice", "calibrate", "choices", "pictures"]

# By which is chosen, and what tables call it.
SCORES = {"accuracy": "accuracy", "psnr": "PSNR"}
# Letters of the parameters in the name of a candidate, which becomes that of a folder.
_LETTERS = 60


def calibrate(methods, datasets, compared, out, settings, *, report=lambda done, of, what: None):
    """Choose the parameters of all methods with a grid, on pictures that are not compared.

    The candidates of a method are the parameters that it declares, and all combinations of the values of its grid. The
    best by the leading score of the tables is chosen: the mean accuracy where any text is known, else the mean PSNR, a
    failure counting 0. Of those that read alike it is the one with the higher PSNR, then the earlier one.

    Parameters
    ----------
    methods : list of Method
        Those without a grid stay as they are.
    datasets : list of Dataset
        On which is chosen.
    compared : list of Dataset
        None of whose pictures may be among them.
    out : Path
        Folder for rows.csv and restored/; with rows in it, those that are still true are kept.
    settings : Settings
    report : callable
        ``report(done, of, what)``.

    Returns
    -------
    methods : list of Method
        With the parameters chosen.
    told : dict
        As JSON has it: "by", the score; "datasets", of each the pictures; "methods", of each with a grid "grid",
        "candidates" with their parameters, scores and failures, "chosen", which is one of those, whether that is "as
        declared", and "at the end of its grid", the parameters whose chosen value is the least or the greatest tried.

    Raises
    ------
    Problem
        If there is nothing to choose from, or by, a picture is one of those compared, or a method works as it is
        declared and with no value of its grid, as where a parameter is misspelt.
    """
    if not any(method.grid for method in methods):
        raise Problem("no method has a grid of parameters, so there is nothing to calibrate")
    _check_pictures(datasets, compared)
    trials = {method.name: _trials(method) for method in methods if method.grid}
    every = [trial for own in trials.values() for trial in own]
    rows = complete(run(datasets, every, out, settings, report=report))
    for name, own in trials.items():
        _check_grid(name, [trial.name for trial in own], rows)
    scored = {name: {_at(row) for row in rows if getattr(row, name) is not None} for name in SCORES}
    by = "accuracy" if scored["accuracy"] else "psnr"
    if not scored[by]:
        raise Problem("no candidate has a result on the calibration pictures that could be scored")
    told = {}
    for method in methods:
        if method.grid:
            candidates = [_candidate(trial, rows, scored) for trial in trials[method.name]]
            # (The first of the best.)
            chosen = max(candidates, key=lambda c: (c[by], c["psnr"] or 0.0))
            told[method.name] = {
                "grid": method.grid,
                "candidates": candidates,
                "chosen": chosen,
                "as declared": chosen is candidates[0],
                "at the end of its grid": _at_end(method, chosen["parameters"]),
            }
    sets = {d.name: {"pictures": len(d.names), "names": list(d.names)} for d in datasets}
    tuned = [_with(m, told[m.name]["chosen"]["parameters"]) if m.name in told else m for m in methods]
    return tuned, {"by": by, "datasets": sets, "methods": told}


class Choice(NamedTuple):
    """What was chosen for a method, in words.

    Attributes
    ----------
    method : str
        Its name.
    chosen : str
        The parameters, and which of them are at the end of their grid.
    score, declared : str
        Accuracy and PSNR of those chosen, and of those declared.
    tried : str
        What was chosen from, and how much of it failed.
    """

    method: str
    chosen: str
    score: str
    declared: str
    tried: str


def choices(told):
    """What was chosen for each method, in words.

    Parameters
    ----------
    told : dict
        As of `calibrate`, or read from env.json.

    Returns
    -------
    list of Choice
    """
    count = sum(d["pictures"] for d in told["datasets"].values())
    found = []
    for method, own in told["methods"].items():
        candidates, chosen = own["candidates"], own["chosen"]
        values = {name: chosen["parameters"][name] for name in own["grid"] if name in chosen["parameters"]}
        ends = dict.fromkeys(own["at the end of its grid"], " (at the end of its grid)")
        said = [f"{_shown({name: value})}{ends.get(name, '')}" for name, value in values.items()]
        failed, of = sum(c["failed"] for c in candidates), len(candidates) * count
        tried = [f"{name} {', '.join(map(_value, values))}" for name, values in own["grid"].items()]
        words = (
            method,
            ", ".join([*(["as declared"] if own["as declared"] else []), *said]),
            *(_scored(candidate) for candidate in (chosen, candidates[0])),
            f"as declared; {'; '.join(tried)}" + (f" ({failed} of {of} runs failed)" if failed else ""),
        )
        found.append(Choice(*map(printable, words)))
    return found


def pictures(told):
    """On what was chosen, as "12 pictures of one set and 3 of another".

    Parameters
    ----------
    told : dict
        As of `calibrate`, or read from env.json.

    Returns
    -------
    str
    """
    counts = {name: d["pictures"] for name, d in told["datasets"].items()}
    return printable(" and ".join(f"{n} picture{'' if n == 1 else 's'} of {name}" for name, n in counts.items()))


def _trials(method):
    """The candidates as methods of their own: what is declared, then all combinations, none of them twice."""
    declared = method.options.get("parameters", {})
    given, said = [declared], ["as declared"]
    for values in itertools.product(*method.grid.values()):
        own = dict(zip(method.grid, values, strict=True))
        if declared | own not in given:
            given.append(declared | own)
            said.append(_shown(own)[:_LETTERS])
    return [
        dataclasses.replace(_with(method, given[i]), name=f"{method.name} {i}: {said[i]}", grid={})
        for i in range(len(given))
    ]


def _check_grid(method, names, rows):
    """Complain about a grid none of whose values does what the declared parameters do."""
    went = {name: [row for row in rows if row.method == name and not row.problem] for name in names}
    if len(names) > 1 and went[names[0]] and not any(went[name] for name in names[1:]):
        problem = next(row.problem for row in rows if row.method == names[1])
        raise Problem(f"{method} works as it is declared, and with no value of its grid: {problem}")


def _with(method, parameters):
    return dataclasses.replace(method, options=method.options | {"parameters": parameters})


def _candidate(trial, rows, scored):
    """The parameters and what they come to."""
    own = [row for row in rows if row.method == trial.name]
    means = {name: _mean([row for row in own if _at(row) in known], name) for name, known in scored.items()}
    return {"parameters": trial.options["parameters"], **means, "failed": sum(bool(row.problem) for row in own)}


def _mean(rows, name):
    return statistics.fmean(getattr(row, name) or 0.0 for row in rows) if rows else None


def _at(row):
    return row.dataset, row.item


def _at_end(method, chosen):
    """Names of parameters beyond whose chosen values nothing was tried."""
    declared, found = method.options.get("parameters", {}), []
    for name, values in method.grid.items():
        # (What is declared was tried as well.)
        tried = [*values, *filter(_number, [declared.get(name)])]
        if all(map(_number, tried)) and chosen.get(name) in (min(tried), max(tried)):
            found.append(name)
    return found


def _number(value):
    return isinstance(value, int | float) and not isinstance(value, bool)


def _scored(candidate):
    """Both scores, as far as they are known: the second tells why, where the first is the same."""
    accuracy, psnr = candidate["accuracy"], candidate["psnr"]
    return ", ".join(
        [*([] if accuracy is None else [f"{accuracy:.3f}"]), *([] if psnr is None else [f"{psnr:.2f} dB"])]
    )


def _shown(values):
    return ", ".join(f"{name}={_value(value)}" for name, value in values.items())


def _value(value):
    return f"{value:g}" if isinstance(value, float) else str(value)


def _check_pictures(datasets, compared):
    """Complaints about pictures that are compared, and about those that say nothing of what is right."""
    prints = {d.fingerprint(): d.name for d in compared}
    for dataset in datasets:
        if other := prints.get(dataset.fingerprint()):
            raise Problem(f"the pictures of {dataset.name} are those of {other}, which is compared: {_WANTED}")
    seen = {_content(item.image): f"{item.name} of {d.name}" for d in compared for item in _items(d)}
    known = False
    for dataset in datasets:
        for item in _items(dataset):
            known |= item.text is not None or item.sharp is not None
            if other := seen.get(_content(item.image)):
                raise Problem(f"{item.name} of {dataset.name} is {other}, which is compared: {_WANTED}")
    if not known:
        raise Problem("of the calibration pictures neither the text nor the sharp picture is known, to choose by")


_WANTED = "parameters are chosen on other pictures"


def _items(dataset):
    """Pictures that can be had, one at a time; of the others a row will tell."""
    for name in dataset.names:
        try:
            yield dataset.load(name)
        except (Problem, OSError):
            continue


def _content(image):
    return hashlib.sha256(repr(image.shape).encode() + np.ascontiguousarray(image).tobytes()).digest()
