// softmax_cross_entropy, C++ variant: loss, dlogits and hit in one kernel, a row read once.
//
// Maths:        m = max z; s = sum_j exp(z_j - m); loss = w ((sum t) log s + m sum t - sum_j t_j z_j);
//               dz = scale w (exp(z - m) / s sum t - t); t is one-hot at `labels`, or `targets`.
//               hit = 1 where the first largest logit stands at the label (at the first largest
//               target), else 0; 0 also where the loss is NaN.
// Shapes:       z, targets, dz (B, C) float32; labels (B,) int32; weights, loss (B,) float32, hit
//               (B,) uint8; contiguous. weights (then ones), dz and hit may be null. dz may be z.
// Traffic:      z read, dz written: 8 B C bytes from device memory (16 with targets, which are read
//               twice), in 16-byte accesses where the rows allow. Between its two passes a row is
//               kept in shared memory; of a row that does not fit the rest is read again, the
//               newest first, while the second-level cache may still hold it.
//               B 256, C 1,000: 8 B C = 2,048,000 bytes, 0.43 µs at 4.8 TB/s.
// Launch:       blockDim.x threads a row, 8 to WIDE_THREADS by the number of classes, blockDim.y
//               rows a block; 768 bytes of shared memory, and what the launch gives for the rows.
// Requirements: blockDim.x a power of two, 32 threads or more a block, a multiple of 16 bytes of
//               dynamic shared memory a row, which kernels/ops/softmax_cross_entropy/__init__.py
//               guarantees. A label outside [0, C) gives a loss and a dz row of NaN.
// Numerics:     float32; each thread keeps a running maximum and a sum rescaled to it, so no exp
//               overflows; sums in a fixed order. A row with NaN or +inf, or of nothing but -inf,
//               gives NaN. A target of 0 adds nothing, also where z is -inf.
// Source:       Milakov and Gimelshein, Online normalizer calculation for softmax, 2018; threads by
//               width of the row as in QuACK (Dao et al., 2025).
#include "async_copy.cuh"
#include "cross_entropy.cuh"
#include "reduce.cuh"
#include "vector.cuh"

// What was seen of a row: the first largest logit, and the sum of exp(z - largest).
struct Seen {
  float largest;
  int index;
  float sum;
};

struct Merge {
  static __device__ Seen combine(Seen a, Seen b) {
    const Largest top = First::combine({a.largest, a.index}, {b.largest, b.index});
    return {top.value, top.index, rescaled(a, top.value) + rescaled(b, top.value)};
  }
  static __device__ float rescaled(Seen a, float largest) {
    return a.largest == largest ? a.sum : a.sum * expf(a.largest - largest);
  }
};

__device__ inline Seen shuffle_xor(Seen x, int lanes) {
  const Largest top = shuffle_xor(Largest{x.largest, x.index}, lanes);
  return {top.value, top.index, shuffle_xor(x.sum, lanes)};
}

// Then WIDTH logits, that of class j the first of them.
template <int WIDTH>
__device__ Seen seen_after(Seen before, const Floats<WIDTH>& logits, int j) {
  Largest top = {before.largest, before.index};
  for (int i = 0; i < WIDTH; ++i) top = First::combine(top, {logits.at[i], j + i});
  float sum = Merge::rescaled(before, top.value);
  for (int i = 0; i < WIDTH; ++i) sum += Merge::rescaled({logits.at[i], 0, 1}, top.value);
  return {top.value, top.index, sum};
}

// Written out: a pointer that may be to shared or to global memory makes slower, generic loads.
template <int WIDTH>
__device__ Floats<WIDTH> load_shared(const float* p) {
  Floats<WIDTH> group;
  float(&v)[WIDTH] = group.at;
  if constexpr (WIDTH == 4)
    asm volatile("ld.shared.v4.f32 {%0, %1, %2, %3}, [%4];"
        : "=f"(v[0]), "=f"(v[1]), "=f"(v[2]), "=f"(v[3]) : "r"(shared_address(p)) : "memory");
  else
    asm volatile("ld.shared.f32 %0, [%1];" : "=f"(v[0]) : "r"(shared_address(p)) : "memory");
  return group;
}

__device__ inline int dynamic_shared_bytes() {
  int n;
  asm("mov.u32 %0, %%dynamic_smem_size;" : "=r"(n));
  return n;
}

