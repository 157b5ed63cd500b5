"""Restoration by data term plus prior: convergence, known answers, masks, bounds, units, colours."""

import numpy as np
import pytest
import skimage.data
from splitting_problems import DISK, FLOATS, PICTURE, patches, peaked_psf, restored

import deconv
from deconv import degrade, variational

# ---- the noise and the default weight


def test_noise_of_a_volume_is_measured_in_its_planes():
    by_noise = variational(np.stack([PICTURE] * 4), DISK[None], num_iter=1)
    assert by_noise.weight == pytest.approx(variational(PICTURE, DISK, num_iter=1).weight, rel=1e-6)


@pytest.mark.parametrize("likelihood", ["gaussian", "poisson"])
def test_a_line_is_restored_by_its_own_noise(likelihood):
    sharp = np.repeat([2.0, 9.0, 4.0, 1.0, 7.0], 40)
    line = np.convolve(sharp, np.ones(7) / 7, "valid") + 0.05 * np.random.default_rng(0).normal(size=194)
    got = restored(line, np.ones(7), likelihood=likelihood)
    assert np.mean((got - sharp[3:-3]) ** 2) < np.mean((line - sharp[3:-3]) ** 2) / 3


def test_the_default_is_near_the_minimiser():
    sharp = degrade.text_picture("psf", size=30)
    image = degrade.add_noise(degrade.blur(sharp, deconv.psf.disk(3)), 0.002, rng=0)
    got, limit = restored(image, deconv.psf.disk(3)), restored(image, deconv.psf.disk(3), num_iter=800, tol=0)
    assert np.sqrt(np.mean((got - limit) ** 2)) < 0.005
    assert np.sqrt(np.mean((got - sharp) ** 2)) < np.sqrt(np.mean((image - sharp) ** 2)) / 6


# ---- convergence


def test_it_stops_when_both_residuals_are_small():
    solution = variational(PICTURE, DISK, tol=0.01, num_iter=1000)
    assert solution.converged is True
    assert solution.num_iter % 10 == 0
    assert len(solution.primal) == len(solution.dual) == solution.num_iter // 10 > 2
    worst = np.maximum(solution.primal, solution.dual)
    assert worst[-1] < 0.01
    assert (worst[:-1] >= 0.01).all()
    # And nothing else stops it.
    short = variational(PICTURE, DISK, tol=0.01, num_iter=25)
    assert (short.converged, short.num_iter, len(short.primal)) == (False, 25, 3)
    np.testing.assert_array_equal(short.dual[:2], solution.dual[:2])
    assert variational(PICTURE, DISK, tol=0, num_iter=300).num_iter == 300


def test_residuals_fall_with_the_error():
    limit = restored(PICTURE, DISK, tol=0, num_iter=3000)
    solutions = [variational(PICTURE, DISK, tol=tol, num_iter=3000) for tol in (0.1, 0.01, 0.001)]
    assert all(s.converged for s in solutions)
    errors = [np.sqrt(np.mean((s.image - limit) ** 2)) for s in solutions]
    assert errors[0] > errors[1] > errors[2]
    assert errors[1] < 0.02 * np.std(PICTURE)
    assert solutions[0].num_iter < solutions[1].num_iter < solutions[2].num_iter


