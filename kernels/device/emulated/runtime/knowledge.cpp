#include "knowledge.h"

#include <algorithm>

namespace emu {

uint32_t threads_per_block = 32;

class Knowledge {
 public:
  explicit Knowledge(std::vector<Fact> facts) : facts(std::move(facts)) {}
  const std::vector<Fact> facts;
  mutable uint32_t references = 0;
};

Known::Known(const Knowledge* what) : what_(what) {
  if (what_) what_->references++;
}

Known::~Known() {
  if (what_ && --what_->references == 0) delete what_;
}

const std::vector<Fact>& Known::facts() const {
  static const std::vector<Fact> none;
  return what_ ? what_->facts : none;
}

bool Known::covers(uint32_t id, Time time) const {
  if (!what_) return false;
  const auto knows = [&](Group group, uint32_t first) {
    const Fact wanted = fact(group, first, time);
    const auto found = std::lower_bound(what_->facts.begin(), what_->facts.end(), wanted,
                                        [](Fact a, Fact b) { return a.key < b.key; });
    return found != what_->facts.end() && found->key == wanted.key && found->time >= time;
  };
  return knows(Group::block, id - id % threads_per_block) || knows(Group::warp, id & ~31u) ||
         knows(Group::thread, id);
}

namespace {

// Merges sorted facts, leaving out what a larger group's fact says already.
std::vector<Fact> merged(const std::vector<Fact>& a, const std::vector<Fact>& b) {
  std::vector<Fact> result;
  result.reserve(a.size() + b.size());
  uint32_t block = ~0u, warp = ~0u;
  Time block_time = 0, warp_time = 0;
  for (size_t i = 0, j = 0; i < a.size() || j < b.size();) {
    Fact next;
    if (j == b.size() || (i < a.size() && a[i].key < b[j].key)) next = a[i++];
    else if (i == a.size() || b[j].key < a[i].key) next = b[j++];
    else next = {a[i].key, std::max(a[i].time, b[j].time)}, i++, j++;
    const uint32_t its_block = next.first() - next.first() % threads_per_block;
    if (its_block == block && next.time <= block_time) continue;
    if ((next.first() & ~31u) == warp && next.group() == Group::thread && next.time <= warp_time)
      continue;
    if (next.group() == Group::block) block = its_block, block_time = next.time;
    if (next.group() == Group::warp) warp = next.first(), warp_time = next.time;
    result.push_back(next);
  }
  return result;
}

bool same(const std::vector<Fact>& a, const std::vector<Fact>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](Fact x, Fact y) { return x.key == y.key && x.time == y.time; });
}

}  // namespace

Known join(const Known& a, const Known& b) {
  if (!b || a == b) return a;
  if (!a) return b;
  std::vector<Fact> both = merged(a.facts(), b.facts());
  // Nothing new: share, so that later joins see equal references.
  if (same(both, a.facts())) return a;
  if (same(both, b.facts())) return b;
  return Known(new Knowledge(std::move(both)));
}

Known join(const Known& a, std::vector<Fact> facts) {
  std::sort(facts.begin(), facts.end(),
            [](Fact x, Fact y) { return x.key != y.key ? x.key < y.key : x.time > y.time; });
  facts.erase(std::unique(facts.begin(), facts.end(), [](Fact x, Fact y) { return x.key == y.key; }),
              facts.end());
  std::vector<Fact> both = merged(a.facts(), facts);
  if (same(both, a.facts())) return a;
  return Known(new Knowledge(std::move(both)));
}

}  // namespace emu
