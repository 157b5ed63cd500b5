"""Does a sharp picture come back bit for bit, whatever it shows? A hundred of them, restored by the default call.

::

    python -m benchmarks.studies.sharp                            # 100 sharp pictures, 20 blurred ones
    python -m benchmarks.studies.sharp --pictures grid-8 rings-12 page-20-q75
    python -m benchmarks.studies.sharp --settings "selection.sharpness=0.5"
    python -m benchmarks.studies.sharp --tables                   # of the saved rows, without a run

The sharp ones are photographs and textures of scikit-image, drawings, grids, rings, spirals, fingerprints, checkers,
staves, maps, halftones, codes, pages of text, noise and gradients, 35 of them as JPEG of quality 75 or 90. The other
twenty are natural pictures blurred by a disc or a Gaussian of 2 pixels, as JPEG of quality 60: none may come out more
than 0.1 dB worse than it came in. Rows are saved in sharp/rows.csv, and an interrupted run resumes there.
"""

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks.studies import field_methods, sharp_pictures, study
from benchmarks.studies.field import settings_of, variant
from benchmarks.studies.study import markdown
from deconv.compare.protocol import Row

OUT = study.ROOT / "sharp"
MOST_LOST = 0.1  # dB
# Pictures of one data set share a process: enough of these to keep all cores busy.
_PARTS = 8


def failed(row: Row) -> bool:
    """Whether a sharp picture was changed, or a blurred one made worse."""
    facts = row.details
    return facts["after"] < facts["before"] - MOST_LOST if facts["blurred"] else not facts["same"]


def failures(rows: Iterable[Row]) -> str:
    """A line for each failure: the family told, and the PSNR."""
    lines = []
    for row in rows:
        if failed(row):
            before = f"{row.details['before']:.2f}" if row.details["blurred"] else "sharp"
            lines.append(
                (row.item, row.details["told"], before, f"{row.details['after']:.2f}", row.details["sentence"])
            )
    return markdown(
        ("picture", "told", "PSNR before", "PSNR after", "sentence"), lines, ("picture", "told", "sentence")
    )


def summary(rows: Sequence[Row], wanted: int) -> str:
    """How many failed, and what the blurred ones gained."""
    sharp, blurred = ([row for row in rows if row.details["blurred"] is kind] for kind in (False, True))
    lines = []
    if sharp:
        changed, told = sum(map(failed, sharp)), sum(row.details["told"] != "none" for row in sharp)
        lines.append(f"Sharp: {changed} of {len(sharp)} changed, {told} told blurred.")
    if blurred:
        gains = [row.details["after"] - row.details["before"] for row in blurred]
        lines.append(
            f"Blurred by 2 pixels: {sum(map(failed, blurred))} of {len(blurred)} worse by more than {MOST_LOST} dB; "
            f"gain {sum(gains) / len(gains):+.2f} dB in the mean, {min(gains):+.2f} at worst."
        )
    if wanted > len(rows):
        lines.append(f"Without a result: {wanted - len(rows)}.")
    return "\n".join(lines)


def main() -> int:
    """Print the table and return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    every = [*sharp_pictures.SHARP, *sharp_pictures.BLURRED]
    parser.add_argument("--pictures", nargs="+", choices=every, default=every, metavar="NAME", help="default: all")
    parser.add_argument("--settings", type=settings_of, default={}, metavar='"NAME=VALUE ..."', help="changed settings")
    parser.add_argument("--jobs", type=int, metavar="N", help="processes, of one thread each; default: all cores")
    parser.add_argument("--out", type=Path, default=OUT, metavar="DIR", help="rows, and the pictures changed (sharp/)")
    parser.add_argument("--tables", action="store_true", help="the table of the rows in DIR, without a run")
    args = parser.parse_args()
    method = field_methods.blind(variant(args.settings), args.settings)
    parts = (tuple(args.pictures[first::_PARTS]) for first in range(_PARTS))
    sets = [sharp_pictures.Pictures(f"part {number}", names) for number, names in enumerate(parts, start=1)]
    if args.tables:
        rows = [row for row in study.saved(args.out) if row.method == method.name and row.item in args.pictures]
    else:
        rows = study.run(sets, [method], args.out, args.jobs)
    if not rows:
        print(f"{args.out / 'rows.csv'} has no such rows", file=sys.stderr)
        return 1
    rows.sort(key=lambda row: every.index(row.item))
    print("\n".join([failures(rows), summary(rows, len(args.pictures))]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
