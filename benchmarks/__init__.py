"""Benchmarks (asv), measures of quality, and the check on a real GPU."""
