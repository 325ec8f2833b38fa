// Rules of floating-point arithmetic that C++'s operators do not have: flushing, saturation,
// rounding modes, minimum and maximum, comparisons with NaN.
#pragma once
#include <cfenv>
#include <cmath>

#include "instructions_types.h"

namespace emu {

// .ftz: subnormal inputs and results become zero of the same sign.
inline f32 ftz(f32 x) {
  return std::fabs(x) < std::numeric_limits<f32>::min() ? std::copysign(0.0f, x) : x;
}

// .sat: to [0, 1]; NaN and -0 become +0.
template <class T>
inline T saturate(T x) {
  return x > T{0} ? (x < T{1} ? x : T{1}) : T{0};
}

// Directed rounding.  The operands pass through `opaque`, so that the compiler neither folds the
// operation nor moves it out of the region in which the mode is set.
enum class Round { nearest, zero, down, up };
template <class T>
inline T opaque(T x) {
  asm volatile("" : "+m"(x));
  return x;
}
template <Round mode, class Operation, class... T>
[[gnu::noinline]] auto rounded(Operation operation, T... operands) {
  constexpr int modes[] = {FE_TONEAREST, FE_TOWARDZERO, FE_DOWNWARD, FE_UPWARD};
  std::fesetround(modes[static_cast<int>(mode)]);
  const auto result = opaque(operation(opaque(operands)...));
  std::fesetround(FE_TONEAREST);
  return result;
}
inline constexpr auto kAdd = [](auto a, auto b) { return a + b; };
inline constexpr auto kSub = [](auto a, auto b) { return a - b; };
inline constexpr auto kMul = [](auto a, auto b) { return a * b; };
inline constexpr auto kDiv = [](auto a, auto b) { return a / b; };
inline constexpr auto kFma = [](auto a, auto b, auto c) { return std::fma(a, b, c); };
inline constexpr auto kSqrt = [](auto a) { return std::sqrt(a); };

inline f32 canonical_nan(f32) { return float_bits(0x7fffffff); }
inline f64 canonical_nan(f64) { return double_bits(0x7fffffffffffffff); }

// min, max: a number wins over NaN, -0 is less than +0.  With .NaN, NaN wins.
template <class T>
inline T minimum(T a, T b) {
  if (std::isnan(a)) return std::isnan(b) ? canonical_nan(a) : b;
  if (std::isnan(b)) return a;
  if (a == b) return std::signbit(a) ? a : b;
  return a < b ? a : b;
}
template <class T>
inline T maximum(T a, T b) {
  if (std::isnan(a)) return std::isnan(b) ? canonical_nan(a) : b;
  if (std::isnan(b)) return a;
  if (a == b) return std::signbit(a) ? b : a;
  return a > b ? a : b;
}
template <class T>
inline T minimum_nan(T a, T b) {
  return std::isnan(a) || std::isnan(b) ? canonical_nan(a) : minimum(a, b);
}
template <class T>
inline T maximum_nan(T a, T b) {
  return std::isnan(a) || std::isnan(b) ? canonical_nan(a) : maximum(a, b);
}
// .xorsign.abs: the sign of both together on the extreme of the magnitudes.
template <class T>
inline T xorsign(T magnitude, T a, T b) {
  return std::copysign(magnitude, std::signbit(a) != std::signbit(b) ? T{-1} : T{1});
}

// setp on floats: ordered unless the name ends in u, which holds for NaN too.
template <class T>
inline bool unordered(T a, T b) {
  return std::isnan(a) || std::isnan(b);
}
template <class T>
inline bool ordered_and_different(T a, T b) {
  return a < b || a > b;
}

}  // namespace emu
