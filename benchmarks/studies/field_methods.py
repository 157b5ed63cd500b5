"""The default call on a picture of the field set, and what it says of its result."""

import math
from typing import Any

import numpy as np

import deconv
from benchmarks.studies import study
from deconv.cli import describe
from deconv.compare import memory
from deconv.compare.protocol import Context, Method


def blind(name: str, settings: dict[str, Any]) -> Method:
    """The default call with some settings changed."""
    return study.method(name, "field_methods:restored", settings=settings)


def restored(
    image: np.ndarray, context: Context, settings: dict[str, Any]
) -> tuple[np.ndarray, np.ndarray | None, dict[str, Any]]:
    """`deconv.blind.deblur` and what it says of its result."""
    changed = deconv.blind.Settings().replace(settings) if settings else None
    result = deconv.blind.deblur(image, channel_axis=None if image.ndim == 2 else 2, settings=changed)
    sentences = [describe.blur(result)] + ([describe.restoration(result)] if result.family != "none" else [])
    said = {
        "told": result.family,
        "parameters": {name: float(value) for name, value in result.parameters.items()},
        "uncertainty": _finite(result.uncertainty),
        "readability": _finite(result.readability),
        "prior": result.prior,
        "sentence": " / ".join(sentences),
        "peak": memory.peak(),
    }
    return result.image, None if result.family == "none" else result.psf, said


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
