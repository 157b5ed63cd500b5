"""Total variation with a known PSF: time, memory, how near the transforms it comes, and how well it restores."""

import time

import numpy as np

import deconv
from deconv import _fft


def problem(side, dtype="float32"):
    """A blurred page of text cut from a larger one, its PSF and the sharp page."""
    size = max(8, side // 12)
    lines = ["total variation", "restores pages", "of sharp letters", "and their edges", "without training"]
    page = deconv.degrade.text_picture(lines, size=size, shape=(side + side // 4, side + side // 2))
    psf = deconv.psf.disk(side / 60, softness=0.5)
    frame = (slice(side // 8, side // 8 + side), slice(side // 4, side // 4 + side))
    blurred = deconv.degrade.add_noise(deconv.degrade.blur(page, psf)[frame], 0.005, rng=0)
    return blurred.astype(dtype), psf.astype(dtype), page[frame]


def psnr(picture, truth):
    """Decibels against a truth of range 1."""
    return float(-10 * np.log10(np.mean((picture - truth) ** 2)))


class Variational:
    params = ([256, 1024], ["float32", "float64"])
    param_names = ("side", "dtype")
    timeout = 300

    def setup(self, side, dtype):
        self.image, self.psf, self.truth = problem(side, dtype)
        deconv.variational(self.image, self.psf, num_iter=1)  # compiles the kernels

    def time_ten_iterations(self, side, dtype):
        deconv.variational(self.image, self.psf, num_iter=10)

    def peakmem_reference(self, side, dtype):
        """What the set-up alone takes, to be taken off the next."""

    def peakmem_ten_iterations(self, side, dtype):
        deconv.variational(self.image, self.psf, num_iter=10)

    def track_ratio_to_fft_floor(self, side, dtype):
        """CPU time of an iteration as a multiple of its four transforms, both in turn, the best of three."""
        grid = deconv._variational.Splitting(self.image, self.psf.shape).shape
        x = np.zeros(grid, self.image.dtype)

        def transforms():
            for _ in range(20):
                _fft.irfftn(_fft.rfftn(x), grid)

        def iterations(n):
            return lambda: deconv.variational(self.image, self.psf, num_iter=n)

        best = [np.inf] * 3
        for _ in range(3):
            for i, call in enumerate((transforms, iterations(1), iterations(11))):
                start = time.process_time()
                call()
                best[i] = min(best[i], time.process_time() - start)
        return (best[2] - best[1]) / best[0]

    track_ratio_to_fft_floor.unit = "x"


class Quality:
    """By default weights and iterations."""

    timeout = 300

    def track_psnr_gain(self):
        image, psf, truth = problem(256)
        return psnr(deconv.variational(image, psf, bounds=(0.0, 1.0)), truth) - psnr(image, truth)

    track_psnr_gain.unit = "dB"

    def track_psnr_gain_wiener(self):
        """The same with `wiener`, for comparison."""
        image, psf, truth = problem(256)
        return psnr(deconv.wiener(image, psf), truth) - psnr(image, truth)

    track_psnr_gain_wiener.unit = "dB"