def test_each_colour_stops_by_itself():
    image = np.stack([PICTURE, 0.5 + 0.01 * patches(seed=1)])
    got = variational(image, DISK, weight=1e-4, tol=0.02, channel_axis=0, num_iter=400)
    alone = [variational(plane, DISK, weight=1e-4, tol=0.02, num_iter=400) for plane in image]
    np.testing.assert_array_equal(got.num_iter, [s.num_iter for s in alone])
    np.testing.assert_array_equal(got.converged, [s.converged for s in alone])
    assert got.num_iter[0] != got.num_iter[1]
    for c, s in enumerate(alone):
        np.testing.assert_array_equal(got.primal[: len(s.primal), c], s.primal)
        np.testing.assert_array_equal(got.dual[: len(s.dual), c], s.dual)
        assert np.isnan(got.dual[len(s.dual) :, c]).all()
    assert got.primal.shape == (max(s.num_iter for s in alone) // 10, 2)


@pytest.mark.parametrize("shape", [(5, 5), (4, 4), (3, 6)])
def test_restoring_puts_a_star_back_where_it_was(shape):
    sharp = np.zeros((21, 24))
    sharp[9, 13] = 1.0
    got = restored(degrade.blur(sharp, peaked_psf(shape)), peaked_psf(shape), weight=1e-6, num_iter=500)
    np.testing.assert_allclose(got, sharp, rtol=0, atol=1e-3)


def test_the_outside_is_unknown_and_leaves_no_ringing():
    scene = np.kron(np.random.default_rng(0).random((8, 8)) > 0.5, np.ones((8, 8)))
    whole = degrade.blur(scene, deconv.psf.disk(3))
    got = restored(whole[9:-9, 9:-9], deconv.psf.disk(3), weight=1e-4, num_iter=400)
    assert np.abs(got - scene[9:-9, 9:-9]).mean() < 0.003
    # Wrapped round or cut off instead, the error at the border is several times that inside.
    assert np.abs(got - scene[9:-9, 9:-9]).max() < 0.2


# ---- known answers


def test_delta_psf_and_tiny_weight_is_the_identity():
    np.testing.assert_allclose(restored(PICTURE, np.ones((1, 1)), weight=1e-9), PICTURE, rtol=0, atol=1e-6)


@FLOATS
@pytest.mark.parametrize("weight", [None, 1e-4])
def test_flat_stays_flat(dtype, weight):
    flat = np.full((20, 23), 0.7, dtype)
    np.testing.assert_allclose(restored(flat, DISK, weight=weight, num_iter=500), flat, rtol=0, atol=2e-4)


def test_a_heavy_prior_leaves_only_the_mean():
    got = restored(PICTURE, np.ones((1, 1)), weight=1.0, num_iter=1000, bounds=(None, None))
    np.testing.assert_allclose(got, PICTURE.mean(), rtol=0, atol=0.005)


@pytest.mark.parametrize("bounds", [(0.4, 0.6), (None, 0.5), (0.45, None), (0, 1)])
def test_bounds_are_kept(bounds):
    got = restored(PICTURE, DISK, weight=1e-3, bounds=bounds)
    low, high = (-np.inf if bounds[0] is None else bounds[0]), (np.inf if bounds[1] is None else bounds[1])
    assert got.min() >= low
    assert got.max() <= high
    assert np.isclose(got, low).any() == (bounds[0] in (0.4, 0.45))
    assert np.isclose(got, high).any() == (bounds[1] in (0.6, 0.5))


def test_no_bounds_let_a_picture_be_negative():
    got = restored(PICTURE - 0.5, DISK, weight=1e-3, bounds=(None, None), num_iter=600)
    assert got.min() < -0.1
    # Moving the zero of the scale moves nothing else.
    want = restored(PICTURE, DISK, weight=1e-3, bounds=(None, None), num_iter=600)
    np.testing.assert_allclose(got + 0.5, want, rtol=0, atol=5e-3)


def test_another_prior_plugs_in():
    class Nothing:
        def energy(self, u):
            return 0.0

        def shrink(self, field, step, out):
            steps.append(step)
            out[...] = field

    steps = []
    got = restored(PICTURE, np.ones((1, 1)), prior=Nothing(), weight=0.1, num_iter=300, tol=0)
    assert len(steps) == 300
    assert len(set(steps)) == 1
    np.testing.assert_allclose(got, PICTURE, rtol=0, atol=1e-3)


def _psnr(picture, truth):
    return -10 * np.log10(np.mean((picture - truth) ** 2))


def test_priors_for_text_restore_text_better():
    sharp = 0.1 + 0.8 * degrade.text_picture("psf", size=30)
    psf = deconv.psf.motion(7, angle=30)
    image = degrade.add_noise(degrade.blur(sharp, psf), 0.01, rng=0)
    plain = _psnr(restored(image, psf), sharp)
    priors = deconv.priors
    for prior, gain in (
        (priors.HyperLaplacian(), 3),
        (priors.HyperLaplacian(0.5), 3),
        (priors.L0Gradient(), 3),
        (priors.TwoTone(), 5),
        (priors.TwoTone((0.1, 0.9)), 5),
    ):
        assert _psnr(restored(image, psf, prior=prior), sharp) > plain + gain, prior


@pytest.mark.parametrize("gain", [1.0, 1e-3])
def test_poisson_knows_the_gain_and_is_better_for_photons(gain):
    # Most of it dark, where there is least noise and least squares sees most.
    scene = skimage.data.camera()[60:200, 160:300] / 0.255
    psf = deconv.psf.disk(3)
    counts = gain * np.random.default_rng(0).poisson(degrade.blur(scene, psf))
    got = variational(counts, psf, likelihood="poisson")
    assert got.weight == pytest.approx(4 / 3 * gain * counts.mean() / counts.std(), rel=0.15)
    same = restored(counts, psf, weight=got.weight)
    assert _psnr(got.image, gain * scene) > _psnr(same, gain * scene) + 0.15
    assert got.image.min() >= 0


# ---- what was not measured


@FLOATS
@pytest.mark.parametrize("weight", [None, 1e-3])
@pytest.mark.parametrize("junk", [0.0, 1e4, np.nan])
def test_values_outside_the_mask_do_not_matter(weight, junk, dtype):
    image = PICTURE.astype(dtype)
    mask = np.ones(image.shape)
    mask[8:11, 5:20] = 0
    spoilt = np.where(mask > 0, image, dtype(junk))
    want = restored(image, DISK, weight=weight, mask=mask, num_iter=40)
    np.testing.assert_array_equal(restored(spoilt, DISK, weight=weight, mask=mask, num_iter=40), want)
    # And they are filled in from their surroundings.
    assert np.isfinite(want).all()
    assert not np.array_equal(want, restored(image, DISK, weight=weight, num_iter=40))


def test_a_nan_pixel_is_an_unmeasured_one():
    holes = np.random.default_rng(0).random(PICTURE.shape) < 0.1
    image = np.where(holes, np.nan, PICTURE)
    want = restored(PICTURE, DISK, weight=1e-3, mask=(~holes).astype(float), num_iter=40)
    np.testing.assert_array_equal(restored(image, DISK, weight=1e-3, num_iter=40), want)
    full = restored(PICTURE, DISK, weight=1e-3, num_iter=300)
    got = restored(image, DISK, weight=1e-3, num_iter=300)
    assert np.abs(got - full).mean() < 0.02


def test_a_weight_of_half_counts_half():
    # Half the picture measured badly: the weight says so, and the other half wins where they meet.
    mask = np.ones(PICTURE.shape)
    mask[:, 14:] = 0.01
    loose = restored(PICTURE, DISK, weight=3e-3, mask=mask)
    even = restored(PICTURE, DISK, weight=3e-3)
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
            restored(PICTURE, DISK, mask=mask)


# ---- units, colours, types


@pytest.mark.parametrize("scale", [2.0**-10, 2.0**8, 2.0**16])
@pytest.mark.parametrize("weight", [None, 1e-3])
def test_the_unit_of_brightness_does_not_matter(scale, weight):
    # Counts of a camera, or a fraction of full scale: exactly the same picture. (Powers of two round alike.)
    want = restored(PICTURE, DISK, weight=weight, bounds=(0.1, 0.9), num_iter=30) * scale
    scaled = None if weight is None else weight * scale
    got = restored(PICTURE * scale, DISK, weight=scaled, bounds=(0.1 * scale, 0.9 * scale), num_iter=30)
    np.testing.assert_allclose(got, want, rtol=1e-9, atol=0)


@pytest.mark.parametrize("scale", [1e-3, 255.0])
@pytest.mark.parametrize("likelihood", ["gaussian", "poisson"])
@pytest.mark.parametrize("prior", [None, "HyperLaplacian", "L0Gradient", "TwoTone"])
def test_the_unit_does_not_matter_to_any_prior_or_noise(prior, likelihood, scale):
    options = {"prior": prior and getattr(deconv.priors, prior)(), "likelihood": likelihood, "num_iter": 60}
    want, got = (variational(factor * PICTURE, DISK, **options) for factor in (1.0, scale))
    np.testing.assert_allclose(got.image, scale * want.image, rtol=1e-6, atol=0)
    np.testing.assert_allclose(got.dual, want.dual, rtol=1e-6)
    degree = 1.0 if prior is None else getattr(options["prior"], "degree", 1.0)
    assert got.weight == pytest.approx(scale ** (2 - degree) * want.weight)


@pytest.mark.parametrize("channel_axis", [0, 1, 2, -1])
@pytest.mark.parametrize("weight", [None, 1e-3])
def test_colours_are_restored_one_by_one(channel_axis, weight):
    planes = [patches(seed=s) for s in range(3)]
    got = restored(np.stack(planes, channel_axis), DISK, weight=weight, channel_axis=channel_axis, num_iter=20)
    for c, plane in enumerate(planes):
        want = restored(plane, DISK, weight=weight, num_iter=20)
        np.testing.assert_array_equal(np.take(got, c, channel_axis), want)


def test_a_mask_serves_all_colours():
    image, mask = np.stack([patches(seed=s) for s in range(2)]), np.ones(PICTURE.shape)
    mask[4:7] = 0
    for given in (mask, np.stack([mask, mask])):
        got = restored(image, DISK, mask=given, weight=1e-3, channel_axis=0, num_iter=20)
        np.testing.assert_array_equal(got[1], restored(image[1], DISK, mask=mask, weight=1e-3, num_iter=20))


@FLOATS
def test_every_backend_gives_numpys_answer(backend, dtype):
    image = PICTURE.astype(dtype)
    image[3, 4] = np.nan
    mask = np.ones(image.shape, dtype)
    mask[10:12, 3:9] = 0
    before = image.copy(), mask.copy()
    want = restored(image, DISK.astype(dtype), mask=mask, bounds=(0.0, 0.9))
    given = backend.asarray(image), backend.asarray(DISK.astype(dtype)), backend.asarray(mask)
    got = backend.to_numpy(restored(given[0], given[1], mask=given[2], bounds=(0.0, 0.9)))
    assert got.dtype == dtype
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-9 if dtype == np.float64 else 2e-4)
    np.testing.assert_array_equal(backend.to_numpy(given[0]), before[0])
    np.testing.assert_array_equal(backend.to_numpy(given[2]), before[1])


