// Synchronisation, right and wrong: each kernel is one case of test_litmus.py.
//
// The line above a kernel says what must come of it: `right`, that is no report and 42 wherever it
// writes to `out`; or `wrong:` and the kind of report; then the launch. `data` is zeros, `flag` is
// zeros, `out` is -1; 4096 integers each. `wrong on some schedules` is a bug that others hide: there
// the threads happen to meet in an order that makes it right.
//
// Sources: PTX ISA, "Memory consistency model", "Parallel synchronization and communication".

#define LOAD(name, instruction)                                                                  \
  __device__ inline int name(const int* p) {                                                     \
    int v;                                                                                       \
    asm volatile(instruction ".s32 %0, [%1];" : "=r"(v) : "l"(p) : "memory");                    \
    return v;                                                                                    \
  }
#define STORE(name, instruction)                                                                 \
  __device__ inline void name(int* p, int v) {                                                   \
    asm volatile(instruction ".s32 [%0], %1;" ::"l"(p), "r"(v) : "memory");                      \
  }
#define FENCE(name, instruction)                                                                 \
  __device__ inline void name() { asm volatile(instruction ";" ::: "memory"); }

LOAD(load_weak, "ld.weak.global")
LOAD(load_volatile, "ld.volatile.global")
LOAD(load_relaxed_gpu, "ld.relaxed.gpu.global")
LOAD(load_acquire_cta, "ld.acquire.cta.global")
LOAD(load_acquire_gpu, "ld.acquire.gpu.global")
LOAD(load_acquire_sys, "ld.acquire.sys.global")
STORE(store_weak, "st.weak.global")
STORE(store_volatile, "st.volatile.global")
STORE(store_relaxed_gpu, "st.relaxed.gpu.global")
STORE(store_release_cta, "st.release.cta.global")
STORE(store_release_gpu, "st.release.gpu.global")
STORE(store_release_sys, "st.release.sys.global")
FENCE(fence_cta, "fence.acq_rel.cta")
FENCE(fence_gpu, "fence.acq_rel.gpu")
FENCE(fence_sys, "fence.acq_rel.sys")
FENCE(fence_sc_gpu, "fence.sc.gpu")
FENCE(cluster_arrive, "barrier.cluster.arrive.release.aligned")
FENCE(cluster_arrive_relaxed, "barrier.cluster.arrive.relaxed.aligned")
FENCE(cluster_wait, "barrier.cluster.wait.acquire.aligned")

#define KERNEL(name) extern "C" __global__ void name(int* data, int* flag, int* out)
#define THREAD (blockIdx.x * blockDim.x + threadIdx.x)

__device__ inline unsigned shared_address(const void* p) {
  return static_cast<unsigned>(__cvta_generic_to_shared(p));
}

// ---- Message passing between blocks: block 0 writes data and raises a flag, block 1 waits for it --

#define MESSAGE(name, before_flag, raise, poll, after_flag)                                      \
  KERNEL(name) {                                                                                 \
    if (blockIdx.x == 0) {                                                                       \
      data[0] = 42;                                                                              \
      before_flag;                                                                               \
      raise;                                                                                     \
    } else {                                                                                     \
      while (!(poll)) {}                                                                         \
      after_flag;                                                                                \
      out[0] = data[0];                                                                          \
    }                                                                                            \
  }

// right, grid 2, block 1
MESSAGE(message_release_acquire_gpu, , store_release_gpu(flag, 1), load_acquire_gpu(flag), )
// right, grid 2, block 1
MESSAGE(message_release_acquire_sys, , store_release_sys(flag, 1), load_acquire_sys(flag), )
// right, grid 2, block 1
MESSAGE(message_fences_gpu, fence_gpu(), store_relaxed_gpu(flag, 1), load_relaxed_gpu(flag), fence_gpu())
// right, grid 2, block 1
MESSAGE(message_fences_sys, fence_sys(), store_relaxed_gpu(flag, 1), load_relaxed_gpu(flag), fence_sys())
// right, grid 2, block 1
MESSAGE(message_fences_sc, fence_sc_gpu(), store_relaxed_gpu(flag, 1), load_relaxed_gpu(flag), fence_sc_gpu())
// right, grid 2, block 1
MESSAGE(message_threadfence_volatile, __threadfence(), store_volatile(flag, 1), load_volatile(flag), __threadfence())
// right, grid 2, block 1
MESSAGE(message_fence_and_acquire, __threadfence(), atomicExch(flag, 1), load_acquire_gpu(flag), )
// right, grid 2, block 1
MESSAGE(message_release_and_fence, , store_release_gpu(flag, 1), load_relaxed_gpu(flag), fence_gpu())
// right, grid 2, block 1
MESSAGE(message_atomics_and_fences, __threadfence(), atomicAdd(flag, 1), atomicAdd(flag, 0), __threadfence())
// wrong: race, grid 2, block 1
MESSAGE(message_without_fences, , store_relaxed_gpu(flag, 1), load_relaxed_gpu(flag), )
// wrong: race, grid 2, block 1
MESSAGE(message_without_release, , store_relaxed_gpu(flag, 1), load_acquire_gpu(flag), )
// wrong: race, grid 2, block 1
MESSAGE(message_without_acquire, , store_release_gpu(flag, 1), load_relaxed_gpu(flag), )
// wrong: race, grid 2, block 1
MESSAGE(message_release_of_block_scope, , store_release_cta(flag, 1), load_acquire_gpu(flag), )
// wrong: race, grid 2, block 1
MESSAGE(message_acquire_of_block_scope, , store_release_gpu(flag, 1), load_acquire_cta(flag), )
// wrong: race, grid 2, block 1
MESSAGE(message_fences_of_block_scope, fence_cta(), store_relaxed_gpu(flag, 1), load_relaxed_gpu(flag), fence_cta())
// wrong: race, grid 2, block 1
MESSAGE(message_atomics_without_fences, , atomicExch(flag, 1), atomicAdd(flag, 0), )
// wrong: race, grid 2, block 1
MESSAGE(message_weak_flag, __threadfence(), store_weak(flag, 1), load_weak(flag), __threadfence())
// wrong: race, grid 2, block 1
MESSAGE(message_fence_after_the_flag, , store_relaxed_gpu(flag, 1); fence_gpu(), load_relaxed_gpu(flag), fence_gpu())

