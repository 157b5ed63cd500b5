"""Steps of a Markov chain over the spectra of an image: each frequency by itself, in real arithmetic."""

import math
from typing import Any

from deconv._core.kernels.launch import kernel

__all__ = ["chain_mean", "chain_sample"]


def _sample_example(rng: Any, shape: tuple[int, ...], dtype: Any) -> list[Any]:
    signed = [rng.uniform(-1, 1, shape).astype(dtype) for _ in range(4)]
    positive = [rng.uniform(0.1, 1, shape).astype(dtype) for _ in range(3)]
    outputs = [rng.uniform(0, 1, shape).astype(dtype) for _ in range(2)]
    return [*signed[:2], *positive, 0.7, 0.4, *signed[2:], *outputs]


@kernel(
    extent=lambda real, *_: (real.size,),
    example=_sample_example,
    cuda=r"""
extern "C" __global__ void chain_sample(
        const T* real, const T* imag, const T* energy, const T* power, const T* penalty, T noise, T prior,
        T* x, T* y, T* misfit, T* roughness, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    T precision = noise * power[i] + prior * penalty[i];
    T spread = sqrt(T(0.5) / precision);
    T gain = noise / precision;
    T loss = prior * penalty[i] / precision;
    T along = real[i] * x[i] + imag[i] * y[i];
    T length = x[i] * x[i] + y[i] * y[i];
    misfit[i] = loss * loss * energy[i] + spread * spread * power[i] * length - T(2) * loss * spread * along;
    x[i] = gain * real[i] + spread * x[i];
    y[i] = gain * imag[i] + spread * y[i];
    roughness[i] = penalty[i] * (x[i] * x[i] + y[i] * y[i]);
}
""",
)
def chain_sample(
    real: Any,
    imag: Any,
    energy: Any,
    power: Any,
    penalty: Any,
    noise: float,
    prior: float,
    x: Any,
    y: Any,
    misfit: Any,
    roughness: Any,
) -> None:
    """Draw a spectrum given the precisions `noise` and `prior`: normal about the Wiener filter's answer.

    With the data Y, the transfer function H and the penalty D: `real` and `imag` are conj(H) Y, `energy` is |Y|^2,
    `power` |H|^2, `penalty` |D|^2. `x` and `y` hold standard normal numbers and become the sample X; `misfit` becomes
    |Y - H X|^2 (as a sum of small terms, not as a difference of large ones), `roughness` |D X|^2.
    """
    for i in range(real.size):
        precision = noise * power[i] + prior * penalty[i]
        spread = math.sqrt(0.5 / precision)
        gain = noise / precision
        loss = prior * penalty[i] / precision
        along = real[i] * x[i] + imag[i] * y[i]
        length = x[i] * x[i] + y[i] * y[i]
        misfit[i] = loss * loss * energy[i] + spread * spread * power[i] * length - 2 * loss * spread * along
        x[i] = gain * real[i] + spread * x[i]
        y[i] = gain * imag[i] + spread * y[i]
        roughness[i] = penalty[i] * (x[i] * x[i] + y[i] * y[i])


@kernel(
    extent=lambda x, *_: (x.size,),
    cuda=r"""
extern "C" __global__ void chain_mean(
        const T* x, const T* y, T now, T before, T* real, T* imag, T* change, T* size, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    T a = real[i] + x[i];
    T b = imag[i] + y[i];
    T da = now * a - before * real[i];
    T db = now * b - before * imag[i];
    change[i] = sqrt(da * da + db * db);
    size[i] = sqrt(a * a + b * b);
    real[i] = a;
    imag[i] = b;
}
""",
)
def chain_mean(x: Any, y: Any, now: float, before: float, real: Any, imag: Any, change: Any, size: Any) -> None:
    """Add the sample (`x`, `y`) to the sum (`real`, `imag`); `change` of the mean and `size` of the sum.

    `now` and `before` turn the sum with and without the sample into a mean: 1 over the number of samples.
    """
    for i in range(x.size):
        a = real[i] + x[i]
        b = imag[i] + y[i]
        da = now * a - before * real[i]
        db = now * b - before * imag[i]
        change[i] = math.sqrt(da * da + db * db)
        size[i] = math.sqrt(a * a + b * b)
        real[i] = a
        imag[i] = b
