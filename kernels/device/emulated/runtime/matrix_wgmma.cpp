// wgmma.mma_async: a warpgroup multiplies 64 rows of A by all of B, operands in shared memory
// behind descriptors (A may lie in registers).  Each of the four warps computes the 16 rows it
// owns.
#include <cstring>

#include "checked.h"
#include "memory.h"
#include "order.h"
#include "race.h"
#include "instructions_convert.h"
#include "matrix.h"

namespace emu {
namespace {

// A matrix in shared memory.  Rows (the index along M or N) and the index along K are laid out in
// core matrices of 8 by 16 bytes; the swizzle exchanges 16-byte units within 128-byte lines.
// Source: PTX ISA, "Matrix descriptor format" and "Strides"; the canonical layouts of CUTLASS,
// cute/arch/mma_sm90_desc.hpp.
struct Descriptor {
  u32 start, leading, stride, swizzle;  // bytes; 0 none, 1: 128 bytes, 2: 64, 3: 32

  Descriptor(u64 bits, const Site& site)
      : start((bits & 0x3fff) << 4),
        leading((bits >> 16 & 0x3fff) << 4),
        stride((bits >> 32 & 0x3fff) << 4),
        swizzle(bits >> 62) {
    if (bits >> 49 & 7)
      die(Fault::fault, site, "a matrix descriptor with a base offset is not emulated");
  }

  u32 span() const { return swizzle == 0 ? 16 : 256u >> swizzle; }  // bytes of a line

