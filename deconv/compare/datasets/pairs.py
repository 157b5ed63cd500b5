"""Pictures in folders: blurred and sharp ones by the same names, or blurred ones alone."""

from deconv.compare.datasets.files import Files, InFiles, beside, folder_of, pictures_in
from deconv.compare.datasets.pictures import titled
from deconv.compare.protocol import Problem

__all__ = ["pairs", "pictures"]


def pairs(path, *, blurred="blurred", sharp="sharp", name=None, border=16, gamma=2.2, limit=None):
    """Pairs of the same stem in two folders of those names; stem.txt beside either holds the text, where there is one.

    A sharp picture may be larger by a whole factor, the scale at which results are wanted.
    """
    wanted = f"pairs are wanted as {blurred}/NAME.png and {sharp}/NAME.png"
    folder = folder_of(path, wanted)
    true = {p.stem: p for p in pictures_in(folder_of(folder / sharp, wanted))}
    found = pictures_in(folder_of(folder / blurred, wanted))
    if not found:
        raise Problem(f"there are no pictures in {folder / blurred}; {wanted}")
    if alone := [p for p in found if p.stem not in true]:
        raise Problem(f"{alone[0]} has no partner in {folder / sharp}; {wanted}")
    known = [(p.stem, Files(p, true[p.stem], text=beside(p, true[p.stem]))) for p in found]
    return InFiles(titled(name, path), known, border=border, gamma=gamma, limit=limit)


def pictures(path, *, name=None, gamma=2.2, limit=None):
    """Your own pictures, blurred, of which nothing is known but what they say, where there is a stem.txt beside."""
    wanted = "blurred pictures are wanted as NAME.png with, if it is known what they say, NAME.txt"
    folder = folder_of(path, wanted)
    known = [(p.stem, Files(p, text=beside(p))) for p in pictures_in(folder)]
    if not known:
        raise Problem(f"there are no pictures in {folder}; {wanted}")
    return InFiles(titled(name, path), known, border=0, gamma=gamma, limit=limit)
