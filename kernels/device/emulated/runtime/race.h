// The race checker: what was last done to each granule of memory, and whether the running thread
// knows of it (order.h).
//
// A Cell describes one granule (1, 2, 4 or 8 bytes: a shadow begins with its array's item size and is
// refined as soon as one access is smaller, so neighbouring bytes never blame each other).  It holds
// the last weak write and one group of weak readers; what is rarer lies in an Extra.  Stamps are
// times that never go back, so shadow memory is never cleared: a stamp older than the launch (or, in
// shared memory, than the block) means "nothing yet".
#pragma once
#include "machine.h"

namespace emu {

struct Cell {
  uint32_t writer;
  Time write_time;
  uint32_t write_site;  // with kInFlight while it is an asynchronous copy nobody waited for
  uint32_t read_warp, read_lanes;  // lanes of that warp that read at that time
  Time read_time;
  uint32_t read_site;
  uint32_t extra;  // index + 1 of an Extra, if that is this cell's
};
inline constexpr uint32_t kInFlight = 1u << 31;

// The last weak reads of a cell by one warp of the block that owns it: these lanes, at that time.
struct Reading {
  uint32_t lanes;
  Time time;
  uint32_t site;
};

void begin_races();  // of a launch: all cells are free again

// Cells over [begin, begin + bytes), for granules of 1 << shift bytes.
Shadow shadow_of_global(char* begin, uint64_t bytes, unsigned shift);
void renew_shared_shadow(Shadow& shadow, char* begin, uint64_t bytes, uint32_t warps);

// The running thread accesses `bytes` at `host`, which `shadow` covers.
struct Access {
  Address address;
  char* host;
  uint32_t bytes;
  Kind kind;
  Ordering ordering;
  const Site* site;
};
void check_access(Shadow& shadow, const Access& access, bool defined_by_writes);
// A cp.async by the running thread: its destination is in flight until landed().
void check_copy_into(Shadow& shadow, const Access& access);
// The running thread stores here: is it the source of a copy of its own still in flight?
void check_copy_sources(char* host, uint32_t bytes, const Site& site);
void landed(Shadow& shadow, char* host, uint32_t bytes);
// A bulk copy by the running thread: written by an engine, in flight until it has landed.
void check_bulk_into(Shadow& shadow, const Access& access, uint32_t engine, Time issued);
void bulk_landed(Shadow& shadow, char* host, uint32_t bytes, uint32_t engine, Time issued, Time landed);

// Decides about a store whose value was not known yet (Doubt).
void settle_doubt(Fiber& me);
inline void settle(Fiber& me) {
  if (me.doubt.site) settle_doubt(me);
}

}  // namespace emu
