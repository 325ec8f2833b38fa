// Operations of a warp: each lane brings a payload, the last to arrive computes for all.
#pragma once
#include <bit>

#include "instructions_integer.h"
#include "runtime.h"

namespace emu {

inline bool has_lane(u32 lanes, u32 lane) { return lanes >> lane & 1; }

// ---- shfl.sync ----------------------------------------------------------------------------------

enum class Shuffle { up, down, butterfly, index };
struct Shuffled {
  u32 value;
  bool valid;  // the source lies inside the segment; elsewhere a lane keeps its own value
};

struct ShufflePayload {
  u32 mine, source, result;
};
inline void combine_shuffle(void* const* payloads, u32 lanes, const Site& site) {
  for (u32 lane = 0; lane < 32; lane++) {
    if (!has_lane(lanes, lane)) continue;
    auto* p = static_cast<ShufflePayload*>(payloads[lane]);
    if (has_lane(lanes, p->source)) {
      p->result = static_cast<const ShufflePayload*>(payloads[p->source])->mine;
    } else {
      report(Fault::warp, site, "lane %u reads lane %u, which takes no part in the shuffle", lane,
             p->source);
      p->result = 0xdeadbeef;
    }
  }
}
// control: bits 0..4 clamp the source lane, bits 8..12 are the mask of a segment's lanes.
inline Shuffled shuffle(Shuffle how, u32 value, u32 b, u32 control, u32 mask, const Site& site) {
  const u32 lane = self->lane, segment = control >> 8 & 31, clamp = control & 31;
  const u32 last = (lane & segment) | (clamp & ~segment), first = lane & segment;
  b &= 31;
  s32 source = 0;
  bool valid = false;
  switch (how) {
    case Shuffle::up:
      source = static_cast<s32>(lane) - static_cast<s32>(b);
      valid = source >= static_cast<s32>(last);
      break;
    case Shuffle::down:
      source = static_cast<s32>(lane + b);
      valid = source <= static_cast<s32>(last);
      break;
    case Shuffle::butterfly:
      source = static_cast<s32>(lane ^ b);
      valid = source <= static_cast<s32>(last);
      break;
    case Shuffle::index:
      source = static_cast<s32>(first | (b & ~segment));
      valid = source <= static_cast<s32>(last);
      break;
  }
  ShufflePayload payload{value, valid ? static_cast<u32>(source) : lane, 0};
  collective(mask, &payload, combine_shuffle, Meeting::any_site, site);
  return {payload.result, valid};
}

// ---- vote, match, redux, elect ------------------------------------------------------------------

struct Ballot {
  u32 mine, members, votes;
};
inline void combine_ballot(void* const* payloads, u32 lanes, const Site&) {
  u32 votes = 0;
  for (u32 lane = 0; lane < 32; lane++)
    if (has_lane(lanes, lane) && static_cast<const Ballot*>(payloads[lane])->mine)
      votes |= 1u << lane;
  for (u32 lane = 0; lane < 32; lane++) {
    if (!has_lane(lanes, lane)) continue;
    static_cast<Ballot*>(payloads[lane])->votes = votes;
    static_cast<Ballot*>(payloads[lane])->members = lanes;
  }
}
inline Ballot vote(bool predicate, u32 mask, const Site& site) {
  Ballot payload{predicate, 0, 0};
  collective(mask, &payload, combine_ballot, Meeting::any_site, site);
  return payload;
}
inline u32 vote_ballot(bool p, u32 mask, const Site& site) { return vote(p, mask, site).votes; }
inline bool vote_any(bool p, u32 mask, const Site& site) { return vote(p, mask, site).votes != 0; }
inline bool vote_all(bool p, u32 mask, const Site& site) {
  const Ballot result = vote(p, mask, site);
  return result.votes == result.members;
}
inline bool vote_uni(bool p, u32 mask, const Site& site) {
  const Ballot result = vote(p, mask, site);
  return result.votes == 0 || result.votes == result.members;
}

// match: the lanes that hold the same value; match.all: all of them or none.
struct MatchPayload {
  u64 mine;
  u32 same, members;
};
inline void combine_match(void* const* payloads, u32 lanes, const Site&) {
  for (u32 lane = 0; lane < 32; lane++) {
    if (!has_lane(lanes, lane)) continue;
    auto* p = static_cast<MatchPayload*>(payloads[lane]);
    p->members = lanes;
    p->same = 0;
    for (u32 other = 0; other < 32; other++)
      if (has_lane(lanes, other) &&
          static_cast<const MatchPayload*>(payloads[other])->mine == p->mine)
        p->same |= 1u << other;
  }
}
inline u32 match_any(u64 value, u32 mask, const Site& site) {
  MatchPayload payload{value, 0, 0};
  collective(mask, &payload, combine_match, Meeting::any_site, site);
  return payload.same;
}
inline u32 match_all(u64 value, u32 mask, bool& all, const Site& site) {
  MatchPayload payload{value, 0, 0};
  collective(mask, &payload, combine_match, Meeting::any_site, site);
  all = payload.same == payload.members;
  return all ? payload.members : 0;
}

// redux.sync: one value out of every lane's.
template <class T>
inline T smaller(T a, T b) {
  return std::min(a, b);
}
template <class T>
inline T larger(T a, T b) {
  return std::max(a, b);
}
template <class T>
inline T in_both(T a, T b) {
  return a & b;
}
template <class T>
inline T in_either(T a, T b) {
  return a | b;
}
template <class T>
inline T in_one(T a, T b) {
  return a ^ b;
}
template <class T>
struct ReducePayload {
  T mine, result;
};
template <class T, T (*operation)(T, T)>
inline void combine_reduce(void* const* payloads, u32 lanes, const Site&) {
  const u32 first = static_cast<u32>(std::countr_zero(lanes));
  T total = static_cast<const ReducePayload<T>*>(payloads[first])->mine;
  for (u32 lane = first + 1; lane < 32; lane++)
    if (has_lane(lanes, lane))
      total = operation(total, static_cast<const ReducePayload<T>*>(payloads[lane])->mine);
  for (u32 lane = 0; lane < 32; lane++)
    if (has_lane(lanes, lane)) static_cast<ReducePayload<T>*>(payloads[lane])->result = total;
}
template <class T, T (*operation)(T, T)>
inline T reduce_warp(T value, u32 mask, const Site& site) {
  ReducePayload<T> payload{value, value};
  collective(mask, &payload, combine_reduce<T, operation>, Meeting::any_site, site);
  return payload.result;
}

// elect.sync: the lowest lane of the mask is the leader.
inline u32 elect(u32 mask, bool& leader, const Site& site) {
  const u32 lane = static_cast<u32>(std::countr_zero(vote(true, mask, site).members));
  leader = lane == self->lane;
  return lane;
}

}  // namespace emu
