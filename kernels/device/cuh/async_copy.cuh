// Asynchronous copies from global to shared memory (cp.async, sm_80 and newer).
// A copy that is not `valid` reads nothing and fills its place with zeros; its source must still be
// an address inside the array, so callers pass the array's start.
#pragma once

__device__ inline unsigned shared_address(const void* p) {
  return static_cast<unsigned>(__cvta_generic_to_shared(p));
}

// 16 bytes; both addresses are multiples of 16. Bypasses L1.
__device__ inline void copy_async_16(void* shared, const void* global, bool valid) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(shared)),
               "l"(global), "r"(valid ? 16 : 0) : "memory");
}

// 8 bytes; both addresses are multiples of 8.
__device__ inline void copy_async_8(void* shared, const void* global, bool valid) {
  asm volatile("cp.async.ca.shared.global [%0], [%1], 8, %2;" ::"r"(shared_address(shared)),
               "l"(global), "r"(valid ? 8 : 0) : "memory");
}

// 4 bytes; both addresses are multiples of 4.
__device__ inline void copy_async_4(void* shared, const void* global, bool valid) {
  asm volatile("cp.async.ca.shared.global [%0], [%1], 4, %2;" ::"r"(shared_address(shared)),
               "l"(global), "r"(valid ? 4 : 0) : "memory");
}

// FLOATS of 4 bytes: 4 or 1.
template <int FLOATS>
__device__ inline void copy_async(float* shared, const float* global, bool valid) {
  if (FLOATS == 4) copy_async_16(shared, global, valid);
  else copy_async_4(shared, global, valid);
}

// Close the group of copies issued since the last commit.
__device__ inline void copy_async_commit() { asm volatile("cp.async.commit_group;" ::: "memory"); }

// Wait until at most PENDING of this thread's newest groups are in flight. A barrier must follow
// before another thread's copies may be read.
template <int PENDING>
__device__ inline void copy_async_wait() {
  asm volatile("cp.async.wait_group %0;" ::"n"(PENDING) : "memory");
}