__device__ inline int exchange_acq_rel(int* p, int v) {
  int old;
  asm volatile("atom.acq_rel.gpu.global.exch.b32 %0, [%1], %2;" : "=r"(old) : "l"(p), "r"(v) : "memory");
  return old;
}
__device__ inline void reduce_release(int* p) {
  asm volatile("red.release.gpu.global.add.s32 [%0], 1;" ::"l"(p) : "memory");
}
// right, grid 2, block 1
MESSAGE(message_atomic_acq_rel, , exchange_acq_rel(flag, 1), exchange_acq_rel(flag, 0), )
// right, grid 2, block 1
MESSAGE(message_reduction_release, , reduce_release(flag), load_acquire_gpu(flag), )

// Through a third block: happens-before is transitive.
// right, grid 3, block 1
KERNEL(message_relayed) {
  if (blockIdx.x == 0) {
    data[0] = 42;
    store_release_gpu(flag, 1);
  } else if (blockIdx.x == 1) {
    while (!load_acquire_gpu(flag)) {}
    store_release_gpu(flag + 32, 1);
  } else {
    while (!load_acquire_gpu(flag + 32)) {}
    out[0] = data[0];
  }
}
// wrong: race, grid 3, block 1
KERNEL(message_relayed_without_acquire) {
  if (blockIdx.x == 0) {
    data[0] = 42;
    store_release_gpu(flag, 1);
  } else if (blockIdx.x == 1) {
    while (!load_relaxed_gpu(flag)) {}
    store_release_gpu(flag + 32, 1);
  } else {
    while (!load_acquire_gpu(flag + 32)) {}
    out[0] = data[0];
  }
}

// All threads' data through one thread's fence and flag: barriers of both blocks carry the order on.
#define BLOCKWISE(name, producer_barrier, consumer_barrier)                                      \
  KERNEL(name) {                                                                                 \
    if (blockIdx.x == 0) {                                                                       \
      data[threadIdx.x] = 42;                                                                    \
      producer_barrier;                                                                          \
      if (threadIdx.x == 0) {                                                                    \
        __threadfence();                                                                         \
        atomicExch(flag, 1);                                                                     \
      }                                                                                          \
    } else {                                                                                     \
      if (threadIdx.x == 0) {                                                                    \
        while (!atomicAdd(flag, 0)) {}                                                           \
        __threadfence();                                                                         \
      }                                                                                          \
      consumer_barrier;                                                                          \
      out[threadIdx.x] = data[threadIdx.x ^ 33];                                                 \
    }                                                                                            \
  }
// right, grid 2, block 64
BLOCKWISE(blockwise, __syncthreads(), __syncthreads())
// wrong: race, grid 2, block 64
BLOCKWISE(blockwise_without_the_producers_barrier, , __syncthreads())
// wrong: race, grid 2, block 64
BLOCKWISE(blockwise_without_the_consumers_barrier, __syncthreads(), )

// Both blocks raise a flag and look at the other's: strong accesses do not race with each other.
// right, grid 2, block 1
KERNEL(strong_accesses_do_not_race) {
  store_relaxed_gpu(flag + blockIdx.x, 1);
  fence_sc_gpu();
  load_relaxed_gpu(flag + 1 - blockIdx.x);
  if (blockIdx.x == 0) out[0] = 42;
}

// ---- Locks --------------------------------------------------------------------------------------

#define LOCKED(name, lock, unlock)                                                               \
  KERNEL(name) {                                                                                 \
    lock;                                                                                        \
    data[0] += 1;                                                                                \
    const int arrived = data[0];                                                                 \
    unlock;                                                                                      \
    if (arrived == gridDim.x) out[0] = 42;                                                       \
  }
