// Barriers of a block (bar.sync, bar.arrive, bar.red) and of a cluster.
#include <algorithm>
#include <string_view>

#include "counters.h"
#include "order.h"
#include "race.h"
#include "report.h"

namespace emu {
namespace {

enum class Arrival { waits, goes_on };

// Arrivals as the hardware counts them against a given count: by warps.  A warp whose live lanes
// have all arrived counts 32, though some of its lanes may have exited or never existed.
uint32_t counted(const Block& block, const BarrierState& barrier) {
  uint32_t threads = 0;
  for (size_t warp = 0; warp < barrier.warps.size(); warp++) {
    const uint32_t lanes = barrier.warps[warp].lanes;
    const bool whole = lanes && (block.live_lanes[warp] & ~lanes) == 0;
    threads += whole ? 32 : static_cast<uint32_t>(__builtin_popcount(lanes));
  }
  return threads;
}

bool everyone_is_here(const Block& block, const BarrierState& barrier) {
  for (size_t warp = 0; warp < barrier.warps.size(); warp++)
    if (block.live_lanes[warp] & ~barrier.warps[warp].lanes) return false;
  return true;
}

bool complete(const Block& block, const BarrierState& barrier) {
  if (barrier.arrived == 0) return false;
  if (barrier.expected) return counted(block, barrier) >= barrier.expected;
  return barrier.arrived >= block.live && everyone_is_here(block, barrier);
}

uint32_t reduced(const BarrierState& barrier) {
  switch (barrier.operation) {
    case Reduce::popc: return barrier.trues;
    case Reduce::all: return barrier.trues == barrier.votes;
    default: return barrier.trues > 0;
  }
}

// Lets the waiting threads go, and the barrier begin anew.
void release(Block& block, BarrierState& barrier) {
  if (launch.check && !barrier.waiting.empty()) {
    const bool whole = barrier.waiting.size() == block.live && barrier.arrivals.list.empty();
    synchronise(barrier.waiting.data(), barrier.waiting.size(),
                whole ? Extent::whole_block : Extent::some, &barrier.arrivals);
  }
  const uint32_t answer = reduced(barrier);
  for (Fiber* fiber : barrier.waiting) {
    fiber->answer = answer;
    if (fiber->state == State::at_barrier) make_ready(*fiber);
  }
  if (barrier.waiting.size() == block.live) count_block(block);  // all lanes are at one point
  barrier.waiting.clear();
  barrier.warps.clear();
  barrier.arrived = barrier.expected = barrier.trues = barrier.votes = 0;
  barrier.first_site = nullptr;
  barrier.arrivals = Arrivals();
}

void mismatch(const Site& site, const char* what, const Site& other_site, uint32_t other) {
  if (seen_before(Fault::barrier, site)) return;
  report_full(Fault::barrier, site, what, "", party("barrier", other_site, other));
}

bool same_line(const Site& a, const Site& b) {
  return a.line && a.line == b.line && std::string_view(a.file) == b.file;
}

// Enters the barrier; true if this arrival completed it.
bool enter(BarrierState& barrier, uint32_t id, uint32_t count, bool aligned, Arrival kind,
           const Site& site) {
  Fiber& me = running();
  Block& block = *me.block;
  settle(me);
  if (launch.count && me.lane == static_cast<uint32_t>(__builtin_ctz(block.live_lanes[me.warp])))
    counters_of(site).barriers++;
  if (barrier.arrived == 0) {
    barrier.expected = count;
    barrier.warps.assign(block.live_lanes.size(), {});
    barrier.first_site = &site;
    barrier.first_id = me.id;
  }
  if (barrier.expected != count)
    mismatch(site, formatted("barrier %u is entered for %u threads here, for %u there (0: all)", id,
                             count, barrier.expected).c_str(),
             *barrier.first_site, barrier.first_id);
  BarrierState::Warp& warp = barrier.warps[me.warp];
  if (warp.lanes >> me.lane & 1)
    die(Fault::barrier, site, "the thread arrives at barrier %u again before it completed", id);
  if (aligned && warp.site && warp.site != &site)
    mismatch(site, "the lanes of a warp are divided between two barriers", *warp.site,
             me.warp_id() + static_cast<uint32_t>(__builtin_ctz(warp.lanes)));
  // __syncthreads() must be the same one for the whole block.  (The same line may be compiled twice.)
  else if (aligned && count == 0 && barrier.first_site != &site && !same_line(*barrier.first_site, site))
    mismatch(site, "the threads of a block are divided between two barriers", *barrier.first_site,
             barrier.first_id);
  warp.lanes |= 1u << me.lane;
  if (!warp.site) warp.site = &site;
  barrier.arrived++;
  if (kind == Arrival::waits) barrier.waiting.push_back(&me);
  else if (launch.check) arrive(barrier.arrivals, me);
  if (!complete(block, barrier)) return false;
  release(block, barrier);
  return true;
}

BarrierState& barrier_state(uint32_t id, const Site& site) {
  if (id >= 16) die(Fault::barrier, site, "there is no barrier %u: a block has 16", id);
  return running().block->barriers[id];
}

// The thread that completes a barrier goes on at once, except that a random schedule may let any
// of those it released go first.
void after_meeting(const Site& site) {
  if (launch.schedule == Schedule::random) let_others_run(site);
}

}  // namespace

void barrier_sync(uint32_t id, uint32_t count, bool aligned, const Site& site) {
  if (enter(barrier_state(id, site), id, count, aligned, Arrival::waits, site)) after_meeting(site);
  else wait_in(State::at_barrier, site);
}

void barrier_arrive(uint32_t id, uint32_t count, bool aligned, const Site& site) {
  enter(barrier_state(id, site), id, count, aligned, Arrival::goes_on, site);
}

uint32_t barrier_reduce(uint32_t id, uint32_t count, Reduce operation, bool predicate, bool aligned,
                        const Site& site) {
  BarrierState& barrier = barrier_state(id, site);
  barrier.operation = operation;
  barrier.votes++;
  barrier.trues += predicate;
  if (enter(barrier, id, count, aligned, Arrival::waits, site)) after_meeting(site);
  else wait_in(State::at_barrier, site);
  return running().answer;
}

// An exited thread is no longer waited for.
void barrier_thread_exited(Block& block, uint32_t) {
  for (BarrierState& barrier : block.barriers)
    if (complete(block, barrier)) release(block, barrier);
}

// ---- clusters -----------------------------------------------------------------------------------

namespace {

void complete_cluster_phase(Cluster& cluster) {
  if (cluster.arrived == 0 || cluster.arrived < cluster.live_threads) return;
  if (launch.check) cluster.published = join(cluster.published, together(cluster.arrivals));
  cluster.arrivals = Arrivals();
  cluster.arrived = 0;
  cluster.phase++;
  for (Fiber* fiber : cluster.waiting) make_ready(*fiber);
  cluster.waiting.clear();
}

}  // namespace

void cluster_arrive(Semantics semantics, bool, const Site& site) {
  Fiber& me = running();
  Cluster& cluster = *me.block->cluster;
  uint32_t& arrived_in = me.block->cluster_phase[me.linear];
  if (arrived_in == cluster.phase + 1)
    die(Fault::barrier, site, "the thread arrives at the cluster's barrier twice without waiting");
  arrived_in = cluster.phase + 1;
  if (launch.check && semantics != Semantics::relaxed) arrive(cluster.arrivals, me);
  if (launch.count && me.lane == 0) counters_of(site).barriers++;
  cluster.arrived++;
  complete_cluster_phase(cluster);
}

void cluster_wait(bool, const Site& site) {
  Fiber& me = running();
  Cluster& cluster = *me.block->cluster;
  const uint32_t arrived_in = me.block->cluster_phase[me.linear];
  if (arrived_in == 0) die(Fault::barrier, site, "the thread waits at the cluster's barrier before it arrives");
  if (arrived_in == cluster.phase + 1) {
    cluster.waiting.push_back(&me);
    wait_in(State::at_cluster_barrier, site);
  }
  if (launch.check) me.foreign = join(me.foreign, cluster.published);
}

void cluster_thread_exited(Cluster& cluster) { complete_cluster_phase(cluster); }

}  // namespace emu
