"""The process in which a method runs: what it breaks, leaks or fills is its own."""

import os
import resource
import signal
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from multiprocessing import connection, parent_process

import numpy as np

from deconv._core import files
from deconv.compare.protocol import Context, Measured, Problem

__all__ = ["Answer", "serve"]

_MEGA = 2**20


@dataclass(frozen=True)
class Answer:
    """What a worker says: of its method once it is loaded, then of each picture.

    Attributes
    ----------
    problem : str
        Why there is nothing, in one sentence; empty if there is.
    told : dict
        Fields of `deconv.compare.protocol.Row`.
    """

    problem: str = ""
    told: dict | None = None


def serve(pipe, method, dataset, folder, settings, scratch):
    """Restore the pictures whose names come through a pipe into a folder, and answer each; the main of a process."""
    os.setsid()
    tempfile.tempdir = scratch
    threading.Thread(target=_follow_parent, daemon=True).start()
    if settings.memory:
        limit = int(settings.memory * _MEGA)
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    start = time.perf_counter()
    try:
        restore = _built(method, settings)
    except BaseException as error:
        pipe.send(Answer(_sentence(error)))
        return
    pipe.send(Answer(told={"setup": time.perf_counter() - start, "parameters": getattr(restore, "parameters", None)}))
    while (name := pipe.recv()) is not None:
        try:
            answer = Answer(told=_restored(restore, method, dataset, dataset.load(name), folder, settings))
        except BaseException as error:
            answer = Answer(_sentence(error))
        pipe.send(answer)


def _follow_parent():
    """End with the parent, and with it all that was started from here: a killed run leaves nothing that computes."""
    connection.wait([parent_process().sentinel])
    os.killpg(0, signal.SIGKILL)


def _built(method, settings):
    if method.kind == "reference":
        return None
    from deconv.compare.adapters import build

    return build(method, allow_shell=settings.allow_shell)


def _restored(restore, method, dataset, item, folder, settings):
    """Write what a method makes of a picture, and the PSF if it tells; what it took."""
    wanted = item.image.shape if item.sharp is None else item.sharp.shape
    psf, details = None, {}
    start = time.perf_counter(), _cpu()
    if restore is None:
        image = item.image if method.options["function"] == "blurred" else item.sharp
        if image is None:
            raise Problem("there is no sharp picture")
        wanted = image.shape
    else:
        image = restore(item.image.copy(), _context(method, item, settings), name=item.name)
    took = time.perf_counter() - start[0], _cpu() - start[1]
    if isinstance(image, tuple):
        image, psf, *more = image
        details = more[0] if more else {}
    used = {"seconds": took[0], "cpu": took[1], "memory": _peak(), "gpu": _gpu_peak()}
    details = item.details | details
    if isinstance(dataset, Measured):
        measured = dataset.measure(item, image, psf, folder / item.name)
        return used | measured | {"level": item.level, "details": details | measured.get("details", {})}
    files.write(folder / f"{item.name}.png", _checked(image, wanted), like=_SIXTEEN_BITS)
    if psf is not None:
        psf = np.asarray(psf, np.float32)
        files.write(folder / f"{item.name}.psf.png", np.clip(psf / psf.max(), 0, 1), like=_SIXTEEN_BITS)
    return used | {"details": details}


_SIXTEEN_BITS = files.Picture(np.zeros((1, 1), np.float32), dtype=np.dtype(np.uint16), white=65535.0)


def _context(method, item, settings):
    """Only what the method declares to know."""
    known = {name: getattr(item, name) for name in method.knows}
    return Context(gamma=item.gamma, seed=settings.seed, device=settings.device, **known)


def _checked(image, wanted):
    """A result as it can be written; Problem if it cannot."""
    image = np.asarray(image)
    if image.dtype.kind not in "fiub":
        raise Problem(f"it returned values of the kind {image.dtype}, numbers are wanted")
    if image.ndim == 3 and image.shape[2] == 1:
        image = image[..., 0]
    if image.shape[:2] != wanted[:2] or image.ndim > 3 or (image.ndim == 3 and image.shape[2] != 3):
        raise Problem(f"it returned an array of shape {image.shape}, {wanted[:2]} with or without 3 colours is wanted")
    if not np.isfinite(image).all():
        raise Problem("it returned values that are not finite")
    return np.clip(image.astype(np.float32), 0, 1)


def _sentence(error):
    """An error in one line; of those that are not meant for people with their kind."""
    text = " ".join(str(error).split())
    return text if isinstance(error, Problem | OSError) and text else f"{type(error).__name__}: {text}".rstrip(": ")


def _cpu():
    """CPU seconds of this process and of those that it started and that have ended."""
    used = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return sum(u.ru_utime + u.ru_stime for u in used)


def _peak():
    """Most memory of this process, or of the largest that it started, in MB."""
    unit = 1 if sys.platform == "darwin" else 1024
    return max(resource.getrusage(w).ru_maxrss for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) * unit / _MEGA


def _gpu_peak():
    """Most memory that PyTorch took on its GPU, in MB; None if it took none."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return None
    return torch.cuda.max_memory_allocated() / _MEGA or None
