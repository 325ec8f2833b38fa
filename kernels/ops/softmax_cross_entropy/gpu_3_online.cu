// softmax_cross_entropy, rung 3 of the ladder: the largest logit and the sum in one pass.
//
// Against rung 2 a row is read twice in place of three times. A lane keeps the largest logit so far
// and the sum of exp(z - largest so far); where a larger one comes, the sum is scaled down to it. The
// lanes' pairs are joined in the same way.
//
// Maths:        m = max z; s = sum_j exp(z_j - m); loss = log s + m - z_label;
//               dz = scale (exp(z - m) / s - 1 at the label).
// Shapes:       z, dz (B, C) float32, labels (B,) int32, loss (B,) float32; contiguous. dz may be
//               null, and may be z.
// Traffic:      z is read twice and dz written; each lane reads the label, one of them its logit,
//               and writes the loss.
//               B 256, C 1000: 12 B C + 136 B = 3,106,816 bytes, 0.65 µs at 4.8 TB/s.
// Launch:       grid (B / 4) rounded up, 32 x 4 threads, 32 of a row; no shared memory.
// Requirements: none. A label outside [0, C) gives a loss and a dz row of NaN.
// Numerics:     float32; each lane's share in ascending j, then the lanes' in a fixed tree. A row
//               with NaN or +inf, or of nothing but -inf, gives NaN.
// Source:       Milakov and Gimelshein, Online normalizer calculation for softmax, 2018.
#include "numbers.cuh"
#include "reduce.cuh"

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

extern "C" __global__ void __launch_bounds__(THREADS)
softmax_cross_entropy(const float* z, const int* labels, float* loss, float* dz, float scale,
                      long long rows, int classes) {
  const long long row = blockIdx.x * 1LL * ROWS_PER_BLOCK + threadIdx.y;
  if (row >= rows) return;  // a whole warp
  const int lane = threadIdx.x;
  z += row * classes;

  Seen seen = {-INFINITY, 0};
  for (int j = lane; j < classes; j += 32) seen = Merge::combine(seen, {z[j], 1});
  seen = reduce_warp<Merge>(seen);
  const float largest = seen.largest < INFINITY ? seen.largest : NAN;

  const int label = labels[row];
  const bool valid = label >= 0 && label < classes;
  if (lane == 0) loss[row] = valid ? logf(seen.sum) + (largest - z[label]) : NAN;
  if (!dz) return;
  __syncwarp();  // dz may be z: its label's logit has been read
  dz += row * classes;
  const float share = valid ? 1 / seen.sum : NAN;
  for (int j = lane; j < classes; j += 32)
    dz[j] = scale * (expf(z[j] - largest) * share - (j == label));
}
