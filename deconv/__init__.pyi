from . import blind, compare, compat, degrade, metrics, noise, ocr, priors, psf, tone, vignette
from .nonblind.richardson_lucy import richardson_lucy
from .nonblind.unsupervised_wiener import UnsupervisedWiener, unsupervised_wiener
from .nonblind.variational import Solution, variational
from .nonblind.wiener import wiener

__version__: str

__all__ = [
    "Solution",
    "UnsupervisedWiener",
    "blind",
    "compare",
    "compat",
    "degrade",
    "metrics",
    "noise",
    "ocr",
    "priors",
    "psf",
    "richardson_lucy",
    "tone",
    "unsupervised_wiener",
    "variational",
    "vignette",
    "wiener",
]
