"""The photographs of the Helsinki Deblur Challenge 2021."""

import csv
import dataclasses
import re
from pathlib import Path

from deconv import degrade
from deconv.compare.datasets.base import dataset_name
from deconv.compare.datasets.files import FilePictures, ItemFiles, existing_folder, find_pictures, find_text
from deconv.compare.protocol import Item, Problem

__all__ = ["hdc"]

_PUBLISHED = (
    "the photographs of the Helsinki Deblur Challenge 2021 are published at https://doi.org/10.5281/zenodo.4916176, to "
    "be unpacked as step4/Times/CAM02/focusStep_4_*_sample_0001.tif with CAM01 (sharp, and the .txt) beside CAM02, or "
    "laid flat as *step04*_blur.png, *step04*_sharp.png and .txt"
)
_STEP = re.compile(r"step[_-]?(\d+)", re.IGNORECASE)
# For each step the archive also has photographs of a point and of two edges.
_CALIBRATION = re.compile(r"psf|lsf", re.IGNORECASE)


def hdc(
    path: str | Path, *, name: str | None = None, border: int = 16, gamma: float = 2.2, limit: int | None = None
) -> FilePictures:
    """The photographs below a folder, in the layout of the public archive or not; the level is the step.

    `path` may also be a part of the archive, such as one step. The texts of photographs in one folder may be in a table
    ``truth.csv`` (file, line1, line2, line3); lines with a ``?`` count as unknown.

    The PSF of each step is the one measured on published photographs, as in `deconv.degrade.hdc_photo`.
    """
    folder = existing_folder(path, _PUBLISHED)
    photos = [
        p for p in find_pictures(folder, deep=True) if _step(p, folder) is not None and not _CALIBRATION.search(p.stem)
    ]
    in_archive = [p for p in photos if p.parent.name == "CAM02"]
    sources = [_in_archive(p, folder) for p in in_archive] or _flat(photos, folder)
    if not sources:
        raise Problem(f"no photographs with a step in their names lie below {folder}; {_PUBLISHED}")
    sources.sort(key=lambda source: (source[1].level, source[1].image))
    return _Photographs(dataset_name(name, path), sources, border=border, gamma=gamma, limit=limit)


class _Photographs(FilePictures):
    """Photographs with the PSF of their step, scaled to the size of the frame."""

    def _load(self, name: str, source: ItemFiles) -> Item:
        item = super()._load(name, source)
        if item.level is None or item.level not in range(degrade.hdc.HDC_STEPS):
            return item
        psf, _, _ = degrade.hdc.hdc_psf(int(item.level), degrade.hdc.HDC_WIDTH / item.image.shape[1])
        return dataclasses.replace(item, psf=psf)


def _step(path: Path, folder: Path) -> float | None:
    """The last step named in the path below the folder, or else in the folder's own path; None if there is none."""
    steps = _STEP.findall(path.relative_to(folder).as_posix()) or _STEP.findall(folder.resolve().as_posix())
    return float(steps[-1]) if steps else None


def _in_archive(path: Path, folder: Path) -> tuple[str, ItemFiles]:
    sharp = path.parents[1] / "CAM01" / path.name
    text = find_text(sharp, path)
    return path.stem, ItemFiles(path, sharp if sharp.is_file() else None, text=text, level=_step(path, folder))


def _flat(photos: list[Path], folder: Path) -> list[tuple[str, ItemFiles]]:
    sharp = {(p.parent, p.stem.removesuffix("_sharp")): p for p in photos if p.stem.endswith("_sharp")}
    texts = _read_table(folder) or _read_table(folder.parent)
    sources = []
    for path in photos:
        stem = path.stem.removesuffix("_blur")
        if path not in sharp.values():
            true = sharp.get((path.parent, stem))
            text = find_text(path, true, path.with_stem(stem)) or texts.get(path.resolve())
            files = ItemFiles(path, true, text=text, level=_step(path, folder))
            sources.append(("-".join((*path.relative_to(folder).parts[:-1], stem)), files))
    return sources


def _read_table(folder: Path) -> dict[Path, tuple[str, ...]]:
    """Lines of truth.csv by the paths of the images."""
    path = folder / "truth.csv"
    if not path.is_file():
        return {}
    with path.open(newline="", encoding="utf-8-sig") as file:
        table = csv.DictReader(file)
        if missing := {"file", "line1", "line2", "line3"} - set(table.fieldnames or ()):
            raise Problem(f"{path} has no column {min(missing)}")
        texts = {row["file"]: tuple((row[f"line{n}"] or "").rstrip() for n in (1, 2, 3)) for row in table}
    return {(folder / name).resolve(): lines for name, lines in texts.items() if "?" not in "".join(lines)}
