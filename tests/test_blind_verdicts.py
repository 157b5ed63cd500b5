"""Numbers that decide between results of other stages; these stages are replaced, so that each test is quick."""

import io
import math
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from deconv import degrade, psf
from deconv.blind import Guess, Restoration, api, deblur, select
from deconv.blind.freeform import pipeline as freeform_pipeline
from deconv.blind.freeform.estimate import FreeFormEstimate, is_plausible
from deconv.blind.jpeg import measure
from deconv.blind.parametric.directions import LeastOdds
from deconv.blind.parametric.families import Disk, Gaussian, Motion
from deconv.blind.parametric.pipeline import result_fields
from deconv.blind.parametric.search import Estimate, _required_log_odds
from deconv.blind.progress import PARAMETRIC, Progress
from deconv.blind.settings import Settings
from deconv.blind.settings.freeform import Acceptance, PhaseRetrieval
from deconv.blind.settings.parametric import Parametric, Search
from deconv.blind.settings.select import Selection
from deconv.blind.text import pipeline as text_pipeline
from deconv.blind.text.verdict import fit_two_tones

PAGE = 0.1 + 0.8 * degrade.text_picture(["what JPEG", "stored"], size=30, shape=(120, 200))


def _estimate(candidate, log_odds):
    """An estimate that believes in a candidate, or in none."""
    none = Estimate(None, 0.0, np.empty(0), np.empty(0))
    return none if candidate is None else replace(none, candidate=candidate, log_odds=log_odds, guess=candidate)


def _stored(image):
    file = io.BytesIO()
    Image.fromarray(np.uint8(np.rint(255 * image))).save(file, "JPEG", quality=60)
    return np.asarray(Image.open(file), np.float32) / 255


@pytest.mark.parametrize(
    ("candidate", "ratio", "family"),
    [
        (Disk(6.0), 9.9, "disk"),
        (Disk(6.0), 10.1, "free"),
        (Gaussian(6.0), 119.0, "gaussian"),
        (Gaussian(6.0), 121.0, "free"),
    ],
)
def test_the_path_of_a_shake_outweighs_a_disc_sooner_than_a_gaussian(candidate, ratio, family, monkeypatch):
    found = {type(candidate): _estimate(candidate, 50.0)}
    monkeypatch.setattr(
        select, "search", lambda light, families, *_, **__: found.get(families[0], _estimate(None, 0.0))
    )
    monkeypatch.setattr(select, "_confirmed_disk", lambda light, disk, *_: disk)
    monkeypatch.setattr(select, "least_odds_by_direction", lambda *_, **__: LeastOdds(10.0, 10.0))
    monkeypatch.setattr(select, "_path_evidence", lambda *_: 50.0 * ratio)
    image = degrade.blur(PAGE, psf.disk(5))
    choice = select._choose_at(image, 1.0, 0.2, lambda _: None, None, Settings())
    assert choice.family == family


@pytest.mark.parametrize(("radius", "believed"), [(1.99, False), (2.01, True)])
def test_a_doubtful_disc_is_not_as_small_as_that(radius, believed, monkeypatch):
    monkeypatch.setattr(select, "compare_families", lambda *_, **__: (80.0, 0.0))
    doubtful = replace(_estimate(None, 0.0), guess=Disk(radius), guess_log_odds=20.0)
    confirmed = select._confirmed_disk(PAGE, doubtful, None, Selection(), Parametric())
    assert (confirmed.candidate is not None) == believed


@pytest.mark.parametrize("family", [Disk, Gaussian])
def test_photographs_are_as_soft_as_discs_and_gaussians_of_this_radius(family):
    assert math.isinf(_required_log_odds(family(1.74), 1e3, True, Search()))
    assert math.isfinite(_required_log_odds(family(1.76), 1e3, True, Search()))


@pytest.mark.parametrize(
    ("image", "evidence", "family"),
    [(PAGE, -1.0, "none"), (PAGE, 1.0, "free"), (_stored(PAGE), 499.0, "none"), (_stored(PAGE), 501.0, "free")],
    ids=["too little", "enough", "too little for JPEG", "enough for JPEG"],
)
def test_the_evidence_for_a_free_form_psf(image, evidence, family, monkeypatch):
    nothing = select.Choice("free", _estimate(None, 0.0), 2.2, 0.3)
    result = Restoration(image, np.ones((3, 3)) / 9, "free", guess=Guess("free", {"size": 3.0}, evidence))
    monkeypatch.setattr(api, "choose", lambda *_, **__: nothing)
    monkeypatch.setattr(api, "_deblur_free_form", lambda *_: [result])
    restored = deblur(image)
    assert restored.family == family
    assert (restored.reason == api._UNEXPLAINED) == (family == "none")


