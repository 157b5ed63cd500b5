"""A random movement of the camera, and the light that it leaves on the pixels."""

import numpy as np

__all__ = ["exposed", "trajectory"]

# Harmonics of the movement, and the time over which it repeats, in exposures: far enough that its ends do not meet.
_HARMONICS, _PERIOD = 64, 2.0
# How long a velocity is kept, in exposures: of the fewest and of the most turns.
_KEPT = (0.1, 0.6)
# Points of the path for each pixel of the support: none of its steps then crosses two edges of one direction.
_FINE = 64


def trajectory(size, rng):
    """Points (x, y) of a random path, at even steps in time; the same path at any size, larger.

    Its mean is the origin, and the farthest that it goes along an axis is the edge of `size` pixels.
    """
    n = _FINE * size
    kept = np.exp(rng.uniform(*np.log(_KEPT)))
    # Velocity is a stationary Gaussian process of memory `kept`, its spectrum 1 / (1 + (2 pi f kept)^2).
    f = np.arange(1, _HARMONICS + 1) / _PERIOD
    weights = rng.standard_normal((_HARMONICS, 2, 2)) / np.sqrt(1 + (2 * np.pi * f * kept) ** 2)[:, None, None]
    drift = rng.standard_normal(2)
    t = (np.arange(n + 1) / n)[:, None]
    # Integrated term by term: the position.
    turn = 2 * np.pi * f * t
    path = np.sin(turn) @ (weights[:, 0] / f[:, None]) - np.cos(turn) @ (weights[:, 1] / f[:, None])
    path += 2 * np.pi * drift / np.sqrt(2) * t
    # A piece between two points has its light halfway.
    path -= ((path[1:] + path[:-1]) / 2).mean(0)
    return path * (size / 2 / np.abs(path).max())


def exposed(path, size):
    """Time that a path spends in each of `size` x `size` pixels about the origin, of the whole."""
    start, step = path[:-1] + size / 2, np.diff(path, axis=0)
    # Steps are cut where they cross an edge, in x and in y, so that each piece lies in one pixel.
    edge = np.floor(np.maximum(start, start + step))
    with np.errstate(divide="ignore", invalid="ignore"):
        cuts = np.where(step == 0, 0.0, (edge - start) / step)
    cuts = np.sort(np.clip(cuts, 0.0, 1.0), axis=1)
    ends = np.concatenate([np.zeros((len(cuts), 1)), cuts, np.ones((len(cuts), 1))], axis=1)
    middle = (ends[:, 1:] + ends[:, :-1]) / 2
    column, row = (np.clip(np.floor(start[:, [i]] + middle * step[:, [i]]).astype(int), 0, size - 1) for i in (0, 1))
    light = np.bincount((row * size + column).ravel(), np.diff(ends, axis=1).ravel(), size * size)
    return light.reshape(size, size) / len(step)
