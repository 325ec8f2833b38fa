// linear, Hopper's own path: whole warpgroups multiply what the copy engine brings, in bfloat16.
//
// Maths:        forward     y  = f(x w + b), and z = x w + b where the caller wants it
//               backward_dx dx = (dz w^T) f'(s), s being what the layer before kept (y or z)
//               backward_dw dw = x^T dz, db = sum of the rows of dz
//               each is C = A B of M x N over K with another epilogue.
// Shapes:       forward M, N, K = B, O, I; backward_dx B, I, O; backward_dw I, O, B. x (B, I),
//               w (I, O), dz (B, O); float32, row-major, contiguous. linear_pack rounds each once to
//               panels of 64 x 64 bfloat16, as it lies, zeros beyond its edges; the matrix unit reads
//               a panel along K or across it, so the same panels of dz serve dx and dw.
// Traffic:      linear_pack reads 4 bytes and writes 2 for each element, to whole panels (sums: 4
//               bytes more for each 64 elements). A product reads 2 K (M ceil(N / 256) +
//               N ceil(M / 128)) bytes, sides rounded up to tiles and K to 64, mostly from L2, and
//               writes 4 M N; 2 M N K operations. backward_dw in `splits` parts writes and reads
//               4 M N more for each.
//               B 8,192, I 4,096, O 4,096: 2 B I O = 274,877,906,944 operations, 278 µs at 990
//               TFLOP/s. Before them packing moves, of
//               B 8,192, I 4,096, O 4,096: 6 (B I + I O) = 301,989,888 bytes, 62.9 µs at 4.8 TB/s,
//               so the call cannot pass 82 % of that limit. The product asks L2 for 3.2 GB; in
//               278 µs that were 11.6 TB/s, 78 % of 64 bytes a clock for each multiprocessor, so L2
//               is what will limit it. Clusters of two blocks, sharing B's panels, would ask for a
//               third less. All this is counted; nothing has run on a card yet.
// Launch:       linear_pack a block of 256 threads a panel. Products: a grid of at most one block a
//               multiprocessor, which walks over tiles of 128 x 256; 384 threads: one that asks for
//               the copies, in a warpgroup of its own, and two warpgroups of 64 x 256 outputs each;
//               shared memory 4 stages of 48 KiB, dynamic (SHARED_BYTES). linear_sum one thread for
//               each four outputs, 256 a block.
// Requirements: sm_90a: no other card runs it. None on sizes or alignment: linear_pack reads, and the
//               epilogues store, by 16 bytes where rows are multiples of 16 bytes and begin on one.
//               Panels begin at multiples of 16 bytes, which hopper.py's launches see to.
// Numerics:     operands rounded to nearest even, products accumulated in float32 over ascending k.
//               db is summed in float32 of what was not rounded: rows of a panel in a fixed tree,
//               then the panels in their order. No atomics: the same input gives the same bits.
// Source:       producer and consumers as in CUTLASS's warp-specialised Hopper kernels (Thakkar et
//               al.); tile and stages as in fast.cu (Shankhdhar 2024); layouts as in wgmma.cuh.
#include "bulk_copy.cuh"
#include "mma.cuh"
#include "vector.cuh"
#include "wgmma.cuh"

enum Precision { BFLOAT16 };

constexpr int A_PANELS = BLOCK_M / PANEL, B_PANELS = BLOCK_N / PANEL;
constexpr int STAGE_BYTES = (A_PANELS + B_PANELS) * PANEL_BYTES;
constexpr int CONSUMING_WARPS = 8;
constexpr int TILES_DOWN = 16;  // tiles below each other that are walked before those beside them
static_assert(SHARED_BYTES >= STAGES * (STAGE_BYTES + 16) + 1008, "stages, barriers, alignment");
static_assert(PRECISION == BFLOAT16, "the only one there is");

extern "C" __device__ float activation(float z);
extern "C" __device__ float activation_derivative(float s);

__host__ __device__ constexpr int panels_of(int size) { return (size + PANEL - 1) / PANEL; }

// One operand in global memory, panel by panel. K_ALONG: it lies side x K, else K x side.
template <bool K_ALONG>
struct Operand {
  const unsigned char* packed;
  int sides, ks;  // panels along the side and along K

