"""A data set and methods for the tests of comparisons, where the processes of a run can import them too."""

import os
import signal
import tempfile
import time
from dataclasses import dataclass

import numpy as np

from deconv import degrade, psf
from deconv.compare.protocol import Item, Method, Problem


@dataclass(frozen=True)
class Pages:
    """So many small pages of text, blurred by a disc, more from one to the next; one of them may be torn."""

    count: int = 3
    name: str = "pages"
    border: int = 8
    torn: int = -1
    first: int = 0

    @property
    def names(self):
        """Of the pages."""
        return tuple(f"page{self.first + i}" for i in range(self.count))

    def load(self, name):
        """One page."""
        i = int(name.removeprefix("page"))
        if i == self.torn:
            raise Problem(f"{name}.png is torn")
        lines = ["a first line", "and another", "then a third"]
        sharp = degrade.text_picture(lines, size=22, shape=(110, 170)).astype(np.float32)
        disk = psf.disk(1.0 + i / 2)
        image = degrade.blur(sharp, disk).astype(np.float32)
        return Item(name, image, sharp, tuple(lines), disk, level=float(i), noise=0.0, gamma=1.0)

    def fingerprint(self):
        """That of the first page, wherever the last is."""
        return f"pages {self.first}"


def method(name, function, **options):
    """One of the functions below as a method."""
    return Method(name, "python", options={"function": f"comparison:{function}"}, **options)


_FED = []


def brighter(image, context):
    """Works."""
    return 0.5 + image / 2


def hungry_at_first(image, context):
    """Works, and takes 500 MB for its first picture."""
    if not _FED:
        _FED.append(bytes(np.ones(500 * 2**20, np.uint8).data[:1]))
    return 0.5 + image / 2


def pulled(image, context, share=0.0, note=""):
    """As far from 0.3 as `share` says, the more the better up to 1; a line into the file `note` for each picture."""
    if note:
        with open(note, "a") as file:
            file.write(f"{share}\n")
    if share < 0:
        raise ValueError("share must not be negative")
    return 0.3 + share * (image - 0.3)


def told(image, context):
    """As many columns at full brightness as things were told."""
    image = np.zeros_like(image)
    known = [context.psf is not None, context.level is not None, context.noise is not None]
    image[:, : sum(k << i for i, k in enumerate(known))] = 1
    return image


def raises(image, context):
    """Fails as Python does."""
    raise KeyError("no such thing")


def hangs(image, context):
    """Never answers."""
    time.sleep(600)


def hangs_in_a_child(image, context):
    """Waits for a process that never ends."""
    os.system("sleep 600")


def turned(image, context):
    """Of another shape."""
    return image.T


def undefined(image, context):
    """Not a number, in one place."""
    image[3, 4] = np.nan
    return image


def words(image, context):
    """No numbers at all."""
    return "a sharp picture"


def greedy(image, context):
    """Takes more memory than there is."""
    return np.ones(10**9) + 1


def killed(image, context):
    """As the system does where memory runs out."""
    os.kill(os.getpid(), signal.SIGKILL)


def sometimes(image, context):
    """Leaves the process on the second page."""
    if context.level == 1:
        os._exit(3)
    return image


def leaves_a_file(image, context):
    """And never answers."""
    tempfile.mkstemp()
    time.sleep(600)


def slow(image, context):
    """Takes its time."""
    time.sleep(0.2)
    return image


def with_psf(image, context):
    """Tells a PSF as well."""
    return image, np.ones((3, 3)) / 9
