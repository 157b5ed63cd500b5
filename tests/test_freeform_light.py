"""Images in one encoding: the window of the search, and the window with most edges."""

import numpy as np
import pytest

from deconv.blind.freeform.light import Light, window_with_most_edges
from deconv.blind.settings.freeform import FreeForm, Window

WINDOW = Window()


def test_the_window_with_most_edges():
    grey = np.zeros((1000, 800), np.float32)
    grey[600:900, 300:700] = np.random.default_rng(0).random((300, 400))
    part = grey[window_with_most_edges(grey, 4e5, settings=WINDOW)]
    assert part.shape[0] / part.shape[1] == pytest.approx(1.25, rel=0.01)
    assert part.size == pytest.approx(4e5, rel=0.01)
    assert (part != 0).sum() > 0.99 * 300 * 400


def test_a_small_image_is_its_own_window():
    assert window_with_most_edges(np.zeros((400, 500)), 4e5, settings=WINDOW) == (slice(0, 400), slice(0, 500))


@pytest.mark.parametrize("shape", [(40, 20000), (20000, 300)])
def test_a_long_strip_is_not_made_narrower(shape):
    rows, columns = window_with_most_edges(np.zeros(shape, np.float32), 4e5, settings=WINDOW)
    assert min(rows.stop - rows.start, columns.stop - columns.start) >= min(min(shape), WINDOW.narrowest)


def test_a_window_begins_at_a_corner_of_a_block_of_jpeg():
    grey = np.random.default_rng(0).random((900, 700)).astype(np.float32)
    rows, columns = window_with_most_edges(grey, 1e5, settings=WINDOW)
    assert rows.start % 8 == columns.start % 8 == 0


def test_the_search_window_grows_with_the_support():
    light = Light([np.random.default_rng(0).random((600, 700))], settings=FreeForm())
    small, large, largest = (light.in_window(side)[0].image for side in (31, 111, 161))
    assert small.size == pytest.approx(WINDOW.search_pixels, rel=0.01)
    assert large.size == pytest.approx((WINDOW.sides * 111) ** 2, rel=0.01)
    assert largest.size == pytest.approx(WINDOW.pixels, rel=0.01)


def test_several_images_share_the_search_window():
    images = [np.random.default_rng(seed).random((600, 700)) for seed in range(2)]
    both = Light(images, settings=FreeForm()).in_window(31)
    assert sum(o.image.size for o in both) == pytest.approx(WINDOW.search_pixels, rel=0.01)
