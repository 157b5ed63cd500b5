"""Restoration with a known PSF by the last step of the free-form pipeline, as a reference for comparisons."""

from deconv._core.array import Array, Result, array_namespace
from deconv.blind.natural import restore

__all__ = ["restore_known_psf"]


def restore_known_psf(light: Array, psf: Array, *, prior: str, channel_axis: int | None = None) -> Result:
    """Restore linear light with a given PSF, as `deblur` does once it has estimated a free-form PSF.

    Parameters
    ----------
    light : array, shape (M, N[, C])
        Linear light, 1 being the level at which it is clipped.
    psf : array, shape (m, n)
        The PSF, centred at index ``n // 2``; sum 1.
    prior : {"text", "natural"}
        What the scene shows.
    channel_axis : int, optional
        Axis of the colours.

    Returns
    -------
    array, shape of `light`
        The restored light, not negative.
    """
    xp = array_namespace(light)
    if channel_axis is None:
        (plane,), _ = restore([light], psf, prior=prior, report=lambda part: None)
        return plane
    colours = xp.moveaxis(light, channel_axis, 0)
    planes = [xp.asarray(colours[c, ...], copy=True) for c in range(colours.shape[0])]
    planes, _ = restore(planes, psf, prior=prior, report=lambda part: None)
    return xp.stack(planes, axis=channel_axis)
