// One launch, from the request of emulator.py to the reports it reads.
#include <algorithm>
#include <ctime>
#include <cstring>

#include "abi.h"
#include "counters.h"
#include "memory.h"
#include "race.h"
#include "report.h"
#include "scheduler.h"

namespace emu {

bool perturbing = false;

uint64_t perturbation() { return perturbing ? random_bits() : 0; }

uint64_t clock() {
  static uint64_t last = 0;
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  const uint64_t nanoseconds = uint64_t(now.tv_sec) * 1'000'000'000 + uint64_t(now.tv_nsec);
  return last = std::max(last + 1, nanoseconds);
}

void nanosleep(uint32_t, const Site& site) { spin(site); }

void trap(const char* why, const Site& site) { die(Fault::fault, site, "%s", why); }

void print(const char* text) { launch.output += text; }

namespace {

uint32_t first_engine = 0, engines = 0;

// Shared arrays of the entry by offset, the dynamic part as one more.
void lay_out_shared(const Request& request) {
  const Entry& entry = *launch.entry;
  launch.shared.assign(entry.shared, entry.shared + entry.shared_count);
  launch.shared_bytes = 0;
  if (request.dynamic_shared_bytes)
    launch.shared.push_back({"dynamic", entry.dynamic_offset, request.dynamic_shared_bytes});
  std::sort(launch.shared.begin(), launch.shared.end(),
            [](const SharedVariable& a, const SharedVariable& b) { return a.offset < b.offset; });
  for (const SharedVariable& v : launch.shared)
    launch.shared_bytes = std::max(launch.shared_bytes, v.offset + v.bytes);
}

}  // namespace

bool is_engine(uint32_t id) { return id >= first_engine; }
uint32_t new_engine() { return first_engine + engines++; }

}  // namespace emu

using namespace emu;

extern "C" int emu_launch(const Request* request) {
  launch.module = request->module;
  launch.entry = &request->module->entries[request->entry];
  launch.parameters = request->parameters;
  launch.grid = request->grid;
  launch.block = request->block;
  launch.cluster = request->cluster;
  launch.threads = total(request->block);
  launch.dynamic_shared_bytes = request->dynamic_shared_bytes;
  launch.schedule = static_cast<Schedule>(request->schedule);
  launch.check = request->check;
  launch.count = request->count;
  launch.cooperative = request->cooperative;
  launch.dead = false;
  launch.output.clear();
  threads_per_block = (launch.threads + 31) / 32 * 32;
  first_engine = total(request->grid) * threads_per_block;
  engines = 0;
  set_step_budget(request->steps);
  perturbing = request->perturb;
  seed_random(request->seed);
  clear_reports();
  clear_counters();
  now++;
  begin_races();
  lay_out_shared(*request);
  map_arguments(request->arguments, request->argument_count);
  map_variables(*request->module);
  run_all_blocks();
  // Without checks nobody kept the maps: what the kernel may have written counts as written.
  if (!launch.check)
    for (uint32_t i = 0; i < request->argument_count; i++) {
      const Argument& a = request->arguments[i];
      if (a.written && a.defined) std::memset(a.defined, 1, a.bytes);
    }
  return launch.dead;
}

extern "C" const char* emu_output() { return launch.output.c_str(); }
