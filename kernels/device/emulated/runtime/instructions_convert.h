// Conversions between numbers: cvt of every pair of integers and floats, tf32, and 8-bit floats.
#pragma once
#include "instructions_float.h"
#include "instructions_integer.h"

namespace emu {

// ---- between integers ---------------------------------------------------------------------------

// cvt.sat: to the ends of the destination's range.
template <class D, class S>
inline D clamped(S x) {
  using Wide = __int128;
  const Wide low = std::numeric_limits<D>::min(), high = std::numeric_limits<D>::max();
  return static_cast<D>(std::clamp<Wide>(static_cast<Wide>(x), low, high));
}

// ---- to integers --------------------------------------------------------------------------------

// x has been rounded to a whole number already.  Out of range stops at the ends; NaN gives 0, but
// the lone top bit where either side has 64 bits.
template <class D, class S>
inline D to_integer(S x) {
  if (std::isnan(x)) {
    const bool wide = sizeof(S) == 8 || sizeof(D) == 8;
    return wide ? static_cast<D>(u64{1} << (kBits<D> - 1)) : D{0};
  }
  // The bounds as powers of two, which every float type holds exactly.
  constexpr int digits = std::numeric_limits<D>::digits;
  if (x >= std::ldexp(S{1}, digits)) return std::numeric_limits<D>::max();
  const S low = std::is_signed_v<D> ? -std::ldexp(S{1}, digits) : S{0};
  return x <= low ? std::numeric_limits<D>::min() : static_cast<D>(x);
}

// ---- to narrower floats -------------------------------------------------------------------------

template <int exponent, int mantissa>
struct Format {
  static constexpr int kExponent = exponent, kMantissa = mantissa;
  static constexpr int kBias = (1 << (exponent - 1)) - 1;
  static constexpr u32 kInfinity = ((1u << exponent) - 1) << mantissa;
  static constexpr u32 kSign = 1u << (exponent + mantissa);
};
using Format32 = Format<8, 23>;
using FormatTF32 = Format<8, 10>;
using Format16 = Format<5, 10>;
using FormatB16 = Format<8, 7>;
using FormatE5M2 = Format<5, 2>;

enum class Ties { even, away };

// The magnitude bits of |x| rounded to the format, the infinity's bits where it overflows.
template <class F>
inline u32 rounded_magnitude(f64 x, Round mode, Ties ties) {
  const u64 bits = std::bit_cast<u64>(x);
  const bool negative = bits >> 63;
  const int field = static_cast<int>(bits >> 52 & 0x7ff);
  const u64 significand = (bits & ((u64{1} << 52) - 1)) | (field ? u64{1} << 52 : 0);
  const int exponent = (field ? field : 1) - 1023;
  const int least = 1 - F::kBias;
  const int above = exponent < least ? 0 : exponent - least;  // how far above the subnormals
  const int shift = std::min(52 - F::kMantissa + (exponent < least ? least - exponent : 0), 63);
  if (above >= (1 << F::kExponent)) return F::kInfinity;
  u64 kept = significand >> shift;
  const u64 rest = significand & ((u64{1} << shift) - 1), half = u64{1} << (shift - 1);
  bool up = false;
  if (mode == Round::nearest)
    up = rest > half || (rest == half && (ties == Ties::away || (kept & 1)));
  if (mode == Round::up) up = rest && !negative;
  if (mode == Round::down) up = rest && negative;
  kept += up;  // a carry out of the mantissa lands in the exponent, as it should
  const u64 magnitude = (static_cast<u64>(above) << F::kMantissa) + kept;
  return static_cast<u32>(std::min<u64>(magnitude, F::kInfinity));
}

// The bits of x in the format; `finite`: .satfinite, the largest finite number in place of
// infinity.
template <class F>
inline u32 narrowed_bits(f64 x, Round mode, Ties ties, bool finite) {
  constexpr u32 nan = F::kSign - 1;
  if (std::isnan(x)) return nan;
  const bool negative = std::signbit(x);
  u32 magnitude = rounded_magnitude<F>(x, mode, ties);
  const bool towards_zero =
      mode == Round::zero || (mode == Round::up && negative) || (mode == Round::down && !negative);
  if (magnitude == F::kInfinity && (finite || (towards_zero && std::isfinite(x)))) magnitude--;
  return magnitude | (negative ? F::kSign : 0);
}

template <class T>
struct FormatOf;
template <>
struct FormatOf<f16> {
  using type = Format16;
};
template <>
struct FormatOf<bf16> {
  using type = FormatB16;
};

// .relu: negative numbers and -0 become +0; NaN stays.
template <class T>
inline T relu(T x) {
  return x <= 0 ? T{0} : x;
}

// To f16, bf16 or f32.
template <class D>
inline D narrowed(f64 x, Round mode = Round::nearest, bool finite = false) {
  if constexpr (std::is_same_v<D, f32>)
    return float_bits(narrowed_bits<Format32>(x, mode, Ties::even, finite));
  else
    return D{
        static_cast<u16>(narrowed_bits<typename FormatOf<D>::type>(x, mode, Ties::even, finite))};
}

// tf32 occupies a 32-bit register whose low 13 bits are zero.
inline u32 to_tf32(f32 x, Round mode, Ties ties, bool finite) {
  if (std::isnan(x)) return 0x7fffffff;
  return narrowed_bits<FormatTF32>(x, mode, ties, finite) << 13;
}

// ---- to wider floats, all exact -----------------------------------------------------------------

inline f32 widened(bf16 x) { return float_bits(static_cast<u32>(x.bits) << 16); }
inline f32 widened(f16 x) {
  const u32 sign = static_cast<u32>(x.bits & 0x8000) << 16, exponent = x.bits >> 10 & 31;
  const u32 mantissa = x.bits & 0x3ff;
  if (exponent == 0)
    return float_bits(sign | std::bit_cast<u32>(static_cast<f32>(mantissa) * 0x1p-24f));
  if (exponent == 31) return float_bits(sign | 0x7f800000 | mantissa << 13);
  return float_bits(sign | (exponent + 112) << 23 | mantissa << 13);
}

// ---- from integers ------------------------------------------------------------------------------

// An integer as a double; one too long for 53 bits is rounded to odd, so that a second rounding to
// a format of at most 51 bits gives what a single one would.
template <class S>
inline f64 as_odd_double(S x) {
  const bool negative = std::is_signed_v<S> && x < 0;
  u64 magnitude = negative ? u64{0} - static_cast<u64>(x) : static_cast<u64>(x);
  const int excess = 11 - std::countl_zero(magnitude | 1);
  if (excess > 0) {
    const bool lost = magnitude & ((u64{1} << excess) - 1);
    magnitude = (magnitude >> excess | lost) << excess;
  }
  const f64 result = static_cast<f64>(magnitude);
  return negative ? -result : result;
}

template <class D, Round mode, class S>
inline D from_integer(S x) {
  if constexpr (std::is_same_v<D, f64>)
    return mode == Round::nearest
               ? static_cast<f64>(x)
               : rounded<mode>([](S value) { return static_cast<f64>(value); }, x);
  else if constexpr (std::is_same_v<D, f32> && mode == Round::nearest)
    return static_cast<f32>(x);
  else
    return narrowed<D>(as_odd_double(x), mode);
}

// ---- 8-bit floats -------------------------------------------------------------------------------

// e4m3 has no infinity: its largest number is 448 and only all ones is NaN.  Conversions to 8 bits
// round to nearest and stop at the largest finite number.
inline u8 to_e4m3(f32 x) {
  if (std::isnan(x)) return 0x7f;
  const u32 magnitude =
      std::min(rounded_magnitude<Format<4, 3>>(x, Round::nearest, Ties::even), 0x78u);
  // Format<4, 3> ends at 240; the 15 numbers above share the exponent it gives to infinity.
  const f32 size = std::fabs(x);
  u32 bits = magnitude;
  if (magnitude == 0x78u)
    bits = size >= 448.0f ? 0x7e : 0x78 + static_cast<u32>(std::nearbyint((size - 256.0f) / 32.0f));
  return static_cast<u8>(bits | (std::signbit(x) ? 0x80 : 0));
}
inline u8 to_e5m2(f32 x) {
  return static_cast<u8>(narrowed_bits<FormatE5M2>(x, Round::nearest, Ties::even, true));
}
inline f16 from_e5m2(u8 bits) {
  return f16{static_cast<u16>((bits & 0x7f) > 0x7c ? 0x7fff : bits << 8)};
}
inline f16 from_e4m3(u8 bits) {
  const u32 exponent = bits >> 3 & 15, mantissa = bits & 7;
  if ((bits & 0x7f) == 0x7f) return f16{0x7fff};
  const f64 size = exponent ? std::ldexp(8.0 + mantissa, static_cast<int>(exponent) - 10)
                            : std::ldexp(static_cast<f64>(mantissa), -9);
  return narrowed<f16>(bits & 0x80 ? -size : size);
}

}  // namespace emu
