// A warp's part of a product, in registers: ROWS x COLS outputs, summed slab by slab from the tiles of
// operand_tile.cuh, on the matrix units or by plain FMA.
//
// d[i][j] is laid out as mma.sync's D. The rows and columns that it stands for follow from what
// operand_tile.cuh lets a lane own; the FLOAT32 path uses the same, so that one epilogue serves all.
#pragma once
#include "mma.cuh"
#include "operand_tile.cuh"

template <int PRECISION, int ROWS, int COLS, class A, class B>
struct WarpProduct {
  static constexpr int GROUPS = ROWS / 32;  // of rows, A's WIDTH being 4
  static constexpr int WIDTH = B::WIDTH;
  static_assert(A::WIDTH == 4 && COLS == 8 * WIDTH, "one group of columns");

  int row, col;        // of the warp in the tile
  int g, t;            // of the lane in the warp
  float d[2 * GROUPS][WIDTH][4] = {};

  __device__ WarpProduct(int row, int col)
      : row(row), col(col), g(threadIdx.x % 32 / 4), t(threadIdx.x % 4) {}

  __device__ void multiply(const float* a, const float* b, int slab) {
    if constexpr (PRECISION == FLOAT32) multiply_float32(a, b, slab);
    if constexpr (PRECISION == TF32) multiply_tf32(a, b, slab);
    if constexpr (PRECISION == BFLOAT16) multiply_halves<to_bf16x2, mma_bf16>(a, b, slab);
    if constexpr (PRECISION == FLOAT16) multiply_halves<to_f16x2, mma_f16>(a, b, slab);
  }

  // A lane's 4 rows of each group are those of its g; its columns those that D's registers stand for.
  __device__ void multiply_float32(const float* a, const float* b, int slab) {
#pragma unroll
    for (int four = 0; four < 4; ++four) {  // k = 4 four … + 3 of the slab
      float left[GROUPS][4][4], right[2][WIDTH][4];
      for (int p = 0; p < 2; ++p) B::read(b, col, slab, 2 * t + p, four, right[p]);
#pragma unroll
      for (int group = 0; group < GROUPS; ++group)
        A::read(a, row + 32 * group, slab, g, four, left[group]);
#pragma unroll
      for (int c = 0; c < 4; ++c)
#pragma unroll
        for (int i = 0; i < 2 * GROUPS; ++i)
#pragma unroll
          for (int j = 0; j < WIDTH; ++j)
#pragma unroll
            for (int q = 0; q < 4; ++q)
              d[i][j][q] =
                  fmaf(left[i / 2][i % 2 * 2 + q / 2][c], right[q % 2][j][c], d[i][j][q]);
    }
  }

  // Two steps of 8 along k: D's t and t + 4 stand for k = 4t, 4t + 1, then for 4t + 2, 4t + 3.
  __device__ void multiply_tf32(const float* a, const float* b, int slab) {
    float of_b[WIDTH][4];
    B::read(b, col, slab, g, t, of_b);
    unsigned right[2][WIDTH][2];
#pragma unroll
    for (int j = 0; j < WIDTH; ++j)
      for (int c = 0; c < 4; ++c) right[c / 2][j][c % 2] = to_tf32(of_b[j][c]);
#pragma unroll
    for (int group = 0; group < GROUPS; ++group) {
      float of_a[4][4];
      A::read(a, row + 32 * group, slab, g, t, of_a);
#pragma unroll
      for (int step = 0; step < 2; ++step)
#pragma unroll
        for (int i = 0; i < 2; ++i) {
          unsigned left[4];
          for (int q = 0; q < 4; ++q) left[q] = to_tf32(of_a[2 * i + q % 2][2 * step + q / 2]);
          for (int j = 0; j < WIDTH; ++j) mma_tf32(d[2 * group + i][j], left, right[step][j]);
        }
    }
  }

  // One step of 16: D's 2t, 2t + 1 stand for k = 4t, 4t + 1; its 2t + 8, 2t + 9 for 4t + 2, 4t + 3.
  // pack: two floats to a register of two halves.
  template <unsigned (*pack)(float, float),
            void (*mma)(float (&)[4], const unsigned (&)[4], const unsigned (&)[2])>
  __device__ void multiply_halves(const float* a, const float* b, int slab) {
    float of_b[WIDTH][4];
    B::read(b, col, slab, g, t, of_b);
    unsigned right[WIDTH][2];
#pragma unroll
    for (int j = 0; j < WIDTH; ++j)
      for (int q = 0; q < 2; ++q) right[j][q] = pack(of_b[j][2 * q], of_b[j][2 * q + 1]);
#pragma unroll
    for (int group = 0; group < GROUPS; ++group) {
      float of_a[4][4];
      A::read(a, row + 32 * group, slab, g, t, of_a);
#pragma unroll
      for (int i = 0; i < 2; ++i) {
        unsigned left[4];
        for (int q = 0; q < 4; ++q) {
          const float(&four)[4] = of_a[2 * i + q % 2];
          left[q] = pack(four[q / 2 * 2], four[q / 2 * 2 + 1]);
        }
        for (int j = 0; j < WIDTH; ++j) mma(d[2 * group + i][j], left, right[j]);
      }
    }
  }

  // put(m, n, four values from n on) for all outputs; m, n in the tile. Unrolled, or d would be
  // indexed by variables, and so lie in local memory.
  template <class Put>
  __device__ void each_four(Put put) const {
#pragma unroll
    for (int i = 0; i < 2 * GROUPS; ++i)
#pragma unroll
      for (int h = 0; h < 2; ++h) {
        const int m = row + i / 2 * 32 + first_row<4>(g) + i % 2 * 2 + h;
        if constexpr (WIDTH == 4) {
#pragma unroll
          for (int p = 0; p < 2; ++p)
            put(m, col + first_row<4>(2 * t + p),
                Floats<4>{d[i][0][2 * h + p], d[i][1][2 * h + p], d[i][2][2 * h + p],
                          d[i][3][2 * h + p]});
        } else {
          put(m, col + first_row<2>(2 * t),
              Floats<4>{d[i][0][2 * h], d[i][1][2 * h], d[i][0][2 * h + 1], d[i][1][2 * h + 1]});
        }
      }
  }
};
