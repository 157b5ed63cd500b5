"""CPU time and peak memory of the default restoration of a colour picture, by what it shows, kind of blur and size.

::

    python -m benchmarks.studies.blind_growth                                    # 12 kinds of 0.3, 2 and 16 megapixels
    python -m benchmarks.studies.blind_growth --kinds "text disk" "natural shake" --megapixels 0.3 2
    python -m benchmarks.studies.blind_growth --plot growth.png                  # and the growth as a figure

Each picture is restored as people call it, ``deconv.blind.deblur(rgb, channel_axis=-1)`` in 8 bits, by a process of its
own on one thread, its kernels compiled before. A larger picture shows the same scene in more pixels, so that letters
and blur grow with its width: radius or sigma of 1 %, length or extent of a motion of 3 %. Text is small print on
yellowish paper in uneven light; the natural scene is a photograph among its mirror images, as no photograph of 16
megapixels comes with scikit-image. Cells beyond the limits are marked in the last column.
"""

import argparse
import concurrent.futures
import io
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np
import skimage.data
from PIL import Image

import deconv
from benchmarks.bench_blind import warm_up
from benchmarks.studies import sharp_drawings
from deconv.compare import memory

SCENES = ("text", "natural")
# "jpeg" is a disc, stored as JPEG.
BLURS = ("sharp", "disk", "jpeg", "gaussian", "motion", "shake")
KINDS = tuple(f"{scene} {blur}" for scene in SCENES for blur in BLURS)
MEGAPIXELS = (0.3, 2.0, 16.0)
# CPU seconds and MB at most, by megapixels.
LIMITS = {0.3: (10.0, 1200.0), 2.0: (15.0, 1200.0), 16.0: (40.0, 1200.0)}
_THREADS = ("OMP", "NUMBA", "OPENBLAS", "MKL")
# Of the width: radius, sigma, length, extent.
_RADIUS, _SIGMA, _LENGTH, _SHAKE = 0.01, 0.006, 0.03, 0.03
_NOISE, _QUALITY = 0.005, 85
_PAPER = (1.0, 0.97, 0.88)


@dataclass(frozen=True)
class Cost:
    """What one restoration took, and what was told."""

    kind: str
    megapixels: float
    shape: str
    told: str
    prior: str
    cpu: float
    clock: float
    memory: float


def picture(kind: str, megapixels: float) -> np.ndarray:
    """The colour picture of a kind and size, 4 : 3, in 8 bits."""
    what, blur = kind.split()
    width = 4 * round(np.sqrt(megapixels * 1e6 * 4 / 3) / 4)
    shape = 3 * width // 4, width
    image = np.empty((*shape, 3), np.uint8)
    for c, plane in enumerate(scene(what, shape)):
        light = plane.astype(np.float32) ** 2.2
        if blur != "sharp":
            light = deconv.degrade.blur(light, psf(blur, width))
        values = deconv.degrade.add_noise(np.clip(light, 0, None) ** (1 / 2.2), _NOISE, rng=c)
        image[..., c] = np.rint(255 * np.clip(values, 0, 1))
    if blur == "jpeg":
        stored = io.BytesIO()
        Image.fromarray(image).save(stored, "JPEG", quality=_QUALITY)
        image = np.array(Image.open(stored))
    return image


def scene(what: str, shape: tuple[int, int]) -> Iterator[np.ndarray]:
    """The three colours of a page or of a photograph, encoded, 0 to 1."""
    if what == "text":
        page = sharp_drawings.page(round(0.035 * shape[1]), np.random.default_rng(0), shape=shape)
        page = deconv.degrade.add_vignette(page, 0.25)
        yield from (factor * page for factor in _PAPER)
        return
    photograph = skimage.data.coffee() / 255
    missing = [(0, max(n - m, 0)) for n, m in zip(shape, photograph.shape, strict=False)]
    for colour in np.moveaxis(photograph, -1, 0):
        yield np.pad(colour, missing, mode="symmetric")[: shape[0], : shape[1]]


