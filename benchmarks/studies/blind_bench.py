"""Blind restoration with a free-form PSF and one set of defaults: ``make blind-bench`` prints the tables.

::

    python -m benchmarks.studies.blind_bench                    # all parts, 16 of the 64 text pictures
    python -m benchmarks.studies.blind_bench --parts pan --every        # all 64
    python -m benchmarks.studies.blind_bench --parts levin noise --psf free auto --only im01 im02
    python -m benchmarks.studies.blind_bench --parts pan levin large --no-gamma
    python -m benchmarks.studies.blind_bench --tables           # the tables of the saved rows, without a run

`blind_sets.py` describes the parts; those whose data are missing are skipped. The scores are those of
`deconv.metrics`: grey, without the border, registered to a quarter of a pixel. "blurred" is the input; "true PSF" is
the final restoration with PSF and prior given; "size given" gets the side of the PSF's file. All get ``gamma=1``, the
encoding of the sets, as other packages assume it, unless ``--no-gamma`` leaves that out: the call without options. A
picture is "solved" within 1.5 dB of the result with the true PSF. Each row is saved in blind-bench/rows.csv, and an
interrupted run resumes there; contact sheets of blurred picture, restoration and PSF are drawn beside it. CPU seconds
are those of one thread, after the compilation of the kernels.
"""

import argparse
import math
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.studies import blind_sets, contact_sheet, study
from benchmarks.studies.study import markdown
from deconv.compare.protocol import Method
from deconv.compare.protocol import Row as RunRow

PARTS = ("pan", "levin", "noise", "large", "real", "cost")
# Not under version control: it holds copies of the photographs.
OUT = study.ROOT / "blind-bench"
BLURRED, TRUE, SHARP = "blurred", "true PSF", "sharp"
GIVEN = "size given"
REFERENCES = (BLURRED, TRUE)
SOLVED = 1.5  # dB
RISE = 3.0  # dB over the blurred picture, below which a restoration has collapsed
# Published figures: PSNR, SSIM, kernel similarity and CPU seconds; "-" if unknown.
PEERS: dict[str, dict[str, tuple[str, str, str, str]]] = {
    "pan": {
        "IPOL 243 (C++), L0, size 31 given (the 16)": ("23.00", "0.848", "0.835", "6.8"),
        "Pan et al. 2014, re-derived, size given (the 16)": ("25.90", "-", "-", "18.4"),
    },
    "levin": {
        "IPOL 243 (C++), L0, size 31 given (all 32)": ("29.18", "0.840", "0.795", "1.4"),
        "Wen et al. 2021 (PMP), size set by hand (all 32)": ("32.45", "0.938", "0.806", "-"),
    },
}


@dataclass(frozen=True)
class Row:
    """One picture restored by one method; an unknown score is NaN, and only blind methods have an estimate."""

    code: str
    picture: str
    method: str
    psnr: float
    ssim: float
    similarity: float
    read: float
    cpu: float
    stages: dict[str, float]
    estimate: dict[str, Any]
    row: RunRow | None = None

    @property
    def part(self) -> str:
        """The name up to its first slash."""
        return self.picture.partition("/")[0]

    @classmethod
    def of(cls, row: RunRow) -> "Row":
        """The row of a run as a `Row`."""
        details = row.details
        return cls(
            code=details["code"],
            picture=f"{row.dataset}/{row.item}",
            method=row.method,
            psnr=math.nan if row.psnr is None else row.psnr,
            ssim=math.nan if row.ssim is None else row.ssim,
            similarity=details.get("similarity", math.nan),
            read=details.get("read", math.nan),
            cpu=details.get("cpu", 0.0),
            stages=details.get("stages", {}),
            estimate=details.get("estimate", {}),
            row=row,
        )


def figure(values: Iterable[float], digits: int = 2) -> str:
    """The mean of the known values as a table cell; a dash if there are none."""
    known = [v for v in values if math.isfinite(v)]
    return f"{np.mean(known):.{digits}f}" if known else "-"


