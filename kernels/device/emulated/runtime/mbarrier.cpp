// mbarrier objects.  What the kernel sees in shared memory is only a number that changes with the
// state; the state itself lies here, by host address.
#include <cstring>
#include <map>

#include "memory.h"
#include "order.h"
#include "report.h"

namespace emu {
namespace {

struct Mbarrier {
  uint32_t expected = 0, pending = 0;  // arrivals, of every phase and still to come in this one
  int64_t bytes = 0;                   // of transactions still to come
  uint64_t phase = 0;
  Arrivals arrivals;                   // of this phase
  Known published;                     // by the completed phases
};
std::map<char*, Mbarrier> mbarriers;

// Operations on the object are atomic; only its initialisation must be ordered before them.
constexpr Ordering kAtomic{Semantics::relaxed, Scope::gpu};

char* touch(Address address, Kind kind, const Site& site) {
  const Ordering ordering = kind == Kind::store ? kWeak : kAtomic;
  return access(address, 8, kind, ordering, site);
}

void show(char* host, const Mbarrier& barrier) {
  const uint64_t state = barrier.phase << 40 ^ uint64_t{barrier.pending} << 20 ^
                         static_cast<uint64_t>(barrier.bytes & 0xfffff);
  std::memcpy(host, &state, 8);
}

Mbarrier& find(char* host, Address address, const Site& site) {
  const auto found = mbarriers.find(host);
  if (found == mbarriers.end())
    die(Fault::barrier, site, "no mbarrier was initialised at %s", describe(address).c_str());
  return found->second;
}

void complete_if_due(Mbarrier& barrier) {
  if (barrier.pending || barrier.bytes) return;
  if (launch.check) barrier.published = join(barrier.published, together(barrier.arrivals));
  barrier.arrivals = Arrivals();
  barrier.pending = barrier.expected;
  barrier.phase++;
}

bool learn_if(bool completed, const Mbarrier& barrier, Ordering ordering) {
  if (completed && launch.check && ordering.semantics != Semantics::relaxed)
    running().foreign = join(running().foreign, barrier.published);
  return completed;
}

}  // namespace

void mbarrier_init(Address address, uint32_t count, const Site& site) {
  char* host = touch(address, Kind::store, site);
  if (count == 0 || count >= 1u << 20) die(Fault::barrier, site, "an mbarrier cannot expect %u arrivals", count);
  Mbarrier& barrier = mbarriers[host] = Mbarrier();
  barrier.expected = barrier.pending = count;
  show(host, barrier);
}

void mbarrier_invalidate(Address address, const Site& site) {
  char* host = touch(address, Kind::store, site);
  find(host, address, site);
  mbarriers.erase(host);
}

void mbarrier_expect_tx(Address address, uint32_t bytes, Ordering, const Site& site) {
  char* host = touch(address, Kind::atomic, site);
  Mbarrier& barrier = find(host, address, site);
  barrier.bytes += bytes;
  show(host, barrier);
}

void mbarrier_complete_tx(Address address, uint32_t bytes, Ordering, const Site& site) {
  char* host = touch(address, Kind::atomic, site);
  Mbarrier& barrier = find(host, address, site);
  barrier.bytes -= bytes;
  complete_if_due(barrier);
  show(host, barrier);
}

uint64_t mbarrier_arrive(Address address, uint32_t count, bool drop, Ordering ordering, const Site& site) {
  char* host = touch(address, Kind::atomic, site);
  Mbarrier& barrier = find(host, address, site);
  const uint64_t state = barrier.phase << 32 | barrier.pending;
  if (count > barrier.pending)
    die(Fault::barrier, site, "%u arrivals at an mbarrier that waits for %u more in this phase", count,
        barrier.pending);
  if (launch.check && ordering.semantics != Semantics::relaxed) arrive(barrier.arrivals, running());
  barrier.pending -= count;
  if (drop) barrier.expected -= count;
  if (count) complete_if_due(barrier);
  show(host, barrier);
  return state;
}

uint32_t mbarrier_pending(uint64_t state) { return static_cast<uint32_t>(state); }

bool mbarrier_test(Address address, uint64_t state, Ordering ordering, const Site& site) {
  const Mbarrier& barrier = find(touch(address, Kind::load, site), address, site);
  return learn_if(barrier.phase > state >> 32, barrier, ordering);
}

bool mbarrier_test_parity(Address address, uint32_t parity, Ordering ordering, const Site& site) {
  const Mbarrier& barrier = find(touch(address, Kind::load, site), address, site);
  return learn_if((barrier.phase & 1) != (parity & 1), barrier, ordering);
}

void forget_mbarriers(char* begin, uint64_t bytes) {
  mbarriers.erase(mbarriers.lower_bound(begin), mbarriers.lower_bound(begin + bytes));
}

}  // namespace emu
