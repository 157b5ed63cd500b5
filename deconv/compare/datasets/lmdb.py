"""Words in LMDB files: TextZoom, and the sets of scene-text recognition."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from deconv.compare.datasets.base import Pictures, dataset_name
from deconv.compare.datasets.files import existing_folder
from deconv.compare.protocol import Item, Problem

__all__ = ["Words"]

_PUBLISHED = (
    "TextZoom is published at https://github.com/WenjiaWang0312/TextZoom, to be unpacked as a folder with data.mdb, "
    "as TextZoom/test/easy"
)
# All published figures are for images of these sizes: width and height, blurred and sharp.
_SIZES: dict[str, tuple[int, int] | None] = {"image_lr": (64, 16), "image_hr": (128, 32)}


class Words(Pictures):
    """Words of a folder with data.mdb, in the layout of TextZoom or of the sets of scene-text recognition.

    TextZoom has a sharp image of twice the size (keys image_lr, image_hr and label), and both are resized to the
    sizes of its benchmark; other sets have one image (image and label), which is not resized.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        name: str | None = None,
        border: int = 2,
        gamma: float = 2.2,
        limit: int | None = None,
    ) -> None:
        self._path = existing_folder(path, _PUBLISHED)
        if not (self._path / "data.mdb").is_file():
            raise Problem(f"there is no data.mdb in {self._path}; {_PUBLISHED}")
        with _opened(self._path) as get:
            count = get(b"num-samples") or b""
            if not count.isdigit() or int(count) == 0:
                raise Problem(f"{self._path} tells no number of pictures by its key num-samples; {_PUBLISHED}")
            self._paired = get(_key("image_lr", 1)) is not None
        super().__init__(
            dataset_name(name, path),
            [(f"{i:09}", i) for i in range(1, int(count) + 1)],
            border=border,
            gamma=gamma,
            limit=limit,
        )

    def _load(self, name: str, source: int) -> Item:
        with _opened(self._path) as get:
            label = (get(_key("label", source)) or b"").decode(errors="replace")
            kinds = _SIZES if self._paired else {"image": None}
            image, *rest = (self._decode(get, _key(kind, source), size) for kind, size in kinds.items())
        sharp = rest[0] if rest else None
        return Item(name, image, sharp, text=(label,) if label else None, gamma=self.gamma)

    def _parts(self) -> Iterator[bytes]:
        with _opened(self._path) as get:
            for source in self._sources.values():
                for kind in (*(_SIZES if self._paired else ["image"]), "label"):
                    yield get(_key(kind, source)) or b""

    def _decode(self, get: Callable[[bytes], bytes | None], key: bytes, size: tuple[int, int] | None) -> np.ndarray:
        """An image, resized unless `size` is None."""
        try:
            image = Image.open(io.BytesIO(get(key) or b"")).convert("RGB")
        except OSError:
            raise Problem(f"{self._path} has no picture that can be decoded by its key {key.decode()}") from None
        image = image if size is None else image.resize(size, Image.Resampling.BICUBIC)
        return np.asarray(image, np.float32) / 255


def _key(kind: str, number: int) -> bytes:
    return f"{kind}-{number:09}".encode()


@contextmanager
def _opened(path: Path) -> Iterator[Callable[[bytes], Any]]:
    """A function from a key to its value or None. Nothing stays open: another process may load the next image."""
    try:
        import lmdb
    except ImportError:
        raise Problem("data sets in LMDB files need the package lmdb: pip install lmdb") from None
    try:
        env = lmdb.open(str(path), readonly=True, lock=False, readahead=False)
    except lmdb.Error as error:
        raise Problem(f"{path} cannot be opened as LMDB: {error}") from None
    try:
        with env.begin() as transaction:
            yield transaction.get
    finally:
        env.close()
