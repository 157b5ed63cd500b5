"""The multi-start search: edge penalties through the scales, which supports are tried, which trials are carried on."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from deconv import degrade, psf
from deconv.blind.freeform import multistart
from deconv.blind.freeform.light import Light
from deconv.blind.freeform.multistart import MultiStartSearch, Trial
from deconv.blind.freeform.scale import Observation
from deconv.blind.freeform.score import PsfScore
from deconv.blind.freeform.supports import supports
from deconv.blind.settings.freeform import FreeForm, MultiStart

SETTINGS = FreeForm()
PAGE = degrade.text_picture(["Hand", "pen 4"], size=44, shape=(120, 160))


def _search(image=PAGE, sizes=None, least=1e-4, settings=SETTINGS):
    light = Light([image], settings=settings)
    light.least_penalty = least
    return MultiStartSearch(light, sizes, settings=settings)


@pytest.fixture
def penalties(monkeypatch):
    """The edge penalties of all rounds, in order, in place of these rounds."""
    penalties = []

    class Scale:
        def __init__(self, observations, level, reach, *, settings):
            self.level = level

        def round(self, psf, penalty, ridge):
            penalties.append((self.level, penalty))
            return psf

    monkeypatch.setattr(multistart, "Scale", Scale)
    return penalties


def test_the_edge_penalty_falls_from_round_to_round_and_through_the_scales(penalties):
    _search()._coarse(31, 8e-3)
    levels, values = zip(*penalties, strict=True)
    assert len(values) > 15
    assert sorted(levels, reverse=True) == list(levels)
    assert values[0] == 8e-3
    assert (np.diff(values) < 0).all()
    # What begins as the strongest edges alone ends with several times as many, but not with all.
    assert values[0] / 15 < values[-1] < values[0] / 4


def test_the_edge_penalty_goes_on_from_where_it_was(penalties):
    search = _search()
    search._coarse(31, 8e-3)
    after = search._penalty_after_coarse(8e-3)
    assert after == pytest.approx(penalties[-1][1], rel=0.15)
    assert after < penalties[-1][1]


def test_the_edge_penalty_falls_no_lower_than_the_noise_allows(penalties):
    _search(least=3e-3)._coarse(31, 8e-3)
    assert penalties[0][1] == 8e-3
    assert penalties[-1][1] == 3e-3


def test_the_penalty_that_falls_finds_the_path():
    """On average over a few shakes the PSF at the coarse scales is better than by one penalty for all rounds."""
    similar = {}
    for decay in (1.0, MultiStart().decay):
        settings = replace(SETTINGS, multi_start=replace(MultiStart(), decay=decay))
        similar[decay] = []
        for seed in (1, 3, 5):
            shake = psf.random_motion(15, rng=seed)
            blurred = degrade.add_noise(degrade.blur(PAGE, shake), 0.002, rng=0)
            coarse = MultiStartSearch(Light([blurred], settings=settings), None, settings=settings)._coarse(31, 8e-3)
            similar[decay].append(psf.similarity(multistart.resampled(coarse, 31, 2.0), shake))
    assert np.mean(similar[MultiStart().decay]) > np.mean(similar[1.0]) + 0.02


@pytest.mark.parametrize(
    ("gains", "carried_on", "refined_again"),
    [
        # The best of the first two leaves no doubt.
        ([0.1, 0.3, 0.5], 2, 0),
        # It leaves doubt: the third is carried on too, and does not.
        ([0.1, 0.15, 0.5], 3, 0),
        # All leave doubt: the best two are refined again, three times.
        ([0.1, 0.15, 0.05], 3, 6),
    ],
)
def test_trials_are_carried_on_while_there_is_doubt(monkeypatch, gains, carried_on, refined_again):
    climbed, refined = [], []
    scorer = SimpleNamespace(
        no_blur=PsfScore(100.0, 0.0, 0.0), score=lambda psf: PsfScore(100 * (1 - gains[int(psf[0, 0])]), 0.0, 0.0)
    )
    search = _search()
    monkeypatch.setattr(search, "_climb", lambda psf, size, penalty, levels: climbed.append(psf) or psf)
    monkeypatch.setattr(multistart, "refine", lambda scale, psf, penalties, least: refined.append(psf) or psf)
    trials = [Trial(15, 8e-3, i, np.full((3, 3), i)) for i in range(3)]
    done = search._carried_on(trials, SimpleNamespace(scorer=scorer), lambda part: None)
    assert len(climbed) == carried_on
    assert len(refined) == carried_on + refined_again
    best = max(gains[:carried_on])
    assert done[0].cost == pytest.approx(100 * (1 - best))
    assert {int(trial.psf[0, 0]) for trial in done} == {0, 1, 2}


@pytest.mark.parametrize(
    ("shape", "largest"), [((60, 400), 15), ((200, 300), 47), ((400, 400), 107), ((900, 700), 161)]
)
def test_no_support_is_larger_than_the_image_allows(shape, largest):
    sides = supports([Observation(np.zeros(shape), 0.0)], None, settings=MultiStart())
    assert sides[0] == 15
    assert sides[-1] == largest


def test_supports_within_given_bounds():
    images = [Observation(np.zeros((100, 100)), 0.0)]
    assert supports(images, (9, 40), settings=MultiStart()) == [15, 31, 40]
    assert supports(images, (3, 3), settings=MultiStart()) == [3]


@pytest.mark.parametrize(("width", "tried"), [(0.5, [15, 31, 47]), (0.8, [15, 31, 47, 71])])
def test_a_larger_support_is_tried_where_the_psf_fills_the_last(monkeypatch, width, tried):
    def coarse(size, penalty):
        side = 2 * round(min(size, 47) * width / 4) + 1
        return np.ones((side, side)) / side**2

    search = _search(np.zeros((300, 300)))
    monkeypatch.setattr(search, "_coarse", coarse)
    # The wider the better.
    scorer = SimpleNamespace(score=lambda psf: PsfScore(-psf.shape[0], 0.0, 0.0))
    monkeypatch.setattr(search, "_scale", lambda level, reach: SimpleNamespace(scorer=scorer))
    trials = search._coarse_trials(lambda part: None)
    assert sorted({trial.size for trial in trials}) == tried
