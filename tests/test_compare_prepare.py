"""What comes before and after a network, proved with plain functions in its place."""

import numpy as np
import pytest
from scipy.ndimage import correlate, median_filter
from scipy.signal import convolve

from deconv.compare.prepare import Prepare
from deconv.compare.protocol import Context, Problem
from deconv.compare.tiles import Tiling

COLOUR = np.random.default_rng(0).uniform(0.1, 0.9, (23, 31, 3)).astype(np.float32)
GREY = COLOUR[..., 0]
FILTER = np.random.default_rng(1).uniform(0, 0.08, (5, 5)).astype(np.float32)


class Network:
    """Keeps what it is given; returns that, or what a function makes of it."""

    def __init__(self, function=lambda batch: batch):
        self.function, self.batches, self.told = function, [], []

    def __call__(self, batch, *told):
        assert batch.dtype == np.float32
        assert batch.flags.c_contiguous
        self.batches.append(batch)
        self.told.append(told)
        return self.function(batch)


def restored(network, image, context=None, **table):
    return Prepare.from_table(table).apply(network, image, context or Context())


def filtered(batch):
    """A 5 x 5 filter without padding, of each channel."""
    return np.stack([[convolve(plane, FILTER, mode="valid") for plane in batch[0]]])


def padded(batch):
    """The same with padding, that is with something else along the edges."""
    return np.stack([[convolve(plane, FILTER, mode="same") for plane in batch[0]]])


def whole(image):
    """What the filter makes of a whole picture whose edge goes on."""
    planes = np.pad(image, [(2, 2), (2, 2), (0, 0)], mode="edge")
    return np.stack([convolve(planes[..., c], FILTER, mode="valid") for c in range(3)], axis=-1)


# ---- colours and values


@pytest.mark.parametrize("image", [GREY, COLOUR], ids=["grey", "colour"])
@pytest.mark.parametrize("channels", ["grey", "rgb", "bgr"])
@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("coding", [{}, {"range": [-1, 1]}, {"white": 255, "mean": 99.5, "scale": 0.004}])
def test_what_a_network_leaves_alone_comes_back(image, channels, layout, coding):
    result = restored(Network(), image, channels=channels, layout=layout, **coding)
    assert result.shape == image.shape
    np.testing.assert_allclose(result, image, atol=1e-6)


def test_channel_order_mean_and_scale():
    network = Network(lambda batch: np.zeros_like(batch))
    mean = [103.939, 116.779, 123.68]
    result = restored(network, COLOUR, channels="bgr", white=255, mean=mean, scale=0.004)
    expected = (255 * COLOUR[..., ::-1] - mean) * 0.004
    np.testing.assert_allclose(network.batches[0][0], np.moveaxis(expected, -1, 0), atol=1e-6)
    # Zero is the mean, of blue, green and red; a picture's colours are red, green and blue.
    np.testing.assert_allclose(result[0, 0], np.array(mean)[::-1] / 255, atol=1e-6)


def test_range():
    network = Network()
    restored(network, COLOUR, range=[-1, 1])
    np.testing.assert_allclose(network.batches[0][0], np.moveaxis(2 * COLOUR - 1, -1, 0), atol=1e-6)


def test_layout():
    network = Network()
    restored(network, COLOUR, layout="NHWC")
    assert network.batches[0].shape == (1, 23, 31, 3)
    np.testing.assert_array_equal(network.batches[0][0], COLOUR)


def test_grey_picture_for_a_network_of_colours():
    gains = np.array([0.5, 0.75, 1.0], np.float32).reshape(1, 3, 1, 1)
    network = Network(lambda batch: gains * batch)
    result = restored(network, GREY, channels="rgb")
    assert all((network.batches[0][0, c] == GREY).all() for c in range(3))
    np.testing.assert_allclose(result, 0.75 * GREY, rtol=1e-6)


def test_colours_for_a_grey_network_go_one_by_one():
    network = Network(lambda batch: batch / 2)
    result = restored(network, COLOUR, channels="grey")
    assert [batch.shape for batch in network.batches] == [(1, 1, 23, 31)] * 3
    np.testing.assert_array_equal(network.batches[2][0, 0], COLOUR[..., 2])
    np.testing.assert_allclose(result, COLOUR / 2, rtol=1e-6)


def test_residual_is_added_in_the_values_of_the_network():
    network = Network(lambda batch: np.full_like(batch, 0.1))
    result = restored(network, COLOUR, range=[-1, 1], residual=True)
    np.testing.assert_allclose(result, COLOUR + 0.05, atol=1e-6)


def test_residual_of_a_network_without_padding_is_added_to_the_middle():
    network = Network(lambda batch: np.zeros_like(batch[..., 2:-2, 2:-2]))
    np.testing.assert_allclose(restored(network, COLOUR, residual=True, border=2), COLOUR, atol=1e-6)


def test_result_is_clipped():
    assert restored(Network(lambda batch: batch + 2), COLOUR).max() == 1
    assert restored(Network(lambda batch: batch - 2), COLOUR).min() == 0


# ---- planes beside the colours


