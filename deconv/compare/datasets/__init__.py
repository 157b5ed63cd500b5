"""Data sets, opened by a one-line specification or a TOML file: simulated images, and loaders for files on disk."""

import inspect
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from deconv.compare.datasets.hdc import hdc
from deconv.compare.datasets.ladder import Ladder
from deconv.compare.datasets.lmdb import Words
from deconv.compare.datasets.pairs import pairs, pictures
from deconv.compare.datasets.pan import pan
from deconv.compare.datasets.plates import Plates
from deconv.compare.datasets.synthetic import Synthetic
from deconv.compare.protocol import Dataset, Problem

__all__ = ["load_datasets", "open_dataset"]

_KINDS: dict[str, Callable[..., Dataset]] = {
    "synthetic": Synthetic,
    "ladder": Ladder,
    "hdc": hdc,
    "pairs": pairs,
    "pan": pan,
    "lmdb": Words,
    "plates": Plates,
    "pictures": pictures,
}
_SIMULATED = ("synthetic", "ladder")
_ON_DISK = [kind for kind in _KINDS if kind not in _SIMULATED]


def open_dataset(spec: str = "synthetic", *, limit: int | None = None) -> Dataset:
    """Open a data set by a one-line specification.

    =============  ===============================================================================================
    ``synthetic``  simulated pages and scenes of increasing blur; ``synthetic:N``, N images
    ``ladder``     the Helsinki Deblur Challenge simulated, each of its 20 steps once; ``ladder:N``, N times
    ``hdc``        photographs of the Helsinki Deblur Challenge 2021, in the layout of its archive or in one folder
    ``pairs``      folders ``blurred/`` and ``sharp/`` of images of the same names
    ``pan``        the text set of Pan et al., ``imNN_kerMM``
    ``lmdb``       words of TextZoom and the like, a folder with ``data.mdb``
    ``plates``     sharp images of licence plates, each blurred a hundred times by `deconv.degrade.random_blur`
    ``pictures``   your own blurred images, with their true text in ``NAME.txt`` if it is known
    =============  ===============================================================================================

    Parameters
    ----------
    spec : str
        ``"synthetic"``, ``"synthetic:N"``, ``"ladder"``, ``"ladder:N"``, or ``"KIND:PATH"`` with another kind and a
        folder.
    limit : int, optional
        Largest number of images, spread evenly over the set.

    Returns
    -------
    Dataset
        Images are decoded when they are loaded.

    Raises
    ------
    Problem
        If there is no such data set; the message gives the expected layout, and where the data are published.

    Examples
    --------
    >>> import deconv.compare
    >>> data = deconv.compare.open_dataset("synthetic:3")
    >>> data.names
    ('00_words_disk_1.5', '04_letters_disk_4.5', '08_leaves_shake_9')
    >>> item = data.load("04_letters_disk_4.5")
    >>> item.level, item.psf.shape, item.gamma
    (4.5, (9, 9), 2.2)
    """
    kind, _, rest = spec.partition(":")
    if kind in _SIMULATED and (not rest or rest.isdecimal()):
        return _create(kind, {"limit": limit} | ({"count": int(rest)} if rest else {}), spec)
    if kind not in _ON_DISK or not rest:
        wanted = f"synthetic, synthetic:N, ladder, ladder:N or KIND:PATH with KIND one of {', '.join(_ON_DISK)}"
        raise Problem(f"there is no data set {spec!r}; {wanted} is wanted")
    return _create(kind, {"path": rest, "limit": limit}, spec)


def load_datasets(path: str | Path) -> list[Dataset]:
    """Open the data sets of a TOML file, each declared in a table ``[[dataset]]``.

    Its ``kind`` is one of those of `open_dataset`, its ``path`` is relative to the folder of the file. All other keys
    are optional: ``name``, ``gamma`` and ``limit``; ``border`` (not for ``pictures``); ``blurred`` and ``sharp``, the
    names of the folders of ``pairs``; ``blurs``, the number of blurs of each of the ``plates``; ``count`` of
    ``synthetic`` and ``ladder``; ``seed`` of these three; ``steps`` (a list) and ``shrink`` (1 to 7; 2 by default, as
    in the challenge before reading) of ``ladder``.

    Parameters
    ----------
    path : str or path
        The file.

    Returns
    -------
    list of Dataset
        In the order of the file.

    Raises
    ------
    Problem
        If the file cannot be read, or one of its data sets cannot be opened.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import deconv.compare
    >>> file = pathlib.Path(tempfile.mkdtemp(), "data.toml")
    >>> _ = file.write_text('''
    ... [[dataset]]
    ... kind = "synthetic"
    ... name = "other pages"
    ... seed = 5
    ... ''')
    >>> [data.name for data in deconv.compare.load_datasets(file)]
    ['other pages']
    """
    path = Path(path)
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Problem(f"cannot read {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Problem(f"{path} is not valid TOML: {error}") from None
    declared = tables.get("dataset")
    if not isinstance(declared, list) or not all(isinstance(table, dict) for table in declared) or not declared:
        raise Problem(f"{path} has no tables [[dataset]]")
    return [_from_table(table, path, number) for number, table in enumerate(declared, start=1)]


def _from_table(table: dict[str, Any], file: Path, number: int) -> Dataset:
    where = f"data set {number} of {file}"
    keys = dict(table)
    kind = keys.pop("kind", None)
    if not isinstance(kind, str) or kind not in _KINDS:
        raise Problem(f"{where} has the kind {kind!r}; one of {', '.join(_KINDS)} is wanted")
    if kind in _ON_DISK:
        if not isinstance(keys.get("path"), str):
            raise Problem(f"{where}, of the kind {kind}, has no path")
        keys["path"] = file.parent / Path(keys["path"]).expanduser()
    known = inspect.signature(_KINDS[kind]).parameters
    if unknown := [key for key in keys if key not in known]:
        raise Problem(f"{where} has a key {unknown[0]!r}; of the kind {kind} there are {', '.join(known)}")
    return _create(kind, keys, where)


def _create(kind: str, keys: dict[str, Any], where: str) -> Dataset:
    try:
        return _KINDS[kind](**keys)
    except Problem:
        raise
    except (TypeError, ValueError) as error:
        raise Problem(f"{where}: {error}") from None
