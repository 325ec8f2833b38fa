// y = the sum of x: every block stores its part, and the one that finishes last adds them up, in
// order. And the bugs of that. done: one integer, zero at first and at the end; part: a float a block.
// BUG and `// BUG: n` as in gemm.cu.
#include "reduce.cuh"

constexpr int THREADS = 128;
constexpr int MISSING_FENCE = 1;
constexpr int MISSING_BARRIER = 2;
constexpr int ATOMIC_MIXED_WITH_PLAIN_STORES = 3;
constexpr int NOT_THE_LAST = 4;
constexpr int BLOCK_SCOPE = 5;

extern "C" __global__ void __launch_bounds__(THREADS)
sum(const float* x, float* part, int* done, float* y, int n) {
  __shared__ bool last;
  float mine = 0;
  for (int i = blockIdx.x * THREADS + threadIdx.x; i < n; i += gridDim.x * THREADS) mine += x[i];
  mine = reduce_row<Sum>(mine);

  if (BUG == ATOMIC_MIXED_WITH_PLAIN_STORES && blockIdx.x == 1 && threadIdx.x == 0)
    *done = 0;  // BUG: 3
  if (threadIdx.x == 0) {
    part[blockIdx.x] = mine;  // BUG: 1 4 5
    if (BUG == BLOCK_SCOPE) __threadfence_block();
    else if (BUG != MISSING_FENCE) __threadfence();
    const int before = atomicAdd(done, 1);  // BUG: 3 4
    last = before == gridDim.x - (BUG == NOT_THE_LAST ? 2 : 1);  // BUG: 2
    if (BUG != MISSING_FENCE) __threadfence();
  }
  if (BUG != MISSING_BARRIER) __syncthreads();
  if (!last) return;  // BUG: 2

  if (threadIdx.x == 0) {
    float total = 0;
    for (int block = 0; block < gridDim.x; ++block) total += part[block];  // BUG: 1 4 5
    *y = total;
    *done = 0;  // BUG: 4
  }
}
