"""Text restored by two priors: paper and ink of the result, and which prior counts where."""

import numpy as np
import pytest
from blind_scenes import page_of

from deconv import degrade, psf
from deconv.blind.parametric.families import Disk
from deconv.blind.settings import Settings
from deconv.blind.text.restore import restore_text

SETTINGS = Settings()
RADIUS = 3.0


def restored(ink, radius=RADIUS, settings=SETTINGS, **options):
    return restore_text(ink.astype(np.float32), Disk(radius), settings, lambda part: None, **options)


def photo_of(ink, radius=RADIUS, noise=0.001):
    return degrade.add_noise(degrade.blur(ink, psf.disk(radius, softness=0.09 * radius)), noise, rng=0)


@pytest.mark.parametrize(("tone", "coverage"), [(0.09, 0.0), (0.2, 0.2), (0.5, 0.8), (0.65, 1.0)])
def test_tones_near_paper_are_paper_and_tones_near_ink_are_ink(tone, coverage):
    # Beside a page of full ink a patch of one tone: a smudge, or a thumb.
    ink = np.pad(1 - page_of(24, (90, 130), ["Full ink", "and a"]), ((0, 0), (0, 40)))
    patch = (slice(30, 60), slice(135, 160))
    ink[patch] = tone
    inner = restored(photo_of(ink))[37:53, 142:153]
    assert float(np.median(inner)) == pytest.approx(coverage, abs=0.06)


def test_strokes_count_where_they_are_unresolved_and_not_where_they_are_resolved():
    unresolved = photo_of(1 - page_of(14, (80, 120), ["strokes", "of a pen"]), 10.0)
    resolved = photo_of(1 - page_of(34, (80, 120), ["of a", "pen"]))
    without = SETTINGS.replace({"text.strokes.max_pixels": 0})
    np.testing.assert_array_equal(restored(resolved), restored(resolved, settings=without))
    assert np.abs(restored(unresolved, 10.0) - restored(unresolved, 10.0, without)).max() > 0.1


def test_strokes_count_less_under_jpeg():
    unresolved = photo_of(1 - page_of(14, (80, 120), ["strokes", "of a pen"]), 10.0)
    without = SETTINGS.replace({"text.strokes.max_pixels": 0})

    def strokes(stored):
        both, flat = (restored(unresolved, 10.0, settings, stored=stored) for settings in (SETTINGS, without))
        return float(np.mean(np.abs(both - flat)))

    assert strokes(0.02) < 0.3 * strokes(0.0)


def test_total_variation_does_not_count_where_nothing_is_resolved():
    unresolved = photo_of(1 - page_of(14, (80, 120), ["strokes", "of a pen"]), 10.0)
    # Where its weight is 0 it does not matter at which level it would be 1.
    elsewhere = SETTINGS.replace({"text.restoration.resolved_level": 3.0})
    np.testing.assert_array_equal(restored(unresolved, 10.0), restored(unresolved, 10.0, elsewhere))


def test_progress_rises_to_one():
    fractions = []
    ink = photo_of(1 - page_of(14, (64, 80), ["two"]), 8.0).astype(np.float32)
    restore_text(ink, Disk(8.0), SETTINGS, fractions.append)
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1
