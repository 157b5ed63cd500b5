"""
Correct the vignetting of a page
================================

The light over a photograph falls off towards its corners. Before anything else is done with a page, fit that light and
divide by it: a polynomial of low degree in x, y and the distance from the centre (`deconv.vignette`).
"""

# %%
# A page with uneven light of known shape, a blurred text on it, and noise. Everything here is light; a photograph is
# decoded first (`deconv.tone.decode`).
import matplotlib.pyplot as plt
import numpy as np

import deconv

text = deconv.degrade.text_picture(["Light falls off", "towards corners", "of every page"], size=60, shape=(438, 708))
ink = deconv.degrade.blur(text, deconv.psf.disk(6.0))
light = deconv.degrade.add_vignette(np.full(text.shape, 0.85, np.float32), 0.55, centre=(0.3, -0.2))
page = deconv.degrade.add_noise(light * (0.05 + 0.95 * ink), 0.01, rng=0)
print(f"{100 * np.mean(ink < 0.98):.0f} % of the page is covered by text and its skirts")

# %%
# `fit` needs no text-free border: it rejects pixels darker than the fit. With ``where="border"`` it uses the outer 40 %
# of the area, which is the older and simpler rule; a mask can be passed too.
fits = {
    "rejection": deconv.vignette.fit(page),
    "border": deconv.vignette.fit(page, where="border"),
    "text taken as paper": deconv.vignette.fit(page, foreground=None),
}
errors = {name: vignette.field() / light - 1 for name, vignette in fits.items()}
for name, error in errors.items():
    print(f"{name:22} rms relative error {100 * np.sqrt(np.mean(error**2)):6.3f} %")

# %%
# The page, the estimated light, its error, and the corrected page.
flat = deconv.vignette.correct(page)
figure, axes = plt.subplots(2, 2, figsize=(10, 6.6), layout="constrained")
axes[0, 0].set_title("page")
axes[0, 0].imshow(page, cmap="gray", vmin=0, vmax=1)
axes[0, 1].set_title("estimated light")
axes[0, 1].imshow(fits["rejection"].field(), cmap="gray", vmin=0, vmax=1)
axes[1, 0].set_title("its error (per cent)")
bar = axes[1, 0].imshow(100 * errors["rejection"], cmap="RdBu", vmin=-0.5, vmax=0.5)
figure.colorbar(bar, ax=axes[1, 0], shrink=0.7)
axes[1, 1].set_title("page under even light")
axes[1, 1].imshow(flat, cmap="gray", vmin=0, vmax=1)
for axis in axes.flat:
    axis.set_axis_off()

# %%
# The fit is a short list of numbers, which can be kept and evaluated on a frame of another size.
vignette = fits["rejection"]
for term, coefficient in list(zip(vignette.terms, vignette.coefficients, strict=True))[:6]:
    print(f"{term:>4} {coefficient:+.4f}")
print(vignette.field((219, 354)).shape)
