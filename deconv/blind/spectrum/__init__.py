r"""The likelihood of a PSF from the power spectrum of an image, without restoring the image.

The power of a scene is a smooth function of frequency. That of most PSFs is not: a disc has rings of zeros whose
spacing gives its radius, a shake has a speckle of its own. For a scene of power A blurred by a PSF of transfer function
K, and noise of power N, the periodogram P of the image is approximately exponentially distributed with mean

.. math:: S(f) = A(f) \, |K(f)|^2 + N(f) ,

and minus its log likelihood (Whittle [1]_) is the sum of :math:`n (\log S + P / S)`, n counting independent
frequencies. Only the assumptions about A keep the criterion from explaining any image by any PSF. No blur is one of
the candidates, so the delta is not a trivial solution.

Photographs need two more things (docs/theory.md). JPEG multiplies A by what it kept and gives N a shape of its own
(`deconv.blind.jpeg`). And the power of letters and lines is rough: a bin departs from A by a relative variance, so that
the mean of n frequencies scatters as that of fewer.

The model has two uses, which treat A differently:

- `Periodogram` compares PSFs of *few parameters*, such as the radius of a disc or the length of a motion, within a
  family and between families. These may differ by little more than the slope of the power, so the uncertainty of A must
  count: log A is a smoothing spline [2]_ with a prior, log N a polynomial, both fitted by Fisher's scoring for every
  PSF and integrated out by Laplace's approximation. The result is *evidence*, in nats. Symmetric PSFs need only means
  over bins of frequency and direction, so thousands of them can be tried.
- `FullPeriodogram` scores a free-form PSF of *thousands of weights*, whose power differs from frequency to frequency.
  Every single frequency counts, and the derivative by each weight is needed. Fitting A again for each PSF would be
  slow, and is not needed because irregularities decide: A is the smooth part of P itself, by regression on its
  logarithm, and is *plugged in*. It includes the slope of the PSF, so these likelihoods rank PSFs of one image but do
  not compare families.

Their windows differ too. The zeros of a disc are all its evidence, and leakage fills them. So `Periodogram` fades out a
scene that continues beyond the border over the whole frame. A scene that ends within the frame, such as text on paper,
needs only a narrow fade, which leaves nearly all frequencies independent. `FullPeriodogram` always fades out 15 % of
each side; half or twice that made no difference.

References
----------
.. [1] P. Whittle, "Estimation and information in stationary time series", Arkiv foer Matematik 2, 423-434 (1953),
       :doi:`10.1007/BF02590998`
.. [2] G. Wahba, "Automatic smoothing of the log periodogram", J. Am. Stat. Assoc. 75, 122-132 (1980),
       :doi:`10.1080/01621459.1980.10477441`
"""

from deconv.blind.spectrum.binned import Blur, Degradation, Fit, Periodogram, VariableBlur
from deconv.blind.spectrum.full import FullPeriodogram, smooth_power

__all__ = ["Blur", "Degradation", "Fit", "FullPeriodogram", "Periodogram", "VariableBlur", "smooth_power"]
