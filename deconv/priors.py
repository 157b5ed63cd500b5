"""What pictures look like: each prior is an energy of the gradient and its shrinking step, nothing else.

The splitting solver (`deconv.variational`) takes any object with these two methods:

``energy(u)``
    The prior's energy of a picture `u`, a float.
``shrink(gx, gy, step)``
    The proximal step of ``step * energy`` on a gradient field, in place:
    argmin over w of ``step * phi(w) + 1/2 |w - g|^2``.
"""

from dataclasses import dataclass

from deconv._array import array_namespace, as_image, torch_door
from deconv.kernels import gradient, shrink_tv

__all__ = ["TotalVariation"]


@dataclass(frozen=True)
class TotalVariation:
    r"""Isotropic total variation: few edges, as sharp as they like.

    .. math:: \phi(u) = \sum_i \lVert (\nabla u)_i \rVert_2

    References
    ----------
    .. [1] L. I. Rudin, S. Osher, E. Fatemi, "Nonlinear total variation based noise removal algorithms",
       Physica D 60, 259-268 (1992), :doi:`10.1016/0167-2789(92)90242-F`

    Examples
    --------
    >>> import numpy as np, deconv
    >>> step = np.repeat([[0.0, 1.0]], 8, axis=1).reshape(1, 16) * np.ones((4, 1))
    >>> deconv.priors.TotalVariation().energy(step)
    8.0
    """

    @torch_door
    def energy(self, u):
        """Sum of the gradient's lengths.

        Parameters
        ----------
        u : array, shape (M, N)
            A picture, taken as periodic.

        Returns
        -------
        float
            The energy.
        """
        u = as_image(u, "u")
        xp = array_namespace(u)
        # The kernel needs rows without gaps, which a caller's view may not have.
        u = xp.asarray(u, copy=True)
        gx, gy = xp.empty_like(u), xp.empty_like(u)
        gradient(u, gx, gy)
        return float(xp.sum(xp.sqrt(gx * gx + gy * gy)))

    def shrink(self, gx, gy, step):
        """Shorten each gradient by `step`, in place.

        Parameters
        ----------
        gx, gy : array, shape (M, N)
            The field, C-contiguous.
        step : float
            By how much.
        """
        shrink_tv(gx, gy, step)
