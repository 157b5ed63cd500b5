"""Blind restoration of simulated photographs: time, memory, error of the radius and the challenge's score."""

import contextlib

import numpy as np

import deconv


def photograph(step, shrink):
    """A photograph of the ladder, reduced to means over `shrink` x `shrink` pixels, and its truth."""
    photo = deconv.degrade.hdc_photo(step, rng=0)
    height, width = (n // shrink for n in photo.image.shape)
    image = photo.image[: height * shrink, : width * shrink]
    return image.reshape(height, shrink, width, shrink).mean(axis=(1, 3)), photo


def page(width, radius=16.0):
    """A blurred page of that width, as full of text as any other."""
    height, rng = round(width * 1460 / 2360), np.random.default_rng(0)
    lines = ["".join(rng.choice(list(deconv.degrade.hdc.ALPHABET), width // 40)) for _ in range(height // 70)]
    sharp = 0.05 + 0.9 * deconv.degrade.text_picture(lines, size=50, shape=(height, width))
    blurred = deconv.degrade.blur(sharp, deconv.psf.disk(radius, softness=1.5))
    return deconv.degrade.add_noise(deconv.tone.encode(blurred), 0.01, rng=0).astype(np.float32)


def warm_up():
    """Compile the kernels."""
    small = deconv.degrade.text_picture("warm", shape=(64, 128))
    deconv.blind.deblur(deconv.degrade.blur(small, deconv.psf.disk(3)), gamma=1)


class Blind:
    """Steps 4 and 12 of the ladder, at full size and at that of the small frames."""

    params = ([4, 12], [1, 10])
    param_names = ("step", "shrink")
    timeout = 600
    # A restoration takes seconds: once is enough, and a repetition would be no better.
    number = 1
    repeat = 1
    warmup_time = 0

    def setup_cache(self):
        return {(step, shrink): photograph(step, shrink) for step in self.params[0] for shrink in self.params[1]}

    def setup(self, cache, step, shrink):
        self.image, self.photo = cache[step, shrink]
        warm_up()

    def time_deblur(self, cache, step, shrink):
        deconv.blind.deblur(self.image)

    def peakmem_reference(self, cache, step, shrink):
        """What the set-up alone takes, to be taken off the next."""

    def peakmem_deblur(self, cache, step, shrink):
        deconv.blind.deblur(self.image)


class Growth:
    """With the picture, the blur the same, and with the blur, the picture the same."""

    params = (["width 590", "width 1180", "width 2360", *(f"step {s}" for s in (4, 8, 12, 16, 19))],)
    param_names = ("picture",)
    timeout = 600
    number = 1
    repeat = 1
    warmup_time = 0

    def setup_cache(self):
        for picture in self.params[0]:
            kind, n = picture.split()
            np.save(f"{picture}.npy", page(int(n)) if kind == "width" else photograph(int(n), 1)[0])

    def setup(self, picture):
        self.image = np.load(f"{picture}.npy")
        warm_up()

    def time_deblur(self, picture):
        deconv.blind.deblur(self.image)

    def peakmem_reference(self, picture):
        """What the set-up alone takes, to be taken off the next."""

    def peakmem_deblur(self, picture):
        deconv.blind.deblur(self.image)


class Quality:
    """What a restoration by defaults is worth; each picture is restored once, for all measures."""

    params = ([4, 12], [1, 10])
    param_names = ("step", "shrink")
    timeout = 600

    def setup_cache(self):
        figures = {}
        for step in self.params[0]:
            for shrink in self.params[1]:
                image, photo = photograph(step, shrink)
                result = deconv.blind.deblur(image)
                radius = result.parameters.get("radius", 0.0) * shrink
                score = float("nan")
                with contextlib.suppress(deconv.ocr.TesseractMissing):
                    score = deconv.ocr.hdc_score(result.image, photo.lines)
                figures[step, shrink] = 100 * (radius / photo.radius - 1), score
        return figures

    setup_cache.timeout = 600

    def track_radius_error(self, cache, step, shrink):
        """Per cent of the true radius, signed."""
        return cache[step, shrink][0]

    track_radius_error.unit = "%"

    def track_score(self, cache, step, shrink):
        """The challenge's score of the middle line, 0 to 100."""
        return cache[step, shrink][1]

    track_score.unit = "points"
