"""Calls that mypy must accept, in strict mode; tests/test_typing.py runs it. Nothing here is executed."""

from typing import assert_type

import numpy as np

import deconv

picture = np.zeros((256, 256), np.float32)
colours = np.zeros((256, 256, 3), np.uint8)
psf = deconv.psf.disk(7.3)

# A known PSF.
deconv.wiener(picture, psf)
deconv.wiener(picture, psf, 0.01, reg="laplacian")
deconv.wiener(picture, psf, "gcv")
deconv.wiener(picture, psf, balance="likelihood", reg=np.ones((256, 256)))
deconv.wiener(colours, psf, channel_axis=-1)
deconv.richardson_lucy(picture, psf)
deconv.richardson_lucy(picture, psf, 30, accelerate=False, background=0.01)
deconv.richardson_lucy(picture, psf, reg="tv", weight=0.002, mask=picture > 0)
deconv.richardson_lucy(picture, psf, background=picture, callback=lambda iteration, estimate: print(iteration))
assert_type(deconv.variational(picture, psf), deconv.Solution)
deconv.variational(picture, psf, prior=deconv.priors.TotalVariation(), weight=0.01, bounds=(0.0, 1.0))
deconv.variational(picture, psf, likelihood="poisson", tol=0.01, channel_axis=None)
solution = deconv.variational(colours, psf, channel_axis=(2,))
assert_type(solution.weight, float)
assert_type(solution.converged, bool)
assert_type(deconv.unsupervised_wiener(picture, psf, num_iter=100, rng=3), deconv.UnsupervisedWiener)
deconv.unsupervised_wiener(picture, psf, rng=np.random.default_rng(0))

# An unknown one.
result = deconv.blind.deblur(picture)
assert_type(result, deconv.blind.Restoration)
family: str = result.family
assert_type(result.uncertainty, float)
assert_type(result.parameters["radius"], float)
deconv.blind.deblur(colours, channel_axis=-1, prior="text", gamma=2.2, callback=lambda fraction, stage: print(stage))
deconv.blind.deblur(picture, psf="free", psf_size=(5, 31), region=(slice(10, 200), slice(10, 200)))
deconv.blind.deblur(picture, psf="auto", psf_size=21)
deconv.blind.deblur(picture, psf=psf)
deconv.blind.deblur(picture, radius=6.5)
assert_type(deconv.blind.deblur_pages([picture, picture]), list[deconv.blind.Restoration])
result.plot(picture)

# The parts of the camera.
deconv.psf.disk(7.3, softness=1.2, like=picture)
deconv.psf.motion(20, 30.0)
deconv.psf.random_motion(21, rng=0)
deconv.psf.from_otf(deconv.psf.to_otf(psf, (256, 256)), (15, 15))
assert_type(deconv.psf.similarity(psf, psf), float)
light = deconv.tone.decode(picture, 2.2, shoulder=0.1)
deconv.tone.encode(light)
deconv.degrade.add_noise(deconv.degrade.blur(light, psf), 0.01, rng=0)
deconv.degrade.text_picture(["two", "lines"], font="times", shape=(120, 200))
deconv.degrade.hdc_photo(8, font="verdana", rng=np.random.default_rng(0))
even = deconv.vignette.correct(picture, mode="divide", where=picture > 0.5, foreground="bright")
deconv.vignette.fit(picture, degree=2).field((128, 128), like=picture)
assert_type(deconv.noise.estimate(picture), float)

# Scores.
assert_type(deconv.metrics.psnr(picture, picture), float)
assert_type(deconv.metrics.ssim(picture, picture, border=4, reach=0), float)
assert_type(deconv.ocr.read_lines(picture, lang="deu"), list[str])
assert_type(deconv.ocr.character_accuracy(["a line"], ["a line"]), float)
data = deconv.compare.open_dataset("synthetic:4")
deconv.compare.run([data], deconv.compare.BUILTIN, "comparison", settings=deconv.compare.Settings(threads=2))
