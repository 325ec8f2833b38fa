// Counters of memory traffic, grouped as the hardware does: per warp instruction.
#pragma once
#include "abi.h"
#include "machine.h"

namespace emu {

void clear_counters();
SiteCounters& counters_of(const Site& site);
// A bulk copy, which is no warp's: whole sectors, whole rows of banks.
void count_bulk_copy(const Site& site, uint32_t bytes);
// Notes one lane's access, to be grouped with those of its warp later.
void log_access(const Site& site, Kind kind, bool shared, uint64_t address, uint32_t bytes);
// Groups and counts what the threads of the block have logged.
void count_block(Block& block);

}  // namespace emu
