"""What a comparison ran on: package versions, the machine, and tesseract, on which every reading score depends."""

import hashlib
import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path

import deconv

__all__ = ["environment"]

_PACKAGES = (
    *("numpy", "scipy", "numba", "scikit-image", "pillow", "pytesseract", "rapidfuzz", "ducc0"),
    *("cupy-cuda12x", "cupy-cuda13x", "torch", "onnxruntime", "onnxruntime-gpu", "keras", "tensorflow"),
)


def environment() -> dict[str, object]:
    """Versions and machine, for env.json.

    Returns
    -------
    dict
        "deconv", "python", "platform", "processor", "cores", "packages" (those installed), "tesseract" (version, and
        the hash of its English data, which changes readings; None if not installed), "gpus" (names).
    """
    return {
        "deconv": deconv.__version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "packages": {name: version for name in _PACKAGES if (version := _version(name))},
        "tesseract": _tesseract(),
        "gpus": _output("nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader").splitlines(),
    }


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    if path.is_file():
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()


def _tesseract() -> dict[str, str] | None:
    lines = _output("tesseract", "--version").splitlines()
    if not lines:
        return None
    # It prints: List of available languages in "/usr/share/tesseract-ocr/5/tessdata/" (2):
    folder = Path(_output("tesseract", "--list-langs").partition('"')[2].partition('"')[0])
    data = folder / "eng.traineddata"
    digest = hashlib.sha256(data.read_bytes()).hexdigest()[:16] if data.is_file() else ""
    return {"version": lines[0].removeprefix("tesseract ").strip(), "eng.traineddata": digest}


def _output(*command: str) -> str:
    """What a program prints; "" if it is missing or fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout
