"""Base class of the data sets: file-safe names, a subset of the images, and a fingerprint."""

import functools
import hashlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from deconv._core.check import integer, real
from deconv.compare.protocol import Item, Problem

__all__ = ["ROUNDING", "Pictures", "dataset_name", "evenly_spaced", "unique_names"]

_T = TypeVar("_T")

# Standard deviation of rounding to 8 bits, the only noise of a noise-free simulation.
ROUNDING = 1 / (255 * 12**0.5)


class Pictures:
    """A data set. A subclass loads images from their sources (`_load`) and lists what they depend on (`_parts`).

    Parameters
    ----------
    name : str
        Shown in tables.
    sources : list of (str, object)
        For each image a stem, which need not be unique, and whatever `_load` needs.
    border : int
        As in `Dataset`.
    gamma : float
        As in `Item`.
    limit : int or None
        Largest number of images, spread evenly over all.
    """

    def __init__(
        self, name: str, sources: Sequence[tuple[str, Any]], *, border: int, gamma: float, limit: int | None
    ) -> None:
        if not isinstance(name, str) or not name:
            raise Problem(f"the name of a data set must be a text, got {name!r}")
        self.name = name
        self.border = integer(border, "border", low=0, high=10_000)
        self.gamma = real(gamma, "gamma", above=0)
        stems, values = zip(*sources, strict=True)
        chosen = evenly_spaced(list(zip(unique_names(stems), values, strict=True)), limit)
        self._sources = dict(chosen)
        self.names = tuple(self._sources)

    def load(self, name: str) -> Item:
        """Load an image."""
        if name not in self._sources:
            raise Problem(f"the data set {self.name} has no picture called {name!r}")
        item = self._load(name, self._sources[name])
        if item.sharp is not None:
            _check_sizes(item.name, item.image.shape[:2], item.sharp.shape[:2], self.border)
        return item

    def fingerprint(self) -> str:
        """A hash that changes when an image does."""
        return self._fingerprint

    @functools.cached_property
    def _fingerprint(self) -> str:
        # Each part is hashed by itself, so that the boundaries between parts count too.
        digest = hashlib.sha256(repr((self.names, self.border, self.gamma)).encode())
        for part in self._parts():
            digest.update(hashlib.sha256(part).digest())
        return digest.hexdigest()[:16]

    def _load(self, name: str, source: Any) -> Item:
        """Load an image from its source."""
        raise NotImplementedError

    def _parts(self) -> Iterator[bytes]:
        """Everything that the images depend on, as bytes."""
        raise NotImplementedError


def unique_names(stems: Sequence[str]) -> list[str]:
    """File-safe names (letters, digits, ``.``, ``_`` and ``-``) that differ in more than case."""
    taken: set[str] = set()
    names = []
    for stem in stems:
        plain = re.sub(r"[^A-Za-z0-9._-]+", "_", stem).lstrip(".") or "_"
        name, number = plain, 1
        while name.casefold() in taken:
            number += 1
            name = f"{plain}_{number}"
        taken.add(name.casefold())
        names.append(name)
    return names


def evenly_spaced(values: list[_T], limit: int | None) -> list[_T]:
    """At most `limit` values, spread evenly over the list; all if `limit` is None."""
    if limit is None:
        return values
    n = min(integer(limit, "limit", low=1, high=10**9), len(values))
    return [values[i * len(values) // n] for i in range(n)]


def dataset_name(name: str | None, path: str | Path) -> str:
    """The given name, or that of the folder."""
    return (Path(path).resolve().name or "pictures") if name is None else name


def _check_sizes(name: str, blurred: tuple[int, ...], sharp: tuple[int, ...], border: int) -> None:
    """Raise Problem if the sizes do not match, or the border covers the whole image."""
    scale = sharp[0] // blurred[0]
    if sharp != (scale * blurred[0], scale * blurred[1]) or scale == 0:
        raise Problem(
            f"picture {name} is {_text(blurred)} pixels, its sharp one {_text(sharp)}: a whole multiple of it is wanted"
        )
    if 2 * border >= min(sharp):
        raise Problem(
            f"the sharp picture of {name} is {_text(sharp)} pixels, of which a border of {border} leaves nothing"
        )


def _text(shape: tuple[int, ...]) -> str:
    return f"{shape[0]} x {shape[1]}"
