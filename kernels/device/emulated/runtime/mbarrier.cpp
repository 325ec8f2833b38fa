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
  uint32_t initialiser = 0;            // thread id
  bool shown_to_engine = false;        // by a fence of that thread
  uint32_t engine = 0;                 // id of what its bulk copies write; 0: there was none
  Time landed = 0;                     // the latest of them in this phase
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
  return launch.check ? checked_access(address, 8, kind, ordering, site)
                      : unchecked_access(address, 8, kind, ordering, site);
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
  if (launch.check && barrier.landed)
    barrier.published =
        join(barrier.published, {fact(Group::thread, barrier.engine, barrier.landed)});
  barrier.landed = 0;
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
  barrier.initialiser = running().id;
  barrier.expected = barrier.pending = count;
  show(host, barrier);
}

void fence_proxy(const Site&) {
  for (auto& [host, barrier] : mbarriers)
    if (barrier.initialiser == running().id) barrier.shown_to_engine = true;
}

void mbarrier_invalidate(Address address, const Site& site) {
  char* host = touch(address, Kind::store, site);
  find(host, address, site);
  mbarriers.erase(host);
}

void mbarrier_expect_tx(Address address, uint32_t bytes, Ordering, const Site& site) {
  char* host = touch(address, Kind::atomic, site);
  Mbarrier& barrier = find(host, address, site);
  if (bytes >= 1u << 20) die(Fault::barrier, site, "an mbarrier cannot expect %u bytes", bytes);
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

Engine engine_of(Address address, const Site& site) {
  char* host = touch(address, Kind::atomic, site);
  Mbarrier& barrier = find(host, address, site);
  if (!barrier.shown_to_engine && !seen_before(Fault::barrier, site))
    report_full(Fault::barrier, site,
                "a bulk copy to an mbarrier whose initialisation the copy engine need not see: "
                "fence.mbarrier_init or fence.proxy.async must follow mbarrier.init",
                describe(address), "");
  if (!barrier.engine) barrier.engine = new_engine();
  return {host, barrier.engine};
}

bool mbarrier_receive(char* host, uint32_t bytes, Time landed) {
  const auto found = mbarriers.find(host);
  if (found == mbarriers.end()) return false;
  Mbarrier& barrier = found->second;
  barrier.landed = landed;
  barrier.bytes -= bytes;
  complete_if_due(barrier);
  show(host, barrier);
  return true;
}

std::string state_of_mbarrier(const char* host) {
  const auto found = mbarriers.find(const_cast<char*>(host));
  if (found == mbarriers.end()) return "";
  const Mbarrier& barrier = found->second;
  return formatted("the mbarrier waits for %u arrival%s and %lld bytes", barrier.pending,
                   barrier.pending == 1 ? "" : "s", static_cast<long long>(barrier.bytes));
}

void forget_mbarriers(char* begin, uint64_t bytes) {
  mbarriers.erase(mbarriers.lower_bound(begin), mbarriers.lower_bound(begin + bytes));
}

}  // namespace emu
