"""The scene step of free-form blind deconvolution, against plain NumPy and against known scenes."""

import numpy as np
import pytest

from deconv import degrade, psf
from deconv.blind.freeform import scene as scene_step
from deconv.blind.freeform.scene import SceneSolver
from deconv.blind.settings.freeform import SceneStep

STEP = SceneStep()
PENALTY = 2e-3
SHAKE = psf.random_motion(7, rng=4)
PAGE = degrade.text_picture(["few", "edges"], size=24, shape=(60, 90))


def solved(blurred, kernel, penalty):
    """The iteration as the formulas have it, from a periodic picture."""
    otf = np.fft.fft2(np.roll(np.pad(kernel, [(0, n - m) for n, m in zip(blurred.shape, kernel.shape, strict=True)]),
                              [-(m // 2) for m in kernel.shape], (0, 1)))  # fmt: skip
    waves = [2 - 2 * np.cos(2 * np.pi * np.fft.fftfreq(n)) for n in blurred.shape]
    laplacian = waves[0][:, None] + waves[1]
    scene, weight = blurred, 2 * penalty
    while weight < 16:
        x, y = np.roll(scene, -1, 1) - scene, np.roll(scene, -1, 0) - scene
        keep = x**2 + y**2 >= penalty / weight
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
    solver = SceneSolver(blurred, 7, settings=STEP)
    before = solver.blurred.copy()
    np.testing.assert_allclose(solver.solve(SHAKE, PENALTY), solved(before, SHAKE, PENALTY), rtol=0, atol=1e-9)
    np.testing.assert_array_equal(solver.blurred, before)
    assert solver.solve(SHAKE, 0.5) is solver.scene
    np.testing.assert_allclose(solver.scene, solved(before, SHAKE, 0.5), rtol=0, atol=1e-9)


def test_a_scene_of_two_tones_is_restored():
    blurred = degrade.blur(PAGE, SHAKE).astype(np.float32)
    solver, errors = SceneSolver(blurred, 7, settings=STEP), []
    for _ in range(3):
        scene = solver.solve(SHAKE, 1e-4)[solver.window]
        errors.append(np.sqrt(np.mean((scene - PAGE) ** 2)))
        solver.predict_outside()
    assert errors[-1] < np.sqrt(np.mean((blurred - PAGE) ** 2)) / 8
    # Predicting the outside helps the inside.
    assert errors[-1] < errors[0]
    assert scene.dtype == np.float32


def test_a_larger_penalty_leaves_fewer_edges():
    solver, counts = SceneSolver(degrade.blur(PAGE, SHAKE), 7, settings=STEP), []
    for penalty in (1e-4, 1e-2, 1.0):
        x, y = gradients(solver.solve(SHAKE, penalty))
        counts.append(np.count_nonzero(x**2 + y**2 > 0.05**2))
    assert counts[0] > counts[1] > counts[2]


def test_no_blur_and_no_penalty_leave_the_image():
    picture = PAGE.astype(np.float64)
    solver = SceneSolver(picture, 5, settings=STEP)
    np.testing.assert_allclose(solver.solve(np.ones((1, 1)), 1e-9)[solver.window], picture, rtol=0, atol=1e-3)


def test_the_outside_is_what_scene_and_psf_predict():
    picture = degrade.blur(PAGE, SHAKE).astype(np.float64)
    solver = SceneSolver(picture, 7, settings=STEP)
    solver.solve(SHAKE, PENALTY)
    predicted = solver.predicted()
    solver.predict_outside()
    np.testing.assert_array_equal(solver.blurred[solver.window], picture)
    outside = np.ones(solver.shape, bool)
    outside[solver.window] = False
    assert outside.any()
    np.testing.assert_array_equal(solver.blurred[outside], predicted[outside])
    np.testing.assert_allclose(solver.solve(SHAKE, PENALTY), solved(solver.blurred, SHAKE, PENALTY), rtol=0, atol=1e-9)


def test_the_gap_is_a_ramp_from_border_to_border():
    picture = np.random.default_rng(0).random((9, 14))
    grid = scene_step._with_ramps(picture, (15, 24))
    np.testing.assert_array_equal(grid[:9, :14], picture)
    # Monotone along each row, from its last pixel to its first; the same down each column.
    around = np.concatenate([grid[:9, 13:], grid[:9, :1]], axis=1)
    assert (np.diff(around, axis=1) * np.sign(around[:, -1:] - around[:, :1]) > 0).all()
    around = np.concatenate([grid[8:], grid[:1]])
    assert (np.diff(around, axis=0) * np.sign(around[-1:] - around[:1]) > 0).all()


@pytest.mark.parametrize("reach", [0, 1, 3])
def test_correlations_are_sums_over_shifts(reach):
    solver = SceneSolver(np.random.default_rng(0).random((21, 34)), 7, settings=STEP)
    solver.solve(SHAKE, PENALTY)
    auto, cross = solver.correlations(reach)

    def correlation(u, v, most):
        return [
            [
                sum(np.sum(a * np.roll(b, (-i, -j), (0, 1))) for a, b in zip(gradients(u), gradients(v), strict=True))
                for j in range(-most, most + 1)
            ]
            for i in range(-most, most + 1)
        ]

    assert auto.dtype == cross.dtype == np.float64
    np.testing.assert_allclose(auto, correlation(solver.scene, solver.scene, 2 * reach), atol=1e-10)
    np.testing.assert_allclose(cross, correlation(solver.scene, solver.blurred, reach), atol=1e-10)


def test_the_energy_is_squared_residuals_and_edges():
    picture = np.zeros((50, 60))
    picture[:, 30:] = 1.0
    solver = SceneSolver(picture, 5, settings=STEP)
    solver.scene = solver.blurred + 0.1
    solver.transfer = scene_step.Transfer(np.ones((1, 1)), solver.shape)
    # One column of pixels that step, of the 47 that step at all; half a step counts half.
    assert solver.energy(0.5, 0.05, 6) == pytest.approx(0.01 + 0.5 / 47)
    assert solver.energy(0.5, 2.0, 6) == pytest.approx(0.01 + 0.25 / 47)
    # The border does not count, of which no more than a quarter is taken from each side.
    solver.scene[:6], solver.scene[:, :6] = 9.0, 9.0
    assert solver.energy(0.5, 0.05, 6) == pytest.approx(0.01 + 0.5 / 47)
    solver.scene[:12], solver.scene[:, :15] = 9.0, 9.0
    assert solver.energy(0.5, 0.05, 500) == pytest.approx(0.01 + 0.5 / 29)


def test_views_are_as_good_as_copies():
    """Kernels take nothing but contiguous arrays: slices, transposed and reversed pictures must not reach them."""
    picture = degrade.blur(PAGE, SHAKE).astype(np.float32)
    want = SceneSolver(picture, 7, settings=STEP).solve(SHAKE, PENALTY)
    padded = np.pad(picture, 3)
    for view in (padded[3:-3, 3:-3], np.asfortranarray(picture), picture[::-1, ::-1].copy()[::-1, ::-1]):
        assert not view.flags.c_contiguous
        np.testing.assert_array_equal(SceneSolver(view, 7, settings=STEP).solve(SHAKE, PENALTY), want)


def test_every_library_gives_numpys_scene(backend):
    if backend.name == "torch":
        pytest.skip("tensors have become NumPy or CuPy arrays at the door")
    picture = degrade.blur(PAGE, SHAKE).astype(np.float32)[:32, :48]
    want = SceneSolver(picture, 7, settings=STEP)
    got = SceneSolver(backend.asarray(picture), 7, settings=STEP)
    for solver in (want, got):
        solver.solve(SHAKE, PENALTY)
        solver.predict_outside()
        solver.solve(SHAKE, PENALTY)
    scene = backend.to_numpy(got.scene)
    assert scene.dtype == np.float32
    # A pixel at the very threshold may fall to either side.
    np.testing.assert_allclose(scene, want.scene, rtol=0, atol=2e-3)
    for a, b in zip(got.correlations(3), want.correlations(3), strict=True):
        assert type(a) is np.ndarray
        np.testing.assert_allclose(a, b, atol=1e-2 * np.abs(b).max())
    assert got.energy(5e-4, 0.05, 8) == pytest.approx(want.energy(5e-4, 0.05, 8), rel=1e-2)
