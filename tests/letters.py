"""Images of letters strewn over a page, blurred and noisy, for the tests of the free-form estimate."""

import numpy as np

import deconv


def blurred_letters(psf, shape=(240, 320), seed=0, noise=0.005):
    """Letters strewn over a page, blurred; what lies outside of the frame is not known."""
    margin = psf.shape[0] // 2
    rng = np.random.default_rng(seed)
    letters = rng.choice(list("abcdefghkmnoprstuvwxyzABDEGKMRS"), (14, 40))
    page = deconv.degrade.text_picture(["".join(line) for line in letters], size=30)
    page = page[30 : 30 + shape[0] + 2 * margin, 60 : 60 + shape[1] + 2 * margin]
    blurred = deconv.degrade.blur(page, psf)[margin:-margin, margin:-margin]
    return deconv.degrade.add_noise(blurred, noise, rng=rng).astype(np.float32)