def test_mask_is_one_where_it_is_dark():
    network = Network()
    restored(network, COLOUR, extra=["mask"], range=[-1, 1])
    grey = COLOUR @ np.array([0.299, 0.587, 0.114], np.float32)
    mask = network.batches[0][0, 3]
    assert network.batches[0].shape == (1, 4, 23, 31)
    np.testing.assert_array_equal(mask, grey <= grey.mean())
    assert 0.3 < mask.mean() < 0.7


def test_medians_are_of_the_grey_picture_in_the_range_of_the_network():
    network = Network()
    restored(network, COLOUR, extra=["median:3", "median:9"], range=[-1, 1])
    grey = COLOUR @ np.array([0.299, 0.587, 0.114], np.float32)
    for plane, size in zip(network.batches[0][0, 3:], (3, 9), strict=True):
        np.testing.assert_allclose(plane, 2 * median_filter(grey, size, mode="nearest") - 1, atol=1e-6)


def test_what_was_given_beside_the_colours_may_come_back():
    np.testing.assert_allclose(restored(Network(), COLOUR, extra=["mask"]), COLOUR, atol=1e-6)


def test_level_as_a_second_input():
    network = Network()
    restored(network, GREY, Context(level=7.0), channels="grey", level="input")
    ((level,),) = network.told
    assert (level.shape, level.dtype, level.item()) == ((1, 1), np.float32, 7.0)


def test_level_as_a_plane():
    network = Network()
    restored(network, GREY, Context(level=7.0), channels="grey", level="channel", extra=["mask"], range=[-1, 1])
    assert network.told == [()]
    assert network.batches[0].shape == (1, 3, 23, 31)
    assert (network.batches[0][0, 2] == 7).all()


def test_level_that_nobody_knows():
    with pytest.raises(Problem, match="needs the level of blur"):
        restored(Network(), GREY, level="input")


# ---- sizes


@pytest.mark.parametrize(("border", "shape"), [(0, (24, 32)), (3, (32, 40))])
def test_multiple_of(border, shape):
    network = Network()
    result = restored(network, COLOUR, multiple_of=8, border=border, pad="reflect")
    np.testing.assert_allclose(result, COLOUR, atol=1e-6)
    around = [(border, n - m - border) for n, m in zip(shape, (23, 31), strict=True)]
    expected = np.pad(np.moveaxis(COLOUR, -1, 0), [(0, 0), *around], mode="reflect")
    np.testing.assert_array_equal(network.batches[0][0], expected)


def test_pad_goes_on_as_the_edge():
    network = Network()
    restored(network, GREY, channels="grey", border=2)
    np.testing.assert_array_equal(network.batches[0][0, 0], np.pad(GREY, 2, mode="edge"))


@pytest.mark.parametrize("function", [filtered, padded])
@pytest.mark.parametrize("shape", [(23, 31), (8, 8), (5, 3), (64, 9)])
@pytest.mark.parametrize(
    "how",
    [
        {},
        {"tile": 8},
        {"tile": [5, 12], "overlap": [2, 3]},
        {"tile": 8, "overlap": 5, "window": "linear"},
        {"tile": [6, 8], "overlap": [3, 7], "window": "hann"},
    ],
    ids=lambda how: f"{how.get('tile')}-{how.get('overlap')}-{how.get('window')}",
)
def test_tiled_is_whole(function, shape, how):
    image = np.random.default_rng(2).uniform(0, 0.6, (*shape, 3)).astype(np.float32)
    network = Network(function)
    result = restored(network, image, border=2, **how)
    np.testing.assert_allclose(result, np.clip(whole(image), 0, 1), atol=1e-6)
    if how:
        sides = how["tile"] if isinstance(how["tile"], list) else [how["tile"]] * 2
        assert {batch.shape for batch in network.batches} == {(1, 3, sides[0] + 4, sides[1] + 4)}


def test_without_a_border_tiles_show():
    """The test above can fail."""
    result = restored(Network(padded), COLOUR, tile=8)
    assert np.abs(result - whole(COLOUR)).max() > 0.1


@pytest.mark.parametrize(("window", "ramp"), [("none", [0.5] * 3), ("linear", [0.25, 0.5, 0.75]), ("hann", None)])
def test_windows_blend(window, ramp):
    """Of two tiles that overlap by three pixels, the one black and the other white."""
    numbers = iter([0.0, 1.0])
    network = Network(lambda batch: np.full_like(batch, next(numbers)))
    result = restored(network, np.zeros((8, 13), np.float32), channels="grey", tile=8, overlap=3, window=window)
    across = result[4]
    ramp = ramp or list((1 - np.cos(np.pi * np.array([0.25, 0.5, 0.75]))) / 2)
    np.testing.assert_allclose(across, [0] * 5 + ramp + [1] * 5, atol=1e-6)


def larger(batch):
    return batch.repeat(2, axis=2).repeat(2, axis=3)


