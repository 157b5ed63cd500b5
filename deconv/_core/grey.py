"""Any picture as grey values on the host, as readers and scorers take it."""

import numpy as np

from deconv._core.array import as_image, to_numpy

__all__ = ["grey"]


def grey(image, channel_axis=None, name="image"):
    """Picture as host floats (M, N) clipped to [0, 1]; colours are weighed as Pillow does (ITU-R 601)."""
    image = to_numpy(as_image(image, name, channel_axis=channel_axis))
    if channel_axis is not None:
        image = np.moveaxis(image, channel_axis, -1)
        channels = image.shape[-1]
        if channels not in (1, 2, 3, 4):
            raise ValueError(f"{name} must have 1 to 4 channels, got {channels} along channel_axis {channel_axis}")
        image = image[..., :3] @ np.asarray([0.299, 0.587, 0.114], image.dtype) if channels > 2 else image[..., 0]
    return np.clip(image, 0, 1)
