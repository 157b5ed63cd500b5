"""Which kind of blur: each kind is recognised, sharp pictures are left unblurred."""

import functools

import numpy as np
import pytest
from skimage.data import camera
from threadpoolctl import threadpool_limits

from benchmarks.studies import families
from deconv import degrade, psf
from deconv.blind.freeform.phase import Power
from deconv.blind.parametric.families import Motion
from deconv.blind.parametric.motion import search_motion
from deconv.blind.select import _confirmed_line, _shows_path, choose, hard_steps, sharpness
from deconv.blind.settings.freeform import PhaseRetrieval
from deconv.blind.settings.parametric import Parametric
from deconv.blind.settings.select import Selection, Sharpness

LINES = ["Which kind of blur", "has this page of", "text, it may ask;", "shaken or moved?"]
PAGE = 0.1 + 0.8 * degrade.text_picture(LINES, size=26, shape=(200, 280))
PHOTO = camera()[100:300, 100:380] / 255.0
BLURS = {
    "none": np.ones((1, 1)),
    "disk": psf.disk(4.0),
    "gaussian": psf.gaussian(3.0),
    "motion": psf.motion(15, 30),
    "free": psf.random_motion(25, rng=2),
}


@pytest.fixture(autouse=True)
def _one_thread():
    with threadpool_limits(1, user_api="blas"):
        yield


def _silent(_):
    pass


def _line_near(light, candidate):
    return _confirmed_line(light, candidate, None, Selection(), PhaseRetrieval())


def _shows(light):
    return _shows_path(light, None, Selection(), PhaseRetrieval())


def _sharpness(image):
    return sharpness(image, settings=Sharpness())


def _blurred(scene, kernel, noise=0.003):
    return degrade.add_noise(degrade.blur(scene, kernel), noise, rng=0).astype(np.float32)


SCENES = {"page": PAGE, "photo": PHOTO}


@functools.cache
def _choice(scene, kind):
    return choose(_blurred(SCENES[scene], BLURS[kind]), None, _silent)


@pytest.mark.parametrize("kind", BLURS)
@pytest.mark.parametrize("scene", SCENES)
def test_each_kind_is_recognised(kind, scene):
    choice = _choice(scene, kind)
    assert choice.family == kind
    assert (choice.estimate.candidate is None) == (kind in ("none", "free"))


@pytest.mark.parametrize("kind", ["disk", "gaussian", "motion"])
def test_the_numbers_are_right(kind):
    estimate = choose(_blurred(PAGE, BLURS[kind]), 1.0, _silent).estimate
    assert psf.similarity(estimate.candidate.make(), BLURS[kind]) > 0.95
    assert estimate.log_odds > 20


def test_a_blur_of_encoded_values_is_recognised_too():
    values = _blurred(PHOTO, psf.disk(4.6))
    assert choose(values, None, _silent).gamma == 1.0
    light = _blurred(PHOTO**2.2, psf.disk(4.6), 0.0) ** (1 / 2.2)
    assert choose(light, None, _silent).gamma == 2.2


@pytest.mark.parametrize("angle", [0.0, 37.0, 90.0, 161.0])
def test_length_and_angle_of_a_movement(angle):
    candidate, log_odds, _, lengths, criterion = search_motion(
        _blurred(PAGE, psf.motion(13, angle)), 60.0, settings=Parametric()
    )
    assert 2 * candidate.radius == pytest.approx(13, rel=0.05)
    assert abs((candidate.angle - angle + 90) % 180 - 90) < 2
    assert log_odds > 45
    assert lengths.shape == criterion.shape


def test_a_line_is_denied_where_its_zeros_are_filled():
    line = Motion(7.5, 30.0)
    assert _line_near(_blurred(PAGE, BLURS["motion"]), line) == line
    assert _line_near(_blurred(PAGE, BLURS["free"]), line) is None


@pytest.mark.parametrize(("length", "aside"), [(20.0, 0.0), (15.0, 6.0), (30.0, -6.0)])
def test_a_line_of_a_wrong_length_or_angle_is_corrected(length, aside):
    right = psf.motion(15.0, 30.0)
    line = _line_near(_blurred(PAGE, right), Motion(length / 2, 30.0 + aside))
    assert 2 * line.radius == pytest.approx(15.0, rel=0.03)
    assert line.angle == pytest.approx(30.0, abs=2.0)


def test_no_line_longer_than_a_strip_is_wide_is_denied(monkeypatch):
    rng = np.random.default_rng(0)
    assert _line_near(rng.random((24, 300)), line := Motion(30.0, 45.0)) == line
    # Nor is one that the power denies, where there is no room for a likelier one.
    monkeypatch.setattr(Power, "gain", lambda *_: -1.0)
    assert _line_near(rng.random((8, 300)), line := Motion(2.5, 0.0)) == line


