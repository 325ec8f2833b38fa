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

// mbarrier.cpp

void forget_mbarriers(char* begin, uint64_t bytes);  // shared memory is used anew
// The mbarrier that a bulk copy by the running thread reports to.
struct Engine {
  char* mbarrier;
  uint32_t id;
};
Engine engine_of(Address mbarrier, const Site& site);
// Bytes that its engine wrote at this time have arrived. False: there is no mbarrier any more.
bool mbarrier_receive(char* mbarrier, uint32_t bytes, Time landed);
// "the mbarrier waits for 1 arrival and 512 bytes", or "" where there is none.
std::string state_of_mbarrier(const char* host);

}  // namespace emu
