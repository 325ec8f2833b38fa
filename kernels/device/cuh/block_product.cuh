// A block's tile of a product C = A B, through shared memory, and of a K that is split among blocks
// their sum; then each output goes to an epilogue.
//
// A kernel file names the values of Precision, includes this, and calls product, complete and
// each_output, by all threads of a block. What they rely on, and who guarantees it:
//
//     A         float32, M x K row-major for Left<true>, K x M for      the op's checks of shapes,
//     B         Left<false>; N x K for Right<true>, K x N for           dtypes and layouts
//               Right<false>; from any multiple of 4 bytes on
//     M, N, K   at least 1; N at most 65535 TILE_N                      the op's __init__.py
//     TILE      six numbers that fit each other                         static_assert, below
//     grid      (M / TILE_M, N / TILE_N) rounded up, any S >= 1         the op's launch; S by
//                                                                       tiles.py's choose
//     block     THREADS threads, in x alone                             Tile.threads
//     shared    SHARED_BYTES, dynamic, and no other dynamic array       Tile.shared_bytes
//     partials  where S > 1: S RESULT floats a tile, on 16 bytes        the op's workspace
//     arrived   where S > 1: an int a tile, zero before and after       the op's workspace
//     with_row  the same for all threads and all S blocks of a tile     the kernel file
//
//     A block's TILE_M x TILE_N outputs and its warps, here of Tile(128, 64, 64, 32, 2, 4): eight
//     warps have 64 x 32 outputs each, and share them by two. Warps 0 - 3 multiply the first slab
//     of 16 of a tile's k, warps 4 - 7 the second
//
//               n 0          32         63
//         m 0     +----------+----------+
//                 |   0, 4   |   1, 5   |
//         64      +----------+----------+
//                 |   2, 6   |   3, 7   |
//         127     +----------+----------+
//
//     A warp's lanes: of every 32 rows and 32 columns, which lane, as the two digits of
//     g = lane / 4 and t = lane % 4, has each 4 x 4 outputs in its registers
//
//            n    0   4   8  12  16  20  24  28
//         m  0   00  01  02  03  00  01  02  03
//            4   20  21  22  23  20  21  22  23
//            8   40  41  42  43  40  41  42  43
//           12   60  61  62  63  60  61  62  63
//           16   10  11  12  13  10  11  12  13
//           20   30  31  32  33  30  31  32  33
//           24   50  51  52  53  50  51  52  53
//           28   70  71  72  73  70  71  72  73
//
//     Shared memory while the block multiplies, and after
//
//         stage 0           stage 1           ...    tile i is copied to stage i % STAGES while
//         A tile  B tile    A tile  B tile    ...    those before it are multiplied
//
//         addend 0                    addend 1          ...    one for each of the WARPS_K warps
//         outputs, a row for db       outputs, a row    ...    that share an output
#pragma once
#include "warp_product.cuh"

constexpr int GEOMETRY[] = {TILE};  // -DTILE=…, the fields of tiles.py's Tile
constexpr int TILE_M = GEOMETRY[0], TILE_N = GEOMETRY[1];
constexpr int WARP_M = GEOMETRY[2], WARP_N = GEOMETRY[3], WARPS_K = GEOMETRY[4];
constexpr int STAGES = GEOMETRY[5];
constexpr int TILE_K = 32;
constexpr int WARPS_MN = TILE_M / WARP_M * (TILE_N / WARP_N);
constexpr int THREADS = 32 * WARPS_MN * WARPS_K;
constexpr int OUTPUTS = TILE_M * TILE_N, RESULT = OUTPUTS + TILE_N;
constexpr int FLOATS_OF_STAGES = STAGES * TILE_K * (TILE_M + TILE_N);
constexpr int FLOATS_OF_RESULTS = WARPS_K * RESULT;
constexpr int SHARED_BYTES =
    4 * (FLOATS_OF_STAGES > FLOATS_OF_RESULTS ? FLOATS_OF_STAGES : FLOATS_OF_RESULTS);
