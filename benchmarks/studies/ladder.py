"""The ladder of the Helsinki challenge, restored blind with one set of defaults: ``make ladder`` prints the tables.

::

    python -m benchmarks.studies.ladder  # photographs, if available; 20 pictures of each step
    python -m benchmarks.studies.ladder --known --misjudged --peers  # radius given, off by 3 %, scikit-image
    python -m benchmarks.studies.ladder --disk              # the kind of blur given, and the time that saves
    python -m benchmarks.studies.ladder --steps 8 17 --pictures 2
    python -m benchmarks.studies.ladder --tables            # the tables of the saved rows, without a run

Picture i of step s has the seed 100 s + i; none of these was used for tuning. Even i have a font like Verdana, odd i
one like Times, and every other pair has digits. Each row is saved in ladder/rows.csv, and an interrupted run resumes
there; photographs.png and simulated.png beside it show blurred picture, restoration, PSF and text. A picture takes
about 10 s of CPU, and reading it by tesseract as much again. `methods.py` describes the other methods and their
inputs.
"""

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

import deconv
from benchmarks.studies import contact_sheet, pictures, published, study
from benchmarks.studies.pictures import Reading
from benchmarks.studies.quality import REAL
from benchmarks.studies.study import markdown
from deconv.compare.protocol import Method

PASS = 70
# Not under version control: it holds copies of the photographs.
OUT = study.ROOT / "ladder"
TITLES = {
    "blind": "deconv, blind",
    "disk": 'deconv, psf="disk"',
    "known": "deconv, radius known",
    "misjudged": "deconv, radius off by 3 %",
    "richardson_lucy": "scikit-image richardson_lucy, disc known",
    "unsupervised_wiener": "scikit-image unsupervised_wiener, disc known",
    "blurred": "blurred",
    "sharp": "sharp",
}
OTHERS = ("disk", "known", "misjudged", "richardson_lucy", "unsupervised_wiener")
OPTIONAL = {"disk": OTHERS[:1], "known": OTHERS[1:2], "misjudged": OTHERS[2:3], "peers": OTHERS[3:]}
# Methods with the true disc given.
INFORMED = OTHERS[1:]


def scores(rows: Iterable[Reading], method: str, step: int | None = None) -> list[int]:
    """Scores of a method, at one step or at all."""
    return [r.score for r in rows if r.method == method and step in (None, r.step)]


def mean(values: Sequence[float]) -> str:
    """The mean as a table cell; a dash if there are no values."""
    return f"{np.mean(values):.1f}" if len(values) else "-"


def last_passed(rows: Sequence[Reading], method: str) -> int | str:
    """The last step passed without a gap from step 4 on, the challenge's rule; a dash if step 4 fails."""
    if not scores(rows, method, 4):
        return "-"
    passed = 3
    while (here := scores(rows, method, passed + 1)) and np.mean(here) >= PASS:
        passed += 1
    return passed if passed > 3 else "below 4"


def photographs_table(rows: Sequence[Reading]) -> str:
    """Table of the photographs and their means."""
    table = {(r.picture, r.method): r for r in rows}
    blind = sorted((r for r in rows if r.method == "blind"), key=lambda r: REAL.index(r.picture))
    lines = []
    for r in blind:
        radius = r.radius or 0.0
        off = published.off_range(radius, r.step)
        low, high = published.RADII[r.step]
        reference = [table.get((r.picture, m)) for m in ("blurred", "sharp")]
        lines.append(
            (
                r.picture,
                r.step,
                r.score,
                *("-" if other is None else other.score for other in reference),
                " / ".join(r.read).replace("|", "\\|"),
                f"{radius:.1f}",
                f"{low:.1f} to {high:.1f}" + (f" ({100 * off:+.1f} %)" if off else ""),
                ", ".join(f"{name} {value:.2f}" for name, value in r.parameters.items()),
                f"{r.cpu:.1f}",
            )
        )
    names = ("photograph", "step", "score", "blurred", "sharp", "read", "radius (of 2360 px)", "published", "also")
    groups = {"steps to 14": lambda s: s <= 14, "from 15": lambda s: s >= 15, "all": lambda s: True}
    means = [
        f"{name} {mean(here)} (lowest {min(here)}, {len(here)} photographs)"
        for name, wanted in groups.items()
        if (here := [r.score for r in blind if wanted(r.step)])
    ]
    return f"{markdown((*names, 'CPU (s)'), lines, ('photograph', 'read', 'also'))}\nMeans: {'; '.join(means)}\n"


