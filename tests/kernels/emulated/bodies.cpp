// Bodies of kernels as emit.py would write them, by hand: what test_runtime.py launches.  Every
// entry takes three arrays.  A site is its own line of this file.
#include <array>
#include <cstring>

#include "runtime.h"

using namespace emu;

namespace {

constexpr int kLines = 400;
constexpr auto kSites = [] {
  std::array<Site, kLines> sites{};
  for (int line = 0; line < kLines; line++)
    sites[line] = {"bodies.cpp", "an instruction", nullptr, line, line};
  return sites;
}();
#define HERE kSites[__LINE__]

struct Arrays {
  Address a, b, c;
};
#define BODY(name) void name([[maybe_unused]] const void* parameters)
#define A (static_cast<const Arrays*>(parameters)->a)
#define B (static_cast<const Arrays*>(parameters)->b)
#define C (static_cast<const Arrays*>(parameters)->c)

template <class T>
T load(Address address, const Site& site, Ordering ordering = kWeak) {
  T value;
  std::memcpy(&value, access(address, sizeof value, Kind::load, ordering, site), sizeof value);
  return value;
}
template <class T>
void store(Address address, T value, const Site& site, Ordering ordering = kWeak) {
  std::memcpy(access(address, sizeof value, Kind::store, ordering, site), &value, sizeof value);
}
int add(Address address, int value, const Site& site, Ordering ordering = {Semantics::relaxed, Scope::gpu}) {
  char* host = access(address, 4, Kind::atomic, ordering, site);
  int old;
  std::memcpy(&old, host, 4);
  const int sum = old + value;
  std::memcpy(host, &sum, 4);
  return old;
}
uint32_t thread() { return self->linear; }
uint32_t block() { return self->ctaid.x; }
uint32_t global() { return block() * self->ntid.x + thread(); }
Address shared(uint32_t offset) { return from_shared(offset); }

// ---- addresses ----------------------------------------------------------------------------------

BODY(copies) { store(B + 4 * global(), load<int>(A + 4 * global(), HERE), HERE); }
BODY(runs_off_the_end) { store(A + 4 * (global() + 1), 7, HERE); }
BODY(runs_off_the_front) { store(A - 4, 7, HERE); }
BODY(null_pointer) { load<int>(C, HERE); }
BODY(misaligned) { load<int>(A + 2, HERE); }
BODY(writes_first_half) { if (thread() < 16) store(A + 4 * thread(), 1, HERE); }
BODY(reads_all) { store(B + 4 * thread(), load<int>(A + 4 * thread(), HERE), HERE); }
BODY(leaves_a_shared_array) {
  store(shared(4 * thread()), 1, HERE);
}
BODY(local_memory) {
  LocalFrame frame(64, 8, HERE);
  for (int i = 0; i < 16; i++) store<int>(frame.base + 4 * i, thread() + i, HERE);
  store(A + 4 * thread(), load<int>(frame.base + 4 * 3, HERE), HERE);
}
BODY(local_memory_unwritten) {
  LocalFrame frame(64, 8, HERE);
  store(A + 4 * thread(), load<int>(frame.base, HERE), HERE);
}
BODY(counts_in_a_variable) { store(A, add(variable_address(0), 1, HERE), HERE); }

// ---- races --------------------------------------------------------------------------------------

BODY(neighbouring_bytes) { store<char>(A + thread(), 1, HERE); }
BODY(bytes_in_words) {  // words first, then bytes of them by others
  if (thread() < 8) store(shared(4 * thread()), 1, HERE);
  barrier_sync(0, 0, true, HERE);
  store<char>(shared(thread()), 1, HERE);
}
BODY(one_byte_twice) { store<char>(A + thread() / 2, static_cast<char>(thread()), HERE); }
BODY(one_byte_twice_the_same) { store<char>(A + thread() / 2, 1, HERE); }
BODY(overlapping_arguments) {
  if (thread() == 0) store(A + 4, 1, HERE);
  if (thread() == 40) load<int>(B, HERE);
}
BODY(atomic_and_store) {
  if (thread() == 0) store(A, 1, HERE);
  else if (thread() == 40) add(A, 1, HERE);
}

// Block 0 tells block 1 that A[0] is there, by the flag in B.
template <class Before, class After>
void message(Address data, Address flag, Ordering flag_store, Ordering flag_load, Before before, After after) {
  if (block() == 0) {
    store(data, 42, HERE);
    before();
    store(flag, 1, HERE, flag_store);
  } else {
    while (load<int>(flag, HERE, flag_load) == 0) step(HERE);
    after();
    if (load<int>(data, HERE) != 42) trap("the message was lost", HERE);
  }
}
constexpr Ordering kRelaxed{Semantics::relaxed, Scope::gpu};
constexpr auto nothing = [] {};
template <Scope scope>
void fence_at() { fence(Semantics::acq_rel, scope, kSites[0]); }
BODY(message_by_fences) { message(A, B, kVolatile, kVolatile, fence_at<Scope::gpu>, fence_at<Scope::gpu>); }
BODY(message_without_first_fence) { message(A, B, kVolatile, kVolatile, nothing, fence_at<Scope::gpu>); }
BODY(message_without_second_fence) { message(A, B, kVolatile, kVolatile, fence_at<Scope::gpu>, nothing); }
BODY(message_by_narrow_fence) { message(A, B, kVolatile, kVolatile, fence_at<Scope::cta>, fence_at<Scope::gpu>); }
BODY(message_by_release) {
  message(A, B, {Semantics::release, Scope::gpu}, {Semantics::acquire, Scope::gpu}, nothing, nothing);
}
BODY(message_by_narrow_release) {
  message(A, B, {Semantics::release, Scope::cta}, {Semantics::acquire, Scope::gpu}, nothing, nothing);
}
BODY(message_by_relaxed) { message(A, B, kRelaxed, kRelaxed, nothing, nothing); }

// Every block writes its part of A; the last one to say so sums all parts.
void last_block_sums(Address data, Address done, Address result, bool fenced) {
  store<int>(data + 4 * global(), 1, HERE);
  barrier_sync(0, 0, true, HERE);
  if (thread() == 0) {
    if (fenced) fence(Semantics::acq_rel, Scope::gpu, HERE);
    const bool last = add(done, 1, HERE) + 1 == static_cast<int>(self->nctaid.x);
    if (fenced) fence(Semantics::acq_rel, Scope::gpu, HERE);
    store<int>(shared(0), last, HERE);
  }
  barrier_sync(0, 0, true, HERE);
  if (!load<int>(shared(0), HERE)) return;
  int sum = 0;
  for (uint32_t i = thread(); i < self->nctaid.x * self->ntid.x; i += self->ntid.x)
    sum += load<int>(data + 4 * i, HERE);
  add(result, sum, HERE);
}
BODY(last_block) { last_block_sums(A, B, C, true); }
BODY(last_block_without_fences) { last_block_sums(A, B, C, false); }

// ---- warps and barriers -------------------------------------------------------------------------

BODY(warp_exchange) {
  store<int>(shared(4 * thread()), thread(), HERE);
  warp_barrier(~0u, HERE);
  store(A + 4 * thread(), load<int>(shared(4 * (thread() ^ 1)), HERE), HERE);
}
BODY(warp_exchange_in_lockstep) {
  store<int>(shared(4 * thread()), thread(), HERE);
  store(A + 4 * thread(), load<int>(shared(4 * (thread() ^ 1)), HERE), HERE);
}
BODY(half_warps) {  // each half of a warp for itself
  const uint32_t mask = thread() % 32 < 16 ? 0xffffu : 0xffff0000u;
  store<int>(shared(4 * thread()), thread(), HERE);
  warp_barrier(mask, HERE);
  store(A + 4 * thread(), load<int>(shared(4 * (thread() ^ 15)), HERE), HERE);
}
BODY(half_warps_across) {
  const uint32_t mask = thread() % 32 < 16 ? 0xffffu : 0xffff0000u;
  store<int>(shared(4 * thread()), thread(), HERE);
  warp_barrier(mask, HERE);
  store(A + 4 * thread(), load<int>(shared(4 * (thread() ^ 16)), HERE), HERE);
}
void combine_sum(void* const* payloads, uint32_t lanes, const Site&) {
  int sum = 0;
  for (int l = 0; l < 32; l++) if (lanes >> l & 1) sum += *static_cast<int*>(payloads[l]);
  for (int l = 0; l < 32; l++) if (lanes >> l & 1) *static_cast<int*>(payloads[l]) = sum;
}
BODY(warp_sum) {
  int value = 1;
  if (thread() == 3) return;  // an exited lane is not waited for
  collective(~0u, &value, combine_sum, Meeting::any_site, HERE);
  store(A + 4 * thread(), value, HERE);
}
BODY(warp_sum_needs_all) {
  int value = 1;
  if (thread() == 3) return;
  collective(~0u, &value, combine_sum, Meeting::same_site_full_warp, HERE);
}
BODY(not_in_the_mask) {
  int value = 1;
  collective(0xffff, &value, combine_sum, Meeting::any_site, HERE);
}
BODY(divided_warp) {
  int value = 1;
  if (thread() < 16) collective(~0u, &value, combine_sum, Meeting::any_site, HERE);
  else warp_barrier(~0u, HERE);
}
BODY(divergent_barrier) {
  if (thread() < 32) barrier_sync(0, 0, true, HERE);
  else barrier_sync(0, 0, true, HERE);
}
BODY(barrier_within_a_warp) {
  if (thread() < 16) barrier_sync(0, 0, true, HERE);
  else barrier_sync(0, 0, true, HERE);
}
BODY(barrier_too_few) { if (thread() < 32) barrier_sync(1, 64, true, HERE); }
BODY(waits_for_ever) { while (load<int>(A, HERE, kVolatile) == 0) step(HERE); }
BODY(endless_loop) { for (;;) step(HERE); }
BODY(overruns_its_stack) {
  volatile char frame[126 << 10];
  for (size_t i = 0; i < sizeof frame; i += 512) frame[i] = 1;
  barrier_sync(0, 0, true, HERE);
}

// A producer warp and a consumer warp, one buffer, named barriers: 1 = full, 2 = free.
void ring(Address out, bool wait_until_free) {
  for (int turn = 0; turn < 4; turn++) {
    if (thread() < 32) {
      if (turn && wait_until_free) barrier_sync(2, 64, true, HERE);
      store<int>(shared(4 * thread()), turn, HERE);
      if (turn == 0 || wait_until_free) barrier_arrive(1, 64, true, HERE);
    } else {
      if (turn == 0 || wait_until_free) barrier_sync(1, 64, true, HERE);
      store(out + 4 * (32 * turn + thread() - 32), load<int>(shared(4 * (thread() - 32)), HERE), HERE);
      if (turn < 3 && wait_until_free) barrier_arrive(2, 64, true, HERE);
    }
  }
}
BODY(producer_consumer) { ring(A, true); }
BODY(producer_does_not_wait) { ring(A, false); }

// ---- asynchronous copies ------------------------------------------------------------------------

void stages(Address from, Address to, uint32_t keep, uint32_t source_bytes = 16) {
  for (uint32_t stage = 0; stage < 2; stage++) {
    async_copy(shared(512 * stage + 16 * thread()), from + 512 * stage + 16 * thread(), 16, source_bytes, HERE);
    async_commit(HERE);
  }
  for (uint32_t stage = 0; stage < 2; stage++) {
    async_wait(stage ? 0 : keep, HERE);
    barrier_sync(0, 0, true, HERE);
    for (int i = 0; i < 4; i++)
      store(to + 512 * stage + 128 * i + 4 * thread(), load<int>(shared(512 * stage + 128 * i + 4 * thread()), HERE), HERE);
  }
}
BODY(copy_in_stages) { stages(A, B, 1); }
BODY(copy_waits_for_too_few) { stages(A, B, 2); }
BODY(copy_with_zero_fill) { stages(A, B, 1, 4); }
BODY(copy_source_overwritten) {
  async_copy(shared(16 * thread()), A + 16 * thread(), 16, 16, HERE);
  async_commit(HERE);
  store(A + 16 * thread(), 5, HERE);
  async_wait(0, HERE);
}

// ---- counters -----------------------------------------------------------------------------------

BODY(strided_loads) { load<int>(A + 8 * thread(), HERE); }
BODY(wide_loads) { access(A + 16 * thread(), 16, Kind::load, kWeak, HERE); }
BODY(column_stores) { store<int>(shared(2048 + 128 * thread()), 1, HERE); }
BODY(broadcasts) {
  store<int>(shared(4 * thread()), 1, HERE);
  barrier_sync(0, 0, true, HERE);
  load<int>(shared(0), HERE);
}
BODY(diverging_loads) {
  if (thread() % 2) load<int>(A, HERE);
  load<int>(A + 4 * thread(), HERE);
}

// ---- any program --------------------------------------------------------------------------------

// Runs a program that lies in A: for every acting thread up to 8 operations of 3 numbers each (what,
// cell, scope), and logs them in C in the order in which they took effect (a
// barrier twice: arrival, departure), unseen by the checker.  The acting threads are lanes 0 and 1 of the first two warps of two blocks.  Operation k
// of actor t is at the site of line 8 * t + k.
enum What { kNothing, kLoad, kStore, kStrongLoad, kStrongStore, kAcquire, kRelease, kAtomic, kAcquireRelease,
            kFence, kBarrier, kWarpBarrier };
constexpr int kOperations = 8;
BODY(interprets) {
  if (thread() % 32 > 1) return;
  const int actor = static_cast<int>(block() * 4 + thread() / 32 * 2 + thread() % 32);
  int* log = reinterpret_cast<int*>(window_host[kFirstArgument + 2] + C);
  const auto note = [&](int index) { log[1 + log[0]++] = kOperations * actor + index; };
  for (int index = 0; index < kOperations; index++) {
    int op[3];
    std::memcpy(op, window_host[kFirstArgument] + A + 12 * (kOperations * actor + index), sizeof op);
    const Address cell = B + 4 * op[1];
    const Scope scope = static_cast<Scope>(op[2]);
    const Site& site = kSites[kOperations * actor + index];
    switch (op[0]) {
      case kNothing: continue;
      case kLoad: load<int>(cell, site); break;
      case kStore: store<int>(cell, 1000 * actor + index, site); break;
      case kStrongLoad: load<int>(cell, site, {Semantics::relaxed, scope}); break;
      case kStrongStore: store<int>(cell, 1000 * actor + index, site, {Semantics::relaxed, scope}); break;
      case kAcquire: load<int>(cell, site, {Semantics::acquire, scope}); break;
      case kRelease: store<int>(cell, 1000 * actor + index, site, {Semantics::release, scope}); break;
      case kAtomic: add(cell, 1, site, {Semantics::relaxed, scope}); break;
      case kAcquireRelease: add(cell, 1, site, {Semantics::acq_rel, scope}); break;
      case kFence: fence(Semantics::acq_rel, scope, site); break;
      case kBarrier: note(index); barrier_sync(0, 0, false, site); break;
      case kWarpBarrier: note(index); warp_barrier(~0u, site); break;
    }
    note(index);
  }
}

// ---- the tables ---------------------------------------------------------------------------------

const SharedVariable kArrays[] = {{"tile", 0, 1024}, {"wide", 2048, 8192}};
const Variable kVariables[] = {{"counter", nullptr, 4, false}};
#define ENTRY(name) Entry{#name, name, kArrays, 2, 16384, ~uint64_t{0}}
const Entry kEntries[] = {ENTRIES};

}  // namespace

extern "C" __attribute__((visibility("default"))) const emu::Module emu_module = {
    kSites.data(), kEntries, kVariables, kLines, sizeof kEntries / sizeof *kEntries, 1};
