"""Functions with another library's signatures and semantics, so that code written for it changes one import."""

from deconv.compat import skimage

__all__ = ["skimage"]
