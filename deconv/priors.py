r"""Image priors: each is an energy of an image and its proximal step, nothing else.

The splitting solver (`deconv.variational`) takes any object with these two methods:

``energy(u)``
    Energy of an image `u`, a float.
``shrink(field, step, out)``
    The proximal step of ``step * energy`` on a gradient field, into `out`:
    argmin over w of ``step * phi(w) + 1/2 |w - field|^2``. Fields have one leading axis more than the image: component
    a holds the differences along axis a.

These are optional:

``degree``
    The p of ``energy(a u) = a^p energy(u)`` for a > 0; 1 if missing. It sets the default weight and the step. Below 1
    the energy is not convex, and the solver reduces the step from stage to stage.
``start``
    The prior whose minimiser is the starting point.
``fitted(picture)``
    The prior to continue with, given the restoration with `start`.
``shrink_image(image, step, low, high, out)``
    The proximal step of the part of the energy that acts on the image itself, clipped to the bounds `low` and `high`.
"""

import functools
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from deconv._core.array import Array, accepts_torch, array_namespace, as_image, like
from deconv._core.check import real
from deconv._core.kernels import shrink_hard, shrink_radial, shrink_tv, shrink_two_tone

__all__ = ["HyperLaplacian", "L0Gradient", "TotalVariation", "TwoTone"]

# Entries of the table of shrinkage factors; linear interpolation between them is accurate to 1e-7.
_TABLE = 4096
# Range of powers for which two of Halley's steps make the table exact to rounding.
_LOWEST, _HIGHEST = 0.3, 0.9


class Shrinkage(Protocol):
    """The proximal step alone, which is all that the solver's iterations call."""

    def shrink(self, field: Any, step: float, out: Any, /) -> None: ...


class Prior(Shrinkage, Protocol):
    """Any object that `deconv.variational` takes as its prior."""

    def energy(self, u: Any, /) -> float: ...


def _lengths(u: Any) -> Any:
    """Lengths of the gradient of an image, taken as periodic."""
    u = as_image(u, "u", ndim=(1, 2, 3))
    xp = array_namespace(u)
    return xp.sqrt(sum((xp.roll(u, -1, axis=a) - u) ** 2 for a in range(u.ndim)))


@dataclass(frozen=True)
class TotalVariation:
    r"""Isotropic total variation: favours few edges, which may be sharp.

    .. math:: \phi(u) = \sum_i \lVert (\nabla u)_i \rVert_2

    Convex, so the minimiser does not depend on the starting point. The default.

    References
    ----------
    .. [1] L. I. Rudin, S. Osher, E. Fatemi, "Nonlinear total variation based noise removal algorithms",
       Physica D 60, 259-268 (1992), :doi:`10.1016/0167-2789(92)90242-F`

    Examples
    --------
    >>> import numpy as np, deconv
    >>> step = np.repeat([[0.0, 1.0]], 8, axis=1).reshape(1, 16) * np.ones((4, 1))
    >>> deconv.priors.TotalVariation().energy(step)
    8.0
    """

    @accepts_torch
    def energy(self, u: Array) -> float:
        """Sum of the gradient's lengths.

        Parameters
        ----------
        u : array, shape (M,), (M, N) or (L, M, N)
            An image, taken as periodic.

        Returns
        -------
        float
            The energy.
        """
        lengths = _lengths(u)
        return float(array_namespace(lengths).sum(lengths))

    def shrink(self, field: Any, step: float, out: Any) -> None:
        """Shorten each gradient by `step`.

        Parameters
        ----------
        field : array, shape (D, ...)
            The gradient field, C-contiguous.
        step : float
            Amount.
        out : array, shape (D, ...)
            Receives the result.
        """
        shrink_tv(field, step, field.shape[0], out)


