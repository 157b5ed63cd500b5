"""Two small networks: one after Nyrhilä's description of his entry, and a U-Net that is told nothing.

Both return logits in training and, as a picture wants them, values from 0 (ink) to 1 (paper) when they are evaluated.
"""

import itertools

import numpy as np
import torch
from scipy.ndimage import median_filter
from torch import nn

MEDIANS = (3, 5, 7, 9)


class Nyrhila(nn.Module):
    """What is known of N. Nyrhilä's network: 5 planes of 110 x 110 pixels in, 52 x 52 out, the step of the blur beside.

    The planes are the picture and its medians over 3, 5, 7 and 9 pixels. He states 67,185 parameters, 66,849 of them
    trained, which this has; the order and size of its layers we do not know, and are ours.

    References
    ----------
    N. Nyrhilä, https://nikonyrh.github.io/helsinkideblur.html
    """

    BORDER = 29
    # Side and dilation of each layer's filters: together they see 2 x 29 pixels more than they return.
    _LAYERS = ((7, 1), (5, 1), (5, 2), (5, 4), (3, 6), (3, 4), (3, 2))
    _WIDTH, _TOLD = 24, 64

    def __init__(self):
        super().__init__()
        widths = (1 + len(MEDIANS), *[self._WIDTH] * len(self._LAYERS))
        self.filters = nn.ModuleList(
            nn.Conv2d(i, o, k, dilation=d) for i, o, (k, d) in zip(widths, widths[1:], self._LAYERS, strict=False)
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(self._WIDTH) for _ in self._LAYERS)
        self.told = nn.Sequential(nn.Linear(1, self._TOLD), nn.ReLU(), nn.Linear(self._TOLD, self._WIDTH))
        self.last = nn.Conv2d(self._WIDTH, 1, 1)

    def forward(self, planes, step):
        """(B, 5, M, N) and (B, 1) to (B, 1, M - 58, N - 58)."""
        x = planes
        for i, (conv, norm) in enumerate(zip(self.filters, self.norms, strict=True)):
            x = conv(x)
            if i == 0:
                x = x + self.told(step / 10 - 1)[:, :, None, None]
            x = torch.relu(norm(x))
        x = self.last(x)
        return x if self.training else torch.sigmoid(x)

    @staticmethod
    def planes(image):
        """A picture and its medians, (5, M, N)."""
        medians = [median_filter(image, size=n, mode="nearest") for n in MEDIANS]
        return np.stack([image, *medians]).astype(np.float32)

    @staticmethod
    def inner(sharp):
        """Of a batch of sharp pictures the part that is returned for them."""
        b = Nyrhila.BORDER
        return sharp[..., b:-b, b:-b]


class UNet(nn.Module):
    """A U-Net of five scales that is told nothing but the picture.

    References
    ----------
    O. Ronneberger, P. Fischer, T. Brox, "U-Net: convolutional networks for biomedical image segmentation", MICCAI
    (2015), https://doi.org/10.1007/978-3-319-24574-4_28
    """

    MULTIPLE_OF = 16
    _WIDTHS = (16, 24, 32, 48, 56)

    def __init__(self):
        super().__init__()
        widths = (1, *self._WIDTHS)
        self.down = nn.ModuleList(_twice(i, o) for i, o in itertools.pairwise(widths))
        self.up = nn.ModuleList(
            _twice(below + here, here) for below, here in zip(self._WIDTHS[:0:-1], self._WIDTHS[-2::-1], strict=True)
        )
        self.last = nn.Conv2d(self._WIDTHS[0], 1, 1)

    def forward(self, image):
        """(B, 1, M, N), multiples of 16, to the same."""
        x, skipped = 2 * image - 1, []
        for i, block in enumerate(self.down):
            if i:
                skipped.append(x)
                x = nn.functional.avg_pool2d(x, 2)
            x = block(x)
        for block in self.up:
            x = nn.functional.interpolate(x, scale_factor=2, mode="nearest")
            x = block(torch.cat([x, skipped.pop()], dim=1))
        x = self.last(x)
        return x if self.training else torch.sigmoid(x)

    @staticmethod
    def planes(image):
        """The picture alone, (1, M, N'), continued by its edge to the next multiple of 16 columns and rows."""
        missing = [-n % UNet.MULTIPLE_OF for n in image.shape]
        return np.pad(image, [(0, n) for n in missing], mode="edge")[None].astype(np.float32)

    @staticmethod
    def inner(sharp):
        """A batch of sharp pictures, continued alike."""
        missing = [-n % UNet.MULTIPLE_OF for n in sharp.shape[-2:]]
        return nn.functional.pad(sharp, (0, missing[1], 0, missing[0]), mode="replicate")


def _twice(channels, width):
    """Two filters of 3 x 3, each with its normalisation."""
    layers = []
    for i in (channels, width):
        layers += [nn.Conv2d(i, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
    return nn.Sequential(*layers)


NETWORKS = {"nyrhila": Nyrhila, "unet": UNet}
