"""Files for the tests of data sets: pictures of random values, and the layout of the Helsinki archive."""

import dataclasses

import numpy as np
import tifffile
from PIL import Image


def picture(path, shape=(40, 60), seed=0):
    """A picture of random values in a file; what was written."""
    values = np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path)
    return values / np.float32(255)


def same(item, other):
    """Whether two items are the same in all."""
    fields = dataclasses.fields(item)
    return all(np.array_equal(getattr(item, f.name), getattr(other, f.name)) for f in fields)


def archive(root, step, font, sample, *, depth=np.uint8):
    """A pair as in the public archive; the two pictures."""
    name = f"focusStep_{step}_{font}_size_30_sample_{sample:04}"
    pair = []
    for camera in ("CAM02", "CAM01"):
        folder = root / f"step{step}" / font.capitalize() / camera
        folder.mkdir(parents=True, exist_ok=True)
        seed = 10 * step + sample + (camera == "CAM01")
        values = np.random.default_rng(seed).integers(0, np.iinfo(depth).max, (40, 60)).astype(depth)
        tifffile.imwrite(folder / f"{name}.tif", values)
        tifffile.imwrite(folder / f"focusStep_{step}_PSF.tif", values)
        tifffile.imwrite(folder / f"focusStep_{step}_LSF_X.tif", values)
        pair.append(values / np.float32(np.iinfo(depth).max))
    folder.joinpath(f"{name}.txt").write_text("AbC dE \nfGh\n iJk\n")
    return pair
