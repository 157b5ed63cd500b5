"""A PSF of any form and the image together: what is estimated, what is returned unchanged, and what a user may give."""

import functools
from dataclasses import replace

import numpy as np
import pytest

from deconv import degrade, psf
from deconv.blind import deblur, deblur_pages
from deconv.blind.freeform import estimate as estimate_module
from deconv.blind.freeform.estimate import estimate
from deconv.blind.freeform.light import Light
from deconv.blind.freeform.multistart import Trial
from deconv.blind.freeform.psf_step import cut_or_padded
from deconv.blind.freeform.refine import ScoredPsf
from deconv.blind.settings.freeform import FreeForm

PAGE = degrade.text_picture(["Hand", "pen 4"], size=44, shape=(120, 160))
SHAKE = psf.random_motion(9, rng=4)
BLURRED = degrade.add_noise(degrade.blur(PAGE, SHAKE), 0.002, rng=0)
# Keeps a test short: linear light, and one size of the support.
QUICK = {"gamma": 1, "psf_size": 11}


def _psnr(image, truth):
    return -10 * np.log10(np.mean((image[9:-9, 9:-9] - truth[9:-9, 9:-9]) ** 2))


@pytest.fixture(scope="module")
def answer():
    """The result for the image, computed once, and the calls of the callback."""
    calls = []
    return deblur(BLURRED, psf="free", callback=lambda part, stage: calls.append((part, stage)), **QUICK), calls


# ---- the estimate


def test_a_shake_is_estimated(answer):
    result, _ = answer
    assert result.family == "free"
    assert psf.similarity(result.psf, SHAKE) > 0.98
    assert result.psf.sum() == pytest.approx(1.0, abs=1e-5)
    assert result.psf.shape[0] == result.psf.shape[1] <= 11
    assert result.psf.shape[0] % 2 == 1
    assert result.parameters == {"size": result.psf.shape[0]}
    assert 0 < result.score < 1
    assert result.gamma == 1
    assert result.shoulder == 0
    assert np.isnan(result.uncertainty)
    assert not result.readable
    assert set(result.search) == {"size", "criterion"}
    assert result.search["size"].shape == result.search["criterion"].shape
    assert set(result.search["size"]) == {11}
    assert _psnr(result.image, PAGE) > _psnr(BLURRED, PAGE) + 15


@pytest.mark.parametrize(
    ("size", "seed"), [(7, 3), *(pytest.param(*case, marks=pytest.mark.slow) for case in ((7, 0), (7, 4), (9, 0)))]
)
def test_other_shakes_are_estimated(size, seed):
    shake = psf.random_motion(size, rng=seed)
    blurred = degrade.add_noise(degrade.blur(PAGE, shake), 0.002, rng=1)
    found = estimate([blurred], sizes=(11, 11))
    assert psf.similarity(found.psf, shake) > 0.9
    assert found.psf.min() >= 0
    assert found.psf.sum() == pytest.approx(1.0)


@pytest.mark.slow
def test_a_shake_is_estimated_without_its_size():
    result = deblur(BLURRED, psf="free")
    assert result.family == "free"
    assert result.gamma == 1
    assert psf.similarity(result.psf, SHAKE) > 0.98
    assert len(set(result.search["size"])) > 1


def test_a_sharp_image_is_returned_unchanged():
    sharp = degrade.add_noise(PAGE[10:90, 10:130], 0.002, rng=0)
    result = deblur(sharp, psf="free", **QUICK)
    assert result.family == "none"
    np.testing.assert_array_equal(result.image, sharp)
    assert not np.shares_memory(result.image, sharp)
    np.testing.assert_array_equal(result.psf, [[1.0]])
    assert result.score == 0
    assert result.parameters == {}


def test_the_same_again(answer):
    """A single page is restored as an image is."""
    (result,) = deblur_pages((BLURRED,), **QUICK)
    np.testing.assert_array_equal(result.psf, answer[0].psf)
    np.testing.assert_array_equal(result.image, answer[0].image)


@pytest.mark.slow
def test_brightness_has_no_unit(answer):
    factor = np.float32(2.0**-10)
    result = deblur(BLURRED * factor, psf="free", **QUICK)
    np.testing.assert_allclose(result.psf, answer[0].psf, atol=1e-4)
    assert result.score == pytest.approx(answer[0].score, abs=1e-3)
    assert _psnr(result.image / factor, PAGE) > _psnr(BLURRED, PAGE) + 15


def test_a_picture_is_not_written_to():
    given = BLURRED.copy()
    given.flags.writeable = False
    deblur(given, psf=SHAKE, gamma=1)
    np.testing.assert_array_equal(given, BLURRED)


# ---- what the user may give


