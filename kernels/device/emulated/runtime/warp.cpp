// Operations that the lanes of a warp do together.
#include "order.h"
#include "race.h"
#include "report.h"

namespace emu {
namespace {

Fiber& lane_of(Block& block, uint32_t warp, uint32_t lane) { return block.fibers[warp * 32 + lane]; }

// Have all live lanes of the mask come to this operation?  A lane that waits in another one that
// needs `me` will never come: that is the program's error.
bool all_arrived(Fiber& me, uint32_t lanes) {
  for (uint32_t rest = lanes; rest; rest &= rest - 1) {
    const uint32_t lane = static_cast<uint32_t>(__builtin_ctz(rest));
    Fiber& other = lane_of(*me.block, me.warp, lane);
    if (other.state != State::at_warp || other.met) return false;
    if (other.mask == me.mask && other.combine == me.combine) continue;
    if (other.mask >> me.lane & 1) {
      report_full(Fault::warp, *me.site,
                  formatted("the lanes of a warp are divided between two operations that wait for "
                            "each other (masks %08x and %08x)", me.mask, other.mask),
                  "", party("operation", *other.site, other.id));
      end_launch();
    }
    return false;
  }
  return true;
}

void check_meeting(Fiber& me, uint32_t lanes) {
  if (me.meeting == Meeting::any_site) return;
  for (uint32_t rest = lanes; rest; rest &= rest - 1) {
    Fiber& other = lane_of(*me.block, me.warp, static_cast<uint32_t>(__builtin_ctz(rest)));
    if (other.site == me.site || seen_before(Fault::warp, *me.site)) continue;
    report_full(Fault::warp, *me.site,
                "an .aligned operation: all lanes must execute the same instruction", "",
                party("operation", *other.site, other.id));
  }
  if (me.meeting == Meeting::same_site_full_warp && lanes != ~0u)
    die(Fault::warp, *me.site, "needs all 32 lanes of the warp, but only %08x take part", lanes);
}

// Performs the operation for all lanes, if all have arrived.
bool meet(Fiber& me) {
  const uint32_t lanes = me.mask & me.block->live_lanes[me.warp];
  if (!all_arrived(me, lanes)) return false;
  check_meeting(me, lanes);
  void* payloads[32] = {};
  for (uint32_t rest = lanes; rest; rest &= rest - 1) {
    const uint32_t lane = static_cast<uint32_t>(__builtin_ctz(rest));
    payloads[lane] = lane_of(*me.block, me.warp, lane).payload;
  }
  me.state = State::ready;  // combine may let others run
  me.combine(payloads, lanes, *me.site);
  for (uint32_t rest = lanes; rest; rest &= rest - 1) {
    Fiber& other = lane_of(*me.block, me.warp, static_cast<uint32_t>(__builtin_ctz(rest)));
    other.met = true;
    if (other.state == State::at_warp) make_ready(other);
  }
  return true;
}

void order_lanes(void* const* payloads, uint32_t lanes, const Site&) {
  if (!launch.check) return;
  Fiber* fibers[32];
  size_t count = 0;
  for (uint32_t rest = lanes; rest; rest &= rest - 1)
    fibers[count++] = static_cast<Fiber*>(payloads[__builtin_ctz(rest)]);
  const bool whole = lanes == fibers[0]->block->live_lanes[fibers[0]->warp];
  synchronise(fibers, count, whole ? Extent::whole_warp : Extent::some);
}

}  // namespace

void collective(uint32_t mask, void* payload, Combine combine, Meeting meeting, const Site& site) {
  Fiber& me = running();
  settle(me);
  if (!(mask >> me.lane & 1))
    die(Fault::warp, site, "lane %u is not in the mask %08x of the operation it executes", me.lane, mask);
  me.mask = mask;
  me.payload = payload;
  me.combine = combine;
  me.meeting = meeting;
  me.site = &site;
  me.met = false;
  me.state = State::at_warp;
  while (!me.met) {
    if (meet(me)) break;
    wait_in(State::at_warp, site);  // woken when it has met, or to try again (a lane exited)
    if (!me.met) me.state = State::at_warp;
  }
  me.state = State::ready;
  if (launch.schedule == Schedule::random && (random_bits() & 7) == 0) let_others_run(site);
}

void warp_barrier(uint32_t mask, const Site& site) {
  collective(mask, self, order_lanes, Meeting::any_site, site);
}

uint32_t active_mask() { return running().block->live_lanes[self->warp]; }

// The lanes that waited for the one that exited may be complete now: one of them tries.
void warp_thread_exited(Block& block, uint32_t warp) {
  for (uint32_t rest = block.live_lanes[warp]; rest; rest &= rest - 1) {
    Fiber& fiber = lane_of(block, warp, static_cast<uint32_t>(__builtin_ctz(rest)));
    if (fiber.state == State::at_warp && !fiber.met) make_ready(fiber);
  }
}

}  // namespace emu
