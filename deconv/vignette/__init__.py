"""Names of `deconv.vignette`."""

from deconv.vignette.estimate import *  # noqa: F403
from deconv.vignette.estimate import __all__, _GRID, _BORDER, _TILES, _CUT, _TRUE, _APART, _SKIRT, _HOLD, _COARSE, Vignette, fit, correct, _Problem, _trim, _reject, _apart, _box, _starts, _refine, _tiled, _solve, _mask, _problem, _powers, _radial, _terms, _axis, _aspect