@dataclass(frozen=True)
class HyperLaplacian:
    r"""Gradients of a natural scene: many small ones and a heavy tail.

    .. math:: \phi(u) = \sum_i \lVert (\nabla u)_i \rVert_2^p , \qquad p < 1

    Krishnan and Fergus [1]_, here for the length of the gradient rather than its components, so that no direction is
    preferred. The proximal step sets lengths below a threshold to zero and replaces the others by the larger root of
    :math:`w + t p w^{p-1} = v`, for any p, from a table computed by Halley's method and accurate to 1e-7.

    The energy is not convex. The solver starts from the minimiser of total variation, which is unique, and then reduces
    the step tenfold in eight stages; it ends in a local minimum nearby. At the default weight the result is better than
    with total variation on text, and on natural scenes with little noise; with more noise it is worse.

    Attributes
    ----------
    power : float
        The p, between 0.3 and 0.9; natural scenes have 0.5 to 0.8.

    References
    ----------
    .. [1] D. Krishnan, R. Fergus, "Fast image deconvolution using hyper-Laplacian priors", Advances in Neural
       Information Processing Systems 22, 1033-1041 (2009)

    Examples
    --------
    >>> import numpy as np, deconv
    >>> star = np.zeros((8, 8))
    >>> star[4, 4] = 4.0  # two gradients of length 4, one of 4 sqrt 2
    >>> round(deconv.priors.HyperLaplacian(0.5).energy(star), 6)
    6.378414
    """

    power: float = 2 / 3

    def __post_init__(self) -> None:
        power = real(self.power, "power", low=_LOWEST, high=_HIGHEST)
        object.__setattr__(self, "power", power)

    @property
    def degree(self) -> float:
        """The power."""
        return self.power

    @property
    def start(self) -> TotalVariation:
        """Total variation."""
        return TotalVariation()

    @accepts_torch
    def energy(self, u: Array) -> float:
        """Sum of the powers of the gradient's lengths.

        Parameters
        ----------
        u : array, shape (M,), (M, N) or (L, M, N)
            An image, taken as periodic.

        Returns
        -------
        float
            The energy.
        """
        lengths = _lengths(u)
        return float(array_namespace(lengths).sum(lengths**self.power))

    def shrink(self, field: Any, step: float, out: Any) -> None:
        """Shorten each gradient to the minimiser of ``step * w^power + (w - length)^2 / 2``.

        Parameters
        ----------
        field : array, shape (D, ...)
            The gradient field, C-contiguous.
        step : float
            Weight of the power.
        out : array, shape (D, ...)
            Receives the result.
        """
        p = self.power
        threshold = (2 * step * (1 - p)) ** (1 / (2 - p)) * (2 - p) / (2 * (1 - p))
        shrink_radial(field, threshold, like(_factors(p), field), _TABLE, field.shape[0], out)


@functools.cache
def _factors(power: float) -> Any:
    """Shrinkage factors of a length, at ``sqrt(threshold / length)`` from 0 to 1.

    The length v becomes r v with the larger root of r + c r^(p - 1) = 1, where c = t p v^(p - 2). At the threshold r is
    2 (1 - p) / (2 - p); beyond it 1 - r falls roughly as v^(-3/2), which is close enough for two of Halley's steps.
    """
    p = power
    relative = np.minimum(np.arange(_TABLE + 2) / _TABLE, 1.0) ** 2
    least = 2 * (1 - p) / (2 - p)
    c = (1 - least) * least ** (1 - p) * relative ** (2 - p)
    r = 1 - (1 - least) * relative**1.5
    for _ in range(2):
        slope = c * r ** (p - 1)
        h, h1, h2 = r - 1 + slope, 1 - (1 - p) * slope / r, (1 - p) * (2 - p) * slope / r**2
        r = r - 2 * h * h1 / (2 * h1**2 - h * h2)
    return r


@dataclass(frozen=True)
class L0Gradient:
    r"""Number of edge pixels: favours as few edges as possible, whatever their height.

    .. math:: \phi(u) = \#\{ i : (\nabla u)_i \ne 0 \}

    Xu, Lu, Xu and Jia [1]_. The proximal step keeps gradients longer than :math:`\sqrt{2 t}` and sets the others to
    zero. For text and drawings; texture and shading turn into steps.

    The energy is not convex. The solver starts from the minimiser of total variation and then reduces the threshold
    tenfold in eight stages; it ends in a local minimum nearby.

    References
    ----------
    .. [1] L. Xu, C. Lu, Y. Xu, J. Jia, "Image smoothing via L0 gradient minimization", ACM Trans. Graph. 30(6), 174
       (2011), :doi:`10.1145/2070781.2024208`

    Examples
    --------
    >>> import numpy as np, deconv
    >>> star = np.zeros((8, 8))
    >>> star[4, 4] = 4.0
    >>> deconv.priors.L0Gradient().energy(star)
    3.0
    """

    @property
    def degree(self) -> float:
        """Zero: the height of an edge does not matter."""
        return 0.0

    @property
    def start(self) -> TotalVariation:
        """Total variation."""
        return TotalVariation()

    @accepts_torch
    def energy(self, u: Array) -> float:
        """Number of pixels with a gradient.

        Parameters
        ----------
        u : array, shape (M,), (M, N) or (L, M, N)
            An image, taken as periodic.

        Returns
        -------
        float
            The energy.
        """
        lengths = _lengths(u)
        xp = array_namespace(lengths)
        return float(xp.sum(xp.astype(lengths > 0, lengths.dtype)))

    def shrink(self, field: Any, step: float, out: Any) -> None:
        """Keep gradients whose squared length is above ``2 * step``.

        Parameters
        ----------
        field : array, shape (D, ...)
            The gradient field, C-contiguous.
        step : float
            Cost of a gradient.
        out : array, shape (D, ...)
            Receives the result.
        """
        shrink_hard(field, step, field.shape[0], out)


