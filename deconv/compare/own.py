"""Our own methods, from an encoded picture to an encoded picture, whatever each of them works on."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

import deconv
from deconv._core.array import Result
from deconv.compare.protocol import Context, Problem

__all__ = ["FUNCTIONS", "WITH_PSF"]

# What counts as a disc: cosine similarity to the most similar one, its softness over the radius, least radius. The sum
# of half a disc and half an octagon has 0.9997, Gaussians 0.9989 at the most (and need the softest edge), plain
# octagons of 6 pixels 0.997; smaller ones cannot be separated.
_SIMILARITY, _SOFTEST, _SMALLEST = 0.999, 0.5, 1.0

# A method of the type "deconv": picture, context, parameters.
Method = Callable[..., Any]


def _with_psf(restore: Callable[..., Result], *, random: bool = False) -> Method:
    """A method that needs the PSF and works on light; with the seed if it is random."""

    def method(image: np.ndarray, context: Context, **parameters: Any) -> Result:
        if context.psf is None:
            raise Problem("it needs the PSF, and nobody knows it for this picture")
        if random:
            parameters = {"rng": context.seed} | parameters
        light = deconv.tone.decode(image, context.gamma)
        restored = restore(light, context.psf.astype(light.dtype), _channels(image), **parameters)
        return np.clip(deconv.tone.encode(np.clip(restored, 0, None), context.gamma), 0, 1)

    return method


def _wiener(light: np.ndarray, psf: np.ndarray, channel_axis: int | None, **parameters: Any) -> Result:
    return deconv.wiener(light, psf, channel_axis=channel_axis, **parameters)


def _unsupervised_wiener(light: np.ndarray, psf: np.ndarray, channel_axis: int | None, **parameters: Any) -> Result:
    return deconv.unsupervised_wiener(light, psf, channel_axis=channel_axis, **parameters).image


def _richardson_lucy(light: np.ndarray, psf: np.ndarray, channel_axis: int | None, **parameters: Any) -> Result:
    return deconv.richardson_lucy(np.clip(light, 0, None), psf, channel_axis=channel_axis, **parameters)


def _variational(
    light: np.ndarray, psf: np.ndarray, channel_axis: int | None, prior: str = "TotalVariation", **parameters: Any
) -> Result:
    """`deconv.variational` with a prior by its name in `deconv.priors`."""
    if prior not in deconv.priors.__all__:
        raise Problem(f"prior must be one of {', '.join(deconv.priors.__all__)}, got {prior!r}")
    term = getattr(deconv.priors, prior)()
    return deconv.variational(light, psf, prior=term, channel_axis=channel_axis, **parameters).image


def _deblur_known(image: np.ndarray, context: Context, prior: str = "text") -> Result:
    """`deconv.blind.deblur` without its search: text out of focus by the disc's radius, all else by the PSF."""
    radius = None if context.psf is None or prior != "text" else _disc_radius(context.psf)
    if radius is not None and _deblur_accepts(image, radius):
        result = deconv.blind.deblur(image, radius=radius, gamma=context.gamma, channel_axis=_channels(image))
        # What is not text is restored by the PSF itself, not by a disc that is similar.
        if result.prior == "text":
            return np.clip(result.image, 0, 1)
    return _last_step(image, context, prior=prior)


def _deblur_accepts(image: np.ndarray, radius: float) -> bool:
    """Whether `deconv.blind.deblur` takes that picture and radius; the last step takes any."""
    side = min(image.shape[:2])
    least = deconv.blind.Settings().general.smallest_side
    return side >= least and radius <= side / 2 and bool(np.ptp(image) > 0)


def _restore_known_psf(light: np.ndarray, psf: np.ndarray, channel_axis: int | None, prior: str) -> Result:
    from deconv.blind.known import restore_known_psf

    return restore_known_psf(light, psf, prior=prior, channel_axis=channel_axis)


_last_step = _with_psf(_restore_known_psf)


def _disc_radius(psf: np.ndarray) -> float | None:
    """Radius of the disc, its edge soft or not, if the PSF is one; else None."""
    from scipy.optimize import least_squares

    psf = psf / psf.sum(dtype=np.float64)
    y, x = (np.arange(n) - n // 2 for n in psf.shape)
    # Mean square distance from the centre: of a disc half the square of its radius, of a pixel 1/6.
    start = math.sqrt(max(2 * float((psf * (y[:, None] ** 2 + x**2)).sum()) - 1 / 3, 0.0))
    if start < _SMALLEST:
        return None
    half = max(math.ceil(4 * start) + 3, *(n // 2 for n in psf.shape))

    def disc(numbers: np.ndarray) -> Result:
        radius, softness = numbers
        return _in_square(deconv.psf.disk(radius, softness=softness * radius), half)

    true = _in_square(psf, half)
    fitted = least_squares(
        lambda numbers: (disc(numbers) - true).ravel(),
        (start, 0.09),
        bounds=((0.5 * start, 0.0), (1.2 * start, _SOFTEST)),
        x_scale=(start, 0.1),
        diff_step=1e-3,
    ).x
    closest = disc(fitted)
    similarity = float((closest * true).sum()) / math.sqrt(float((closest**2).sum()) * float((true**2).sum()))
    return float(fitted[0]) if similarity > _SIMILARITY and fitted[0] >= _SMALLEST else None


def _in_square(psf: np.ndarray, half: int) -> Result:
    """A PSF in the middle of a square of zeros."""
    square = np.zeros((2 * half + 1, 2 * half + 1))
    square[tuple(slice(half - n // 2, half - n // 2 + n) for n in psf.shape)] = psf
    return square


def _deblur(image: np.ndarray, context: Context, **parameters: Any) -> tuple[np.ndarray, np.ndarray | None]:
    """Blind: the encoding is unknown as well."""
    result = deconv.blind.deblur(image, channel_axis=_channels(image), **parameters)
    return np.clip(result.image, 0, 1), None if result.family == "none" else result.psf


def _channels(image: np.ndarray) -> int | None:
    return None if image.ndim == 2 else -1


WITH_PSF = {
    "wiener": _with_psf(_wiener),
    "unsupervised_wiener": _with_psf(_unsupervised_wiener, random=True),
    "richardson_lucy": _with_psf(_richardson_lucy),
    "variational": _with_psf(_variational),
    "deblur_known": _deblur_known,
}
# By the names that a TOML gives them.
FUNCTIONS = WITH_PSF | {"deblur": _deblur}
