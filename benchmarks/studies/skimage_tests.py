"""scikit-image's own tests of deconvolution, run against `deconv.compat.skimage`, with the reasons of failures.

::

    python -m benchmarks.studies.skimage_tests                          # downloads the source distribution by pip
    python -m benchmarks.studies.skimage_tests scikit_image-0.26.0      # unpacked, or the .tar.gz
    python -m benchmarks.studies.skimage_tests --astronaut astronaut_rl.npy

The test file and its reference arrays are copied to a temporary folder, never into this tree, and run with two changes:
``restoration.richardson_lucy`` and so on are ours, and the fixture ``test_root_dir`` is defined here.

One reference array is not distributed: ``astronaut_rl.npy``, which scikit-image downloads from gitlab.com. Without it
the six cases that need it are skipped, and run once more against an array that scikit-image computes here.
"""

import argparse
import collections
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

VERSION = "0.26.0"
ASTRONAUT = "3f8373e2c6182a89366e51cef6624e3625deac75fdda1079cbdad2a33322152c"  # sha256, as scikit-image registers it

CONFTEST = """
from pathlib import Path

import pytest
from skimage import restoration
from skimage._shared import testing

from deconv.compat import skimage as ours

HERE = Path(__file__).parent
for name in ours.__all__:
    setattr(restoration, name, getattr(ours, name))


def fetch(path):
    file = HERE / path
    if not file.exists():
        pytest.skip(f"{file.name} must be downloaded from gitlab.com")
    return file


testing.fetch = fetch


@pytest.fixture
def test_root_dir():
    return HERE


def pytest_runtest_logreport(report):
    if report.when == "call" or report.outcome != "passed":
        reason = report.longrepr[-1] if report.skipped else str(report.longrepr or "").strip().split("\\n")[-1]
        print(f"\\nOUTCOME\\t{report.outcome}\\t{report.nodeid.split('::')[-1]}\\t{reason}")
"""

STAND_IN = """
import sys
import numpy as np
from scipy.signal import convolve2d
from skimage import color, data, restoration

psf = np.ones((5, 5)) / 25
blurred = convolve2d(color.rgb2gray(data.astronaut()), psf, "same")
np.save(sys.argv[1], restoration.richardson_lucy(blurred, psf, 5, filter_epsilon=1e-6))
"""


def download(folder: Path) -> Path:
    """The source distribution, downloaded by pip and unpacked, not built."""
    folder.mkdir()
    # pip wants the metadata too, which takes a compiler and minutes. Without the build tools it gives up at once and,
    # asked not to clean up, leaves what it has unpacked.
    command = [sys.executable, "-m", "pip", "download", "--no-clean", "--no-deps", "--no-build-isolation"]
    command += ["--no-binary", "scikit-image", f"scikit-image=={VERSION}", "--dest", str(folder)]
    done = subprocess.run(command, env={**os.environ, "TMPDIR": str(folder)}, capture_output=True, text=True)
    if not list(folder.rglob("test_restoration.py")) and not list(folder.glob("*.tar.gz")):
        raise SystemExit(f"pip could not get scikit-image {VERSION}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return folder


def tests_of(source: Path, folder: Path) -> None:
    """Copy the test file and its reference arrays from the source distribution into `folder`."""
    if source.is_dir() and not list(source.rglob("test_restoration.py")):
        source = next(source.glob("*.tar.gz"))
    if source.is_file():
        with tarfile.open(source) as archive:
            archive.extractall(folder / "unpacked", filter="data")
        source = folder / "unpacked"
    file = next(source.rglob("test_restoration.py"))
    (folder / "restoration").mkdir()
    # Later versions of the file import from a package that no wheel of 0.26 has.
    (folder / "test_restoration.py").write_text(file.read_text().replace("_skimage2", "skimage"))
    for array in source.rglob("camera_*.npy"):
        shutil.copy(array, folder / "restoration")
    (folder / "conftest.py").write_text(CONFTEST)


def run(folder: Path, select: str = "") -> dict[str, tuple[str, str]]:
    """Outcome and reason of each case, by name."""
    command = [sys.executable, "-m", "pytest", "-q", "-s", "-c", os.devnull, "-p", "no:cacheprovider"]
    command += ["--rootdir", str(folder), "-k", select, str(folder / "test_restoration.py")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    lines = [line.split("\t") for line in done.stdout.splitlines() if line.startswith("OUTCOME\t")]
    if not lines:
        raise SystemExit(done.stdout + done.stderr)
    return {case: (outcome, reason) for _, outcome, case, reason in lines}


def show(title: str, cases: dict[str, tuple[str, str]]) -> bool:
    """Print the cases and return whether none failed."""
    print(title)
    for case, (outcome, reason) in cases.items():
        print(f"  {outcome:8} {case}" + (f"  ({reason})" if reason else ""))
    counts = collections.Counter(outcome for outcome, _ in cases.values())
    summary = ", ".join(f"{counts[o]} {o}" for o in ("passed", "failed", "skipped") if counts[o])
    print(f"{counts['passed']} of {len(cases)} pass ({summary})\n")
    return not counts["failed"]


def main() -> int:
    """Run the tests and return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("source", nargs="?", type=Path, help="source distribution of scikit-image, packed or unpacked")
    parser.add_argument("--astronaut", type=Path, metavar="FILE", help="astronaut_rl.npy, if you have it")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tests_of(args.source or download(folder / "pip"), folder)
        reference = folder / "restoration" / "astronaut_rl.npy"
        if args.astronaut:
            if hashlib.sha256(args.astronaut.read_bytes()).hexdigest() != ASTRONAUT:
                raise SystemExit(f"{args.astronaut} is not the file that scikit-image registers")
            shutil.copy(args.astronaut, reference)
        title = f"scikit-image {VERSION}, test_restoration.py, run by deconv.compat.skimage:"
        good = show(title, run(folder))
        if not args.astronaut:
            subprocess.run([sys.executable, "-c", STAND_IN, str(reference)], check=True)
            title = "Those that need astronaut_rl.npy, against an array that scikit-image computes here in its place:"
            good &= show(title, run(folder, "richardson_lucy_filtered"))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
