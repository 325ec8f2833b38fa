// Addresses: which bytes of which array they are, and whether they may be touched.
#pragma once
#include "abi.h"
#include "machine.h"

namespace emu {

// Lays out the windows of a launch: arguments, module variables, their shadows.
void map_arguments(const Argument* arguments, uint32_t count);
void map_variables(const Module& module);

struct Place {
  char* host;
  Shadow* shadow;    // nullptr: not checked for races
  uint8_t* defined;  // one per byte, or nullptr
  bool shared;
};
// Finds a place; a bad address or alignment ends the launch.
Place locate(Address address, uint32_t bytes, uint32_t alignment, Kind kind, const Site& site);

// mbarrier.cpp: shared memory that is used anew holds no mbarriers.
void forget_mbarriers(char* begin, uint64_t bytes);

}  // namespace emu
