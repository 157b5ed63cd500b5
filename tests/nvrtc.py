"""Compile CUDA text with NVIDIA's own compiler, which needs neither a GPU nor a driver."""

import pytest


def compiled(source, architecture, kind):
    """The ``"cubin"`` or ``"ptx"`` of `source` for an architecture like ``"sm_90"``, or RuntimeError with the log."""
    pytest.importorskip("cuda.bindings", reason="pip install cuda-bindings nvidia-cuda-nvrtc")
    from cuda.bindings import nvrtc

    def checked(answer):
        error, *values = answer
        if error != nvrtc.nvrtcResult.NVRTC_SUCCESS:
            raise RuntimeError(f"NVRTC: {error.name}")
        return values[0] if values else None

    program = checked(nvrtc.nvrtcCreateProgram(source.encode(), b"kernel.cu", 0, [], []))
    architecture = architecture.replace("sm_", "compute_") if kind == "ptx" else architecture
    options = [f"--gpu-architecture={architecture}".encode(), b"--std=c++17"]
    (error,) = nvrtc.nvrtcCompileProgram(program, len(options), options)
    if error != nvrtc.nvrtcResult.NVRTC_SUCCESS:
        log = b" " * checked(nvrtc.nvrtcGetProgramLogSize(program))
        checked(nvrtc.nvrtcGetProgramLog(program, log))
        raise RuntimeError(log.decode())
    size, get = {
        "cubin": (nvrtc.nvrtcGetCUBINSize, nvrtc.nvrtcGetCUBIN),
        "ptx": (nvrtc.nvrtcGetPTXSize, nvrtc.nvrtcGetPTX),
    }[kind]
    result = b" " * checked(size(program))
    checked(get(program, result))
    checked(nvrtc.nvrtcDestroyProgram(program))
    return result
