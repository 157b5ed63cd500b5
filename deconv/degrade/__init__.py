r"""The camera run forwards: blur, noise, light fall-off, text, and photographs like those of the Helsinki challenge.

The model is :math:`v = T(L \cdot (k * x)) + n`: a scene :math:`x` blurred by the PSF :math:`k` under uneven
illumination :math:`L`, through the tone curve :math:`T`, with noise :math:`n`. `hdc_photo` is that model with
every part as measured on the photographs of the Helsinki Deblur Challenge 2021 [1]_.

References
----------
.. [1] M. Juvonen, S. Siltanen, F. Silva de Moura, "Helsinki deblur challenge 2021: description of photographic
   data", Inverse Problems and Imaging, :doi:`10.3934/ipi.2022073`
"""

from deconv.degrade.camera import add_noise, add_vignette, blur, random_blur
from deconv.degrade.hdc import HdcPhoto, hdc_photo
from deconv.degrade.text import text_picture

__all__ = ["HdcPhoto", "add_noise", "add_vignette", "blur", "hdc_photo", "random_blur", "text_picture"]
