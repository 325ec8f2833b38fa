// The C interface that emulator.py calls through ctypes.  Change both together.
#pragma once
#include "runtime.h"

namespace emu {

struct Argument {      // one array argument, in the order of the array parameters
  char* host;          // its window holds it at kWindowMiddle + host % 256
  uint64_t bytes;
  const char* name;
  uint8_t* defined;    // one per byte, updated in place; nullptr: all bytes are defined
  uint32_t item_bytes;
  uint32_t written;    // may the kernel write it?
};

struct Request {
  const Module* module;
  const void* parameters;
  const Argument* arguments;
  uint64_t seed;
  int64_t steps;       // budget of backward branches
  uint32_t entry, argument_count;
  Dim3 grid, block, cluster;
  uint32_t dynamic_shared_bytes;
  uint32_t schedule;   // Schedule
  uint32_t check, count, perturb, cooperative;
};

struct ReportRecord {
  const char *message, *address, *other, *file, *text, *inlined;
  uint64_t count;
  uint32_t kind;       // Fault
  int32_t line, ptx_line;
  uint32_t has_thread;
  Dim3 block, thread;
};

struct SiteCounters {  // per PTX instruction
  uint64_t requests;       // warp instructions that accessed memory
  uint64_t global_bytes;   // asked for by the lanes
  uint64_t sectors, ideal_sectors;  // of 32 bytes
  uint64_t shared_requests, wavefronts, ideal_wavefronts;
  uint64_t barriers, atomics, matrix_instructions, multiply_adds;
};

}  // namespace emu

extern "C" {
// Runs the launch to its end; 0, or 1 when a fatal report ended it.
int emu_launch(const emu::Request* request);
uint32_t emu_report_count();
const emu::ReportRecord* emu_report(uint32_t index);
const emu::SiteCounters* emu_counters();  // one per site of the module
uint64_t emu_instructions();              // that lanes ran
const char* emu_output();                 // what vprintf wrote
}
