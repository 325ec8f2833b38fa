// The scheduler: which block is started when, and which thread runs next.
//
// A launch is a sequence of units: single blocks, or clusters, in the schedule's order.  A cooperative
// launch has all of them resident from the start.  Otherwise few are (one in order or reverse, up to
// four at random), and one more is admitted whenever the resident threads only spin: so a thread may
// wait for any other block of the grid, as it may on a card that the grid fits on.
//
// "in order" and "reverse" run the ready threads round robin; "random" picks any, and preempts a
// thread every now and then at a memory access (memory.cpp).
#include "scheduler.h"

#include <algorithm>
#include <numeric>

#include "counters.h"
#include "memory.h"
#include "race.h"
#include "ready.h"
#include "report.h"

namespace emu {

Thread* self = nullptr;
Launch launch;
Time now = 1;
int32_t steps_in_slice = 0;

namespace {

// Rounds in which every ready thread only spun, and no other block could be started, before the
// launch is called deadlocked.  A bounded retry loop may use many.
constexpr uint64_t kPatience = 2000;
constexpr uint32_t kMostThreads = 1 << 16;  // resident at once

constexpr int32_t kSlice = 1 << 16;  // backward branches after which a thread lets others run

uint64_t random_state = 1;
int64_t steps_left = 0;
Context scheduler;

Ready ready;

std::vector<uint32_t> order;  // the units still to be started, last first
uint32_t blocks_per_unit = 1;
size_t resident_target = 1;
std::vector<std::unique_ptr<Block>> pool;  // all blocks there are
std::vector<Block*> idle_blocks, resident;
std::vector<std::unique_ptr<Cluster>> clusters;  // the resident ones
uint64_t spins = 0;    // since a thread last blocked, exited or was started
uint64_t stalled = 0;  // since any thread did anything but spin

bool in_random_order() { return launch.schedule == Schedule::random; }

int32_t next_preemption() {
  return in_random_order() ? static_cast<int32_t>(16 + random_bits() % 192) : INT32_MAX;
}

void leave(Fiber& fiber) { switch_to(fiber.context, scheduler); }

[[noreturn]] void finish() {
  Fiber& me = running();
  Block& block = *me.block;
  settle(me);
  me.state = State::done;
  block.live--;
  block.live_lanes[me.warp] &= ~(1u << me.lane);
  Exited& exited = block.exited[me.warp];
  exited.latest = std::max(exited.latest, me.time);
  exited.foreign = join(exited.foreign, me.foreign);
  spins = stalled = 0;
  block.cluster->live_threads--;
  warp_thread_exited(block, me.warp);
  barrier_thread_exited(block, me.warp);
  cluster_thread_exited(*block.cluster);
  if (block.live == 0) abandon_bulk_copies(block);
  leave(me);
  __builtin_unreachable();
}

void fiber_main() {
  launch.entry->body(launch.parameters);
  finish();
}

void start_thread(Block& block, uint32_t linear) {
  Fiber& fiber = block.fibers[linear];
  if (!fiber.stack) fiber.stack = take_stack();
  const Dim3 b = launch.block, g = launch.grid, c = launch.cluster;
  fiber.tid = {linear % b.x, linear / b.x % b.y, linear / b.x / b.y};
  fiber.ntid = b;
  fiber.ctaid = block.index;
  fiber.nctaid = g;
  fiber.cluster_nctaid = c;
  fiber.cluster_ctaid = {block.index.x % c.x, block.index.y % c.y, block.index.z % c.z};
  fiber.clusterid = {block.index.x / c.x, block.index.y / c.y, block.index.z / c.z};
  fiber.nclusterid = {g.x / c.x, g.y / c.y, g.z / c.z};
  fiber.cluster_ctarank =
      fiber.cluster_ctaid.x + c.x * (fiber.cluster_ctaid.y + c.y * fiber.cluster_ctaid.z);
  fiber.cluster_nctarank = total(c);
  fiber.lane = linear % 32;
  fiber.warp = linear / 32;
  fiber.linear = linear;
  fiber.dynamic_shared_bytes = launch.dynamic_shared_bytes;
  fiber.shared = block.shared;
  fiber.block = &block;
  fiber.id = block.first + linear;
  fiber.time = now;
  fiber.block_known = fiber.warp_known = 0;
  fiber.foreign = Known();
  for (Published& fence : fiber.published) fence.valid = false;
  fiber.unlearnt.clear();
  fiber.site = nullptr;
  fiber.polled_at = nullptr;
  fiber.spinning = false;
  fiber.until_preemption = next_preemption();
  fiber.local_top = 0;
  fiber.local_frames.clear();
  fiber.matrix_reads.clear();
  fiber.matrix_groups.clear();
  fiber.copies.clear();
  fiber.groups.clear();
  fiber.log.clear();
  fiber.doubt.site = nullptr;
  prepare(fiber.context, fiber.stack, linear, fiber_main);
  make_ready(fiber);
}

Block& fresh_block() {
  for (size_t i = 0; i < idle_blocks.size(); i++)
    if (idle_blocks[i]->capacity >= launch.threads) {
      Block* block = idle_blocks[i];
      idle_blocks[i] = idle_blocks.back();
      idle_blocks.pop_back();
      return *block;
    }
  pool.push_back(std::make_unique<Block>());
  Block& block = *pool.back();
  block.fibers = std::make_unique<Fiber[]>(launch.threads);
  block.capacity = launch.threads;
  return block;
}

void start_block(uint32_t linear, Cluster& cluster) {
  Block& block = fresh_block();
  const Dim3 g = launch.grid;
  block.index = {linear % g.x, linear / g.x % g.y, linear / g.x / g.y};
  block.linear = linear;
  block.first = linear * threads_per_block;
  block.threads = block.live = launch.threads;
  block.cluster = &cluster;
  const uint32_t warps = threads_per_block / 32;
  block.live_lanes.assign(warps, ~0u);
  block.exited.assign(warps, {});
  if (launch.threads % 32) block.live_lanes.back() = (1u << launch.threads % 32) - 1;
  for (BarrierState& barrier : block.barriers) barrier = BarrierState();
  block.cluster_phase.assign(launch.threads, 0);
  // Whatever an earlier block left in this shared memory is older than this block's time.
  now++;
  prepare_shared(block);
  cluster.blocks.push_back(&block);
  cluster.live_threads += launch.threads;
  resident.push_back(&block);
}

// Starts the next unit.  False when there is none, or too many threads are resident already.
bool admit() {
  if (order.empty()) return false;
  if ((resident.size() + blocks_per_unit) * launch.threads > kMostThreads) return false;
  const uint32_t unit = order.back();
  order.pop_back();
  clusters.push_back(std::make_unique<Cluster>());
  Cluster& cluster = *clusters.back();
  const Dim3 c = launch.cluster, g = launch.grid;
  const uint32_t across = g.x / c.x, down = g.y / c.y;
  const Dim3 corner{unit % across * c.x, unit / across % down * c.y, unit / across / down * c.z};
  for (uint32_t rank = 0; rank < blocks_per_unit; rank++) {
    const uint32_t x = corner.x + rank % c.x, y = corner.y + rank / c.x % c.y,
                   z = corner.z + rank / c.x / c.y;
    start_block(x + g.x * (y + g.y * z), cluster);
  }
  for (Block* block : cluster.blocks)
    for (uint32_t i = 0; i < launch.threads; i++)
      start_thread(*block, launch.schedule == Schedule::reverse ? launch.threads - 1 - i : i);
  spins = stalled = 0;
  return true;
}

// Puts away the clusters whose threads have all exited.
void retire() {
  for (size_t i = 0; i < clusters.size(); i++) {
    if (clusters[i]->live_threads) continue;
    for (Block* block : clusters[i]->blocks) {
      count_block(*block);
      idle_blocks.push_back(block);
      resident.erase(std::find(resident.begin(), resident.end(), block));
    }
    std::swap(clusters[i], clusters.back());
    clusters.pop_back();
    i--;
  }
}

void plan() {
  blocks_per_unit = total(launch.cluster);
  order.resize(total(launch.grid) / blocks_per_unit);
  std::iota(order.begin(), order.end(), 0u);
  if (launch.schedule == Schedule::in_order) std::reverse(order.begin(), order.end());
  if (in_random_order())
    for (size_t i = order.size(); i > 1; i--) std::swap(order[i - 1], order[random_bits() % i]);
  resident_target = in_random_order() ? 1 + random_bits() % 4 : 1;
  if (launch.cooperative) resident_target = order.size();
  ready.clear(kMostThreads);
  idle_blocks.clear();
  for (const auto& block : pool) idle_blocks.push_back(block.get());
  resident.clear();
  clusters.clear();
  forget_bulk_copies();
  spins = stalled = 0;
}

// A bulk copy lands when it was issued, when nobody can go on without it, or in between.
bool land_one_now() {
  if (!bulk_copies_under_way()) return false;
  const bool needed = ready.size() == 0 || spins > ready.size();
  if (!needed && !(in_random_order() && (random_bits() & 7) == 0)) return false;
  land_bulk_copy();
  if (needed) spins = stalled = 0;
  return needed;
}

}  // namespace

uint64_t random_bits() {
  random_state ^= random_state >> 12;
  random_state ^= random_state << 25;
  random_state ^= random_state >> 27;
  return random_state * 0x2545F4914F6CDD1Dull >> 16;
}

void seed_random(uint64_t seed) {
  random_state = (seed + 1) * 0x9E3779B97F4A7C15ull | 1;
  for (int i = 0; i < 4; i++) random_bits();
}

void make_ready(Fiber& fiber) {
  fiber.state = State::ready;
  ready.add(&fiber);
}

void wait_in(State state, const Site& site) {
  Fiber& me = running();
  settle(me);
  me.state = state;
  me.site = &site;
  spins = stalled = 0;
  leave(me);
}

void let_others_run(const Site& site) {
  Fiber& me = running();
  settle(me);
  me.site = &site;
  me.until_preemption = next_preemption();
  if (!me.spinning) stalled = 0;
  ready.add(&me);
  leave(me);
}

void spin(const Site& site) {
  Fiber& me = running();
  settle(me);
  me.site = &site;
  me.spinning = true;
  spins++, stalled++;
  ready.add(&me);
  leave(me);
}

void end_launch() {
  launch.dead = true;
  leave(running());
  __builtin_unreachable();
}

void exit_thread() { finish(); }

// A thread that loops for long may wait, by plain loads, for a block that has not been started.
void slice_over(const Site& site) {
  steps_in_slice = kSlice;
  steps_left -= kSlice;
  if (steps_left < 0)
    die(Fault::fault, site, "the launch used up its budget of loop iterations: an endless loop?");
  Fiber& me = running();
  settle(me);
  spins++;
  if (!me.spinning) stalled = 0;
  me.site = &site;
  ready.add(&me);
  leave(me);
}

void set_step_budget(int64_t steps) {
  steps_left = steps;
  steps_in_slice = kSlice;
}

void run_all_blocks() {
  plan();
  while (!launch.dead) {
    while (clusters.size() < resident_target && admit()) {}
    if (land_one_now()) continue;
    if (spins > ready.size()) admit();
    if (ready.size() == 0 || stalled > kPatience * ready.size()) {
      if (!resident.empty()) {
        report_standstill(resident);
        launch.dead = true;
      }
      break;
    }
    Fiber* next = ready.take(in_random_order());
    self = next;
    switch_to(scheduler, next->context);
    if (overflowed(next->context, next->stack)) {
      report(Fault::fault, next->site ? *next->site : launch.module->sites[0],
             "a thread ran over the end of its stack (%zu bytes)", kStackBytes);
      launch.dead = true;
    }
    self = nullptr;
    if (next->state == State::done && next->block->cluster->live_threads == 0) retire();
  }
}

}  // namespace emu
