// linear, rung 4 of the ladder: a thread has 4 x 4 outputs, whose sums stay in its registers.
//
// Against rung 3 a thread that has read 4 floats of x's tile and 4 of w's makes 16 multiply-adds of
// them in place of one of two: a quarter of the shared loads. A block of as many outputs a side as
// 64 also reads half as much from device memory.
//
//     the 64 x 64 outputs of a block: those of thread (tx, ty) stand 16 apart both ways, so that
//     the lanes of a warp, tx = 0 ... 15 of two ty, read and store neighbours
//
//              tx       tx + 16    tx + 32    tx + 48
//     ty       [0][0]   [0][1]     [0][2]     [0][3]       sum[i][j] is the output at row
//     ty + 16  [1][0]   [1][1]     ...                     ty + 16 i, column tx + 16 j
//     ty + 32  ...
//     ty + 48                                 [3][3]
//
// Maths:        y = f(x w + b), and z = x w + b where the caller wants it.
// Shapes:       M, N, K = B, O, I: x (M, K), w (K, N), b (N,), z and y (M, N); float32, row-major,
//               contiguous. b and z may be null.
// Traffic:      a block of 64 x 64 outputs reads 128 K floats and each output its bias.
//               M 128, N 128, K 784: 8 M N K / 64 + 8 M N = 1,736,704 bytes, 0.36 µs at 4.8 TB/s.
// Launch:       grid (M / 64, N / 64) rounded up, 16 x 16 threads; 8,192 bytes of shared memory.
// Requirements: none on sizes or alignment; N <= 64 * 65535, which kernels/ops/linear/ladder.py
//               checks.
// Numerics:     fmaf in ascending k; no atomics.
// Source:       Volkov and Demmel, Benchmarking GPUs to tune dense linear algebra, 2008.
extern "C" __device__ float activation(float z);

constexpr int DEPTH = 16;  // of a tile: along K; SIDE along M or N
constexpr int ACROSS = 16, EACH = SIDE / ACROSS;  // threads along a side; outputs of one

extern "C" __global__ void __launch_bounds__(THREADS)
linear_forward(const float* x, const float* w, const float* b, float* z, float* y,
               int M, int N, int K) {
  __shared__ float x_tile[SIDE][DEPTH], w_tile[DEPTH][SIDE];
  const int tx = threadIdx.x, ty = threadIdx.y, thread = ty * ACROSS + tx;
  const long long m0 = blockIdx.x * SIDE, n0 = blockIdx.y * SIDE;
  float sum[EACH][EACH] = {};
  for (int k0 = 0; k0 < K; k0 += DEPTH) {
    for (int i = thread; i < SIDE * DEPTH; i += ACROSS * ACROSS) {
      const long long m = m0 + i / DEPTH, k = k0 + i % DEPTH;
      x_tile[i / DEPTH][i % DEPTH] = m < M && k < K ? x[m * K + k] : 0;
    }
    for (int i = thread; i < DEPTH * SIDE; i += ACROSS * ACROSS) {
      const long long k = k0 + i / SIDE, n = n0 + i % SIDE;
      w_tile[i / SIDE][i % SIDE] = k < K && n < N ? w[k * N + n] : 0;
    }
    __syncthreads();
    for (int k = 0; k < DEPTH; ++k) {
      float from_x[EACH], from_w[EACH];
      for (int i = 0; i < EACH; ++i) from_x[i] = x_tile[ty + i * ACROSS][k];
      for (int j = 0; j < EACH; ++j) from_w[j] = w_tile[k][tx + j * ACROSS];
      for (int i = 0; i < EACH; ++i)
        for (int j = 0; j < EACH; ++j) sum[i][j] += from_x[i] * from_w[j];
    }
    __syncthreads();
  }
  for (int i = 0; i < EACH; ++i) {
    for (int j = 0; j < EACH; ++j) {
      const long long m = m0 + ty + i * ACROSS, n = n0 + tx + j * ACROSS;
      if (m >= M || n >= N) continue;
      if (b) sum[i][j] += b[n];
      if (z) z[m * N + n] = sum[i][j];
      y[m * N + n] = activation(sum[i][j]);
    }
  }
}
