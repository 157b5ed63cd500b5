"""The result of a blind deconvolution: evidence, progress on the way to it, drawing."""

import numpy as np
import pytest
from blind_scenes import BLURRED, MOON, SHARP, result_of

from deconv import degrade, psf
from deconv.blind import Restoration, Settings, deblur


@pytest.mark.parametrize("prior", ["text", "natural"])
def test_the_evidence_is_in_the_result(prior):
    result = result_of(prior)
    radius, criterion = result.search["radius"], result.search["criterion"]
    assert radius.shape == criterion.shape
    assert (np.diff(radius) >= 0).all()
    assert radius[0] <= 0.5
    assert radius[-1] == pytest.approx(0.115 * BLURRED.shape[1], rel=0.01)
    # Smallest at the radius of the search; refining moves it by 6 % at most.
    assert radius[np.argmin(criterion)] == pytest.approx(result.parameters["radius"], rel=0.08)
    # Where frequencies scatter more than they should, the score is less than the criterion says.
    assert 0 < result.score <= -criterion.min() + 0.01


def test_parameters_are_plain_numbers():
    for result in map(result_of, ("text", "natural", "float64")):
        assert all(type(v) is float for v in (*result.parameters.values(), result.score, result.noise))


def test_psf_is_that_of_the_parameters():
    for result in map(result_of, ("text", "natural", "float64")):
        assert result.psf.sum() == pytest.approx(1, rel=1e-5)
        want = psf.disk(result.parameters["radius"], softness=result.parameters["softness"])
        np.testing.assert_allclose(result.psf, want, atol=1e-6)


def test_progress_is_reported_in_order():
    calls = []
    deblur(BLURRED, gamma=1, callback=lambda fraction, stage: calls.append((fraction, stage)))
    fractions, stages = zip(*calls, strict=True)
    assert all(0 <= f <= 1 for f in fractions)
    assert list(fractions) == sorted(fractions)
    assert fractions[-1] == 1
    assert list(dict.fromkeys(stages)) == ["kind", "light", "search", "restore", "judge"]


@pytest.mark.parametrize("case", ["sharp", "colours", "no text", "tone curve", "known radius"])
def test_progress_goes_on_to_the_end(case):
    image, options = {
        "sharp": (SHARP, {"gamma": 1}),
        "colours": (np.stack([BLURRED] * 2, -1)[:64, :64], {"gamma": 1, "channel_axis": -1}),
        "no text": (MOON, {"gamma": 1}),
        "tone curve": (np.clip(BLURRED, 0, 1) ** (1 / 2.2), {}),
        "known radius": (MOON, {"gamma": 1, "radius": 3}),
    }[case]
    calls = []
    result = deblur(image, callback=lambda fraction, stage: calls.append((fraction, stage)), **options)
    fractions, stages = zip(*calls, strict=True)
    assert list(fractions) == sorted(fractions)
    assert 0 <= fractions[0] < 0.2
    assert fractions[-1] == 1
    assert ("tone" in stages) == (case == "tone curve")
    # A kind that is given is not chosen.
    assert ("kind" in stages) == (case != "known radius")
    # What is no text is begun again, and goes on from there; a sharp picture is not begun.
    begun = 0 if case == "sharp" else 1 if result.prior == "text" else 2
    assert len([i for i, stage in enumerate(stages) if stage == "light"]) == begun


def test_progress_goes_on_from_the_kind_to_a_free_psf():
    shaken = degrade.add_noise(degrade.blur(SHARP, psf.random_motion(9, rng=4)), 0.002, rng=0)
    quick = Settings().replace(
        {
            "parametric.search.least_log_odds": 1e9,
            "parametric.search.least_log_odds_motion": 1e9,
            "selection.small_disk_log_odds": 1e9,
            "freeform.multi_start.trials": ((9, 8e-3),),
            "freeform.multi_start.max_repeats": 0,
            "freeform.starts.least_evidence": 10.0,
        }
    )
    calls = []
    deblur(shaken, gamma=1, settings=quick, callback=lambda fraction, stage: calls.append((fraction, stage)))
    fractions, stages = zip(*calls, strict=True)
    assert list(fractions) == sorted(fractions)
    assert fractions[-1] == 1
    assert list(dict.fromkeys(stages)) == ["kind", "search", "restore"]


def test_plot_draws_a_known_radius():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure = deblur(BLURRED, radius=3.4, gamma=1).plot()
    figure.canvas.draw()
    np.testing.assert_array_equal(figure.axes[3].lines[0].get_xdata(), [3.4])
    plt.close(figure)


@pytest.mark.parametrize("before", [None, BLURRED])
def test_plot_draws_it_all(before):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure = result_of("text").plot(before)
    try:
        assert isinstance(figure, matplotlib.figure.Figure)
        figure.canvas.draw()
        x, y = figure.axes[3].lines[0].get_data()
        np.testing.assert_array_equal(x, result_of("text").search["radius"])
        np.testing.assert_array_equal(y, result_of("text").search["criterion"])
        assert "3.5" in figure.axes[2].get_title()
    finally:
        plt.close(figure)


def test_plot_draws_colours_and_sharp_pictures():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    search = {"radius": np.array([1.0, 2.0]), "criterion": np.array([0.1, 0.2])}
    result = Restoration(np.ones((8, 8, 3)), np.ones((1, 1)), "none", search=search)
    figure = result.plot()
    figure.canvas.draw()
    assert "none" in figure.axes[2].get_title()
    plt.close(figure)
