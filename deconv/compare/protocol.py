"""What the parts of a comparison hand to each other: a picture, what may be known of it, a method, and a row."""

import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

__all__ = ["Context", "Dataset", "Item", "Measured", "Method", "Problem", "Row"]


class Problem(ValueError):
    """Something a user gave cannot be used; the message is one sentence."""


@dataclass(frozen=True)
class Context:
    """What a method is told beside the picture: what it declares to know, the rest is None.

    Attributes
    ----------
    psf : ndarray, shape (m, n), or None
        The true PSF in pixels of the picture, sum 1.
    level : float or None
        How much it is blurred, in whatever the data set counts (the step of a ladder).
    noise : float or None
        Standard deviation of the noise, 1 being the range of the picture.
    gamma : float
        Exponent of the encoding: light is value ** gamma.
    seed : int
        For whatever is random.
    device : str
        "cpu", "cuda", ...
    details : dict or None
        As of `Item`.
    """

    psf: np.ndarray | None = field(default=None, repr=False)
    level: float | None = None
    noise: float | None = None
    gamma: float = 1.0
    seed: int = 0
    device: str = "cpu"
    details: dict[str, Any] | None = None


@dataclass(frozen=True)
class Item:
    """A picture of a data set.

    Attributes
    ----------
    name : str
        Its own in the set, and fit to be a file's stem: letters, digits, ``.``, ``_`` and ``-``.
    image : ndarray, shape (M, N) or (M, N, 3)
        Blurred; float32, 0 to 1, tone-encoded.
    sharp : ndarray, shape (s M, s N[, 3]), or None
        The true picture, `s` the scale at which results are wanted.
    text : tuple of str or None
        The true lines.
    psf, level, noise, gamma
        As of `Context`; None where nobody knows.
    details : dict
        Further facts about the picture, as JSON has them; they stand in the `details` of every row of it.
    """

    name: str
    image: np.ndarray = field(repr=False)
    sharp: np.ndarray | None = field(default=None, repr=False)
    text: tuple | None = None
    psf: np.ndarray | None = field(default=None, repr=False)
    level: float | None = None
    noise: float | None = None
    gamma: float = 1.0
    details: dict[str, Any] = field(default_factory=dict, hash=False)


class Dataset(Protocol):
    """Pictures by name, loaded one at a time.

    Attributes
    ----------
    name : str
        For tables.
    names : tuple of str
        Of the pictures, in their order.
    border : int
        Pixels along each side of the true picture that PSNR and SSIM leave out.
    """

    name: str
    names: tuple
    border: int

    def load(self, name) -> Item:
        """Load a picture.

        Parameters
        ----------
        name : str
            One of `names`.

        Returns
        -------
        Item
            The picture, and what is known of it.
        """
        ...

    def fingerprint(self) -> str:
        """Tell the pictures from any others.

        Returns
        -------
        str
            Some letters that change with what the pictures are.
        """
        ...


@runtime_checkable
class Measured(Protocol):
    """A data set that scores and keeps its results itself, for studies that measure something else.

    Nothing is written to restored/ for it, and none of the usual scores is computed.
    """

    def measure(self, item: Item, image: np.ndarray, psf: np.ndarray | None, path: Path) -> dict[str, Any]:
        """Score a result, in the process of the method.

        Parameters
        ----------
        item : Item
            The picture, as of `Dataset.load`.
        image : ndarray
            The result as the method returned it, neither clipped nor rounded.
        psf : ndarray or None
            The PSF that the method estimated, where it returned one.
        path : Path
            Where copies may be kept: a path without suffix, its own for each picture and method.

        Returns
        -------
        dict
            Fields of `Row` by name; its `details` are added to those of the picture and of the method.
        """
        ...