__device__ inline int try_lock_acquire(int* p) {
  int old;
  asm volatile("atom.acquire.gpu.global.cas.b32 %0, [%1], 0, 1;" : "=r"(old) : "l"(p) : "memory");
  return old;
}
// right, grid 4, block 1
LOCKED(lock_with_fences, while (atomicCAS(flag, 0, 1)) {} __threadfence(), __threadfence(); atomicExch(flag, 0))
// right, grid 4, block 1
LOCKED(lock_acquire_release, while (try_lock_acquire(flag)) {}, store_release_gpu(flag, 0))
// wrong: race, grid 4, block 1
LOCKED(lock_without_fences, while (atomicCAS(flag, 0, 1)) {}, atomicExch(flag, 0))
// wrong: race, grid 4, block 1
LOCKED(no_lock, , )
// wrong: deadlock, grid 2, block 1
LOCKED(lock_never_released, while (try_lock_acquire(flag)) {}, )

// ---- Between blocks without any order -------------------------------------------------------------

// right, grid 2, block 32
KERNEL(neighbouring_words) {
  data[2 * threadIdx.x + blockIdx.x] = 1;
  out[THREAD] = 42;
}
// right, grid 2, block 32
KERNEL(neighbouring_bytes) {
  reinterpret_cast<char*>(data)[2 * threadIdx.x + blockIdx.x] = 1;
  out[THREAD] = 42;
}
// right, grid 4, block 32
KERNEL(shared_reading) { out[THREAD] = data[threadIdx.x] + 42; }
// right, grid 4, block 32
KERNEL(atomics_of_everybody) {
  atomicAdd(data, 1);
  out[THREAD] = 42;
}
// A write that was observed comes before whatever its observer does next, fence or none.
// right, grid 4, block 1
KERNEL(the_last_to_count_resets_the_count) {
  if (atomicAdd(flag, 1) == gridDim.x - 1) {
    flag[0] = 0;
    out[0] = 42;
  }
}
// wrong: race, grid 4, block 1
KERNEL(not_the_last_to_count_resets_the_count) {
  if (atomicAdd(flag, 1) == gridDim.x - 2) flag[0] = 0;
}
// wrong: race, grid 2, block 32
KERNEL(two_blocks_write) { data[threadIdx.x] = blockIdx.x; }
// wrong: race, grid 2, block 32
KERNEL(a_block_reads_what_another_writes) {
  if (blockIdx.x == 0) data[threadIdx.x] = 1;
  else out[THREAD] = data[threadIdx.x];
}
// wrong: race, grid 4, block 1
KERNEL(atomics_and_a_plain_store) {
  if (blockIdx.x == 0) data[0] = 5;
  else atomicAdd(data, 1);
}
// wrong: race, grid 4, block 1
KERNEL(atomics_and_a_plain_load) {
  if (blockIdx.x == 0) out[0] = data[0];
  else atomicAdd(data, 1);
}
// wrong: race, grid 2, block 1
KERNEL(atomics_of_block_scope_in_two_blocks) { atomicAdd_block(data, 1); }

// ---- Grid barrier ---------------------------------------------------------------------------------

#define GRID_BARRIER(name, before, after, goal)                                                  \
  KERNEL(name) {                                                                                 \
    data[THREAD] = 42;                                                                           \
    __syncthreads();                                                                             \
    if (threadIdx.x == 0) {                                                                      \
      before;                                                                                    \
      atomicAdd(flag, 1);                                                                        \
      while (atomicAdd(flag, 0) < (goal)) {}                                                     \
      after;                                                                                     \
    }                                                                                            \
    __syncthreads();                                                                             \
    out[THREAD] = data[(THREAD + blockDim.x) % (gridDim.x * blockDim.x)];                        \
  }
// right, grid 3, block 64
GRID_BARRIER(grid_barrier, __threadfence(), __threadfence(), gridDim.x)
// wrong: race, grid 3, block 64
GRID_BARRIER(grid_barrier_without_fence_before, , __threadfence(), gridDim.x)
// wrong: race, grid 3, block 64
GRID_BARRIER(grid_barrier_without_fence_after, __threadfence(), , gridDim.x)
// wrong on some schedules: race, grid 3, block 64
GRID_BARRIER(grid_barrier_one_too_few, __threadfence(), __threadfence(), gridDim.x - 1)
// wrong: deadlock, grid 3, block 64
GRID_BARRIER(grid_barrier_one_too_many, __threadfence(), __threadfence(), gridDim.x + 1)

// ---- Within a block -------------------------------------------------------------------------------

#define EXCHANGE(name, synchronise)                                                              \
  KERNEL(name) {                                                                                 \
    __shared__ int buffer[256];                                                                  \
    buffer[threadIdx.x] = 42;                                                                    \
    synchronise;                                                                                 \
    out[THREAD] = buffer[threadIdx.x ^ 1];                                                       \
  }