  __device__ Operand(const unsigned char* packed, int side, int k)
      : packed(packed), sides(panels_of(side)), ks(panels_of(k)) {}

  // Ask for COUNT panels below each other. What lies beyond the edge becomes the last panel again:
  // its products belong to no output.
  template <int COUNT>
  __device__ void copy(unsigned char* to, int first, int k, unsigned long long* barrier) const {
    for (int i = 0; i < COUNT; ++i) {
      const int p = min(first + i, sides - 1);
      const long long index = K_ALONG ? static_cast<long long>(p) * ks + k
                                      : static_cast<long long>(k) * sides + p;
      copy_bulk(to + i * PANEL_BYTES, packed + index * PANEL_BYTES, PANEL_BYTES, barrier);
    }
  }
};

// The ring of stages in shared memory. Its places are counted on and on: place p is stage
// p % STAGES, for the (p / STAGES)-th time. A count that overflows goes on as it should.
struct Ring {
  unsigned char* stages;
  unsigned long long *full, *empty;

  __device__ explicit Ring(unsigned char* shared) {
    const unsigned start = shared_address(shared);
    stages = shared + ((1024 - start % 1024) % 1024);
    full = reinterpret_cast<unsigned long long*>(stages + STAGES * STAGE_BYTES);
    empty = full + STAGES;
  }
  __device__ void init() const {
    if (threadIdx.x == 0) {
      for (int s = 0; s < STAGES; ++s) {
        barrier_init(full + s, 1);
        barrier_init(empty + s, CONSUMING_WARPS);
      }
      fence_barrier_init();
    }
    __syncthreads();
  }
  __device__ unsigned char* stage(unsigned place) const { return stages + place % STAGES * STAGE_BYTES; }
  __device__ void wait_empty(unsigned place) const {
    barrier_wait(empty + place % STAGES, (place / STAGES + 1) % 2);
  }
  __device__ void wait_full(unsigned place) const {
    barrier_wait(full + place % STAGES, place / STAGES % 2);
  }
  // By every consuming warp, once it has read the stage.
  __device__ void release(unsigned place) const {
    if (threadIdx.x % 32 == 0) barrier_arrive(empty + place % STAGES);
  }
};

// What this block computes: tiles, and parts of K where it is split, one after the other.
struct Work {
  int down, along, ks, splits;

  __device__ Work(int M, int N, int K, int splits)
      : down((M + BLOCK_M - 1) / BLOCK_M), along((N + BLOCK_N - 1) / BLOCK_N), ks(panels_of(K)),
        splits(splits) {}

  // each(tile's row, tile's column, part, first panel along K, one behind the last)
  template <class Each>
  __device__ void for_each(Each each) const {
    const int tiles = down * along;
    for (int index = blockIdx.x; index < tiles * splits; index += gridDim.x) {
      const int part = index / tiles, tile = index % tiles;
      const int group = tile / (TILES_DOWN * along), first = group * TILES_DOWN;
      const int rows = min(TILES_DOWN, down - first), inside = tile % (TILES_DOWN * along);
      const auto edge = [&](int p) { return p * (ks / splits) + min(p, ks % splits); };
      each(first + inside % rows, inside / rows, part, edge(part), edge(part + 1));
    }
  }
};

