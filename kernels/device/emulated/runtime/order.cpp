#include "order.h"

namespace emu {
namespace {

bool releases(Semantics s) {
  return s == Semantics::release || s == Semantics::acq_rel || s == Semantics::sc;
}
bool acquires(Semantics s) {
  return s == Semantics::acquire || s == Semantics::acq_rel || s == Semantics::sc;
}

// Does an operation of `me` at this scope include the threads of that block?
bool within(Scope scope, const Fiber& me, uint32_t block) {
  if (scope >= Scope::gpu) return true;
  if (block == me.block->linear) return true;
  if (scope == Scope::cta || block == kManyBlocks) return false;
  for (const Block* member : me.block->cluster->blocks)
    if (member->linear == block) return true;
  return false;
}

std::vector<Fact> own_facts(uint32_t id, Time time, Time block_known, Time warp_known) {
  return {fact(Group::block, id - id % threads_per_block, block_known),
          fact(Group::warp, id & ~31u, warp_known), fact(Group::thread, id, time)};
}

}  // namespace

bool knows_all_slowly(const Fiber& me, uint32_t warp, uint32_t lanes, Time time) {
  if (warp == me.warp_id()) lanes &= ~(1u << me.lane);
  for (; lanes; lanes &= lanes - 1)
    if (!me.foreign.covers(warp + static_cast<uint32_t>(__builtin_ctz(lanes)), time)) return false;
  return true;
}

void arrive(Arrivals& arrivals, Fiber& me) {
  arrivals.list.push_back({me.id, me.time, me.block_known, me.warp_known});
  arrivals.foreign = join(arrivals.foreign, me.foreign);
  tick(me);
}

Known together(const Arrivals& arrivals) {
  std::vector<Arrivals::Arrival> list = arrivals.list;
  std::sort(list.begin(), list.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  std::vector<Fact> facts;
  for (size_t i = 0; i < list.size();) {
    // Whole warps at one time are one fact.
    size_t end = i + 1;
    while (end < list.size() && list[end].id >> 5 == list[i].id >> 5) end++;
    Time block_known = 0, warp_known = 0;
    bool alike = end - i == 32;
    for (size_t j = i; j < end; j++) {
      block_known = std::max(block_known, list[j].block_known);
      warp_known = std::max(warp_known, list[j].warp_known);
      alike = alike && list[j].time == list[i].time;
    }
    const uint32_t id = list[i].id;
    facts.push_back(fact(Group::block, id - id % threads_per_block, block_known));
    facts.push_back(fact(Group::warp, id & ~31u, alike ? list[i].time : warp_known));
    if (!alike)
      for (size_t j = i; j < end; j++)
        facts.push_back(fact(Group::thread, list[j].id, list[j].time));
    i = end;
  }
  return join(arrivals.foreign, std::move(facts));
}

Known everything_known(const Fiber& me) {
  return join(me.foreign, own_facts(me.id, me.time, me.block_known, me.warp_known));
}

void synchronise(Fiber* const* fibers, size_t count, Extent extent, const Arrivals* others) {
  Time latest = 0, block_known = 0;
  Known foreign = fibers[0]->foreign;
  for (size_t i = 0; i < count; i++) {
    latest = std::max(latest, fibers[i]->time);
    block_known = std::max(block_known, fibers[i]->block_known);
    foreign = join(foreign, fibers[i]->foreign);
  }
  const Block& block = *fibers[0]->block;
  for (size_t warp = 0; warp < block.exited.size() && extent != Extent::some; warp++) {
    if (extent == Extent::whole_warp && warp != fibers[0]->warp) continue;
    latest = std::max(latest, block.exited[warp].latest);
    foreign = join(foreign, block.exited[warp].foreign);
  }
  if (extent == Extent::some) {
    Arrivals all = others ? *others : Arrivals();
    for (size_t i = 0; i < count; i++) {
      const Fiber& f = *fibers[i];
      all.list.push_back({f.id, f.time, f.block_known, f.warp_known});
    }
    for (const Arrivals::Arrival& arrival : all.list) latest = std::max(latest, arrival.time);
    foreign = join(foreign, together(all));
  }
  Time warp_known = 0;
  if (extent == Extent::whole_block) block_known = latest;
  if (extent == Extent::whole_warp) warp_known = latest;
  for (size_t i = 0; i < count; i++) {
    Fiber& f = *fibers[i];
    f.time = latest + 1;
    f.block_known = block_known;
    f.warp_known = std::max(f.warp_known, warp_known);
    f.foreign = foreign;
  }
  if (latest + 1 > now) now = latest + 1;
}

void fence(Semantics semantics, Scope scope, const Site&) {
  if (!launch.check) return;
  Fiber& me = running();
  // What relaxed reads saw released is learnt now, if this fence reaches the releasing thread.
  if (semantics != Semantics::release)
    std::erase_if(me.unlearnt, [&](const Unlearnt& seen) {
      if (!within(scope, me, seen.releaser)) return false;
      me.foreign = join(me.foreign, seen.known);
      return true;
    });
  if (semantics == Semantics::acquire) return;
  // What was done so far may be published by any strong write from now on.  A wider fence serves
  // wherever a narrower one did.
  for (int narrower = 0; narrower < static_cast<int>(scope); narrower++)
    me.published[narrower].valid = false;
  me.published[static_cast<int>(scope)] = {true, me.foreign, me.time, me.block_known, me.warp_known};
  tick(me);
}

namespace {

// Do a strong access of `me` at this scope and the location's last write include each other?  If
// not, they race, and nothing is observed through them.
bool observes(const Fiber& me, const Location& location, Scope scope) {
  return within(scope, me, location.last_block) &&
         within(location.last_scope, me, location.last_block);
}

}  // namespace

void read_messages(Fiber& me, const Location& location, Ordering ordering) {
  if (!observes(me, location, ordering.scope)) return;
  for (const Message& message : location.messages) {
    if (!message.visible || message.thread == me.id) continue;
    // The release must reach this thread, and the acquire, now or later, the releasing one.
    if (!within(message.scope, me, message.block)) continue;
    if (acquires(ordering.semantics) && within(ordering.scope, me, message.block)) {
      me.foreign = join(me.foreign, message.known);
      continue;
    }
    const bool noted = std::any_of(
        me.unlearnt.begin(), me.unlearnt.end(), [&](const Unlearnt& seen) {
          return seen.known == message.known && seen.releaser == message.block;
        });
    if (!noted) me.unlearnt.push_back({message.known, message.block});
  }
}

namespace {

void add_message(std::vector<Message>& messages, Message message) {
  // A counter that a whole grid releases by would gather a message from every block: past a few,
  // those of one scope are merged.
  constexpr size_t kApart = 16;
  if (messages.size() >= kApart) std::erase_if(messages, [](const Message& m) { return !m.visible; });
  const bool merge = messages.size() >= kApart;
  for (Message& kept : messages) {
    if (kept.scope != message.scope) continue;
    if (kept.thread != message.thread && !merge) continue;
    if (kept.block != message.block && kept.scope < Scope::gpu) continue;
    kept.known = join(kept.known, message.known);
    if (kept.block != message.block) kept.block = kManyBlocks;
    if (kept.thread != message.thread) kept.thread = kManyThreads;
    return;
  }
  messages.push_back(std::move(message));
}

}  // namespace

void write_messages(Fiber& me, Location& location, Ordering ordering, bool is_atomic) {
  // An atomic continues what others released, if it observes it; a store ends that.
  const bool continues = is_atomic && observes(me, location, ordering.scope);
  for (Message& m : location.messages) {
    if (m.thread == me.id) m.visible = true;
    else if (!continues) m.visible = false;
  }
  location.last_scope = ordering.scope;
  location.last_block = me.block->linear;
  const auto add = [&](Known known, Scope scope) {
    add_message(location.messages, {std::move(known), scope, me.block->linear, me.id, true});
  };
  for (int scope = 0; scope < 4; scope++) {
    const Published& fence = me.published[scope];
    if (!fence.valid) continue;
    add(join(fence.foreign, own_facts(me.id, fence.time, fence.block_known, fence.warp_known)),
        static_cast<Scope>(scope));
  }
  if (releases(ordering.semantics)) {
    add(everything_known(me), ordering.scope);
    tick(me);
  }
}

bool only_own_messages(const Fiber& me, Location& location) {
  std::erase_if(location.messages, [&](const Message& m) { return m.thread != me.id; });
  for (Message& m : location.messages) m.visible = false;
  return !location.messages.empty();
}

}  // namespace emu
