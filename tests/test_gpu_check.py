"""benchmarks/studies/gpu_check.py works before it meets a GPU: run here against the pretend one."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import hostcuda
import numpy as np
import pytest

from deconv._core.kernels import launch

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "studies" / "gpu_check.py"


class PretendGpu:
    """What the script asks of a device, by strict arrays whose kernels g++ built."""

    def __init__(self):
        self.xp = pytest.importorskip("array_api_strict")

    def asarray(self, host):
        return self.xp.asarray(host.copy(), device=self.xp.Device("device1"))

    def asnumpy(self, array):
        return np.array(array._array)

    def synchronise(self):
        pass


@pytest.fixture
def gpu_check(monkeypatch):
    spec = importlib.util.spec_from_file_location("gpu_check", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    # The blind search has tests of its own; here it would take the longest by far.
    monkeypatch.setattr(module, "ALGORITHMS", [a for a in module.ALGORITHMS if a[0] != "deblur"])
    monkeypatch.setitem(launch.RUNNERS, "array_api_strict", hostcuda.runner)
    return module


def test_host_and_device_agree(gpu_check, capsys):
    assert gpu_check.report(PretendGpu(), side=32, large=64, rounds=1) == 0
    table = capsys.readouterr().out
    assert "kernel split_gradient float64" in table
    assert "wiener float32 32 x 32" in table
    assert "skipped" not in table


def test_a_wrong_kernel_is_counted(gpu_check, monkeypatch, capsys):
    right = gpu_check.kernels.split_gradient
    wrong = launch.kernel(extent=right.extent, example=right.example, cuda=right.cuda.replace("- here", "+ here"))(
        right.function
    )
    monkeypatch.setattr(gpu_check.kernels, "split_gradient", wrong)
    monkeypatch.setattr(gpu_check, "ALGORITHMS", [])
    assert gpu_check.report(PretendGpu(), side=32, large=64, rounds=1) == 2
    assert capsys.readouterr().out.count("DIFFERS") == 2


def test_it_runs_without_lazy_loader_and_says_that_there_is_no_gpu():
    code = (
        "import runpy, sys; sys.modules['lazy_loader'] = None; sys.modules['cupy'] = None\n"
        "import importlib.util as u; find = u.find_spec\n"
        "u.find_spec = lambda name, *_: None if name in ('lazy_loader', 'cupy') else find(name)\n"
        f"runpy.run_path({str(SCRIPT)!r}, run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 2, done.stderr
    assert "No GPU was checked: cupy is not installed" in done.stdout
