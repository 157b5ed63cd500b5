"""
Deblur a photograph blindly
===========================

A page of text was photographed far out of focus; neither the blur nor the text is known. `deconv.blind.deblur`
recognises the kind of blur, estimates its radius and the camera's response curve, and restores the page.
"""

# %%
# The photograph is simulated after measurements of the Helsinki Deblur Challenge 2021: vignetting, a blur disc with a
# soft edge, a tone curve, noise (`deconv.degrade.hdc_photo`). Averaging 5 x 5 pixels makes it small enough for a page
# that is built in seconds.
import matplotlib.pyplot as plt

import deconv

photo = deconv.degrade.hdc_photo(10, rng=1)
small = photo.image.reshape(292, 5, 472, 5).mean(axis=(1, 3))
print("the text:", " / ".join(photo.lines))

# %%
# One call with nothing but the image: no kind of blur, no radius, no noise level, no weight.
result = deconv.blind.deblur(small)

radius, unsure = result.parameters["radius"], 100 * result.uncertainty
print(f"{result.family} of radius {radius:.2f} px (+- {unsure:.1f} %) estimated, {photo.radius / 5:.2f} px true")
print(f"restored as {result.prior}; expected to be readable: {100 * result.readability:.0f} % of the characters")

figure, (before, after) = plt.subplots(1, 2, figsize=(11, 3.6), layout="constrained")
before.imshow(small, cmap="gray", vmin=0, vmax=1)
before.set_title("photograph")
after.imshow(result.image, cmap="gray", vmin=0, vmax=1)
after.set_title("restored, blind")
for axis in (before, after):
    axis.set_axis_off()

# %%
# The result says how far it can be trusted. `guess.log_odds` are the log odds for the blur against none, in nats.
# Readability is predicted without reading, from how well two tones explain the image; and there is the criterion for
# every radius that was tried. Zero is the likelihood of no blur, and the sharp dip marks the blur radius. Radii far too
# large may score well too, because their rings of zeros lie closer than the spectrum resolves. The image's slopes
# exclude them: no scene blurred that much has slopes that steep.
figure = result.plot(small)

# %%
# Tesseract reads the restored page, and nonsense from the photograph. `deconv.ocr.hdc_score` is the official score of
# the challenge, 0 to 100 for the middle line.
for name, picture in (("photograph", small), ("restored", result.image)):
    lines = deconv.ocr.read_lines(picture)
    print(f"{name}: {' / '.join(lines) or '(nothing)'}; score {deconv.ocr.hdc_score(picture, photo.lines)}")