@dataclass(frozen=True)
class TwoTone:
    r"""Text: sharp edges, and pixels of one of two tones.

    .. math:: \phi(u) = \sum_i \lVert (\nabla u)_i \rVert_2 + \kappa \sum_i \min(|u_i - a|, |u_i - b|)

    The proximal step of the second part moves a pixel towards the nearer tone, but not past it.

    The energy is not convex. The solver starts from the minimiser of total variation, so that each pixel starts nearer
    to the tone that the data suggest. Give the tones if you know them: where strokes are narrower than the blur or
    noise is strong, total variation leaves strokes grey, and tones estimated from it are too close together.

    Attributes
    ----------
    tones : (float, float) or None
        The tones, within the bounds, in units of the image. None estimates them from the restoration by total
        variation: a tenth of its darker pixels are darker, and a tenth of its brighter pixels are brighter.
    pull : float
        Weight :math:`\kappa`, per pixel.

    Examples
    --------
    >>> import numpy as np, deconv
    >>> deconv.priors.TwoTone((0.0, 1.0), pull=0.5).energy(np.full((4, 4), 0.25))
    2.0
    """

    tones: tuple[float, float] | None = None
    pull: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "pull", real(self.pull, "pull", above=0.0))
        if self.tones is None:
            return
        try:
            dark, bright = self.tones
        except (TypeError, ValueError):
            raise TypeError(f"tones must be two numbers (dark, bright) or None, got {self.tones!r}") from None
        dark, bright = real(dark, "dark of tones"), real(bright, "bright of tones")
        if not dark < bright:
            raise ValueError(f"tones must be (dark, bright) with dark < bright, got {self.tones!r}")
        object.__setattr__(self, "tones", (dark, bright))

    @property
    def start(self) -> TotalVariation:
        """Total variation."""
        return TotalVariation()

    def fitted(self, picture: Array) -> "TwoTone":
        """The prior itself or, if it has no tones, with those of an image.

        Parameters
        ----------
        picture : array
            A restored image.

        Returns
        -------
        TwoTone
            With tones.
        """
        return self if self.tones is not None else replace(self, tones=_two_tones(picture))

    @accepts_torch
    def energy(self, u: Array) -> float:
        """Sum of the gradient's lengths, and of the distances to the nearer tone.

        Parameters
        ----------
        u : array, shape (M,), (M, N) or (L, M, N)
            An image, taken as periodic.

        Returns
        -------
        float
            The energy.
        """
        values = as_image(u, "u", ndim=(1, 2, 3))
        xp = array_namespace(values)
        dark, bright = self.tones or _two_tones(values)
        distance = xp.minimum(xp.abs(values - dark), xp.abs(values - bright))
        return float(xp.sum(_lengths(values))) + self.pull * float(xp.sum(distance))

    def shrink(self, field: Any, step: float, out: Any) -> None:
        """Shorten each gradient by `step`.

        Parameters
        ----------
        field : array, shape (D, ...)
            The gradient field, C-contiguous.
        step : float
            Amount.
        out : array, shape (D, ...)
            Receives the result.
        """
        shrink_tv(field, step, field.shape[0], out)

    def shrink_image(self, image: Any, step: float, low: float, high: float, out: Any) -> None:
        """Move each pixel by ``pull * step`` towards the nearer tone, and clip to the bounds.

        Parameters
        ----------
        image : array
            The image, C-contiguous.
        step : float
            Weight over penalty of the split.
        low, high : float
            The bounds.
        out : array
            Receives the result.
        """
        if self.tones is None:
            raise ValueError("TwoTone has no tones yet: give them, or take fitted(picture)")
        dark, bright = self.tones
        shrink_two_tone(image, self.pull * step, dark, bright, low, high, out)


def _two_tones(image: Any) -> tuple[float, float]:
    """Dark and bright tone of an image: outer deciles of the classes below and above the midpoint of their means."""
    xp = array_namespace(image)
    flat = xp.sort(xp.reshape(image, (-1,)))
    count = flat.shape[0]
    below = count // 2
    for _ in range(50):
        # Lloyd's algorithm for two means; the classes are the two ends of the sorted pixels.
        dark, bright = float(xp.mean(flat[: max(below, 1)])), float(xp.mean(flat[min(below, count - 1) :]))
        before, below = below, int(xp.sum(xp.astype(flat <= (dark + bright) / 2, xp.int64)))
        if below == before:
            break
    dark, bright = float(flat[below // 10]), float(flat[count - 1 - (count - below) // 10])
    # A flat image has one tone; the second is the next larger float.
    return dark, max(bright, float(np.nextafter(dark, np.inf)))
