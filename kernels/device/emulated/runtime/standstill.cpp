// A launch in which no thread can go on: who waits where, one line per place; the first is blamed.
#include <algorithm>

#include "memory.h"
#include "report.h"
#include "scheduler.h"

namespace emu {
namespace {

const char* waiting_for(const Fiber& fiber) {
  switch (fiber.state) {
    case State::at_barrier: return "waits at a barrier";
    case State::at_cluster_barrier: return "waits at the cluster's barrier";
    case State::at_warp: return "waits for lanes of its warp";
    default: return "spins";
  }
}

}  // namespace

void report_standstill(const std::vector<Block*>& resident) {
  const Fiber* first = nullptr;
  struct Place {
    const Site* site;
    const Fiber* example;
    uint32_t threads;
  };
  std::vector<Place> places;
  Fault kind = Fault::deadlock;
  for (Block* block : resident)
    for (uint32_t i = 0; i < block->threads; i++) {
      Fiber& fiber = block->fibers[i];
      if (fiber.state == State::done || !fiber.site) continue;
      if (!first) first = &fiber;
      if (fiber.state == State::at_barrier) kind = Fault::barrier;
      if (fiber.state == State::at_warp && kind == Fault::deadlock) kind = Fault::warp;
      const auto place = std::find_if(places.begin(), places.end(),
                                      [&](const Place& p) { return p.site == fiber.site; });
      if (place == places.end()) places.push_back({fiber.site, &fiber, 1});
      else place->threads++;
    }
  if (!first) return;
  // Threads that spin wait for memory, whatever the others wait for.
  for (const Place& place : places)
    if (place.example->state == State::ready) kind = Fault::deadlock, first = place.example;
  std::string message = "no thread can go on";
  std::string others;
  for (const Place& place : places) {
    std::string line = formatted("%u thread%s (%s ...) %s at %s", place.threads,
                                 place.threads > 1 ? "s" : "", describe(place.example->id).c_str(),
                                 waiting_for(*place.example), describe(*place.site).c_str());
    if (const std::string state = state_of_mbarrier(place.example->polled_at);
        place.example->state == State::ready && !state.empty())
      line += " (" + state + ")";
    if (place.site == first->site) message += ": " + line;
    else others += (others.empty() ? "" : "; ") + line;
  }
  if (others.empty()) others = "every other thread has exited";
  self = const_cast<Fiber*>(first);
  report_full(kind, *first->site, message, "", others);
  self = nullptr;
}

}  // namespace emu