static_assert(sizeof(GEOMETRY) == 6 * sizeof(int), "TILE: the six fields of a Tile");
static_assert(TILE_M % WARP_M == 0 && TILE_N % WARP_N == 0, "TILE: whole warps share it");
static_assert(WARP_M % 32 == 0, "TILE: a warp has its rows by 32");
static_assert(WARP_N == 32 || (WARP_N == 16 && TILE_N == 16), "TILE: a warp has 32 columns, or 16");
static_assert(TILE_K / SLAB % WARPS_K == 0, "TILE: the warps of an output share a tile's slabs");
static_assert(STAGES >= 2, "TILE: one stage is copied while another is multiplied");
static_assert(THREADS <= 1024, "TILE: more threads than a block may have");
static_assert(OUTPUTS % (4 * THREADS) == 0, "TILE: a thread has whole groups of four outputs");
static_assert(SHARED_BYTES <= 99 * 1024, "TILE: more shared memory than sm_86 gives a block");

extern __shared__ __align__(16) float shared[];

template <bool K_CONTIGUOUS>
using Left = OperandTile<TILE_M, 32, TILE_K, THREADS, K_CONTIGUOUS>;
template <bool K_CONTIGUOUS>
using Right = OperandTile<TILE_N, WARP_N, TILE_K, THREADS, K_CONTIGUOUS>;

// Where an output lies in the shared memory that the result is gathered in: what eight lanes of
// each_four store together lies in different banks.
__device__ int place_of_output(int m, int n) {
  return ((m * TILE_N + n) / 4 ^ m / 4 % 8) * 4 + n % 4;
}

// This block's tile of C = A B over its share of K, and the sums of B's rows if `with_row`. They are
// left in shared memory as WARPS_K addends of RESULT floats: the outputs, then the row.
template <class A, class B>
__device__ void product(A a, B b, int K, bool with_row) {
  constexpr int STAGE = A::FLOATS + B::FLOATS;
  const int tiles = (K - 1) / TILE_K + 1;
  const int first = static_cast<long long>(tiles) * blockIdx.z / gridDim.z;
  const int end = static_cast<long long>(tiles) * (blockIdx.z + 1) / gridDim.z;
  const int warp = threadIdx.x / 32, share = warp / WARPS_MN, place = warp % WARPS_MN;
  WarpProduct<PRECISION, WARP_M, WARP_N, A, B> sum(
      place / (TILE_N / WARP_N) * WARP_M, place % (TILE_N / WARP_N) * WARP_N);
  float column = 0;  // a thread's of the row: of column threadIdx.x % TILE_N, a share of the slabs
  with_row = with_row && threadIdx.x < WARPS_K * TILE_N;

  auto copy = [&](int tile, int stage) {
    if (tile < end) {
      a.copy(shared + stage * STAGE, tile * TILE_K);
      b.copy(shared + stage * STAGE + A::FLOATS, tile * TILE_K);
    }
    copy_async_commit();  // possibly empty, so that groups and tiles keep step
  };
#pragma unroll 1
  for (int i = 0; i < STAGES - 1; ++i) copy(first + i, i);
#pragma unroll 1
  for (int tile = first, stage = 0; tile < end; ++tile) {
    copy_async_wait<STAGES - 2>();
    __syncthreads();  // this tile has landed, and nobody reads the one before any more
    copy(tile + STAGES - 1, stage == 0 ? STAGES - 1 : stage - 1);
    const float *of_a = shared + stage * STAGE, *of_b = of_a + A::FLOATS;
#pragma unroll
    for (int slab = 0; slab < TILE_K / SLAB / WARPS_K; ++slab)
      sum.multiply(of_a, of_b, slab * WARPS_K + share);
    if (with_row)
      for (int k = threadIdx.x / TILE_N; k < TILE_K; k += WARPS_K)
        column += B::at(of_b, threadIdx.x % TILE_N, k);
    stage = stage == STAGES - 1 ? 0 : stage + 1;
  }

  __syncthreads();  // nobody reads tiles any more
  sum.each_four([&](int m, int n, Floats<4> four) {
    store(shared + share * RESULT + place_of_output(m, n), four);
  });
  if (with_row)
    shared[threadIdx.x / TILE_N * RESULT + OUTPUTS + threadIdx.x % TILE_N] = column;
  __syncthreads();
}

