"""How right Richardson-Lucy is: decibels on a cropped photograph, iterations to a likelihood, error of the adjoint."""

import sys
from pathlib import Path

import numpy as np
import scipy.signal

import deconv
from deconv._core.convolve import convolution
from deconv._core.fft import Transfer

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import known_answers


class Camera:
    """The photographer of `tests/known_answers.py`, cut out of a larger blurred picture, 2000 photons."""

    params = ["plain 10", "plain 30", "plain 100", "accelerated 10", "default"]
    param_names = ("iterations",)

    def setup_cache(self):
        image, psf, truth = known_answers.camera()
        image, psf = image.astype(np.float32), psf.astype(np.float32)
        psnrs = {}
        for name in self.params:
            how, _, count = name.partition(" ")
            options = {"num_iter": int(count), "accelerate": how == "accelerated"} if count else {}
            psnrs[name] = known_answers.psnr(deconv.richardson_lucy(image, psf, **options), truth)
        return psnrs

    def track_psnr(self, psnrs, iterations):
        """Over the whole picture."""
        return psnrs[iterations]

    track_psnr.unit = "dB"


class Likelihood:
    """Accelerated iterations that reach the likelihood of a number of plain ones; 160 x 160 pixels, 2000 photons."""

    params = [30, 100, 300]
    param_names = ("plain",)

    def setup_cache(self):
        image, psf, _ = known_answers.camera()
        image = image[120:280, 160:320]
        reach = tuple(slice(n // 2, -(n // 2)) for n in psf.shape)
        inside = image[reach]

        def divergence(estimate):
            # Inside, where the prediction needs nothing from past the frame.
            predicted = scipy.signal.fftconvolve(estimate, psf, "valid").clip(1e-9)
            return float(np.sum(predicted - inside * np.log(predicted)))

        plain, quick = {}, []

        def note(iteration, estimate):
            if iteration in self.params:
                plain[iteration] = divergence(estimate)

        deconv.richardson_lucy(image, psf, max(self.params), accelerate=False, callback=note)
        deconv.richardson_lucy(image, psf, 80, accelerate=True, callback=lambda _, x: quick.append(divergence(x)))
        return {n: next((i for i, q in enumerate(quick, 1) if q <= plain[n]), float("nan")) for n in self.params}

    def track_iterations_to_likelihood(self, counts, plain):
        return counts[plain]

    track_iterations_to_likelihood.unit = "iterations"


class Adjoint:
    """Of the transfer function, and of the ways that `convolution` takes; the worst of four widths, odd and even."""

    params = (["Transfer", "convolution"], ["float32", "float64"])
    param_names = ("by", "dtype")

    def track_adjoint_error(self, by, dtype):
        """|<Ax, y> - <x, A^T y>| as part of |Ax| |y|."""
        rng = np.random.default_rng(0)
        x, y = (rng.standard_normal((128, 130)).astype(dtype) for _ in range(2))
        worst = 0.0
        for width in (3, 4, 15, 16):
            psf = rng.random((width, width)).astype(dtype)
            operator = {"Transfer": Transfer, "convolution": convolution}[by](psf / psf.sum(), x.shape)
            ax, aty = (np.asarray(a, np.float64) for a in (operator.forward(x), operator.adjoint(y)))
            off = abs(np.sum(ax * y) - np.sum(x * aty))
            worst = max(worst, off / (np.linalg.norm(ax) * np.linalg.norm(y)))
        return worst

    track_adjoint_error.unit = "relative"
