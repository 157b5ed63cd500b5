"""Pictures by methods, spread over processes; what was done already, by the same code, is not done again.

A table, results.csv, has a row for each, written as soon as it is there: a run that was broken off goes on where it
stopped. A row holds the fingerprint of the code that made it, so that no figure outlives a change. Beside it, pictures/
holds small copies of what was restored blind, to be looked at.
"""

import concurrent.futures
import csv
import dataclasses
import functools
import hashlib
import inspect
import json
import multiprocessing
import os
import sys
from pathlib import Path

import numpy as np

import deconv
from benchmarks.studies import pictures
from deconv._core.array import as_image
from deconv._core.resample import at_scale

_WIDTH = 472  # of the copies, in pixels
_THREADS = [f"{name}_NUM_THREADS" for name in ("OMP", "NUMBA", "OPENBLAS", "MKL")]


@dataclasses.dataclass(frozen=True)
class Row:
    """One picture by one method; radii in pixels of a full frame, None where there is none."""

    code: str
    picture: str
    step: int
    font: str
    digits: bool
    method: str
    score: int
    lines: tuple
    read: tuple
    radius: float | None
    true: float | None
    parameters: dict
    cpu: float

    @property
    def error(self):
        """Error of the radius, as part of the true one."""
        return self.radius / self.true - 1

    def cells(self):
        """As it stands in the table."""
        values = {name: getattr(self, name) for name in FIELDS}
        values["digits"] = int(self.digits)
        return values | {name: json.dumps(values[name], ensure_ascii=False) for name in ("lines", "read", "parameters")}

    @classmethod
    def of(cls, cells):
        """From a line of the table."""
        kinds = {"step": int, "score": int, "radius": _number, "true": _number, "cpu": float}
        kinds |= {"digits": lambda v: v == "1", "lines": _texts, "read": _texts, "parameters": json.loads}
        return cls(**{name: kinds.get(name, str)(cells[name]) for name in FIELDS})


def fields(kind):
    """Names of the columns of a kind of row."""
    return tuple(field.name for field in dataclasses.fields(kind))


FIELDS = fields(Row)


def _number(cell):
    return float(cell) if cell else None


def _texts(cell):
    return tuple(json.loads(cell))


def table(out, kind=Row):
    """Rows of the table in a folder, the last of each picture, method and code; a line broken off is left out."""
    path = out / "results.csv"
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        names = fields(kind)
        if tuple(reader.fieldnames or names) != names:
            raise ValueError(f"{path} has other columns than {', '.join(names)}: move it away")
        lines = [line for line in reader if None not in line.values()]
    rows = [kind.of(line) for line in lines]
    return list({(r.code, r.picture, r.method): r for r in rows}.values())


def latest(rows):
    """The last row of each picture and method, whatever code made it."""
    return list({(r.picture, r.method): r for r in rows}.values())


@functools.cache
def fingerprint(*files):
    """Of the package, but for its command line, and of some files."""
    package = Path(deconv.__file__).parent
    paths = [p for p in sorted(package.rglob("*.py")) if p.stem not in ("cli", "__main__")]
    text = b"".join(path.read_bytes() for path in (*paths, *map(Path, files)))
    return hashlib.sha256(text).hexdigest()[:12]


def code_of(method):
    """Fingerprint of what a method, a function or a partial one, runs through."""
    return fingerprint(pictures.__file__, inspect.getsourcefile(getattr(method, "func", method)))


def run(names, methods, out, jobs=None, folder=pictures.PHOTOGRAPHS, work=None, kind=Row):
    """Rows of those pictures by those methods (name: function, None where it cannot be), made as far as they lack.

    `work` makes the rows, of a `kind`, of one picture: by default `_picture`, those of the ladder.
    """
    out.mkdir(parents=True, exist_ok=True)
    codes = {method: code_of(function) for method, function in methods.items()}
    wanted = {(codes[m], name, m) for name in names for m in methods}
    rows = [row for row in table(out, kind) if (row.code, row.picture, row.method) in wanted]
    done = {(row.code, row.picture, row.method) for row in rows}
    tasks = []
    for name in names:
        lacking = {m: function for m, function in methods.items() if (codes[m], name, m) not in done}
        if lacking:
            tasks.append((name, lacking, codes, out, folder))
    if tasks:
        rows += _spread(tasks, out / "results.csv", jobs, work or _picture, kind)
    return rows


def processes(jobs):
    """So many processes, or one for each core, of one thread each."""
    os.environ.update({name: "1" for name in _THREADS})  # they count them at their start
    return concurrent.futures.ProcessPoolExecutor(jobs or os.cpu_count(), multiprocessing.get_context("spawn"))


def _spread(tasks, path, jobs, work, kind):
    rows = []
    with processes(jobs) as pool, _appended(path) as file:
        writer = csv.DictWriter(file, fields(kind))
        if file.tell() == 0:
            writer.writeheader()
        futures = [pool.submit(work, *task) for task in tasks]
        try:
            for count, future in enumerate(concurrent.futures.as_completed(futures), 1):
                made = future.result()
                writer.writerows(row.cells() for row in made)
                file.flush()
                rows += made
                print(f"\r{count} of {len(tasks)} pictures", end="", file=sys.stderr, flush=True)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    print(file=sys.stderr)
    return rows


def _appended(path):
    """The table, open at its end, which is the end of a line even after a run that was killed."""
    if path.is_file():
        whole, end, _ = path.read_text(encoding="utf-8").rpartition("\n")
        path.write_text(whole + end, encoding="utf-8")
    return path.open("a", newline="", encoding="utf-8")


def _picture(name, methods, codes, out, folder):
    """Rows of one picture."""
    picture = pictures.load(name, folder)
    rows = []
    for method, function in methods.items():
        attempt = function(picture)
        if attempt is None:
            continue
        score, read = pictures.read(attempt.image, picture.lines)
        rows.append(
            Row(
                code=codes[method],
                picture=name,
                step=picture.step,
                font=picture.font,
                digits=picture.digits,
                method=method,
                score=score,
                lines=tuple(picture.lines),
                read=tuple(read),
                radius=None if attempt.radius is None else round(attempt.radius * picture.per_pixel, 3),
                true=picture.radius,
                parameters={name: round(value, 4) for name, value in attempt.parameters.items()},
                cpu=round(attempt.seconds, 3),
            )
        )
        if method == "blind":
            keep(kept(out, name), picture.image, attempt)
    return rows


def kept(out, name):
    """Where the small copies of a picture are."""
    return out / "pictures" / (name.replace("/", "_").removesuffix(".png") + ".npz")


def keep(path, image, attempt):
    """Keep small copies there, and the PSF as it would be on the picture's."""
    path.parent.mkdir(exist_ok=True)
    factor = image.shape[1] / _WIDTH
    psf, _ = at_scale(as_image(attempt.psf), factor)
    small = {"blurred": _small(image, factor), "restored": _small(attempt.image, factor)}
    np.savez_compressed(path, psf=_bytes(psf / psf.max()), **small)


def _small(image, factor):
    planes = np.moveaxis(np.atleast_3d(image), 2, 0)
    return _bytes(np.stack([at_scale(as_image(plane), factor)[0] for plane in planes], 2).squeeze())


def _bytes(image):
    return np.rint(255 * np.clip(image, 0, 1)).astype(np.uint8)
