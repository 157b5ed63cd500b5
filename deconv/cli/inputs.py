"""Input files other than the pictures: PSFs and true text."""

from pathlib import Path
from typing import Any

import deconv

__all__ = ["read_psf", "read_text"]


def read_psf(path: Path) -> Any:
    """A known PSF from a .npy file or a picture, whose values are weights; its centre of mass is put in the middle."""
    import numpy as np

    from deconv._core import files

    if path.suffix.lower() != ".npy":
        pixels = files.read(path).pixels
        return deconv.psf.centre(pixels if pixels.ndim == 2 else pixels.mean(axis=-1))
    try:
        weights = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        raise files.FileProblem(f"{path} is not a NumPy file of numbers") from None
    if not isinstance(weights, np.ndarray) or weights.ndim != 2:
        raise files.FileProblem(f"{path} must hold one array of two axes")
    return deconv.psf.centre(weights)


def read_text(path: Path) -> list[str]:
    """The lines of a text file that are not blank."""
    from deconv._core import files

    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise files.FileProblem(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise files.FileProblem(f"{path} is not a text file in UTF-8") from None
    lines = [line for line in lines if line.strip()]
    if not lines:
        raise files.FileProblem(f"{path} holds no text")
    return lines
