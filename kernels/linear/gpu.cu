// linear, C++ variant: tiled products through shared memory, on the matrix units or by plain FMA.
//
// Maths:        forward     y  = f(x w + b), and z = x w + b where the caller wants it
//               backward_dx dx = (dz w^T) f'(s), s being what the layer before kept (y or z)
//               backward_dw dw = x^T dz, db = sum of the rows of dz
//               each is C = A B of M x N over K with another epilogue.
// Shapes:       forward M, N, K = B, O, I; backward_dx B, I, O; backward_dw I, O, B. x (B, I),
//               w (I, O), dz (B, O); float32, row-major, contiguous.
// Traffic:      a block reads (TILE_M + TILE_N) K floats and writes TILE_M TILE_N, so A is read
//               N / TILE_N times and B M / TILE_M times; 2 M N K operations.
// Launch:       grid (M / TILE_M, N / TILE_N) rounded up, THREADS threads: 4 warps of 32 x 32
//               outputs; shared memory 2 stages of both tiles, at most 40,960 bytes, static.
// Requirements: none on sizes or alignment: 16-byte copies where the rows of an operand are
//               multiples of 16 bytes and it starts on one, else 4-byte copies. M, N, K >= 1 and
//               N <= 65535 TILE_N, which kernels/linear/__init__.py guarantees.
// Numerics:     PRECISION FLOAT32: fmaf, ascending k. TF32, BFLOAT16: operands rounded to nearest,
//               products accumulated in float32. db is always float32. No atomics: the same input
//               gives the same bits.
// Source:       tiling as in CUTLASS (Thakkar et al.) and SGEMM_CUDA (Boehm 2022); fragments as
//               in mma.cuh.
#include "async_copy.cuh"
#include "mma.cuh"
#include "vector.cuh"

enum Precision { FLOAT32, TF32, BFLOAT16 };

constexpr int TILE_M = 64;
constexpr int TILE_N = 64;
constexpr int TILE_K = 32;
constexpr int THREADS = 128;
static_assert(TILE_M == TILE_N, "Operand::SIDE serves both operands");

extern "C" __device__ float activation(float z);
extern "C" __device__ float activation_derivative(float s);

// One operand's tile in shared memory: SIDE rows of the product by TILE_K, kept the way it lies in
// device memory, so that whole rows can be copied. The padding puts the 32 elements that a warp
// reads for one fragment register into 32 different banks.
template <bool K_CONTIGUOUS>
struct Operand {
  static constexpr int SIDE = TILE_M;
  static constexpr int ROWS = K_CONTIGUOUS ? SIDE : TILE_K;
  static constexpr int COLS = K_CONTIGUOUS ? TILE_K : SIDE;
  static constexpr int PITCH = COLS + (K_CONTIGUOUS == (PRECISION == BFLOAT16) ? 8 : 4);
  static constexpr int FLOATS = ROWS * PITCH;

  const float* matrix;  // side x k if K_CONTIGUOUS, else k x side
  int rows, cols;
  int origin;           // of this block's tile, along the side
  bool vectors;         // 16-byte copies are legal

  __device__ Operand(const float* matrix, int side, int k, int origin)
      : matrix(matrix), rows(K_CONTIGUOUS ? side : k), cols(K_CONTIGUOUS ? k : side),
        origin(origin), vectors(cols % 4 == 0 && aligned_16(matrix)) {}

  // Begin to copy the tile that starts at k0; what lies outside the matrix becomes zero.
  __device__ void copy(float* tile, int k0) const {
    const int row0 = K_CONTIGUOUS ? origin : k0, col0 = K_CONTIGUOUS ? k0 : origin;
    const int width = vectors ? 4 : 1;
    for (int i = threadIdx.x * width; i < ROWS * COLS; i += THREADS * width) {
      const int r = i / COLS, c = i % COLS, row = row0 + r, col = col0 + c;
      const bool inside = row < rows && col < cols;
      const float* source = inside ? matrix + static_cast<long long>(row) * cols + col : matrix;
      if (vectors) copy_async_16(tile + r * PITCH + c, source, inside);
      else copy_async_4(tile + r * PITCH + c, source, inside);
    }
  }

