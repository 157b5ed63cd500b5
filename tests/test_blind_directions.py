"""The evidence for a disc by direction."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from deconv import degrade, psf
from deconv.blind import select
from deconv.blind.parametric import directions
from deconv.blind.parametric.directions import LeastOdds, least_odds_by_direction
from deconv.blind.parametric.families import Disk
from deconv.blind.parametric.search import search
from deconv.blind.settings import Settings
from deconv.blind.settings.select import Selection
from deconv.blind.spectrum import Periodogram

SETTINGS = Settings()
WORDS = ["the zeros of", "a disc show in", "all directions"]
PAGE = 0.1 + 0.8 * degrade.text_picture(WORDS, size=26, shape=(240, 320))


def _silent(part):
    return None


def _found(image):
    return search(image, [Disk], image.shape[1], _silent, blurred=True, settings=SETTINGS.parametric)


def _noisy(image):
    return degrade.add_noise(image, 0.003, rng=0).astype(np.float32)


def _odds(image, disk, scale=1.0):
    return least_odds_by_direction(image, disk, scale=scale, settings=SETTINGS.parametric)


@pytest.mark.parametrize("radius", [2.5, 4.0, 7.0])
def test_a_disc_shows_in_every_direction(radius):
    image = _noisy(degrade.blur(PAGE, psf.disk(radius)))
    found = _found(image)
    assert found.candidate.radius == pytest.approx(radius, rel=0.03)
    odds = _odds(image, found.candidate, found.scale)
    assert odds.half > 3
    assert odds.quarter > 0


def test_the_path_of_a_shake_shows_no_disc_in_some_direction():
    image = _noisy(degrade.blur(PAGE, psf.random_motion(25, rng=2)))
    assert _odds(image, Disk(4.0)).quarter < Selection().least_disk_quarter


def test_enlarged_pixels_show_no_disc_around_the_diagonals():
    small = degrade.blur(PAGE, psf.gaussian(2.0))[::4, ::4]
    image = _noisy(ndimage.zoom(small, 4, order=1, mode="grid-mirror", grid_mode=True))
    assert _odds(image, Disk(3.1)).half < Selection().least_disk_half


def test_an_aperture_need_not_be_round():
    """An ellipse is a disc of another radius in each direction."""
    y, x = np.mgrid[-8:9, -8:9]
    soft = np.clip(5.0 - np.hypot(y * 1.04, x / 1.04) + 0.5, 0, 1)
    image = _noisy(degrade.blur(PAGE, soft / soft.sum()))
    assert _odds(image, Disk(5.0)).half > 3


@pytest.mark.parametrize(("drift", "counts"), [(0.14, True), (0.16, False)])
def test_how_much_the_radius_may_differ(drift, counts, monkeypatch):
    part = Periodogram(_noisy(PAGE), settings=SETTINGS.parametric.spectrum)
    fit = Periodogram.fit

    def fitted(self, candidate=None, start=None, vary=False, tolerance=None):
        result = fit(self, candidate, start, False, tolerance)
        if candidate is None:
            return replace(result, cost=100.0)
        near = replace(candidate, radius=4.0 * math.exp(drift))
        return replace(result, dispersion=1.0, **({"cost": 50.0, "candidate": near} if vary else {"cost": 120.0}))

    monkeypatch.setattr(Periodogram, "fit", fitted)
    odds = directions._log_odds(part, Disk(4.0), SETTINGS.parametric)
    assert odds == pytest.approx(50.0 if counts else -20.0)


def test_the_frequencies_around_a_direction():
    image = _noisy(degrade.blur(PAGE, psf.disk(4)))
    spectrum = Periodogram(image, settings=SETTINGS.parametric.spectrum)
    quarters = [spectrum.towards(centre, 45.0) for centre in (0.0, 45.0, 90.0, 135.0)]
    halves = [spectrum.towards(centre, 45.0, 90.0) for centre in (0.0, 45.0)]
    total = spectrum.count.sum()
    assert sum(each.count.sum() for each in quarters) == pytest.approx(total, rel=1e-3)
    assert sum(each.count.sum() for each in halves) == pytest.approx(total, rel=1e-3)
    assert quarters[0].count.sum() + quarters[2].count.sum() == pytest.approx(halves[0].count.sum())


@pytest.mark.parametrize(
    ("odds", "family"),
    [
        (LeastOdds(0.1, -2.4), "disk"),
        (LeastOdds(-0.1, -0.1), "free"),
        (LeastOdds(5.0, -2.6), "free"),
    ],
)
def test_a_disc_is_refuted_where_it_does_not_show(odds, family, monkeypatch):
    image = _noisy(degrade.blur(PAGE, psf.disk(4)))
    found = replace(_found(image), log_odds=50.0)
    nothing = select._refuted(found)
    monkeypatch.setattr(select, "search", lambda light, families, *_, **__: found if families == [Disk] else nothing)
    monkeypatch.setattr(select, "_confirmed_disk", lambda light, disk, *_: disk)
    monkeypatch.setattr(select, "_path_evidence", lambda *_: 0.0)
    monkeypatch.setattr(select, "least_odds_by_direction", lambda *_, **__: odds)
    choice = select._choose_at(image, 1.0, 0.2, _silent, None, SETTINGS)
    assert choice.family == family
    assert choice.estimate.guess is not None
