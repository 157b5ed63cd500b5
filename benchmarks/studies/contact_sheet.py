"""Contact sheets of results: blurred, restored, PSF and lines of text; and the reduced copies that they show."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from deconv._core.array import as_image
from deconv._core.resample import at_scale
from deconv.compare.protocol import Row
from deconv.compare.table import slug

_WIDTH = 472  # of the copies, in pixels
_ROW, _COLUMNS = 1.5, (2.4, 2.4, 1.2, 3.0)  # inches


def keep(path: Path, blurred: np.ndarray, restored: np.ndarray, psf: np.ndarray) -> None:
    """Save reduced copies in a file of that name, and the PSF at the same scale."""
    factor = blurred.shape[1] / _WIDTH
    small_psf, _ = at_scale(as_image(psf), factor)
    small_psf = _bytes(small_psf / small_psf.max())
    np.savez_compressed(
        with_suffix(path), psf=small_psf, blurred=_small(blurred, factor), restored=_small(restored, factor)
    )


def kept(out: Path, row: Row) -> Path:
    """Path of the copies of a row in the folder of a run."""
    return with_suffix(out / "restored" / slug(row.dataset) / slug(row.method) / row.item)


def with_suffix(path: Path) -> Path:
    """The file of the copies; picture names may contain dots."""
    return path.with_name(f"{path.name}.npz")


def _small(image: np.ndarray, factor: float) -> np.ndarray:
    planes = np.moveaxis(np.atleast_3d(image), 2, 0)
    return _bytes(np.stack([at_scale(as_image(plane), factor)[0] for plane in planes], 2).squeeze())


def _bytes(image: np.ndarray) -> np.ndarray:
    return np.rint(255 * np.clip(image, 0, 1)).astype(np.uint8)


def sheet(entries: Iterable[tuple[Path, Sequence[str]]], path: Path) -> None:
    """Draw the sheet of some copies, each a file and lines of text; missing files are skipped."""
    from matplotlib.figure import Figure

    entries = [(file, text) for file, text in entries if file.is_file()]
    if not entries:
        return
    figure = Figure(figsize=(sum(_COLUMNS), _ROW * len(entries)), layout="constrained")
    axes = figure.subplots(len(entries), len(_COLUMNS), width_ratios=_COLUMNS, squeeze=False)
    for (file, text), line in zip(entries, axes, strict=True):
        with np.load(file) as copies:
            small = dict(copies)
        for axis, name in zip(line, ("blurred", "restored"), strict=False):
            axis.imshow(small[name], cmap="gray", vmin=0, vmax=255)
        # Windows of equal size, so that discs can be compared.
        side = round(0.2 * small["blurred"].shape[1])
        line[2].imshow(_centred(small["psf"], side), cmap="gray", vmin=0, vmax=255)
        line[3].text(0, 0.5, "\n".join(text), va="center", fontsize=8, parse_math=False)
        for axis in line:
            axis.set_axis_off()
    figure.savefig(path, dpi=100)


def _centred(psf: np.ndarray, side: int) -> np.ndarray:
    """`psf` in the middle of a black square, cropped if it is larger."""
    window = np.zeros((side, side), psf.dtype)
    n = min(side, psf.shape[0])
    at, start = (side - n) // 2, (psf.shape[0] - n) // 2
    window[at : at + n, at : at + n] = psf[start : start + n, start : start + n]
    return window
