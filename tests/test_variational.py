"""The splitting solver against an independent minimiser, and what masks, boxes, units and colours must do."""

import math

import numpy as np
import pytest
import scipy.optimize

import deconv
from deconv import degrade, variational
from deconv._variational import Splitting

FLOATS = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def _psf(shape, seed=0):
    """An asymmetric PSF with most of its weight in the centre."""
    psf = np.random.default_rng(seed).random(shape)
    psf[shape[0] // 2, shape[1] // 2] += psf.sum()
    return psf / psf.sum()


def _picture(shape=(24, 27), seed=0):
    """Patches of different tones, blurred and noisy; far enough inside 0..1 not to touch the box."""
    rng = np.random.default_rng(seed)
    tones = np.kron(rng.random((-(-shape[0] // 6), -(-shape[1] // 6))), np.ones((6, 6)))[: shape[0], : shape[1]]
    return degrade.add_noise(degrade.blur(0.2 + 0.6 * tones, deconv.psf.disk(1.3)), 0.01, rng=rng)


PICTURE, DISK = _picture(), deconv.psf.disk(1.3)


# ---- the minimiser


def _slow_minimiser(image, psf, level, low, high, measured):
    """The same problem by L-BFGS-B: blur as a dense matrix of the PSF's taps, total variation smoothed ever less."""
    grid = Splitting(image, psf.shape).shape
    corner = [(s - n) // 2 for s, n in zip(grid, image.shape, strict=True)]
    places = np.arange(math.prod(grid)).reshape(grid)
    blur = np.zeros((image.size, places.size))
    for i in range(psf.shape[0]):
        for j in range(psf.shape[1]):
            # blurred[r] = sum over taps of psf[centre + d] x[r - d]
            rows = np.arange(image.shape[0]) + corner[0] - (i - psf.shape[0] // 2)
            columns = np.arange(image.shape[1]) + corner[1] - (j - psf.shape[1] // 2)
            blur[np.arange(image.size), places[np.ix_(rows, columns)].ravel()] += psf[i, j]

    def energy(x, rounding):
        residual = measured.ravel() * (blur @ x - image.ravel())
        u = x.reshape(grid)
        gx, gy = np.roll(u, -1, 1) - u, np.roll(u, -1, 0) - u
        length = np.sqrt(gx**2 + gy**2 + rounding**2)
        px, py = gx / length, gy / length
        slope = np.roll(px, 1, 1) - px + np.roll(py, 1, 0) - py
        return (
            0.5 * residual @ (blur @ x - image.ravel()) + level * length.sum(),
            blur.T @ residual + level * slope.ravel(),
        )

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
    image, psf, level = _picture((7, 9)), _psf(width), 0.02
    measured = np.ones(image.shape)
    measured[3:5, 4] = 0
    want = _slow_minimiser(image, psf, level, *box, measured)
    got = variational(image, psf, weight=level, bounds=box, mask=measured, num_iter=1000)
    assert np.ptp(want) > 0.2
    np.testing.assert_allclose(got, want, rtol=0, atol=5e-3)


def test_the_default_iterations_have_converged():
    sharp = degrade.text_picture("psf", size=30)
    image = degrade.add_noise(degrade.blur(sharp, deconv.psf.disk(3)), 0.002, rng=0)
    got, limit = (variational(image, deconv.psf.disk(3), num_iter=n) for n in (200, 800))
    assert np.sqrt(np.mean((got - limit) ** 2)) < 0.005
    assert np.sqrt(np.mean((got - sharp) ** 2)) < np.sqrt(np.mean((image - sharp) ** 2)) / 6


@pytest.mark.parametrize("shape", [(5, 5), (4, 4), (3, 6)])
def test_restoring_puts_a_star_back_where_it_was(shape):
    sharp = np.zeros((21, 24))
    sharp[9, 13] = 1.0
    got = variational(degrade.blur(sharp, _psf(shape)), _psf(shape), weight=1e-6, num_iter=500)
    np.testing.assert_allclose(got, sharp, rtol=0, atol=1e-3)


def test_the_outside_is_unknown_and_leaves_no_ringing():
    scene = np.kron(np.random.default_rng(0).random((8, 8)) > 0.5, np.ones((8, 8)))
    whole = degrade.blur(scene, deconv.psf.disk(3))
    got = variational(whole[9:-9, 9:-9], deconv.psf.disk(3), weight=1e-4, num_iter=400)
    assert np.abs(got - scene[9:-9, 9:-9]).mean() < 0.003
    # Wrapped round or cut off instead, the error at the border is several times that inside.
    assert np.abs(got - scene[9:-9, 9:-9]).max() < 0.2


# ---- known answers


def test_delta_psf_and_tiny_weight_is_the_identity():
    np.testing.assert_allclose(variational(PICTURE, np.ones((1, 1)), weight=1e-9), PICTURE, rtol=0, atol=1e-6)


@FLOATS
@pytest.mark.parametrize("weight", [None, 1e-4])
def test_flat_stays_flat(dtype, weight):
    flat = np.full((20, 23), 0.7, dtype)
    np.testing.assert_allclose(variational(flat, DISK, weight=weight, num_iter=500), flat, rtol=0, atol=2e-4)


def test_a_heavy_prior_leaves_only_the_mean():
    got = variational(PICTURE, np.ones((1, 1)), weight=1.0, num_iter=1000, bounds=(None, None))
    np.testing.assert_allclose(got, PICTURE.mean(), rtol=0, atol=0.005)


@pytest.mark.parametrize("bounds", [(0.4, 0.6), (None, 0.5), (0.45, None), (0, 1)])
def test_bounds_are_kept(bounds):
    got = variational(PICTURE, DISK, weight=1e-4, bounds=bounds)
    low, high = (-np.inf if bounds[0] is None else bounds[0]), (np.inf if bounds[1] is None else bounds[1])
    assert got.min() >= low
    assert got.max() <= high
    assert np.isclose(got, low).any() == (bounds[0] in (0.4, 0.45))
    assert np.isclose(got, high).any() == (bounds[1] in (0.6, 0.5))


def test_no_bounds_let_a_picture_be_negative():
    got = variational(PICTURE - 0.5, DISK, weight=1e-3, bounds=(None, None), num_iter=600)
    assert got.min() < -0.1
    # Moving the zero of the scale moves nothing else.
    want = variational(PICTURE, DISK, weight=1e-3, bounds=(None, None), num_iter=600)
    np.testing.assert_allclose(got + 0.5, want, rtol=0, atol=5e-3)


def test_another_prior_plugs_in():
    class Nothing:
        def energy(self, u):
            return 0.0

        def shrink(self, gx, gy, step):
            steps.append(step)

    steps = []
    got = variational(PICTURE, np.ones((1, 1)), prior=Nothing(), weight=0.1, num_iter=300)
    assert len(steps) == 300
    assert len(set(steps)) == 1
    np.testing.assert_allclose(got, PICTURE, rtol=0, atol=1e-3)


# ---- what was not measured


@FLOATS
@pytest.mark.parametrize("weight", [None, 1e-3])
@pytest.mark.parametrize("junk", [0.0, 1e4, np.nan])
def test_values_outside_the_mask_do_not_matter(weight, junk, dtype):
    image = PICTURE.astype(dtype)
    mask = np.ones(image.shape)
    mask[8:11, 5:20] = 0
    spoilt = np.where(mask > 0, image, dtype(junk))
    want = variational(image, DISK, weight=weight, mask=mask, num_iter=40)
    np.testing.assert_array_equal(variational(spoilt, DISK, weight=weight, mask=mask, num_iter=40), want)
    # And they are filled in from their surroundings.
    assert np.isfinite(want).all()
    assert not np.array_equal(want, variational(image, DISK, weight=weight, num_iter=40))


def test_a_nan_pixel_is_an_unmeasured_one():
    holes = np.random.default_rng(0).random(PICTURE.shape) < 0.1
    image = np.where(holes, np.nan, PICTURE)
    want = variational(PICTURE, DISK, weight=1e-3, mask=(~holes).astype(float), num_iter=40)
    np.testing.assert_array_equal(variational(image, DISK, weight=1e-3, num_iter=40), want)
    full = variational(PICTURE, DISK, weight=1e-3, num_iter=300)
    got = variational(image, DISK, weight=1e-3, num_iter=300)
    assert np.abs(got - full).mean() < 0.02


def test_a_weight_of_half_counts_half():
    # Half the picture measured badly: the weight says so, and the other half wins where they meet.
    mask = np.ones(PICTURE.shape)
    mask[:, 14:] = 0.01
    loose = variational(PICTURE, DISK, weight=3e-3, mask=mask)
    even = variational(PICTURE, DISK, weight=3e-3)
    np.testing.assert_allclose(loose[:, :8], even[:, :8], rtol=0, atol=0.01)
    assert np.abs(np.diff(loose[:, 16:])).sum() < 0.6 * np.abs(np.diff(even[:, 16:])).sum()


def test_masks_that_make_no_sense_are_refused():
    for mask, error, word in (
        (np.ones((3, 3)), ValueError, "shape"),
        (np.zeros(PICTURE.shape), ValueError, "mask"),
        (np.where(PICTURE > 0, 1.0, 0.0) - 2 * (PICTURE > 0.5), ValueError, "negative"),
        (np.full(PICTURE.shape, np.nan), ValueError, "mask"),
        ("everything", TypeError, "mask"),
        (np.isnan(PICTURE), ValueError, "mask"),
    ):
        with pytest.raises(error, match=word):
            variational(PICTURE, DISK, mask=mask)


# ---- units, colours, types


@pytest.mark.parametrize("scale", [2.0**-10, 2.0**8, 2.0**16])
@pytest.mark.parametrize("weight", [None, 1e-3])
def test_the_unit_of_brightness_does_not_matter(scale, weight):
    # Counts of a camera, or a fraction of full scale: exactly the same picture. (Powers of two round alike.)
    want = variational(PICTURE, DISK, weight=weight, bounds=(0.1, 0.9), num_iter=30) * scale
    scaled = None if weight is None else weight * scale
    got = variational(PICTURE * scale, DISK, weight=scaled, bounds=(0.1 * scale, 0.9 * scale), num_iter=30)
    np.testing.assert_allclose(got, want, rtol=1e-9, atol=0)


@pytest.mark.parametrize("channel_axis", [0, 1, 2, -1])
@pytest.mark.parametrize("weight", [None, 1e-3])
def test_colours_are_restored_one_by_one(channel_axis, weight):
    planes = [_picture(seed=s) for s in range(3)]
    got = variational(np.stack(planes, channel_axis), DISK, weight=weight, channel_axis=channel_axis, num_iter=20)
    for c, plane in enumerate(planes):
        want = variational(plane, DISK, weight=weight, num_iter=20)
        np.testing.assert_array_equal(np.take(got, c, channel_axis), want)


def test_a_mask_serves_all_colours():
    image, mask = np.stack([_picture(seed=s) for s in range(2)]), np.ones(PICTURE.shape)
    mask[4:7] = 0
    for given in (mask, np.stack([mask, mask])):
        got = variational(image, DISK, mask=given, weight=1e-3, channel_axis=0, num_iter=20)
        np.testing.assert_array_equal(got[1], variational(image[1], DISK, mask=mask, weight=1e-3, num_iter=20))


@FLOATS
def test_every_backend_gives_numpys_answer(backend, dtype):
    image = PICTURE.astype(dtype)
    image[3, 4] = np.nan
    mask = np.ones(image.shape, dtype)
    mask[10:12, 3:9] = 0
    before = image.copy(), mask.copy()
    want = variational(image, DISK.astype(dtype), mask=mask, bounds=(0.0, 0.9))
    given = backend.asarray(image), backend.asarray(DISK.astype(dtype)), backend.asarray(mask)
    got = backend.to_numpy(variational(given[0], given[1], mask=given[2], bounds=(0.0, 0.9)))
    assert got.dtype == dtype
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-9 if dtype == np.float64 else 2e-4)
    np.testing.assert_array_equal(backend.to_numpy(given[0]), before[0])
    np.testing.assert_array_equal(backend.to_numpy(given[2]), before[1])


def test_every_backend_takes_colours(backend):
    image = np.stack([_picture(seed=s) for s in range(3)], -1)
    got = variational(backend.asarray(image), backend.asarray(DISK), channel_axis=-1, num_iter=20)
    want = variational(image, DISK, channel_axis=-1, num_iter=20)
    np.testing.assert_allclose(backend.to_numpy(got), want, rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    ("dtype", "full"), [(np.uint8, 255), (np.uint16, 65535), (np.float16, 1), (np.float32, 1), (np.float64, 1)]
)
def test_float64_stays_and_all_else_becomes_float32(dtype, full):
    image = (PICTURE * full).astype(dtype)
    got = variational(image, DISK, weight=1e-3)
    assert got.dtype == (np.float64 if dtype == np.float64 else np.float32)
    np.testing.assert_allclose(got, variational(PICTURE, DISK, weight=1e-3), rtol=0, atol=0.02)


def test_callback_sees_every_iteration():
    seen = []
    got = variational(PICTURE, DISK, num_iter=7, callback=lambda i, x: seen.append((i, x)))
    assert [i for i, _ in seen] == list(range(7))
    assert all(x.shape == PICTURE.shape for _, x in seen)
    np.testing.assert_array_equal(seen[-1][1], got)
    assert not np.array_equal(seen[0][1], seen[-1][1])

    def spoil(_, estimate):
        estimate[...] = 99

    np.testing.assert_array_equal(variational(PICTURE, DISK, num_iter=7, callback=spoil), got)


@pytest.mark.parametrize(
    ("wrong", "error", "word"),
    [
        ({"num_iter": 0}, ValueError, "num_iter"),
        ({"num_iter": 2.5}, TypeError, "num_iter"),
        ({"weight": 0}, ValueError, "weight"),
        ({"weight": np.nan}, ValueError, "weight"),
        ({"bounds": (0.5, 0.5)}, ValueError, "bounds"),
        ({"bounds": None}, TypeError, "bounds"),
        ({"bounds": ("a", 1)}, TypeError, "bounds"),
        ({"bounds": (0, np.nan)}, ValueError, "bounds"),
        ({"prior": object()}, TypeError, "energy and shrink"),
        ({"channel_axis": 0}, ValueError, "axes"),
        ({"callback": 3}, TypeError, "callback"),
    ],
)
def test_wrong_calls_get_one_sentence(wrong, error, word):
    with pytest.raises(error, match=word) as caught:
        variational(PICTURE, DISK, **wrong)
    assert "\n" not in str(caught.value)


def test_one_solver_serves_many_psfs():
    solver = Splitting(PICTURE, (7, 7))
    prior = deconv.priors.TotalVariation()
    first = solver.solve(DISK, prior, 1e-3, num_iter=50)
    residual = solver.rms_residual()
    again = Splitting(PICTURE, (7, 7))
    again.solve(deconv.psf.disk(3), prior, 1e-3, num_iter=50)
    assert again.rms_residual() > 1.5 * residual
    np.testing.assert_array_equal(again.solve(DISK, prior, 1e-3, num_iter=50), first)
