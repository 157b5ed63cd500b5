"""Words in LMDB files: TextZoom, and the sets of scene-text recognition."""

import io
from contextlib import contextmanager

import numpy as np
from PIL import Image

from deconv.compare.datasets.files import folder_of
from deconv.compare.datasets.pictures import Pictures, titled
from deconv.compare.protocol import Item, Problem

__all__ = ["Words"]

_PUBLISHED = (
    "TextZoom is published at https://github.com/WenjiaWang0312/TextZoom, to be unpacked as a folder with data.mdb, "
    "as TextZoom/test/easy"
)
# To which TextZoom's pictures are scaled for every published figure: width and height, blurred and sharp.
_SIZES = {"image_lr": (64, 16), "image_hr": (128, 32)}


class Words(Pictures):
    """Words of a folder with data.mdb, as TextZoom has them or as the sets of scene-text recognition do.

    In TextZoom there is a sharp picture of twice the size (keys image_lr, image_hr and label), and both are scaled to
    its sizes; other sets have one picture (image and label), which is taken as it is.
    """

    def __init__(self, path, *, name=None, border=2, gamma=2.2, limit=None):
        self._path = folder_of(path, _PUBLISHED)
        if not (self._path / "data.mdb").is_file():
            raise Problem(f"there is no data.mdb in {self._path}; {_PUBLISHED}")
        with _opened(self._path) as get:
            count = get(b"num-samples") or b""
            if not count.isdigit() or int(count) == 0:
                raise Problem(f"{self._path} tells no number of pictures by its key num-samples; {_PUBLISHED}")
            self._paired = get(_key("image_lr", 1)) is not None
        super().__init__(
            titled(name, path),
            [(f"{i:09}", i) for i in range(1, int(count) + 1)],
            border=border,
            gamma=gamma,
            limit=limit,
        )

    def _item(self, name, known):
        with _opened(self._path) as get:
            label = (get(_key("label", known)) or b"").decode(errors="replace")
            kinds = _SIZES if self._paired else {"image": None}
            image, *sharp = (self._decoded(get, _key(kind, known), size) for kind, size in kinds.items())
        return Item(name, image, *sharp, text=(label,) if label else None, gamma=self.gamma)

    def _parts(self):
        with _opened(self._path) as get:
            for known in self._known.values():
                for kind in (*(_SIZES if self._paired else ["image"]), "label"):
                    yield get(_key(kind, known)) or b""

    def _decoded(self, get, key, size):
        """A picture, scaled to a size unless that is None."""
        try:
            image = Image.open(io.BytesIO(get(key) or b"")).convert("RGB")
        except OSError:
            raise Problem(f"{self._path} has no picture that can be decoded by its key {key.decode()}") from None
        image = image if size is None else image.resize(size, Image.Resampling.BICUBIC)
        return np.asarray(image, np.float32) / 255


def _key(kind, number):
    return f"{kind}-{number:09}".encode()


@contextmanager
def _opened(path):
    """What gives the value of a key, or None; nothing stays open, as another process may load the next picture."""
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
