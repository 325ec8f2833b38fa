#include "race.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "order.h"
#include "race_records.h"
#include "report.h"
#include "shadow.h"

namespace emu {
namespace {

bool strong(const Access& access) {
  return access.kind == Kind::atomic || access.ordering.semantics != Semantics::weak;
}

const char* verb(const Access& access) {
  switch (access.kind) {
    case Kind::load: return "load";
    case Kind::store: return "store";
    default: return "atomic operation";
  }
}

const Site& site_at(uint32_t index) { return launch.module->sites[index & ~kInFlight]; }

// The other party of a conflict.
struct Other {
  const char* what;
  uint32_t id, site;
};

void race(const Shadow& shadow, const Cell& cell, const Access& access, Other other,
          const char* why = "nothing orders the two") {
  if (seen_before(Fault::race, *access.site)) return;
  const uint64_t offset = static_cast<uint64_t>(&cell - shadow.cells) << shadow.shift;
  char* host = std::max(shadow.begin + offset, access.host);
  const Site& its = site_at(other.site);
  std::string message = formatted("%s of %u bytes races with a %s: %s", verb(access), access.bytes,
                                  other.what, why);
  report_full(Fault::race, *access.site, std::move(message),
              describe(access.address + static_cast<uint64_t>(host - access.host)),
              party(other.what, its, other.id));
}

void in_flight(const Cell& cell, const Access& access, const char* does) {
  if (seen_before(Fault::asynchronous_copy, *access.site)) return;
  const char* which = is_engine(cell.writer) ? "a bulk copy that is under way"
                                             : "an asynchronous copy that its thread has not waited for";
  report_full(Fault::asynchronous_copy, *access.site,
              formatted("%s of %u bytes %s %s", verb(access), access.bytes, does, which),
              describe(access.address), party("copy", site_at(cell.write_site), cell.writer));
}

uint32_t first_unknown(const Fiber& me, uint32_t warp, uint32_t lanes, Time time) {
  for (; lanes; lanes &= lanes - 1) {
    const uint32_t id = warp + static_cast<uint32_t>(__builtin_ctz(lanes));
    if (!knows(me, id, time)) return id;
  }
  return warp;
}

// ---- the three checks, against weak writes, weak reads and strong accesses ----------------------

void against_write(const Fiber& me, const Shadow& shadow, Cell& cell, const Access& access) {
  if (cell.write_time < shadow.base) return;
  if (cell.write_site & kInFlight) {
    in_flight(cell, access, access.kind == Kind::load ? "reads the destination of"
                                                      : "overwrites the destination of");
    return;
  }
  if (knows(me, cell.writer, cell.write_time)) return;
  const char* what = is_engine(cell.writer) ? "bulk copy" : "store";
  race(shadow, cell, access, {what, cell.writer, cell.write_site});
}

void against_readings(const Fiber& me, const Shadow& shadow, const Cell& cell, const Access& access) {
  const Time known = shadow.first_thread == me.block->first ? me.block_known : 0;
  const Reading* readings = readings_of(shadow, cell);
  for (uint32_t w = 0; w < shadow.warps; w++) {
    const Reading& r = readings[w];
    if (r.time <= known || r.time < shadow.base) continue;
    const uint32_t warp = shadow.first_thread + 32 * w;
    if (!knows_all(me, warp, r.lanes, r.time))
      race(shadow, cell, access, {"load", first_unknown(me, warp, r.lanes, r.time), r.site});
  }
}

void against_reads(const Fiber& me, const Shadow& shadow, const Cell& cell, const Access& access) {
  if (shadow.readings) against_readings(me, shadow, cell, access);
  if (cell.read_time >= shadow.base &&
      !knows_all(me, cell.read_warp, cell.read_lanes, cell.read_time)) {
    const uint32_t id = first_unknown(me, cell.read_warp, cell.read_lanes, cell.read_time);
    race(shadow, cell, access, {"load", id, cell.read_site});
  }
  if (const Extra* extra = find_extra(shadow, cell))
    for (const Reader& r : extra->readers)
      if (!knows_all(me, r.warp, r.lanes, r.time))
        race(shadow, cell, access, {"load", first_unknown(me, r.warp, r.lanes, r.time), r.site});
}

// Does a scope leave out one of two blocks?  (Clusters lie within whole launches: their blocks are
// found by the running thread's.)
bool leaves_out(const Fiber& me, Scope scope, uint32_t block, uint32_t other) {
  if (scope >= Scope::gpu || block == other) return false;
  if (scope == Scope::cta) return true;
  const std::vector<Block*>& members = me.block->cluster->blocks;
  const auto member = [&](uint32_t b) {
    return std::any_of(members.begin(), members.end(), [&](const Block* m) { return m->linear == b; });
  };
  return member(block) != member(other);
}

bool morally_strong(const Fiber& me, const Strong& a, const Strong& b) {
  const uint32_t block = a.warp / threads_per_block, other = b.warp / threads_per_block;
  return !leaves_out(me, a.scope, block, other) && !leaves_out(me, b.scope, block, other);
}

// Does extra.strong[i] come before what `me` does now?  Because me knows of it, or knows a thread
// that observed it.
bool precedes(const Fiber& me, const Extra& extra, size_t i) {
  const Strong& s = extra.strong[i];
  if (knows_all(me, s.warp, s.lanes, s.time)) return true;
  if (!s.writes) return false;
  const Strong* written = &s;  // what a reader sees, while every step from s is morally strong
  for (size_t later = i + 1; later < extra.strong.size(); later++) {
    const Strong& reader = extra.strong[later];
    if (reader.chain != s.chain) return false;
    if (!morally_strong(me, reader, *written)) {
      if (reader.writes) return false;
      continue;
    }
    for (uint32_t lanes = reader.lanes; lanes; lanes &= lanes - 1)
      if (knows(me, reader.warp + static_cast<uint32_t>(__builtin_ctz(lanes)), reader.time)) return true;
    if (reader.writes) written = &reader;
  }
  return false;
}

void race_with_strong(const Fiber& me, const Shadow& shadow, const Cell& cell, const Access& access,
                      const Strong& s, const char* why) {
  race(shadow, cell, access,
       {s.writes ? "volatile or atomic store" : "volatile or atomic load",
        first_unknown(me, s.warp, s.lanes, s.time), s.site},
       why);
}

// A weak access against the strong ones; writes_only: a load conflicts only with writes.
void against_strong(const Fiber& me, const Shadow& shadow, const Cell& cell, const Access& access,
                    const Extra& extra, bool writes_only) {
  for (size_t i = 0; i < extra.strong.size(); i++)
    if ((extra.strong[i].writes || !writes_only) && !precedes(me, extra, i))
      race_with_strong(me, shadow, cell, access, extra.strong[i], "nothing orders the two");
}

// Two strong accesses race only where the scope of one leaves the other out.
void against_narrow(const Fiber& me, const Shadow& shadow, const Cell& cell, const Access& access,
                    const Extra& extra) {
  const bool writes = access.kind != Kind::load;
  Strong mine{};
  mine.warp = me.warp_id(), mine.scope = access.ordering.scope;
  for (size_t i = 0; i < extra.strong.size(); i++) {
    const Strong& s = extra.strong[i];
    if ((writes || s.writes) && !morally_strong(me, mine, s) && !precedes(me, extra, i))
      race_with_strong(me, shadow, cell, access, s, "a scope is too narrow to include both threads");
  }
}

// ---- each kind of access -------------------------------------------------------------------------

void uninitialised(const Access& access) {
  if (seen_before(Fault::uninitialised_read, *access.site)) return;
  report_full(Fault::uninitialised_read, *access.site,
              formatted("%s of %u bytes that nothing has written", verb(access), access.bytes),
              describe(access.address), "");
}

bool strongly_written(const Shadow& shadow, const Cell& cell) {
  const Extra* extra = find_extra(shadow, cell);
  return extra && std::any_of(extra->strong.begin(), extra->strong.end(),
                              [](const Strong& s) { return s.writes; });
}

// A weak store over one by another lane of the warp, by the same instruction: see Doubt.
bool doubtful(const Fiber& me, const Shadow& shadow, const Cell& cell, const Access& access,
              uint32_t site) {
  return cell.write_time >= shadow.base && cell.write_site == site && cell.writer != me.id &&
         (cell.writer & ~31u) == me.warp_id() && access.bytes <= sizeof(Doubt::before) &&
         !knows(me, cell.writer, cell.write_time);
}

// Nearly every access meets a write that is old, this thread's own, or before its block's last
// barrier; the rest is for against_write.
inline bool plainly_after_write(const Fiber& me, const Shadow& shadow, const Cell& cell) {
  if (cell.write_time < shadow.base) return true;
  if (cell.write_site & kInFlight) return false;
  return cell.writer == me.id || (cell.write_time <= me.block_known &&
                                  cell.writer - me.block->first < threads_per_block);
}

inline void weak_load(Fiber& me, Shadow& shadow, Cell& cell, const Access& access, uint32_t site) {
  if (!plainly_after_write(me, shadow, cell)) against_write(me, shadow, cell, access);
  if (cell.extra)
    if (const Extra* extra = find_extra(shadow, cell))
      against_strong(me, shadow, cell, access, *extra, true);
  remember_read(me, shadow, cell, site);
}

inline void weak_store(Fiber& me, Shadow& shadow, Cell& cell, const Access& access, uint32_t site) {
  if (!plainly_after_write(me, shadow, cell)) {
    if (doubtful(me, shadow, cell, access, site)) {
      if (!me.doubt.site) {
        me.doubt = {access.site, access.address, access.host, access.bytes, cell.writer, {}};
        std::memcpy(me.doubt.before, access.host, access.bytes);
      }
    } else {
      against_write(me, shadow, cell, access);
    }
  }
  against_reads(me, shadow, cell, access);
  if (cell.extra)
    if (Extra* extra = find_extra(shadow, cell)) {
      against_strong(me, shadow, cell, access, *extra, false);
      // Forgotten with the rest, except what me itself released here: see Message::visible.
      extra->readers.clear();
      extra->strong.clear();
      if (!only_own_messages(me, extra->location)) free_extra(cell);
    }
  cell.writer = me.id, cell.write_time = me.time, cell.write_site = site;
  cell.read_time = 0;
}

// `first`: of the cells of this access; what is released and acquired there lies with that one.
void strong_access(Fiber& me, Shadow& shadow, Cell& cell, const Access& access, uint32_t site,
                   bool first) {
  Extra& extra = need_extra(shadow, cell);
  // An acquire comes after what was released to it, so it learns first and is judged then.
  if (first && access.kind != Kind::store) read_messages(me, extra.location, access.ordering);
  against_write(me, shadow, cell, access);
  if (access.kind != Kind::load) against_reads(me, shadow, cell, access);
  if (access.ordering.scope < Scope::gpu || extra.narrow) {
    against_narrow(me, shadow, cell, access, extra);
    extra.narrow = true;
  }
  remember_strong(me, extra, access, site);
  if (first && access.kind != Kind::load)
    write_messages(me, extra.location, access.ordering, access.kind == Kind::atomic);
}

}  // namespace

void check_access(Shadow& shadow, const Access& access, bool defined_by_writes) {
  Fiber& me = running();
  const uint32_t site = site_index(*access.site);
  Cell* const first = cells_of(shadow, access.host, access.bytes);
  Cell* const end = first + (access.bytes >> shadow.shift);
  if (defined_by_writes && access.kind != Kind::store)
    for (Cell* cell = first; cell < end; cell++)
      if (cell->write_time < shadow.base && !strongly_written(shadow, *cell)) uninitialised(access);
  if (strong(access)) {
    for (Cell* cell = first; cell < end; cell++)
      strong_access(me, shadow, *cell, access, site, cell == first);
  } else if (access.kind == Kind::load) {
    for (Cell* cell = first; cell < end; cell++) weak_load(me, shadow, *cell, access, site);
  } else {
    for (Cell* cell = first; cell < end; cell++) weak_store(me, shadow, *cell, access, site);
  }
}

void check_copy_into(Shadow& shadow, const Access& access) {
  check_access(shadow, access, false);
  Cell* cell = cells_of(shadow, access.host, access.bytes);
  for (Cell* end = cell + (access.bytes >> shadow.shift); cell < end; cell++)
    cell->write_site |= kInFlight;
}

void landed(Shadow& shadow, char* host, uint32_t bytes) {
  const Fiber& me = running();
  Cell* cell = cells_of(shadow, host, bytes);
  for (Cell* end = cell + (bytes >> shadow.shift); cell < end; cell++)
    if (cell->writer == me.id && cell->write_site & kInFlight) {
      cell->write_site &= ~kInFlight;
      cell->write_time = me.time;
    }
}

void check_bulk_into(Shadow& shadow, const Access& access, uint32_t engine, Time issued) {
  check_access(shadow, access, false);
  Cell* cell = cells_of(shadow, access.host, access.bytes);
  for (Cell* end = cell + (access.bytes >> shadow.shift); cell < end; cell++) {
    cell->writer = engine, cell->write_time = issued;
    cell->write_site |= kInFlight;
  }
}

void bulk_landed(Shadow& shadow, char* host, uint32_t bytes, uint32_t engine, Time issued, Time landed) {
  Cell* cell = cells_of(shadow, host, bytes);
  for (Cell* end = cell + (bytes >> shadow.shift); cell < end; cell++)
    if (cell->writer == engine && cell->write_time == issued) {
      cell->write_site &= ~kInFlight;
      cell->write_time = landed;
    }
}

void settle_doubt(Fiber& me) {
  const Doubt doubt = me.doubt;
  me.doubt.site = nullptr;
  if (std::memcmp(doubt.before, doubt.host, doubt.bytes) == 0) return;
  if (seen_before(Fault::race, *doubt.site)) return;
  report_full(Fault::race, *doubt.site,
              formatted("store of %u bytes races with another lane's store of another value by the "
                        "same instruction: nothing orders the two", doubt.bytes),
              describe(doubt.address), party("store", *doubt.site, doubt.other));
}

}  // namespace emu
