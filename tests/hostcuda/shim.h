// Runs a CUDA kernel on the CPU, one thread after the other: enough of CUDA C for kernels without barriers.
#include <algorithm>
#include <math.h>
#include <stddef.h>
#include <utility>

// CUDA has these without a namespace.
using std::max;
using std::min;

struct dim3 {
    unsigned x, y, z;
};
static thread_local dim3 threadIdx, blockIdx, blockDim, gridDim;

#define __global__
#define __device__ static
#define __restrict__

// As the driver does: each argument is a pointer to a value of the type that the signature declares.
template <class... P, size_t... I>
static void call(void (*kernel)(P...), void** arguments, std::index_sequence<I...>) {
    kernel(*static_cast<P*>(arguments[I])...);
}

template <class... P>
static void launch(void (*kernel)(P...), const unsigned* grid, const unsigned* block, void** arguments) {
    gridDim = {grid[0], grid[1], grid[2]};
    blockDim = {block[0], block[1], block[2]};
    for (unsigned z = 0; z < grid[2]; ++z)
        for (unsigned y = 0; y < grid[1]; ++y)
            for (unsigned x = 0; x < grid[0]; ++x)
                for (unsigned k = 0; k < block[2]; ++k)
                    for (unsigned j = 0; j < block[1]; ++j)
                        for (unsigned i = 0; i < block[0]; ++i) {
                            blockIdx = {x, y, z};
                            threadIdx = {i, j, k};
                            call(kernel, arguments, std::index_sequence_for<P...>());
                        }
}
