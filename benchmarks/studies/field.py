"""What becomes of pictures as ordinary people have them? The default call on the field set, a process a picture.

::

    python -m benchmarks.studies.field                      # all kinds and severities, seeds 0 and 1
    python -m benchmarks.studies.field --severities 1 --seeds 0 --kinds page_motion_jpeg natural_motion_jpeg
    python -m benchmarks.studies.field --settings "text.restoration.text_prior=False"   # and without that
    python -m benchmarks.studies.field --tables             # the tables of the saved rows, without a run

The set (`shared/tools/field_set.py`, beside the clone; `--set FILE` elsewhere) makes the pictures and scores results:
characters that tesseract reads, or PSNR after the best shift, gain and offset where there is no text. The results are
set beside restorations by the true PSF (the best of several weights: a ceiling) and beside those of scikit-image:
Richardson-Lucy (30 iterations) and unsupervised Wiener by the true PSF in linear light, and the unsharp mask.

CPU seconds are those of the call, with the compilation of its kernels, on one thread; the memory is the peak of a
process that restores one picture. Rows are saved in field/rows.csv, and an interrupted run resumes there. Those of the
ceiling and of scikit-image, in field/others/, are kept when `deconv.blind` changes.
"""

import argparse
import ast
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.studies import field_methods, field_others, field_pictures, field_tables, study
from benchmarks.studies.field_pictures import Field
from benchmarks.studies.field_tables import AFTER, Outcome
from deconv.compare.protocol import Row

OUT = study.ROOT / "field"
DEFAULT = "default"
Rows = Mapping[tuple[str, str], Row]


def settings_of(text: str) -> dict[str, Any]:
    """Settings by dotted name from ``"a.b=v c.d=w"``; a value that is no Python literal is a string."""
    values: dict[str, Any] = {}
    for part in text.split():
        name, equals, value = part.partition("=")
        if not equals:
            raise argparse.ArgumentTypeError(f"must be NAME=VALUE, got {part}")
        try:
            values[name] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            values[name] = value
    return values


def variant(settings: Mapping[str, Any]) -> str:
    """The name of the default call with some settings changed."""
    return " ".join(f"{name}={value}" for name, value in settings.items()) or DEFAULT


def by_method(rows: Iterable[Row]) -> dict[tuple[str, str], Row]:
    """Rows by picture and method."""
    return {(row.item, row.method): row for row in rows}


def run_default(truths: Sequence[dict[str, Any]], variants: Sequence[dict[str, Any]], args: Any) -> Rows:
    """Rows of the default call and of its variants, each picture in a process of its own."""
    names = [truth["name"] for truth in truths]
    sets = [Field(name, (name,), args.out / "pictures", args.set) for name in names]
    methods = [field_methods.blind(variant(values), values) for values in variants]
    return by_method(study.run(sets, methods, args.out, args.jobs))


def run_others(truths: Sequence[dict[str, Any]], args: Any) -> Rows:
    """Rows of the other methods: those saved by the same version of the set and of the method, and the missing ones."""
    out, by = args.out / "others", field_pictures.version(args.set)
    rows = by_method(study.saved(out))
    for method, version in field_others.others(args.set):
        missing: dict[str, list[str]] = {}
        for truth in truths:
            saved = rows.get((truth["name"], method.name))
            known = (args.out / "pictures" / f"{truth['name']}_psf.npy").is_file()
            current = saved is not None and (saved.details["made_by"], saved.details.get("version")) == (by, version)
            if not current and (known or not field_others.needs_psf(method.name)):
                missing.setdefault(truth["kind"], []).append(truth["name"])
        sets = [Field(kind, tuple(names), args.out / "pictures", args.set) for kind, names in missing.items()]
        rows |= by_method(study.run(sets, [method], out, args.jobs))
    return rows


def outcome(truth: dict[str, Any], rows: Rows, name: str, set_: Path) -> Outcome:
    """What became of a picture by one variant."""
    text, after = bool(truth["text"]), rows.get((truth["name"], name))
    by = {AFTER: after} | {
        method: rows.get((truth["name"], method))
        for method in (field_others.BEFORE, field_others.SHARP, field_others.TRUE_PSF, *field_others.PEERS)
    }
    scores = {m: row.accuracy if text else row.psnr for m, row in by.items() if row is not None}
    ssim = {m: row.ssim for m, row in by.items() if row is not None and row.ssim is not None}
    facts: dict[str, Any] = {key: truth[key] for key in ("kind", "severity", "seed", "family")}
    # Without a PSF the size is that of one step of several, or a range.
    size = float(truth["size"]) if field_others.TRUE_PSF in scores else None
    facts |= {"text": text, "size": size}
    facts |= {"scores": {m: value for m, value in scores.items() if value is not None}, "ssim": ssim}
    if after is None:
        return Outcome(**facts, verdict="failed")
    said = {key: after.details[key] for key in ("told", "parameters", "uncertainty", "readability", "unchanged")}
    said |= {"sentence": after.details["sentence"], "cpu": after.cpu, "memory": after.details["peak"]}
    return Outcome(**facts, verdict=verdict(truth, by, set_), **said)


