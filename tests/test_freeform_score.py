"""The score of a PSF: energy of the scene times normalised sparsity."""

import pytest
from letters import blurred_letters

import deconv
from deconv.blind.freeform.scale import Scale, normalised
from deconv.blind.settings.freeform import FreeForm

SIDE = 25
SETTINGS = FreeForm()


def _scorer(images, reach, settings=SETTINGS):
    observations, _ = normalised(images, settings=settings.edge_penalty)
    return Scale(observations, 0, reach, settings=settings).scorer


@pytest.mark.parametrize("sigma", [0.01, 0.03])
def test_noise_does_not_hide_the_right_psf(sigma):
    # Edges cheaper than the noise explain it, whatever the PSF: then 3 % of noise leave right ones a gain of 0.1.
    psf = deconv.psf.random_motion(SIDE, rng=4)
    scorer = _scorer([blurred_letters(psf, noise=sigma)], SIDE)
    right, wrong = (scorer.gain(scorer.score(k)) for k in (psf, deconv.psf.random_motion(SIDE, rng=5)))
    assert right > 0.4
    assert wrong < 0.1
