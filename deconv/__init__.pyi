from . import blind, degrade, noise, ocr, priors, psf, tone, vignette
from ._richardson_lucy import richardson_lucy
from ._variational import variational
from ._wiener import wiener

__version__: str

__all__ = [
    "blind",
    "degrade",
    "noise",
    "ocr",
    "priors",
    "psf",
    "richardson_lucy",
    "tone",
    "variational",
    "vignette",
    "wiener",
]