// C = A B. finish(part, m, n, four sums of row m from column n on) gets every four that begin inside.
template <bool A_K_ALONG, bool B_K_ALONG, class Finish>
__device__ void product(const unsigned char* a_panels, const unsigned char* b_panels, int M, int N,
                        int K, int splits, Finish finish) {
  extern __shared__ __align__(1024) unsigned char shared[];
  const Ring ring(shared);
  const Work work(M, N, K, splits);
  ring.init();
  unsigned place = 0;
  if (threadIdx.x < 128) {
    registers_give<40>();
    if (threadIdx.x != 0) return;
    const Operand<A_K_ALONG> a(a_panels, M, K);
    const Operand<B_K_ALONG> b(b_panels, N, K);
    work.for_each([&](int row, int column, int, int begin, int end) {
      for (int k = begin; k < end; ++k, ++place) {
        ring.wait_empty(place);
        unsigned long long* barrier = ring.full + place % STAGES;
        barrier_arrive_expecting(barrier, STAGE_BYTES);
        unsigned char* stage = ring.stage(place);
        a.template copy<A_PANELS>(stage, row * A_PANELS, k, barrier);
        b.template copy<B_PANELS>(stage + A_PANELS * PANEL_BYTES, column * B_PANELS, k, barrier);
      }
    });
  } else {
    registers_take<232>();
    const int group = threadIdx.x / 128 - 1, lane = threadIdx.x % 32, odd = lane % 2;
    work.for_each([&](int row, int column, int part, int begin, int end) {
      float d[128];
      for (int k = begin; k < end; ++k, ++place) {
        ring.wait_full(place);
        const unsigned char* stage = ring.stage(place);
        const Described<A_K_ALONG> a(stage + group * PANEL_BYTES);
        const Described<B_K_ALONG> b(stage + A_PANELS * PANEL_BYTES);
        products_begin();
#pragma unroll
        for (int i = 0; i < PANEL / 16; ++i)
          multiply_64x256x16<A_K_ALONG, B_K_ALONG>(d, a.at(i), b.at(i), k > begin || i > 0);
        products_commit();
        products_wait<1>();
        if (k > begin) ring.release(place - 1);
      }
      products_wait<0>();
      products_done(d);
      ring.release(place - 1);
      // Lanes beside each other exchange halves: then each holds four columns of one row.
      const int m = row * BLOCK_M + (threadIdx.x - 128) / 32 * 16 + lane / 4 + 8 * odd;
#pragma unroll
      for (int j = 0; j < 32; ++j) {
        const float* four = d + 4 * j;
        const float low = __shfl_xor_sync(0xffffffffu, odd ? four[0] : four[2], 1);
        const float high = __shfl_xor_sync(0xffffffffu, odd ? four[1] : four[3], 1);
        const float4 sums = odd ? make_float4(low, high, four[2], four[3])
                                : make_float4(four[0], four[1], low, high);
        const int n = column * BLOCK_N + 8 * j + lane % 4 / 2 * 4;
        if (m < M && n < N) finish(part, m, n, sums);
      }
    });
  }
}

__device__ inline float4 plus(float4 a, float4 b) {
  return make_float4(a.x + b.x, a.y + b.y, a.z + b.z, a.w + b.w);
}
// Four numbers of a row-major matrix from p on, or those of them that are inside.
__device__ inline float4 load_four(const float* p, bool wide, int inside) {
  if (wide) return *reinterpret_cast<const float4*>(p);
  return make_float4(p[0], inside > 1 ? p[1] : 0, inside > 2 ? p[2] : 0, inside > 3 ? p[3] : 0);
}
__device__ inline void store_four(float* p, float4 v, bool wide, int inside) {
  if (wide) {
    *reinterpret_cast<float4*>(p) = v;
    return;
  }
  p[0] = v.x;
  if (inside > 1) p[1] = v.y;
  if (inside > 2) p[2] = v.z;
  if (inside > 3) p[3] = v.w;
}

extern "C" __global__ void __launch_bounds__(THREADS, 1)
linear_forward(const unsigned char* x, const unsigned char* w, const float* b, float* z, float* y,
               int M, int N, int K) {
  const bool vectors = N % 4 == 0 && aligned_16(y) && aligned_16(z) && aligned_16(b);
  product<true, false>(x, w, M, N, K, 1, [=](int, int m, int n, float4 v) {
    if (b) v = plus(v, load_four(b + n, vectors, N - n));
    const long long at = static_cast<long long>(m) * N + n;
    if (z) store_four(z + at, v, vectors, N - n);
    v = make_float4(activation(v.x), activation(v.y), activation(v.z), activation(v.w));
    store_four(y + at, v, vectors, N - n);
  });
}

// A null s stands for an identity before: no derivative, and nothing to read.
extern "C" __global__ void __launch_bounds__(THREADS, 1)
linear_backward_dx(const unsigned char* dz, const unsigned char* w, const float* s, float* dx, int M,
                   int N, int K) {
  const bool vectors = N % 4 == 0 && aligned_16(dx) && aligned_16(s);
  product<true, true>(dz, w, M, N, K, 1, [=](int, int m, int n, float4 v) {
    const long long at = static_cast<long long>(m) * N + n;
    if (s) {
      const float4 saved = load_four(s + at, vectors, N - n);
      v.x *= activation_derivative(saved.x), v.y *= activation_derivative(saved.y);
      v.z *= activation_derivative(saved.z), v.w *= activation_derivative(saved.w);
    }
    store_four(dx + at, v, vectors, N - n);
  });
}

