// The .approx and .full instructions.  The card's results come from tables and are known only to
// within the error that the ISA documents; here they are computed accurately.  While a launch is
// perturbed, each is moved by a random part of that error, so that a kernel that leans on the last
// bits of an approximation is found out.
#pragma once
#include "instructions_half.h"
#include "runtime.h"

namespace emu {

// A number in [-1, 1), from the low 48 bits: those are random.
inline f64 noise() { return static_cast<f64>(static_cast<s64>(perturbation() << 16)) * 0x1p-63; }

// Zero, infinity and NaN are exact; so is whatever the ISA's table of special values lists.
inline bool fixed(f64 x) { return !perturbing || x == 0 || !std::isfinite(x); }
inline f64 relative(f64 x, f64 bound) { return fixed(x) ? x : x * (1 + bound * noise()); }
inline f64 absolute_error(f64 x, f64 bound) { return fixed(x) ? x : x + bound * noise(); }
// `ulps` units in the last place of a float32 near x.
inline f64 last_places(f64 x, f64 ulps) {
  return fixed(x) ? x : x + ulps * noise() * std::ldexp(1.0, std::max(std::ilogb(x), -126) - 23);
}

// Maximum error: 1 ulp.
inline f32 approximate_rcp(f32 x) { return static_cast<f32>(last_places(1.0 / x, 1)); }
// Maximum relative error: 2^-23.
inline f32 approximate_sqrt(f32 x) {
  return static_cast<f32>(relative(std::sqrt(f64{x}), 0x1p-23));
}
// Maximum relative error: 2^-22.9.
inline f32 approximate_rsqrt(f32 x) {
  return static_cast<f32>(relative(1.0 / std::sqrt(f64{x}), 0x1.125fp-23));
}
// Maximum error: 2 ulps; 2^0 is exact.
inline f32 approximate_ex2(f32 x) {
  const f64 exact = std::exp2(f64{x});
  return static_cast<f32>(x == 0 ? exact : last_places(exact, 2));
}
// Maximum error: 2^-22, absolute between 0.5 and 2, relative elsewhere.
inline f32 approximate_lg2(f32 x) {
  const f64 exact = std::log2(f64{x});
  return static_cast<f32>(x > 0.5f && x < 2.0f ? absolute_error(exact, 0x1p-22)
                                               : relative(exact, 0x1p-22));
}
// Maximum absolute error: 2^-20.5 within [-2 pi, 2 pi], 2^-14.7 within [-100 pi, 100 pi]; beyond
// that none is promised.
inline f64 trigonometric_error(f32 x) {
  return std::fabs(x) <= 6.2831853f ? 0x1.6a0ap-21 : 0x1.3b2cp-15;
}
inline f32 approximate_sin(f32 x) {
  return static_cast<f32>(absolute_error(std::sin(f64{x}), trigonometric_error(x)));
}
inline f32 approximate_cos(f32 x) {
  const f64 exact = std::cos(f64{x});
  return static_cast<f32>(x == 0 ? exact : absolute_error(exact, trigonometric_error(x)));
}
// Maximum relative error: 2^-11; never beyond 1, which infinity reaches.
inline f32 approximate_tanh(f32 x) {
  const f64 exact = std::tanh(f64{x});
  return static_cast<f32>(std::isfinite(x) ? std::clamp(relative(exact, 0x1p-11), -1.0, 1.0)
                                           : exact);
}
// Maximum error: 2 ulps over the full range.
inline f32 full_div(f32 a, f32 b) { return static_cast<f32>(last_places(f64{a} / f64{b}, 2)); }
// Maximum error: 2 ulps where 2^-126 <= |b| <= 2^126; for a larger finite b the result is 0, or NaN
// if a is infinite.
inline f32 approximate_div(f32 a, f32 b) {
  if (std::isfinite(b) && std::fabs(b) > 0x1p126f)
    return std::isinf(a) ? canonical_nan(a)
                         : std::copysign(0.0f, std::signbit(a) != std::signbit(b) ? -1.0f : 1.0f);
  return full_div(a, b);
}

// Halves.  Maximum error: ex2 2^-9.9 relative (f16), 2^-7 (bf16); tanh 2^-10.987 absolute (f16),
// 2^-8 (bf16).
template <class T>
inline T approximate_half_ex2(T x) {
  const f64 exact = std::exp2(f64{widened(x)});
  return narrowed<T>(
      widened(x) == 0 ? exact : relative(exact, std::is_same_v<T, f16> ? 0x1.125fp-10 : 0x1p-7));
}
template <class T>
inline T approximate_half_tanh(T x) {
  return narrowed<T>(
      absolute_error(std::tanh(f64{widened(x)}), std::is_same_v<T, f16> ? 0x1.02p-11 : 0x1p-8));
}

// rcp.approx.ftz.f64 and rsqrt.approx.ftz.f64 keep 20 bits of mantissa: the low word is zero.
inline f64 upper_word(f64 x) {
  return std::isnan(x) ? canonical_nan(x) : double_bits(std::bit_cast<u64>(x) & ~u64{0xffffffff});
}
inline f64 gross_rcp(f64 x) { return upper_word(1.0 / upper_word(x)); }
inline f64 gross_rsqrt(f64 x) { return upper_word(1.0 / std::sqrt(upper_word(x))); }

}  // namespace emu
