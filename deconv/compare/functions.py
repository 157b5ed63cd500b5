"""The methods of deconv as a comparison calls them: from an encoded image to an encoded image."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

import deconv
from deconv._core.array import Result
from deconv.compare.protocol import Context, Problem

__all__ = ["FUNCTIONS", "WITH_PSF"]

# When a PSF counts as a disc: least cosine similarity to the most similar disc, largest softness over its radius, least
# radius. The mean of a disc and an octagon has a similarity of 0.9997, a Gaussian at most 0.9989 and only with the
# softest edge, an octagon of 6 pixels 0.997; smaller octagons cannot be separated from discs.
_SIMILARITY, _SOFTEST, _SMALLEST = 0.999, 0.5, 1.0

# Called as ``function(image, context, **parameters)``.
Function = Callable[..., Any]


def _with_psf(restore: Callable[..., Result], *, random: bool = False) -> Function:
    """Adapt a function that takes linear light and the PSF; it gets the seed too if it is `random`."""

    def function(image: np.ndarray, context: Context, **parameters: Any) -> Result:
        if context.psf is None:
            raise Problem("it needs the PSF, which is unknown for this picture")
        if random:
            parameters = {"rng": context.seed} | parameters
        light = deconv.tone.decode(image, context.gamma)
        restored = restore(light, context.psf.astype(light.dtype), _channels(image), **parameters)
        return np.clip(deconv.tone.encode(np.clip(restored, 0, None), context.gamma), 0, 1)

    return function


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
    """`deconv.blind.deblur` without its search: defocused text by the disc's radius, all else by the PSF itself."""
    radius = None if context.psf is None or prior != "text" else _disc_radius(context.psf)
    if radius is not None and _deblur_accepts(image, radius):
        result = deconv.blind.deblur(image, radius=radius, gamma=context.gamma, channel_axis=_channels(image))
        # Other images are restored with the PSF itself rather than with a similar disc.
        if result.prior == "text":
            return np.clip(result.image, 0, 1)
    return _last_step(image, context, prior=prior)


def _deblur_accepts(image: np.ndarray, radius: float) -> bool:
    """Whether `deconv.blind.deblur` accepts the image and the radius; the last step accepts any."""
    side = min(image.shape[:2])
    least = deconv.blind.Settings().general.smallest_side
    return side >= least and radius <= side / 2 and bool(np.ptp(image) > 0)


def _restore_known_psf(light: np.ndarray, psf: np.ndarray, channel_axis: int | None, prior: str) -> Result:
    from deconv.blind.known import restore_known_psf

    return restore_known_psf(light, psf, prior=prior, channel_axis=channel_axis)


_last_step = _with_psf(_restore_known_psf)


def _disc_radius(psf: np.ndarray) -> float | None:
    """Radius of the PSF if it is a disc, with a soft edge or a sharp one; else None."""
    from scipy.optimize import least_squares

    psf = psf / psf.sum(dtype=np.float64)
    y, x = (np.arange(n) - n // 2 for n in psf.shape)
    # The mean square distance from the centre is half the squared radius for a disc, and 1/6 for a pixel.
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
    """`deconv.blind.deblur`; the encoding is unknown as well as the PSF."""
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
# By the value of ``function`` in a TOML file.
FUNCTIONS = WITH_PSF | {"deblur": _deblur}
