"""Which kind of blur a picture has: none, a disc, a Gaussian, a straight movement, or none of these.

Each question is put to what answers it. A disc and a movement have zeros, and the spectrum shows them or does not. A
Gaussian has none; it is told by a steepness that no scene has (`deconv.blind.spectrum`). A sharp picture has edges one
pixel wide in every direction, which no blur leaves. What is blurred and is none of these is for the free estimate.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage, optimize

from deconv import noise
from deconv._core.array import to_numpy
from deconv._core.resample import at_scale
from deconv.blind.freeform.phase import Power
from deconv.blind.parametric.families import Disk, Gaussian, Motion
from deconv.blind.parametric.search import Found, beside, find
from deconv.blind.spectrum import MARGIN, Periodogram
from deconv.tone import decode

__all__ = ["Choice", "choose", "sharpness", "unevenness"]

# Edges count in windows of so many pixels, of at least this part of the picture's largest contrast; what noise adds to
# contrast and to steps, in its standard deviations; of all windows this quantile speaks for the picture.
_WINDOW, _CONTRAST, _NOISE, _STEEPEST = 21, 0.5, (6.0, 4.5), 0.97
# Of the picture's contrast, and in standard deviations of its noise, what windows must show at least.
_LOCAL, _CLEAR = 0.3, 12.0
# A step's part of the contrast around it from which a picture is sharp: of 60 sharp ones all have more, of 120 moved
# or shaken ones two.
_SHARP = 0.63
# Below this part it is certainly not sharp, above that one certainly: between, it is not if the power shows a path on a
# support of so many pixels by so many nats a frequency. (One shake showed 0.26, the sharp pictures 0.06.)
_SOFTENED, _CRISP = 0.5, 0.8
_SUPPORT, _SHOWN = 31, 0.12
# Radius in pixels from which a disc is large; the zeros of a smaller one are filled less than this.
_LARGE, _FILLED = 5.0, 0.45
# Exponent of a photograph's encoding.
_PHOTOGRAPH = 2.2
# Directions in which steps are looked at.
_SHIFTS = ((0, 1), (1, 0), (1, 1), (1, -1))
# Pixels that are looked at for edges.
_PIXELS = 1e6
# Log of the odds for a movement from which no other encoding is looked through.
_PLAIN = 100.0
# The odds for a movement are so many times those for a Gaussian.
_STRAIGHT = 1.5
# A line is none if frequency by frequency the power is less likely by it than by no blur, by so many nats each: right
# ones have -0.17 and more, stretches of shakes -0.29 and less, and so have lines of a wrong length.
_DENIED = -0.25
# One that is denied may have been seen at a wrong length or angle: the power is asked for a likelier one among so many
# lengths from here on, in pixels, to that part of the one found, and so many degrees aside (the likeliest few are gone
# on from), and believes it from so many nats: right ones -0.11 and more, shakes -0.25 and less.
_LENGTHS, _SHORT, _LONGER, _ASIDE, _LIKELIEST, _BELIEVED = 14, 7.0, 2.3, (-9.0, -4.5, 0.0, 4.5, 9.0), 3, -0.18
# A blur allows of steps so much steeper than those seen: one that is much smaller than the picture's softness explains
# only a part of it.
_STEEPER = 3.0
# A disc has so many times the gain of the likeliest Gaussian and so much more: Gaussians have 1.13 times at the most as
# a disc with a soft edge, discs 1.9 times and more.
_ROUND = (1.4, 8.0)
# But for discs wider than this part of the picture, which leave little of their rings above the noise: only lenses blur
# so much. (The widest pages of the challenge, 8 and 9 %, gained 1.2 to 2 times as much.)
_WIDE = 0.05
# Longer side in pixels, directions in half a turn, and ratio of the rings' radii where unevenness is looked for.
_COARSE, _SECTORS, _RINGS = 200, 24, 1.15
# Unevenness from which something shook: of shakes 1.6 and more, of soft photographs 1.0 to 1.3.
_UNEVEN = 1.45


@dataclass(frozen=True)
class Choice:
    """What `choose` says.

    Attributes
    ----------
    family : {"none", "disk", "gaussian", "motion", "free"}
        Kind of blur.
    found : Found
        The PSF of that kind and the evidence for it; of no candidate for "none" and "free".
    gamma : float
        Exponent of the encoding through which it was found.
    sharpness : float
        Steepest steps, in the direction in which they are least so, as part of the contrast around them.
    odds : dict of str to float
        Log of the odds for each family that was looked for: against no blur, a movement's against one without zeros.
    """

    family: str
    found: Found
    gamma: float
    sharpness: float
    odds: dict


def choose(image, gamma, report):
    """The kind of blur that the spectrum and the edges of a picture show.

    Parameters
    ----------
    image : array, shape (M, N)
        The picture, grey, as it is encoded.
    gamma : float or None
        Exponent of its encoding; None for that of photographs or, where nothing is found through that, for none.
    report : callable
        ``report(fraction)``.

    Returns
    -------
    Choice
    """
    edges = sharpness(image)
    curves = (_PHOTOGRAPH, 1.0) if gamma is None else (gamma,)
    found = []
    for i, curve in enumerate(curves):
        found.append(_through(image, curve, edges, lambda part, i=i: report((i + part) / len(curves))))
        # Through a wrong curve zeros are filled: a disc may pass for a Gaussian, and anything for none of these.
        last = found[-1]
        if edges >= _SHARP or last.family == "disk" or (last.family == "motion" and last.found.gain > _PLAIN):
            return last
    kinds = ("disk", "motion", "gaussian", "free", "none")
    return min(found, key=lambda choice: (kinds.index(choice.family), -choice.found.gain))


def _through(image, gamma, edges, report):
    """The choice if the picture is encoded like that."""
    light, width = decode(image, gamma), image.shape[1]
    odds = {}
    disk = find(light, [Disk], width, lambda part: report(0.4 * part), edges < _SOFTENED)
    # Nothing sharp has the rings of a large disc; noise that is not the same all over may look sharp beside one.
    if disk.candidate is not None and (
        disk.candidate.radius > _LARGE or (edges < _SHARP and disk.candidate.fill < _FILLED)
    ):
        odds["disk"], odds["gaussian"] = beside(light, disk.candidate, Gaussian)
        wide = disk.candidate.radius > _WIDE * width
        if odds["disk"] > (odds["gaussian"] if wide else _ROUND[0] * odds["gaussian"] + _ROUND[1]):
            return Choice("disk", disk, gamma, edges, odds)
    nothing = replace(disk, candidate=None, score=0.0, gain=0.0)
    if edges >= _SHARP:
        shaken = edges < _CRISP and _shaken(light)
        return Choice("free" if shaken else "none", nothing, gamma, edges, odds)
    soft = find(light, [Gaussian], width, lambda part: report(0.4 + 0.2 * part))
    moved = find(light, [Motion], width, lambda part: report(0.6 + 0.4 * part))
    odds |= {"gaussian": soft.gain, "motion": moved.gain}
    if moved.gain > _STRAIGHT * soft.gain and (line := _line(light, moved.candidate)) is not None:
        return Choice("motion", replace(moved, candidate=line), gamma, edges, odds)
    if soft.candidate is not None and soft.candidate.steepest() < _STEEPER * edges:
        return Choice("gaussian", soft, gamma, edges, odds)
    # The power of what is merely soft is the same in directions not far from each other, that of a shake is not.
    return Choice("free" if unevenness(light) >= _UNEVEN else "none", nothing, gamma, edges, odds)


def _shaken(light):
    """Whether the power shows a path, as of a shake that rested long enough to leave sharp edges."""
    middle = _middle(to_numpy(light))
    if min(middle.shape) < 3 * _SUPPORT:
        return False
    return Power([middle]).likely(_SUPPORT, np.random.default_rng(0))[1] > _SHOWN


def _line(light, candidate):
    """A movement, or one like it of a likelier length and angle; None if there is power where any leaves none."""
    middle = _middle(to_numpy(light))
    widest = min(middle.shape) - 2
    # (A strip may be narrower than what moved along it is long.)
    if max(2 * candidate.radius, 3 * _SHORT) > widest:
        return candidate
    longest = min(max(_LONGER * 2 * candidate.radius, 3 * _SHORT), widest)
    power = Power([middle])

    def gain(length, angle):
        psf = replace(candidate, radius=length / 2, angle=angle).make()
        return power.gain(psf / psf.sum())

    seen = 2 * candidate.radius, candidate.angle
    if gain(*seen) >= _DENIED:
        return candidate
    tried = [(n, seen[1] + d) for n in np.geomspace(_SHORT, longest, _LENGTHS) for d in _ASIDE]
    starts = [seen, *sorted(tried, key=lambda at: gain(*at))[-_LIKELIEST:]]
    likeliest = max((_climbed(gain, at, longest) for at in starts), key=lambda at: gain(*at))
    if gain(*likeliest) < _BELIEVED:
        return None
    return replace(candidate, radius=likeliest[0] / 2, angle=likeliest[1])


def _climbed(gain, at, longest):
    """The length and angle near some at which the gain is largest."""
    length, angle = float(np.clip(at[0], _SHORT, longest)), at[1]
    aside = length * (1.05 if length < longest / 1.1 else 0.95)
    options = {"initial_simplex": [(length, angle), (aside, angle), (length, angle + 2.0)], "xatol": 0.02, "maxfev": 40}
    bounds = ((_SHORT, longest), (None, None))
    return optimize.minimize(
        lambda x: -gain(*x), (length, angle), method="Nelder-Mead", bounds=bounds, options=options
    ).x


def sharpness(image):
    """Steepest steps between neighbours as part of the contrast around, in the direction where they are least steep."""
    x = _middle(to_numpy(image).astype(np.float64))
    sigma = noise.estimate(x)
    high, low = (f(x, _WINDOW) for f in (ndimage.maximum_filter, ndimage.minimum_filter))
    inner = (slice(_WINDOW, -_WINDOW, 3),) * 2
    contrast = (high - low)[inner].ravel() - _NOISE[0] * sigma
    largest = float(np.quantile(contrast, 0.98))
    # (Blur much wider than a window leaves none of the picture's contrast in it, and noise looks sharp.)
    if largest <= max(_LOCAL * float(np.ptp(np.quantile(x, (0.001, 0.999)))), _CLEAR * sigma):
        return 0.0
    counted = contrast >= _CONTRAST * largest
    parts = []
    for shift in _SHIFTS:
        steps = np.abs(x - np.roll(x, shift, axis=(0, 1)))
        steepest = ndimage.maximum_filter(steps, _WINDOW)[inner].ravel() - _NOISE[1] * sigma
        parts.append(float(np.quantile(steepest[counted] / contrast[counted], _STEEPEST)))
    return min(parts)


def unevenness(light):
    """Dispersion of the spectrum about a smooth one, in narrow directions; 1 if it is even."""
    small, _ = at_scale(light, max(light.shape) / _COARSE)
    return Periodogram(small, MARGIN * max(small.shape)).coarse(_SECTORS, _RINGS).fit().dispersion


def _middle(image):
    """The middle of a picture too large to be looked at as a whole."""
    part = min(1.0, (_PIXELS / image.size) ** 0.5)
    return image[tuple(slice(round((1 - part) / 2 * n), round((1 + part) / 2 * n)) for n in image.shape)]
