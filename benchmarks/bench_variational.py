"""The splitting solver with a known PSF: time, memory, how near the transforms it comes, and how well it restores."""

import time

import numpy as np

import deconv
from deconv._core import fft
from deconv.nonblind import splitting

PRIORS = {
    "total variation": deconv.priors.TotalVariation(),
    "hyper-Laplacian": deconv.priors.HyperLaplacian(),
    "L0 gradient": deconv.priors.L0Gradient(),
    "two tones": deconv.priors.TwoTone(),
}


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


def cpu(call):
    """CPU seconds of a call."""
    start = time.process_time()
    call()
    return time.process_time() - start


class Variational:
    params = ([256, 1024], ["float32", "float64"])
    param_names = ("side", "dtype")
    timeout = 300

    def setup(self, side, dtype):
        self.image, self.psf, self.truth = problem(side, dtype)
        self.iterations(1)  # compiles the kernels

    def iterations(self, n):
        """So many iterations, whatever the residuals."""
        return deconv.variational(self.image, self.psf, tol=0, num_iter=n)

    def time_default(self, side, dtype):
        deconv.variational(self.image, self.psf)

    def time_ten_iterations(self, side, dtype):
        self.iterations(10)

    def peakmem_reference(self, side, dtype):
        """What the set-up alone takes, to be taken off the next."""

    def peakmem_ten_iterations(self, side, dtype):
        self.iterations(10)

    def track_ratio_to_fft_floor(self, side, dtype):
        """CPU time of an iteration as a multiple of its four transforms, both in turn, the median of five ratios."""
        grid = splitting.Splitting(self.image, self.psf.shape).shape
        x = np.zeros(grid, self.image.dtype)

        def transforms():
            for _ in range(20):
                fft.irfftn(fft.rfftn(x), grid)

        ratios = []
        for _ in range(5):
            once, floor = cpu(lambda: self.iterations(1)), cpu(transforms)
            ratios.append((cpu(lambda: self.iterations(11)) - once) / floor)
        return float(np.median(ratios))

    track_ratio_to_fft_floor.unit = "x"

    def track_cost_of_residuals(self, side, dtype):
        """CPU time of twenty iterations that measure their residuals twice over that of twenty that do not."""
        solver = splitting.Splitting(self.image, self.psf.shape)
        ratios = []
        for _ in range(5):
            times = []
            for measured in (range(9, 20, 10), ()):
                run = splitting.Run(solver, self.psf / self.psf.sum(), 0.0, np.inf)
                run.take(deconv.priors.TotalVariation(), 1e-4, 1.0)
                times.append(cpu(lambda run=run, at=measured: [run.iterate(i in at) for i in range(20)]))
            ratios.append(times[0] / times[1])
        return float(np.median(ratios))

    track_cost_of_residuals.unit = "x"


class Quality:
    """By default weights and iterations."""

    params = list(PRIORS)
    param_names = ("prior",)
    timeout = 300

    def setup(self, prior):
        self.image, self.psf, self.truth = problem(256)

    def track_psnr_gain(self, prior):
        solution = deconv.variational(self.image, self.psf, prior=PRIORS[prior], bounds=(0.0, 1.0))
        return psnr(solution.image, self.truth) - psnr(self.image, self.truth)

    track_psnr_gain.unit = "dB"

    def track_iterations(self, prior):
        return deconv.variational(self.image, self.psf, prior=PRIORS[prior], bounds=(0.0, 1.0)).num_iter

    def time_default(self, prior):
        deconv.variational(self.image, self.psf, prior=PRIORS[prior], bounds=(0.0, 1.0))


class QualityOfWiener:
    timeout = 300

    def track_psnr_gain(self):
        """`wiener` on the picture of `Quality`, for comparison."""
        image, psf, truth = problem(256)
        return psnr(deconv.wiener(image, psf), truth) - psnr(image, truth)

    track_psnr_gain.unit = "dB"
