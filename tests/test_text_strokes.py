"""Strokes of a pen as a prior: what they recover, what bounds them, and the same on every array library."""

import numpy as np
import pytest

import deconv
from deconv.blind.settings.text import Strokes
from deconv.blind.text.strokes import draw_strokes, restore_strokes

RADIUS = 10.0
PSF = deconv.psf.disk(RADIUS, softness=0.09 * RADIUS)


def page(lines=("strokes", "of a pen"), size=14, shape=(80, 120)):
    """Coverage by ink of a page whose letters are lower than the blur is wide."""
    return 1.0 - deconv.degrade.text_picture(lines, size=size, shape=shape)


def blurred(ink, sigma=0.001):
    return deconv.degrade.add_noise(deconv.degrade.blur(ink, PSF), sigma, rng=0).astype(np.float32)


def restored(ink, num_iter=80, width=0.14 * RADIUS):
    settings = Strokes(num_iter=num_iter)
    return restore_strokes(ink, PSF, width, settings.weight, settings, lambda part: None)


def error(estimate, truth):
    """Rms difference from the truth, as part of it, both as sharp as the blur allows to see."""
    estimate, truth = (deconv.degrade.blur(x, deconv.psf.gaussian(1.0)) for x in (estimate, truth))
    gain = np.sum(estimate * truth) / np.sum(estimate**2)
    return np.sqrt(np.mean((gain * estimate - truth) ** 2) / np.mean(truth**2))


def test_unresolved_letters_come_out_better_than_by_total_variation():
    ink = page()
    photo = blurred(ink)
    flat = deconv.variational(photo, PSF, bounds=(0.0, 1.2), num_iter=80).image
    assert error(restored(photo), ink) < 0.75 * error(flat, ink)


def test_it_explains_the_picture_and_stays_between_paper_and_ink():
    photo = blurred(page())
    drawn = restored(photo)
    assert drawn.dtype == np.float32
    assert drawn.min() >= 0.0
    assert drawn.max() <= 1.0
    inner = (slice(10, -10), slice(10, -10))
    assert np.abs(deconv.degrade.blur(drawn, PSF) - photo)[inner].max() < 0.02


@pytest.mark.parametrize("width", [1.4, 3.3, 6.0])
def test_wide_pens_do_not_diverge(width):
    # A pen of many pixels weighs a hundred times a point, which single precision must not mind.
    photo = blurred(page())
    short, long = restored(photo, 60, width), restored(photo, 180, width)
    assert np.sqrt(np.mean((short - long) ** 2)) < 0.35 * np.sqrt(np.mean(long**2))


def test_paper_stays_paper():
    assert float(restored(np.zeros((40, 60), np.float32)).max()) < 1e-3


def test_strokes_hold_as_much_ink_in_every_direction():
    strokes = draw_strokes(3.0, Strokes())
    assert strokes.sum(axis=(1, 2)) == pytest.approx(9.0)
    assert strokes.shape[1] == strokes.shape[2]
    # The first lies along the rows, and a quarter turn of it stands upright.
    np.testing.assert_allclose(strokes[4], strokes[0].T, atol=1e-12)
    ys, xs = np.nonzero(strokes[0] > 0.5 * strokes[0].max())
    assert np.ptp(xs) > 3 * np.ptp(ys)


def test_every_backend_draws_the_same(backend):
    if backend.name == "torch":
        pytest.skip("deblur converts tensors before it calls this")
    photo = blurred(page())
    drawn = backend.to_numpy(restored(backend.asarray(photo), 20))
    np.testing.assert_allclose(drawn, restored(photo, 20), atol=2e-3)
