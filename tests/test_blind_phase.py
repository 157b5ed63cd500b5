"""Tests of deconv.blind.freeform.phase: PSFs from the power of a picture."""

import numpy as np
import pytest

import deconv
from deconv.blind.freeform import estimate
from deconv.blind.freeform.estimate import _End, _Scale, _scaled, _Starts
from deconv.blind.freeform.phase import Power
from deconv.blind.freeform.psf_step import centred, fitted_to, pruned
from deconv.blind.settings.spectrum import FullSpectrum
from deconv.blind.spectrum import FullPeriodogram, smooth_power

SIDE = 25


def _blurred(psf, shape=(240, 320), seed=0, noise=0.005):
    """Letters strewn over a page, blurred; what lies outside of the frame is not known."""
    margin = psf.shape[0] // 2
    rng = np.random.default_rng(seed)
    letters = rng.choice(list("abcdefghkmnoprstuvwxyzABDEGKMRS"), (14, 40))
    page = deconv.degrade.text_picture(["".join(line) for line in letters], size=30)
    page = page[30 : 30 + shape[0] + 2 * margin, 60 : 60 + shape[1] + 2 * margin]
    blurred = deconv.degrade.blur(page, psf)[margin:-margin, margin:-margin]
    return deconv.degrade.add_noise(blurred, noise, rng=rng).astype(np.float32)


def _either(found, psf):
    """Similarity of what was found, or of its turned copy, with a PSF."""
    found = centred(pruned(found, 0.05, 0.02))
    return max(deconv.psf.similarity(turned, psf) for turned in (found, found[::-1, ::-1]))


def test_a_path_is_seen_in_the_power():
    psf = deconv.psf.random_motion(SIDE, rng=4)
    power = Power([_blurred(psf)])
    similar = [_either(power.likely(SIDE, np.random.default_rng(seed))[0], psf) for seed in range(4)]
    # (Random weights have 0.2, a path beside that one 0.4.)
    assert max(similar) > 0.6


def test_softness_shows_no_path():
    path, soft = deconv.psf.random_motion(SIDE, rng=4), deconv.psf.gaussian(1.0)
    shown = [Power([_blurred(psf)]).likely(SIDE, np.random.default_rng(0))[1] for psf in (path, soft)]
    assert shown[1] < 0 < 0.1 < shown[0]


def test_pictures_that_share_a_psf_say_more():
    psf = deconv.psf.random_motion(SIDE, rng=4)
    pictures = [_blurred(psf, (140, 150), seed) for seed in range(4)]
    one, all_of_them = (
        np.mean([_either(Power(some).likely(SIDE, np.random.default_rng(seed))[0], psf) for seed in range(4)])
        for some in (pictures[:1], pictures)
    )
    assert all_of_them > one


def test_the_slope_is_that_of_the_likelihood():
    rng = np.random.default_rng(1)
    plane = FullPeriodogram(_blurred(deconv.psf.random_motion(9, rng=2), (64, 80)), settings=FullSpectrum())
    psf = rng.random((9, 9)) / 40
    _, slope = plane.negative_log_likelihood(psf)
    for at in ((0, 0), (4, 4), (8, 3)):
        h = 3e-3
        step = np.zeros_like(psf)
        step[at] = h
        numeric = (plane.negative_log_likelihood(psf + step)[0] - plane.negative_log_likelihood(psf - step)[0]) / (
            2 * h
        )
        assert numeric == pytest.approx(slope[at], rel=0.05, abs=0.01 * np.abs(slope).max())


def test_the_true_psf_is_likelier_than_another():
    psf = deconv.psf.random_motion(SIDE, rng=4)
    plane = FullPeriodogram(_blurred(psf), settings=FullSpectrum())

    def best(k):
        return min(plane.negative_log_likelihood(mass * k)[0] for mass in np.geomspace(0.3, 30, 40))

    others = [deconv.psf.random_motion(SIDE, rng=seed) for seed in range(20, 30)]
    assert best(psf) < min(best(other) for other in others)
    # Its turned copy has the same power.
    assert best(psf[::-1, ::-1]) == pytest.approx(best(psf), rel=1e-5)


def test_a_line_is_believed_of_lines_only():
    line, shake = deconv.psf.motion(15, 30), deconv.psf.random_motion(SIDE, rng=4)
    straight, shaken = (Power([_blurred(np.pad(psf, 5))]).gain(line) for psf in (line, shake))
    assert straight > 0.1
    assert shaken < -0.25


def test_the_gain_is_of_the_shape_alone():
    psf = deconv.psf.random_motion(SIDE, rng=4)
    power = Power([_blurred(psf)])
    assert power.gain(np.ones((1, 1))) == 0.0
    # (Where it lies does not matter, nor which way it is turned.)
    moved = np.roll(np.pad(psf[::-1, ::-1], 3), (2, -3), (0, 1))
    assert power.gain(moved) == pytest.approx(power.gain(psf), rel=1e-4)


def test_the_same_start_ends_alike():
    power = Power([_blurred(deconv.psf.random_motion(9, rng=2), (64, 80))])
    one, two = (power.likely(9, np.random.default_rng(3))[0] for _ in range(2))
    assert np.array_equal(one, two)
    assert one.shape == (9, 9)
    assert one.min() >= 0
    assert one.sum() == pytest.approx(1)


