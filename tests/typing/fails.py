"""Calls that mypy must refuse, each with the code of its complaint; tests/test_typing.py runs it."""

from pathlib import Path

import numpy as np

import deconv

picture = np.zeros((256, 256), np.float32)
psf = deconv.psf.disk(7.3)

# A misspelt name, a missing argument, one too many.
deconv.wiener(picture, psf, balnce=3)  # expect: call-arg
deconv.wiener(picture)  # expect: call-arg
deconv.psf.disk(7.3, soft=1.0)  # expect: call-arg
deconv.degrade.add_noise(picture, 0.01, seed=3)  # expect: call-arg
deconv.compare.Settings(devise="cpu")  # expect: call-arg
deconv.richardson_lucy(picture, psf, 30, True)  # expect: call-arg
deconv.blind.deblur(picture, "text")  # expect: call-arg
deconv.psf.dsk(7.3)  # expect: attr-defined
deconv.richardson_lucie(picture, psf)  # expect: attr-defined

# A misspelt choice.
deconv.wiener(picture, psf, "likelyhood")  # expect: arg-type
deconv.richardson_lucy(picture, psf, reg="tvv")  # expect: arg-type
deconv.variational(picture, psf, likelihood="poison")  # expect: arg-type
deconv.blind.deblur(picture, prior="txt")  # expect: arg-type
deconv.blind.deblur(picture, psf="dsk")  # expect: arg-type
deconv.degrade.hdc_photo(12, font="arial")  # expect: arg-type
deconv.vignette.correct(picture, mode="multiply")  # expect: arg-type
deconv.vignette.fit(picture, foreground="grey")  # expect: arg-type

# A file name where an array is wanted.
deconv.wiener("photo.png", psf)  # expect: arg-type
deconv.blind.deblur(Path("photo.png"))  # expect: arg-type
deconv.blind.deblur_pages(["one.png"])  # expect: list-item
deconv.metrics.psnr(picture, "sharp.png")  # expect: arg-type
deconv.ocr.read_lines("page.png")  # expect: arg-type

# Another type.
deconv.psf.disk("7")  # expect: arg-type
deconv.tone.decode(picture, gamma="2.2")  # expect: arg-type
deconv.richardson_lucy(picture, psf, num_iter="30")  # expect: arg-type
deconv.variational(picture, psf, bounds=(0.0,))  # expect: arg-type
deconv.priors.HyperLaplacian(power="2/3")  # expect: arg-type

# What comes back.
deconv.blind.deblur(picture).imgae  # expect: attr-defined
similar: int = deconv.metrics.ssim(picture, picture)  # expect: assignment
lines: str = deconv.ocr.read_lines(picture)  # expect: assignment