def psf(blur: str, width: int) -> np.ndarray:
    """The PSF of a kind of blur for a picture of that width."""
    if blur in ("disk", "jpeg"):
        return np.asarray(deconv.psf.disk(_RADIUS * width, softness=0.05 * _RADIUS * width))
    if blur == "gaussian":
        return np.asarray(deconv.psf.gaussian(_SIGMA * width))
    if blur == "motion":
        return np.asarray(deconv.psf.motion(_LENGTH * width, 30.0))
    return np.asarray(deconv.psf.random_motion(2 * round(_SHAKE * width / 2) + 1, rng=1))


def compile_kernels() -> None:
    """Restore small pictures by every pipeline: a first restoration takes seconds more."""
    warm_up()
    small = picture("natural disk", 0.01)
    deconv.blind.deblur(small, psf="disk", prior="natural", channel_axis=-1)
    deconv.blind.deblur(small, psf="free", psf_size=5, prior="natural", channel_axis=-1)


def cost(kind: str, megapixels: float, image: np.ndarray) -> Cost:
    """What the restoration of a picture costs in this process."""
    compile_kernels()
    memory.reset()
    start = time.perf_counter(), time.process_time()
    result = deconv.blind.deblur(image, channel_axis=-1)
    clock, cpu = time.perf_counter() - start[0], time.process_time() - start[1]
    shape = f"{image.shape[1]} x {image.shape[0]}"
    prior = result.prior if result.family != "none" else ""
    return Cost(kind, megapixels, shape, result.family, prior, cpu, clock, memory.peak())


def apart(kind: str, megapixels: float) -> Cost:
    """The same in a process of its own, of one thread."""
    os.environ.update({f"{name}_NUM_THREADS": "1" for name in _THREADS})
    # Made here: to blur a large picture takes memory too.
    image = picture(kind, megapixels)
    with concurrent.futures.ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(cost, kind, megapixels, image).result()


def line(one: Cost) -> str:
    """A line of the table."""
    kind, megapixels, shape, told, prior, cpu, clock, peak = astuple(one)
    told = f"{told}, as {prior}" if prior else told
    return f"| {kind} | {megapixels:g} | {shape} | {told} | {cpu:.1f} | {clock:.1f} | {peak:.0f} | {beyond(one)} |"


def beyond(one: Cost) -> str:
    """Which limits a picture exceeds."""
    seconds, megabytes = LIMITS.get(one.megapixels, (np.inf, np.inf))
    found = {"time": one.cpu > seconds, "memory": one.memory > megabytes}
    return " and ".join(name for name, exceeded in found.items() if exceeded)


def plot(costs: Sequence[Cost], path: Path) -> None:
    """CPU time and memory over the number of pixels, a curve for each kind."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    for kind in dict.fromkeys(one.kind for one in costs):
        part = [one for one in costs if one.kind == kind]
        for axis, values in zip(axes, ([one.cpu for one in part], [one.memory for one in part]), strict=True):
            axis.loglog([one.megapixels for one in part], values, "o-", label=kind)
    for axis, title in zip(axes, ("CPU time (s)", "peak memory (MB)"), strict=True):
        axis.set_xlabel("megapixels")
        axis.set_xticks([], minor=True)
        axis.set_xticks(ticks := sorted({one.megapixels for one in costs}), [f"{tick:g}" for tick in ticks])
        axis.set_title(title)
        axis.grid(alpha=0.3)
    axes[0].legend()
    figure.savefig(path, dpi=150)


def main() -> int:
    """Print the table, one line a picture, and return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS, metavar="KIND", help=", ".join(KINDS))
    parser.add_argument("--megapixels", nargs="+", type=float, default=MEGAPIXELS, metavar="N", help="0.3 2 16")
    parser.add_argument("--plot", type=Path, metavar="FIG", help="the growth as a figure (.png, .pdf, .svg)")
    args = parser.parse_args()
    print("| picture | megapixels | size | told | CPU s | by the clock, s | peak, MB | beyond the limit |")
    print("| --- | ---: | ---: | --- | ---: | ---: | ---: | --- |")
    costs = []
    for megapixels in sorted(args.megapixels):
        for kind in args.kinds:
            costs.append(apart(kind, megapixels))
            print(line(costs[-1]), flush=True)
    if args.plot:
        plot(costs, args.plot)
    return 0


if __name__ == "__main__":
    sys.exit(main())
