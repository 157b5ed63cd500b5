r"""Free-form blind deconvolution: a PSF of any form, its size not given, coarse to fine.

Scene and PSF are estimated in turn (`deconv.blind.freeform.scene`, `deconv.blind.freeform.psf_step`), as in [1]_ and
[2]_, first on a grid on which the PSF is a few pixels wide, then on finer ones. What is done
differently:

- The PSF's size is not given. The coarse part is walked several times, with supports of different size and edges of
  different price, which costs little there; the likeliest few are carried on and judged again.
- The judge is the price that the scene is to pay, as squares left and edges kept, times how far its gradients are from
  few (mean over root mean square [3]_): each alone goes wrong where the other does not.
- Before that, and again where all walks leave doubt, PSFs that the power shows (`deconv.blind.freeform.phase`)
  are gone on from at its own scale: a path wider than letters are large leaves nothing but grey bars on coarse ones.
- At the end edges are made dear once more and then ever cheaper, down to the noise. A scene with few edges cannot
  follow the errors of the PSF, which so has to.
- What lies outside of the frame is what scene and PSF say, and renewed in each round.

References
----------
.. [1] J. Pan, Z. Hu, Z. Su, M.-H. Yang, "Deblurring text images via L0-regularized intensity and gradient prior", CVPR
       (2014), :doi:`10.1109/CVPR.2014.371`
.. [2] J. Anger, G. Facciolo, M. Delbracio, "Blind image deblurring using the l0 gradient prior", Image Processing On
       Line 9, 124-142 (2019), :doi:`10.5201/ipol.2019.243`
.. [3] D. Krishnan, T. Tay, R. Fergus, "Blind deconvolution using a normalized sparsity measure", CVPR (2011),
       :doi:`10.1109/CVPR.2011.5995521`
"""

import functools
import math
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from deconv import noise
from deconv._core.array import array_namespace, like, to_numpy
from deconv._core.resample import at_scale
from deconv.blind.freeform.phase import Power
from deconv.blind.freeform.psf_step import centred, extent, fit, fitted_to, pruned, resampled, within
from deconv.blind.freeform.scene import Latent
from deconv.nonblind.splitting import Splitting
from deconv.priors import TotalVariation

__all__ = ["Free", "Walk", "estimate"]

