"""Starts from the power spectrum: which are continued, grown and refined, and which is kept."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from letters import blurred_letters
from threadpoolctl import threadpool_limits

import deconv
from deconv.blind.freeform import starts as starts_module
from deconv.blind.freeform.psf_step import cut_or_padded
from deconv.blind.freeform.refine import ScoredPsf
from deconv.blind.freeform.scale import normalised
from deconv.blind.freeform.score import PsfScore
from deconv.blind.freeform.starts import PowerStarts
from deconv.blind.settings.freeform import FreeForm, Starts

SIDE = 25
SETTINGS = FreeForm()
# A scale at which no blur costs more than any candidate.
WORSE_WITHOUT_BLUR = SimpleNamespace(scorer=SimpleNamespace(no_blur=PsfScore(100.0, 0.0, 0.0)))


def _starts(images, sizes=None, settings=SETTINGS):
    observations, least = normalised(images, settings=settings.edge_penalty)
    return PowerStarts(observations, sizes, least, settings=settings)


def test_the_better_candidate_is_kept(monkeypatch):
    starts = _starts([blurred_letters(deconv.psf.random_motion(SIDE, rng=4))])
    costs, gains = iter([3.0, 2.0, 1.0]), iter([0.2, 0.25])
    monkeypatch.setattr(starts, "_continued", lambda scale, psf, schedule: (next(costs), psf))
    monkeypatch.setattr(starts, "_refined", lambda psf, faint: ScoredPsf(None, psf, 1 - next(gains), 0.0, 0.0, 0.0))
    starts._scales = dict.fromkeys(range(1, 200), WORSE_WITHOUT_BLUR)
    starts.search((31,), 1, lambda _: None)
    first = starts.best
    costs = iter([0.9, 0.8, 0.7])
    starts.search((31,), 1, lambda _: None)
    assert starts.best.cost == 0.75
    gains = iter([0.1])
    costs = iter([0.6, 0.5, 0.4])
    starts.search((31,), 1, lambda _: None)
    assert starts.best.cost == 0.75
    assert starts.best is not first


def test_a_psf_that_is_cut_off_does_not_end_the_search(monkeypatch):
    starts = _starts([blurred_letters(deconv.psf.random_motion(SIDE, rng=4))])
    costs, ends = iter([1.0, 1.0, 1.0, 2.0, 2.0, 2.0]), iter([(41, 0.8), (31, 0.7)])

    def refined(*_):
        side, gain = next(ends)
        psf = cut_or_padded(np.ones((side, side)), 41)
        return ScoredPsf(None, psf, 1 - gain, 0.0, gain, 0.0)

    monkeypatch.setattr(starts, "_continued", lambda scale, psf, schedule: (next(costs), psf))
    monkeypatch.setattr(starts, "_refined", refined)
    starts._scales = dict.fromkeys(range(1, 200), WORSE_WITHOUT_BLUR)
    starts.search((31,), 1, lambda _: None)
    assert not starts.solved
    starts.search((31,), 1, lambda _: None)
    assert starts.solved
    assert starts.best.gain == 0.8


@pytest.mark.parametrize(
    ("gain", "longer", "grown", "faint", "asked", "best"),
    [
        (0.5, 0.52, 0.9, True, ["longer"], 0.52),
        (0.5, 0.505, 0.53, True, ["longer", "grown", "longer"], 0.53),
        (0.5, 0.505, 0.53, False, ["longer"], None),
        (0.5, 0.4, 0.505, True, ["longer", "grown", "longer"], None),
        (0.75, 0.9, 0.9, True, [], None),
    ],
)
def test_a_candidate_in_doubt_is_continued_and_grown_where_that_does_not_help(
    monkeypatch, gain, longer, grown, faint, asked, best
):
    starts, done = _starts([blurred_letters(deconv.psf.random_motion(SIDE, rng=4))]), []
    monkeypatch.setattr(starts, "_continuation", lambda scale, psf, schedule: done.append("longer") or psf)
    monkeypatch.setattr(starts, "_grown", lambda scale, psf: done.append("grown") or psf)
    monkeypatch.setattr(starts_module, "refine", lambda scale, psf, penalties, least: psf)
    gains = {1: longer, 3: grown}
    monkeypatch.setattr(ScoredPsf, "scored", lambda scale, psf: ScoredPsf(None, psf, 0.0, 0.0, gains[len(done)], 0.0))
    end = starts._improved(None, ScoredPsf(None, np.ones((3, 3)), 0.0, 0.0, gain, 0.0), faint)
    assert done == asked
    assert (end and end.gain) == best


def test_what_the_power_shows_is_continued():
    psf = deconv.psf.random_motion(SIDE, rng=4)
    starts = _starts([blurred_letters(psf)], (SIDE, SIDE))
    starts.search((31, 71, 107), 1, lambda _: None)
    assert starts.solved
    assert starts.best.psf.shape == (SIDE, SIDE)
    assert starts.best.gain > 0.3
    assert deconv.psf.similarity(starts.best.psf, psf) > 0.9


def test_an_image_that_is_merely_soft_has_no_start():
    """Its power shows no path: no PSF is made up."""
    starts = _starts([blurred_letters(deconv.psf.gaussian(1.0))], (SIDE, SIDE))
    starts.search((SIDE,), 1, lambda _: None)
    assert starts.best is None
    assert not starts._scales


def test_paths_grow_from_where_a_shake_rests():
    lines = ["Which kind of blur has", "this page of text, it", "may ask, and how many", "words are on it, and"]
    lines += ["how it all came about", "when it was not asked", "but had to be told by", "a picture of letters"]
    page = deconv.degrade.text_picture(lines, size=22, shape=(280, 300))
    shake = deconv.psf.random_motion(35, rng=1)
    blurred = deconv.degrade.add_noise(deconv.degrade.blur(page, shake), 0.004, rng=1)

    def best(settings):
        starts = _starts([blurred], settings=settings)
        with threadpool_limits(1, user_api="blas"):
            starts.search((51,), 1, lambda _: None)
        return starts.best

    assert deconv.psf.similarity(best(SETTINGS).psf, shake) > 0.98
    # Without growth the PSF of the resting place alone is not promising enough to be refined.
    assert best(replace(SETTINGS, starts=replace(Starts(), growth_schedule=()))) is None