def test_a_psf_to_begin_with(answer):
    for start in (SHAKE, np.pad(SHAKE, ((0, 0), (2, 2))), SHAKE.astype(np.float32) * 7):
        result = deblur(BLURRED, psf=start, gamma=1)
        assert result.family == "free"
        assert psf.similarity(result.psf, SHAKE) > 0.98
    assert _psnr(result.image, PAGE) > _psnr(BLURRED, PAGE) + 15
    # From no blur or a wrong PSF it may go astray, but then it is not believed.
    for start in (np.ones((1, 1)), np.ones((4, 6)), np.ones((1, 9)), np.eye(21)[:1].T * np.eye(21)[0]):
        result = deblur(BLURRED, psf=start, gamma=1)
        assert result.family in ("none", "free")
        assert _psnr(result.image, PAGE) > _psnr(BLURRED, PAGE) - 0.1


@pytest.mark.parametrize(("psf_size", "most"), [(10, 11), ((5, 9), 9), ([3, 4], 5), (3, 3)])
def test_the_psf_is_no_larger_than_allowed(psf_size, most):
    result = deblur(BLURRED[20:68, 20:80], psf="free", gamma=1, psf_size=psf_size)
    assert result.psf.shape[0] <= most
    assert max(result.search["size"]) <= most


def test_a_psf_estimated_in_a_region_restores_the_whole():
    scene = np.pad(PAGE, ((0, 40), (0, 40)), constant_values=1.0)
    blurred = degrade.add_noise(degrade.blur(scene, SHAKE), 0.002, rng=0)
    blurred[130:, 170:] = np.random.default_rng(0).random((30, 30))  # would mislead the estimate
    result = deblur(blurred, psf="free", region=[slice(-160, -40), slice(None, 160)], **QUICK)
    assert result.image.shape == blurred.shape
    assert psf.similarity(result.psf, SHAKE) > 0.98
    assert _psnr(result.image[:120, :160], PAGE) > _psnr(blurred[:120, :160], PAGE) + 12


def test_colours_share_a_psf():
    tint = np.asarray([1.0, 0.8, 0.5], np.float32)
    colour = BLURRED[None, ...] * tint[:, None, None]
    first = deblur(colour, psf=SHAKE, gamma=1, channel_axis=0)
    last = deblur(np.moveaxis(colour, 0, -1), psf=SHAKE, gamma=1, channel_axis=-1)
    assert first.image.shape == colour.shape
    np.testing.assert_array_equal(first.image, np.moveaxis(last.image, -1, 0))
    assert psf.similarity(first.psf, SHAKE) > 0.98
    for c, light in enumerate(tint):
        # Each keeps its own light: nothing is evened out.
        assert np.quantile(first.image[c], 0.9) == pytest.approx(light, rel=0.03)
        assert _psnr(first.image[c] / light, PAGE) > _psnr(BLURRED, PAGE) + 12


def test_an_encoding_given_is_undone_and_done_again():
    scene = 0.1 + 0.8 * PAGE
    values = np.clip(degrade.add_noise(degrade.blur(scene, SHAKE), 0.002, rng=0), 0, 1) ** np.float32(1 / 2.2)
    result = deblur(values, psf=SHAKE, gamma=2.2)
    assert result.gamma == 2.2
    assert psf.similarity(result.psf, SHAKE) > 0.98
    sharp = scene ** (1 / 2.2)
    assert _psnr(result.image, sharp) > _psnr(values, sharp) + 12


def test_the_callback_gets_every_stage(answer):
    parts, stages = zip(*answer[1], strict=True)
    assert list(parts) == sorted(parts)
    assert parts[-1] == pytest.approx(1.0)
    assert 0 < parts[0] < 0.3
    assert list(dict.fromkeys(stages)) == ["search", "restore"]
    # No larger step but where the search ends early.
    assert sorted(np.diff(parts))[-2] < 0.35


# ---- pages


def test_pages_share_a_psf(answer):
    other = degrade.text_picture(["Two", "of it"], size=44, shape=(100, 180))
    pages = [BLURRED, degrade.add_noise(degrade.blur(other, SHAKE), 0.002, rng=1)]
    parts = []
    results = deblur_pages(pages, callback=lambda part, stage: parts.append(part), **QUICK)
    assert [r.image.shape for r in results] == [p.shape for p in pages]
    assert results[0].psf is results[1].psf
    assert {r.family for r in results} == {"free"}
    assert psf.similarity(results[0].psf, SHAKE) > psf.similarity(answer[0].psf, SHAKE) - 0.01
    for result, page, sharp in zip(results, pages, (PAGE, other), strict=True):
        assert _psnr(result.image, sharp) > _psnr(page, sharp) + 15
    assert parts == sorted(parts)
    assert parts[-1] == pytest.approx(1.0)


