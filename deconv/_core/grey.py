"""Convert any image to luma on the host, for reading and scoring."""

from typing import Any

import numpy as np

from deconv._core.array import Array, as_image, to_numpy

__all__ = ["grey"]


def grey(image: Array, channel_axis: int | None = None, name: str = "image") -> Any:
    """Image as host floats (M, N) clipped to [0, 1]; colours are weighted as in Pillow (ITU-R 601)."""
    values = to_numpy(as_image(image, name, channel_axis=channel_axis))
    if channel_axis is not None:
        values = np.moveaxis(values, channel_axis, -1)
        channels = values.shape[-1]
        if channels not in (1, 2, 3, 4):
            raise ValueError(f"{name} must have 1 to 4 channels, got {channels} along channel_axis {channel_axis}")
        luma = np.asarray([0.299, 0.587, 0.114], values.dtype)
        values = values[..., :3] @ luma if channels > 2 else values[..., 0]
    return np.clip(values, 0, 1)
