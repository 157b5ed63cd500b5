"""Methods by pictures: each method in its own process, each row written as soon as it is there.

A run that was killed goes on where it stopped: rows whose key, which changes with the code, the method and the picture,
is in the table already are not made again, but for those without a result, which may have had a reason outside.
"""

import csv
import dataclasses
import functools
import glob
import hashlib
import json
import multiprocessing
import os
import signal
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import numpy as np

import deconv
from deconv import ocr
from deconv._core import files as _files
from deconv.compare.imported import source
from deconv.compare.protocol import Item, Measured, Problem, Row
from deconv.compare.scores import score
from deconv.compare.table import read_rows, slug
from deconv.compare.worker import Answer, serve

__all__ = ["Settings", "check", "run"]

# Seconds for a method to load.
_LOADING = 600.0
_THREADS = [f"{name}_NUM_THREADS" for name in ("OMP", "NUMBA", "OPENBLAS", "MKL")]
_COLUMNS = [field.name for field in dataclasses.fields(Row)]


@dataclass(frozen=True)
class Settings:
    """How methods are run.

    Attributes
    ----------
    device : str
        They are told.
    seed : int
        They are told.
    threads : int
        Of each process.
    jobs : int
        Methods that run at a time; more than one and their times are no longer comparable.
    memory : float or None
        MB of address space that a method may have; by default four fifths of what the machine has, or without bound
        where `device` is not the CPU.
    allow_shell : bool
        Whether methods may run commands.
    """

    device: str = "cpu"
    seed: int = 0
    threads: int = 1
    jobs: int = 1
    memory: float | None = None
    allow_shell: bool = False


def run(datasets, methods, out, settings=Settings(), *, report=lambda done, of, what: None):
    """Rows of all methods on all pictures, made as far as they lack.

    Parameters
    ----------
    datasets : list of Dataset
    methods : list of Method
    out : Path
        Folder for rows.csv, truth.json and restored/.
    settings : Settings
    report : callable
        ``report(done, of, what)``.

    Returns
    -------
    list of Row

    Raises
    ------
    Problem
        If two data sets, or two methods, cannot be told apart, or there is nothing to run.
    """
    check(datasets, methods)
    if settings.memory is None and settings.device == "cpu":
        pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        settings = dataclasses.replace(settings, memory=0.8 * pages / 2**20)
    _content.cache_clear()
    running = _Run(datasets, methods, out, settings, report)
    with _one_thread_each(settings.threads):
        return running.rows()


def check(datasets, methods):
    """Complain about what cannot be run.

    Parameters
    ----------
    datasets : list of Dataset
    methods : list of Method

    Raises
    ------
    Problem
        If two data sets, or two methods, cannot be told apart, or there is nothing to run.
    """
    if not hasattr(os, "setsid"):
        raise Problem("methods are compared on Linux and macOS only")
    _check_names([d.name for d in datasets], "data sets")
    _check_names([m.name for m in methods], "methods")


class _Run:
    """What the threads of a run share."""

    def __init__(self, datasets, methods, out, settings, report):
        self._datasets, self._methods, self._out = datasets, methods, out
        self._settings, self._report = settings, report
        self._keys = {
            (d.name, name, m.name): _key(d, name, m, settings) for d in datasets for m in methods for name in d.names
        }
        self._readable = _tesseract_there()
        self._rows, self._lock, self._halted, self._workers = {}, Lock(), False, []

    def rows(self):
        """All rows, in the order of data sets, methods and pictures."""
        self._out.mkdir(parents=True, exist_ok=True)
        path = self._out / "rows.csv"
        for row in read_rows(path):
            # (What was made later lies in restored/ now, whether it is still wanted or not.)
            self._rows.pop(at := _at(row), None)
            if self._keys.get(at) == row.key and not row.problem:
                self._rows[at] = row
        with _appended(path) as self._file, ThreadPoolExecutor(self._settings.jobs) as pool:
            if self._file.tell() == 0:
                csv.DictWriter(self._file, _COLUMNS).writeheader()
            self._report(len(self._rows), len(self._keys), "")
            tasks = [pool.submit(self._by, method, dataset) for dataset in self._datasets for method in self._methods]
            try:
                for task in tasks:
                    task.result()
            except BaseException:
                self._halt()
                raise
        return [self._rows[at] for at in self._keys if at in self._rows]

    def _halt(self):
        """Stop all that runs, and begin nothing more."""
        with self._lock:
            self._halted = True
        for worker in self._workers:
            worker.halt()

    def _by(self, method, dataset):
        """What one method lacks of the pictures of a data set."""
        folder = self._out / "restored" / slug(dataset.name) / slug(method.name)
        folder.mkdir(parents=True, exist_ok=True)
        with _Worker(method, dataset, folder, self._settings) as worker:
            self._workers.append(worker)
            for name in dataset.names:
                if self._halted:
                    return
                if (dataset.name, name, method.name) not in self._rows:
                    item, problem = _loaded(dataset, name)
                    wanted = item.sharp is not None or isinstance(dataset, Measured)
                    if problem or method.options.get("function") != "sharp" or wanted:
                        self._keep(self._row(worker, method, dataset, item, folder / f"{name}.png", problem))

    def _row(self, worker, method, dataset, item, path, problem):
        answer = Answer(problem) if problem else worker.ask(item.name)
        problem, told = answer.problem, dict(answer.told or {})
        if not problem and not isinstance(dataset, Measured):
            try:
                told |= score(path, item, dataset.border, read=self._readable)
            except (ValueError, OSError, RuntimeError) as error:
                problem = f"its result could not be scored: {error}"
        if problem and item.text is not None and self._readable:
            # What is not there cannot be read.
            told |= {"accuracy": 0.0, "folded": 0.0, "exact": 0.0} | ({"hdc": 0.0} if len(item.text) == 3 else {})
        return Row(
            dataset=dataset.name,
            item=item.name,
            method=method.name,
            kind=method.kind,
            knows=", ".join(method.knows) or "nothing",
            key=self._keys[dataset.name, item.name, method.name],
            problem=problem,
            **{"level": item.level} | worker.told | told,
        )

    def _keep(self, row):
        with self._lock:
            if not self._halted:
                csv.DictWriter(self._file, _COLUMNS).writerow(row.cells())
                self._file.flush()
                self._rows[_at(row)] = row
                self._report(len(self._rows), len(self._keys), f"{row.method}: {row.item}")


