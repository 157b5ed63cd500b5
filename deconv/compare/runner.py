"""Run methods on images: each method in its own process, each row written as soon as it is computed.

A run that was killed resumes where it stopped. A row's key is a hash of the code, the method and the image; rows
whose key is in the table already are kept, except failures, whose cause may have been outside.
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
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing.context import SpawnProcess
from pathlib import Path
from threading import Lock
from typing import IO, TYPE_CHECKING, Any

import numpy as np

import deconv
from deconv._core import files
from deconv.compare.plugins import source_file
from deconv.compare.protocol import Dataset, Item, Measured, Method, Problem, Progress, Row, Settings
from deconv.compare.table import read_rows, slug
from deconv.compare.worker import Answer, serve

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

__all__ = ["Settings", "check", "run"]

# Seconds that a method may take to load.
_LOADING_TIMEOUT = 600.0
_THREADS = [f"{name}_NUM_THREADS" for name in ("OMP", "NUMBA", "OPENBLAS", "MKL")]
_DEFAULTS = Settings()
_COLUMNS = [field.name for field in dataclasses.fields(Row)]


def run(
    datasets: Sequence[Dataset],
    methods: Sequence[Method],
    out: Path,
    settings: Settings = _DEFAULTS,
    *,
    report: Progress = lambda done, total, what: None,
) -> list[Row]:
    """Compute the rows of all methods on all images that are not in the table yet.

    Parameters
    ----------
    datasets : list of Dataset
    methods : list of Method
    out : Path
        Folder for rows.csv and restored/.
    settings : Settings
    report : callable
        ``report(done, total, what)``, called after each row.

    Returns
    -------
    list of Row
        All rows, old and new, in the order of data sets, methods and images.

    Raises
    ------
    Problem
        If two data sets, or two methods, cannot be told apart, or there is nothing to run.
    """
    check(datasets, methods)
    if settings.memory is None and settings.device == "cpu":
        pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        settings = dataclasses.replace(settings, memory=0.8 * pages / 2**20)
    _content_hash.cache_clear()
    running = _Run(datasets, methods, out, settings, report)
    with _thread_count(settings.threads):
        return running.rows()


def check(datasets: Sequence[Dataset], methods: Sequence[Method]) -> None:
    """Raise Problem if the comparison cannot be run.

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
    """State shared by the threads of a run."""

    def __init__(
        self,
        datasets: Sequence[Dataset],
        methods: Sequence[Method],
        out: Path,
        settings: Settings,
        report: Progress,
    ) -> None:
        self._datasets, self._methods, self._out = datasets, methods, out
        self._settings, self._report = settings, report
        self._keys = {
            (d.name, name, m.name): _key(d, name, m, settings) for d in datasets for m in methods for name in d.names
        }
        self._can_read = _tesseract_installed()
        self._rows: dict[tuple[str, str, str], Row] = {}
        self._workers: list[_Worker] = []
        self._lock, self._halted = Lock(), False
        self._file: IO[str]

    def rows(self) -> list[Row]:
        """All rows, in the order of data sets, methods and images."""
        self._out.mkdir(parents=True, exist_ok=True)
        path = self._out / "rows.csv"
        for row in read_rows(path):
            # A later row of another key has overwritten the image in restored/, so the earlier row no longer holds.
            self._rows.pop(place := _place(row), None)
            if self._keys.get(place) == row.key and not row.problem:
                self._rows[place] = row
        with _open_for_append(path) as self._file, ThreadPoolExecutor(self._settings.jobs) as pool:
            if self._file.tell() == 0:
                csv.DictWriter(self._file, _COLUMNS).writeheader()
            self._report(len(self._rows), len(self._keys), "")
            tasks = [
                pool.submit(self._run_method, method, dataset) for dataset in self._datasets for method in self._methods
            ]
            try:
                for task in tasks:
                    task.result()
            except BaseException:
                self._halt()
                raise
        return [self._rows[place] for place in self._keys if place in self._rows]

    def _halt(self) -> None:
        """Stop all workers and start no more."""
        with self._lock:
            self._halted = True
        for worker in self._workers:
            worker.halt()

    def _run_method(self, method: Method, dataset: Dataset) -> None:
        """Compute the missing rows of one method on one data set."""
        folder = self._out / "restored" / slug(dataset.name) / slug(method.name)
        folder.mkdir(parents=True, exist_ok=True)
        with _Worker(method, dataset, folder, self._settings) as worker:
            self._workers.append(worker)
            for name in dataset.names:
                if self._halted:
                    return
                if (dataset.name, name, method.name) not in self._rows:
                    item, problem = _load(dataset, name)
                    has_sharp = item.sharp is not None or isinstance(dataset, Measured)
                    if problem or method.options.get("function") != "sharp" or has_sharp:
                        self._keep(self._row(worker, method, dataset, item, folder / f"{name}.png", problem))

    def _row(self, worker: "_Worker", method: Method, dataset: Dataset, item: Item, path: Path, problem: str) -> Row:
        # Imported here: a worker process imports this module too, and scores nothing.
        from deconv.compare.scores import score

        answer = Answer(problem) if problem else worker.ask(item.name)
        problem, values = answer.problem, dict(answer.fields)
        if not problem and not isinstance(dataset, Measured):
            try:
                values |= score(path, item, dataset.border, read=self._can_read)
            except (ValueError, OSError, RuntimeError) as error:
                problem = f"its result could not be scored: {error}"
        if problem and item.text is not None and self._can_read:
            values |= {"accuracy": 0.0, "folded": 0.0, "exact": 0.0} | ({"hdc": 0.0} if len(item.text) == 3 else {})
        return Row(
            dataset=dataset.name,
            item=item.name,
            method=method.name,
            kind=method.kind,
            knows=", ".join(method.knows) or "nothing",
            key=self._keys[dataset.name, item.name, method.name],
            problem=problem,
            **{"level": item.level} | worker.setup_fields | values,
        )

    def _keep(self, row: Row) -> None:
        with self._lock:
            if not self._halted:
                csv.DictWriter(self._file, _COLUMNS).writerow(row.cells())
                self._file.flush()
                self._rows[_place(row)] = row
                self._report(len(self._rows), len(self._keys), f"{row.method}: {row.item}")


