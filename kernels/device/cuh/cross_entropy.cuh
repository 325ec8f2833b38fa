// The end of a softmax cross-entropy, the same wherever its sums were made.
#pragma once
#include "numbers.cuh"

// Of a row: its loss, and whether the first largest logit stands where it should (`right`) and the
// loss is a number. target_sum: sum t; target_dot: sum t z; sum: sum exp(z - largest). hit may be null.
__device__ inline void store_loss(float* loss, unsigned char* hit, long long row, float weight,
                                  float target_sum, float target_dot, float largest, float sum,
                                  bool right) {
  const float row_loss = target_sum * logf(sum) + (target_sum * largest - target_dot);
  const float weighted = weight * target_sum;  // where the loss overflows, with it it may not
  loss[row] = isinf(row_loss)
                  ? weighted * logf(sum) + (weighted * largest - weight * target_dot)
                  : weight * row_loss;
  if (hit) hit[row] = right && !isnan(row_loss);
}
