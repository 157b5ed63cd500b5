"""Peak memory of this process.

`resource.getrusage` begins with the peak of the process that started this one, and never falls. Linux tells the true
peak in /proc, which can be reset.
"""

import contextlib
import resource
import sys
from pathlib import Path

__all__ = ["peak", "peak_of_children", "reset"]

_MEGABYTE = 2**20
_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
# What clears the peak of the resident memory (man 5 proc).
_PEAK = "5"


def peak() -> float:
    """Peak memory of this process since its start or the last `reset`, in MB."""
    if _STATUS.is_file():
        line = next(line for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024
    return _resource(resource.RUSAGE_SELF)


def peak_of_children() -> float:
    """Peak memory of the largest child that has ended, in MB; never below that of this process when it began."""
    return _resource(resource.RUSAGE_CHILDREN)


def reset() -> None:
    """Forget the peak so far, where the system allows that."""
    with contextlib.suppress(OSError):
        _CLEAR.write_text(_PEAK)


def _resource(who: int) -> float:
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(who).ru_maxrss * unit / _MEGABYTE