# Ratio of two scales, and side in pixels of the PSF at the coarsest.
_STEP, _SMALLEST = math.sqrt(2.0), 5
# Scales, above the picture's own, at which the walks are judged first, and those kept a second time.
_FIRST, _SECOND, _KEPT = 2, 1, 2
# Walks: side of the support, price of an edge for a picture of contrast 1.
_WALKS = ((15, 4e-3), (15, 8e-3), (31, 8e-3), (31, 16e-3), (47, 8e-3))
# Further supports, each tried if the PSF so far fills the last one to this part; their price.
_LARGER, _FILLED, _LARGER_PRICE = (71, 107, 161), 0.7, 8e-3
# No support is larger than this part of the picture's shorter side.
_LARGEST = 0.3
# What a PSF saves of the judge's cost of no blur from which it is no longer in doubt; while it is, all walks are
# carried on, and the rounds at the second scale gone through again, so many times at most.
_SURE, _AGAIN = 0.22, 3
# Rounds of scene and PSF at each scale; the price falls with each, down to the cheapest.
_ROUNDS, _FALL, _CHEAPEST = 5, 1.1, 1e-4
# Prices at the end, at the second scale and at the picture's own; two rounds each.
_COARSE_PRICES = (8e-3, 4e-3, 2e-3, 1e-3)
_FINE_PRICES = (1e-2, 4e-3, 2e-3, 1e-3, 5e-4, 2e-4, 1e-4)
# The last ones, as parts of the least price: below the noise an edge explains some of it, but dearer ones bend the PSF.
_BELOW = (1 / 2, 1 / 4, 1 / 8)
# Those from a PSF that was given.
_MENDING_PRICES = (1e-3, 5e-4, 2e-4, 1e-4)
# PSFs from the power, each with its turned copy: supports of those before the walks, and of those after them where
# there is doubt, so many times each; scene and PSF alternate on wider ones, for nobody knows where they lie.
_FEW, _MORE, _TIMES, _WIDER = (31, 71, 107), (51, 71, 107), 2, 1.3
# Nats a frequency from which the power shows a PSF: most shakes 0.02 and more, most sharp pictures less than nothing.
_SHOWS = 0.01
# Dearest price, number of prices and rounds at each: for each, for the better of the two, and for one that is polished
# as long as it leaves doubt and that helps. What is cut away: a path is thin, and clutter beside it dear.
_HOT, _MILD, _LONG, _CLUTTER = (2e-2, 8, 2), (1e-2, 4, 2), (1e-2, 4, 4), (0.05, 0.02)
# Where those leave doubt, prices and rounds at which paths grow, and what is cut away meanwhile: a shake that rests
# leaves one dark place and faint ways to it, each pixel of which has a tenth of its weight.
_GROWTH, _FAINT = ((1e-2, 8), (5e-3, 6)), (0.02, 0.005)
# What is saved of the judge's cost of no blur from which one is polished, and then from which no other is looked for:
# right ones of text save 0.29 and more, others up to 0.26. One as wide as this part of its support may be cut.
_HOPEFUL, _SOLVED, _FULL = 0.15, 0.3, 0.85
# And that from which the walks are not worth their time: nearly right ones save up to 0.5, wrong ones of script 0.55.
_CLEAR = 0.56
# Below this longer rounds may make a nearly right one right; they help if they save so much more.
_NEARLY, _HELPED = 0.7, 0.01
# An edge is worth no less than so many times the noise's variance, and that of what JPEG lost.
_NOISE, _LOST = 10.0, 2.5
# Weight of the PSF's squares while it is looked for, and at the end.
_RIDGE, _WEAK_RIDGE = 2.0, 0.02
# What is cut away: weights below a part of the largest, pieces below a part of all.
_CUT, _WEAK_CUT = (0.05, 0.1), (0.02, 0.02)
# The judge's price of an edge, and at least in variances of the error (cheaper ones buy the noise, whatever the PSF);
# the step that counts as a whole one, and pixels along the border that do not count.
_PRICE, _DEAR, _EDGE, _MARGIN = 5e-4, 6.0, 0.05, 20
# A step of the scene below which it is flat, for a picture of contrast 1.
_FLAT = 0.01
# The judge's restoration: the least error of the data, its weight as in `deconv.blind.natural`, iterations.
_ERROR, _WEIGHT, _ITERATIONS = 0.01, (0.25, 1.4), 20

# No blur at all.
_NOTHING = np.ones((1, 1))


@dataclass(frozen=True)
class Walk:
    """One way through the coarse scales.

    Attributes
    ----------
    size : int
        Side of the support, in pixels of the picture.
    price : float
        Of an edge.
    cost : float
        What the judge says of where it led; smaller is better.
    psf : ndarray
        Where it led, at the scale of the judge.
    """

    size: int
    price: float
    cost: float
    psf: np.ndarray = field(repr=False)


@dataclass(frozen=True)
class Free:
    """What `estimate` found.

    Attributes
    ----------
    psf : ndarray, shape (m, m)
        In pixels of the pictures, centred at ``m // 2``; sum 1.
    gain : float
        Part of the judge's cost of no blur at all that it saves, at the second scale or at the pictures' own, whichever
        is more; 0 or less if it explains the pictures no better.
    saved : float
        Part that it saves of what the scene has to pay for no blur, at the pictures' own scale; less than 0 if it
        explains them at a higher price.
    flat : float
        Share of the scene that is flat.
    walks : tuple of Walk
        The ways tried, the likeliest first.
    """

    psf: np.ndarray
    gain: float
    saved: float
    flat: float
    walks: tuple