def steps_table(rows: Sequence[Reading]) -> str:
    """Table of the simulated ladder, step by step, and its means."""
    others = [m for m in (*OTHERS, "blurred", "sharp") if scores(rows, m)]
    names = ("step", "radius (px)", "mean", "lowest", *(TITLES[m] for m in others))
    names += ("radius error, median", "worst", "CPU (s)", "HHU, V / T", "Leiden")
    blind = [r for r in rows if r.method == "blind"]
    lines = []
    for step in sorted({r.step for r in blind}):
        here = [r for r in blind if r.step == step]
        lines.append(
            (
                step,
                f"{here[0].true:.1f}",
                mean([r.score for r in here]),
                min(r.score for r in here),
                *(mean(scores(rows, m, step)) for m in others),
                *_errors(here),
                f"{np.mean([r.cpu for r in here]):.1f}",
                published.HHU.get(step, "-"),
                published.LEIDEN.get(step, "-"),
            )
        )
    parts = {
        "all": lambda r: True,
        "steps to 12": lambda r: r.step <= 12,
        "from 15": lambda r: r.step >= 15,
        "Verdana": lambda r: r.font == "verdana",
        "Times": lambda r: r.font == "times",
        "with digits": lambda r: r.digits,
        "without": lambda r: not r.digits,
    }
    means = [f"{name} {mean([r.score for r in blind if wanted(r)])}" for name, wanted in parts.items()]
    median, worst = _errors(blind)
    return (
        f"{markdown(names, lines)}\nMeans: {', '.join(means)}; below {PASS}: {sum(r.score < PASS for r in blind)} of "
        f"{len(blind)}. Radius error: median {median}, worst {worst}.\n{_times_of_disk(rows)}"
    )


def _times_of_disk(rows: Sequence[Reading]) -> str:
    """The time of a given kind of blur, if `--disk` was run."""
    known = {r.picture: r for r in rows if r.method == "blind"}
    pairs = [(r, known[r.picture]) for r in rows if r.method == "disk" and r.picture in known]
    if not pairs:
        return ""
    ratios, alike = [a.cpu / b.cpu for a, b in pairs], sum(a.radius == b.radius for a, b in pairs)
    return (
        f'psf="disk": {np.median(ratios):.2f} times the CPU seconds of the default in the median, {max(ratios):.2f} at '
        f"most; the same radius in {alike} of {len(pairs)}.\n"
    )


def _errors(rows: Iterable[Reading]) -> tuple[str, str]:
    """Table cells: the median absolute error of the radii, and the largest error with its sign."""
    errors = [100 * r.error for r in rows]
    return f"{np.median(np.abs(errors)):.1f} %", f"{max(errors, key=abs):+.1f} %"


def teams_table(rows: Sequence[Reading]) -> str:
    """Table of deconv, scikit-image and the ten teams."""
    lines: list[tuple[object, ...]] = [
        (TITLES[m], "nothing trained", last_passed(rows, m), *(mean(scores(rows, m, s)) for s in published.TEAM_STEPS))
        for m in ("blind", *OTHERS)
        if scores(rows, m)
    ]
    lines += [(team, *figures) for team, figures in published.TEAMS.items()]
    names = ("", "kind", "last step passed", *(f"step {s}" for s in published.TEAM_STEPS))
    return f"{markdown(names, lines, ('', 'kind'))}\n{published.CITED}\n"


