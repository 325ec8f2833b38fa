#include "counters.h"

#include <algorithm>
#include <tuple>

namespace emu {
namespace {

std::vector<SiteCounters> counters;

struct Lane {
  uint32_t lane;
  const LoggedAccess* access;
};

// Distinct bytes and 32-byte sectors that a warp's lanes touch in global memory.
void count_global(SiteCounters& site, Lane* lanes, size_t count) {
  const auto begin = [](const Lane& l) { return l.access->address; };
  const auto less = [&](const Lane& a, const Lane& b) { return begin(a) < begin(b); };
  if (!std::is_sorted(lanes, lanes + count, less)) std::sort(lanes, lanes + count, less);
  uint64_t bytes = 0, sectors = 0, end = 0, next_sector = 0;
  for (size_t i = 0; i < count; i++) {
    const uint64_t from = begin(lanes[i]), to = from + lanes[i].access->bytes;
    site.global_bytes += to - from;
    if (to > end) bytes += to - std::max(from, end), end = to;
    const uint64_t first = std::max(from / 32, next_sector), last = (to + 31) / 32;
    if (last > first) sectors += last - first, next_sector = last;
  }
  site.sectors += sectors;
  site.ideal_sectors += (bytes + 31) / 32;
}

// Wavefronts that distinct words take: the most in any one bank.
uint32_t wavefronts(const uint32_t* words, uint32_t count) {
  constexpr uint32_t kBanks = 32, kMostInBank = 32;
  uint32_t in_bank[kBanks] = {}, seen[kBanks][kMostInBank], most = 0;
  for (uint32_t i = 0; i < count; i++) {
    const uint32_t word = words[i], bank = word % kBanks;
    uint32_t& size = in_bank[bank];
    if (std::find(seen[bank], seen[bank] + size, word) != seen[bank] + size) continue;
    if (size < kMostInBank) seen[bank][size++] = word;
    most = std::max(most, size);
  }
  return most;
}

// A wavefront gives one 4-byte word from every bank.  8-byte accesses go by half warps, 16-byte ones
// by quarters.
void count_shared(SiteCounters& site, const Lane* lanes, size_t count) {
  const uint32_t bytes = lanes[0].access->bytes;
  const uint32_t lanes_at_once = bytes <= 4 ? 32 : bytes == 8 ? 16 : 8;
  site.shared_requests++;
  for (size_t i = 0; i < count;) {
    const uint32_t part = lanes[i].lane / lanes_at_once;
    uint32_t words[64], used = 0;
    for (; i < count && lanes[i].lane / lanes_at_once == part; i++) {
      const uint32_t first = static_cast<uint32_t>(lanes[i].access->address) / 4;
      const uint32_t last = static_cast<uint32_t>(lanes[i].access->address + bytes - 1) / 4;
      for (uint32_t word = first; word <= last && used < 64; word++) words[used++] = word;
    }
    site.wavefronts += wavefronts(words, used);
    site.ideal_wavefronts++;
  }
}

void count_request(Lane* lanes, size_t count) {
  const LoggedAccess& first = *lanes[0].access;
  SiteCounters& site = counters[first.site];
  site.requests++;
  if (first.kind == Kind::atomic) site.atomics += count;
  if (first.shared) count_shared(site, lanes, count);
  else count_global(site, lanes, count);
}

bool alike(const LoggedAccess& a, const LoggedAccess& b) { return a.site == b.site && a.shared == b.shared; }

// Have the lanes executed the same instructions one by one?
bool in_step(const Lane* lanes, size_t count, Fiber* const* fibers) {
  const std::vector<LoggedAccess>& first = fibers[lanes[0].lane]->log;
  for (size_t i = 1; i < count; i++) {
    const std::vector<LoggedAccess>& log = fibers[lanes[i].lane]->log;
    if (log.size() != first.size() || !std::equal(log.begin(), log.end(), first.begin(), alike)) return false;
  }
  return true;
}

void count_warp(Fiber* const* fibers) {
  Lane lanes[32];
  size_t count = 0;
  for (uint32_t lane = 0; lane < 32; lane++)
    if (fibers[lane] && !fibers[lane]->log.empty()) lanes[count++] = {lane, nullptr};
  if (!count) return;
  if (in_step(lanes, count, fibers)) {
    for (size_t k = 0; k < fibers[lanes[0].lane]->log.size(); k++) {
      Lane request[32];
      for (size_t i = 0; i < count; i++) request[i] = {lanes[i].lane, &fibers[lanes[i].lane]->log[k]};
      count_request(request, count);
    }
    return;
  }
  // Divergent: the k-th execution of an instruction by each lane belongs together.
  struct Keyed {
    uint32_t site, occurrence;
    bool shared;
    Lane lane;
  };
  std::vector<Keyed> all;
  static std::vector<uint32_t> executions[2];  // by shared and site: a copy logs one of each
  for (size_t i = 0; i < count; i++) {
    for (auto& of_space : executions) of_space.assign(counters.size(), 0);
    for (const LoggedAccess& access : fibers[lanes[i].lane]->log)
      all.push_back({access.site, executions[access.shared][access.site]++, access.shared,
                     {lanes[i].lane, &access}});
  }
  const auto key = [](const Keyed& k) { return std::tuple(k.site, k.shared, k.occurrence); };
  std::stable_sort(all.begin(), all.end(), [&](const Keyed& a, const Keyed& b) { return key(a) < key(b); });
  for (size_t i = 0; i < all.size();) {
    Lane request[32];
    size_t size = 0, from = i;
    for (; i < all.size() && key(all[i]) == key(all[from]) && size < 32; i++) request[size++] = all[i].lane;
    count_request(request, size);
  }
}

}  // namespace

uint64_t instructions_run = 0;

void clear_counters() {
  counters.assign(launch.module->site_count, {});
  instructions_run = 0;
}

SiteCounters& counters_of(const Site& site) { return counters[site_index(site)]; }

void count_matrix(const Site& site, uint64_t multiply_adds) {
  counters_of(site).matrix_instructions++;
  counters_of(site).multiply_adds += multiply_adds;
}

void count_bulk_copy(const Site& site, uint32_t bytes) {
  SiteCounters& counted = counters_of(site);
  counted.requests++, counted.shared_requests++;
  counted.global_bytes += bytes;
  counted.sectors += (bytes + 31) / 32, counted.ideal_sectors += (bytes + 31) / 32;
  counted.wavefronts += (bytes + 127) / 128, counted.ideal_wavefronts += (bytes + 127) / 128;
}

void log_access(const Site& site, Kind kind, bool shared, uint64_t address, uint32_t bytes) {
  running().log.push_back({address, site_index(site), static_cast<uint8_t>(bytes), shared, kind});
}

void count_block(Block& block) {
  if (!launch.count) return;
  for (uint32_t first = 0; first < block.threads; first += 32) {
    Fiber* fibers[32] = {};
    for (uint32_t lane = 0; lane < 32 && first + lane < block.threads; lane++)
      fibers[lane] = &block.fibers[first + lane];
    count_warp(fibers);
    for (Fiber* fiber : fibers)
      if (fiber) fiber->log.clear();
  }
}

}  // namespace emu

extern "C" const emu::SiteCounters* emu_counters() { return emu::counters.data(); }
extern "C" uint64_t emu_instructions() { return emu::instructions_run; }
