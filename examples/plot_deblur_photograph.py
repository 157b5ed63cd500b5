"""
Deblur a photograph of which nothing else is known
==================================================

A page of text was photographed far out of focus. Neither the blur nor the text is known. `deconv.blind.deblur` finds
the radius of the blur by itself, and the camera's response curve, and restores the page.
"""

# %%
# The photograph is simulated as the cameras of the Helsinki Deblur Challenge 2021 were measured to work: light that
# falls off over the frame, a blur disc with a soft edge, a tone curve, noise (`deconv.degrade.hdc_photo`). Means over
# 5 x 5 pixels make it small enough for a page that is built in seconds.
import matplotlib.pyplot as plt

import deconv

photo = deconv.degrade.hdc_photo(10, rng=1)
small = photo.image.reshape(292, 5, 472, 5).mean(axis=(1, 3))
print("the text:", " / ".join(photo.lines))

# %%
# One call. Nothing but the picture goes in: no radius, no noise level, no weight.
result = deconv.blind.deblur(small)

radius, unsure = result.parameters["radius"], 100 * result.uncertainty
print(f"{result.family} of radius {radius:.2f} px (+- {unsure:.1f} %) found, {photo.radius / 5:.2f} px true")
print(f"restored as {result.prior}; expected to be readable: {100 * result.readability:.0f} % of the characters")

figure, (before, after) = plt.subplots(1, 2, figsize=(11, 3.6), layout="constrained")
before.imshow(small, cmap="gray", vmin=0, vmax=1)
before.set_title("photograph")
after.imshow(result.image, cmap="gray", vmin=0, vmax=1)
after.set_title("restored, blind")
for axis in (before, after):
    axis.set_axis_off()

# %%
# How far the result can be trusted is part of it. Readability is judged without reading, by how well two tones explain
# the picture; and there is the criterion over every radius that was tried. Zero is the likelihood of no blur at all,
# the sharp dip stands at the radius of the blur. Radii far too large may come out well too, for their rings of zeros
# lie closer than the spectrum resolves. They are told apart by the picture's slopes: no scene so blurred has
# them as steep.
figure = result.plot(small)

# %%
# Tesseract reads the restored page, and rubbish from the photograph. `deconv.ocr.hdc_score` is the official score of
# the challenge, 0 to 100 for the middle line.
for name, picture in (("photograph", small), ("restored", result.image)):
    lines = deconv.ocr.read_lines(picture)
    print(f"{name}: {' / '.join(lines) or '(nothing)'}; score {deconv.ocr.hdc_score(picture, photo.lines)}")
