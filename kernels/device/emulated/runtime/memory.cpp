#include "memory.h"

#include <algorithm>
#include <cstring>
#include <unordered_map>

#include "counters.h"
#include "race.h"
#include "report.h"
#include "scheduler.h"

namespace emu {

char* window_host[kWindows];

namespace {

const char* doing(Kind kind) {
  return kind == Kind::load ? "load" : kind == Kind::store ? "store" : "atomic operation";
}

[[noreturn]] void out_of_bounds(Address address, uint32_t bytes, Kind kind, const Site& site,
                                const std::string& why) {
  report_full(Fault::out_of_bounds, site, formatted("%s of %u bytes %s", doing(kind), bytes, why.c_str()),
              describe(address), "");
  end_launch();
}

[[noreturn]] void misaligned(Address address, uint32_t bytes, uint32_t alignment, Kind kind,
                             const Site& site) {
  report_full(Fault::misaligned, site,
              formatted("%s of %u bytes at an address that is not a multiple of %u", doing(kind), bytes,
                        alignment),
              describe(address), "");
  end_launch();
}

// Shadows are shared by the arguments that overlap on the host.
std::vector<std::unique_ptr<Shadow>> shadows;

struct Storage {
  std::vector<std::unique_ptr<char[]>> variables;
};
std::unordered_map<const Module*, Storage> storage;  // of module variables, kept between launches

Block& block_of_rank(uint32_t rank, Address address, uint32_t bytes, Kind kind, const Site& site) {
  Cluster& cluster = *running().block->cluster;
  if (rank >= cluster.blocks.size())
    out_of_bounds(address, bytes, kind, site, "in a block that the cluster does not have");
  Block& block = *cluster.blocks[rank];
  if (block.live == 0)
    out_of_bounds(address, bytes, kind, site, "in the shared memory of a block that has exited");
  return block;
}

Place locate_shared(Address address, uint32_t bytes, Kind kind, const Site& site) {
  Block* block = running().block;
  const uint32_t offset = to_shared(address) & 0xffffff, rank = to_shared(address) >> 24;
  if (rank) block = &block_of_rank(rank - 1, address, bytes, kind, site);
  static size_t last = 0;  // the array that was hit last is hit again most often
  if (last >= launch.shared.size() || offset < launch.shared[last].offset ||
      offset + bytes > launch.shared[last].offset + launch.shared[last].bytes) {
    const auto holds = [&](const SharedVariable& v) {
      return offset >= v.offset && offset + bytes <= v.offset + v.bytes;
    };
    const auto found = std::find_if(launch.shared.begin(), launch.shared.end(), holds);
    if (found == launch.shared.end())
      out_of_bounds(address, bytes, kind, site, "outside every shared array of the kernel");
    last = static_cast<size_t>(found - launch.shared.begin());
  }
  return {block->shared + offset, launch.check ? &block->shadow : nullptr, nullptr, true};
}

Place locate_local(Address address, uint32_t bytes, Kind kind, const Site& site) {
  Fiber& me = running();
  const uint64_t offset = address - kLocalBase;
  if (offset + bytes > me.local_top || offset < 16)
    out_of_bounds(address, bytes, kind, site, "outside the thread's local arrays");
  return {me.local.data() + offset, nullptr, me.local_defined.data() + offset, false};
}

}  // namespace

Place locate(Address address, uint32_t bytes, uint32_t alignment, Kind kind, const Site& site) {
  const unsigned window = window_of(address);
  if (address & (alignment - 1)) misaligned(address, bytes, alignment, kind, site);
  if (window == kShared) return locate_shared(address, bytes, kind, site);
  if (window == kLocal) return locate_local(address, bytes, kind, site);
  if (window >= kWindows || !launch.views[window].host)
    out_of_bounds(address, bytes, kind, site, window ? "at an address in no array" : "through a null pointer");
  View& view = launch.views[window];
  const uint64_t offset = address - view.address;
  if (offset > view.bytes || bytes > view.bytes - offset)
    out_of_bounds(address, bytes, kind, site,
                  formatted("outside an array of %llu bytes",
                            static_cast<unsigned long long>(view.bytes)));
  if (kind != Kind::load && view.constant)
    out_of_bounds(address, bytes, kind, site, "to constant memory");
  if (kind != Kind::load && launch.check && !view.shadow)
    die(Fault::fault, site, "a write to '%s', which the analysis of the kernel took for read-only",
        view.name.c_str());
  return {view.host + offset, view.shadow, view.defined ? view.defined + offset : nullptr, false};
}

char* checked_access(Address address, uint32_t bytes, Kind kind, Ordering ordering, const Site& site) {
  Fiber& me = running();
  settle(me);
  if (--me.until_preemption <= 0) let_others_run(site);
  const Place place = locate(address, bytes, bytes, kind, site);
  const bool strong = ordering.semantics != Semantics::weak || kind == Kind::atomic;
  if (strong && kind != Kind::store) polled(place.host, bytes, site);
  if (launch.count && !is_local(address)) log_access(site, kind, place.shared, address, bytes);
  if (place.defined) {
    if (kind != Kind::store && std::memchr(place.defined, 0, bytes) &&
        !seen_before(Fault::uninitialised_read, site))
      report_full(Fault::uninitialised_read, site,
                  formatted("%s of %u bytes that nothing has written", doing(kind), bytes),
                  describe(address), "");
    if (kind != Kind::load) std::memset(place.defined, 1, bytes);
  }
  if (place.shadow) {
    if (kind == Kind::store && !me.copies.empty()) check_copy_sources(place.host, bytes, site);
    check_access(*place.shadow, {address, place.host, bytes, kind, ordering, &site}, place.shared);
  }
  return place.host;
}

char* resolve_elsewhere(Address address, const Site& site) {
  return locate(address, 1, 1, Kind::load, site).host;
}

void polled(const char* host, uint32_t bytes, const Site& site) {
  Fiber& me = running();
  uint64_t value = 0;
  std::memcpy(&value, host, std::min<uint32_t>(bytes, 8));
  // The same value at the same place again: this thread waits for another to change it.
  if (me.polled_at == host && me.polled_value == value) {
    spin(site);
    return;
  }
  me.polled_at = host;
  me.polled_value = value;
  me.spinning = false;
}

// ---- shared and local ---------------------------------------------------------------------------

void prepare_shared(Block& block) {
  constexpr size_t kAlignment = 1024;
  const size_t bytes = launch.shared_bytes;
  if (block.shared_storage.size() < bytes + kAlignment) block.shared_storage.resize(bytes + kAlignment);
  const auto start = reinterpret_cast<uintptr_t>(block.shared_storage.data());
  block.shared = reinterpret_cast<char*>((start + kAlignment - 1) / kAlignment * kAlignment);
  forget_mbarriers(block.shared, bytes);
  if (!launch.check) return;
  std::memset(block.shared, 0xff, bytes);  // NaN as float32, float16 and bfloat16
  block.shadow.first_thread = block.first;
  renew_shared_shadow(block.shadow, block.shared, bytes, threads_per_block / 32);
}

uint32_t map_shared(uint32_t offset, uint32_t rank, const Site& site) {
  if (rank >= running().block->cluster->blocks.size())
    die(Fault::out_of_bounds, site, "mapa to block %u of a cluster of %zu", rank,
        running().block->cluster->blocks.size());
  return (offset & 0xffffff) | (rank + 1) << 24;
}

Address map_shared_generic(Address address, uint32_t rank, const Site& site) {
  return from_shared(map_shared(to_shared(address), rank, site));
}

uint32_t shared_rank(uint32_t offset) {
  return offset >> 24 ? (offset >> 24) - 1 : self->cluster_ctarank;
}

Address enter_local(uint32_t bytes, uint32_t alignment, const Site& site) {
  Fiber& me = running();
  alignment = std::max(alignment, 16u);
  // 16 bytes before each frame belong to nobody; offset 0 is never used.
  const uint32_t base = (me.local_top + 16 + alignment - 1) / alignment * alignment;
  if (base + bytes > 1u << 20)
    die(Fault::fault, site, "a thread uses more than 1 MiB of local memory");
  // The first frame is sized for a few more: growing moves what an earlier access() returned, which
  // its caller has used by then.
  if (me.local.size() < base + bytes) {
    me.local.resize(base + bytes + 256);
    me.local_defined.resize(base + bytes + 256);
  }
  std::memset(me.local.data() + base, 0xff, bytes);
  std::memset(me.local_defined.data() + base, 0, bytes);
  me.local_frames.push_back(me.local_top);
  me.local_top = base + bytes;
  return kLocalBase + base;
}

void leave_local(Address) {
  Fiber& me = running();
  me.local_top = me.local_frames.back();
  me.local_frames.pop_back();
}

// ---- the windows of a launch ------------------------------------------------------------------

namespace {

void map(unsigned window, View view) {
  window_host[window] = view.host - view.address;
  launch.views[window] = std::move(view);
}

unsigned granule_shift(uint32_t item_bytes) {
  return item_bytes >= 8 ? 3 : item_bytes >= 4 ? 2 : item_bytes >= 2 ? 1 : 0;
}

}  // namespace

void map_arguments(const Argument* arguments, uint32_t count) {
  for (unsigned window = 0; window < kWindows; window++) {
    launch.views[window].host = nullptr;
    window_host[window] = nullptr;
  }
  shadows.clear();
  std::vector<uint32_t> by_host;
  for (uint32_t i = 0; i < count; i++) {
    const Argument& a = arguments[i];
    View view;
    view.address = (Address{kFirstArgument + i} << kWindowBits) + kWindowMiddle +
                   reinterpret_cast<uintptr_t>(a.host) % 256;
    view.bytes = a.bytes;
    view.host = a.host;
    view.name = a.name;
    view.defined = a.defined;
    map(kFirstArgument + i, std::move(view));
    if (a.host && a.bytes) by_host.push_back(i);
  }
  if (!launch.check) return;
  std::sort(by_host.begin(), by_host.end(),
            [&](uint32_t a, uint32_t b) { return arguments[a].host < arguments[b].host; });
  for (size_t i = 0; i < by_host.size();) {
    // Arguments i ... end overlap: one shadow, if the kernel may write any of them.
    char* begin = arguments[by_host[i]].host;
    char* stop = begin + arguments[by_host[i]].bytes;
    size_t end = i;
    bool written = false;
    uint32_t item_bytes = 8;
    for (; end < by_host.size() && arguments[by_host[end]].host < stop; end++) {
      const Argument& a = arguments[by_host[end]];
      stop = std::max(stop, a.host + a.bytes);
      written |= a.written != 0;
      item_bytes = std::min(item_bytes, a.item_bytes);
    }
    if (written) {
      char* aligned = begin - reinterpret_cast<uintptr_t>(begin) % 256;
      shadows.push_back(std::make_unique<Shadow>(shadow_of_global(
          aligned, static_cast<uint64_t>(stop - aligned), granule_shift(item_bytes))));
      for (size_t j = i; j < end; j++)
        launch.views[kFirstArgument + by_host[j]].shadow = shadows.back().get();
    }
    i = end;
  }
}

void map_variables(const Module& module) {
  Storage& kept = storage[&module];
  if (kept.variables.empty())
    for (uint32_t i = 0; i < module.variable_count; i++) {
      const Variable& v = module.variables[i];
      auto bytes = std::make_unique<char[]>(v.bytes + 256);
      if (v.initial) {
        const auto start = reinterpret_cast<uintptr_t>(bytes.get());
        std::memcpy(bytes.get() + (256 - start % 256) % 256, v.initial, v.bytes);
      }
      kept.variables.push_back(std::move(bytes));
    }
  for (uint32_t i = 0; i < module.variable_count; i++) {
    const Variable& v = module.variables[i];
    View view;
    view.address = variable_address(i);
    view.bytes = v.bytes;
    const auto start = reinterpret_cast<uintptr_t>(kept.variables[i].get());
    view.host = kept.variables[i].get() + (256 - start % 256) % 256;
    view.name = v.name;
    view.constant = v.constant;
    if (launch.check && !v.constant) {
      shadows.push_back(std::make_unique<Shadow>(shadow_of_global(view.host, v.bytes, 2)));
      view.shadow = shadows.back().get();
    }
    map(kFirstVariable + i, std::move(view));
  }
}

}  // namespace emu
