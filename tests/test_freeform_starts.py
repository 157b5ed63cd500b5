"""Starts from the power spectrum: which are continued, grown and refined, and which is kept."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from letters import blurred_letters
from threadpoolctl import threadpool_limits

import deconv
from deconv.blind.freeform.light import Light
from deconv.blind.freeform.psf_step import cut_or_padded
from deconv.blind.freeform.refine import ScoredPsf
from deconv.blind.freeform.starts import PowerStarts
from deconv.blind.settings.freeform import FreeForm, Starts

SIDE = 25
PAGE = blurred_letters(deconv.psf.random_motion(SIDE, rng=4), (120, 160))
SETTINGS = FreeForm()


def _starts(images, sizes=None, settings=SETTINGS):
    return PowerStarts([Light([image], settings=settings) for image in images], sizes, settings=settings)


def _result(gain, side=31, extent=5, evidence=1000.0, at=0):
    """A result of that gain whose PSF is a square of that extent, `at` pixels off the middle of its support."""
    psf = np.roll(cut_or_padded(np.ones((extent, extent)), side), at, 1)
    light = SimpleNamespace(power=SimpleNamespace(evidence=lambda _: evidence))
    return ScoredPsf(light, None, psf, 1 - gain, 0.5, gain, 0.0)


def _search(monkeypatch, ends, times):
    """A search whose starts end in these results, and are not changed by the refinement."""
    starts, ends = _starts([PAGE]), iter(ends)
    starts._waiting = iter([SimpleNamespace(light=None, psf=None, evidence=1000.0)] * 9)
    monkeypatch.setattr(starts, "_both_continued", lambda light, psf: next(ends))
    monkeypatch.setattr(starts, "_refined", lambda candidate: candidate)
    starts.search(times, lambda _: None)
    return starts, ends


def test_a_start_that_hardly_gains_is_not_kept(monkeypatch):
    starts, _ = _search(monkeypatch, [_result(0.1), _result(0.14)], 2)
    assert starts.best is None
    assert not starts.solved


def test_the_better_candidate_is_kept(monkeypatch):
    first, worse, better = _result(0.2), _result(0.16, extent=1), _result(0.25, extent=17)
    starts, _ = _search(monkeypatch, [first, worse, better], 1)
    assert starts.best is first
    starts.search(2, lambda _: None)
    assert starts.best is better
    assert not starts.solved


def test_the_search_pauses_at_the_first_start_that_gains(monkeypatch):
    starts, ends = _search(monkeypatch, [_result(0.1), _result(0.2), _result(0.25)], 3)
    assert starts.best.gain == 0.2
    assert next(ends).gain == 0.25


def test_a_start_that_gains_much_solves_the_problem(monkeypatch):
    assert _search(monkeypatch, [_result(0.35)], 1)[0].solved
    # But not one that its support of 41 pixels cuts off.
    assert not _search(monkeypatch, [_result(0.8, 41, 41)], 1)[0].solved


def test_two_starts_that_end_alike_solve_the_problem(monkeypatch):
    starts, _ = _search(monkeypatch, [_result(0.2), _result(0.19, at=3)], 1)
    assert not starts.solved
    starts.search(1, lambda _: None)
    assert starts.solved
    assert starts.best.gain == 0.2


def test_a_better_candidate_without_evidence_is_not_kept(monkeypatch):
    starts, _ = _search(monkeypatch, [_result(0.2), _result(0.25, extent=17, evidence=400.0)], 1)
    starts.search(1, lambda _: None)
    assert starts.best.gain == 0.2


def test_the_search_ends_where_starts_lose_their_evidence(monkeypatch):
    """As in sharp images: the edges of the scene do not bear out what the power shows."""
    ends = [_result(0.1, extent=n, evidence=200.0) for n in (1, 5, 9, 17)]
    starts, ends = _search(monkeypatch, ends, 3)
    assert next(ends).psf[15, 15] == pytest.approx(1 / 81)
    assert starts.best is None


def test_the_end_with_most_evidence_goes_through_longer_rounds(monkeypatch):
    starts, _ = _search(monkeypatch, [_result(0.1), _result(0.05, evidence=2000.0, extent=9)], 2)
    longer, asked = iter([_result(0.05), _result(0.12), _result(0.4)]), []
    monkeypatch.setattr(starts, "_longer", lambda end, grow: asked.append((end.gain, grow)) or next(longer))
    starts.persist()
    # Those that do not improve it are followed by growth; both end when the problem is solved.
    assert asked == [(0.05, False), (0.05, True), (0.12, False)]
    assert starts.best.gain == 0.4
    assert starts.solved


def test_the_likeliest_starts_come_first():
    shake = deconv.psf.random_motion(SIDE, rng=4)
    blurred = blurred_letters(shake)
    starts = list(_starts([blurred, np.sqrt(np.clip(blurred, 0, 1))])._waiting)
    evidence = [start.evidence for start in starts]
    assert evidence == sorted(evidence, reverse=True)
    assert len(starts) > 3
    # Those of the right encoding.
    np.testing.assert_allclose(
        starts[0].light.observations[0].image, _starts([blurred])._lights[0].observations[0].image
    )


def test_a_start_in_a_wrong_encoding_is_continued_in_the_right_one():
    shake = deconv.psf.random_motion(SIDE, rng=4)
    blurred = np.clip(blurred_letters(shake), 0, 1)
    starts = _starts([blurred, blurred**2.2], (SIDE, SIDE))
    wrong = next(start for start in starts._waiting if start.light is starts._lights[1])
    found = starts._both_continued(wrong.light, cut_or_padded(wrong.psf, 33))
    assert found.light is starts._lights[0]
    assert deconv.psf.similarity(found.psf, shake) > 0.9


def test_what_the_power_shows_is_continued():
    psf = deconv.psf.random_motion(SIDE, rng=4)
    starts = _starts([blurred_letters(psf)], (SIDE, SIDE))
    starts.search(3, lambda _: None)
    assert starts.solved
    assert starts.best.psf.shape == (SIDE, SIDE)
    assert starts.best.gain > 0.3
    assert deconv.psf.similarity(starts.best.psf, psf) > 0.9


def test_an_image_that_is_merely_soft_has_no_start():
    """Its power shows no path: no PSF is made up."""
    starts = _starts([blurred_letters(deconv.psf.gaussian(1.0))], (SIDE, SIDE))
    starts.search(1, lambda _: None)
    assert starts.best is None
    assert not starts._lights[0]._scales


def test_paths_grow_from_where_a_shake_rests():
    lines = ["Which kind of blur has", "this page of text, it", "may ask, and how many", "words are on it, and"]
    lines += ["how it all came about", "when it was not asked", "but had to be told by", "a picture of letters"]
    page = deconv.degrade.text_picture(lines, size=22, shape=(280, 300))
    shake = deconv.psf.random_motion(35, rng=1)
    blurred = deconv.degrade.add_noise(deconv.degrade.blur(page, shake), 0.004, rng=1)

    def best(schedule):
        stage = replace(Starts(), supports=(51,), growth_schedule=schedule)
        starts = _starts([blurred], settings=replace(SETTINGS, starts=stage))
        with threadpool_limits(1, user_api="blas"):
            starts.search(1, lambda _: None)
            starts.persist()
        return starts.best

    assert deconv.psf.similarity(best(Starts().growth_schedule).psf, shake) > 0.98
    # Without growth the PSF of the resting place alone is not promising enough to be refined.
    assert best(()) is None