@pytest.mark.slow
def test_sharp_pages_are_returned_unchanged():
    pages = [PAGE[20:68, 20:80], PAGE[50:100, 60:120]]
    for result, page in zip(deblur_pages(pages, **QUICK), pages, strict=True):
        assert result.family == "none"
        np.testing.assert_array_equal(result.image, page)


# ---- kinds of arrays


@pytest.mark.parametrize(
    ("dtype", "out"),
    [("float64", "float64"), ("float16", "float32"), ("uint8", "float32"), ("uint16", "float32")],
)
def test_kinds_of_numbers(dtype, out):
    given = np.clip(BLURRED, 0, 1)
    given = np.round(given * np.iinfo(dtype).max).astype(dtype) if dtype[0] == "u" else given.astype(dtype)
    result = deblur(given, psf=SHAKE, gamma=1)
    assert result.family == "free"
    assert result.image.dtype == result.psf.dtype == out
    assert _psnr(result.image, PAGE) > _psnr(BLURRED, PAGE) + 10


def test_views_are_as_good_as_copies():
    want = deblur(BLURRED, psf=SHAKE, gamma=1).image
    for view in (np.pad(BLURRED, 3)[3:-3, 3:-3], np.asfortranarray(BLURRED), BLURRED[::-1, ::-1].copy()[::-1, ::-1]):
        assert not view.flags.c_contiguous
        got = deblur(view, psf=SHAKE, gamma=1).image
        np.testing.assert_allclose(got, want, atol=2e-3)


SMALL = BLURRED[8:72, 4:84]


@functools.cache
def numpys_answer():
    return deblur(SMALL, psf=SHAKE, gamma=1)


def test_every_library_gives_numpys_answer(backend):
    small, want = SMALL, numpys_answer()
    assert want.family == "free"
    given = backend.asarray(small)
    got = deblur(given, psf=backend.asarray(SHAKE), gamma=1)
    np.testing.assert_array_equal(backend.to_numpy(given), small)
    assert got.family == "free"
    assert backend.to_numpy(got.image).dtype == backend.to_numpy(got.psf).dtype == np.float32
    assert psf.similarity(backend.to_numpy(got.psf), want.psf) > 0.999
    # A pixel at the threshold of an edge may fall to either side, and the PSF with it.
    assert np.abs(backend.to_numpy(got.image) - want.image).mean() < 5e-3
    assert got.score == pytest.approx(want.score, abs=0.02)


def test_every_library_takes_a_region(backend):
    given = backend.asarray(np.stack([BLURRED[:40, :48]] * 2, -1))
    region = (slice(4, 36), slice(10, 42))
    got = deblur(given, psf=backend.asarray(SHAKE), gamma=1, region=region, channel_axis=-1)
    assert backend.to_numpy(got.image).shape == (40, 48, 2)
    assert np.isfinite(backend.to_numpy(got.image)).all()


@pytest.mark.slow
def test_every_library_searches_all_scales(backend):
    small = BLURRED[:48, :56]
    want = deblur(small, psf="free", gamma=1, psf_size=5)
    got = deblur(backend.asarray(small), psf="free", gamma=1, psf_size=5)
    assert got.family == want.family
    assert psf.similarity(backend.to_numpy(got.psf), want.psf) > 0.9


def test_pages_of_every_library(backend):
    pages = [backend.asarray(BLURRED[8:72, 4:84]), backend.asarray(BLURRED[:70, 20:110])]
    for result in deblur_pages(pages, psf=backend.asarray(SHAKE), gamma=1):
        assert result.family == "free"
        assert psf.similarity(backend.to_numpy(result.psf), SHAKE) > 0.98
        backend.to_numpy(result.image)


# ---- images with little in them


RNG = np.random.default_rng(0)
RAMP = np.linspace(0, 1, 56)[None, :] * np.ones((40, 1))
ODD = {
    "tiny": BLURRED[40:72, 40:72],
    "strip": np.tile(BLURRED[30:62], (1, 3))[:, :400],
    "upright strip": np.tile(BLURRED[30:62], (1, 3))[:, :400].T,
    "noise": RNG.random((48, 64)),
    "faint noise": 0.5 + 1e-7 * RNG.standard_normal((64, 64)),
    "ramp": RAMP,
    "step": (RAMP > 0.5) * 1.0,
    "one dark pixel": 1.0 - (np.arange(64 * 90) == 3000).reshape(64, 90),
    "constant border": np.pad(BLURRED[40:80, 40:90], 16, constant_values=1.0),
}


@pytest.mark.parametrize("name", ODD)
@pytest.mark.filterwarnings("error")
def test_odd_pictures_do_no_harm(name):
    picture = ODD[name]
    result = deblur(picture, psf="free", gamma=1, psf_size=7 if min(picture.shape) > 32 else None)
    assert result.image.shape == picture.shape
    assert np.isfinite(result.image).all()
    assert np.isfinite(result.psf).all()
    assert result.psf.sum() == pytest.approx(1.0, abs=1e-5)
    if result.family == "none":
        np.testing.assert_array_equal(result.image, picture)


