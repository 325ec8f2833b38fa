#include "shadow.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>

namespace emu {
namespace {

// Cells of global memory: one large reservation, of which the system gives pages when they are
// touched, handed out from its start again in every launch.
size_t reservation = size_t{1} << 36;  // bytes; less where the address space is limited
constexpr size_t kLeastReserved = size_t{1} << 28;
constexpr size_t kKept = size_t{1} << 30;  // a launch that used more gives its pages back
Cell* reserved = nullptr;
size_t used = 0;

std::deque<Extra> extras;
std::vector<uint32_t> free_extras;  // indices
size_t extras_used = 0;

[[noreturn]] void no_memory() {
  std::fprintf(stderr, "emulated device: no memory to check these arrays for races\n");
  std::abort();
}

Cell* take_cells(size_t count) {
  if (!reserved) {
    void* memory;
    while ((memory = mmap(nullptr, reservation, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)) == MAP_FAILED)
      if ((reservation /= 2) < kLeastReserved) no_memory();
    reserved = static_cast<Cell*>(memory);
  }
  if ((used + count) * sizeof(Cell) > reservation) no_memory();
  Cell* cells = reserved + used;
  used += count;
  return cells;
}

template <class T>
T* zeroed(size_t count) {
  void* memory = std::calloc(count, sizeof(T));
  if (!memory) no_memory();
  return static_cast<T*>(memory);
}

}  // namespace

void begin_races() {
  if (used * sizeof(Cell) > kKept) madvise(reserved, used * sizeof(Cell), MADV_DONTNEED);
  used = 0;
  for (size_t i = 0; i < extras_used; i++) extras[i].owner = nullptr;
  if (extras.size() > 1 << 16) extras.clear();
  extras_used = 0;
  free_extras.clear();
}

Shadow shadow_of_global(char* begin, uint64_t bytes, unsigned shift) {
  Shadow shadow;
  shadow.begin = begin;
  shadow.bytes = bytes;
  shadow.shift = shift;
  shadow.base = now;
  shadow.cells = take_cells((bytes >> shift) + 1);
  return shadow;
}

void renew_shared_shadow(Shadow& shadow, char* begin, uint64_t bytes, uint32_t warps) {
  shadow.shift = Shadow{}.shift;  // or what is counted would depend on the launches before
  const size_t count = (bytes >> shadow.shift) + 1;
  if (shadow.capacity < count || shadow.warps != warps) {
    std::free(shadow.cells);
    std::free(shadow.readings);
    shadow.cells = zeroed<Cell>(count);
    shadow.readings = zeroed<Reading>(count * warps);
    shadow.capacity = count;
    shadow.warps = warps;
  }
  shadow.begin = begin;
  shadow.bytes = bytes;
  shadow.base = now;
}

namespace {

// Gives each part of a cell what was known of the whole.
void split(const Shadow& shadow, Cell& old, Cell* parts, size_t count) {
  const Extra* extra = find_extra(shadow, old);
  for (size_t i = 0; i < count; i++) {
    parts[i] = old;
    parts[i].extra = 0;
    if (!extra) continue;
    Extra& copy = need_extra(shadow, parts[i]);
    const Time born = copy.born;
    copy = *extra;
    copy.owner = &parts[i], copy.born = born;
  }
  if (extra) free_extra(old);
}

}  // namespace

Cell* refined_cells(Shadow& shadow, char* host, uint32_t bytes) {
  const uint64_t offset = static_cast<uint64_t>(host - shadow.begin);
  const unsigned finer = static_cast<unsigned>(__builtin_ctzll(offset | bytes));
  const size_t count = (shadow.bytes >> shadow.shift) + 1, parts = size_t{1} << (shadow.shift - finer);
  const bool own = shadow.capacity != 0;
  Cell* old = shadow.cells;
  Cell* cells = own ? zeroed<Cell>(count * parts) : take_cells(count * parts);
  for (size_t i = 0; i < count; i++) {
    const bool untouched =
        old[i].write_time < shadow.base && old[i].read_time < shadow.base && !old[i].extra;
    if (!untouched) split(shadow, old[i], cells + i * parts, parts);
    else if (!own) std::memset(static_cast<void*>(cells + i * parts), 0, parts * sizeof(Cell));
  }
  if (own) {
    const uint32_t warps = shadow.warps;
    auto* readings = zeroed<Reading>(count * parts * warps);
    for (size_t i = 0; i < count * parts; i++)
      std::copy_n(shadow.readings + i / parts * warps, warps, readings + i * warps);
    std::free(old);
    std::free(shadow.readings);
    shadow.readings = readings;
    shadow.capacity = count * parts;
  }
  shadow.cells = cells;
  shadow.shift = finer;
  return cells + (offset >> finer);
}

// A cell's extra is its own only if the extra says so, too, and is no older than what the shadow
// describes now: cells are never cleared, and extras are used again.
Extra* find_extra_at(const Shadow& shadow, const Cell& cell) {
  if (cell.extra > extras_used) return nullptr;
  Extra& extra = extras[cell.extra - 1];
  return extra.owner == &cell && extra.born >= shadow.base ? &extra : nullptr;
}

Extra& need_extra(const Shadow& shadow, Cell& cell) {
  if (Extra* extra = find_extra(shadow, cell)) return *extra;
  const bool reuse = cell.extra && cell.extra <= extras_used && extras[cell.extra - 1].owner == &cell;
  if (!reuse) {
    if (!free_extras.empty()) {
      cell.extra = free_extras.back() + 1;
      free_extras.pop_back();
    } else {
      if (extras_used == extras.size()) extras.emplace_back();
      cell.extra = static_cast<uint32_t>(++extras_used);
    }
  }
  Extra& extra = extras[cell.extra - 1];
  extra.owner = &cell;
  extra.born = now;
  extra.narrow = false;
  extra.chain = 0;
  extra.prune_at = 8, extra.prune_strong_at = 64;
  extra.readers.clear(), extra.strong.clear(), extra.location = Location();
  return extra;
}

void free_extra(Cell& cell) {
  extras[cell.extra - 1].owner = nullptr;
  free_extras.push_back(cell.extra - 1);
  cell.extra = 0;
}

}  // namespace emu
