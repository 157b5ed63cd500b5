"""Our own methods: from an encoded picture to an encoded picture, whatever each of them works on."""

import math

import numpy as np

import deconv
from deconv.compare.protocol import Problem

__all__ = ["FUNCTIONS", "WITH_PSF"]

# What is called a disc: so like one (the cosine of the angle between the two), of an edge no softer, as part of the
# radius, and no smaller. Half a disc and half an octagon are like one to 0.9997, Gaussians to 0.9989 at the most, for
# which the edge must be as soft as it may, plain octagons of 6 pixels to 0.997; smaller ones are not told apart.
_ALIKE, _SOFTEST, _SMALLEST = 0.999, 0.5, 1.0


def _with_psf(restore, *, random=False):
    """A method that is told the PSF, and works on light; the seed too, if it is random."""

    def method(image, context, **parameters):
        if context.psf is None:
            raise Problem("it needs the PSF, and nobody knows it for this picture")
        if random:
            parameters = {"rng": context.seed} | parameters
        light = deconv.tone.decode(image, context.gamma)
        restored = restore(light, context.psf.astype(light.dtype), _channels(image), **parameters)
        return np.clip(deconv.tone.encode(np.clip(restored, 0, None), context.gamma), 0, 1)

    return method


def _wiener(light, psf, channel_axis, **parameters):
    return deconv.wiener(light, psf, channel_axis=channel_axis, **parameters)


def _unsupervised_wiener(light, psf, channel_axis, **parameters):
    return deconv.unsupervised_wiener(light, psf, channel_axis=channel_axis, **parameters).image


def _richardson_lucy(light, psf, channel_axis, **parameters):
    return deconv.richardson_lucy(np.clip(light, 0, None), psf, channel_axis=channel_axis, **parameters)


def _variational(light, psf, channel_axis, prior="TotalVariation", **parameters):
    """The name of one of `deconv.priors` stands for it."""
    if prior not in deconv.priors.__all__:
        raise Problem(f"prior must be one of {', '.join(deconv.priors.__all__)}, got {prior!r}")
    made = getattr(deconv.priors, prior)()
    return deconv.variational(light, psf, prior=made, channel_axis=channel_axis, **parameters).image


def _deblur_known(image, context, prior="text"):
    """`deconv.blind.deblur` without its search: text out of focus by the radius of the disc, all else by the PSF."""
    radius = None if context.psf is None or prior != "text" else _disc(context.psf)
    side = min(image.shape[:2])
    # (Pictures that it refuses are left to what refuses none.)
    if radius is not None and side >= deconv.blind._LEAST and radius <= side / 2 and np.ptp(image) > 0:
        found = deconv.blind.deblur(image, radius=radius, gamma=context.gamma, channel_axis=_channels(image))
        # What it takes for no text is restored by the PSF as it is, not by a disc that is like it.
        if found.prior == "text":
            return np.clip(found.image, 0, 1)
    return _last_step(image, context, prior=prior)


def _final(light, psf, channel_axis, prior):
    """The last step of `deconv.blind.deblur` with a free PSF, by the true one."""
    from deconv.blind.natural import restore

    planes = [light] if channel_axis is None else [light[..., c].copy() for c in range(light.shape[-1])]
    planes, _ = restore(planes, psf, prior=prior, report=lambda part: None)
    return planes[0] if channel_axis is None else np.stack(planes, axis=-1)


_last_step = _with_psf(_final)


def _disc(psf):
    """The radius of the disc, its edge soft or not, that a PSF is; None if it is none."""
    from scipy.optimize import least_squares

    psf = psf / psf.sum(dtype=np.float64)
    y, x = (np.arange(n) - n // 2 for n in psf.shape)
    # Mean squares of the distance: of a disc half the square of its radius, of a pixel 1/6.
    start = math.sqrt(max(2 * float((psf * (y[:, None] ** 2 + x**2)).sum()) - 1 / 3, 0.0))
    if start < _SMALLEST:
        return None
    half = max(math.ceil(4 * start) + 3, *(n // 2 for n in psf.shape))

    def made(numbers):
        radius, softness = numbers
        return _placed(deconv.psf.disk(radius, softness=softness * radius), half)

    true = _placed(psf, half)
    found = least_squares(
        lambda numbers: (made(numbers) - true).ravel(),
        (start, 0.09),
        bounds=((0.5 * start, 0.0), (1.2 * start, _SOFTEST)),
        x_scale=(start, 0.1),
        diff_step=1e-3,
    ).x
    disc = made(found)
    alike = float((disc * true).sum()) / math.sqrt(float((disc**2).sum()) * float((true**2).sum()))
    return float(found[0]) if alike > _ALIKE and found[0] >= _SMALLEST else None


def _placed(psf, half):
    """A PSF in the middle of a square."""
    square = np.zeros((2 * half + 1, 2 * half + 1))
    square[tuple(slice(half - n // 2, half - n // 2 + n) for n in psf.shape)] = psf
    return square


def _deblur(image, context, **parameters):
    """Blind: what is known of the encoding is not told either."""
    found = deconv.blind.deblur(image, channel_axis=_channels(image), **parameters)
    return np.clip(found.image, 0, 1), None if found.family == "none" else found.psf


def _channels(image):
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