@FLOATS
@pytest.mark.parametrize("likelihood", ["gaussian", "poisson"])
@pytest.mark.parametrize("prior", ["HyperLaplacian", "L0Gradient", "TwoTone"])
def test_every_backend_takes_every_prior(backend, prior, likelihood, dtype):
    image, prior = PICTURE.astype(dtype), getattr(deconv.priors, prior)()
    options = {"prior": prior, "likelihood": likelihood, "num_iter": 25}
    want = variational(image, DISK.astype(dtype), **options)
    got = variational(backend.asarray(image), backend.asarray(DISK.astype(dtype)), **options)
    # A threshold turns rounding into a choice in a few pixels.
    close = np.abs(backend.to_numpy(got.image) - want.image) < (1e-7 if dtype == np.float64 else 2e-4)
    assert close.mean() > (0.999 if dtype == np.float64 else 0.97)
    np.testing.assert_allclose(np.asarray(got.primal), want.primal, rtol=1e-6 if dtype == np.float64 else 0.1)


@pytest.mark.parametrize("shape", [(40,), (6, 12, 9)])
def test_every_backend_takes_other_numbers_of_axes(backend, shape):
    image, psf = np.random.default_rng(0).random(shape), peaked_psf((3, 4, 5)[: len(shape)])
    got = restored(backend.asarray(image), backend.asarray(psf), weight=0.01, num_iter=20)
    np.testing.assert_allclose(backend.to_numpy(got), restored(image, psf, weight=0.01, num_iter=20), rtol=0, atol=1e-9)


