// y = a b for a row a (K,) and b (K, N), K split over the blocks of a column, which add their parts
// in turn (a semaphore, so that the sums have one order). And the bugs of such a turn-taking.
// turn: gridDim.x integers, zero at first and at the end. BUG and `// BUG: n` as in gemm.cu.
constexpr int THREADS = 64;
constexpr int MISSING_FENCE = 1;
constexpr int MISSING_BARRIER_BEFORE_RELEASE = 2;
constexpr int MISSING_BARRIER_AFTER_ACQUIRE = 3;
constexpr int DEADLOCK = 4;
constexpr int PLAIN_POLL = 5;
constexpr int RELEASED_TOO_EARLY = 6;

extern "C" __global__ void __launch_bounds__(THREADS)
split_k(const float* a, const float* b, float* y, int* turn, int K, int N) {
  const int n = blockIdx.x * THREADS + threadIdx.x, slice = blockIdx.y, slices = gridDim.y;
  float sum = 0;
  if (n < N)
    for (int k = slice; k < K; k += slices) sum += a[k] * b[k * N + n];

  int* mine = turn + blockIdx.x;
  if (threadIdx.x == 0) {
    const int expected = BUG == DEADLOCK ? slice + 1 : slice;
    if (BUG == PLAIN_POLL) {
      while (*reinterpret_cast<volatile int*>(mine) != expected) {}
    } else {
      while (atomicAdd(mine, 0) != expected) {}  // BUG: 4
      __threadfence();
    }
  }
  if (BUG != MISSING_BARRIER_AFTER_ACQUIRE) __syncthreads();

  if (BUG == RELEASED_TOO_EARLY && threadIdx.x == 0) atomicExch(mine, (slice + 1) % slices);
  if (n < N) y[n] = slice == 0 ? sum : y[n] + sum;  // BUG: 1 2 3 5 6
  if (BUG != MISSING_BARRIER_BEFORE_RELEASE) __syncthreads();
  if (threadIdx.x == 0 && BUG != RELEASED_TOO_EARLY) {
    if (BUG != MISSING_FENCE) __threadfence();
    atomicExch(mine, (slice + 1) % slices);
  }
}
