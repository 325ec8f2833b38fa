// ldmatrix, stmatrix, movmatrix: 8 by 8 matrices of 16-bit elements, spread over a warp.
//
// Lane l holds elements (l / 4, 2 (l % 4)) and (l / 4, 2 (l % 4) + 1) of each matrix, the first in
// the low half; transposed, it holds (2 (l % 4), l / 4) and (2 (l % 4) + 1, l / 4).
#include <cstring>

#include "checked.h"
#include "matrix.h"

namespace emu {
namespace {

using Row = std::array<u16, 8>;

template <unsigned count>
struct Payload {
  Row row;  // of matrix lane / 8, row lane % 8
  std::array<u32, count> registers;
};

template <unsigned count, bool transposed, class Each>
void for_each_element(void* const* payloads, Each each) {
  for (unsigned lane = 0; lane < 32; lane++)
    for (unsigned i = 0; i < count; i++)
      for (unsigned half = 0; half < 2; half++) {
        const unsigned r = lane / 4, c = 2 * (lane % 4) + half;
        auto* at = static_cast<Payload<count>*>(payloads[8 * i + (transposed ? c : r)]);
        auto* holder = static_cast<Payload<count>*>(payloads[lane]);
        each(at->row[transposed ? r : c], holder->registers[i], 16 * half);
      }
}

template <unsigned count, bool transposed>
void combine_load(void* const* payloads, u32, const Site&) {
  for_each_element<count, transposed>(payloads, [](u16 element, u32& held, unsigned shift) {
    held = (held & ~(0xffffu << shift)) | static_cast<u32>(element) << shift;
  });
}

template <unsigned count, bool transposed>
void combine_store(void* const* payloads, u32, const Site&) {
  for_each_element<count, transposed>(payloads, [](u16& element, u32 held, unsigned shift) {
    element = static_cast<u16>(held >> shift);
  });
}

}  // namespace

template <unsigned count>
void load_matrix(std::array<u32, count>& registers, bool transposed, Address row,
                 const Site& site) {
  Payload<count> payload{};
  if (self->lane < 8 * count)
    std::memcpy(&payload.row, access_as_launched(row, 16, Kind::load, site), sizeof payload.row);
  collective(~0u, &payload, transposed ? combine_load<count, true> : combine_load<count, false>,
             Meeting::same_site_full_warp, site);
  registers = payload.registers;
}

template <unsigned count>
void store_matrix(const std::array<u32, count>& registers, bool transposed, Address row,
                  const Site& site) {
  Payload<count> payload{{}, registers};
  collective(~0u, &payload, transposed ? combine_store<count, true> : combine_store<count, false>,
             Meeting::same_site_full_warp, site);
  if (self->lane < 8 * count)
    std::memcpy(access_as_launched(row, 16, Kind::store, site), &payload.row, sizeof payload.row);
}

template void load_matrix<1>(std::array<u32, 1>&, bool, Address, const Site&);
template void load_matrix<2>(std::array<u32, 2>&, bool, Address, const Site&);
template void load_matrix<4>(std::array<u32, 4>&, bool, Address, const Site&);
template void store_matrix<1>(const std::array<u32, 1>&, bool, Address, const Site&);
template void store_matrix<2>(const std::array<u32, 2>&, bool, Address, const Site&);
template void store_matrix<4>(const std::array<u32, 4>&, bool, Address, const Site&);

namespace {

void combine_transpose(void* const* payloads, u32 lanes, const Site& site) {
  combine_store<1, false>(payloads, lanes, site);
  combine_load<1, true>(payloads, lanes, site);
}

}  // namespace

u32 transpose_matrix(u32 registers, const Site& site) {
  Payload<1> payload{{}, {registers}};
  collective(~0u, &payload, combine_transpose, Meeting::same_site_full_warp, site);
  return payload.registers[0];
}

}  // namespace emu
