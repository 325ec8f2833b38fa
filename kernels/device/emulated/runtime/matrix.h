// Matrix instructions of a warp (mma.sync, ldmatrix, stmatrix, movmatrix) and of a warpgroup
// (wgmma).
//
// Products are exact, sums are held in double and rounded once.  The card rounds differently in the
// last bits, in ways that are not documented.
#pragma once
#include <array>

#include "instructions_types.h"
#include "runtime.h"

namespace emu {

// What one 32-bit register of A or B holds: one tf32, two 16-bit floats or four 8-bit integers.
enum class Element { tf32, bf16, f16, s8, u8 };
constexpr unsigned elements_per_register(Element e) {
  return e == Element::tf32 ? 1 : e == Element::bf16 || e == Element::f16 ? 2 : 4;
}

// The low 13 bits of a tf32 operand are dropped by the unit; a program that leaves them set meant
// to round and did not.
f64 tf32_operand(u32 bits, const Site& site);

// ---- mma.sync.m16n8kK, row.col: D = A B + C -----------------------------------------------------

// One lane's registers.
template <class Accumulator, size_t accumulators, size_t k, Element a_element, Element b_element>
struct Fragment {
  static constexpr unsigned kRegisters = k / (4 * elements_per_register(a_element));
  std::array<u32, 2 * kRegisters> a;
  std::array<u32, kRegisters> b;
  std::array<Accumulator, accumulators> c, d;
};

template <class Fragment>
void combine_mma(void* const* payloads, u32 lanes, const Site& site);

template <Element element, size_t k>
using FragmentF32 = Fragment<f32, 4, k, element, element>;
template <size_t k>
using FragmentF16 = Fragment<f16x2, 2, k, Element::f16, Element::f16>;
template <Element a, Element b, size_t k>
using FragmentS32 = Fragment<s32, 4, k, a, b>;

template <class Fragment>
inline void mma(Fragment& fragment, const Site& site) {
  collective(~0u, &fragment, combine_mma<Fragment>, Meeting::same_site_full_warp, site);
}

// ---- ldmatrix, stmatrix, movmatrix: 8 by 8 matrices of 16-bit elements --------------------------

// Lane 8 i + r gives the address of row r of matrix i (16 bytes in shared memory); each lane gets,
// or brings, two neighbouring elements of each matrix.
template <unsigned count>
void load_matrix(std::array<u32, count>& registers, bool transposed, Address row, const Site& site);
template <unsigned count>
void store_matrix(const std::array<u32, count>& registers, bool transposed, Address row,
                  const Site& site);
u32 transpose_matrix(u32 registers, const Site& site);

// ---- wgmma.mma_async.m64nNkK: D = A B, or D = A B + D -------------------------------------------

// Computed where it is issued, but its operands in shared memory are read once more by the wait:
// nobody may change them before. Hazards of registers between issue and wait are not shown.
struct Wgmma {
  Element element;
  unsigned n;
  bool accumulate;       // scale-d
  int scale_a, scale_b;  // 1 or -1
  bool transposed_a, transposed_b;
  const u32* a;  // four registers, or nullptr when A lies in shared memory
  u64 a_descriptor, b_descriptor;
  f32* d;         // n / 2 registers; or nullptr and
  f16x2* d_half;  // n / 4 registers
};
void wgmma(Wgmma& operation, const Site& site);
void wgmma_commit();
// Of the warp's committed groups, all but the newest `keep` are complete.
void wgmma_wait(uint32_t keep, const Site& site);

}  // namespace emu
