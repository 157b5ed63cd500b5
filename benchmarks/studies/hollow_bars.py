"""Hollow bars in a volume, restored by deconv and other installed packages: tables of PSNR.

::

    python -m benchmarks.studies.hollow_bars            # 10, 30 and 100 iterations: about ten minutes with all packages
    python -m benchmarks.studies.hollow_bars 30

Square tubes along the three axes, blurred by a wide-field microscope (the PSF is 1.5 times as long as wide in voxels,
four times in micrometres), with the Poisson noise of 200 photons a voxel where the truth is 1. There are two cases: the
tubes well inside a black volume, which suits methods that assume a black or periodic outside; and the tubes cut off by
the frame. `peer_defects.py` calls the packages.
"""

import sys
import time
import warnings
from collections.abc import Sequence

import numpy as np
import scipy.signal
import scipy.special

SHAPE = (32, 64, 64)
PHOTONS = 200.0
# Axis; centre, outer size and size of the hollow along the other two.
TUBES = (
    (2, (10, 20), (8, 16), (4, 8)),
    (1, (21, 44), (8, 16), (4, 8)),
    (0, (44, 20), (14, 14), (6, 6)),
    (2, (20, 34), (6, 8), (2, 4)),
)


def bars(reach: Sequence[int], *, cut: bool) -> np.ndarray:
    """The tubes in a volume larger than SHAPE by `reach` on each side: across all of it, or well inside SHAPE."""
    scene = np.zeros([n + 2 * r for n, r in zip(SHAPE, reach, strict=True)])
    for axis, centre, outer, hollow in TUBES:
        for size, value in ((outer, 1.0), (hollow, 0.0)):
            place = [slice(c - n // 2, c - n // 2 + n) for c, n in zip(centre, size, strict=True)]
            end = -reach[axis] if cut else SHAPE[axis] // 5
            place.insert(axis, slice(end, SHAPE[axis] - end))
            scene[tuple(slice(r + p.start, r + p.stop) for r, p in zip(reach, place, strict=True))] = value
    return scene


def microscope(
    shape: tuple[int, int, int] = (21, 17, 17),
    *,
    aperture: float = 1.2,
    index: float = 1.33,
    wavelength: float = 0.52,
    pixel: float = 0.1,
    step: float = 0.25,
) -> np.ndarray:
    """PSF of a wide-field microscope by the scalar diffraction integral over the pupil; lengths in micrometres."""
    z, y, x = (np.arange(n) - n // 2 for n in shape)
    wave = 2 * np.pi / wavelength
    rho, weight = np.polynomial.legendre.leggauss(60)
    rho, weight = (rho + 1) / 2, weight / 2
    radius = np.hypot(y[:, None], x)[..., None] * pixel
    lateral = scipy.special.j0(wave * aperture * radius * rho) * rho * weight
    axial = np.exp(1j * wave * step * z[:, None] * np.sqrt(index**2 - (aperture * rho) ** 2))
    psf = np.abs(np.einsum("zr,yxr->zyx", axial, lateral)) ** 2
    return psf / psf.sum()


def problem(*, cut: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Picture and PSF in float32, and the truth."""
    psf = microscope()
    reach = [n // 2 for n in psf.shape]
    scene = bars(reach, cut=cut)
    blurred = scipy.signal.fftconvolve(scene, psf, "valid").clip(0)
    image = np.random.default_rng(0).poisson(blurred * PHOTONS) / PHOTONS
    truth = scene[tuple(slice(r, -r) for r in reach)]
    return image.astype(np.float32), psf.astype(np.float32), truth


def main() -> None:
    """Print both tables."""
    from benchmarks.studies import peer_defects
    from benchmarks.studies.peer_defects import known_answers

    counts = [int(n) for n in sys.argv[1:]] or [10, 30, 100]
    peers, missing = peer_defects.installed()
    print(*missing, sep="\n")
    plain = known_answers.ours(accelerate=False)
    for cut in (False, True):
        image, psf, truth = problem(cut=cut)
        print("\nCut off by the frame" if cut else "\nInside a black volume", end=": ")
        print(f"the picture itself has {known_answers.psnr(image, truth):.2f} dB\n")
        print("| iterations | " + " | ".join(str(n) for n in counts) + " | CPU time of all, s |")
        print("|---" * (len(counts) + 2) + "|", flush=True)
        psnrs = {}
        for library in (plain, known_answers.ours(accelerate=True), *peers):
            start = time.process_time()
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                values = [known_answers.psnr(library.rl(image, psf, n), truth) for n in counts]
            psnrs[library.name] = values
            cells = [f"{library.name} {library.version}", *(f"{v:.2f}" for v in values)]
            print("| " + " | ".join(cells) + f" | {time.process_time() - start:.0f} |", flush=True)
        by_default = known_answers.psnr(plain.stopped(image, psf), truth)
        print(f"| deconv, accelerated, stopped by the noise: {by_default:.2f} |" + " |" * (len(counts) + 1))
        best = [max(psnrs[peer.name][i] for peer in peers) for i in range(len(counts))] if peers else []
        shares = [f"{ours / b:.3f}" for ours, b in zip(psnrs[plain.name], best, strict=False)]
        print("| deconv as part of the best peer | " + " | ".join(shares) + " | |")


if __name__ == "__main__":
    main()
