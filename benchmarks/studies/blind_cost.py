"""CPU time by stage, time by the clock and peak memory of a blind restoration, at each step of the ladder.

::

    python -m benchmarks.studies.blind_cost            # steps 4 to 19, a photograph of 2360 x 1460 pixels each
    python -m benchmarks.studies.blind_cost 4 12 19    # selected steps
"""

import concurrent.futures
import itertools
import multiprocessing
import sys
import time
from collections.abc import Iterable

import numpy as np

import deconv
from benchmarks.bench_blind import photograph, warm_up
from deconv.compare import memory

# Limits for a full photograph on two cores: seconds by the clock, MB.
MOST_SECONDS, MOST_MEMORY = 10.0, 1000.0


def stages(image: np.ndarray) -> tuple[dict[str, float], float, float]:
    """CPU seconds of each stage, seconds by the clock, and peak memory in MB, measured in a separate process."""
    warm_up()
    start, marks = time.perf_counter(), [("", time.process_time())]

    def callback(_: float, stage: str) -> None:
        marks.append((stage, time.process_time()))

    deconv.blind.deblur(image, callback=callback)
    clock = time.perf_counter() - start
    marks.append((marks[-1][0], time.process_time()))
    spent: dict[str, float] = {}
    # The time since the last report belongs to the stage that reports now.
    for (_, begin), (stage, end) in itertools.pairwise(marks):
        spent[stage] = spent.get(stage, 0.0) + end - begin
    return spent, clock, memory.peak()


def main(steps: Iterable[int]) -> None:
    """Print the table, one line a step."""
    over, names = [], None
    for step in steps:
        image = photograph(step, 1)[0].astype(np.float32)
        with concurrent.futures.ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
            spent, clock, memory = pool.submit(stages, image).result()
        if names is None:
            names = tuple(spent)
            head = ("step", *(f"{stage}, CPU s" for stage in names), "all, CPU s", "by the clock, s", "peak, MB")
            print("| " + " | ".join(head) + " |\n" + "| ---: " * len(head) + "|")
        cells = [*(f"{spent.get(stage, 0.0):.2f}" for stage in names), f"{sum(spent.values()):.2f}", f"{clock:.2f}"]
        print(f"| {step} | " + " | ".join([*cells, f"{memory:.0f}"]) + " |", flush=True)
        if clock > MOST_SECONDS or memory > MOST_MEMORY:
            over.append(str(step))
    print(f"\nAbove {MOST_SECONDS:.0f} s or {MOST_MEMORY:.0f} MB: {', '.join(over) or 'none'}")


if __name__ == "__main__":
    main([int(step) for step in sys.argv[1:]] or range(4, 20))
