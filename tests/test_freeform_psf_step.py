"""The PSF step of free-form blind deconvolution, against SciPy's least squares, and the operations on PSFs."""

import numpy as np
import pytest
from scipy.optimize import nnls

from deconv import degrade, psf
from deconv.blind.freeform.psf_step import centred, cut_or_padded, extent, fit, heaviest_square, pruned, resampled
from deconv.blind.freeform.scene import SceneSolver
from deconv.blind.settings.freeform import PsfStep, SceneStep

RNG = np.random.default_rng(0)
STEP = PsfStep()


def problem(side, grid=24):
    """A small periodic problem: correlations of a scene, and the same as a matrix and a right-hand side."""
    reach = side // 2
    scene, data = RNG.standard_normal((2, grid, grid))
    shifts = [(i, j) for i in range(-reach, reach + 1) for j in range(-reach, reach + 1)]
    matrix = np.stack([np.roll(scene, s, (0, 1)).ravel() for s in shifts], axis=1)

    def correlation(a, b, most):
        spectrum = np.conj(np.fft.fft2(a)) * np.fft.fft2(b)
        return np.roll(np.fft.ifft2(spectrum).real, (most, most), (0, 1))[: 2 * most + 1, : 2 * most + 1]

    return correlation(scene, scene, 2 * reach), correlation(scene, data, reach), matrix, data.ravel()


@pytest.mark.parametrize(("side", "ridge"), [(3, 0.0), (5, 2.0), (5, 300.0), (7, 50.0)])
def test_it_is_nonnegative_least_squares(side, ridge):
    auto, cross, matrix, data = problem(side)
    want, _ = nnls(np.vstack([matrix, np.sqrt(ridge) * np.eye(side**2)]), np.append(data, np.zeros(side**2)))
    assert (want == 0).any()
    assert (want > 0).any()
    got = fit(auto, cross, np.full((side, side), 1 / side**2), ridge, settings=STEP)
    for _ in range(5):
        got = fit(auto, cross, got, ridge, settings=STEP)
    np.testing.assert_allclose(got.ravel(), want, rtol=0, atol=1e-5 * want.max())


def test_one_call_comes_near_enough():
    auto, cross, matrix, data = problem(7)
    want, least = nnls(matrix, data)
    got = fit(auto, cross, np.full((7, 7), 1 / 49), 0.0, settings=STEP)
    assert got.shape == (7, 7)
    assert got.dtype == np.float64
    assert got.min() >= 0.0
    assert np.linalg.norm(matrix @ got.ravel() - data) < least * (1 + 1e-4)
    np.testing.assert_allclose(got.ravel(), want, rtol=0, atol=0.05 * want.max())


def test_the_start_is_left_as_it_was():
    auto, cross, _, _ = problem(5)
    start = np.full((5, 5), 1 / 25)
    fit(auto, cross, start, 1.0, settings=STEP)
    np.testing.assert_array_equal(start, 1 / 25)


def test_a_known_psf_comes_out_of_a_support_twice_too_large():
    page = degrade.text_picture(["known", "scene"], size=24, shape=(70, 100)).astype(np.float64)
    kernel = psf.random_motion(9, rng=2)
    solver = SceneSolver(page, 19, settings=SceneStep())
    solver.scene = solver.blurred
    solver.transfer = psf_transfer(kernel, solver)
    solver._spectrum = np.fft.rfft2(solver.predicted())
    auto, cross = solver.correlations(9)
    found = fit(auto, cross, np.full((19, 19), 1 / 361), 0.02, settings=STEP)
    assert psf.similarity(found, kernel) > 0.99
    assert found.sum() == pytest.approx(1.0, abs=0.01)
    outside = found.copy()
    outside[5:14, 5:14] = 0.0
    assert outside.sum() < 0.02
    # In place, neither mirrored nor moved.
    np.testing.assert_allclose(found[5:14, 5:14], kernel, atol=0.03 * kernel.max() + 0.01)


def psf_transfer(kernel, solver):
    from deconv._core.fft import Transfer

    return Transfer(kernel, solver.shape)


# ---- what is done to PSFs


def test_small_weights_and_small_pieces_are_cut():
    u = np.zeros((9, 9))
    u[4, 2:7] = 1.0
    u[5, 4] = 0.01  # a small weight
    u[0, 0] = 0.3  # a small piece
    u[7, 7] = u[8, 8] = 0.4  # a piece, its pixels touching by their corners
    got = pruned(u, 0.05, 0.1)
    want = u.copy()
    want[5, 4] = want[0, 0] = 0.0
    np.testing.assert_allclose(got, want / want.sum(), rtol=1e-12)
    np.testing.assert_allclose(pruned(u, 0.0, 0.0), u / u.sum(), rtol=1e-12)


def test_of_pieces_all_small_the_heaviest_stays():
    u = np.zeros((15, 15))
    u[::2, ::2] = 1.0
    u[4, 4] = 1.5
    got = pruned(u, 0.05, 0.1)
    assert got[4, 4] == 1.0
    assert np.count_nonzero(got) == 1