#define EXCHANGE_FAR(name, synchronise)                                                          \
  KERNEL(name) {                                                                                 \
    __shared__ int buffer[256];                                                                  \
    buffer[threadIdx.x] = 42;                                                                    \
    synchronise;                                                                                 \
    out[THREAD] = buffer[threadIdx.x ^ 32];                                                      \
  }
// right, grid 2, block 64
EXCHANGE_FAR(barrier, __syncthreads())
// right, grid 2, block 64
EXCHANGE_FAR(barrier_with_reduction, __syncthreads_or(threadIdx.x == 3))
// right, grid 1, block 64
EXCHANGE_FAR(barrier_by_number, asm volatile("bar.sync 5;" ::: "memory"))
// right, grid 1, block 64
EXCHANGE_FAR(barrier_by_number_and_count, asm volatile("bar.sync 5, 64;" ::: "memory"))
// right, grid 1, block 128
EXCHANGE_FAR(barrier_of_each_half, asm volatile("bar.sync %0, 64;" ::"r"(threadIdx.x / 64 + 1) : "memory"))
// wrong: race, grid 1, block 64
EXCHANGE_FAR(barrier_missing, )
// wrong: race, grid 1, block 64
EXCHANGE_FAR(syncwarp_between_warps, __syncwarp())
// wrong: race, grid 1, block 64
EXCHANGE_FAR(fence_is_no_barrier, __threadfence_block())
// right, grid 1, block 64
EXCHANGE(syncwarp, __syncwarp())
// wrong: race, grid 1, block 32
EXCHANGE(syncwarp_missing, )
// wrong: race, grid 1, block 32
EXCHANGE(shuffles_order_no_memory, __shfl_xor_sync(0xffffffffu, threadIdx.x, 1))
// right, grid 1, block 32
EXCHANGE(syncwarp_of_pairs, __syncwarp(3u << (threadIdx.x / 2 * 2)))
// wrong: race, grid 1, block 32
EXCHANGE(syncwarp_of_the_wrong_lanes, __syncwarp(threadIdx.x % 2 ? 0xaaaaaaaau : 0x55555555u))
// wrong: warp, grid 1, block 32
EXCHANGE(syncwarp_of_lanes_that_leave_out_the_caller, __syncwarp(threadIdx.x == 7 ? 1u : 0xffffff7fu))

// Threads that have exited are not waited for.
// right, grid 1, block 96
KERNEL(barrier_after_some_exited) {
  if (threadIdx.x >= 64) return;
  __syncthreads();
  out[threadIdx.x] = 42;
}
// wrong: barrier|deadlock, grid 1, block 64
KERNEL(barrier_in_one_warp_only) {
  if (threadIdx.x < 32) __syncthreads();
  else while (!load_volatile(flag)) {}
  out[threadIdx.x] = 42;
}
// wrong: barrier|deadlock, grid 1, block 64
KERNEL(barriers_of_different_numbers) {
  if (threadIdx.x < 32) asm volatile("bar.sync 1;" ::: "memory");
  else asm volatile("bar.sync 2;" ::: "memory");
  out[threadIdx.x] = 42;
}
// wrong: barrier, grid 1, block 64
KERNEL(barrier_in_half_a_warp) {
  if (threadIdx.x % 32 < 16) asm volatile("bar.sync 0;" ::: "memory");
  else asm volatile("bar.sync 0;" ::: "memory");
  out[threadIdx.x] = 42;
}
// wrong: barrier|deadlock, grid 1, block 96
KERNEL(barrier_count_too_large) {
  asm volatile("bar.sync 1, 128;" ::: "memory");
  out[threadIdx.x] = 42;
}

// Producer and consumer warps: bar.arrive does not wait.
#define PRODUCER_CONSUMER(name, produced, consumed)                                              \
  KERNEL(name) {                                                                                 \
    __shared__ int buffer[32];                                                                   \
    if (threadIdx.x < 32) {                                                                      \
      buffer[threadIdx.x] = 42;                                                                  \
      asm volatile(produced ::: "memory");                                                       \
    } else {                                                                                     \
      asm volatile(consumed ::: "memory");                                                       \
      out[threadIdx.x] = buffer[63 - threadIdx.x];                                               \
    }                                                                                            \
  }
// right, grid 1, block 64
PRODUCER_CONSUMER(producer_arrives, "bar.arrive 1, 64;", "bar.sync 1, 64;")
// right, grid 1, block 64
PRODUCER_CONSUMER(producer_and_consumer_wait, "bar.sync 1, 64;", "bar.sync 1, 64;")
// wrong: race, grid 1, block 64
PRODUCER_CONSUMER(consumer_does_not_wait, "bar.sync 1, 64;", "bar.arrive 1, 64;")
// wrong: barrier|deadlock, grid 1, block 64
PRODUCER_CONSUMER(consumer_waits_elsewhere, "bar.arrive 1, 64;", "bar.sync 2, 64;")

