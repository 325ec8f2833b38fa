// linear, rung 2 of the ladder: a warp's 32 outputs stand side by side in a row.
//
// Against rung 1 only the roles of threadIdx.x and threadIdx.y are changed. The lanes of a warp now
// read 32 neighbours of w in 4 sectors, one float of x that they share in 1, and store y in 4: the
// bytes asked for are the same, the sectors moved are a sixth.
//
// Maths:        y = f(x w + b), and z = x w + b where the caller wants it.
// Shapes:       M, N, K = B, O, I: x (M, K), w (K, N), b (N,), z and y (M, N); float32, row-major,
//               contiguous. b and z may be null.
// Traffic:      an output reads a row of x, a column of w and its bias.
//               M 128, N 128, K 784: 8 M N K + 8 M N = 102,891,520 bytes, 21.4 µs at 4.8 TB/s.
// Launch:       grid (M / 8, N / 32) rounded up, 32 x 8 threads; no shared memory.
// Requirements: none on sizes or alignment; N <= 32 * 65535, which kernels/ops/linear/ladder.py
//               checks.
// Numerics:     fmaf in ascending k; no atomics.
// Source:       Boehm, How to optimize a CUDA matmul kernel, 2022, kernel 2.
extern "C" __device__ float activation(float z);

extern "C" __global__ void __launch_bounds__(THREADS)
linear_forward(const float* x, const float* w, const float* b, float* z, float* y,
               int M, int N, int K) {
  const long long m = blockIdx.x * 8 + threadIdx.y, n = blockIdx.y * 32 + threadIdx.x;
  if (m >= M || n >= N) return;
  float sum = 0;
  for (int k = 0; k < K; ++k) sum += x[m * K + k] * w[static_cast<long long>(k) * N + n];
  if (b) sum += b[n];
  if (z) z[m * N + n] = sum;
  y[m * N + n] = activation(sum);
}
