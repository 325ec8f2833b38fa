// Integer, bit and logic instructions whose rules differ from C++'s operators.
#pragma once
#include <algorithm>

#include "instructions_types.h"

namespace emu {

template <class T>
using unsigned_type = std::make_unsigned_t<T>;

// Products, without C++'s promotion of short types and without overflow of signed ones.
template <class T>
inline T mul_lo(T a, T b) {
  return static_cast<T>(static_cast<u64>(a) * static_cast<u64>(b));
}
template <class T>
inline T mul_hi(T a, T b) {
  using Wide = std::conditional_t<std::is_signed_v<T>, __int128, unsigned __int128>;
  return static_cast<T>((static_cast<Wide>(a) * static_cast<Wide>(b)) >> kBits<T>);
}
template <class Wide, class T>
inline Wide mul_wide(T a, T b) {
  static_assert(sizeof(Wide) == 2 * sizeof(T));
  return mul_lo<Wide>(static_cast<Wide>(a), static_cast<Wide>(b));
}
// mul24, mad24: the 48-bit product of the low 24 bits; lo is its bits 0..31, hi its bits 16..47.
template <class T>
inline u64 product24(T a, T b) {
  if constexpr (std::is_signed_v<T>) {
    const auto low = [](T x) {
      return static_cast<s64>(static_cast<s32>(static_cast<u32>(x) << 8) >> 8);
    };
    return static_cast<u64>(low(a) * low(b));
  } else {
    return static_cast<u64>(a & 0xffffff) * (b & 0xffffff);
  }
}

// Wrapping addition, and addition that stops at the ends of the range (add.sat.s32).
template <class T>
inline T add(T a, T b) {
  return static_cast<T>(static_cast<u64>(a) + static_cast<u64>(b));
}
template <class T>
inline T sub(T a, T b) {
  return static_cast<T>(static_cast<u64>(a) - static_cast<u64>(b));
}
inline s32 saturated(s64 x) { return static_cast<s32>(std::clamp<s64>(x, INT32_MIN, INT32_MAX)); }
template <class T>
inline T negated(T a) {
  return sub<T>(0, a);
}
template <class T>
inline T absolute(T a) {
  return a < 0 ? negated(a) : a;
}
// sad: c + |a - b|
template <class T>
inline T sad(T a, T b, T c) {
  return add<T>(c, a < b ? sub(b, a) : sub(a, b));
}

// What the card leaves where C++ is undefined: a quotient by zero is all ones, its remainder the
// dividend; the quotient of the most negative number by -1 wraps.
template <class T>
inline T quotient(T a, T b) {
  if (b == 0) return static_cast<T>(-1);
  if (std::is_signed_v<T> && b == static_cast<T>(-1)) return negated(a);
  return static_cast<T>(a / b);
}
template <class T>
inline T remainder(T a, T b) {
  if (b == 0) return a;
  if (std::is_signed_v<T> && b == static_cast<T>(-1)) return 0;
  return static_cast<T>(a % b);
}

// Shift amounts are 32-bit and clamped to the width: nothing, or the sign, is left.
template <class T>
inline T shift_left(T a, u32 n) {
  return n >= kBits<T> ? T{0} : static_cast<T>(static_cast<u64>(a) << n);
}
template <class T>
inline T shift_right(T a, u32 n) {
  if (n >= kBits<T>) return std::is_signed_v<T> && a < 0 ? static_cast<T>(-1) : T{0};
  return static_cast<T>(a >> n);
}
// shf: a 64-bit value b:a shifted; the amount is clamped to 32, or taken modulo 32 (wrap).
inline u32 funnel_left(u32 a, u32 b, u32 n, bool wrap) {
  const u64 whole = static_cast<u64>(b) << 32 | a;
  return static_cast<u32>((whole << (wrap ? n & 31 : std::min(n, 32u))) >> 32);
}
inline u32 funnel_right(u32 a, u32 b, u32 n, bool wrap) {
  const u64 whole = static_cast<u64>(b) << 32 | a;
  return static_cast<u32>(whole >> (wrap ? n & 31 : std::min(n, 32u)));
}

// Bit fields: position and length are the low 8 bits of their operands.
template <class T>
inline T field_extract(T a, u32 position, u32 length) {
  using U = unsigned_type<T>;
  position &= 255;
  length &= 255;
  if (length == 0) return 0;
  const U field =
      static_cast<U>(shift_right(a, position));  // beyond the top lie copies of the sign
  if (length >= kBits<T>) return static_cast<T>(field);
  const U mask = static_cast<U>((U{1} << length) - 1);
  const bool negative = std::is_signed_v<T> && (field >> (length - 1) & 1);
  return static_cast<T>(negative ? field | static_cast<U>(~mask) : field & mask);
}
template <class T>
inline T field_insert(T a, T b, u32 position, u32 length) {
  position &= 255;
  length &= 255;
  if (position >= kBits<T> || length == 0) return b;
  const T ones = length >= kBits<T> ? static_cast<T>(~T{0}) : static_cast<T>((T{1} << length) - 1);
  const T mask = static_cast<T>(ones << position);
  return static_cast<T>((b & ~mask) | ((a << position) & mask));
}
// szext: sign- or zero-extend the low n bits; clamp keeps n >= 32, wrap takes it modulo 32.
template <class T>
inline T extended(T a, u32 n, bool wrap) {
  const u32 width = wrap ? n & 31 : n;
  return width >= 32 ? a : field_extract<T>(a, 0, width);
}
// bmsk: `length` ones from bit `position` up.
inline u32 bit_mask(u32 position, u32 length, bool wrap) {
  if (wrap) position &= 31, length &= 31;
  if (position >= 32 || length == 0) return 0;
  return (length >= 32 ? ~0u : (1u << length) - 1) << position;
}

template <class T>
inline u32 count_leading_zeros(T a) {
  return static_cast<u32>(std::countl_zero(a));
}
template <class T>
inline T reversed(T a) {
  T result = 0;
  for (unsigned i = 0; i < kBits<T>; i++)
    result |= static_cast<T>((a >> i & 1) << (kBits<T> - 1 - i));
  return result;
}
// bfind: the position of the highest bit that differs from the sign, ~0 if none; shiftamt: how far
// that bit is from the top.
template <class T>
inline u32 find_bit(T a, bool shift_amount) {
  using U = unsigned_type<T>;
  const U bits = static_cast<U>(std::is_signed_v<T> && a < 0 ? ~a : a);
  if (bits == 0) return ~0u;
  const u32 position = kBits<T> - 1 - static_cast<u32>(std::countl_zero(bits));
  return shift_amount ? kBits<T> - 1 - position : position;
}
// fns: the |offset|-th set bit from `base` upwards (offset > 0) or downwards; ~0 if there is none.
inline u32 find_nth_set(u32 mask, u32 base, s32 offset) {
  s32 position = static_cast<s32>(base & 31), wanted = offset;
  if (offset == 0) return mask >> position & 1 ? static_cast<u32>(position) : ~0u;
  const s32 direction = offset > 0 ? 1 : -1;
  for (; position >= 0 && position < 32; position += direction)
    if ((mask >> position & 1) && (wanted -= direction) == 0) return static_cast<u32>(position);
  return ~0u;
}

// prmt: each nibble of the selector picks one of the eight bytes b:a; its top bit spreads the sign.
inline u32 permute(u32 a, u32 b, u32 selector) {
  const u64 bytes = static_cast<u64>(b) << 32 | a;
  u32 result = 0;
  for (unsigned i = 0; i < 4; i++) {
    const u32 choice = selector >> (4 * i);
    const u8 byte = static_cast<u8>(bytes >> (8 * (choice & 7)));
    const u32 chosen = choice & 8 ? (byte & 0x80 ? 0xffu : 0u) : byte;
    result |= chosen << (8 * i);
  }
  return result;
}
// prmt with a named mode: only the low two bits of the selector count.
enum class PermuteMode { f4e, b4e, rc8, ecl, ecr, rc16 };
inline u32 permute(u32 a, u32 b, u32 selector, PermuteMode mode) {
  static constexpr u32 table[6][4] = {
      {0x3210, 0x4321, 0x5432, 0x6543}, {0x5670, 0x6701, 0x7012, 0x0123},
      {0x0000, 0x1111, 0x2222, 0x3333}, {0x3210, 0x3211, 0x3222, 0x3333},
      {0x0000, 0x1110, 0x2210, 0x3210}, {0x1010, 0x3232, 0x1010, 0x3232}};
  return permute(a, b, table[static_cast<int>(mode)][selector & 3]);
}
// lop3: bit (a b c) of the table for each position.
inline u32 logic3(u32 a, u32 b, u32 c, u32 table) {
  u32 result = 0;
  for (u32 i = 0; i < 8; i++)
    if (table >> i & 1) result |= (i & 4 ? a : ~a) & (i & 2 ? b : ~b) & (i & 1 ? c : ~c);
  return result;
}

// dp4a, dp2a: a dot product of bytes, or of halves of a with bytes of b, added to c.
template <class A, class B>
inline u32 dot4(u32 a, u32 b, u32 c) {
  for (unsigned i = 0; i < 32; i += 8)
    c += static_cast<u32>(static_cast<s32>(static_cast<A>(a >> i)) * static_cast<B>(b >> i));
  return c;
}
template <class A, class B>
inline u32 dot2(u32 a, u32 b, u32 c, bool high) {
  if (high) b >>= 16;
  c += static_cast<u32>(static_cast<s32>(static_cast<A>(a)) * static_cast<B>(b));
  c += static_cast<u32>(static_cast<s32>(static_cast<A>(a >> 16)) * static_cast<B>(b >> 8));
  return c;
}

// Extended precision: the carry flag CC.CF is a bool of the emitted function.
template <class U>
inline U add_carry(U a, U b, bool carry_in, bool& carry_out) {
  const unsigned __int128 sum = static_cast<unsigned __int128>(a) + b + carry_in;
  carry_out = sum >> kBits<U> & 1;
  return static_cast<U>(sum);
}
template <class U>
inline U sub_borrow(U a, U b, bool borrow_in, bool& borrow_out) {
  const unsigned __int128 difference = static_cast<unsigned __int128>(a) - b - borrow_in;
  borrow_out = difference >> kBits<U> & 1;
  return static_cast<U>(difference);
}

}  // namespace emu