// A ring of two: the buffer may be filled again only once it is free.
#define RING(name, wait_until_free)                                                              \
  KERNEL(name) {                                                                                 \
    __shared__ int buffer[32];                                                                   \
    for (int turn = 0; turn < 4; ++turn) {                                                       \
      if (threadIdx.x < 32) {                                                                    \
        wait_until_free;                                                                         \
        buffer[threadIdx.x] = 42;                                                                \
        asm volatile("bar.arrive 1, 64;" ::: "memory");                                          \
      } else {                                                                                   \
        asm volatile("bar.sync 1, 64;" ::: "memory");                                            \
        out[64 * turn + threadIdx.x] = buffer[63 - threadIdx.x];                                 \
        if (turn < 3) asm volatile("bar.arrive 2, 64;" ::: "memory");                            \
      }                                                                                          \
    }                                                                                            \
  }
// right, grid 1, block 64
RING(ring, if (turn > 0) asm volatile("bar.sync 2, 64;" ::: "memory"))
// wrong: race|barrier, grid 1, block 64
RING(ring_that_does_not_wait_until_free, if (turn > 0) asm volatile("bar.arrive 2, 64;" ::: "memory"))

// A flag in shared memory, between warps.
#define SHARED_MESSAGE(name, before_flag, after_flag)                                            \
  KERNEL(name) {                                                                                 \
    __shared__ int box, ready;                                                                   \
    volatile int* raised = &ready;                                                               \
    if (threadIdx.x == 0) *raised = 0;                                                           \
    __syncthreads();                                                                             \
    if (threadIdx.x == 0) {                                                                      \
      box = data[0] + 42; /* or the compiler would know it */                                    \
      before_flag;                                                                               \
      *raised = 1;                                                                               \
    } else if (threadIdx.x == 32) {                                                              \
      while (!*raised) {}                                                                        \
      after_flag;                                                                                \
      out[0] = box;                                                                              \
    }                                                                                            \
  }
// right, grid 1, block 64
SHARED_MESSAGE(shared_flag, __threadfence_block(), __threadfence_block())
// right, grid 1, block 64
SHARED_MESSAGE(shared_flag_with_wider_fences, __threadfence(), __threadfence_system())
// wrong: race, grid 1, block 64
SHARED_MESSAGE(shared_flag_without_fences, , )
// wrong: race, grid 1, block 64
SHARED_MESSAGE(shared_flag_without_the_readers_fence, __threadfence_block(), )

// ---- mbarrier -------------------------------------------------------------------------------------

__device__ inline bool mbarrier_done(unsigned barrier, int parity) {
  int done;
  asm volatile(
      "{ .reg .pred p; mbarrier.try_wait.parity.shared::cta.b64 p, [%1], %2; selp.s32 %0, 1, 0, p; }"
      : "=r"(done) : "r"(barrier), "r"(parity) : "memory");
  return done;
}
#define MBARRIER(name, count, parity)                                                            \
  KERNEL(name) {                                                                                 \
    __shared__ long long barrier;                                                                \
    __shared__ int buffer[32];                                                                   \
    const unsigned at = shared_address(&barrier);                                                \
    if (threadIdx.x == 0)                                                                        \
      asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(at), "r"(count) : "memory");  \
    __syncthreads();                                                                             \
    if (threadIdx.x < 32) {                                                                      \
      buffer[threadIdx.x] = 42;                                                                  \
      asm volatile("{ .reg .b64 s; mbarrier.arrive.shared::cta.b64 s, [%0]; }" ::"r"(at) : "memory"); \
    } else {                                                                                     \
      while (!mbarrier_done(at, parity)) {}                                                      \
      out[threadIdx.x] = buffer[63 - threadIdx.x];                                               \
    }                                                                                            \
  }
// right, grid 1, block 64
MBARRIER(mbarrier, 32, 0)
// wrong: race, grid 1, block 64
MBARRIER(mbarrier_of_the_phase_before, 32, 1)
// wrong: race, grid 1, block 64
MBARRIER(mbarrier_expecting_too_few, 31, 0)
// wrong: deadlock, grid 1, block 64
MBARRIER(mbarrier_expecting_too_many, 33, 0)

// ---- Asynchronous copies --------------------------------------------------------------------------

__device__ inline void copy(int* to, const int* from) {
  asm volatile("cp.async.ca.shared.global [%0], [%1], 4;" ::"r"(shared_address(to)), "l"(from) : "memory");
}
#define COPY(name, wait, other)                                                                  \
  KERNEL(name) {                                                                                 \
    __shared__ int buffer[64];                                                                   \
    copy(buffer + threadIdx.x, data + threadIdx.x);                                              \
    asm volatile("cp.async.commit_group;" ::: "memory");                                         \
    wait;                                                                                        \
    out[threadIdx.x] = buffer[other] + 42;                                                       \
  }
