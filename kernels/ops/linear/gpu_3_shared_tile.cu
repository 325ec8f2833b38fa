// linear, rung 3 of the ladder: a block brings a tile of x and one of w to shared memory, and all of
// its threads read them there.
//
// Against rung 2 every float that is brought from device memory serves 32 outputs in place of one.
// Two barriers a tile are the price: one before the tile is read, one before the next overwrites it.
// A multiply-add still takes two loads, now from shared memory.
//
// Maths:        y = f(x w + b), and z = x w + b where the caller wants it.
// Shapes:       M, N, K = B, O, I: x (M, K), w (K, N), b (N,), z and y (M, N); float32, row-major,
//               contiguous. b and z may be null.
// Traffic:      a block of 32 x 32 outputs reads 64 K floats and each output its bias.
//               M 128, N 128, K 784: 8 M N K / 32 + 8 M N = 3,342,336 bytes, 0.70 µs at 4.8 TB/s.
// Launch:       grid (M / 32, N / 32) rounded up, 32 x 32 threads; 8,192 bytes of shared memory.
// Requirements: none on sizes or alignment; N <= 32 * 65535, which kernels/ops/linear/ladder.py
//               checks.
// Numerics:     fmaf in ascending k; no atomics.
// Source:       CUDA C++ Programming Guide, shared memory.
extern "C" __device__ float activation(float z);

extern "C" __global__ void __launch_bounds__(THREADS)
linear_forward(const float* x, const float* w, const float* b, float* z, float* y,
               int M, int N, int K) {
  __shared__ float x_tile[SIDE][SIDE], w_tile[SIDE][SIDE];
  const int row = threadIdx.y, col = threadIdx.x;
  const long long m = blockIdx.x * SIDE + row, n = blockIdx.y * SIDE + col;
  float sum = 0;
  for (int k0 = 0; k0 < K; k0 += SIDE) {
    x_tile[row][col] = m < M && k0 + col < K ? x[m * K + k0 + col] : 0;
    w_tile[row][col] = k0 + row < K && n < N ? w[static_cast<long long>(k0 + row) * N + n] : 0;
    __syncthreads();
    for (int k = 0; k < SIDE; ++k) sum += x_tile[row][k] * w_tile[k][col];
    __syncthreads();
  }
  if (m >= M || n >= N) return;
  if (b) sum += b[n];
  if (z) z[m * N + n] = sum;
  y[m * N + n] = activation(sum);
}
