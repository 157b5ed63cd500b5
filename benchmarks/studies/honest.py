"""Classical and learned methods side by side on the Helsinki ladder, with the published figures of its teams.

::

    python -m benchmarks.studies.honest  # make honest: the simulated ladder, and photographs if available
    python -m benchmarks.studies.honest --tables       # the tables of the saved rows, without a run

It runs `deconv compare` on honest.toml and the photographs, with the built-in methods, the classical ones of
honest_methods.toml and the networks of examples/learned. Parameters are chosen on honest_calibration.toml. Rows and
report.html are saved in honest/, and an interrupted run resumes there.
"""

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import fmean, median

from tqdm import tqdm

from benchmarks.studies import published
from benchmarks.studies.ladder import PASS
from benchmarks.studies.pictures import PHOTOGRAPHS
from benchmarks.studies.study import markdown
from deconv import compare
from deconv.compare import Row
from deconv.compare.summary import complete

HERE = Path(__file__).parent
# Not under version control: it holds copies of the photographs.
OUT = HERE.parents[1] / "honest"
LEARNED = HERE.parents[1] / "examples" / "learned" / "learned.toml"
LADDER = "ladder"
STEPS = range(4, 20)


def main() -> int:
    """Compare, print the table and return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, default=OUT, metavar="DIR", help="rows and report (honest/)")
    parser.add_argument("--only", action="append", metavar="NAME", help="only this method; repeatable")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="methods that run in parallel")
    parser.add_argument(
        "--photographs", type=Path, default=PHOTOGRAPHS, metavar="DIR", help="folder of the photographs"
    )
    parser.add_argument("--tables", action="store_true", help="the tables of the rows in DIR, without a run")
    args = parser.parse_args()
    if not args.tables:
        try:
            _compare(args)
        except compare.Problem as problem:
            parser.exit(1, f"{problem}\n")
    rows = complete(compare.read_rows(args.out / "rows.csv"))
    if not rows:
        print(f"{args.out / 'rows.csv'} has no rows", file=sys.stderr)
        return 1
    print(table(rows))
    print(steps_table(rows))
    return 0


def _compare(args: argparse.Namespace) -> None:
    datasets = compare.load_datasets(HERE / "honest.toml")
    if args.photographs.is_dir():
        datasets.append(compare.open_dataset(f"hdc:{args.photographs}"))
    else:
        print(f"no photographs: there is no {args.photographs}; they are skipped", file=sys.stderr)
    # Out-of-focus pictures have the same result whether a disc is assumed or chosen among other blurs.
    methods = [m for m in compare.BUILTIN if m.name != "ours, disk sought"]
    methods += [*compare.load_methods(HERE / "honest_methods.toml"), *compare.load_methods(LEARNED)]
    if unknown := set(args.only or ()) - {m.name for m in methods}:
        raise compare.Problem(f"no method is called {min(unknown)!r}")
    if args.only:
        methods = [m for m in methods if m.kind == "reference" or m.name in args.only]
    with tqdm(disable=None) as bar:

        def report(done: int, of: int, what: str) -> None:
            bar.total, bar.n = of, done
            bar.set_postfix_str(what)

        compare.run(
            datasets,
            methods,
            args.out,
            settings=compare.Settings(jobs=args.jobs),
            calibration=compare.load_datasets(HERE / "honest_calibration.toml") if any(m.grid for m in methods) else (),
            report=report,
        )


def table(rows: Sequence[Row]) -> str:
    """The table of some rows in markdown: one line for each method, then one for each team."""
    lines: list[tuple[object, ...]] = [_line(name, own) for name, own in _ordered(rows).items()]
    lines += [
        (f"{team} *", f"{_kind(team)}: {what}", "step", "", "", last, *(f"{score:.1f}" for score in scores), "", "", "")
        for team, (what, last, *scores) in published.TEAMS.items()
    ]
    count = len({r.item for r in rows if r.dataset == LADDER})
    names: tuple[str, ...] = ("method", "kind", "given", f"accuracy ({count})", "HDC", "last step passed")
    names += tuple(f"step {step}" for step in published.TEAM_STEPS)
    names += ("photographs: accuracy (number)", "HDC", "s")
    return (
        f"{markdown(names, lines, names[:3])}\n\\* Published, on the challenge's own photographs. {published.CITED}\n"
    )


def _ordered(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """The rows of each method: the references first, then by accuracy."""
    groups = {name: [row for row in rows if row.method == name] for name in dict.fromkeys(r.method for r in rows)}
    read = {name: [r.accuracy for r in own if r.accuracy is not None] for name, own in groups.items()}
    order = sorted(groups, key=lambda name: (groups[name][0].kind != "reference", -fmean(read[name] or [0.0])))
    return {name: groups[name] for name in order}


def steps_table(rows: Sequence[Row]) -> str:
    """The mean score of each method at each step of the ladder, in markdown."""
    names = _ordered([row for row in rows if row.dataset == LADDER])
    lines = [
        (step, *(_mean([r.hdc for r in own if r.level == step]) for own in names.values()))
        for step in STEPS
        if any(r.level == step for own in names.values() for r in own)
    ]
    return markdown(("step", *names), lines)


def _kind(team: str) -> str:
    return "classical" if team in published.CLASSICAL else "learned"


def _line(name: str, rows: Sequence[Row]) -> tuple[object, ...]:
    """Table cells of a method."""
    ladder = [r for r in rows if r.dataset == LADDER]
    real = [r for r in rows if r.dataset != LADDER and r.accuracy is not None]
    steps = {step: [r.hdc for r in ladder if r.level == step] for step in STEPS}
    passed = STEPS[0] - 1
    while (here := [score for score in steps.get(passed + 1, ()) if score is not None]) and fmean(here) >= PASS:
        passed += 1
    seconds = [r.seconds for r in ladder if r.seconds is not None]
    return (
        name,
        rows[0].kind,
        rows[0].knows,
        _mean([r.accuracy for r in ladder], 3),
        _mean([r.hdc for r in ladder]),
        passed if passed >= STEPS[0] else "none",
        *(_mean(steps[step]) for step in published.TEAM_STEPS),
        f"{_mean([r.accuracy for r in real], 3)} ({len(real)})" if real else "-",
        _mean([r.hdc for r in real]),
        f"{median(seconds):.2g}" if seconds and rows[0].kind != "reference" else "-",
    )


def _mean(scores: Iterable[float | None], places: int = 1) -> str:
    known = [score for score in scores if score is not None]
    return f"{fmean(known):.{places}f}" if known else "-"


if __name__ == "__main__":
    sys.exit(main())