def verdict(truth: dict[str, Any], by: Mapping[str, Row | None], set_: Path) -> str:
    """The set's verdict."""
    row: dict[str, Any] = {}
    names = {"before": field_others.BEFORE, "after": AFTER, "sharp": field_others.SHARP}
    for name, method in names.items():
        if (one := by[method]) is None:
            return "failed"
        row |= {f"read_{name}": one.accuracy, f"psnr_{name}": one.psnr, f"ssim_{name}": one.ssim}
        row["read_by_library"] = one.details.get("read_by_library") if name == "after" else None
    return str(field_pictures.tool(set_).verdict(row, truth))


def numbers(text: str) -> list[int]:
    """The range that ``A-B`` or ``A`` means."""
    first, _, last = text.partition("-")
    return list(range(int(first), int(last or first) + 1))


def report(outcomes: Mapping[str, Sequence[Outcome]], severities: Sequence[int]) -> str:
    """All tables as text."""
    parts = []
    for name, part in outcomes.items():
        for severity in severities:
            title = f"## Severity {severity}{'' if name == DEFAULT else f', {name}'}\n"
            parts += [title, field_tables.by_kind([one for one in part if one.severity == severity])]
        parts += [f"## Losses{'' if name == DEFAULT else f', {name}'}\n", field_tables.losses(part)]
    parts += ["## Against other methods (read, or PSNR in dB)\n", field_tables.peers(outcomes[DEFAULT])]
    parts += ["## Figures\n", field_tables.figures(outcomes)]
    return "\n".join(parts)


def main() -> int:
    """Print the tables and return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--kinds", nargs="+", metavar="KIND", help="default: all")
    parser.add_argument("--severities", type=numbers, default=[0, 1, 2], metavar="A-B", help="default: 0-2")
    parser.add_argument("--seeds", type=numbers, default=[0, 1], metavar="A-B", help="default: 0-1")
    parser.add_argument(
        "--settings",
        type=settings_of,
        action="append",
        default=[],
        metavar='"NAME=VALUE ..."',
        help="run the default call with these settings too (`deconv.blind.Settings`); may be given several times",
    )
    parser.add_argument("--set", type=Path, default=field_pictures.SET, metavar="FILE", help="the set's module")
    parser.add_argument("--jobs", type=int, metavar="N", help="processes, of one thread each; default: all cores")
    parser.add_argument("--out", type=Path, default=OUT, metavar="DIR", help="pictures and rows (field/)")
    parser.add_argument("--tables", action="store_true", help="the tables of the rows in DIR, without a run")
    args = parser.parse_args()
    try:
        kinds = args.kinds or list(field_pictures.tool(args.set).KINDS)
    except field_pictures.Absent as error:
        print(error, file=sys.stderr)
        return 1
    if unknown := set(kinds) - set(field_pictures.tool(args.set).KINDS):
        parser.error(f"the set has no kind {', '.join(sorted(unknown))}")
    variants = [{}, *args.settings]
    wanted = [(kind, severity, seed) for kind in kinds for severity in args.severities for seed in args.seeds]
    truths = field_pictures.make(wanted, args.out / "pictures", args.set)
    if args.tables:
        rows = by_method(study.saved(args.out / "others")) | by_method(study.saved(args.out))
        kept = {item for item, method in rows if method == DEFAULT}
        truths = [truth for truth in truths if truth["name"] in kept]
    else:
        rows = {**run_others(truths, args), **run_default(truths, variants, args)}
    if not truths:
        print(f"{args.out / 'rows.csv'} has no such rows", file=sys.stderr)
        return 1
    outcomes = {
        variant(values): [outcome(truth, rows, variant(values), args.set) for truth in truths] for values in variants
    }
    print(report(outcomes, args.severities))
    return 0


if __name__ == "__main__":
    sys.exit(main())