def test_every_backend_takes_colours(backend):
    image = np.stack([patches(seed=s) for s in range(3)], -1)
    got = restored(backend.asarray(image), backend.asarray(DISK), channel_axis=-1, num_iter=20)
    want = restored(image, DISK, channel_axis=-1, num_iter=20)
    np.testing.assert_allclose(backend.to_numpy(got), want, rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    ("dtype", "full"), [(np.uint8, 255), (np.uint16, 65535), (np.float16, 1), (np.float32, 1), (np.float64, 1)]
)
def test_float64_stays_and_all_else_becomes_float32(dtype, full):
    image = (PICTURE * full).astype(dtype)
    got = restored(image, DISK, weight=1e-3)
    assert got.dtype == (np.float64 if dtype == np.float64 else np.float32)
    np.testing.assert_allclose(got, restored(PICTURE, DISK, weight=1e-3), rtol=0, atol=0.02)


def test_callback_sees_every_iteration():
    calls = []
    got = restored(PICTURE, DISK, num_iter=7, callback=lambda i, x: calls.append((i, x)))
    assert [i for i, _ in calls] == list(range(7))
    assert all(x.shape == PICTURE.shape for _, x in calls)
    np.testing.assert_array_equal(calls[-1][1], got)
    assert not np.array_equal(calls[0][1], calls[-1][1])

    def spoil(_, estimate):
        estimate[...] = 99

    np.testing.assert_array_equal(restored(PICTURE, DISK, num_iter=7, callback=spoil), got)


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
        ({"tol": -1.0}, ValueError, "tol"),
        ({"tol": "small"}, TypeError, "tol"),
        ({"likelihood": "normal"}, ValueError, "likelihood"),
        ({"likelihood": 3}, TypeError, "likelihood"),
        ({"channel_axis": 0}, ValueError, "axes"),
        ({"callback": 3}, TypeError, "callback"),
    ],
)
def test_wrong_calls_get_one_sentence(wrong, error, word):
    with pytest.raises(error, match=word) as caught:
        restored(PICTURE, DISK, **wrong)
    assert "\n" not in str(caught.value)