// What a thread holds of a row, then what all of its threads have found together.
struct Row {
  const float *z, *targets;  // targets may be null
  float *dz, *place;         // dz may be null; the row's place in shared memory
  int kept, classes;         // how many logits fit there; 0 classes for threads without a row, which
                             // still take part in the reductions
  Seen seen = {-INFINITY, 0x7fffffff, 0};
  Largest top_target = {-INFINITY, 0x7fffffff};
  float target_sum = 0, target_dot = 0;  // sum t; sum t z

  template <int WIDTH>
  __device__ Floats<WIDTH> at(int j) const {
    if (j < kept) return load_shared<WIDTH>(place + j);
    return load<WIDTH>(z + j);
  }

  template <int WIDTH>
  __device__ void read() {
    const int first = WIDTH * threadIdx.x, step = WIDTH * blockDim.x;
    for (int j = first; j < min(classes, kept); j += step) copy_async<WIDTH>(place + j, z + j, true);
    copy_async_commit();
    copy_async_wait<0>();  // and no barrier: a thread reads what it has copied itself
    for (int j = first; j < classes; j += step) {
      const auto logits = at<WIDTH>(j);
      seen = seen_after(seen, logits, j);
      if (!targets) continue;
      const auto t = load<WIDTH>(targets + j);
      for (int i = 0; i < WIDTH; ++i) {
        target_sum += t.at[i];
        if (t.at[i] != 0) target_dot += t.at[i] * logits.at[i];
        top_target = First::combine(top_target, {t.at[i], j + i});
      }
    }
  }

  // dz = factor (exp(z - largest) share - t), from the row's end to its start; NaN if not `valid`.
  template <int WIDTH>
  __device__ void write(float factor, float largest, float share, int label, bool valid) const {
    const int first = WIDTH * threadIdx.x, step = WIDTH * blockDim.x;
    const int steps = (classes - first + step - 1) / step;
    for (int j = first + (steps - 1) * step; j >= 0; j -= step) {
      Floats<WIDTH> group = at<WIDTH>(j), t;
      if (targets) t = load<WIDTH>(targets + j);
      else
        for (int i = 0; i < WIDTH; ++i) t.at[i] = j + i == label;
      for (int i = 0; i < WIDTH; ++i) {
        group.at[i] = factor * (expf(group.at[i] - largest) * share - t.at[i]);
        if (!valid) group.at[i] = NAN;
      }
      store(dz + j, group);
    }
  }
};

extern "C" __global__ void __launch_bounds__(WIDE_THREADS)
softmax_cross_entropy(const float* z, const int* labels, const float* targets,
                      const float* weights, float* loss, float* dz, unsigned char* hit,
                      float scale, long long rows, int classes) {
  extern __shared__ __align__(16) float places[];
  const int kept = dynamic_shared_bytes() / sizeof(float) / blockDim.y;
  const bool vectors =
      classes % 4 == 0 && aligned_16(z) && aligned_16(targets) && aligned_16(dz);
  const long long row = blockIdx.x * static_cast<long long>(blockDim.y) + threadIdx.y;
  const bool inside = row < rows;
  const long long start = inside ? row * classes : 0;
  Row r = {z + start, targets ? targets + start : nullptr, dz ? dz + start : nullptr,
           places + threadIdx.y * kept, kept, inside ? classes : 0};
  if (vectors) r.read<4>();
  else r.read<1>();

  const Seen seen = reduce_row<Merge>(r.seen);
  float target_sum = 1, target_dot = NAN;
  int label = -1;
  if (targets) {
    target_sum = reduce_row<Sum>(r.target_sum);
    target_dot = reduce_row<Sum>(r.target_dot);
    label = reduce_row<First>(r.top_target).index;
  } else if (inside) {
    label = labels[row];
    if (label >= 0 && label < classes) target_dot = r.z[label];
  }
  if (blockDim.x > 32) __syncthreads();  // dz may be z: all have read their label's logit
  else __syncwarp();
  const float largest = seen.largest < INFINITY ? seen.largest : NAN;

  const float weight = weights && inside ? weights[row] : 1;
  if (inside && threadIdx.x == 0)
    store_loss(loss, hit, row, weight, target_sum, target_dot, largest, seen.sum,
               seen.index == label);
  if (!dz) return;
  const float share = target_sum / seen.sum, factor = scale * weight;
  const bool valid = targets || (label >= 0 && label < classes);
  if (vectors) r.write<4>(factor, largest, share, label, valid);
  else r.write<1>(factor, largest, share, label, valid);
}
