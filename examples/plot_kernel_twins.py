"""
Write a kernel for CPU and GPU
==============================

A hand-written loop is two texts under one name: CUDA for CuPy arrays and, directly below, Numba for NumPy arrays. The
array that is passed decides which one runs. Here is one written from scratch: the shrinking of small values to zero,
in one pass over memory.
"""

# %%
# The decorator reads the C signature and refuses twins that differ in name or arguments. ``T`` is the float type of the
# arrays; the last ``int`` of the C signature is the number of elements, which the launcher fills in.
import time

import numpy as np

from deconv._core.kernels import launch, split_gradient


@launch.kernel(
    extent=lambda x, *_: (x.size,),
    cuda=r"""
extern "C" __global__ void soften(const T* x, T threshold, T* out, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    T size = fabs(x[i]) - threshold;
    out[i] = size > T(0) ? (x[i] > T(0) ? size : -size) : T(0);
}
""",
)
def soften(x, threshold, out):
    """Shorten each value by `threshold`, to zero if it is no larger than that."""
    for i in range(x.size):
        size = abs(x[i]) - threshold
        out[i] = (size if x[i] > 0 else -size) if size > 0 else 0


# %%
# On NumPy arrays the Numba twin runs, compiled at its first call for each float type.
rng = np.random.default_rng(0)
x = rng.standard_normal((1500, 2000), dtype=np.float32)
out = np.empty_like(x)
soften(x, 0.5, out)


def in_numpy(x, threshold):
    """The same as three NumPy passes."""
    return np.sign(x) * np.maximum(np.abs(x) - np.float32(threshold), 0)


def milliseconds(call, rounds=5):
    """Best CPU time of a few."""
    best = np.inf
    for _ in range(rounds):
        start = time.process_time()
        call()
        best = min(best, time.process_time() - start)
    return 1e3 * best


print("largest difference to NumPy:", float(np.max(np.abs(out - in_numpy(x, 0.5)))))
print(
    f"kernel {milliseconds(lambda: soften(x, 0.5, out)):.1f} ms, NumPy {milliseconds(lambda: in_numpy(x, 0.5)):.1f} ms"
)

# %%
# What does not fit is refused in one sentence, before anything is computed: neither twin looks at strides or types.
for wrong in ((x[:, ::2], 0.5, out[:, ::2]), (x, 0.5, out.astype(np.float64)), (x, 0.5, out[:-1])):
    try:
        soften(*wrong)
    except (TypeError, ValueError) as error:
        print(f"{type(error).__name__}: {error}")

# %%
# The CUDA twin is the same loop with the loop taken away. CuPy compiles it when the first CuPy array comes along. The
# line that begins with ``#line`` makes a compile error name the Python file.
print("\n".join(line for line in soften.source("float32").splitlines() if not line.startswith("#line")))

# %%
# On a machine with a GPU the same call takes CuPy arrays. Where there is none, as on the machine that builds these
# pages most of the time, the cell says so.


def on_gpu():
    """CuPy, if it is installed and finds a device; else None."""
    try:
        import cupy
    except ImportError:
        return None
    return cupy if cupy.cuda.is_available() else None


if cupy := on_gpu():
    there = cupy.asarray(x)
    out_there = cupy.empty_like(there)
    soften(there, 0.5, out_there)
    print("largest difference, GPU to CPU:", float(np.max(np.abs(out_there.get() - out))))
else:
    print("no CUDA device here: the CUDA twin was shown, not launched")

# %%
# The kernels of the package are made the same way. This one adds ``relax`` times the gradient of an image, less a
# second field, to a field. The twins are tested against each other without a GPU: the test suite compiles the CUDA text
# for three architectures, and runs it on the CPU through g++ beside the Numba twin.
rows, columns = x.shape
field = np.zeros((2, rows, columns), x.dtype)
split_gradient(x, 1.0, rows, 2, field, np.zeros_like(field))
print("largest difference to NumPy:", float(np.max(np.abs(field[0] - (np.roll(x, -1, 0) - x)))))
print(split_gradient.__name__, [p.name for p in split_gradient.parameters], "over", split_gradient.axes, "axes")
