"""Refinement of a PSF: penalties from high to low, down to what noise allows and, at the very end, below it."""

from types import SimpleNamespace

import numpy as np
import pytest
from skimage import data

from deconv import degrade, psf
from deconv.blind.freeform.refine import ScoredPsf, refine, refine_below_noise, trimmed
from deconv.blind.freeform.scale import Scale, normalised
from deconv.blind.freeform.score import PsfScore
from deconv.blind.settings.freeform import FreeForm, Refinement

SETTINGS = FreeForm()


class Recorder:
    """A scale whose rounds keep the PSF and record the edge penalty."""

    def __init__(self):
        self.settings, self.penalties = SETTINGS, []

    def round(self, psf, penalty, ridge, *, predict_outside):
        """Record."""
        assert predict_outside
        self.penalties.append(penalty)
        return psf


@pytest.mark.parametrize(
    ("least", "schedule"),
    [(1e-4, [1e-2, 1e-2, 1e-3, 1e-3, 1e-4, 1e-4]), (2e-3, [1e-2, 1e-2, 2e-3, 2e-3]), (0.5, [0.5, 0.5])],
)
def test_penalties_end_at_what_the_noise_allows(least, schedule):
    scale, parts = Recorder(), []
    refine(scale, np.ones((3, 3)), (1e-2, 1e-3, 1e-4), least, parts.append, rounds=2)
    assert scale.penalties == schedule
    assert parts == sorted(parts)
    assert parts[-1] == 1.0


def test_the_last_rounds_are_below_the_noise():
    """Penalties that noise asks for bias the PSF of a photograph; the last rounds take most of that back."""
    scene, shake = data.camera()[60:220, 130:330] / 255, psf.random_motion(15, rng=4)
    blurred = degrade.add_noise(degrade.blur(scene, shake), 0.01, rng=0)
    observations, least = normalised([blurred], settings=SETTINGS.edge_penalty)
    scale = Scale(observations, 0, 17, settings=SETTINGS)
    biased = refine(scale, np.pad(shake, 1), (4e-3, 1e-3), least)
    before, after = (
        1 - psf.similarity(trimmed(k, settings=SETTINGS.refinement), shake)
        for k in (biased, refine_below_noise(scale, biased, least))
    )
    assert before > 0.03
    assert after < before / 2


def test_small_weights_and_pieces_are_trimmed():
    k = np.zeros((11, 11))
    k[5, 3:8] = 1.0
    k[4, 5], k[1, 1], k[9, 9:11] = 0.01, 0.05, 0.5
    got = trimmed(k, settings=Refinement())
    # The faint pixel and the small piece go; the larger piece, an eighth of all, stays.
    assert got.shape == (11, 11)
    assert got[4, 5] == got[1, 1] == 0
    assert got[9, 9:11].sum() == pytest.approx(1 / 6)
    k[9, 9:11] = 0.02
    assert trimmed(k, settings=Refinement()).shape == (5, 5)


def test_the_larger_gain_of_two_scales_counts():
    scorer = SimpleNamespace(
        score=lambda psf: PsfScore(60.0, 90.0, 0.4), gain=lambda score: 0.4, energy_gain=lambda score: 0.1
    )
    scale = SimpleNamespace(scorer=scorer)
    for coarser, gain in ((-1.0, 0.4), (0.3, 0.4), (0.6, 0.6)):
        scored = ScoredPsf.scored(None, scale, np.ones((1, 1)), coarser)
        assert scored.gain == gain
        # The cost is always that at this scale.
        assert scored.cost == 0.6
