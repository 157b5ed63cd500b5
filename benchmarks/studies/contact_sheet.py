"""Pictures of the ladder on one sheet: blurred, restored, the PSF, and the text that was read."""

import numpy as np

from benchmarks.studies import runs

_ROW, _COLUMNS = 1.5, (2.4, 2.4, 1.2, 3.0)  # inches


def draw(rows, out, path):
    """Draw the sheet of those rows of the ladder, of which `runs` has kept copies in `out`."""
    entries = []
    for row in rows:
        radius = "" if row.radius is None else f", radius {row.radius:.1f}"
        told = (f"{row.picture}: {row.score}{radius}", *row.read[:5], f"true: {' / '.join(row.lines)}")
        entries.append((runs.kept(out, row.picture), told))
    sheet(entries, path)


def sheet(entries, path):
    """Draw the sheet of some copies, a file and lines of text for each; those whose file is missing are left out."""
    from matplotlib.figure import Figure

    entries = [(file, told) for file, told in entries if file.is_file()]
    if not entries:
        return
    figure = Figure(figsize=(sum(_COLUMNS), _ROW * len(entries)), layout="constrained")
    axes = figure.subplots(len(entries), len(_COLUMNS), width_ratios=_COLUMNS, squeeze=False)
    for (file, told), line in zip(entries, axes, strict=True):
        with np.load(file) as copies:
            small = dict(copies)
        for axis, name in zip(line, ("blurred", "restored"), strict=False):
            axis.imshow(small[name], cmap="gray", vmin=0, vmax=255)
        # The PSF in a window of one size, so that the discs compare.
        side = round(0.2 * small["blurred"].shape[1])
        line[2].imshow(_centred(small["psf"], side), cmap="gray", vmin=0, vmax=255)
        line[3].text(0, 0.5, "\n".join(told), va="center", fontsize=8, parse_math=False)
        for axis in line:
            axis.set_axis_off()
    figure.savefig(path, dpi=100)


def _centred(psf, side):
    """`psf` in the middle of a black square, cut where it is larger."""
    window = np.zeros((side, side), psf.dtype)
    n = min(side, psf.shape[0])
    at, start = (side - n) // 2, (psf.shape[0] - n) // 2
    window[at : at + n, at : at + n] = psf[start : start + n, start : start + n]
    return window