def estimate(pictures, *, lost=None, sizes=None, start=None, report=lambda _: None):
    """The one PSF that has blurred some pictures.

    Parameters
    ----------
    pictures : list of arrays, each of shape (M, N)
        Of any scale of brightness.
    lost : list of float, optional
        For each the standard deviation of an error that is not white noise, as JPEG leaves it.
    sizes : (int, int), optional
        Least and largest side of the support. By default it is looked for.
    start : ndarray, shape (m, m), optional
        A PSF to begin with.
    report : callable
        ``report(fraction)``.

    Returns
    -------
    Free
    """
    pictures, floor = _scaled(pictures, lost)
    if start is not None:
        return _mended(pictures, start, floor, report)
    starts = _Starts(pictures, sizes, floor)
    starts.search(_FEW, 1, lambda part: report(0.3 * part))
    walks, ends = [], []
    if not starts.solved or starts.end.gain < _CLEAR:
        walks, end = _walked(pictures, sizes, floor, lambda part: report(0.3 + 0.3 * part))
        ends.append(end)
        if not starts.solved and end.gain < _SOLVED:
            starts.search(_MORE, _TIMES, lambda part: report(0.6 + 0.3 * part))
    if (end := starts.end) is not None:
        ends.append(end)
    best = min(ends, key=_cost)
    if end is not None:
        walks.insert(0 if best is end else len(walks), Walk(end.psf.shape[0], _HOT[0], end.cost, end.psf))
    psf = _finished(best.scale, best.psf, floor)
    report(1.0)
    return Free(_trimmed(psf), best.gain, best.saved, best.flat, tuple(walks))


@dataclass(frozen=True)
class _End:
    """Where a search ended, at the pictures' own scale: the PSF, and what the judge says of it."""

    scale: "_Scale"
    psf: np.ndarray
    cost: float
    flat: float
    gain: float
    saved: float

    @classmethod
    def judged(cls, scale, psf, gain=-math.inf):
        """Its gain no less than the one it had elsewhere."""
        told = scale.judged(psf)
        return cls(scale, psf, told.cost, told.flat, max(gain, scale.gain(told)), scale.saved(told))


class _Starts:
    """PSFs that the power shows, gone on from at the pictures' own scale.

    Attributes
    ----------
    end : _End or None
        Where the likeliest ends, polished; None while none is clearly likelier than no blur.
    solved : bool
        Whether there is no need to go on.
    """

    def __init__(self, pictures, sizes, floor):
        self._pictures, self._sizes, self._floor = pictures, sizes, floor
        self._largest = _supports(pictures, sizes)[-1]
        self._scales, self._done, self._lowest, self.end, self.solved = {}, 0, math.inf, None, False

    @functools.cached_property
    def _power(self):
        return Power([p.picture for p in self._pictures])

    def search(self, supports, times, report):
        """Go on from a PSF of each support, so many times over, or until one leaves no doubt."""
        if self._sizes is None:
            supports = [size for size in supports if size <= self._largest] or [self._largest]
        else:
            supports = [self._largest] * len(supports)
        for i, size in enumerate(times * list(supports)):
            self._start(_side(size, 0))
            report((i + 1) / (times * len(supports)))
            if self.solved:
                return

    def _start(self, size):
        side = _side(_WIDER * size, 0)
        self._done += 1
        psf, likelier = self._power.likely(size, np.random.default_rng(self._done))
        if likelier < _SHOWS:
            return
        if side not in self._scales:
            self._scales[side] = _Scale(self._pictures, 0, side)
        scale, psf = self._scales[side], fitted_to(centred(pruned(psf, *_CLUTTER)), side)
        ways = sorted((self._gone_on(scale, way, _HOT) for way in (psf, psf[::-1, ::-1])), key=lambda way: way[0])
        found = [ways[0], self._gone_on(scale, ways[0][1], _MILD)]
        if faint := min(cost for cost, _ in found) > (1 - _SOLVED) * scale.nothing:
            found += [self._gone_on(scale, self._grown(scale, way), _MILD) for _, way in ways]
        cost, psf = min(found, key=lambda way: way[0])
        if cost >= min(self._lowest, (1 - _HOPEFUL) * scale.nothing):
            return
        end = self._ended(psf, faint)
        self.end = end if self.end is None else min(end, self.end, key=_cost)
        # (What was cut may cost less than what was not, and ends neither the search nor another's hopes.)
        if self._sizes is not None or extent(end.psf) <= _FULL * side:
            self._lowest, self.solved = cost, end.gain > _SOLVED

    def _gone_on(self, scale, psf, course):
        """The judge's cost of where a course of prices leads, and the PSF there."""
        psf = self._along(scale, psf, course)
        return scale.judged(psf).cost, psf

    def _along(self, scale, psf, course):
        highest, count, rounds = course
        prices = tuple(np.geomspace(max(highest, self._floor), self._floor, count))
        return _polished(scale, psf, prices, self._floor, weak=_CLUTTER, rounds=rounds)

    def _grown(self, scale, psf):
        """The PSF with what begins at its ends: of edges that are surely the scene's, and nothing faint cut away."""
        for price, rounds in _GROWTH:
            psf = _polished(scale, psf, (price,), self._floor, weak=_FAINT, rounds=rounds)
        return psf

    def _ended(self, psf, faint):
        """Where it ends, within the size given; parts of it may be `faint`."""
        side = psf.shape[0] if self._sizes is None else min(psf.shape[0], _side(self._sizes[1], 0))
        scale, psf = _Scale(self._pictures, 0, side), within(psf, side)
        # (Among noise the last prices may add clutter again.)
        ends = [_End.judged(scale, psf), _End.judged(scale, _polished(scale, psf, _FINE_PRICES, self._floor))]
        best, better = None, min(ends, key=_cost)
        while better is not None:
            best, better = better, self._bettered(scale, better, faint)
        return best

    def _bettered(self, scale, end, faint):
        """Where longer rounds lead, as it is or else grown, if that is better and it was in doubt; else None."""
        begins = (_as_it_is, self._grown) if faint else (_as_it_is,)
        for begin in begins if end.gain < _NEARLY else ():
            psf = self._along(scale, begin(scale, end.psf), _LONG)
            further = _End.judged(scale, _polished(scale, psf, _FINE_PRICES, self._floor))
            if further.gain >= end.gain + _HELPED:
                return further
        return None


