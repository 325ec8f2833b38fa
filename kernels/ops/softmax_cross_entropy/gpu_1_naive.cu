// softmax_cross_entropy, rung 1 of the ladder: one thread a row, three passes over it.
//
// The ladder climbs from here to gpu.cu, one idea a rung; `python -m bench ladder` counts what each
// idea saves. Here is the formula as a CPU would run it: the largest logit, the sum of exp, then
// loss and gradient. The lanes of a warp are in 32 rows, a whole row apart, so every 4 bytes that
// one asks for move a sector of 32.
//
// Maths:        m = max z; s = sum_j exp(z_j - m); loss = log s + m - z_label;
//               dz = scale (exp(z - m) / s - 1 at the label).
// Shapes:       z, dz (B, C) float32, labels (B,) int32, loss (B,) float32; contiguous. dz may be
//               null, and may be z.
// Traffic:      z is read three times and dz written; a label, its logit and a loss a row.
//               B 256, C 1000: 16 B C + 12 B = 4,099,072 bytes, 0.85 µs at 4.8 TB/s.
// Launch:       grid (B / 128) rounded up, 128 threads, of a row each; no shared memory.
// Requirements: none. A label outside [0, C) gives a loss and a dz row of NaN.
// Numerics:     float32, ascending j. A row with NaN or +inf, or of nothing but -inf, gives NaN.
// Source:       Goodfellow, Bengio and Courville, Deep Learning, sections 4.1 and 6.2.2.
#include "numbers.cuh"

extern "C" __global__ void __launch_bounds__(THREADS)
softmax_cross_entropy(const float* z, const int* labels, float* loss, float* dz, float scale,
                      long long rows, int classes) {
  const long long row = blockIdx.x * 1LL * ROWS_PER_BLOCK + threadIdx.x;
  if (row >= rows) return;
  z += row * classes;

  float largest = -INFINITY, sum = 0;
  for (int j = 0; j < classes; ++j) largest = fmaxf(largest, z[j]);
  for (int j = 0; j < classes; ++j) sum += expf(z[j] - largest);

  const int label = labels[row];
  const bool valid = label >= 0 && label < classes;
  loss[row] = valid ? logf(sum) + (largest - z[label]) : NAN;
  if (!dz) return;
  dz += row * classes;
  const float share = valid ? 1 / sum : NAN;
  for (int j = 0; j < classes; ++j) dz[j] = scale * (expf(z[j] - largest) * share - (j == label));
}
