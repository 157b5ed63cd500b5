"""How many points each ingredient of the blind restoration adds: the simulated ladder without it.

::

    python -m benchmarks.studies.ablation                          # 2 pictures of steps 4, 8, 12, 15, 17 and 19
    python -m benchmarks.studies.ablation --without softness refinement --steps 12 17 --pictures 6

`TAKEN_OUT` holds the options of `deconv.blind.deblur` that disable each ingredient. Points are the mean over all
pictures; a step is passed at a mean of 70 or more. Rows are saved in --out, as for the ladder.
"""

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

import deconv
from benchmarks.studies import methods, pictures, study
from benchmarks.studies.ladder import OUT, PASS, mean, options, scores
from benchmarks.studies.study import markdown
from deconv.compare.protocol import Context

STEPS = (4, 8, 12, 15, 17, 19)
WHOLE = "nothing"


def _settings(values: dict[str, Any]) -> dict[str, Any]:
    return {"settings": deconv.blind.Settings().replace(values)}


TAKEN_OUT: dict[str, dict[str, Any]] = {
    WHOLE: {},
    # The values of the picture are treated as light.
    "linear light": {"gamma": 1.0},
    # The exponent of a photograph, without a shoulder.
    "tone curve": {"gamma": 2.2},
    # Even light on the paper.
    "illumination": _settings({"text.ink.fit_background": False}),
    # Total variation treats the picture as periodic; strokes do their own padding.
    "masked border": _settings({"general.deconvolution.unknown_border": False}),
    # A radius 5 % too large, such as a table of steps for another camera would contain.
    "radius to 5 %": _settings({"general.refinement.radius_factor": 1.05}),
    # The radius as estimated from the spectrum.
    "refinement": _settings({"general.refinement.enabled": False}),
    # The edge of the disc as sharp as a pixel allows.
    "softness": _settings({"general.refinement.softness": 0.02}),
    # Total variation alone, whatever level of ink it recovers.
    "strokes": _settings({"text.strokes.max_pixels": 0}),
    # Total variation without an upper bound, its result unchanged.
    "text prior": _settings({"text.restoration.text_prior": False}),
    # The restored coverage without the stretch to paper and ink.
    "two tones": _settings({"text.restoration.paper_coverage": 0.0, "text.restoration.ink_coverage": 1.0}),
    # The weight of the prior from the model error alone, whatever the noise.
    "noise-led weight": _settings({"general.deconvolution.weight_from_noise": False}),
}


def without(ingredient: str, picture: pictures.Picture) -> methods.Attempt:
    """A picture restored blind, without one ingredient."""
    return methods.blind(picture, **TAKEN_OUT[ingredient])


def restored(
    image: np.ndarray, context: Context, ingredient: str
) -> tuple[np.ndarray, np.ndarray | None, dict[str, Any]]:
    """`without`, with the signature of a method of `deconv.compare`."""
    picture = methods.picture_of(image, context)
    return methods.result(without(ingredient, picture), picture)


def table(rows: Sequence[pictures.Reading], ingredients: Sequence[str]) -> str:
    """The points lost without each ingredient."""
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
                f"{sum(np.mean(points) >= PASS for points in here)} of {len(steps)}",
                f"{100 * np.median(errors):.1f} %",
                *map(mean, here),
            )
        )
    names = ("taken out", "mean", "points lost", "steps passed", "radius error, median", *(f"step {s}" for s in steps))
    return markdown(names, lines, ("taken out",))


def main() -> int:
    """Print the table and return the exit status."""
    parser = options(__doc__, steps=STEPS, pictures=2, out=OUT / "ablation")
    names = [name for name in TAKEN_OUT if name != WHOLE]
    parser.add_argument(
        "--without", nargs="+", choices=names, default=names, metavar="NAME", help=", ".join(names).replace("%", "%%")
    )
    args = parser.parse_args()
    ingredients = [WHOLE, *args.without]
    variants = [study.method(name, "ablation:restored", ingredient=name) for name in ingredients]
    rows = study.run(pictures.simulated_ladder(args.steps, args.pictures), variants, args.out, args.jobs)
    print(table([pictures.Reading.of(row) for row in rows], ingredients))
    return 0


if __name__ == "__main__":
    sys.exit(main())
