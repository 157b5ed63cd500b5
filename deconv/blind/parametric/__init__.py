"""PSFs that a few numbers describe (disc, Gaussian, straight motion): families, search, refinement."""
