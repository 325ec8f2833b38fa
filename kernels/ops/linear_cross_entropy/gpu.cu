// linear_cross_entropy, C++ variant: from the last layer's input to the gradient of that input.
//
// Maths:        z = x w + b; m = max z; s = sum_j exp(z_j - m);
//               loss = weight ((sum t) log s + m sum t - sum_j t_j z_j);
//               dz = scale weight (exp(z - m) / s sum t - t); dx = (dz w^T) g'(saved);
//               t is one-hot at `labels`, or `targets`. hit = 1 where the first largest logit
//               stands at the label (at the first largest target), else 0; 0 also where the loss
//               is NaN.
// Shapes:       x, saved, dx (rows, inputs), w (inputs, classes), b (classes,), z, dz, targets
//               (rows, classes) float32; labels (rows,) int32; weights, loss (rows,) float32; hit
//               (rows,) uint8; contiguous. b, weights, z, dx and hit may be null. g' is taken at
//               x where at_x is not 0, else at saved, and is 1 where that is null.
// Traffic:      x read and dx written once, 16 bytes a lane where they lie so; w read once by every
//               block, twice where it does not fit SLOTS chunks (more than 512 inputs of up to 16
//               classes, a row a warp); x once more where g' is taken there and w did not fit.
//               2 rows inputs classes operations forward, as many for dx.
//               rows 128, inputs 128, classes 10: 8 rows inputs + 4 inputs classes = 136,192 bytes,
//               0.028 µs at 4.8 TB/s.
// Launch:       THREADS threads, 4 warps. linear_cross_entropy: a row a warp, so that a batch of
//               128 still fills 32 multiprocessors; SLOTS 4, 42 KB of shared memory.
//               linear_cross_entropy_rows: ROWS_PER_WARP rows a warp, for large batches: w is read
//               from shared memory once for all of them; SLOTS 2, 40 KB. One barrier where w fits
//               one chunk (128 inputs of up to 16 classes), else one for every chunk.
// Requirements: classes <= 128, inputs >= 1, rows >= 1, which __init__.py guarantees. None on sizes
//               or alignment: narrower copies where rows do not begin on 16 bytes. A label outside
//               [0, classes) gives a loss, a dz and a dx row of NaN.
// Numerics:     float32 FMA; a lane sums every KL-th four of k ascending, the lanes' sums are added
//               in a fixed order. A row with NaN or +inf, or of nothing but -inf, gives NaN. A
//               target of 0 adds nothing, also where z is -inf.
// Source:       Hsu et al., Liger Kernel, 2024, for the fusion; the tile is this library's own.
#include "cross_entropy.cuh"
#include "reduce.cuh"
#include "vector.cuh"
#include "weight_chunks.cuh"

constexpr int WARPS = THREADS / 32;

extern "C" __device__ float activation_derivative(float s);

__device__ inline void add_product(float (&sum)[4], float a, float4 b) {
  sum[0] = fmaf(a, b.x, sum[0]);
  sum[1] = fmaf(a, b.y, sum[1]);
  sum[2] = fmaf(a, b.z, sum[2]);
  sum[3] = fmaf(a, b.w, sum[3]);
}

__device__ inline float dot(float4 a, float4 b, float c) {
  return fmaf(a.w, b.w, fmaf(a.z, b.z, fmaf(a.y, b.y, fmaf(a.x, b.x, c))));
}

// Over the lanes of a warp whose numbers differ in the bits from `first` to below `end`.
template <class Op, class T>
__device__ T reduce_lanes(T x, int first, int end) {
#pragma unroll 1
  for (int lanes = first; lanes < end; lanes *= 2) x = Op::combine(x, shuffle_xor(x, lanes));
  return x;
}

// A lane's four columns of each row into shared memory, and whole rows from there to `to`: lanes
// side by side write side by side, however many columns there are.
template <int ROWS>
__device__ void keep(float4 (&rows)[ROWS][32], int four, const float (&v)[ROWS][4]) {
#pragma unroll
  for (int r = 0; r < ROWS; ++r) rows[r][four] = {v[r][0], v[r][1], v[r][2], v[r][3]};
}

template <int ROWS>
__device__ void store(float* to, const float4 (&from)[ROWS][32], long long rows, int classes) {
#pragma unroll
  for (int r = 0; r < ROWS; ++r)
    if (r < rows)
#pragma unroll 1
      for (int col = threadIdx.x % 32; col < classes; col += 32)
        to[r * classes + col] = reinterpret_cast<const float*>(from[r])[col];
}

