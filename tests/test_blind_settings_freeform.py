"""A setting of the free-form estimate that is changed, passed in, changes what its stage does."""

from dataclasses import fields, is_dataclass, replace

import numpy as np
import pytest
from letters import blurred_letters
from scipy.fft import idctn

from deconv import degrade, psf
from deconv.blind.freeform.estimate import estimate
from deconv.blind.freeform.light import Light
from deconv.blind.freeform.phase import Power
from deconv.blind.freeform.pipeline import restore_pages
from deconv.blind.freeform.psf_step import fit
from deconv.blind.freeform.refine import refine
from deconv.blind.freeform.scale import Scale, normalised
from deconv.blind.freeform.scene import SceneSolver
from deconv.blind.freeform.starts import PowerStarts
from deconv.blind.jpeg import measure
from deconv.blind.natural import restore
from deconv.blind.progress import FREE_FORM, Progress
from deconv.blind.settings import Settings, origins
from deconv.blind.settings.freeform import FreeForm, PhaseRetrieval, PsfStep, SceneStep
from deconv.blind.settings.jpeg import Jpeg
from deconv.blind.settings.natural import Natural

SHAKE = psf.random_motion(9, rng=4)
PAGE = degrade.text_picture(["Hand", "pen 4"], size=34, shape=(96, 120))
BLURRED = degrade.add_noise(degrade.blur(PAGE, SHAKE), 0.002, rng=0)


def _error(page, **options):
    """Standard deviation of JPEG's error; 0 if none was measured."""
    compression = measure(page, **options)
    return 0.0 if compression is None else compression.rms


def changed(**stages):
    """Settings of which some stages' fields are replaced."""
    settings = FreeForm()
    return replace(settings, **{name: replace(getattr(settings, name), **values) for name, values in stages.items()})


def scale(settings, level=0):
    observations, _ = normalised([BLURRED], settings=settings.edge_penalty)
    return Scale(observations, level, 11, settings=settings)


def differ(a, b):
    return a.shape != b.shape or np.abs(a - b).max() > 1e-3 * np.abs(a).max()


@pytest.mark.parametrize("change", [{"growth": 3.0}, {"first_weight": 100.0}, {"last_weight": 1.0}])
def test_the_scene_step(change):
    scenes = [SceneSolver(BLURRED, 9, settings=s).solve(SHAKE, 2e-3) for s in (SceneStep(), SceneStep(**change))]
    assert differ(*scenes)


def test_the_psf_step():
    solver = SceneSolver(BLURRED, 9, settings=SceneStep())
    solver.solve(SHAKE, 2e-3)
    auto, cross = solver.correlations(4)
    start = np.full((9, 9), 1 / 81)
    assert differ(*(fit(auto, cross, start, 0.02, settings=PsfStep(iterations=n)) for n in (40, 3)))


@pytest.mark.parametrize(
    "change", [{"edge_penalty": 1e-2}, {"whole_edge": 0.2}, {"margin": 5}, {"strength": 1.0}, {"iterations": 3}]
)
def test_the_score(change):
    costs = [scale(s).scorer.score(SHAKE).cost for s in (FreeForm(), changed(score=change))]
    assert differ(*map(np.asarray, costs))


def test_the_scales():
    shapes = [scale(s, 1)._observations[0].image.shape for s in (FreeForm(), changed(scales={"ratio": 2.0}))]
    assert shapes[0][0] > shapes[1][0] == 48


@pytest.mark.parametrize("change", [{"rounds": 1}, {"ridge": 200.0}, {"least_weight": 0.3}])
def test_the_refinement(change):
    start = np.pad(psf.gaussian(1.0), 2)[:9, :9]
    psfs = [refine(scale(s), start / start.sum(), (8e-3,), 1e-3) for s in (FreeForm(), changed(refinement=change))]
    assert differ(*psfs)


def test_the_least_edge_penalty():
    penalties = [
        normalised([BLURRED], settings=s.edge_penalty)[1] for s in (FreeForm(), changed(edge_penalty={"least": 1.0}))
    ]
    assert penalties[0] < penalties[1] == 1.0


def test_phase_retrieval():
    power = [Power([BLURRED], settings=s) for s in (PhaseRetrieval(), PhaseRetrieval(iterations=2))]
    assert differ(*(p.likely(11, np.random.default_rng(0))[0] for p in power))


def test_starts():
    """What shows too little in the power is not continued."""
    image = blurred_letters(psf.random_motion(15, rng=4), (120, 160))
    for evidence, continued in ((0.0, True), (1e6, False)):
        settings = changed(
            starts={
                "least_evidence": evidence,
                "first_pass_steps": 1,
                "refine_from_gain": 1.0,
                "growth_schedule": (),
                "solved_from_gain": 0.0,
            }
        )
        light = Light([image], settings=settings)
        PowerStarts([light], (15, 15), settings=settings).search(1, lambda part: None)
        assert bool(light._scales) is continued


def test_the_multi_start():
    quick = {"starts": {"least_evidence": 1e6}}
    one = changed(**quick, multi_start={"trials": ((7, 8e-3),), "max_repeats": 0})
    assert [trial.penalty for trial in estimate([BLURRED], sizes=(7, 7), settings=one).trials[1:]] == [8e-3]
    two = changed(**quick, multi_start={"trials": ((7, 8e-3), (7, 2e-3)), "max_repeats": 0, "rounds": 1})
    assert {trial.penalty for trial in estimate([BLURRED], sizes=(7, 7), settings=two).trials[1:]} == {8e-3, 2e-3}


@pytest.mark.parametrize(
    ("change", "family"), [({}, "free"), ({"least_gain": 0.99}, "none"), ({"least_width": 9.0}, "none")]
)
def test_the_acceptance(change, family):
    _, fields = restore_pages(
        [BLURRED[None]],
        "text",
        1.0,
        sizes=None,
        start=SHAKE,
        region=None,
        report=Progress(None, FREE_FORM),
        settings=Settings(freeform=changed(acceptance=change)),
    )
    assert fields["family"] == family


def test_the_restoration():
    images = [
        restore([BLURRED], SHAKE, prior="text", report=lambda part: None, settings=s)[0][0]
        for s in (Natural(), Natural(iterations=3))
    ]
    assert differ(*images)


def test_the_quantisation_steps():
    """Steps outside of the range of the search are not detected."""
    blocks = np.zeros((1, 64, 64))
    rng = np.random.default_rng(0)
    for row in range(8):
        for column in range(8):
            levels = 10 * rng.integers(-3, 4, (8, 8)) / 255
            blocks[0, 8 * row : 8 * row + 8, 8 * column : 8 * column + 8] = idctn(levels, norm="ortho")
    assert _error(blocks) > 0
    assert _error(blocks, settings=Jpeg(largest_step=4, least_step=4)) == 0
    assert _error(blocks, settings=Jpeg(coefficients=100)) == 0


@pytest.mark.parametrize("settings", [FreeForm, Natural, Jpeg])
def test_every_number_has_its_origin(settings):
    def count(stage):
        return sum(count(f.default_factory) if is_dataclass(f.default_factory) else 1 for f in fields(stage))

    assert len(origins(settings)) == count(settings)
    assert all(origin.about.endswith(".") and origin.unit for origin in origins(settings).values())