def examples(rows: Sequence[Reading]) -> list[Reading]:
    """The pictures with the worst and the median score of each step."""
    chosen: list[Reading] = []
    for step in sorted({r.step for r in rows}):
        here = sorted((r for r in rows if r.method == "blind" and r.step == step), key=lambda r: r.score)
        chosen += [here[i] for i in sorted({0, len(here) // 2})]
    return chosen


def draw(rows: Iterable[Reading], out: Path, path: Path) -> None:
    """Draw the contact sheet of some rows of the run in `out`."""
    entries = []
    for r in rows:
        radius = "" if r.radius is None else f", radius {r.radius:.1f}"
        text = (f"{r.picture}: {r.score}{radius}", *r.read[:5], f"true: {' / '.join(r.lines)}")
        if r.row is not None:
            entries.append((contact_sheet.kept(out, r.row), text))
    contact_sheet.sheet(entries, path)


def report(rows: Sequence[Reading], out: Path) -> None:
    """Print the tables of some rows and draw the contact sheets."""
    if len({r.code for r in rows if r.method == "blind"}) > 1:
        print("Not all rows are from the same code.\n")
    real = [r for r in rows if r.true is None]
    simulated = [r for r in rows if r.true is not None]
    if real:
        print(photographs_table(real))
        shown = sorted((r for r in real if r.method == "blind"), key=lambda r: REAL.index(r.picture))
        draw(shown, out, out / "photographs.png")
    if simulated:
        print(steps_table(simulated))
        print(teams_table(simulated))
        draw(examples(simulated), out, out / "simulated.png")


def options(
    text: str | None, steps: Sequence[int] = range(4, 20), pictures: int = 20, out: Path = OUT
) -> argparse.ArgumentParser:
    """The command-line options of a run over the ladder; `text` is its description."""
    parser = argparse.ArgumentParser(description=(text or "").partition("\n")[0])
    default = " ".join(map(str, steps))
    parser.add_argument("--steps", type=int, nargs="+", default=steps, metavar="N", help=f"default: {default}")
    parser.add_argument("--pictures", type=int, default=pictures, metavar="N", help=f"of each step ({pictures})")
    parser.add_argument("--jobs", type=int, metavar="N", help="processes, of one thread each; default: all cores")
    parser.add_argument("--out", type=Path, default=out, metavar="DIR", help="tables and sheets (ladder/)")
    return parser


def method(name: str) -> Method:
    """A function of `methods.py` as a method of the runner."""
    return study.method(name, "methods:restored", knows=("details",) if name in INFORMED else (), method=name)


def main() -> int:
    """Print the requested tables and return the exit status."""
    parser = options(__doc__)
    parser.add_argument("--disk", action="store_true", help='the same with psf="disk"')
    parser.add_argument("--known", action="store_true", help="the same, given the true disc")
    parser.add_argument("--misjudged", action="store_true", help="the same, with a radius that is off by 3 %%")
    parser.add_argument("--peers", action="store_true", help="scikit-image on the same pictures, given the true disc")
    parser.add_argument("--tables", action="store_true", help="tables and sheets of the rows in DIR, without a run")
    parser.add_argument(
        "--photographs", type=Path, default=pictures.PHOTOGRAPHS, metavar="DIR", help="folder of the photographs"
    )
    args = parser.parse_args()
    if args.tables:
        report([Reading.of(row) for row in study.saved(args.out)], args.out)
        return 0
    others = [method(name) for option, names in OPTIONAL.items() if getattr(args, option) for name in names]
    rows = []
    if (args.photographs / "truth.csv").is_file():
        rows += study.run(
            [pictures.photographs(args.photographs)], [study.BLURRED, method("blind")], args.out, args.jobs
        )
        rows += study.run([pictures.partnered(args.photographs)], [study.SHARP], args.out, args.jobs)
    else:
        print(f"no photographs: {args.photographs / 'truth.csv'} does not exist; they are skipped", file=sys.stderr)
    ladder = pictures.simulated_ladder(args.steps, args.pictures)
    rows += study.run(ladder, [study.BLURRED, study.SHARP, method("blind"), *others], args.out, args.jobs)
    report([Reading.of(row) for row in rows], args.out)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except deconv.ocr.TesseractMissing as missing:
        sys.exit(str(missing))
