"""What the parts of a comparison pass to each other: an image, a method's context, a method, and a row."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np

__all__ = ["Context", "Dataset", "Item", "Measured", "Method", "Problem", "Progress", "Row", "Settings"]

# Called as report(done, total, what) after each row.
Progress: TypeAlias = Callable[[int, int, str], object]


class Problem(ValueError):
    """Something a user gave cannot be used; the message is one sentence."""


@dataclass(frozen=True)
class Context:
    """What a method is given besides the image: the values that it declares to know; the others are None.

    Attributes
    ----------
    psf : ndarray, shape (m, n), or None
        The true PSF in pixels of the image, sum 1.
    level : float or None
        Amount of blur, in the units of the data set (the step of a ladder, say).
    noise : float or None
        Standard deviation of the noise, 1 being the range of the image.
    gamma : float
        Exponent of the encoding: light is value ** gamma.
    seed : int
        Random seed.
    device : str
        "cpu", "cuda", ...
    details : dict or None
        As in `Item`.
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
    """An image of a data set.

    Attributes
    ----------
    name : str
        Unique in the data set, and usable as a file's stem: letters, digits, ``.``, ``_`` and ``-``.
    image : ndarray, shape (M, N) or (M, N, 3)
        The blurred image; float32, 0 to 1, tone-encoded.
    sharp : ndarray, shape (s M, s N[, 3]), or None
        The true image; `s` is the scale at which results are expected.
    text : tuple of str or None
        The true lines of text.
    psf, level, noise, gamma
        As in `Context`; None if unknown.
    details : dict
        Further facts about the image, for JSON; they are part of the `details` of each of its rows.
    """

    name: str
    image: np.ndarray = field(repr=False)
    sharp: np.ndarray | None = field(default=None, repr=False)
    text: tuple[str, ...] | None = None
    psf: np.ndarray | None = field(default=None, repr=False)
    level: float | None = None
    noise: float | None = None
    gamma: float = 1.0
    details: dict[str, Any] = field(default_factory=dict, hash=False)


