"""Thresholds, each between two pictures that lie just below and just above it: a threshold that moves fails here.

The measure that is compared with the threshold is asserted too, where it can be, so that a picture that no longer lies
beside the threshold fails as well.
"""

import functools
import math
from dataclasses import replace

import numpy as np
import pytest
from skimage.data import camera
from threadpoolctl import threadpool_limits

from deconv import degrade, noise, psf
from deconv.blind.freeform.phase import Power
from deconv.blind.parametric.families import Disk, Gaussian, Motion
from deconv.blind.parametric.motion import search_motion
from deconv.blind.parametric.search import Estimate, _possible, compare_families, search
from deconv.blind.select import (
    _choose_at,
    _confirmed_disk,
    _is_gradient,
    _is_noise,
    _path_evidence,
    _shows_path,
    hard_steps,
    sharpness,
)
from deconv.blind.settings import Settings
from deconv.blind.settings.freeform import PhaseRetrieval
from deconv.blind.settings.parametric import DiskLimits, MotionLimits, MotionSearch, Parametric, Search
from deconv.blind.settings.select import Gradient, Selection, Sharpness
from deconv.blind.settings.spectrum import Spectrum
from deconv.blind.spectrum import Periodogram

PHOTO = camera()[100:260, 100:300] / 255.0
SMALL_PHOTO = camera()[100:220, 100:260] / 255.0
SOFT_PHOTO = camera()[300:460, 100:300] / 255.0

# Whatever is likeliest is believed: shows the log odds that the search compares.
CREDULOUS = Parametric(
    search=Search(
        disk_limits=DiskLimits(doubtful_score=0.0),
        motion_limits=MotionLimits(doubtful_score=0.0),
        least_log_odds=-math.inf,
        least_log_odds_motion=-math.inf,
    )
)


@pytest.fixture(autouse=True)
def _one_thread():
    with threadpool_limits(1, user_api="blas"):
        yield


def _silent(_):
    pass


def _ink(kernel, sigma, shape=(100, 150)):
    """Ink of a small page, blurred."""
    page = 1 - degrade.text_picture(["Blind", "deblur"], size=24, shape=shape)
    return degrade.add_noise(degrade.blur(page, kernel), sigma, rng=0)


def _blurred(scene, kernel, sigma=0.003):
    return degrade.add_noise(degrade.blur(scene, kernel), sigma, rng=0)


def _choice(image, edges, report=_silent, settings=None):
    """The choice for linear data without JPEG, the sharpness given."""
    return _choose_at(image, 1.0, edges, report, None, settings or Settings())


def _both(image, family, blurred=False):
    """The likeliest PSF, and the estimate that is returned for it."""
    width = image.shape[1]
    return tuple(
        search(image, [family], width, _silent, blurred=blurred, settings=s) for s in (CREDULOUS, Parametric())
    )


@pytest.mark.parametrize(("sigma", "low", "high", "believed"), [(0.095, 15, 16, True), (0.098, 14, 15, False)])
def test_log_odds_of_fifteen_are_needed(sigma, low, high, believed):
    likeliest, estimate = _both(_ink(psf.disk(6), sigma), Disk)
    assert low < likeliest.log_odds < high
    assert (estimate.candidate is not None) == believed


@pytest.mark.parametrize(("sigma", "low", "high", "believed"), [(0.075, 45, 65, True), (0.08, 30, 45, False)])
def test_log_odds_of_a_movement(sigma, low, high, believed):
    likeliest, estimate = _both(_ink(psf.motion(9, 30), sigma), Motion)
    assert low < likeliest.log_odds < high
    assert (estimate.candidate is not None) == believed


@pytest.mark.parametrize(
    ("sigma", "low", "high", "believed"), [(0.0085, 0.01, 0.012, True), (0.009, 0.008, 0.01, False)]
)
def test_a_small_disc_must_gain_at_every_frequency(sigma, low, high, believed):
    likeliest, estimate = _both(_ink(psf.disk(1.8), sigma), Disk)
    assert likeliest.candidate.radius < 3
    assert low < likeliest.score < high
    assert (estimate.candidate is not None) == believed


@pytest.mark.parametrize(("sigma", "low", "high", "believed"), [(0.0075, 60, 80, True), (0.008, 55, 60, False)])
def test_a_small_disc_is_sooner_believed_of_a_blurred_picture(sigma, low, high, believed):
    image = _ink(psf.disk(1.8), sigma, (120, 200))
    likeliest, estimate = _both(image, Disk, blurred=True)
    assert low < likeliest.log_odds < high
    assert (estimate.candidate is not None) == believed
    assert search(image, [Disk], image.shape[1], _silent, settings=Parametric()).candidate is None