// parts: `splits` times M x N, each the product over a part of K.
extern "C" __global__ void __launch_bounds__(THREADS, 1)
linear_backward_dw(const unsigned char* x, const unsigned char* dz, float* parts, int M, int N, int K,
                   int splits) {
  const bool vectors = N % 4 == 0 && aligned_16(parts);
  product<false, false>(x, dz, M, N, K, splits, [=](int part, int m, int n, float4 v) {
    const long long at = (static_cast<long long>(part) * M + m) * N + n;
    store_four(parts + at, v, vectors, N - n);
  });
}

// One panel of a (rows, cols) a block: rounded, swizzled, zeros beyond the edges. sums, if not null:
// (panels down, cols), the sums of each panel's columns.
extern "C" __global__ void __launch_bounds__(PACK_THREADS)
linear_pack(const float* a, unsigned char* panels, float* sums, int rows, int cols) {
  const int line = threadIdx.x / 16, four = threadIdx.x % 16;  // and every 16th line below
  const int along = panels_of(cols), down = blockIdx.x / along, first = blockIdx.x % along * PANEL;
  const int col = first + 4 * four, inside = cols - col;
  const bool vectors = cols % 4 == 0 && aligned_16(a);
  uint2* halves = reinterpret_cast<uint2*>(panels + static_cast<long long>(blockIdx.x) * PANEL_BYTES);
  float4 sum = make_float4(0, 0, 0, 0);
#pragma unroll
  for (int r = line; r < PANEL; r += PACK_THREADS / 16) {
    const int row = down * PANEL + r;
    float4 v = make_float4(0, 0, 0, 0);
    if (row < rows && inside > 0)
      v = load_four(a + static_cast<long long>(row) * cols + col, vectors, inside);
    halves[16 * r + 2 * swizzled(r, four / 2) + four % 2] =
        make_uint2(to_bf16x2(v.x, v.y), to_bf16x2(v.z, v.w));
    sum = plus(sum, v);
  }
  if (!sums) return;
  __shared__ float4 of_warp[PACK_THREADS / 32][PANEL / 4];
  constexpr unsigned EVERY_LANE = 0xffffffffu;  // a warp holds two lines, 16 lanes apart
  sum = plus(sum, make_float4(
      __shfl_xor_sync(EVERY_LANE, sum.x, 16), __shfl_xor_sync(EVERY_LANE, sum.y, 16),
      __shfl_xor_sync(EVERY_LANE, sum.z, 16), __shfl_xor_sync(EVERY_LANE, sum.w, 16)));
  if (threadIdx.x % 32 < 16) of_warp[threadIdx.x / 32][four] = sum;
  __syncthreads();
  if (threadIdx.x >= PANEL / 4 || inside <= 0) return;
  sum = of_warp[0][four];
#pragma unroll
  for (int w = 1; w < PACK_THREADS / 32; ++w) sum = plus(sum, of_warp[w][four]);
  const bool wide = cols % 4 == 0 && aligned_16(sums);
  store_four(sums + static_cast<long long>(down) * cols + col, sum, wide, inside);
}

// out[i] = the sum of parts[p n + i] over p < count, in that order.
extern "C" __global__ void __launch_bounds__(PACK_THREADS)
linear_sum(const float* parts, float* out, long long n, int count) {
  const bool vectors = n % 4 == 0 && aligned_16(parts) && aligned_16(out);
  const long long i = 4 * (blockIdx.x * static_cast<long long>(PACK_THREADS) + threadIdx.x);
  if (i >= n) return;
  const int inside = static_cast<int>(min(n - i, 4LL));
  float4 sum = load_four(parts + i, vectors, inside);
  for (int p = 1; p < count; ++p)
    sum = plus(sum, load_four(parts + p * n + i, vectors, inside));
  store_four(out + i, sum, vectors, inside);
}
