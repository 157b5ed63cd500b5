"""Photographs of text: ink, tone curve, restoration, and the verdict whether the image is text at all."""