@pytest.mark.parametrize(
    ("candidate", "start", "possible"),
    [
        (Disk(6.0, uncertainty=0.045), Disk(6.0), True),
        (Disk(6.0, uncertainty=0.055), Disk(6.0), False),
        (Gaussian(6.0, uncertainty=0.28), Gaussian(6.0), True),
        (Gaussian(6.0, uncertainty=0.32), Gaussian(6.0), False),
        (Disk(6.0), Disk(6.0 * math.exp(0.45)), True),
        (Disk(6.0), Disk(6.0 * math.exp(-0.55)), False),
        # Slopes of 1.5 and of 1.7 times the steepest that such a disc would leave.
        (Disk(9.2), Disk(9.2), True),
        (Disk(10.2), Disk(10.2), False),
    ],
)
def test_a_fit_is_certain_near_its_start_and_no_softer_than_the_picture(candidate, start, possible):
    edge = np.zeros((80, 80))
    edge[:, 40:] = 1.0
    image = degrade.blur(edge, psf.disk(6.0))
    assert _possible(image, candidate, start, Search()) == possible


@pytest.mark.parametrize(("softness", "low", "high", "is_disk"), [(0.35, 1.25, 1.5, True), (0.4, 1.1, 1.25, False)])
def test_a_disc_is_clearly_likelier_than_a_gaussian(softness, low, high, is_disk):
    image = _blurred(SMALL_PHOTO, psf.disk(6, softness=6 * softness))
    own, other = compare_families(image, Disk(6.0), Gaussian, scale=1.0, settings=Parametric())
    assert low < (own - 8) / other < high
    assert _confirmed(image, _estimate(Disk(6.0))) == is_disk


@pytest.mark.parametrize(("width", "is_disk"), [(116, True), (124, False)])
def test_a_wide_disc_need_only_be_likelier_than_a_gaussian(width, is_disk):
    image = _blurred(SMALL_PHOTO, psf.disk(6, softness=2.4))[:, :width]
    own, other = compare_families(image, Disk(6.0), Gaussian, scale=1.0, settings=Parametric())
    assert other < own < 1.25 * other + 8
    assert _confirmed(image, _estimate(Disk(6.0))) == is_disk


@pytest.mark.parametrize(
    ("candidate", "is_disk"),
    [(Disk(5.1, fill=0.48), True), (Disk(4.9, fill=0.48), False), (Disk(4.9, fill=0.43), True)],
)
def test_a_small_disc_needs_deep_zeros(candidate, is_disk):
    assert _confirmed(_blurred(SMALL_PHOTO, psf.disk(5)), _estimate(candidate)) == is_disk


@pytest.mark.parametrize(("sigma", "low", "high", "is_disk"), [(0.0062, 72, 76, True), (0.0064, 67, 72, False)])
def test_a_doubtful_disc_must_be_likely_for_a_scene_of_edges(sigma, low, high, is_disk):
    image = _blurred(SOFT_PHOTO, psf.disk(2.2), sigma)
    own, other = compare_families(image, Disk(2.2), Gaussian, scale=1.0, settings=Parametric())
    assert low < own < high
    assert own > 1.25 * other + 8
    doubtful = replace(_estimate(Disk(2.2)), candidate=None)
    assert _confirmed(image, doubtful) == is_disk
    assert _confirmed(image, _estimate(Disk(2.2)))


@pytest.mark.parametrize(("sigma", "low", "high", "searched"), [(0.0036, 90, 100, 1.0), (0.003, 100, 110, 0.4)])
def test_no_motion_is_searched_beside_a_clear_disc(sigma, low, high, searched):
    fractions = []
    choice = _choice(_blurred(SMALL_PHOTO, psf.disk(5), sigma), 0.3, fractions.append)
    assert choice.family == "disk"
    assert low < choice.estimate.log_odds < high
    assert max(fractions) == searched


@pytest.mark.parametrize(("sigma", "low", "high", "family"), [(0.011, 25, 26, "gaussian"), (0.0115, 24, 25, "free")])
def test_log_odds_of_a_gaussian(sigma, low, high, family):
    choice = _choice(_blurred(SOFT_PHOTO, psf.gaussian(2.5), sigma), 0.3)
    assert choice.family == family
    # What is not believed stays the guess.
    assert isinstance(choice.estimate.guess, Gaussian)
    assert low < choice.estimate.guess_log_odds < high


@pytest.mark.parametrize(("height", "low", "high", "family"), [(0.28, 0.5, 0.55, "disk"), (0.31, 0.55, 0.6, "free")])
def test_lines_too_hard_for_a_disc(height, low, high, family):
    # Upright lines have power on the axis of frequency only, which does not count, so that the disc shows.
    image = _blurred(0.3 * SMALL_PHOTO, psf.disk(5), 0.0015)
    image[:, ::40] += height
    assert low < max(hard_steps(image, settings=Sharpness())) < high
    # The lines show in the power at every frequency too, which is not what is tested.
    settings = Settings().replace({"selection.path_factor": 1e9, "selection.path_factor_gaussian": 1e9})
    assert _choice(image, 0.3, settings=settings).family == family


@pytest.mark.parametrize(("kernel", "shows"), [(psf.gaussian(2), False), (psf.random_motion(25, rng=4), True)])
def test_the_power_shows_the_path_of_a_shake(kernel, shows):
    page = 1 - degrade.text_picture(["a path of", "a shake in", "the power"], size=34, shape=(300, 400))
    evidence = _path_evidence(_blurred(page, kernel, 0.001), None, Selection(), PhaseRetrieval())
    # A Gaussian has some hundred nats of its own.
    assert (evidence > Selection().path_factor * 100) == shows


