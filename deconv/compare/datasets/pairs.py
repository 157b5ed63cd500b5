"""Images in folders: pairs of blurred and sharp ones, or blurred ones alone."""

from pathlib import Path

from deconv.compare.datasets.base import dataset_name
from deconv.compare.datasets.files import FilePictures, ItemFiles, existing_folder, find_pictures, find_text
from deconv.compare.protocol import Problem

__all__ = ["pairs", "pictures"]


def pairs(
    path: str | Path,
    *,
    blurred: str = "blurred",
    sharp: str = "sharp",
    name: str | None = None,
    border: int = 16,
    gamma: float = 2.2,
    limit: int | None = None,
) -> FilePictures:
    """Pairs of files with the same stem in two folders; the true text may be in a .txt file beside either.

    A sharp image may be larger by a whole factor, the scale at which results are expected.
    """
    layout = f"pairs are wanted as {blurred}/NAME.png and {sharp}/NAME.png"
    folder = existing_folder(path, layout)
    partners = {p.stem: p for p in find_pictures(existing_folder(folder / sharp, layout))}
    paths = find_pictures(existing_folder(folder / blurred, layout))
    if not paths:
        raise Problem(f"there are no pictures in {folder / blurred}; {layout}")
    if alone := [p for p in paths if p.stem not in partners]:
        raise Problem(f"{alone[0]} has no partner in {folder / sharp}; {layout}")
    sources = [(p.stem, ItemFiles(p, partners[p.stem], text=find_text(p, partners[p.stem]))) for p in paths]
    return FilePictures(dataset_name(name, path), sources, border=border, gamma=gamma, limit=limit)


def pictures(
    path: str | Path, *, name: str | None = None, gamma: float = 2.2, limit: int | None = None
) -> FilePictures:
    """Your own blurred images; the only ground truth is their text, if there is a .txt file with the same stem."""
    layout = "blurred pictures are wanted as NAME.png, with their true text in NAME.txt if it is known"
    folder = existing_folder(path, layout)
    sources = [(p.stem, ItemFiles(p, text=find_text(p))) for p in find_pictures(folder)]
    if not sources:
        raise Problem(f"there are no pictures in {folder}; {layout}")
    return FilePictures(dataset_name(name, path), sources, border=0, gamma=gamma, limit=limit)
