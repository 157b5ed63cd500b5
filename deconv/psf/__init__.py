"""Names of `deconv.psf`."""

from deconv.psf.shapes import *  # noqa: F403
from deconv.psf.shapes import __all__, _HERMITIAN, disk, gaussian, motion, polygon, random_motion, normalise, _normalise, centre, separate, similarity, to_otf, from_otf, _as_otf, _as_shape, _opposite, _half, _unfold, _finish, _handed, _area_beside
