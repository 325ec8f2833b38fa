// Bulk copies (cp.async.bulk): a copy engine beside the threads moves the bytes at any time after
// the issue, and an mbarrier counts them.  Only who has seen that mbarrier's phase complete knows of
// them; to all others, the thread that issued the copy included, the bytes are a race.
//
// A copy lands at its issue ("in order"), when no thread can go on without it ("reverse"), or
// anywhere between ("random").
#include <cstring>

#include "counters.h"
#include "memory.h"
#include "order.h"
#include "race.h"
#include "report.h"

namespace emu {
namespace {

struct Bulk {
  Block* block;
  Engine engine;
  char *to, *from;
  Address source;
  std::vector<char> data;  // what the source held at the issue
  Time issued;
  const Site* site;
};
std::vector<Bulk> under_way;

void land(const Bulk& copy) {
  const auto bytes = static_cast<uint32_t>(copy.data.size());
  std::memcpy(copy.to, copy.data.data(), bytes);
  const Time landed = ++now;
  if (launch.check) {
    if (std::memcmp(copy.from, copy.data.data(), bytes) &&
        !seen_before(Fault::asynchronous_copy, *copy.site))
      report_full(Fault::asynchronous_copy, *copy.site,
                  formatted("the source of a bulk copy of %u bytes changed while it was under way", bytes),
                  describe(copy.source), "");
    bulk_landed(copy.block->shadow, copy.to, bytes, copy.engine.id, copy.issued, landed);
  }
  if (!mbarrier_receive(copy.engine.mbarrier, bytes, landed))
    report(Fault::barrier, *copy.site, "the mbarrier of a bulk copy was gone when its bytes arrived");
}

}  // namespace

void bulk_copy(Address destination, Address source, uint32_t bytes, Address mbarrier, const Site& site) {
  Fiber& me = running();
  settle(me);
  if (bytes == 0 || bytes % 16)
    die(Fault::misaligned, site, "a bulk copy of %u bytes, which is not a multiple of 16", bytes);
  if (is_shared(destination) && to_shared(destination) >> 24)
    die(Fault::fault, site, "a bulk copy to another block of the cluster is not emulated");
  const Engine engine = engine_of(mbarrier, site);
  const Place to = locate(destination, bytes, 16, Kind::store, site);
  const Place from = locate(source, bytes, 16, Kind::load, site);
  if (from.defined && std::memchr(from.defined, 0, bytes) &&
      !seen_before(Fault::uninitialised_read, site))
    report_full(Fault::uninitialised_read, site,
                formatted("bulk copy of %u bytes that nothing has written", bytes),
                describe(source), "");
  if (launch.count) count_bulk_copy(site, bytes);
  Bulk copy{me.block, engine, to.host, from.host, source, {from.host, from.host + bytes}, ++now, &site};
  if (launch.check) {
    if (from.shadow)
      check_access(*from.shadow, {source, from.host, bytes, Kind::load, kWeak, &site}, false);
    check_bulk_into(*to.shadow, {destination, to.host, bytes, Kind::store, kWeak, &site}, engine.id,
                    copy.issued);
  }
  if (launch.schedule == Schedule::in_order) land(copy);
  else under_way.push_back(std::move(copy));
}

bool bulk_copies_under_way() { return !under_way.empty(); }

void land_bulk_copy() {
  const size_t chosen = launch.schedule == Schedule::random ? random_bits() % under_way.size() : 0;
  const Bulk copy = std::move(under_way[chosen]);
  under_way.erase(under_way.begin() + static_cast<ptrdiff_t>(chosen));
  land(copy);
}

void abandon_bulk_copies(Block& block) {
  std::erase_if(under_way, [&](const Bulk& copy) {
    if (copy.block != &block) return false;
    report(Fault::asynchronous_copy, *copy.site,
           "a bulk copy of %zu bytes is under way to a block that has exited: nobody waited for it",
           copy.data.size());
    return true;
  });
}

void forget_bulk_copies() { under_way.clear(); }

}  // namespace emu
