"""PSFs of any form: starts from the power spectrum, alternating scene and PSF steps coarse to fine, and their score."""
