"""Wiener and unsupervised Wiener: time, memory, CPU time against scikit-image in the same process, and PSNR."""

import itertools
import time

import numpy as np
import scipy.signal
from skimage import data, restoration

import deconv

SHAPES = {"1024": (1024, 1024), "2360": (1460, 2360)}
WIDTHS = (15, 31, 65)
DTYPES = ("float32", "float64")
_BALANCE, _ITERATIONS = 0.01, 40


def _problem(shape, width, dtype):
    """A picture with Gaussian noise and a disk; what is in it does not matter to the time."""
    rng = np.random.default_rng(0)
    image = scipy.signal.fftconvolve(
        rng.random((shape[0] // 16 + 1, shape[1] // 16 + 1)).repeat(16, 0).repeat(16, 1)[: shape[0], : shape[1]],
        deconv.psf.disk(width // 2 - 0.5),
        "same",
    )
    image = image + 0.01 * rng.standard_normal(shape)
    return image.astype(dtype), deconv.psf.disk(width // 2).astype(dtype)


def _other(psf, n):
    """A PSF like that one, its middle brighter by n thousandths."""
    other = psf.copy()
    other[tuple(side // 2 for side in psf.shape)] *= 1 + 1e-3 * n
    return other


def _cpu(call):
    start = time.process_time()
    call()
    return time.process_time() - start


def _ratio(theirs, ours, rounds):
    """Median of the ratios of CPU time, both run in turn, and ours in ms."""
    theirs()
    ours()
    times = [(_cpu(theirs), _cpu(ours)) for _ in range(rounds)]
    return float(np.median([a / b for a, b in times])), 1e3 * float(np.median([b for _, b in times]))


def wiener_ratio(shape, width, dtype, rounds=7, balance=_BALANCE, fresh=False):
    """CPU time of scikit-image over ours; with `fresh` each call has another PSF, of which nothing is cached."""
    image, psf = _problem(shape, width, dtype)
    others = (_other(psf, n) for n in itertools.count(1))

    def ours():
        deconv.wiener(image, next(others) if fresh else psf, balance)

    return _ratio(lambda: restoration.wiener(image, psf, _BALANCE, clip=False), ours, rounds)


def unsupervised_ratio(shape, width, dtype, rounds=1, num_iter=_ITERATIONS):
    """The same for as many iterations of the unsupervised form."""
    image, psf = _problem(shape, width, dtype)
    chain = {"min_num_iter": num_iter, "max_num_iter": num_iter}

    def theirs():
        restoration.unsupervised_wiener(image, psf, user_params=chain, clip=False, rng=0)

    return _ratio(theirs, lambda: deconv.unsupervised_wiener(image, psf, num_iter=num_iter, burn_in=15), rounds)


def _psnr(image, truth):
    return float(-10 * np.log10(np.mean((image - truth) ** 2)))


def qualities(psf, photons=2000):
    """PSNR on the whole of a photograph that is really cropped: name to dB."""
    scene, reach = data.camera() / 255, psf.shape[0] // 2
    image = np.random.default_rng(0).poisson(scipy.signal.fftconvolve(scene, psf, "valid").clip(0) * photons) / photons
    truth = scene[reach:-reach, reach:-reach]
    mirrored, inside = np.pad(image, 30, mode="reflect"), np.s_[30:-30, 30:-30]
    return {
        "blurred": _psnr(image, truth),
        "skimage wiener 0.01": _psnr(restoration.wiener(image, psf, 0.01, clip=False), truth),
        "the same, mirrored": _psnr(restoration.wiener(mirrored, psf, 0.01, clip=False)[inside], truth),
        "deconv wiener 0.01": _psnr(deconv.wiener(image, psf, 0.01), truth),
        "deconv wiener": _psnr(deconv.wiener(image, psf), truth),
        "skimage unsupervised": _psnr(restoration.unsupervised_wiener(image, psf, clip=False, rng=0)[0], truth),
        "mirrored unsupervised": _psnr(
            restoration.unsupervised_wiener(mirrored, psf, clip=False, rng=0)[0][inside], truth
        ),
        "deconv unsupervised": _psnr(deconv.unsupervised_wiener(image, psf).image, truth),
    }


class Wiener:
    """One picture, a disk."""

    params = (list(SHAPES), list(WIDTHS), list(DTYPES))
    param_names = ("shape", "width", "dtype")

    def setup(self, shape, width, dtype):
        self.image, self.psf = _problem(SHAPES[shape], width, dtype)
        deconv.unsupervised_wiener(self.image[:128, :128], self.psf)  # compiles the kernels

    def time_wiener(self, shape, width, dtype):
        deconv.wiener(self.image, self.psf, _BALANCE)

    def time_wiener_balance_found(self, shape, width, dtype):
        deconv.wiener(self.image, self.psf)

    def time_unsupervised(self, shape, width, dtype):
        deconv.unsupervised_wiener(self.image, self.psf)

    def peakmem_reference(self, shape, width, dtype):
        """What is there before anything is restored."""

    def peakmem_wiener(self, shape, width, dtype):
        deconv.wiener(self.image, self.psf, _BALANCE)

    def peakmem_unsupervised(self, shape, width, dtype):
        deconv.unsupervised_wiener(self.image, self.psf)


class AgainstSkimage:
    """Run with OMP_NUM_THREADS=1: scikit-image takes one thread."""

    params = (list(SHAPES), list(WIDTHS), list(DTYPES))
    param_names = ("shape", "width", "dtype")
    timeout = 600

    def track_ratio_to_skimage(self, shape, width, dtype):
        return wiener_ratio(SHAPES[shape], width, dtype)[0]

    def track_ratio_to_skimage_unsupervised(self, shape, width, dtype):
        return unsupervised_ratio(SHAPES[shape], width, dtype)[0]

    track_ratio_to_skimage.unit = track_ratio_to_skimage_unsupervised.unit = "x"


class Quality:
    """A photograph cut from a larger scene, blurred by a box of 15 x 15."""

    params = ["deconv wiener 0.01", "deconv wiener", "deconv unsupervised"]
    param_names = ("method",)

    def track_psnr(self, method):
        return qualities(np.ones((15, 15)) / 225)[method]

    track_psnr.unit = "dB"