def _as_it_is(_, psf):
    return psf


def _walked(pictures, sizes, floor, report):
    """The walks, the likeliest first, and where that one ends."""
    walks = _walks(pictures, _supports(pictures, sizes), floor, sizes is not None, lambda part: report(0.6 * part))
    last = _Scale(pictures, _SECOND, max(w.size for w in walks))
    walks = _carried(pictures, walks, last, floor, lambda part: report(0.6 + 0.2 * part))
    best = walks[0]
    gain = 1.0 - best.cost / last.nothing
    side = _side(best.size, 0)
    full = _Scale(pictures, 0, side)
    psf = resampled(best.psf, side, _STEP**_SECOND)
    psf = _polished(full, psf, _FINE_PRICES, floor, lambda part: report(0.8 + 0.2 * part))
    # Judged once more where a small PSF is more than a few pixels: the coarser scale hardly tells a right one of 9
    # pixels from no blur, the finer does; of large ones the coarser tells more.
    end = _End.judged(full, psf, gain)
    if end.cost > (1 - _SURE) * full.nothing:
        again = _End.judged(full, _polished(full, psf, _FINE_PRICES, floor), gain)
        end = min(end, again, key=_cost)
    return walks, end


def _mended(pictures, start, floor, report):
    """What a PSF that is nearly right comes to: by cheap edges alone, which leave it where it is but for its errors."""
    side = start.shape[0]
    scale = _Scale(pictures, 0, side)
    psf = _polished(scale, start / start.sum(), _MENDING_PRICES, floor, report)
    told = scale.judged(psf)
    psf = _finished(scale, psf, floor)
    walk = Walk(side, _MENDING_PRICES[0], told.cost, psf)
    return Free(_trimmed(psf), scale.gain(told), scale.saved(told), told.flat, (walk,))


def _finished(scale, psf, floor):
    """The last rounds."""
    prices = tuple(part * floor for part in _BELOW)
    return _polished(scale, psf, prices, prices[-1])


def _trimmed(psf):
    psf = pruned(psf, *_WEAK_CUT)
    return fitted_to(psf, extent(psf))


