// y[row] = the sum of a row of x (rows, cols), one block of 256 threads a row, and the bugs that a
// reduction can have. BUG and `// BUG: n` as in gemm.cu.
constexpr int THREADS = 256;
constexpr int MISSING_BARRIER = 1;
constexpr int DIVERGENT_BARRIER = 2;
constexpr int MISSING_SYNCWARP = 3;
constexpr int SHUFFLE_OUTSIDE_THE_MASK = 4;
constexpr int UNINITIALISED_SHARED_READ = 5;
constexpr int MISSING_BARRIER_BEFORE_REUSE = 6;
constexpr int GUARD_OFF_BY_ONE = 7;
constexpr int LANES_MISSING_FROM_THE_MASK = 8;

// The sum of the first 64 floats of `part` by one warp: halved in shared memory, the last time by a
// shuffle.
__device__ inline float sum_of_64(float* part, int lane) {
  for (int half = 32; half > 1; half /= 2) {
    const float other = part[(lane + half) % 64];  // BUG: 3 6
    if (BUG != MISSING_SYNCWARP) __syncwarp();
    if (lane < half) part[lane] += other;  // BUG: 3
    if (BUG != MISSING_SYNCWARP) __syncwarp();
  }
  const float x = part[lane];
  if (BUG == SHUFFLE_OUTSIDE_THE_MASK) {
    if (lane < 16) return x + __shfl_sync(0x0000ffffu, x, lane == 0 ? 17 : 1);  // BUG: 4
    return x;
  }
  if (BUG == LANES_MISSING_FROM_THE_MASK) return x + __shfl_sync(0x0000ffffu, x, 1);  // BUG: 8
  return x + __shfl_sync(0xffffffffu, x, 1);
}

extern "C" __global__ void __launch_bounds__(THREADS)
row_sums(const float* x, float* y, int rows, int cols) {
  __shared__ float part[THREADS];
  const int thread = threadIdx.x;
  for (int row = blockIdx.x; row < rows; row += gridDim.x) {
    float sum = 0;
    const int end = BUG == GUARD_OFF_BY_ONE ? cols + 1 : cols;
    for (int j = thread; j < end; j += THREADS) sum += x[row * cols + j];  // BUG: 7
    if (BUG != UNINITIALISED_SHARED_READ || thread < cols) part[thread] = sum;  // BUG: 1 6
    if (BUG != MISSING_BARRIER) __syncthreads();
    for (int half = THREADS / 2; half > 32; half /= 2) {
      if (thread < half) {
        part[thread] += part[thread + half];  // BUG: 1 5
        if (BUG == DIVERGENT_BARRIER) __syncthreads();  // BUG: 2
      }
      if (BUG != DIVERGENT_BARRIER) __syncthreads();
    }
    if (thread < 32) {
      sum = sum_of_64(part, thread);
      if (thread == 0) y[row] = sum;
    }
    if (BUG != MISSING_BARRIER_BEFORE_REUSE) __syncthreads();
  }
}
