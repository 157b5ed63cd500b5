"""Names of `deconv.ocr`."""

from deconv.ocr.tesseract import *  # noqa: F403
from deconv.ocr.tesseract import __all__, _X_HEIGHT, _READ_CONFIG, _HDC_SIZE, _HDC_MARGIN, _HDC_CONFIG, TesseractMissing, read_lines, hdc_score, character_accuracy, _one_text, _middle_line, _bytes, _find_letters, _block_mean, _resize_within_reason, _tesseract, _one_thread
