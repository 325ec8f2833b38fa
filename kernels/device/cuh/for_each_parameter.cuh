// One update of every parameter, over flat arrays: four parameters a thread and 16 bytes an access
// where all arrays start on a multiple of 16 bytes, else one parameter and 4 bytes.
//
//   struct Update { __device__ void operator()(float& p, float g, float& u) const { … } };
//   for_each_parameter(n, update, p, g, Optional{u});
//
// The arrays come in the order of the update's arguments; a `const float*` is only read.
#pragma once
#include "vector.cuh"

// An array that may be left out, null: its numbers are zeros, and go nowhere.
struct Optional {
  float* start;
};

__device__ inline bool aligned_16(Optional a) { return aligned_16(a.start); }

__device__ inline float4 load_4(const float* a, long long i) {
  return *reinterpret_cast<const float4*>(a + i);
}
__device__ inline float4 load_4(Optional a, long long i) {
  return a.start ? load_4(a.start, i) : float4{};
}

__device__ inline void store_4(const float*, long long, float4) {}
__device__ inline void store_4(float* a, long long i, float4 four) {
  *reinterpret_cast<float4*>(a + i) = four;
}
__device__ inline void store_4(Optional a, long long i, float4 four) {
  if (a.start) store_4(a.start, i, four);
}

// A number of an Optional array while it is updated: it goes back where it came from.
struct Element {
  float* start;
  long long i;
  float value;
  __device__ Element(float* a, long long i) : start(a), i(i), value(a ? a[i] : 0.0f) {}
  __device__ ~Element() { if (start) start[i] = value; }
  __device__ operator float&() { return value; }
};

__device__ inline float& element(float* a, long long i) { return a[i]; }
__device__ inline float element(const float* a, long long i) { return a[i]; }
__device__ inline Element element(Optional a, long long i) { return {a.start, i}; }

// The grid strides over the n parameters.
template <class Update, class... Arrays>
__device__ void for_each_parameter(long long n, const Update& update, Arrays... arrays) {
  for_each(
      n, (aligned_16(arrays) && ...),
      [=](long long i) {
        const auto update_fours = [&](auto... four) {
          update(four.x...);
          update(four.y...);
          update(four.z...);
          update(four.w...);
          (store_4(arrays, i, four), ...);
        };
        update_fours(load_4(arrays, i)...);
      },
      [=](long long i) { update(element(arrays, i)...); });
}