@dataclass(frozen=True)
class Method:
    """A method as declared.

    Attributes
    ----------
    name : str
        Its own in a comparison.
    type : {"deconv", "python", "torch", "onnx", "keras", "shell", "folder"}
        How it is called.
    kind : {"reference", "classical", "learned"}
        For tables.
    knows : tuple of {"psf", "level", "noise", "details"}
        What it is told of `Context`; nothing else reaches it.
    options : dict
        What its type needs: names of functions, files, a command, parameters.
    prepare : dict
        What is done to pictures before and after it (`deconv.compare.prepare`).
    trained_on, licence : str
        For tables.
    timeout : float
        Seconds for one picture, after which it is stopped.
    grid : dict of str to list
        Parameters that are chosen on calibration pictures, where there are some, and the values to try of each.
    """

    name: str
    type: str
    kind: str = "classical"
    knows: tuple = ()
    options: dict = field(default_factory=dict)
    prepare: dict = field(default_factory=dict)
    trained_on: str = ""
    licence: str = ""
    timeout: float = 600.0
    grid: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Row:
    """One picture by one method, as it stands in rows.csv.

    Attributes
    ----------
    dataset, item, method : str
        Names.
    kind : str
        Of the method.
    knows : str
        What it was told, with commas, or "nothing".
    level : float or None
        Of the picture.
    key : str
        Letters that change with the method, the picture or the code: rows of another key are not gone on from.
    problem : str
        Why there is no result, in one sentence; empty where there is one.
    accuracy, folded : float or None
        Share of characters read rightly, and with letters alike (O0o, Il1) and case taken for the same; None where the
        text is not known; 0 where there is no result.
    exact : float or None
        Share of lines read without any error.
    hdc : float or None
        Score of the Helsinki Deblur Challenge, 0 to 100.
    psnr, ssim : float or None
        Grey, after the best shift, border left out; None where the true picture is not known or there is no result.
    fitted : float or None
        PSNR after the best gain and offset as well, as real pairs need.
    seconds, cpu : float or None
        By the clock, and CPU time, for the one picture.
    setup : float or None
        Seconds to load the method.
    memory : float or None
        Most memory of its process, in MB.
    gpu : float or None
        Most memory of the GPU, in MB, where the method tells.
    parameters : int or None
        Numbers that were trained, where the method tells.
    read : tuple of str
        The lines read.
    details : dict
        Whatever else the picture, the method and the data set state, as JSON has it.
    """

    dataset: str
    item: str
    method: str
    kind: str
    knows: str
    key: str
    level: float | None = None
    problem: str = ""
    accuracy: float | None = None
    folded: float | None = None
    exact: float | None = None
    hdc: float | None = None
    psnr: float | None = None
    ssim: float | None = None
    fitted: float | None = None
    seconds: float | None = None
    cpu: float | None = None
    setup: float | None = None
    memory: float | None = None
    gpu: float | None = None
    parameters: int | None = None
    read: tuple = ()
    details: dict[str, Any] = field(default_factory=dict, hash=False)

    def cells(self):
        """Write it as a line of the table.

        Returns
        -------
        dict of str to object
            Numbers as they are, "" for None, `read` and `details` as JSON.
        """
        values = {name: "" if value is None else value for name, value in asdict(self).items()}
        nested = {"read": list(self.read), "details": self.details}
        return values | {name: json.dumps(value, ensure_ascii=False) for name, value in nested.items()}

    @classmethod
    def of(cls, cells):
        """Read it from a line of the table.

        Parameters
        ----------
        cells : dict of str to str
            By the names of the columns.

        Returns
        -------
        Row
            The same row as was written.
        """
        kinds = {f.name: f.type for f in fields(cls)}
        values = {}
        for name, cell in cells.items():
            if name == "read":
                values[name] = tuple(json.loads(cell))
            elif name == "details":
                values[name] = json.loads(cell)
            elif kinds[name] is str:
                values[name] = cell
            else:
                number = int if kinds[name] == int | None else float
                values[name] = number(cell) if cell != "" else None
        return cls(**values)
