// linear, rung 1 of the ladder: one thread an output, straight from device memory.
//
// The ladder climbs from here to gpu.cu, one idea a rung; `python -m bench ladder` counts what each
// idea saves. Here is the formula alone. What makes it slow is which outputs the lanes of a warp
// have: 32 rows of one column. Their loads of x and their stores of y lie a whole row apart, so that
// 32 sectors of 32 bytes are moved for 4 bytes of each.
//
// Maths:        y = f(x w + b), and z = x w + b where the caller wants it.
// Shapes:       M, N, K = B, O, I: x (M, K), w (K, N), b (N,), z and y (M, N); float32, row-major,
//               contiguous. b and z may be null.
// Traffic:      an output reads a row of x, a column of w and its bias.
//               M 128, N 128, K 784: 8 M N K + 8 M N = 102,891,520 bytes, 21.4 µs at 4.8 TB/s.
// Launch:       grid (M / 32, N / 8) rounded up, 32 x 8 threads; no shared memory.
// Requirements: none on sizes or alignment; N <= 8 * 65535, which kernels/ops/linear/ladder.py
//               checks.
// Numerics:     fmaf in ascending k; no atomics.
// Source:       Boehm, How to optimize a CUDA matmul kernel, 2022, kernel 1.
extern "C" __device__ float activation(float z);

extern "C" __global__ void __launch_bounds__(THREADS)
linear_forward(const float* x, const float* w, const float* b, float* z, float* y,
               int M, int N, int K) {
  const long long m = blockIdx.x * 32 + threadIdx.x, n = blockIdx.y * 8 + threadIdx.y;
  if (m >= M || n >= N) return;
  float sum = 0;
  for (int k = 0; k < K; ++k) sum += x[m * K + k] * w[static_cast<long long>(k) * N + n];
  if (b) sum += b[n];
  if (z) z[m * N + n] = sum;
  y[m * N + n] = activation(sum);
}
