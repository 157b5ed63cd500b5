"""How fast are Wiener and unsupervised Wiener against scikit-image? CPU time on one thread, and PSNR.

::

    python -m benchmarks.studies.wiener_speed
"""

import os
import subprocess
import sys

import numpy as np

import deconv
from benchmarks.bench_wiener import DTYPES, SHAPES, WIDTHS, qualities, unsupervised_ratio, wiener_ratio
from benchmarks.studies import study

_THREADS = ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def main() -> None:
    """Print the tables."""
    if any(os.environ.get(name) != "1" for name in _THREADS):
        # The number of threads is chosen once a process.
        command = [sys.executable, "-m", "benchmarks.studies.wiener_speed"]
        subprocess.run(command, env={**os.environ, **dict.fromkeys(_THREADS, "1")}, cwd=study.ROOT, check=True)
        return
    print("CPU time, skimage / deconv (ms of ours)")
    print("shape width dtype      wiener        first call    auto balance   unsupervised")
    for shape in SHAPES:
        for width in WIDTHS:
            for dtype in DTYPES:
                problem = SHAPES[shape], width, dtype
                cells = [
                    wiener_ratio(*problem),
                    wiener_ratio(*problem, fresh=True),
                    wiener_ratio(*problem, rounds=3, balance=None),
                    unsupervised_ratio(*problem),
                ]
                row = "  ".join(f"{ratio:5.2f} ({ours:5.1f})" for ratio, ours in cells)
                print(f"{shape:5} {width:5} {dtype}  {row}", flush=True)
    for name, psf in (("box 15", np.ones((15, 15)) / 225), ("disk 7", deconv.psf.disk(7))):
        print(f"\nPSNR in dB of the cropped camera, {name}, 2000 photons")
        for method, quality in qualities(psf).items():
            print(f"  {method:22} {quality:6.2f}")


if __name__ == "__main__":
    main()