template <int ROWS, int SLOTS>
__device__ void head(const float* x, const float* w, const float* b, const int* labels,
                     const float* targets, const float* weights, const float* saved, float* z,
                     float* loss, float* dz, float* dx, unsigned char* hit, float scale,
                     long long rows, int inputs, int classes, int at_x) {
  __shared__ __align__(16) float4 w_slots[SLOTS][CHUNK];
  __shared__ __align__(16) float x_slots[SLOTS][WARPS][ROWS * MOST_DEPTH];
  __shared__ __align__(16) float4 outputs[WARPS][ROWS][32];  // first z, then dz

  const Tile tile(classes);
  const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  const int chunks = (inputs + tile.rows() - 1) >> (9 - tile.log_cl);
  const bool w_stays = chunks <= SLOTS;

  // From here on all pointers are to this warp's rows; a warp behind the last has none.
  const long long first = (blockIdx.x * static_cast<long long>(WARPS) + warp) * ROWS;
  const long long row0 = first < rows ? first : 0;
  rows = first < rows ? rows - first : 0;
  x += row0 * inputs;

  const int x_width = inputs % 4 == 0 && aligned_16(x) ? 2 : 0;  // logarithms
  const int w_width = classes % 4 == 0 && aligned_16(w) ? 2
                      : classes % 2 == 0 && reinterpret_cast<unsigned long long>(w) % 8 == 0;
  auto copy_w = [&](int chunk, int slot) {
    copy_weights(tile, w_slots[slot], w, chunk * tile.rows(), inputs, classes, w_width);
  };
  auto copy_both = [&](int chunk, int slot) {
    copy_w(chunk, slot);
    copy_inputs<ROWS>(tile, x_slots[slot][warp], x, chunk * tile.rows(), inputs, rows, x_width);
  };

  // Each lane's part of its four columns of x w.
  const int four = lane & (tile.cl() - 1), first_k = lane >> tile.log_cl << 2;
  const int read = min(four, tile.fours - 1);  // lanes beyond the columns repeat the last
  float v[ROWS][4] = {};                       // these sums, then z, then exp(z - m), then dz
  for_each_chunk<SLOTS>(chunks, false, copy_both, [&](int chunk, int slot) {
    const int depth = tile.depth(chunk * tile.rows(), inputs);
#pragma unroll 2
    for (int k = first_k; k < depth; k += 4 * tile.kl()) {
      float4 of_w[4];
#pragma unroll
      for (int q = 0; q < 4; ++q) of_w[q] = w_slots[slot][tile.place(k + q, read)];
#pragma unroll
      for (int r = 0; r < ROWS; ++r) {
        const float* of_x = x_slots[slot][warp] + r * tile.rows() + k;
        const float4 a = *reinterpret_cast<const float4*>(of_x);
        add_product(v[r], a.x, of_w[0]);
        add_product(v[r], a.y, of_w[1]);
        add_product(v[r], a.z, of_w[2]);
        add_product(v[r], a.w, of_w[3]);
      }
    }
  });
#pragma unroll 1
  for (int lanes = tile.cl(); lanes < 32; lanes *= 2)
#pragma unroll
    for (int r = 0; r < ROWS; ++r)
#pragma unroll
      for (int j = 0; j < 4; ++j) v[r][j] += shuffle_xor(v[r][j], lanes);

  // The loss. All lanes take part, and what the first CL of them find counts.
  const int col = 4 * four;
  const bool counts = lane < tile.cl() && col < classes;
#pragma unroll
  for (int j = 0; j < 4; ++j) {
    const float bias = b && counts && col + j < classes ? b[col + j] : 0;
#pragma unroll
    for (int r = 0; r < ROWS; ++r) v[r][j] += bias;
  }
  if (z) {
    if (counts) keep(outputs[warp], four, v);
    __syncwarp();
    store(z + row0 * classes, outputs[warp], rows, classes);
    __syncwarp();
  }
#pragma unroll
  for (int r = 0; r < ROWS; ++r) {
    const long long row = row0 + r;
    const bool there = counts && r < rows;
    float t[4] = {};  // one-hot targets for a label; NaN for one that is none
    if (targets) {
#pragma unroll
      for (int j = 0; j < 4; ++j)
        if (there && col + j < classes) t[j] = targets[row * classes + col + j];
    } else {
      const int label = there ? labels[row] : 0;
      const bool valid = label >= 0 && label < classes;
#pragma unroll
      for (int j = 0; j < 4; ++j) t[j] = !valid ? NAN : col + j == label ? 1 : 0;
    }
    const float weight = weights && there ? weights[row] : 1;

    Largest top = {-INFINITY, 0x7fffffff}, top_target = top;
    float target_sum = 0, target_dot = 0;  // sum t; sum t z
#pragma unroll
    for (int j = 0; j < 4; ++j)
      if (col + j < classes) {
        top = First::combine(top, {v[r][j], col + j});
        top_target = First::combine(top_target, {t[j], col + j});
        target_sum += t[j];
        if (t[j] != 0) target_dot += t[j] * v[r][j];
      }
    top = reduce_lanes<First>(top, 1, tile.cl());
    top_target = reduce_lanes<First>(top_target, 1, tile.cl());
    target_sum = reduce_lanes<Sum>(target_sum, 1, tile.cl());
    target_dot = reduce_lanes<Sum>(target_dot, 1, tile.cl());
    const float largest = top.value < INFINITY ? top.value : NAN;

    float sum = 0;
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      v[r][j] = col + j < classes ? expf(v[r][j] - largest) : 0;
      sum += v[r][j];
    }
    sum = reduce_lanes<Sum>(sum, 1, tile.cl());
    const float share = target_sum / sum;
#pragma unroll
    for (int j = 0; j < 4; ++j)
      v[r][j] = col + j < classes ? scale * weight * (v[r][j] * share - t[j]) : 0;

    if (lane == 0 && r < rows)
      store_loss(loss, hit, row, weight, target_sum, target_dot, largest, sum,
                 top.index == top_target.index);
  }
  if (counts) keep(outputs[warp], four, v);
  __syncwarp();
  store(dz + row0 * classes, outputs[warp], rows, classes);
  if (!dx) return;

  // dx, four columns a lane, by chunks of w again.
  dx += row0 * inputs;
  saved = at_x ? x : saved ? saved + row0 * inputs : saved;
  const bool saved_vectors = inputs % 4 == 0 && aligned_16(saved);
  const bool dx_vectors = inputs % 4 == 0 && aligned_16(dx);
  const int ol = tile.ol(), part = lane & (ol - 1), first_i = (lane >> (tile.log_cl - 2)) * 4;
  auto back = [&](int chunk, int slot) {
    const int k0 = chunk * tile.rows(), i = k0 + first_i;
    const int k = min(first_i, tile.depth(k0, inputs) - 4);  // lanes behind the last repeat it
    const bool mine = part == 0 && i < inputs;
    Floats<4> s[ROWS] = {}, sums[ROWS] = {};
#pragma unroll
    for (int r = 0; r < ROWS; ++r)
      if (saved && mine && r < rows) {
        const float* of_row = saved + static_cast<long long>(r) * inputs + i;
        if (at_x && w_stays) s[r] = load<4>(x_slots[slot][warp] + r * tile.rows() + k);
        else if (saved_vectors) s[r] = load<4>(of_row);
        else
#pragma unroll
          for (int q = 0; q < 4; ++q)
            if (i + q < inputs) s[r].at[q] = of_row[q];
      }
#pragma unroll 2
    for (int c = part; c < tile.fours; c += ol) {
      float4 of_dz[ROWS];
#pragma unroll
      for (int r = 0; r < ROWS; ++r) of_dz[r] = outputs[warp][r][c];
#pragma unroll
      for (int q = 0; q < 4; ++q) {
        const float4 of_w = w_slots[slot][tile.place(k + q, c)];
#pragma unroll
        for (int r = 0; r < ROWS; ++r) sums[r].at[q] = dot(of_dz[r], of_w, sums[r].at[q]);
      }
    }
#pragma unroll 1
    for (int lanes = 1; lanes < ol; lanes *= 2)
#pragma unroll
      for (int r = 0; r < ROWS; ++r)
#pragma unroll
        for (int q = 0; q < 4; ++q) sums[r].at[q] += shuffle_xor(sums[r].at[q], lanes);
#pragma unroll
    for (int r = 0; r < ROWS; ++r) {
      if (!mine || r >= rows) continue;
      float* to = dx + static_cast<long long>(r) * inputs + i;
      if (saved)
#pragma unroll
        for (int q = 0; q < 4; ++q) sums[r].at[q] *= activation_derivative(s[r].at[q]);
      if (dx_vectors) store(to, sums[r]);
      else
#pragma unroll
        for (int q = 0; q < 4; ++q)
          if (i + q < inputs) to[q] = sums[r].at[q];
    }
  };
  if (!w_stays) __syncthreads();  // nobody reads the forward pass's last chunks any more
  for_each_chunk<SLOTS>(chunks, w_stays, copy_w, back);
}

extern "C" __global__ void __launch_bounds__(THREADS)
linear_cross_entropy(const float* x, const float* w, const float* b, const int* labels,
                     const float* targets, const float* weights, const float* saved, float* z,
                     float* loss, float* dz, float* dx, unsigned char* hit, float scale,
                     long long rows, int inputs, int classes, int at_x) {
  head<1, 4>(x, w, b, labels, targets, weights, saved, z, loss, dz, dx, hit, scale, rows, inputs,
             classes, at_x);
}

extern "C" __global__ void __launch_bounds__(THREADS)
linear_cross_entropy_rows(const float* x, const float* w, const float* b, const int* labels,
                          const float* targets, const float* weights, const float* saved, float* z,
                          float* loss, float* dz, float* dx, unsigned char* hit, float scale,
                          long long rows, int inputs, int classes, int at_x) {
  head<ROWS_PER_WARP, 2>(x, w, b, labels, targets, weights, saved, z, loss, dz, dx, hit, scale,
                         rows, inputs, classes, at_x);
}