  static __device__ float at(const float* tile, int side, int k) {
    return K_CONTIGUOUS ? tile[side * PITCH + k] : tile[k * PITCH + side];
  }
};

// What one lane accumulates of its warp's 32 x 32 outputs, laid out as mma.sync's D: 2 x 4
// fragments of 16 x 8. The FLOAT32 path uses the same layout, so one epilogue serves all.
struct Accumulator {
  float d[2][4][4] = {};
  int row, col, g, t;  // of the warp in the tile; of the lane in the warp

  __device__ Accumulator() {
    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    row = warp / 2 * 32, col = warp % 2 * 32, g = lane / 4, t = lane % 4;
  }

  template <class A, class B>
  __device__ void multiply(const float* a, const float* b) {
    if constexpr (PRECISION == FLOAT32) multiply_float32<A, B>(a, b);
    if constexpr (PRECISION == TF32) multiply_tf32<A, B>(a, b);
    if constexpr (PRECISION == BFLOAT16) multiply_bfloat16<A, B>(a, b);
  }

  template <class A, class B>
  __device__ void multiply_float32(const float* a, const float* b) {
#pragma unroll 8
    for (int k = 0; k < TILE_K; ++k) {
      float left[4], right[8];
      for (int i = 0; i < 4; ++i) left[i] = A::at(a, row + 8 * i + g, k);
      for (int j = 0; j < 8; ++j) right[j] = B::at(b, col + j / 2 * 8 + 2 * t + j % 2, k);
      for (int i = 0; i < 4; ++i)
        for (int j = 0; j < 8; ++j)
          d[i / 2][j / 2][i % 2 * 2 + j % 2] =
              fmaf(left[i], right[j], d[i / 2][j / 2][i % 2 * 2 + j % 2]);
    }
  }

  template <class A, class B>
  __device__ void multiply_tf32(const float* a, const float* b) {
#pragma unroll
    for (int k = 0; k < TILE_K; k += 8) {
      unsigned left[2][4], right[4][2];
      for (int i = 0; i < 2; ++i)
        for (int q = 0; q < 4; ++q)
          left[i][q] = to_tf32(A::at(a, row + 16 * i + q % 2 * 8 + g, k + q / 2 * 4 + t));
      for (int j = 0; j < 4; ++j)
        for (int q = 0; q < 2; ++q) right[j][q] = to_tf32(B::at(b, col + 8 * j + g, k + q * 4 + t));
      for (int i = 0; i < 2; ++i)
        for (int j = 0; j < 4; ++j) mma_tf32(d[i][j], left[i], right[j]);
    }
  }

  template <class A, class B>
  __device__ void multiply_bfloat16(const float* a, const float* b) {
#pragma unroll
    for (int k = 0; k < TILE_K; k += 16) {
      unsigned left[2][4], right[4][2];
      for (int i = 0; i < 2; ++i)
        for (int q = 0; q < 4; ++q) {
          const int m = row + 16 * i + q % 2 * 8 + g, kk = k + q / 2 * 8 + 2 * t;
          left[i][q] = to_bf16x2(A::at(a, m, kk), A::at(a, m, kk + 1));
        }
      for (int j = 0; j < 4; ++j)
        for (int q = 0; q < 2; ++q) {
          const int n = col + 8 * j + g, kk = k + q * 8 + 2 * t;
          right[j][q] = to_bf16x2(B::at(b, n, kk), B::at(b, n, kk + 1));
        }
      for (int i = 0; i < 2; ++i)
        for (int j = 0; j < 4; ++j) mma_bf16(d[i][j], left[i], right[j]);
    }
  }

