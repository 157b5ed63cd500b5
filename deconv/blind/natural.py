"""The last step of a free-form restoration: the picture, by a PSF that was estimated and has errors.

Total variation with the outside of the frame unknown and light in a box. What the PSF gets wrong is not noise of the
camera's, but no less an error of the data: a first, nearly unregularised round shows both together as its residual,
and that sets the weight. Pixels that the sensor clipped say only that there was at least so much light, which matters
where the box does not explain them: at lamps by night, not on paper.
"""

import math

from deconv import noise
from deconv._core.array import array_namespace, like
from deconv._core.kernels import shrink_tv
from deconv.nonblind.splitting import Run, Splitting
from deconv.priors import TotalVariation

__all__ = ["restore"]

# The weight over the contrast is a * (s / contrast)^p, for s the error of the data, noise and model together: within
# 0.3 dB of the best weight for text and natural pictures, without and with noise, by PSFs exact, disturbed, estimated.
# For a Laplacian prior and nothing but noise the p would be 2; scenes have heavier tails.
_WEIGHT = {"text": (0.25, 1.4), "natural": (0.13, 1.0)}
# Colours together have longer gradients; so much more than for one: 1 to 1.6 are as good to 0.1 dB.
_JOINT = 1.3
# The first round: its weight over the contrast, its iterations, and what part of the error its residual shows (a weak
# prior explains most of the rest).
_FIRST, _LOOK, _SHOWN = 3e-4, 15, 0.55
# The error over the contrast is never less: rounding, at least.
_LEAST = 1e-3
# Iterations of the second. By an estimated PSF 10 would do (0.05 dB); by the right one they bring text 1 dB more.
_ITERATIONS = 32
# Gradients up to this part of the contrast are zero after one shrinking step: it sets the speed.
_STEP = 0.8
# From this level on a pixel is clipped: rounded to 8 bits, and a little more.
_FULL = 1.0 - 0.6 / 255
# What pixels lack of their light where the scene stands at the box's top, rms, as part of the contrast, from which on
# there are lamps: paper lacks up to 0.012 and half of the noise, lamps 0.12 to 1.3.
_LAMPS = 0.03


def restore(planes, psf, *, prior, report):
    """The planes of a picture, sharp, by one PSF and one weight, their edges at the same places.

    Parameters
    ----------
    planes : list of array, shape (M, N)
        The colours, 1 being the level at which they are clipped.
    psf : array, shape (m, n)
        The PSF, centred at index ``n // 2``; sum 1.
    prior : {"text", "natural"}
        What the scene is.
    report : callable
        ``report(part)`` with the part that is done, 0 to 1.

    Returns
    -------
    list of array, shape (M, N)
        Not negative. Up to 1 where the planes are: what the scene has beyond cannot be encoded, and lamps would set
        the scale of all else.
    float
        Root mean square of what they, blurred, differ by from the planes; of pixels that may have been clipped, only
        what they lack.
    """
    # A grey picture may come as three planes.
    kinds = [next(j for j in range(i + 1) if _same(planes[j], planes[i])) for i in range(len(planes))]
    distinct = sorted(set(kinds))
    xp = array_namespace(planes[0])
    psf = like(psf, planes[0])
    if len(distinct) == 1:
        image, tv = planes[0], TotalVariation()
    else:
        image, tv = xp.stack([planes[i] for i in distinct]), _Colours()
        psf = xp.reshape(psf, (1, *psf.shape))
    image, rms = _solved(image, psf, tv, prior, report)
    sharp = [image] if len(distinct) == 1 else [image[i, ...] for i in range(len(distinct))]
    return [xp.asarray(sharp[distinct.index(kind)], copy=True) for kind in kinds], rms


def _solved(image, psf, tv, prior, report):
    """A plane, or planes of colours, restored, and the residual."""
    xp = array_namespace(image)
    planes = image.ndim == 3
    top = 1.0 if float(xp.max(image)) <= 1.0 else math.inf
    solver = _Clipped(image, tuple(psf.shape), _FULL if top == 1.0 else math.inf)
    run, sigma = Run(solver, psf, 0.0, top), noise.estimate(image, channel_axis=0 if planes else None)

    def go(level, iterations, start, end):
        run.take(tv, level, _STEP)
        for i in range(iterations):
            run.iterate()
            report(start + (end - start) * (i + 1) / iterations)

    first = _FIRST * solver.scale
    go(first, _LOOK, 0.0, 0.3)
    if solver.lacking(run) > _LAMPS * solver.scale + sigma / 2:
        solver.at_least, run.high = True, math.inf
        go(first, _LOOK, 0.3, 0.4)
    error = max(sigma, solver.rms(run.blurred) / _SHOWN)
    level = _weight(prior, error / solver.scale) * solver.scale
    go(level * _JOINT if planes else level, _ITERATIONS, 0.4, 1.0)
    return solver.cut(run.x, 0.0, top), solver.rms(run.blurred)


def _weight(prior, error):
    """Weight over contrast, for an error over contrast."""
    strength, power = _WEIGHT[prior]
    return strength * max(error, _LEAST) ** power


def _same(a, b):
    return bool(array_namespace(a).all(a == b))


class _Colours:
    """Total variation of colours together: a gradient is that of all of them, none is between one and the next."""

    def shrink(self, field, step, out):
        out[0, ...] = field[0, ...]
        shrink_tv(field[1:, ...], step, 2 * field.shape[1], out[1:, ...])


class _Clipped(Splitting):
    """A picture of which pixels from the level `full` on may say no more than: at least so much light.

    Attributes
    ----------
    at_least : bool
        Whether they do; equality else, as everywhere.
    """

    def __init__(self, image, reach, full):
        super().__init__(image, reach)
        self.at_least = False
        self.full = self.xp.astype(self.image >= full, self.image.dtype) * self.weight
        self._split_data, self.split_data = self.split_data, self._split
        if image.ndim == 3:
            self._tell_colours_apart()

    def _tell_colours_apart(self):
        """The mean is that of each colour, and the contrast what they have but for their means."""
        xp = self.xp
        total, bright = (xp.sum(x, axis=(-2, -1), keepdims=True) for x in (self.weight, self.weight * self.image))
        self.mean = xp.where(total > 0, bright / xp.clip(total, min=1.0), self.mean)
        spread = math.sqrt(float(xp.sum(self.weight * (self.image - self.mean) ** 2)) / float(xp.sum(total)))
        # Colours of one tone each have none.
        self.scale = max(spread, 1e-3 * self.scale)

    def _split(self, blurred, image, pull, relax, s, z, out):
        if self.at_least:
            ahead = s + relax * (blurred - z)
            image = image + self.full * self.xp.clip(ahead - image, min=0.0)
        self._split_data(blurred, image, pull, relax, s, z, out)

    def lacking(self, run):
        """Root mean square of the light that is lacking where it comes from what the box's top holds down."""
        xp = self.xp
        held = run.transfer.forward(xp.astype(run.box_z >= run.high, self.image.dtype)) * self.weight
        held = xp.clip(held, min=0.0)
        lack = xp.clip(self.image - run.blurred, min=0.0)
        return math.sqrt(float(xp.sum(held * lack**2)) / max(float(xp.sum(held)), 1e-6))

    def rms(self, blurred):
        """Root mean square of the residual, clipped pixels counting only for what they lack."""
        xp = self.xp
        rest = blurred - self.image
        if self.at_least:
            rest = xp.where(self.full > 0, xp.clip(rest, max=0.0), rest)
        return math.sqrt(float(xp.sum(rest**2 * self.weight)) / float(xp.sum(self.weight)))
