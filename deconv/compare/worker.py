"""The process in which a method runs, so that its crashes, leaks and memory stay its own."""

import os
import resource
import signal
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from multiprocessing import connection, parent_process
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deconv._core import files
from deconv.compare import memory
from deconv.compare.protocol import Context, Dataset, Item, Measured, Method, Problem, Settings

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from deconv.compare.adapters import Restore

__all__ = ["Answer", "serve"]

_MEGABYTE = 2**20


@dataclass(frozen=True)
class Answer:
    """A worker's message: one after loading the method, then one for each image.

    Attributes
    ----------
    problem : str
        Why it failed, in one sentence; empty if it did not.
    fields : dict
        Fields of `deconv.compare.protocol.Row`.
    """

    problem: str = ""
    fields: dict[str, Any] = field(default_factory=dict)


def serve(pipe: "Connection", method: Method, dataset: Dataset, folder: Path, settings: Settings, scratch: str) -> None:
    """Restore the images whose names arrive through a pipe, and answer each; the main function of a process."""
    os.setsid()
    tempfile.tempdir = scratch
    threading.Thread(target=_follow_parent, daemon=True).start()
    if settings.memory:
        limit = int(settings.memory * _MEGABYTE)
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    start = time.perf_counter()
    try:
        restore = _load(method, settings)
    except BaseException as error:
        pipe.send(Answer(_sentence(error)))
        return
    pipe.send(Answer(fields={"setup": time.perf_counter() - start, "parameters": getattr(restore, "parameters", None)}))
    while (name := pipe.recv()) is not None:
        try:
            answer = Answer(fields=_restore(restore, method, dataset, dataset.load(name), folder, settings))
        except BaseException as error:
            answer = Answer(_sentence(error))
        pipe.send(answer)


def _follow_parent() -> None:
    """End with the parent, together with all processes started here: a killed run leaves nothing running."""
    parent = parent_process()
    assert parent is not None
    connection.wait([parent.sentinel])
    os.killpg(0, signal.SIGKILL)


def _load(method: Method, settings: Settings) -> "Restore | None":
    if method.kind == "reference":
        return None
    from deconv.compare.adapters import build

    return build(method, allow_shell=settings.allow_shell)


def _restore(
    restore: "Restore | None", method: Method, dataset: Dataset, item: Item, folder: Path, settings: Settings
) -> dict[str, Any]:
    """Write or measure a method's result for an image; fields of its row, such as time and memory."""
    expected = item.image.shape if item.sharp is None else item.sharp.shape
    image: Any
    psf = None
    details: dict[str, Any] = {}
    memory.reset()
    start = time.perf_counter(), _cpu()
    if restore is None:
        image = item.image if method.options["function"] == "blurred" else item.sharp
        if image is None:
            raise Problem("there is no sharp picture")
        expected = image.shape
    else:
        image = restore(item.image.copy(), _context(method, item, settings), name=item.name)
    took = time.perf_counter() - start[0], _cpu() - start[1]
    # A child that is no larger than any before it leaves no trace.
    children = memory.peak_of_children()
    if isinstance(image, tuple):
        image, psf, *more = image
        details = more[0] if more else {}
    used = {"seconds": took[0], "cpu": took[1], "memory": max(memory.peak(), children), "gpu": _peak_gpu_memory()}
    details = item.details | details
    if isinstance(dataset, Measured):
        measured = dataset.measure(item, image, psf, folder / item.name)
        return used | measured | {"level": item.level, "details": details | measured.get("details", {})}
    files.write(folder / f"{item.name}.png", _checked(image, expected), like=_SIXTEEN_BITS)
    if psf is not None:
        psf = np.asarray(psf, np.float32)
        files.write(folder / f"{item.name}.psf.png", np.clip(psf / psf.max(), 0, 1), like=_SIXTEEN_BITS)
    return used | {"details": details}


_SIXTEEN_BITS = files.Picture(np.zeros((1, 1), np.float32), dtype=np.dtype(np.uint16), white=65535.0)


def _context(method: Method, item: Item, settings: Settings) -> Context:
    """The context of a method: only the values that it declares to know."""
    known: dict[str, Any] = {name: getattr(item, name) for name in method.knows}
    return Context(gamma=item.gamma, seed=settings.seed, device=settings.device, **known)


def _checked(image: Any, expected: tuple[int, ...]) -> np.ndarray:
    """A result ready to be written; Problem if it cannot be."""
    image = np.asarray(image)
    if image.dtype.kind not in "fiub":
        raise Problem(f"it returned values of the kind {image.dtype}, numbers are wanted")
    if image.ndim == 3 and image.shape[2] == 1:
        image = image[..., 0]
    if image.shape[:2] != expected[:2] or image.ndim > 3 or (image.ndim == 3 and image.shape[2] != 3):
        raise Problem(
            f"it returned an array of shape {image.shape}, {expected[:2]} with or without 3 colours is wanted"
        )
    if not np.isfinite(image).all():
        raise Problem("it returned values that are not finite")
    clipped: np.ndarray = np.clip(image.astype(np.float32), 0, 1)
    return clipped


def _sentence(error: BaseException) -> str:
    """An error in one line; errors that were not written for users are named with their type."""
    text = " ".join(str(error).split())
    return text if isinstance(error, Problem | OSError) and text else f"{type(error).__name__}: {text}".rstrip(": ")


def _cpu() -> float:
    """CPU seconds of this process and of its children that have ended."""
    used = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return sum(u.ru_utime + u.ru_stime for u in used)


def _peak_gpu_memory() -> float | None:
    """Peak memory of PyTorch on its GPU, in MB; None if it used none."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return None
    return float(torch.cuda.max_memory_allocated() / _MEGABYTE) or None