@pytest.mark.parametrize("i", [38, 178])
def test_the_length_of_a_moved_page_is_right(i):
    # Lines of text have zeros too: by a smooth model of their power 178 was taken for 9 pixels in place of 17.
    moved = families.picture(i)
    chosen = choose(moved.image, None, _silent)
    assert chosen.family == "motion"
    assert 2 * chosen.estimate.candidate.radius == pytest.approx(moved.size, rel=0.03)


def test_a_shake_is_not_taken_for_its_longest_stretch():
    # In bins its power is that of a line of 17 pixels, by 70 nats; at each frequency it is not.
    assert choose(families.picture(149, apart=False).image, None, _silent).family == "free"


def test_a_shake_shows_in_the_power():
    assert _shows(_blurred(PAGE, BLURS["free"]))
    assert not _shows(_blurred(PAGE, BLURS["none"]))
    assert not _shows(_blurred(PHOTO, BLURS["none"]))
    # Small pictures show nothing.
    assert not _shows(_blurred(PAGE, BLURS["free"])[:80])


def test_a_shake_with_sharp_edges_is_recognised():
    shaken = families.picture(29, apart=False)
    assert 0.63 < _sharpness(shaken.image) < 0.8
    assert choose(shaken.image, None, _silent).family == "free"


def test_long_straight_edges_are_no_movement():
    scene = np.full((200, 280), 0.8)
    for i in range(7):
        scene[20 + 26 * i : 24 + 26 * i] = 0.2
    candidate, log_odds, *_ = search_motion(_blurred(scene, psf.disk(0)), 60.0, settings=Parametric())
    assert candidate is None or log_odds < 45


def _drawing(name, n=192):
    y, x = np.mgrid[:n, :n]
    r = np.hypot(y - n / 2, x - n / 2)
    drawn = {
        "checkers": (x // 3 + y // 3) % 2,
        "grid": (x % 12 < 2) | (y % 12 < 2),
        "rings": r % 12 < 6,
        "fine checkers": (x + y) % 2,
        "noise": np.random.default_rng(0).standard_normal((n, n)) * 0.1 + 0.5,
        "ramp": np.round(255 * x / n) / 255,
    }[name]
    return 0.1 + 0.8 * drawn


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("checkers", "its edges are as steep"),
        ("grid", "its edges are as steep"),
        ("rings", "its edges are as steep"),
        ("fine checkers", "noise explains all of its variation"),
        ("noise", "noise explains all of its variation"),
        ("ramp", "it is a smooth gradient"),
    ],
)
def test_drawings_noise_and_gradients_are_not_blurred(name, reason):
    choice = choose(_drawing(name), None, _silent)
    assert choice.family == "none"
    assert choice.estimate.candidate is None
    assert choice.reason.startswith(reason)


def test_the_height_of_steps_needs_no_noise():
    heights = {name: hard_steps(_drawing(name), settings=Sharpness()) for name in ("fine checkers", "noise", "ramp")}
    # Along a diagonal the squares of a checkerboard are of one colour.
    assert max(heights["fine checkers"]) == pytest.approx(1)
    assert min(heights["fine checkers"]) == 0
    assert max(heights["noise"]) < 0.5
    assert max(heights["ramp"]) < 0.02
    assert max(hard_steps(_blurred(PAGE, BLURS["disk"]), settings=Sharpness())) < 0.3


def test_sharpness_tells_edges_from_noise():
    assert _sharpness(PAGE) > 0.95
    assert _sharpness(_blurred(PAGE, BLURS["none"], 0.02)) > 0.9
    assert _sharpness(_blurred(PHOTO, BLURS["none"])) > 0.63
    for kind in ("disk", "gaussian", "motion"):
        assert _sharpness(_blurred(PAGE, BLURS[kind])) < 0.45
    # A blur wider than a window leaves only noise in it, which is as steep as can be.
    assert _sharpness(_blurred(PAGE, psf.disk(25), 0.01)) < 0.3
    assert _sharpness(np.full((60, 60), 0.5)) == 0


def test_pictures_of_the_table_are_what_they_say():
    for apart in (True, False):
        pictures = [families.picture(i, apart) for i in range(10)]
        assert [p.family for p in pictures] == list(families.FAMILIES) * 2
        assert [p.text for p in pictures] == [False] * 5 + [True] * 5
        assert all(p.image.shape == families.SHAPE == p.sharp.shape for p in pictures)
        assert np.array_equal(pictures[9].image, families.picture(9, apart).image)
    assert not set(families.TUNED) & set(families.APART)
    assert not set(families.WORDS) & set(families.WORDS_APART)
