// y = the moving sum x[i - 1] + x[i] + x[i + 1] around a ring, applied `times`, all blocks in step by
// a barrier over the grid. And the bugs of that. x, y: n floats, the input in x, the result in x or
// (for odd times) y; count: one integer, zero at first. One thread an element, so all blocks must be
// resident together. BUG and `// BUG: n` as in gemm.cu.
constexpr int THREADS = 64;
constexpr int MISSING_FENCE = 1;
constexpr int MISSING_BARRIER_BEFORE_ARRIVING = 2;
constexpr int MISSING_BARRIER_AFTER_WAITING = 3;
constexpr int DEADLOCK = 4;
constexpr int MISSING_GRID_BARRIER = 5;

// The last block to arrive at the step's barrier is number goal - 1.
__device__ inline void grid_barrier(int* count, int goal) {
  if (BUG != MISSING_BARRIER_BEFORE_ARRIVING) __syncthreads();
  if (threadIdx.x == 0) {
    if (BUG != MISSING_FENCE) __threadfence();
    atomicAdd(count, 1);
    while (atomicAdd(count, 0) < goal) {}  // BUG: 4
    if (BUG != MISSING_FENCE) __threadfence();
  }
  if (BUG != MISSING_BARRIER_AFTER_WAITING) __syncthreads();
}

extern "C" __global__ void __launch_bounds__(THREADS)
ring(float* x, float* y, int* count, int n, int times) {
  const int i = blockIdx.x * THREADS + threadIdx.x;
  float *from = x, *to = y;
  for (int step = 0; step < times; ++step) {
    if (i < n)
      to[i] = from[(i + n - 1) % n] + from[i] + from[(i + 1) % n];  // BUG: 1 2 3 5
    const int goal = (step + 1) * gridDim.x + (BUG == DEADLOCK ? 1 : 0);
    if (BUG != MISSING_GRID_BARRIER) grid_barrier(count, goal);
    float* other = from;
    from = to;
    to = other;
  }
}
