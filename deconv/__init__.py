"""Restore blurred images without training: blind and non-blind deconvolution with priors made for text.

NumPy, CuPy and PyTorch arrays from one source: the array you pass decides where it computes.
The public names are listed in ``__init__.pyi`` and loaded when first used.
"""

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
