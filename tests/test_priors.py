"""Total variation: known energies, and its shrinking step against the definition of a proximal map."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from deconv.priors import TotalVariation

TV = TotalVariation()
VECTORS = st.lists(st.tuples(st.floats(-4, 4, width=32), st.floats(-4, 4, width=32)), min_size=1, max_size=6)


def _shrunk(g, step):
    gx, gy = (np.array(part, dtype=np.float64)[None, :] for part in zip(*g, strict=True))
    TV.shrink(gx, gy, step)
    return np.stack([gx[0], gy[0]], -1)


def _length(w):
    return np.hypot(w[:, 0], w[:, 1]).sum()


def test_energies_known_by_hand():
    # The picture is periodic: an edge across it counts on both sides.
    step = np.zeros((6, 10))
    step[:, 5:] = 0.5
    assert TV.energy(step) == pytest.approx(2 * 6 * 0.5)
    assert TV.energy(step.T.copy()) == pytest.approx(2 * 6 * 0.5)
    star = np.zeros((7, 8))
    star[3, 4] = 2.0
    # Left and above: one difference each; at the star both at once: 2 + 2 + 2 sqrt 2.
    assert TV.energy(star) == pytest.approx(4 + 2 * np.sqrt(2))
    assert TV.energy(np.full((5, 5), 0.3)) == 0.0


def test_energy_is_a_float_of_any_library(backend):
    u = np.random.default_rng(0).random((6, 9))
    gx, gy = np.roll(u, -1, 1) - u, np.roll(u, -1, 0) - u
    got = TV.energy(backend.asarray(u))
    assert type(got) is float
    assert got == pytest.approx(np.hypot(gx, gy).sum(), rel=1e-12)
    assert TV.energy(backend.asarray((255 * u).astype(np.uint8))) == pytest.approx(got, rel=0.01)


def test_energy_leaves_a_view_alone():
    u = np.random.default_rng(0).random((12, 18))
    before = u.copy()
    assert TV.energy(u[::2, ::3]) == TV.energy(u[::2, ::3].copy())
    np.testing.assert_array_equal(u, before)


def test_energy_scales_and_ignores_an_offset():
    u = np.random.default_rng(0).random((6, 9))
    assert TV.energy(3 * u + 1) == pytest.approx(3 * TV.energy(u))
    assert TV.energy(np.roll(u, (2, 3), (0, 1))) == pytest.approx(TV.energy(u))


@pytest.mark.parametrize("wrong", [np.zeros(5), np.zeros((2, 2, 2)), "u", None])
def test_wrong_pictures_are_refused(wrong):
    with pytest.raises((TypeError, ValueError), match=r"^u "):
        TV.energy(wrong)


@given(g=VECTORS, step=st.floats(0, 3), seed=st.integers(0, 99))
def test_shrink_is_the_proximal_map(g, step, seed):
    # w = prox(g) exactly if for every other v: step |v| >= step |w| + <g - w, v - w>.
    w = _shrunk(g, step)
    g = np.array(g)
    for v in (np.random.default_rng(seed).normal(size=g.shape) * 3, np.zeros_like(g), 2 * w, g, w + 1e-3):
        assert step * _length(v) >= step * _length(w) + np.sum((g - w) * (v - w)) - 1e-9


@given(a=VECTORS, b=VECTORS, step=st.floats(0, 3))
def test_shrink_is_firmly_non_expansive(a, b, step):
    n = min(len(a), len(b))
    a, b = a[:n], b[:n]
    apart = _shrunk(a, step) - _shrunk(b, step)
    assert np.sum(apart**2) <= np.sum(apart * (np.array(a) - np.array(b))) + 1e-9


def test_shrink_known_answer_on_every_backend(backend):
    if backend.name == "numpy-readonly":
        pytest.skip("shrink works in place")
    gx, gy = np.array([[3.0, 0.3, 0.0, -6.0]]), np.array([[4.0, 0.4, 0.0, 8.0]])
    mine = backend.asarray(gx), backend.asarray(gy)
    if backend.name == "torch":
        # Priors work behind the door, on NumPy or CuPy arrays.
        mine = tuple(m.numpy() for m in mine)
    TV.shrink(*mine, 1.0)
    got = [np.asarray(m) if backend.name == "torch" else backend.to_numpy(m) for m in mine]
    np.testing.assert_allclose(got[0], [[2.4, 0.0, 0.0, -5.4]], rtol=1e-14)
    np.testing.assert_allclose(got[1], [[3.2, 0.0, 0.0, 7.2]], rtol=1e-14)