#define WAIT_ALL asm volatile("cp.async.wait_all;" ::: "memory")
#define WAIT_GROUP(n) asm volatile("cp.async.wait_group " #n ";" ::: "memory")
// right, grid 1, block 64
COPY(copy_of_ones_own, WAIT_GROUP(0), threadIdx.x)
// right, grid 1, block 64
COPY(copy_wait_all, WAIT_ALL, threadIdx.x)
// right, grid 1, block 64
COPY(copy_of_anothers, WAIT_GROUP(0); __syncthreads(), threadIdx.x ^ 32)
// wrong: asynchronous copy, grid 1, block 64
COPY(copy_not_waited_for, , threadIdx.x)
// wrong: asynchronous copy, grid 1, block 64
COPY(copy_wait_leaves_one, WAIT_GROUP(1), threadIdx.x)
// wrong: race|asynchronous copy, grid 1, block 64
COPY(copy_of_anothers_without_barrier, WAIT_GROUP(0), threadIdx.x ^ 32)
// wrong: race|asynchronous copy, grid 1, block 64
COPY(copy_of_anothers_waited_after_the_barrier, __syncthreads(); WAIT_GROUP(0), threadIdx.x ^ 32)
// wrong: race|asynchronous copy, grid 1, block 64
COPY(copy_overwritten_in_flight, buffer[threadIdx.x] = 0; WAIT_GROUP(0), threadIdx.x)
#define COPY_READING(name, bytes)                                                                \
  KERNEL(name) {                                                                                 \
    __shared__ int buffer[64];                                                                   \
    asm volatile("cp.async.ca.shared.global [%0], [%1], 4, %2;" ::"r"(                           \
        shared_address(buffer + threadIdx.x)), "l"(data + threadIdx.x), "r"(bytes) : "memory");  \
    WAIT_ALL;                                                                                    \
    out[threadIdx.x] = buffer[threadIdx.x] + 42;                                                 \
  }
// right, grid 1, block 64
COPY_READING(copy_reads_all, 4)
// wrong: asynchronous copy, grid 1, block 64
COPY_READING(copy_reads_more_than_it_writes, 5)

// ---- Bulk copies ----------------------------------------------------------------------------------

__device__ inline void mbarrier_init(unsigned at, int count) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(at), "r"(count) : "memory");
}
__device__ inline void mbarrier_arrive(unsigned at) {
  asm volatile("{ .reg .b64 s; mbarrier.arrive.shared::cta.b64 s, [%0]; }" ::"r"(at) : "memory");
}
__device__ inline void mbarrier_expect(unsigned at, int bytes) {
  asm volatile("{ .reg .b64 s; mbarrier.arrive.expect_tx.shared::cta.b64 s, [%0], %1; }" ::"r"(at),
               "r"(bytes) : "memory");
}
__device__ inline void mbarrier_wait(unsigned at, int parity) {
  while (!mbarrier_done(at, parity)) {}
}
__device__ inline void bulk_copy(void* to, const int* from, int bytes, unsigned barrier) {
  asm volatile(
      "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];" ::"r"(
          shared_address(to)), "l"(from), "r"(bytes), "r"(barrier) : "memory");
}
FENCE(fence_init, "fence.mbarrier_init.release.cluster")
FENCE(fence_async, "fence.proxy.async.shared::cta")

// Thread 0 copies, all wait.
#define BULK(name, fence, expect, copy, wait)                                                    \
  KERNEL(name) {                                                                                 \
    __shared__ __align__(16) int buffer[64];                                                     \
    __shared__ long long barrier;                                                                \
    const unsigned at = shared_address(&barrier);                                                \
    if (threadIdx.x == 0) {                                                                      \
      mbarrier_init(at, 1);                                                                      \
      fence;                                                                                     \
    }                                                                                            \
    __syncthreads();                                                                             \
    if (threadIdx.x == 0) {                                                                      \
      expect;                                                                                    \
      copy;                                                                                      \
    }                                                                                            \
    wait;                                                                                        \
    out[THREAD] = buffer[threadIdx.x] + 42;                                                      \
  }
