"""The page of a comparison: scores, pictures, plots."""