def by_method(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Rows of each method, in the order of the rows; the references first."""
    groups = {method: [r for r in rows if r.method == method] for method in dict.fromkeys(r.method for r in rows)}
    return {m: groups[m] for m in sorted(groups, key=lambda m: (*REFERENCES, m).index(m)) if m != SHARP}


def psnrs(rows: Iterable[Row], method: str) -> dict[str, float]:
    """PSNR of each picture by a method."""
    return {r.picture: r.psnr for r in rows if r.method == method}


def counted(rows: Iterable[Row], reference: Mapping[str, float], holds: Callable[[float, float], bool]) -> str:
    """Table cell: the number of rows whose comparison with the reference's PSNR holds, of those that have one."""
    outcomes = [holds(r.psnr, reference[r.picture]) for r in rows if r.picture in reference]
    return f"{sum(outcomes)} of {len(outcomes)}" if outcomes else "-"


def scores_table(rows: Sequence[Row], peers: Mapping[str, tuple[str, str, str, str]] | None = None) -> str:
    """Means of each method, followed by published ones."""
    before, ceiling = psnrs(rows, BLURRED), psnrs(rows, TRUE)
    lines: list[tuple[object, ...]] = [
        (
            method,
            len(group),
            figure(r.psnr for r in group),
            f"{np.median([r.psnr for r in group]):.2f}",
            f"{min(r.psnr for r in group):.2f}",
            figure((r.ssim for r in group), 3),
            figure((r.similarity for r in group), 3),
            counted(group, ceiling, lambda psnr, best: psnr >= best - SOLVED),
            counted(group, before, lambda psnr, blurred: psnr < blurred),
            figure(r.cpu for r in group),
        )
        for method, group in by_method(rows).items()
    ]
    for name, (psnr, ssim, similarity, cpu) in (peers or {}).items():
        lines.append((name, "-", psnr, "-", "-", ssim, similarity, "-", "-", cpu))
    names = ("", "pictures", "PSNR, mean (dB)", "median", "lowest", "SSIM", "kernel similarity", "solved")
    return markdown((*names, "worse than the input", "CPU (s)"), lines, ("",))


def pictures_table(rows: Sequence[Row]) -> str:
    """PSNR and kernel similarity of each picture."""
    methods = by_method(rows)
    by_cell = {(r.picture, r.method): r for r in rows}
    lines = []
    for picture in dict.fromkeys(r.picture for r in rows):
        cells = [_cell(by_cell.get((picture, m))) for m in methods]
        lines.append((picture, *cells))
    return markdown(("picture", *methods), lines, ("picture",))


def _cell(row: Row | None) -> str:
    if row is None:
        return "-"
    if not row.estimate:
        return f"{row.psnr:.2f}"
    return f"{row.psnr:.2f} ({row.similarity:.3f}; {row.estimate['family']}, {row.estimate['size']} px)"


def read_table(rows: Sequence[Row]) -> str:
    """Fraction of the characters read, for the pictures with a known text."""
    known = [r for r in rows if not math.isnan(r.read)]
    pictures = list(dict.fromkeys(r.picture for r in known))
    by_cell = {(r.picture, r.method): r.read for r in known}
    methods = [*by_method(known), *([SHARP] if any(r.method == SHARP for r in known) else [])]
    lines = [
        (
            m,
            figure((r.read for r in known if r.method == m), 3),
            *(figure([by_cell.get((p, m), math.nan)], 3) for p in pictures),
        )
        for m in methods
    ]
    return markdown(("characters read", "mean", *(p.partition("/")[2] for p in pictures)), lines, ("characters read",))


def ratios_table(rows: Sequence[Row]) -> str:
    """Error ratios to the restoration with the true PSF, and the number of collapsed restorations."""
    before, ceiling = psnrs(rows, BLURRED), psnrs(rows, TRUE)
    lines = []
    for method, group in by_method(rows).items():
        ratios = [10 ** ((ceiling[r.picture] - r.psnr) / 10) for r in group if r.picture in ceiling]
        if method in REFERENCES or not ratios:
            continue
        shares = [f"{100 * np.mean(np.array(ratios) <= most):.0f} %" for most in (1.5, 2, 3)]
        collapsed = counted(group, before, lambda psnr, blurred: psnr < blurred + RISE)
        lines.append((method, f"{np.mean(ratios):.2f}", f"{max(ratios):.2f}", *shares, collapsed))
    names = ("error ratio", "mean", "largest", "up to 1.5", "up to 2", "up to 3", f"under blurred + {RISE:.0f} dB")
    return markdown(names, lines, ("error ratio",))


def groups_table(rows: Sequence[Row], key_of: Callable[[Row], str], name: str) -> str:
    """Means of each group of pictures, one line a method."""
    lines = []
    for key in sorted({key_of(r) for r in rows}):
        here = [r for r in rows if key_of(r) == key]
        before, ceiling = psnrs(here, BLURRED), psnrs(here, TRUE)
        for method, group in by_method(here).items():
            lines.append(
                (
                    key,
                    method,
                    figure(r.psnr for r in group),
                    figure((r.ssim for r in group), 3),
                    figure((r.similarity for r in group), 3),
                    counted(group, ceiling, lambda psnr, best: psnr >= best - SOLVED),
                    counted(group, before, lambda psnr, blurred: psnr < blurred),
                )
            )
    names = (name, "", "PSNR (dB)", "SSIM", "kernel similarity", "solved", "worse than the input")
    return markdown(names, lines, (name, ""))


def cost_table(rows: Sequence[Row]) -> str:
    """CPU seconds of each stage."""
    rows = [r for r in rows if r.stages]
    stages = list(dict.fromkeys(stage for r in rows for stage in r.stages))
    lines = [
        (
            r.picture,
            r.method,
            *(f"{r.stages.get(stage, 0.0):.2f}" for stage in stages),
            f"{r.cpu:.2f}",
            f"{r.psnr:.2f}",
            f"{r.similarity:.3f}",
            r.estimate["size"],
        )
        for r in rows
    ]
    names = ("picture", "", *(f"{stage}, CPU s" for stage in stages), "all", "PSNR (dB)", "kernel similarity", "side")
    return markdown(names, lines, names[:2])


def real_table(rows: Sequence[Row]) -> str:
    """Estimates for photographs without ground truth."""
    rows = [r for r in rows if r.estimate]
    lines = [
        (
            r.picture,
            r.method,
            *(r.estimate.get(key, "-") for key in ("family", "size", "prior", "noise")),
            f"{r.cpu:.2f}",
        )
        for r in rows
    ]
    names = ("photograph", "", "family", "side (px)", "prior", "noise", "CPU (s)")
    return markdown(names, lines, ("photograph", "", "family", "prior"))


def tables(part: str, rows: Sequence[Row]) -> list[str]:
    """The tables of a part, as text."""
    if part == "real":
        return [real_table(rows)]
    texts = [scores_table(rows, PEERS.get(part, {}))]
    if part == "pan":
        texts.append(read_table(rows))
    if part == "levin" and any(r.estimate for r in rows):
        texts.append(ratios_table(rows))
    if part == "noise":
        texts.append(groups_table(rows, lambda r: r.part, "noise"))
    if part == "large":
        texts.append(groups_table(rows, lambda r: r.picture.split("/")[1], "side (px)"))
    if part == "cost":
        texts.append(cost_table(rows))
    return [*texts, pictures_table(rows)]


def shown(rows: Iterable[Row]) -> list[Row]:
    """The blind restorations on the sheet: the four worst and the median; all if there is no ground truth."""
    restored = [r for r in rows if r.estimate]
    if not all(math.isfinite(r.psnr) for r in restored):
        return restored
    ordered = sorted(restored, key=lambda r: r.psnr)
    return [ordered[i] for i in sorted({*range(min(4, len(ordered))), len(ordered) // 2} if ordered else ())]


def report(part: str, rows: Sequence[Row], out: Path) -> None:
    """Print the tables of a part and draw its contact sheet."""
    print(f"## {part}\n")
    if len({r.code for r in rows}) > 1:
        print("Not all rows are from the same code.\n")
    print("\n".join(tables(part, rows)), flush=True)
    entries = [
        (contact_sheet.kept(out, r.row), (r.picture, r.method, *(f"{k}: {v}" for k, v in _sheet(r).items())))
        for r in shown(rows)
        if r.row is not None
    ]
    contact_sheet.sheet(entries, out / f"{part}.png")


def _sheet(row: Row) -> dict[str, Any]:
    known = {"PSNR": row.psnr, "kernel similarity": row.similarity, "read": row.read}
    return {name: value for name, value in known.items() if math.isfinite(value)} | row.estimate


def methods_of(part: str, args: argparse.Namespace) -> list[Method]:
    """The methods for the pictures of a part."""
    scene = "natural" if part == "levin" else "text"
    chosen = [study.BLURRED, study.method(TRUE, "blind_sets:true_psf", knows=("psf",), prior=scene)]
    if part == "pan":
        chosen.append(study.SHARP)
    if part == "real":
        chosen = []
    # The encoding of photographs is unknown; that of the sets is given, as to other packages, unless asked otherwise.
    gamma = None if part == "real" or args.no_gamma else 1.0
    for psf in args.psf:
        for prior in args.prior:
            name = psf if prior == "auto" else f"{psf}, {prior}"
            if args.no_gamma:
                name += ", gamma not given"
            options: dict[str, Any] = {"psf": psf, "prior": prior, "gamma": gamma}
            chosen.append(study.method(name, "blind_sets:blind", **options))
            # No other family takes a size.
            if psf == "free" and part in ("pan", "levin", "large") and not args.no_gamma:
                given = study.method(f"{name}, {GIVEN}", "blind_sets:blind", knows=("psf",), size_given=True, **options)
                chosen.append(given)
    return chosen


def names_of(part: str, args: argparse.Namespace) -> list[str]:
    """Names of the requested pictures of a part."""
    names = blind_sets.names(part, args.folder, args.every)
    return [n for n in names if not args.only or any(fragment in n for fragment in args.only)]


def in_part(row: Row, part: str) -> bool:
    """Whether a row belongs to that part."""
    return row.part in (blind_sets.NOISES if part == "noise" else (part,))


def main(words: Sequence[str] | None = None) -> int:
    """Print the requested tables and return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--every", action="store_true", help="all 64 pictures of pan, not 16")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="pictures with one of these in their names")
    parser.add_argument("--psf", nargs="*", default=["free"], metavar="PSF", help="families (free)")
    parser.add_argument("--prior", nargs="+", default=["auto"], metavar="PRIOR", help="priors (auto)")
    parser.add_argument("--no-gamma", action="store_true", help="do not give the encoding: the call without options")
    parser.add_argument("--jobs", type=int, metavar="N", help="processes, of one thread each; default: all cores")
    parser.add_argument("--out", type=Path, default=OUT, metavar="DIR", help="tables and sheets (blind-bench/)")
    parser.add_argument("--tables", action="store_true", help="tables and sheets of the rows in DIR, without a run")
    parser.add_argument("--folder", type=Path, default=blind_sets.DATA, metavar="DIR", help="the sets of other authors")
    args = parser.parse_args(words)
    saved = [Row.of(row) for row in study.saved(args.out)] if args.tables else []
    for part in args.parts:
        if args.tables:
            rows = [r for r in saved if in_part(r, part) and (not args.only or any(o in r.picture for o in args.only))]
        else:
            pictures = names_of(part, args)
            if not pictures:
                print(f"{part}: no pictures in {args.folder}; skipped", file=sys.stderr)
            parts = blind_sets.parts(pictures, args.folder)
            rows = [Row.of(row) for row in study.run(parts, methods_of(part, args), args.out, args.jobs)]
        if rows:
            # In the order of the set, without changing the order of the methods.
            report(part, sorted(rows, key=lambda r: r.picture), args.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
