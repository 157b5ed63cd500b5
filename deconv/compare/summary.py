"""Summary of the rows of a comparison: means of each method on each data set, confidence intervals, and gains."""

import dataclasses
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from deconv.compare.protocol import Problem, Row

__all__ = ["Estimate", "Summary", "complete", "summarise"]

_READING = ("accuracy", "folded", "exact", "hdc")
# HDC score from which the challenge counts a step as passed.
_READABLE = 70


class Estimate(NamedTuple):
    """A mean over images and its 95 % confidence interval; a single image has none.

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
    """Results of one method on one data set.

    Reading scores are means over all images, a failure counting 0. PSNR and SSIM, where 0 would be arbitrary, are
    means over the images that have a result; `compared` is their number.

    Attributes
    ----------
    dataset, method, kind, knows : str
        As in `deconv.compare.protocol.Row`.
    ok, of : int
        Number of images with a result, and of all images.
    compared : int
        Number of images that have a PSNR.
    baseline : str
        Method that `gain` is relative to.
    leading : {"accuracy", "psnr"}
        The score that ranks methods: PSNR on a set without text.
    score : Estimate or None
        The leading score.
    gain : Estimate or None
        Mean difference between the leading score and the baseline's on the same image; None for the baseline itself,
        and if no image has both.
    accuracy, folded, exact, hdc, psnr, fitted, ssim : float or None
        Means over images.
    readable : float or None
        Fraction of images whose HDC score is at least 70.
    seconds, setup : float or None
        Medians.
    memory, gpu : float or None
        Peaks, in MB.
    parameters : int or None
        Number of trained parameters.
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


def summarise(rows: Iterable[Row], baseline: str = "blurred", rng: int = 0) -> list[Summary]:
    """Summarise each method on each data set.

    Parameters
    ----------
    rows : iterable of Row
        Rows of one or more data sets.
    baseline : str
        Method that the others are compared to, image by image.
    rng : int
        Seed of the bootstrap.

    Returns
    -------
    list of Summary
        In the order of the data sets; within each, references first, then methods by falling leading score.

    Raises
    ------
    Problem
        If no row is of the baseline.

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
    summaries: list[Summary] = []
    for dataset in dict.fromkeys(row.dataset for row in rows):
        here = [row for row in rows if row.dataset == dataset]
        leading = "accuracy" if any(row.accuracy is not None for row in here) else "psnr"
        by_method = {method: [row for row in here if row.method == method] for method in methods}
        summaries += sorted(
            (_summary(group, by_method[baseline], leading, baseline, rng) for group in by_method.values() if group),
            key=lambda s: (s.kind != "reference", -s.score.mean if s.score else np.inf),
        )
    return summaries


def complete(rows: Iterable[Row]) -> list[Row]:
    """Keep the last row of each image and method; give failures the reading score 0 where other methods have one.

    Parameters
    ----------
    rows : iterable of Row

    Returns
    -------
    list of Row
    """
    last = list({(row.dataset, row.item, row.method): row for row in rows}.values())
    scored = {(r.dataset, r.item, name) for r in last for name in _READING if getattr(r, name) is not None}

    def with_zeros(row: Row) -> Row:
        zeros: dict[str, Any] = {name: 0.0 for name in _READING if (row.dataset, row.item, name) in scored}
        return dataclasses.replace(row, **zeros)

    return [with_zeros(row) if row.problem else row for row in last]


def _summary(rows: list[Row], baseline_rows: list[Row], leading: str, baseline: str, rng: int) -> Summary:
    first = rows[0]
    scores = {row.item: getattr(row, leading) for row in rows if getattr(row, leading) is not None}
    before = {row.item: getattr(row, leading) for row in baseline_rows if getattr(row, leading) is not None}
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
        **{name: _apply(statistics.fmean, rows, name) for name in (*_READING, "psnr", "fitted", "ssim")},
        **{name: _apply(statistics.median, rows, name) for name in ("seconds", "setup")},
        **{name: _apply(max, rows, name) for name in ("memory", "gpu", "parameters")},
    )


def _present(rows: list[Row], name: str) -> list[Any]:
    return [value for row in rows if (value := getattr(row, name)) is not None]


def _apply(statistic: Callable[[list[Any]], Any], rows: list[Row], name: str) -> Any:
    values = _present(rows, name)
    return statistic(values) if values else None


def _estimate(values: Sequence[float], rng: int) -> Estimate | None:
    """Mean and its bootstrap interval (bias-corrected and accelerated, Efron 1987, doi:10.2307/2289144)."""
    if not values:
        return None
    mean = statistics.fmean(values)
    if len(values) == 1:
        return Estimate(mean)
    if np.ptp(values) < 1e-9:
        # Values vary by rounding only, and the correction would divide by zero.
        return Estimate(mean, mean, mean)
    from scipy.stats import bootstrap

    result = bootstrap((values,), np.mean, batch=1000, method="BCa", random_state=np.random.default_rng(rng))
    low, high = result.confidence_interval
    return Estimate(mean, float(low), float(high))