@dataclass(frozen=True)
class _Seen:
    """A picture, and the standard deviation of what is wrong in it but for white noise."""

    picture: object
    lost: float

    def at(self, factor):
        """On a coarser grid."""
        small, factor = at_scale(self.picture, factor)
        return _Seen(small, self.lost / factor)

    @property
    def error(self):
        """Standard deviation of what is wrong in it."""
        return max(noise.estimate(self.picture), self.lost)


def _scaled(pictures, lost=None):
    """The pictures with contrast 1, and the least price of an edge that their errors allow."""
    scale = max(_contrast(p) for p in pictures)
    pictures = [_Seen(p / scale, e / scale) for p, e in zip(pictures, lost or [0.0] * len(pictures), strict=True)]
    sigma = max(noise.estimate(p.picture) for p in pictures)
    return pictures, max(_CHEAPEST, _NOISE * sigma**2, _LOST * max(p.lost for p in pictures) ** 2)


def _walks(pictures, supports, floor, given, report):
    """All the ways through the coarse scales, the likeliest first."""
    judge, walks = _Scale(pictures, _FIRST, _side(supports[-1], _FIRST)), []

    def walk(size, price):
        psf = pruned(_coarse(pictures, size, price, floor), *_CUT)
        walks.append(Walk(size, price, judge.judged(psf).cost, psf))

    ways = [(size, price) for size, price in _WALKS if size in supports]
    if given:
        ways = [(size, price) for size in supports for price in sorted({p for _, p in _WALKS})]
    for i, way in enumerate(ways):
        walk(*way)
        report((i + 1) / len(ways))
    for size in () if given else _LARGER:
        widest = extent(min(walks, key=_cost).psf) * _STEP**_FIRST
        if size > supports[-1] or widest < _FILLED * max(w.size for w in walks):
            break
        walk(size, _LARGER_PRICE)
    return sorted(walks, key=_cost)


def _carried(pictures, walks, last, floor, report):
    """The likeliest walks carried on to the second scale and judged there; all of them if they leave doubt."""

    def carried(walk):
        psf = _climb(pictures, walk.psf, walk.size, _fallen(walk.price), [_SECOND], floor)
        return again(replace(walk, psf=psf))

    def again(walk):
        psf = _polished(last, walk.psf, _COARSE_PRICES, floor)
        return replace(walk, psf=psf, cost=last.judged(psf).cost)

    def sure():
        return min(w.cost for w in done) < (1 - _SURE) * last.nothing

    done = [carried(walk) for walk in walks[:_KEPT]]
    rest = walks[_KEPT:]
    report(0.7)
    if not sure():
        done, rest = done + [carried(walk) for walk in rest], []
    for _ in range(_AGAIN):
        if sure():
            break
        done = sorted(done, key=_cost)
        done += [again(walk) for walk in done[:_KEPT]]
    report(1.0)
    return [*sorted(done, key=_cost), *rest]


def _supports(pictures, sizes):
    """Sides of supports to be tried."""
    known = sorted({size for size, _ in _WALKS}) + list(_LARGER)
    if sizes is None:
        most = max(_LARGEST * min(min(p.picture.shape) for p in pictures), known[0])
        return [size for size in known if size <= most]
    least, most = sizes
    return sorted({size for size in known if least <= size <= most} | {most})