@pytest.mark.parametrize("how", [{}, {"tile": 8, "border": 2, "overlap": 3, "window": "linear"}, {"multiple_of": 4}])
def test_output_scale(how):
    result = restored(Network(larger), COLOUR, output_scale=2, **how)
    np.testing.assert_allclose(result, COLOUR.repeat(2, axis=0).repeat(2, axis=1), atol=1e-6)


def test_size_is_what_the_network_sees():
    network = Network(larger)
    smooth = np.tile(np.linspace(0, 1, 31, dtype=np.float32)[None, :, None], (23, 1, 3))
    result = restored(network, smooth, size=[16, 64], output_scale=2)
    assert network.batches[0].shape == (1, 3, 16, 64)
    assert result.shape == (46, 62, 3)
    np.testing.assert_allclose(result[::2, ::2], smooth, atol=0.02)


def test_size_that_it_has_already_changes_nothing():
    network = Network()
    restored(network, COLOUR, size=[23, 31])
    np.testing.assert_array_equal(network.batches[0][0], np.moveaxis(COLOUR, -1, 0))


def test_shrink():
    network = Network()
    smooth = np.outer(np.linspace(0.2, 0.8, 70), np.linspace(0.5, 1, 105)).astype(np.float32)
    result = restored(network, smooth, channels="grey", shrink=7)
    assert network.batches[0].shape == (1, 1, 10, 15)
    np.testing.assert_allclose(network.batches[0][0, 0, 3, 4], smooth[21:28, 28:35].mean(), rtol=1e-5)
    assert result.shape == smooth.shape
    # (Interpolation knows of an edge two of its pixels away.)
    np.testing.assert_allclose(result[14:-14, 14:-14], smooth[14:-14, 14:-14], atol=1e-4)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda batch: batch[..., 1:], "returned 27 x 34 pixels where 27 x 35 or 23 x 31 are wanted"),
        (lambda batch: batch[:, :1], "returned 1 channels, 3 are wanted"),
        (lambda batch: batch[0], r"returned shape \(3, 27, 35\)"),
    ],
)
def test_network_that_returns_something_else(function, message):
    with pytest.raises(Problem, match=message):
        restored(Network(function), COLOUR, border=2)


def test_a_correlation_is_no_convolution():
    """The filter of these tests is one by which flips and shifts show."""
    assert np.abs(correlate(GREY, FILTER) - convolve(GREY, FILTER, mode="same"))[4:-4, 4:-4].max() > 0.01


# ---- what a TOML may say


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"colour": "rgb"}, "prepare has no key 'colour', known are layout, channels"),
        ({"layout": "HWC"}, "prepare.layout must be one of 'NCHW', 'NHWC', got 'HWC'"),
        ({"channels": "gray"}, "prepare.channels must be one of 'grey'"),
        ({"range": [0, 1, 2]}, "prepare.range must be two numbers"),
        ({"range": [1, 1]}, "prepare.range must be two different numbers"),
        ({"range": [0, "1"]}, "prepare.range must be a number, got str"),
        ({"range": [0, 1], "scale": 2.0}, "prepare.range and prepare.scale say the same thing"),
        ({"white": 100}, "prepare.white must be one of 1, 255, got 100"),
        ({"mean": [1, 2]}, "prepare.mean must have one number for each of 3 channels, got 2"),
        ({"mean": [1, 2, 3], "channels": "grey"}, "prepare.mean must have one number for each of 1 channels"),
        ({"scale": 0}, "prepare.scale must be greater than 0"),
        ({"residual": 1}, "prepare.residual must be true or false, got 1"),
        ({"multiple_of": 2.5}, "prepare.multiple_of must be an integer"),
        ({"tile": [1, 2, 3]}, "prepare.tile must be a number of pixels or two"),
        ({"tile": 0}, "prepare.tile must lie between 1 and"),
        ({"border": -1}, "prepare.border must lie between 0 and"),
        ({"overlap": 4}, "there is no prepare.tile"),
        ({"tile": 8, "overlap": 8}, "prepare.overlap must be less than prepare.tile"),
        ({"tile": 8, "window": "hann"}, "there is no prepare.overlap"),
        ({"tile": 8, "border": 3, "multiple_of": 4}, "must be a multiple of 4"),
        ({"size": 8, "tile": 8}, "goes with neither tile nor shrink"),
        ({"size": 8, "shrink": 2}, "goes with neither tile nor shrink"),
        ({"shrink": 0.5}, "prepare.shrink must be at least 1"),
        ({"pad": "wrap"}, "prepare.pad must be one of 'edge', 'reflect'"),
        ({"extra": ["median:4"]}, "prepare.extra must be one of 'mask', 'median:3'"),
        ({"extra": "mask"}, "prepare.extra must be a list"),
        ({"level": True}, "prepare.level must be one of 'input', 'channel', got True"),
        ({"output_scale": 2, "residual": True}, "prepare.residual adds to the input"),
    ],
)
def test_what_cannot_be_said(table, message):
    with pytest.raises(Problem, match=message.replace("[", r"\[")):
        Prepare.from_table(table)


def test_defaults():
    assert Prepare.from_table({}) == Prepare(offset=(0.0,) * 3, tiling=Tiling())