  // The shared offset of an element of `bytes` bytes; along_k: neighbours along K are adjacent.
  u32 offset(u32 row, u32 k, u32 bytes, bool along_k) const {
    u32 place = start;
    if (along_k) {
      place += row / 8 * stride + row % 8 * span();
      place += swizzle ? k * bytes : k * bytes / 16 * leading + k * bytes % 16;
    } else {
      const u32 per_line = span() / bytes;
      const u32 between_lines = swizzle ? leading : stride,
                between_eights = swizzle ? stride : leading;
      place += row / per_line * between_lines + row % per_line * bytes;
      place += k / 8 * between_eights + k % 8 * span();
    }
    const u32 mask = swizzle == 0 ? 0 : (8u >> swizzle) * 2 - 1;
    return place ^ ((place >> 7 & mask) << 4);
  }
};

struct Layout {
  Element element;
  u32 bytes() const { return element == Element::tf32 ? 4 : 2; }
  u32 k() const { return 32 / bytes(); }
};

Fiber& first_lane() {
  Fiber& me = running();
  return me.block->fibers[32 * me.warp];
}

// Until the wait these bytes may be read.
void may_be_read_late(u32 offset, u32 bytes, const Site& site) {
  if (!launch.check) return;
  std::vector<MatrixRead>& reads = first_lane().matrix_reads;
  if (!reads.empty() && reads.back().offset + reads.back().bytes == offset && reads.back().site == &site)
    reads.back().bytes += bytes;
  else
    reads.push_back({offset, bytes, &site});
}

f32 number(Element element, const char* place, const Site& site) {
  if (element == Element::tf32) {
    u32 bits;
    std::memcpy(&bits, place, sizeof bits);
    return static_cast<f32>(tf32_operand(bits, site));
  }
  u16 bits;
  std::memcpy(&bits, place, sizeof bits);
  return element == Element::bf16 ? widened(bf16{bits}) : widened(f16{bits});
}

// Reads `rows` by K elements into matrix[row * K + k], 16 bytes at a time: that much is adjacent in
// every layout.
void read_shared(f32* matrix, const Descriptor& descriptor, u32 first_row, u32 rows,
                 Element element, bool along_k, int scale, const Site& site) {
  const Layout layout{element};
  const u32 K = layout.k(), bytes = layout.bytes(), unit = 16 / bytes;
  for (u32 row = 0; row < rows; row += along_k ? 1 : unit)
    for (u32 k = 0; k < K; k += along_k ? unit : 1) {
      const u32 offset = descriptor.offset(first_row + row, k, bytes, along_k);
      char place[16];
      std::memcpy(place, access_as_launched(from_shared(offset), sizeof place, Kind::load, site),
                  sizeof place);
      may_be_read_late(offset, sizeof place, site);
      for (u32 i = 0; i < unit; i++) {
        const u32 at = along_k ? row * K + k + i : (row + i) * K + k;
        matrix[at] = static_cast<f32>(scale) * number(element, place + i * bytes, site);
      }
    }
}

// A in registers lies as for mma.sync.
void read_registers(f32* matrix, const Wgmma* const* lanes, const Site& site) {
  const Layout layout{lanes[0]->element};
  const u32 E = 4 / layout.bytes();
  for (u32 lane = 0; lane < 32; lane++)
    for (u32 r = 0; r < 4; r++)
      for (u32 e = 0; e < E; e++) {
        const u32 bits = lanes[lane]->a[r] >> (16 * e);
        char place[4];
        std::memcpy(place, &bits, sizeof place);
        const u32 row = lane / 4 + 8 * (r % 2), k = E * (lane % 4) + e + 4 * E * (r / 2);
        matrix[row * layout.k() + k] =
            static_cast<f32>(lanes[0]->scale_a) * number(lanes[0]->element, place, site);
      }
}

void combine_wgmma(void* const* payloads, u32, const Site& site) {
  auto* const* lanes = reinterpret_cast<Wgmma* const*>(payloads);
  const Wgmma& w = *lanes[0];
  const u32 K = Layout{w.element}.k();
  // On the fiber's stack: reading may let other warps run. Every operand is exact in f32.
  f32 a[16 * 16], b[256 * 16];
  if (w.a)
    read_registers(a, lanes, site);
  else
    read_shared(a, Descriptor(w.a_descriptor, site), 16 * (self->warp % 4), 16, w.element,
                !w.transposed_a, w.scale_a, site);
  read_shared(b, Descriptor(w.b_descriptor, site), 0, w.n, w.element, !w.transposed_b, w.scale_b,
              site);
  for (u32 lane = 0; lane < 32; lane++)
    for (u32 i = 0; i < w.n / 2; i++) {
      const u32 row = lane / 4 + 8 * (i / 2 % 2), column = 8 * (i / 4) + 2 * (lane % 4) + i % 2;
      f32* d = w.d ? &lanes[lane]->d[i] : nullptr;
      f16* half = w.d     ? nullptr
                  : i % 2 ? &lanes[lane]->d_half[i / 2].high
                          : &lanes[lane]->d_half[i / 2].low;
      f64 sum = !w.accumulate ? 0.0 : d ? f64{*d} : f64{widened(*half)};
      for (u32 k = 0; k < K; k++) sum += f64{a[row * K + k]} * b[column * K + k];
      if (d)
        *d = static_cast<f32>(sum);
      else
        *half = narrowed<f16>(sum);
    }
  count_matrix(site, u64{16} * w.n * K);
}

struct Wait {
  Fiber* lane;
  uint32_t keep;
};

void combine_wait(void* const* payloads, u32, const Site&) {
  Fiber* lanes[32];
  for (u32 lane = 0; lane < 32; lane++) lanes[lane] = static_cast<const Wait*>(payloads[lane])->lane;
  std::vector<MatrixRead>& reads = lanes[0]->matrix_reads;
  std::vector<size_t>& groups = lanes[0]->matrix_groups;
  const size_t kept = static_cast<const Wait*>(payloads[0])->keep;
  if (groups.size() <= kept) return;
  size_t done = 0;
  for (size_t g = 0; g < groups.size() - kept; g++) done += groups[g];
  for (size_t i = 0; i < done; i++) {
    const Address address = from_shared(reads[i].offset);
    const Place place = locate(address, reads[i].bytes, 16, Kind::load, *reads[i].site);
    check_access(*place.shadow, {address, place.host, reads[i].bytes, Kind::load, kWeak, reads[i].site}, true);
  }
  reads.erase(reads.begin(), reads.begin() + static_cast<ptrdiff_t>(done));
  groups.erase(groups.begin(), groups.end() - static_cast<ptrdiff_t>(kept));
  // Every lane knows that the warp's reads are over.
  synchronise(lanes, 32, Extent::whole_warp);
}

}  // namespace

void wgmma_commit() {
  Fiber& me = running();
  if (!launch.check || me.lane != 0) return;
  size_t committed = 0;
  for (size_t group : me.matrix_groups) committed += group;
  me.matrix_groups.push_back(me.matrix_reads.size() - committed);
}

void wgmma_wait(uint32_t keep, const Site& site) {
  if (!launch.check) return;
  Wait wait{&running(), keep};
  collective(~0u, &wait, combine_wait, Meeting::same_site_full_warp, site);
}

void wgmma(Wgmma& operation, const Site& site) {
  collective(~0u, &operation, combine_wgmma, Meeting::same_site_full_warp, site);
}

}  // namespace emu
