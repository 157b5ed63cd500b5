"""The score of a PSF: energy of the scene times normalised sparsity."""

import pytest
from letters import blurred_letters
from skimage import data

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


def test_sparse_gradients_count_beside_the_energy():
    """In a photograph the right PSF saves little energy, but the restored gradients are sparser."""
    scene, shake = data.camera()[60:260, 130:350] / 255, deconv.psf.random_motion(9, rng=4)
    blurred = deconv.degrade.add_noise(deconv.degrade.blur(scene, shake), 0.005, rng=0)[5:-5, 5:-5]
    scorer = _scorer([blurred], 15)
    right, turned = scorer.score(shake), scorer.score(shake[::-1, ::-1])
    # Both factors fall for the right PSF: its gain is more than either alone gives.
    assert right.cost / right.energy < 0.95 * scorer.no_blur.cost / scorer.no_blur.energy
    assert scorer.gain(right) > scorer.energy_gain(right) + 0.05
    assert scorer.gain(right) > 0.15
    assert scorer.gain(turned) < 0.05
    assert 0 < right.cost < right.energy


@pytest.mark.parametrize(("text", "low", "high"), [(True, 0.4, 1.0), (False, 0.0, 0.3)])
def test_pages_are_flat_and_photographs_are_not(text, low, high):
    page = deconv.degrade.text_picture(["Hand", "pen 4"], size=44, shape=(120, 160))
    scene = page if text else data.camera()[60:260, 130:350] / 255
    shake = deconv.psf.random_motion(9, rng=5)
    blurred = deconv.degrade.add_noise(deconv.degrade.blur(scene, shake), 0.005, rng=0)
    assert low < _scorer([blurred], 15).score(shake).flat < high
