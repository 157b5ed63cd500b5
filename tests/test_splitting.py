"""The splitting solver against an independent minimiser, and its residuals against their definition."""

import math

import numpy as np
import pytest
import scipy.optimize
from splitting_problems import DISK, PICTURE, patches, peaked_psf, restored

import deconv
from deconv.nonblind.splitting import Run, Splitting


def _slow_minimiser(image, psf, level, low, high, measured, likelihood="gaussian"):
    """The same problem by L-BFGS-B: blur as a dense matrix of the PSF's taps, total variation smoothed ever less."""
    grid = Splitting(image, psf.shape).shape
    corner = [(s - n) // 2 for s, n in zip(grid, image.shape, strict=True)]
    places = np.arange(math.prod(grid)).reshape(grid)
    blur = np.zeros((image.size, places.size))
    for tap in np.ndindex(psf.shape):
        # blurred[r] = sum over taps of psf[centre + d] x[r - d]
        positions = [
            np.arange(n) + c - (t - m // 2) for n, c, t, m in zip(image.shape, corner, tap, psf.shape, strict=True)
        ]
        blur[np.arange(image.size), places[np.ix_(*positions)].ravel()] += psf[tap]
    y, m = image.ravel(), measured.ravel()
    mean = (m * y).sum() / m.sum()
    axes = range(image.ndim)

    def energy(x, rounding):
        z = blur @ x
        if likelihood == "gaussian":
            misfit, slope = 0.5 * m @ (z - y) ** 2, m * (z - y)
        else:
            misfit, slope = mean * m @ (z - y * np.log(z)), mean * m * (1 - y / z)
        u = x.reshape(grid)
        steps = [np.roll(u, -1, a) - u for a in axes]
        length = np.sqrt(sum(g**2 for g in steps) + rounding**2)
        pull = sum(np.roll(g / length, 1, a) - g / length for g, a in zip(steps, axes, strict=True))
        return misfit + level * length.sum(), blur.T @ slope + level * pull.ravel()

    x = np.full(places.size, 0.5)
    for rounding in (1e-1, 1e-2, 1e-3):
        box = [(low, high)] * x.size
        options = {"maxiter": 300, "maxcor": 30, "ftol": 1e-13, "gtol": 1e-8}
        x = scipy.optimize.minimize(energy, x, (rounding,), "L-BFGS-B", jac=True, bounds=box, options=options).x
    inside = tuple(slice(c, c + n) for c, n in zip(corner, image.shape, strict=True))
    return x.reshape(grid)[inside]


@pytest.mark.parametrize("width", [(3, 3), (4, 3)])
@pytest.mark.parametrize("box", [(-1.0, 2.0), (0.3, 0.6)])
def test_it_finds_the_minimiser(width, box):
    image, psf, level = patches((7, 9)), peaked_psf(width), 0.02
    measured = np.ones(image.shape)
    measured[3:5, 4] = 0
    want = _slow_minimiser(image, psf, level, *box, measured)
    got = restored(image, psf, weight=level, bounds=box, mask=measured, num_iter=1000, tol=0)
    assert np.ptp(want) > 0.2
    np.testing.assert_allclose(got, want, rtol=0, atol=5e-3)


@pytest.mark.parametrize("box", [(1e-3, 2.0), (0.3, 0.6)])
def test_it_finds_the_poisson_minimiser(box):
    # Dark on one side, so that the likelihood, which trusts dark pixels more, differs from least squares.
    image, psf, level = patches((7, 9)), peaked_psf((3, 3)), 0.01
    image[:, :4] *= 0.2
    image[2, 2] = 0.0
    measured = np.ones(image.shape)
    measured[3:5, 4] = 0
    want = _slow_minimiser(image, psf, level, *box, measured, "poisson")
    options = {"weight": level, "bounds": box, "mask": measured, "num_iter": 1000, "tol": 0}
    got = restored(image, psf, likelihood="poisson", **options)
    np.testing.assert_allclose(got, want, rtol=0, atol=5e-3)
    assert np.abs(restored(image, psf, **options) - want).max() > 0.02


@pytest.mark.parametrize(("shape", "width"), [((23,), (4,)), ((4, 5, 6), (2, 3, 1))])
def test_it_finds_the_minimiser_on_other_numbers_of_axes(shape, width):
    rng = np.random.default_rng(0)
    image, psf, level = 0.2 + 0.6 * (rng.random(shape) > 0.5) + 0.05 * rng.normal(size=shape), rng.random(width), 0.03
    psf = psf / psf.sum()
    want = _slow_minimiser(image, psf, level, -1.0, 2.0, np.ones(shape))
    got = restored(image, psf, weight=level, bounds=(-1.0, 2.0), num_iter=1000, tol=0)
    assert np.ptp(want) > 0.2
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-2)


def _gradient(u):
    return np.stack([np.roll(u, -1, a) - u for a in range(u.ndim)])


def _adjoint(field):
    return sum(np.roll(g, 1, a) - g for a, g in enumerate(field))


def test_residuals_are_those_of_the_definition():
    solver = Splitting(PICTURE, DISK.shape)
    run = Run(solver, DISK, 0.4, 0.6)
    run.take(deconv.priors.TotalVariation(), 1e-3, 0.8)
    for _ in range(3):
        run.iterate()
    x, blurred = run.x.copy(), run.blurred.copy()
    primal, dual = run.iterate(measure=True)
    scale = np.std(PICTURE) * np.sqrt(x.size)
    apart = [
        np.linalg.norm(blurred - run.data_z) / scale,
        np.linalg.norm(x - run.box_z) / scale,
        np.linalg.norm(_gradient(x) - run.field_z) / np.linalg.norm(run.field_z),
    ]
    assert primal == pytest.approx(max(apart))
    data = run.transfer.adjoint(run.data_s - run.data_z)
    prior = run.penalty * (_adjoint(run.field_s - run.field_z) + run.box_s - run.box_z)
    largest = max(np.linalg.norm(data), np.linalg.norm(prior))
    assert dual == pytest.approx(np.linalg.norm(data + prior) / largest)


def test_forces_stay_when_the_step_falls():
    run = Run(Splitting(PICTURE, DISK.shape), DISK, 0.4, 0.6)
    prior = deconv.priors.L0Gradient()
    run.take(prior, 1e-3, 0.8)
    for _ in range(5):
        run.iterate()
    forces = [run.penalty * (s - z) for s, z in ((run.field_s, run.field_z), (run.box_s, run.box_z))]
    before = run.penalty
    run.take(prior, 1e-3, 0.2)
    assert run.penalty > 2 * before
    for force, s, z in zip(forces, (run.field_s, run.box_s), (run.field_z, run.box_z), strict=True):
        np.testing.assert_allclose(run.penalty * (s - z), force, rtol=0, atol=1e-12)
        assert np.abs(force).max() > 1e-6


def _rms_residual(solver):
    return math.sqrt(np.sum(solver.residual**2) / np.sum(solver.weight))


def test_one_solver_serves_many_psfs():
    solver = Splitting(PICTURE, (7, 7))
    prior = deconv.priors.TotalVariation()
    first = solver.solve(DISK, prior, 1e-3, num_iter=50)
    residual = _rms_residual(solver)
    again = Splitting(PICTURE, (7, 7))
    again.solve(deconv.psf.disk(3), prior, 1e-3, num_iter=50)
    assert _rms_residual(again) > 1.5 * residual
    np.testing.assert_array_equal(again.solve(DISK, prior, 1e-3, num_iter=50), first)
