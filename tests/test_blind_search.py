"""The evidence for a PSF from the spectrum: how near it comes, how sure it says it is, what it leaves alone."""

import math

import numpy as np
import pytest

from deconv import degrade, psf, tone
from deconv._core.resample import reduce
from deconv.blind.parametric.families import FAMILIES, Disk, Gaussian, Motion, Told
from deconv.blind.parametric.search import at_radius, find, refine
from deconv.blind.settings.text import Ink
from deconv.blind.spectrum import Periodogram
from deconv.blind.text.ink import coverage, text_window


def _silent(_):
    pass


def _found(seen, width, families=(Disk,)):
    found = find(seen, list(families), width, _silent)
    return found, None if found.candidate is None else refine(seen, found.candidate)


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
    seen, radius, softness = _frame(step, font, 200000 + step)
    found, candidate = _found(seen, 236)
    assert candidate.radius == pytest.approx(radius, rel=0.025)
    assert candidate.softness == pytest.approx(softness, rel=0.5)
    assert 0.0005 < candidate.uncertainty < 0.02
    assert abs(candidate.radius / radius - 1) < 4 * candidate.uncertainty
    assert found.gain > 30


def test_uncertainty_grows_with_noise():
    sure, unsure = (_found(_page(5, noise), 150) for noise in (0.002, 0.02))
    assert sure[1].uncertainty < 0.7 * unsure[1].uncertainty
    assert sure[0].gain > 2 * unsure[0].gain


def test_a_radius_that_is_told_has_the_evidence_of_one_that_is_found():
    found, candidate = _found(_page(5), 150)
    told = at_radius(_page(5), candidate.radius, _silent)
    # (Where it was found the grid was another.)
    assert told.gain == pytest.approx(found.gain, rel=0.2)
    assert told.candidate.softness == pytest.approx(candidate.softness, rel=0.1)
    # Whatever else is fitted again, on a coarser grid as well, to the last digit.
    for radius in np.linspace(8.5, 12, 8):
        assert refine(_page(5), at_radius(_page(5), radius, _silent).candidate).radius == radius
    for wrong in (0.9, 1.1):
        assert at_radius(_page(5), wrong * candidate.radius, _silent).gain < 0.3 * told.gain


def test_nothing_is_found_in_a_sharp_page():
    page = 1 - degrade.text_picture(["Sharp", "edges"], size=24, shape=(100, 150))
    found, _ = _found(page, 150)
    assert found.candidate is None
    assert (found.score, found.gain) == (0, 0)
    # No blur is what the criterion is measured against; nothing larger comes near.
    assert found.criterion[found.radius > 4].min() > -0.01


def test_the_bounds_of_the_search_are_those_of_the_width():
    found, _ = _found(_page(5), 150)
    assert found.radius.max() == pytest.approx(0.115 * 150)
    assert (np.diff(found.radius) >= 0).all()


def test_a_picture_that_ends_needs_no_window():
    # Text amid paper counts nearly every frequency; one cut by the border must be faded out, which joins them.
    inside = Periodogram(_page(3), 4.0)
    cut = Periodogram(_page(3)[30:70, 40:110], 4.0)
    # Half of the frequencies in the circle are the conjugates of the others.
    assert inside.count.sum() > 0.8 * math.pi / 8 * 100 * 150
    assert cut.count.sum() < 0.4 * math.pi / 8 * 40 * 70
    assert inside.smear * 100 < cut.smear * 40


@pytest.mark.parametrize(
    "candidate", [Disk(4.0, 0.1, 0.05), Told(4.1, 0.1, 0.05), Gaussian(3.0), Motion(5.0, 30.0, 0.2)]
)
def test_a_vector_holds_all_numbers(candidate):
    again = candidate.at(candidate.vector())
    assert again.parameters() == pytest.approx(candidate.parameters())
    assert again.vector() == pytest.approx(candidate.vector())
    assert len(candidate.typical) == len(candidate.spread) == len(candidate.vector())


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
