"""The four proofs that the CUDA half is right, none of which needs a GPU, and known answers of each kernel.

The proofs walk ``deconv._core.kernels.__all__``: a new kernel is covered by being named there.
"""

import functools
import inspect
import os
import subprocess
import sys
from pathlib import Path

import hostcuda
import numpy as np
import nvrtc
import pytest
import scipy.ndimage

from deconv._core import kernels
from deconv._core.array import like
from deconv._core.kernels import launch

KERNELS = {name: getattr(kernels, name) for name in kernels.__all__}
DTYPES = ("float32", "float64")
# More than one block in each direction, blocks that overhang, and single rows, columns and pixels.
SHAPES = {
    1: ((1,), (1009,), (37, 53), (3, 17, 29)),
    2: ((37, 53), (9, 131), (53, 37), (1, 7), (5, 1), (1, 1)),
}

needs_compiler = pytest.mark.skipif(not hostcuda.available(), reason="no g++: apt-get install g++")


def some_arguments(kernel, shape, dtype, seed=0):
    """Arguments that reach both sides of each test in a kernel."""
    return kernel.example(np.random.default_rng(seed), shape, dtype)


def copied(arguments, guards):
    """Copies, each between two stretches of noise kept in `guards`, so that an overrun is a failure and no crash."""
    rng = np.random.default_rng(9)
    copies = []
    for a in arguments:
        if isinstance(a, np.ndarray):
            memory = rng.random((3, max(a.size, 512))).astype(a.dtype)
            guards += [(g, g.copy()) for g in (memory[0], memory[1, a.size :], memory[2])]
            inside = memory[1, : a.size].reshape(a.shape)
            inside[...] = a
            a = inside
        copies.append(a)
    return copies


def assert_twins_agree(kernel, arguments):
    guards = []
    cuda, host = copied(arguments, guards), copied(arguments, guards)
    kernel.launch(cuda, hostcuda.build)
    kernel(*host)
    assert all(np.array_equal(guard, before) for guard, before in guards), f"{kernel.__name__} wrote outside its arrays"
    rtol = {"float32": 1e-5, "float64": 1e-13}[str(arguments[0].dtype)]
    for parameter, given, got, wanted in zip(kernel.parameters, arguments, cuda, host, strict=True):
        if not parameter.array:
            continue
        np.testing.assert_allclose(got, wanted, rtol=rtol, atol=rtol, err_msg=f"{kernel.__name__}: {parameter.name}")
        if parameter.const:
            np.testing.assert_array_equal(got, given, err_msg=f"the CUDA twin wrote to const {parameter.name}")
            np.testing.assert_array_equal(wanted, given, err_msg=f"the Numba twin wrote to const {parameter.name}")


@functools.cache
def cubin_of_all(dtype, architecture):
    """All kernels as one program, which takes a third of the time; the test below compiles each by itself."""
    return nvrtc.compiled("\n".join(k.source(dtype) for k in KERNELS.values()), architecture, "cubin")


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("architecture", ["sm_75", "sm_90", "sm_120"])
def test_cuda_twin_compiles(name, dtype, architecture):
    cubin = cubin_of_all(dtype, architecture)
    assert cubin.startswith(b"\x7fELF")
    assert f".text.{name}\0".encode() in cubin


@pytest.mark.parametrize("name", KERNELS)
def test_float_kernel_computes_in_float(name):
    assert b".f64" not in nvrtc.compiled(KERNELS[name].source("float32"), "sm_75", "ptx")
    assert b".f64" in nvrtc.compiled(KERNELS[name].source("float64"), "sm_75", "ptx")


@needs_compiler
@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_twins_agree(name, dtype):
    kernel = KERNELS[name]
    for shape in SHAPES[kernel.axes]:
        assert_twins_agree(kernel, some_arguments(kernel, shape, dtype))


@needs_compiler
@pytest.mark.parametrize("name", KERNELS)
def test_twins_agree_about_nan(name):
    kernel = KERNELS[name]
    arguments = some_arguments(kernel, (37, 53), "float32")
    rng = np.random.default_rng(1)
    for array in arguments:
        if isinstance(array, np.ndarray):
            array[rng.random(array.shape) < 0.05] = np.nan
    assert_twins_agree(kernel, arguments)


