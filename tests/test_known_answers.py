"""Every problem of `known_answers` on deconv, Richardson-Lucy plain and accelerated."""

import known_answers
import pytest
from known_answers import CASES

OF_RICHARDSON_LUCY = {"rl", "rl_sky"}


def _asked(case, *, accelerate):
    library = known_answers.ours(accelerate=accelerate)
    value = case.measure(*(getattr(library, name) for name in case.needs.split()))
    assert case.passes(value), f"{case.figure}: {value:.4g}, limit {case.limit:g}"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_known_answer(case):
    _asked(case, accelerate=False)


@pytest.mark.parametrize(
    "case",
    [case for case in CASES if case.needs in OF_RICHARDSON_LUCY and case.accelerated],
    ids=lambda case: case.name,
)
def test_known_answer_accelerated(case):
    _asked(case, accelerate=True)


def test_a_figure_that_is_no_number_never_passes():
    for case in CASES:
        assert not case.passes(float("nan"))
