"""The photographs of the Helsinki Deblur Challenge 2021."""

import csv
import dataclasses
import re

from deconv import degrade
from deconv.compare.datasets.files import Files, InFiles, beside, folder_of, pictures_in
from deconv.compare.datasets.pictures import titled
from deconv.compare.protocol import Problem

__all__ = ["hdc"]

_PUBLISHED = (
    "the photographs of the Helsinki Deblur Challenge 2021 are published at https://doi.org/10.5281/zenodo.4916176, to "
    "be unpacked as step4/Times/CAM02/focusStep_4_*_sample_0001.tif with CAM01 (sharp, and the .txt) beside CAM02, or "
    "laid flat as *step04*_blur.png, *step04*_sharp.png and .txt"
)
_STEP = re.compile(r"step[_-]?(\d+)", re.IGNORECASE)
# Of each step the archive has photographs of a point and of two edges as well.
_CALIBRATION = re.compile(r"psf|lsf", re.IGNORECASE)


def hdc(path, *, name=None, border=16, gamma=2.2, limit=None):
    """The photographs below a folder, as in the public archive or flat, by their steps, which are the level.

    Of the archive `path` may also be a part, as one step. The texts of flat photographs may be in a table
    ``truth.csv`` (file, line1, line2, line3) as well; those in which it has a ``?`` count as not known.

    The PSF of each step is what was measured of it on published photographs, as `deconv.degrade.hdc_photo` has it.
    """
    folder = folder_of(path, _PUBLISHED)
    found = [
        p for p in pictures_in(folder, deep=True) if _step(p, folder) is not None and not _CALIBRATION.search(p.stem)
    ]
    in_archive = [p for p in found if p.parent.name == "CAM02"]
    known = [_in_archive(p, folder) for p in in_archive] or _flat(found, folder)
    if not known:
        raise Problem(f"no photographs with a step in their names lie below {folder}; {_PUBLISHED}")
    known.sort(key=lambda pair: (pair[1].level, pair[1].image))
    return _Photographs(titled(name, path), known, border=border, gamma=gamma, limit=limit)


class _Photographs(InFiles):
    """With the PSF of their step, on frames of any size."""

    def _item(self, name, known):
        item = super()._item(name, known)
        if item.level not in range(degrade.hdc.HDC_STEPS):
            return item
        psf, _, _ = degrade.hdc.hdc_psf(int(item.level), degrade.hdc.HDC_WIDTH / item.image.shape[1])
        return dataclasses.replace(item, psf=psf)


def _step(path, folder):
    """The last step in the name of a picture below a folder, or else in that of the folder; None if there is none."""
    named = _STEP.findall(path.relative_to(folder).as_posix()) or _STEP.findall(folder.resolve().as_posix())
    return float(named[-1]) if named else None


def _in_archive(path, folder):
    sharp = path.parents[1] / "CAM01" / path.name
    text = beside(sharp, path)
    return path.stem, Files(path, sharp if sharp.is_file() else None, text=text, level=_step(path, folder))


def _flat(found, folder):
    sharp = {(p.parent, p.stem.removesuffix("_sharp")): p for p in found if p.stem.endswith("_sharp")}
    texts = _table(folder) or _table(folder.parent)
    known = []
    for path in found:
        stem = path.stem.removesuffix("_blur")
        if path not in sharp.values():
            true = sharp.get((path.parent, stem))
            text = beside(path, true, path.with_stem(stem)) or texts.get(path.resolve())
            files = Files(path, true, text=text, level=_step(path, folder))
            known.append(("-".join((*path.relative_to(folder).parts[:-1], stem)), files))
    return known


def _table(folder):
    """Lines of truth.csv by the paths of the pictures."""
    path = folder / "truth.csv"
    if not path.is_file():
        return {}
    with path.open(newline="", encoding="utf-8-sig") as file:
        table = csv.DictReader(file)
        if missing := {"file", "line1", "line2", "line3"} - set(table.fieldnames or ()):
            raise Problem(f"{path} has no column {min(missing)}")
        texts = {row["file"]: tuple((row[f"line{n}"] or "").rstrip() for n in (1, 2, 3)) for row in table}
    return {(folder / name).resolve(): lines for name, lines in texts.items() if "?" not in "".join(lines)}
