// One operand's tiles of a product: copied asynchronously to shared memory, read from there 16 bytes
// at a time without bank conflicts.
//
// A warp takes its operand in groups of 8 WIDTH rows of the product (columns, for the right operand)
// and slabs of 16 along k. A fragment is what mma.sync's lane group g = 0…7 and t = 0…3 owns; which
// rows and which k they stand for is free, as long as both operands and the result agree. Here, of
// a group and a slab, lane (g, t) owns rows first_row(g) … + WIDTH - 1 and k = 4t … 4t + 3: whole
// 16-byte chunks, whichever way the operand lies.
//
// The tile is kept the way it lies in device memory, so that chunks are copied as they are, but the
// chunks of each 128 bytes (all banks, once) change places: those that eight lanes read together,
// the 4 t of two g, lie in different banks.
//
//     K_CONTIGUOUS, WIDTH 4: a row of the tile is 32 floats along k, 8 chunks, all 32 banks once.
//     Which chunk of k lies in which place (banks 4 place ... 4 place + 3):
//
//         place         0 1 2 3 4 5 6 7
//         rows  0 -  3  0 1 2 3 4 5 6 7
//         rows  4 -  7  1 0 3 2 5 4 7 6
//         rows  8 - 11  2 3 0 1 6 7 4 5
//         rows 12 - 15  3 2 1 0 7 6 5 4
//         rows 16 - 19  4 5 6 7 0 1 2 3
//         rows 20 - 23  5 4 7 6 1 0 3 2
//         rows 24 - 27  6 7 4 5 2 3 0 1
//         rows 28 - 31  7 6 5 4 3 2 1 0
//
//     What the lanes read at once of slab 0 for the matrix units, each the chunk t of its row: a
//     16-byte load goes by quarters of a warp, and in each the eight lanes have eight places
//
//         lanes     0  1  2  3    4  5  6  7  |  8  9 10 11   12 13 14 15  |  16 ...
//         g, row    0, row 0      1, row 16   |  2, row 4     3, row 20    |  4, row 8 ...
//         chunk     0  1  2  3    0  1  2  3  |  0  1  2  3    0  1  2  3  |
//         place     0  1  2  3    4  5  6  7  |  1  0  3  2    5  4  7  6  |
//
//     Along the side instead (not K_CONTIGUOUS) a row of the tile is one k, lane (g, t) reads the
//     chunk g / 2 + 4 (g % 2) of the rows k = 4 t ... 4 t + 3, and the places are the same: the
//     chunk by the k / 4 of its row.
#pragma once
#include "async_copy.cuh"
#include "vector.cuh"

constexpr int SLAB = 16;

// WIDTH 4: the columns of D that four lanes hold for one of its registers are 16 in a row.
template <int WIDTH>
__device__ constexpr int first_row(int g) {
  return WIDTH == 4 ? 4 * (g / 2 + g % 2 * 4) : WIDTH * g;
}

// SIDE: rows of the product in a tile; GROUP of them are a warp's at once. DEPTH: along k.
template <int SIDE, int GROUP, int DEPTH, int THREADS, bool K_CONTIGUOUS>
struct OperandTile {
  static constexpr int WIDTH = GROUP / 8;
  static constexpr int ROWS = K_CONTIGUOUS ? SIDE : DEPTH;
  static constexpr int COLS = K_CONTIGUOUS ? DEPTH : SIDE;
  static constexpr int FLOATS = SIDE * DEPTH;
  static_assert(WIDTH == 4 || (WIDTH == 2 && SIDE == GROUP), "fragments of 4 or 2 rows a lane");
  static_assert(COLS % 32 == 0 || WIDTH == 2, "a row is whole 128 bytes");

  const float* matrix;  // side x k if K_CONTIGUOUS, else k x side
  int rows, cols;
  int origin;           // of this block's tile, along the side
  bool vectors;         // 16-byte copies are legal

  __device__ OperandTile(const float* matrix, int side, int k, int origin)
      : matrix(matrix), rows(K_CONTIGUOUS ? side : k), cols(K_CONTIGUOUS ? k : side),
        origin(origin), vectors(cols % 4 == 0 && aligned_16(matrix)) {}

  // Where an element of the tile lies in shared memory.
  static __device__ int place(int row, int col) {
    int flip = row / 4 % 8;
    if (WIDTH == 2) flip = K_CONTIGUOUS ? row / 4 % 4 + row / 2 % 2 * 4 : row / 4 % 4 * 2;
    return ((row * COLS + col) / 4 ^ flip) * 4 + col % 4;
  }

  static __device__ float at(const float* tile, int side, int k) {
    return tile[K_CONTIGUOUS ? place(side, k) : place(k, side)];
  }

  // Begin to copy the tile that starts at k0; what lies outside the matrix becomes zero.
  __device__ void copy(float* tile, int k0) const {
    if (vectors) copy_by<4>(tile, k0);
    else copy_by<1>(tile, k0);
  }

  template <int FLOATS_AT_ONCE>
  __device__ void copy_by(float* tile, int k0) const {
    constexpr int STEP = THREADS * FLOATS_AT_ONCE / COLS;  // rows that the block copies at once
    static_assert(ROWS % STEP == 0, "all threads copy alike");
    const int first = threadIdx.x * FLOATS_AT_ONCE / COLS;
    const int c = threadIdx.x * FLOATS_AT_ONCE % COLS;
    const int row0 = K_CONTIGUOUS ? origin : k0, col = c + (K_CONTIGUOUS ? k0 : origin);
    const float* source = matrix + static_cast<long long>(row0 + first) * cols + col;
#pragma unroll FLOATS_AT_ONCE == 4 ? 8 : 2
    for (int i = 0; i < ROWS / STEP; ++i) {
      const int r = first + i * STEP;
      const bool inside = row0 + r < rows && col < cols;
      copy_async<FLOATS_AT_ONCE>(tile + place(r, c), inside ? source : matrix, inside);
      source += static_cast<long long>(STEP) * cols;
    }
  }

  // values[i][c]: row first_row(g) + i of the group that starts at `row`, k = 4t + c of the slab.
  static __device__ void read(const float* tile, int row, int slab, int g, int t,
                              float (&values)[WIDTH][4]) {
    row += first_row<WIDTH>(g);
    const int k = slab * SLAB + 4 * t;
    if constexpr (K_CONTIGUOUS) {
#pragma unroll
      for (int i = 0; i < WIDTH; ++i) {
        const auto along_k = load<4>(tile + place(row, k) + i * COLS);
        for (int c = 0; c < 4; ++c) values[i][c] = along_k.at[c];
      }
    } else {
#pragma unroll
      for (int c = 0; c < 4; ++c) {
        const int at = WIDTH == 4 ? place(k, row) + c * COLS : place(k + c, row);
        const auto along_row = load<WIDTH>(tile + at);
        for (int i = 0; i < WIDTH; ++i) values[i][c] = along_row.at[i];
      }
    }
  }
};
