"""What the rows of a comparison say: means of each method on each data set, how sure they are, and what they gain."""

import dataclasses
import statistics
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from deconv.compare.protocol import Problem, Row

__all__ = ["Estimate", "Summary", "complete", "summarise"]

# A line that the challenge takes for read.
_READABLE = 70


class Estimate(NamedTuple):
    """A mean over pictures and its 95 % interval, of which there is none for a single picture.

    Attributes
    ----------
    mean : float
    low, high : float or None
    """

    mean: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Summary:
    """A method on a data set.

    What is read counts all pictures, a failure as 0. PSNR and SSIM, where 0 would be an arbitrary number, are means
    over the pictures that have a result, and `compared` says how many those are.

    Attributes
    ----------
    dataset, method, kind, knows : str
        As of `deconv.compare.protocol.Row`.
    ok, of : int
        Pictures with a result, and all that the method was given.
    compared : int
        Pictures that have a PSNR.
    baseline : str
        Method with which `gain` compares.
    leading : {"accuracy", "psnr"}
        The score that orders methods: PSNR on a set without text.
    score : Estimate or None
        The leading score.
    gain : Estimate or None
        Mean difference of the leading score to the baseline's on the same picture; None for the baseline itself, and
        where no picture has both.
    accuracy, folded, exact, hdc, psnr, fitted, ssim : float or None
        Means over pictures.
    readable : float or None
        Share of pictures whose HDC score is at least 70.
    seconds, setup : float or None
        Medians.
    memory, gpu : float or None
        Peaks, in MB.
    parameters : int or None
        Numbers that were trained.
    """

    dataset: str
    method: str
    kind: str
    knows: str
    ok: int
    of: int
    compared: int
    baseline: str
    leading: str
    score: Estimate | None = None
    gain: Estimate | None = None
    accuracy: float | None = None
    folded: float | None = None
    exact: float | None = None
    hdc: float | None = None
    readable: float | None = None
    psnr: float | None = None
    fitted: float | None = None
    ssim: float | None = None
    seconds: float | None = None
    setup: float | None = None
    memory: float | None = None
    gpu: float | None = None
    parameters: int | None = None


def summarise(rows, baseline="blurred", rng=0):
    """What each method comes to on each data set.

    Parameters
    ----------
    rows : iterable of Row
        Lines of rows.csv, of any number of data sets.
    baseline : str
        Method with which the others are compared, picture by picture.
    rng : int
        Seed of the bootstrap.

    Returns
    -------
    list of Summary
        In the order of the sets; in each the references first, then the best by the leading score.

    Raises
    ------
    Problem
        If no data set has the baseline.

    Examples
    --------
    >>> from deconv.compare import Row, summarise
    >>> scores = {"blurred": [0.1, 0.3, 0.2], "Wiener": [0.6, 0.8, 0.7]}
    >>> rows = [
    ...     Row("pages", f"page{i}", method, "classical", "nothing", "", accuracy=accuracy)
    ...     for method, accuracies in scores.items()
    ...     for i, accuracy in enumerate(accuracies)
    ... ]
    >>> for summary in summarise(rows):
    ...     print(summary.method, f"{summary.score.mean:.2f}", summary.gain and f"{summary.gain.mean:+.2f}")
    Wiener 0.70 +0.50
    blurred 0.20 None
    """
    rows = complete(rows)
    methods = dict.fromkeys(row.method for row in rows)
    if methods and baseline not in methods:
        raise Problem(f"there is no method {baseline!r} to compare with, only {', '.join(methods)}")
    found = []
    for dataset in dict.fromkeys(row.dataset for row in rows):
        here = [row for row in rows if row.dataset == dataset]
        leading = "accuracy" if any(row.accuracy is not None for row in here) else "psnr"
        of = {method: [row for row in here if row.method == method] for method in methods}
        found += sorted(
            (_summary(own, of[baseline], leading, baseline, rng) for own in of.values() if own),
            key=lambda s: (s.kind != "reference", -s.score.mean if s.score else np.inf),
        )
    return found


def complete(rows):
    """The last row of each picture by each method, a failure scored 0 in all that others were scored by reading.

    Parameters
    ----------
    rows : iterable of Row

    Returns
    -------
    list of Row
    """
    last = list({(row.dataset, row.item, row.method): row for row in rows}.values())
    read = {(r.dataset, r.item, name) for r in last for name in _READ if getattr(r, name) is not None}
    return [
        dataclasses.replace(row, **{name: 0.0 for name in _READ if (row.dataset, row.item, name) in read})
        if row.problem
        else row
        for row in last
    ]


_READ = ("accuracy", "folded", "exact", "hdc")


def _summary(rows, base, leading, baseline, rng):
    first = rows[0]
    scores = {row.item: getattr(row, leading) for row in rows if getattr(row, leading) is not None}
    before = {row.item: getattr(row, leading) for row in base if getattr(row, leading) is not None}
    gains = [score - before[item] for item, score in scores.items() if item in before]
    hdc = _present(rows, "hdc")
    return Summary(
        first.dataset,
        first.method,
        first.kind,
        first.knows,
        ok=sum(not row.problem for row in rows),
        of=len(rows),
        compared=len(_present(rows, "psnr")),
        baseline=baseline,
        leading=leading,
        score=_estimate(list(scores.values()), rng),
        gain=None if first.method == baseline else _estimate(gains, rng),
        readable=statistics.fmean(score >= _READABLE for score in hdc) if hdc else None,
        **{name: _of(statistics.fmean, rows, name) for name in (*_READ, "psnr", "fitted", "ssim")},
        **{name: _of(statistics.median, rows, name) for name in ("seconds", "setup")},
        **{name: _of(max, rows, name) for name in ("memory", "gpu", "parameters")},
    )


def _present(rows: list[Row], name):
    return [value for row in rows if (value := getattr(row, name)) is not None]


def _of(statistic, rows, name):
    values = _present(rows, name)
    return statistic(values) if values else None


def _estimate(values, rng):
    """Mean and its bootstrap interval (bias-corrected and accelerated, Efron 1987, doi:10.2307/2289144)."""
    if not values:
        return None
    mean = statistics.fmean(values)
    if len(values) == 1:
        return Estimate(mean)
    if np.ptp(values) < 1e-9:
        # (Nothing varies but by rounding: the correction would divide by zero.)
        return Estimate(mean, mean, mean)
    from scipy.stats import bootstrap

    found = bootstrap((values,), np.mean, batch=1000, method="BCa", random_state=np.random.default_rng(rng))
    return Estimate(mean, *(float(end) for end in found.confidence_interval))
