"""The pictures of the field set as data sets that score results by the set's own functions.

The set is a tool of ours that is not part of the repository: it draws scenes, photographs them with a simulated camera
and scores what a method makes of them. Here it is loaded by its path; nothing of it is copied.
"""

import functools
import importlib.util
import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from benchmarks.studies import study
from deconv._core import files
from deconv.compare.protocol import Item

SET = study.ROOT.parent / "shared" / "tools" / "field_set.py"
_SHARP_RECEIPT = "receipt_on_dark_desk_sharp"


class Absent(Exception):
    """The set cannot be loaded; the message is a sentence for the user."""


@functools.cache
def tool(path: Path) -> ModuleType:
    """The set's module."""
    if not path.is_file():
        raise Absent(f"the field set is not here: there is no {path}; --set names the file")
    spec = importlib.util.spec_from_file_location("field_set", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except ModuleNotFoundError as error:
        package = {"cv2": "opencv-python-headless"}.get(error.name or "", error.name)
        raise Absent(f"the field set needs {error.name}, which is not installed: pip install {package}") from None
    if hasattr(module, "cv2"):
        module.cv2.setNumThreads(1)
    return module


def version(path: Path) -> str:
    """A hash of all that decides a picture and its score."""
    return study.fingerprint(str(path), __file__)


def make(wanted: Iterable[tuple[str, int, int]], folder: Path, path: Path) -> list[dict[str, Any]]:
    """What is true of each picture (kind, severity, seed); those that the folder lacks are made."""
    folder.mkdir(parents=True, exist_ok=True)
    by, truths = version(path), []
    for kind, severity, seed in wanted:
        about = folder / f"{kind}_{severity}_{seed}.json"
        truth = json.loads(about.read_text()) if about.is_file() else {}
        if truth.get("made_by") != by:
            truth = tool(path).make(kind, severity, seed, folder) | {"made_by": by}
            about.write_text(json.dumps(truth))
            # As read back: tuples have become lists.
            truth = json.loads(about.read_text())
        truths.append(truth)
    return truths


@dataclass(frozen=True)
class FieldItem(Item):
    """A picture in the form that the runner takes, and all that is true of it."""

    truth: dict[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Field:
    """Data set of pictures that `make` has made.

    With one picture a data set, the runner restores each picture in a process of its own.
    """

    name: str
    names: tuple[str, ...]
    folder: Path
    set: Path
    border: int = 0

    def load(self, name: str) -> FieldItem:
        """One picture; without the set's module, which would count as memory of the method."""
        truth = json.loads((self.folder / f"{name}.json").read_text())
        image, sharp = (files.read(self.folder / file).pixels for file in (truth["file"], f"{name}_sharp.png"))
        psf = self.folder / f"{name}_psf.npy"
        facts: dict[str, Any] = {key: truth[key] for key in ("kind", "severity", "seed", "family", "size", "made_by")}
        return FieldItem(
            name,
            image,
            sharp=sharp,
            psf=np.load(psf) if psf.is_file() else None,
            gamma=truth["gamma"],
            details=facts | {"text": bool(truth["text"])},
            truth=truth,
        )

    def fingerprint(self) -> str:
        """A hash of the set and of this file."""
        return version(self.set)

    def measure(self, item: FieldItem, image: np.ndarray, psf: np.ndarray | None, path: Path) -> dict[str, Any]:
        """The fraction of the characters read or, without text, PSNR and SSIM; of several images, the best."""
        from PIL import Image

        by, truth = tool(self.set), item.truth
        shown = [eight_bits(one) for one in (image if image.ndim == 4 else image[None])]
        details: dict[str, Any] = {"unchanged": np.array_equal(shown[0], eight_bits(item.image))}
        values: dict[str, Any] = {"details": details}
        if truth["text"]:
            scores = [(by.characters(rgb, truth), 0.0) for rgb in shown]
            values["accuracy"] = max(scores)[0]
        else:
            scores = [by.likeness(rgb, eight_bits(item.sharp)) for rgb in shown]
            values["psnr"], values["ssim"] = max(scores)
        best = shown[scores.index(max(scores))]
        if truth["kind"] == _SHARP_RECEIPT:
            from deconv import ocr

            lines = ocr.read_lines(best / np.float32(255), channel_axis=-1)
            details["read_by_library"] = by.accuracy(" ".join(lines), truth)
        Image.fromarray(best).save(path.with_suffix(".jpg"), quality=90)
        return values


def eight_bits(image: Any) -> np.ndarray:
    """The image as a file of 8 bits holds it, in colour."""
    values = np.rint(255 * np.clip(np.asarray(image), 0, 1)).astype(np.uint8)
    values = values if values.ndim == 3 else values[..., None]
    return np.repeat(values, 3, axis=-1) if values.shape[-1] == 1 else values