@pytest.mark.parametrize(("sigma", "low", "high", "nothing_else"), [(0.5, 0.86, 0.9, False), (0.55, 0.9, 0.94, True)])
def test_nothing_but_noise(sigma, low, high, nothing_else):
    image = SMALL_PHOTO + sigma * np.random.default_rng(0).standard_normal(SMALL_PHOTO.shape)
    assert low < noise.estimate(image) / image.std() < high
    assert _is_noise(image, Selection().noise_share) == nothing_else


@pytest.mark.parametrize(("rest", "gradient"), [(0.0018, True), (0.0022, False)])
def test_a_gradient_is_smooth_up_to_rounding(rest, gradient):
    ramp = np.tile(np.linspace(0, 1, 300), (200, 1))
    image = ramp + rest * np.random.default_rng(0).standard_normal(ramp.shape)
    for scale in (1, 0.01, 255):
        assert _is_gradient(scale * image, Gradient(), 1e6) == gradient


@pytest.mark.parametrize(("edges", "family"), [(0.61, "gaussian"), (0.65, "none")])
def test_edges_of_this_sharpness_leave_no_doubt(edges, family):
    # But for its edges' sharpness, which is given, this picture shows a Gaussian.
    assert _choice(_blurred(SOFT_PHOTO, psf.gaussian(2.5)), edges).family == family


@pytest.mark.parametrize(("edges", "family"), [(0.78, "free"), (0.82, "none")])
def test_sharper_edges_than_any_shake_leaves(edges, family):
    shaken = _blurred(PHOTO, psf.random_motion(15, rng=1))
    assert _choice(shaken, edges).family == family


@pytest.mark.parametrize(("sigma", "low", "high", "shows"), [(0.003, 0.12, 0.2, True), (0.005, 0.07, 0.12, False)])
def test_a_path_shows_from_this_likelihood(sigma, low, high, shows):
    shaken = _blurred(PHOTO, psf.random_motion(15, rng=1), sigma)
    assert low < Power([shaken]).likely(31, np.random.default_rng(0))[1] < high
    assert _shows_path(shaken, None, Selection(), PhaseRetrieval()) == shows


@functools.cache
def _soft_photo():
    """A photograph through a Gaussian, and the steepest slope of the Gaussian that is found."""
    soft = _blurred(SOFT_PHOTO, psf.gaussian(2.5))
    return soft, search(soft, [Gaussian], soft.shape[1], _silent).candidate.steepest()


@pytest.mark.parametrize(("ratio", "family"), [(1.9, "gaussian"), (2.1, "free")])
def test_a_gaussian_far_smaller_than_the_softness_does_not_explain_it(ratio, family):
    soft, steepest = _soft_photo()
    assert _choice(soft, steepest / ratio).family == family


@pytest.mark.parametrize(("variation", "ends"), [(0.36, True), (0.44, False)])
def test_a_picture_ends_before_its_border_if_that_hardly_varies(variation, ends):
    rng = np.random.default_rng(0)
    image = rng.standard_normal((100, 100))
    # Pictures of this size are looked at over their outermost two pixels.
    band = np.ones_like(image, bool)
    band[2:-2, 2:-2] = False
    image[band] *= variation
    count = Periodogram(image, settings=Spectrum()).count.sum()
    assert (count > 0.6 * math.pi / 8 * image.size) == ends


@pytest.mark.parametrize(("still", "low", "high", "certain"), [(0.19, 0.28, 0.34, True), (0.22, 0.34, 0.4, False)])
def test_zeros_filled_too_far_are_no_movement(still, low, high, certain):
    # A copy that did not move fills the zeros of the one that did.
    mixed = (1 - still) * degrade.blur(SMALL_PHOTO, psf.motion(12, 30)) + still * SMALL_PHOTO
    image = degrade.add_noise(mixed, 0.003, rng=0)
    filled = search_motion(image, 30.0, settings=Parametric(motion=MotionSearch(largest_fill=1.0)))
    assert low < filled.candidate.fill < high
    assert (search_motion(image, 30.0, settings=Parametric()).candidate is not None) == certain


@pytest.mark.parametrize(("step", "counts"), [(0.5, True), (0.41, False)])
def test_edges_count_from_half_of_the_largest_contrast(step, counts):
    # A sharp edge beside one that is soft, and three quarters of the whole contrast high in a window.
    image = np.full((100, 200), 0.2)
    image[:, 100:] += 0.8 / (1 + np.exp(-(np.arange(100) - 50) / 3.0))
    image[50:, 40:60] += 0.8 * step
    assert (sharpness(image, settings=Sharpness()) > 0.9) == counts


def _estimate(candidate):
    """A disc that was found, hardly likelier than no blur."""
    return Estimate(candidate, 0.1, np.ones(1), -np.ones(1), 1.0, candidate, 1.0)


def _confirmed(image, estimate):
    return _confirmed_disk(image, estimate, None, Selection(), Parametric()).candidate is not None
