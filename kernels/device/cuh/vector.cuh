// 16-byte accesses: legal where an address is a multiple of 16.
#pragma once

__device__ inline bool aligned_16(const void* p) {
  return reinterpret_cast<unsigned long long>(p) % 16 == 0;
}

// N floats that are loaded and stored at once; their address is a multiple of 4 N.
template <int N>
struct alignas(4 * N) Floats {
  static constexpr int SIZE = N;
  float at[N];
};

template <int N>
__device__ inline void add(Floats<N>& sum, const Floats<N>& other) {
  for (int i = 0; i < N; ++i) sum.at[i] += other.at[i];
}

template <int N>
__device__ inline Floats<N> load(const float* p) {
  return *reinterpret_cast<const Floats<N>*>(p);
}

template <int N>
__device__ inline void store(float* p, const Floats<N>& values) {
  *reinterpret_cast<Floats<N>*>(p) = values;
}

// In one store, past the first-level cache: other multiprocessors read it.
__device__ inline void store_for_other_blocks(float* p, const Floats<4>& values) {
  const auto [a, b, c, d] = values.at;
  __stcg(reinterpret_cast<float4*>(p), make_float4(a, b, c, d));
}

// Call four(i) for each group of four of n elements where `vectors` says that 16-byte access is
// legal, and one(i) for each element that is left. The grid strides over the work. `four` has its
// groups as float4, member by member: a loop over the `at` of a Floats<4> in it, and the compiler
// no longer unrolls the loop around it.
template <class Four, class One>
__device__ void for_each(long long n, bool vectors, Four four, One one) {
  const long long thread = blockIdx.x * static_cast<long long>(blockDim.x) + threadIdx.x;
  const long long threads = static_cast<long long>(gridDim.x) * blockDim.x;
  const long long groups = vectors ? n / 4 : 0;
  for (long long i = thread; i < groups; i += threads) four(4 * i);
  for (long long i = 4 * groups + thread; i < n; i += threads) one(i);
}
