"""Peak memory: that of the process alone, whatever started it, and anew after a reset."""

import subprocess
import sys

import numpy as np
import pytest
from comparison import Pages, method

from deconv.compare import memory
from deconv.compare.runner import Settings, run

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells the peak of a process")
MEGABYTE = 2**20


def test_the_memory_of_the_parent_is_not_that_of_a_process():
    ballast = np.ones(400 * MEGABYTE, np.uint8)
    code = "from deconv.compare import memory; print(memory.peak())"
    got = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert ballast[-1] == 1
    assert 5 < float(got) < 200


def test_the_peak_holds_what_was_given_back():
    memory.reset()
    before = memory.peak()
    assert np.ones(1000 * MEGABYTE, np.uint8)[-1] == 1
    assert memory.peak() > before + 500


def test_a_reset_forgets_the_peak():
    assert np.ones(500 * MEGABYTE, np.uint8)[-1] == 1
    high = memory.peak()
    memory.reset()
    assert memory.peak() < high - 200


def test_a_child_counts_after_its_end():
    code = f"x = bytearray(600 * {MEGABYTE})"
    subprocess.run([sys.executable, "-c", code], check=True)
    assert memory.peak_of_children() > 500


def test_each_row_tells_its_own_memory(tmp_path, monkeypatch):
    monkeypatch.setattr("deconv.compare.runner._tesseract_installed", lambda: False)
    ballast = np.ones(1000 * MEGABYTE, np.uint8)
    first, second = run([Pages(2)], [method("hungry", "hungry_at_first")], tmp_path, Settings())
    assert ballast[-1] == 1
    # Neither the memory of this process nor that of the picture before counts.
    assert 500 < first.memory < 1000
    assert 20 < second.memory < first.memory - 400
