// Storage of the race checker: cells, and the extras of those few that need more than a cell holds.
#pragma once
#include <vector>

#include "order.h"
#include "race.h"

namespace emu {

// Weak readers: lanes of one warp that read at one time.
struct Reader {
  uint32_t warp, lanes;
  Time time;
  uint32_t site;
};

// Strong (volatile, relaxed, atomic, ...) accesses, which do not race with each other unless a scope is
// too narrow.  They are kept in their order.
struct Strong {
  uint32_t warp, lanes;
  Time time;
  uint32_t site;
  // A plain store begins a new chain, and atomics continue it.  Whoever reads observes the writes of
  // the chain that came before, and what is observed precedes whatever its observer does next (the
  // causality order of PTX).
  uint32_t chain;
  bool reads, writes;
  Scope scope;
};

struct Extra {
  const Cell* owner = nullptr;
  Time born = 0;
  bool narrow = false;  // some strong access had a scope below gpu
  size_t prune_at = 8, prune_strong_at = 64;
  std::vector<Reader> readers;    // beside the cell's own
  std::vector<Strong> strong;
  uint32_t chain = 0;
  Location location;  // what was released here
};

// The cells of [host, host + bytes), the shadow refined if they are smaller than its granules.
Cell* refined_cells(Shadow& shadow, char* host, uint32_t bytes);
inline Cell* cells_of(Shadow& shadow, char* host, uint32_t bytes) {
  const uint64_t offset = static_cast<uint64_t>(host - shadow.begin);
  if ((offset | bytes) & ((1u << shadow.shift) - 1)) return refined_cells(shadow, host, bytes);
  return shadow.cells + (offset >> shadow.shift);
}

Extra* find_extra_at(const Shadow& shadow, const Cell& cell);
inline Extra* find_extra(const Shadow& shadow, const Cell& cell) {
  return cell.extra ? find_extra_at(shadow, cell) : nullptr;
}
Extra& need_extra(const Shadow& shadow, Cell& cell);
void free_extra(Cell& cell);

}  // namespace emu