@pytest.mark.parametrize(("candidate", "beyond"), [(Disk(5.0), 0.023), (Gaussian(5.0), 0.14), (Motion(5.0), 0.01)])
def test_the_size_is_less_sure_in_a_stored_photograph(candidate, beyond):
    sure = replace(candidate, uncertainty=0.004)
    page, compression = _stored(PAGE)[None], measure(_stored(PAGE)[None])
    assert compression is not None
    told = [
        result_fields(_estimate(sure, 50.0), sure, page, (2.2, 0.0), Settings(), each)["uncertainty"]
        for each in (None, compression)
    ]
    assert told == pytest.approx([0.004, math.hypot(0.004, beyond)])


def test_motion_hinders_reading_as_a_disc_of_half_its_radius():
    ink, candidate = degrade.blur(1 - PAGE, psf.motion(12, 20)), Motion(6.0, 20.0)
    plain = Settings().replace({"text.verdict.motion_radius": 1.0})
    blurs = [fit_two_tones(ink, 1 - PAGE, candidate, 1e5, each).blur for each in (Settings(), plain)]
    assert blurs[0] == pytest.approx(0.5 * blurs[1])


@pytest.mark.parametrize(
    ("image", "log_odds", "gamma"),
    [(PAGE, 10.0, 1.0), (_stored(PAGE), 64.0, 2.2), (_stored(PAGE), 66.0, 1.0)],
    ids=["never stored", "JPEG", "JPEG, clear"],
)
def test_a_jpeg_file_is_a_photograph_unless_the_evidence_outweighs_that(image, log_odds, gamma, monkeypatch):
    def at(image, gamma, *_):
        found = _estimate(Disk(4.0), log_odds if gamma == 1.0 else 0.0)
        return select.Choice("disk", replace(found, candidate=None) if gamma != 1.0 else found, gamma, 0.2)

    monkeypatch.setattr(select, "_choose_at", at)
    degradation = measure(image[None])
    assert select.choose(image, None, lambda _: None, degradation=degradation).gamma == gamma


@pytest.mark.parametrize(
    ("stored", "evidence", "kept"), [(True, 499.0, True), (True, 501.0, False), (False, 0.0, False)]
)
def test_a_line_stays_where_the_power_shows_no_path(stored, evidence, kept, monkeypatch):
    image = _stored(degrade.blur(PAGE, psf.random_motion(15, rng=1)))
    degradation = measure(image[None]) if stored else None
    monkeypatch.setattr(select.Power, "gain", lambda self, psf: -1.0)
    monkeypatch.setattr(select, "_path_evidence", lambda *_: evidence)
    line = select._confirmed_line(image, Motion(5.0), degradation, Selection(), PhaseRetrieval())
    assert (line is not None) == kept


@pytest.mark.parametrize(
    ("energy", "evidence", "plausible"), [(-0.09, 0.0, True), (-0.11, 1499.0, False), (-0.11, 1501.0, True)]
)
def test_evidence_outweighs_the_energy_of_the_scene(energy, evidence, plausible):
    estimate = FreeFormEstimate(np.ones((3, 3)) / 9, 0.2, energy, 0.3, (), evidence)
    assert is_plausible(estimate, settings=Acceptance()) == plausible
    assert not is_plausible(replace(estimate, gain=0.09), settings=Acceptance())


@pytest.mark.parametrize(
    ("image", "flat", "prior"), [(PAGE, 0.38, "text"), (PAGE, 0.36, "natural"), (_stored(PAGE), 0.6, "natural")]
)
def test_the_prior_of_a_free_form_restoration(image, flat, prior, monkeypatch):
    kernel = psf.random_motion(9, rng=1)
    estimate = FreeFormEstimate(kernel, 0.5, 0.1, flat, (), 5000.0)
    monkeypatch.setattr(freeform_pipeline, "_estimate", lambda *_, **__: (1.0, estimate))
    blurred = np.clip(degrade.blur(image, kernel), 0, 1)
    if image is not PAGE:
        blurred = _stored(blurred)
    assert deblur(blurred, psf="free", gamma=1).prior == prior


def test_what_is_no_text_in_the_colour_with_most_ink_is_no_text(monkeypatch):
    restored = []

    def restore(ink, *_, **__):
        restored.append(float(np.mean(ink**2)))
        return np.zeros_like(ink)

    monkeypatch.setattr(text_pipeline, "restore_text", restore)
    page = 1 - (1 - PAGE)[..., None] * [0.3, 1.0, 0.6]
    blurred = degrade.blur(page, psf.disk(4), channel_axis=-1)
    planes = np.moveaxis(blurred, -1, 0).astype(np.float32)
    found = replace(_estimate(Disk(4.0), 100.0), guess_log_odds=100.0)
    report = Progress(None, PARAMETRIC)
    text, fields = text_pipeline.restore_as_text(planes, lambda *_, **__: found, 1.0, Settings(), report)
    assert text is None
    assert fields["reason"]
    assert len(restored) == 1