def _load(dataset: Dataset, name: str) -> tuple[Item, str]:
    """An image, and why it cannot be loaded; a name alone if only the worker needs it, to restore and to score."""
    empty = Item(name, np.zeros((0, 0)))
    if isinstance(dataset, Measured):
        return empty, ""
    try:
        return dataset.load(name), ""
    except (Problem, OSError) as error:
        return empty, f"its picture cannot be loaded: {error}"


def _place(row: Row) -> tuple[str, str, str]:
    return row.dataset, row.item, row.method


class _Worker:
    """A method's process, started with the first image, and again after it had to be stopped."""

    def __init__(self, method: Method, dataset: Dataset, folder: Path, settings: Settings) -> None:
        self._method, self._task = method, (method, dataset, folder, settings)
        self._process: SpawnProcess | None = None
        self._pipe: Connection
        self._broken, self._starting = "", Lock()
        self.setup_fields: dict[str, Any] = {}

    def __enter__(self) -> "_Worker":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def ask(self, name: str) -> Answer:
        """Restore an image."""
        if self._process is None and not self._broken:
            self._start()
        if self._broken:
            return Answer(self._broken)
        try:
            self._pipe.send(name)
        except OSError:
            return self._ended()
        return self._answer(self._method.timeout, "one picture")

    def _start(self) -> None:
        with self._starting:
            if self._broken:
                return
            context = multiprocessing.get_context("spawn")
            self._pipe, other = context.Pipe()
            # A process that is killed leaves its temporary files behind.
            self._scratch = tempfile.TemporaryDirectory(prefix="deconv-compare-", ignore_cleanup_errors=True)
            self._process = context.Process(target=serve, args=(other, *self._task, self._scratch.name), daemon=False)
            self._process.start()
        other.close()
        answer = self._answer(_LOADING_TIMEOUT, "loading it")
        # A method that cannot be loaded is not tried again for the next image.
        self._broken, self.setup_fields = answer.problem, answer.fields

    def _answer(self, seconds: float, task: str) -> Answer:
        if not self._pipe.poll(seconds):
            self.stop()
            return Answer(f"{task} took more than {seconds:g} s and was stopped")
        try:
            answer: Answer = self._pipe.recv()
        except (EOFError, OSError):
            return self._ended()
        return answer

    def _ended(self) -> Answer:
        process = self._process
        if process is None:
            return Answer("it was stopped")
        process.join()
        code = process.exitcode or 0
        self.stop()
        if code == -signal.SIGKILL:
            return Answer("its process was killed, probably for lack of memory")
        return Answer(f"its process ended with {f'signal {-code}' if code < 0 else f'exit status {code}'}")

    def halt(self) -> None:
        """End the process and start no other; called from another thread, perhaps while the process is starting."""
        with self._starting:
            self._broken = "it was stopped"
            self.stop()

    def stop(self) -> None:
        """End the process and its children."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.pid is not None
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            # It has not become a process group of its own yet.
            process.kill()
        process.join()
        self._scratch.cleanup()


def _key(dataset: Dataset, name: str, method: Method, settings: Settings) -> str:
    """Hash of everything that a row depends on."""
    declared = dataclasses.asdict(method) | {"timeout": None, "grid": None}
    hashes = [_content_hash(path) for path in _files_used(method, name)]
    parts = [_code_hash(), dataset.fingerprint(), name, declared, hashes, settings.device, settings.seed]
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:12]


def _files_used(method: Method, name: str) -> Iterator[str]:
    """Files named in a method's options: weights, results on disk, and the code of a function."""
    options = {key: value for key, value in method.options.items() if isinstance(value, str)}
    yield from (value for key, value in options.items() if key in ("file", "weights"))
    yield from sorted(glob.glob(options.get("pattern", "").replace("{stem}", glob.escape(name))))
    for key in ("function", "factory"):
        yield source_file(options[key], options.get("folder")) if ":" in options.get(key, "") else ""


@functools.cache
def _content_hash(path: str) -> str:
    """Hash of a file; "" if there is none."""
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()
    except OSError:
        return ""


@functools.cache
def _code_hash() -> str:
    """Hash of the package's code."""
    paths = sorted(Path(deconv.__file__).parent.rglob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()


def _check_names(names: list[str], kind: str) -> None:
    if not names:
        raise Problem(f"there are no {kind} to compare")
    seen: dict[str, str] = {}
    for name in names:
        if (other := seen.setdefault(slug(name), name)) is not name:
            raise Problem(f"{kind} need names whose letters and digits differ, got {other!r} and {name!r}")


def _tesseract_installed() -> bool:
    from deconv import ocr

    try:
        ocr.read_lines(np.tile([[0.0, 1.0]], (24, 24)))
    except ocr.TesseractMissing:
        return False
    return True


@contextmanager
def _thread_count(threads: int) -> Iterator[None]:
    """Limit the threads of processes started inside the block."""
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, str(threads)))
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def _open_for_append(path: Path) -> IO[str]:
    """The table, open at the end of its last complete line: a killed run may have left a broken one."""
    if path.is_file():
        data = path.read_bytes()
        files.replace(path, data[: data.rfind(b"\n") + 1])
    return path.open("a", newline="", encoding="utf-8")
