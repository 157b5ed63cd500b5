"""Every kernel: its Numba twin on the host, its CUDA twin where there is a GPU."""

import numpy as np

from benchmarks.studies import gpu_check
from deconv._core import kernels


class Kernels:
    """One call on arrays of side x side; without a GPU asv prints n/a for the device."""

    params = (kernels.__all__, ["host", "device"], [256, 2048])
    param_names = ("kernel", "where", "side")

    def setup(self, name, where, side):
        self.kernel = getattr(kernels, name)
        arguments = gpu_check.kernel_arguments(self.kernel, (side, side), "float32")
        self.arguments = [np.nan_to_num(a) if isinstance(a, np.ndarray) else a for a in arguments]
        self.wait = int
        if where == "device":
            try:
                gpu = gpu_check.Gpu()
                self.arguments = gpu_check.on_device(gpu, self.arguments)
            except Exception as error:
                raise NotImplementedError("no GPU") from error
            self.wait = gpu.synchronise
        self.time_call(name, where, side)  # compiles

    def time_call(self, name, where, side):
        self.kernel(*self.arguments)
        self.wait()