# Run by the test below in a process of its own, which has the address sanitiser loaded.
RUN_SANITIZED = """
import sys
import numpy as np
import hostcuda, test_kernels
build = lambda kernel, dtype: hostcuda.build(kernel, dtype, sanitize=True)
names = sys.argv[1:] or test_kernels.KERNELS
for name in names:
    kernel = getattr(test_kernels, name, None) or test_kernels.KERNELS[name]
    for shape in test_kernels.SHAPES[kernel.axes]:
        kernel.launch(test_kernels.some_arguments(kernel, shape, "float32"), build)
print("no fault in", *names)
"""


def run_sanitized(*names):
    library = subprocess.run(["g++", "-print-file-name=libasan.so"], capture_output=True, text=True).stdout.strip()
    if not Path(library).is_absolute():
        pytest.skip("this g++ has no address sanitiser")
    return subprocess.run(
        [sys.executable, "-c", RUN_SANITIZED, *names],
        env={
            **os.environ,
            "LD_PRELOAD": library,
            "ASAN_OPTIONS": "detect_leaks=0",
            "PYTHONMALLOC": "malloc",
            "PYTHONPATH": str(Path(__file__).parent),
        },
        capture_output=True,
        text=True,
    )


@needs_compiler
def test_cuda_twins_stay_inside_their_arrays():
    done = run_sanitized()
    assert done.returncode == 0, done.stderr
    assert all(name in done.stdout for name in KERNELS)


@launch.kernel(
    extent=lambda x, *_: (x.size,),
    cuda=r"""
extern "C" __global__ void overrun(const T* x, T* out, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i > n) return;
    out[i] = x[i];
}
""",
)
def overrun(x, out):
    """A kernel that writes one element too many, to show that the sanitiser sees it."""


@needs_compiler
def test_an_overrun_is_caught_and_names_its_line():
    done = run_sanitized("overrun")
    assert done.returncode != 0
    assert "heap-buffer-overflow" in done.stderr
    lines = Path(__file__).read_text().splitlines()
    assert f"test_kernels.py:{lines.index('    out[i] = x[i];') + 1}" in done.stderr


def test_a_compile_error_names_the_python_file_and_line():
    kernel = kernels.split_gradient
    source = kernel.source("float32").replace(
        "- here - z[at]);\n    if (axes > 1)", "- here - z[at])\n    if (axes > 1)"
    )
    assert source != kernel.source("float32")
    with pytest.raises(RuntimeError, match=r"kernels/splitting\.py\((\d+)\)") as error:
        nvrtc.compiled(source, "sm_90", "cubin")
    line = int(str(error.value).split("splitting.py(")[1].split(")")[0])
    lines = Path(inspect.getsourcefile(kernel.function)).read_text().splitlines()
    assert "- here - z[at]);" in "".join(lines[line - 2 : line])


# What each kernel computes.


def test_split_gradient_is_the_periodic_difference(backend):
    u = np.random.default_rng(0).random((7, 11))
    if backend.name == "torch":
        pytest.skip("tensors become NumPy or CuPy arrays before they reach a kernel")
    image = backend.asarray(u)
    field, zero = (like(np.zeros((2, *u.shape)), image) for _ in range(2))
    kernels.split_gradient(image, 1.0, 7, 2, field, zero)
    down, across = backend.to_numpy(field)
    np.testing.assert_array_equal(across, np.roll(u, -1, 1) - u)
    np.testing.assert_array_equal(down, np.roll(u, -1, 0) - u)


@pytest.mark.parametrize("shape", [(8, 10), (7, 9), (1, 5), (5, 1)])
def test_split_sum_adds_the_adjoint_of_split_gradient(shape):
    u, *p = np.random.default_rng(0).standard_normal((3, *shape))
    p, gradient, adjoint, zero = np.stack(p), np.zeros((2, *shape)), np.empty(shape), np.zeros(shape)
    kernels.split_gradient(u, 1.0, shape[0], 2, gradient, np.zeros_like(gradient))
    kernels.split_sum(zero, zero, p, p, shape[0], 2, adjoint)
    assert np.sum(gradient * p) == pytest.approx(np.sum(u * adjoint), rel=1e-12)


