"""Wiener filter: linear least squares with a known PSF, the image extrapolated past its frame."""

from deconv import noise
from deconv._core.array import Array, Result, accepts_torch, array_namespace
from deconv._core.check import real
from deconv.nonblind.fourier import FourierProblem, Regularisation
from deconv.nonblind.regularisation import RULES, Rule, choose_balance

__all__ = ["wiener"]


@accepts_torch
def wiener(
    image: Array,
    psf: Array,
    balance: Rule | float | None = None,
    *,
    reg: Regularisation = "laplacian",
    channel_axis: int | tuple[int, ...] | None = None,
) -> Result:
    r"""Deblur an image with a known PSF by a Wiener filter.

    The scene is the minimiser of ``|image - psf * scene|^2 + balance |D scene|^2``, which the Fourier
    transform gives in one step ([1]_),

    .. math:: \hat x = \frac{\bar H\, \hat y}{|H|^2 + \lambda |D|^2},

    where the image is periodic. A photograph is not: light enters and leaves over its edges. So the frame is placed in
    a larger period, and the gap is filled by kriging from the pixels along the edges ([2]_, the conditional mean under
    the covariance of a scene of power 1/frequency^2 blurred by the PSF). That is worth several dB on an image cut
    from a larger scene.

    Parameters
    ----------
    image : array, shape (M,), (M, N) or (L, M, N), with one more axis if `channel_axis` is given
        Blurred image. Integers of 8 or 16 bits are scaled by their range.
    psf : array
        Point-spread function, one axis for each spatial axis of `image` and no longer than it, its
        centre at index ``n // 2`` of each axis. It is normalised to sum 1; weights may be negative. A complex
        array is a transfer function of the image's spatial shape, in the layout of ``fftn`` or of ``rfftn``, zero
        frequency first and phase origin at index 0, and is converted to its PSF (`deconv.psf.from_otf`).
    balance : float or {"likelihood", "gcv", "sure", "discrepancy"}, optional
        Regularisation weight, positive: the ratio of noise to signal, as in scikit-image. Or the rule that chooses it:
        the marginal likelihood of a Gaussian scene with the spectrum of `reg` [3]_; generalised cross-validation
        [4]_; Stein's unbiased risk estimate [5]_; or the discrepancy principle [6]_, which matches the residual to the
        noise (the degrees of freedom used by the fit count half). The last two measure the noise with
        `deconv.noise.estimate`, so they need an image of two or three axes and noise that does not depend on
        brightness. By default "likelihood"; for ``reg="identity"``, a spectrum that no scene has, "discrepancy" ("gcv"
        on one axis); and 1 if `reg` is a callable.
    reg : {"laplacian", "identity"}, array or callable
        What to penalise: the curvature of the scene, its deviation from the mean, or its convolution with an array of
        taps. A callable makes it a Wiener filter in the strict sense: it takes an array of radial frequencies (cycles
        per pixel) and returns the ratio of noise power to scene power at each, an array of that shape and library.
    channel_axis : int, tuple of int or None
        Axis of colours, or axes of colours and of a batch, restored with one filter.

    Returns
    -------
    array
        The scene inside the frame: shape and brightness scale of `image`, not clipped. float64 if `image`
        is, else float32.

    Raises
    ------
    TypeError
        If an argument is of the wrong kind, or the arrays are from different libraries.
    ValueError
        If an array has the wrong shape, a value is out of range, or `image` holds NaN.

    References
    ----------
    .. [1] B. R. Hunt, "The application of constrained least squares estimation to image restoration by
       digital computer", IEEE Trans. Comput. C-22, 805 (1973). :doi:`10.1109/TC.1973.5009169`
    .. [2] N. Cressie, "The origins of kriging", Mathematical Geology 22, 239 (1990). :doi:`10.1007/BF00889887`
    .. [3] N. P. Galatsanos, A. K. Katsaggelos, "Methods for choosing the regularization parameter and estimating the
       noise variance in image restoration and their relation", IEEE Trans. Image Process. 1, 322 (1992).
       :doi:`10.1109/83.148606`
    .. [4] G. H. Golub, M. Heath, G. Wahba, "Generalized cross-validation as a method for choosing a good ridge
       parameter", Technometrics 21, 215 (1979). :doi:`10.1080/00401706.1979.10489751`
    .. [5] C. M. Stein, "Estimation of the mean of a multivariate normal distribution", Ann. Statist. 9, 1135
       (1981). :doi:`10.1214/aos/1176345632`
    .. [6] V. A. Morozov, "Methods for solving incorrectly posed problems", Springer (1984).
       :doi:`10.1007/978-1-4612-5280-1`

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.signal import convolve
    >>> import deconv
    >>> psf = deconv.psf.disk(3.0)
    >>> scene = np.kron(np.indices((8, 8)).sum(0) % 2, np.ones((12, 12)))
    >>> truth = scene[3:-3, 3:-3]
    >>> blurred = convolve(scene, psf, mode="valid")
    >>> sharp = deconv.wiener(blurred, psf, balance=1e-4)
    >>> bool(np.std(sharp - truth) < 0.5 * np.std(blurred - truth))
    True
    """
    rule: Rule | None = None
    weight: float | None = None
    if isinstance(balance, str):
        if balance not in RULES:
            rules = ", ".join(f'"{known}"' for known in RULES)
            raise ValueError(f"balance must be a number or one of {rules}, got {balance!r}")
        rule = balance
    elif balance is not None:
        weight = real(balance, "balance", above=0.0)
    elif callable(reg):
        weight = 1.0
    problem = FourierProblem(image, psf, reg, channel_axis)
    channels = problem.channels
    line = channels.ndim == 2
    if weight is not None:
        return problem.solve(weight)
    if rule is None:
        white = isinstance(reg, str) and reg == "identity"
        rule = "likelihood" if not white else "gcv" if line else "discrepancy"
    xp = array_namespace(channels)
    sigma = None
    if rule in ("sure", "discrepancy"):
        if line:
            raise ValueError(
                f'balance is "{rule}", which needs the noise; that of an image of one axis cannot be separated from '
                'its content: give a number, "likelihood" or "gcv"'
            )
        # A volume is measured plane by plane.
        sigma = noise.estimate(xp.reshape(channels, (-1, *channels.shape[-2:])), channel_axis=0)
    return problem.solve(choose_balance(rule, problem.spectrum(), problem.mean_penalty, sigma))
