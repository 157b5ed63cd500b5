"""Blind restoration of free blur as tables, by one set of defaults: ``make blind-bench`` prints them.

::

    python -m benchmarks.studies.blind_bench                    # all parts, 16 of the 64 text pictures
    python -m benchmarks.studies.blind_bench --parts pan --every        # all 64
    python -m benchmarks.studies.blind_bench --parts levin noise --psf free auto --only im01 im02
    python -m benchmarks.studies.blind_bench --tables           # again, from what is in blind-bench/

`blind_sets.py` says what the parts are; those whose data are not at hand are skipped. The scores are `deconv.metrics`':
grey, the border left out, registered to a quarter of a pixel. "blurred" does nothing; "true PSF" is the last step
alone, told the PSF and the prior; "size given" is told the side of the PSF's file. "Solved" is within 1.5 dB of the
true PSF. Rows go to blind-bench/results.csv as they are made, and a run that was broken off goes on from there; sheets
of blurred, restored and PSF lie beside it. CPU seconds are those of one thread.
"""

import argparse
import dataclasses
import functools
import json
import math
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import deconv
from benchmarks.studies import blind_sets, contact_sheet, runs
from benchmarks.studies.ladder import markdown

PARTS = ("pan", "levin", "noise", "large", "real", "cost")
# Not under version control: it holds copies of the photographs.
OUT = Path(__file__).parents[2] / "blind-bench"
BLURRED, TRUE, SHARP = "blurred", "true PSF", "sharp"
GIVEN = "size given"
REFERENCES = {BLURRED: blind_sets.blurred, TRUE: blind_sets.true_psf}
SOLVED = 1.5  # dB
RISE = 3.0  # dB over the blurred picture, below which a restoration has collapsed
# By others: PSNR, SSIM, kernel similarity and CPU seconds; "-" where they are not known.
PEERS = {
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
    """One picture by one method; NaN what is not known."""

    code: str
    picture: str
    method: str
    psnr: float
    ssim: float
    similarity: float
    read: float
    cpu: float
    stages: dict
    told: dict

    @property
    def part(self):
        """What stands before the first stroke of its name."""
        return self.picture.partition("/")[0]

    def cells(self):
        """As it stands in the table."""
        values = dataclasses.asdict(self)
        return values | {name: json.dumps(values[name]) for name in ("stages", "told")}

    @classmethod
    def of(cls, cells):
        """From a line of the table."""
        kinds = dict.fromkeys(("psnr", "ssim", "similarity", "read", "cpu"), float)
        kinds |= {"stages": json.loads, "told": json.loads}
        return cls(**{name: kinds.get(name, str)(cells[name]) for name in runs.fields(cls)})


def attempted(name, methods, codes, out, folder):
    """Rows of one picture."""
    case, rows = blind_sets.load(name, folder), []
    for method, function in methods.items():
        attempt = function(case)
        if attempt is None:
            continue
        psnr = ssim = math.nan
        if case.sharp is not None:
            psnr, ssim = (
                score(attempt.image, case.sharp, border=case.border)
                for score in (deconv.metrics.psnr, deconv.metrics.ssim)
            )
        similar = method not in REFERENCES and attempt.psf is not None and case.psf is not None
        read = blind_sets.read(case, attempt.image)
        rows.append(
            Row(
                code=codes[method],
                picture=name,
                method=method,
                psnr=round(psnr, 3),
                ssim=round(ssim, 4),
                similarity=round(deconv.psf.similarity(attempt.psf, case.psf), 4) if similar else math.nan,
                read=math.nan if read is None else round(read, 4),
                cpu=round(attempt.seconds, 3),
                stages={stage: round(seconds, 3) for stage, seconds in attempt.stages.items()},
                told={key: round(v, 4) if isinstance(v, float) else v for key, v in attempt.told.items()},
            )
        )
        if method not in (*REFERENCES, SHARP):
            runs.keep(kept(out, rows[-1]), case.image, attempt)
    return rows


def kept(out, row):
    """Where the small copies of what a method made are."""
    return runs.kept(out, f"{row.picture}, {row.method}")


def figure(values, digits=2):
    """The mean of what is known, as a cell; a dash where nothing is."""
    known = [v for v in values if math.isfinite(v)]
    return f"{np.mean(known):.{digits}f}" if known else "-"


def by_method(rows):
    """Rows of each method, in the order they first come; the references first."""
    found = {method: [r for r in rows if r.method == method] for method in dict.fromkeys(r.method for r in rows)}
    return {m: found[m] for m in sorted(found, key=lambda m: (*REFERENCES, m).index(m)) if m != SHARP}


def psnrs(rows, method):
    """PSNR of each picture by a method."""
    return {r.picture: r.psnr for r in rows if r.method == method}


def counted(found, reference, holds):
    """How many of some rows hold against the reference's PSNR, of those that have one, as a cell."""
    told = [holds(r.psnr, reference[r.picture]) for r in found if r.picture in reference]
    return f"{sum(told)} of {len(told)}" if told else "-"


def scores_table(rows, peers=()):
    """Means of each method; what others reached below."""
    before, ceiling = psnrs(rows, BLURRED), psnrs(rows, TRUE)
    lines = [
        (
            method,
            len(found),
            figure(r.psnr for r in found),
            f"{np.median([r.psnr for r in found]):.2f}",
            f"{min(r.psnr for r in found):.2f}",
            figure((r.ssim for r in found), 3),
            figure((r.similarity for r in found), 3),
            counted(found, ceiling, lambda psnr, best: psnr >= best - SOLVED),
            counted(found, before, lambda psnr, blurred: psnr < blurred),
            figure(r.cpu for r in found),
        )
        for method, found in by_method(rows).items()
    ]
    for name, (psnr, ssim, similarity, cpu) in dict(peers).items():
        lines.append((name, "-", psnr, "-", "-", ssim, similarity, "-", "-", cpu))
    names = ("", "pictures", "PSNR, mean (dB)", "median", "lowest", "SSIM", "kernel similarity", "solved")
    return markdown((*names, "worse than the input", "CPU (s)"), lines, ("",))


def pictures_table(rows):
    """PSNR, and similarity of the kernel, of each picture."""
    methods = by_method(rows)
    found = {(r.picture, r.method): r for r in rows}
    lines = []
    for picture in dict.fromkeys(r.picture for r in rows):
        cells = [_cell(found.get((picture, m))) for m in methods]
        lines.append((picture, *cells))
    return markdown(("picture", *methods), lines, ("picture",))


def _cell(row):
    if row is None:
        return "-"
    if not row.told:
        return f"{row.psnr:.2f}"
    return f"{row.psnr:.2f} ({row.similarity:.3f}; {row.told['family']}, {row.told['size']} px)"


def read_table(rows):
    """Part of the characters read, of the pictures whose text is known."""
    known = [r for r in rows if not math.isnan(r.read)]
    pictures = list(dict.fromkeys(r.picture for r in known))
    found = {(r.picture, r.method): r.read for r in known}
    methods = [*by_method(known), *([SHARP] if any(r.method == SHARP for r in known) else [])]
    lines = [
        (
            m,
            figure((r.read for r in known if r.method == m), 3),
            *(figure([found.get((p, m), math.nan)], 3) for p in pictures),
        )
        for m in methods
    ]
    return markdown(("characters read", "mean", *(p.partition("/")[2] for p in pictures)), lines, ("characters read",))


def ratios_table(rows):
    """Error ratios to the restoration with the true PSF, and collapses."""
    before, ceiling = psnrs(rows, BLURRED), psnrs(rows, TRUE)
    lines = []
    for method, found in by_method(rows).items():
        ratios = [10 ** ((ceiling[r.picture] - r.psnr) / 10) for r in found if r.picture in ceiling]
        if method in REFERENCES or not ratios:
            continue
        shares = [f"{100 * np.mean(np.array(ratios) <= most):.0f} %" for most in (1.5, 2, 3)]
        collapsed = counted(found, before, lambda psnr, blurred: psnr < blurred + RISE)
        lines.append((method, f"{np.mean(ratios):.2f}", f"{max(ratios):.2f}", *shares, collapsed))
    names = ("error ratio", "mean", "largest", "up to 1.5", "up to 2", "up to 3", f"under blurred + {RISE:.0f} dB")
    return markdown(names, lines, ("error ratio",))


def groups_table(rows, group, name):
    """The means of each group of pictures, the methods below each other."""
    lines = []
    for key in sorted({group(r) for r in rows}):
        here = [r for r in rows if group(r) == key]
        before, ceiling = psnrs(here, BLURRED), psnrs(here, TRUE)
        for method, found in by_method(here).items():
            lines.append(
                (
                    key,
                    method,
                    figure(r.psnr for r in found),
                    figure((r.ssim for r in found), 3),
                    figure((r.similarity for r in found), 3),
                    counted(found, ceiling, lambda psnr, best: psnr >= best - SOLVED),
                    counted(found, before, lambda psnr, blurred: psnr < blurred),
                )
            )
    names = (name, "", "PSNR (dB)", "SSIM", "kernel similarity", "solved", "worse than the input")
    return markdown(names, lines, (name, ""))


def cost_table(rows):
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
            r.told["size"],
        )
        for r in rows
    ]
    names = ("picture", "", *(f"{stage}, CPU s" for stage in stages), "all", "PSNR (dB)", "kernel similarity", "side")
    return markdown(names, lines, names[:2])


