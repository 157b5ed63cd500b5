r"""The likelihood of a PSF from the power of an image, no restoration needed.

The power of a scene is a smooth function of frequency, that of most PSFs is not: a disc's has rings of zeros whose
spacing is its radius, a shake's has a speckle of its own. For a scene of power A blurred by a PSF of transfer function
K, and noise of power N, the periodogram P of the image is about exponentially distributed around

.. math:: S(f) = A(f) \, |K(f)|^2 + N(f) ,

and minus its log likelihood (Whittle [1]_) is the sum of :math:`n (\log S + P / S)`, n counting independent
frequencies. What A may be is all that keeps the criterion from explaining any image by any PSF. No blur is one
candidate among the others, so there is no trivial solution.

Two questions are put to this model, and they need different A:

- `Periodogram` compares a *few numbers* (the radius of a disc, the length of a movement) and families of PSFs. These
  differ by little more than a slope of the power, so A must be uncertain, and its uncertainty must count: log A is a
  smoothing spline [2]_ with a prior, log N a polynomial, both fitted by Fisher's scoring for every PSF and integrated
  out by Laplace's approximation. What comes out is *evidence*, in nats. Symmetric PSFs need no more than means over
  bins of frequency and direction, and thousands of PSFs can be tried.
- `FullPeriodogram` scores *thousands of weights*, a PSF of any form, whose power differs from frequency to frequency.
  There every single frequency counts, and a derivative by each weight is needed. To fit A again for each PSF would be
  dear and is not needed, since irregularities decide: A is the smooth part of P itself, by regression on its logarithm,
  and is *plugged in*. It has the PSF's slope too, so these likelihoods rank PSFs of one image and are no evidence
  for one family against another.

Their windows differ too. Leakage fills the zeros of a disc, which are all its evidence: a scene that is cut by the
border is faded out over the whole frame, but one that ends before it, as text amid paper, needs a narrow fade only,
which leaves nearly all frequencies independent. The second always fades out 15 % of each side; half or twice that made
no difference.

References
----------
.. [1] P. Whittle, "Estimation and information in stationary time series", Arkiv foer Matematik 2, 423-434 (1953),
       :doi:`10.1007/BF02590998`
.. [2] G. Wahba, "Automatic smoothing of the log periodogram", J. Am. Stat. Assoc. 75, 122-132 (1980),
       :doi:`10.1080/01621459.1980.10477441`
"""

from deconv.blind.spectrum.binned import Blur, Fit, Periodogram, VariableBlur
from deconv.blind.spectrum.full import FullPeriodogram, smooth_power

__all__ = ["Blur", "Fit", "FullPeriodogram", "Periodogram", "VariableBlur", "smooth_power"]
