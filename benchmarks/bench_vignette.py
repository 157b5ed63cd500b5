"""The fit of the light over a page with text: time, memory and error."""

import numpy as np

import deconv

SHAPE = (1460, 2360)


def page(radius=0.0):
    """A page of 2360 x 1460 pixels, 12 % of it ink, blurred, under uneven light with noise; and that light.

    The light is the natural fall-off of a lens, cos^4 of the angle to an axis off the centre, which no polynomial is.
    """
    rows, columns = ((2 * np.arange(n) + 1 - n) / np.hypot(*SHAPE) for n in SHAPE)
    d2 = (rows[:, None] + 0.06) ** 2 + (columns[None, :] - 0.12) ** 2
    light = (0.85 / (1 + 0.2 * d2) ** 2).astype(np.float32)
    lines = [
        "the light over a photograph falls",
        "off towards its corners, and what",
        "is near a corner is not darker ink",
        "but only less light: the fit should",
        "tell the two apart, whether letters",
        "stand in the middle of the page or",
        "reach as far as here, to its border",
        "and cover more than a tenth of it",
    ]
    text = deconv.degrade.text_picture(lines, size=128, shape=SHAPE)
    blurred = deconv.degrade.blur(text, deconv.psf.disk(radius))
    return deconv.degrade.add_noise(light * (0.05 + 0.95 * blurred), 0.01, rng=0), light, float(np.mean(text < 0.5))


class Vignette:
    params = ["rejection", "border"]
    param_names = ("paper",)
    timeout = 120

    def setup_cache(self):
        return page()

    def setup(self, cache, paper):
        self.image, self.light, self.inked = cache
        self.where = "border" if paper == "border" else None

    def time_fit(self, cache, paper):
        deconv.vignette.fit(self.image, where=self.where)

    def time_correct(self, cache, paper):
        deconv.vignette.correct(self.image, where=self.where)

    def peakmem_reference(self, cache, paper):
        """What the set-up alone takes, to be taken off the next."""

    def peakmem_fit(self, cache, paper):
        deconv.vignette.fit(self.image, where=self.where)

    def track_rms_error(self, cache, paper):
        """Per cent of the light."""
        field = deconv.vignette.fit(self.image, where=self.where).field()
        return 100 * float(np.sqrt(np.mean((field / self.light - 1) ** 2)))

    track_rms_error.unit = "%"
