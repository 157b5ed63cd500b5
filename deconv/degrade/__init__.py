"""Names of `deconv.degrade`."""

from deconv.degrade.hdc import *  # noqa: F403
from deconv.degrade.hdc import __all__, ALPHABET, _SHAPE, HDC_WIDTH, _PAPER, _PITCH, _ROTATION, _STEPS, HDC_STEPS, _Font, _FONTS, HdcPhoto, hdc_photo, blur, random_blur, add_noise, add_vignette, text_picture, _blurred, _middles, hdc_psf, _aperture, _mirrored, _as_lines, _style, _open_font, _width, _set_lines, _resample
