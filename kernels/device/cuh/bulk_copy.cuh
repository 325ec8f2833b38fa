// Hopper's copy engine (sm_90): one thread asks for a contiguous copy of up to megabytes into shared
// memory, and an mbarrier counts the bytes as they arrive.
//
// A phase of an mbarrier completes when its arrivals and its expected bytes have all come. Phases
// are told apart by parity: 0 for the first, 1 for the second, 0 for the third ...
#pragma once
#include "async_copy.cuh"

// By one thread; then fence_barrier_init(), and a barrier of the block before others use it.
__device__ inline void barrier_init(unsigned long long* barrier, int arrivals) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(shared_address(barrier)),
               "r"(arrivals) : "memory");
}
// The copy engine, too, sees what barrier_init wrote.
__device__ inline void fence_barrier_init() {
  asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
}

__device__ inline void barrier_arrive(unsigned long long* barrier) {
  asm volatile("{ .reg .b64 state; mbarrier.arrive.shared::cta.b64 state, [%0]; }" ::"r"(
      shared_address(barrier)) : "memory");
}
// Arrive, and let the phase wait for so many bytes.
__device__ inline void barrier_arrive_expecting(unsigned long long* barrier, int bytes) {
  asm volatile("{ .reg .b64 state; mbarrier.arrive.expect_tx.shared::cta.b64 state, [%0], %1; }" ::"r"(
      shared_address(barrier)), "r"(bytes) : "memory");
}

// Until the phase of this parity has completed.
__device__ inline void barrier_wait(unsigned long long* barrier, int parity) {
  int done;
  do {
    asm volatile(
        "{ .reg .pred p; mbarrier.try_wait.parity.shared::cta.b64 p, [%1], %2; "
        "selp.s32 %0, 1, 0, p; }"
        : "=r"(done) : "r"(shared_address(barrier)), "r"(parity) : "memory");
  } while (!done);
}

// Addresses and `bytes` are multiples of 16.
__device__ inline void copy_bulk(void* shared, const void* global, int bytes,
                                 unsigned long long* barrier) {
  asm volatile(
      "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];" ::"r"(
          shared_address(shared)), "l"(global), "r"(bytes), "r"(shared_address(barrier)) : "memory");
}
