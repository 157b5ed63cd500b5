"""What each ingredient of the blind restoration is worth: the simulated ladder with it taken out.

::

    python -m benchmarks.studies.ablation                          # 2 pictures of steps 4, 8, 12, 15, 17 and 19
    python -m benchmarks.studies.ablation --without softness refinement --steps 12 17 --pictures 6

`TAKEN_OUT` has for each ingredient a context in which the package is patched to do without. Points are the mean of all
pictures, steps passed those of the ones tried that have a mean of 70 or more. Rows are kept in --out, as the ladder's.
"""

import contextlib
import dataclasses
import functools
import sys
from types import SimpleNamespace
from unittest import mock

import numpy as np

import deconv
from benchmarks.studies import methods, pictures, study
from benchmarks.studies.ladder import OUT, PASS, mean, options, scores
from benchmarks.studies.study import markdown
from deconv.blind.text import restore

STEPS = (4, 8, 12, 15, 17, 19)
WHOLE = "nothing"


def _linear_light():
    """The picture's values taken for light."""
    return mock.patch.object(deconv.blind, "deblur", functools.partial(deconv.blind.deblur, gamma=1.0))


def _tone_curve():
    """The exponent of a photograph, no shoulder."""
    return mock.patch.object(deconv.blind, "response", return_value=(2.2, 0.0))


def _illumination():
    """The paper lit evenly, as brightly as half of the picture is at least."""
    return mock.patch.object(deconv.blind, "ink_of", lambda light, *_, **__: 1.0 - light / float(np.median(light)))


def _masked_border():
    """The picture taken for periodic by total variation: no unknown outside (strokes pad by themselves)."""

    class Periodic(restore.Splitting):
        def __init__(self, image, reach, **kwargs):
            super().__init__(image, (1,) * len(reach), **kwargs)

    return mock.patch.object(restore, "Splitting", Periodic)


def _radius():
    """The radius that is found, 5 % too large, as a table of the steps of another camera would have it."""
    return _changed(lambda candidate: dataclasses.replace(candidate, radius=1.05 * candidate.radius))


def _softness():
    """The disc that is found, its edge as sharp as a pixel allows."""
    return _changed(lambda candidate: dataclasses.replace(candidate, softness=0.02))


def _changed(change):
    """The PSF changed after it has been refined."""
    refine = deconv.blind.refine
    return mock.patch.object(deconv.blind, "refine", lambda *args, **kwargs: change(refine(*args, **kwargs)))


def _refinement():
    """The radius as the spectrum has it."""
    return mock.patch.object(deconv.blind, "refine", lambda _, candidate, *__: candidate)


def _text_prior():
    """Total variation with no upper bound, its outcome as it is."""
    return mock.patch.object(deconv.blind, "restore_text", restore.restore_natural)


def _strokes():
    """Total variation alone, whatever level of ink it gives back."""
    return mock.patch.object(restore, "_PIXELS", 0)


def _two_tones():
    """The restored coverage not drawn to paper and ink."""
    return mock.patch.multiple(restore, _PAPER=0.0, _INK=1.0)


def _noise_led_weight():
    """The weight of the prior by the model's error alone, whatever the noise."""
    return mock.patch.object(restore, "noise", SimpleNamespace(estimate=lambda *_, **__: 0.0))


TAKEN_OUT = {
    WHOLE: contextlib.nullcontext,
    "linear light": _linear_light,
    "tone curve": _tone_curve,
    "illumination": _illumination,
    "masked border": _masked_border,
    "radius to 5 %": _radius,
    "refinement": _refinement,
    "softness": _softness,
    "strokes": _strokes,
    "text prior": _text_prior,
    "two tones": _two_tones,
    "noise-led weight": _noise_led_weight,
}


def without(ingredient, picture):
    """A picture restored blind, without one ingredient."""
    with TAKEN_OUT[ingredient]():
        return methods.blind(picture)


def restored(image, context, ingredient):
    """The same as `deconv.compare` calls a method."""
    picture = methods.picture_of(image, context)
    return methods.result(without(ingredient, picture), picture)


def table(rows, ingredients):
    """What is lost without each of them."""
    steps = sorted({r.step for r in rows})
    whole = np.mean(scores(rows, WHOLE))
    lines = []
    for name in ingredients:
        here = [scores(rows, name, step) for step in steps]
        errors = [abs(r.error) for r in rows if r.method == name]
        lines.append(
            (
                name,
                mean(scores(rows, name)),
                "" if name == WHOLE else f"{whole - np.mean(scores(rows, name)):.1f}",
                f"{sum(np.mean(found) >= PASS for found in here)} of {len(steps)}",
                f"{100 * np.median(errors):.1f} %",
                *map(mean, here),
            )
        )
    names = ("taken out", "mean", "points lost", "steps passed", "radius error, median", *(f"step {s}" for s in steps))
    return markdown(names, lines, ("taken out",))


def main():
    """Print the table; the exit status."""
    parser = options(__doc__, steps=STEPS, pictures=2, out=OUT / "ablation")
    names = [name for name in TAKEN_OUT if name != WHOLE]
    parser.add_argument(
        "--without", nargs="+", choices=names, default=names, metavar="NAME", help=", ".join(names).replace("%", "%%")
    )
    args = parser.parse_args()
    ingredients = [WHOLE, *args.without]
    made = [study.method(name, "ablation:restored", ingredient=name) for name in ingredients]
    rows = study.run(pictures.simulated_ladder(args.steps, args.pictures), made, args.out, args.jobs)
    print(table([pictures.Reading.of(row) for row in rows], ingredients))
    return 0


if __name__ == "__main__":
    sys.exit(main())
