"""The ladder of the Helsinki challenge, blind and by one set of defaults: ``make ladder`` prints its tables.

::

    python -m benchmarks.studies.ladder  # photographs, where they are at hand; 20 pictures of each step
    python -m benchmarks.studies.ladder --known --misjudged --peers  # the radius told, told wrong by 3 %, scikit-image
    python -m benchmarks.studies.ladder --auto              # the kind of blur not told, and the time that takes
    python -m benchmarks.studies.ladder --steps 8 17 --pictures 2
    python -m benchmarks.studies.ladder --tables            # again, from what is in ladder/

Picture i of step s has the seed 100 s + i, never tuned on; even i in Verdana's stand-in, odd i in Times', digits in
every other pair. Rows go to ladder/results.csv as they are made, and a run that was broken off goes on from there;
photographs.png and simulated.png beside it show blurred, restored, PSF and text. A picture takes some 10 s of CPU, the
readings of it, by tesseract, as much again; `methods.py` says what the others are given.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

import deconv
from benchmarks.studies import contact_sheet, methods, pictures, published, runs
from benchmarks.studies.quality import REAL

PASS = 70
# Not under version control: it holds copies of the photographs.
OUT = Path(__file__).parents[2] / "ladder"
TITLES = {
    "blind": "deconv, blind",
    "auto": 'deconv, psf="auto"',
    "known": "deconv, radius known",
    "misjudged": "deconv, radius off by 3 %",
    "richardson_lucy": "scikit-image richardson_lucy, disc known",
    "unsupervised_wiener": "scikit-image unsupervised_wiener, disc known",
    "blurred": "blurred",
    "sharp": "sharp",
}
OTHERS = ("auto", "known", "misjudged", "richardson_lucy", "unsupervised_wiener")
OPTIONAL = {"auto": OTHERS[:1], "known": OTHERS[1:2], "misjudged": OTHERS[2:3], "peers": OTHERS[3:]}


def markdown(names, lines, left=()):
    """A table as text; columns stand right but those named."""
    rule = ["---" if name in left else "---:" for name in names]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in (names, rule, *lines)) + "\n"


def scores(rows, method, step=None):
    """Scores of a method, at one step or all."""
    return [r.score for r in rows if r.method == method and step in (None, r.step)]


def mean(values):
    """As a cell; a dash where there is none."""
    return f"{np.mean(values):.1f}" if len(values) else "-"


def last_passed(rows, method):
    """The last step of those from 4 on that are passed in order, as the challenge counts; a dash without step 4."""
    if not scores(rows, method, 4):
        return "-"
    passed = 3
    while (found := scores(rows, method, passed + 1)) and np.mean(found) >= PASS:
        passed += 1
    return passed if passed > 3 else "below 4"


def photographs_table(rows):
    """Every photograph, and their means."""
    table = {(r.picture, r.method): r for r in rows}
    blind = sorted((r for r in rows if r.method == "blind"), key=lambda r: REAL.index(r.picture))
    lines = []
    for r in blind:
        off = published.off_range(r.radius, r.step)
        low, high = published.RADII[r.step]
        reference = [table.get((r.picture, m)) for m in ("blurred", "sharp")]
        lines.append(
            (
                r.picture,
                r.step,
                r.score,
                *("-" if found is None else found.score for found in reference),
                " / ".join(r.read).replace("|", "\\|"),
                f"{r.radius:.1f}",
                f"{low:.1f} to {high:.1f}" + (f" ({100 * off:+.1f} %)" if off else ""),
                ", ".join(f"{name} {value:.2f}" for name, value in r.parameters.items()),
                f"{r.cpu:.1f}",
            )
        )
    names = ("photograph", "step", "score", "blurred", "sharp", "read", "radius (of 2360 px)", "published", "also")
    groups = {"steps to 14": lambda s: s <= 14, "from 15": lambda s: s >= 15, "all": lambda s: True}
    means = [
        f"{name} {mean(found)} (lowest {min(found)}, {len(found)} photographs)"
        for name, wanted in groups.items()
        if (found := [r.score for r in blind if wanted(r.step)])
    ]
    return f"{markdown((*names, 'CPU (s)'), lines, ('photograph', 'read', 'also'))}\nMeans: {'; '.join(means)}\n"


def steps_table(rows):
    """The simulated ladder, step by step, and what it says in all."""
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
        f"{len(blind)}. Radius error: median {median}, worst {worst}.\n{_times_of_auto(rows)}"
    )


def _times_of_auto(rows):
    """What it costs not to be told the kind of blur, if that was tried."""
    told = {r.picture: r for r in rows if r.method == "blind"}
    pairs = [(r, told[r.picture]) for r in rows if r.method == "auto" and r.picture in told]
    if not pairs:
        return ""
    ratios, alike = [a.cpu / b.cpu for a, b in pairs], sum(a.radius == b.radius for a, b in pairs)
    return (
        f'psf="auto": {np.median(ratios):.2f} times the CPU seconds of psf="disk" in the median, {max(ratios):.2f} at '
        f"most; the same radius in {alike} of {len(pairs)}.\n"
    )


def _errors(rows):
    """Median size of the radii's errors, and the largest, signed, as cells."""
    errors = [100 * r.error for r in rows]
    return f"{np.median(np.abs(errors)):.1f} %", f"{max(errors, key=abs):+.1f} %"


