"""The search by the evidence of the spectrum: accuracy, stated uncertainty, sharp pictures left unblurred."""

import math
from dataclasses import replace

import numpy as np
import pytest

from deconv import degrade, psf, tone
from deconv._core.resample import reduce
from deconv.blind.parametric.families import FAMILIES, Disk, Gaussian, KnownRadiusDisk, Motion
from deconv.blind.parametric.search import at_radius, refine, search
from deconv.blind.settings.parametric import Parametric, Search
from deconv.blind.settings.spectrum import Spectrum
from deconv.blind.settings.text import Ink
from deconv.blind.spectrum import Periodogram
from deconv.blind.text.ink import coverage, text_window


def _silent(_):
    pass


def _estimate(image, width, families=(Disk,)):
    estimate = search(image, list(families), width, _silent)
    return estimate, None if estimate.candidate is None else refine(image, estimate.candidate)


def _frame(step, font, seed):
    """Ink in the text's window of a simulated photograph at a tenth of its size and 8 bits; radius there, softness."""
    photo = degrade.hdc_photo(step, font=font, rng=seed)
    light = tone.decode(np.rint(reduce(photo.image, (146, 236)) * 255) / 255, 2.2)
    ink = coverage(light, "dark", Ink())
    return ink[text_window(ink, Ink())], photo.radius / 10, photo.softness / photo.radius


def _page(radius, noise=0.002, size=24):
    page = 1 - degrade.text_picture(["Blind", "deblur"], size=size, shape=(100, 150))
    return degrade.add_noise(degrade.blur(page, psf.disk(radius)), noise, rng=0)


@pytest.mark.parametrize(
    ("step", "font"),
    [
        (5, "times"),
        (11, "verdana"),
        (19, "verdana"),
        *(pytest.param(s, "times", marks=pytest.mark.slow) for s in range(4, 20)),
    ],
)
def test_radius_and_softness_up_the_ladder(step, font):
    image, radius, softness = _frame(step, font, 200000 + step)
    estimate, candidate = _estimate(image, 236)
    assert candidate.radius == pytest.approx(radius, rel=0.025)
    assert candidate.softness == pytest.approx(softness, rel=0.5)
    assert 0.0005 < candidate.uncertainty < 0.02
    assert abs(candidate.radius / radius - 1) < 4 * candidate.uncertainty
    assert estimate.log_odds > 30


def test_uncertainty_grows_with_noise():
    sure, unsure = (_estimate(_page(5, noise), 150) for noise in (0.002, 0.02))
    assert sure[1].uncertainty < 0.7 * unsure[1].uncertainty
    assert sure[0].log_odds > 2 * unsure[0].log_odds


def test_a_known_radius_has_the_evidence_of_an_estimated_one():
    estimate, candidate = _estimate(_page(5), 150)
    known = at_radius(_page(5), candidate.radius, _silent)
    # The search used another grid.
    assert known.log_odds == pytest.approx(estimate.log_odds, rel=0.2)
    assert known.candidate.softness == pytest.approx(candidate.softness, rel=0.1)
    # A refinement keeps the radius to the last digit, on a coarser grid too.
    for radius in np.linspace(8.5, 12, 8):
        assert refine(_page(5), at_radius(_page(5), radius, _silent).candidate).radius == radius
    for wrong in (0.9, 1.1):
        assert at_radius(_page(5), wrong * candidate.radius, _silent).log_odds < 0.3 * known.log_odds


def test_a_refinement_that_strays_is_dropped():
    near, far = Disk(4.8), Disk(6.8)
    assert refine(_page(5), near).radius == pytest.approx(5, rel=0.01)
    assert refine(_page(5), far) is far
    # Zeros that turn out to be filled are not those of the PSF.
    settings = Parametric(search=Search(refined_fill=0.0))
    clear = replace(near, fill=1e-4)
    assert refine(_page(5), clear, settings=settings) is clear
    assert refine(_page(5), near, settings=settings).radius == pytest.approx(5, rel=0.01)


def test_what_is_not_believed_stays_the_guess():
    settings = Parametric(search=Search(least_log_odds=1e9))
    estimate = search(_page(5), [Disk], 150, _silent, settings=settings)
    assert (estimate.candidate, estimate.log_odds) == (None, 0.0)
    assert estimate.guess.radius == pytest.approx(5, rel=0.03)
    assert estimate.guess_log_odds > 100


def test_a_sharp_page_shows_no_blur():
    page = 1 - degrade.text_picture(["Sharp", "edges"], size=24, shape=(100, 150))
    estimate, _ = _estimate(page, 150)
    assert estimate.candidate is None
    assert (estimate.score, estimate.log_odds) == (0, 0)
    # The criterion is relative to no blur; no larger radius comes near.
    assert estimate.criterion[estimate.radii > 4].min() > -0.01


def test_the_bounds_of_the_search_are_those_of_the_width():
    estimate, _ = _estimate(_page(5), 150)
    assert estimate.radii.max() == pytest.approx(0.115 * 150)
    assert (np.diff(estimate.radii) >= 0).all()


def test_a_picture_that_ends_needs_no_window():
    # Text amid paper counts nearly every frequency; text cut by the border is faded out, which correlates them.
    inside = Periodogram(_page(3), settings=Spectrum(margin=4 / 150))
    cut = Periodogram(_page(3)[30:70, 40:110], settings=Spectrum(margin=4 / 70))
    # Half of the frequencies in the circle are the conjugates of the others.
    assert inside.count.sum() > 0.8 * math.pi / 8 * 100 * 150
    assert cut.count.sum() < 0.4 * math.pi / 8 * 40 * 70
    assert inside.smear * 100 < cut.smear * 40


@pytest.mark.parametrize(
    "candidate", [Disk(4.0, 0.1, 0.05), KnownRadiusDisk(4.1, 0.1, 0.05), Gaussian(3.0), Motion(5.0, 30.0, 0.2)]
)
def test_a_vector_holds_all_numbers(candidate):
    again = candidate.at(candidate.vector())
    assert again.parameters() == pytest.approx(candidate.parameters())
    assert again.vector() == pytest.approx(candidate.vector())
    assert len(candidate.prior_mean) == len(candidate.prior_deviation) == len(candidate.vector())


def test_a_family_has_the_power_of_its_psf():
    f = np.linspace(0.01, 0.3, 40)
    for name, candidate in {
        "disk": Disk(4.0, 0.05, 1e-5),
        "gaussian": Gaussian(3.0),
        "motion": Motion(4.0, 0.0, 1e-5),
    }.items():
        assert type(candidate) is FAMILIES[name]
        kernel = candidate.make()
        at = np.arange(kernel.shape[1]) - kernel.shape[1] // 2
        transfer = (kernel.sum(0)[None, :] * np.cos(2 * np.pi * f[:, None] * at)).sum(1)
        np.testing.assert_allclose(candidate.power(f, 0.0, 0.0), transfer**2, atol=0.01)


def test_slopes_are_bounded_as_each_family_says():
    edge = np.zeros((80, 80))
    edge[:, 40:] = 1.0
    for candidate in (Disk(6.0, 1e-3), Gaussian(6.0)):
        blurred = degrade.blur(edge, candidate.make())[40]
        assert np.abs(np.diff(blurred)).max() == pytest.approx(candidate.steepest(), rel=0.05)
