"""Blind restoration with a free-form PSF: growth of time and memory with the picture and with the path."""

import itertools

import numpy as np

import deconv
from benchmarks.studies import blind_sets


class Free:
    """Text blurred along a random path."""

    params = ([450, 944, 2360], [15, 31, 61])
    param_names = ("width", "side")
    timeout = 600
    number = 1
    repeat = 1
    warmup_time = 0

    def setup_cache(self):
        for width, side in itertools.product(*self.params):
            np.save(f"{width}_{side}.npy", blind_sets.load(f"cost/{width}/{side}").image)

    def setup(self, width, side):
        self.image = np.load(f"{width}_{side}.npy")
        # Compile the kernels.
        small = deconv.degrade.text_picture("warm", shape=(64, 128))
        deconv.blind.deblur(deconv.degrade.blur(small, deconv.psf.disk(3)), psf="free", gamma=1)

    def deblur(self):
        deconv.blind.deblur(self.image, psf="free", gamma=1)

    def time_deblur(self, width, side):
        self.deblur()

    def peakmem_reference(self, width, side):
        """What the set-up alone takes, to be taken off the next."""

    def peakmem_deblur(self, width, side):
        self.deblur()
