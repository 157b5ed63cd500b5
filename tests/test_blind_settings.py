"""Settings of blind deconvolution: each says its unit and its origin, and what is passed is what is used."""

import ast
import dataclasses
import functools
import importlib
import pkgutil
from dataclasses import FrozenInstanceError
from pathlib import Path

import numpy as np
import pytest
from skimage.data import camera
from threadpoolctl import threadpool_limits

from deconv import degrade, psf
from deconv.blind import settings
from deconv.blind.freeform.phase import Power
from deconv.blind.parametric.families import Disk, Gaussian, Motion
from deconv.blind.parametric.search import at_radius, compare_families, refine, search
from deconv.blind.select import _choose_at, _confirmed_line, choose, hard_steps, sharpness
from deconv.blind.settings import Settings, origins
from deconv.blind.settings.freeform import FreeForm, PhaseRetrieval
from deconv.blind.settings.general import General
from deconv.blind.settings.parametric import DiskLimits, MotionSearch, Parametric, Search
from deconv.blind.settings.select import Gradient, LineCheck, Selection, Sharpness
from deconv.blind.settings.spectrum import FullSpectrum, Spectrum
from deconv.blind.spectrum import FullPeriodogram, Periodogram

ROOT = Path(__file__).parents[1]
HEADINGS = {
    line.lstrip("#").strip() for line in (ROOT / "docs" / "tried.md").read_text().splitlines() if line.startswith("#")
}


def _classes():
    """Every settings class, of all stages."""
    for each in pkgutil.iter_modules(settings.__path__):
        if each.name.startswith("_"):
            continue
        module = importlib.import_module(f"{settings.__name__}.{each.name}")
        for value in vars(module).values():
            if dataclasses.is_dataclass(value) and value.__module__ == module.__name__:
                yield value


CLASSES = list(_classes())


@pytest.fixture(autouse=True)
def _one_thread():
    with threadpool_limits(1, user_api="blas"):
        yield


@pytest.mark.parametrize("stage", CLASSES, ids=lambda stage: stage.__name__)
def test_every_number_has_a_unit_and_an_origin(stage):
    numbers = origins(stage)
    # Every number is listed, those of stages within a stage too.
    assert {name.partition(".")[0] for name in numbers} == {field.name for field in dataclasses.fields(stage)}
    for name, origin in numbers.items():
        assert origin.unit, name
        assert origin.about.endswith("."), name
        kind, _, where = origin.source.partition(": " if origin.source.startswith("tried") else "/")
        assert kind in ("studies", "tried", "judgement"), name
        if kind == "studies":
            assert (ROOT / "benchmarks" / "studies" / f"{where}.py").is_file(), name
        if kind == "tried":
            assert where in HEADINGS, name
        assert bool(where) == (kind != "judgement"), name


def test_every_setting_is_read_somewhere():
    trees = [ast.parse(file.read_text()) for file in (ROOT / "deconv" / "blind").rglob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    read = {node.attr for node in nodes if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load)}
    # `Search.limits` reads these three by the name of the family.
    read |= {"disk_limits", "gaussian_limits", "motion_limits"}
    names = {field.name for stage in CLASSES for field in dataclasses.fields(stage)}
    assert names - read == set()


@pytest.mark.parametrize("stage", CLASSES, ids=lambda stage: stage.__name__)
def test_settings_are_frozen_and_compare_by_value(stage):
    one = stage()
    name = dataclasses.fields(stage)[0].name
    with pytest.raises(FrozenInstanceError):
        setattr(one, name, 0)
    assert one == stage()
    assert hash(one) == hash(stage())


SCENE = camera()[100:260, 100:300] / 255.0
PAGE = degrade.text_picture(["Blind", "deblur"], size=24, shape=(100, 150))


def _blurred(scene, kernel, noise=0.003):
    return degrade.add_noise(degrade.blur(scene, kernel), noise, rng=0)


DEFOCUSED, SHAKEN = _blurred(PAGE, psf.disk(5)), _blurred(SCENE, psf.random_motion(15, rng=1))
MOVED = _blurred(1 - PAGE, psf.motion(12, 30), 0.03)


def _silent(_):
    pass


def spectrum_cost(spectrum):
    return Periodogram(DEFOCUSED, settings=spectrum).fit(Disk(5.0)).cost


