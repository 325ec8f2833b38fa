// softmax_cross_entropy, rung 2 of the ladder: a warp a row.
//
// Against rung 1 the lanes of a warp stand side by side in one row, so that what they read together
// are 4 whole sectors in place of a part of each of 32. What they found apart they join by shuffles,
// without a barrier: five steps, in which lane l reads the lane l ^ 16, l ^ 8, l ^ 4, l ^ 2, l ^ 1.
// Four rows a block in place of 128 also put 32 times as many warps to work.
//
// Maths:        m = max z; s = sum_j exp(z_j - m); loss = log s + m - z_label;
//               dz = scale (exp(z - m) / s - 1 at the label).
// Shapes:       z, dz (B, C) float32, labels (B,) int32, loss (B,) float32; contiguous. dz may be
//               null, and may be z.
// Traffic:      z is read three times and dz written; each lane reads the label, one of them its
//               logit, and writes the loss.
//               B 256, C 1000: 16 B C + 136 B = 4,130,816 bytes, 0.86 µs at 4.8 TB/s.
// Launch:       grid (B / 4) rounded up, 32 x 4 threads, 32 of a row; no shared memory.
// Requirements: none. A label outside [0, C) gives a loss and a dz row of NaN.
// Numerics:     float32; each lane's share in ascending j, then the lanes' in a fixed tree. A row
//               with NaN or +inf, or of nothing but -inf, gives NaN.
// Source:       Harris, Optimizing parallel reduction in CUDA, 2007; shuffles in place of memory.
#include "numbers.cuh"
#include "reduce.cuh"

extern "C" __global__ void __launch_bounds__(THREADS)
softmax_cross_entropy(const float* z, const int* labels, float* loss, float* dz, float scale,
                      long long rows, int classes) {
  const long long row = blockIdx.x * 1LL * ROWS_PER_BLOCK + threadIdx.y;
  if (row >= rows) return;  // a whole warp
  const int lane = threadIdx.x;
  z += row * classes;

  float largest = -INFINITY, sum = 0;
  for (int j = lane; j < classes; j += 32) largest = fmaxf(largest, z[j]);
  largest = reduce_warp<Max>(largest);
  for (int j = lane; j < classes; j += 32) sum += expf(z[j] - largest);
  sum = reduce_warp<Sum>(sum);

  const int label = labels[row];
  const bool valid = label >= 0 && label < classes;
  if (lane == 0) loss[row] = valid ? logf(sum) + (largest - z[label]) : NAN;
  if (!dz) return;
  __syncwarp();  // dz may be z: its label's logit has been read
  dz += row * classes;
  const float share = valid ? 1 / sum : NAN;
  for (int j = lane; j < classes; j += 32)
    dz[j] = scale * (expf(z[j] - largest) * share - (j == label));
}
