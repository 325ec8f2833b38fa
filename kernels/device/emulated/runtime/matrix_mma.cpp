// mma.sync: which lane holds which element, and the product.
#include <type_traits>

#include "instructions_convert.h"
#include "matrix.h"

namespace emu {

f64 tf32_operand(u32 bits, const Site& site) {
  const bool is_nan = (bits & 0x7fffffff) > 0x7f800000;  // cvt's own NaN has every bit set
  if (is_nan) return float_bits(bits);
  if (bits & 0x1fff)
    report(Fault::unrounded_operand, site,
           "%.9g (0x%08x) is not rounded to tf32: the matrix unit drops its low 13 bits; use "
           "cvt.rna.tf32.f32",
           float_bits(bits), bits);
  return float_bits(bits & ~0x1fffu);
}

namespace {

// Element e of a register, as the number it stands for.
template <Element element>
f64 number(u32 bits, unsigned e, const Site& site) {
  if constexpr (element == Element::tf32)
    return tf32_operand(bits, site);
  else if constexpr (element == Element::bf16)
    return widened(bf16{static_cast<u16>(bits >> 16 * e)});
  else if constexpr (element == Element::f16)
    return widened(f16{static_cast<u16>(bits >> 16 * e)});
  else if constexpr (element == Element::s8)
    return static_cast<s8>(bits >> 8 * e);
  else
    return static_cast<u8>(bits >> 8 * e);
}

// Integers wrap, as the card's do.
template <class T>
T result(f64 sum) {
  if constexpr (std::is_same_v<T, s32>)
    return static_cast<s32>(static_cast<s64>(sum));
  else
    return static_cast<T>(sum);
}

}  // namespace

// Lane l has group g = l / 4 and t = l % 4.  With E elements in a register, element e of register r
// is
//   A (row, k) = (g + 8 (r % 2), E t + e + 4 E (r / 2))      B (k, column) = (E t + e + 4 E r, g)
// and accumulator i is C, D (row, column) = (g + 8 (i / 2), 2 t + i % 2), packed in pairs for f16.
template <class T, size_t count, size_t k, Element a_element, Element b_element>
void product(Fragment<T, count, k, a_element, b_element>* const* lanes, const Site& site) {
  constexpr unsigned E = elements_per_register(a_element);
  f64 a[16][k], b[k][8], d[16][8];
  for (unsigned lane = 0; lane < 32; lane++) {
    const auto& fragment = *lanes[lane];
    const unsigned g = lane / 4, t = lane % 4;
    for (unsigned r = 0; r < fragment.a.size(); r++)
      for (unsigned e = 0; e < E; e++)
        a[g + 8 * (r % 2)][E * t + e + 4 * E * (r / 2)] = number<a_element>(fragment.a[r], e, site);
    for (unsigned r = 0; r < fragment.b.size(); r++)
      for (unsigned e = 0; e < E; e++)
        b[E * t + e + 4 * E * r][g] = number<b_element>(fragment.b[r], e, site);
    for (unsigned i = 0; i < 4; i++) {
      f64& c = d[g + 8 * (i / 2)][2 * t + i % 2];
      if constexpr (std::is_same_v<T, f16x2>)
        c = widened(i % 2 ? fragment.c[i / 2].high : fragment.c[i / 2].low);
      else
        c = fragment.c[i];
    }
  }
  for (unsigned row = 0; row < 16; row++)
    for (unsigned i = 0; i < k; i++)
      for (unsigned column = 0; column < 8; column++) d[row][column] += a[row][i] * b[i][column];
  for (unsigned lane = 0; lane < 32; lane++) {
    auto& fragment = *lanes[lane];
    const unsigned g = lane / 4, t = lane % 4;
    for (unsigned i = 0; i < 4; i++) {
      const f64 sum = d[g + 8 * (i / 2)][2 * t + i % 2];
      if constexpr (std::is_same_v<T, f16x2>)
        (i % 2 ? fragment.d[i / 2].high : fragment.d[i / 2].low) = narrowed<f16>(sum);
      else
        fragment.d[i] = result<T>(sum);
    }
  }
  count_matrix(site, 16 * 8 * k);
}

template <class Fragment>
void combine_mma(void* const* payloads, u32, const Site& site) {
  product(reinterpret_cast<Fragment* const*>(payloads), site);
}

#define INSTANCE(...) template void combine_mma<__VA_ARGS__>(void* const*, u32, const Site&);
INSTANCE(FragmentF32<Element::tf32, 4>)
INSTANCE(FragmentF32<Element::tf32, 8>)
INSTANCE(FragmentF32<Element::bf16, 8>)
INSTANCE(FragmentF32<Element::bf16, 16>)
INSTANCE(FragmentF32<Element::f16, 8>)
INSTANCE(FragmentF32<Element::f16, 16>)
INSTANCE(FragmentF16<8>)
INSTANCE(FragmentF16<16>)
#define INTEGERS(K)                                  \
  INSTANCE(FragmentS32<Element::s8, Element::s8, K>) \
  INSTANCE(FragmentS32<Element::s8, Element::u8, K>) \
  INSTANCE(FragmentS32<Element::u8, Element::s8, K>) \
  INSTANCE(FragmentS32<Element::u8, Element::u8, K>)
INTEGERS(16)
INTEGERS(32)

}  // namespace emu