// right, grid 2, block 64
BULK(bulk, fence_init(), mbarrier_expect(at, 256), bulk_copy(buffer, data, 256, at), mbarrier_wait(at, 0))
// right, grid 1, block 64
BULK(bulk_after_a_proxy_fence, fence_async(), mbarrier_expect(at, 256), bulk_copy(buffer, data, 256, at), mbarrier_wait(at, 0))
// right, grid 1, block 64
BULK(bulk_in_halves, fence_init(), mbarrier_expect(at, 256), bulk_copy(buffer, data, 128, at); bulk_copy(buffer + 32, data, 128, at), mbarrier_wait(at, 0))
// right, grid 1, block 64
BULK(bulk_before_it_is_expected, fence_init(), bulk_copy(buffer, data, 256, at), mbarrier_expect(at, 256), mbarrier_wait(at, 0))
// right, grid 1, block 64
BULK(bulk_waited_for_by_one, fence_init(), mbarrier_expect(at, 256), bulk_copy(buffer, data, 256, at); mbarrier_wait(at, 0), __syncthreads())
// wrong: barrier, grid 1, block 64
BULK(bulk_without_a_fence, , mbarrier_expect(at, 256), bulk_copy(buffer, data, 256, at), mbarrier_wait(at, 0))
// wrong: deadlock|race|asynchronous copy, grid 1, block 64
BULK(bulk_without_expect_tx, fence_init(), mbarrier_arrive(at), bulk_copy(buffer, data, 256, at), mbarrier_wait(at, 0))
// wrong: deadlock, grid 1, block 64
BULK(bulk_expecting_too_much, fence_init(), mbarrier_expect(at, 272), bulk_copy(buffer, data, 256, at), mbarrier_wait(at, 0))
// wrong: race|asynchronous copy, grid 1, block 64
BULK(bulk_expecting_too_little, fence_init(), mbarrier_expect(at, 128), bulk_copy(buffer, data, 128, at); bulk_copy(buffer + 32, data, 128, at), mbarrier_wait(at, 0))
// wrong: race|asynchronous copy, grid 1, block 64
BULK(bulk_not_waited_for, fence_init(), mbarrier_expect(at, 256), bulk_copy(buffer, data, 256, at), __syncthreads())
// wrong: race|asynchronous copy, grid 1, block 64
BULK(bulk_waited_for_in_the_phase_before, fence_init(), mbarrier_expect(at, 256), bulk_copy(buffer, data, 256, at), mbarrier_wait(at, 1))
// wrong: race|asynchronous copy, grid 1, block 64
BULK(bulk_of_a_neighbour, fence_init(), mbarrier_expect(at, 128), bulk_copy(buffer, data, 128, at); buffer[31] = 0, mbarrier_wait(at, 0))
// wrong: race|asynchronous copy, grid 1, block 64
BULK(bulk_over_a_bulk, fence_init(), mbarrier_expect(at, 512), bulk_copy(buffer, data, 256, at); bulk_copy(buffer, data + 64, 256, at), mbarrier_wait(at, 0))
// wrong: race, grid 1, block 64
BULK(bulk_of_what_another_writes, fence_init(), mbarrier_expect(at, 256), bulk_copy(buffer, data, 256, at), mbarrier_wait(at, 0); if (threadIdx.x == 32) data[0] = 0)
// wrong on some schedules: asynchronous copy, grid 1, block 64
BULK(bulk_of_what_its_thread_writes, fence_init(), mbarrier_expect(at, 256), bulk_copy(buffer, data, 256, at); data[0] = 1, mbarrier_wait(at, 0))
// wrong on some schedules: asynchronous copy, grid 1, block 64
BULK(bulk_left_behind, fence_init(), mbarrier_expect(at, 16), bulk_copy(buffer, data, 16, at), return)
// wrong: misaligned, grid 1, block 64
BULK(bulk_of_an_odd_size, fence_init(), mbarrier_expect(at, 248), bulk_copy(buffer, data, 248, at), mbarrier_wait(at, 0))
// wrong: misaligned, grid 1, block 64
BULK(bulk_from_an_odd_place, fence_init(), mbarrier_expect(at, 128), bulk_copy(buffer, data + 1, 128, at), mbarrier_wait(at, 0))
// wrong: misaligned, grid 1, block 64
BULK(bulk_to_an_odd_place, fence_init(), mbarrier_expect(at, 128), bulk_copy(buffer + 1, data, 128, at), mbarrier_wait(at, 0))
// wrong: out of bounds, grid 1, block 64
BULK(bulk_beyond_the_buffer, fence_init(), mbarrier_expect(at, 512), bulk_copy(buffer, data, 512, at), mbarrier_wait(at, 0))
// wrong: out of bounds, grid 1, block 64
BULK(bulk_beyond_the_array, fence_init(), mbarrier_expect(at, 256), bulk_copy(buffer, data + 4064, 256, at), mbarrier_wait(at, 0))

// A ring of two stages, filled five times by the second warp and read by the first.
#define RING(name, wait_empty, wait_full, release)                                               \
  KERNEL(name) {                                                                                 \
    __shared__ __align__(16) int stages[2][32];                                                  \
    __shared__ long long full[2], empty[2];                                                      \
    if (threadIdx.x == 0)                                                                        \
      for (int s = 0; s < 2; ++s) {                                                              \
        mbarrier_init(shared_address(full + s), 1);                                              \
        mbarrier_init(shared_address(empty + s), 32);                                            \
        fence_init();                                                                            \
      }                                                                                          \
    __syncthreads();                                                                             \
    for (int i = 0; i < 5; ++i) {                                                                \
      const int s = i % 2, parity = i / 2 % 2;                                                   \
      const unsigned full_at = shared_address(full + s), empty_at = shared_address(empty + s);   \
      if (threadIdx.x == 32) {                                                                   \
        wait_empty;                                                                              \
        mbarrier_expect(full_at, 128);                                                           \
        bulk_copy(stages[s], data + 32 * i, 128, full_at);                                       \
      } else if (threadIdx.x < 32) {                                                             \
        wait_full;                                                                               \
        release(out[32 * i + threadIdx.x] = stages[s][threadIdx.x] + 42);                        \
      }                                                                                          \
    }                                                                                            \
  }
