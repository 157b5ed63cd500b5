"""Read the text in an image, and score the reading.

The reader is Tesseract (Apache-2.0), called through pytesseract; neither is needed before an image is read.
"""

from deconv.ocr.scores import character_accuracy, hdc_score
from deconv.ocr.tesseract import TesseractMissing, read_lines

__all__ = ["TesseractMissing", "character_accuracy", "hdc_score", "read_lines"]
