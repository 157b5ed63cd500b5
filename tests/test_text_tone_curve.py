"""The response curve is found: a power, data that are light already, a camera's shoulder."""

import functools

import numpy as np
import pytest

from deconv import degrade, psf, tone
from deconv.blind.parametric.families import Disk
from deconv.blind.settings import Settings
from deconv.blind.settings.text import ToneCurve
from deconv.blind.text.tone_curve import best_shoulder, estimate_tone_curve

PAGE = degrade.text_picture(["Blind deblur", "finds its own", "tone curve"], size=22, shape=(150, 240))


def _encoded(curve, radius=6.0, white=0.95, contrast=0.95, foreground="dark"):
    """The page out of focus, its paper at the encoded value `white`, through an encoding curve."""
    ink = degrade.blur(1 - PAGE, psf.disk(radius))
    # Light at which the curve gives that value.
    axis = np.linspace(0, 1, 20001)
    full = float(np.interp(white, curve(axis), axis))
    light = full * (1 - contrast * (ink if foreground == "dark" else 1 - ink))
    return degrade.add_noise(curve(light), 0.001, rng=0).astype(np.float32)


def _camera(light):
    """A shoulder that is none of the model's own: dlog l / dlog v = 0.9 (1 - v)^-0.45, as photographs show."""
    v = np.linspace(0.01, 0.9999, 20000)
    slope = 0.9 * (1 - v) ** -0.45 / v
    level = np.concatenate([[0], np.cumsum((slope[1:] + slope[:-1]) / 2 * np.diff(v))])
    return np.interp(light, np.exp(level - level[-1]), v)


def _estimated(values, radius=6.0, foreground="dark"):
    return estimate_tone_curve(values, Disk(radius), foreground, Settings(), lambda _: None)


@pytest.mark.parametrize("white", [0.8, 0.99])
@pytest.mark.parametrize("foreground", ["dark", "bright"])
@pytest.mark.parametrize("gamma", [1.0, 2.2])
def test_a_power_is_left_a_power(gamma, foreground, white):
    values = _encoded(lambda light: light ** (1 / gamma), white=white, foreground=foreground)
    assert _estimated(values, foreground=foreground) == (gamma, 0.0)


@pytest.mark.parametrize(("gamma", "answer"), [(1.2, 1.0), (1.5, 2.2)])
def test_a_power_between_is_taken_for_the_nearer(gamma, answer):
    assert _estimated(_encoded(lambda light: light ** (1 / gamma))) == (answer, 0.0)


def _bowl(shoulder, depth):
    """Log residuals with a minimum at that shoulder and the true radius, `depth` below no shoulder."""
    ours = ToneCurve()
    return [
        [depth * (((s - shoulder) / shoulder) ** 2 + 200 * (k - 1) ** 2) for k in ours.radius_factors]
        for s in ours.shoulders
    ]


@pytest.mark.parametrize(("depth", "gained"), [(0.007, False), (0.015, True)])
def test_a_shoulder_is_believed_for_what_it_gains(depth, gained):
    assert best_shoulder(_bowl(0.6, depth), ToneCurve()) == pytest.approx(0.6 if gained else 0.0, abs=0.02)


@pytest.mark.parametrize(("shoulder", "answer"), [(1.1, 1.1), (2.0, 1.2)])
def test_a_shoulder_is_believed_up_to_some_strength(shoulder, answer):
    assert best_shoulder(_bowl(shoulder, 0.1), ToneCurve()) == pytest.approx(answer, abs=0.03)


@pytest.mark.parametrize("radius", [0.98, 1.0, 1.02])
def test_a_shoulder_is_found_in_spite_of_the_radius(radius):
    gamma, shoulder = _estimated(_encoded(lambda light: tone.encode(light, 2.2, 0.8)), 6.0 * radius)
    assert gamma == 2.2
    assert shoulder == pytest.approx(0.8, abs=0.25)


@pytest.mark.parametrize("white", [0.9, 0.97])
def test_another_shoulder_is_met_halfway(white):
    # In light, the contrast that a power hides comes back.
    values = _encoded(_camera, white=white, radius=10.0)
    gamma, shoulder = _estimated(values, 10.0)
    assert gamma == 2.2
    assert 0.4 < shoulder <= 1.2
    ink = degrade.blur(1 - PAGE, psf.disk(10.0))

    def linear(light):
        return np.corrcoef(ink.ravel(), light.ravel())[0, 1] ** 2

    # What is not linear in the ink, noise included, falls to less than half.
    assert 1 - linear(tone.decode(values, gamma, shoulder)) < (1 - linear(tone.decode(values, 2.2))) / 2


def test_progress_rises_to_one():
    fractions = []
    estimate_tone_curve(_encoded(lambda light: light), Disk(6.0), "dark", Settings(), fractions.append)
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1


def _shouldered():
    return _encoded(lambda light: tone.encode(light, 2.2, 0.8))[25:125, 20:180]


@functools.cache
def _numpys():
    """Shoulder that is estimated from NumPy's array."""
    return _estimated(_shouldered())[1]


def test_every_backend_estimates_the_same(backend):
    if backend.name == "torch":
        pytest.skip("tensors are taken apart at the door")
    values = _shouldered()
    gamma, shoulder = _estimated(backend.asarray(values))
    assert gamma == 2.2
    assert shoulder == pytest.approx(_numpys(), abs=0.03)
