r"""Vignetting: the smooth light fall-off over the frame, fitted to the paper of one image and divided out.

The field is a polynomial of low degree in x and y plus powers of the distance d from the centre. It is fitted to
pixels known to be paper (the border, or a mask), or to all pixels while text is rejected as outliers.

>>> import numpy as np, deconv
>>> paper = deconv.degrade.add_vignette(np.full((60, 80), 0.9), 0.4)
>>> light = deconv.vignette.fit(paper)
>>> bool(np.allclose(light.field(), paper))
True
"""

from deconv.vignette.estimate import correct, fit
from deconv.vignette.model import Vignette

__all__ = ["Vignette", "correct", "fit"]
