// c = a b + bias on the matrix units, and the bugs that such a kernel can have.
//
// a (M, K), b (K, N), bias (N,), c (M, N): float32, row-major; K and N multiples of 4, arrays
// aligned to 16 bytes. 64 x 32 outputs a block of 4 warps; two stages of tiles in shared memory.
// BUG 0 is right. A line that a report should name ends in `// BUG: n`, with the numbers of the
// bugs that it is reported for.
#include "async_copy.cuh"
#include "mma.cuh"

constexpr int TILE_M = 64;
constexpr int TILE_N = 32;
constexpr int TILE_K = 16;
constexpr int THREADS = 128;
constexpr int MISSING_BARRIER_BEFORE_USE = 1;
constexpr int MISSING_BARRIER_BEFORE_OVERWRITE = 2;
constexpr int WRONG_WAIT_COUNT = 3;
constexpr int GUARD_OFF_BY_ONE = 4;
constexpr int WRITE_PAST_THE_END = 5;
constexpr int MISALIGNED_VECTOR_ACCESS = 6;
constexpr int MISSING_TF32_ROUNDING = 7;
constexpr int SWAPPED_FRAGMENTS = 8;
constexpr int UNINITIALISED_SHARED_READ = 9;
constexpr int READ_PAST_THE_END = 10;

// Rows of a tile are padded, so that the lanes of a fragment read different banks.
constexpr int A_PITCH = TILE_K + (BUG == MISALIGNED_VECTOR_ACCESS ? 1 : 4);
constexpr int B_PITCH = TILE_N + 8;

struct Tiles {
  float a[TILE_M][A_PITCH];
  float b[TILE_K][B_PITCH];
};

__device__ inline void copy_tiles(Tiles& tiles, const float* a, const float* b, int M, int N, int K,
                                  int m0, int n0, int k0) {
  for (int i = 4 * threadIdx.x; i < TILE_M * TILE_K; i += 4 * THREADS) {
    const int row = i / TILE_K, col = i % TILE_K, m = m0 + row, k = k0 + col;
    const bool inside = (m < M || BUG == READ_PAST_THE_END) && k < K;
    if (BUG == UNINITIALISED_SHARED_READ && !inside) continue;  // should become zeros
    const float* source = inside ? a + m * K + k : a;
    copy_async_16(&tiles.a[row][col], source, inside);  // BUG: 2 6 10
  }
  for (int i = 4 * threadIdx.x; i < TILE_K * TILE_N; i += 4 * THREADS) {
    const int row = i / TILE_N, col = i % TILE_N, k = k0 + row, n = n0 + col;
    const bool inside = k < K && n < N;
    if (BUG == UNINITIALISED_SHARED_READ && !inside) continue;
    const float* source = inside ? b + k * N + n : b;
    copy_async_16(&tiles.b[row][col], source, inside);  // BUG: 2
  }
}

// d += one tile's part of this warp's 16 x 32 outputs: four fragments of 16 x 8.
__device__ inline void multiply(float (&d)[4][4], const Tiles& tiles, int row, int g, int t) {
  for (int k = 0; k < TILE_K; k += 8) {
    unsigned a[4];
    for (int q = 0; q < 4; ++q) {
      const float value = tiles.a[row + q % 2 * 8 + g][k + q / 2 * 4 + t];  // BUG: 1 2 3 9
      a[q] = BUG == MISSING_TF32_ROUNDING ? __float_as_uint(value) : to_tf32(value);
    }
    for (int j = 0; j < 4; ++j) {
      unsigned b[2];
      for (int q = 0; q < 2; ++q) {
        const int half = BUG == SWAPPED_FRAGMENTS ? 1 - q : q;
        b[q] = to_tf32(tiles.b[k + half * 4 + t][8 * j + g]);  // BUG: 1 2 3 9
      }
      mma_tf32(d[j], a, b);  // BUG: 7
    }
  }
}

extern "C" __global__ void __launch_bounds__(THREADS)
gemm(const float* a, const float* b, const float* bias, float* c, int M, int N, int K) {
  __shared__ __align__(16) Tiles tiles[2];
  const int m0 = blockIdx.x * TILE_M, n0 = blockIdx.y * TILE_N;
  const int row = threadIdx.x / 32 * 16, g = threadIdx.x % 32 / 4, t = threadIdx.x % 4;

  float d[4][4] = {};
  copy_tiles(tiles[0], a, b, M, N, K, m0, n0, 0);
  copy_async_commit();
  for (int k0 = 0, stage = 0; k0 < K; k0 += TILE_K, stage ^= 1) {
    if (k0 + TILE_K < K) copy_tiles(tiles[stage ^ 1], a, b, M, N, K, m0, n0, k0 + TILE_K);
    copy_async_commit();
    copy_async_wait<BUG == WRONG_WAIT_COUNT ? 2 : 1>();
    if (BUG != MISSING_BARRIER_BEFORE_USE) __syncthreads();
    multiply(d, tiles[stage], row, g, t);
    if (BUG != MISSING_BARRIER_BEFORE_OVERWRITE) __syncthreads();
  }

  for (int j = 0; j < 4; ++j)
    for (int q = 0; q < 4; ++q) {
      const int m = m0 + row + q / 2 * 8 + g, n = n0 + 8 * j + 2 * t + q % 2;
      const bool off_by_one = BUG == GUARD_OFF_BY_ONE && m == M;
      if ((m < M || off_by_one || BUG == WRITE_PAST_THE_END) && n < N)
        c[m * N + n] = d[j][q] + bias[n];  // BUG: 4 5
    }
}