@pytest.mark.filterwarnings("error")
def test_of_nothing_no_blur_is_left():
    auto, cross = np.zeros((9, 9)), np.zeros((5, 5))
    got = pruned(fit(auto, cross, np.full((5, 5), 1 / 25), 2.0, settings=STEP), 0.05, 0.1)
    assert got[2, 2] == got.sum() == 1.0


def test_one_pixel_is_a_psf():
    one = np.ones((1, 1))
    for got in (pruned(one, 0.05, 0.1), centred(one), cut_or_padded(one, 1), resampled(one, 1, np.sqrt(2))):
        np.testing.assert_allclose(got, one)
    assert extent(one) == 1
    padded = cut_or_padded(one, 5)
    assert padded[2, 2] == 1.0
    assert padded.shape == (5, 5)
    wide = resampled(one, 5, np.sqrt(0.5))
    assert wide.sum() == pytest.approx(1.0)
    assert np.argmax(wide) == 12


@pytest.mark.parametrize("at", [(0, 0), (2, 8), (4, 4), (7, 3), (8, 8)])
def test_a_pixel_comes_to_the_middle(at):
    u = np.zeros((9, 9))
    u[at] = 1.0
    got = centred(u)
    assert got[4, 4] == 1.0
    assert got.sum() == 1.0


@pytest.mark.parametrize("shift", [(-2, -2), (1, 2), (3, 0), (0, -1)])
def test_a_moved_psf_comes_back(shift):
    kernel = cut_or_padded(psf.random_motion(5, rng=1), 11)
    home = centred(kernel)
    np.testing.assert_array_equal(centred(np.roll(kernel, shift, (0, 1))), home)
    np.testing.assert_array_equal(centred(home), home)


def test_a_lopsided_psf_is_not_wrapped_round():
    u = np.zeros((9, 9))
    u[4, :] = [9, 0, 0, 0, 0, 0, 0, 0, 1]  # its centre of mass can not be brought to the middle
    np.testing.assert_array_equal(centred(u), u)
    u = np.zeros((9, 9))
    u[4, 0], u[4, 6] = 9, 1
    got = centred(u)
    assert got[4, 2] == 9
    assert got[4, 8] == 1


def test_the_extent_holds_all_of_it():
    u = np.zeros((11, 11))
    u[5, 5] = 1.0
    assert extent(u) == 1
    u[4, 5] = 1e-9
    assert extent(u) == 3
    u[5, 10] = 1.0
    assert extent(u) == 11
    u[5, 10], u[0, 3] = 0.0, 0.1
    assert extent(u) == 11
    for seed in range(3):
        kernel = cut_or_padded(psf.random_motion(9, rng=seed), 21)
        cut = cut_or_padded(kernel, extent(kernel))
        assert cut.shape[0] % 2 == 1
        np.testing.assert_array_equal(cut_or_padded(cut, 21), kernel)


def test_cut_or_padded_about_the_middle():
    kernel = psf.random_motion(7, rng=0)
    wide = cut_or_padded(kernel, 13)
    np.testing.assert_allclose(wide[3:10, 3:10], kernel, rtol=1e-12)
    assert wide.sum() == pytest.approx(1.0)
    narrow = cut_or_padded(wide, 5)
    np.testing.assert_allclose(narrow, kernel[1:-1, 1:-1] / kernel[1:-1, 1:-1].sum(), rtol=1e-12)


@pytest.mark.parametrize("factor", [np.sqrt(2), 2.0, np.sqrt(0.5), 0.5])
def test_resampling_keeps_mass_and_middle(factor):
    kernel = psf.gaussian(3.0)
    kernel = kernel[:-1, :-1] if kernel.shape[0] % 2 == 0 else kernel
    side = 2 * int(factor * (kernel.shape[0] // 2)) + 3
    got = resampled(kernel, side, factor)
    assert got.shape == (side, side)
    assert got.min() >= 0.0
    assert got.sum() == pytest.approx(1.0)
    at = np.indices(got.shape) - side // 2
    np.testing.assert_allclose(np.sum(at * got, axis=(1, 2)), 0.0, atol=1e-6)
    width = np.sqrt(np.sum(at[0] ** 2 * got))
    assert width == pytest.approx(3.0 * factor, rel=0.08)


def test_up_and_down_again_is_nearly_the_same():
    kernel = cut_or_padded(psf.random_motion(15, rng=3), 17)
    fine = resampled(kernel, 35, 2.0)
    assert psf.similarity(resampled(fine, 17, 0.5), kernel) > 0.9


def test_the_square_within_which_most_lies():
    whole = np.zeros((11, 11))
    whole[1:4, 7:10] = np.arange(1, 10).reshape(3, 3)
    whole[9, 2] = 1.0
    assert np.allclose(heaviest_square(whole, 3), np.arange(1, 10).reshape(3, 3) / 45)
    assert np.allclose(heaviest_square(whole, 11), whole / 46)
