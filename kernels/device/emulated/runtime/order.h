// Who learns what from whom: the edges of happens-before (knowledge.h has the representation).
#pragma once
#include <algorithm>

#include "machine.h"

namespace emu {

inline void tick(Fiber& fiber) {
  if (++fiber.time > now) now = fiber.time;
}

// Does `me` know what thread `id` did up to `time`?
inline bool knows(const Fiber& me, uint32_t id, Time time) {
  if (id == me.id) return true;
  if (id - me.block->first < threads_per_block) {
    if (time <= me.block_known) return true;
    if ((id & ~31u) == me.warp_id() && time <= me.warp_known) return true;
  }
  return me.foreign.covers(id, time);
}
// The same of all these lanes of a warp.
bool knows_all_slowly(const Fiber& me, uint32_t warp, uint32_t lanes, Time time);
inline bool knows_all(const Fiber& me, uint32_t warp, uint32_t lanes, Time time) {
  const bool own_block = warp - me.block->first < threads_per_block;
  if (own_block && time <= me.block_known) return true;
  if (warp == me.warp_id() && (time <= me.warp_known || lanes == 1u << me.lane)) return true;
  return knows_all_slowly(me, warp, lanes, time);
}

// Adds what `me` knows, itself included, to the arrivals, and begins a new time for it.
void arrive(Arrivals& arrivals, Fiber& me);
// What all of them knew together.
Known together(const Arrivals& arrivals);
Known everything_known(const Fiber& me);

// All of `fibers` know each other's past, and what any of them knew.  whole_block, whole_warp: they
// are all the threads of their block or warp that have not exited.
enum class Extent { whole_block, whole_warp, some };
void synchronise(Fiber* const* fibers, size_t count, Extent extent, const Arrivals* others = nullptr);

// ---- release and acquire through memory -------------------------------------------------------

inline constexpr uint32_t kManyThreads = ~0u;

// One release, as kept at the location that published it.
struct Message {
  Known known;
  Scope scope;      // of the release, or of the fence before the write
  uint32_t block;   // of the releasing thread (Block::linear), kManyBlocks when several were merged
  uint32_t thread;  // the releasing thread, kManyThreads likewise
  // Is it the value that is there, or atomics upon it?  Overwritten, it is kept for its own thread,
  // whose next strong write to the place publishes it again.
  bool visible;
};

// A place that strong writes go to: what was released there, and who wrote last at which scope.
struct Location {
  std::vector<Message> messages;
  Scope last_scope = Scope::sys;
  uint32_t last_block = 0;
};

// A strong read by me: acquires the location's messages now, or at the next fence.
void read_messages(Fiber& me, const Location& location, Ordering ordering);
// A strong write: adds me's messages; a plain store hides what others released here.
void write_messages(Fiber& me, Location& location, Ordering ordering, bool is_atomic);

// A weak store by me: hides them all, and forgets the others'.  Are any left?
bool only_own_messages(const Fiber& me, Location& location);

}  // namespace emu
