"""
Camera shake: a blur of unknown shape
=====================================

A hand-held camera moves along a path that no formula describes. With ``psf="free"``, `deconv.blind.deblur` estimates a
PSF of any shape, and its size, from the blurred image alone.
"""

# %%
# A page of text, photographed with an unsteady hand: a random path (`deconv.psf.random_motion`) of 27 pixels, and
# noise.
import matplotlib.pyplot as plt
import numpy as np

import deconv

page = deconv.degrade.text_picture(
    ["Nobody holds a camera", "as still as a tripod", "would; what it writes", "on the film is a path"],
    size=44,
    shape=(300, 560),
)
sharp = 0.1 + 0.8 * page
shake = deconv.psf.random_motion(27, rng=3)
blurred = deconv.degrade.add_noise(deconv.degrade.blur(sharp, shake), 0.005, rng=0)

# %%
# One call: no PSF, no size, no noise level. `deconv.metrics` compares the result with the truth. A blind restoration
# may be shifted by a few pixels, which is no error, so the metrics register both images first.
result = deconv.blind.deblur(blurred, psf="free")

print(f"family {result.family!r}, support {result.parameters['size']:.0f} px, restored as {result.prior}")
print(f"explains the image {100 * result.score:.0f} % better than no blur")
print(f"similarity of the PSF to the true one: {deconv.psf.similarity(result.psf, shake):.3f}")
for name, picture in (("blurred", blurred), ("restored", result.image)):
    psnr, ssim = deconv.metrics.psnr(picture, sharp), deconv.metrics.ssim(picture, sharp)
    print(f"{name:9} PSNR {psnr:5.2f} dB, SSIM {ssim:.3f}")

figure, axes = plt.subplots(2, 2, figsize=(11, 6.6), layout="constrained", width_ratios=(3, 1))
rows = (("blurred", blurred, "true path", shake), ("restored, blind", result.image, "estimated PSF", result.psf))
for (left, right), (title, picture, psf_title, psf) in zip(axes, rows, strict=True):
    left.imshow(picture, cmap="gray", vmin=0, vmax=1)
    left.set_title(title)
    right.imshow(psf, cmap="gray")
    right.set_title(psf_title)
    left.set_axis_off()
    right.set_axis_off()

# %%
# The size of the support was estimated too: several were tried, with several edge penalties, and the best were refined
# on a finer scale and scored again. Smaller is better.
figure = result.plot(blurred)

# %%
# Pages of one scan share one PSF, which `deconv.blind.deblur_pages` estimates from all of them together. Here it starts
# from the PSF estimated above, which saves the search.
other = 0.1 + 0.8 * deconv.degrade.text_picture(["Another page", "of the same scan"], size=44, shape=(200, 460))
second = deconv.degrade.add_noise(deconv.degrade.blur(other, shake), 0.005, rng=1)
results = deconv.blind.deblur_pages([blurred, second], psf=result.psf, gamma=result.gamma)
for number, (page_result, truth) in enumerate(zip(results, (sharp, other), strict=True), start=1):
    print(f"page {number}: PSNR {deconv.metrics.psnr(page_result.image, truth):.2f} dB")
print("one PSF:", bool(np.array_equal(results[0].psf, results[1].psf)))
