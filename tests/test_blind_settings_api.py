"""A setting of each stage, passed to `deblur`, changes its result: settings reach every stage."""

import numpy as np
import pytest

from deconv import degrade, psf
from deconv.blind import Settings, deblur, deblur_pages

SHAKE = psf.random_motion(9, rng=4)
PAGE = degrade.text_picture(["Hand", "pen 4"], size=34, shape=(96, 120))
OUT_OF_FOCUS = degrade.add_noise(degrade.blur(PAGE, psf.disk(3.0)), 0.002, rng=0)
SHAKEN = degrade.add_noise(degrade.blur(PAGE, SHAKE), 0.002, rng=0)


def restored(image, name=None, value=None, **options):
    """The result with one setting changed, or with none."""
    settings = None if name is None else Settings().replace({name: value})
    return deblur(image, gamma=1, settings=settings, **options)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("parametric.search.refinement_radius", 1.5),
        ("parametric.spectrum.knot_ratio", 3.0),
        ("text.verdict.largest_share", 0.0),
    ],
)
def test_the_parametric_path(name, value):
    usual = restored(OUT_OF_FOCUS)
    assert (usual.family, usual.prior) == ("disk", "text")
    changed = restored(OUT_OF_FOCUS, name, value)
    assert changed.parameters != usual.parameters or changed.prior != usual.prior


def test_the_arguments():
    with pytest.raises(ValueError, match="at least 97 pixels"):
        restored(OUT_OF_FOCUS, "general.smallest_side", 97)


def test_what_is_believed():
    # No disc is, so likely that the image is blurred at all.
    changed = restored(OUT_OF_FOCUS, "parametric.search.least_log_odds", 1e9, psf="disk")
    assert (changed.family, changed.guess.family) == ("none", "disk")


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (("selection.sharp_from", "selection.crisp_from"), "its edges are as steep as those of a sharp image"),
        (("selection.noise_share",), "noise explains all of its variation"),
    ],
)
def test_the_choice(names, reason):
    assert restored(OUT_OF_FOCUS).family == "disk"
    settings = Settings().replace(dict.fromkeys(names, 0.0))
    result = deblur(OUT_OF_FOCUS, gamma=1, settings=settings)
    assert (result.family, result.reason) == ("none", reason)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("freeform.acceptance.least_gain", 1.0),
        ("freeform.refinement.given_penalties", (1e-1,)),
        ("natural.iterations", 2),
    ],
)
def test_the_free_form_path(name, value):
    usual, changed = restored(SHAKEN, psf=SHAKE), restored(SHAKEN, name, value, psf=SHAKE)
    assert usual.family == "free"
    assert changed.family == "none" or np.abs(changed.image - usual.image).max() > 1e-3


def test_pages():
    settings = Settings().replace({"freeform.acceptance.least_gain": 1.0})
    usual = deblur_pages([SHAKEN, SHAKEN], psf=SHAKE, gamma=1)
    changed = deblur_pages([SHAKEN, SHAKEN], psf=SHAKE, gamma=1, settings=settings)
    assert (usual[1].family, changed[1].family) == ("free", "none")