def real_table(rows):
    """What was found in photographs of which nothing is known."""
    rows = [r for r in rows if r.told]
    lines = [
        (r.picture, r.method, *(r.told.get(key, "-") for key in ("family", "size", "prior", "noise")), f"{r.cpu:.2f}")
        for r in rows
    ]
    names = ("photograph", "", "family", "side (px)", "prior", "noise", "CPU (s)")
    return markdown(names, lines, ("photograph", "", "family", "prior"))


def tables(part, rows):
    """The tables of a part, as text."""
    if part == "real":
        return [real_table(rows)]
    made = [scores_table(rows, PEERS.get(part, ()))]
    if part == "pan":
        made.append(read_table(rows))
    if part == "levin" and any(r.told for r in rows):
        made.append(ratios_table(rows))
    if part == "noise":
        made.append(groups_table(rows, lambda r: r.part, "noise"))
    if part == "large":
        made.append(groups_table(rows, lambda r: r.picture.split("/")[1], "side (px)"))
    if part == "cost":
        made.append(cost_table(rows))
    return [*made, pictures_table(rows)]


def shown(rows):
    """Of what was restored blind, the four worst and the one in the middle; all where there is no truth."""
    restored = [r for r in rows if r.told]
    if not all(math.isfinite(r.psnr) for r in restored):
        return restored
    ordered = sorted(restored, key=lambda r: r.psnr)
    return [ordered[i] for i in sorted({*range(min(4, len(ordered))), len(ordered) // 2} if ordered else ())]


def report(part, rows, out):
    """Print the tables of a part, and draw its sheet."""
    print(f"## {part}\n")
    if len({r.code for r in rows}) > 1:
        print("Not all of it was made by the same code.\n")
    print("\n".join(tables(part, rows)), flush=True)
    entries = [(kept(out, r), (r.picture, r.method, *(f"{k}: {v}" for k, v in _sheet(r).items()))) for r in shown(rows)]
    contact_sheet.sheet(entries, out / f"{part}.png")


def _sheet(row):
    known = {"PSNR": row.psnr, "kernel similarity": row.similarity, "read": row.read}
    return {name: value for name, value in known.items() if math.isfinite(value)} | row.told


def methods_of(part, args):
    """Name and function of what a part's pictures are restored by."""
    found = dict(REFERENCES)
    if part == "pan":
        found[SHARP] = blind_sets.sharp
    if part == "real":
        found = {}
    for psf in args.psf:
        for prior in args.prior:
            name = psf if prior == "auto" else f"{psf}, {prior}"
            found[name] = functools.partial(blind_sets.blind, psf=psf, prior=prior)
            # No other family has a size that could be given.
            if psf == "free" and part in ("pan", "levin", "large"):
                found[f"{name}, {GIVEN}"] = functools.partial(found[name], size_given=True)
    return found


def names_of(part, args):
    """Names of the pictures of a part that are asked for."""
    names = blind_sets.names(part, args.folder, args.every)
    return [n for n in names if not args.only or any(fragment in n for fragment in args.only)]


def in_part(row, part):
    """Whether a row is of that part."""
    return row.part in (blind_sets.NOISES if part == "noise" else (part,))


def main(words=None):
    """Print the tables asked for; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--every", action="store_true", help="all 64 pictures of pan, not 16")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="pictures with one of these in their names")
    parser.add_argument("--psf", nargs="*", default=["free"], metavar="PSF", help="families (free)")
    parser.add_argument("--prior", nargs="+", default=["auto"], metavar="PRIOR", help="priors (auto)")
    parser.add_argument("--jobs", type=int, metavar="N", help="processes, of one thread each; default: all cores")
    parser.add_argument("--out", type=Path, default=OUT, metavar="DIR", help="tables and sheets (blind-bench/)")
    parser.add_argument("--tables", action="store_true", help="run nothing: tables and sheets of what is in DIR")
    parser.add_argument("--folder", type=Path, default=blind_sets.DATA, metavar="DIR", help="the pictures of others")
    args = parser.parse_args(words)
    done = runs.latest(runs.table(args.out, Row)) if args.tables else []
    for part in args.parts:
        names = names_of(part, args)
        if args.tables:
            rows = [r for r in done if in_part(r, part) and (not args.only or any(o in r.picture for o in args.only))]
        else:
            if not names:
                print(f"{part}: no pictures in {args.folder}; skipped", file=sys.stderr)
            rows = runs.run(names, methods_of(part, args), args.out, args.jobs, args.folder, attempted, Row)
        if rows:
            # In the order of the set, whatever was ready first.
            report(part, sorted(rows, key=lambda r: r.picture), args.out)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except deconv.ocr.TesseractMissing as missing:
        sys.exit(str(missing))
