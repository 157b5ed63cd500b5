"""Richardson-Lucy: time, and CPU time against scikit-image in the same process.

For asv; or by itself, for the table of ratios (one thread, both FFT libraries)::

    python benchmarks/bench_richardson_lucy.py
"""

import os
import subprocess
import sys
import time

import numpy as np
import scipy.signal
from skimage import restoration

import deconv

_SIDE, _PSF, _ITERATIONS = 1024, 31, 10


def _problem(dtype, side=_SIDE, width=_PSF):
    """A blurred picture with Poisson noise, and its PSF."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:width, :width] - width // 2
    psf = (x**2 + y**2 <= (width // 2) ** 2).astype(np.float64)
    psf /= psf.sum()
    blocks = rng.random((side // 16 + 4, side // 16 + 4)).repeat(16, 0).repeat(16, 1)
    scene = blocks[: side + width - 1, : side + width - 1]
    blurred = scipy.signal.fftconvolve(scene, psf, "valid")
    return (rng.poisson(blurred * 1000) / 1000).astype(dtype), psf.astype(dtype)


def _cpu(call):
    start = time.process_time()
    call()
    return time.process_time() - start


def ratio_to_skimage(dtype, rounds=5, num_iter=_ITERATIONS):
    """CPU time of scikit-image over ours, both run in turn, and the largest difference out of the border's reach.

    The start value does not matter: away from the border the first iteration forgets it. scikit-image
    takes the outside of the picture for black; an iteration carries that inwards by the width of the PSF.
    """
    image, psf = _problem(dtype)
    ours = deconv.richardson_lucy(image, psf, num_iter)
    theirs = restoration.richardson_lucy(image, psf, num_iter, clip=False)
    reach = slice(num_iter * _PSF, _SIDE - num_iter * _PSF)
    difference = float(np.max(np.abs(ours - theirs)[reach, reach]))
    ratios = []
    for _ in range(rounds):
        slow = _cpu(lambda: restoration.richardson_lucy(image, psf, num_iter, clip=False))
        ratios.append(slow / _cpu(lambda: deconv.richardson_lucy(image, psf, num_iter)))
    return float(np.median(ratios)), difference


class RichardsonLucy:
    """A picture of 1024 x 1024 pixels, a disk of 31 x 31."""

    params = (["float32", "float64"], [False, True])
    param_names = ("dtype", "accelerate")

    def setup(self, dtype, accelerate):
        self.image, self.psf = _problem(dtype)
        deconv.richardson_lucy(self.image, self.psf, 1)  # compiles the kernels

    def time_ten_iterations(self, dtype, accelerate):
        deconv.richardson_lucy(self.image, self.psf, _ITERATIONS, accelerate=accelerate)

    def peakmem_ten_iterations(self, dtype, accelerate):
        deconv.richardson_lucy(self.image, self.psf, _ITERATIONS, accelerate=accelerate)


class AgainstSkimage:
    """Run with OMP_NUM_THREADS=1: scikit-image takes one thread."""

    params = ["float32", "float64"]
    param_names = ("dtype",)
    timeout = 600

    def track_ratio_to_skimage(self, dtype):
        return ratio_to_skimage(dtype)[0]

    track_ratio_to_skimage.unit = "x"


def _main():
    if "DECONV_FFT" in os.environ and os.environ.get("OMP_NUM_THREADS") == "1":
        for dtype in ("float32", "float64"):
            ratio, difference = ratio_to_skimage(dtype)
            library = os.environ["DECONV_FFT"] or "ducc0"
            print(
                f"{dtype}  FFT {library:6}  skimage / deconv = {ratio:.2f}  largest difference {difference:.1e}",
                flush=True,
            )
        return
    # The FFT library and the threads are chosen once a process.
    for library in ("", "scipy"):
        env = dict(os.environ, DECONV_FFT=library, OMP_NUM_THREADS="1", NUMBA_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
        subprocess.run([sys.executable, __file__], env=env, check=True)


if __name__ == "__main__":
    _main()
