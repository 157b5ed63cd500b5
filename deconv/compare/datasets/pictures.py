"""What all data sets share: names fit for files, a part of the pictures, and a fingerprint."""

import functools
import hashlib
import re
from pathlib import Path

from deconv._core.check import integer, real
from deconv.compare.protocol import Problem

__all__ = ["ROUNDING", "Pictures", "numbered", "spread"]

# Standard deviation of the rounding to 8 bits, the only noise of a picture that was blurred by arithmetic.
ROUNDING = 1 / (255 * 12**0.5)


class Pictures:
    """A data set; one of a layout says how a picture is made (`_item`) and of what (`_parts`).

    Parameters
    ----------
    name : str
        For tables.
    known : list of (str, object)
        Of each picture a stem, which need not be its own, and whatever `_item` makes it of.
    border : int
        As of `Dataset`.
    gamma : float
        As of `Item`.
    limit : int or None
        So many pictures, spread evenly over all.
    """

    def __init__(self, name, known, *, border, gamma, limit):
        if not isinstance(name, str) or not name:
            raise Problem(f"the name of a data set must be a text, got {name!r}")
        self.name = name
        self.border = integer(border, "border", low=0, high=10_000)
        self.gamma = real(gamma, "gamma", above=0)
        stems, values = zip(*known, strict=True)
        chosen = spread(list(zip(numbered(stems), values, strict=True)), limit)
        self._known = dict(chosen)
        self.names = tuple(self._known)

    def load(self, name):
        """The picture of a name."""
        if name not in self._known:
            raise Problem(f"the data set {self.name} has no picture called {name!r}")
        item = self._item(name, self._known[name])
        if item.sharp is not None:
            _check_sizes(item, self.border)
        return item

    def fingerprint(self):
        """Some letters that change with what the pictures are."""
        return self._fingerprint

    @functools.cached_property
    def _fingerprint(self):
        # (Each part by its own hash: where one ends and the next begins counts, too.)
        digest = hashlib.sha256(repr((self.names, self.border, self.gamma)).encode())
        for part in self._parts():
            digest.update(hashlib.sha256(part).digest())
        return digest.hexdigest()[:16]

    def _item(self, name, known):
        """The picture made of what is known of it."""
        raise NotImplementedError

    def _parts(self):
        """Bytes that the pictures are made of."""
        raise NotImplementedError


def numbered(stems):
    """Stems as names of files that differ, in capitals or not: letters, digits, ``.``, ``_`` and ``-``."""
    taken, names = set(), []
    for stem in stems:
        plain = re.sub(r"[^A-Za-z0-9._-]+", "_", stem).lstrip(".") or "_"
        name, number = plain, 1
        while name.casefold() in taken:
            number += 1
            name = f"{plain}_{number}"
        taken.add(name.casefold())
        names.append(name)
    return names


def spread(values, limit):
    """So many of a list, spread evenly over it: of a ladder from every part; all where `limit` is None."""
    if limit is None:
        return values
    n = min(integer(limit, "limit", low=1, high=10**9), len(values))
    return [values[i * len(values) // n] for i in range(n)]


def titled(name, path):
    """The name that was given, or that of the folder."""
    return (Path(path).resolve().name or "pictures") if name is None else name


def _check_sizes(item, border):
    """Problem if the true picture does not fit the blurred one, or a border leaves nothing of it."""
    here, true = item.image.shape[:2], item.sharp.shape[:2]
    scale = true[0] // here[0]
    if true != (scale * here[0], scale * here[1]) or scale == 0:
        raise Problem(
            f"picture {item.name} is {_by(here)} pixels, its sharp one {_by(true)}: a whole multiple of it is wanted"
        )
    if 2 * border >= min(true):
        raise Problem(
            f"the sharp picture of {item.name} is {_by(true)} pixels, of which a border of {border} leaves nothing"
        )


def _by(shape):
    return f"{shape[0]} x {shape[1]}"
