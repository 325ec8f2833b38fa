// Asynchronous copies (cp.async): the bytes may arrive at any time between issue and wait, so until
// the wait nobody may touch the destination, and nobody may change the source.
#include <algorithm>
#include <cstring>

#include "counters.h"
#include "memory.h"
#include "order.h"
#include "race.h"
#include "report.h"

namespace emu {
namespace {

void perform(Copy& copy) {
  if (copy.performed) return;
  std::memcpy(copy.to, copy.from, copy.source_bytes);
  std::memset(copy.to + copy.source_bytes, 0, copy.bytes - copy.source_bytes);
  copy.performed = true;
}

Shadow* shadow_of_source(const Copy& copy) { return launch.views[window_of(copy.source)].shadow; }

// The source is read in pieces that the copy's own size need not divide.
void check_source(const Copy& copy) {
  Shadow* shadow = copy.source_bytes ? shadow_of_source(copy) : nullptr;
  if (!shadow) return;
  check_access(*shadow, {copy.source, copy.from, copy.source_bytes, Kind::load, kWeak, copy.site}, false);
}

// The oldest `count` copies of the running thread are complete.
void finish(size_t count) {
  Fiber& me = running();
  for (size_t i = 0; i < count; i++) {
    Copy& copy = me.copies[i];
    perform(copy);
    if (!launch.check) continue;
    // Once more: has anyone written the source since the issue?
    check_source(copy);
    landed(me.block->shadow, copy.to, copy.bytes);
  }
  me.copies.erase(me.copies.begin(), me.copies.begin() + static_cast<ptrdiff_t>(count));
}

}  // namespace

void async_copy(Address destination, Address source, uint32_t bytes, uint32_t source_bytes,
                const Site& site) {
  Fiber& me = running();
  settle(me);
  if (source_bytes > bytes)  // undefined (PTX ISA, cp.async)
    report(Fault::asynchronous_copy, site, "copy of %u bytes is to read %u", bytes, source_bytes);
  source_bytes = std::min(source_bytes, bytes);
  const Place to = locate(destination, bytes, bytes, Kind::store, site);
  Copy copy{destination, to.host, nullptr, source, bytes, source_bytes, &site, false};
  if (source & (bytes - 1)) locate(source, bytes, bytes, Kind::load, site);  // reports it
  if (source_bytes) {
    const Place from = locate(source, source_bytes, 1, Kind::load, site);
    copy.from = from.host;
    if (from.defined && std::memchr(from.defined, 0, source_bytes) &&
        !seen_before(Fault::uninitialised_read, site))
      report_full(Fault::uninitialised_read, site,
                  formatted("copy of %u bytes that nothing has written", source_bytes),
                  describe(source), "");
    if (launch.count) log_access(site, Kind::load, false, source, source_bytes);
  }
  if (launch.count) log_access(site, Kind::store, true, destination, bytes);
  if (launch.check) {
    check_source(copy);
    check_copy_into(*to.shadow, {destination, to.host, bytes, Kind::store, kWeak, &site});
  }
  // Early or late: both may happen.
  if (launch.schedule == Schedule::random && random_bits() & 1) perform(copy);
  me.copies.push_back(copy);
}

void async_commit(const Site&) {
  Fiber& me = running();
  uint32_t committed = 0;
  for (uint32_t group : me.groups) committed += group;
  me.groups.push_back(static_cast<uint32_t>(me.copies.size()) - committed);
}

void async_wait(uint32_t keep, const Site&) {
  Fiber& me = running();
  settle(me);
  if (me.groups.size() <= keep) return;
  const size_t done = me.groups.size() - keep;
  size_t copies = 0;
  for (size_t i = 0; i < done; i++) copies += me.groups[i];
  finish(copies);
  me.groups.erase(me.groups.begin(), me.groups.begin() + static_cast<ptrdiff_t>(done));
}

void async_wait_all(const Site&) {
  Fiber& me = running();
  settle(me);
  finish(me.copies.size());
  me.groups.clear();
}

// The mbarrier is told when the thread's earlier copies are complete; here they are at once.
void async_arrive(Address mbarrier, bool noinc, const Site& site) {
  Fiber& me = running();
  settle(me);
  finish(me.copies.size());
  me.groups.clear();
  // Without .noinc the arrival is one that the count did not expect: nothing is left to do, but the
  // copies must be known to whoever waits for the phase.
  mbarrier_arrive(mbarrier, noinc ? 1 : 0, false, {Semantics::release, Scope::cta}, site);
}

void check_copy_sources(char* host, uint32_t bytes, const Site& site) {
  for (const Copy& copy : running().copies) {
    if (!copy.source_bytes || host + bytes <= copy.from || host >= copy.from + copy.source_bytes) continue;
    if (seen_before(Fault::asynchronous_copy, site)) return;
    report_full(Fault::asynchronous_copy, site,
                formatted("store of %u bytes overwrites the source of an asynchronous copy that the "
                          "thread has not waited for", bytes),
                describe(copy.source), party("copy", *copy.site, running().id));
    return;
  }
}

}  // namespace emu