// Element i of the result, and those behind it, from its addends.
template <int N>
__device__ Floats<N> result(int i, int addends) {
  Floats<N> sum = load<N>(shared + i);
  for (int other = 1; other < addends; ++other) add(sum, load<N>(shared + other * RESULT + i));
  return sum;
}

// Of a split K: store this block's result among those of its tile; whether it is the last of them
// to arrive, and so may read all.
__device__ bool last_to_arrive(float* of_tile, int* arrived, bool with_row) {
  __shared__ bool last;
  float* mine = of_tile + static_cast<long long>(blockIdx.z) * RESULT;
#pragma unroll
  for (int i = 4 * threadIdx.x, j = 0; j < OUTPUTS; i += 4 * THREADS, j += 4 * THREADS)
    store_for_other_blocks(mine + i, result<4>(i, WARPS_K));
  if (with_row && threadIdx.x < TILE_N / 4) {
    const int i = OUTPUTS + 4 * threadIdx.x;
    store_for_other_blocks(mine + i, result<4>(i, WARPS_K));
  }
  __syncthreads();
  if (threadIdx.x == 0) {
    __threadfence();
    last = atomicAdd(arrived, 1) == gridDim.z - 1;
    __threadfence();
    if (last) *arrived = 0;  // as the next launch expects it
  }
  __syncthreads();
  return last;
}

// The sums of all splits, in their order, to shared memory: a thread's COUNT groups of four from
// element i on. Several loads are on their way at once.
template <int COUNT>
__device__ void add_splits(const float* of_tile, int i) {
  Floats<4> sums[COUNT];
#pragma unroll
  for (int j = 0; j < COUNT; ++j) sums[j] = load<4>(of_tile + i + j * 4 * THREADS);
#pragma unroll 2
  for (int split = 1; split < gridDim.z; ++split)
#pragma unroll
    for (int j = 0; j < COUNT; ++j)
      add(sums[j], load<4>(of_tile + split * RESULT + i + j * 4 * THREADS));
#pragma unroll
  for (int j = 0; j < COUNT; ++j) store(shared + i + j * 4 * THREADS, sums[j]);
}

// How many addends of the tile's result are in shared memory; 0 where another block finishes it.
__device__ int complete(float* partials, int* arrived, bool with_row) {
  if (gridDim.z == 1) return WARPS_K;
  const long long tile = static_cast<long long>(blockIdx.y) * gridDim.x + blockIdx.x;
  float* of_tile = partials + tile * gridDim.z * RESULT;
  if (!last_to_arrive(of_tile, arrived + tile, with_row)) return 0;
  add_splits<OUTPUTS / 4 / THREADS>(of_tile, 4 * threadIdx.x);
  if (with_row && threadIdx.x < TILE_N / 4) add_splits<1>(of_tile, OUTPUTS + 4 * threadIdx.x);
  __syncthreads();
  return 1;
}

// epilogue(m N + n, n, outputs from (m, n) on) for all outputs of the tile that lie inside M x N:
// by four where `vectors` says that these may be stored at once, else one by one. UNROLL: how many
// of a thread's are on their way at once.
template <int UNROLL, class Epilogue>
__device__ void each_output(int M, int N, bool vectors, int addends, Epilogue epilogue) {
  const auto each = [&](int i, auto width) {
    constexpr int WIDTH = decltype(width)::SIZE;
#pragma unroll WIDTH == 4 ? UNROLL : 1
    for (int j = 0; j < OUTPUTS / (THREADS * WIDTH); ++j, i += THREADS * WIDTH) {
      const int m = i / TILE_N, n = i % TILE_N;
      const int row = blockIdx.x * TILE_M + m, col = blockIdx.y * TILE_N + n;
      if (row < M && col < N)
        epilogue(static_cast<long long>(row) * N + col, col,
                 result<WIDTH>(place_of_output(m, n), addends));
    }
  };
  if (vectors && N % 4 == 0) each(4 * threadIdx.x, Floats<4>{});
  else each(threadIdx.x, Floats<1>{});
}
