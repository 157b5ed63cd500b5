"""The image step of free-form blind deconvolution, against plain NumPy and against scenes that are known."""

import numpy as np
import pytest

from deconv import degrade, psf
from deconv.blind.freeform import scene as _latent
from deconv.blind.freeform.scene import Latent

PRICE = 2e-3
SHAKE = psf.random_motion(7, rng=4)
PAGE = degrade.text_picture(["few", "edges"], size=24, shape=(60, 90))


def solved(blurred, kernel, price):
    """The iteration as the formulas have it, from a periodic picture."""
    otf = np.fft.fft2(np.roll(np.pad(kernel, [(0, n - m) for n, m in zip(blurred.shape, kernel.shape, strict=True)]),
                              [-(m // 2) for m in kernel.shape], (0, 1)))  # fmt: skip
    waves = [2 - 2 * np.cos(2 * np.pi * np.fft.fftfreq(n)) for n in blurred.shape]
    laplacian = waves[0][:, None] + waves[1]
    scene, weight = blurred, 2 * price
    while weight < 16:
        x, y = np.roll(scene, -1, 1) - scene, np.roll(scene, -1, 0) - scene
        keep = x**2 + y**2 >= price / weight
        x, y = x * keep, y * keep
        divergence = np.roll(x, 1, 1) - x + np.roll(y, 1, 0) - y
        top = np.conj(otf) * np.fft.fft2(blurred) + weight * np.fft.fft2(divergence)
        scene = np.fft.ifft2(top / (np.abs(otf) ** 2 + weight * laplacian + 1e-9)).real
        weight *= 1.5
    return scene


def gradients(u):
    return np.roll(u, -1, 1) - u, np.roll(u, -1, 0) - u


@pytest.mark.parametrize("shape", [(31, 44), (33, 57), (60, 90)])
def test_it_is_the_iteration_of_the_formulas(shape):
    blurred = degrade.add_noise(degrade.blur(PAGE, SHAKE), 0.002, rng=0)[: shape[0], : shape[1]].astype(np.float64)
    latent = Latent(blurred, 7)
    before = latent.blurred.copy()
    np.testing.assert_allclose(latent.solve(SHAKE, PRICE), solved(before, SHAKE, PRICE), rtol=0, atol=1e-9)
    np.testing.assert_array_equal(latent.blurred, before)
    assert latent.solve(SHAKE, 0.5) is latent.scene
    np.testing.assert_allclose(latent.scene, solved(before, SHAKE, 0.5), rtol=0, atol=1e-9)


def test_a_scene_of_two_tones_is_restored():
    blurred = degrade.blur(PAGE, SHAKE).astype(np.float32)
    latent, errors = Latent(blurred, 7), []
    for _ in range(3):
        scene = latent.solve(SHAKE, 1e-4)[latent.window]
        errors.append(np.sqrt(np.mean((scene - PAGE) ** 2)))
        latent.believe()
    assert errors[-1] < np.sqrt(np.mean((blurred - PAGE) ** 2)) / 8
    # What is believed of the outside helps the inside.
    assert errors[-1] < errors[0]
    assert scene.dtype == np.float32


def test_a_dearer_edge_leaves_fewer():
    latent, counts = Latent(degrade.blur(PAGE, SHAKE), 7), []
    for price in (1e-4, 1e-2, 1.0):
        x, y = gradients(latent.solve(SHAKE, price))
        counts.append(np.count_nonzero(x**2 + y**2 > 0.05**2))
    assert counts[0] > counts[1] > counts[2]


def test_no_psf_and_no_price_leave_the_picture():
    picture = PAGE.astype(np.float64)
    latent = Latent(picture, 5)
    np.testing.assert_allclose(latent.solve(np.ones((1, 1)), 1e-9)[latent.window], picture, rtol=0, atol=1e-3)


def test_what_is_outside_is_what_scene_and_psf_say():
    picture = degrade.blur(PAGE, SHAKE).astype(np.float64)
    latent = Latent(picture, 7)
    latent.solve(SHAKE, PRICE)
    explained = latent.explained()
    latent.believe()
    np.testing.assert_array_equal(latent.blurred[latent.window], picture)
    outside = np.ones(latent.shape, bool)
    outside[latent.window] = False
    assert outside.any()
    np.testing.assert_array_equal(latent.blurred[outside], explained[outside])
    np.testing.assert_allclose(latent.solve(SHAKE, PRICE), solved(latent.blurred, SHAKE, PRICE), rtol=0, atol=1e-9)


def test_the_gap_is_a_ramp_from_border_to_border():
    picture = np.random.default_rng(0).random((9, 14))
    grid = _latent._ramps(picture, (15, 24))
    np.testing.assert_array_equal(grid[:9, :14], picture)
    # Monotone along each row, from its last pixel to its first; the same down each column.
    around = np.concatenate([grid[:9, 13:], grid[:9, :1]], axis=1)
    assert (np.diff(around, axis=1) * np.sign(around[:, -1:] - around[:, :1]) > 0).all()
    around = np.concatenate([grid[8:], grid[:1]])
    assert (np.diff(around, axis=0) * np.sign(around[-1:] - around[:1]) > 0).all()


@pytest.mark.parametrize("reach", [0, 1, 3])
def test_correlations_are_sums_over_shifts(reach):
    latent = Latent(np.random.default_rng(0).random((21, 34)), 7)
    latent.solve(SHAKE, PRICE)
    auto, cross = latent.correlations(reach)

    def correlation(u, v, most):
        return [
            [
                sum(np.sum(a * np.roll(b, (-i, -j), (0, 1))) for a, b in zip(gradients(u), gradients(v), strict=True))
                for j in range(-most, most + 1)
            ]
            for i in range(-most, most + 1)
        ]

    assert auto.dtype == cross.dtype == np.float64
    np.testing.assert_allclose(auto, correlation(latent.scene, latent.scene, 2 * reach), atol=1e-10)
    np.testing.assert_allclose(cross, correlation(latent.scene, latent.blurred, reach), atol=1e-10)


def test_the_cost_is_squares_left_and_edges_kept():
    picture = np.zeros((50, 60))
    picture[:, 30:] = 1.0
    latent = Latent(picture, 5)
    latent.scene = latent.blurred + 0.1
    latent.transfer = _latent.Transfer(np.ones((1, 1)), latent.shape)
    # One column of pixels that step, of the 47 that step at all; half a step counts half.
    assert latent.cost(0.5, 0.05, 6) == pytest.approx(0.01 + 0.5 / 47)
    assert latent.cost(0.5, 2.0, 6) == pytest.approx(0.01 + 0.25 / 47)
    # The border does not count, of which no more than a quarter is taken from each side.
    latent.scene[:6], latent.scene[:, :6] = 9.0, 9.0
    assert latent.cost(0.5, 0.05, 6) == pytest.approx(0.01 + 0.5 / 47)
    latent.scene[:12], latent.scene[:, :15] = 9.0, 9.0
    assert latent.cost(0.5, 0.05, 500) == pytest.approx(0.01 + 0.5 / 29)


def test_views_are_as_good_as_copies():
    """Kernels take nothing but contiguous arrays: slices, transposed and reversed pictures must not reach them."""
    picture = degrade.blur(PAGE, SHAKE).astype(np.float32)
    want = Latent(picture, 7).solve(SHAKE, PRICE)
    padded = np.pad(picture, 3)
    for view in (padded[3:-3, 3:-3], np.asfortranarray(picture), picture[::-1, ::-1].copy()[::-1, ::-1]):
        assert not view.flags.c_contiguous
        np.testing.assert_array_equal(Latent(view, 7).solve(SHAKE, PRICE), want)


def test_every_library_gives_numpys_scene(backend):
    if backend.name == "torch":
        pytest.skip("tensors have become NumPy or CuPy arrays at the door")
    picture = degrade.blur(PAGE, SHAKE).astype(np.float32)[:32, :48]
    want = Latent(picture, 7)
    got = Latent(backend.asarray(picture), 7)
    for latent in (want, got):
        latent.solve(SHAKE, PRICE)
        latent.believe()
        latent.solve(SHAKE, PRICE)
    scene = backend.to_numpy(got.scene)
    assert scene.dtype == np.float32
    # A pixel at the very threshold may fall to either side.
    np.testing.assert_allclose(scene, want.scene, rtol=0, atol=2e-3)
    for a, b in zip(got.correlations(3), want.correlations(3), strict=True):
        assert type(a) is np.ndarray
        np.testing.assert_allclose(a, b, atol=1e-2 * np.abs(b).max())
    assert got.cost(5e-4, 0.05, 8) == pytest.approx(want.cost(5e-4, 0.05, 8), rel=1e-2)
