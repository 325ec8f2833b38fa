// Reductions over a row handled by `blockDim.x` threads, a power of two: a part of a warp, a warp,
// or one whole block of several.
// Every thread gets the result. The order of additions is fixed, so the same input gives the same
// bits. All threads of the block must call together.
#pragma once

struct Sum {
  static __device__ float combine(float a, float b) { return a + b; }
};

// Of a NaN and a number, the number.
struct Max {
  static __device__ float combine(float a, float b) { return fmaxf(a, b); }
};

// Of two candidates for a row's maximum the larger, then the one that stands first.
struct Largest {
  float value;
  int index;
};

struct First {
  static __device__ Largest combine(Largest a, Largest b) {
    bool take_b = b.value > a.value || (b.value == a.value && b.index < a.index);
    return take_b ? b : a;
  }
};

__device__ inline float shuffle_xor(float x, int lanes) {
  return __shfl_xor_sync(0xffffffffu, x, lanes);
}
__device__ inline Largest shuffle_xor(Largest x, int lanes) {
  return {__shfl_xor_sync(0xffffffffu, x.value, lanes),
          __shfl_xor_sync(0xffffffffu, x.index, lanes)};
}

// Over `width` lanes that stand side by side.
template <class Op, class T>
__device__ T reduce_warp(T x, int width = 32) {
#pragma unroll
  for (int lanes = 16; lanes > 0; lanes /= 2)
    if (lanes < width) x = Op::combine(x, shuffle_xor(x, lanes));
  return x;
}

template <class Op, class T>
__device__ T reduce_row(T x) {
  x = reduce_warp<Op>(x, blockDim.x);
  if (blockDim.x <= 32) return x;
  __shared__ T of_warp[32];
  __syncthreads();  // of_warp may still be read by a reduction before this one
  if (threadIdx.x % 32 == 0) of_warp[threadIdx.x / 32] = x;
  __syncthreads();
  x = of_warp[0];
  for (int warp = 1; warp < blockDim.x / 32; ++warp) x = Op::combine(x, of_warp[warp]);
  return x;
}
