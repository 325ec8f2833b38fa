// 16-byte accesses: legal where an address is a multiple of 16.
#pragma once

__device__ inline bool aligned_16(const void* p) {
  return reinterpret_cast<unsigned long long>(p) % 16 == 0;
}

// Call four(i) for each group of four of n elements where `vectors` says that 16-byte access is
// legal, and one(i) for each element that is left. The grid strides over the work.
template <class Four, class One>
__device__ void for_each(long long n, bool vectors, Four four, One one) {
  const long long thread = blockIdx.x * static_cast<long long>(blockDim.x) + threadIdx.x;
  const long long threads = static_cast<long long>(gridDim.x) * blockDim.x;
  const long long groups = vectors ? n / 4 : 0;
  for (long long i = thread; i < groups; i += threads) four(4 * i);
  for (long long i = 4 * groups + thread; i < n; i += threads) one(i);
}
