#include "report.h"

#include <cstdarg>
#include <cstdio>
#include <deque>
#include <unordered_map>

#include "abi.h"

namespace emu {
namespace {

struct Stored {
  std::string message, address, other;
  ReportRecord record;
};
std::deque<Stored> stored;
std::unordered_map<uint64_t, size_t> by_site;  // (site, kind) -> index in stored

uint64_t key(Fault kind, const Site& site) {
  return uint64_t{site_index(site)} << 8 | static_cast<uint64_t>(kind);
}

std::string vformatted(const char* format, va_list arguments) {
  va_list again;
  va_copy(again, arguments);
  std::string text(static_cast<size_t>(std::vsnprintf(nullptr, 0, format, arguments)), '\0');
  std::vsnprintf(text.data(), text.size() + 1, format, again);
  va_end(again);
  return text;
}

}  // namespace

std::string formatted(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  std::string text = vformatted(format, arguments);
  va_end(arguments);
  return text;
}

std::string describe(const Site& site) {
  if (!*site.file) return formatted("PTX line %d", site.ptx_line);
  return formatted("%s:%d", site.file, site.line);
}

std::string describe(uint32_t thread_id) {
  if (is_engine(thread_id)) return "the copy engine";
  const uint32_t block = thread_id / threads_per_block, thread = thread_id % threads_per_block;
  const Dim3 g = launch.grid, b = launch.block;
  return formatted("block (%u, %u, %u) thread (%u, %u, %u)", block % g.x, block / g.x % g.y,
                   block / g.x / g.y, thread % b.x, thread / b.x % b.y, thread / b.x / b.y);
}

std::string party(const char* what, const Site& site, uint32_t thread_id) {
  return formatted("%s at %s by %s", what, describe(site).c_str(), describe(thread_id).c_str());
}

std::string describe(Address address) {
  const unsigned window = static_cast<unsigned>(window_of(address));
  if (window == kShared) {
    const uint32_t offset = to_shared(address) & 0xffffff, rank = to_shared(address) >> 24;
    std::string text = formatted("shared + %u bytes", offset);
    // The array that holds it, or the one it ran off.
    const SharedVariable* nearest = nullptr;
    for (const SharedVariable& variable : launch.shared)
      if (variable.offset <= offset) nearest = &variable;
    if (nearest && *nearest->name)
      text += formatted(" (%s + %u)", nearest->name, offset - nearest->offset);
    if (rank) text += formatted(" of block %u of the cluster", rank - 1);
    return text;
  }
  if (window == kLocal) return formatted("local + %llu bytes", static_cast<long long>(address - kLocalBase));
  if (window < kWindows && launch.views[window].host) {
    const View& view = launch.views[window];
    const long long offset = static_cast<long long>(address - view.address);
    return view.name + (offset < 0 ? formatted(" - %lld bytes", -offset)
                                   : formatted(" + %lld bytes", offset));
  }
  return formatted("address 0x%llx, which is in no array", static_cast<unsigned long long>(address));
}

bool seen_before(Fault kind, const Site& site) {
  const auto found = by_site.find(key(kind, site));
  if (found == by_site.end()) return false;
  stored[found->second].record.count++;
  return true;
}

void report_full(Fault kind, const Site& site, std::string message, std::string address,
                 std::string other) {
  if (seen_before(kind, site)) return;
  by_site[key(kind, site)] = stored.size();
  Stored& entry = stored.emplace_back();
  entry.message = std::move(message), entry.address = std::move(address);
  entry.other = std::move(other);
  ReportRecord& record = entry.record;
  record = {};
  record.kind = static_cast<uint32_t>(kind);
  record.count = 1;
  record.message = entry.message.c_str(), record.address = entry.address.c_str();
  record.other = entry.other.c_str();
  record.file = site.file, record.line = site.line, record.ptx_line = site.ptx_line;
  record.text = site.text, record.inlined = site.inlined ? site.inlined : "";
  if (self) record.block = self->ctaid, record.thread = self->tid, record.has_thread = 1;
}

void report(Fault kind, const Site& site, const char* format, ...) {
  if (seen_before(kind, site)) return;
  va_list arguments;
  va_start(arguments, format);
  report_full(kind, site, vformatted(format, arguments), "", "");
  va_end(arguments);
}

void die(Fault kind, const Site& site, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  report_full(kind, site, vformatted(format, arguments), "", "");
  va_end(arguments);
  end_launch();
}

void clear_reports() {
  stored.clear();
  by_site.clear();
}

}  // namespace emu

extern "C" uint32_t emu_report_count() { return static_cast<uint32_t>(emu::stored.size()); }
extern "C" const emu::ReportRecord* emu_report(uint32_t index) { return &emu::stored[index].record; }