def test_shrink_tv_shortens_vectors():
    field = np.array([[3.0, 0.3, 0.0, np.nan], [4.0, 0.4, 0.0, 1.0]])
    out = np.empty_like(field)
    kernels.shrink_tv(field, 1.0, 2, out)
    np.testing.assert_allclose(out[:, :3], [[2.4, 0.0, 0.0], [3.2, 0.0, 0.0]])


def test_rl_ratio_is_zero_outside_the_frame_and_where_nothing_is_expected():
    image = np.array([[[[np.nan, 6.0], [6.0, 6.0]]]])
    blurred = np.array([[[[1.0, 2.0, 5.0, 5.0], [-1e-9, 3.0, 5.0, 5.0], [5.0, 5.0, 5.0, 5.0]]]])
    kernels.rl_ratio(image, blurred, np.array([0.0]), np.array([1e-8]), 1, 2, 2, 1, 3, 4)
    np.testing.assert_array_equal(blurred[0, 0], [[np.nan, 3.0, 0.0, 0.0], [0.0, 2.0, 0.0, 0.0], [0.0] * 4])
    image, blurred = np.array([[[[6.0]]], [[[6.0]]]]), np.array([[[[1.0]]], [[[1.0]]]])
    kernels.rl_ratio(image, blurred, np.array([1.0, 2.0]), np.array([1e-8, 4.0]), 1, 1, 1, 1, 1, 1)
    np.testing.assert_array_equal(blurred.ravel(), [3.0, 0.0])


@pytest.mark.parametrize("skip", [(0, 0, 0), (1, 3, 5), (0, 9, 0)])
def test_rl_update_unfolds_the_sensitivity(skip):
    rng = np.random.default_rng(0)
    shape, edge = (3, 12, 14), (1, 2, 4)
    x, correction = rng.random((2, *shape)), rng.random((2, *shape[:-1], 17)) - 0.3
    folded = rng.random((2, *(n - s for n, s in zip(shape, skip, strict=True)))) - 0.2
    full = folded
    for axis in range(3):
        index = np.arange(shape[axis])
        full = np.take(full, np.maximum(np.minimum(index, edge[axis]), index - skip[axis]), axis=axis + 1)
    factor = correction[..., :14]
    want = np.where((full > 0.1) & (factor > 0), x * factor / full, 0)
    kernels.rl_update(x, correction, folded, 0.1, *shape, 17, *edge, *skip)
    np.testing.assert_allclose(x, want, rtol=1e-14)


def test_rl_extrapolate_never_leaves_the_positive():
    x, last = np.array([[2.0, 1.0, 0.0], [2.0, 1.0, 3.0]]), np.array([[1.0, 5.0, 0.0], [1.0, 5.0, 3.0]])
    kernels.rl_extrapolate(x, last, np.array([0.5, 1.0]), 2)
    np.testing.assert_array_equal(last, [[2.5, 1.0, 0.0], [3.0, 1.0, 3.0]])


ENERGIES = {
    0: lambda steps: sum(0.5 * g**2 for g in steps).sum(),
    1: lambda steps: np.sqrt(0.01 + sum(g**2 for g in steps)).sum(),
}


def steps_of(u):
    return [np.roll(u, -1, axis=a) - u for a in range(1, 4)]


@pytest.mark.parametrize("shape", [(1, 1, 9), (1, 8, 9), (4, 5, 6)])
@pytest.mark.parametrize("directions", ENERGIES)
def test_rl_roughness_is_minus_the_gradient_of_the_energy(shape, directions):
    x, change = np.random.default_rng(0).standard_normal((2, 1, *shape))
    slope, stiffness = np.empty_like(x), np.empty_like(x)
    kernels.rl_roughness(x, np.array([0.1]), directions, *shape, slope, stiffness)
    ahead, behind = (ENERGIES[directions](steps_of(x + e * change)) for e in (1e-6, -1e-6))
    assert -np.sum(slope * change) == pytest.approx((ahead - behind) / 2e-6, rel=1e-6)
    if not directions:
        np.testing.assert_array_equal(stiffness, 2 * sum(n > 1 for n in shape))


