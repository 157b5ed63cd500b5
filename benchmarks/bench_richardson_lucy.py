"""Richardson-Lucy: CPU time against the FFTs that it cannot do without and against scikit-image, and its memory.

The floor is four real FFTs of the padded size by ducc0, into memory that is there already.
"""

import time

import numpy as np
import scipy.signal
from skimage import restoration

import deconv
from deconv._core.fft import fast_shape

SIZES = [(1024, 1024), (1460, 2360)]
WIDTHS = [15, 31, 65]
DTYPES = ["float32", "float64"]
ITERATIONS = 10


def problem(shape, width, dtype):
    """A blurred picture of squares with Poisson noise (1000 photons), and its PSF, a disc of that width."""
    rng = np.random.default_rng(0)
    psf = deconv.psf.disk(width / 2 - 0.5)
    rows, cols = (n // 16 + 6 for n in shape)
    scene = rng.random((rows, cols)).repeat(16, 0).repeat(16, 1)[: shape[0] + width - 1, : shape[1] + width - 1]
    blurred = scipy.signal.fftconvolve(scene, psf, "valid").clip(0)
    return (rng.poisson(blurred * 1000) / 1000).astype(dtype), psf.astype(dtype)


def floor(shape, width, dtype):
    """The four FFTs of an iteration, as a function to be timed."""
    import ducc0

    grid = fast_shape(n + width - 1 for n in shape)
    x = np.random.default_rng(0).random(grid).astype(dtype)
    spectrum = ducc0.fft.r2c(x, nthreads=1)
    back = {"lastsize": grid[-1], "forward": False, "inorm": 2, "allow_overwriting_input": True}

    def transforms():
        for _ in range(2):
            ducc0.fft.r2c(x, out=spectrum, nthreads=1)
            ducc0.fft.c2r(spectrum, out=x, nthreads=1, **back)

    return transforms


def in_turn(calls, rounds=5, clock=time.process_time):
    """Seconds of each call, shape (rounds, calls), run in turn after one call of each that does not count."""
    seconds = np.empty((rounds, len(calls)))
    for call in calls:
        call()
    for times in seconds:
        for i, call in enumerate(calls):
            start = clock()
            call()
            times[i] = clock() - start
    return seconds


def contenders(shape, width, dtype, num_iter=ITERATIONS):
    """scikit-image, deconv plain, deconv accelerated."""
    image, psf = problem(shape, width, dtype)
    return [
        lambda: restoration.richardson_lucy(image, psf, num_iter, clip=False),
        lambda: deconv.richardson_lucy(image, psf, num_iter, accelerate=False),
        lambda: deconv.richardson_lucy(image, psf, num_iter),
    ]


class RichardsonLucy:
    """Ten iterations."""

    params = ([(512, 512), (1024, 1024)], [15, 31], DTYPES, [False, True])
    param_names = ("shape", "psf", "dtype", "accelerate")

    def setup(self, shape, width, dtype, accelerate):
        self.image, self.psf = problem(shape, width, dtype)
        deconv.richardson_lucy(self.image, self.psf, 1)  # compiles the kernels

    def time_ten_iterations(self, shape, width, dtype, accelerate):
        deconv.richardson_lucy(self.image, self.psf, ITERATIONS, accelerate=accelerate)

    def peakmem_setup_alone(self, shape, width, dtype, accelerate):
        """What the process takes before it restores anything, to be taken off the next."""

    def peakmem_ten_iterations(self, shape, width, dtype, accelerate):
        deconv.richardson_lucy(self.image, self.psf, ITERATIONS, accelerate=accelerate)


class AgainstSkimage:
    """Run with OMP_NUM_THREADS=1: scikit-image takes one thread, and so does the floor."""

    params = (SIZES, WIDTHS, DTYPES)
    param_names = ("shape", "psf", "dtype")
    timeout = 600

    def track_ratio_to_skimage(self, shape, width, dtype):
        seconds = in_turn(contenders(shape, width, dtype)[:2], rounds=3)
        return float(np.median(seconds[:, 0] / seconds[:, 1]))

    def track_ratio_to_fft_floor(self, shape, width, dtype):
        image, psf = problem(shape, width, dtype)
        long, short = (lambda n=n: deconv.richardson_lucy(image, psf, n, accelerate=False) for n in (ITERATIONS + 1, 1))
        seconds = in_turn([floor(shape, width, dtype), long, short], rounds=3)
        return float(np.median((seconds[:, 1] - seconds[:, 2]) / ITERATIONS / seconds[:, 0]))

    track_ratio_to_skimage.unit = "x"
    track_ratio_to_fft_floor.unit = "x"
