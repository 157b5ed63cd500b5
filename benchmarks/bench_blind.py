"""Blind restoration of simulated photographs: time, memory, the radius found and what is read."""

import contextlib

import deconv


def photograph(step, shrink):
    """A photograph of the ladder, reduced to means over `shrink` x `shrink` pixels, and its truth."""
    photo = deconv.degrade.hdc_photo(step, rng=0)
    height, width = (n // shrink for n in photo.image.shape)
    image = photo.image[: height * shrink, : width * shrink]
    return image.reshape(height, shrink, width, shrink).mean(axis=(1, 3)), photo


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
        deconv.variational(self.image[:64, :64], deconv.psf.disk(2), num_iter=1)  # compiles the kernels

    def time_deblur(self, cache, step, shrink):
        deconv.blind.deblur(self.image)

    def peakmem_reference(self, cache, step, shrink):
        """What the set-up alone takes, to be taken off the next."""

    def peakmem_deblur(self, cache, step, shrink):
        deconv.blind.deblur(self.image)


class Quality:
    """What a restoration by defaults is worth; each picture is restored once, for all measures."""

    params = ([4, 12], [1, 10])
    param_names = ("step", "shrink")
    timeout = 600

    def setup_cache(self):
        found = {}
        for step in self.params[0]:
            for shrink in self.params[1]:
                image, photo = photograph(step, shrink)
                result = deconv.blind.deblur(image)
                radius = result.parameters.get("radius", 0.0) * shrink
                score = float("nan")
                with contextlib.suppress(deconv.ocr.TesseractMissing):
                    score = deconv.ocr.hdc_score(result.image, photo.lines)
                found[step, shrink] = 100 * (radius / photo.radius - 1), score
        return found

    setup_cache.timeout = 600

    def track_radius_error(self, cache, step, shrink):
        """Per cent of the true radius, signed."""
        return cache[step, shrink][0]

    track_radius_error.unit = "%"

    def track_score(self, cache, step, shrink):
        """The challenge's score of the middle line, 0 to 100."""
        return cache[step, shrink][1]

    track_score.unit = "points"