@pytest.mark.slow
def test_a_bound_of_half_the_picture():
    result = deblur(ODD["tiny"], psf="free", gamma=1, psf_size=16)
    assert np.isfinite(result.image).all()


# ---- the order of the search


LIGHTS = [Light([np.clip(BLURRED, 0, 1) ** gamma], [0.05], settings=FreeForm()) for gamma in (1.0, 2.2)]


class Scored(ScoredPsf):
    """A result with evidence, whatever its PSF."""

    evidence = 500.0


def _candidate(light, gain, side, extent=3):
    psf = cut_or_padded(np.ones((extent, extent)), side)
    return Scored(light, None, psf, 1 - gain, 0.5, gain, 0.0)


@pytest.mark.parametrize(
    ("first", "multistart", "order"),
    [
        # A start that is clearly right ends the search.
        ((0.6, 3), None, ["starts"]),
        # One that gains a little less may be a small wrong PSF: a multi-start follows.
        ((0.52, 3), (0.66, 7), ["starts", "multistart 0"]),
        # Where neither leaves no doubt, the start goes through longer rounds, ...
        # and the multi-start runs in the other encoding too, unless that is clearly worse.
        ((0.2, 3), (0.24, 7), ["starts", "multistart 0", "multistart 1", "persist"]),
        ((0.2, 3), (0.35, 7), ["starts", "multistart 0"]),
        # No longer rounds where both searches end alike.
        ((0.2, 3), (0.24, 3), ["starts", "multistart 0", "multistart 1"]),
        # Where no start gains, longer rounds follow at once.
        (None, (0.24, 7), ["starts", "persist", "multistart 0", "multistart 1"]),
    ],
)
def test_the_search_goes_on_while_there_is_doubt(monkeypatch, first, multistart, order):
    asked = []

    class Starts:
        best, solved, likeliest = None, False, LIGHTS[0]

        def __init__(self, lights, sizes, *, settings):
            self.settings = settings

        def persist(self):
            asked.append("persist")

        def search(self, times, report):
            asked.append("starts")
            if first is not None:
                self.best = _candidate(LIGHTS[0], first[0], 7, first[1])
                self.solved = first[0] > self.settings.starts.solved_from_gain

    class MultiStart:
        def __init__(self, light, *_, **__):
            self.light = light

        def run(self, report):
            asked.append(f"multistart {LIGHTS.index(self.light)}")
            return [Trial(7, 8e-3, 0.5, np.ones((1, 1)))], _candidate(self.light, multistart[0], 7, multistart[1])

    monkeypatch.setattr(estimate_module, "PowerStarts", Starts)
    monkeypatch.setattr(estimate_module, "MultiStartSearch", MultiStart)
    # In the other encoding the result of the multi-start gains less.
    monkeypatch.setattr(ScoredPsf, "scored", lambda light, scale, psf: _candidate(light, 0.1, 7))
    found, trials = estimate_module._searched(LIGHTS, None, lambda _: None, settings=FreeForm())
    assert asked == order
    assert found.gain == max(each[0] for each in (first, multistart) if each is not None)
    assert len(trials) == sum("multistart" in each for each in order)


@pytest.mark.parametrize(
    ("gains", "energy_gain", "chosen"),
    [
        ((0.4, 0.5), 0.0, 1),
        # The first, a photograph, is likelier: the image was stored as JPEG.
        ((0.4, 0.42), 0.0, 0),
        # A PSF that explains nothing does not count.
        ((0.4, 0.5), -0.2, 0),
    ],
)
def test_the_encoding_in_which_the_psf_gains_most(gains, energy_gain, chosen):
    candidates = [_candidate(light, gain, 7) for light, gain in zip(LIGHTS, gains, strict=True)]
    candidates[1] = replace(candidates[1], energy_gain=energy_gain)
    best = min(candidates, key=lambda each: estimate_module._rank(each, LIGHTS, settings=FreeForm().acceptance))
    assert best is candidates[chosen]


def test_an_unknown_encoding_is_found():
    values = np.clip(0.1 + 0.8 * BLURRED, 0, 1)
    for gamma in (1.0, 2.2):
        lights = [Light([values ** (exponent / gamma)], settings=FreeForm()) for exponent in (2.2, 1.0)]
        which, found = estimate_module.estimate_in_lights(lights, sizes=(11, 11))
        assert (2.2, 1.0)[which] == gamma
        assert psf.similarity(found.psf, SHAKE) > 0.95


def test_the_right_psf_has_evidence():
    found = estimate([BLURRED], sizes=(11, 11))
    assert found.evidence > 100