def teams_table(rows):
    """Ours and scikit-image's beside the ten teams'."""
    lines = [
        (TITLES[m], "nothing trained", last_passed(rows, m), *(mean(scores(rows, m, s)) for s in published.TEAM_STEPS))
        for m in ("blind", *OTHERS)
        if scores(rows, m)
    ]
    lines += [(team, *figures) for team, figures in published.TEAMS.items()]
    names = ("", "kind", "last step passed", *(f"step {s}" for s in published.TEAM_STEPS))
    return f"{markdown(names, lines, ('', 'kind'))}\n{published.CITED}\n"


def examples(rows):
    """Of each step, the picture read worst and the one in the middle."""
    chosen = []
    for step in sorted({r.step for r in rows}):
        here = sorted((r for r in rows if r.method == "blind" and r.step == step), key=lambda r: r.score)
        chosen += [here[i] for i in sorted({0, len(here) // 2})]
    return chosen


def report(rows, out):
    """Print the tables of some rows, and draw the sheets."""
    if len({r.code for r in rows if r.method == "blind"}) > 1:
        print("Not all of it was made by the same code.\n")
    real = [r for r in rows if r.true is None]
    simulated = [r for r in rows if r.true is not None]
    if real:
        print(photographs_table(real))
        shown = sorted((r for r in real if r.method == "blind"), key=lambda r: REAL.index(r.picture))
        contact_sheet.draw(shown, out, out / "photographs.png")
    if simulated:
        print(steps_table(simulated))
        print(teams_table(simulated))
        contact_sheet.draw(examples(simulated), out, out / "simulated.png")


def options(text, steps=range(4, 20), pictures=20, out=OUT):
    """The options of a run over the ladder, `text` its description."""
    parser = argparse.ArgumentParser(description=text.partition("\n")[0])
    told = " ".join(map(str, steps))
    parser.add_argument("--steps", type=int, nargs="+", default=steps, metavar="N", help=f"default: {told}")
    parser.add_argument("--pictures", type=int, default=pictures, metavar="N", help=f"of each step ({pictures})")
    parser.add_argument("--jobs", type=int, metavar="N", help="processes, of one thread each; default: all cores")
    parser.add_argument("--out", type=Path, default=out, metavar="DIR", help="tables and sheets (ladder/)")
    return parser


def main():
    """Print the tables asked for; the exit status."""
    parser = options(__doc__)
    parser.add_argument("--auto", action="store_true", help='the same with psf="auto"')
    parser.add_argument("--known", action="store_true", help="the same with the true disc told")
    parser.add_argument("--misjudged", action="store_true", help="the same with a radius told that is off by 3 %%")
    parser.add_argument("--peers", action="store_true", help="scikit-image on the same pictures, the true disc told")
    parser.add_argument("--tables", action="store_true", help="run nothing: tables and sheets of what is in DIR")
    parser.add_argument("--photographs", type=Path, default=pictures.PHOTOGRAPHS, metavar="DIR", help="the real ones")
    args = parser.parse_args()
    if args.tables:
        report(runs.latest(runs.table(args.out)), args.out)
        return 0
    wanted = ("blind", *(m for option, of in OPTIONAL.items() if getattr(args, option) for m in of))
    rows = []
    if (args.photographs / "truth.csv").is_file():
        rows += _run(REAL, ("blurred", "sharp", "blind"), args)
    else:
        print(f"no photographs: {args.photographs / 'truth.csv'} does not exist; they are skipped", file=sys.stderr)
    rows += _run(pictures.simulated_names(args.steps, args.pictures), ("blurred", "sharp", *wanted), args)
    report(rows, args.out)
    return 0


def _run(names, wanted, args):
    return runs.run(names, {m: getattr(methods, m) for m in wanted}, args.out, args.jobs, args.photographs)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except deconv.ocr.TesseractMissing as missing:
        sys.exit(str(missing))
