"""Our own methods: from an encoded picture to an encoded picture, whatever each of them works on."""

import numpy as np

import deconv
from deconv.compare._protocol import Problem

__all__ = ["FUNCTIONS", "WITH_PSF"]


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


def _deblur_known(light, psf, channel_axis, prior="text"):
    """The last step of `deconv.blind.deblur` with a free PSF, by the true one."""
    from deconv.blind._final import restore

    planes = [light] if channel_axis is None else [light[..., c].copy() for c in range(light.shape[-1])]
    planes, _ = restore(planes, psf, prior=prior, report=lambda part: None)
    return planes[0] if channel_axis is None else np.stack(planes, axis=-1)


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
    "deblur_known": _with_psf(_deblur_known),
}
# By the names that a TOML gives them.
FUNCTIONS = WITH_PSF | {"deblur": _deblur}
