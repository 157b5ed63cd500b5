"""Least squares that is diagonal in Fourier space: the filter, and the statistics that set its weight.

Complex arrays come as floats, with real and imaginary parts interleaved.
"""

import math
from typing import Any

from deconv._core.kernels.launch import kernel

__all__ = ["spectral_bins", "spectral_gain"]


def _gain_example(rng: Any, shape: tuple[int, ...], dtype: Any) -> list[Any]:
    otf = rng.uniform(-1, 1, (*shape, 2)).astype(dtype)
    penalty = rng.uniform(0, 1, shape).astype(dtype)
    # One frequency that the PSF does not pass and the penalty does not weight.
    otf.reshape(-1, 2)[0] = 0
    penalty.reshape(-1)[0] = 0
    return [otf, penalty, 0.3]


@kernel(
    extent=lambda otf, penalty, *_: (penalty.size,),
    example=_gain_example,
    cuda=r"""
extern "C" __global__ void spectral_gain(T* otf, const T* penalty, T balance, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    T re = otf[2 * i], im = otf[2 * i + 1];
    T below = re * re + im * im + balance * penalty[i];
    T inverse = below > T(0) ? T(1) / below : T(0);
    otf[2 * i] = re * inverse;
    otf[2 * i + 1] = -im * inverse;
}
""",
)
def spectral_gain(otf: Any, penalty: Any, balance: float) -> None:
    """From H to ``conj(H) / (|H|^2 + balance penalty)``, the least-squares filter; 0 where the problem is singular."""
    # Flat, because the loop over views of pairs is not vectorised.
    zero = balance * 0
    one = zero + 1
    for i in range(penalty.size):
        re = otf[2 * i]
        im = otf[2 * i + 1]
        below = re * re + im * im + balance * penalty[i]
        inverse = one / below if below > zero else zero
        otf[2 * i] = re * inverse
        otf[2 * i + 1] = -im * inverse


def _bins_example(rng: Any, shape: tuple[int, ...], dtype: Any) -> list[Any]:
    n, rows, bins = math.prod(shape), 3, 5
    spectrum, otf = (rng.uniform(-1, 1, (n, 2)).astype(dtype) for _ in range(2))
    penalty = rng.uniform(0.1, 1, n).astype(dtype)
    # One frequency that the PSF does not pass, and one that the penalty does not weight.
    otf[:1] = 0
    penalty[-1:] = 0
    sums = rng.uniform(-1, 1, (rows, 3, bins)).astype(dtype)
    return [spectrum, otf, penalty, shape[-1], n, bins, -3.0, 1.1, sums]


@kernel(
    extent=lambda *args: (args[-1].shape[0],),
    example=_bins_example,
    cuda=r"""
extern "C" __global__ void spectral_bins(
        const T* spectrum, const T* otf, const T* penalty, int width, int size, int bins, T low, T scale, T* sums,
        int n) {
    int row = blockIdx.x * blockDim.x + threadIdx.x;
    if (row >= n) return;
    T* out = sums + row * 3 * bins;
    for (int k = 0; k < 3 * bins; ++k) out[k] = T(0);
    int share = (size + n - 1) / n;
    for (int i = row * share; i < size && i < (row + 1) * share; ++i) {
        T passed = otf[2 * i] * otf[2 * i] + otf[2 * i + 1] * otf[2 * i + 1];
        T energy = spectrum[2 * i] * spectrum[2 * i] + spectrum[2 * i + 1] * spectrum[2 * i + 1];
        T weight = i % width == 0 || i % width == width - 1 ? T(1) : T(2);
        T inverse = penalty[i] > T(0) ? weight / penalty[i] : T(0);
        T place = penalty[i] > T(0) ? (passed > T(0) ? (log(passed / penalty[i]) - low) * scale : T(0)) : T(bins - 1);
        place = place > T(0) ? (place < T(bins - 1) ? place : T(bins - 1)) : T(0);
        int k = int(place) < bins - 1 ? int(place) : bins - 2;
        T above = place - T(k);
        out[k] += (T(1) - above) * weight;
        out[k + 1] += above * weight;
        out[bins + k] += (T(1) - above) * weight * energy;
        out[bins + k + 1] += above * weight * energy;
        out[2 * bins + k] += (T(1) - above) * inverse;
        out[2 * bins + k + 1] += above * inverse;
    }
}
""",
)
def spectral_bins(
    spectrum: Any, otf: Any, penalty: Any, width: int, size: int, bins: int, low: float, scale: float, sums: Any
) -> None:
    """Bin the frequencies by the logarithm of ``|otf|^2 / penalty``, for the choice of the balance.

    The half spectrum is cut into as many parts as `sums` (rows, 3, bins) has rows. For each part, `sums` becomes the
    number of frequencies in each bin, the sum of ``|spectrum|^2`` and the sum of ``1 / penalty``. A frequency between
    two bin centres, which lie at ``low + k / scale``, counts for both, linearly by distance. The last axis of the
    transform has even length and `width` is the length of its half, so all columns but the first and the last stand
    for two frequencies.
    """
    rows = sums.size // (3 * bins)
    share = (size + rows - 1) // rows
    zero = low * 0
    one = zero + 1
    top = bins - one
    for row in range(rows):
        out = sums[3 * bins * row : 3 * bins * (row + 1)]
        for k in range(3 * bins):
            out[k] = zero
        column = row * share % width
        for i in range(row * share, min(size, (row + 1) * share)):
            passed = otf[2 * i] * otf[2 * i] + otf[2 * i + 1] * otf[2 * i + 1]
            energy = spectrum[2 * i] * spectrum[2 * i] + spectrum[2 * i + 1] * spectrum[2 * i + 1]
            weight = one if column == 0 or column == width - 1 else one + one
            column = column + 1 if column < width - 1 else 0
            inverse = weight / penalty[i] if penalty[i] > zero else zero
            if penalty[i] > zero:
                place = (math.log(passed / penalty[i]) - low) * scale if passed > zero else zero
            else:
                place = top
            place = min(max(place, zero), top)
            k = min(int(place), bins - 2)
            above = place - k
            below = one - above
            out[k] += below * weight
            out[k + 1] += above * weight
            out[bins + k] += below * weight * energy
            out[bins + k + 1] += above * weight * energy
            out[2 * bins + k] += below * inverse
            out[2 * bins + k + 1] += above * inverse