def _coarse(pictures, size, price, floor):
    """From two neighbouring pixels at the coarsest scale to the PSF at the first that is judged."""
    top = max(math.floor(math.log(size / _SMALLEST, _STEP)), _FIRST)
    side = _side(size, top)
    psf = np.zeros((side, side))
    psf[side // 2, side // 2 - 1 : side // 2 + 1] = 0.5
    return _climb(pictures, psf, size, price, range(top, _FIRST - 1, -1), floor, began=True)


def _climb(pictures, psf, size, price, scales, floor, began=False):
    """Rounds of scene and PSF at each of those scales, from the PSF at the one before (at the first, if `began`)."""
    for s in scales:
        side = _side(size, s)
        if not began:
            psf = resampled(psf, side, _STEP)
        began, scale = False, _Scale(pictures, s, side)
        for _ in range(_ROUNDS):
            psf = pruned(scale.round(psf, max(price, floor), _RIDGE), *_CUT)
            price = max(price / _FALL, _CHEAPEST)
        psf = centred(psf)
    return psf


def _polished(scale, psf, prices, floor, report=lambda _: None, weak=_WEAK_CUT, rounds=2):
    """Rounds at one scale, edges dear first and then cheaper; what is `weak` is cut away."""
    prices = [p for p in prices if p > floor] + [max(floor, prices[-1])]
    for i, price in enumerate(prices):
        for _ in range(rounds):
            psf = pruned(scale.round(psf, price, _WEAK_RIDGE, believe=True), *weak)
        psf = centred(psf)
        report((i + 1) / len(prices))
    return psf


def _fallen(price):
    """The price at the end of the coarse scales, all supports' alike."""
    return max(price / _FALL ** (4 * _ROUNDS), _CHEAPEST)


def _side(size, scale):
    """Side of a support at a scale; odd."""
    side = math.ceil(size / _STEP**scale)
    return max(side + 1 - side % 2, 3)


def _cost(candidate):
    return candidate.cost


def _contrast(picture):
    """From nearly the darkest to nearly the brightest."""
    low, high = np.quantile(to_numpy(picture), (0.001, 0.999))
    return max(float(high - low), 1e-6)


class _Verdict(NamedTuple):
    """What the judge says of a PSF: its cost, smaller being better; what the scene pays; how much of that is flat."""

    cost: float
    paid: float
    flat: float


class _Scale:
    """The pictures at one scale."""

    def __init__(self, pictures, scale, reach):
        self._pictures = [p.at(_STEP**scale) for p in pictures]
        self._reach = reach

    @functools.cached_property
    def _latents(self):
        return [Latent(p.picture, self._reach) for p in self._pictures]

    @functools.cached_property
    def _judges(self):
        """What judges each picture, the price of an edge, the weight of its restoration; the rounds change none."""
        judges = []
        strength, power = _WEIGHT
        for picture, error in ((p.picture, p.error) for p in self._pictures):
            solver = Splitting(picture, (self._reach, self._reach))
            weight = strength * max(error / solver.scale, _ERROR) ** power * solver.scale
            judges.append((Latent(picture, self._reach), max(_PRICE, _DEAR * error**2), solver, weight))
        return judges

    @functools.cached_property
    def _nothing(self):
        return self.judged(_NOTHING)

    @property
    def nothing(self):
        """The judge's cost of no blur."""
        return self._nothing.cost

    def gain(self, told):
        """Part of the judge's cost of no blur that is saved."""
        return 1.0 - told.cost / self.nothing

    def saved(self, told):
        """Part that is saved of what the scene has to pay for no blur."""
        return 1.0 - told.paid / self._nothing.paid

    def round(self, psf, price, ridge, believe=False):
        """The scenes for a PSF, and the PSF for them."""
        auto = cross = 0.0
        for latent in self._latents:
            latent.solve(psf, price)
            if believe:
                latent.believe()
            a, c = latent.correlations(psf.shape[0] // 2)
            auto, cross = auto + a, cross + c
        return fit(auto, cross, psf, ridge)

    def judged(self, psf):
        """What the judge says of a PSF."""
        paid = total = squares = count = flat = 0.0
        for latent, price, solver, weight in self._judges:
            latent.solve(psf, price)
            paid += latent.cost(price, _EDGE, _MARGIN)
            scene = solver.solve(like(psf, latent.picture), TotalVariation(), weight, num_iter=_ITERATIONS)
            xp = array_namespace(scene)
            scene = scene[tuple(slice(min(_MARGIN, n // 4), n - min(_MARGIN, n // 4)) for n in scene.shape)]
            steps = (scene[:-1, 1:] - scene[:-1, :-1]) ** 2 + (scene[1:, :-1] - scene[:-1, :-1]) ** 2
            total += float(xp.sum(xp.sqrt(steps)))
            squares += float(xp.sum(steps))
            count += math.prod(steps.shape)
            flat += float(xp.sum(xp.astype(steps < _FLAT**2, steps.dtype)))
        return _Verdict(paid * total / math.sqrt(max(squares * count, 1e-30)), paid, flat / count)