def test_rl_penalised_lowers_likelihood_plus_penalty():
    rng = np.random.default_rng(0)
    x, fitted = rng.random((2, 1, 1, 8, 9)) + 0.1
    sensitivity, strength = np.ones_like(x), np.array([0.3])

    def energy(u, directions):
        return np.sum(sensitivity * u - x * fitted * np.log(u)) + strength[0] * ENERGIES[directions](steps_of(u))

    for directions in ENERGIES:
        slope, stiffness, got = np.empty_like(x), np.empty_like(x), x.copy()
        kernels.rl_roughness(x, np.array([0.1]), directions, 1, 8, 9, slope, stiffness)
        kernels.rl_penalised(got, fitted, sensitivity, slope, stiffness, strength, 9, 9, 1)
        assert got.min() > 0
        assert energy(got, directions) < energy(x, directions) - 1e-3
        without = x.copy()
        kernels.rl_penalised(without, fitted, sensitivity, slope, stiffness, 0 * strength, 9, 9, 1)
        np.testing.assert_allclose(without, x * fitted, rtol=1e-14)


def test_correlate_is_scipys_correlation():
    rng = np.random.default_rng(0)
    # Two volumes; more columns than are summed up at a time.
    volumes, weights = rng.standard_normal((2, 4, 5, 1100)), rng.standard_normal((3, 5, 7))
    weights[1, 2, :3] = weights[0, :, -1] = 0
    wide = np.pad(volumes, ((0, 0), (0, 0), (0, 0), (3, 3)), mode="wrap").reshape(8, 5, 1106)
    out = np.full((8, 5, 1100), np.nan)
    kernels.correlate(wide, weights, 4, 5, 3, 5, 7, out)
    for volume, got in zip(volumes, out.reshape(volumes.shape), strict=True):
        np.testing.assert_allclose(got, scipy.ndimage.correlate(volume, weights, mode="wrap"), atol=1e-12)
    # A stack of pictures: each by itself.
    kernels.correlate(wide, weights[:1], 1, 5, 1, 5, 7, out)
    for picture, got in zip(volumes.reshape(out.shape), out, strict=True):
        np.testing.assert_allclose(got, scipy.ndimage.correlate(picture, weights[0], mode="wrap"), atol=1e-12)


def test_correlate_reads_nothing_at_the_zeros_that_end_a_row_of_weights():
    x = np.full((1, 1, 9), np.nan)
    x[0, 0, 4] = 5
    out = np.empty((1, 1, 5))
    kernels.correlate(x, np.array([[[0, 0, 2.0, 0, 0]]]), 1, 1, 1, 1, 5, out)
    np.testing.assert_array_equal(out, [[[np.nan, np.nan, 10, np.nan, np.nan]]])


@pytest.mark.parametrize("n", [1, 3, 5, 7, 9])
def test_correlate_axis_is_scipys_correlation_along_one_axis(n):
    rng = np.random.default_rng(0)
    x, weights = rng.standard_normal((2, 9, 1100)), rng.standard_normal(n)
    out = np.full_like(x, np.nan)
    kernels.correlate_axis(x, weights, 9, n, out)
    np.testing.assert_allclose(out, scipy.ndimage.correlate1d(x, weights, axis=1, mode="wrap"), atol=1e-12)


# What a call refuses.