#define READ_THEN_RELEASE(read) read; mbarrier_arrive(empty_at)
#define RELEASE_THEN_READ(read) mbarrier_arrive(empty_at); read
// right, grid 1, block 64
RING(bulk_ring, mbarrier_wait(empty_at, parity ^ 1), mbarrier_wait(full_at, parity), READ_THEN_RELEASE)
// wrong: race|barrier, grid 1, block 64
RING(bulk_ring_refilled_too_early, , mbarrier_wait(full_at, parity), READ_THEN_RELEASE)
// wrong: race|asynchronous copy, grid 1, block 64
RING(bulk_ring_released_before_it_is_read, mbarrier_wait(empty_at, parity ^ 1), mbarrier_wait(full_at, parity), RELEASE_THEN_READ)
// wrong: uninitialised read, grid 1, block 64
RING(bulk_ring_of_one_parity, mbarrier_wait(empty_at, parity ^ 1), mbarrier_wait(full_at, 1), READ_THEN_RELEASE)
// wrong: deadlock, grid 1, block 64
RING(bulk_ring_that_waits_for_itself, mbarrier_wait(empty_at, parity), mbarrier_wait(full_at, parity), READ_THEN_RELEASE)

// ---- wgmma: its operands may be read until the wait -------------------------------------------------

// A (64 x 16) and B (8 x 16) of zeros, without swizzle; out[0] is 42 + their product.
#define WGMMA(name, commit, wait_before, wait_after)                                             \
  KERNEL(name) {                                                                                 \
    __shared__ __align__(128) unsigned short a[64 * 16], b[8 * 16];                              \
    for (int i = threadIdx.x; i < 64 * 16; i += 128) a[i] = 0, b[i % 128] = 0;                   \
    fence_async();                                                                               \
    __syncthreads();                                                                             \
    const unsigned long long rows = (256ull >> 4) << 32 | (128ull >> 4) << 16;                   \
    float d[4] = {42, 42, 42, 42};                                                               \
    asm volatile("wgmma.fence.sync.aligned;" ::: "memory");                                      \
    asm volatile(                                                                                \
        "wgmma.mma_async.sync.aligned.m64n8k16.f32.bf16.bf16 {%0, %1, %2, %3}, %4, %5, 1, 1, 1, 0, 0;" \
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])                                         \
        : "l"(rows | shared_address(a) >> 4), "l"(rows | shared_address(b) >> 4) : "memory");    \
    commit;                                                                                      \
    wait_before;                                                                                 \
    __syncthreads();                                                                             \
    a[threadIdx.x] = b[threadIdx.x] = 0;                                                         \
    wait_after;                                                                                  \
    out[threadIdx.x] = d[0];                                                                     \
  }
#define COMMIT asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory")
#define WGMMA_WAIT(n) asm volatile("wgmma.wait_group.sync.aligned " #n ";" ::: "memory")
// right, grid 1, block 128
WGMMA(wgmma, COMMIT, WGMMA_WAIT(0), )
// wrong: race, grid 1, block 128
WGMMA(wgmma_operands_overwritten_before_the_wait, COMMIT, , WGMMA_WAIT(0))
// wrong: race, grid 1, block 128
WGMMA(wgmma_wait_leaves_one, COMMIT, WGMMA_WAIT(1), WGMMA_WAIT(0))

// ---- Clusters -------------------------------------------------------------------------------------

__device__ inline int load_of_block(const int* p, int rank) {
  int v;
  asm volatile(
      "{ .reg .b32 a; mapa.shared::cluster.u32 a, %1, %2; ld.shared::cluster.s32 %0, [a]; }"
      : "=r"(v) : "r"(shared_address(p)), "r"(rank) : "memory");
  return v;
}
// The last barrier keeps a block's shared memory alive until the other has read it.
#define CLUSTER(name, arrive, wait, leave)                                                       \
  KERNEL(name) {                                                                                 \
    __shared__ int buffer[32];                                                                   \
    buffer[threadIdx.x] = 42;                                                                    \
    arrive;                                                                                      \
    wait;                                                                                        \
    const int other = load_of_block(buffer + threadIdx.x, 1 - blockIdx.x % 2);                   \
    leave;                                                                                       \
    out[THREAD] = other;                                                                         \
  }
// right, grid 4, block 32, cluster 2
CLUSTER(cluster_barrier, cluster_arrive(), cluster_wait(), cluster_arrive(); cluster_wait())
// wrong: race|uninitialised read, grid 4, block 32, cluster 2
CLUSTER(cluster_without_barrier, , , cluster_arrive(); cluster_wait())
// wrong: race, grid 4, block 32, cluster 2
CLUSTER(cluster_relaxed_arrival, cluster_arrive_relaxed(), cluster_wait(), cluster_arrive(); cluster_wait())
// wrong: race|uninitialised read, grid 4, block 32, cluster 2
CLUSTER(cluster_barrier_of_the_block_only, __syncthreads(), , cluster_arrive(); cluster_wait())
