// linear, C++ variant: tiled products through shared memory, on the matrix units or by plain FMA.
//
// Maths:        forward     y  = f(x w + b), and z = x w + b where the caller wants it
//               backward_dx dx = (dz w^T) f'(s), s being what the layer before kept (y or z)
//               backward_dw dw = x^T dz, db = sum of the rows of dz
//               each is C = A B of M x N over K with another epilogue.
// Shapes:       forward M, N, K = B, O, I; backward_dx B, I, O; backward_dw I, O, B. x (B, I),
//               w (I, O), dz (B, O); float32, row-major, contiguous. Of a K split S ways: partials
//               (M tiles, N tiles, S, TILE_M + 1, TILE_N) float32, arrived (M tiles, N tiles) int32,
//               zero before and after; null where S = 1.
// Traffic:      a block reads (TILE_M + TILE_N) K / S floats, so A is read N / TILE_N times and B
//               M / TILE_M times; 2 M N K operations. M N floats are written; of a split K, S whole
//               tiles of partials are written and read besides, and S atomic counts made a tile.
//               M 2,048, N 512, K 512, TILE_M 128, TILE_N 64: 4 K (M N / TILE_N + M N / TILE_M) + 4
//               M N = 54,525,952 bytes, 11.4 µs at 4.8 TB/s.
//               M 2,048, N 512, K 512: 2 M N K = 1,073,741,824 operations, 16.0 µs at 67 TFLOP/s.
// Launch:       grid (M / TILE_M, N / TILE_N, S), rounded up, THREADS threads; dynamic shared
//               memory as tiles.py says, where the tile, and S, are chosen from M, N and K. STAGES
//               tiles of either operand are in shared memory, all but one of them on their way;
//               one barrier a tile. WARPS_K warps share an output: each takes other slabs of k.
// Requirements: none on sizes or alignment: 16-byte copies where the rows of an operand are
//               multiples of 16 bytes and it starts on one, else 4-byte copies; 16-byte stores
//               likewise. M, N, K >= 1 and N <= 65535 TILE_N, which kernels/ops/linear/__init__.py
//               guarantees. Up to 97 KB of shared memory a block.
// Numerics:     PRECISION FLOAT32: fmaf. TF32, BFLOAT16, FLOAT16: operands rounded to nearest (to
//               FLOAT16: infinite from 65520 on), products accumulated in float32. db is always
//               float32. The order of the sums follows from M, N and K alone: no floating-point
//               atomics, and the parts of a split K are added in their order by the block that
//               happens to finish last.
// Source:       tiling as in CUTLASS (Thakkar et al.) and SGEMM_CUDA (Boehm 2022); the last block
//               adds as in CUDA's sample threadFenceReduction; fragments as in operand_tile.cuh.
enum Precision { FLOAT32, TF32, BFLOAT16, FLOAT16 };

#include "block_product.cuh"

extern "C" __device__ float activation(float z);
extern "C" __device__ float activation_derivative(float s);

extern "C" __global__ void __launch_bounds__(THREADS)
linear_forward(const float* x, const float* w, const float* __restrict__ b,
               float* __restrict__ z, float* __restrict__ y,
               int M, int N, int K, float* partials, int* arrived) {
  Left<true> left(x, M, K, blockIdx.x * TILE_M);
  Right<false> right(w, N, K, blockIdx.y * TILE_N);
  product(left, right, K, false);
  const int addends = complete(partials, arrived, false);
  if (addends == 0) return;
  const bool vectors = aligned_16(b) && aligned_16(z) && aligned_16(y);
  each_output<2>(M, N, vectors, addends, [=](long long at, int n, auto sum) {
    if (b) add(sum, load<sum.SIZE>(b + n));
    if (z) store(z + at, sum);
    for (float& value : sum.at) value = activation(value);
    store(y + at, sum);
  });
}

extern "C" __global__ void __launch_bounds__(THREADS)
linear_backward_dx(const float* dz, const float* w, const float* __restrict__ s,
                   float* __restrict__ dx,
                   int M, int N, int K, float* partials, int* arrived) {
  Left<true> left(dz, M, K, blockIdx.x * TILE_M);
  Right<true> right(w, N, K, blockIdx.y * TILE_N);
  product(left, right, K, false);
  const int addends = complete(partials, arrived, false);
  if (addends == 0) return;
  const bool vectors = aligned_16(s) && aligned_16(dx);
  each_output<4>(M, N, vectors, addends, [=](long long at, int, auto sum) {
    if (s) {
      const auto saved = load<sum.SIZE>(s + at);
      for (int i = 0; i < sum.SIZE; ++i) sum.at[i] *= activation_derivative(saved.at[i]);
    }
    store(dx + at, sum);
  });
}

extern "C" __global__ void __launch_bounds__(THREADS)
linear_backward_dw(const float* x, const float* dz, float* dw, float* db, int M, int N, int K,
                   float* partials, int* arrived) {
  Left<false> left(x, M, K, blockIdx.x * TILE_M);
  Right<false> right(dz, N, K, blockIdx.y * TILE_N);
  const bool sums = db && blockIdx.x == 0;  // the first row of blocks sums the dz that it has
  product(left, right, K, sums);
  const int addends = complete(partials, arrived, sums);
  if (addends == 0) return;
  each_output<2>(M, N, aligned_16(dw), addends,
                 [=](long long at, int, auto sum) { store(dw + at, sum); });
  const int n = blockIdx.y * TILE_N + threadIdx.x;
  if (sums && threadIdx.x < TILE_N && n < N)
    db[n] = result<1>(OUTPUTS + threadIdx.x, addends).at[0];
}
