"""CPU time and peak memory of the default restoration, by kind of blur and size of the picture.

::

    python -m benchmarks.studies.blind_growth                                  # 6 kinds of 0.3, 2 and 16 megapixels
    python -m benchmarks.studies.blind_growth --kinds disk sharp --megapixels 0.3 2
    python -m benchmarks.studies.blind_growth --plot growth.png                # and the growth as a figure

A larger picture shows the same scene in more pixels, so that letters and blur grow with its width: radius or sigma of
1 %, length or extent of a motion of 3 %. Text is small print in uneven light; the natural scene is a photograph among
its mirror images, as no photograph of 16 megapixels comes with scikit-image. Each picture is restored by a process of
its own on one thread, its kernels compiled before.
"""

import argparse
import concurrent.futures
import multiprocessing
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np
import skimage.data

import deconv
from benchmarks.bench_blind import warm_up
from benchmarks.studies import sharp_drawings
from deconv.compare import memory

KINDS = ("disk", "motion", "shake", "gaussian", "natural", "sharp")
MEGAPIXELS = (0.3, 2.0, 16.0)
_THREADS = ("OMP", "NUMBA", "OPENBLAS", "MKL")
# Of the width: radius, sigma, length, extent.
_RADIUS, _SIGMA, _LENGTH, _SHAKE = 0.01, 0.006, 0.03, 0.03
_NOISE = 0.005


@dataclass(frozen=True)
class Cost:
    """What one restoration took, and what was told."""

    kind: str
    megapixels: float
    shape: str
    told: str
    cpu: float
    clock: float
    memory: float


def picture(kind: str, megapixels: float) -> np.ndarray:
    """The picture of a kind and size, 4 : 3, encoded, 0 to 1."""
    width = 4 * round(np.sqrt(megapixels * 1e6 * 4 / 3) / 4)
    shape, rng = (3 * width // 4, width), np.random.default_rng(0)
    if kind == "natural":
        photograph = skimage.data.coffee().mean(axis=-1) / 255
        missing = [(0, max(n - m, 0)) for n, m in zip(shape, photograph.shape, strict=True)]
        scene = np.pad(photograph, missing, mode="symmetric")[: shape[0], : shape[1]]
    else:
        scene = sharp_drawings.page(round(0.035 * width), rng, shape=shape)
        scene = deconv.degrade.add_vignette(scene, 0.25)
    light = scene**2.2
    if kind != "sharp":
        light = deconv.degrade.blur(light, psf(kind, width))
    values = deconv.degrade.add_noise(np.clip(light, 0, None) ** (1 / 2.2), _NOISE, rng=0)
    return (np.rint(255 * np.clip(values, 0, 1)) / 255).astype(np.float32)


def psf(kind: str, width: int) -> np.ndarray:
    """The PSF of a kind for a picture of that width."""
    if kind in ("disk", "natural"):
        return np.asarray(deconv.psf.disk(_RADIUS * width, softness=0.05 * _RADIUS * width))
    if kind == "gaussian":
        return np.asarray(deconv.psf.gaussian(_SIGMA * width))
    if kind == "motion":
        return np.asarray(deconv.psf.motion(_LENGTH * width, 30.0))
    return np.asarray(deconv.psf.random_motion(2 * round(_SHAKE * width / 2) + 1, rng=1))


def cost(kind: str, megapixels: float, image: np.ndarray) -> Cost:
    """What the restoration of a picture costs in this process."""
    warm_up()
    start = time.perf_counter(), time.process_time()
    result = deconv.blind.deblur(image)
    clock, cpu = time.perf_counter() - start[0], time.process_time() - start[1]
    shape = f"{image.shape[1]} x {image.shape[0]}"
    return Cost(kind, megapixels, shape, result.family, cpu, clock, memory.peak())


def apart(kind: str, megapixels: float) -> Cost:
    """The same in a process of its own, of one thread."""
    os.environ.update({f"{name}_NUM_THREADS": "1" for name in _THREADS})
    # Made here: to blur a large picture takes memory too.
    image = picture(kind, megapixels)
    with concurrent.futures.ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(cost, kind, megapixels, image).result()


def line(one: Cost) -> str:
    """A line of the table."""
    kind, megapixels, shape, told, cpu, clock, memory = astuple(one)
    return f"| {kind} | {megapixels:g} | {shape} | {told} | {cpu:.1f} | {clock:.1f} | {memory:.0f} |"


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
    print("| kind | megapixels | size | told | CPU s | by the clock, s | peak, MB |")
    print("| --- | ---: | ---: | --- | ---: | ---: | ---: |")
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
