// linear, rung 6 of the ladder: copies that run while the block multiplies.
//
// Against rung 5 the tiles come by cp.async, past the registers, into a ring of three stages: while
// one is multiplied, the two behind it are on their way, and a block no longer waits for device
// memory at every tile. One barrier a tile is enough in place of two, and x's tile stays the way it
// lies, so that nothing is transposed and no store meets another in a bank. For that a thread reads
// four floats along k of each of its 4 rows, and 4 x 4 x 4 multiply-adds come of 8 loads.
//
//     stage     0        1        2        0        1             the block waits until at most one
//     copy      tile 0   tile 1   tile 2   tile 3   tile 4        copy is under way, meets at the
//     multiply                    tile 0   tile 1   tile 2        barrier, begins the next copy,
//                                                                 multiplies
//
// gpu.cu goes on from here: tiles of a size that the product's own chooses, lanes laid out as the
// matrix units want them with the chunks of a tile swizzled for that (operand_tile.cuh), warps that
// share a tile's k, and a K that is split among blocks where these would be too few for the card.
//
// Maths:        y = f(x w + b), and z = x w + b where the caller wants it.
// Shapes:       M, N, K = B, O, I: x (M, K), w (K, N), b (N,), z and y (M, N); float32, row-major,
//               contiguous. b and z may be null.
// Traffic:      a block of 64 x 64 outputs reads 128 K floats and each output its bias.
//               M 128, N 128, K 784: 8 M N K / 64 + 8 M N = 1,736,704 bytes, 0.36 µs at 4.8 TB/s.
// Launch:       grid (M / 64, N / 64) rounded up, 16 x 16 threads; 24,576 bytes of shared memory.
// Requirements: none on sizes or alignment: 16-byte accesses where the rows of an array are
//               multiples of 16 bytes and it starts on one, else 4-byte ones; N <= 64 * 65535,
//               which kernels/ops/linear/ladder.py checks. sm_80 or newer.
// Numerics:     fmaf in ascending k; no atomics.
// Source:       CUDA C++ Programming Guide, asynchronous data copies.
#include "async_copy.cuh"
#include "vector.cuh"

extern "C" __device__ float activation(float z);

constexpr int DEPTH = 16, STAGES = 3;
constexpr int ACROSS = 16, EACH = SIDE / ACROSS, TILE = SIDE * DEPTH;
static_assert(EACH == 4 && TILE == 4 * ACROSS * ACROSS, "a thread copies four of a tile");

// Begin to copy four floats of a row-major matrix from (row, col) on; what lies outside is zero.
__device__ void copy_four(float* to, const float* matrix, int rows, int cols, int row, int col) {
  const float* place = matrix + static_cast<long long>(row) * cols + col;
  if (cols % 4 == 0 && aligned_16(matrix)) {
    const bool inside = row < rows && col < cols;
    copy_async<4>(to, inside ? place : matrix, inside);
  } else {
    for (int i = 0; i < 4; ++i) {
      const bool inside = row < rows && col + i < cols;
      copy_async<1>(to + i, inside ? place + i : matrix, inside);
    }
  }
}

extern "C" __global__ void __launch_bounds__(THREADS)
linear_forward(const float* x, const float* w, const float* b, float* z, float* y,
               int M, int N, int K) {
  __shared__ __align__(16) float x_tiles[STAGES][SIDE][DEPTH], w_tiles[STAGES][DEPTH][SIDE];
  const int tx = threadIdx.x, ty = threadIdx.y, thread = ty * ACROSS + tx;
  const int m0 = blockIdx.x * SIDE, n0 = blockIdx.y * SIDE, tiles = (K - 1) / DEPTH + 1;
  const auto copy = [&](int tile) {
    const int stage = tile % STAGES, row = thread / 4, k = thread % 4 * 4, k0 = tile * DEPTH;
    if (tile < tiles) {
      copy_four(&x_tiles[stage][row][k], x, M, K, m0 + row, k0 + k);
      copy_four(&w_tiles[stage][ty][4 * tx], w, K, N, k0 + ty, n0 + 4 * tx);
    }
    copy_async_commit();  // possibly empty, so that groups and tiles keep step
  };
  Floats<4> sum[EACH] = {};
  for (int tile = 0; tile < STAGES - 1; ++tile) copy(tile);
  for (int tile = 0; tile < tiles; ++tile) {
    copy_async_wait<STAGES - 2>();
    __syncthreads();  // this tile has landed, and nobody reads the one before any more
    copy(tile + STAGES - 1);
    const auto& x_tile = x_tiles[tile % STAGES];
    const auto& w_tile = w_tiles[tile % STAGES];
    for (int k = 0; k < DEPTH; k += 4) {
      Floats<4> from_x[EACH];
      for (int i = 0; i < EACH; ++i) from_x[i] = load<4>(&x_tile[EACH * ty + i][k]);
      for (int c = 0; c < 4; ++c) {
        const auto from_w = load<4>(&w_tile[k + c][4 * tx]);
        for (int i = 0; i < EACH; ++i)
          for (int j = 0; j < 4; ++j) sum[i].at[j] += from_x[i].at[c] * from_w.at[j];
      }
    }
  }
  const bool vectors = N % 4 == 0 && aligned_16(b) && aligned_16(z) && aligned_16(y);
  const int n = n0 + 4 * tx;
  for (int i = 0; i < EACH; ++i) {
    const long long m = m0 + EACH * ty + i, at = m * N + n;
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
