// What the scheduler needs of the other parts, and what only the launch needs of the scheduler.
#pragma once
#include "machine.h"

namespace emu {

void seed_random(uint64_t seed);
void set_step_budget(int64_t steps);
void prepare_shared(Block& block);  // memory.cpp: storage, undefined contents, shadow

// standstill.cpp: nobody of the resident blocks can go on
void report_standstill(const std::vector<Block*>& resident);

}  // namespace emu
