// linear, rung 5 of the ladder: 16 bytes at a time, from device memory, from shared memory and back.
//
// Against rung 4 a thread's 4 x 4 outputs are neighbours, and x's tile is kept transposed, so that
// its 4 floats of either tile are one load in place of four. The bytes are the same; the memory
// instructions are a quarter. What transposing costs shows as bank conflicts: the four floats that
// were loaded together along k are stored to four rows of the tile. A pad of 4 floats a row halves
// them; rung 6 has none.
//
//     x_tile[k][m]: lanes 0 1 2 3 of a warp hold k = 0-3, 4-7, 8-11, 12-15 of one m, lanes 4 5 6 7
//     those of the next: at each of 4 stores the lanes write rows i, 4 + i, 8 + i, 12 + i, which the
//     pad lays 16 banks apart; two of the four meet in one bank
//
// Maths:        y = f(x w + b), and z = x w + b where the caller wants it.
// Shapes:       M, N, K = B, O, I: x (M, K), w (K, N), b (N,), z and y (M, N); float32, row-major,
//               contiguous. b and z may be null.
// Traffic:      a block of 64 x 64 outputs reads 128 K floats and each output its bias.
//               M 128, N 128, K 784: 8 M N K / 64 + 8 M N = 1,736,704 bytes, 0.36 µs at 4.8 TB/s.
// Launch:       grid (M / 64, N / 64) rounded up, 16 x 16 threads; 8,448 bytes of shared memory.
// Requirements: none on sizes or alignment: 16-byte accesses where the rows of an array are
//               multiples of 16 bytes and it starts on one, else 4-byte ones; N <= 64 * 65535,
//               which kernels/ops/linear/ladder.py checks.
// Numerics:     fmaf in ascending k; no atomics.
// Source:       Boehm, How to optimize a CUDA matmul kernel, 2022, kernel 6.
#include "vector.cuh"

extern "C" __device__ float activation(float z);

constexpr int DEPTH = 16, PAD = 4;
constexpr int ACROSS = 16, EACH = SIDE / ACROSS;
static_assert(EACH == 4 && SIDE * DEPTH == 4 * ACROSS * ACROSS, "a thread copies four of a tile");

// Four floats of a row-major matrix from (row, col) on; what lies outside is zero.
__device__ Floats<4> four(const float* matrix, int rows, int cols, long long row, int col) {
  Floats<4> values = {};
  const float* place = matrix + row * cols + col;
  if (row >= rows || col >= cols) return values;
  if (cols % 4 == 0 && aligned_16(matrix)) return load<4>(place);
  for (int i = 0; i < 4; ++i)
    if (col + i < cols) values.at[i] = place[i];
  return values;
}

extern "C" __global__ void __launch_bounds__(THREADS)
linear_forward(const float* x, const float* w, const float* b, float* z, float* y,
               int M, int N, int K) {
  __shared__ __align__(16) float x_tile[DEPTH][SIDE + PAD], w_tile[DEPTH][SIDE];
  const int tx = threadIdx.x, ty = threadIdx.y, thread = ty * ACROSS + tx;
  const int m0 = blockIdx.x * SIDE, n0 = blockIdx.y * SIDE;
  Floats<4> sum[EACH] = {};
  for (int k0 = 0; k0 < K; k0 += DEPTH) {
    const int row = thread / 4, k = thread % 4 * 4;  // of x's tile; of w's: ty and 4 tx
    const auto of_x = four(x, M, K, m0 + row, k0 + k);
    for (int i = 0; i < 4; ++i) x_tile[k + i][row] = of_x.at[i];
    store(&w_tile[ty][4 * tx], four(w, K, N, k0 + ty, n0 + 4 * tx));
    __syncthreads();
    for (int k = 0; k < DEPTH; ++k) {
      const auto from_x = load<4>(&x_tile[k][4 * ty]), from_w = load<4>(&w_tile[k][4 * tx]);
      for (int i = 0; i < EACH; ++i)
        for (int j = 0; j < 4; ++j) sum[i].at[j] += from_x.at[i] * from_w.at[j];
    }
    __syncthreads();
  }
  const bool vectors = N % 4 == 0 && aligned_16(b) && aligned_16(z) && aligned_16(y);
  const int n = n0 + 4 * tx;
  for (int i = 0; i < EACH; ++i) {
    const long long m = m0 + 4 * ty + i, at = m * N + n;
    if (m >= M || n >= N) continue;
    if (vectors) {
      if (b) add(sum[i], load<4>(b + n));
      if (z) store(z + at, sum[i]);
      for (float& value : sum[i].at) value = activation(value);
      store(y + at, sum[i]);
    } else {
      for (int j = 0; j < 4 && n + j < N; ++j) {
        const float value = b ? sum[i].at[j] + b[n + j] : sum[i].at[j];
        if (z) z[at + j] = value;
        y[at + j] = activation(value);
      }
    }
  }
}