  // store(m, n, value) for every output of this lane that lies inside M x N. Unrolled, or d would
  // be indexed by variables, and so lie in local memory.
  template <class Store>
  __device__ void finish(int M, int N, Store store) const {
#pragma unroll
    for (int i = 0; i < 2; ++i)
#pragma unroll
      for (int j = 0; j < 4; ++j)
#pragma unroll
        for (int q = 0; q < 4; ++q) {
          const int m = blockIdx.x * TILE_M + row + 16 * i + q / 2 * 8 + g;
          const int n = blockIdx.y * TILE_N + col + 8 * j + 2 * t + q % 2;
          if (m < M && n < N) store(m, n, d[i][j][q]);
        }
  }
};

// C = A B for this block's tile. The next tile is on its way while this one is multiplied.
// each_tile(B's tile in shared memory) sees every tile once.
template <class A, class B, class EachTile>
__device__ Accumulator product(A a, B b, int K, EachTile each_tile) {
  __shared__ __align__(16) float a_tiles[2][A::FLOATS];
  __shared__ __align__(16) float b_tiles[2][B::FLOATS];
  Accumulator sum;
  a.copy(a_tiles[0], 0);
  b.copy(b_tiles[0], 0);
  copy_async_commit();
  for (int k0 = 0, stage = 0; k0 < K; k0 += TILE_K, stage ^= 1) {
    if (k0 + TILE_K < K) {
      a.copy(a_tiles[stage ^ 1], k0 + TILE_K);
      b.copy(b_tiles[stage ^ 1], k0 + TILE_K);
    }
    copy_async_commit();  // possibly empty, so that "all but the newest" is always this tile
    copy_async_wait<1>();
    __syncthreads();      // everybody's copies of this tile have landed
    sum.multiply<A, B>(a_tiles[stage], b_tiles[stage]);
    each_tile(b_tiles[stage]);
    __syncthreads();      // nobody reads this tile any more: it may be overwritten
  }
  return sum;
}

extern "C" __global__ void __launch_bounds__(THREADS)
linear_forward(const float* x, const float* w, const float* b, float* z, float* y,
               int M, int N, int K) {
  Operand<true> left(x, M, K, blockIdx.x * TILE_M);
  Operand<false> right(w, N, K, blockIdx.y * TILE_N);
  product(left, right, K, [](const float*) {}).finish(M, N, [=](int m, int n, float sum) {
    const long long at = static_cast<long long>(m) * N + n;
    if (b) sum += b[n];
    if (z) z[at] = sum;
    y[at] = activation(sum);
  });
}

extern "C" __global__ void __launch_bounds__(THREADS)
linear_backward_dx(const float* dz, const float* w, const float* s, float* dx,
                   int M, int N, int K) {
  Operand<true> left(dz, M, K, blockIdx.x * TILE_M);
  Operand<true> right(w, N, K, blockIdx.y * TILE_N);
  product(left, right, K, [](const float*) {}).finish(M, N, [=](int m, int n, float sum) {
    const long long at = static_cast<long long>(m) * N + n;
    dx[at] = s ? sum * activation_derivative(s[at]) : sum;
  });
}

extern "C" __global__ void __launch_bounds__(THREADS)
linear_backward_dw(const float* x, const float* dz, float* dw, float* db, int M, int N, int K) {
  using Right = Operand<false>;
  Operand<false> left(x, M, K, blockIdx.x * TILE_M);
  Right right(dz, N, K, blockIdx.y * TILE_N);
  float column = 0;  // the first row of blocks sums dz, a thread a column, from the tiles it has
  const bool sums = db && blockIdx.x == 0 && threadIdx.x < TILE_N;
  product(left, right, K, [&](const float* tile) {
    if (sums)
      for (int k = 0; k < TILE_K; ++k) column += Right::at(tile, threadIdx.x, k);
  }).finish(M, N, [=](int m, int n, float sum) { dw[static_cast<long long>(m) * N + n] = sum; });
  const int n = blockIdx.y * TILE_N + threadIdx.x;
  if (sums && n < N) db[n] = column;
}