def _loaded(dataset, name):
    """A picture, and why it cannot be had; a mere name where the worker alone needs it, to restore and to score."""
    nothing = Item(name, np.zeros((0, 0)))
    if isinstance(dataset, Measured):
        return nothing, ""
    try:
        return dataset.load(name), ""
    except (Problem, OSError) as error:
        return nothing, f"its picture cannot be had: {error}"


def _at(row):
    return row.dataset, row.item, row.method


class _Worker:
    """A method's process, started when it is first asked, and anew after it had to be stopped."""

    def __init__(self, *task):
        self._method, self._task = task[0], task
        self._process, self._pipe, self._broken, self._starting = None, None, "", Lock()
        self.told = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def ask(self, name):
        """The answer for a picture."""
        if self._process is None and not self._broken:
            self._start()
        if self._broken:
            return Answer(self._broken)
        try:
            self._pipe.send(name)
        except OSError:
            return self._ended()
        return self._answer(self._method.timeout, "one picture")

    def _start(self):
        with self._starting:
            if self._broken:
                return
            context = multiprocessing.get_context("spawn")
            self._pipe, other = context.Pipe()
            # (A process that is killed does not clean up behind itself.)
            self._scratch = tempfile.TemporaryDirectory(prefix="deconv-compare-", ignore_cleanup_errors=True)
            self._process = context.Process(target=serve, args=(other, *self._task, self._scratch.name), daemon=False)
            self._process.start()
        other.close()
        answer = self._answer(_LOADING, "loading it")
        # (What cannot be loaded cannot be loaded for the next picture either.)
        self._broken, self.told = answer.problem, answer.told or {}

    def _answer(self, seconds, what):
        if not self._pipe.poll(seconds):
            self.stop()
            return Answer(f"{what} took more than {seconds:g} s and was stopped")
        try:
            return self._pipe.recv()
        except (EOFError, OSError):
            return self._ended()

    def _ended(self):
        process = self._process
        if process is None:
            return Answer("it was stopped")
        process.join()
        code = process.exitcode
        self.stop()
        if code == -signal.SIGKILL:
            return Answer("its process was killed, as for want of memory")
        return Answer(f"its process ended with {f'signal {-code}' if code < 0 else f'exit status {code}'}")

    def halt(self):
        """End the process, and start no other; from another thread, which may be just when it is being started."""
        with self._starting:
            self._broken = "it was stopped"
            self.stop()

    def stop(self):
        """End the process, and what it has started."""
        process, self._process = self._process, None
        if process is None:
            return
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            # (Before it has become a group of its own.)
            process.kill()
        process.join()
        self._scratch.cleanup()


def _key(dataset, name, method, settings):
    """Letters that change with whatever a row depends on."""
    declared = dataclasses.asdict(method) | {"timeout": None, "grid": None}
    files = [_content(path) for path in _files_of(method, name)]
    parts = [_code(), dataset.fingerprint(), name, declared, files, settings.device, settings.seed]
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:12]


def _files_of(method, name):
    """Files that a method's options name: weights, results made elsewhere, and the code of a function."""
    options = {key: value for key, value in method.options.items() if isinstance(value, str)}
    yield from (value for key, value in options.items() if key in ("file", "weights"))
    yield from sorted(glob.glob(options.get("pattern", "").replace("{stem}", glob.escape(name))))
    for key in ("function", "factory"):
        yield source(options[key], options.get("folder")) if ":" in options.get(key, "") else ""


@functools.cache
def _content(path):
    """Fingerprint of a file; "" if there is none."""
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()
    except OSError:
        return ""


@functools.cache
def _code():
    """Fingerprint of the package."""
    files = sorted(Path(deconv.__file__).parent.rglob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


def _check_names(names, what):
    if not names:
        raise Problem(f"there are no {what} to compare")
    seen = {}
    for name in names:
        if (other := seen.setdefault(slug(name), name)) is not name:
            raise Problem(f"{what} need names whose letters and digits differ, got {other!r} and {name!r}")


def _tesseract_there():
    """Whether text can be read at all."""
    try:
        ocr.read_lines(np.tile([[0.0, 1.0]], (24, 24)))
    except ocr.TesseractMissing:
        return False
    return True


@contextmanager
def _one_thread_each(threads):
    """Processes started meanwhile have so many threads."""
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, str(threads)))
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def _appended(path):
    """The table, open at its end, which is the end of a line even after a run that was killed."""
    if path.is_file():
        data = path.read_bytes()
        _files.replace(path, data[: data.rfind(b"\n") + 1])
    return path.open("a", newline="", encoding="utf-8")
