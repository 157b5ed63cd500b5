"""The report of a comparison: scores, plots and pictures on one page."""
