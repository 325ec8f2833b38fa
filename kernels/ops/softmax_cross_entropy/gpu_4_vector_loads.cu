// softmax_cross_entropy, rung 4 of the ladder: four logits a load, four gradients a store.
//
// Against rung 3 a quarter of the memory instructions move the same bytes, and a lane scales its sum
// once for four logits. gpu.cu goes on from here: the row is kept in shared memory between the two
// passes, so that device memory is read once; a row has 8 to 512 threads by its width; targets,
// weights and hits.
//
// Maths:        m = max z; s = sum_j exp(z_j - m); loss = log s + m - z_label;
//               dz = scale (exp(z - m) / s - 1 at the label).
// Shapes:       z, dz (B, C) float32, labels (B,) int32, loss (B,) float32; contiguous. dz may be
//               null, and may be z.
// Traffic:      z is read twice and dz written; each lane reads the label, one of them its logit,
//               and writes the loss.
//               B 256, C 1000: 12 B C + 136 B = 3,106,816 bytes, 0.65 µs at 4.8 TB/s.
// Launch:       grid (B / 4) rounded up, 32 x 4 threads, 32 of a row; no shared memory.
// Requirements: none: 16-byte accesses where C is a multiple of four and z and dz start on 16 bytes,
//               else 4-byte ones. A label outside [0, C) gives a loss and a dz row of NaN.
// Numerics:     float32; each lane's share in ascending j, then the lanes' in a fixed tree. A row
//               with NaN or +inf, or of nothing but -inf, gives NaN.
// Source:       CUDA C++ Best Practices Guide, coalesced access.
#include "numbers.cuh"
#include "reduce.cuh"
#include "vector.cuh"

// What was seen of a row: the largest logit, and the sum of exp(z - largest).
struct Seen {
  float largest, sum;
};

struct Merge {
  static __device__ Seen combine(Seen a, Seen b) {
    const float largest = fmaxf(a.largest, b.largest);
    return {largest, rescaled(a, largest) + rescaled(b, largest)};
  }
  static __device__ float rescaled(Seen a, float largest) {  // also where both are infinite
    return a.largest == largest ? a.sum : a.sum * expf(a.largest - largest);
  }
};

__device__ inline Seen shuffle_xor(Seen x, int lanes) {
  return {shuffle_xor(x.largest, lanes), shuffle_xor(x.sum, lanes)};
}

// WIDTH logits a lane and step.
template <int WIDTH>
__device__ Seen read(const float* z, int classes) {
  Seen seen = {-INFINITY, 0};
  for (int j = WIDTH * threadIdx.x; j < classes; j += WIDTH * 32) {
    const auto logits = load<WIDTH>(z + j);
    float largest = seen.largest, sum = 0;
    for (const float logit : logits.at) largest = fmaxf(largest, logit);
    for (const float logit : logits.at) sum += Merge::rescaled({logit, 1}, largest);
    seen = {largest, Merge::rescaled(seen, largest) + sum};
  }
  return reduce_warp<Merge>(seen);
}

template <int WIDTH>
__device__ void write(const float* z, float* dz, int classes, float scale, float largest,
                      float share, int label) {
  for (int j = WIDTH * threadIdx.x; j < classes; j += WIDTH * 32) {
    auto group = load<WIDTH>(z + j);
    for (int i = 0; i < WIDTH; ++i)
      group.at[i] = scale * (expf(group.at[i] - largest) * share - (j + i == label));
    store(dz + j, group);
  }
}

extern "C" __global__ void __launch_bounds__(THREADS)
softmax_cross_entropy(const float* z, const int* labels, float* loss, float* dz, float scale,
                      long long rows, int classes) {
  const long long row = blockIdx.x * 1LL * ROWS_PER_BLOCK + threadIdx.y;
  if (row >= rows) return;  // a whole warp
  const bool vectors = classes % 4 == 0 && aligned_16(z) && aligned_16(dz);
  z += row * classes;

  const Seen seen = vectors ? read<4>(z, classes) : read<1>(z, classes);
  const float largest = seen.largest < INFINITY ? seen.largest : NAN;

  const int label = labels[row];
  const bool valid = label >= 0 && label < classes;
  if (threadIdx.x == 0) loss[row] = valid ? logf(seen.sum) + (largest - z[label]) : NAN;
  if (!dz) return;
  __syncwarp();  // dz may be z: its label's logit has been read
  dz += row * classes;
  const float share = valid ? 1 / seen.sum : NAN;
  if (vectors) write<4>(z, dz, classes, scale, largest, share, label);
  else write<1>(z, dz, classes, scale, largest, share, label);
}