@launch.kernel(
    extent=lambda u, *_: u.shape,
    cuda=r"""
extern "C" __global__ void differences(const T* u, T* gx, T* gy, int h, int w) {
    int j = blockIdx.x * blockDim.x + threadIdx.x;
    int i = blockIdx.y * blockDim.y + threadIdx.y;
    if (i >= h || j >= w) return;
    gx[i * w + j] = u[i * w + (j + 1 < w ? j + 1 : 0)] - u[i * w + j];
    gy[i * w + j] = u[(i + 1 < h ? i + 1 : 0) * w + j] - u[i * w + j];
}
""",
)
def differences(u, gx, gy):
    """A kernel over rows and columns whose arrays have one shape."""
    h, w = u.shape
    for i in range(h):
        for j in range(w):
            gx[i, j] = u[i, j + 1 if j + 1 < w else 0] - u[i, j]
            gy[i, j] = u[i + 1 if i + 1 < h else 0, j] - u[i, j]


@needs_compiler
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_kernel_over_rows_and_columns(dtype):
    for shape in SHAPES[2]:
        assert_twins_agree(differences, some_arguments(differences, shape, dtype))


def ones(*shape, dtype="float32"):
    return np.ones(shape, dtype)


def read_only(*shape):
    array = ones(*shape)
    array.flags.writeable = False
    return array


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((ones(4, 4), ones(4, 4)), TypeError, "takes 3 arguments, got 2"),
        ((ones(4, 4), ones(4, 4), ones(4, 4, dtype="float64")), TypeError, "gy .* must be float32, got float64"),
        ((ones(4, 4, dtype="int32"),) * 3, TypeError, "u .* must be float32 or float64, got int32"),
        ((ones(4, 4), ones(4, 5), ones(4, 4)), ValueError, r"gx .* must have the shape \(4, 4\)"),
        ((ones(4, 4), ones(4, 4), ones(8, 4)[::2]), ValueError, "gy .* must be C-contiguous"),
        ((ones(4, 4), ones(4, 4), read_only(4, 4)), ValueError, "gy .* must be writeable"),
        ((np.broadcast_to(np.float32(0), (2**16, 2**15)),) * 3, ValueError, "more than the 2147483647"),
        (([[1.0]], ones(1, 1), ones(1, 1)), TypeError, "array"),
    ],
)
def test_a_wrong_call_is_one_clear_sentence(arguments, error, message):
    with pytest.raises(error, match=message):
        differences(*arguments)


def test_an_unknown_library_is_refused():
    strict = pytest.importorskip("array_api_strict")
    x = strict.zeros((3, 3))
    assert "array_api_strict" not in launch.RUNNERS
    with pytest.raises(TypeError, match="runs on numpy and cupy arrays, got array_api_strict"):
        differences(x, x, x)


@pytest.mark.parametrize(
    ("cuda", "message"),
    [
        ("void f(const T* x, T* out, int n) {}", "must hold an extern"),
        ('extern "C" __global__ void f(const float* x, T* out, int n) {}', "must be const T"),
        ('extern "C" __global__ void g(const T* x, T* out, int n) {}', "same name and parameters"),
        ('extern "C" __global__ void f(T* out, const T* x, int n) {}', "same name and parameters"),
        ('extern "C" __global__ void f(const T* x, T* out) {}', "end with one or two int"),
        ('extern "C" __global__ void f(const T* x, T* out, T n) {}', "end with one or two int"),
    ],
)
def test_twins_that_do_not_match_are_refused_at_import(cuda, message):
    def f(x, out):
        pass

    with pytest.raises(ValueError, match=message):
        launch.kernel(extent=lambda x, out: x.shape, cuda=cuda)(f)


@launch.kernel(
    extent=lambda x, *_: (x.size,),
    parallel=True,
    cuda=r"""
extern "C" __global__ void scale(const T* x, int times, T* out, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    out[i] = times * x[i];
}
""",
)
def scale(x, times, out):
    """A parallel kernel with an int."""
    for i in launch.prange(x.size):
        out[i] = times * x[i]


@needs_compiler
def test_a_parallel_kernel_with_an_int():
    assert_twins_agree(scale, some_arguments(scale, (37, 53), "float32"))


def test_every_kernel_of_the_topic_files_is_on_the_list():
    loaded = {n for m in vars(kernels).values() for n in getattr(m, "__all__", ()) if m is not launch}
    assert loaded == set(kernels.__all__)
    assert all(isinstance(k, launch.Kernel) and k.__doc__ for k in KERNELS.values())
