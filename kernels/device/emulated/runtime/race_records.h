// What the race checker keeps of an access for the later ones: readers of a cell, and strong accesses.
// As little as decides about every later access: what others stand for is left out.
//
// Inline, because every access comes through here (a library's other functions are not inlined).
#pragma once
#include <algorithm>

#include "order.h"
#include "race.h"
#include "shadow.h"

namespace emu {

inline Reading* readings_of(const Shadow& shadow, const Cell& cell) {
  return shadow.readings + static_cast<size_t>(&cell - shadow.cells) * shadow.warps;
}

// A read joins those that lanes of its warp made at its time by the same instruction.
inline bool joins(Time time, uint32_t lanes, uint32_t its_site, const Fiber& me, uint32_t site) {
  return time == me.time && (its_site == site || lanes >> me.lane & 1);
}

inline void remember_read(const Fiber& me, Shadow& shadow, Cell& cell, uint32_t site) {
  const uint32_t lane = 1u << me.lane, warp = me.warp_id();
  if (shadow.readings && shadow.first_thread == me.block->first) {
    Reading& r = readings_of(shadow, cell)[me.warp];
    if (joins(r.time, r.lanes, r.site, me, site)) {
      r.lanes |= lane;
      return;
    }
    // What this thread knows of needs no record (see below).
    if (r.time < shadow.base || knows_all(me, warp, r.lanes, r.time)) {
      r = {lane, me.time, site};
      return;
    }
  }
  if (cell.read_time < shadow.base) {
    cell.read_warp = warp, cell.read_lanes = lane, cell.read_time = me.time, cell.read_site = site;
    return;
  }
  if (cell.read_warp == warp && joins(cell.read_time, cell.read_lanes, cell.read_site, me, site)) {
    cell.read_lanes |= lane;
    return;
  }
  // Readers this thread knows of need no record: whoever must know this read knows theirs.
  if (!knows_all(me, cell.read_warp, cell.read_lanes, cell.read_time)) {
    Extra& extra = need_extra(shadow, cell);
    for (Reader& r : extra.readers)
      if (r.warp == warp && joins(r.time, r.lanes, r.site, me, site)) {
        r.lanes |= lane;
        return;
      }
    if (extra.readers.size() >= extra.prune_at) {
      std::erase_if(extra.readers, [&](const Reader& r) { return knows_all(me, r.warp, r.lanes, r.time); });
      extra.prune_at = std::max<size_t>(8, 2 * extra.readers.size());
    }
    extra.readers.push_back({cell.read_warp, cell.read_lanes, cell.read_time, cell.read_site});
  }
  cell.read_warp = warp, cell.read_lanes = lane, cell.read_time = me.time, cell.read_site = site;
}

inline constexpr size_t kApart = 64;  // strong accesses that are kept apart, whatever they say of each other

inline void remember_strong(const Fiber& me, Extra& extra, const Access& access, uint32_t site) {
  std::vector<Strong>& list = extra.strong;
  if (access.kind == Kind::store) extra.chain++;
  const Strong mine{me.warp_id(), 1u << me.lane, me.time, site, extra.chain, access.kind != Kind::store,
                    access.kind != Kind::load, access.ordering.scope};
  if (!mine.writes) {
    // Reads since the last write are one entry for each warp; a thread that reads again and again,
    // waiting, needs only its latest one.
    for (size_t i = list.size(); i-- > 0 && !list[i].writes;)
      if (list[i].warp == mine.warp && list[i].scope == mine.scope &&
          joins(list[i].time, list[i].lanes, list[i].site, me, site)) {
        list[i].lanes |= mine.lanes;
        return;
      }
    const size_t from = extra.narrow ? list.size() : list.size() - std::min<size_t>(list.size(), 64);
    for (size_t i = from; i < list.size(); i++) {
      Strong& s = list[i];
      if (s.warp == mine.warp && s.lanes == mine.lanes && s.time == mine.time && !s.writes &&
          s.chain == mine.chain && s.scope == mine.scope) {
        list.erase(list.begin() + static_cast<ptrdiff_t>(i));
        break;
      }
    }
  } else if (mine.reads && !extra.narrow && list.size() >= kApart) {
    // An atomic stands for the earlier writes of its chain by its own block: it has observed them,
    // and what conflicts with them conflicts with it.  (Scopes below gpu would tell them apart.)
    const uint32_t block = mine.warp / threads_per_block;
    std::erase_if(list, [&](const Strong& s) {
      return s.writes && s.chain == mine.chain && s.warp / threads_per_block == block;
    });
  }
  if (list.size() >= extra.prune_strong_at) {
    // Whoever must know this access knows what this thread knows; but a read does not stand for a
    // write, with which more conflicts.  (A later access of narrower scope could tell them apart.)
    std::erase_if(list, [&](const Strong& s) {
      return (mine.writes || !s.writes) && s.chain != mine.chain &&
             knows_all(me, s.warp, s.lanes, s.time);
    });
    extra.prune_strong_at = std::max(kApart, 2 * list.size());
  }
  list.push_back(mine);
}

}  // namespace emu