def test_what_is_smooth_is_found_under_its_scatter():
    rng = np.random.default_rng(0)
    f, direction = rng.uniform(0.01, 0.49, 20000), rng.uniform(-np.pi / 2, np.pi / 2, 20000)
    true = f**-2.5 * np.exp(0.5 * np.cos(2 * direction))
    found = smooth_power(f, direction, true * rng.exponential(size=f.size), settings=FullSpectrum())
    assert np.abs(np.log(found / true)).mean() < 0.05


def test_a_picture_drawn_without_noise_has_a_likelihood():
    page = np.zeros((64, 64), np.float32)
    page[20:44, 30:34] = 1.0
    assert np.isfinite(Power([page]).likely(5, np.random.default_rng(0))[0]).all()


@pytest.mark.parametrize("sigma", [0.01, 0.03])
def test_the_judge_sees_through_noise(sigma):
    # Edges cheaper than the noise explain it, whatever the PSF: then 3 % of noise leave right ones a gain of 0.1.
    psf = deconv.psf.random_motion(SIDE, rng=4)
    pictures, _ = _scaled([_blurred(psf, noise=sigma)])
    scale = _Scale(pictures, 0, SIDE)
    right, wrong = (
        1 - scale.judged(k).cost / scale.nothing
        for k in (
            psf,
            deconv.psf.random_motion(SIDE, rng=5),
        )
    )
    assert right > 0.4
    assert wrong < 0.1


def test_the_better_end_is_kept(monkeypatch):
    pictures, floor = _scaled([_blurred(deconv.psf.random_motion(SIDE, rng=4))])
    starts = _Starts(pictures, None, floor)
    costs, gains = iter([3.0, 2.0, 1.0]), iter([0.2, 0.25])
    monkeypatch.setattr(starts, "_gone_on", lambda scale, psf, course: (next(costs), psf))
    monkeypatch.setattr(starts, "_ended", lambda psf, faint: _End(None, psf, 1 - next(gains), 0.0, 0.0, 0.0))
    scale = type("Scale", (), {"nothing": 100.0})
    starts._scales = dict.fromkeys(range(1, 200), scale)
    starts.search((31,), 1, lambda _: None)
    first = starts.end
    costs = iter([0.9, 0.8, 0.7])
    starts.search((31,), 1, lambda _: None)
    assert starts.end.cost == 0.75
    gains = iter([0.1])
    costs = iter([0.6, 0.5, 0.4])
    starts.search((31,), 1, lambda _: None)
    assert starts.end.cost == 0.75
    assert starts.end is not first


def test_what_was_cut_does_not_end_the_search(monkeypatch):
    pictures, floor = _scaled([_blurred(deconv.psf.random_motion(SIDE, rng=4))])
    starts = _Starts(pictures, None, floor)
    costs, ends = iter([1.0, 1.0, 1.0, 2.0, 2.0, 2.0]), iter([(41, 0.8), (31, 0.7)])

    def ended(*_):
        side, gain = next(ends)
        psf = fitted_to(np.ones((side, side)), 41)
        return _End(None, psf, 1 - gain, 0.0, gain, 0.0)

    monkeypatch.setattr(starts, "_gone_on", lambda scale, psf, course: (next(costs), psf))
    monkeypatch.setattr(starts, "_ended", ended)
    starts._scales = dict.fromkeys(range(1, 200), type("Scale", (), {"nothing": 100.0}))
    starts.search((31,), 1, lambda _: None)
    assert not starts.solved
    starts.search((31,), 1, lambda _: None)
    assert starts.solved
    assert starts.end.gain == 0.8


@pytest.mark.parametrize(
    ("gain", "longer", "grown", "faint", "asked", "best"),
    [
        (0.5, 0.52, 0.9, True, ["longer"], 0.52),
        (0.5, 0.505, 0.53, True, ["longer", "grown", "longer"], 0.53),
        (0.5, 0.505, 0.53, False, ["longer"], None),
        (0.5, 0.4, 0.505, True, ["longer", "grown", "longer"], None),
        (0.75, 0.9, 0.9, True, [], None),
    ],
)
def test_an_end_in_doubt_is_gone_on_from_and_grown_where_that_does_not_help(
    monkeypatch, gain, longer, grown, faint, asked, best
):
    pictures, floor = _scaled([_blurred(deconv.psf.random_motion(SIDE, rng=4))])
    starts, done = _Starts(pictures, None, floor), []
    monkeypatch.setattr(starts, "_along", lambda scale, psf, course: done.append("longer") or psf)
    monkeypatch.setattr(starts, "_grown", lambda scale, psf: done.append("grown") or psf)
    monkeypatch.setattr(estimate, "_polished", lambda scale, psf, prices, floor: psf)
    judged = {1: longer, 3: grown}
    monkeypatch.setattr(_End, "judged", lambda scale, psf: _End(None, psf, 0.0, 0.0, judged[len(done)], 0.0))
    end = starts._bettered(None, _End(None, np.ones((3, 3)), 0.0, 0.0, gain, 0.0), faint)
    assert done == asked
    assert (end and end.gain) == best


def test_what_the_power_shows_is_gone_on_from():
    psf = deconv.psf.random_motion(SIDE, rng=4)
    pictures, floor = _scaled([_blurred(psf)])
    starts = _Starts(pictures, (SIDE, SIDE), floor)
    starts.search((31, 71, 107), 1, lambda _: None)
    assert starts.solved
    assert starts.end.psf.shape == (SIDE, SIDE)
    assert starts.end.gain > 0.3
    assert deconv.psf.similarity(starts.end.psf, psf) > 0.9