class Dataset(Protocol):
    """Images by name, loaded one at a time.

    Attributes
    ----------
    name : str
        Shown in tables.
    names : tuple of str
        Names of the images, in order.
    border : int
        Pixels along each side of the true image that PSNR and SSIM leave out.
    """

    @property
    def name(self) -> str:
        """Shown in tables."""
        ...

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the images, in order."""
        ...

    @property
    def border(self) -> int:
        """Pixels along each side that PSNR and SSIM leave out."""
        ...

    def load(self, name: str) -> Item:
        """Load an image.

        Parameters
        ----------
        name : str
            One of `names`.

        Returns
        -------
        Item
            The image and its ground truth.
        """
        ...

    def fingerprint(self) -> str:
        """Identify the contents of the data set.

        Returns
        -------
        str
            A hash that changes when an image does.
        """
        ...


@runtime_checkable
class Measured(Protocol):
    """A data set that scores and keeps the results of its images itself, for a study that measures something else.

    Nothing is written to restored/ for it, and none of the usual scores is computed.
    """

    def measure(self, item: Item, image: np.ndarray, psf: np.ndarray | None, path: Path) -> dict[str, Any]:
        """Score a result, in the process of the method.

        Parameters
        ----------
        item : Item
            The image, from `Dataset.load`.
        image : ndarray
            The result as the method returned it, neither clipped nor rounded.
        psf : ndarray or None
            The estimated PSF, if the method returned one.
        path : Path
            Where copies may be kept: a path without suffix, unique for each image and method.

        Returns
        -------
        dict
            Fields of `Row` by name; its `details` are added to those of the image and of the method.
        """
        ...


@dataclass(frozen=True)
class Method:
    """A method as declared.

    Attributes
    ----------
    name : str
        Unique in a comparison.
    type : {"deconv", "python", "torch", "onnx", "keras", "shell", "folder"}
        How it is called.
    kind : {"reference", "classical", "learned"}
        Shown in tables.
    knows : tuple of {"psf", "level", "noise", "details"}
        The values of `Context` that it is given; it receives no others.
    options : dict
        What its type needs: names of functions, files, a command, parameters.
    prepare : dict
        Conversion of images before and after it (`deconv.compare.prepare`).
    trained_on, licence : str
        Shown in tables.
    timeout : float
        Seconds for one image, after which it is stopped.
    grid : dict of str to list
        Parameters to choose on calibration images, if there are any, and the values to try of each.
    """

    name: str
    type: str
    kind: str = "classical"
    knows: tuple[str, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    prepare: dict[str, Any] = field(default_factory=dict)
    trained_on: str = ""
    licence: str = ""
    timeout: float = 600.0
    grid: dict[str, list[Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Settings:
    """How methods are run.

    Attributes
    ----------
    device : str
        Device passed to every method.
    seed : int
        Random seed passed to every method.
    threads : int
        Threads of each process.
    jobs : int
        Methods run at a time; with more than one, their times are not comparable.
    memory : float or None
        Limit of a method's address space in MB; by default four fifths of the machine's memory, or no limit if
        `device` is not the CPU.
    allow_shell : bool
        Whether methods may run shell commands.
    """

    device: str = "cpu"
    seed: int = 0
    threads: int = 1
    jobs: int = 1
    memory: float | None = None
    allow_shell: bool = False


@dataclass(frozen=True)
class Row:
    """One image restored by one method: a line of rows.csv.

    Attributes
    ----------
    dataset, item, method : str
        Names.
    kind : str
        Kind of the method.
    knows : str
        What the method was given, separated by commas, or "nothing".
    level : float or None
        Amount of blur of the image.
    key : str
        Hash of the method, the image and the code: a resumed run reuses rows of the same key only.
    problem : str
        Why there is no result, in one sentence; empty if there is one.
    accuracy, folded : float or None
        Fraction of characters read correctly; `folded` ignores case and confusable letters (O0o, Il1). None if the text
        is unknown, 0 if there is no result.
    exact : float or None
        Fraction of lines read without error.
    hdc : float or None
        Score of the Helsinki Deblur Challenge, 0 to 100.
    psnr, ssim : float or None
        On grey values, after the best shift, without the border; None if the true image is unknown or there is no
        result.
    fitted : float or None
        PSNR after the best gain and offset as well, which pairs of real photographs need.
    seconds, cpu : float or None
        Wall-clock and CPU seconds for this image.
    setup : float or None
        Seconds to load the method.
    memory : float or None
        Peak memory of its process, in MB.
    gpu : float or None
        Peak memory of the GPU, in MB, if the method reports it.
    parameters : int or None
        Number of trained parameters, if the method reports it.
    read : tuple of str
        The recognised lines.
    details : dict
        Other facts from the image, the method and the data set, for JSON.
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
    read: tuple[str, ...] = ()
    details: dict[str, Any] = field(default_factory=dict, hash=False)

    def cells(self) -> dict[str, object]:
        """Convert the row to a line of the table.

        Returns
        -------
        dict of str to object
            Numbers as they are, "" for None, `read` and `details` as JSON.
        """
        values = {name: "" if value is None else value for name, value in asdict(self).items()}
        nested = {"read": list(self.read), "details": self.details}
        return values | {name: json.dumps(value, ensure_ascii=False) for name, value in nested.items()}

    @classmethod
    def of(cls, cells: Mapping[str, str]) -> "Row":
        """Convert a line of the table to a row.

        Parameters
        ----------
        cells : dict of str to str
            Values by column name.

        Returns
        -------
        Row
            The row that was written.
        """
        types = {f.name: f.type for f in fields(cls)}
        values: dict[str, Any] = {}
        for name, cell in cells.items():
            if name == "read":
                values[name] = tuple(json.loads(cell))
            elif name == "details":
                values[name] = json.loads(cell)
            elif types[name] is str:
                values[name] = cell
            else:
                number = int if types[name] == int | None else float
                values[name] = number(cell) if cell != "" else None
        return cls(**values)