def full_spectrum_cost(spectrum):
    return FullPeriodogram(SHAKEN, settings=spectrum).negative_log_likelihood(np.ones((1, 1)))[0]


def phase_gain(spectrum):
    return Power([SHAKEN], settings=PhaseRetrieval(spectrum=spectrum)).gain(np.full((3, 3), 1 / 9))


def disk_search(parametric):
    return search(DEFOCUSED, [Disk], 150, _silent, settings=parametric).candidate


def motion_search(parametric):
    return search(MOVED, [Motion], 150, _silent, settings=parametric).candidate


def known_radius(parametric):
    return at_radius(DEFOCUSED, 5.0, _silent, settings=parametric).score


def refinement(parametric):
    return refine(DEFOCUSED, Disk(5.0), settings=parametric).radius


def comparison(parametric):
    return compare_families(DEFOCUSED, Disk(5.0), Gaussian, scale=1.0, settings=parametric)


def choice_at_gamma(stages):
    return _choose_at(DEFOCUSED, 1.0, 0.3, _silent, None, stages).family


def whole_choice(stages):
    choice = choose(DEFOCUSED, None, _silent, settings=stages)
    return choice.family, choice.gamma


def choice_of_sharp(stages):
    return _choose_at(SHAKEN, 1.0, 0.7, _silent, None, stages).family


def line_check(numbers):
    return _confirmed_line(MOVED, Motion(4.0, 60.0), None, Selection(line=numbers), PhaseRetrieval())


def sharpness_measure(numbers):
    return sharpness(SCENE, settings=numbers)


def height_of_steps(numbers):
    return hard_steps(SCENE, settings=numbers)


def in_parametric(**stages):
    return Parametric(), Parametric(**stages)


def in_choice(**stages):
    return Settings(), Settings(**stages)


@functools.cache
def first_outcome(outcome, usual):
    return outcome(usual)


@pytest.mark.parametrize(
    ("outcome", "usual", "changed"),
    [
        (spectrum_cost, Spectrum(), Spectrum(edge_slope=-2.0)),
        (spectrum_cost, Spectrum(), Spectrum(lowest=4.0)),
        (full_spectrum_cost, FullSpectrum(), FullSpectrum(fade=0.3)),
        (phase_gain, FullSpectrum(), FullSpectrum(knot_ratio=2.0)),
        (disk_search, *in_parametric(search=Search(least_log_odds=1e6))),
        (disk_search, *in_parametric(search=Search(disk_limits=DiskLimits(sharp_below=6.0)))),
        (disk_search, *in_parametric(spectrum=Spectrum(bending=0.1))),
        (motion_search, *in_parametric(search=Search(least_log_odds_motion=1e6))),
        (motion_search, *in_parametric(motion=MotionSearch(largest_fill=0.001))),
        (known_radius, *in_parametric(spectrum=Spectrum(noise_colour=0.1))),
        (refinement, *in_parametric(search=Search(refinement_radius=2.0))),
        (comparison, *in_parametric(search=Search(similar_from=2.0))),
        (choice_at_gamma, *in_choice(selection=Selection(disk_factor=100.0))),
        (choice_at_gamma, *in_choice(selection=Selection(large_disk=100.0, small_disk_fill=1e-6))),
        (whole_choice, *in_choice(general=General(photograph_gamma=1.5))),
        (choice_of_sharp, *in_choice(selection=Selection(path_gain=1.0))),
        (
            choice_of_sharp,
            *in_choice(freeform=FreeForm(phase_retrieval=PhaseRetrieval(spectrum=FullSpectrum(highest=0.2)))),
        ),
        (line_check, LineCheck(), LineCheck(least_gain=-100.0)),
        (sharpness_measure, Sharpness(), Sharpness(window=9)),
        (height_of_steps, Sharpness(), Sharpness(step_quantile=0.9)),
        (height_of_steps, Sharpness(), Sharpness(step_tail=0.1)),
        (whole_choice, *in_choice(selection=Selection(gradient=Gradient(rounding=1.0)))),
        (whole_choice, *in_choice(selection=Selection(gradient=Gradient(rounding=0.02, width=1e-3)))),
    ],
)
def test_settings_that_are_passed_are_used_and_nothing_else_changes(outcome, usual, changed):
    before = first_outcome(outcome, usual)
    assert outcome(changed) != before
    assert outcome(usual) == before
