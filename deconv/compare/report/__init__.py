"""The report of a comparison: scores, plots and images on one page."""
