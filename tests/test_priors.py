"""The priors: known energies, and their proximal steps against brute force and against the definition."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from deconv.priors import HyperLaplacian, L0Gradient, TotalVariation, TwoTone

TV = TotalVariation()
TONES = (0.1, 0.8)
ALL = {
    "tv": TV,
    "hyper-Laplacian": HyperLaplacian(),
    "power 0.5": HyperLaplacian(0.5),
    "L0": L0Gradient(),
    "two tones": TwoTone(TONES, pull=0.7),
}
FLOATS = pytest.mark.parametrize("dtype", [np.float32, np.float64])
VECTORS = st.lists(st.tuples(st.floats(-4, 4, width=32), st.floats(-4, 4, width=32)), min_size=1, max_size=6)


def _shrunk(prior, field, step):
    field = np.array(field, order="C")
    before, out = field.copy(), np.full_like(field, np.nan)
    prior.shrink(field, step, out)
    np.testing.assert_array_equal(field, before)
    return out


def _length(w):
    return np.sqrt((w**2).sum(0)).sum()


# ---- energies


def test_energies_known_by_hand():
    # The picture is periodic: an edge across it counts on both sides.
    step = np.zeros((6, 10))
    step[:, 5:] = 0.5
    assert TV.energy(step) == pytest.approx(2 * 6 * 0.5)
    assert TV.energy(step.T.copy()) == pytest.approx(2 * 6 * 0.5)
    assert HyperLaplacian(0.5).energy(step) == pytest.approx(2 * 6 * 0.5**0.5)
    assert L0Gradient().energy(step) == 12
    # Half the pixels are 0.1 from a tone, half 0.3; pull 0.7.
    assert TwoTone(TONES, pull=0.7).energy(step) == pytest.approx(6 + 0.7 * 30 * (0.1 + 0.3))
    star = np.zeros((7, 8))
    star[3, 4] = 2.0
    # Left and above: one difference each; at the star both at once: 2 + 2 + 2 sqrt 2.
    assert TV.energy(star) == pytest.approx(4 + 2 * np.sqrt(2))
    assert TV.energy(np.full((5, 5), 0.3)) == 0.0
    assert L0Gradient().energy(star) == 3


def test_energies_of_one_and_three_axes():
    comb = np.array([0.0, 1.0, 0.0, 0.0, 3.0, 3.0])
    assert TV.energy(comb) == pytest.approx(1 + 1 + 3 + 3)
    star = np.zeros((4, 5, 6))
    star[1, 2, 3] = 2.0
    assert TV.energy(star) == pytest.approx(3 * 2 + 2 * np.sqrt(3))
    assert L0Gradient().energy(star) == 4


@pytest.mark.parametrize("name", ALL)
def test_energy_is_a_float_of_any_library(backend, name):
    u = np.random.default_rng(0).random((6, 9))
    got = ALL[name].energy(backend.asarray(u))
    assert type(got) is float
    assert got == pytest.approx(ALL[name].energy(u), rel=1e-12)
    assert ALL[name].energy(backend.asarray((255 * u).astype(np.uint8))) == pytest.approx(got, rel=0.01)


@pytest.mark.parametrize("name", ["tv", "hyper-Laplacian", "power 0.5", "L0"])
def test_energy_scales_with_its_degree_and_ignores_an_offset(name):
    prior, u = ALL[name], np.random.default_rng(0).random((6, 9))
    degree = getattr(prior, "degree", 1.0)
    assert prior.energy(3 * u + 1) == pytest.approx(3**degree * prior.energy(u))
    assert prior.energy(np.roll(u, (2, 3), (0, 1))) == pytest.approx(prior.energy(u))


def test_energy_leaves_a_view_alone():
    u = np.random.default_rng(0).random((12, 18))
    before = u.copy()
    assert TV.energy(u[::2, ::3]) == TV.energy(u[::2, ::3].copy())
    np.testing.assert_array_equal(u, before)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("wrong", [np.float64(5), np.zeros((2, 2, 2, 2)), "u", None])
def test_wrong_pictures_are_refused(name, wrong):
    with pytest.raises((TypeError, ValueError), match=r"^u "):
        ALL[name].energy(wrong)


# ---- proximal steps


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("step", [0.01, 0.3, 2.0])
@pytest.mark.parametrize("power", [0.0, 0.3, 0.5, 0.6, 2 / 3, 0.8, 0.9, 1.0])
def test_shrink_minimises_by_brute_force(power, step, axes):
    # Of every vector the direction stays; its length becomes the minimiser of step w^p + (w - v)^2 / 2.
    prior = {0.0: L0Gradient(), 1.0: TV}.get(power) or HyperLaplacian(power)
    lengths = np.concatenate([np.linspace(0, 4, 200), [37.0, 1e3, 1e6]])
    direction = np.random.default_rng(0).normal(size=(axes, lengths.size))
    direction /= np.sqrt((direction**2).sum(0))
    got = _shrunk(prior, direction * lengths, step)
    shrunk = (got * direction).sum(0)
    np.testing.assert_allclose(got, direction * shrunk, rtol=0, atol=1e-12 * lengths.max())

    def price(w, v):
        return step * np.where(w > 0, np.abs(w) ** power, 0) + (w - v) ** 2 / 2

    for v, w in zip(lengths, shrunk, strict=True):
        tried = np.concatenate([np.linspace(0, v, 2001), w * (1 + np.linspace(-1e-3, 1e-3, 21))])
        assert price(w, v) <= price(tried, v).min() * (1 + 1e-9) + 1e-12
        assert 0 <= w <= v * (1 + 1e-12)
    assert (shrunk == 0).any()
    assert (shrunk > 0).any()


@pytest.mark.parametrize("power", [0.5, 2 / 3])
def test_shrink_of_powers_with_a_closed_form(power):
    # w + t p w^(p - 1) = v is a polynomial in the square or cube root of w; its largest root is the minimiser.
    step, v = 0.3, np.linspace(1.2, 5, 50)
    if power == 0.5:
        roots = [max(r.real for r in np.roots([1, 0, -x, step / 2]) if abs(r.imag) < 1e-9) ** 2 for x in v]
    else:
        roots = [max(r.real for r in np.roots([1, 0, 0, -x, 2 * step / 3]) if abs(r.imag) < 1e-9) ** 3 for x in v]
    np.testing.assert_allclose(_shrunk(HyperLaplacian(power), v[None], step)[0], roots, rtol=3e-7)


@given(g=VECTORS, step=st.floats(0, 3), seed=st.integers(0, 99))
def test_shrink_of_total_variation_is_the_proximal_map(g, step, seed):
    # w = prox(g) exactly if for every other v: step |v| >= step |w| + <g - w, v - w>.
    g = np.array(g).T
    w = _shrunk(TV, g, step)
    for v in (np.random.default_rng(seed).normal(size=g.shape) * 3, np.zeros_like(g), 2 * w, g, w + 1e-3):
        assert step * _length(v) >= step * _length(w) + np.sum((g - w) * (v - w)) - 1e-9


@given(a=VECTORS, b=VECTORS, step=st.floats(0, 3))
def test_shrink_of_total_variation_is_firmly_non_expansive(a, b, step):
    n = min(len(a), len(b))
    a, b = np.array(a[:n]).T, np.array(b[:n]).T
    apart = _shrunk(TV, a, step) - _shrunk(TV, b, step)
    assert np.sum(apart**2) <= np.sum(apart * (a - b)) + 1e-9


@pytest.mark.parametrize("box", [(-np.inf, np.inf), (0.0, 1.0), (0.1, 0.8)])
@pytest.mark.parametrize("step", [0.05, 0.3, 2.0])
def test_two_tones_minimise_by_brute_force(step, box):
    prior, s = TwoTone(TONES, pull=0.7), np.linspace(-1, 2, 301)
    got = np.full_like(s, np.nan)
    prior.shrink_image(s, step, *box, got)
    tried = np.clip(np.concatenate([np.linspace(-2, 3, 5001), TONES]), *box)

    def price(z, s):
        return 0.7 * step * np.minimum(abs(z - TONES[0]), abs(z - TONES[1])) + (z - s) ** 2 / 2

    assert got.min() >= box[0]
    assert got.max() <= box[1]
    for x, z in zip(s, got, strict=True):
        assert price(z, x) <= price(tried, x).min() + 1e-12
    assert np.isin(got, TONES).any()


@FLOATS
@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("axes", [1, 2, 3])
def test_shrink_on_every_backend(backend, name, dtype, axes):
    if backend.name == "torch":
        pytest.skip("priors work behind the door, on NumPy or CuPy arrays")
    field = np.random.default_rng(axes).normal(size=(axes, 40, 31)).astype(dtype)
    out = np.zeros_like(field)
    ALL[name].shrink(field, 0.4, out)
    theirs = backend.asarray(field)
    mine = theirs if backend.name != "numpy-readonly" else np.array(field)
    mine = mine * 0
    ALL[name].shrink(theirs, 0.4, mine)
    got = backend.to_numpy(mine)
    assert got.dtype == dtype
    np.testing.assert_allclose(got, out, rtol=1e-5 if dtype == np.float32 else 1e-12)


def test_known_answers():
    field = np.array([[[3.0, 0.3, 0.0, -6.0]], [[4.0, 0.4, 0.0, 8.0]]])
    np.testing.assert_allclose(_shrunk(TV, field, 1.0)[:, 0], [[2.4, 0, 0, -5.4], [3.2, 0, 0, 7.2]], rtol=1e-14)
    np.testing.assert_array_equal(_shrunk(L0Gradient(), field, 1.0)[:, 0], [[3, 0, 0, -6], [4, 0, 0, 8]])
    # w + w^(-1/2) / 2 * t = v: for w = 4 and t = 4 that is v = 5.
    np.testing.assert_allclose(_shrunk(HyperLaplacian(0.5), field, 4.0)[:, 0, 0], [2.4, 3.2], rtol=1e-7)


# ---- parameters


@pytest.mark.parametrize("levels", [(0.1, 0.9), (-3.0, 250.0)])
def test_tones_of_a_picture(levels):
    rng = np.random.default_rng(0)
    picture = np.where(rng.random((50, 60)) < 0.2, *levels)
    given = TwoTone().fitted(picture + 0.02 * (levels[1] - levels[0]) * rng.normal(size=picture.shape))
    np.testing.assert_allclose(given.tones, levels, rtol=0, atol=0.05 * (levels[1] - levels[0]))
    assert TwoTone(TONES).fitted(picture).tones == TONES
    dark, bright = TwoTone().fitted(np.full((5, 5), 0.3)).tones
    assert dark < bright
    assert bright == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("make", "error", "word"),
    [
        (lambda: HyperLaplacian(0.2), ValueError, "power"),
        (lambda: HyperLaplacian(1.0), ValueError, "power"),
        (lambda: HyperLaplacian("half"), TypeError, "power"),
        (lambda: TwoTone(0.5), TypeError, "tones"),
        (lambda: TwoTone((1.0, 0.0)), ValueError, "tones"),
        (lambda: TwoTone((0.0, np.nan)), ValueError, "tones"),
        (lambda: TwoTone(("black", "white")), TypeError, "tones"),
        (lambda: TwoTone((0.0, 1.0), pull=0.0), ValueError, "pull"),
    ],
)
def test_wrong_parameters_get_one_sentence(make, error, word):
    with pytest.raises(error, match=word) as caught:
        make()
    assert "\n" not in str(caught.value)
