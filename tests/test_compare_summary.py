"""Statistics over rows: answers known beforehand, what a failure costs, and who stands where."""

import numpy as np
import pytest

from deconv.compare.protocol import Problem, Row
from deconv.compare.summary import summarise


def row(method, item, accuracy=None, *, dataset="pages", kind="classical", **other):
    kind = "reference" if method in ("blurred", "sharp") else kind
    return Row(dataset, str(item), method, kind, "nothing", "key", accuracy=accuracy, **other)


def rows(**scores):
    """Rows of methods by their accuracies."""
    return [row(method, i, score) for method, values in scores.items() for i, score in enumerate(values)]


def one(found, method, dataset="pages"):
    return next(s for s in found if s.method == method and s.dataset == dataset)


def test_constant_scores_have_an_interval_of_no_width():
    found = one(summarise(rows(blurred=[0.1] * 6, wiener=[0.7] * 6)), "wiener")
    assert found.score == pytest.approx((0.7, 0.7, 0.7), abs=1e-12)
    assert found.score.low == found.score.high
    assert found.gain == pytest.approx((0.6, 0.6, 0.6), abs=1e-12)


def test_a_difference_is_taken_picture_by_picture():
    before = np.random.default_rng(3).uniform(0, 0.7, 30)
    better = before + np.where(np.arange(30) % 2, 0.2, 0.21)
    found = one(summarise(rows(blurred=before, wiener=better)), "wiener")
    assert found.gain.mean == pytest.approx(0.205, abs=1e-12)
    # (Unpaired it would be about as wide as the score's own.)
    assert found.gain.high - found.gain.low < 0.01 < 0.1 < found.score.high - found.score.low
    assert found.gain.low < 0.205 < found.gain.high


def test_the_interval_is_the_textbook_one_where_that_holds():
    values = np.random.default_rng(0).normal(0.5, 0.1, 400)
    found = one(summarise(rows(blurred=values)), "blurred").score
    half = 1.96 * values.std() / 20
    np.testing.assert_allclose([found.low, found.high], [values.mean() - half, values.mean() + half], atol=0.1 * half)


def test_the_seed_decides():
    some = rows(blurred=[0.1, 0.4, 0.2, 0.9, 0.3])
    assert summarise(some) == summarise(some)
    assert summarise(some, rng=0)[0].score != summarise(some, rng=1)[0].score


def test_scores_that_differ_by_rounding_do_not_divide_by_zero():
    found = one(summarise(rows(blurred=[0.3 - 0.2, 0.2 - 0.1, 0.1, 0.1])), "blurred").score
    assert found.low == found.high == pytest.approx(0.1)


def test_one_picture_has_no_interval():
    found = one(summarise(rows(blurred=[0.2], wiener=[0.5])), "wiener")
    assert found.score == (0.5, None, None)
    assert found.gain == (pytest.approx(0.3), None, None)


def test_failures_count_as_nothing_read_and_stay_out_of_psnr():
    found = summarise(
        [
            row("blurred", 0, 0.2, exact=0.0, hdc=10.0, psnr=10.0),
            row("blurred", 1, 0.2, exact=0.0, hdc=10.0, psnr=12.0),
            row("wiener", 0, 1.0, exact=1.0, hdc=90.0, psnr=20.0, ssim=0.8),
            row("wiener", 1, problem="it broke"),
        ]
    )
    wiener = one(found, "wiener")
    assert (wiener.ok, wiener.of, wiener.compared) == (1, 2, 1)
    assert (wiener.accuracy, wiener.exact, wiener.hdc, wiener.readable) == (0.5, 0.5, 45.0, 0.5)
    assert (wiener.psnr, wiener.ssim) == (20.0, 0.8)
    assert wiener.gain.mean == pytest.approx(0.3)
    assert wiener.folded is None


def test_a_failure_on_a_picture_without_text_is_not_scored_as_if_it_had_some():
    some = [row("blurred", 0, psnr=10.0), row("blurred", 1, 0.4), row("wiener", 0, problem="no"), row("wiener", 1, 0.6)]
    assert one(summarise(some), "wiener").accuracy == 0.6


def test_a_set_without_text_is_ordered_by_psnr():
    some = [row(m, i, psnr=p + i) for m, p in [("blurred", 15), ("poor", 18), ("good", 25)] for i in range(3)]
    found = summarise([*some, row("good", 3, problem="too slow"), row("blurred", 3, psnr=1.0)])
    assert [s.method for s in found] == ["blurred", "good", "poor"]
    good = one(found, "good")
    assert (good.leading, good.accuracy, good.psnr, good.compared, good.of) == ("psnr", None, 26.0, 3, 4)
    assert good.gain == pytest.approx((10, 10, 10))


def test_the_last_row_of_a_picture_counts():
    found = summarise([*rows(blurred=[0.1, 0.1]), row("blurred", 0, problem="killed"), row("blurred", 0, 0.5)])
    assert (found[0].of, found[0].accuracy) == (2, pytest.approx(0.3))


def test_references_first_then_the_best_and_those_without_a_score_last():
    some = [*rows(poor=[0.2], sharp=[0.9], good=[0.8], blurred=[0.1]), row("unread", 0, psnr=30.0)]
    assert [s.method for s in summarise(some)] == ["sharp", "blurred", "good", "poor", "unread"]


def test_sets_are_told_apart_and_the_baseline_is_the_one_named():
    some = rows(blurred=[0.1, 0.2], wiener=[0.5, 0.6], tv=[0.7, 0.9])
    some += [row("blurred", i, 0.3, dataset="plates") for i in range(2)]
    some += [row("tv", i, 0.4, dataset="plates") for i in range(2)]
    found = summarise(some, "wiener")
    assert [s.dataset for s in found] == ["pages"] * 3 + ["plates"] * 2
    assert one(found, "tv").gain.mean == pytest.approx(0.25)
    assert one(found, "wiener").gain is None
    assert one(found, "tv", "plates").gain is None
    assert {s.baseline for s in found} == {"wiener"}
    with pytest.raises(Problem, match="no method 'rl' to compare with, only blurred, wiener, tv"):
        summarise(some, "rl")
    assert summarise([]) == []


def test_times_are_medians_and_memory_is_the_peak():
    some = [
        row("blurred", i, 0.1, seconds=s, setup=1.0, memory=m, gpu=g, parameters=7)
        for i, (s, m, g) in enumerate([(1.0, 300, None), (2.0, 500, 20), (90.0, 400, 10)])
    ]
    found = summarise(some)[0]
    assert (found.seconds, found.setup, found.memory, found.gpu, found.parameters) == (2.0, 1.0, 500, 20, 7)
