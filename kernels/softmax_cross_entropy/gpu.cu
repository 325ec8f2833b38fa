// softmax_cross_entropy, C++ variant: loss, dlogits and hit in one kernel.
//
// Maths:        m = max z; s = sum_j exp(z_j - m); loss = w ((sum t) log s + m sum t - sum_j t_j z_j);
//               dz = scale w (exp(z - m) / s sum t - t); t is one-hot at `labels`, or `targets`.
//               hit = 1 where the first largest logit stands at the label (at the first largest
//               target), else 0; 0 also where the loss is NaN.
// Shapes:       z, targets, dz (B, C) float32; labels (B,) int32; weights, loss (B,) float32, hit
//               (B,) uint8; contiguous. weights (then ones), dz and hit may be null. dz may be z.
// Traffic:      z read, dz written: 8 B C bytes from device memory (12 with targets); a row's
//               second read comes from cache.
// Launch:       blockDim.x threads a row: a warp up to WIDE_ROW classes, ROWS_PER_BLOCK rows a
//               block, else WIDE_THREADS; shared memory 640 bytes.
// Requirements: none. A label outside [0, C) gives a loss and a dz row of NaN.
// Numerics:     float32; each thread keeps a running maximum and a sum rescaled to it, so no exp
//               overflows; sums in a fixed order. A row with NaN or +inf, or of nothing but -inf,
//               gives NaN. A target of 0 adds nothing, also where z is -inf.
// Source:       Milakov and Gimelshein, Online normalizer calculation for softmax, 2018.
#include "numbers.cuh"
#include "reduce.cuh"

constexpr int ROWS_PER_BLOCK = 4;
constexpr int WIDE_ROW = 1024;
constexpr int WIDE_THREADS = 256;

// The sum of exp(z - largest) over what was seen, with the largest z that was seen.
struct Normalizer {
  float largest, sum;
};

struct Merge {
  static __device__ Normalizer combine(Normalizer a, Normalizer b) {
    const float largest = fmaxf(a.largest, b.largest);
    return {largest, rescaled(a, largest) + rescaled(b, largest)};
  }
  static __device__ float rescaled(Normalizer a, float largest) {
    return a.largest == largest ? a.sum : a.sum * expf(a.largest - largest);
  }
};

__device__ inline Normalizer shuffle_xor(Normalizer x, int lanes) {
  return {shuffle_xor(x.largest, lanes), shuffle_xor(x.sum, lanes)};
}

extern "C" __global__ void __launch_bounds__(WIDE_THREADS)
softmax_cross_entropy(const float* z, const int* labels, const float* targets,
                      const float* weights, float* loss, float* dz, unsigned char* hit,
                      float scale, long long rows, int classes) {
  const long long row = blockIdx.x * static_cast<long long>(blockDim.y) + threadIdx.y;
  const bool inside = row < rows;  // a warp without a row still takes part in the reductions
  const int cols = inside ? classes : 0;
  z += inside ? row * classes : 0;
  if (targets) targets += inside ? row * classes : 0;

  Normalizer seen = {-INFINITY, 0};
  Largest top = {-INFINITY, 0x7fffffff}, top_target = top;
  float target_sum = 0, target_dot = 0;  // sum t; sum t z
  for (int j = threadIdx.x; j < cols; j += blockDim.x) {
    const float v = z[j];
    seen = Merge::combine(seen, {v, 1});
    top = First::combine(top, {v, j});
    if (targets) {
      const float t = targets[j];
      target_sum += t;
      if (t != 0) target_dot += t * v;
      top_target = First::combine(top_target, {t, j});
    }
  }
  seen = reduce_row<Merge>(seen);
  top = reduce_row<First>(top);
  int label = -1;
  if (targets) {
    target_sum = reduce_row<Sum>(target_sum);
    target_dot = reduce_row<Sum>(target_dot);
    label = reduce_row<First>(top_target).index;
  } else if (inside) {
    label = labels[row];
    target_sum = 1;
    target_dot = label >= 0 && label < classes ? z[label] : NAN;
  }
  if (blockDim.x > 32) __syncthreads();  // dz may be z: all have read their label's logit
  else __syncwarp();
  const float largest = seen.largest < INFINITY ? seen.largest : NAN;

  const float weight = weights && inside ? weights[row] : 1;
  if (inside && threadIdx.x == 0) {
    const float row_loss = target_sum * logf(seen.sum) + (target_sum * largest - target_dot);
    loss[row] = weight * row_loss;
    if (hit) hit[row] = top.index == label && !isnan(row_loss);
  }
  if (!dz) return;
  dz += inside ? row * classes : 0;
  const float share = target_sum / seen.sum;
  const bool valid = targets || (label >= 0 && label < classes);
  for (int j = threadIdx.x; j < cols; j += blockDim.x) {
    const float t = targets ? targets[j] : j == label ? 1.0f : 0.0f;
    dz[j] = valid ? scale * weight * (expf(z[j] - largest) * share - t) : NAN;
  }
}
