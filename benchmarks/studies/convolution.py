"""Length of a PSF up to which sums tap by tap, or axis by axis, are faster than a convolution by transforms.

::

    python -m benchmarks.studies.convolution ducc0 scipy   # with each FFT library in turn

The limits in `deconv._core.convolve` come from this table. CPU time on one thread, contenders in turn, medians.
"""

import math
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping

from benchmarks.bench_convolve import problem, ways
from benchmarks.studies import study

SHAPES = [(256, 256), (1024, 1024), (1460, 2360)]
LENGTHS = [3, 5, 7, 9, 11, 15, 21, 31, 45, 65]
WAYS = ("direct", "separable", "fft", "fft in place")


def milliseconds(calls: Mapping[str, Callable[[], object]], seconds: float = 0.4) -> dict[str, float]:
    """Median CPU time of each call, in turn."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        call()
    end = time.process_time() + seconds
    while time.process_time() < end or len(times[next(iter(calls))]) < 5:
        for name, call in calls.items():
            start = time.process_time()
            call()
            times[name].append(time.process_time() - start)
    return {name: 1e3 * statistics.median(t) for name, t in times.items()}


def tables(engine: str) -> None:
    """Print the tables of the FFT library that this process uses."""
    for dtype in ("float32", "float64"):
        for shape in SHAPES:
            print(f"\n{engine}, {dtype}, {shape[0]} x {shape[1]}, ms\n")
            print("| PSF | " + " | ".join(WAYS) + " |\n|" + "---|" * (len(WAYS) + 1))
            for length in LENGTHS:
                medians = milliseconds(ways(*problem(shape, length, dtype)))
                cells = [medians.get(name, math.nan) for name in WAYS]
                row = " | ".join("-" if math.isnan(c) else f"{c:.2f}" for c in cells)
                print(f"| {length} | {row} |", flush=True)


def main(engines: list[str]) -> None:
    """Print the tables of each library, in a separate process because the choice is made once a process."""
    if "--here" in engines:
        tables(os.environ["DECONV_FFT"])
        return
    for engine in engines:
        env = {**os.environ, "DECONV_FFT": engine, "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-m", "benchmarks.studies.convolution", "--here"]
        subprocess.run(command, env=env, cwd=study.ROOT, check=True)


if __name__ == "__main__":
    main(sys.argv[1:] or ["ducc0", "scipy"])
